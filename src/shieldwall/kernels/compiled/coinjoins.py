"""CoinJoins by their published rules in one pass; `plain.coinjoins` says each rule and its source.

A few instructions reject most transactions. Cheap conditions that a rule implies come first, over columns that lie in a
row; the kinds of holders, a gather each, are asked only behind them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import (
    COINJOIN_NAMES,
    GENERIC,
    JOINMARKET,
    NO_COINJOIN,
    NONE32,
    NONE64,
    WABISABI,
    WASABI_1_0,
    WASABI_1_1,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
)
from shieldwall.kernels.coinjoin_rules import (
    BASE,
    BASE_SLACK,
    COINS_EACH_MOST,
    COINS_MOST,
    DATA_KIND,
    ENTRANTS_MOST,
    EXTRA_LEAST,
    EXTRA_MOST,
    GENERIC_DUST,
    JOINMARKET_DUST,
    JOINMARKET_PEOPLE,
    LARGE_ROUND,
    LEVELS,
    MIX_LEAST,
    MIX_MOST,
    OTHERS_MOST,
    PAYMENTS_LEAST_TENTHS,
    POOL_FEES,
    POOLS,
    PREMIX_MOST,
    SHARE_PARTS,
    SMALL_ROUND,
    SPLIT_PARTS,
    WABISABI_AMOUNTS,
    WABISABI_INPUTS,
    WABISABI_LEAST,
    WASABI_1_INPUTS,
    WASABI_1_PEOPLE,
)
from shieldwall.kernels.compiled.columns import ascending, link

_SCRATCH = 4096  # outputs or inputs that need no larger scratch
_SHORT = 24  # up to here insertion is the fastest order
_POOLS = np.array(POOLS, np.int64)
_POOL_FEES = np.array(POOL_FEES, np.int64)


@njit(cache=True, nogil=True)
def _order(values: Any, count: Any) -> None:
    """Bring the first `count` of an array into ascending order, in place."""
    if count > _SHORT:
        values[:count].sort()
        return
    for place in range(1, count):
        value = values[place]
        at = place
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value


@njit(cache=True, nogil=True)
def _distinct(values: Any, count: Any) -> Any:
    """int64: different values among the first `count` of an ordered array."""
    found = np.int64(count > 0)
    for place in range(1, count):
        found += values[place] != values[place - 1]
    return found


@njit(cache=True, nogil=True)
def _longest(values: Any, first: Any, last: Any) -> Any:
    """(int64, int64): the value that comes most often from `first` up to `last` of an ordered array, and how often.

    Of equals the lowest.
    """
    best = times = run = np.int64(0)
    for place in range(first, last):
        run = run + 1 if place > first and values[place] == values[place - 1] else np.int64(1)
        if run > times:
            best, times = np.int64(values[place]), run
    return best, times


@njit(cache=True, nogil=True)
def _payers(payer: Any, first: Any, inputs: Any, scratch: Any) -> Any:
    """(int64, int64, int64): different known payers, inputs whose payer is not known, inputs of the top payer."""
    known = np.int64(0)
    for number in range(first, first + inputs):
        if payer[number] != NONE32:
            scratch[known] = payer[number]
            known += 1
    _order(scratch, known)
    return _distinct(scratch, known), inputs - known, _longest(scratch, 0, known)[1]


@njit(cache=True, nogil=True)
def _has_service(payer: Any, first: Any, inputs: Any, services: Any) -> Any:
    if len(services) == 0:
        return False
    for number in range(first, first + inputs):
        place = np.searchsorted(services, payer[number])
        if payer[number] != NONE32 and place < len(services) and services[place] == payer[number]:
            return True
    return False


@njit(cache=True, nogil=True)
def _payments(value: Any, holder: Any, kinds: Any, first: Any, outputs: Any, values: Any, holders: Any) -> Any:
    """int64: how many outputs are no data; their values and holders in the scratch, each ordered by itself."""
    count = np.int64(0)
    for number in range(first, first + outputs):
        if kinds[holder[number]] != DATA_KIND:
            values[count] = np.int64(value[number])
            holders[count] = holder[number]
            count += 1
    _order(values, count)
    _order(holders, count)
    return count


@njit(cache=True, nogil=True)
def _is_pool(amount: Any) -> Any:
    return amount == POOLS[0] or amount == POOLS[1] or amount == POOLS[2] or amount == POOLS[3]


@njit(cache=True, nogil=True)
def _pays_pool(value: Any, holder: Any, kinds: Any, first: Any, inputs: Any, outputs: Any, scratch: Any) -> Any:
    """int64: the pool's amount when as many payments as inputs are of it, each to another holder; else -1."""
    pool = np.int64(-1)
    for number in range(first, first + outputs):  # the first that is a pool's amount tells which
        if _is_pool(np.int64(value[number])):
            pool = np.int64(value[number])
            break
    if pool < 0:
        return pool
    paid = np.int64(0)
    for number in range(first, first + outputs):
        if kinds[holder[number]] != DATA_KIND:
            if np.int64(value[number]) != pool or paid == inputs:
                return np.int64(-1)
            scratch[paid] = holder[number]
            paid += 1
    _order(scratch, paid)
    return pool if paid == inputs and _distinct(scratch, paid) == inputs else np.int64(-1)


