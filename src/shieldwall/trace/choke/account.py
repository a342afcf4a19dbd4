"""The seam between "who passed what" and the choice of points; two implementations, for two kinds of method."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pick:
    """A chosen point.

    Attributes:
        point: Its number.
        stopped: Satoshi that it stops and that no point chosen before it does.
    """

    point: int
    stopped: int


class Account(Protocol):
    """What became of a trace's money, asked point by point. Every satoshi counts once, wherever it passes."""

    @property
    def arrivals(self) -> Mapping[int, Sequence[int]]:
        """For each point that money came to [outputs paid to it, Unix seconds of the first, of the last]."""

    @property
    def sources(self) -> Collection[int]:
        """Points where the trace starts."""

    @property
    def guarantee(self) -> str:
        """How near the greedy choice is to the best one, with the source."""

    def greedy(
        self, candidates: Collection[int], most: int, since: int | None, order: Mapping[int, tuple[object, ...]]
    ) -> list[Pick]:
        """Choose up to `most` points, each time the one that stops most of what the others let pass.

        Args:
            candidates: Points that may be chosen.
            most: How many to choose; fewer are when nothing is left to stop.
            since: Unix seconds from which they are frozen; None for always.
            order: For each candidate what decides between equals; the least is taken.
        """

    def split(self, chosen: Collection[int], since: int | None) -> tuple[int, int, int]:
        """Of what passes the chosen points, satoshi stopped; gone before `since`; and of which neither is known."""

    def curve(self, chosen: Collection[int], since: Sequence[int]) -> list[int]:
        """Satoshi stopped by the chosen points, frozen from each of these moments (ascending) on; never rising."""

    def resting(self, point: int) -> tuple[int, int]:
        """Satoshi that lie unspent at a point as of the tip, and those of which it is not known."""

    def edges(self) -> Mapping[tuple[int, int], int]:
        """Who paid whom how much: (point, other point) -> satoshi."""
