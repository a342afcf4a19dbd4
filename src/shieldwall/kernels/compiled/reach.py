"""What lies within some hops of a holder, and how much of its money (twin of `plain/reach.py`, which says what is meant).

Tables are as large as the budget, never as the chain; they are used again for every holder of a call, and stamped with its
number, so that nothing is ever cleared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from shieldwall.kernels.arrays import NO_COINJOIN, NONE64, WHIRLPOOL_TX0, Bytes, Counts32, Graph, Numbers, Offsets
from shieldwall.kernels.compiled.coinjoins import coinjoin_kinds
from shieldwall.kernels.compiled.columns import ascending, link, rows_from
from shieldwall.kernels.compiled.taint import share_out
from shieldwall.kernels.plain.reach import (
    BEYOND,
    BURNT,
    COINJOINED,
    CUT,
    CUT_TRANSACTIONS,
    FEES,
    HELD,
    MINED,
    OUTSIDE,
    RETURNED,
    STATED_OUTSIDE,
    STATED_UNSPENT,
    TOUCHED,
    UNKNOWN,
    UNSPENDABLE32,
    Budget,
    Reached,
    Surroundings,
    Tagged,
    nothing_reached,
)

_NEW, _OPEN, _COINJOIN = 0, 1, 2  # of a transaction that was reached: not looked into, looked into, the end
_SPREAD = np.uint32(2654435769)  # 2^32 divided by the golden ratio: spreads numbers that come in a row


class _Room(NamedTuple):
    """What one call works in: t transactions at most, r rows at most."""

    key: Counts32  # table: transaction
    place: npt.NDArray[np.int32]  # table: its place among those that were met
    stamp: npt.NDArray[np.int64]  # table: the holder that it was met from
    seen: Counts32  # table: tagged holder
    seen_stamp: npt.NDArray[np.int64]
    transaction: Counts32
    hops: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int32]
    state: Bytes
    own: Offsets
    amount: Offsets
    begin: Offsets  # first of a transaction's rows in `link` and `maker`
    link: Offsets  # -1 for none
    maker: npt.NDArray[np.int64]  # -1 for none; -2 where it was not looked for
    weights: Offsets
    parts: Offsets
    direct: Offsets
    rests: Offsets
    order: Offsets


def _room(budget: Budget) -> _Room:
    table = 1 << (4 * max(1, budget.transactions)).bit_length()
    seen = 1 << (2 * max(1, budget.rows)).bit_length()
    met, rows = max(1, budget.transactions), max(1, budget.rows) + 1
    signed = np.int64
    return _Room(
        np.zeros(table, np.uint32), np.zeros(table, np.int32), np.full(table, -1, signed), np.zeros(seen, np.uint32),
        np.full(seen, -1, signed), np.zeros(met, np.uint32), np.zeros(met, np.int32), np.zeros(met, np.int32),
        np.zeros(met, np.uint8), *(np.zeros(met, signed) for _ in range(3)), *(np.zeros(rows, signed) for _ in range(7)),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _code(tagged: Any, holder: Any) -> Any:
    bucket = np.int64(holder) >> tagged.shift
    if bucket + 1 >= len(tagged.first):
        return 0
    for place in range(tagged.first[bucket], tagged.first[bucket + 1]):
        if tagged.holder[place] == holder:
            return np.int64(tagged.code[place])
    return 0


@njit(cache=True, nogil=True)
def _find(room: Any, stamp: Any, transaction: Any) -> Any:
    """(place among those met or -1, slot of the table)"""
    mask = np.int64(len(room.key) - 1)
    slot = np.int64(np.uint32(transaction) * _SPREAD) & mask
    while room.stamp[slot] == stamp:
        if room.key[slot] == transaction:
            return np.int64(room.place[slot]), slot
        slot = (slot + 1) & mask
    return np.int64(-1), slot


@njit(cache=True, nogil=True)
def _reach(room: Any, stamp: Any, count: Any, transaction: Any, parent: Any, hops: Any) -> Any:
    """(place or -1 where there is no room, how many were met)"""
    place, slot = _find(room, stamp, transaction)
    if place >= 0:
        return place, count
    if count == len(room.transaction):
        return np.int64(-1), count
    room.stamp[slot] = stamp
    room.key[slot] = transaction
    room.place[slot] = count
    room.transaction[count] = transaction
    room.parent[count] = parent
    room.hops[count] = hops
    room.state[count] = _NEW
    room.own[count] = 0
    room.amount[count] = 0
    return count, count + 1


@njit(cache=True, nogil=True)
def _is_new(room: Any, stamp: Any, holder: Any) -> Any:
    mask = np.int64(len(room.seen) - 1)
    slot = np.int64(np.uint32(holder) * _SPREAD) & mask
    while room.seen_stamp[slot] == stamp:
        if room.seen[slot] == holder:
            return False
        slot = (slot + 1) & mask
    room.seen_stamp[slot] = stamp
    room.seen[slot] = holder
    return True


@njit(cache=True, nogil=True)
def _meet(room: Any, found: Any, row: Any, at: Any, code: Any, holder: Any) -> None:
    if _is_new(room, row, holder):
        found.holders[row, code] += np.uint32(1)
    if found.hops[row, code] == 0:
        found.hops[row, code] = room.hops[at]
        found.nearest[row, code] = holder
        step = np.int64(at)
        while step >= 0:
            found.path[row, code, room.hops[step] - 1] = room.transaction[step]
            step = np.int64(room.parent[step])


@njit(cache=True, nogil=True)
def _is_coinjoin(graph: Any, around: Any, transaction: Any, inputs: Any, outputs: Any) -> Any:
    if inputs < 2 or outputs < 3:  # no kind that ends a walk is smaller
        return False
    kind = coinjoin_kinds(graph, around.kind, transaction, transaction + 1, around.services, around.starts)[0]
    return kind != NO_COINJOIN and kind != WHIRLPOOL_TX0  # noqa: PLR1714 - a set is slow here


@njit(cache=True, nogil=True)
def _maker(graph: Any, output: Any, high: Any) -> Any:
    """The transaction below `high` that made an output."""
    low = np.int64(0)
    while high - low > 1:
        middle = (low + high) >> 1
        if ascending(graph.first_output, graph.first_output_carries, middle) <= output:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _resting(graph: Any, around: Any, output: Any) -> Any:
    if graph.spender[output] == UNSPENDABLE32:
        return BURNT
    if len(around.stated_output):
        place = np.searchsorted(around.stated_output, np.uint64(output))
        if place < len(around.stated_output) and np.int64(around.stated_output[place]) == output:
            if around.stated[place] == STATED_UNSPENT:
                return HELD
            if around.stated[place] == STATED_OUTSIDE:
                return OUTSIDE
    if around.followed_from == 0 or _maker(graph, output, np.int64(len(graph.flags))) >= around.followed_from:
        return HELD
    return UNKNOWN


@njit(cache=True, nogil=True)
def _weigh(graph: Any, first: Any, last: Any, weights: Any) -> Any:
    """What inputs bring, into `weights`; the sum, or -1 where that of one is not known."""
    whole = np.int64(0)
    for number in range(first, last):
        output = link(graph.link, graph.link_high, number)
        if output >= 0:
            value = graph.value[output]
        else:
            value = graph.outside_value[np.searchsorted(graph.outside, np.uint64(number))]
        if value == np.uint64(NONE64):
            return np.int64(-1)
        if number - first < len(weights):
            weights[number - first] = np.int64(value)
        whole += np.int64(value)
    return whole


@njit(cache=True, nogil=True)
def _divide(room: Any, at: Any, count: Any, whole: Any) -> None:
    """The amount of a transaction, and what is the holder's own of it, in proportion to the weights."""
    if whole == 0:
        room.parts[:count] = 0
        room.direct[:count] = 0
        return
    share_out(room.amount[at], room.weights, count, whole, room.parts, room.rests, room.order)
    if room.own[at] == room.amount[at]:
        room.direct[:count] = room.parts[:count]
    elif room.own[at]:
        share_out(room.own[at], room.weights, count, whole, room.direct, room.rests, room.order)
    else:
        room.direct[:count] = 0