@njit(cache=True, nogil=True)
def _brings_pool(graph: Any, pool: Any, first: Any, inputs: Any, scratch: Any) -> Any:
    """Whether one to four inputs bring a little more than the pool's amount, and the others just that."""
    entrants = np.int64(0)
    for number in range(first, first + inputs):
        output = link(graph.link, graph.link_high, number)
        if output >= 0:
            brought = graph.value[output]
        else:
            brought = graph.outside_value[np.searchsorted(graph.outside, np.uint64(number))]
        if brought == np.uint64(NONE64):
            return False
        extra = np.int64(brought) - pool
        if extra != 0:
            entrants += 1
            if extra < EXTRA_LEAST or extra > EXTRA_MOST:
                return False
    return 1 <= entrants <= ENTRANTS_MOST and _payers(graph.payer, first, inputs, scratch)[0] == inputs


@njit(cache=True, nogil=True)
def _is_tx0(value: Any, holder: Any, kinds: Any, first: Any, outputs: Any, values: Any, holders: Any) -> Any:
    fits = np.int64(0)
    for number in range(first, first + outputs):
        extra = np.int64(value[number])
        if extra > POOLS[0]:
            pool = (
                POOLS[3]
                if extra > POOLS[3]
                else POOLS[2]
                if extra > POOLS[2]
                else POOLS[1]
                if extra > POOLS[1]
                else POOLS[0]
            )
            fits += EXTRA_LEAST <= extra - pool <= EXTRA_MOST
    if fits == 0 or fits < outputs - 1 - OTHERS_MOST:  # for all pools together
        return False
    paid = _payments(value, holder, kinds, first, outputs, values, holders)
    if paid != outputs - 1:  # not one data output
        return False
    for place in range(len(POOLS)):
        pool, fee = _POOLS[place], _POOL_FEES[place]
        fees = run = times = np.int64(0)
        for at in range(paid):
            payment = values[at]
            fees += fee <= 2 * payment and payment <= 3 * fee
            run = run + 1 if at > 0 and payment == values[at - 1] else np.int64(1)
            if EXTRA_LEAST <= payment - pool <= EXTRA_MOST:
                times = max(times, run)
        if 1 <= times <= PREMIX_MOST and times >= paid - OTHERS_MOST and fees == 1:
            return True
    return False


@njit(cache=True, nogil=True)
def _level(value: Any) -> Any:
    """int64: as `plain.coinjoins.level`."""
    number = np.int64(0)
    while number < LEVELS and value > (np.int64(BASE + BASE_SLACK) << number):
        number += 1
    return number if number < LEVELS and value >= (np.int64(BASE - BASE_SLACK) << number) else np.int64(-1)


@njit(cache=True, nogil=True)
def _may_be_wasabi_1(value: Any, first: Any, outputs: Any) -> Any:
    """False when no level has the three payments that each of both rules needs."""
    counts = np.zeros(LEVELS, np.int64)
    for number in range(first, first + outputs):
        amount = np.int64(value[number])
        if amount >= BASE - BASE_SLACK:
            at = _level(amount)
            if at >= 0:
                counts[at] += 1
                if counts[at] >= WASABI_1_PEOPLE:
                    return True
    return False


@njit(cache=True, nogil=True)
def _even_split(values: Any, count: Any) -> Any:
    value = _longest(values, 0, count)[0]
    if value == 0:
        return False
    total = np.int64(0)
    for place in range(count):
        total += values[place]
    parts = (2 * total + value) // (2 * value)
    return parts > 0 and abs(total - parts * value) <= total // SPLIT_PARTS


