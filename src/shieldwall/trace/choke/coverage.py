"""Which few points stop most: exact sums over the ways of a trace's money, each satoshi once. Pure.

A set of points frozen from a moment on stops the satoshi whose way has a stay at one of them that lasts until that
moment or begins later. That number is a coverage function of the set: monotone and submodular. So the greedy choice
(each time the point that stops most of what is left) stops at least 1 - (1 - 1/k)^k, which is more than 1 - 1/e = 63 %,
of what the best k points would.

Source: Nemhauser, Wolsey, Fisher, "An analysis of approximations for maximizing submodular set functions - I",
Mathematical Programming 14 (1978), section 4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shieldwall.trace.choke.account import Pick
from shieldwall.trace.choke.ways import NEVER, Ways

_GUARANTEE = (
    "at least 1 - 1/e (63 %) of what the best choice of as many points stops (Nemhauser, Wolsey, Fisher 1978): each "
    "satoshi has one way, so what a set of points stops is a coverage function"
)


class WaysAccount:
    """The account of a trace by a method that keeps satoshi whole.

    Args:
        ways: Where every satoshi went.
    """

    guarantee = _GUARANTEE

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.arrivals = ways.arrivals
        self.sources = ways.sources()

    def greedy(
        self, candidates: Collection[int], most: int, since: int | None, order: Mapping[int, tuple[object, ...]]
    ) -> list[Pick]:
        """See `Account`."""
        return greedy(self.ways, candidates, most, since, order)

    def split(self, chosen: Collection[int], since: int | None) -> tuple[int, int, int]:
        """See `Account`."""
        return split_by(self.ways, chosen, since)

    def curve(self, chosen: Collection[int], since: Sequence[int]) -> list[int]:
        """See `Account`."""
        return curve(latest(self.ways, chosen), since)

    def resting(self, point: int) -> tuple[int, int]:
        """See `Account`."""
        ways = self.ways
        here = [node for node, at in enumerate(ways.point) if at == point and ways.parent[node] >= 0]
        unspent = sum(ways.amount[node] for node in here if ways.until[node] == NEVER)
        return unspent, sum(ways.amount[node] for node in here if ways.open[node])

    def edges(self) -> Mapping[tuple[int, int], int]:
        """See `Account`."""
        return self.ways.edges()


def greedy(
    ways: Ways, candidates: Collection[int], most: int, since: int | None, order: Mapping[int, tuple[object, ...]]
) -> list[Pick]:
    """Choose up to `most` points, each time the one that stops most of what the others let pass; fewer when all is stopped.

    Args:
        ways: Where the money went.
        candidates: Points that may be chosen.
        most: How many to choose.
        since: Unix seconds from which they are frozen; None for always.
        order: For each candidate what decides between equals; the least is taken.
    """
    wanted = frozenset(candidates)
    fit = [point in wanted and _lasts(until, since) for point, until in zip(ways.point, ways.until, strict=True)]
    again = _again(ways, fit)
    covered = [False] * len(fit)
    picks: list[Pick] = []
    while len(picks) < most:
        gains: dict[int, int] = {}
        for node, amount in enumerate(_left(ways, covered)):
            if amount and fit[node] and not covered[node] and not again[node]:
                gains[ways.point[node]] = gains.get(ways.point[node], 0) + amount
        if not gains:
            break
        best = min(gains, key=lambda point: (-gains[point], order[point]))
        picks.append(Pick(best, gains[best]))
        for node, parent in enumerate(ways.parent):
            covered[node] = (
                covered[node] or (fit[node] and ways.point[node] == best) or (parent >= 0 and covered[parent])
            )
    return picks


def split_by(ways: Ways, chosen: Collection[int], since: int | None) -> tuple[int, int, int]:
    """What passes the chosen points: satoshi stopped; gone before `since`; and of which it is not known which of both."""
    wanted = frozenset(chosen)
    stopped = gone = unknown = 0
    states: list[int] = []  # of each node: 0 passed none, 1 left in time, 2 not known, 3 stopped
    for node, parent in enumerate(ways.parent):
        state = states[parent] if parent >= 0 else 0
        if ways.point[node] in wanted and parent >= 0:
            stays = 3 if _lasts(ways.until[node], since) else 2 if ways.open[node] else 1
            state = max(state, stays)
        states.append(state)
        amount = ways.amount[node]
        stopped += amount * (state == 3)
        unknown += amount * (state == 2)
        gone += amount * (state == 1)
    return stopped, gone, unknown


def latest(ways: Ways, chosen: Collection[int]) -> dict[int, int]:
    """Last moment at which freezing the chosen points still stops it -> satoshi; in the order of time."""
    wanted = frozenset(chosen)
    last: list[int] = []
    found: dict[int, int] = {}
    for node, parent in enumerate(ways.parent):
        moment = last[parent] if parent >= 0 else -1
        if ways.point[node] in wanted and parent >= 0:
            moment = max(moment, ways.until[node])
        last.append(moment)
        if moment >= 0 and ways.amount[node]:
            found[moment] = found.get(moment, 0) + ways.amount[node]
    return dict(sorted(found.items()))


def curve(moments: Mapping[int, int], since: Sequence[int]) -> list[int]:
    """For each moment of freezing, ascending, the satoshi stopped from it on; never rising.

    Args:
        moments: From `latest`.
        since: Unix seconds, ascending.
    """
    left = sum(moments.values())
    rest = sorted(moments.items())
    at = 0
    sums = []
    for moment in since:
        while at < len(rest) and rest[at][0] < moment:
            left -= rest[at][1]
            at += 1
        sums.append(left)
    return sums


def _lasts(until: int, since: int | None) -> bool:
    return since is None or until >= since


def _left(ways: Ways, covered: Sequence[bool]) -> list[int]:
    """Satoshi that come to each node and are not stopped yet."""
    sums = [0 if covered[node] else amount for node, amount in enumerate(ways.amount)]
    for node in range(len(sums) - 1, -1, -1):
        if ways.parent[node] >= 0:
            sums[ways.parent[node]] += sums[node]
    return sums


def _again(ways: Ways, fit: Sequence[bool]) -> list[bool]:
    """True for a stay at a point where the same money has had a fit stay before: it counts there, once."""
    below: list[list[int]] = [[] for _ in fit]
    stack: list[int] = []
    for node, parent in enumerate(ways.parent):
        (below[parent] if parent >= 0 else stack).append(node)
    again = [False] * len(fit)
    above: dict[int, int] = {}  # point -> fit stays on the way to here
    while stack:
        node = stack.pop()
        if node < 0:
            above[ways.point[~node]] -= 1
            continue
        if fit[node]:
            again[node] = above.get(ways.point[node], 0) > 0
            above[ways.point[node]] = above.get(ways.point[node], 0) + 1
            stack.append(~node)
        stack += below[node]
    return again
