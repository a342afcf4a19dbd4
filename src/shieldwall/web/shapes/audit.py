"""Shapes of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shieldwall.web.shapes.base import Digest, Page, Shape


class LeafShape(Shape):
    """A leaf of the audit log."""

    number: int
    entry: Mapping[str, Any]
    leaf: Digest
    root: Digest


class Leaves(Page):
    """Leaves of the audit log, the oldest first."""

    leaves: list[LeafShape]


class RootShape(Shape):
    """A signed root of the audit log, as its line in the exported file (docs/spec/audit-log.md)."""

    line: dict[str, Any]


class Checked(Shape):
    """What a check of the audit log found; no problem means that it holds."""

    leaves: int
    root: Digest
    kept_roots: int
    exported_roots: int
    accepted: list[str]
    problems: list[str]
