"""The fewest points without which no money gets from the seeds to where it is cashed out. Pure but for the kernels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from shieldwall.kernels.arrays import UNCUTTABLE
from shieldwall.kernels.engine import EngineName, is_compiled, kernel

_COMPILED_FROM = 30_000  # edges from which compiling, some seconds once a machine, pays


@dataclass(frozen=True, slots=True)
class Cut:
    """A minimum vertex cut.

    Attributes:
        points: Numbers of its points, ascending; None where no cut exists.
        weight: What they cost together.
        nodes: Points of the graph.
        edges: Pairs of points one of which paid the other.
    """

    points: tuple[int, ...] | None
    weight: int
    nodes: int
    edges: int


def minimum_cut(
    edges: Collection[tuple[int, int]],
    sources: Collection[int],
    sinks: Collection[int],
    weights: Mapping[int, int | None],
    engine: EngineName = "auto",
) -> Cut:
    """The points of least total weight that lie on every way from a source to a sink; nearest the sources of equal ones.

    Any way that money took is a way of this graph, so nothing passes the cut. The graph does not know the order of
    payments in time: a set that uses it may be smaller.

    Args:
        edges: Who paid whom.
        sources: Where money starts.
        sinks: Where it is cashed out.
        weights: For each point what taking it costs, 1 or more; None where it cannot be taken.
        engine: auto, plain or compiled.

    Source: see `shieldwall.kernels.plain.cutting`.
    """
    numbers = sorted({point for edge in edges for point in edge} | set(sources) | set(sinks))
    place = {number: at for at, number in enumerate(numbers)}
    pairs = sorted((place[one], place[other]) for one, other in edges if one != other)
    table = np.array(pairs, np.int64).reshape(-1, 2)
    first = np.searchsorted(table[:, 0], np.arange(len(numbers) + 1)).astype(np.int64)
    weight = np.array([_weight(weights[number]) for number in numbers], np.int64)
    begin, end = np.zeros(len(numbers), np.uint8), np.zeros(len(numbers), np.uint8)
    begin[[place[number] for number in sources]] = 1
    end[[place[number] for number in sinks]] = 1
    cutting = kernel("cutting", compiled=is_compiled(engine, large=len(pairs) >= _COMPILED_FROM))
    total, taken = cutting.vertex_cut(first, np.ascontiguousarray(table[:, 1]), weight, begin, end)
    if total < 0:
        return Cut(None, 0, len(numbers), len(pairs))
    return Cut(tuple(numbers[at] for at in np.flatnonzero(taken).tolist()), total, len(numbers), len(pairs))


def _weight(cost: int | None) -> int:
    return UNCUTTABLE if cost is None else cost
