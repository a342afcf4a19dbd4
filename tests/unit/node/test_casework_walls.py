"""What is marked more strictly stays with those who may see it: in requests, packages, timelines, meetings, and later on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from casework_support import SEEN, Casework, someone
from web_support import site_in

from shieldwall.cases.finding import Finding
from shieldwall.cases.intake import Intake
from shieldwall.cases.pack import verifier
from shieldwall.cases.request import RequestKind
from shieldwall.cases.wording import Confidence
from shieldwall.errors import BadInput, Conflict, NotAllowed, NotFound
from shieldwall.model.access import Role
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.casework import asking, filling, holding, looking, packing, saying
from shieldwall.node.casework.opening import CaseAsked, change_incident, open_incident
from shieldwall.store.approvals import Remarking

GRADED = Finding(layer=Layer.INFERENCE, text="It is the cashier's.", basis="co-spend", confidence=Confidence.HIGH)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("walls")) as made:
        yield made


@pytest.fixture
def work(site):
    made = Casework(site)
    low = someone(site, "Low", Role.ANALYST, Role.APPROVER, highest=Marking.AMBER)
    with site.store.act(made.mara, "case.members") as inside:
        case = inside.cases.get(made.case)
        inside.cases.set_members(made.case, case.version, people=[*case.people, low], groups=[])
    made.low = low
    return made


def low(work):
    return work.site.identity(work.low)


def remark(work, thing, thing_id, marking=Marking.RED, pap=Pap.GREEN):
    with work.node.store.act(work.mara, "test.remark") as inside:
        case = None if thing == "case" else work.case
        inside.approvals.remark(Remarking(thing=thing, id=thing_id, marking=marking, pap=pap, case=case))


def texts(work, who):
    with work.node.store.inside(who) as inside:
        entries = inside.timeline.page(work.case, most=500)
        past = inside.timeline.page(work.case, most=500, known_at=1 << 62)
    return str([entry.body for entry in (*entries, *past)])


def test_a_package_is_marked_as_strictly_as_all_that_is_in_it(work):
    request = replace(
        filling.fill(work.node, work.mara, "x", work.case, filling.Filling(kind=RequestKind.INFORM)),
        marking=Marking.RED,
    )
    asked = asking.draft(work.node, work.mara, "x", work.case, request)
    with pytest.raises(NotFound):
        asking.look(work.node, low(work), "x", asked.row.id)
    work.sent(asked)
    file = packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked(to="Court"))
    assert file.handling.marking is Marking.RED
    with pytest.raises(NotFound), work.node.store.inside(low(work)) as inside:
        inside.files.get(file.id)


def test_a_taken_back_claim_marks_a_package_too(work):
    kept = saying.add_finding(work.node, work.mara, "x", work.case, SEEN)
    remark(work, "claim", kept.id)
    with work.inside() as inside:
        red = next(each for each in inside.claims.of_case(work.case, ["finding"], most=9))
    saying.take_back(work.node, work.mara, "x", red.id, "wrong")
    assert packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked()).handling.marking is Marking.RED


def test_a_request_is_marked_as_strictly_as_what_it_is_made_of(work):
    kept = saying.add_finding(work.node, work.mara, "x", work.case, GRADED)
    remark(work, "claim", kept.id)
    asked = work.draft()
    assert asked.request.marking is asked.row.handling.marking is Marking.RED
    with pytest.raises(NotFound):
        asking.look(work.node, low(work), "x", asked.row.id)


def test_a_request_becomes_as_strict_as_its_writer_says(work):
    asked = work.draft()
    red = replace(asked.request, marking=Marking.RED, narrative="Only for us.")
    asked = asking.edit(work.node, work.mara, "x", asked.row.id, asked.row.version, red)
    assert asked.row.handling.marking is Marking.RED
    with pytest.raises(NotFound):
        asking.look(work.node, low(work), "x", asked.row.id)
    green = replace(asked.request, marking=Marking.GREEN)
    assert asking.edit(work.node, work.mara, "x", asked.row.id, asked.row.version, green).request.marking is Marking.RED


def test_a_case_that_is_marked_more_strictly_takes_all_in_it_along(work):
    held = holding.acquire(
        work.node, work.mara, "x", work.case, "a.txt", "text/plain", b"x", holding.Acquired(method="m", source="s")
    )
    kept = saying.add_finding(work.node, work.mara, "x", work.case, SEEN)
    asked = work.draft()
    waiting = asking.submit(work.node, work.mara, "x", asked.row.id, asked.row.version)
    trace = work.trace()
    who = low(work)
    asking.look(work.node, who, "x", asked.row.id)
    remark(work, "case", work.case)
    who = low(work)
    for do in (
        lambda: asking.look(work.node, who, "x", asked.row.id),
        lambda: asking.decide(work.node, who, "x", asked.row.id, approve=True, digest=waiting.request.digest),
        lambda: holding.log_deed(work.node, who, "x", held.evidence.id, "examined", "x"),
        lambda: saying.take_back(work.node, who, "x", kept.id, "x"),
        lambda: work.look(who),
    ):
        with pytest.raises(NotFound):
            do()
    with work.node.store.inside(who) as inside:
        assert not inside.timeline.page(work.case, most=9)
        assert not inside.requests.page(most=9)
        assert not inside.evidence.of_case(work.case)
        with pytest.raises(NotFound):
            inside.files.get(trace)
    approved = asking.decide(work.node, work.ingrid, "x", asked.row.id, approve=True, digest=waiting.request.digest)
    with pytest.raises(Conflict, match="more strictly"):  # the letter would say what the case was
        asking.send(work.node, work.mara, "x", asked.row.id, approved.row.version)


def test_a_claim_that_is_marked_more_strictly_leaves_no_word_behind(work):
    kept = saying.add_finding(
        work.node, work.mara, "x", work.case, Finding(layer=Layer.OBSERVATION, text="Zanzibar saw it.")
    )
    assert "Zanzibar" in texts(work, low(work))
    remark(work, "claim", kept.id)
    assert "Zanzibar" not in texts(work, low(work))
    assert "Zanzibar" in texts(work, work.mara)
    with work.inside() as inside:
        red = inside.claims.of_case(work.case, ["finding"], most=9)[0]
    saying.take_back(work.node, work.mara, "x", red.id, "false")
    assert work.look().counts.get("finding", 0) == 0


def test_an_incident_that_is_marked_more_strictly_is_not_found_by_its_words(work):
    change_incident(work.node, work.mara, "x", work.case, Intake({"victim": "Zanzibar Ferries"}, ()))
    with work.node.store.inside(low(work)) as inside:
        assert inside.cases.search("zanzibar", most=9)
    with work.inside() as inside:
        incident = inside.claims.of_case(work.case, ["incident"], most=9)[-1]
    remark(work, "claim", incident.id)
    with work.node.store.inside(low(work)) as inside:
        assert not inside.cases.search("zanzibar", most=9)
    assert "Zanzibar" not in texts(work, low(work))


def test_a_file_that_is_marked_more_strictly_hides_itself_and_not_the_case(work):
    held = holding.acquire(
        work.node,
        work.mara,
        "x",
        work.case,
        "zanzibar.txt",
        "text/plain",
        b"x",
        holding.Acquired(method="m", source="s"),
    )
    trace = work.trace()
    remark(work, "file", held.file.id)
    remark(work, "file", trace, pap=Pap.AMBER)
    view = work.look(low(work))
    assert not view.evidence
    assert "transfer" not in view.counts
    assert "zanzibar" not in texts(work, low(work))
    assert (
        packing.pack_case(work.node, low(work), "x", work.case, packing.PackAsked()).handling.marking is Marking.AMBER
    )
    assert len(work.look().evidence) == 1


def test_a_copy_outside_takes_nothing_back_inside(work):
    kept = saying.add_finding(work.node, work.ingrid, "x", work.case, GRADED)
    sent = work.sent(asked_with(work, kept))
    with work.node.store.act(work.nora, "x") as inside:  # the same words, outside, by somebody else
        inside.claims.add([kept.claim])
        inside.claims.retract(kept.id, "mine alone")
    assert work.look().counts["finding"] == 1
    with work.inside() as inside:
        assert all(way.recalled_at is None for way in inside.travels.of(kept.id))
    assert sent


def asked_with(work, kept):
    """A draft of Mara's that carries a claim."""
    request = filling.fill(work.node, work.mara, "x", work.case, filling.Filling(kind=RequestKind.INFORM))
    asked = asking.draft(work.node, work.mara, "x", work.case, request)
    assert kept.id in asked.request.claims
    return asked


