"""Many outputs and holders of a store at once: what `ChainStore` answers for one, over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import STATED_UNSPENT, UNSPENDABLE
from shieldwall.chain.mapping import places_of
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore

STATES = (
    SpendState.SPENT, SpendState.SPENT_OUTSIDE, SpendState.UNSPENT, SpendState.UNKNOWN, SpendState.UNSPENDABLE,
)  # fmt: skip
"""What the codes of `spend_states` stand for."""
_SPENT, _OUTSIDE, _UNSPENT, _UNKNOWN, _UNSPENDABLE = range(5)

Array = npt.NDArray[Any]


def spend_states(store: ChainStore, outputs: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """uint8[k]: where each output, uint64[k], stands as of the tip: a place in `STATES`; as `ChainStore.spend` says."""
    spender = store.column("output_spender")[outputs]
    states = np.full(len(outputs), _UNKNOWN if store.followed_from_tx else _UNSPENT, np.uint8)
    if store.followed_from_tx:
        states[makers(store, outputs) >= store.followed_from_tx] = _UNSPENT
    stated = store.column("stated_output")
    if len(stated):
        rows = places_of(stated, outputs).clip(max=len(stated) - 1)
        said = stated[rows] == outputs
        rows = rows[said]
        outside = (store.column("stated_txid")[rows] != np.frombuffer(STATED_UNSPENT, np.uint8)).any(axis=1)
        unspent = ~outside & (store.column("stated_height")[rows] >= store.stated_from)
        found = states[said]
        found[outside], found[unspent] = _OUTSIDE, _UNSPENT
        states[said] = found
    states[spender == UNSPENDABLE] = _UNSPENDABLE
    states[spender < store.rows("tx")] = _SPENT
    return states


def makers(store: ChainStore, outputs: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """int64[k]: the transaction that made each output."""
    return places_of(store.column("tx_first_output"), outputs, "right") - 1


def paid_outputs(
    store: ChainStore, holders: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The outputs paid to each of `holders`: uint64[m], by holder in the order given, ascending within a run of the index;
    int64[m], the place in `holders` of each.
    """
    outputs: list[Array] = []
    owners: list[Array] = []
    for run in store.manifest.runs:
        named = store.index(run, "paid_holder")
        first = store.index(run, "paid_first")
        rows = holders.astype(np.int64)
        there = rows + 1 < len(first)
        if len(named):
            rows = named.searchsorted(holders.astype(named.dtype)).astype(np.int64)
            there = rows < len(named)
            there[there] = named[rows[there]] == holders[there]
        places = np.flatnonzero(there)
        begin = np.asarray(first[rows[places]], np.int64)
        counts = np.asarray(first[rows[places] + 1], np.int64) - begin
        owners.append(np.repeat(places, counts))
        outputs.append(store.index(run, "paid_output")[spread(begin, counts)])
    covered = store.manifest.indexed["output"]
    if covered < store.rows("output"):  # a build that goes on, or was stopped
        late = store.column("output_holder")[covered:]
        order = np.argsort(holders, kind="stable")
        places = holders[order].searchsorted(late).clip(max=max(0, len(holders) - 1))
        hit = np.flatnonzero(holders[order][places] == late) if len(holders) else np.empty(0, np.int64)
        outputs.append((hit + covered).astype(np.uint64))
        owners.append(order[places[hit]])
    if not outputs:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    found, owner = np.concatenate(outputs).astype(np.uint64), np.concatenate(owners).astype(np.int64)
    order = np.argsort(owner, kind="stable")
    return found[order], owner[order]


def outside_spends(
    store: ChainStore, holders: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """What holders spend of outputs that are not in the store.

    Returns:
        int64[m], the transaction that spends; int64[m], the place in `holders` of who spends; uint64[m], satoshi, `NO_VALUE`
        where nobody gives it.
    """
    outside = store.column("outside_input")[:]
    order = np.argsort(holders, kind="stable")
    known = store.column("input_holder")[outside.astype(np.int64)]
    places = holders[order].searchsorted(known).clip(max=max(0, len(holders) - 1))
    rows = np.flatnonzero(holders[order][places] == known) if len(holders) and len(outside) else np.empty(0, np.int64)
    transactions = places_of(store.column("tx_first_input"), outside[rows], "right") - 1
    return transactions, order[places[rows]], store.column("outside_value")[rows]


def payers(
    store: ChainStore, transactions: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The holders of what transactions spend: uint32[m], by transaction; int64[m], the place of the transaction."""
    begin, counts = _rows(store, "tx_first_input", "input", transactions)
    holders: npt.NDArray[np.uint32] = store.column("input_holder")[spread(begin, counts)]
    return holders, np.repeat(np.arange(len(transactions)), counts)


def payees(
    store: ChainStore, transactions: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The outputs of transactions: uint64[m], by transaction; int64[m], the place of the transaction."""
    begin, counts = _rows(store, "tx_first_output", "output", transactions)
    return spread(begin, counts).astype(np.uint64), np.repeat(np.arange(len(transactions)), counts)


def _rows(store: ChainStore, column: str, table: str, transactions: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    firsts = store.column(column)
    begin = np.asarray(firsts[transactions], np.int64)
    after = np.minimum(transactions + 1, max(0, len(firsts) - 1))
    end = np.where(transactions + 1 < len(firsts), np.asarray(firsts[after], np.int64), store.rows(table))
    return begin, end - begin


def spread(begin: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """begin[0], begin[0] + 1, ... for counts[0] numbers, then from begin[1], and so on."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    numbers: npt.NDArray[np.int64] = np.arange(total) + np.repeat(begin - (ends - counts), counts)
    return numbers
