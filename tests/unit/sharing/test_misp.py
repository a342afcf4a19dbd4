"""MISP's events to STIX and back: nothing is lost that is not told, bytes of attachments are never taken, markings hold."""

from __future__ import annotations

import copy
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.model.marking import Marking, Pap
from shieldwall.sharing.extensions import MISP_EVENT
from shieldwall.sharing.markings import TLP_2
from shieldwall.sharing.misp.event import event_in, events_in, is_event, read_event
from shieldwall.sharing.misp.galaxies import galaxy_objects, is_galaxy
from shieldwall.sharing.misp.tags import Said, handling_of
from shieldwall.sharing.misp.writing import events_of, feed_files
from shieldwall.sharing.money import address_object
from shieldwall.sharing.stix.object import object_of
from shieldwall.sharing.values import values_of

UUID = "5c066053-0e94-46eb-9746-4b7d950d2{:03x}"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
MAIN = "bip122:000000000019d6689c085ae165831e93"


def attribute(number, kind, value, **more):
    given = {"uuid": UUID.format(number), "type": kind, "value": value, "timestamp": "1700000000", "to_ids": False}
    return given | {"category": "Other", "comment": ""} | more


def event(*attributes, **more):
    body = {
        "uuid": UUID.format(0), "info": "Ransom", "date": "2026-01-02", "timestamp": "1700000000", "analysis": "2",
        "threat_level_id": "1", "Orgc": {"name": "CERT", "uuid": UUID.format(1)}, "Tag": [{"name": "tlp:green"}],
        "Attribute": list(attributes),
    }  # fmt: skip
    return body | more


def read(*attributes, **more):
    return read_event(event(*attributes, **more), "here")


def bodies(found, kind):
    return [body for _, body in found.objects if body["type"] == kind]


def test_an_event_goes_out_as_it_came():
    given = event(attribute(2, "btc", GENESIS), x={"anything": [1, None, "ü", 1.5]})
    found = read_event(given, "here")
    report = found.objects[-1][1]
    assert event_in(report) == given
    (written,) = events_of(
        [body for _, body in found.objects], info="x", maker="m", marking=Marking.GREEN, pap=Pap.RED, at=0
    )
    assert (written.event, sum(written.left_out.values())) == (given, 0)
    for _, body in found.objects:
        object_of(body, json.dumps(body).encode(), "here")
    assert set(report["object_refs"]) <= {body["id"] for _, body in found.objects}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ip-dst", "198.51.100.3", ("ipv4-addr", "value", "198.51.100.3")),
        ("ip-src|port", "2001:db8::1|443", ("ipv6-addr", "value", "2001:db8::1")),
        ("hostname", "a.example", ("domain-name", "value", "a.example")),
        ("url", "https://a.example/'x", ("url", "value", "https://a.example/'x")),
        ("email-src", "a@b.example", ("email-addr", "value", "a@b.example")),
        ("mutex", "m", ("mutex", "name", "m")),
        ("regkey", "HKLM\\Software", ("windows-registry-key", "key", "HKLM\\Software")),
        ("AS", "AS64496", ("autonomous-system", "number", 64496)),
        ("sha256", "ab" * 32, ("file", "hashes", {"SHA-256": "ab" * 32})),
        ("filename|md5", "a.exe|" + "ab" * 16, ("file", "name", "a.exe")),
        ("btc", GENESIS, ("blockchain-address", "address", GENESIS)),
        ("xmr", "4" + "A" * 94, ("cryptocurrency-wallet", "value", "4" + "A" * 94)),
    ],
)
def test_an_attribute_becomes_the_observable_that_it_is_and_an_indicator_where_it_detects(kind, value, expected):
    name, place, wanted = expected
    for detects in (False, True):
        found = read(attribute(2, kind, value, to_ids=detects))
        (body,) = bodies(found, name)
        assert body[place] == wanted
        assert len(bodies(found, "indicator")) == detects
        for indicator in bodies(found, "indicator"):
            assert indicator["id"] == f"indicator--{UUID.format(2)}"
            assert values_of(indicator) >= values_of(body) or not values_of(body)


