"""Shapes of sharing: STIX objects, collections, partners, what goes to whom, and sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import HandlingShape, Id, Name, Page, Shape, Text, Tlp

StixName = Annotated[str, StringConstraints(max_length=300, pattern=r"^[a-z0-9-]{3,250}--[0-9A-Fa-f-]{36}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class StixVersion(Shape):
    """One version of an object, as the bytes that came."""

    id: str
    type: str
    version: str
    received: str
    raw: str
    handling: HandlingShape


class StixObjects(Page):
    """Objects, in the order in which they came."""

    objects: list[StixVersion]


class StixVersions(Shape):
    """Every version of one object, by version; of one that contradicts itself there are several of one version."""

    versions: list[StixVersion]
    contradicted: list[str]


class MetShape(Shape):
    """An object that speaks of the same, and what it has in common."""

    id: str
    type: str
    in_common: list[str]
    handling: HandlingShape


class FoundObjects(Shape):
    """What speaks of something; the names that lead to it; what very many speak of, whose objects are not listed."""

    objects: list[MetShape]
    names: list[str]
    common: list[str]


class TakenShape(Shape):
    """What became of objects that were taken in."""

    objects: int
    added: int
    known: int
    conflicts: int
    refused: list[str]
    refusals: int
    unmarked: int
    claims: int
    told: list[str]


class CollectionAsked(Shape):
    """A collection for a group of partners, or (no group) for the public."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    group: Id | None = None
    highest: Tlp
    alias: Annotated[str, StringConstraints(max_length=60)] = ""
    writable: bool = False


class CollectionShape(Shape):
    """A collection."""

    id: Id
    title: str
    alias: str
    group: Id | None = None
    highest: Tlp
    readable: bool
    writable: bool
    objects: int
    last_added: str


class CollectionList(Shape):
    """The collections."""

    collections: list[CollectionShape]


class ReleaseAsked(Shape):
    """Objects that are to go to the audience of a collection, and why."""

    ids: Annotated[list[StixName], Field(min_length=1, max_length=10_000)]
    reason: Reason
    every_version: bool = False


class WithheldShape(Shape):
    """An object that does not go, and why."""

    id: str
    reason: str


class ReleasedShape(Shape):
    """What became of a release."""

    added: list[str]
    known: int
    withheld: list[WithheldShape]


class WithdrawAsked(Shape):
    """An object that is to be taken back, why, and whether what names it goes as well."""

    id: StixName
    reason: Reason
    along: bool = False


class HadShape(Shape):
    """A partner who may have something, and when it fetched last."""

    partner: Id
    name: str
    fetched: str


class WithdrawnShape(Shape):
    """What was taken back, and who may have it; `unseen`: how many more that one may not see went as well."""

    ids: list[str]
    unseen: int
    had: list[HadShape]


class DecisionShape(Shape):
    """A decision on a collection."""

    id: Id
    at: str
    by: str
    deed: str
    reason: str
    objects: int


class Decisions(Shape):
    """Decisions, the newest first."""

    decisions: list[DecisionShape]


class PartnerShape(Shape):
    """A partner, and how many objects it fetched."""

    id: Id
    name: Name
    highest: Tlp
    groups: list[str]
    ended: str
    fetched: int
    gone: int


class PartnerList(Shape):
    """The partners, by name."""

    partners: list[PartnerShape]


class PreviewShape(Shape):
    """What a partner gets of a collection: the objects as the bytes that its machine would be given; and what it does not."""

    collection: Id
    objects: list[str]
    new: int
    more: int
    withheld: list[WithheldShape]
    withheld_more: int
    gone: int
    unseen: int


class Previews(Shape):
    """What a partner gets, collection by collection."""

    collections: list[PreviewShape]


class SourceShape(Shape):
    """A source, without its credentials: how far it was read, and how that goes."""

    id: Id
    kind: str
    url: Text
    every: int
    tried: str
    good: str
    reached: str
    problem: Text
    objects: int
    ended: str
    handling: HandlingShape


class SourceList(Shape):
    """The sources."""

    sources: list[SourceShape]
