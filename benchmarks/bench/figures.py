"""What follows from the measurements of following money: the figures of the targets, and the rows of the page's tables."""

from __future__ import annotations

from typing import Any

from bench.results import Size, Traced

OURS_TWO, OURS_ONE = "Shieldwall, two threads", "Shieldwall, one thread"
GRAPHSENSE = "graphsense-clustering, two threads"
GRAPHSENSE_OF_TWO = "graphsense-clustering, given sets of two or more only"
EXACT, FLOAT = "Shieldwall, exact to the satoshi, one thread", "the same pass in floating point, one thread"
DUCKDB = "DuckDB, rounds of SQL, cut at 1 satoshi"
EARLY, RANSOMS = "ten payments behind the first tenth of the chain", "ten ransoms"
REACH, PLAIN_REACH = "spends alone, kernel", "spends alone, Python lists and a deque"
WALK = "exact FIFO with stops at services, kernel"
HAIRCUT_WALK = "exact haircut with stops at services, kernel"
FIRST, EVERYTHING = "what a person reads first", "the whole answer, with its digest"
DIRECT, HOPS = "direct", "to 3 hops"


def traced(size: Size) -> Traced:
    """The half of a size about following money.

    Raises:
        KeyError: It was not measured.
    """
    if size.traced is None:
        raise KeyError("traced")
    return size.traced


def clustering_ratio(size: Size) -> float:
    """How many times as fast as graphsense-clustering ours is, each with two threads, given the same sets."""
    return traced(size).ratio("cluster", GRAPHSENSE, OURS_TWO)


def haircut_ratio(size: Size) -> float:
    """How many times as fast as rounds of SQL the exact pass is."""
    return traced(size).ratio("haircut", DUCKDB, EXACT)


def fifo_ms(size: Size) -> float:
    """Milliseconds of FIFO from ten seeds, of the slower of the two sets of seeds."""
    return max(traced(size).median("fifo", name) for name in (EARLY, RANSOMS)) * 1e3


def walk_ms(size: Size) -> float:
    """Milliseconds that 99 of a hundred traces do not pass in the kernel: the slower of spends alone and exact FIFO."""
    return max(traced(size).middle("walk", "latency", name, "p99") for name in (REACH, WALK)) * 1e3


def answer_ms(size: Size) -> float:
    """Milliseconds that 99 of a hundred whole answers by the default method (FIFO) do not pass."""
    return traced(size).middle("answers", "latency", f"fifo, {EVERYTHING}", "p99") * 1e3


def look_up_us(size: Size) -> float:
    """Microseconds an address, batched."""
    found = traced(size)
    return found.middle("look-up-many", "each") * 1e6


def first_answer(size: Size) -> float:
    """Seconds from starting a process to its answer, of the slower of trace and screen, by the medians."""
    return max(traced(size).middle("first-answers", "latency", name, "p50") for name in ("trace", "screen"))


def screened(name: str, size: Size) -> float:
    """Thousand addresses a minute."""
    return traced(size).middle("screen", "rate", name) * 60 / 1e3


def competitors(sizes: list[Size], task: str, ours: str, fact: str) -> list[dict[str, Any]]:
    """The rows of a table of competitors on the same arrays, ours first.

    Args:
        sizes: Those that were traced, ascending.
        task: The measurement.
        ours: What the others are beside.
        fact: Where it is kept what was found of their answers, "same" or "apart".

    Returns:
        For each: `name`; `taken`, seconds of all turns by size (None where it took no part); `ratios`, how many times as
        long as ours it took by size; `said`, by size.
    """
    names: list[str] = []
    for size in sizes:
        names += [name for name in traced(size).times(task) if name not in names]
    rows = []
    for name in names:
        there = [name in traced(size).times(task) for size in sizes]
        rows.append(
            {
                "name": name,
                "taken": [
                    traced(size).times(task)[name] if took else None for size, took in zip(sizes, there, strict=True)
                ],
                "ratios": [
                    traced(size).ratio(task, name, ours) if took else None
                    for size, took in zip(sizes, there, strict=True)
                ],
                "said": [traced(size).said(task, fact).get(name) for size in sizes],
            }
        )
    return rows
