"""Shapes of files."""

from __future__ import annotations

from shieldwall.web.shapes.base import Digest, HandlingShape, Id, Page, Shape


class FileShape(Shape):
    """A kept file."""

    id: Id
    name: str
    kind: str
    media_type: str
    size: int
    sha256: Digest
    created: str
    handling: HandlingShape


class Files(Page):
    """Files."""

    files: list[FileShape]
