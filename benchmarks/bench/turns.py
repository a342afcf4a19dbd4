"""Competitors on the same arrays in one process: they take turns, and each answer is held to the first one's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

Work = Callable[[], Any]


SLOW = 20.0  # seconds: what takes longer has one turn


def take_turns(
    works: Mapping[str, Work], rounds: int, same: Callable[[Any, Any], Any]
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Let each work in turn, round after round, after one round that does not count where there is more than one.

    Args:
        works: The first is ours, whose answer the others are held to.
        rounds: That count.
        same: Given our answer and another: what to say of the two.

    Returns:
        Seconds of each round, by name (one for a work that takes longer than `SLOW`); and what `same` said, by name of the
        others.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    said: dict[str, Any] = {}
    slow: set[str] = set()
    for number in range(-1 if rounds > 1 else 0, rounds):
        ours: Any = None
        for name, work in works.items():
            if name in slow:
                continue
            begin = perf_counter()
            answer = work()
            seconds = perf_counter() - begin
            if seconds > SLOW and ours is not None:
                slow.add(name)
            if number >= 0 or name in slow:
                times[name].append(seconds)
            if ours is None:
                ours = answer
            elif number == rounds - 1 or name in slow:
                said[name] = same(ours, answer)
            del answer
    return times, said


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Seconds that half and 99 of a hundred do not pass, the mean, and the most."""
    p50, p99 = np.percentile(seconds, [50, 99]).tolist()
    return {"p50": p50, "p99": p99, "mean": sum(seconds) / len(seconds), "most": max(seconds)}
