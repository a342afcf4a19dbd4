"""Shapes of people and need-to-know groups."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import Id, Name, Page, RoleWord, Shape, Tlp


class PersonAsked(Shape):
    """A new person."""

    name: Name
    organisation: Annotated[str, StringConstraints(max_length=200)] = ""
    roles: list[RoleWord]
    highest: Tlp = "TLP:GREEN"
    mail: Annotated[str, StringConstraints(max_length=254)] = ""


class PersonChange(Shape):
    """What changes of a person; what is not said stays."""

    organisation: Annotated[str, StringConstraints(max_length=200)] | None = None
    roles: list[RoleWord] | None = None
    highest: Tlp | None = None
    mail: Annotated[str, StringConstraints(max_length=254)] | None = None


class PersonShape(Shape):
    """A person."""

    id: Id
    name: str
    organisation: str
    roles: list[RoleWord]
    highest: Tlp
    mail: str
    created: str
    disabled: str = ""
    version: int


class People(Page):
    """People."""

    people: list[PersonShape]


class Invitation(Shape):
    """A one-time link, shown once."""

    url: str
    expires: str


class InvitationAsked(Shape):
    """Which link: for a first passkey, or for a new one with the person's recovery code."""

    with_code: bool = False


class Link(Shape):
    """Whom an OpenID provider means: its issuer, and what it calls the person."""

    issuer: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class GroupAsked(Shape):
    """A new need-to-know group."""

    name: Name


class GroupMembers(Shape):
    """All members of a group."""

    people: Annotated[list[Id], Field(max_length=1000)]


class GroupShape(Shape):
    """A need-to-know group and its members."""

    id: Id
    name: str
    people: list[Id]


class Groups(Shape):
    """The need-to-know groups."""

    groups: list[GroupShape]
