"""Shapes of claims, and what they are about."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import Digest, HandlingShape, Id, Page, PapWord, Shape, Text, Tlp


class SubjectShape(Shape):
    """What a claim is about."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    chain: Annotated[str, StringConstraints(max_length=100)] = ""
    name: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ClaimAsked(Shape):
    """A new claim. `marking` and `pap` are the claim's own; what is not said is the strictest."""

    subject: SubjectShape
    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    statement: dict[str, Any]
    layer: Literal["observation", "inference", "attribution"]
    source: Text = ""
    at: Annotated[str, StringConstraints(max_length=40)] = ""
    confidence: Annotated[int, Field(ge=0, le=100)] | None = None
    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    evidence: Annotated[list[Digest], Field(max_length=100)] = []
    expires: Annotated[str, StringConstraints(max_length=40)] = ""
    case: Id | None = None
    group: Id | None = None


class ClaimShape(Shape):
    """A claim, as the node keeps it; `claim` is the claim itself (docs/spec/claim.md)."""

    id: Digest
    claim: dict[str, Any]
    handling: HandlingShape
    received: str
    state: Literal["stands", "superseded", "retracted", "expired"] | None = None
    reason: str | None = None


class DisputeShape(Shape):
    """Claims of one kind that stand and do not say the same: ids of the claims of each side."""

    kind: str
    sides: list[list[Digest]]


class Claims(Page):
    """Claims; of one subject with what became of each, and what contradicts. `more`: there are too many to say that of."""

    claims: list[ClaimShape]
    disputes: list[DisputeShape] = []
    more: bool = False


class Reason(Shape):
    """Why."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
