"""A trace written from the definitions alone, slow and plain: money as lists of coloured satoshi, shares as fractions.

It knows nothing of `shieldwall.trace`. Only small amounts are meant for it: FIFO and LIFO hold one entry for every satoshi.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Outpoint = tuple[str, int]


@dataclass(frozen=True)
class Put:
    """An output: satoshi, whose it is, and whether nobody can ever spend it."""

    value: int
    address: str
    burnt: bool = False


@dataclass(frozen=True)
class Payment:
    """A transaction that the data holds; `values` has None for an input of which nobody says what it brought, `owners`
    for one of which nobody says whose it was. No inputs: a coinbase.
    """

    txid: str
    height: int
    time: int
    inputs: tuple[Outpoint, ...]
    values: tuple[int | None, ...]
    outputs: tuple[Put, ...]
    owners: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class World:
    """What the data holds, in chain order, and where each output stands: ("spent", txid) by a transaction that is here,
    ("outside", txid) by one that is not, ("unspent", ""), ("unknown", "").
    """

    payments: tuple[Payment, ...]
    states: dict[Outpoint, tuple[str, str]]


@dataclass(frozen=True)
class Bounds:
    """Limits, and addresses of services."""

    hops: int | None = None
    least: int = 0
    until_height: int | None = None
    until_time: int | None = None
    transactions: int = 10**9
    services: frozenset[str] = frozenset()


@dataclass
class Answer:
    """Ends are counted as (kind, txid, index, amount, hops, txid of the gap); fees have no index and no hops."""

    seed: int = 0
    returned: int = 0
    ends: Counter[tuple[str, str, int | None, int, int | None, str]] = field(default_factory=Counter)

    def total(self, kind: str) -> int:
        return sum(end[3] * count for end, count in self.ends.items() if end[0] == kind)


class Unknown(Exception):
    """The division needs the value of this input, and nobody gives it."""


class FifoRule:
    """Colour every satoshi: those of the first input come first, the first output takes the first."""

    def whole(self, value):
        return [True] * value

    def amount(self, colours):
        return sum(colours)

    def divide(self, values, coloured, outputs):
        queue = []
        for place, value in enumerate(values):
            if value is None:
                if any(any(coloured[later]) for later in coloured if later > place):
                    raise Unknown(place)
                break  # what comes behind is clean, whatever it is worth
            queue += coloured.get(place) or [False] * value
        taken = []
        for value in outputs:
            part, queue = queue[:value], queue[value:]
            taken.append(part + [False] * (value - len(part)))
        return taken, sum(queue)


class LifoRule(FifoRule):
    """A stack of satoshi: the inputs are put on it in order, the outputs take from the top."""

    def divide(self, values, coloured, outputs):
        stack = []
        for place, value in reversed(list(enumerate(values))):
            if value is None:
                if any(any(coloured[other]) for other in coloured if other < place):
                    raise Unknown(place)
                break  # what lies below is clean, whatever it is worth
            stack = (coloured.get(place) or [False] * value) + stack
        taken = [[stack.pop() if stack else False for _ in range(value)] for value in outputs]
        return taken, sum(stack)


class TihoRule:
    """Count the dirty satoshi, and fill the outputs with them, the highest first."""

    def whole(self, value):
        return value

    def amount(self, part):
        return part

    def divide(self, _values, coloured, outputs):
        dirty = sum(coloured.values())
        parts = [0] * len(outputs)
        while dirty and any(part < value for part, value in zip(parts, outputs, strict=True)):
            room = [value if part < value else 0 for part, value in zip(parts, outputs, strict=True)]
            parts[room.index(max(room))] += 1  # the first of equals
            dirty -= 1
        return parts, dirty


class HaircutRule:
    """Every output and the fee get their share; what the floors leave over goes to the largest remainders."""

    def whole(self, value):
        return value

    def amount(self, part):
        return part

    def divide(self, values, coloured, outputs):
        for place, value in enumerate(values):
            if value is None:
                raise Unknown(place)
        dirty = sum(coloured.values())
        weights = [*outputs, sum(values) - sum(outputs)]
        exact = [Fraction(dirty * weight, sum(values)) for weight in weights]
        parts = [int(share) for share in exact]
        while sum(parts) < dirty:
            rests = [share - part for share, part in zip(exact, parts, strict=True)]
            parts[rests.index(max(rests))] += 1  # the first of equals: lowest index, fee last
        return parts[:-1], parts[-1]


class PoisonRule:
    """Whatever leaves is marked; a fee is nobody's."""

    def whole(self, value):
        return value

    def amount(self, part):
        return part

    def divide(self, _values, _coloured, outputs):
        return list(outputs), 0


