"""Shapes of traces."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import HandlingAsked, Name, Shape
from shieldwall.web.shapes.files import FileShape


class TraceAsked(Shape):
    """A trace to be made: as `shieldwall trace` takes it."""

    targets: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=5000)]], Field(min_length=1, max_length=1000)
    ]
    method: Literal["poison", "haircut", "fifo", "lifo", "tiho", "all"] = "fifo"
    backward: bool = False
    tags: Annotated[list[Name], Field(max_length=100)] | None = None
    cluster: Annotated[str, StringConstraints(max_length=64)] = ""
    hops: Annotated[int, Field(ge=0, le=10_000)] | None = None
    least: Annotated[int, Field(ge=0, lt=2**63)] = 0
    until_height: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    max_transactions: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    network: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9-]*$")] = ""
    handling: HandlingAsked = HandlingAsked()


class TraceShape(Shape):
    """A saved trace: frozen, with its digest."""

    file: FileShape
    result: dict[str, Any]
