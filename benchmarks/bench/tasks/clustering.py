"""Co-spend clustering from arrays in memory, beside other tools on the same sets of addresses."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.figures import OURS_ONE, OURS_TWO
from bench.job import Job, Outcome
from bench.peers import PEER_CLUSTERERS
from bench.seeds import graph_in_memory
from bench.turns import take_turns
from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import Graph
from shieldwall.kernels.compiled.clustering import co_spend, flatten

_TX0 = 2  # of the simulator's kinds: one owner's, so it joins what it spends


class Sets(NamedTuple):
    """Holders that transactions spend from, as arrays in memory; CoinJoins and inputs that nobody knows are left out.

    Attributes:
        graph: The store's columns, copied.
        left_out: uint8[n], 1 for a CoinJoin.
        first: int32[s + 1], first place in `holder` of each of s sets, one for each transaction that spends.
        holder: uint32[k].
        holders: Holders of the store.
    """

    graph: Graph
    left_out: npt.NDArray[np.uint8]
    first: npt.NDArray[np.int32]
    holder: npt.NDArray[np.uint32]
    holders: int

    def of_two_or_more(self) -> Sets:
        """Without the sets of one, which join nothing."""
        sizes = np.diff(self.first)
        kept = np.repeat(sizes > 1, sizes)
        first = np.concatenate([[0], np.cumsum(sizes[sizes > 1])]).astype(np.int32)
        return self._replace(first=first, holder=self.holder[kept])


def cluster(job: Job) -> Outcome:
    """Options: `rounds`, and `peers`, names of `PEER_CLUSTERERS`. All start from arrays in memory and give a label per holder."""
    with ChainStore.open(job.chain.store) as store:
        sets = read_sets(store, np.load(job.chain.folder / "truth" / "coinjoin_kind.npy"))
    works: dict[str, Any] = {OURS_TWO: partial(_ours, sets, 2), OURS_ONE: partial(_ours, sets, 1)}
    for name in job.options["peers"]:
        works |= PEER_CLUSTERERS[name](sets)
    times, same = take_turns(works, job.options["rounds"], same_partition)
    facts = {
        "times": times,
        "same": same,
        "sets": len(sets.first) - 1,
        "members": len(sets.holder),
        "left_out": int(sets.left_out.sum()),
        "clusters": int(np.count_nonzero(_ours(sets, 2) == np.arange(sets.holders, dtype=np.uint32))),
    }
    return Outcome(median(times[OURS_TWO]), facts)


def read_sets(store: ChainStore, coinjoins: npt.NDArray[np.uint8]) -> Sets:
    """The store's columns in memory; CoinJoins by the simulator's truth, so that the sets do not hang on a detector."""
    graph = graph_in_memory(store)
    left_out = np.zeros(len(graph.first_input), np.uint8)
    left_out[: len(coinjoins)] = (coinjoins != 0) & (coinjoins != _TX0)
    firsts = np.append(graph.first_input, len(graph.payer)).astype(np.int64)
    sizes = np.diff(firsts)
    known = (graph.payer != NO_HOLDER) & np.repeat(left_out == 0, sizes)
    counts = np.bincount(np.repeat(np.arange(len(sizes)), sizes)[known], minlength=len(sizes))
    first = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int32)
    return Sets(graph, left_out, first, graph.payer[known], store.rows("holder"))


def _ours(sets: Sets, threads: int) -> npt.NDArray[np.uint32]:
    parent = np.arange(sets.holders, dtype=np.uint32)
    co_spend(sets.graph, sets.left_out, parent, 0, len(sets.left_out), threads)
    flatten(parent)
    return parent


def same_partition(ours: npt.NDArray[np.uint32], theirs: npt.NDArray[Any]) -> bool:
    """Whether two labellings say the same, whatever they call the clusters; ours is the least member."""
    if len(ours) != len(theirs):
        return False
    least = np.full(int(theirs.max(initial=0)) + 1, len(ours), np.int64)
    np.minimum.at(least, theirs, np.arange(len(theirs)))
    return bool(np.array_equal(least[theirs], ours))
