"""Leaks that other platforms are known for, each as a test of its own: none of them happens here."""

from __future__ import annotations

import io
import json

import pytest
from casework_support import Casework
from taxii_support import indicator, taxii_in
from web_support import address_of

from shieldwall.errors import NotAllowed, UsageError
from shieldwall.model.access import Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import REGTEST
from shieldwall.node.sharing.exporting import make_stix
from shieldwall.node.sharing.intake import IntakeRules, take_bundle
from shieldwall.node.sharing.releasing import preview, release, withdraw
from shieldwall.sharing.extensions import CLAIM


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("leaks")) as made:
        yield made


@pytest.fixture
def world(whole, request):
    """A group of its own for each test, with a partner, a collection and a way to read it."""
    name = request.node.name.replace("_", "-")[:50].strip("-")
    whole.name, whole.of = name, whole.group(name)
    whole.ally, whole.client = whole.partner(f"Ally {name}", whole.of)
    whole.mine = whole.collection("High value", whole.of)
    whole.path = f"/{name}/collections/{whole.mine.id}/objects/"
    return whole


def got(world, client=None):
    answer = (client or world.client).get(world.path + "?match[version]=all")
    return [each["id"] for each in answer.json.get("objects", [])] if answer.status == 200 else answer.status


def test_an_empty_audience_is_nobody(world):
    """MISP#4200: an empty sharing group reached everyone."""
    empty = world.group(f"{world.name}-empty")
    collection = world.collection("For nobody", empty)
    world.release(collection, [indicator(1)])
    path = f"/{world.name}-empty/collections/{collection.id}/objects/"
    assert world.client.get(path).status == 404
    assert world.nobody.get(path).status == 401
    with pytest.raises(UsageError, match="CLEAR"):
        world.collection("For everyone?", None, highest=Marking.GREEN)


def test_a_partner_that_was_removed_gets_nothing_from_then_on(world):
    world.release(world.mine, [indicator(1)])
    assert got(world) == [indicator(1)["id"]]
    with world.store.act(world.ada, "partner.leave") as work:
        work.partners.leave(world.of, world.ally.id)
    assert got(world) == 404
    with world.store.act(world.ada, "partner.join") as work:
        work.partners.join(world.of, world.ally.id)
    with world.store.act(world.ada, "partner.end") as work:
        work.partners.change(world.ally.id, 1, ended=True)
    assert got(world) == 401


def test_who_has_it_is_said_when_something_is_taken_back(world):
    """Narrowing an audience, or withdrawing, recalls nothing that was fetched; so it says who has it."""
    _, late = world.partner(f"Late {world.name}", world.of)
    world.release(world.mine, [indicator(1), indicator(2)])
    world.client.get(world.path + "?limit=1")
    told = withdraw(world.node, world.ingrid, "share.withdraw", world.mine.id, indicator(1)["id"], "wrong")
    assert [partner.id for partner, _ in told.had] == [world.ally.id]
    assert not withdraw(world.node, world.ingrid, "share.withdraw", world.mine.id, indicator(2)["id"], "wrong").had
    assert got(world, late) == []


def test_what_was_changed_reaches_all_who_have_it(world):
    """A new version, and a revocation, come behind everything else: whoever goes on from where they were gets them."""
    world.release(world.mine, [indicator(1), indicator(2)])
    first = world.client.get(world.path)
    last = first.headers["x-taxii-date-added-last"]
    newer = indicator(1, modified="2026-05-01T00:00:00.000Z", revoked=True)
    world.release(world.mine, [newer])
    after = world.client.get(f"{world.path}?added_after={last}")
    assert after.json["objects"] == [newer]


def test_nothing_above_the_reader_s_clearance_goes_and_nothing_tells_of_it(world):
    low, client = world.partner(f"Low {world.name}", world.of, highest=Marking.GREEN)
    world.release(world.mine, [indicator(1)], marking=Marking.GREEN)
    secret = indicator(2)
    world.release(world.mine, [secret], marking=Marking.AMBER)
    world.release(world.mine, [indicator(3)], marking=Marking.GREEN)
    assert got(world, client) == [indicator(1)["id"], indicator(3)["id"]]
    for path in (f"{world.path}{secret['id']}/", f"{world.path}{secret['id']}/versions/"):
        assert client.get(path).status == 404
    texts = [
        client.get(world.path + "?limit=1").body,
        client.get(world.path.replace("/objects/", "/manifest/")).body,
        client.get(f"/{world.name}/collections/").body,
    ]
    assert not any(secret["id"].encode() in text for text in texts)
    assert client.get(world.path + "?limit=2").json["more"] is False
    shown = next(
        each for each in preview(world.node, world.ingrid, "x", low.id, most=9) if each.collection.id == world.mine.id
    )
    assert [each.id for each in shown.withheld] == [secret["id"]]
    assert [item.raw for item in shown.items] == [json.dumps(indicator(n)).encode() for n in (1, 3)]


