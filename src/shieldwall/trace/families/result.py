"""An answer about families: frozen, and the same bytes for the same input."""

from __future__ import annotations

from shieldwall.trace.stamped import Stamped


class FamilyResult(Stamped):
    """The answer; docs/choke.md names the fields of its body."""