def test_what_has_no_place_in_stix_is_told():
    found = read(
        attribute(2, "datetime", "2026-01-01"),
        attribute(3, "float", "7"),
        attribute(4, "link", "https://a.example"),
        attribute(5, "vulnerability", "CVE-2026-12345"),
        attribute(6, "comment", "seen", comment="by whom"),
        RelatedEvent=[{"Event": {}}],
        Galaxy=[{"type": "guidelines", "GalaxyCluster": [{"value": "x"}]}],
    )
    assert found.only_in_event == {
        "attribute datetime": 1,
        "attribute float": 1,
        "RelatedEvent": 1,
        "galaxy guidelines": 1,
    }
    assert [body["name"] for body in bodies(found, "vulnerability")] == ["CVE-2026-12345"]
    (note,) = bodies(found, "note")
    assert (note["content"], note["abstract"]) == ("seen", "by whom")
    assert found.objects[-1][1]["external_references"] == [{"source_name": "misp", "url": "https://a.example"}]


def test_the_bytes_of_attachments_are_never_taken():
    payload = "UEsDBAoACQ" * 100
    sample = attribute(2, "malware-sample", "evil.exe|" + "ab" * 16, data=payload, to_ids=True)
    inside = {"uuid": UUID.format(3), "name": "file", "Attribute": [attribute(4, "attachment", "a.pdf", data=payload)]}
    found = read(sample, Object=[inside])
    assert payload not in json.dumps([body for _, body in found.objects])
    assert len(found.left_out) == 2
    assert "malware-sample 'evil.exe': 1,000 characters of base64, SHA-256" in found.left_out[0]
    kept = event_in(found.objects[-1][1])
    expected = copy.deepcopy(event(sample, Object=[inside]))
    del expected["Attribute"][0]["data"]
    del expected["Object"][0]["Attribute"][0]["data"]
    assert kept == expected
    assert bodies(found, "file")[0]["hashes"] == {"MD5": "ab" * 16}


def test_a_file_object_is_one_file():
    parts = [
        attribute(3, "md5", "ab" * 16, object_relation="md5", to_ids=True),
        attribute(4, "sha256", "cd" * 32, object_relation="sha256"),
        attribute(5, "filename", "a.exe", object_relation="filename"),
        attribute(6, "size-in-bytes", "77", object_relation="size-in-bytes"),
    ]
    found = read(Object=[{"uuid": UUID.format(2), "name": "file", "Attribute": parts}])
    (body,) = bodies(found, "file")
    assert body["hashes"] == {"MD5": "ab" * 16, "SHA-256": "cd" * 32}
    assert (body["name"], body["size"], dict(found.only_in_event)) == ("a.exe", 77, {})
    (indicator,) = bodies(found, "indicator")
    assert indicator["pattern"] == f"[file:hashes.'MD5' = '{'ab' * 16}' AND file:hashes.'SHA-256' = '{'cd' * 32}']"


def test_the_stricter_of_tags_and_distribution_holds():
    tag = lambda *names: {"Tag": [{"name": name} for name in names]}  # noqa: E731
    assert handling_of(tag("tlp:white", "PAP:GREEN")) == Said(Marking.CLEAR, Pap.GREEN)
    assert handling_of(tag("tlp:clear", "TLP:AMBER")) == Said(Marking.AMBER, None)
    assert handling_of(tag("tlp:mauve")) == Said(Marking.RED, None)
    assert handling_of(tag("tlp:white") | {"distribution": "0"}) == Said(Marking.AMBER_STRICT, None)
    assert handling_of({"distribution": 4}) == Said(Marking.AMBER_STRICT, None)
    assert handling_of({"distribution": "3"}) == Said()
    found = read(attribute(2, "domain", "a.example", Tag=[{"name": "tlp:red"}]), attribute(3, "domain", "b.example"))
    said = {body["value"]: one.marking for one, body in found.objects if body["type"] == "domain-name"}
    assert said == {"a.example": Marking.RED, "b.example": Marking.GREEN}


@pytest.mark.parametrize(
    "broken",
    [
        {"info": "x"},
        {"uuid": "no", "info": "x"},
        event(attribute(2, "domain", 7)),
        event(attribute(2, "domain", "a", uuid="x")),
        event(Attribute={"a": 1}),
        event(Object=[{"name": "file"}]),
        event(date="yesterday"),
    ],
)
def test_what_is_no_event_is_refused_by_name(broken):
    with pytest.raises(BadText, match="here"):
        [read_event(each, "here") for each in events_in(broken, "here")]


def test_events_are_found_in_every_frame():
    one = event()
    for frame in (one, {"Event": one}, [one], [{"Event": one}], {"response": [{"Event": one}]}):
        assert is_event(frame)
        assert events_in(frame, "here") == [one]
    assert not is_event({"type": "bundle", "objects": []})
    assert not is_event([])