def test_no_reference_tells_of_what_does_not_go(world):
    """A report that names an object that stays at home stays at home as well, until that goes."""
    report = {
        "type": "report",
        "spec_version": "2.1",
        "id": "report--11111111-2222-4333-8444-555555555555",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": "R",
        "published": "2026-01-01T00:00:00Z",
        "object_refs": [indicator(901)["id"], "malware--99999999-2222-4333-8444-555555555555"],
    }
    rules = IntakeRules(marking=Marking.GREEN, pap=Pap.GREEN)
    bundle = json.dumps({"type": "bundle", "objects": [report, indicator(901)]}).encode()
    take_bundle(world.node, world.ingrid, "share.import", io.BytesIO(bundle), "here", rules)
    done = release(world.node, world.ingrid, "share.release", world.mine.id, [report["id"]], "agreed")
    assert (done.added, [each.id for each in done.withheld]) == ((), [report["id"]])
    ids = [report["id"], indicator(901)["id"]]
    assert set(release(world.node, world.ingrid, "share.release", world.mine.id, ids, "agreed").added) == set(ids)


def test_no_reference_tells_of_what_is_marked_stricter(world):
    """Who may have the report and not the malware must not learn from the report that there is the malware."""
    report = {
        "type": "report",
        "spec_version": "2.1",
        "id": "report--21111111-2222-4333-8444-555555555555",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": "R",
        "published": "2026-01-01T00:00:00Z",
        "object_refs": [indicator(911)["id"]],
    }
    for body, marking in ((report, Marking.GREEN), (indicator(911), Marking.AMBER)):
        rules = IntakeRules(marking=marking, pap=Pap.GREEN)
        take_bundle(world.node, world.ingrid, "share.import", io.BytesIO(json.dumps(body).encode()), "here", rules)
    ids = [report["id"], indicator(911)["id"]]
    done = release(world.node, world.ingrid, "share.release", world.mine.id, ids, "agreed")
    assert (done.added, [each.id for each in done.withheld]) == ((indicator(911)["id"],), [report["id"]])
    assert "stricter" in done.withheld[0].reason


def test_a_payload_never_lists_the_other_members(world):
    """MISP#1668: an event lists all organisations that it was shared with."""
    world.partner(f"Secret ally {world.name}", world.of)
    world.release(world.mine, [indicator(1)])
    for path in ("/taxii2/", f"/{world.name}/", f"/{world.name}/collections/", world.path):
        assert b"Secret ally" not in world.client.get(path).body


def test_audiences_are_named_by_uuid_or_name_and_never_by_a_number(world):
    """MISP#3380, #2025: a sharing group of a local number landed in another group."""
    assert world.client.get(f"/{world.of}/collections/").status == 200
    for number in range(5):
        assert world.client.get(f"/{number}/collections/").status == 404
        assert world.client.get(f"/{world.name}/collections/{number}/").status == 404


def test_a_member_that_joins_late_gets_what_is_theirs(world):
    """MISP#3468: late joiners do not get old events."""
    world.release(world.mine, [indicator(1)])
    late, client = world.partner(f"Late {world.name}")
    assert got(world, client) == 404
    with world.store.act(world.ada, "partner.join") as work:
        work.partners.join(world.of, late.id)
    assert got(world, client) == [indicator(1)["id"]]


def test_what_comes_unmarked_is_the_strictest(world):
    inbox = world.collection("Inbox", world.of, writable=True)
    path = f"/{world.name}/collections/{inbox.id}/objects/"
    assert world.client.post(path, {"objects": [indicator(7)]}).status == 202
    assert world.client.get(path).json == {"more": False}  # TLP:RED: for whoever answers for the collection alone
    with world.store.inside(world.ingrid) as work:
        assert [kept.handling.marking for kept in work.stix.versions(indicator(7)["id"])] == [Marking.RED]


