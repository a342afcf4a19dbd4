"""Shapes of watches and alarms."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import HandlingAsked, HandlingShape, Id, Page, Shape


class WatchAsked(Shape):
    """Something to watch: an address, the cluster of an address, or the ends of a saved trace (id of its file)."""

    kind: Literal["address", "cluster", "end"]
    target: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    clustering: Annotated[str, StringConstraints(max_length=64)] = "co-spend"
    channels: Annotated[list[Literal["webhook", "mail"]], Field(max_length=2)] = []
    note: Annotated[str, StringConstraints(max_length=200)] = ""
    network: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9-]*$")] = ""
    handling: HandlingAsked = HandlingAsked()


class WatchShape(Shape):
    """A watch."""

    id: Id
    kind: str
    target: dict[str, Any]
    channels: list[str]
    note: str
    active: bool
    seen_height: int | None = None
    created: str
    handling: HandlingShape


class Watches(Page):
    """Watches."""

    watches: list[WatchShape]


class DeliveryShape(Shape):
    """One way out of an alarm."""

    id: Id
    channel: str
    state: Literal["waiting", "sent", "withheld", "given up"]
    attempts: int
    next: str
    error: str


class AlarmShape(Shape):
    """What a watch rang for: what happened, how much, how many confirmations, what to do."""

    id: Id
    watch: Id
    rang: str
    event: dict[str, Any]
    answered: str = ""
    answered_by: str = ""
    deliveries: list[DeliveryShape] = []
    handling: HandlingShape


class Alarms(Page):
    """Alarms, and how many that one may see nobody has answered."""

    alarms: list[AlarmShape]
    unanswered: int = 0
