"""The half of the benchmark about following money: which measurements are made, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bench.data import Chain, make_chain
from bench.job import Job
from bench.machine import describe
from bench.results import Results, Sample, Size, Traced
from bench.runner import Runner
from bench.services import make_member

PEERS: dict[str, dict[str, int]] = {
    "cluster": {"graphsense-clustering": 1 << 32, "scipy": 10_000_000, "networkx": 1_000_000},
    "haircut": {"duckdb": 10_000_000},
    "walk": {"plain": 1_000_000},
}
"""By measurement: the other tools, and the largest chain that each is asked to take."""

ONCE = {"scipy", "networkx", "duckdb", "plain"}
"""Those that are so much slower that one process of them is enough."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is asked in each measurement.

    Attributes:
        looked_up: Addresses in one batch.
        traced: Addresses that are traced in the kernel, one by one.
        answered: Addresses that are traced to the whole answer.
        started: Processes of each command.
        screened: Addresses that are screened, directly.
        reached: Addresses that are screened over hops.
    """

    looked_up: int = 100_000
    traced: int = 1_000
    answered: int = 1_000
    started: int = 10
    screened: int = 1_000_000
    reached: int = 200_000


WHOLE = Extent()
QUICK = Extent(looked_up=2_000, traced=50, answered=20, started=1, screened=5_000, reached=2_000)
HOPS, MOST = 10, 10_000  # depth of a trace, and transactions that it follows at most
SCREEN_HOPS = 3


@dataclass(frozen=True, slots=True)
class Tracing:
    """That half, to be run.

    Attributes:
        runner: Runs each measurement.
        sizes: Transactions of each chain.
        repetitions: Processes of each measurement.
        rounds: Turns that competitors take in one process.
        peers: Measure the other tools too.
        extent: How much is asked.
    """

    runner: Runner
    sizes: tuple[int, ...]
    repetitions: int
    rounds: int
    peers: bool
    extent: Extent = WHOLE

    def run(self, before: Results, save: Callable[[Results], None]) -> Results:
        """All measurements; what was known of a chain stays, but for what is measured anew.

        Args:
            before: Results to add to.
            save: Given what there is after each chain, smallest first.

        Raises:
            BenchError: A measurement failed, or found a wrong answer.
        """
        tiny = self.runner.tiny()
        self.runner.need_store(tiny, None)
        make_member(tiny)
        machine = describe()
        for transactions in sorted(self.sizes):
            self.runner.say(f"chain of {transactions:,} transactions: following money")
            chain = make_chain(self.runner.cache, transactions)
            self.runner.need_store(chain, tiny)
            self.runner.say(f"  {make_member(chain):,} addresses of its services are tagged")
            size = before.sizes.get(transactions)
            if size is None:
                size = Size(self.runner.sample(Job("describe", chain, self.runner.scratch), tiny).facts)
            traced = Traced(machine, self.repetitions, self.rounds)
            for name, sample in self._samples(chain, tiny):
                traced.measures.setdefault(name, []).append(sample)
                self.runner.say(f"  {name}: {sample.seconds:.4g} s, {sample.peak / 1e9:.2f} GB")
            before.sizes[transactions] = replace(size, traced=traced)
            before = replace(before, sizes=dict(sorted(before.sizes.items())))
            save(before)
        return before

    def _samples(self, chain: Chain, tiny: Chain) -> Iterator[tuple[str, Sample]]:
        """Round after round, so that what disturbs the machine for a while disturbs all."""
        for number in range(self.repetitions):
            for task, options in self.options(chain, first=number == 0).items():
                yield task, self.runner.sample(Job(task, chain, self.runner.scratch, options), tiny)

    def options(self, chain: Chain, *, first: bool) -> dict[str, dict[str, Any]]:
        """What each measurement is told, in their order; in rounds after the first without those that are slow."""
        asked, rounds = self.extent, {"rounds": self.rounds}
        walk = {"hops": HOPS, "most": MOST}
        screen = {"hops": SCREEN_HOPS, **rounds}
        return {
            "cluster": {**rounds, "peers": self._peers("cluster", chain, first)},
            "haircut": {**rounds, "peers": self._peers("haircut", chain, first)},
            "fifo": {**rounds, "asked": asked.traced},
            "walk": {**walk, "asked": asked.traced, "peers": self._peers("walk", chain, first)},
            "answers": {**walk, "asked": asked.answered},
            "look-up-many": {**rounds, "asked": asked.looked_up},
            "first-answers": {**walk, "asked": asked.started},
            "screen": {**screen, "asked": asked.screened, "reached": asked.reached},
        }

    def _peers(self, task: str, chain: Chain, first: bool) -> list[str]:
        if not self.peers:
            return []
        fitting = [name for name, most in PEERS[task].items() if chain.transactions <= most]
        return [name for name in fitting if first or name not in ONCE]
