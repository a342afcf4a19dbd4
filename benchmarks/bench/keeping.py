"""The part of the benchmark about a node: its store of claims, and how fast it starts and answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.child import COMPILED, measure
from bench.data import Chain, make_chain
from bench.job import Job
from bench.machine import describe
from bench.results import Kept, Results, Sample
from bench.runner import Runner

PLACE = "SHIELDWALL_BENCH_POSTGRESQL"
"""The variable that names an empty PostgreSQL database to be measured as well."""

AT_ONCE = 100_000  # claims of one act
ASKED = 1000  # look-ups
STARTS, LOOKED_UP = 5, 2000  # of a served node


@dataclass(frozen=True, slots=True)
class Keeping:
    """That part, to be run.

    Attributes:
        runner: Runs each measurement.
        claims: How many are kept.
        sizes: Transactions of the chains that a served node looks into.
    """

    runner: Runner
    claims: int
    sizes: tuple[int, ...]

    def run(self, before: Results, save: Callable[[Results], None]) -> Results:
        """All measurements; the other figures stay.

        Raises:
            BenchError: One failed.
        """
        kept = Kept(describe())
        for name, place in (("SQLite", ""), ("PostgreSQL", os.environ.get(PLACE, ""))):
            if name != "SQLite" and not place:
                continue
            self.runner.say(f"{self.claims:,} claims in {name}")
            options = {"claims": self.claims, "at_once": AT_ONCE, "asked": ASKED, "place": place}
            sample = measure(Job("claims", Chain(self.runner.cache, 0), self.runner.fresh(), options), None)
            self.runner.clear()
            sample.facts.pop(COMPILED)
            kept.measures[name] = sample
            facts = sample.facts
            self.runner.say(f"  {facts['rate']:,.0f} a second; found in {facts['p99'] * 1e3:.1f} ms (p99)")
        for transactions in sorted(self.sizes):
            kept.served[transactions] = self._serve(transactions)
        found = replace(before, kept=kept)
        save(found)
        return found

    def _serve(self, transactions: int) -> Sample:
        self.runner.say(f"a node over {transactions:,} transactions")
        chain = make_chain(self.runner.cache, transactions)
        self.runner.need_store(chain, None)
        options = {"starts": STARTS, "asked": LOOKED_UP}
        sample = measure(Job("serve", chain, self.runner.fresh(), options), None)
        self.runner.clear()
        sample.facts.pop(COMPILED)
        latency = sample.facts["latency"]
        self.runner.say(f"  p50 {latency['p50'] * 1e3:.1f} ms, p99 {latency['p99'] * 1e3:.1f} ms")
        return sample
