"""Shapes of what the chain store holds, and what is known of it."""

from __future__ import annotations

from typing import Any, Literal

from shieldwall.web.shapes.base import Page, Shape
from shieldwall.web.shapes.claims import SubjectShape


class ChainShape(Shape):
    """What the chain store holds."""

    network: str
    tip_height: int | None = None
    tip_hash: str | None = None
    tip_time: str | None = None
    blocks: int
    transactions: int
    outputs: int
    digest: str


class OutputShape(Shape):
    """An output: where it is, and where it stands."""

    output: str
    address: str
    value: int
    state: Literal["spent", "spent_outside", "unspent", "unknown", "unspendable"]
    spent_by: str | None = None
    as_of: int | None = None
    unconfirmed_spend: dict[str, Any] | None = None


class Known(Shape):
    """What the tag sets say of a subject: merged, counted, contradictions shown."""

    subject: SubjectShape
    tags: list[dict[str, Any]]
    contradictions: list[dict[str, Any]]
    retracted: int
    freezable_by: list[dict[str, Any]]


class AddressShape(Page):
    """What the chain store holds of an address, and what is known of it. No tag means unknown, not clean."""

    address: str
    kind: str
    same_key: str | None = None
    received: int | None = None
    by_state: dict[str, int]
    outputs: list[OutputShape]
    more: int = 0
    unconfirmed_payments: list[dict[str, Any]] | None = None
    known: Known
    as_of_height: int | None = None
    as_of_hash: str | None = None


class Found(Shape):
    """A record of the chain store, as `shieldwall chain show` prints it."""

    record: dict[str, Any]