def test_ways_follow_a_claim_under_its_new_marking(work):
    kept = saying.add_finding(work.node, work.mara, "x", work.case, GRADED)
    sent = work.sent(asked_with(work, kept))
    remark(work, "claim", kept.id)
    with work.inside() as inside:
        red = inside.claims.of_case(work.case, ["finding"], most=9)[0]
    assert red.id != kept.id
    _, ways = saying.take_back(work.node, work.mara, "x", red.id, "wrong")
    assert ways == 1
    assert [way.carrier for way in work.look().to_tell] == [sent.row.id]


def test_an_incident_that_went_out_and_is_told_anew_is_to_be_told(work):
    sent = work.sent(work.draft(RequestKind.INFORM))
    change_incident(work.node, work.mara, "x", work.case, Intake({"what": "It was otherwise."}, ()))
    assert [way.carrier for way in work.look().to_tell] == [sent.row.id]


def test_what_was_taken_back_after_approval_does_not_go_out(work):
    kept = saying.add_finding(work.node, work.mara, "x", work.case, GRADED)
    approved = work.approved(asked_with(work, kept))
    saying.take_back(work.node, work.mara, "x", kept.id, "wrong")
    with pytest.raises(BadInput, match="taken back"):
        asking.send(work.node, work.mara, "x", approved.row.id, approved.row.version)


