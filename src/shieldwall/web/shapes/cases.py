"""Shapes of cases, and where they meet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import HandlingShape, Id, Page, PapWord, Shape, Tlp


class CaseAsked(Shape):
    """A new case; whoever asks becomes a member and its contact."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    number: Annotated[str, StringConstraints(max_length=80)] = ""
    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    silent: bool = False
    people: Annotated[list[Id], Field(max_length=1000)] = []
    groups: Annotated[list[Id], Field(max_length=1000)] = []


class CaseChange(Shape):
    """What changes of a case; what is not said stays."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    number: Annotated[str, StringConstraints(max_length=80)] | None = None
    status: Literal["open", "closed"] | None = None
    silent: bool | None = None
    contact: Id | None = None
    marking: Tlp | None = None
    pap: PapWord | None = None


class CaseMembers(Shape):
    """All members of a case, by name and by group."""

    people: Annotated[list[Id], Field(max_length=1000)]
    groups: Annotated[list[Id], Field(max_length=1000)] = []


class CaseShape(Shape):
    """A case."""

    id: Id
    title: str
    number: str
    status: str
    silent: bool
    contact: Id
    handling: HandlingShape
    people: list[Id]
    groups: list[Id]
    created: str
    version: int


class Cases(Page):
    """Cases."""

    cases: list[CaseShape]


class MeetingShape(Shape):
    """Another team of this node works on something that is in this case, too: whom to call, and since which day."""

    case: Id
    contact: str
    since: str


class Meetings(Shape):
    """Where cases meet."""

    meetings: list[MeetingShape]