@njit(cache=True, nogil=True)
def _send(
    graph: Any, tagged: Any, around: Any, budget: Any, one: Any, other: Any, outputs: Any, room: Any, found: Any,
    row: Any,
) -> None:  # fmt: skip
    transactions = np.int64(len(graph.flags))
    sums = found.sums[row]
    count = np.int64(0)
    for output in outputs:
        spender, value = np.int64(graph.spender[output]), np.int64(graph.value[output])
        if spender >= transactions:
            sums[_resting(graph, around, np.int64(output))] += value
            continue
        place, count = _reach(room, row, count, spender, -1, 1)
        if place < 0:
            sums[CUT] += value
        else:
            room.own[place] += value
    rows, at = np.int64(0), np.int64(0)
    while at < count:
        transaction = np.int64(room.transaction[at])
        first_in, last_in = rows_from(graph.first_input, graph.first_input_carries, transaction, len(graph.link))
        first, last = rows_from(graph.first_output, graph.first_output_carries, transaction, len(graph.value))
        cost = last_in - first_in + last - first
        if rows + cost <= budget.rows:
            rows += cost
            sums[TOUCHED] += 1
            if _is_coinjoin(graph, around, transaction, last_in - first_in, last - first):
                room.state[at] = _COINJOIN
            else:
                room.state[at] = _OPEN
                for output in range(first, last):
                    holder = graph.holder[output]
                    if holder in (one, other):
                        continue
                    code = _code(tagged, holder)
                    if code:
                        _meet(room, found, row, at, code, holder)
                        if tagged.ends[code]:
                            continue
                    spender = np.int64(graph.spender[output])
                    if room.hops[at] < budget.hops and transaction < spender < transactions:
                        _, count = _reach(room, row, count, spender, at, room.hops[at] + 1)
        at += 1
    for at in np.argsort(room.transaction[:count]):
        transaction = np.int64(room.transaction[at])
        room.amount[at] += room.own[at]
        amount = room.amount[at]
        if room.state[at] != _OPEN:
            sums[COINJOINED if room.state[at] == _COINJOIN else CUT] += amount
            sums[CUT_TRANSACTIONS] += room.state[at] == _NEW
            continue
        if amount == 0:
            continue
        first_in, last_in = rows_from(graph.first_input, graph.first_input_carries, transaction, len(graph.link))
        brought = _weigh(graph, first_in, last_in, room.weights[:0])
        if brought < 0:
            sums[UNKNOWN] += amount
            continue
        first, last = rows_from(graph.first_output, graph.first_output_carries, transaction, len(graph.value))
        size = last - first
        paid = np.int64(0)
        for place in range(size):
            room.weights[place] = np.int64(graph.value[first + place])
            paid += room.weights[place]
        room.weights[size] = max(np.int64(0), brought - paid)
        _divide(room, at, size + 1, paid + room.weights[size])
        sums[FEES] += room.parts[size]
        for place in range(size):
            holder, part = graph.holder[first + place], room.parts[place]
            if holder in (one, other):
                sums[RETURNED] += part
                continue
            code = _code(tagged, holder)
            if code:
                found.amount[row, code] += part
                found.direct[row, code] += room.direct[place]
                if tagged.ends[code]:
                    continue
            spender = np.int64(graph.spender[first + place])
            if spender >= transactions:
                sums[_resting(graph, around, first + place)] += part
                continue
            to = np.int64(-1)
            if spender > transaction:
                to, _ = _find(room, row, spender)
            if to >= 0:
                room.amount[to] += part
            else:
                sums[BEYOND if room.hops[at] == budget.hops else CUT] += part


