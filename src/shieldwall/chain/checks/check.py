"""The answer of one check, and how checks walk a store: in runs of blocks, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore

_MOST_NAMED = 3  # faults that a check spells out; the others are counted
_RUN = 1 << 18  # transactions looked at together


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        name: What was checked.
        passed: Nothing that could be checked is wrong; true also when nothing could be.
        checked: Things looked at.
        skipped: Things that the store does not hold enough of to check; they have not passed.
        detail: The first faults by name and the count of the others; else what there is to say.
    """

    name: str
    passed: bool
    checked: int
    skipped: int
    detail: str


@dataclass(slots=True)
class Tally:
    """Counts what a check looks at, and keeps its first faults."""

    name: str
    checked: int = 0
    skipped: int = 0
    faults: int = 0
    named: list[str] = field(default_factory=list)

    def fault(self, text: str, count: int = 1) -> None:
        """Note that something is wrong; `count` of a kind at once."""
        self.faults += count
        if len(self.named) < _MOST_NAMED:
            self.named.append(text)

    def result(self, detail: str = "") -> Check:
        """The check's answer; `detail` for the case that nothing is wrong."""
        if self.faults:
            more = self.faults - len(self.named)
            detail = "; ".join(self.named) + (f"; and {more} more" if more > 0 else "")
        return Check(self.name, not self.faults, self.checked, self.skipped, detail)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of whole blocks' rows: numbers of blocks, transactions, inputs and outputs from `first` up to `last`."""

    blocks: slice
    txs: slice
    inputs: slice
    outputs: slice
    first_tx: npt.NDArray[np.int64]  # [blocks + 1], counted from the run's own first transaction
    first_input: npt.NDArray[np.int64]  # [txs + 1], likewise
    first_output: npt.NDArray[np.int64]  # [txs + 1], likewise

    @property
    def tx_of_input(self) -> npt.NDArray[np.int64]:
        """int64[inputs]: the transaction of each input, counted from the run's first."""
        return np.repeat(np.arange(len(self.first_input) - 1), np.diff(self.first_input))


def runs(store: ChainStore, first: int = 0) -> Iterator[Run]:
    """The store from a block on, in runs of at most some hundred thousand transactions each (one block at least)."""
    blocks, txs = store.rows("block"), store.rows("tx")
    edges = np.append(store.column("block_first_tx"), np.uint32(txs)).astype(np.int64)
    while first < blocks:
        last = max(first + 1, int(np.searchsorted(edges, edges[first] + _RUN, side="right")) - 1)
        tx = slice(int(edges[first]), int(edges[last]))
        inputs = _edges(store, "tx_first_input", "input", tx)
        outputs = _edges(store, "tx_first_output", "output", tx)
        yield Run(
            blocks=slice(first, last),
            txs=tx,
            inputs=slice(int(inputs[0]), int(inputs[-1])),
            outputs=slice(int(outputs[0]), int(outputs[-1])),
            first_tx=edges[first : last + 1] - edges[first],
            first_input=inputs - inputs[0],
            first_output=outputs - outputs[0],
        )
        first = last


def _edges(store: ChainStore, column: str, table: str, tx: slice) -> npt.NDArray[np.int64]:
    firsts = store.column(column)
    end = firsts[tx.stop] if tx.stop < len(firsts) else store.rows(table)
    return np.append(firsts[tx], np.uint64(end)).astype(np.int64)


def check_shape(store: ChainStore, first: int = 0, holder: int = 0) -> Check:
    """First rows ascend and end where their tables end: what every other check relies on.

    Args:
        store: The store.
        first: The block to begin with; what is before it was checked.
        holder: Holders before this one were checked.
    """
    tally = Tally("rows")
    tx = int(store.column("block_first_tx")[first]) if first < store.rows("block") else store.rows("tx")
    for column, table, may_repeat, begin in (
        ("block_first_tx", "tx", False, first),
        ("tx_first_input", "input", True, tx),
        ("tx_first_output", "output", False, tx),
        ("holder_end", "payload", True, holder),
    ):
        edges = store.column(column)
        rows = store.rows(table)
        tally.checked += len(edges) - begin
        if column != "holder_end" and ((len(edges) and int(edges[0])) or (not len(edges) and rows)):
            tally.fault(f"{column} does not begin at 0")
        for place in range(max(0, begin - 1), len(edges), _RUN):
            part = np.asarray(edges[place : place + _RUN + 1])
            wrong = part[1:] < part[:-1] if may_repeat else part[1:] <= part[:-1]
            if wrong.any():
                tally.fault(f"{column} does not ascend after row {place + int(np.argmax(wrong))}", int(wrong.sum()))
        if len(edges) and int(edges[-1]) > rows:
            tally.fault(f"{column} ends at {int(edges[-1])}, and there are {rows} rows of {table}")
    return tally.result()
