"""What someone says about something, in one frame for all kinds (a tag, a finding, a commitment, a trace).

A claim is never a fact: a fact is proven by public data and lives in the chain store. A room that owns a kind of claim
declares a `ClaimKind` with the fields of its statement; everything else (release, verification, expiry, showing
"unknown") needs only the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from shieldwall.errors import BadText, UsageError
from shieldwall.model.canonical import digest
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap, parse_marking, parse_pap


class Layer(StrEnum):
    """How far a claim stands from what was seen; the three are never mixed in one sentence."""

    OBSERVATION = "observation"  # anyone can see it in public data
    INFERENCE = "inference"  # follows from observations by a named method that can err
    ATTRIBUTION = "attribution"  # names a person, group or service


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a claim is about: a type, the chain (CAIP-2, or the source's currency word) and the name there.

    Example: `Subject("address", "bip122:000000000019d6689c085ae165831e93", "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")`.
    """

    type: str
    chain: str
    name: str


@dataclass(frozen=True, slots=True)
class ClaimKind:
    """A kind of claim and the fields that its statement may have (name -> type), declared by the room that owns it."""

    name: str
    required: Mapping[str, type]
    optional: Mapping[str, type]

    def check(self, statement: Mapping[str, Any], place: str) -> None:
        """Refuse a statement that does not fit the kind.

        Raises:
            BadText: A missing or unknown field, or one of the wrong type; `place` says where it was read.
        """
        for name, wanted in self.required.items():
            if not _is(statement.get(name), wanted):
                raise BadText(f"{place}: a {self.name} needs {name!r} as {wanted.__name__}")
        for name, value in statement.items():
            expected = self.required.get(name) or self.optional.get(name)
            if expected is None:
                raise BadText(f"{place}: a {self.name} has no field {name!r}")
            if not _is(value, expected):
                raise BadText(f"{place}: {name!r} of a {self.name} must be {expected.__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim. Times are ISO 8601 in UTC; a day alone means the source gave no more.

    Attributes:
        subject: What it is about.
        kind: Name of the `ClaimKind` that its statement was checked against.
        statement: Typed by kind; integers, strings, lists and booleans only.
        layer: Observation, inference or attribution.
        source: Where the maker has it from (a URL, a list with its date).
        made_by: Who says it.
        at: When it was said; "" when the source does not tell.
        confidence: 0-100 on the scale of the INTERPOL/GraphSense TagPack words; None when the source gives none.
        marking: Who may see it; the strictest unless said otherwise.
        pap: What may be done with it; the strictest unless said otherwise, and then left out when it is written.
        evidence: SHA-256 digests (hex) of what it was read from.
        expires: When it stops being current; "" for never.
        retracted: When its maker took it back; "" while it stands.
        signature: Detached signature of the maker; "" for none.
    """

    subject: Subject
    kind: str
    statement: Mapping[str, Any]
    layer: Layer
    source: str
    made_by: str
    at: str = ""
    confidence: int | None = None
    marking: Marking = STRICTEST
    pap: Pap = STRICTEST_PAP
    evidence: tuple[str, ...] = ()
    expires: str = ""
    retracted: str = ""
    signature: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statement", MappingProxyType(_copy(dict(self.statement))))

    @property
    def id(self) -> str:
        """Digest of everything but the signature: the same claim has the same id on every node."""
        body = self.as_dict()
        body.pop("signature", None)
        return digest(body)

    def as_dict(self) -> dict[str, Any]:
        """The claim as plain JSON values; empty fields are left out."""
        subject = self.subject
        every = {
            "subject": {"type": subject.type, "chain": subject.chain, "name": subject.name},
            "kind": self.kind,
            "statement": _copy(dict(self.statement)),
            "layer": self.layer.value,
            "source": self.source,
            "made_by": self.made_by,
            "at": self.at,
            "confidence": self.confidence,
            "marking": self.marking.label,
            "pap": self.pap.label if self.pap < STRICTEST_PAP else "",
            "evidence": list(self.evidence),
            "expires": self.expires,
            "retracted": self.retracted,
            "signature": self.signature,
        }
        return {name: value for name, value in every.items() if value not in ("", None, [])}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], place: str = "claim") -> Claim:
        """The claim that `as_dict` wrote.

        Raises:
            BadText: A field is missing or of the wrong form; `place` says where it was read.
        """
        try:
            body = {"source": "", "made_by": "", **plain}
            body["subject"] = subject = Subject(**body["subject"])
            if not all(isinstance(part, str) for part in (subject.type, subject.chain, subject.name)):
                raise TypeError("the parts of 'subject' must be str")  # noqa: TRY301
            body["layer"] = Layer(body["layer"])
            for name, wanted in _FORMS.items():
                if name in body and not _is(body[name], wanted):
                    raise TypeError(f"{name!r} must be {wanted.__name__}")  # noqa: TRY301
            if not all(isinstance(entry, str) for entry in body.get("evidence", ())):
                raise TypeError("'evidence' must be a list of digests")  # noqa: TRY301
            body["marking"] = parse_marking(body.get("marking"))
            body["pap"] = parse_pap(body.get("pap"))
            body["evidence"] = tuple(body.get("evidence", ()))
            return cls(**body)
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise BadText(f"{place}: not a claim ({error})") from None


_FORMS: dict[str, type] = {
    "kind": str,
    "statement": dict,
    "source": str,
    "made_by": str,
    "at": str,
    "confidence": int,
    "marking": str,
    "pap": str,
    "evidence": list,
    "expires": str,
    "retracted": str,
    "signature": str,
}
"""The JSON form of each field of a claim that has one form only."""


def _is(value: object, wanted: type) -> bool:
    """True when a JSON value is of the wanted type; true and false are no numbers."""
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _copy(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A copy that shares nothing that can change."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