def test_objects_of_ours_become_one_event_and_what_has_no_place_is_counted():
    given = [
        address_object(MAIN, GENESIS),
        {"type": "indicator", "id": "indicator--1", "pattern": "[url:value = 'x:y' OR ipv4-addr:value = '9.9.9.9']"},
        {"type": "indicator", "id": "indicator--2", "pattern": "[file:size > 7]"},
        {"type": "indicator", "id": "indicator--3", "pattern": "rule x {}", "pattern_type": "yara"},
        {"type": "domain-name", "id": "domain-name--1", "value": "A.example."},
        {"type": "note", "id": "note--1", "content": "seen", "abstract": "observation"},
        {"type": "malware", "id": "malware--1", "name": "Lock", "aliases": ["Lock2"]},
        {"type": "location", "id": "location--1", "name": "x"},
        {"type": "identity", "id": "identity--1", "name": "x"},
    ]  # fmt: skip
    (written,) = events_of(
        given, info="Case", maker="Unit 5", marking=Marking.AMBER, pap=Pap.GREEN, at=1_700_000_000_000_000
    )
    found = {(each["type"], each["value"], each["to_ids"]) for each in written.event["Attribute"]}
    assert found == {
        ("btc", GENESIS, False), ("url", "x:y", True), ("domain", "a.example", False), ("ip-dst", "9.9.9.9", True),
        ("stix2-pattern", "[file:size > 7]", True), ("text", "rule x {}", False), ("comment", "seen", False),
        ("text", "Lock / Lock2", False),
    }  # fmt: skip
    assert written.left_out == {"location": 1}
    assert [each["name"] for each in written.event["Tag"]] == ["tlp:amber", "PAP:GREEN"]
    assert (written.event["distribution"], written.event["Orgc"]["name"]) == ("0", "Unit 5")
    again = read_event(written.event, "here")
    assert values_of(address_object(MAIN, GENESIS)) <= {v for _, body in again.objects for v in values_of(body)}


def test_a_feed_has_a_manifest_and_digests_of_values():
    one = event(attribute(2, "domain|ip", "a.example|198.51.100.3"))
    files = dict(feed_files([one]))
    assert set(files) == {f"{one['uuid']}.json", "manifest.json", "hashes.csv"}
    assert json.loads(files[f"{one['uuid']}.json"]) == {"Event": one}
    manifest = json.loads(files["manifest.json"])
    assert manifest[one["uuid"]]["info"] == "Ransom"
    assert "Attribute" not in manifest[one["uuid"]]
    assert len(files["hashes.csv"].splitlines()) == 2


def test_clusters_of_galaxies_have_their_synonyms_as_aliases():
    galaxy = {
        "type": "ransomware", "version": 7, "name": "Ransomware",
        "values": [{"value": "Lock Bit", "uuid": UUID.format(9), "meta": {"synonyms": ["ABCD", "LockBit"]}}],
    }  # fmt: skip
    assert is_galaxy(galaxy)
    (body,) = galaxy_objects(galaxy, "here")
    object_of(body, json.dumps(body).encode(), "here")
    assert (body["type"], body["aliases"], body["id"]) == ("malware", ["ABCD", "LockBit"], f"malware--{UUID.format(9)}")
    (later,) = galaxy_objects(galaxy | {"version": 8}, "here")
    assert later["modified"] > body["modified"]
    with pytest.raises(BadText, match="no place"):
        list(galaxy_objects(galaxy | {"type": "guidelines"}, "here"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["Attribute", "Object", "Tag", "Galaxy", "Orgc", "timestamp", "date", "x"]), VALUES)
)
def test_any_event_is_read_or_refused(parts):
    given = event() | parts
    try:
        found = read_event(given, "here")
    except BadText:
        return
    assert event_in(found.objects[-1][1]) == given


