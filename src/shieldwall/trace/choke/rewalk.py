"""What points stop under the methods that mix satoshi (haircut, TIHO): the trace walked again with them as stops.

There is no way of a satoshi under these, only shares, rounded to whole satoshi in every transaction: what a set stops is
what arrives at it in a walk in which nothing leaves it. That is exact, but for satoshi that the rounding of such a walk
sends where the trace sent none, and costs a walk for each set.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.model.transaction import internal
from shieldwall.trace.choke.account import Pick
from shieldwall.trace.choke.points import Points
from shieldwall.trace.choke.ways import NEVER
from shieldwall.trace.methods.interface import CLEAN, Method, Taint, amount_of
from shieldwall.trace.targets import Target

_MOST_WALKS = 400  # for one choice of points

_GUARANTEES = {
    "haircut": "none exact: but for rounding to whole satoshi the greedy choice stops at least 1 - 1/e (63 %) of what the "
    "best choice of as many points does (Nemhauser, Wolsey, Fisher 1978)",
    "tiho": "none: under this method what a point stops depends on what others stop in no lawful way",
}


@dataclass(frozen=True, slots=True)
class _Passage:
    """A transaction of the trace.

    Attributes:
        spends: (place among the inputs, output spent; None for an input to start from whose output is not here).
        values: Satoshi of each input; None where not known.
        makes: Numbers of its outputs.
        pays: Satoshi of each output.
        given: Places of inputs to start from.
    """

    spends: tuple[tuple[int, int | None], ...]
    values: list[int | None]
    makes: range
    pays: list[int]
    given: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Stay:
    """An output at a point: the point, when it came, until when it is there, and whether that is not known."""

    point: int
    came: int
    until: int
    is_open: bool


class RewalkAccount:
    """The account of a trace by a method that mixes satoshi.

    Args:
        store: The chain that was traced.
        targets: What the trace started from.
        body: The trace's answer.
        points: Numbers the points.
        method: How taint divides.
    """

    def __init__(
        self, store: ChainStore, targets: Sequence[Target], body: dict[str, Any], points: Points, method: Method
    ) -> None:
        self._store = store
        self._points = points
        self._method = method
        self._holder_of = store.column("output_holder")
        self._value_of = store.column("output_value")
        self._seeds = frozenset(output for target in targets for output in target.outputs)
        given: dict[int, set[int]] = {}
        self.sources: set[int] = {points.of(int(self._holder_of[output])) for output in self._seeds}
        for number in sorted({number for target in targets for number in target.inputs}):
            spender = store.transaction_of_input(number)
            given.setdefault(spender, set()).add(number - store.input_range(spender).start)
            self.sources.add(points.of(int(store.column("input_holder")[number])))
        self._stays: dict[int, _Stay | None] = {}
        self._passages = [self._passage(transfer, given) for transfer in body["transfers"]]
        self.arrivals: dict[int, list[int]] = {}
        self.guarantee = _GUARANTEES[method.name]
        self._edges: dict[tuple[int, int], int] = {}
        self._returned: dict[object, int] = {}  # seed -> what its own money brings back
        self._rest: dict[int, int] = {}  # output -> satoshi that end there
        self._paid: dict[int, int] = {}  # output -> satoshi that come there
        self._begin()

    def greedy(
        self, candidates: Collection[int], most: int, since: int | None, order: Mapping[int, tuple[object, ...]]
    ) -> list[Pick]:
        """See `Account`. Points are tried in the order of what comes to them, which bounds what they stop from above, as
        far as `_MOST_WALKS` walks go (Minoux' accelerated greedy, 1978).
        """
        bounds: dict[int, int] = {}
        for output, amount in self._paid.items():
            stay = self._stay(output)
            if stay is not None and stay.point in candidates and (since is None or stay.until >= since):
                bounds[stay.point] = bounds.get(stay.point, 0) + amount
        queue = [(-amount, order[point], point, 0) for point, amount in bounds.items()]
        heapq.heapify(queue)
        picks: list[Pick] = []
        already = 0
        walks = 0
        while queue and len(picks) < most:
            bound, key, point, asked = heapq.heappop(queue)
            if asked == len(picks) + 1 or walks >= _MOST_WALKS:
                stopped = -bound if asked == len(picks) + 1 else self._gain(picks, point, since) - already
                if stopped <= 0:
                    break
                picks.append(Pick(point, stopped))
                already += stopped
                continue
            walks += 1
            gain = self._gain(picks, point, since) - already
            heapq.heappush(queue, (-gain, key, point, len(picks) + 1))
        if walks >= _MOST_WALKS:
            self.guarantee = f"none: the choice was cut off after {_MOST_WALKS} walks; what it stops is exact"
        return picks

    def _gain(self, picks: Sequence[Pick], point: int, since: int | None) -> int:
        return self._stopped({*(pick.point for pick in picks), point}, since)

    def split(self, chosen: Collection[int], since: int | None) -> tuple[int, int, int]:
        """See `Account`."""
        stopped = self._stopped(chosen, since)
        perhaps = self._stopped(chosen, since, with_open=True)
        return stopped, self._stopped(chosen, None) - perhaps, perhaps - stopped

    def curve(self, chosen: Collection[int], since: Sequence[int]) -> list[int]:
        """See `Account`."""
        return [self._stopped(chosen, moment) for moment in since]

    def resting(self, point: int) -> tuple[int, int]:
        """See `Account`."""
        unspent = unknown = 0
        for output, amount in self._rest.items():
            stay = self._stay(output)
            if stay is not None and stay.point == point:
                unspent += amount * (stay.until == NEVER)
                unknown += amount * stay.is_open
        return unspent, unknown

    def edges(self) -> Mapping[tuple[int, int], int]:
        """See `Account`. Each payer of a transaction paid each payee, in proportion."""
        return self._edges

    def _stopped(self, chosen: Collection[int], since: int | None, *, with_open: bool = False) -> int:
        wanted = frozenset(chosen)
        total = 0

        def stop(output: int, amount: int) -> bool:
            nonlocal total
            stay = self._stay(output)
            if stay is None or stay.point not in wanted or output in self._seeds:
                return False
            if since is not None and stay.until < since and not (with_open and stay.is_open):
                return False
            total += amount
            return True

        self._walk(stop)
        return total

    def _begin(self) -> None:
        """The walk as it was, to know what comes where."""

        def note(output: int, amount: int) -> bool:
            self._paid[output] = amount
            stay = self._stay(output)
            if stay is not None:
                seen = self.arrivals.setdefault(stay.point, [0, stay.came, stay.came])
                seen[0] += 1
                seen[1], seen[2] = min(seen[1], stay.came), max(seen[2], stay.came)
            return False

        self._rest = {output: amount_of(taint) for output, taint in self._walk(note, first=True).items()}

    def _walk(self, stop: Callable[[int, int], bool], *, first: bool = False) -> dict[int, Taint]:
        """Walk the trace's transactions; `stop` is told of every payment, and says whether it ends there."""
        coins: dict[int, Taint] = {}
        pending = set(self._seeds)
        for passage in self._passages:
            taints: list[Taint] = [CLEAN] * len(passage.values)
            for place, output in passage.spends:
                taint = CLEAN if output is None else self._coin(coins, pending, output, first)
                if place in passage.given:
                    taint = self._seeded(("in", passage.makes.start, place), taint, passage.values[place] or 0, first)
                taints[place] = taint
            if not any(taints):
                continue
            split = self._method.split(passage.values, taints, passage.pays)
            if first:
                self._note_edges(passage, taints, split.outputs)
            coins |= {
                output: taint
                for output, taint in zip(passage.makes, split.outputs, strict=True)
                if taint and not stop(output, amount_of(taint))
            }
        for output in sorted(pending):
            coins[output] = self._seeded(output, coins.get(output, CLEAN), int(self._value_of[output]), first)
        return coins

    def _coin(self, coins: dict[int, Taint], pending: set[int], output: int, first: bool) -> Taint:
        taint = coins.pop(output, CLEAN)
        if output in pending:
            pending.discard(output)
            taint = self._seeded(output, taint, int(self._value_of[output]), first)
        return taint

    def _seeded(self, seed: object, taint: Taint, value: int, first: bool) -> Taint:
        """A coin to start from: its own money that comes back is no new money, also where it is stopped on the way."""
        if first:
            self._returned[seed] = amount_of(taint)
        amount = value - self._returned[seed] + amount_of(taint)
        return ((0, amount),) if amount else CLEAN

    def _note_edges(self, passage: _Passage, taints: Sequence[Taint], outputs: Sequence[Taint]) -> None:
        links = dict(passage.spends)
        whole = sum(map(amount_of, taints))
        for place, taint in enumerate(taints):
            link = links.get(place)
            if not taint or link is None:
                continue
            payer = self._points.of(int(self._holder_of[link]))
            for output, got in zip(passage.makes, outputs, strict=True):
                stay = self._stay(output)
                if got and stay is not None and stay.point != payer:
                    pair = payer, stay.point
                    self._edges[pair] = self._edges.get(pair, 0) + amount_of(got) * amount_of(taint) // whole

    def _passage(self, transfer: dict[str, Any], given: Mapping[int, set[int]]) -> _Passage:
        transaction = self._store.find_transaction(internal(transfer["txid"]))
        assert transaction is not None  # noqa: S101 - the trace passed it
        links, values = self._store.links(transaction)
        makes = self._store.output_range(transaction)
        places = [entry["place"] for entry in transfer["inputs"]]
        return _Passage(
            tuple((place, links[place]) for place in places), values, makes, self._store.values(transaction),
            frozenset(given.get(transaction, ())),
        )  # fmt: skip

    def _stay(self, output: int) -> _Stay | None:
        if output not in self._stays:
            self._stays[output] = self._find_stay(output)
        return self._stays[output]

    def _find_stay(self, output: int) -> _Stay | None:
        came = self._store.time_of(self._store.transaction_of(output))
        spend = self._store.spend(output)
        if spend.state == SpendState.UNSPENDABLE:
            return None
        point = self._points.of(int(self._holder_of[output]))
        if spend.transaction is not None:
            return _Stay(point, came, max(came, self._store.time_of(spend.transaction)), False)
        never = spend.state == SpendState.UNSPENT
        return _Stay(point, came, NEVER if never else came, not never)
