"""Cluster the holders of a store, or extend a clustering by the blocks that came since, to the same result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.graph import graph_of
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.intel.known import plain_name
from shieldwall.kernels.arrays import COINJOIN_NAMES, Bytes, Counts32, Graph, Offsets
from shieldwall.kernels.engine import EngineName, is_compiled, kernel
from shieldwall.model.moment import utc
from shieldwall.trace.clusters.clustering import Clustering, chain_digest, write
from shieldwall.trace.clusters.left_out import coinjoins, is_left_out
from shieldwall.trace.clusters.rules import DROP, ClusterRules
from shieldwall.trace.tagged_holders import TaggedHolders

_CHUNK = 1 << 20  # transactions at a time: a stop between two loses little, and their changes and kinds take 9 MB
_MOST_REFUSED = 1_000_000  # kept one by one; all are counted
_COMPILED_FROM = 50_000  # transactions
_LARGEST = 20  # clusters named by size in the manifest


class Changes(Protocol):
    """A rule that says which output is change, for a range of transactions (`shieldwall.trace.change`)."""

    overrules: tuple[str, ...]
    """Ids of the claims that overrule it."""

    def outputs(self, first: int, last: int) -> Offsets:
        """int64[last - first]: the output that is each transaction's change; -1 for none."""

    def output(self, transaction: int) -> int:
        """The same of one transaction, in any order."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    Attributes:
        clustering: The clustering, opened.
        extended_from: Transactions that an earlier clustering had covered; 0 where all was done from scratch.
        unchanged: True where there was nothing to do.
        why_anew: Why an earlier clustering could not be extended; "" where it could, or there was none.
    """

    clustering: Clustering
    extended_from: int
    unchanged: bool
    why_anew: str


@dataclass(slots=True)
class _Forest:
    """What grows while a range of transactions is gone through."""

    store: ChainStore
    graph: Graph
    kernels: Any
    rules: ClusterRules
    veto: Counts32
    engine: EngineName
    parent: Counts32
    start: int
    label: Counts32
    kinds: Counter[str]
    refused: list[npt.NDArray[np.int64]] = field(default_factory=list)
    refused_count: int = 0

    def left_out(self, first: int, last: int, *, count: bool) -> Bytes:
        """uint8[last - first]: which transactions join nobody."""
        kinds = coinjoins(self.store, self.graph, first, last, self.veto, self.engine)
        if count:
            found = np.bincount(kinds, minlength=len(COINJOIN_NAMES)).tolist()
            self.kinds.update({name: n for name, n in list(zip(COINJOIN_NAMES, found, strict=True))[1:] if n})
        return is_left_out(kinds).view(np.uint8) if self.rules.coinjoin == DROP else np.zeros(len(kinds), np.uint8)

    def in_order(self, first: int, last: int, only: Bytes) -> None:
        """Co-spend of a range under constraints."""
        left_out, room = self.left_out(first, last, count=False), self._room
        self._told(room, self.kernels.in_order(self.graph, left_out, only, self.parent, self.label, room, first, last))

    def join_change(self, changes: Changes, first: int, last: int, size: Counts32) -> None:
        """Change of a range, over all co-spend."""
        left_out, room, change = self.left_out(first, last, count=False), self._room, changes.outputs(first, last)
        found = self.kernels.join_change(
            self.graph, left_out, change, self.parent, self.label, size, self.rules.most, room, first, last
        )
        self._told(room, found)

    @property
    def _room(self) -> npt.NDArray[np.int64]:
        return np.empty((max(0, _MOST_REFUSED - self.refused_count), 4), np.int64)

    def _told(self, room: npt.NDArray[np.int64], found: int) -> None:
        self.refused.append(room[: min(found, len(room))].copy())
        self.refused_count += found


