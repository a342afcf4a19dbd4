"""MISP's files and servers, warninglists, and objects that meet, on a node."""

from __future__ import annotations

import io
import json

import pytest
from taxii_support import indicator, taxii_in

from shieldwall.errors import BadText, NotAllowed, UsageError
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.outbound import Answer, Unreachable
from shieldwall.node.sharing.handing import hand_over, send_to_misp
from shieldwall.node.sharing.intake import IntakeRules, take_bundle
from shieldwall.node.sharing.meeting import MOST, find, related
from shieldwall.node.sharing.misp import PAGE, is_misp, take_misp
from shieldwall.node.sharing.pulling import MISP, Remote, pull
from shieldwall.node.sharing.releasing import export
from shieldwall.sharing.misp.event import events_in

GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
RULES = IntakeRules(marking=Marking.RED, pap=Pap.RED)
URL = "https://misp.example/"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("misp")
    with taxii_in(folder) as made:
        lists = made.node.home.path / "warninglists"
        lists.mkdir()
        body = {
            "name": "Harmless",
            "type": "hostname",
            "list": ["harmless.example"],
            "matching_attributes": ["domain", "url"],
        }
        (lists / "a.json").write_text(json.dumps(body))
        yield made


@pytest.fixture
def mara(site, request):
    return site.site.identity(site.site.person(f"Mara {request.node.name}"[:90], Role.ANALYST))


def uuid(number):
    return f"5c066053-0e94-46eb-9746-{number:012x}"


def event(number, *values, tags=("tlp:green", "PAP:GREEN"), at=1_700_000_000):
    attributes = [
        {"uuid": uuid(number * 1000 + place), "type": kind, "value": value, "to_ids": False, "timestamp": str(at)}
        for place, (kind, value) in enumerate(values, 1)
    ]
    return {
        "uuid": uuid(number * 1000), "info": f"Event {number}", "date": "2026-01-01", "timestamp": str(at),
        "Tag": [{"name": name} for name in tags], "Orgc": {"name": "CERT", "uuid": uuid(1)}, "Attribute": attributes,
    }  # fmt: skip


def bring(site, identity, *events, rules=RULES):
    return take_misp(site.node, identity, "share.import", json.dumps({"response": events}).encode(), "here", rules)


def kept(site, identity, kind):
    with site.store.inside(identity) as work:
        return [each for each in work.stix.page(most=9999, kind=kind) if each.handling.owner == identity.person]


def test_an_event_is_kept_as_it_is_marked_observables_too(site, mara):
    report = bring(site, mara, event(1, ("domain", "a.example"), ("datetime", "x")))
    assert (report.added, report.unmarked, report.refusals) == (3, 0, 0)
    (domain,) = kept(site, mara, "domain-name")
    assert (domain.handling.marking, domain.handling.pap) == (Marking.GREEN, Pap.GREEN)
    assert "1 × attribute datetime stays in the event alone" in report.told[0]
    assert bring(site, mara, event(1, ("domain", "a.example"), ("datetime", "x"))).added == 0
    (unmarked,) = (bring(site, mara, event(2, ("domain", "b.example"), tags=())),)
    assert unmarked.unmarked > 1
    assert {each.handling.marking for each in kept(site, mara, "domain-name")} == {Marking.GREEN, Marking.RED}


def test_an_event_goes_in_as_a_whole_or_not_at_all(site, mara):
    bad = event(4, ("domain", "bad.example")) | {"Object": [{}]}
    with pytest.raises(BadText):
        bring(site, mara, bad)
    with pytest.raises(BadText, match="none of its 2"):
        bring(site, mara, bad, bad)
    assert kept(site, mara, "domain-name") == []
    report = bring(site, mara, event(3, ("domain", "c.example")), bad)
    assert (report.refusals, len(report.told)) == (1, 1)
    assert [json.loads(each.raw)["value"] for each in kept(site, mara, "domain-name")] == ["c.example"]


def test_files_of_misp_are_told_apart_from_stix():
    assert is_misp(json.dumps({"Event": event(1)}).encode())
    assert is_misp(json.dumps([{"Event": event(1)}]).encode())
    assert is_misp(json.dumps({"type": "ransomware", "values": []}).encode())
    for other in ({"type": "bundle", "objects": []}, {"objects": []}, indicator(1), []):
        assert not is_misp(json.dumps(other).encode())
    assert not is_misp(b"<xml/>")
    assert not is_misp(b"{")


def test_what_stands_on_a_warninglist_is_told_and_nothing_meets_by_it(site, mara):
    report = bring(site, mara, event(5, ("domain", "www.harmless.example"), ("domain", "harm.example")))
    assert dict(report.warned) == {"Harmless": 1}
    bring(site, mara, event(6, ("url", "https://www.harmless.example/"), ("domain", "harm.example")))
    assert [each.thing.body["value"] for each in find(site.node, mara, "x", "harm.example").objects] == ["harm.example"]
    assert find(site.node, mara, "x", "www.harmless.example").objects == ()