RULES: dict[str, Any] = {
    "fifo": FifoRule, "lifo": LifoRule, "tiho": TihoRule, "haircut": HaircutRule, "poison": PoisonRule,
}  # fmt: skip
ORDERED = ("fifo", "lifo")  # rules that colour single satoshi


def trace(
    world: World, method: str, seeds: set[Outpoint], seed_inputs: set[tuple[str, int]], bounds: Bounds | None = None
) -> Answer:
    """Go through the whole chain once, from the first transaction to the last."""
    bounds, rule, answer = bounds or Bounds(), RULES[method](), Answer()
    by_txid = {payment.txid: payment for payment in world.payments}
    flowing = {}  # outpoint -> what of it is dirty, and goes on
    hops: dict[Outpoint, int] = {}
    followed: set[str] = set()

    def end(kind, txid, index, amount, gap=""):
        answer.ends[kind, txid, index, amount, None if index is None else hops.get((txid, index), 0), gap] += 1

    def begin(value, already):
        answer.seed += value - already
        answer.returned += already

    def stopped(payment, spender, amount, at_hop):
        if bounds.hops is not None and at_hop >= bounds.hops:
            return True
        if amount < bounds.least:
            return True
        if bounds.until_height is not None and spender.height > bounds.until_height:
            return True
        if bounds.until_time is not None and spender.time > bounds.until_time:
            return True
        return spender.txid not in followed and len(followed) >= bounds.transactions

    def place_of(outpoint, spender):
        return spender.inputs.index(outpoint)

    def route(payment, index, dirty):
        point, put, amount = (payment.txid, index), payment.outputs[index], rule.amount(dirty)
        state, spender = world.states[point]
        if put.burnt:
            return end("fee", *point, amount)
        onward = state == "spent" and (spender, place_of(point, by_txid[spender])) in seed_inputs
        asked = point in seeds or onward
        if put.address in bounds.services and not asked:
            return end("service", *point, amount)
        if state == "unspent":
            return end("held", *point, amount)
        if state == "unknown":
            return end("unknown", *point, amount)
        if state == "outside":
            return end("gap", *point, amount, spender)
        if not onward and stopped(payment, by_txid[spender], amount, hops[point]):
            return end("limit", *point, amount)
        followed.add(spender)
        flowing[point] = dirty
        return None

    for payment in world.payments:
        coloured, from_hops = {}, []
        for place, (outpoint, value) in enumerate(zip(payment.inputs, payment.values, strict=True)):
            if outpoint in flowing:
                coloured[place] = flowing[outpoint]
                from_hops.append(hops[outpoint])
            if (payment.txid, place) in seed_inputs:
                begin(value, rule.amount(coloured[place]) if place in coloured else 0)
                if value:
                    coloured[place] = rule.whole(value)
                    from_hops.append(0)
        arrived = {}
        if coloured:
            try:
                parts, fee = rule.divide(payment.values, coloured, [put.value for put in payment.outputs])
            except Unknown as unknown:
                missing = payment.inputs[unknown.args[0]][0]
                for place, dirty in coloured.items():
                    txid, index = payment.inputs[place]
                    here = txid in by_txid
                    end("gap", txid if here else payment.txid, index if here else None, rule.amount(dirty), missing)
            else:
                if fee:
                    end("fee", payment.txid, None, fee)
                for index, part in enumerate(parts):
                    if rule.amount(part):
                        arrived[index] = part
                        hops[payment.txid, index] = min(from_hops) + 1
        for index, put in enumerate(payment.outputs):
            if (payment.txid, index) in seeds:
                begin(put.value, rule.amount(arrived[index]) if index in arrived else 0)
                arrived[index] = rule.whole(put.value)
                hops[payment.txid, index] = 0
            if index in arrived and rule.amount(arrived[index]):
                route(payment, index, arrived[index])
    return answer


# backward