@njit(cache=True, nogil=True)
def _receive(
    graph: Any, tagged: Any, around: Any, budget: Any, one: Any, other: Any, outputs: Any, room: Any, found: Any,
    row: Any,
) -> None:  # fmt: skip
    sums = found.sums[row]
    count = np.int64(0)
    transactions = np.int64(len(graph.flags))
    for output in outputs:
        value = np.int64(graph.value[output])
        place, count = _reach(room, row, count, _maker(graph, np.int64(output), transactions), -1, 1)
        if place < 0:
            sums[CUT] += value
        else:
            room.own[place] += value
    rows, at = np.int64(0), np.int64(0)
    while at < count:
        transaction = np.int64(room.transaction[at])
        first, last = rows_from(graph.first_input, graph.first_input_carries, transaction, len(graph.link))
        if rows + last - first <= budget.rows:
            room.begin[at] = rows
            rows += last - first
            sums[TOUCHED] += 1
            first_out, last_out = rows_from(
                graph.first_output, graph.first_output_carries, transaction, len(graph.value)
            )
            if _is_coinjoin(graph, around, transaction, last - first, last_out - first_out):
                room.state[at] = _COINJOIN
            else:
                room.state[at] = _OPEN
                for number in range(first, last):
                    place = room.begin[at] + number - first
                    output = link(graph.link, graph.link_high, number)
                    room.link[place] = output
                    room.maker[place] = -2 if output >= 0 else -1
                    holder = graph.payer[number]
                    if holder in (one, other):
                        continue
                    code = _code(tagged, holder)
                    if code:
                        _meet(room, found, row, at, code, holder)
                        if tagged.ends[code]:
                            continue
                    if room.hops[at] < budget.hops and output >= 0:
                        maker = _maker(graph, output, transactions)
                        room.maker[place] = maker
                        if maker < transaction:
                            _, count = _reach(room, row, count, maker, at, room.hops[at] + 1)
        at += 1
    for at in np.argsort(room.transaction[:count])[::-1]:
        transaction = np.int64(room.transaction[at])
        room.amount[at] += room.own[at]
        amount = room.amount[at]
        if room.state[at] != _OPEN:
            sums[COINJOINED if room.state[at] == _COINJOIN else CUT] += amount
            sums[CUT_TRANSACTIONS] += room.state[at] == _NEW
            continue
        if amount == 0:
            continue
        first, last = rows_from(graph.first_input, graph.first_input_carries, transaction, len(graph.link))
        size = last - first
        whole = _weigh(graph, first, last, room.weights)
        if whole < amount:  # not known, a coinbase, or more than its inputs bring
            sums[MINED if size == 0 else UNKNOWN] += amount
            continue
        _divide(room, at, size, whole)
        for place in range(size):
            holder, part = graph.payer[first + place], room.parts[place]
            if holder in (one, other):
                sums[RETURNED] += part
                continue
            code = _code(tagged, holder)
            if code:
                found.amount[row, code] += part
                found.direct[row, code] += room.direct[place]
                if tagged.ends[code]:
                    continue
            output = room.link[room.begin[at] + place]
            if output < 0:
                sums[OUTSIDE] += part
                continue
            maker = room.maker[room.begin[at] + place]
            if maker == -2:
                maker = _maker(graph, output, transactions)
            to = np.int64(-1)
            if maker < transaction:
                to, _ = _find(room, row, maker)
            if to >= 0:
                room.amount[to] += part
            else:
                sums[BEYOND if room.hops[at] == budget.hops else CUT] += part


