"""Runs single measurements: each in a process of its own and a fresh scratch folder, again where kernels were compiled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.child import COMPILED, measure, start_time
from bench.data import TINY, Chain, make_chain
from bench.errors import BenchError
from bench.job import Job
from bench.results import Sample
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError

_ATTEMPTS = 3  # at a run without compiling: the tiny chain does not meet every kernel

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Runner:
    """What both halves of the benchmark run their measurements with.

    Attributes:
        cache: Where chains are kept; everything else that is written there is taken away again.
        say: Told what is going on, a line at a time.
    """

    cache: Path
    say: Say

    def tiny(self) -> Chain:
        """The chain that warms up, with a store."""
        self.cache.mkdir(parents=True, exist_ok=True)
        (self.cache / ".gitignore").write_text("*\n", encoding="utf-8")
        return make_chain(self.cache, TINY)

    def keep_store(self, chain: Chain, tiny: Chain | None) -> None:
        """Build the store that is read from, anew."""
        shutil.rmtree(chain.store, ignore_errors=True)
        measure(Job("blocks", chain, self.fresh(), {"threads": 2}), tiny)
        (self.scratch / "store").rename(chain.store)
        self.clear()

    def need_store(self, chain: Chain, tiny: Chain | None) -> None:
        """Build the store where there is none that this program reads; one that is there stays."""
        try:
            ChainStore.open(chain.store).close()
        except StoreError:
            self.say(f"  a store of {chain.transactions:,} transactions is built first")
            self.keep_store(chain, tiny)

    def sample(self, job: Job, tiny: Chain | None) -> Sample:
        """One run, after a warm-up on the chain `tiny`.

        Raises:
            BenchError: It failed, or kernels were compiled on the clock again and again.
        """
        for _ in range(_ATTEMPTS):
            self.fresh()
            try:
                sample = measure(job, tiny)
            finally:
                self.clear()
            if not sample.facts.pop(COMPILED):
                return sample
            self.say(f"  {job.task}: again, since kernels were compiled on the clock")
        raise BenchError(
            f"{job.task}: kernels are compiled anew in every run", hint="see that NUMBA_CACHE_DIR can be written"
        )

    def start(self, tiny: Chain, *, compiling: bool) -> float:
        """Seconds from starting a process to a store of a tiny chain, kernels compiled before or not."""
        job = Job("blocks", tiny, self.fresh(), {"threads": 2})
        seconds = start_time(job, self.scratch / "numba" if compiling else None)
        self.clear()
        return seconds

    @property
    def scratch(self) -> Path:
        """The folder that a measurement may fill."""
        return self.cache / "scratch" / "run"

    def fresh(self) -> Path:
        """That folder, empty."""
        self.clear()
        self.scratch.mkdir(parents=True)
        return self.scratch

    def clear(self) -> None:
        """Take it away."""
        shutil.rmtree(self.scratch.parent, ignore_errors=True)
