"""What the project wants to reach at 10 million transactions, and whether the figures do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench import figures
from bench.results import Size

AT = 10_000_000  # transactions


@dataclass(frozen=True, slots=True)
class Target:
    """One of them.

    Attributes:
        what: In words.
        wanted: The bound, in `unit`.
        unit: Of `wanted` and of what was measured.
        least: True when more is better.
        measured: How the figure follows from what was measured.
        prototype: What the prototype of this design reached, on a machine of the same kind; None for not measured.
    """

    what: str
    wanted: float
    unit: str
    least: bool
    measured: Callable[[Size], float]
    prototype: float | None = None

    def found(self, size: Size) -> float | None:
        """The figure; None where it was not measured."""
        try:
            return self.measured(size)
        except KeyError:
            return None

    def met(self, size: Size) -> bool | None:
        """Whether the figure is within the bound; None where it was not measured."""
        found = self.found(size)
        if found is None:
            return None
        return found >= self.wanted if self.least else found <= self.wanted


def store_bytes(size: Size) -> float:
    """Bytes of a store with every index, without raw bytes, per transaction."""
    files: dict[str, int] = size.facts("blocks-2")["files"]
    return sum(files.values()) / size.data["transactions"]


def _peak(*names: str) -> Callable[[Size], float]:
    return lambda size: max(size.peak(name) for name in names) / 1e9


BUILD_TARGETS = (
    Target("block files to store, one thread", 700, "thousand tx/s", True, lambda s: s.rate("blocks-1") / 1e3, 679),
    Target("block files to store, two threads", 1200, "thousand tx/s", True, lambda s: s.rate("blocks-2") / 1e3),
    Target("memory of both", 3, "GB", False, _peak("blocks-1", "blocks-2"), 2.5),
    Target(
        "Parquet to store, unverified", 600, "thousand tx/s", True, lambda s: s.rate("parquet-unverified") / 1e3, 524
    ),
    Target("memory of that", 2, "GB", False, _peak("parquet-unverified"), 1.55),
    Target("store with every index", 170, "bytes per transaction", False, store_bytes, 160),
)

TRACE_TARGETS = (
    Target(
        "co-spend clustering, two threads", 1.3, "times the speed of graphsense-clustering", True,
        figures.clustering_ratio, 1.17,
    ),
    Target("haircut over the whole chain, exact", 15, "times the speed of DuckDB", True, figures.haircut_ratio, 32),
    Target("FIFO from ten seeds, exact", 20, "ms", False, figures.fifo_ms, 18),
    Target("trace to depth 10, up to 10,000 transactions, kernel, p99", 2, "ms", False, figures.walk_ms, 1.1),
    Target("the same, whole answer of a running process, p99", 50, "ms", False, figures.answer_ms),
    Target("address look-up, batched", 5, "µs", False, figures.look_up_us, 3.6),
    Target("first answer of a fresh process", 1, "s", False, figures.first_answer),
    Target(
        "screening, direct", 2000, "thousand addresses a minute", True, partial(figures.screened, figures.DIRECT)
    ),
    Target("screening to 3 hops", 200, "thousand addresses a minute", True, partial(figures.screened, figures.HOPS)),
)  # fmt: skip
TARGETS = (*BUILD_TARGETS, *TRACE_TARGETS)
