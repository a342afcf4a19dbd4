"""Shapes of sheets: what somebody did with a trace, and what they saved of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import Shape
from shieldwall.web.shapes.files import FileShape

StepWord = Literal["expand", "collapse", "pin", "unpin", "least", "boxes", "note", "tag", "overrule", "watch"]


class StepAsked(Shape):
    """A step on a sheet: on the picture (expand, collapse, pin, unpin, least, boxes), or something said (the others)."""

    kind: StepWord
    key: Annotated[str, StringConstraints(max_length=200)] = ""
    value: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    text: Annotated[str, StringConstraints(max_length=4000)] = ""
    label: Annotated[str, StringConstraints(max_length=200)] = ""
    category: Annotated[str, StringConstraints(max_length=100)] = ""


class SheetStepShape(Shape):
    """A step: what was done, and whether it was taken back."""

    number: int
    state: Literal["done", "undone", "dropped"]
    at: str
    step: dict[str, Any]


class SheetShape(Shape):
    """One's own sheet on a trace: its steps, what they made of the picture, and the table twin."""

    file: FileShape
    digest: str
    steps: list[SheetStepShape]
    arrangement: dict[str, Any]
    rows: list[dict[str, Any]]


class SaveAsked(Shape):
    """A sheet to be saved."""

    title: Annotated[str, StringConstraints(max_length=200)] = ""


class SavedSheetShape(Shape):
    """A saved sheet: frozen, with its digest (docs/spec/sheet.md)."""

    file: FileShape
    sheet: dict[str, Any]
