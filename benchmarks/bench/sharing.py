"""The part of the benchmark about sharing: pages, intake and streams, beside the smallest server and beside medallion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.child import COMPILED, measure
from bench.data import Chain
from bench.job import Job
from bench.machine import describe
from bench.results import Results, Shared
from bench.runner import Runner


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is asked.

    Attributes:
        sizes: Objects of the collections, ascending; the last but one is also that of the smallest server.
        asked: Requests of each kind.
        batches: Of a thousand objects that are added.
        medallion: Objects that medallion is given.
        megabytes: Of the bundle.
        objects: Of the stream.
    """

    sizes: tuple[int, ...] = (10_000, 1_000_000)
    asked: int = 300
    batches: int = 10
    medallion: int = 1000
    megabytes: int = 50
    objects: int = 1_000_000


WHOLE, QUICK = Effort(), Effort((300, 2000), 20, 2, 0, 1, 5000)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: a figure out of the facts of the run, at least or at most."""

    what: str
    sign: str
    wanted: float
    unit: str
    found: Callable[[dict[str, Any]], float]

    def row(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The figure, and whether it is as wanted."""
        found = self.found(facts)
        met = found >= self.wanted if self.sign == "≥" else found <= self.wanted
        return {"goal": self, "found": found, "verdict": "met" if met else "**missed**"}


def _tail(facts: dict[str, Any]) -> float:
    small, large = (facts["tail"][str(size)]["p50"] for size in (facts["sizes"][-2], facts["sizes"][-1]))
    return float(large / small)


GOALS = (
    Goal("pages of 100, beside the smallest server", "≥", 0.3, "of its rate", lambda facts: _rate(facts["page"])),
    Goal(
        "validated intake, beside the smallest server", "≥", 0.2, "of its rate", lambda facts: _share(facts["ingest"])
    ),
    Goal("a page at the end of the largest collection, beside the smaller", "≤", 1.5, "of its time", _tail),
    Goal("a pull that finds nothing", "≤", 10.0, "ms", lambda facts: float(facts["empty"]["p50"]) * 1e3),
)


def _rate(page: dict[str, Any]) -> float:
    return float(page["small"]["p50"] / page["ours"]["p50"])


def _share(ingest: dict[str, float]) -> float:
    return ingest["ours"] / ingest["small"]


def rows(shared: Shared) -> list[dict[str, Any]]:
    """What is wanted, and what was found."""
    return [goal.row(shared.measures["served"].facts) for goal in GOALS]


@dataclass(frozen=True, slots=True)
class Sharing:
    """That part, to be run.

    Attributes:
        runner: Runs each measurement.
        effort: How much is asked.
    """

    runner: Runner
    effort: Effort

    def run(self, before: Results, save: Callable[[Results], None]) -> Results:
        """All measurements; the other figures stay.

        Raises:
            BenchError: One failed.
        """
        shared, effort = Shared(describe()), self.effort
        options: dict[str, dict[str, Any]] = {
            "served": {
                "sizes": list(effort.sizes),
                "asked": effort.asked,
                "batches": effort.batches,
                "medallion": effort.medallion,
            },
            "bundle": {"megabytes": effort.megabytes},
            "stream": {"objects": effort.objects},
        }
        tasks = {"served": "share", "bundle": "share-bundle", "stream": "share-stream"}
        for name, task in tasks.items():
            self.runner.say(f"sharing: {name}")
            sample = measure(Job(task, Chain(self.runner.cache, 0), self.runner.fresh(), options[name]), None)
            self.runner.clear()
            sample.facts.pop(COMPILED)
            shared.measures[name] = sample
        found = replace(before, shared=shared)
        save(found)
        for row in rows(shared):
            self.runner.say(f"  {row['goal'].what}: {row['found']:.2f} {row['goal'].unit}, {row['verdict']}")
        return found
