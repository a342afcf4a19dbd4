"""What a chain store holds of many addresses: payments, amounts by state, last activity; exact, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HEIGHT, NO_HOLDER
from shieldwall.chain.many import STATES, makers, paid_outputs, spend_states
from shieldwall.chain.mapping import places_of
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.model.moment import utc

MOST_OUTPUTS = 20_000  # of one address, added up here; one with more is a service, and a trace's work
AMOUNTS = {
    SpendState.SPENT: "spent_amount",
    SpendState.SPENT_OUTSIDE: "spent_amount",
    SpendState.UNSPENT: "held_amount",
    SpendState.UNKNOWN: "unknown_amount",
    SpendState.UNSPENDABLE: "unspendable_amount",
}
NOTHING: dict[str, Any] = {
    "in_store": None, "outputs": None, "received_amount": None, **dict.fromkeys(AMOUNTS.values()),
    "last_height": None, "last_time": None, "linked": [],
}  # fmt: skip
"""The fields of a row where there is no store of its network."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Addresses of a store's network, and everything paid to them.

    Attributes:
        own: uint32[n, 2], holder and the same key's other form, `NO_HOLDER` for none.
        first: int64[n + 1], first place of each address's outputs.
        outputs: uint64[m], by address, ascending; none of those with more than `MOST_OUTPUTS`.
        counts: int64[n], how many there are.
        latest: int64[n], number of the last output; without meaning where there is none.
        linked: bool[n], whether the other form was paid.
    """

    own: npt.NDArray[np.uint32]
    first: npt.NDArray[np.int64]
    outputs: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    latest: npt.NDArray[np.int64]
    linked: npt.NDArray[np.bool_]

    @property
    def too_many(self) -> npt.NDArray[np.bool_]:
        """bool[n]: more outputs than are added up here."""
        return self.counts > MOST_OUTPUTS


class HoldingsOf:
    """Finds what was paid to addresses; remembers which of them have too many outputs to be gathered twice.

    Args:
        store: The chain.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store
        self._large: dict[int, tuple[int, int]] = {}

    def of(self, names: Sequence[str]) -> Holdings:
        """The holdings of addresses, each once."""
        own = np.stack((self._store.find_addresses(names), self._store.find_same_addresses(names)), axis=1)
        counts, latest = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        linked = np.zeros(len(names), bool)
        outputs, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for side in range(2):
            there = np.flatnonzero(own[:, side] != NO_HOLDER)
            large = np.array([holder in self._large for holder in own[there, side].tolist()], bool)
            for place in there[large].tolist():
                count, last = self._large[int(own[place, side])]
                counts[place] += count
                latest[place] = max(int(latest[place]), last)
                linked[place] |= side == 1
            there = there[~large]
            found, places = paid_outputs(self._store, own[there, side])
            size = np.bincount(places, minlength=len(there))
            paid = np.flatnonzero(size)
            last_of = found[np.cumsum(size)[paid] - 1].astype(np.int64)
            for place in np.flatnonzero(size[paid] > MOST_OUTPUTS).tolist():
                self._large[int(own[there[paid[place]], side])] = int(size[paid[place]]), int(last_of[place])
            counts[there] += size
            latest[there[paid]] = np.maximum(latest[there[paid]], last_of)
            linked[there[paid]] |= side == 1
            outputs.append(found)
            rows.append(there[places])
        every, row = np.concatenate(outputs), np.concatenate(rows)
        kept = counts[row] <= MOST_OUTPUTS
        every, row = every[kept], row[kept]
        order = np.lexsort((every, row))
        first = np.searchsorted(row[order], np.arange(len(names) + 1)).astype(np.int64)
        return Holdings(own, first, every[order], counts, latest, linked)


def figures(store: ChainStore, held: Holdings) -> list[dict[str, Any]]:
    """The fields of a row for each address: null where there is too much to add up here."""
    rows = [{**NOTHING, "in_store": bool(count), "outputs": count or None} for count in held.counts.tolist()]
    for place in np.flatnonzero(held.linked).tolist():
        rows[place]["linked"] = [store.identity(int(held.own[place, 1]))]
    last = makers(store, held.latest.astype(np.uint64))
    some = np.flatnonzero(np.diff(held.first))
    if len(some):
        begin = held.first[some]
        value = store.column("output_value")[held.outputs].astype(np.int64)
        states = spend_states(store, held.outputs)
        sums = {name: np.zeros(len(some), np.int64) for name in dict.fromkeys(AMOUNTS.values())}
        for code, state in enumerate(STATES):
            sums[AMOUNTS[state]] += np.add.reduceat(np.where(states == code, value, 0), begin)
        received = np.add.reduceat(value, begin)
        spender = store.column("output_spender")[held.outputs].astype(np.int64)
        latest = np.maximum.reduceat(np.where(spender < store.rows("tx"), spender, 0), begin)
        last[some] = np.maximum(latest, last[some])
        columns = [received.tolist(), *(column.tolist() for column in sums.values())]
        for place, *amounts in zip(some.tolist(), *columns, strict=True):
            rows[place].update(zip(("received_amount", *sums), amounts, strict=True))
    paid = np.flatnonzero(held.counts)
    for place, height, time in zip(paid.tolist(), *_moments(store, last[paid]), strict=True):
        rows[place]["last_height"], rows[place]["last_time"] = height, time
    return rows


def _moments(store: ChainStore, transactions: Array) -> tuple[list[int | None], list[str]]:
    blocks = places_of(store.column("block_first_tx"), transactions, "right") - 1
    heights = store.column("block_height")[blocks].tolist()
    times = [_utc(time) for time in store.column("block_time")[blocks].tolist()]
    return [None if height == NO_HEIGHT else height for height in heights], times


@lru_cache(1 << 16)
def _utc(seconds: int) -> str:
    return utc(seconds)
