"""What was measured: one JSON file, from which the page follows without measuring again."""

from __future__ import annotations

import json
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
class Size:
    """All that was measured on one chain.

    Attributes:
        data: Counts and bytes of the chain: transactions, outputs, inputs, holders, blocks, block_bytes, parquet_bytes.
        measures: Runs by the measurement's name.
    """

    data: dict[str, int]
    measures: dict[str, list[Sample]] = field(default_factory=dict)

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
class Results:
    """A run of the benchmark.

    Attributes:
        machine: What it ran on, as (what, which) in the order of the page.
        repetitions: Runs of each measurement.
        sizes: By transactions that were asked for, ascending.
        start: Seconds from nothing to a first built store: "cached" and "compiling" kernels.
    """

    machine: dict[str, str]
    repetitions: int
    sizes: dict[int, Size] = field(default_factory=dict)
    start: dict[str, list[float]] = field(default_factory=dict)

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
    return Results(**body, sizes=dict(sorted(sizes.items())))


def _size(body: dict[str, Any]) -> Size:
    measures = {name: [Sample(**run) for run in runs] for name, runs in body["measures"].items()}
    return Size(body["data"], measures)