@njit(cache=True, nogil=True)
def _people_fit(people: Any, known: Any, unknown: Any) -> Any:
    return WASABI_1_PEOPLE <= people <= known and known + unknown <= COINS_EACH_MOST * people


@njit(cache=True, nogil=True)
def _wasabi(values: Any, paid: Any, known: Any, unknown: Any, is_10_open: Any, is_11_open: Any, is_2_open: Any) -> Any:
    """The kind of a round whose inputs are many and spread, and whose payments, ordered, all go to different holders."""
    counts = np.zeros(LEVELS, np.int64)
    base = repeated = amounts = run = np.int64(0)
    exact_above = False
    for place in range(paid):
        run = run + 1 if place > 0 and values[place] == values[place - 1] else np.int64(1)
        at = _level(values[place])
        if at >= 0:
            counts[at] += 1
        if at == 0:
            base = max(base, run)
        exact_above |= at > 0 and run == 2
        amounts += run == 2
        repeated += 2 if run == 2 else run > 2
    is_2 = is_2_open and values[0] >= WABISABI_LEAST and amounts >= WABISABI_AMOUNTS
    is_2 = is_2 and 2 * repeated >= paid - 1 and repeated < paid
    if is_10_open or is_11_open:
        most = at_levels = np.int64(0)
        above = False
        for at in range(LEVELS):
            if counts[at] >= 2:
                at_levels += counts[at]
                most = max(most, counts[at])
                above |= at > 0
        majority = 2 * at_levels >= paid - 1
        is_10 = is_10_open and 2 * base >= paid - 1 and _people_fit(base, known, unknown)
        is_11 = is_11_open and above and (majority or known >= paid - 1 - at_levels)
        is_11 = is_11 and _people_fit(most, known, unknown)
        if is_11 and majority and (exact_above or not is_10):
            return WASABI_1_1
        if is_10:
            return WASABI_1_0
        if is_11 and not is_2:
            return WASABI_1_1
    return WABISABI if is_2 else NO_COINJOIN


@njit(cache=True, nogil=True)
def _large(payer: Any, value: Any, holder: Any, kinds: Any, first_in: Any, inputs: Any, first: Any, outputs: Any,
           values: Any, holders: Any, services: Any, starts: Any, transaction: Any) -> Any:  # fmt: skip
    """The kind of a transaction of ten inputs or more among Wasabi's; NO_COINJOIN for none of them."""
    is_10_open, is_11_open = transaction >= starts[WASABI_1_0], transaction >= starts[WASABI_1_1]
    may_be_1 = (is_10_open or is_11_open) and _may_be_wasabi_1(value, first, outputs)
    may_be_2 = transaction >= starts[WABISABI] and inputs >= WABISABI_INPUTS and outputs >= 2 * WABISABI_AMOUNTS + 1
    if not may_be_1 and not may_be_2:
        return NO_COINJOIN
    same = np.int64(0)  # inputs of the first payer: a hot wallet's transaction shows itself here
    for number in range(first_in, first_in + inputs):
        same += payer[number] == payer[first_in]
    if SHARE_PARTS * same > inputs:  # also where nobody knows them
        return NO_COINJOIN
    known, unknown, top = _payers(payer, first_in, inputs, holders)
    if SHARE_PARTS * (top + unknown) > inputs:
        return NO_COINJOIN
    paid = _payments(value, holder, kinds, first, outputs, values, holders)
    if paid == 0 or _distinct(holders, paid) != paid:
        return NO_COINJOIN
    if may_be_1:
        may_be_1 = not (inputs < SMALL_ROUND and _even_split(values, paid))
        may_be_1 = may_be_1 and not _has_service(payer, first_in, inputs, services)
    return _wasabi(values, paid, known, unknown, may_be_1 and is_10_open, may_be_1 and is_11_open, may_be_2)


