"""What services do: mining pools, exchanges and shops pay many and collect what came in."""

from __future__ import annotations

from typing import Any

from simulator.codes import (
    BATCH,
    CHANGE,
    CONSOLIDATION,
    EQUAL_BATCH,
    EVERYTHING,
    NO_JOIN,
    PAID,
    POOL_PAYOUT,
    SWEEP,
    WITHDRAWAL,
)
from simulator.draft import DUST, begin, cancel, commit, fee, fresh, gather, own_type, pay, shuffle
from simulator.draw import below, kernel
from simulator.layout import COORDINATORS, EXCHANGES, INPUTS, MINERS, SERVICES
from simulator.wallets import address_of, consolidate, payee, person, service

_WORTH_SWEEPING = 12  # coins


@kernel
def exchange(s: Any) -> Any:
    """An exchange; the first has most of the custom."""
    most = s.counter[SERVICES] - s.counter[EXCHANGES]
    return s.counter[EXCHANGES] + (below(s.counter, most) * below(s.counter, 1 << 16) >> 16)


@kernel
def pay_many(s: Any, payer: Any, payees: Any, coins: Any, kind: Any) -> Any:
    """One payer pays many people different amounts; what is left goes back to its own address."""
    begin(s)
    total = gather(s, payer, coins, EVERYTHING)
    cost = fee(s, payees + 1)
    mean = (total - cost) // (payees + 1)
    if s.counter[INPUTS] == 0 or mean < 4 * DUST:
        return cancel(s)
    for _ in range(payees):
        value = mean * (200 + below(s.counter, 1800)) // 2048
        pay(s, payee(s) if below(s.counter, 8) == 0 else address_of(s, person(s)), value, PAID)
        total -= value
    pay(s, address_of(s, payer), total - cost, CHANGE)
    commit(s, kind, NO_JOIN, s.entity[payer].fingerprint)
    return True


@kernel
def pool_payout(s: Any) -> Any:
    """A mining pool shares out matured coinbases."""
    pool = s.counter[MINERS] + below(s.counter, s.counter[EXCHANGES] - s.counter[MINERS])
    return pay_many(s, pool, 15 + below(s.counter, 50), 1 + below(s.counter, 2), POOL_PAYOUT)


@kernel
def batch(s: Any) -> Any:
    """An exchange (or now and then a shop or coordinator) pays many."""
    if below(s.counter, 8) == 0:
        payer = s.counter[SERVICES] + below(s.counter, s.counter[COORDINATORS] + 3 - s.counter[SERVICES])
    else:
        payer = exchange(s)
    payees = 10 + (below(s.counter, 70) * below(s.counter, 70) * below(s.counter, 70) // 700)
    return pay_many(s, payer, payees, 3 + below(s.counter, 10), BATCH)


@kernel
def withdrawal(s: Any) -> Any:
    """An exchange, or a shop with its takings, pays one."""
    payer = exchange(s) if below(s.counter, 2) == 0 else service(s)
    begin(s)
    total = gather(s, payer, 1 + below(s.counter, 3), EVERYTHING)
    cost = fee(s, 2)
    amount = (total - cost) * (8 + below(s.counter, 512)) >> 10
    if s.counter[INPUTS] == 0 or amount < 4 * DUST:
        return cancel(s)
    pay(s, address_of(s, person(s)), amount, PAID)
    pay(s, address_of(s, payer), total - cost - amount, CHANGE)
    commit(s, WITHDRAWAL, NO_JOIN, s.entity[payer].fingerprint)
    return True


@kernel
def sweep(s: Any) -> Any:
    """An exchange collects deposits into its own address."""
    owner = exchange(s)
    if s.entity[owner].coins < _WORTH_SWEEPING:
        return False
    return consolidate(s, owner, 3 + below(s.counter, 14), SWEEP)


@kernel
def tidy_service(s: Any) -> Any:
    """A shop makes one coin of 10 to 200."""
    owner = service(s)
    if s.entity[owner].coins < 10:
        return False
    return consolidate(s, owner, 10 + below(s.counter, 14) * below(s.counter, 14), CONSOLIDATION)


@kernel
def equal_batch(s: Any) -> Any:
    """One exchange pays the same amount to half of the outputs, from many deposit addresses: no CoinJoin, but its shape."""
    payer = s.counter[EXCHANGES]
    for other in range(s.counter[EXCHANGES], s.counter[SERVICES]):
        if s.entity[other].coins > s.entity[payer].coins:
            payer = other
    coins = s.entity[payer].coins
    if coins < 8:
        return False
    equal = 5 + below(s.counter, min(20, coins - 6))
    begin(s)
    total = gather(s, payer, equal + 1 + below(s.counter, 8), EVERYTHING)
    cost = fee(s, 2 * equal)
    amount = (total - cost) // (3 * equal)
    if s.counter[INPUTS] < equal or amount < 4 * DUST:
        return cancel(s)
    for _ in range(equal):
        to = person(s)
        pay(s, fresh(s, to, own_type(s, to)), amount, PAID)
        total -= amount
    for _ in range(equal - 2):
        to = person(s)
        value = amount * (300 + below(s.counter, 700)) // 1024
        pay(s, fresh(s, to, own_type(s, to)), value, PAID)
        total -= value
    pay(s, fresh(s, payer, own_type(s, payer)), total - cost, CHANGE)
    shuffle(s)
    commit(s, EQUAL_BATCH, NO_JOIN, s.entity[payer].fingerprint)
    return True
