"""What sharing reads from outside: bundles and envelopes, markings, and what a TAXII client asks.

`fuzz_targets` joins them to its table.
"""

from __future__ import annotations

import io
import json

from fuzz_folder import Target, text_of

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import STRICTEST
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.markings import BUILT_IN, demands_of_definition, levels_of
from shieldwall.sharing.stix.bundle import BundleReader, Refusal, bundle_of
from shieldwall.sharing.stix.instant import read_instant, stix_time, taxii_time
from shieldwall.sharing.stix.object import StixObject, object_of, read_object
from shieldwall.sharing.stix.selectors import without
from shieldwall.web.taxii.answers import Refusal as Refused
from shieldwall.web.taxii.asked import Request, must_accept, must_send, wanted

BUNDLE = "bundle--44af6c39-c09b-49c5-9de2-394224b04982"
_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
_ID = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
_OWN = "marking-definition--aaaaaaaa-0000-4000-8000-000000000001"
_MARKED = object_of(
    {"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "object_marking_refs": [_OWN]}, b"{}", ""
)


class _Dripping(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, _: int | None = -1) -> bytes:
        return super().read(7)


def stix_bundle(data: bytes) -> None:
    """Objects that are read come back byte for byte, whatever the pieces, and again from a bundle of ours."""
    whole, dripping = (_all(stream(data)) for stream in (io.BytesIO, _Dripping))
    assert whole == dripping
    found = [each for each in whole if isinstance(each, StixObject)]
    again = _all(io.BytesIO(b"".join(bundle_of([each.raw for each in found], BUNDLE))))
    assert [each.raw for each in again] == [each.raw for each in found]
    for each in found:
        assert each.raw in data
        _look(each)


def _all(stream: io.BytesIO) -> list[StixObject | Refusal]:
    return list(BundleReader(stream, "here"))


def stix_object(data: bytes) -> None:
    """One object, and what is read of it."""
    _look(read_object(data, "here"))


def _look(thing: StixObject) -> None:
    assert len(thing.content) == 32
    assert thing.id not in thing.references()
    found = levels_of(thing, {})
    assert not (found.unmarked or found.unknown) or found.marking == STRICTEST
    if thing.version is not None and abs(thing.version) < 10**17:
        assert read_instant(stix_time(thing.version), "here") == thing.version
        assert read_instant(taxii_time(thing.version), "here") == thing.version
    named = {each.lower() for each in (*thing.markings, thing.created_by) if each}
    assert named - {thing.id} <= thing.references()
    for _, selectors in thing.granular:
        left = without(thing.body, selectors, "here")
        if left is not None:
            raw = json.dumps(left).encode()
            try:
                object_of(left, raw, "here")
            except BadText:  # what made it an object was selected
                continue


def stix_marking(data: bytes) -> None:
    """What nobody understands is the strictest; what everybody knows stays what it is."""
    body = parse_json(data, "here", floats=True)
    if isinstance(body, dict):
        found = demands_of_definition(body)
        if found.unknown or found.marking is None:
            assert levels_of(_MARKED, {_OWN: found}).marking == STRICTEST
        for ref in (_GREEN, body.get("id")):
            if isinstance(ref, str) and ref in BUILT_IN:
                assert demands_of_definition({**body, "id": ref}) == BUILT_IN[ref]


def taxii_query(data: bytes) -> None:
    """A query is a page, or a bad request; a page's `next` goes on behind its last object."""
    first, _, second = text_of(data).partition("\n")
    request = Request("GET", ("r", "collections", "c", "objects"), first, {"accept": second}, "", "")
    try:
        page = wanted(request)
        assert 1 <= page.limit <= 10_000
        further = Request("GET", request.path, _with_next(first, page.next(77)), {}, "", "")
        assert wanted(further).asked.after == 77
        must_accept(request)
        must_send(request)
    except Refused as refusal:
        assert refusal.answer.status in (400, 406, 414, 415)
        assert json.loads(refusal.answer.body)["title"]


def _with_next(query: str, cursor: str) -> str:
    kept = [part for part in query.split("&") if part and not part.startswith("next")]
    return "&".join([*kept, f"next={cursor}"])


def sharing_seeds() -> dict[str, list[bytes]]:
    """What each of them begins with."""
    thing = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": _ID,
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-02T00:00:00.000Z",
        "labels": ["a", "b"],
        "object_marking_refs": [_GREEN],
        "granular_markings": [{"marking_ref": _GREEN, "selectors": ["labels.[1]"]}],
    }
    raw = canonical_json(thing)
    definition = {
        "type": "marking-definition",
        "id": _GREEN.replace("bab4", "aab4"),
        "definition_type": "tlp",
        "definition": {"tlp": "amber"},
        "extensions": {"extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a": {"tlp": "red"}},
    }
    return {
        "stix_bundle": [b"".join(bundle_of([raw, raw], BUNDLE)), b'{"objects": [' + raw + b'], "more": true}', raw],
        "stix_object": [raw],
        "stix_marking": [canonical_json(definition)],
        "taxii_query": [
            b"limit=2&match[type]=a,b&match[version]=first,2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z\n*/*",
            b"match[version]=all&match[spec_version]=2.1&match[id]=x\napplication/taxii+json;version=2.1",
        ],
    }


TARGETS: dict[str, Target] = {
    "stix_bundle": stix_bundle,
    "stix_object": stix_object,
    "stix_marking": stix_marking,
    "taxii_query": taxii_query,
}
"""Name -> function."""
