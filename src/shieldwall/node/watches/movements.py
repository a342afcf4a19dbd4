"""Find in a chain store, and among what waits for a block, what moves of a watched thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HEIGHT, NO_VALUE, STATED_UNSPENT
from shieldwall.chain.many import makers, outside_spends, paid_outputs
from shieldwall.chain.mapping import places_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput
from shieldwall.model import address
from shieldwall.model.script import Script
from shieldwall.model.transaction import display, internal
from shieldwall.node.watches.looking import RECEIVED, SPENT, WAITING, Movement, Paid, Tip

if TYPE_CHECKING:
    from shieldwall.chain.unconfirmed import Pending, Unconfirmed
    from shieldwall.trace.clusters.clustering import Clustering

_FEW = 1000  # holders whose scripts are all made
MOST_SHOWN = 20  # payments of a transaction that an alarm names

Holders = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Watched:
    """What is watched, in one chain store as it stands.

    Attributes:
        holders: uint32[h], ascending: whose money it is.
        outputs: uint64[k], ascending: all that was paid to them; of the end of a trace, its outputs alone.
        scripts: Scripts whose payments that wait for a block are of interest; none of the end of a trace.
    """

    holders: Holders
    outputs: npt.NDArray[np.uint64]
    scripts: frozenset[Script] = field(default=frozenset())


def tip_of(store: ChainStore) -> Tip:
    """Where a store ends."""
    return Tip(height=store.tip_height, hash=store.tip_hash)


def watched_address(store: ChainStore, text: str) -> Watched:
    """An address, and the same key in its other form.

    Raises:
        UnknownAddress: It is no address of the store's network.
    """
    script = address.decode(text, store.network)
    found = (store.find_holder(script), store.same_key(script))
    return _of_holders(store, np.array(sorted({each for each in found if each is not None}), np.uint32), (script,))


def watched_cluster(store: ChainStore, text: str, clustering: Clustering) -> Watched:
    """All addresses of the cluster that an address is in, as the clustering stands; the address alone where it is in none.

    Raises:
        UnknownAddress: It is no address of the store's network.
    """
    one = watched_address(store, text)
    if not len(one.holders):
        return one
    clusters = np.unique(clustering.clusters_of(one.holders))
    members = np.concatenate([clustering.members(int(cluster)) for cluster in clusters])
    return _of_holders(store, np.union1d(one.holders, members).astype(np.uint32), one.scripts)


def watched_outputs(store: ChainStore, outpoints: Sequence[tuple[str, int]]) -> Watched:
    """Outputs by display txid and index; those that the store does not hold are left out."""
    found = []
    for txid, index in outpoints:
        transaction = store.find_transaction(internal(txid))
        if transaction is not None and index < len(store.output_range(transaction)):
            found.append(store.output_range(transaction)[index])
    return Watched(np.empty(0, np.uint32), np.array(sorted(set(found)), np.uint64))


def _of_holders(store: ChainStore, holders: Holders, scripts: Iterable[Script]) -> Watched:
    outputs, _ = paid_outputs(store, holders)
    return Watched(holders, np.sort(outputs), frozenset(scripts))


def movements(store: ChainStore, watched: Watched, above: int = -1) -> dict[str, Movement]:
    """By txid, what moved in blocks above a height; those whose height is not known among it.

    Args:
        store: The chain.
        watched: In that store.
        above: A height.
    """
    outputs = watched.outputs
    received = _sums(store, makers(store, outputs), store.column("output_value")[outputs], above)
    spender = store.column("output_spender")[outputs].astype(np.int64)
    inside = spender < store.rows("tx")
    spent = _sums(store, spender[inside], store.column("output_value")[outputs[inside]], above)
    unknown: set[int] = set()
    if len(watched.holders):
        transactions, _, values = outside_spends(store, watched.holders)
        told = values != np.uint64(NO_VALUE)
        for transaction, amount in _sums(store, transactions[told], values[told], above).items():
            spent[transaction] = spent.get(transaction, 0) + amount
        unknown = set(_recent(store, transactions[~told], above)[0].tolist())
    found = {}
    for transaction in sorted({*received, *spent, *unknown}):
        movement = _movement(store, watched, transaction, received, spent, unknown)
        found[movement.txid] = movement
    return {**_told_by_source(store, outputs), **found}


def still_there(store: ChainStore, txids: Iterable[str]) -> frozenset[str]:
    """Those transactions that the store holds."""
    return frozenset(txid for txid in txids if store.find_transaction(internal(txid)) is not None)


def _recent(
    store: ChainStore, transactions: npt.NDArray[np.int64], above: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The transactions in blocks above a height, and which of those given they are."""
    if not len(transactions):
        return transactions, np.empty(0, np.bool_)
    blocks = places_of(store.column("block_first_tx"), transactions, "right") - 1
    chosen = store.column("block_height")[blocks].astype(np.int64) > above  # NO_HEIGHT is above all
    return transactions[chosen], chosen