@pytest.mark.needs("shared")
def test_real_events_go_in_and_out_with_nothing_lost_but_what_is_told(shared_data):
    """The events of CIRCL beside the repository; counts of FACTS.json."""
    folder = shared_data / "threat-intel"
    facts = json.loads((folder / "FACTS.json").read_text())["misp_events"]
    for name, fact in facts.items():
        (given,) = events_in(json.loads((folder / "misp-events" / name).read_text()), name)
        found = read_event(given, name)
        kept = event_in(found.objects[-1][1])
        assert (kept["uuid"], len(kept.get("Attribute", [])), len(kept.get("Object", []))) == (
            fact["uuid"], fact["attributes"], fact["objects"],
        )  # fmt: skip
        assert sum(len(each["Attribute"]) for each in kept.get("Object", [])) == fact["object_attributes"]
        assert found.objects[-1][1]["labels"][: len(fact["tags"])] == fact["tags"]  # the facts name the first six
        assert (kept == given) is (not found.left_out)
        assert without_data(given) == kept
        # one names an event that is for its organisation alone, title and all, so the report that carries it stays within one
        expected = Marking.AMBER_STRICT if name == "sednit.json" else Marking.CLEAR
        assert found.objects[-1][0].marking is expected
        assert all(said.marking is Marking.CLEAR for said, _ in found.objects[:-1])


def test_what_a_part_is_marked_with_holds_for_the_report_that_carries_it():
    for part in (
        {"Attribute": [attribute(2, "target-user", "informant", Tag=[{"name": "tlp:red"}])]},
        {"Attribute": [attribute(2, "link", "https://secret.example/", Tag=[{"name": "tlp:red"}])]},
        {
            "Object": [
                {
                    "uuid": UUID.format(3),
                    "name": "x",
                    "Attribute": [attribute(4, "text", "x", Tag=[{"name": "tlp:red"}])],
                }
            ]
        },
        {"EventReport": [{"name": "x", "content": "y", "Tag": [{"name": "tlp:red"}]}]},
    ):
        found = read_event(event(**part), "here")
        report = found.objects[-1]
        assert report[0].marking is Marking.RED
        assert report[1]["object_marking_refs"] == [TLP_2[Marking.RED]]
    kept = event(Galaxy=[{"GalaxyCluster": [{"type": "tool", "value": "x", "distribution": "0"}]}])
    assert read_event(kept, "here").objects[-1][0].marking is Marking.GREEN


def test_of_a_value_that_is_said_twice_the_stricter_marking_holds():
    open_one = attribute(2, "ip-dst", "8.8.8.8")
    secret = attribute(3, "ip-dst", "8.8.8.8", comment="wiretap", Tag=[{"name": "tlp:red"}])
    for order in ((open_one, secret), (secret, open_one)):
        (said,) = {said.marking for said, body in read(*order).objects if body["type"] == "ipv4-addr"}
        assert said is Marking.RED


@pytest.mark.parametrize(
    "inside", [{"Attribute": 5}, {"uuid": "../../evil", "info": "x"}, {"uuid": UUID.format(9), "info": "x"}]
)
def test_what_somebody_put_in_the_place_of_an_event_is_none(inside):
    (report,) = bodies(read(), "report")
    report["extensions"][MISP_EVENT]["event"] = inside
    assert event_in(report) is None
    written = events_of([report], info="x", maker="m", marking=Marking.GREEN, pap=Pap.RED, at=0)
    assert all(str(uuid.UUID(each.event["uuid"])) == each.event["uuid"] for each in written)


def test_only_a_pattern_of_which_one_value_is_enough_goes_as_values():
    both = "[ipv4-addr:value = '8.8.4.4' AND domain-name:value = 'a.example']"
    port = "[ipv4-addr:value = '8.8.4.4' AND network-traffic:dst_port > 1024]"
    for pattern in (both, port, "[ipv4-addr:value = '8.8.4.4'] FOLLOWEDBY [url:value = 'x']"):
        given = [{"type": "indicator", "id": "indicator--1", "pattern": pattern}]
        (written,) = events_of(given, info="x", maker="m", marking=Marking.GREEN, pap=Pap.RED, at=0)
        assert [(each["type"], each["value"]) for each in written.event["Attribute"]] == [("stix2-pattern", pattern)]


def test_what_an_event_does_not_hold_goes_beside_it_though_the_report_names_it():
    (report,) = bodies(read(), "report")
    report["object_refs"] = ["indicator--1"]
    given = [report, {"type": "indicator", "id": "indicator--1", "pattern": "[url:value = 'x:y']"}]
    carried, made = events_of(given, info="x", maker="m", marking=Marking.GREEN, pap=Pap.RED, at=0)
    assert carried.event == event()
    assert [each["value"] for each in made.event["Attribute"]] == ["x:y"]


def without_data(value):
    if isinstance(value, list):
        return [without_data(each) for each in value]
    if not isinstance(value, dict):
        return value
    hostile = value.get("type") in ("attachment", "malware-sample")
    return {name: without_data(each) for name, each in value.items() if not (hostile and name == "data")}
