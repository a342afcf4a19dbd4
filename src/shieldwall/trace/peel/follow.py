"""Follow a peel chain forward from a transaction, or from the output that it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.many import payers
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, UsageError
from shieldwall.model.moment import utc
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.peel.chain import LIMIT, Hop, PeelChain, Peeled
from shieldwall.trace.peel.next_hop import FOUND, UNKNOWN, UNSPENT, NextHop, next_hop
from shieldwall.trace.peel.profile import ClusterProfile, profile_of
from shieldwall.trace.peel.rules import FIND_NEXT2, PeelRule, rule_named

MOST_HOPS = 1000
_ALL_LEFT = "the chain ends in this transaction"


@dataclass(frozen=True, slots=True)
class PeelLimits:
    """Where to stop.

    Attributes:
        hops: Followed at most.
    """

    hops: int = MOST_HOPS

    def __post_init__(self) -> None:
        if self.hops < 1:
            raise UsageError(f"a peel chain of at most {self.hops} hops", hint="use 1 or more")


def follow_peel(
    store: ChainStore,
    clustering: Clustering,
    transaction: int | None = None,
    output: int | None = None,
    rule: str = FIND_NEXT2,
    limits: PeelLimits | None = None,
    labels: Labels | None = None,
) -> PeelChain:
    """The peel chain that begins in a transaction, or with an output, of the store.

    The cluster of those who pay in the first transaction gives the profile that every hop is held to. A rule is asked for each
    transaction in turn; the chain ends where it names no output.

    Args:
        store: The chain.
        clustering: A clustering of it; the published rules mean one by co-spend.
        transaction: Number of the first transaction; or
        output: number of the output that the first transaction spends.
        rule: "find-next" or "find-next2".
        limits: Where to stop.
        labels: What tags say of who is paid.

    Raises:
        UsageError: Neither a transaction nor an output, or both; no such rule.
        BadInput: A coinbase, which nobody pays.
    """
    if (transaction is None) == (output is None):
        raise UsageError("a peel chain begins in a transaction or with an output", hint="name one of both")
    walk = _Walk(store, clustering, rule_named(rule), limits or PeelLimits(), labels or NoLabels())
    if output is not None:
        return walk.from_output(output)
    assert transaction is not None  # noqa: S101 - for the type
    return walk.from_transaction(transaction, store.txid(transaction))


class _Walk:
    """One chain while it is followed."""

    def __init__(
        self, store: ChainStore, clustering: Clustering, rule: PeelRule, limits: PeelLimits, labels: Labels
    ) -> None:
        self._store = store
        self._clustering = clustering
        self._rule = rule
        self._limits = limits
        self._labels = labels
        self._holders = store.column("output_holder")
        self._values = store.column("output_value")

    def from_output(self, output: int) -> PeelChain:
        """The chain whose first transaction spends the output."""
        txid, index = self._store.outpoint(output)
        start = f"{txid}:{index}"
        spend = self._store.spend(output)
        if spend.transaction is not None:
            return self.from_transaction(spend.transaction, start)
        told = {
            SpendState.UNSPENT: (UNSPENT, f"{start} is unspent"),
            SpendState.UNSPENDABLE: ("no candidate", f"nobody can ever spend {start}"),
            SpendState.SPENT_OUTSIDE: (UNKNOWN, f"the transaction that spends {start} is not in this store"),
        }
        end, reason = told.get(spend.state, (UNKNOWN, f"it is not known whether {start} is spent"))
        return self._chain(start, None, [], None, end, reason)

    def from_transaction(self, transaction: int, start: str) -> PeelChain:
        """The chain that begins in a transaction."""
        if self._store.is_coinbase(transaction):
            raise BadInput(
                f"{start}: a coinbase, which nobody pays",
                hint="name the transaction that spends it, or its output as TXID:N",
            )
        clusters, unknown = self._payers(transaction)
        if unknown or len(clusters) != 1:
            why = f"{unknown} of its payers are not known" if unknown else f"its payers are of {len(clusters)} clusters"
            last = self._hop(transaction, None, None, frozenset(clusters))
            return self._chain(start, None, [], last, UNKNOWN, f"{why}, so that no cluster gives a profile")
        profile = profile_of(self._store, self._clustering, clusters[0])
        return self._follow(transaction, start, profile)

    def _follow(self, transaction: int, start: str, profile: ClusterProfile) -> PeelChain:
        own = {profile.cluster}
        hops: list[Hop] = []
        came: int | None = None
        while True:
            found = next_hop(self._store, self._clustering, transaction, profile, self._rule, frozenset(own))
            full = len(hops) == self._limits.hops
            if found.verdict != FOUND or full or found.chosen is None or found.chosen.spender is None:
                last = self._hop(transaction, came, found, frozenset(own), ended=True)
                end, reason = (LIMIT, f"limit: {len(hops)} hops") if full else (found.verdict, found.why)
                return self._chain(start, profile, hops, last, end, reason)
            hops.append(self._hop(transaction, came, found, frozenset(own)))
            came, transaction = found.chosen.output, found.chosen.spender
            own.update(self._payers(transaction)[0])

    def _payers(self, transaction: int) -> tuple[list[int], int]:
        """The clusters that pay in a transaction, and how many of its payers are not known."""
        holders = payers(self._store, np.array([transaction], np.int64))[0]
        known = holders[holders != NO_HOLDER]
        return np.unique(self._clustering.clusters_of(known)).tolist(), len(holders) - len(known)

    def _hop(
        self, transaction: int, came: int | None, found: NextHop | None, own: frozenset[int], *, ended: bool = False
    ) -> Hop:
        store = self._store
        links, brought = store.links(transaction)
        whole = None if None in brought else sum(value or 0 for value in brought)
        amount = whole if came is None else int(self._values[came])
        chosen = None if found is None or ended else found.chosen
        numbers = store.output_range(transaction)
        reasons = [entry.why for entry in found.judged] if found else [_ALL_LEFT] * len(numbers)
        peeled = tuple(
            self._peeled(number, number - numbers.start, own, why)
            for number, why in zip(numbers, reasons, strict=True)
            if chosen is None or number != chosen.output
        )
        return Hop(
            txid=store.txid(transaction),
            height=store.height_of(transaction),
            time=utc(store.time_of(transaction)),
            proof=store.proof_of(transaction),
            amount=amount,
            joined=self._joined(links, brought, came),
            fee=None if whole is None else whole - sum(store.values(transaction)),
            index=None if chosen is None else chosen.index,
            address="" if chosen is None else store.identity(int(self._holders[chosen.output])),
            goes_on=0 if chosen is None else int(self._values[chosen.output]),
            why=found.why if found else _ALL_LEFT,
            peeled=peeled,
        )

    @staticmethod
    def _joined(links: list[int | None], brought: list[int | None], came: int | None) -> int | None:
        """Satoshi of the inputs beside the one that the chain came by; 0 in the first transaction, whose inputs begin it."""
        if came is None:
            return 0
        others = [value for link, value in zip(links, brought, strict=True) if link != came]
        return None if None in others else sum(value or 0 for value in others)

    def _peeled(self, number: int, index: int, own: frozenset[int], why: str) -> Peeled:
        holder = int(self._holders[number])
        identity = self._store.identity(holder)
        label = self._labels.of(identity)
        return Peeled(
            index=index,
            address=identity,
            amount=int(self._values[number]),
            state=self._store.spend(number).state.value,
            own=self._clustering.cluster_of(holder) in own,
            service=label.service,
            category=label.category,
            labels=tuple(str(tag["label"]) for tag in label.tags),
            why_not=why,
        )

    def _chain(
        self,
        start: str,
        profile: ClusterProfile | None,
        hops: list[Hop],
        last: Hop | None,
        end: str,
        reason: str,
    ) -> PeelChain:
        store = self._store
        covers: dict[str, Any] = {
            "network": store.network.name,
            "tip_height": store.tip_height,
            "tip_hash": store.tip_hash,
            "chain_digest": store.digest,
            "tag_sets": list(self._labels.versions),
        }
        return PeelChain(
            start=start,
            rule=self._rule,
            profile=profile,
            own_address="" if profile is None else store.identity(profile.cluster),
            hops=tuple(hops),
            last=last,
            end=end,
            reason=reason,
            limit=self._limits.hops,
            stamp=self._clustering.stamp,
            covers=covers,
            coin=store.network.coin,
        )