def test_objects_of_every_form_and_maker_meet(site, mara):
    bring(site, mara, event(7, ("btc", GENESIS)))
    pattern = f"[cryptocurrency-wallet:value = '{GENESIS}']"
    site.release(
        site.collection("x", site.group(f"g {mara.person}")), [indicator(77, pattern=pattern)], marking=Marking.GREEN
    )
    (address,) = kept(site, mara, "blockchain-address")
    met = related(site.node, mara, "x", json.loads(address.raw)["id"])
    assert [(each.thing.id, each.values) for each in met.objects] == [(indicator(77)["id"], (("address", GENESIS),))]


def test_what_one_may_not_see_meets_nobody(site, mara):
    other = site.site.identity(site.site.person("Not in it", Role.ANALYST))
    bring(site, mara, event(8, ("domain", "secret.example"), tags=("tlp:red",)))
    assert len(find(site.node, mara, "x", "secret.example").objects) == 1
    assert find(site.node, other, "x", "secret.example").objects == ()


def test_what_very_many_say_is_told_as_such(site, mara):
    events = [event(100 + number, ("domain", f"n{number}.example"), ("text", "x")) for number in range(3)]
    pattern = "[domain-name:value = 'common.example']"
    site.release(
        site.collection("many", site.group(f"many {mara.person}")),
        [indicator(5000 + number, pattern=pattern) for number in range(MOST + 1)],
        marking=Marking.GREEN,
    )
    bring(site, mara, *events)
    found = find(site.node, mara, "x", "common.example")
    assert (found.objects, found.common) == ((), (("domain", "common.example"),))


def test_names_of_several_sources_are_one_by_their_aliases(site, mara):
    galaxy = {
        "type": "threat-actor", "version": 1, "values": [
            {"value": "Wizard Spider", "uuid": uuid(901), "meta": {"synonyms": ["UNC1878", "Gold Blackburn"]}},
            {"value": "Someone Else", "uuid": uuid(902)},
        ],
    }  # fmt: skip
    take_misp(site.node, mara, "share.import", json.dumps(galaxy).encode(), "galaxy", RULES)
    attack = {
        "type": "intrusion-set", "spec_version": "2.1", "id": f"intrusion-set--{uuid(903)}", "name": "G0102",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "aliases": ["gold-blackburn", "Grim Spider"],
    }  # fmt: skip
    site.release(site.collection("names", site.group(f"names {mara.person}")), [attack], marking=Marking.GREEN)
    found = find(site.node, mara, "x", "grim spider")
    assert {each.thing.id[-12:] for each in found.objects} == {uuid(901)[-12:], uuid(903)[-12:]}
    assert set(found.names) == {"G0102", "gold-blackburn", "Grim Spider", "Wizard Spider", "UNC1878", "Gold Blackburn"}


# another MISP


class Server:
    """Another MISP: answers searches from its events, and takes some."""

    def __init__(self, *events):
        self.events, self.asked, self.taken = list(events), [], []

    def __call__(self, method, url, body, headers):
        assert (method, headers["Accept"]) == ("POST", "application/json")
        asked = json.loads(body)
        path = url.removeprefix("https://misp.example")
        self.asked.append((path, asked))
        if path == "/events/restSearch":
            matching = [each for each in self.events if int(each["timestamp"]) >= asked.get("timestamp", 0)]
            page = matching[(asked["page"] - 1) * asked["limit"] : asked["page"] * asked["limit"]]
            return Answer(status=200, body=json.dumps({"response": [{"Event": each} for each in page]}).encode())
        known = {each["uuid"] for each in self.taken}
        if path == "/events/add" and asked["Event"]["uuid"] in known:
            return Answer(status=403, body=b"{}")
        self.taken.append(asked["Event"])
        return Answer(status=200, body=b"{}")


def test_a_misp_is_pulled_page_by_page_and_then_only_what_changed(site, mara):
    server = Server(
        *[
            event(1000 + number, ("domain", f"p{number}.example"), at=1_700_000_000 + number)
            for number in range(PAGE + 5)
        ]
    )
    remote = Remote(url=URL, kind=MISP)
    first = pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None)
    assert (first.pages, first.problem, first.reached) == (2, "", str(1_700_000_000 + PAGE + 4))
    assert len(kept(site, mara, "report")) == PAGE + 5
    again = pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None)
    assert (again.pages, again.added, again.began) == (1, 0, first.reached)
    server.events.append(event(2000, ("domain", "new.example"), at=1_800_000_000))
    assert pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None).added == 2
    assert server.asked[-1][1]["timestamp"] == int(first.reached)


@pytest.mark.parametrize(
    "answer", [Answer(status=302, body=b""), Answer(status=200, body=b"<"), Answer(status=200, body=b'{"response": 7}')]
)
def test_a_misp_that_misbehaves_is_left_with_a_sentence(site, mara, answer):
    found = pull(
        site.node, mara, "share.pull", Remote(url=URL, kind=MISP), RULES, ask=lambda *_: answer, wait=lambda _: None
    )
    assert found.problem
    assert found.reached == ""
    with pytest.raises(UsageError):
        pull(site.node, mara, "share.pull", Remote(url="http://misp.example", kind=MISP), RULES, ask=lambda *_: answer)