@njit(cache=True, nogil=True)
def _all_sent(
    graph: Any, tagged: Any, around: Any, budget: Any, own: Any, first: Any, outputs: Any, room: Any, found: Any
) -> None:  # fmt: skip
    for row in range(len(own)):
        part = outputs[first[row] : first[row + 1]]
        _send(graph, tagged, around, budget, own[row, 0], own[row, 1], part, room, found, row)


@njit(cache=True, nogil=True)
def _all_received(
    graph: Any, tagged: Any, around: Any, budget: Any, own: Any, first: Any, outputs: Any, room: Any, found: Any
) -> None:  # fmt: skip
    for row in range(len(own)):
        part = outputs[first[row] : first[row + 1]]
        _receive(graph, tagged, around, budget, own[row, 0], own[row, 1], part, room, found, row)


def sent(
    graph: Graph, tagged: Tagged, around: Surroundings, budget: Budget, own: Counts32, first: Offsets, outputs: Numbers
) -> Reached:
    """Where the money of n holders went; as `plain.reach.sent`."""
    found = nothing_reached(len(own), len(tagged.ends), budget.hops)
    _all_sent(graph, tagged, around, budget, own, first, outputs, _room(budget), found)
    return found


def received(
    graph: Graph, tagged: Tagged, around: Surroundings, budget: Budget, own: Counts32, first: Offsets, outputs: Numbers
) -> Reached:
    """Where the money of n holders came from; as `plain.reach.received`."""
    found = nothing_reached(len(own), len(tagged.ends), budget.hops)
    _all_received(graph, tagged, around, budget, own, first, outputs, _room(budget), found)
    return found
