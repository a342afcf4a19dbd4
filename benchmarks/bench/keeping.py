"""The part of the benchmark about a node's store of claims."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.child import COMPILED, measure
from bench.data import Chain
from bench.job import Job
from bench.machine import describe
from bench.results import Kept, Results
from bench.runner import Runner

PLACE = "SHIELDWALL_BENCH_POSTGRESQL"
"""The variable that names an empty PostgreSQL database to be measured as well."""

AT_ONCE = 100_000  # claims of one act
ASKED = 1000  # look-ups


@dataclass(frozen=True, slots=True)
class Keeping:
    """That part, to be run.

    Attributes:
        runner: Runs each measurement.
        claims: How many are kept.
    """

    runner: Runner
    claims: int

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
        found = replace(before, kept=kept)
        save(found)
        return found
