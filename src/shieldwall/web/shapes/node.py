"""Shapes of the node itself."""

from __future__ import annotations

from typing import Any, Literal

from shieldwall.web.shapes.base import Shape
from shieldwall.web.shapes.chain import ChainShape


class Document(Shape):
    """A document that stands for itself: the node's public keys, a proof."""

    document: dict[str, Any]


class Health(Shape):
    """That the node answers."""

    ok: bool
    version: str


class Status(Shape):
    """How the node stands; `chain` is the first chain store, where it is there, `chains` are all that are there."""

    version: str
    name: str
    fingerprint: str
    leaves: int
    last_leaf: str
    clock_back_seconds: int
    chain: ChainShape | None = None
    chains: list[ChainShape] = []
    problems: list[str]


class Hit(Shape):
    """Something that a search found."""

    kind: Literal["address", "transaction", "case", "file", "claim"]
    id: str
    title: str


class Hits(Shape):
    """What a search found."""

    hits: list[Hit]
