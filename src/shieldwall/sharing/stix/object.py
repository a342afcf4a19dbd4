"""One STIX object: the bytes that came, never changed, and what sharing must know of them.

Types and properties that are not known here stay in the bytes and go out as they came in. What is checked is what every
object has (section 3.2) and what protects a reader: identifiers, times, markings and their selectors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.stix.instant import read_instant
from shieldwall.sharing.stix.selectors import must_point

MOST_BYTES = 8 << 20
"""How large one object may be."""

OBSERVABLES = frozenset(
    (
        "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr",
        "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account",
        "windows-registry-key", "x509-certificate",
    )
)  # fmt: skip
"""Types of cyber-observable objects of STIX 2.1 (section 6): they have no versions, and 2.1 is what they are by default."""

_TYPE = r"[a-z0-9](?:[a-z0-9-]{1,248}[a-z0-9])"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(rf"({_TYPE})--({_UUID})", re.ASCII | re.IGNORECASE)
_TYPE_ALONE = re.compile(_TYPE, re.ASCII)
_NAMED = re.compile(rf"--({_UUID})", re.ASCII)
_TYPE_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
SPEC_VERSIONS = ("2.0", "2.1")
MOST_MARKINGS = 1000
"""Markings of one object, and parts that it marks."""

_KNOWN_TYPES = OBSERVABLES | {
    *(
        "attack-pattern",
        "campaign",
        "course-of-action",
        "data-component",
        "data-source",
        "extension-definition",
        "grouping",
    ),
    *(
        "identity",
        "incident",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "language-content",
        "location",
        "malware",
    ),
    *(
        "malware-analysis",
        "marking-definition",
        "note",
        "observed-data",
        "opinion",
        "relationship",
        "report",
        "sighting",
    ),
    *("task", "threat-actor", "tool", "vulnerability"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StixObject:
    """An object as it came.

    Attributes:
        raw: Its bytes, of one JSON object.
        body: The same as values; not to be changed.
        id: Type and UUID, as in `indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f`.
        type: Of it.
        spec_version: "2.0" or "2.1".
        version: Instant of its version in microseconds: `modified`, else `created`; None for one that has no versions.
        created_by: Id of whoever made it; "" for nobody named.
        markings: Ids of the marking definitions of the whole object.
        granular: Selectors with the marking that they carry; "" for a language mark.
        revoked: Whether its maker took it back.
    """

    raw: bytes
    body: Mapping[str, Any] = field(repr=False, compare=False)
    id: str = field(compare=False)
    type: str = field(compare=False)
    spec_version: str = field(compare=False)
    version: int | None = field(compare=False)
    created_by: str = field(compare=False)
    markings: tuple[str, ...] = field(compare=False)
    granular: tuple[tuple[str, tuple[str, ...]], ...] = field(compare=False)
    revoked: bool = field(compare=False)

    @property
    def content(self) -> bytes:
        """SHA-256 of what it says, whatever the order of its keys and the space between them."""
        plain = json.dumps(self.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).digest()

    def references(self) -> frozenset[str]:
        """Ids of all objects that it names, wherever: in any property, in a name of one, in the midst of a text."""
        return named_in(self.raw) - {self.id}


def is_id(text: object, of_type: str = "") -> bool:
    """Whether a text is an identifier (section 2.9), of a type where one is named."""
    form = _ID.fullmatch(text) if isinstance(text, str) else None
    return form is not None and form[1] == form[1].lower() and of_type in ("", form[1])


def read_object(raw: bytes, place: str, *, spec_version: str = "") -> StixObject:
    """An object.

    Args:
        raw: Its bytes.
        place: Where it was read, for errors.
        spec_version: What it is of where it does not say: that of a 2.0 bundle; "" for what section 3.2 says.

    Raises:
        BadText: It is none; the object and the property are named.
    """
    if len(raw) > MOST_BYTES:
        raise BadText(f"{place}: an object of {len(raw):,} bytes", hint=f"one has at most {MOST_BYTES:,}")
    return object_of(parse_json(raw, place, floats=True), raw, place, spec_version=spec_version)


def object_of(body: Any, raw: bytes, place: str, *, spec_version: str = "") -> StixObject:  # noqa: ANN401 - any JSON value
    """`read_object` of bytes whose value is at hand, as `strictjson.parse_json` gives it."""
    if not isinstance(body, dict):
        raise BadText(f"{place}: not a STIX object")
    kind, own_id = body.get("type"), body.get("id")
    if not isinstance(kind, str) or not _TYPE_ALONE.fullmatch(kind):
        raise BadText(f"{place}: {str(kind)[:60]!r} is no type of a STIX object")
    if not isinstance(own_id, str) or not is_id(own_id, kind):
        raise BadText(f"{place}: {str(own_id)[:80]!r} is no identifier of a {kind}", hint="it is type--UUID")
    place = f"{place}, {own_id}"
    stated = body.get("spec_version", spec_version or ("2.1" if kind in OBSERVABLES else "2.0"))
    if stated not in SPEC_VERSIONS:
        raise BadText(f"{place}: spec_version {str(stated)[:20]!r}", hint=f"one of {', '.join(SPEC_VERSIONS)} is read")
    created, modified = (
        read_instant(body[name], f"{place}, {name}") if name in body else None for name in ("created", "modified")
    )
    if created is not None and modified is not None and modified < created:
        raise BadText(f"{place}: modified before it was created")
    revoked = body.get("revoked", False)
    if not isinstance(revoked, bool):
        raise BadText(f"{place}: revoked is neither true nor false")
    creator = body.get("created_by_ref", "")
    if creator != "" and not is_id(creator):
        raise BadText(f"{place}: created_by_ref is no identifier")
    return StixObject(
        raw=raw,
        body=body,
        id=own_id,
        type=kind,
        spec_version=stated,
        version=modified if modified is not None else created,
        created_by=creator,
        markings=_markings(body, place),
        granular=_granular(body, place),
        revoked=revoked,
    )


def _markings(body: Mapping[str, Any], place: str) -> tuple[str, ...]:
    refs = body.get("object_marking_refs", [])
    if not isinstance(refs, list) or len(refs) > MOST_MARKINGS:
        raise BadText(f"{place}: object_marking_refs is no list, or one of more than {MOST_MARKINGS:,}")
    if not all(is_id(ref, "marking-definition") for ref in refs):
        raise BadText(f"{place}: object_marking_refs is not a list of identifiers of marking-definitions")
    return tuple(refs)


def _granular(body: Mapping[str, Any], place: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    marks = body.get("granular_markings", [])
    if not isinstance(marks, list) or not all(isinstance(mark, dict) for mark in marks) or len(marks) > MOST_MARKINGS:
        raise BadText(f"{place}: granular_markings is no list of markings, or one of more than {MOST_MARKINGS:,}")
    found = []
    for mark in marks:
        ref, selectors = mark.get("marking_ref", ""), mark.get("selectors")
        if not (is_id(ref, "marking-definition") or (ref == "" and isinstance(mark.get("lang"), str))):
            raise BadText(f"{place}: a granular marking has marking_ref or lang")
        if not isinstance(selectors, list) or not selectors or not all(isinstance(each, str) for each in selectors):
            raise BadText(f"{place}: the selectors of a granular marking are a list of texts")
        for selector in selectors:
            must_point(body, selector, place)
        found.append((ref, tuple(selectors)))
    return tuple(found)


def id_of(raw: bytes) -> str:
    """The identifier in the bytes of an object that was read before."""
    return str(json.loads(raw)["id"])


def named_in(raw: bytes) -> frozenset[str]:
    """Ids that stand anywhere in the bytes of a JSON value, in small letters.

    Where a word stands directly before a known type, as in "seeindicator--...", both readings are given: whoever asks must not be
    misled by what stands before.
    """
    text = raw.decode("utf-8", "replace")
    if "\\" in text:  # letters may be written as escapes
        text = json.dumps(json.loads(text), ensure_ascii=False)
    found = set()
    plain = text.lower()
    for form in _NAMED.finditer(plain):
        before = plain[max(form.start() - 250, 0) : form.start()]
        kind = before[len(before.rstrip(_TYPE_LETTERS)) :]
        found.add(f"{kind}--{form[1]}")
        if kind not in _KNOWN_TYPES:
            found.update(f"{known}--{form[1]}" for known in _KNOWN_TYPES if kind.endswith(known))
    return frozenset(found)
