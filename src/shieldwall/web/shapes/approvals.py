"""Shapes of what a second person decides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from shieldwall.web.shapes.base import HandlingAsked, HandlingShape, Id, Page, PapWord, Shape, Tlp


class RemarkAsked(Shape):
    """Another handling for a claim, file or case."""

    thing: Literal["claim", "file", "case"]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}([0-9a-f]{32})?$")]
    marking: Tlp
    pap: PapWord
    case: Id | None = None
    group: Id | None = None


class ApprovalAsked(RemarkAsked):
    """A more open handling, which a second person must approve; `seen_by`: who may see the request, where not as the thing."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    seen_by: HandlingAsked | None = None


class Decision(Shape):
    """What a second person decides."""

    approve: bool


class ApprovalShape(Shape):
    """A request that a second person decides on."""

    id: Id
    kind: str
    change: dict[str, Any]
    before: HandlingShape
    reason: str
    asked_by: Id
    asked: str
    decision: Literal["open", "approved", "refused", "withdrawn"]
    decided_by: str = ""
    decided: str = ""
    handling: HandlingShape


class Approvals(Page):
    """Requests that a second person decides on."""

    approvals: list[ApprovalShape]
