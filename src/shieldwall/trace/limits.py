"""How far to follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shieldwall.kernels import walks
from shieldwall.model.moment import utc


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a trace stops on purpose; what it stops before is counted as `limit`, never dropped.

    Attributes:
        hops: Spends from the seed; None for no limit.
        until_time: Unix seconds; a spend in a later block is not followed. Backward: nor what was paid in an earlier one.
        until_height: Height; likewise.
        least: Satoshi; a smaller tainted amount is not followed.
        transactions: How many transactions to follow in all.
    """

    hops: int | None = None
    until_time: int | None = None
    until_height: int | None = None
    least: int = 0
    transactions: int = 200_000

    @property
    def timed(self) -> bool:
        """True when a height or time is a limit."""
        return self.until_height is not None or self.until_time is not None

    def size(self, hop: int, amount: int) -> str:
        """Why money that has taken `hop` spends is not followed; "" when it is."""
        if self.hops is not None and hop >= self.hops:
            return f"{self.hops} hops"
        return f"less than {self.least} satoshi" if amount < self.least else ""

    def after(self, height: int | None, time: int) -> str:
        """Why a spend in a block of this height and time is not followed; "" when it is."""
        if self.until_height is not None:
            if height is None:
                return "moved on at a height that is not known"
            if height > self.until_height:
                return f"moved on after height {self.until_height}"
        if self.until_time is not None and time > self.until_time:
            return f"moved on after {utc(self.until_time)}"
        return ""

    def before(self, height: int | None, time: int) -> str:
        """Backward: why what was paid in a block of this height and time is not followed; "" when it is."""
        if self.until_height is not None:
            if height is None:
                return "paid at a height that is not known"
            if height < self.until_height:
                return f"paid before height {self.until_height}"
        if self.until_time is not None and time < self.until_time:
            return f"paid before {utc(self.until_time)}"
        return ""

    def count(self, followed: int) -> str:
        """Why one more transaction is not followed; "" when it is."""
        return f"{self.transactions} transactions" if followed >= self.transactions else ""

    def reason(self, code: int) -> str:
        """The words for a limit's code in the walking kernel (`kernels.walks`)."""
        if code == walks.HOPS:
            return self.size(self.hops or 0, self.least)
        if code == walks.LEAST:
            return self.size(-1, self.least - 1)
        if code == walks.NO_HEIGHT:
            return self.after(None, 0)
        if code == walks.HEIGHT:
            return self.after((self.until_height or 0) + 1, 0)
        if code == walks.TIME:
            return self.after(self.until_height, (self.until_time or 0) + 1)
        return self.count(self.transactions)

    def as_dict(self) -> dict[str, Any]:
        """The limits as they stand in a result."""
        return {
            "max_hops": self.hops,
            "until_time": None if self.until_time is None else utc(self.until_time),
            "until_height": self.until_height,
            "least_amount": self.least,
            "max_transactions": self.transactions,
        }
