"""Wasabi 1.0 (one amount near 0.1 BTC), 1.1 (doubling levels of it) and 2.0 (WabiSabi: many standard amounts)."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import CHANGE, COINJOIN, NOTHING, OLD, P2TR, P2WPKH, PAID, WABISABI, WASABI_1_0, WASABI_1_1
from simulator.draft import DUST, begin, cancel, commit, fee, fresh, order_by_amount, owner_of, pay, put, swap
from simulator.draw import below, kernel
from simulator.layout import COORDINATORS, INPUTS, LIVE, MIDDLE, OUTPUTS, PAID_IN, PAID_OUT, RATE, RICH
from simulator.whirlpool import pick

_AMOUNT = 10_000_000  # satoshi: the base amount of Wasabi 1, 0.1 BTC
_LEVELS = 7
_LEAST_OUTPUT = 5_000  # satoshi; WabiSabi makes no smaller output


def _standard_amounts() -> list[int]:
    """Powers of two, and 1, 2, 5 times powers of ten: those of WabiSabi's standard amounts that are used here."""
    twos = [1 << power for power in range(13, 38)]
    tens = [digit * 10**power for power in range(3, 11) for digit in (1, 2, 5)]
    return sorted({amount for amount in twos + tens if amount >= _LEAST_OUTPUT}, reverse=True)


STANDARD = np.array(_standard_amounts(), np.int64)


@kernel
def enter(s: Any, number: Any, bag: Any, least: Any, second: Any) -> Any:
    """One more participant with a coin of at least `least` satoshi, at times a second one at another address."""
    coin = pick(s, bag, least)
    if coin < 0:
        return False
    put(s, coin)
    owner = owner_of(s, coin)
    s.draft[number].owner = owner
    s.draft[number].total = s.out[coin].value
    other = s.entity[owner].head
    if second and other >= 0 and s.out[other].state == LIVE and s.out[other].key != s.out[coin].key:
        put(s, other)
        s.draft[number].total += s.out[other].value
    return True


@kernel
def share(s: Any, people: Any, outputs: Any) -> Any:
    """Satoshi of the miner's fee for each of `people`, rounded up."""
    return fee(s, outputs) // people + s.counter[RATE]


@kernel
def largest_first(s: Any) -> None:
    """Outputs in falling order, as Wasabi writes them."""
    order_by_amount(s)
    last = s.counter[OUTPUTS] - 1
    for place in range((last + 1) // 2):
        swap(s, place, last - place)


@kernel
def wasabi_1(s: Any, levels: Any) -> Any:
    """A round of Wasabi 1.0 (`levels` False) or 1.1: equal outputs, a change each, and one fee for the coordinator."""
    people = 12 + below(s.counter, 30)
    amount = _AMOUNT + below(s.counter, 400_001) - 200_000
    begin(s)
    for number in range(people):
        if not enter(s, number, RICH, amount + amount // 20, np.int64(below(s.counter, 3) == 0)):
            return cancel(s)
    cost = share(s, people, 3 * people + 1)
    charge = 300 * people  # 0.003 % of the amount for each other participant
    top = 0
    reach = np.zeros(_LEVELS + 1, np.int64)
    for number in range(people):
        level = 0
        while levels and level < _LEVELS and amount * ((2 << (level + 1)) - 1) + cost + charge <= s.draft[number].total:
            level += 1
        s.draft[number].level = level
        for reached in range(level + 1):
            reach[reached] += 1
    while top < _LEVELS and reach[top + 1] >= 2:
        top += 1
    if levels and top == 0:
        return cancel(s)
    for number in range(people):
        owner = s.draft[number].owner
        left = s.draft[number].total - cost - charge
        for level in range(min(s.draft[number].level, top) + 1):
            pay(s, fresh(s, owner, P2WPKH), amount << level, PAID)
            left -= amount << level
        if left < 0:
            return cancel(s)
        if left >= DUST:
            pay(s, fresh(s, owner, P2WPKH), left, CHANGE)
    pay(s, fresh(s, s.counter[COORDINATORS] + 1, P2WPKH), charge * people, PAID)
    if _near(s) > s.counter[INPUTS]:
        return cancel(s)
    largest_first(s)
    commit(s, COINJOIN, WASABI_1_1 if levels else WASABI_1_0, OLD)
    return True


@kernel
def _near(s: Any) -> Any:
    """How many outputs are within 5 % of the base amount, changes by chance among them: what passes for participants."""
    found = 0
    for place in range(s.counter[OUTPUTS]):
        if abs(s.draft[place].value - _AMOUNT) <= _AMOUNT // 20:
            found += 1
    return found


@kernel
def wabisabi(s: Any) -> Any:
    """A round of Wasabi 2.0: everyone's coins in standard amounts, at least half of the outputs of amounts that repeat."""
    people = 30 + below(s.counter, 60)
    begin(s)
    for number in range(people):
        if not enter(s, number, MIDDLE, NOTHING, np.int64(below(s.counter, 2) == 0)):
            return cancel(s)
    each = 31 * s.counter[RATE] + 1  # satoshi of fee for an output
    start = share(s, people, 1)
    for number in range(people):
        owner = s.draft[number].owner
        left = (
            s.draft[number].total - start - s.draft[number].total // 330
        )  # 0.3 % for the coordinator, and what is left over
        made = 0
        at = 0
        while at < len(STANDARD) and made < 8:
            if STANDARD[at] + each <= left:
                pay(s, fresh(s, owner, P2TR if below(s.counter, 2) else P2WPKH), STANDARD[at], PAID)
                left -= STANDARD[at] + each
                made += 1
                at += below(s.counter, 2)  # the same amount may be taken twice
            else:
                at += 1
        if left >= _LEAST_OUTPUT + each:
            pay(s, fresh(s, owner, P2WPKH), left - each, CHANGE)
    charge = s.counter[PAID_IN] - s.counter[PAID_OUT] - fee(s, 1)
    if charge < _LEAST_OUTPUT:
        return cancel(s)
    pay(s, fresh(s, s.counter[COORDINATORS] + 2, P2WPKH), charge, PAID)
    largest_first(s)
    if not _repeats(s):
        return cancel(s)
    commit(s, COINJOIN, WABISABI, OLD)
    return True


@kernel
def _repeats(s: Any) -> Any:
    """Whether at least half of the outputs (in falling order), not all, have an amount that repeats, of three or more."""
    outputs = s.counter[OUTPUTS]
    amounts = repeated = place = 0
    while place < outputs:
        end = place
        while end < outputs and s.draft[end].value == s.draft[place].value:
            end += 1
        if end - place >= 2:
            amounts += 1
            repeated += end - place
        place = end
    return amounts >= 3 and 2 * repeated >= outputs and repeated < outputs
