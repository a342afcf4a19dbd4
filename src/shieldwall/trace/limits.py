"""How far to follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shieldwall.model.moment import utc


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a trace stops on purpose; what it stops before is counted as `limit`, never dropped.

    Attributes:
        hops: Spends from the seed; None for no limit.
        until_time: Unix seconds; a spend in a later block is not followed.
        until_height: Height; likewise.
        least: Satoshi; a smaller tainted amount is not followed.
        transactions: How many transactions to follow in all.
    """

    hops: int | None = None
    until_time: int | None = None
    until_height: int | None = None
    least: int = 0
    transactions: int = 200_000

    def as_dict(self) -> dict[str, Any]:
        """The limits as they stand in a result."""
        return {
            "max_hops": self.hops,
            "until_time": None if self.until_time is None else utc(self.until_time),
            "until_height": self.until_height,
            "least_amount": self.least,
            "max_transactions": self.transactions,
        }
