"""What was measured: one JSON file, from which the page follows without measuring again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.errors import BenchError

FORMAT = "shieldwall-bench/1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one measurement.

    Attributes:
        seconds: Wall time of the work, without starting the process.
        peak: Bytes of the process at most (resident; mapped files count as far as they were touched).
        facts: What else the run found, by name.
    """

    seconds: float
    peak: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traced:
    """What was measured of following money on one chain.

    Attributes:
        machine: As in `Results`, of that run.
        repetitions: Processes of each measurement.
        rounds: Turns that competitors take in one process.
        measures: Runs by the measurement's name. Where competitors share a process, the fact "times" has their seconds by
            name, "same" or "apart" what was found of their answers beside ours.
    """

    machine: dict[str, str]
    repetitions: int
    rounds: int
    measures: dict[str, list[Sample]] = field(default_factory=dict)

    def times(self, task: str) -> dict[str, list[float]]:
        """Seconds of every turn of all runs, by competitor; the first is ours."""
        pooled: dict[str, list[float]] = {}
        for sample in self.measures[task]:
            for name, seconds in sample.facts["times"].items():
                pooled.setdefault(name, []).extend(seconds)
        return pooled

    def median(self, task: str, name: str) -> float:
        """Median seconds of a competitor."""
        return median(self.times(task)[name])

    def ratio(self, task: str, name: str, ours: str) -> float:
        """How many times as long as ours a competitor took, by the medians."""
        times = self.times(task)
        return median(times[name]) / median(times[ours])

    def said(self, task: str, fact: str) -> dict[str, Any]:
        """What was last found of each competitor's answer: not all take part in every run."""
        found: dict[str, Any] = {}
        for sample in self.measures[task]:
            found |= sample.facts[fact]
        return found

    def facts(self, task: str) -> dict[str, Any]:
        """Facts of the last run."""
        return self.measures[task][-1].facts

    def middle(self, task: str, *path: str) -> float:
        """Median over all runs of a number among their facts."""
        return median(_at(sample.facts, path) for sample in self.measures[task])


def _at(facts: Any, path: Sequence[str]) -> float:
    for name in path:
        facts = facts[name]
    return float(facts)


@dataclass(frozen=True, slots=True)
class Size:
    """All that was measured on one chain.

    Attributes:
        data: Counts and bytes of the chain: transactions, outputs, inputs, holders, blocks, block_bytes, parquet_bytes.
        measures: Runs by the measurement's name; empty where the store was not measured.
        traced: Of following money; None where that was not measured.
        accuracy: What rules find of the simulator's truth, by name of what measures it (`bench.accuracy`); empty where that
            was not measured.
    """

    data: dict[str, int]
    measures: dict[str, list[Sample]] = field(default_factory=dict)
    traced: Traced | None = None
    accuracy: dict[str, Any] = field(default_factory=dict)

    def seconds(self, name: str) -> list[float]:
        """Seconds of each run."""
        return [sample.seconds for sample in self.measures[name]]

    def median(self, name: str) -> float:
        """Median seconds."""
        return median(self.seconds(name))

    def rate(self, name: str) -> float:
        """Transactions a second, by the median."""
        return self.data["transactions"] / self.median(name)

    def peak(self, name: str) -> int:
        """Largest peak of all runs, in bytes."""
        return max(sample.peak for sample in self.measures[name])

    def facts(self, name: str) -> dict[str, Any]:
        """Facts of the last run."""
        return self.measures[name][-1].facts


@dataclass(frozen=True, slots=True)
class Kept:
    """What was measured of a node: its store of claims, and how it answers.

    Attributes:
        machine: As in `Results`, of that run.
        measures: One run of the store for each engine, by its name.
        served: One run of a served node, by the transactions of its chain store.
    """

    machine: dict[str, str]
    measures: dict[str, Sample] = field(default_factory=dict)
    served: dict[int, Sample] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paged:
    """What was measured of the pages of a node.

    Attributes:
        machine: As in `Results`, of that run.
        measures: One run, by the transactions of the node's chain store.
        cases: Likewise one of casework.
    """

    machine: dict[str, str]
    measures: dict[int, Sample] = field(default_factory=dict)
    cases: dict[int, Sample] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shared:
    """What was measured of sharing.

    Attributes:
        machine: As in `Results`, of that run.
        measures: One run each: `served`, `bundle`, `stream`.
    """

    machine: dict[str, str]
    measures: dict[str, Sample] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """A run of the benchmark.

    Attributes:
        machine: What it ran on, as (what, which) in the order of the page.
        repetitions: Runs of each measurement.
        sizes: By transactions that were asked for, ascending.
        start: Seconds from nothing to a first built store: "cached" and "compiling" kernels.
        kept: Of a node; None where that was not measured.
        paged: Of its pages; None where they were not measured.
        shared: Of sharing; None where that was not measured.
    """

    machine: dict[str, str]
    repetitions: int
    sizes: dict[int, Size] = field(default_factory=dict)
    start: dict[str, list[float]] = field(default_factory=dict)
    kept: Kept | None = None
    paged: Paged | None = None
    shared: Shared | None = None

    @property
    def built(self) -> dict[int, Size]:
        """Those of which the store was measured."""
        return {count: size for count, size in self.sizes.items() if size.measures}

    @property
    def traced(self) -> dict[int, Size]:
        """Those on which money was followed."""
        return {count: size for count, size in self.sizes.items() if size.traced is not None}

    def size(self, transactions: int) -> Size:
        """What was measured on the chain of so many transactions."""
        return self.sizes[transactions]

    def write(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """The results in a file.

    Raises:
        BenchError: It is missing or not one.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return _results(body)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BenchError(f"{path}: no results of this benchmark ({error})", hint="run: make bench") from None


def _results(body: dict[str, Any]) -> Results:
    if body.pop("format") != FORMAT:
        raise ValueError("another format")
    sizes = {int(key): _size(value) for key, value in body.pop("sizes").items()}
    kept = body.pop("kept", None)
    if kept is not None:
        served = {int(count): Sample(**run) for count, run in kept.get("served", {}).items()}
        kept = Kept(kept["machine"], {name: Sample(**run) for name, run in kept["measures"].items()}, served)
    paged = body.pop("paged", None)
    if paged is not None:
        parts = (
            {int(count): Sample(**run) for count, run in paged.get(name, {}).items()} for name in ("measures", "cases")
        )
        paged = Paged(paged["machine"], *parts)
    shared = body.pop("shared", None)
    if shared is not None:
        shared = Shared(shared["machine"], {name: Sample(**run) for name, run in shared["measures"].items()})
    return Results(**body, kept=kept, paged=paged, shared=shared, sizes=dict(sorted(sizes.items())))


def _size(body: dict[str, Any]) -> Size:
    traced = body.get("traced")
    if traced is not None:
        traced = Traced(**{**traced, "measures": _measures(traced["measures"])})
    return Size(body["data"], _measures(body["measures"]), traced, body.get("accuracy", {}))


def _measures(body: dict[str, Any]) -> dict[str, list[Sample]]:
    return {name: [Sample(**run) for run in runs] for name, runs in body.items()}
