"""The fingerprints of a range of transactions, an array for each attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_OUTPUT, NO_VALUE
from shieldwall.chain.graph import graph_of
from shieldwall.chain.mapping import places_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import FINAL
from shieldwall.kernels.engine import kernel
from shieldwall.kernels.profile_bits import (
    PROFILE_COINBASE,
    PROFILE_KIND_SHIFT,
    PROFILE_KINDS,
    PROFILE_LOCKED,
    PROFILE_REPLACEABLE,
    PROFILE_SEGWIT,
    PROFILE_UNKNOWN,
    PROFILE_VERSION,
)
from shieldwall.model.script import assemble

UNKNOWN = -1
NOTHING, IN_ORDER, OUT_OF_ORDER = 0, 1, 2  # of "bip69": fewer than two inputs and than two outputs; yes; no
SAME, ASCENDING, DESCENDING, MIXED = 0, 1, 2, 3  # of "output_order": one output or equal values; by value; neither

_COMPILED_FROM = 200_000  # transactions: what loading compiled kernels takes is about what these take in Python

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FingerprintTable:
    """The fingerprints of transactions `first` up to `first + n`.

    Attributes:
        first: Number of the first.
        columns: Name of an attribute -> int64[n], -1 for unknown: `version` (0 for another than 1, 2, 3), `locktime` (1: not 0),
            `replaceable`, `final`, `segwit` (1 as soon as one input is; unknown when none is and a holder is not known),
            `input_kinds` and `output_kinds` (sets, bit k for `ScriptKind` k), `inputs` and `outputs` (counts), `output_order`,
            `bip69`, `fee` (satoshi), `coinbase`.
    """

    first: int
    columns: Mapping[str, Codes]

    def row(self, transaction: int) -> dict[str, int]:
        """The codes of one transaction."""
        return {name: int(column[transaction - self.first]) for name, column in self.columns.items()}


def fingerprint_table(store: ChainStore, first: int, last: int) -> FingerprintTable:
    """The fingerprints of transactions `first` up to `last`; at least one.

    Raises:
        IndexError: No such transactions.
    """
    if not 0 <= first < last <= store.rows("tx"):
        raise IndexError(f"transactions {first} to {last} of {store.rows('tx')}")
    rows = _Rows(store, first, last)
    kinds = store.column("holder_kind")
    profiles = kernel("profiles", compiled=last - first >= _COMPILED_FROM)
    word = profiles.profile_bits(graph_of(store), kinds, first, last).astype(np.int64)
    unknown = (word & PROFILE_UNKNOWN) != 0
    coinbase = (word & PROFILE_COINBASE) != 0
    segwit = np.where((word & PROFILE_SEGWIT) != 0, 1, np.where(unknown, UNKNOWN, 0))
    paid_kinds = np.left_shift(1, kinds[store.column("output_holder")[rows.output_slice]].astype(np.int64))
    columns = {
        "version": word & PROFILE_VERSION,
        "locktime": ((word & PROFILE_LOCKED) != 0).astype(np.int64),
        "replaceable": ((word & PROFILE_REPLACEABLE) != 0).astype(np.int64),
        "final": ((store.column("tx_flags")[first:last] & FINAL) != 0).astype(np.int64),
        "segwit": segwit,
        "input_kinds": np.where(unknown, UNKNOWN, (word & PROFILE_KINDS) >> PROFILE_KIND_SHIFT),
        "output_kinds": np.bitwise_or.reduceat(paid_kinds, rows.outputs[:-1]),
        "inputs": np.diff(rows.inputs),
        "outputs": np.diff(rows.outputs),
        "output_order": _output_order(store, rows),
        "bip69": _bip69(store, rows),
        "fee": _fees(store, rows),
        "coinbase": coinbase.astype(np.int64),
    }
    return FingerprintTable(first, columns)


class _Rows:
    """Which inputs and outputs are whose: int64[n + 1] first rows from the range's own first on, and slices of the store."""

    def __init__(self, store: ChainStore, first: int, last: int) -> None:
        self.inputs, self.input_slice = _edges(store, "input", first, last)
        self.outputs, self.output_slice = _edges(store, "output", first, last)

    @staticmethod
    def inner(edges: Codes) -> Codes:
        """Rows whose row before is of the same transaction."""
        rows = np.arange(1, int(edges[-1]))
        return np.setdiff1d(rows, edges, assume_unique=False)


def _edges(store: ChainStore, table: str, first: int, last: int) -> tuple[Codes, slice]:
    firsts = store.column(f"tx_first_{table}")
    end = int(firsts[last]) if last < store.rows("tx") else store.rows(table)
    edges = np.append(np.asarray(firsts[first:last]).astype(np.int64), end)
    return edges - edges[0], slice(int(edges[0]), end)


