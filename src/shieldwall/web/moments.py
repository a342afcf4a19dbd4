"""Times of the store as the API writes them."""

from __future__ import annotations

from shieldwall.model.moment import utc


def moment(microseconds: int | None) -> str:
    """Microseconds of Unix time as ISO 8601 in UTC, to the second; "" for None."""
    return "" if microseconds is None else utc(microseconds // 1_000_000)
