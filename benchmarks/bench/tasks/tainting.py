"""Taint of ten outputs: haircut over a whole chain beside a float pass and rounds of SQL, and FIFO as far as it goes."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from bench.figures import EARLY, EXACT, FLOAT, RANSOMS
from bench.job import Job, Outcome
from bench.peers import PEER_HAIRCUTS
from bench.seeds import TaintArrays, early_outputs, graph_in_memory, ransoms, targets_of
from bench.turns import take_turns
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.compiled.taint import haircut as exact
from shieldwall.kernels.compiled.taint import haircut_float
from shieldwall.kernels.compiled.walking import Walking
from shieldwall.kernels.walks import DONE, END_AMOUNT, ENDED, SEED, STEPS
from shieldwall.trace.engines import question_of
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import method_named

_NO_LIMITS = Limits(transactions=1 << 40)


def haircut(job: Job) -> Outcome:
    """Options: `rounds`, and `peers`, names of `PEER_HAIRCUTS`. All start from arrays or tables in memory.

    Raises:
        BenchError: A satoshi is missing.
    """
    with ChainStore.open(job.chain.store) as store:
        seeds = early_outputs(store)
        first = store.transaction_of(int(seeds[0]))
        graph = graph_in_memory(store)
        arrays = TaintArrays(store, seeds)
        unspent = np.asarray(store.column("output_spender")) >= store.rows("tx")
    works: dict[str, Any] = {
        EXACT: partial(_exact, graph, seeds, first),
        FLOAT: lambda: haircut_float(graph, seeds, first)[0],
    }
    for name in job.options["peers"]:
        works |= PEER_HAIRCUTS[name](arrays)
    begun = int(arrays.value[seeds].sum())
    times, apart = take_turns(works, job.options["rounds"], partial(_apart, unspent, begun))
    taint, sums, _ = exact(graph, seeds, first)
    if int(taint[unspent].sum()) + int(sums[0]) + int(sums[1]) != int(sums[2]):
        raise BenchError(
            "haircut: what was started from is not where it ended", hint="a fault of the kernel: report it"
        )
    facts = {
        "times": times,
        "apart": apart,
        "seeds": len(seeds),
        "satoshi": begun,
        "outputs": int(np.count_nonzero(taint)),
        "unspent_satoshi": int(taint[unspent].sum()),
        "fee_satoshi": int(sums[0]),
    }
    return Outcome(median(times[EXACT]), facts)


def _exact(graph: Any, seeds: npt.NDArray[np.int64], first: int) -> npt.NDArray[np.int64]:
    return exact(graph, seeds, first)[0]


def _apart(unspent: npt.NDArray[Any], begun: int, ours: npt.NDArray[np.int64], theirs: npt.NDArray[Any]) -> float:
    """Share of the money that the other answer puts on other unspent outputs, or loses."""
    return float(np.abs(ours[unspent] - theirs[unspent]).sum() / begun)


def fifo(job: Job) -> Outcome:
    """FIFO in the kernel, from mapped files to every end; option `rounds`.

    Raises:
        BenchError: A walk did not end, or what was started from is not where it ended.
    """
    times: dict[str, list[float]] = {}
    touched, satoshi = {}, {}
    with ChainStore.open(job.chain.store) as store:
        graph = graph_of(store)
        for name, outputs in ((EARLY, early_outputs(store)), (RANSOMS, ransoms(job.chain.folder / "truth"))):
            asked = question_of(store, targets_of(store, outputs), method_named("fifo"), _NO_LIMITS)
            for number in range(-1, job.options["rounds"]):
                begin = perf_counter()
                walking = Walking(graph, asked)
                status = walking.run(1 << 40)
                if number >= 0:
                    times.setdefault(name, []).append(perf_counter() - begin)
            state, counts = walking.state, walking.state.counts
            ended = int(state.endings[: counts[ENDED], END_AMOUNT].sum())
            if status != DONE or ended != int(counts[SEED]):
                raise BenchError(
                    f"FIFO from {name}: {ended} satoshi ended of {int(counts[SEED])}, status {status}",
                    hint="a fault of the kernel: report it",
                )
            touched[name], satoshi[name] = int(counts[STEPS]), int(counts[SEED])
    return Outcome(max(map(median, times.values())), {"times": times, "touched": touched, "satoshi": satoshi})