@njit(cache=True, nogil=True)
def _small(payer: Any, value: Any, holder: Any, kinds: Any, first_in: Any, inputs: Any, first: Any, outputs: Any,
           values: Any, holders: Any, services: Any, starts: Any, transaction: Any) -> Any:  # fmt: skip
    """JoinMarket, generic, or none."""
    half = (outputs + 1) // 2
    if half > inputs:  # generic is out; JoinMarket is too, unless the surplus is data
        paid = np.int64(0)
        for number in range(first, first + outputs):
            paid += kinds[holder[number]] != DATA_KIND
            if paid > 2 * inputs or inputs < JOINMARKET_PEOPLE:
                return NO_COINJOIN
    for place in range(outputs):
        values[place] = np.int64(value[first + place])
    _order(values, outputs)
    equal, times = _longest(values, 0, outputs)
    is_generic = (
        transaction >= starts[GENERIC]
        and times == half
        and half <= inputs
        and equal != GENERIC_DUST[0]
        and equal != GENERIC_DUST[1]
    )
    may_be_joinmarket = transaction >= starts[JOINMARKET] and times >= JOINMARKET_PEOPLE and inputs >= JOINMARKET_PEOPLE
    if not is_generic and not may_be_joinmarket:
        return NO_COINJOIN
    known = _payers(payer, first_in, inputs, holders)[0]
    is_generic = is_generic and half <= known
    if may_be_joinmarket and known >= JOINMARKET_PEOPLE:
        paid = _payments(value, holder, kinds, first, outputs, values, holders)
        dust = np.int64(0)
        while dust < paid and values[dust] <= JOINMARKET_DUST:
            dust += 1
        people = _longest(values, dust, paid)[1]
        fits = JOINMARKET_PEOPLE <= people <= known and 2 * people >= paid and people < paid
        if fits and inputs >= LARGE_ROUND:
            fits = inputs <= COINS_MOST * people and 10 * paid >= PAYMENTS_LEAST_TENTHS * people
        if fits and _distinct(holders, paid) == paid and not _has_service(payer, first_in, inputs, services):
            return JOINMARKET
    return GENERIC if is_generic else NO_COINJOIN


@njit(cache=True, nogil=True)
def coinjoin_kinds(graph: Any, holder_kinds: Any, first: Any, last: Any, services: Any, starts: Any = None) -> Any:
    """uint8[last - first]: as `plain.coinjoins.coinjoin_kinds`."""
    if starts is None:
        begin = np.zeros(len(COINJOIN_NAMES), np.int64)
    else:
        begin = starts
    found = np.zeros(last - first, np.uint8)
    values = np.empty(_SCRATCH, np.int64)
    holders = np.empty(_SCRATCH, np.uint32)
    inputs_of, outputs_of = graph.first_input, graph.first_output
    payer, value, holder = graph.payer, graph.value, graph.holder  # a look into the tuple counts references each time
    for transaction in range(first, last):
        if transaction + 1 < len(outputs_of):  # counts below 2^32 need no high halves
            outputs = np.int64(np.uint32(outputs_of[transaction + 1] - outputs_of[transaction]))
            if outputs < 3:
                continue
            inputs = np.int64(np.uint32(inputs_of[transaction + 1] - inputs_of[transaction]))
        else:
            outputs = len(value) - ascending(outputs_of, graph.first_output_carries, transaction)
            inputs = len(payer) - ascending(inputs_of, graph.first_input_carries, transaction)
        if outputs < 3 or inputs == 0:
            continue
        if max(inputs, outputs) > len(values):
            values = np.empty(2 * max(inputs, outputs), np.int64)
            holders = np.empty(2 * max(inputs, outputs), np.uint32)
        start = ascending(outputs_of, graph.first_output_carries, transaction)
        start_in = ascending(inputs_of, graph.first_input_carries, transaction)
        kind = NO_COINJOIN
        if transaction >= begin[WHIRLPOOL] and MIX_LEAST <= inputs <= MIX_MOST and outputs >= inputs:
            pool = _pays_pool(value, holder, holder_kinds, start, inputs, outputs, holders)
            if pool >= 0 and _brings_pool(graph, pool, start_in, inputs, holders):
                kind = WHIRLPOOL
        may_be_tx0 = transaction >= begin[WHIRLPOOL_TX0] and outputs <= PREMIX_MOST + OTHERS_MOST + 1
        if kind == NO_COINJOIN and may_be_tx0:
            is_tx0 = _is_tx0(value, holder, holder_kinds, start, outputs, values, holders)
            kind = WHIRLPOOL_TX0 if is_tx0 else NO_COINJOIN
        if kind == NO_COINJOIN and inputs >= WASABI_1_INPUTS:
            kind = _large(
                payer,
                value,
                holder,
                holder_kinds,
                start_in,
                inputs,
                start,
                outputs,
                values,
                holders,
                services,
                begin,
                transaction,
            )
        if kind == NO_COINJOIN and inputs >= 2:
            kind = _small(
                payer,
                value,
                holder,
                holder_kinds,
                start_in,
                inputs,
                start,
                outputs,
                values,
                holders,
                services,
                begin,
                transaction,
            )
        found[transaction - first] = kind
    return found