def _sums(
    store: ChainStore, transactions: npt.NDArray[np.int64], values: npt.NDArray[np.uint64], above: int
) -> dict[int, int]:
    """Satoshi by transaction, of those in blocks above a height; whole numbers of any size."""
    recent, chosen = _recent(store, transactions, above)
    found: dict[int, int] = {}
    for transaction, value in zip(recent.tolist(), values[chosen].tolist(), strict=True):
        found[transaction] = found.get(transaction, 0) + value
    return found


def _movement(
    store: ChainStore,
    watched: Watched,
    transaction: int,
    received: Mapping[int, int],
    spent: Mapping[int, int],
    unknown: set[int],
) -> Movement:
    moved = transaction in spent or transaction in unknown
    own = received.get(transaction, 0)
    numbers = store.output_range(transaction)
    holders = store.column("output_holder")[numbers.start : numbers.stop].tolist()
    values = store.values(transaction)
    places = watched.holders.searchsorted(np.array(holders, np.uint32)).tolist()
    payments = []
    for index, (holder, value, place) in enumerate(zip(holders, values, places, strict=True)):
        watched_too = place < len(watched.holders) and int(watched.holders[place]) == holder
        if value and watched_too != moved:  # of a spend where the money went, of a receipt where it came in
            payments.append((value, index, holder))
    payments.sort(key=lambda each: (-each[0], each[1]))
    shown = [
        Paid(to=store.identity(holder), amount=value, index=index) for value, index, holder in payments[:MOST_SHOWN]
    ]
    height = store.height_of(transaction)
    return Movement(
        kind=SPENT if moved else RECEIVED,
        txid=store.txid(transaction),
        amount=None if transaction in unknown else spent[transaction] if moved else own,
        returned=own if moved else 0,
        height=None if height == NO_HEIGHT else height,
        time=store.time_of(transaction),
        to=tuple(shown),
        left=len(payments) - len(shown),
    )


def _told_by_source(store: ChainStore, outputs: npt.NDArray[np.uint64]) -> dict[str, Movement]:
    """Spends that a source names, by transactions that the store does not hold."""
    stated = store.column("stated_output")
    if not len(stated) or not len(outputs):
        return {}
    rows = places_of(stated, outputs).clip(max=len(stated) - 1)
    found: dict[str, Movement] = {}
    for row, output in zip(rows.tolist(), outputs.tolist(), strict=True):
        raw = store.column("stated_txid")[row].tobytes()
        if int(stated[row]) != output or raw == STATED_UNSPENT:
            continue
        txid, value = display(raw), int(store.column("output_value")[output])
        before = found.get(txid)
        amount = value + (before.amount or 0 if before else 0)
        found[txid] = Movement(kind=SPENT, txid=txid, amount=amount)
    return found


