"""Bundles are streams: the same objects, byte for byte, wherever the pieces are cut."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.sharing.stix import bundle
from shieldwall.sharing.stix.bundle import BundleReader, Refusal, bundle_of

BUNDLE = "bundle--44af6c39-c09b-49c5-9de2-394224b04982"


def url(number, **more):
    return {
        "type": "url",
        "id": f"url--{number:08x}-0000-4000-8000-000000000000",
        "value": f"https://{number}.example/é",
    } | more


def read(raw, place="here"):
    reader = BundleReader(io.BytesIO(raw), place)
    return list(reader), reader


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS | st.just(1.5e-7),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1, 4]), st.booleans(), st.integers(1, 40))
def test_objects_come_back_byte_for_byte_wherever_the_pieces_are_cut(values, indent, ascii_only, piece):
    raws = [json.dumps(url(n, x_more=v), indent=indent, ensure_ascii=ascii_only).encode() for n, v in enumerate(values)]
    raw = b"".join(bundle_of(raws, BUNDLE))
    assert json.loads(raw)["id"] == BUNDLE

    class Dripping(io.BytesIO):
        def read(self, _=-1):
            return super().read(piece)

    reader = BundleReader(Dripping(raw), "here")
    assert [found.raw for found in reader] == raws
    assert reader.beside == {"type": "bundle", "id": BUNDLE}
    assert reader.objects == len(values)


def test_what_stands_beside_the_objects_may_come_before_or_behind():
    body = json.dumps([url(1), url(2)])
    for raw in (
        f'{{"type": "bundle", "id": "{BUNDLE}", "objects": {body}}}',
        f'{{"objects": {body}, "more": true, "next": "7"}}',
        f'\ufeff\n {{ "objects" :{body} , "type":"bundle"}} \n',
        body,
    ):
        found, _ = read(raw.encode())
        assert [each.body["value"] for each in found] == [url(1)["value"], url(2)["value"]]
    assert read(b"{}")[0] == []  # the envelope of TAXII that has nothing
    assert read(b'{"objects": [], "more": false}')[1].beside == {"more": False}
    assert read(b'{"type": "bundle", "id": "' + BUNDLE.encode() + b'"}')[0] == []


def test_one_object_alone_is_read_as_one():
    raw = json.dumps(url(1), indent=2).encode()
    (found,) = read(b"\n" + raw + b"\n")[0]
    assert found.raw == raw
    observed = {
        "type": "observed-data",
        "id": "observed-data--b67d30ff-02ac-498a-92f9-32f845f448cf",
        "objects": {"0": {"type": "url", "value": "x"}},
    }
    (found,) = read(json.dumps(observed).encode())[0]
    assert found.body == observed


def test_a_bundle_of_2_0_says_it_for_its_objects():
    body = {"type": "bundle", "id": BUNDLE, "spec_version": "2.0", "objects": [url(1)]}
    assert read(json.dumps(body).encode())[0][0].spec_version == "2.0"


def test_a_bad_object_is_refused_alone_with_its_number_and_bytes():
    raw = json.dumps({"type": "bundle", "objects": [url(1), {"type": "url", "id": "url--7"}, url(3), 7]}).encode()
    good, bad, other, number = read(raw)[0]
    assert (good.id, other.id) == (url(1)["id"], url(3)["id"])
    assert isinstance(bad, Refusal)
    assert (bad.number, json.loads(bad.raw)["id"]) == (2, "url--7")
    assert bad.reason.startswith("here, object 2: ")
    assert number.reason == "here, object 4: not a STIX object"


def test_what_has_no_type_is_an_object_that_is_refused():
    (bad,) = read(b'{"id": "url--c1477287-23ac-5971-a010-5c287877fa60"}')[0]
    assert "no type" in bad.reason


def test_a_key_that_stands_twice_in_an_object_refuses_that_object():
    raw = (
        b'{"objects": [{"type": "url", "value": "a", "value": "b", "id": "url--c1477287-23ac-5971-a010-5c287877fa60"}]}'
    )
    (bad,) = read(raw)[0]
    assert "stands twice" in bad.reason


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "neither"),
        (b'<?xml version="1.0"?><stix:STIX_Package/>', "STIX 1.x"),
        (b"7", "neither"),
        (b'{"type": "bundle"', "too early"),
        (b'{"objects": [{"type": "url"}', "too early"),
        (b'{"objects": [', "too early"),
        (b'{"objects": [1 2]}', "wanted"),
        (b'{"objects": [], "objects": []}', "twice"),
        (b'{"type": "bundle", "type": "bundle", "objects": []}', "twice"),
        (b'{"objects": []} x', "behind"),
        (b'{"objects": [], "type": "report"}', "not a bundle"),
        (b'{"objects": [], "spec_version": "1.2"}', "spec_version"),
        (b'{"x": "\xff"}', "UTF-8"),
        (b'{"x": ' + b"[" * 200_000, "deep|JSON"),
        (b"{" + b'"x": 1' + b"0" * 500 + b"}", "digits"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_place(raw, named):
    with pytest.raises(BadText, match=f"here.*({named})"):
        read(raw)


def test_a_bundle_is_never_held_as_a_whole(monkeypatch):
    monkeypatch.setattr(bundle, "PIECE", 1 << 16)
    one = json.dumps(url(1, x_fill="y" * 400)).encode()
    count = 20_000

    class Long(io.RawIOBase):
        left = count

        def read(self, _=-1):
            if self.left == count:
                self.left -= 1
                return b'{"type": "bundle", "objects": [' + one
            if self.left <= 0:
                return b""
            many = min(100, self.left)
            self.left -= many
            return (b"," + one) * many + (b"]}" if self.left == 0 else b"")

    tracemalloc.start()
    assert sum(1 for _ in BundleReader(Long(), "here")) == count
    assert tracemalloc.get_traced_memory()[1] < 3 << 20
    tracemalloc.stop()


@pytest.mark.needs("shared")
def test_the_releases_of_attack_are_read_whole(shared_data):
    for entry in json.loads((shared_data / "threat-intel/FACTS.json").read_text())["attack"]:
        with (shared_data / "threat-intel/attack" / entry["file"]).open("rb") as file:
            found = list(BundleReader(file, entry["file"]))
        assert Counter(each.type for each in found) == entry["types"]
        assert len({each.id for each in found}) == entry["distinct_ids"]
        assert all(each.spec_version == "2.1" for each in found)
        assert sum(each.revoked for each in found) == entry["revoked"]


@pytest.mark.needs("shared")
def test_every_published_example_is_read(shared_data):
    threat = shared_data / "threat-intel"
    files = [*(threat / "interop-examples").rglob("*.json"), *(threat / "stix").rglob("*.json")]
    files += (threat / "attack-flow").glob("*.json")
    read_files = 0
    for path in files:
        if "schemas" in path.parts:
            continue
        with path.open("rb") as file:
            found = list(BundleReader(file, path.name))
        assert found
        assert not [each.reason for each in found if isinstance(each, Refusal)], path
        read_files += 1
    assert read_files > 50


@pytest.mark.needs("shared")
def test_stix_1_is_refused_gracefully(shared_data):
    path = shared_data / "threat-intel/us-cert-mar/MAR-10164494.r1.v1.stix.xml"
    with path.open("rb") as file, pytest.raises(BadText, match=r"STIX 1\.x"):
        list(BundleReader(file, "MAR"))