def _of_rows(edges: Codes, rows: Codes) -> npt.NDArray[np.bool_]:
    """bool[n]: transactions that one of these rows is of."""
    found = np.zeros(len(edges) - 1, np.bool_)
    found[np.searchsorted(edges, rows, side="right") - 1] = True
    return found


def _output_order(store: ChainStore, rows: _Rows) -> Codes:
    values = store.column("output_value")[rows.output_slice]
    inner = rows.inner(rows.outputs)
    falls = _of_rows(rows.outputs, inner[values[inner] < values[inner - 1]])
    rises = _of_rows(rows.outputs, inner[values[inner] > values[inner - 1]])
    return np.select([falls & rises, falls, rises], [MIXED, DESCENDING, ASCENDING], SAME).astype(np.int64)


def _bip69(store: ChainStore, rows: _Rows) -> Codes:
    """Whether inputs and outputs stand as BIP 69 wants them.

    Inputs ascend by the previous txid as it is displayed (the BIP: "in reversed byte-order"), then by its index; outputs by
    value, then by the bytes of the locking script. Equal ones are in order.
    """
    outs, ins = rows.inner(rows.outputs), rows.inner(rows.inputs)
    values = store.column("output_value")[rows.output_slice]
    holders = store.column("output_holder")[rows.output_slice]
    wrong_outputs = values[outs] < values[outs - 1]
    for place in np.flatnonzero((values[outs] == values[outs - 1]) & (holders[outs] != holders[outs - 1])).tolist():
        before, here = int(holders[outs[place] - 1]), int(holders[outs[place]])
        wrong_outputs[place] = assemble(store.holder(here)) < assemble(store.holder(before))
    wrong = _of_rows(rows.outputs, outs[wrong_outputs])
    if len(ins):
        keys = _outpoints(store, rows)
        wrong |= _of_rows(rows.inputs, ins[_below(keys[ins], keys[ins - 1])])
    several = (np.diff(rows.inputs) > 1) | (np.diff(rows.outputs) > 1)
    return np.where(wrong, OUT_OF_ORDER, np.where(several, IN_ORDER, NOTHING)).astype(np.int64)


def _outpoints(store: ChainStore, rows: _Rows) -> npt.NDArray[np.uint64]:
    """uint64[i, 5]: what each input spends, as words that compare like BIP 69's: the displayed txid, then the index."""
    links = np.asarray(store.column("input_output")[rows.input_slice])
    here = links != np.uint64(NO_OUTPUT)
    keys = np.zeros((len(links), 5), np.uint64)
    txids = np.zeros((len(links), 32), np.uint8)
    makers = places_of(store.column("tx_first_output"), links[here], "right") - 1
    txids[here] = store.column("tx_txid")[makers]
    keys[here, 4] = links[here] - np.asarray(store.column("tx_first_output")[makers]).astype(np.uint64)
    gone = _outside(store, rows, ~here)
    txids[~here] = store.column("outside_txid")[gone]
    keys[~here, 4] = store.column("outside_index")[gone]
    keys[:, :4] = np.ascontiguousarray(txids[:, ::-1]).view(">u8")
    return keys


def _outside(store: ChainStore, rows: _Rows, gone: npt.NDArray[np.bool_]) -> Codes:
    """Rows of the table `outside` for the inputs that spend what is not in the store."""
    numbers = np.flatnonzero(gone) + rows.input_slice.start
    return places_of(store.column("outside_input"), numbers.astype(np.uint64))


def _below(one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """bool[k]: rows of `one` that come before those of `other`, word by word."""
    below = np.zeros(len(one), np.bool_)
    equal = np.ones(len(one), np.bool_)
    for word in range(one.shape[1]):
        below |= equal & (one[:, word] < other[:, word])
        equal &= one[:, word] == other[:, word]
    return below


def _fees(store: ChainStore, rows: _Rows) -> Codes:
    """Satoshi; -1 where a value is not known, and for coinbases. Running sums wrap, and their differences do not."""
    links = np.asarray(store.column("input_output")[rows.input_slice])
    here = links != np.uint64(NO_OUTPUT)
    brought = np.zeros(len(links), np.uint64)
    brought[here] = store.column("output_value")[links[here]]
    brought[~here] = store.column("outside_value")[_outside(store, rows, ~here)]
    unknown = brought == np.uint64(NO_VALUE)
    brought[unknown] = 0
    paid: Any = store.column("output_value")[rows.output_slice]
    fees = (_sums(brought, rows.inputs) - _sums(paid, rows.outputs)).astype(np.int64)
    told = (np.diff(rows.inputs) > 0) & (_sums(unknown.astype(np.uint64), rows.inputs) == 0)
    return np.where(told, fees, UNKNOWN)


def _sums(values: npt.NDArray[np.uint64], edges: Codes) -> npt.NDArray[np.uint64]:
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)))
    return running[edges[1:]] - running[edges[:-1]]
