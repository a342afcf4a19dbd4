"""Divide taint by haircut, in whole satoshi, over one transaction and over a whole chain (twin of `plain/taint.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.kernels.arrays import NONE64, Graph, Offsets
from shieldwall.kernels.compiled.atomic import prefetch
from shieldwall.kernels.compiled.bare import bare
from shieldwall.kernels.compiled.columns import ascending, link

EXACT_FLOAT = 1 << 53  # integers below it are exact as float64; no chain's supply reaches it
_AHEAD = 48  # inputs to ask memory for before they are needed
_FEW = 8  # weights among which the largest remainders are looked for one by one


@bare
def long_division(part: Any, weight: Any, whole: Any) -> Any:
    """(int64, int64): quotient and remainder of part * weight / whole, with all 128 bits of the product.

    Args:
        part: int64, not above `whole`.
        weight: int64, not above `whole`.
        whole: int64, above 0.
    """
    low_half = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    a, b = np.uint64(part), np.uint64(weight)
    a0, a1, b0, b1 = a & low_half, a >> half, b & low_half, b >> half
    low = a0 * b0
    middle = a1 * b0 + (low >> half)
    other = a0 * b1 + (middle & low_half)
    high = a1 * b1 + (middle >> half) + (other >> half)
    low = (other << half) | (low & low_half)
    divisor, quotient, one = np.uint64(whole), np.uint64(0), np.uint64(1)
    for _ in range(64):  # high stays below the divisor, and that below 2^63
        high = (high << one) | (low >> np.uint64(63))
        low = low << one
        quotient = quotient << one
        if high >= divisor:
            high -= divisor
            quotient |= one
    return np.int64(quotient), np.int64(high)


@bare
def _threshold(rests: Any, count: Any, wanted: Any) -> Any:
    """The `wanted`-th largest of the first `count` rests, which are put into another order (Hoare's selection)."""
    first, last, place = 0, count - 1, wanted - 1
    while first < last:
        pivot = rests[(first + last) >> 1]
        low, high = first, last
        while low <= high:
            while rests[low] > pivot:
                low += 1
            while rests[high] < pivot:
                high -= 1
            if low <= high:
                rests[low], rests[high] = rests[high], rests[low]
                low += 1
                high -= 1
        if place <= high:
            last = high
        elif place >= low:
            first = low
        else:
            break
    return rests[place]


@bare
def share_out(part: Any, weights: Any, count: Any, whole: Any, shares: Any, rests: Any, order: Any) -> None:
    """Divide `part` in proportion to `weights`: floors, then one each to the largest remainders, of equals to the first.

    The rule of `shieldwall.trace.methods.haircut.shares`. The quotient comes from a float that is at most three off, and
    is mended by the remainder, which 64 bits hold however far the product overflowed them.

    Args:
        part: int64.
        weights: int64[count...]
        count: How many weights.
        whole: int64, their sum, above 0 and not below `part`.
        shares: int64[count...], filled.
        rests: int64[count...], scratch.
        order: int64[count...], scratch.
    """
    left = part
    ratio = np.float64(part) / np.float64(whole)
    fits = whole < EXACT_FLOAT
    for place in range(count):
        weight = weights[place]
        if fits:
            share = np.int64(np.float64(weight) * ratio)
            rest = part * weight - share * whole
            while rest < 0:
                share -= 1
                rest += whole
            while rest >= whole:
                share += 1
                rest -= whole
        else:
            share, rest = long_division(part, weight, whole)
        shares[place] = share
        rests[place] = rest
        left -= share
    if left <= 0:
        return
    if count <= _FEW:
        for _ in range(left):
            best = 0
            for place in range(1, count):
                if rests[place] > rests[best]:
                    best = place
            shares[best] += 1
            rests[best] = -1
        return
    for place in range(count):
        order[place] = rests[place]
    least = _threshold(order, count, left)
    for place in range(count):
        if rests[place] > least:
            shares[place] += 1
            left -= 1
    for place in range(count):
        if left and rests[place] == least:
            shares[place] += 1
            left -= 1


@bare
def outside_value(outside: Any, values: Any, number: Any) -> Any:
    """int64: satoshi of an input whose output is not in the store; -1 where nobody gives it."""
    first, last = 0, len(outside)
    wanted = np.uint64(number)
    while first < last:
        middle = (first + last) >> 1
        if outside[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    if first == len(outside) or outside[first] != wanted:
        return np.int64(-1)
    value = values[first]
    return np.int64(-1) if value == np.uint64(NONE64) else np.int64(value)


@bare
def _haircut(graph: Any, seeds: Any, first: Any, taint: Any, sums: Any, scratch: Any) -> Any:
    first_input, first_output, value_of = graph.first_input, graph.first_output, graph.value
    link_low, link_high, outside, outside_values = graph.link, graph.link_high, graph.outside, graph.outside_value
    transactions, inputs, outputs = len(graph.flags), len(link_low), len(value_of)
    weights, shares, rests, order = scratch[0], scratch[1], scratch[2], scratch[3]
    wrap = np.int64(1) << np.int64(32)
    next_seed = 0
    end_in = ascending(graph.first_input, graph.first_input_carries, first)
    end_out = ascending(graph.first_output, graph.first_output_carries, first)
    high_in, high_out = (end_in >> 32) << 32, (end_out >> 32) << 32
    for number in range(first, transactions):
        begin_in, begin_out = end_in, end_out
        if number + 1 < transactions:
            end_in = high_in + np.int64(first_input[number + 1])
            end_out = high_out + np.int64(first_output[number + 1])
            if end_in < begin_in:
                high_in += wrap
                end_in += wrap
            if end_out < begin_out:
                high_out += wrap
                end_out += wrap
        else:
            end_in, end_out = np.int64(inputs), np.int64(outputs)
        if end_in < begin_in or end_in > inputs or end_out < begin_out or end_out > outputs:
            return np.int64(number)
        coming = np.int64(0)
        for place in range(begin_in, end_in):
            if place + _AHEAD < inputs:
                ahead = link(link_low, link_high, place + _AHEAD)
                if 0 <= ahead < outputs:
                    prefetch(taint, ahead)
                    prefetch(value_of, ahead)
            spent = link(link_low, link_high, place)
            if spent >= outputs:
                return np.int64(number)
            if spent >= 0:
                coming += taint[spent]
        if coming:
            count = end_out - begin_out
            total = np.int64(0)
            for place in range(begin_in, end_in):
                spent = link(link_low, link_high, place)
                value = outside_value(outside, outside_values, place) if spent < 0 else np.int64(value_of[spent])
                if value < 0:
                    total = np.int64(-1)
                    break
                total += value
            if total < 0:
                sums[1] += coming  # an amount that nobody gives: it stays where it was
            else:
                paid = np.int64(0)
                for place in range(count):
                    weights[place] = np.int64(value_of[begin_out + place])
                    paid += weights[place]
                weights[count] = max(total - paid, np.int64(0))
                share_out(coming, weights, count + 1, paid + weights[count], shares, rests, order)
                for place in range(count):
                    taint[begin_out + place] = shares[place]
                sums[0] += shares[count]
        while next_seed < len(seeds) and seeds[next_seed] < end_out:
            seed = seeds[next_seed]
            value = np.int64(value_of[seed])
            sums[2] += value - taint[seed]
            sums[3] += taint[seed]
            taint[seed] = value
            next_seed += 1
    return np.int64(-1)


@bare
def _haircut_float(graph: Any, seeds: Any, first: Any, taint: Any) -> Any:
    value_of = graph.value
    link_low, link_high, outside, outside_values = graph.link, graph.link_high, graph.outside, graph.outside_value
    transactions, inputs, outputs = len(graph.flags), len(link_low), len(value_of)
    next_seed = 0
    fees = 0.0
    for number in range(first, transactions):
        begin_in = ascending(graph.first_input, graph.first_input_carries, number)
        begin_out = ascending(graph.first_output, graph.first_output_carries, number)
        end_in, end_out = np.int64(inputs), np.int64(outputs)
        if number + 1 < transactions:
            end_in = ascending(graph.first_input, graph.first_input_carries, number + 1)
            end_out = ascending(graph.first_output, graph.first_output_carries, number + 1)
        coming = 0.0
        for place in range(begin_in, end_in):
            if place + _AHEAD < inputs:
                ahead = link(link_low, link_high, place + _AHEAD)
                if 0 <= ahead < outputs:
                    prefetch(taint, ahead)
                    prefetch(value_of, ahead)
            spent = link(link_low, link_high, place)
            if spent >= 0:
                coming += taint[spent]
        if coming > 0.0:
            total = 0.0
            for place in range(begin_in, end_in):
                spent = link(link_low, link_high, place)
                value = outside_value(outside, outside_values, place) if spent < 0 else np.int64(value_of[spent])
                if value < 0:
                    total = -1.0
                    break
                total += np.float64(value)
            if total > 0.0:
                share = coming / total
                going = 0.0
                for place in range(begin_out, end_out):
                    taint[place] = share * np.float64(value_of[place])
                    going += taint[place]
                fees += coming - going
        while next_seed < len(seeds) and seeds[next_seed] < end_out:
            taint[seeds[next_seed]] = np.float64(value_of[seeds[next_seed]])
            next_seed += 1
    return fees


def haircut(graph: Graph, seeds: Offsets, first: int) -> tuple[npt.NDArray[np.int64], Offsets, int]:
    """Haircut of a whole chain, exact; arguments and answer as in `plain.taint.haircut`."""
    taint, sums = np.zeros(len(graph.value), np.int64), np.zeros(4, np.int64)
    widest = int(np.diff(graph.first_output[first:], append=np.uint32(len(graph.value) & 0xFFFFFFFF)).max(initial=0))
    broken = _haircut(graph, seeds, first, taint, sums, np.empty((4, widest + 1), np.int64))
    return taint, sums, int(broken)


def haircut_float(graph: Graph, seeds: Offsets, first: int) -> tuple[npt.NDArray[np.float64], float]:
    """The same in floating point, to compare: what exact whole satoshi cost."""
    taint = np.zeros(len(graph.value), np.float64)
    return taint, float(_haircut_float(graph, seeds, first, taint))


def shares(part: int, weights: Offsets) -> Offsets:
    """`part` divided in proportion to `weights`; as `plain.taint.shares`."""
    whole = int(weights.sum())
    found = np.zeros(len(weights), np.int64)
    if whole:
        share_out(part, weights, len(weights), whole, found, np.empty_like(found), np.empty_like(found))
    return found
