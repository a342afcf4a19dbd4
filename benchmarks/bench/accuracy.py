"""How often rules are right, measured on the simulator's truth; docs/accuracy.md is made from it.

Each module `truth_NAME.py` beside this one has one function::

    measure(chain: Chain) -> dict

whose answer is JSON: `title`; `about`, sentences for the page; and `tables`, each with `title`, `columns` (texts) and `rows`
(lists of texts, whole numbers, shares as floats, None for what cannot be said). Columns of figures that others published say so
in their heading, with the source in a column of its own; what was measured here is labelled *simulator* by the page. Chains that
measure needs in another wallet mix it makes itself.

A rate measured here is a fact about the simulator's habits. It is never told as a rate of the field.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.data import make_chain
from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.results import Results, Size
from bench.runner import Runner

AT_MOST = 1_000_000  # transactions: rates settle long before
_PREFIX = "truth_"
_FIELDS = {"title": str, "about": str, "tables": list}


def modules() -> list[str]:
    """Names of what can be measured, such as "coinjoins"."""
    return sorted(path.stem.removeprefix(_PREFIX) for path in Path(__file__).parent.glob(f"{_PREFIX}*.py"))


def task(job: Job) -> Outcome:
    """One of them, in a process of its own; option `name`.

    Raises:
        BenchError: Its answer has another form than the one above.
    """
    name = job.options["name"]
    said = importlib.import_module(f"bench.{_PREFIX}{name}").measure(job.chain)
    hold_to_form(name, said)
    return Outcome(0.0, said)


def hold_to_form(name: str, said: Any) -> None:
    """Whether an answer has the form above.

    Raises:
        BenchError: It has not.
    """
    wrong = [field for field, kind in _FIELDS.items() if not isinstance(said.get(field), kind)]
    for table in said.get("tables", ()):
        wide = len(table["columns"])
        wrong += [f"a row of {table['title']!r}" for row in table["rows"] if len(row) != wide]
    if wrong:
        raise BenchError(
            f"{_PREFIX}{name}: {', '.join(wrong)} is missing or of another form", hint="see bench.accuracy"
        )


@dataclass(frozen=True, slots=True)
class Accuracy:
    """That part of the benchmark, to be run.

    Attributes:
        runner: Runs each measurement.
        sizes: Transactions of each chain; the largest that is not above `AT_MOST` counts, else the smallest.
    """

    runner: Runner
    sizes: tuple[int, ...]

    def run(self, before: Results, save: Callable[[Results], None]) -> Results:
        """All measurements.

        Args:
            before: Results to add to.
            save: Given what there is at the end.
        """
        count = max((size for size in self.sizes if size <= AT_MOST), default=min(self.sizes))
        tiny = self.runner.tiny()
        self.runner.need_store(tiny, None)
        self.runner.say(f"chain of {count:,} transactions: what rules find of the truth")
        chain = make_chain(self.runner.cache, count)
        self.runner.need_store(chain, tiny)
        found = {}
        for name in modules():
            found[name] = self.runner.sample(Job("accuracy", chain, self.runner.scratch, {"name": name}), tiny).facts
            for line in as_text(found[name]):
                self.runner.say(f"  {line}")
        size = before.sizes.get(count)
        if size is None:
            size = Size(self.runner.sample(Job("describe", chain, self.runner.scratch), tiny).facts)
        sizes = {**before.sizes, count: replace(size, accuracy=found)}
        after = replace(before, sizes=dict(sorted(sizes.items())))
        save(after)
        return after


def as_text(said: dict[str, Any]) -> list[str]:
    """The tables as lines for a terminal."""
    lines = [f"{said['title']} (simulator)"]
    for table in said["tables"]:
        cells = [table["columns"], *([shown(value) for value in row] for row in table["rows"])]
        widths = [max(len(row[k]) for row in cells) for k in range(len(table["columns"]))]
        lines += [
            table["title"],
            *("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in cells),
        ]
    return lines


def shown(value: Any) -> str:
    """A cell: shares with four places, whole numbers with separators."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
