"""The story as plain arrays: what happens, to whom, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.errors import UsageError
from simulator.layout import INS, OUTS, TXS, State, allocate

LEAST = 1_000  # transactions; with fewer, no story unfolds
MOST = 100_000_000  # transactions; output numbers fit 32 bits


@dataclass(frozen=True, slots=True)
class Plan:
    """A told story.

    Attributes:
        state: All arrays; of `tx`, `out` and `inputs` the first `transactions`, `outputs` and `spends` count.
        first_tx: int64[blocks + 1], number of each block's first transaction; the last entry is `transactions`.
        seed: What all of it follows from.
        per_block: Most transactions of a block.
    """

    state: State
    first_tx: npt.NDArray[np.int64]
    seed: int
    per_block: int

    @property
    def transactions(self) -> int:
        """Transactions, coinbases included."""
        return int(self.state.counter[TXS])

    @property
    def outputs(self) -> int:
        """Outputs of all transactions."""
        return int(self.state.counter[OUTS])

    @property
    def spends(self) -> int:
        """Inputs of all transactions, coinbases' not counted."""
        return int(self.state.counter[INS])

    @property
    def blocks(self) -> int:
        """Blocks, block 0 included."""
        return len(self.first_tx) - 1

    def offsets(self, name: str) -> npt.NDArray[np.int64]:
        """int64[n + 1]: `first_input` or `first_output` of each transaction, and the total."""
        last = self.spends if name == "first_input" else self.outputs
        column: Any = self.state.tx[name][: self.transactions]
        return np.append(column.astype(np.int64), last)


def make_plan(transactions: int, *, seed: int = 7, per_block: int = 2000) -> Plan:
    """Tell the story of `transactions` transactions, coinbases included.

    Args:
        transactions: From 1,000 to 100 million.
        seed: Any integer of 64 bits; the same seed tells the same story on any platform.
        per_block: Most transactions of a block; small chains have smaller blocks.

    Raises:
        UsageError: A number out of range.
    """
    if not LEAST <= transactions <= MOST:
        raise UsageError(f"{transactions} transactions: from {LEAST:,} to {MOST:,} can be simulated")
    if not 10 <= per_block <= 20_000:
        raise UsageError(f"{per_block} transactions per block: from 10 to 20,000 fit one")
    if not 0 <= seed < 1 << 64:
        raise UsageError(f"seed {seed}: give an integer from 0 to 2^64 - 1")
    from simulator.story import introduce, tell  # noqa: PLC0415 - compiles

    chosen = min(per_block, max(30, transactions // 60))
    state = allocate(transactions, seed)
    first_tx = np.empty(transactions + 2, np.int64)
    introduce(state)
    blocks = tell(state, first_tx, transactions, chosen)
    if blocks == 0:
        raise UsageError(f"seed {seed} makes more than six outputs a transaction", hint="take another seed")
    return Plan(state, first_tx[: blocks + 1].copy(), seed, chosen)
