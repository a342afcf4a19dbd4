"""What sharing reads from outside: bundles and envelopes, markings, and what a TAXII client asks.

`fuzz_targets` joins them to its table.
"""

from __future__ import annotations

import io
import json

from fuzz_folder import Target, text_of

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.claims import Maker
from shieldwall.sharing.documents import Frame, document_in, document_objects
from shieldwall.sharing.markings import BUILT_IN, demands_of_definition, levels_of
from shieldwall.sharing.misp.event import event_in, events_in, read_event
from shieldwall.sharing.misp.galaxies import galaxy_objects, is_galaxy
from shieldwall.sharing.misp.writing import events_of
from shieldwall.sharing.stix.bundle import BundleReader, Refusal, bundle_of
from shieldwall.sharing.stix.instant import read_instant, stix_time, taxii_time
from shieldwall.sharing.stix.object import StixObject, object_of, read_object
from shieldwall.sharing.stix.selectors import without
from shieldwall.sharing.values import values_of
from shieldwall.sharing.warninglists import read_warninglist
from shieldwall.web.taxii.answers import Refusal as Refused
from shieldwall.web.taxii.asked import Request, must_accept, must_send, wanted

BUNDLE = "bundle--44af6c39-c09b-49c5-9de2-394224b04982"
_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
_ID = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
_OWN = "marking-definition--aaaaaaaa-0000-4000-8000-000000000001"
_MARKED = object_of(
    {"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "object_marking_refs": [_OWN]}, b"{}", ""
)
_FRAME = Frame(
    maker=Maker("identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "x", 0),
    created=0,
    modified=0,
    marking=STRICTEST,
    pap=STRICTEST_PAP,
)
_UUID = "5c066053-0e94-46eb-9746-4b7d950d210f"
_EVENT = {
    "uuid": _UUID,
    "info": "x",
    "date": "2026-01-01",
    "timestamp": "1700000000",
    "Tag": [{"name": "tlp:green"}],
    "Attribute": [
        {"uuid": _UUID, "type": kind, "value": value, "to_ids": True, "comment": "x"}
        for kind, value in (
            ("domain|ip", "a.example|198.51.100.3"),
            ("malware-sample", "a.exe|" + "ab" * 16),
            ("AS", "AS1"),
            ("btc", "x"),
        )
    ],
    "Object": [
        {
            "uuid": _UUID,
            "name": "file",
            "Attribute": [{"uuid": _UUID, "type": "md5", "value": "ab" * 16, "object_relation": "md5"}],
        }
    ],
    "Galaxy": [{"type": "ransomware", "GalaxyCluster": [{"value": "x", "uuid": _UUID}]}],
}
_GALAXY = {"type": "threat-actor", "version": 1, "values": [{"value": "x", "uuid": _UUID, "meta": {"synonyms": ["y"]}}]}
_CLUSTER = {
    "format": "shieldwall-cluster/1",
    "network": "main",
    "named_after": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "size": 1,
    "received_amount": 1,
    "members": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
    "clustering": {"name": "co-spend", "digest": "cd"},
    "digest": "",
}


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


def misp_event(data: bytes) -> None:
    """An event is refused, or becomes objects that can be read, and is whole in its report but for bytes of attachments."""
    value = parse_json(data, "here", floats=True)
    if is_galaxy(value):
        for body in galaxy_objects(value, "here"):
            object_of(body, json.dumps(body).encode(), "here")
            values_of(body)
        return
    for event in events_in(value, "here"):
        found = read_event(event, "here")
        for _, body in found.objects:
            object_of(body, json.dumps(body).encode(), "here")
            values_of(body)
        kept = event_in(found.objects[-1][1])
        assert found.left_out or kept == event
        assert [
            each.event
            for each in events_of([found.objects[-1][1]], info="", maker="", marking=STRICTEST, pap=STRICTEST_PAP, at=0)
        ]


def warninglist(data: bytes) -> None:
    """A list is refused, or says of any value whether it stands on it."""
    found = read_warninglist(data, "here")
    for value in (("ip", "198.51.100.3"), ("domain", "a.example"), ("url", "https://a.example/x"), ("hash", "ab" * 16)):
        assert found.has(value) in (True, False)


def stix_document(data: bytes) -> None:
    """A document is refused, or comes back whole."""
    value = parse_json(data, "here", floats=True)
    if isinstance(value, dict):
        if isinstance(value.get("digest"), str) and not _has_floats(value):
            value["digest"] = digest({name: each for name, each in value.items() if name != "digest"})
        body = document_objects(value, _FRAME, "here")[-1]
        assert document_in(body, "here") == value


def _has_floats(value: dict[str, object]) -> bool:
    """Whether it has no digest at all."""
    try:
        canonical_json(value)
    except TypeError:
        return True
    return False


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
        "misp_event": [canonical_json({"Event": _EVENT}), canonical_json(_GALAXY)],
        "warninglist": [
            canonical_json(
                {"name": "x", "type": form, "list": ["198.51.0.0/16"], "matching_attributes": ["ip-src", "domain"]}
            )
            for form in ("cidr", "hostname", "string", "substring")
        ],
        "stix_document": [canonical_json(_CLUSTER)],
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
    "misp_event": misp_event,
    "warninglist": warninglist,
    "stix_document": stix_document,
}
"""Name -> function."""
