"""Why two holders are in one cluster: the fewest transactions that join them, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.graph import graph_of
from shieldwall.chain.many import makers, outside_spends, paid_outputs, payers
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import TWO_NAMES
from shieldwall.kernels.engine import EngineName
from shieldwall.model.moment import utc
from shieldwall.trace.clusters.building import Changes
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.left_out import BLOCKING, coinjoins
from shieldwall.trace.clusters.rules import DROP

CO_SPEND, CHANGE = "co-spend", "change"
MOST = 200_000  # transactions looked at; some seconds

Holders = npt.NDArray[np.uint32]
Transactions = npt.NDArray[np.int64]
_Known = dict[int, tuple[int, int, str]]  # holder -> (transaction, holder before it, rule)


@dataclass(frozen=True, slots=True)
class Reason:
    """The way from one holder to another.

    Attributes:
        joined: False where the clustering has them apart, so that there is no way.
        steps: The transactions in the order of the way, as plain JSON values; [] where both are one, or none was found.
        looked_at: Transactions looked at.
        cut: True where the search was cut short, so that no way is known although there is one.
    """

    joined: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    looked_at: int = 0
    cut: bool = False


class Reasons:
    """Looks for the transactions that join the members of clusters.

    Args:
        store: The chain.
        clustering: The clustering of it.
        changes: Its change rule; None where it has none.
        services: uint32[k], ascending: holders that tags call services, as the clustering was given them (JoinMarket's veto).
        engine: Which kernels.
        most: Transactions to look at.
    """

    def __init__(
        self,
        store: ChainStore,
        clustering: Clustering,
        *,
        changes: Changes | None = None,
        services: Holders | None = None,
        engine: EngineName = "auto",
        most: int = MOST,
    ) -> None:
        self._store = store
        self._graph = graph_of(store)
        self._clustering = clustering
        self._changes = changes
        self._services = np.empty(0, np.uint32) if services is None else services
        self._engine = engine
        self._most = most
        self._drops = clustering.body["parameters"]["coinjoin"] == DROP
        refused = clustering.refused[:, :2].tolist()
        self._apart = frozenset(transaction for transaction, why in refused if why == TWO_NAMES)
        self._without_change = frozenset(transaction for transaction, _ in refused)

    def between(self, one: int, other: int) -> Reason:
        """The way with the fewest transactions, by a search from both ends; of equals the one through earlier ones."""
        cluster = self._clustering.cluster_of(one)
        if cluster != self._clustering.cluster_of(other):
            return Reason(joined=False)
        if one == other:
            return Reason(joined=True)
        sides: tuple[_Known, _Known] = ({one: (-1, -1, "")}, {other: (-1, -1, "")})
        fronts = [np.array([one], np.uint32), np.array([other], np.uint32)]
        passed: tuple[set[int], set[int]] = (set(), set())
        while all(map(len, fronts)):
            if len(passed[0] | passed[1]) > self._most:
                return Reason(joined=True, looked_at=len(passed[0] | passed[1]), cut=True)
            side = int(len(fronts[1]) < len(fronts[0]))
            fronts[side] = self._widen(fronts[side], sides[side], passed[side], cluster)
            met = sorted(set(fronts[side].tolist()) & sides[1 - side].keys())
            if met:
                way = self._way(sides[0], sides[1], met[0])
                return Reason(
                    joined=True, steps=[self._step(*hop) for hop in way], looked_at=len(passed[0] | passed[1])
                )
        return Reason(joined=True, looked_at=len(passed[0] | passed[1]), cut=True)

    def _widen(self, front: Holders, known: _Known, passed: set[int], cluster: int) -> Holders:
        """The holders one transaction further than `front`; `known` learns how they were come by."""
        outputs, owner = paid_outputs(self._store, front)
        spender = self._graph.spender[outputs].astype(np.int64)
        spent = spender < self._store.rows("tx")
        outside, who, _ = outside_spends(self._store, front)
        transactions = np.concatenate([spender[spent], outside])
        found: list[int] = []
        found += self._over(transactions, front[np.concatenate([owner[spent], who])], known, passed, cluster)
        if self._changes is not None:
            found += self._from_change(outputs, front[owner], known, cluster)
        return np.array(found, np.uint32)

    def _over(
        self, transactions: Transactions, via: Holders, known: _Known, passed: set[int], cluster: int
    ) -> list[int]:
        """Those who pay, and take change, in transactions that holders `via` pay in."""
        numbers, first = np.unique(transactions, return_index=True)
        fresh = [place for place, number in enumerate(numbers.tolist()) if number not in passed]
        numbers, first = numbers[fresh], first[fresh]
        passed.update(numbers.tolist())
        found: list[int] = []
        holders, place = payers(self._store, numbers)
        inside = np.array(self._clustering.clusters_of(holders) == cluster) & (holders != NO_HOLDER)
        several = np.bincount(place[inside], minlength=len(numbers)) > 1
        for k in np.flatnonzero(several if self._changes is None else np.ones(len(numbers), bool)).tolist():
            transaction, before = int(numbers[k]), int(via[first[k]])
            if self._joins_nobody(transaction):
                continue
            begin, end = np.searchsorted(place, [k, k + 1])
            for holder in holders[begin:end][inside[begin:end]].tolist():
                self._note(holder, (transaction, before, CO_SPEND), known, found)
            output = self._change(transaction)
            if output >= 0:
                holder = int(self._graph.holder[output])
                if self._clustering.cluster_of(holder) == cluster:
                    self._note(holder, (transaction, before, CHANGE), known, found)
        return found

    def _from_change(self, outputs: npt.NDArray[np.uint64], owners: Holders, known: _Known, cluster: int) -> list[int]:
        """Those who paid what holders of the front took as change."""
        found: list[int] = []
        for output, owner, maker in zip(
            outputs.tolist(), owners.tolist(), makers(self._store, outputs).tolist(), strict=True
        ):
            if self._change(maker) != output or self._joins_nobody(maker):
                continue
            for holder in np.unique(payers(self._store, np.array([maker]))[0]).tolist():
                if holder != NO_HOLDER and self._clustering.cluster_of(holder) == cluster:
                    self._note(holder, (maker, owner, CHANGE), known, found)
        return found

    @staticmethod
    def _note(holder: int, how: tuple[int, int, str], known: _Known, found: list[int]) -> None:
        if holder not in known:
            known[holder] = how
            found.append(holder)

    def _joins_nobody(self, transaction: int) -> bool:
        if transaction in self._apart:
            return True
        if not self._drops:
            return False
        kinds = coinjoins(self._store, self._graph, transaction, transaction + 1, self._services, self._engine)
        return int(kinds[0]) in BLOCKING

    def _change(self, transaction: int) -> int:
        if self._changes is None or transaction in self._without_change:
            return -1
        return self._changes.output(transaction)

    @staticmethod
    def _way(near: _Known, far: _Known, meeting: int) -> list[tuple[int, int, int, str]]:
        """(transaction, holder before, holder after, rule) from the one end to the other."""
        way: list[tuple[int, int, int, str]] = []
        at = meeting
        while near[at][0] >= 0:
            transaction, before, rule = near[at]
            way.insert(0, (transaction, before, at, rule))
            at = before
        at = meeting
        while far[at][0] >= 0:
            transaction, before, rule = far[at]
            way.append((transaction, at, before, rule))
            at = before
        return way

    def _step(self, transaction: int, before: int, after: int, rule: str) -> dict[str, Any]:
        store = self._store
        return {
            "txid": store.txid(transaction),
            "height": store.height_of(transaction),
            "time": utc(store.time_of(transaction)),
            "rule": rule,
            "from": store.identity(before),
            "to": store.identity(after),
            "proof": store.proof_of(transaction),
        }
