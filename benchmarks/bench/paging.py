"""The part of the benchmark about the pages of a node: how soon they are there, what they weigh, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.child import COMPILED, measure
from bench.data import make_chain
from bench.job import Job
from bench.machine import describe
from bench.results import Paged, Results
from bench.runner import Runner


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is asked.

    Attributes:
        boxes: Of the sheet.
        transactions: Most of its trace.
        large: Most of the larger trace.
        asked: Requests of each page, one after the other.
        users: At once.
        each: Requests of each of them.
        opened: Times in a browser, with an empty cache, and again with a full one.
    """

    boxes: int = 300
    transactions: int = 300
    large: int = 3000
    asked: int = 300
    users: int = 10
    each: int = 20
    opened: int = 10

    def options(self) -> dict[str, Any]:
        """As the task takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


WHOLE, QUICK = Effort(), Effort(asked=30, each=5, opened=2)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of the pages.

    Attributes:
        what: In words.
        wanted: The bound: less than this, in `unit`.
        unit: Of it.
        found: The figure, out of the facts of a run.
    """

    what: str
    wanted: float
    unit: str
    found: Callable[[dict[str, Any]], float]

    def row(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The figure of a run, None where it was not measured; and the verdict."""
        try:
            found = self.found(facts)
        except KeyError:
            return {"goal": self, "found": None, "verdict": "not measured"}
        return {"goal": self, "found": found, "verdict": "met" if found < self.wanted else "**missed**"}


PAGES = {"desk": "Desk", "trace": "Trace", "large": "Trace of the larger one"}
"""The pages that are weighed, and opened in a browser."""

ASKED = {
    "desk": "Desk",
    "trace": "Trace",
    "drawer": "the drawer of a box",
    "step": "one step (the slider), its own answer",
    "stepped": "one step and the page that it leads to",
    "large": "Trace of the larger one",
    "users": "several users at once",
}
"""What is asked for, and how the page calls it."""


@dataclass(frozen=True, slots=True)
class Casework:
    """How much of casework.

    Attributes:
        entries: Of a timeline.
        cases: That are searched.
        transactions: Of the case that is packed.
        asked: Requests of each page, one after the other.
    """

    entries: int = 10_000
    cases: int = 10_000
    transactions: int = 1000
    asked: int = 300

    def options(self) -> dict[str, Any]:
        """As the task takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


WHOLE_CASEWORK, QUICK_CASEWORK = Casework(), Casework(entries=200, cases=50, transactions=20, asked=20)

CASES_ASKED = {
    "case": "Case",
    "search": "search that finds one case or none",
    "common": "search that finds a hundred and more",
}
"""What is asked for in casework."""


def _p99(name: str) -> Callable[[dict[str, Any]], float]:
    return lambda facts: float(facts["latency"][name]["p99"]) * 1e3


def _weight(name: str) -> Callable[[dict[str, Any]], float]:
    return lambda facts: float(facts["weight"][name]["all"]) / 1e3


def _ready(name: str) -> Callable[[dict[str, Any]], float]:
    return lambda facts: max(float(facts["browser"][name][way]["median"]) for way in ("cold", "warm"))


GOALS = (
    *(Goal(f"{ASKED[name]}, server, p99", 100, "ms", _p99(name)) for name in ("desk", "trace", "drawer", "step")),
    Goal("several users at once, server, p99", 300, "ms", _p99("users")),
    *(Goal(f"{PAGES[name]}, first visit, packed", 150, "kB", _weight(name)) for name in ("desk", "trace")),
    *(Goal(f"{PAGES[name]}, ready in the browser", 0.5, "s", _ready(name)) for name in PAGES),
)
"""What the project wants to reach at 10 million transactions."""


CASE_GOALS = (
    Goal("Case with 10,000 entries in its timeline, server, p99", 100, "ms", _p99("case")),
    Goal("search over 10,000 cases, server, p99", 50, "ms", _p99("search")),
    Goal("the same, where it finds a hundred and more", 50, "ms", _p99("common")),
    Goal("pack a case of 1,000 transactions", 5, "s", lambda facts: float(facts["pack"]["seconds"])),
    Goal("verify it", 5, "s", lambda facts: float(facts["verify"]["seconds"])),
)
"""What the project wants of casework."""


@dataclass(frozen=True, slots=True)
class Paging:
    """That part, to be run.

    Attributes:
        runner: Runs each measurement.
        sizes: Transactions of the chains; pages are measured over the largest.
        effort: How much is asked.
    """

    runner: Runner
    sizes: tuple[int, ...]
    effort: Effort = WHOLE
    casework: Casework = WHOLE_CASEWORK

    def run(self, before: Results, save: Callable[[Results], None]) -> Results:
        """All measurements; the other figures stay.

        Raises:
            BenchError: One failed.
        """
        paged = Paged(describe())
        transactions = max(self.sizes)
        self.runner.say(f"the pages of a node over {transactions:,} transactions")
        chain = make_chain(self.runner.cache, transactions)
        self.runner.need_store(chain, None)
        try:
            sample = measure(Job("visit", chain, self.runner.fresh(), self.effort.options()), None)
        finally:
            self.runner.clear()
        sample.facts.pop(COMPILED)
        paged.measures[transactions] = sample
        try:
            worked = measure(Job("casework", chain, self.runner.fresh(), self.casework.options()), None)
        finally:
            self.runner.clear()
        worked.facts.pop(COMPILED)
        paged.cases[transactions] = worked
        for row in (*rows(sample.facts), *rows(worked.facts, CASE_GOALS)):
            goal, found = row["goal"], row["found"]
            said = "not measured" if found is None else f"{found:,.2f} {goal.unit}"
            self.runner.say(f"  {goal.what}: {said} (wanted: below {goal.wanted:g}), {row['verdict'].strip('*')}")
        found = replace(before, paged=paged)
        save(found)
        return found


def rows(facts: dict[str, Any], goals: tuple[Goal, ...] = GOALS) -> list[dict[str, Any]]:
    """The goals, each with what was measured."""
    return [goal.row(facts) for goal in goals]