class WaitingRoom:
    """What waits for a block, by whom it would pay and whose money it would spend; kept from look to look."""

    def __init__(self) -> None:
        self._spends: dict[str, tuple[tuple[Script, int] | None, ...]] = {}
        self._layer: Unconfirmed | None = None
        self._by_script: dict[Script, set[str]] = {}
        self._holders: Holders | None = None

    def enter(self, store: ChainStore, layer: Unconfirmed) -> None:
        """Take in what a node knows now."""
        self._layer, self._holders = layer, None
        self._spends = {
            pending.txid: self._spends.get(pending.txid) or self._resolved(store, layer, pending)
            for pending in layer.transactions
        }
        self._by_script = {}
        for pending in layer.transactions:
            for spend in self._spends[pending.txid]:
                if spend is not None:
                    self._by_script.setdefault(spend[0], set()).add(pending.txid)
            for script, _ in pending.pays:
                self._by_script.setdefault(script, set()).add(pending.txid)

    def movements(self, store: ChainStore, watched: Watched) -> dict[str, Movement]:
        """By txid, what would move of a watched thing."""
        if self._layer is None:
            return {}
        scripts = {*watched.scripts, *(store.holder(int(holder)) for holder in self._named(store, watched.holders))}
        chosen = {txid for script in scripts for txid in self._by_script.get(script, ())}
        found = {}
        for txid in sorted(chosen):
            pending = self._layer.find(txid)
            if pending is not None:
                found[txid] = self._movement(store, pending, scripts)
        if not scripts:  # the end of a trace: outputs, and not whose they are
            found |= self._of_outputs(store, watched)
        return found

    def _named(self, store: ChainStore, holders: Holders) -> Holders:
        """Those holders that a waiting transaction may name: all of few, of many those that one does name."""
        if len(holders) <= _FEW:
            return holders
        if self._holders is None:
            numbers = {store.find_holder(script) for script in self._by_script}
            self._holders = np.array(sorted(number for number in numbers if number is not None), np.uint32)
        return np.intersect1d(holders, self._holders)

    def _movement(self, store: ChainStore, pending: Pending, scripts: set[Script]) -> Movement:
        spends = [spend for spend in self._spends[pending.txid] if spend is not None and spend[0] in scripts]
        own = sum(value for script, value in pending.pays if script in scripts)
        moved = bool(spends)
        shown, left = _payments(store, pending, lambda script: (script in scripts) != moved)
        return Movement(
            kind=WAITING,
            txid=pending.txid,
            amount=sum(value for _, value in spends) if moved else own,
            returned=own if moved else 0,
            to=shown,
            left=left,
        )

    def _of_outputs(self, store: ChainStore, watched: Watched) -> dict[str, Movement]:
        found: dict[str, Movement] = {}
        for output in watched.outputs.tolist():
            pending = self._layer.spender(*store.outpoint(output)) if self._layer else None
            if pending is None:
                continue
            value = int(store.column("output_value")[output])
            before = found.get(pending.txid)
            amount = value + (before.amount or 0 if before else 0)
            shown, left = _payments(store, pending, lambda _: True)
            found[pending.txid] = Movement(kind=WAITING, txid=pending.txid, amount=amount, to=shown, left=left)
        return found

    def _resolved(
        self, store: ChainStore, layer: Unconfirmed, pending: Pending
    ) -> tuple[tuple[Script, int] | None, ...]:
        """Script and value of what a transaction would spend; None for what neither store nor node tells."""
        found: list[tuple[Script, int] | None] = []
        for txid, index in pending.spends:
            parent = layer.find(txid)
            if parent is not None and index < len(parent.pays):
                found.append(parent.pays[index])
                continue
            transaction = store.find_transaction(internal(txid))
            numbers = range(0) if transaction is None else store.output_range(transaction)
            if index >= len(numbers):
                found.append(None)
                continue
            holder = int(store.column("output_holder")[numbers[index]])
            found.append((store.holder(holder), int(store.column("output_value")[numbers[index]])))
        return tuple(found)


def _payments(store: ChainStore, pending: Pending, chosen: Callable[[Script], bool]) -> tuple[tuple[Paid, ...], int]:
    """`to` and `left` of a movement that waits."""
    payments = [
        (value, index, script) for index, (script, value) in enumerate(pending.pays) if value and chosen(script)
    ]
    payments.sort(key=lambda each: (-each[0], each[1]))
    shown = [
        Paid(to=address.identity(script, store.network), amount=value, index=index)
        for value, index, script in payments[:MOST_SHOWN]
    ]
    return tuple(shown), len(payments) - len(shown)


def check_address(store: ChainStore, text: str) -> str:
    """An address as it is written, to be watched.

    Raises:
        UnknownAddress: It is no address of the store's network.
        BadInput: Money that is paid there cannot be spent.
    """
    script = address.decode(text.strip(), store.network)
    if script.unspendable:
        raise BadInput("what is paid there can never move")
    return address.identity(script, store.network)