def test_what_is_let_go_to_a_partner_is_a_file_or_goes_into_its_misp(site):
    ingrid = site.ingrid
    ally, _ = site.partner("With a MISP", highest=Marking.GREEN)
    given = event(3000, ("domain", "out.example"), ("btc", GENESIS))
    take_misp(site.node, ingrid, "share.import", json.dumps(given).encode(), "here", RULES)
    with site.store.inside(ingrid) as work:
        (report,) = (json.loads(each.raw) for each in work.stix.versions(f"report--{given['uuid']}"))
    ids = [report["id"], *report["object_refs"], report["created_by_ref"]]
    done = export(site.node, ingrid, "share.export", ally.id, ids, "agreed")
    assert done.withheld == ()
    ((name, raw),), left = hand_over(site.node, done, "misp")
    assert (name, sum(left.values())) == ("events.json", 0)
    assert events_in(json.loads(raw), "here") == [given]
    ((_, bundle),), _ = hand_over(site.node, done, "stix", wallets=True)
    assert "cryptocurrency-wallet" in {each["type"] for each in json.loads(bundle)["objects"]}
    files, _ = hand_over(site.node, done, "misp-feed")
    assert {name for name, _ in files} == {f"{given['uuid']}.json", "manifest.json", "hashes.csv"}
    server = Server()
    for word in ("added", "changed"):
        (told,) = send_to_misp(site.node, done, Remote(url=URL, kind=MISP), ask=server)
        assert told == f"event {given['uuid']}: {word}"
    assert server.taken == [given, given]
    with pytest.raises(Unreachable, match="500"):
        send_to_misp(site.node, done, Remote(url=URL, kind=MISP), ask=lambda *_: Answer(status=500, body=b""))
    mara = site.site.identity(site.site.person("Mara who may not", Role.ANALYST))
    with pytest.raises(NotAllowed):
        export(site.node, mara, "share.export", ally.id, ids, "agreed")


def test_a_misp_whose_clock_is_wrong_hides_nothing(site, mara):
    server = Server(event(4000, ("domain", "future.example"), at=9_999_999_999))
    remote = Remote(url=URL, kind=MISP)
    first = pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None)
    assert int(first.reached) <= site.store.now() // 1_000_000


def test_one_event_that_cannot_be_read_stops_no_pull(site, mara):
    server = Server(
        event(4100, ("domain", "well.example")), event(4101) | {"Attribute": [{"type": "text", "value": 5}]}
    )
    found = pull(site.node, mara, "share.pull", Remote(url=URL, kind=MISP), RULES, ask=server, wait=lambda _: None)
    assert (found.refusals, found.problem, found.reached) == (1, "", "1700000000")
    assert len(kept(site, mara, "domain-name")) == 1


def test_a_page_of_which_nothing_can_be_read_is_told_and_stops_no_pull(site, mara):
    server = Server(event(4150) | {"Attribute": [{"type": "text", "value": 5}]})
    remote = Remote(url=URL, kind=MISP)
    first = pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None)
    assert (first.pages, first.refusals, first.problem, first.reached) == (1, 1, "", "1700000000")
    server.events.append(event(4151, ("domain", "behind.example"), at=1_700_000_001))
    pull(site.node, mara, "share.pull", remote, RULES, ask=server, wait=lambda _: None)
    assert [json.loads(each.raw)["value"] for each in kept(site, mara, "domain-name")] == ["behind.example"]


def test_what_others_flood_hides_nothing_of_ours_and_what_is_hidden_is_not_told(site, mara):
    pattern = "[domain-name:value = 'flooded.example']"
    bring(site, mara, event(4200, ("domain", "flooded.example")))
    group = site.group("flood")
    _, client = site.partner("Flood", group)
    collection = site.collection("flood", group, writable=True, unmarked=Marking.GREEN)
    path = f"/flood/collections/{collection.id}/objects/"
    many = [indicator(20_000 + number, pattern=pattern) for number in range(MOST + 1)]
    assert client.post(path, {"objects": many}).json["success_count"] == MOST + 1
    found = find(site.node, mara, "x", "flooded.example")
    assert {each.thing.type for each in found.objects} >= {"domain-name"}
    other = site.site.identity(site.site.person("Sees little", Role.ANALYST))
    secret = [
        indicator(30_000 + number, pattern="[domain-name:value = 'hidden.example']") for number in range(MOST + 1)
    ]
    raw = json.dumps({"objects": secret}).encode()
    take_bundle(site.node, mara, "share.import", io.BytesIO(raw), "here", IntakeRules(Marking.RED, Pap.RED))
    assert find(site.node, mara, "x", "hidden.example").common == (("domain", "hidden.example"),)
    assert find(site.node, other, "x", "hidden.example").common == ()