def build_clustering(
    folder: Path,
    store: ChainStore,
    rules: ClusterRules,
    *,
    tagged: TaggedHolders | None = None,
    changes: Changes | None = None,
    again: bool = False,
    threads: int = 2,
    engine: EngineName = "auto",
    progress: Progress = silent,
) -> BuildReport:
    """Cluster the store, or extend what is in `folder`, where it was made by the same rules of the same blocks.

    Args:
        folder: Where the clustering is kept.
        store: The chain.
        rules: By what holders are put together.
        tagged: Whose tags constrain merges and veto JoinMarket; None for no constraints.
        changes: The compiled form of `rules.change`; None where that is "".
        again: From scratch in any case.
        threads: How many work at once where there is neither a change rule nor a constraint in the way.
        engine: Which kernels.
        progress: Called with the transactions done and to do.

    Raises:
        StoreError: The folder cannot be written.
    """
    tag_sets = (
        []
        if tagged is None
        else [{"set": name, "version": version} for name, version in sorted(tagged.versions.items())]
    )
    parameters = rules.stamp(tag_sets, () if changes is None else changes.overrules)
    before, why_anew = (None, "") if again else _extendable(folder, store, parameters, changes)
    if before is not None and before.body["blocks"] == store.rows("block"):
        return BuildReport(before, before.body["transactions"], unchanged=True, why_anew="")
    services = _services(tagged if rules.constrained else None, rules.stop)
    start = 0 if before is None else int(before.body["transactions"])
    transactions, holders = store.rows("tx"), store.rows("holder")
    parent = np.arange(holders, dtype=np.uint32)
    if before is not None:
        parent[: len(before.cluster)] = before.cluster
    forest = _Forest(
        store,
        graph_of(store),
        kernel("clustering", compiled=is_compiled(engine, large=transactions - start >= _COMPILED_FROM)),
        rules,
        services.holders,
        engine,
        parent,
        start,
        np.zeros(0, np.uint32),
        Counter() if before is None else Counter(before.body["coinjoins"]),
        [] if before is None else [_relabelled(before, services)],
        0 if before is None else int(before.body["refused"]),
    )
    earlier = parent.copy() if len(services.holders) else parent
    ranges = _ranges(start, transactions)
    _freely(forest, ranges, threads, progress)
    _redo_conflicts(forest, ranges, earlier, services)
    if changes is not None:
        forest.label = _labels(parent, services)
        size = np.bincount(parent, minlength=holders).astype(np.uint32)
        for first, last in ranges:
            forest.join_change(changes, first, last, size)
            progress("joining change", last, transactions)
        forest.kernels.flatten(parent)
    write(folder, _body(store, forest, parameters, services), _parts(forest, engine))
    return BuildReport(Clustering.open(folder), start, unchanged=False, why_anew=why_anew)


def _extendable(
    folder: Path, store: ChainStore, parameters: Mapping[str, Any], changes: Changes | None
) -> tuple[Clustering | None, str]:
    """The clustering to go on from, or why there is none."""
    try:
        before = Clustering.open(folder)
    except StoreError as error:
        return None, error.message if folder.exists() else ""
    if before.body["parameters"] != parameters:
        return None, "made by other rules or tag sets"
    if not before.fits(store):
        return None, "made of other blocks than the store holds now"
    if changes is not None and before.body["blocks"] != store.rows("block"):
        return None, "change is joined anew over the co-spend of all blocks"
    return before, ""


@dataclass(frozen=True, slots=True)
class _Services:
    """Who must not merge.

    Attributes:
        keys: What tells two services apart, ascending; a label is a place in it, from 1.
        names: What each is called.
        holders: uint32[k], ascending: holders that tags call services.
        labels: uint32[k], the label of each.
    """

    keys: list[str]
    names: list[str]
    holders: Counts32
    labels: Counts32


def _services(tagged: TaggedHolders | None, stop: frozenset[str]) -> _Services:
    if tagged is None:
        return _Services([], [], np.empty(0, np.uint32), np.empty(0, np.uint32))
    places = tagged.service_places(stop)
    best = [tagged.known(place).services(stop)[0] for place in places.tolist()]
    keys = [plain_name(tag.actor or tag.label) for tag in best]
    shown: dict[str, str] = {}
    for key, tag in zip(keys, best, strict=True):
        shown[key] = min(shown.get(key, tag.label), tag.label)
    ordered = sorted(shown)
    numbers = {key: number for number, key in enumerate(ordered, 1)}
    labels = np.array([numbers[key] for key in keys], np.uint32)
    return _Services(ordered, [shown[key] for key in ordered], tagged.holders[places], labels)


