"""Claims as STIX, whole: a note (or relationship) that any reader understands, with the claim itself in an extension.

What a claim is about becomes an object of its own: an address and a transaction are observables, a group an intrusion set,
malware malware, whoever was attacked an identity. The identifier of the note is made of its maker and the claim, so whoever
shares the same claim twice shares one object. A claim that was taken back is revoked.

What a claim is about is the same bytes whichever claim is about it, so no marking stands in it: whoever keeps it keeps it under
the marking of the claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.claim import Claim, Subject
from shieldwall.sharing.extensions import CLAIM
from shieldwall.sharing.markings import Levels, refs_of
from shieldwall.sharing.money import Transaction, address_object, transaction_object
from shieldwall.sharing.stix.ids import own_id
from shieldwall.sharing.stix.instant import stix_time

_LONGEST = 2000  # characters of a line for people


@dataclass(frozen=True, slots=True)
class Maker:
    """Who shares: the identifier of their identity object, their name, and since when they are there (microseconds)."""

    id: str
    name: str
    since: int

    @classmethod
    def of(cls, fingerprint: str, name: str, since: int) -> Maker:
        """The maker with a key, by the key's fingerprint: the same key is the same identity."""
        return cls(own_id("identity", fingerprint), name, since)


def identity_object(maker: Maker) -> dict[str, Any]:
    """The identity of who shares."""
    named = {"name": maker.name, "identity_class": "organization"}
    return _framed("identity", maker.id, maker.since, maker.since) | named


def claim_objects(claim: Claim, maker: Maker, *, at: int, retracted_at: int | None = None) -> list[dict[str, Any]]:
    """A claim as STIX objects: what it is about, and what is said of it, which comes last.

    Args:
        claim: The claim as it stands, or stood before it was taken back.
        maker: Who shares it.
        at: When it came to them, in microseconds.
        retracted_at: When it was taken back, in microseconds; None while it stands.
    """
    about = subject_object(claim.subject, maker)
    said = claim.as_dict()
    common: dict[str, Any] = {
        "created_by_ref": maker.id,
        "object_marking_refs": refs_of(claim.marking, claim.pap),
        "extensions": {CLAIM: {"extension_type": "property-extension", "claim": said}},
    }
    if claim.confidence is not None:
        common["confidence"] = claim.confidence
    if retracted_at is not None:
        common["revoked"] = True
    modified = at if retracted_at is None else max(at, retracted_at)
    related = _related(claim, maker)
    if related is not None:
        other, name = related
        body = _framed("relationship", own_id("relationship", maker.id, claim.id), at, modified)
        body |= {"relationship_type": name, "source_ref": about["id"], "target_ref": other["id"]} | common
        return [about, other, body]
    note = _framed("note", own_id("note", maker.id, claim.id), at, modified)
    note |= {"abstract": f"{claim.kind} ({claim.layer.value})", "content": sentence_of(claim)} | common
    note |= {"object_refs": [about["id"]]} | ({"authors": [claim.made_by]} if claim.made_by else {})
    return [about, note]


def carries_claim(body: Mapping[str, Any]) -> bool:
    """Whether an object says that it carries a claim of ours."""
    extensions = body.get("extensions")
    return isinstance(extensions, Mapping) and CLAIM in extensions


def claim_of(body: Mapping[str, Any], levels: Levels, place: str) -> Claim | None:
    """The claim that an object carries; None where it carries none. A marking of the object that is stricter holds.

    Args:
        body: The object.
        levels: How it is handled by its markings.
        place: Where it was read, for errors.

    Raises:
        BadText: It carries something that is no claim.
    """
    if not carries_claim(body):
        return None
    extension = body["extensions"][CLAIM]
    said = extension.get("claim") if isinstance(extension, Mapping) else None
    if not isinstance(said, Mapping):
        raise BadText(f"{place}: the extension of a claim has none")
    claim = Claim.from_dict(dict(said), place)
    if levels.marking > claim.marking or levels.pap > claim.pap:
        raise BadText(f"{place}: the object is marked stricter than the claim in it", hint="ask who shares it")
    return claim


def sentence_of(claim: Claim) -> str:
    """A claim as a line for people: what is said of what, and by which source."""
    said = claim.statement
    words = next((str(said[name]) for name in ("text", "label", "name", "title") if said.get(name)), claim.kind)
    about = f"{claim.subject.type} {claim.subject.name}"
    source = f" Source: {claim.source}." if claim.source else ""
    return f"{about}: {words}.{source}"[:_LONGEST]


def subject_object(subject: Subject, maker: Maker) -> dict[str, Any]:
    """What a claim is about, as an object; what is no observable is one of its maker's."""
    if subject.type == "address":
        return address_object(subject.chain, subject.name)
    if subject.type == "transaction":
        return transaction_object(Transaction(chain=subject.chain, txid=subject.name))
    kind, more = _KINDS.get(subject.type, ("grouping", {}))
    name = own_id(kind, maker.id, subject.type, subject.chain, subject.name)
    body = _framed(kind, name, maker.since, maker.since)
    body |= {"name": subject.name or subject.type, "created_by_ref": maker.id, **more}
    if kind == "grouping":
        body |= {"context": "unspecified", "object_refs": [maker.id]}
    return body


_KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "group": ("intrusion-set", {}),
    "malware": ("malware", {"is_family": True}),
    "infrastructure": ("infrastructure", {}),
    "person": ("identity", {"identity_class": "individual"}),
    "victim": ("identity", {"identity_class": "organization"}),
    "service": ("identity", {"identity_class": "organization"}),
    "actor": ("identity", {"identity_class": "organization"}),
    "case": ("grouping", {}),
}
"""By the type of a subject, the type of STIX that stands for it; another one is a grouping of its maker's."""


def _related(claim: Claim, maker: Maker) -> tuple[dict[str, Any], str] | None:
    """The other end of a claim that says how two things stand to each other, and how; None for another claim."""
    said = claim.statement
    names = ("relation", "object_type", "object")
    if claim.kind != "relation" or not all(isinstance(said.get(name), str) and said[name] for name in names):
        return None
    other = Subject(said["object_type"], str(said.get("chain", "")), said["object"])
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in said["relation"].lower())
    return subject_object(other, maker), plain.strip("-") or "related-to"


def _framed(kind: str, stix_id: str, created: int, modified: int) -> dict[str, Any]:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": stix_id,
        "created": _moment(created),
        "modified": _moment(modified),
    }


def _moment(micros: int) -> str:
    """To the millisecond, which is as far as STIX demands others to go (section 3.2)."""
    return stix_time(micros // 1000 * 1000)
