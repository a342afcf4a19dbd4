"""Transactions of every CoinJoin's shape as the arrays that kernels walk on, and ways to break one rule of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from shieldwall.kernels.arrays import (
    GENERIC,
    JOINMARKET,
    NONE32,
    NONE64,
    WABISABI,
    WASABI_1_0,
    WASABI_1_1,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
    Graph,
)

BTC = 100_000_000
DATA_HOLDERS = range(900, 910)  # these are OP_RETURN scripts; all others can be paid
NO_SERVICES = np.zeros(0, np.uint32)
NO_SERVICES.flags.writeable = False


@dataclass(frozen=True)
class Tx:
    """A transaction: (payer, satoshi) of each input, None for what is not known, and (holder, satoshi) of each output."""

    inputs: tuple[tuple[int | None, int | None], ...]
    outputs: tuple[tuple[int, int], ...]

    def paying(self, *values: int, at: int = 500) -> Tx:
        """The same inputs, and payments of these values to holders of their own."""
        return replace(self, outputs=tuple((at + place, value) for place, value in enumerate(values)))

    def more(self, *outputs: tuple[int, int]) -> Tx:
        """With further outputs."""
        return replace(self, outputs=self.outputs + outputs)


def brings(count: int, value: int = BTC, at: int = 0) -> Tx:
    """So many inputs of holders of their own, no outputs."""
    return Tx(tuple((at + place, value) for place in range(count)), ())


def whirlpool() -> Tx:
    """Three enter with the fee, two stay."""
    return Tx(tuple((place, 5_010_000 if place < 3 else 5_000_000) for place in range(5)), ()).paying(*[5_000_000] * 5)


def tx0() -> Tx:
    """Four coins for the pool of 0.01 BTC, the fee, a change."""
    return brings(1).paying(50_000, *[1_001_000] * 4, 90_000_000).more((DATA_HOLDERS[0], 0))


def wasabi_1_0() -> Tx:
    """Twelve equal, ten changes, one fee."""
    changes = [3_000_000 + 1_111 * place for place in range(10)]
    return brings(14).paying(*[9_990_000] * 12, *changes, 36_000)


def wasabi_1_1() -> Tx:
    """Twelve equal, three at the next level, ten changes, one fee."""
    return wasabi_1_0().more(*[(700 + place, 19_980_000) for place in range(3)])


def wabisabi() -> Tx:
    """Twenty-four inputs, four amounts that repeat, three that do not."""
    return brings(24).paying(*[65_536] * 5, *[100_000] * 4, *[531_441] * 3, *[2_000_000] * 2, 7_777, 8_888, 9_999)


def joinmarket() -> Tx:
    """Four equal, four changes."""
    return brings(4).paying(*[4_000_000] * 4, 11_111, 22_222, 33_333, 44_444)


def generic() -> Tx:
    """Two equal, two changes: too few for any program."""
    return brings(2).paying(4_000_000, 4_000_000, 11_111, 22_222)


MADE = {
    GENERIC: generic,
    WHIRLPOOL: whirlpool,
    WHIRLPOOL_TX0: tx0,
    WASABI_1_0: wasabi_1_0,
    WASABI_1_1: wasabi_1_1,
    WABISABI: wabisabi,
    JOINMARKET: joinmarket,
}


def graph(transactions: list[Tx]) -> tuple[Graph, np.ndarray]:
    """The arrays of some transactions, whose inputs all come from outside, and the kinds of holders."""
    counts_in = [len(tx.inputs) for tx in transactions]
    counts_out = [len(tx.outputs) for tx in transactions]
    inputs = [each for tx in transactions for each in tx.inputs]
    outputs = [each for tx in transactions for each in tx.outputs]
    kinds = np.full(11_000, 5, np.uint8)
    kinds[list(DATA_HOLDERS)] = 9
    none = np.zeros(0, np.int64)
    arrays = (
        np.cumsum([0, *counts_in])[:-1].astype(np.uint32),
        none,
        np.cumsum([0, *counts_out])[:-1].astype(np.uint32),
        none,
        np.zeros(len(transactions), np.uint8),
        np.array([value for _, value in outputs], np.uint64),
        np.array([holder for holder, _ in outputs], np.uint32),
        np.full(len(outputs), NONE32, np.uint32),
        np.full(len(inputs), NONE32, np.uint32),
        np.full(len(inputs), 0xFF, np.uint8),
        np.array([NONE32 if payer is None else payer for payer, _ in inputs], np.uint32),
        np.arange(len(inputs), dtype=np.uint64),
        np.array([NONE64 if value is None else value for _, value in inputs], np.uint64),
    )
    for array in (*arrays, kinds):
        array.flags.writeable = False
    return Graph(*arrays), kinds


_VALUES = st.sampled_from(
    [546, 2_730, 2_731, 5_000, 50_000, 100_000, 210_000, 1_000_000, 1_000_100, 5_000_000, 9_500_000, 10_000_000, 10_500_000,
     19_000_000, 20_000_000, 40_000_000, 50_000_000, BTC]
)  # fmt: skip


@st.composite
def transactions(draw: st.DrawFn) -> Tx:
    """One of the shapes, and up to four small changes of it."""
    tx = MADE[draw(st.sampled_from(sorted(MADE)))]()
    for _ in range(draw(st.integers(0, 4))):
        tx = _change(draw, tx)
    return tx


def _change(draw: st.DrawFn, tx: Tx) -> Tx:
    inputs, outputs = list(tx.inputs), list(tx.outputs)
    what = draw(st.integers(0, 8))
    at = draw(st.integers(0, len(inputs) - 1)) if inputs else 0
    out = draw(st.integers(0, len(outputs) - 1)) if outputs else 0
    value = draw(_VALUES)
    if what == 0 and inputs:
        inputs[at] = (None, draw(st.sampled_from([None, value])))
    elif what == 1 and inputs:
        inputs[at] = (inputs[0][0], value)
    elif what == 2 and inputs:
        del inputs[at]
    elif what == 3:
        inputs += [(50 + place, value) for place in range(draw(st.integers(1, 60)))]
    elif what == 4 and outputs:
        outputs[out] = (outputs[out][0], value)
    elif what == 5 and outputs:
        outputs[out] = (outputs[0][0], outputs[out][1])
    elif what == 6 and outputs:
        del outputs[out]
    elif what == 7:
        outputs += [(800 + place, value) for place in range(draw(st.integers(1, 8)))]
    else:
        outputs += [(DATA_HOLDERS[place], 0) for place in range(draw(st.integers(1, 3)))]
    return Tx(tuple(inputs), tuple(outputs))