def _relabelled(before: Clustering, services: _Services) -> npt.NDArray[np.int64]:
    """The merges that were refused before, with the labels of now: new services move the places of the others."""
    places = {key: number for number, key in enumerate(services.keys, 1)}
    labels = np.array([0, *(places[key] for key in before.body["service_keys"])], np.int64)
    rows = np.array(before.refused)
    rows[:, 2:] = labels[rows[:, 2:]]
    return rows


def _ranges(first: int, last: int) -> list[tuple[int, int]]:
    return list(pairwise([*range(first, last, _CHUNK), last])) if first < last else []


def _freely(forest: _Forest, ranges: list[tuple[int, int]], threads: int, progress: Progress) -> None:
    """Co-spend without constraints: no order matters, so threads share the work."""
    for first, last in ranges:
        left_out = forest.left_out(first, last, count=True)
        forest.kernels.co_spend(forest.graph, left_out, forest.parent, first, last, threads)
        progress("clustering", last, forest.store.rows("tx"))
    forest.kernels.flatten(forest.parent)


def _redo_conflicts(forest: _Forest, ranges: list[tuple[int, int]], earlier: Counts32, services: _Services) -> None:
    """Take the sets that bear two names apart again, and join their holders in chain order under the constraint.

    Sets of the free pass never touch one another, and a merge that the constraint refuses would have made a set with two
    names of that pass: so the other sets are what the constraint would have made of them.
    """
    parent = forest.parent
    roots = parent[services.holders]
    order = np.lexsort((services.labels, roots))
    roots, labels = roots[order], services.labels[order]
    clash = (roots[1:] == roots[:-1]) & (labels[1:] != labels[:-1])
    if not clash.any():
        return
    marked = np.zeros(len(parent), np.uint8)
    marked[roots[1:][clash]] = 1
    only = marked[parent]
    members = np.flatnonzero(only)
    parent[members] = earlier[members]
    forest.label = _labels(parent, services)
    for first, last in ranges:
        forest.in_order(first, last, only)
    forest.kernels.flatten(parent)


def _labels(parent: Counts32, services: _Services) -> Counts32:
    """uint32[h]: the label of each root of a flattened forest."""
    found = np.zeros(len(parent), np.uint32)
    found[parent[services.holders]] = services.labels
    return found


def _paid(forest: _Forest) -> int:
    """Clusters with a member that ever paid."""
    paid = np.zeros(len(forest.parent), np.bool_)
    for first in range(0, len(forest.graph.payer), _CHUNK):
        payers = forest.graph.payer[first : first + _CHUNK]
        paid[forest.parent[payers[payers != NO_HOLDER]]] = True
    return int(paid.sum())


def _parts(forest: _Forest, engine: EngineName) -> dict[str, npt.NDArray[Any]]:
    counts = np.bincount(forest.parent, minlength=len(forest.parent))
    shared = np.flatnonzero(counts[forest.parent] > 1).astype(np.uint32)
    ordering = kernel("ordering", compiled=is_compiled(engine, large=len(shared) >= _COMPILED_FROM))
    _, order = ordering.group_order(forest.parent[shared], len(forest.parent))
    refused = np.concatenate([np.empty((0, 4), np.int64), *forest.refused])
    return {"cluster": forest.parent, "member": shared[order.astype(np.int64)], "refused": refused[:_MOST_REFUSED]}


def _body(store: ChainStore, forest: _Forest, parameters: dict[str, Any], services: _Services) -> dict[str, Any]:
    sizes = np.bincount(forest.parent, minlength=len(forest.parent))
    largest = np.argsort(-sizes, kind="stable")[:_LARGEST]
    tip_time = store.tip_time
    return {
        "network": store.network.name,
        "parameters": parameters,
        "blocks": store.rows("block"),
        "transactions": store.rows("tx"),
        "holders": store.rows("holder"),
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if tip_time is None else utc(tip_time),
        "chain": chain_digest(store, store.rows("block")),
        "clusters": int((sizes > 0).sum()),
        "clusters_of_many": int((sizes > 1).sum()),
        "clusters_that_paid": _paid(forest),
        "largest": [[int(root), int(sizes[root])] for root in largest if sizes[root] > 1],
        "coinjoins": dict(sorted(forest.kinds.items())),
        "refused": forest.refused_count,
        "services": services.names,
        "service_keys": services.keys,
    }
