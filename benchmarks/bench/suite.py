"""Which measurements are made, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.data import Chain, make_chain
from bench.errors import BenchError
from bench.job import Job
from bench.machine import describe
from bench.results import Results, Sample, Size
from bench.runner import Runner
from bench.same import same

PEERS = {"python-bitcoinlib": "bitcoinlib", "polars": "polars", "DuckDB": "duckdb"}
PEERS_UP_TO = 1_000_000  # transactions: beyond, they take too long or too much memory
BUILDS: dict[str, tuple[str, dict[str, Any]]] = {
    "blocks-1": ("blocks", {"threads": 1}),
    "blocks-2": ("blocks", {"threads": 2}),
    "parquet-unverified": ("parquet", {"txids": "given", "roots": "skip"}),
    "parquet-verified": ("parquet", {"txids": "recompute", "roots": "check"}),
}
STORE_TASKS = ("verify", "look-up")


@dataclass(frozen=True, slots=True)
class Suite:
    """The half of the benchmark about building and reading a store, to be run.

    Attributes:
        runner: Runs each measurement.
        sizes: Transactions of each chain.
        repetitions: Runs of each measurement.
        peers: Measure the other tools too, at the largest chain that they are asked to take.
    """

    runner: Runner
    sizes: tuple[int, ...]
    repetitions: int
    peers: bool

    def run(self, save: Callable[[Results], None]) -> None:
        """All measurements; `save` is given what there is after each chain, smallest first.

        Raises:
            BenchError: One failed, or a store is not what it must be.
        """
        results = Results(describe(), self.repetitions)
        tiny = self.runner.tiny()
        self.runner.keep_store(tiny, None)
        results.start.update(self._start(tiny))
        for transactions in sorted(self.sizes):
            self.runner.say(f"chain of {transactions:,} transactions")
            chain = make_chain(self.runner.cache, transactions)
            results.sizes[transactions] = self._measure(chain, tiny)
            save(results)

    def _measure(self, chain: Chain, tiny: Chain) -> Size:
        self.runner.keep_store(chain, tiny)
        peers = self._peers_at(chain)
        described = self.runner.sample(
            Job("describe", chain, self.runner.scratch, {"summary": bool(peers)}), tiny
        ).facts
        ours = described.pop("summary", {})
        size = Size(described)
        for name, sample in self._rounds(chain, tiny, peers):
            if name in peers:
                sample.facts["same"] = same(ours, sample.facts.pop("summary"))
            size.measures.setdefault(name, []).append(sample)
            self.runner.say(f"  {name}: {sample.seconds:.2f} s, {sample.peak / 1e9:.2f} GB")
        hold_to_one_digest(size)
        return size

    def _peers_at(self, chain: Chain) -> dict[str, str]:
        fitting = [transactions for transactions in self.sizes if transactions <= PEERS_UP_TO]
        return PEERS if self.peers and chain.transactions == max(fitting, default=0) else {}

    def _rounds(self, chain: Chain, tiny: Chain, peers: dict[str, str]) -> Iterator[tuple[str, Sample]]:
        """Round after round, so that what disturbs the machine for a while disturbs all."""
        for _ in range(self.repetitions):
            for name, (task, options) in BUILDS.items():
                yield name, self.runner.sample(Job(task, chain, self.runner.scratch, options), tiny)
            for name, task in peers.items():
                yield name, self.runner.sample(Job(task, chain, self.runner.scratch), tiny)
            for task in STORE_TASKS:
                yield task, self.runner.sample(Job(task, chain, self.runner.scratch), tiny)
        yield "extend", self.runner.sample(Job("extend", chain, self.runner.scratch), tiny)

    def _start(self, tiny: Chain) -> dict[str, list[float]]:
        """Seconds from starting a process to a store of a tiny chain, kernels compiled before and not."""
        times: dict[str, list[float]] = {"cached": [], "compiling": []}
        for _ in range(self.repetitions):
            for name, taken in times.items():
                taken.append(self.runner.start(tiny, compiling=name == "compiling"))
            self.runner.say(f"  start: {times['cached'][-1]:.2f} s, compiling first {times['compiling'][-1]:.1f} s")
        return times


def hold_to_one_digest(size: Size) -> None:
    """Whatever the way, what is verified must be the same store.

    Raises:
        BenchError: It is not.
    """
    ways = ("blocks-1", "blocks-2", "parquet-verified", "extend")
    digests = {sample.facts["digest"] for way in ways for sample in size.measures[way]}
    if len(digests) != 1:
        raise BenchError(
            f"{', '.join(ways)} gave {len(digests)} different stores", hint="find out why before timing them"
        )