def trace_back(
    world: World, method: str, seeds: set[Outpoint], seed_inputs: set[tuple[str, int]], bounds: Bounds | None = None
) -> Answer:
    """Go through the whole chain once, from the last transaction to the first."""
    bounds, answer = bounds or Bounds(), Answer()
    by_txid = {payment.txid: payment for payment in world.payments}
    wanted: dict[Outpoint, Any] = {}  # outpoint -> what is asked for of it: single satoshi (FIFO, LIFO), or how many
    hops: dict[Outpoint, int] = {}
    followed = 0
    single = method in ORDERED

    def count(part):
        return len(part) if single else part

    def whole(value):
        return set(range(value)) if single else value

    def end(kind, point, amount, gap=""):
        answer.ends[kind, *point, amount, hops[point], gap] += 1

    def begin(value, already):
        answer.seed += value - already
        answer.returned += already

    for txid, place in seed_inputs:
        payment = by_txid[txid]
        if payment.inputs[place][0] in by_txid:
            seeds = seeds | {payment.inputs[place]}
    for payment in reversed(world.payments):
        asked = {}
        room = followed < bounds.transactions
        for index, put in enumerate(payment.outputs):
            point = (payment.txid, index)
            part = wanted.get(point)
            if point in seeds:
                begin(put.value, count(part) if part else 0)
                part = whole(put.value)
                hops[point] = 0
            if not part:
                continue
            if not payment.inputs:
                end("coinbase", point, count(part))
            elif put.address in bounds.services and point not in seeds:
                end("service", point, count(part))
            elif (
                (bounds.hops is not None and hops[point] >= bounds.hops)
                or count(part) < bounds.least
                or (bounds.until_height is not None and payment.height < bounds.until_height)
                or (bounds.until_time is not None and payment.time < bounds.until_time)
                or not room
            ):
                end("limit", point, count(part))
            else:
                asked[index] = part
        parts: dict[int, Any] = {}
        if asked:
            followed += 1
            hop = min(hops[payment.txid, index] for index in asked) + 1
            try:
                parts = _payers(method, payment, asked)
            except Unknown:
                for index, part in asked.items():
                    end("unknown", (payment.txid, index), count(part))
        for place, outpoint in enumerate(payment.inputs):
            part = parts.get(place)
            value = payment.values[place]
            if part is not None:
                hops[outpoint] = hop
            if outpoint[0] in by_txid:
                if part:
                    wanted[outpoint] = part
                continue
            if (payment.txid, place) in seed_inputs:
                begin(value, count(part) if part else 0)
                part = whole(value) or None
                hops[outpoint] = 0
            if part is not None:
                if payment.owners[place] in bounds.services and (payment.txid, place) not in seed_inputs:
                    end("service", outpoint, count(part))
                else:
                    end("gap", outpoint, count(part), outpoint[0])
    return answer


def _payers(method, payment, asked):
    """Position of an input -> what of it is asked for; empty things are left out."""
    values, outputs = list(payment.values), [put.value for put in payment.outputs]
    if method == "poison":
        return {place: value or 0 for place, value in enumerate(values) if value != 0}
    if method == "haircut":
        if len(values) == 1:
            return {0: sum(asked.values())}
        if None in values:
            raise Unknown(values.index(None))
        asked_for = sum(asked.values())
        exact = [Fraction(asked_for * value, sum(values)) for value in values]
        parts = [int(share) for share in exact]
        while sum(parts) < asked_for:
            rests = [share - part for share, part in zip(exact, parts, strict=True)]
            parts[rests.index(max(rests))] += 1
        return {place: part for place, part in enumerate(parts) if part}
    places = range(len(values)) if method == "fifo" else range(len(values) - 1, -1, -1)
    needed = max(sum(outputs[:index]) + max(part) + 1 for index, part in asked.items())
    satoshi = []  # (input, which of it) in the order in which they are paid out
    for rank, place in enumerate(places):
        value = values[place]
        if value is None:
            if len(satoshi) >= needed:
                break
            if rank < len(values) - 1:
                raise Unknown(place)
            value = sum(outputs) - len(satoshi)  # all that the others did not bring
        inside = range(value) if method == "fifo" else range(value - 1, -1, -1)
        satoshi += [(place, which) for which in inside]
    parts = {}
    begin = 0
    for index, value in enumerate(outputs):
        for which in asked.get(index, ()):
            place, own = satoshi[begin + which]
            parts.setdefault(place, set()).add(own)
        begin += value
    return parts
