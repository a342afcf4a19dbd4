"""The benchmark's own fault."""

from __future__ import annotations

from shieldwall.errors import ShieldwallError


class BenchError(ShieldwallError):
    """A measurement failed, or gave another answer than it must."""
