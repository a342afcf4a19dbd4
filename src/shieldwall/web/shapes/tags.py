"""Shapes of tag sets."""

from __future__ import annotations

from typing import Any

from shieldwall.web.shapes.base import Shape


class TagSetShape(Shape):
    """A version of a tag set."""

    name: str
    version: str
    tags: int
    subjects: int
    labels: int
    dated: str
    rejected: int = 0
    unchanged: bool | None = None


class TagSetList(Shape):
    """Tag sets."""

    sets: list[TagSetShape]


class TagSetImport(TagSetList):
    """What was taken in, and entries that were not, at most a hundred of each set."""

    rejected: list[dict[str, Any]]
