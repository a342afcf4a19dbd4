"""The way of every satoshi of a trace from point to point, for the methods that keep satoshi whole (FIFO, LIFO).

Under these each satoshi of an output is one satoshi of an input (`shieldwall.trace.methods.order`), so a trace is a
bundle of ways. Ways that begin alike are kept once, as a tree: what is stopped somewhere is a sum over a part of it.

A trace with the chosen points as stops finds that sum again, with one exception: money that passed a chosen point and
came back to a seed. Here it goes on its one way and counts once. There it ends at the point, so the seed that it would
have come back to begins whole, as new money, and counts again where that meets a chosen point: at most
`returned_amount` more in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.model.transaction import internal
from shieldwall.trace.choke.points import Points
from shieldwall.trace.targets import Target

NEVER = 1 << 62  # a moment later than all: money that has not left
IN_ORDER = ("fifo", "lifo")
Run = tuple[int, int, int]
"""First and one past the last satoshi within a coin, and the node that its way has come to."""


@dataclass(slots=True)
class Ways:
    """A tree of stays: a node is money at one point after it came the way of the node above. Parents come first.

    Attributes:
        parent: Number of the node above; -1 for a seed.
        point: Number of the point.
        until: Unix seconds of the block in which the money left; `NEVER` while it is there; of arrival where it is not
            known.
        open: True where it is not known whether, or when, it left.
        amount: Satoshi whose way ends here: they stay, went to fees, or are followed no further.
        arrivals: For each point [outputs paid to it, Unix seconds of the first, of the last].
    """

    parent: list[int] = field(default_factory=list)
    point: list[int] = field(default_factory=list)
    until: list[int] = field(default_factory=list)
    open: list[bool] = field(default_factory=list)
    amount: list[int] = field(default_factory=list)
    arrivals: dict[int, list[int]] = field(default_factory=dict)
    _nodes: dict[tuple[int, int, int, bool], int] = field(default_factory=dict)

    def node(self, parent: int, point: int, until: int, is_open: bool) -> int:
        """The node of a stay; one that goes on at the same point is one stay, until its later end."""
        if parent >= 0 and self.point[parent] == point and self.parent[parent] >= 0:
            until = max(until, self.until[parent])
            parent = self.parent[parent]
        key = (parent, point, until, is_open)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = len(self.parent)
            self.parent.append(parent)
            self.point.append(point)
            self.until.append(until)
            self.open.append(is_open)
            self.amount.append(0)
        return found

    def met(self, point: int, time: int) -> None:
        """Count an output paid to a point."""
        seen = self.arrivals.setdefault(point, [0, time, time])
        seen[0] += 1
        seen[1], seen[2] = min(seen[1], time), max(seen[2], time)

    def sources(self) -> set[int]:
        """Points where the trace starts."""
        return {point for parent, point in zip(self.parent, self.point, strict=True) if parent < 0}

    def through(self) -> list[int]:
        """Satoshi that come to each node: its own, and those of all below it."""
        sums = list(self.amount)
        for node in range(len(sums) - 1, -1, -1):
            if self.parent[node] >= 0:
                sums[self.parent[node]] += sums[node]
        return sums

    def edges(self) -> dict[tuple[int, int], int]:
        """Who paid whom how much: (point, other point) -> satoshi."""
        paid: dict[tuple[int, int], int] = {}
        sums = self.through()
        for node, parent in enumerate(self.parent):
            if parent >= 0 and self.point[parent] != self.point[node]:
                pair = self.point[parent], self.point[node]
                paid[pair] = paid.get(pair, 0) + sums[node]
        return paid


def ways_of(store: ChainStore, targets: Sequence[Target], body: dict[str, Any], points: Points) -> Ways:
    """The ways of a forward trace's money.

    Args:
        store: The chain that was traced.
        targets: What the trace started from.
        body: The trace's answer, by FIFO or LIFO.
        points: Numbers the points.

    Returns:
        Ways whose amounts sum up to the trace's `seed_amount`.
    """
    follower = _Follower(store, targets, points, reverse=body["method"] == "lifo")
    for transfer in body["transfers"]:
        transaction = store.find_transaction(internal(transfer["txid"]))
        if transaction is not None:
            follower.pass_on(transaction, [entry["place"] for entry in transfer["inputs"]])
    return follower.end()


class _Follower:
    """Carries the runs of every coin through the transactions of a trace."""

    def __init__(self, store: ChainStore, targets: Sequence[Target], points: Points, *, reverse: bool) -> None:
        self._store = store
        self._points = points
        self._reverse = reverse
        self._holder_of = store.column("output_holder")
        self._value_of = store.column("output_value")
        self._seeds = {output for target in targets for output in target.outputs}
        self._seed_inputs: dict[tuple[int, int], int] = {}  # (transaction, place) -> input number
        for number in sorted({number for target in targets for number in target.inputs}):
            transaction = store.transaction_of_input(number)
            self._seed_inputs[transaction, number - store.input_range(transaction).start] = number
        self._coins: dict[int, list[Run]] = {}
        self._ways = Ways()

    def pass_on(self, transaction: int, places: Sequence[int]) -> None:
        """One transaction of the trace: its tainted inputs pay its outputs in order; what is left is the fee."""
        links, values = self._store.links(transaction)
        runs: list[Run] = []
        wanted = set(places)
        begin = 0
        for place in reversed(range(len(values))) if self._reverse else range(len(values)):
            if place in wanted:
                coin = self._coin(transaction, place, links[place], values[place])
                value = values[place] or 0
                if self._reverse:
                    coin = [(value - last, value - first, node) for first, last, node in reversed(coin)]
                runs += [(begin + first, begin + last, node) for first, last, node in coin]
                wanted.discard(place)
                if not wanted:
                    break
            begin += values[place] or 0
        self._lay(transaction, runs)

    def _coin(self, transaction: int, place: int, output: int | None, value: int | None) -> list[Run]:
        runs = [] if output is None else self._take(output)
        number = self._seed_inputs.get((transaction, place))
        if number is None:
            return runs
        holder = int(self._store.column("input_holder")[number])
        return self._filled(runs, holder, value or 0)

    def _take(self, output: int) -> list[Run]:
        runs = self._coins.pop(output, None)
        if output in self._seeds:
            self._seeds.discard(output)
            runs = self._filled(runs or [], int(self._holder_of[output]), int(self._value_of[output]))
        return runs or []

    def _filled(self, runs: list[Run], holder: int, value: int) -> list[Run]:
        """A coin to start from: what its own money brought back goes on its way, the rest begins here."""
        root = self._ways.node(-1, self._points.of(holder), 0, False)
        whole: list[Run] = []
        at = 0
        for first, last, node in [*runs, (value, value, root)]:
            if at < first:
                whole.append((at, first, root))
            if first < last:
                whole.append((first, last, node))
            at = last
        return whole

    def _lay(self, transaction: int, runs: list[Run]) -> None:
        store, ways = self._store, self._ways
        time = store.time_of(transaction)
        at, first = 0, 0
        for output, value in zip(store.output_range(transaction), store.values(transaction), strict=True):
            if at == len(runs):
                break
            last = first + value
            parts: list[Run] = []
            while at < len(runs) and runs[at][0] < last:
                begin, end, node = runs[at]
                if max(begin, first) < min(end, last):
                    parts.append((max(begin, first) - first, min(end, last) - first, node))
                if end > last:
                    break
                at += 1
            if parts:
                self._pay(output, parts, time)
            first = last
        for begin, end, node in runs[at:]:
            ways.amount[node] += max(0, end - max(begin, first))

    def _pay(self, output: int, parts: Iterable[Run], time: int) -> None:
        spend = self._store.spend(output)
        if spend.state == SpendState.UNSPENDABLE:  # nobody has it: it ends where it came from, as a fee does
            for first, last, node in parts:
                self._ways.amount[node] += last - first
            return
        if spend.transaction is not None:
            until, is_open = max(time, self._store.time_of(spend.transaction)), False
        elif spend.state == SpendState.UNSPENT:
            until, is_open = NEVER, False
        else:
            until, is_open = time, True
        point = self._points.of(int(self._holder_of[output]))
        self._ways.met(point, time)
        runs: list[Run] = []
        for first, last, parent in parts:
            node = self._ways.node(parent, point, until, is_open)
            if runs and runs[-1][1] == first and runs[-1][2] == node:
                runs[-1] = (runs[-1][0], last, node)
            else:
                runs.append((first, last, node))
        self._coins[output] = runs

    def end(self) -> Ways:
        """What is not spent on within the trace ends where it is."""
        for output in (*sorted(self._seeds), *self._coins):
            for first, last, node in self._take(output):
                self._ways.amount[node] += last - first
        return self._ways
