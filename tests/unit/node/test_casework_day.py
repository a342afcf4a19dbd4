"""A case from its intake to its package, by two people; and what nobody else learns of it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from casework_support import SEEN, Casework, answer_to
from pypdf import PdfReader
from web_support import address_of, site_in

from shieldwall.cases.finding import Finding
from shieldwall.cases.incident import FIRST_HOUR
from shieldwall.cases.intake import Intake
from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.redaction import Redaction
from shieldwall.cases.request import RequestKind
from shieldwall.cases.tracker import Deed, State
from shieldwall.cases.wording import Confidence
from shieldwall.errors import BadInput, BadText, Conflict, NotAllowed, NotFound, ShieldwallError
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.casework import asking, holding, looking, packing, references, saying
from shieldwall.node.casework.opening import CaseAsked, change_incident, open_incident
from shieldwall.node.desk import look_at_desk

SECOND = 1_000_000
GRADED = Finding(layer=Layer.INFERENCE, text="It is theirs.", basis="co-spend", confidence=Confidence.HIGH)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("casework")) as made:
        yield made


@pytest.fixture
def work(site):
    return Casework(site)


def say(work, finding=SEEN):
    return saying.add_finding(work.node, work.mara, "finding.add", work.case, finding)


def piece(work, content=b"pay up", **how):
    given = {"method": "copied from the screen", "source": "operator station 3"} | how
    return holding.acquire(
        work.node, work.mara, "evidence.add", work.case, "note.txt", "text/plain", content, holding.Acquired(**given)
    )


def pack(work, **asked):
    file = packing.pack_case(work.node, work.mara, "pack.add", work.case, packing.PackAsked(**asked))
    with work.inside() as inside:
        return file, inside.files.read(file.id)


def test_an_intake_opens_a_case_with_its_timeline_clocks_and_network(work):
    view = work.look()
    assert view.incident["group"] == "DarkSide"
    assert [done for _, _, done in view.first_hour] == [True, True] + [False] * (len(FIRST_HOUR) - 2)
    assert {each.clock.jurisdiction for each in view.deadlines} == {"EU"}  # Germany's own are not in the data
    assert all(each.due for each in view.deadlines if each.start and each.clock.length)
    assert [entry.body.get("told") for entry in view.entries] == ["intake", "found"]
    network, titles = looking.network_in(work.node, work.mara, "case.network", [work.case])
    names = {thing.name for thing in network.things.values()}
    assert {"Waterworks", address_of("watched")} <= names
    assert titles == {work.case: "Waterworks"}


def test_what_is_told_anew_takes_the_place_of_what_was_told(work):
    before = work.look()
    change_incident(work.node, work.mara, "case.edit", work.case, Intake({"what": "Worse.", "group": "REvil"}, (3,)))
    after = work.look()
    assert (after.incident, [number for number, _, done in after.first_hour if done]) == (
        {"what": "Worse.", "group": "REvil"},
        [3],
    )
    then = work.look(at=looking.AsOf(known_at=before.now))
    assert then.incident == before.incident
    assert then.first_hour == before.first_hour
    with work.inside() as inside:
        assert [case.id for case in inside.cases.search("revil", most=9)][:1] == [work.case]


def test_a_trace_enters_the_timeline_once_and_each_transfer_with_it(work):
    first = work.trace()
    kinds = work.look().counts
    assert kinds["trace"] == 1
    assert kinds["transfer"] >= 1
    work.trace(method="poison")
    assert work.look().counts["transfer"] == kinds["transfer"]
    flags = looking.flags_in(work.node, work.mara, "case.flags", work.case)
    assert {flag.answer for flag in flags} <= {"seen", "not seen", "cannot be told"}
    assert first


def test_findings_keep_their_layers_and_a_second_replaces_no_first(work):
    say(work)
    say(work)
    say(work, Finding(layer=Layer.INFERENCE, text="It is theirs.", basis="co-spend"))
    found = work.look().findings
    assert [len(found[layer]) for layer in (Layer.OBSERVATION, Layer.INFERENCE, Layer.ATTRIBUTION)] == [2, 1, 0]


def test_evidence_has_a_custody_log_that_goes_on_with_each_deed(work):
    held = piece(work)
    copy = piece(work, b"pay up", copy=holding.Copy.WORKING, of=held.evidence.id)
    holding.log_deed(work.node, work.ingrid, "evidence.deed", held.evidence.id, "examined", "the letters were read")
    with work.inside() as inside:
        log = holding.held(inside, held.evidence.id).log
        assert [(entry.deed, entry.who) for entry in log] == [("acquired", "Mara"), ("examined", "Ingrid")]
        assert holding.held(inside, copy.evidence.id).log[0].deed == "copied"
    for bad in ({"method": " "}, {"source": ""}, {"acquired_at": "yesterday"}, {"why": " "}, {"source": "x" * 2000}):
        with pytest.raises(BadInput):
            piece(work, **bad)
    with pytest.raises(NotFound):
        piece(work, of="0" * 32)
    assert work.look().counts["evidence"] == 2  # what was refused left nothing


def test_a_request_needs_two_people_and_goes_out_as_it_was_approved(work):
    asked = work.draft(trace=work.trace())
    assert asked.request.assets
    assert asked.lacks
    sent = work.sent(asked)
    assert sent.track.state is State.SENT
    assert {"request.json", "request.csv", "request.sig.json", "keys.json", "letter.en.html", "letter.en.pdf"} < set(
        sent.files
    )
    with work.inside() as inside:
        files = {name: inside.files.read(each) for name, each in sent.files.items()}
    assert files["request.json"].decode() == sent.request.to_json()
    verdict = verifier.verify_signed(files["request.json"], files["request.sig.json"], files["keys.json"], "request")
    assert verdict
    assert PdfReader(io.BytesIO(files["letter.en.pdf"])).pages


@pytest.mark.parametrize("kind", RequestKind)
def test_each_kind_of_request_is_drafted_and_sent(work, kind):
    sent = work.sent(work.draft(kind))
    assert sent.row.kind == kind.value
    assert "reply.html" in sent.files


def test_the_writer_does_not_approve_nor_does_a_stranger_nor_a_change_after(work):
    asked = work.draft()
    version, digest = asked.row.version, asked.request.digest
    asked = asking.edit(work.node, work.ingrid, "request.edit", asked.row.id, version, asked.request)
    asked = asking.submit(work.node, work.mara, "request.submit", asked.row.id, asked.row.version)
    for who, error in ((work.mara, NotAllowed), (work.ingrid, NotAllowed), (work.nora, NotFound)):
        with pytest.raises(error):  # Ingrid wrote in it, too
            asking.decide(work.node, who, "request.decide", asked.row.id, approve=True, digest=digest)
    with pytest.raises(Conflict):
        asking.send(work.node, work.mara, "request.send", asked.row.id, asked.row.version)
    with pytest.raises(Conflict):
        asking.edit(work.node, work.mara, "request.edit", asked.row.id, asked.row.version, asked.request)


def test_what_is_approved_is_what_was_looked_at(work):
    asked = work.draft()
    seen = asked.request.digest
    changed = replace(asked.request, narrative="Other words.")
    asked = asking.edit(work.node, work.mara, "request.edit", asked.row.id, asked.row.version, changed)
    asked = asking.submit(work.node, work.mara, "request.submit", asked.row.id, asked.row.version)
    with pytest.raises(Conflict, match="looked at"):
        asking.decide(work.node, work.ingrid, "request.decide", asked.row.id, approve=True, digest=seen)


def test_the_desk_shows_the_second_person_what_waits_and_the_first_what_is_due(work):
    asked = work.draft()
    asking.submit(work.node, work.mara, "request.submit", asked.row.id, asked.row.version)
    assert asked.row.id in [each.row.id for each in look_at_desk(work.node, work.ingrid, "desk").requests]
    for who in (work.mara, work.nora):
        assert asked.row.id not in [each.row.id for each in look_at_desk(work.node, who, "desk").requests]
    digest = asked.request.digest
    asked = asking.decide(work.node, work.ingrid, "request.decide", asked.row.id, approve=True, digest=digest)
    asking.send(work.node, work.mara, "request.send", asked.row.id, asked.row.version)
    due = next(each for each in look_at_desk(work.node, work.mara, "desk").requests if each.row.id == asked.row.id)
    assert due.due[0].what == "acknowledge"


def test_an_answer_file_moves_the_tracker_and_is_kept(work):
    sent = work.sent(work.draft(trace=work.trace()))
    raw = answer_to(sent.request, amount=sent.request.amount, until="2026-12-31", contact="Tomas")
    answered = asking.take_reply(work.node, work.mara, "request.reply", sent.row.id, raw)
    assert (answered.track.state, answered.track.amount, answered.track.contact) == (
        State.ANSWERED,
        sent.request.amount,
        "Tomas",
    )
    assert [each.what for each in answered.due] == ["renew"]
    with work.inside() as inside:
        assert inside.files.read(answered.deeds[-1].body["file"]) == raw
    other = work.sent(work.draft())
    with pytest.raises(BadText, match="not this one"):
        asking.take_reply(work.node, work.mara, "request.reply", other.row.id, raw)
    assert "reply" in work.look().counts


def test_as_of_shows_nothing_that_came_later(work):
    first = say(work)
    asked = work.draft()
    then = work.look().now
    work.site.clock.at += 5 * SECOND
    was = asked.request.narrative
    asked = asking.edit(
        work.node,
        work.mara,
        "request.edit",
        asked.row.id,
        asked.row.version,
        replace(asked.request, narrative="Later."),
    )
    say(work, Finding(layer=Layer.OBSERVATION, text="Later, too."))
    work.sent(asked)
    saying.take_back(work.node, work.mara, "claim.retract", first.id, "wrong")
    piece(work)
    work.trace()
    view = work.look(at=looking.AsOf(known_at=then))
    (shown,) = view.requests
    assert (shown.track.state, shown.request.narrative, len(shown.deeds)) == (State.DRAFT, was, 1)
    assert [kept.id for kept in view.findings[Layer.OBSERVATION]] == [first.id]
    assert not view.evidence
    assert not view.files
    assert all(entry.recorded_at <= then for entry in view.entries)
    _, raw = pack(work, as_of=then)
    names = set(verifier.unpack(raw))
    assert not [name for name in names if "letter" in name.rpartition("/")[2] or "note.txt" in name]
    assert b"Later" not in raw  # a package is stored, not compressed


def test_a_height_hides_what_happened_after_its_block(work):
    work.trace()
    with work.node.chain("regtest") as chain:
        heights, times = chain.column("block_height"), chain.column("block_time")
        low, at = int(heights[0]), int(times[0])
    view = work.look(at=looking.as_of(work.node, height=low, network="regtest"))
    assert all(entry.happened_at <= at * SECOND for entry in view.entries)
    assert view.counts.get("transfer", 0) == 0
    with pytest.raises(ShieldwallError, match="no block at height"):
        looking.as_of(work.node, height=10**6, network="regtest")


def test_a_retraction_follows_every_way_that_the_claim_went(work):
    kept = say(work, GRADED)
    sent = work.sent(work.draft())
    assert kept.id in sent.request.claims
    file, _ = pack(work, to="Court of Halden")
    _, ways = saying.take_back(work.node, work.mara, "claim.retract", kept.id, "the address was misread")
    assert ways == 2
    told = work.look().to_tell
    assert {(way.by, way.carrier) for way in told} == {("request", sent.row.id), ("pack", file.id)}
    assert look_at_desk(work.node, work.mara, "desk").to_tell >= 2
    assert not [way for way in looking.look_at_case(work.node, work.mara, "x", work.case).to_tell if way.told_at]
    with work.node.store.act(work.mara, "travel.told") as inside:
        inside.travels.told(told[0].id)
    assert len(work.look().to_tell) == 1
    assert work.look().counts.get("finding", 0) == 0


def test_taking_back_a_request_makes_the_letter_that_says_so(work):
    sent = work.sent(work.draft())
    back = asking.retract(
        work.node, work.mara, "request.retract", sent.row.id, sent.row.version, "The address was another's."
    )
    assert back.track.state is State.RETRACTED
    with work.inside() as inside:
        page = inside.files.read(back.files["taken-back-letter.en.html"]).decode()
        assert [way.carrier for way in inside.travels.to_tell(most=99) if way.what == sent.row.id] == [sent.row.id]
    assert "TAKEN BACK" in page
    assert "another&#39;s" in page
    for deed in (Deed.ANSWER, Deed.RENEW):
        with pytest.raises(Conflict):
            asking.record(work.node, work.mara, "x", sent.row.id, deed, {"outcome": "refused", "until": "2027-12-31"})


def test_a_package_says_what_is_proven_and_verifies_elsewhere(work):
    work.trace()
    say(work)
    held = piece(work)
    sent = work.sent(work.draft(trace=work.trace(method="poison")))
    _, raw = pack(work, to="Court")
    found = verifier.verify(raw)
    told = verifier.told(found)
    assert "inclusion proven" in told
    files = verifier.unpack(raw)
    assert b"pay up" in files.values()
    assert any(name.endswith("letter.en.pdf") for name in files)
    assert sent.request.to_json().encode() in files.values()
    with work.inside() as inside:
        assert holding.held(inside, held.evidence.id).log[-1].deed == "packed"


def test_a_redacted_package_says_what_it_withholds_and_holds_nothing_of_it(work):
    kept = say(work, Finding(layer=Layer.OBSERVATION, text="A secret witness saw it."))
    held = piece(work, b"a name nobody may read")
    _, whole = pack(work)
    redaction = Redaction(
        claims=frozenset([kept.id]), evidence=frozenset([held.evidence.id]), why="protection of a witness"
    )
    _, raw = pack(work, redaction=redaction)
    assert b"secret witness" in whole
    assert b"nobody may read" in whole
    assert b"secret witness" not in raw
    assert b"nobody may read" not in raw
    assert "protection of a witness" in verifier.told(verifier.verify(raw))


def test_a_closed_case_takes_no_more_until_it_is_opened(work):
    sent = work.sent(work.draft())
    waiting = work.draft()
    waiting = asking.submit(work.node, work.mara, "request.submit", waiting.row.id, waiting.row.version)
    held = piece(work)
    with work.node.store.act(work.mara, "case.close") as inside:
        inside.cases.close(work.case, inside.cases.get(work.case).version)
    for do in (
        lambda: say(work),
        lambda: piece(work),
        work.draft,
        lambda: pack(work),
        lambda: holding.log_deed(work.node, work.mara, "x", held.evidence.id, "examined", "late"),
        lambda: saying.add_event(work.node, work.mara, "x", work.case, "late", "2026-10-01"),
        lambda: asking.take_reply(work.node, work.mara, "x", sent.row.id, answer_to(sent.request)),
        lambda: asking.decide(work.node, work.ingrid, "x", waiting.row.id, approve=True, digest=waiting.request.digest),
    ):
        with pytest.raises(Conflict):
            do()


def test_whoever_is_not_in_the_case_learns_nothing(work):
    trace = work.trace()
    held = piece(work)
    sent = work.sent(work.draft())
    kept = say(work)
    nora = work.nora
    for do in (
        lambda: work.look(nora),
        lambda: looking.network_in(work.node, nora, "x", [work.case]),
        lambda: looking.flags_in(work.node, nora, "x", work.case),
        lambda: asking.look(work.node, nora, "x", sent.row.id),
        lambda: asking.take_reply(work.node, nora, "x", sent.row.id, answer_to(sent.request)),
        lambda: holding.log_deed(work.node, nora, "x", held.evidence.id, "examined", "x"),
        lambda: saying.take_back(work.node, nora, "x", kept.id, "x"),
        lambda: packing.pack_case(work.node, nora, "x", work.case, packing.PackAsked()),
        lambda: saying.add_finding(work.node, nora, "x", work.case, SEEN),
    ):
        with pytest.raises(NotFound):
            do()
    desk = look_at_desk(work.node, nora, "desk")
    assert not [each for each in desk.requests if each.row.id == sent.row.id]
    assert trace


def test_cases_that_touch_the_same_money_point_at_each_other_for_members_alone(work, site):
    work.trace()
    asked = CaseAsked(title="Harbour", marking=Marking.AMBER, pap=Pap.AMBER)
    intake = Intake({"what": "Paid as well.", "addresses": address_of("watched"), "group": "DarkSide"}, ())
    open_incident(work.node, work.nora, "case.add", intake, asked)
    assert "Harbour" not in {title for shared in work.look().shared for _, title in shared.cases}
    other = open_incident(
        work.node, work.mara, "case.add", intake, CaseAsked(title="Port", marking=Marking.AMBER, pap=Pap.AMBER)
    )
    shared = {each.name for each in work.look().shared if (other.id, "Port") in each.cases}
    assert address_of("watched") in shared
    network, _ = looking.network_in(work.node, work.mara, "case.network", [work.case, other.id])
    assert {network.things[key].name for key in network.shared} >= {address_of("watched")}


def test_a_relation_is_said_and_drawn(work):
    saying.add_relation(
        work.node, work.mara, "relation.add", work.case, Subject("group", "", "DarkSide"), "uses",
        Subject("infrastructure", "", "bad.example"), layer=Layer.INFERENCE, basis="certificate",
    )  # fmt: skip
    network, _ = looking.network_in(work.node, work.mara, "case.network", [work.case])
    edge = next(each for each in network.edges if each.target.endswith("bad.example"))
    assert (edge.layer, edge.said_by) == ("inference", "Mara")


def test_the_machine_words_are_held_to_the_types(site, work):
    with pytest.raises(BadInput):
        say(work, Finding(layer=Layer.OBSERVATION, text="We have high confidence that it is likely."))


def test_a_node_s_own_recipients_and_sender_fill_a_request(work):
    home = work.node.home.path
    own, agency = home / references.RECIPIENTS, home / references.AGENCY
    try:
        own.write_text(
            'dated = "2026-11-01"\n[[recipient]]\nid = "harbour"\nname = "Harbour Exchange"\nrole = "exchange"\n'
        )
        agency.write_text('agency = "Cyber Unit North"\ncountry = "DE"\n')
        asked = work.draft(recipient="harbour")
        assert (asked.request.recipient.name, asked.request.sender.agency) == ("Harbour Exchange", "Cyber Unit North")
        agency.write_text("agency = 7\n")
        with pytest.raises(BadText, match=r"agency\.toml: agency is not a text"):
            work.draft(recipient="harbour")
        own.write_text('dated = "2026-11-01"\n' + "#" * (1 << 20))
        with pytest.raises(BadText, match=r"recipients\.toml: longer than"):
            work.draft(recipient="harbour")
    finally:
        own.unlink()
        agency.unlink()
