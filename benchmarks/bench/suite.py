"""Which measurements are made, in which order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.child import COMPILED, measure, start_time
from bench.data import TINY, Chain, make_chain
from bench.errors import BenchError
from bench.job import Job
from bench.machine import describe
from bench.results import Results, Sample, Size
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
_ATTEMPTS = 3  # at a run without compiling: the tiny chain does not meet every kernel

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Suite:
    """A benchmark to be run.

    Attributes:
        cache: Where chains are kept; everything else that is written there is taken away again.
        sizes: Transactions of each chain.
        repetitions: Runs of each measurement.
        peers: Measure the other tools too, at the largest chain that they are asked to take.
        say: Told what is going on, a line at a time.
    """

    cache: Path
    sizes: tuple[int, ...]
    repetitions: int
    peers: bool
    say: Say

    def run(self, save: Callable[[Results], None]) -> None:
        """All measurements; `save` is given what there is after each chain, smallest first.

        Raises:
            BenchError: One failed, or a store is not what it must be.
        """
        results = Results(describe(), self.repetitions)
        self.cache.mkdir(parents=True, exist_ok=True)
        (self.cache / ".gitignore").write_text("*\n", encoding="utf-8")
        tiny = make_chain(self.cache, TINY)
        self._keep_store(tiny, None)
        results.start.update(self._start(tiny))
        for transactions in sorted(self.sizes):
            self.say(f"chain of {transactions:,} transactions")
            chain = make_chain(self.cache, transactions)
            results.sizes[transactions] = self._measure(chain, tiny)
            save(results)

    def _measure(self, chain: Chain, tiny: Chain) -> Size:
        self._keep_store(chain, tiny)
        peers = self._peers_at(chain)
        described = self.sample(Job("describe", chain, self._scratch, {"summary": bool(peers)}), tiny).facts
        ours = described.pop("summary", {})
        size = Size(described)
        for name, sample in self._rounds(chain, tiny, peers):
            if name in peers:
                sample.facts["same"] = same(ours, sample.facts.pop("summary"))
            size.measures.setdefault(name, []).append(sample)
            self.say(f"  {name}: {sample.seconds:.2f} s, {sample.peak / 1e9:.2f} GB")
        hold_to_one_digest(size)
        return size

    def _peers_at(self, chain: Chain) -> dict[str, str]:
        fitting = [transactions for transactions in self.sizes if transactions <= PEERS_UP_TO]
        return PEERS if self.peers and chain.transactions == max(fitting, default=0) else {}

    def _rounds(self, chain: Chain, tiny: Chain, peers: dict[str, str]) -> Iterator[tuple[str, Sample]]:
        """Round after round, so that what disturbs the machine for a while disturbs all."""
        for _ in range(self.repetitions):
            for name, (task, options) in BUILDS.items():
                yield name, self.sample(Job(task, chain, self._scratch, options), tiny)
            for name, task in peers.items():
                yield name, self.sample(Job(task, chain, self._scratch), tiny)
            for task in STORE_TASKS:
                yield task, self.sample(Job(task, chain, self._scratch), tiny)
        yield "extend", self.sample(Job("extend", chain, self._scratch), tiny)

    def _start(self, tiny: Chain) -> dict[str, list[float]]:
        """Seconds from starting a process to a store of a tiny chain, kernels compiled before and not."""
        times: dict[str, list[float]] = {"cached": [], "compiling": []}
        for _ in range(self.repetitions):
            for name, taken in times.items():
                job = Job("blocks", tiny, self._fresh(), {"threads": 2})
                taken.append(start_time(job, self._scratch / "numba" if name == "compiling" else None))
            self.say(f"  start: {times['cached'][-1]:.2f} s, compiling first {times['compiling'][-1]:.1f} s")
        self._clear()
        return times

    def _keep_store(self, chain: Chain, tiny: Chain | None) -> None:
        """Build the store that is read from, anew in each run: the program may have changed."""
        shutil.rmtree(chain.store, ignore_errors=True)
        measure(Job("blocks", chain, self._fresh(), {"threads": 2}), tiny)
        (self._scratch / "store").rename(chain.store)
        self._clear()

    def sample(self, job: Job, tiny: Chain) -> Sample:
        """One run, after a warm-up on the chain `tiny`.

        Raises:
            BenchError: It failed, or kernels were compiled on the clock again and again.
        """
        for _ in range(_ATTEMPTS):
            self._fresh()
            try:
                sample = measure(job, tiny)
            finally:
                self._clear()
            if not sample.facts.pop(COMPILED):
                return sample
            self.say(f"  {job.task}: again, since kernels were compiled on the clock")
        raise BenchError(
            f"{job.task}: kernels are compiled anew in every run", hint="see that NUMBA_CACHE_DIR can be written"
        )

    @property
    def _scratch(self) -> Path:
        return self.cache / "scratch" / "run"

    def _fresh(self) -> Path:
        self._clear()
        self._scratch.mkdir(parents=True)
        return self._scratch

    def _clear(self) -> None:
        shutil.rmtree(self._scratch.parent, ignore_errors=True)


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
