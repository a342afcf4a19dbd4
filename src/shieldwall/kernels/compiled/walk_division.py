"""One transaction of a walk: what its inputs bring, and what each method makes of it. Inside the walking kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.compiled.atomic import prefetch
from shieldwall.kernels.compiled.bare import bare
from shieldwall.kernels.compiled.columns import link
from shieldwall.kernels.compiled.taint import outside_value, share_out
from shieldwall.kernels.walks import (
    AMOUNT,
    BEGUN,
    BEGUN_AMOUNT,
    BEGUN_TRANSACTION,
    FIFO,
    HAIRCUT,
    HOP,
    LIFO,
    NEXT,
    OUTPUT,
    POISON,
    RETURNED,
    RUN_COUNT,
    RUN_FIRST,
    RUNS,
    SEED,
    TIHO,
)

# columns of `State.coming`: the tainted outputs that a transaction spends, ascending, and their rows; satoshi of each input
# (-1 where nobody gives it); the inputs that bring taint: position, satoshi, row (-1: only a seed)
FROM, ROW, VALUE, PAYER, PAID, PAYER_ROW = range(6)
# rows of `State.going`, by output: satoshi, what is tainted of it, scratch, scratch, of which payer most, its first run
WEIGHT, SHARE, REST, ORDER, BY, LAID = range(6)


@njit(inline="always")
def gather(
    value_of: Any, link_low: Any, link_high: Any, outside: Any, outside_values: Any, seed_input: Any,
    coming: Any, rows: Any, counts: Any, begun: Any,
    method: Any, transaction: Any, first_row: Any, expected: Any, asked: Any, asked_last: Any, begin: Any, end: Any,
) -> Any:  # fmt: skip
    """(payers, unknown, looked at, hop): the inputs that bring taint, with all that a method must know of the others.

    `unknown` is the first input of unknown value that the method needs (LIFO: the last), -1 for none; `hop` is -1 where
    nothing comes in. A `payers` of -1 is a seed of unknown value (its place is `unknown`), one of -2 a damaged link.
    """
    known = expected
    row = first_row
    for each in range(known):
        coming[each, FROM] = rows[row, OUTPUT]
        coming[each, ROW] = row
        row = rows[row, NEXT]
    all_values = method in (HAIRCUT, LIFO)
    valued = method not in (POISON, TIHO)
    payers, unknown, missing = np.int64(0), np.int64(-1), np.int64(-1)
    hop = np.int64(-1)
    looked_at = end - begin
    if method == HAIRCUT and end - begin > 1:
        for place in range(begin, end):
            spent = link(link_low, link_high, place)
            if 0 <= spent < len(value_of):
                prefetch(value_of, spent)
    for place in range(end - begin):
        if not all_values and expected == 0 and asked == asked_last:
            looked_at = np.int64(place)
            break
        spent = link(link_low, link_high, begin + place)
        if spent >= len(value_of):
            payers, unknown = np.int64(-2), np.int64(place)
            break
        is_asked = asked < asked_last and seed_input[asked] == place
        value = np.int64(-1)
        if valued or is_asked:
            value = outside_value(outside, outside_values, begin + place) if spent < 0 else np.int64(value_of[spent])
            coming[place, VALUE] = value
            if value < 0 and (method == LIFO or missing < 0):
                missing = np.int64(place)
        row = np.int64(-1)
        amount = np.int64(0)
        if spent >= 0 and expected:
            first, last = np.int64(0), known
            while first < last:
                middle = (first + last) >> 1
                if coming[middle, FROM] < spent:
                    first = middle + 1
                else:
                    last = middle
            if first < known and coming[first, FROM] == spent:
                row = coming[first, ROW]
                amount = rows[row, AMOUNT]
                expected -= 1
                if hop < 0 or rows[row, HOP] < hop:
                    hop = rows[row, HOP]
        if is_asked:
            asked += 1
            if value < 0:
                payers, unknown = np.int64(-1), np.int64(place)
                break
            counts[SEED] += value - amount
            counts[RETURNED] += amount
            if value > amount:
                begun[counts[BEGUN], BEGUN_TRANSACTION] = transaction
                begun[counts[BEGUN], BEGUN_AMOUNT] = value - amount
                counts[BEGUN] += 1
            if value:
                amount = value
                hop = np.int64(0)
                if row >= 0:
                    rows[row, RUN_COUNT] = 0  # a whole input instead
        if amount:
            if method == LIFO:
                if payers == 0:
                    missing = np.int64(-1)  # only what stands behind the first of them matters
            elif missing >= 0 and unknown < 0 and method == FIFO:
                unknown = missing
            coming[payers, PAYER] = place
            coming[payers, PAID] = amount
            coming[payers, PAYER_ROW] = row
            payers += 1
    if all_values and payers >= 0:
        unknown = missing
    return payers, unknown, looked_at, hop


@bare
def _lay(coming: Any, rows: Any, runs: Any, laid: Any, method: Any, payers: Any, looked_at: Any) -> Any:
    """Lay the tainted runs of the inputs one behind the other, as (begin, end, payer); returns how many."""
    count = 0
    before = np.int64(0)
    if method == TIHO:
        for payer in range(payers):
            laid[count, 0] = before
            before += coming[payer, PAID]
            laid[count, 1] = before
            laid[count, 2] = payer
            count += 1
        return count
    place = 0 if method == FIFO else looked_at - 1
    for each in range(payers):
        payer = each if method == FIFO else payers - 1 - each
        wanted = coming[payer, PAYER]
        while place != wanted:
            before += coming[place, VALUE]
            place += 1 if method == FIFO else -1
        row = coming[payer, PAYER_ROW]
        if row < 0 or rows[row, RUN_COUNT] == 0:  # a seed: all of it
            laid[count, 0] = before
            laid[count, 1] = before + coming[payer, PAID]
            laid[count, 2] = payer
            count += 1
            continue
        first, size = rows[row, RUN_FIRST], rows[row, RUN_COUNT]
        for run in range(size):
            if method == FIFO:
                laid[count, 0] = before + runs[first + run, 0]
                laid[count, 1] = before + runs[first + run, 1]
            else:
                turned = before + coming[place, VALUE]
                laid[count, 0] = turned - runs[first + size - 1 - run, 1]
                laid[count, 1] = turned - runs[first + size - 1 - run, 0]
            laid[count, 2] = payer
            count += 1
    return count


@bare
def _pay_in_order(laid: Any, runs: Any, counts: Any, going: Any, laid_count: Any, outputs: Any, by_value: Any) -> Any:
    """Payers in order pay outputs in order; returns what is left as the fee. As `pay_in_order` of the methods."""
    weight, share, order, by, where = going[WEIGHT], going[SHARE], going[ORDER], going[BY], going[LAID]
    first = np.int64(0)
    next_run = 0
    for rank in range(outputs):
        place = order[rank] if by_value else np.int64(rank)
        last = first + weight[place]
        while next_run < laid_count and laid[next_run, 1] <= first:
            next_run += 1
        at = next_run
        amount, best, best_payer, payer, brought = np.int64(0), np.int64(0), np.int64(-1), np.int64(-1), np.int64(0)
        begin_run = counts[RUNS]
        where[place] = begin_run
        while at < laid_count and laid[at, 0] < last:
            begin, end = max(laid[at, 0], first), min(laid[at, 1], last)
            if begin < end:
                if laid[at, 2] != payer:
                    payer = laid[at, 2]
                    brought = np.int64(0)
                brought += end - begin
                if brought > best:
                    best = brought
                    best_payer = payer
                amount += end - begin
                if not by_value:
                    if counts[RUNS] > begin_run and runs[counts[RUNS] - 1, 1] == begin - first:
                        runs[counts[RUNS] - 1, 1] = end - first
                    else:
                        runs[counts[RUNS], 0] = begin - first
                        runs[counts[RUNS], 1] = end - first
                        counts[RUNS] += 1
            at += 1
        share[place] = amount
        by[place] = best_payer
        first = last
    fee = np.int64(0)
    for at in range(laid_count):
        if laid[at, 1] > first:
            fee += laid[at, 1] - max(laid[at, 0], first)
    return fee


@bare
def _by_value(weight: Any, order: Any, count: Any) -> None:
    """Positions in the order of falling values, of equal ones the first first: a heap sort, since there may be thousands."""
    for place in range(count):
        order[place] = place
    for size in range(count // 2 - 1, -1, -1):
        _sink(weight, order, size, count)
    for last in range(count - 1, 0, -1):
        order[0], order[last] = order[last], order[0]
        _sink(weight, order, 0, last)


@bare
def _sink(weight: Any, order: Any, place: Any, count: Any) -> None:
    """Let an entry sink in a heap whose top stands last in the order."""
    while True:
        below = 2 * place + 1
        if below >= count:
            return
        if below + 1 < count and _before(weight, order[below], order[below + 1]):
            below += 1
        if not _before(weight, order[place], order[below]):
            return
        order[place], order[below] = order[below], order[place]
        place = below


@bare
def _before(weight: Any, one: Any, other: Any) -> Any:
    return weight[one] > weight[other] or (weight[one] == weight[other] and one < other)


@bare
def _heaviest(coming: Any, payers: Any) -> Any:
    best = 0
    for payer in range(1, payers):
        if coming[payer, PAID] > coming[best, PAID]:
            best = payer
    return best


@njit(inline="always")
def divide(
    value_of: Any, coming: Any, rows: Any, runs: Any, laid: Any, counts: Any, going: Any,
    method: Any, payers: Any, looked_at: Any, begin: Any, count: Any,
) -> Any:  # fmt: skip
    """Fill `going` with what each output gets, and of whom most; returns the tainted fee."""
    paid = np.int64(0)
    for place in range(count):
        going[WEIGHT, place] = np.int64(value_of[begin + place])
        paid += going[WEIGHT, place]
    fee = np.int64(0)
    if method in (POISON, HAIRCUT):
        best = _heaviest(coming, payers)
        for place in range(count):
            going[SHARE, place] = going[WEIGHT, place]
            going[BY, place] = best
        if method == HAIRCUT:
            part, total = np.int64(0), np.int64(0)
            for payer in range(payers):
                part += coming[payer, PAID]
            for place in range(looked_at):
                total += coming[place, VALUE]
            going[WEIGHT, count] = max(total - paid, np.int64(0))
            whole = paid + going[WEIGHT, count]
            if whole > 0:
                share_out(part, going[WEIGHT], count + 1, whole, going[SHARE], going[REST], going[ORDER])
                fee = going[SHARE, count]
    else:
        if method == TIHO:
            _by_value(going[WEIGHT], going[ORDER], count)
        laid_count = _lay(coming, rows, runs, laid, method, payers, looked_at)
        fee = _pay_in_order(laid, runs, counts, going, laid_count, count, method == TIHO)
    return fee
