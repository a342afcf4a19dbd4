"""Forward traces from many addresses: in the kernel, and to the whole answer of a running process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from bench.figures import EVERYTHING, FIRST, HAIRCUT_WALK, PLAIN_REACH, REACH, WALK
from bench.job import Job, Outcome
from bench.seeds import targets_of, user_holders
from bench.services import member_folder
from bench.turns import percentiles
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.intel import SERVICE_CATEGORIES, TagSets, shipped
from shieldwall.kernels.compiled.walking import Walking, reached_by, set_of
from shieldwall.kernels.walks import DONE, STEPS
from shieldwall.trace.engines import question_of
from shieldwall.trace.follow import follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import method_named
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.tagged_holders import TaggedHolders
from shieldwall.trace.targets import find_targets

_CALLS = 3
_LONG = 0.1  # seconds
_HAIRCUTS = 100  # addresses that are traced by haircut too: it passes hundreds of times as many transactions
_COMPARED = 50  # walks whose transactions are held to those of plain Python

Seeds = list[npt.NDArray[np.int64]]


def walk(job: Job) -> Outcome:
    """Options: `asked` addresses, `hops`, `most` transactions, and `peers`, "plain" or none. Only kernels are timed.

    Raises:
        BenchError: A walk did not end, or Python's lists reach other transactions.
    """
    hops, most = job.options["hops"], job.options["most"]
    with ChainStore.open(job.chain.store) as store:
        graph = graph_of(store)
        seeds = seeds_of(store, job)
        tagged = TaggedHolders.of(store, TagSets(member_folder(job.chain) / "tags").select(None))
        services = tagged.holders[tagged.service_places(SERVICE_CATEGORIES)]
        latency, passed = {}, {}
        latency[REACH], passed[REACH] = _each(lambda own: len(reached_by(graph, own, hops, most)), seeds)
        stops, limits = set_of(services), Limits(hops=hops, transactions=most)
        targets = [targets_of(store, own) for own in seeds]
        for name, method in ((WALK, "fifo"), (HAIRCUT_WALK, "haircut")):
            asked = [question_of(store, each, method_named(method), limits, stops) for each in targets]
            latency[name], passed[name] = _each(lambda one: _walked(graph, one), asked)
        if job.options["peers"]:
            lists = _Lists(store)
            latency[PLAIN_REACH], passed[PLAIN_REACH] = _each(lambda own: len(lists.reached_by(own, hops, most)), seeds)
            for own in seeds[:: max(1, len(seeds) // _COMPARED)]:
                if set(lists.reached_by(own, hops, most)) != set(reached_by(graph, own, hops, most).tolist()):
                    raise BenchError(
                        "a walk in Python reaches other transactions", hint="a fault of the kernel: report it"
                    )
    facts = {"asked": len(seeds), "latency": latency, "passed": passed, "tagged": len(services)}
    return Outcome(latency[WALK]["mean"] * len(seeds), facts)


def answers(job: Job) -> Outcome:
    """Options as `walk`. From an address to the answer, tags loaded before, as a running process has them.

    The first answer is what a person reads first (`TraceResult.summary`); the whole one has every transaction, and a digest.
    """
    limits = Limits(hops=job.options["hops"], transactions=job.options["most"])
    latency: dict[str, dict[str, float]] = {}
    passed: dict[str, float] = {}
    with ChainStore.open(job.chain.store) as store:
        addresses = [store.identity(int(holder)) for holder in _users(store, job)]
        index = TagSets(member_folder(job.chain) / "tags").select(None)
        labels = TagLabels(index, shipped(), store.network)
        asked = {"fifo": addresses, "haircut": addresses[:: max(1, len(addresses) // _HAIRCUTS)]}
        for method, names in asked.items():

            def first(address: str, method: str = method) -> int:
                found = find_targets(store, [address])
                result = follow(store, found, method, limits, labels=labels, engine="compiled")
                return int(result.summary["transactions"])

            def whole(address: str, method: str = method) -> int:
                found = find_targets(store, [address])
                result = follow(store, found, method, limits, labels=labels, engine="compiled")
                return len(result.as_dict()["transfers"])  # with the digest

            for name, work in ((f"{method}, {FIRST}", first), (f"{method}, {EVERYTHING}", whole)):
                work(names[0])
                latency[name], passed[name] = _each(work, names)
    total = sum(found["mean"] * len(asked[name.partition(",")[0]]) for name, found in latency.items())
    return Outcome(total, {"asked": len(addresses), "latency": latency, "passed": passed})


def _users(store: ChainStore, job: Job) -> npt.NDArray[np.uint32]:
    return user_holders(store, job.chain.folder / "truth", job.options["asked"])


def seeds_of(store: ChainStore, job: Job) -> Seeds:
    """int64[...] for each address: the outputs that were paid to it."""
    return [np.array(store.outputs_of(int(holder)), np.int64) for holder in _users(store, job)]


def _each(work: Callable[[Any], int], asked: list[Any]) -> tuple[dict[str, float], float]:
    """Percentiles of the seconds of each, and the mean of what it passed.

    Each is done `_CALLS` times in a row, unless it takes long, and its median counts: so a pause of the machine is not taken
    for a long walk.
    """
    taken, passed = [], 0
    for one in asked:
        calls = []
        for _ in range(_CALLS):
            begin = perf_counter()
            count = work(one)
            calls.append(perf_counter() - begin)
            if calls[-1] > _LONG:
                break
        taken.append(median(calls))
        passed += count
    return percentiles(taken), passed / len(asked)


def _walked(graph: Any, asked: Any) -> int:
    walking = Walking(graph, asked)
    if walking.run(1 << 40) != DONE:
        raise BenchError("a walk did not end", hint="a fault of the kernel: report it")
    return int(walking.state.counts[STEPS])


class _Lists:
    """The same walk in plain Python over lists."""

    def __init__(self, store: ChainStore) -> None:
        self._first = [*np.asarray(store.column("tx_first_output")).tolist(), store.rows("output")]
        self._spender = np.asarray(store.column("output_spender")).tolist()

    def reached_by(self, seeds: npt.NDArray[np.int64], hops: int, most: int) -> list[int]:
        """Transactions as they are met."""
        first, spender = self._first, self._spender
        transactions = len(first) - 1
        met: dict[int, int] = {}
        queue: deque[int] = deque()
        for output in seeds.tolist():
            number = spender[output]
            if number < transactions and number not in met and len(met) < most:
                met[number] = 1
                queue.append(number)
        while queue:
            at = queue.popleft()
            depth = met[at]
            if depth == hops:
                break
            for output in range(first[at], first[at + 1]):
                number = spender[output]
                if number < transactions and number not in met:
                    if len(met) == most:
                        return list(met)
                    met[number] = depth + 1
                    queue.append(number)
        return list(met)