def test_equal_moments_never_are(world):
    """OpenCTI connectors#7604: equal `date_added` looped for ever."""
    world.release(world.mine, [indicator(number) for number in range(30)])
    answer, seen = world.client.get(world.path + "?limit=7"), []
    while True:
        seen += [each["id"] for each in answer.json["objects"]]
        if not answer.json["more"]:
            break
        after = answer.headers["x-taxii-date-added-last"]
        answer = world.client.get(f"{world.path}?limit=7&added_after={after}")
    assert seen == [indicator(number)["id"] for number in range(30)]


def test_what_was_seen_under_two_markings_goes_as_the_more_open_one_does(world):
    """The same bytes, once for few and once for many: who may have the one has it, and is not told of the other."""
    _, low = world.partner(f"Low {world.name}", world.of, highest=Marking.GREEN)
    world.release(world.mine, [indicator(1)], marking=Marking.AMBER)
    assert got(world, low) == []
    world.release(world.mine, [indicator(1)], marking=Marking.GREEN)
    assert got(world, low) == got(world) == [indicator(1)["id"]]


def test_who_may_not_decide_decides_nothing(world):
    mara = world.site.identity(world.site.person(f"Mara {world.name}", Role.ANALYST))
    for deed in (
        lambda: release(world.node, mara, "x", world.mine.id, [], "r"),
        lambda: withdraw(world.node, mara, "x", world.mine.id, indicator(1)["id"], "r"),
        lambda: preview(world.node, mara, "x", world.ally.id, most=1),
        lambda: world.node.partners.issue(world.ingrid, "x", world.ally.id, days=1),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_a_case_goes_to_another_node_as_far_as_its_markings_let_it(whole):
    """From the claims of a case to the claims of whoever fetched them: the same ones, and none that was not for them."""
    work = Casework(whole.site)
    subject = Subject("address", REGTEST.caip2, address_of("watched"))
    said = [
        Claim(
            subject=subject, kind="tag", statement={"label": label}, layer=Layer.ATTRIBUTION,
            source="affidavit", made_by="Mara", confidence=60, marking=marking, pap=Pap.GREEN,
        )
        for label, marking in (("DarkSide", Marking.GREEN), ("Informant", Marking.RED))
    ]  # fmt: skip
    with whole.store.act(work.mara, "claim.add") as inside:
        inside.claims.add(said, case=work.case)
    made = make_stix(whole.node, work.mara, "share.case", work.case)
    assert made.claims >= 2
    assert make_stix(whole.node, work.mara, "share.case", work.case).added == 0
    group = whole.group("case-partners")
    _, client = whole.partner("Case partner", group)
    collection = whole.collection("From the case", group)
    done = release(whole.node, work.ingrid, "share.release", collection.id, made.ids, "agreed")
    assert done.added
    objects = client.get(f"/case-partners/collections/{collection.id}/objects/").json["objects"]
    labels = [
        each["extensions"][CLAIM]["claim"]["statement"].get("label")
        for each in objects
        if CLAIM in each.get("extensions", {})
    ]
    assert "DarkSide" in labels
    assert b"Informant" not in json.dumps(objects).encode()
    assert {each["type"] for each in objects} >= {"blockchain-address", "note", "extension-definition", "identity"}

    other = whole.site.identity(whole.site.person("Elsewhere", Role.ANALYST))
    raw = json.dumps({"objects": objects}).encode()
    report = take_bundle(whole.node, other, "share.import", io.BytesIO(raw), "partner")
    assert report.refusals == 0
    assert report.claims == len(labels)
    with whole.store.inside(other) as inside:
        kept = [each for each in inside.claims.find(subject) if each.handling.owner == other.person]
        assert [each.claim for each in kept if each.claim.kind == "tag"] == [said[0]]
        assert [each.id for each in kept if each.claim.kind == "tag"] == [said[0].id]

    told = next(each for each in inside_claims(whole, work, subject) if each.claim.statement["label"] == "DarkSide")
    with whole.store.act(work.mara, "claim.retract") as inside:
        inside.claims.retract(told.id, "wrong person")
    again = make_stix(whole.node, work.mara, "share.case", work.case)
    release(whole.node, work.ingrid, "share.release", collection.id, again.ids, "correction")
    newest = client.get(f"/case-partners/collections/{collection.id}/objects/?match[type]=note").json["objects"]
    assert [each["revoked"] for each in newest if each["extensions"][CLAIM]["claim"]["statement"].get("label")] == [
        True
    ]


def inside_claims(whole, work, subject):
    with whole.store.inside(work.mara) as inside:
        return [
            each for each in inside.claims.find(subject) if each.claim.kind == "tag" and each.handling.case == work.case
        ]
