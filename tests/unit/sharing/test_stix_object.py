"""One STIX object: its bytes stay, what is read of it is right, and what would mislead a reader is refused."""

from __future__ import annotations

import json

import pytest

from shieldwall.errors import BadText
from shieldwall.sharing.stix.object import MOST_BYTES, is_id, read_object

ID = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
IDENTITY = "identity--a463ffb3-1bd9-4d94-b02d-74e4f1658283"
PLAIN = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": ID,
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-02T00:00:00.000Z",
    "pattern": "[ipv4-addr:value = '198.51.100.1']",
    "x_unknown": {"kept": [1, 2.5, None]},
}


def read(body, **how):
    return read_object(json.dumps(body).encode(), "here", **how)


def test_the_bytes_stay_as_they_came():
    raw = json.dumps(PLAIN, indent=3).encode()
    found = read_object(raw, "here")
    assert found.raw == raw
    assert (found.id, found.type, found.spec_version) == (ID, "indicator", "2.1")
    assert found.body["x_unknown"] == PLAIN["x_unknown"]


def test_a_version_is_an_instant_not_a_text():
    a, b = (read(PLAIN | {"modified": text}) for text in ("2026-01-02T00:00:00Z", "2026-01-02T01:00:00.000000+01:00"))
    assert a.version == b.version == 1_767_312_000_000_000
    assert a.content != b.content  # the words differ, and are kept


def test_created_stands_for_modified_and_nothing_for_neither():
    assert read({name: value for name, value in PLAIN.items() if name != "modified"}).version == 1_767_225_600_000_000
    assert read({"type": "url", "id": f"url--{ID[11:]}", "value": "x"}).version is None


def test_what_does_not_say_its_version_is_what_the_standard_says():
    bare = {name: value for name, value in PLAIN.items() if name != "spec_version"}
    assert read(bare).spec_version == "2.0"
    assert read({"type": "url", "id": f"url--{ID[11:]}", "value": "x"}).spec_version == "2.1"
    assert read({"type": "url", "id": f"url--{ID[11:]}", "value": "x"}, spec_version="2.0").spec_version == "2.0"


def test_content_is_the_same_whatever_the_order_of_keys():
    turned = dict(reversed(PLAIN.items()))
    assert read(turned).content == read(PLAIN).content
    assert read(PLAIN | {"x_unknown": 1}).content != read(PLAIN).content


def test_references_are_found_at_any_depth():
    body = PLAIN | {
        "created_by_ref": IDENTITY,
        "object_marking_refs": [AMBER],
        "x_deep": [{"sample_refs": [IDENTITY.replace("a463", "b463")], "none_ref": "no id"}],
    }
    assert read(body).references() == {IDENTITY, AMBER, IDENTITY.replace("a463", "b463")}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"type": 7}, "no type"),
        ({"type": "Indicator"}, "no type"),
        ({"type": "x"}, "no type"),
        ({"id": "indicator--1"}, "no identifier"),
        ({"id": ID.replace("indicator", "malware")}, "no identifier"),
        ({"spec_version": "3.0"}, "spec_version"),
        ({"created": "yesterday"}, "created"),
        ({"modified": "2025-01-02T00:00:00.000Z"}, "modified before"),
        ({"modified": 7}, "modified"),
        ({"revoked": "yes"}, "revoked"),
        ({"created_by_ref": "me"}, "created_by_ref"),
        ({"object_marking_refs": IDENTITY}, "object_marking_refs"),
        ({"object_marking_refs": [IDENTITY]}, "object_marking_refs"),
        ({"granular_markings": [{"marking_ref": AMBER}]}, "selectors"),
        ({"granular_markings": [{"selectors": ["id"]}]}, "marking_ref or lang"),
        ({"granular_markings": [{"marking_ref": AMBER, "selectors": ["description"]}]}, "points nowhere"),
        ({"granular_markings": [{"marking_ref": AMBER, "selectors": ["x_unknown.kept.[3]"]}]}, "points nowhere"),
        ({"granular_markings": [{"marking_ref": AMBER, "selectors": ["pattern.[0]"]}]}, "points nowhere"),
        ({"granular_markings": [{"marking_ref": AMBER, "selectors": ["[0]"]}]}, "no selector"),
    ],
)
def test_what_is_no_object_is_refused_by_name(change, named):
    with pytest.raises(BadText, match=named) as refused:
        read(PLAIN | change)
    assert refused.value.message.startswith("here")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"type": "url", "type": "url"}',
        b'{"a": ' + b"[" * 100_000,
        b"\xff{}",
        b'{"n": 1' + b"0" * 400 + b"}",
    ],
)
def test_json_that_is_built_to_break_a_reader_is_refused(raw):
    with pytest.raises(BadText, match="here"):
        read_object(raw, "here")


def test_an_object_is_bounded():
    with pytest.raises(BadText, match="bytes"):
        read_object(b" " * (MOST_BYTES + 1), "here")


def test_an_identifier_is_of_its_type():
    assert is_id(ID)
    assert is_id(ID, "indicator")
    assert is_id(ID.replace("8e2e", "8E2E"))
    assert not any(map(is_id, (7, None, "", "indicator", ID + "0", ID.upper(), ID + "\n")))
    assert not is_id(ID, "malware")