def test_a_request_carries_claims_of_its_own_case_alone(work):
    other = open_incident(work.node, work.nora, "x", None, CaseAsked(title="Theirs"))
    theirs = saying.add_finding(work.node, work.site.identity(work.nora.person), "x", other.id, SEEN)
    request = filling.fill(work.node, work.mara, "x", work.case, filling.Filling(kind=RequestKind.INFORM))
    for claim in (theirs.id, "0" * 64):
        with pytest.raises(NotFound):
            asking.draft(work.node, work.mara, "x", work.case, replace(request, claims=(claim,)))


@pytest.mark.parametrize(
    ("pap", "kind", "may"),
    [
        (Pap.RED, RequestKind.INFORM, False),
        (Pap.RED, RequestKind.FREEZE, False),
        (Pap.AMBER, RequestKind.FREEZE, False),
        (Pap.AMBER, RequestKind.TAKE_DOWN, False),
        (Pap.AMBER, RequestKind.DISCLOSE, True),
        (Pap.GREEN, RequestKind.FREEZE, True),
    ],
)
def test_pap_says_what_may_be_asked(site, pap, kind, may):
    work = Casework(site, pap=pap)
    asked = work.draft(kind)
    if may:
        assert work.sent(asked).track.sent_at
        return
    with pytest.raises(NotAllowed, match="PAP"):
        asking.submit(work.node, work.mara, "x", asked.row.id, asked.row.version)
    if pap is Pap.RED:
        with pytest.raises(NotAllowed, match="PAP"):
            packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked(to="Vendor"))
        assert packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked())


def test_a_draft_leaves_in_no_package(work):
    asked = work.draft()
    file = packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked(to="Court"))
    with work.inside() as inside:
        raw = inside.files.read(file.id)
        assert not inside.travels.of(asked.row.id)
    report = verifier.verify(raw)
    assert {"what": "request 1 (freeze), draft", "why": "it was not sent"} in report.withheld
    assert asked.request.digest.encode() not in raw


def test_other_cases_are_pointed_out_by_what_one_may_see(work):
    other = open_incident(
        work.node,
        work.mara,
        "x",
        None,
        CaseAsked(title="Port", marking=Marking.AMBER, pap=Pap.GREEN, people=[work.low]),
    )
    kept = saying.add_relation(
        work.node, work.site.identity(work.mara.person), "x", other.id, Subject("victim", "", "V"), "paid to",
        Subject("address", "c", "addr-1"), layer=Layer.OBSERVATION,
    )  # fmt: skip
    saying.add_relation(
        work.node, work.mara, "x", work.case, Subject("victim", "", "W"), "paid to", Subject("address", "c", "addr-1"),
        layer=Layer.OBSERVATION,
    )  # fmt: skip
    assert (other.id, "Port") in {pair for each in work.look(low(work)).shared for pair in each.cases}
    assert kept


def test_a_retraction_has_a_signature_of_its_own(work):
    sent = work.sent(work.draft())
    back = asking.retract(work.node, work.mara, "x", sent.row.id, sent.row.version, "It was another's.")
    with work.inside() as inside:
        files = {name: inside.files.read(each) for name, each in back.files.items()}
    raw, keys = files["taken-back-retraction.json"], files["taken-back-keys.json"]
    assert b"It was another's." in raw
    assert verifier.verify_signed(raw, files["taken-back-retraction.sig.json"], keys, "request-retraction")
    with pytest.raises(verifier.NotGood):
        verifier.verify_signed(
            files["request.json"], files["taken-back-retraction.sig.json"], keys, "request-retraction"
        )


def test_evidence_that_was_destroyed_stops_no_package(work):
    held = holding.acquire(
        work.node, work.mara, "x", work.case, "a.txt", "text/plain", b"x", holding.Acquired(method="m", source="s")
    )
    holding.log_deed(work.node, work.mara, "x", held.evidence.id, "destroyed", "by order of the court")
    assert packing.pack_case(work.node, work.mara, "x", work.case, packing.PackAsked())


@pytest.mark.parametrize("when", ["0001-01-01", "9999-12-31T23:59:59Z", "1969-12-31"])
def test_a_time_outside_of_ours_breaks_nothing(work, when):
    sent = work.sent(work.draft(trace=work.trace()))
    with pytest.raises(Exception, match="time"):
        asking.record(work.node, work.mara, "x", sent.row.id, asking.Deed.RENEW, {"until": when})
    with pytest.raises(BadInput, match="no time"):
        saying.add_event(work.node, work.mara, "x", work.case, "x", when)
    assert work.look()
    assert looking.network_in(work.node, work.mara, "x", [work.case])
