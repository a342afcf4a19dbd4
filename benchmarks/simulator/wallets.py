"""What people do: pay, move, deposit, gather small coins, and one thing that only looks like a CoinJoin."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import CHANGE, CONSOLIDATION, DATA, DEPOSIT, EVERYTHING, MOVE, NO_JOIN, PAID, PAYMENT, STONEWALL
from simulator.draft import (
    DUST,
    begin,
    cancel,
    commit,
    fee,
    fresh,
    gather,
    own_type,
    pay,
    place_change,
    rest,
    shuffle,
)
from simulator.draw import below, kernel, skewed
from simulator.kinds import CHANGE_REUSE, ROUND
from simulator.layout import (
    ACTIVE,
    COORDINATORS,
    ENTITIES,
    INPUTS,
    OUTS,
    PERSONS,
    SERVICES,
    UNSPENT,
)

_POOR = 3_000  # satoshi; a wallet with less in its next coins waits for more


@kernel
def address_of(s: Any, entity: Any) -> Any:
    """Where an entity wants to be paid: its one address, or for most wallets mostly a new one."""
    known = s.entity[entity].address
    reuse = 100 if entity < s.counter[PERSONS] else 88 if entity % 3 == 0 else 60
    if entity >= s.counter[SERVICES] and entity < s.counter[COORDINATORS] and entity % 4 == 3:
        reuse = 50  # shops that make an address for each invoice
    if known >= 0 and below(s.counter, 100) < reuse:
        return known
    key = fresh(s, entity, own_type(s, entity))
    s.entity[entity].address = key
    return key


@kernel
def deposit_address(s: Any, person: Any) -> Any:
    """The address that a person's exchange gave to that person; it is the exchange's."""
    if s.entity[person].deposit < 0:
        exchange = s.entity[person].home
        s.entity[person].deposit = fresh(s, exchange, own_type(s, exchange))
    return s.entity[person].deposit


@kernel
def service(s: Any) -> Any:
    """A service; the first few have most of the custom."""
    most = s.counter[COORDINATORS] - s.counter[SERVICES]
    return s.counter[SERVICES] + (skewed(s.counter, most) * below(s.counter, 1 << 16) >> 16)


@kernel
def person(s: Any) -> Any:
    """Anyone; some are paid far more often."""
    return s.counter[PERSONS] + skewed(s.counter, s.counter[ENTITIES] - s.counter[PERSONS])


@kernel
def payee(s: Any) -> Any:
    """An address that a payment goes to."""
    chance = below(s.counter, 100)
    if chance < 46:
        return address_of(s, service(s))
    if chance < 54:
        return deposit_address(s, person(s))
    return address_of(s, person(s))


@kernel
def rounded(value: Any, digits: Any) -> Any:
    """`value` with only its first one or two decimal digits."""
    unit = 1
    while value // unit >= (10 if digits == 1 else 100):
        unit *= 10
    return value // unit * unit


@kernel
def change_key(s: Any, entity: Any, fingerprint: Any) -> Any:
    """Where a wallet puts its change."""
    if fingerprint & CHANGE_REUSE:
        return np.int64(s.out[s.draft[0].coin].key)
    return fresh(s, entity, own_type(s, entity))


@kernel
def pay_from_wallet(s: Any) -> Any:
    """An active person pays; True when it was made."""
    if s.counter[ACTIVE] == 0:
        return False
    payer = s.entity[below(s.counter, s.counter[ACTIVE])].listed
    fingerprint = s.entity[payer].fingerprint
    chance = below(s.counter, 100)
    deposits = chance < 9
    to = deposit_address(s, payer) if deposits else payee(s)
    begin(s)
    wanted = below(s.counter, 100)
    coins = 1 if wanted < 52 else 2 if wanted < 76 else 3 + below(s.counter, 5)
    if 100 * s.counter[UNSPENT] > 13 * s.counter[OUTS]:
        coins += below(s.counter, 5)
    total = gather(s, payer, coins, EVERYTHING)
    if total < _POOR:
        total = gather(s, payer, 12, 4 * _POOR)
    cost = fee(s, 2)
    if cost * 3 > total:
        cancel(s)
        rest(s, payer)
        return False
    if chance >= 92:  # all of it
        pay(s, to, total - cost, PAID)
        commit(s, MOVE, NO_JOIN, fingerprint)
        return True
    amount = (total - cost) * (8 + below(s.counter, 1000)) // 1024 >> below(s.counter, 6)
    if fingerprint & ROUND or below(s.counter, 100) < 25:
        amount = rounded(amount, 1 + below(s.counter, 2))
    amount = max(amount, 1000)
    if chance < 12 and chance >= 10:
        pay(s, fresh(s, payer, DATA), 0, PAID)
        cost = fee(s, 2)
    change = total - cost - amount
    if change < 0:
        return cancel(s)
    pay(s, to, amount, PAID)
    if below(s.counter, 100) < 10 and change > 40 * cost:  # a second payee
        second = payee(s)
        part = change // (3 + below(s.counter, 8))
        pay(s, second, part, PAID)
        change -= part + 34 * cost // 200
    if change >= DUST:
        pay(s, change_key(s, payer, fingerprint), change, CHANGE)
        place_change(s, fingerprint)
    commit(s, DEPOSIT if deposits else PAYMENT, NO_JOIN, fingerprint)
    return True


@kernel
def gather_small(s: Any) -> Any:
    """An active person makes one coin of many."""
    if s.counter[ACTIVE] == 0:
        return False
    owner = s.entity[below(s.counter, s.counter[ACTIVE])].listed
    if s.entity[owner].coins < 4:
        return False
    return consolidate(s, owner, 60, CONSOLIDATION)


@kernel
def consolidate(s: Any, owner: Any, most: Any, kind: Any) -> Any:
    """Up to `most` coins of an owner become one at its own address."""
    begin(s)
    total = gather(s, owner, most, EVERYTHING)
    cost = fee(s, 1)
    if s.counter[INPUTS] < 2 or total < 2 * cost:
        cancel(s)
        return False
    pay(s, address_of(s, owner), total - cost, PAID)
    commit(s, kind, NO_JOIN, s.entity[owner].fingerprint)
    return True


@kernel
def stonewall(s: Any) -> Any:
    """A payment with a decoy of the same amount to oneself and two changes (Samourai's Stonewall): no CoinJoin, one owner."""
    if s.counter[ACTIVE] == 0:
        return False
    payer = s.entity[below(s.counter, s.counter[ACTIVE])].listed
    fingerprint = s.entity[payer].fingerprint
    to = fresh(s, person(s), own_type(s, payer))
    if s.key[to].owner == payer:
        return False
    begin(s)
    total = gather(s, payer, 4, EVERYTHING)
    cost = fee(s, 4)
    amount = (total - cost) // (3 + below(s.counter, 3))
    changes = total - cost - 2 * amount
    one = changes * (2 + below(s.counter, 3)) // 8
    if s.counter[INPUTS] < 2 or amount < 20_000 or one < DUST or changes - one == one:
        return cancel(s)
    pay(s, to, amount, PAID)
    pay(s, fresh(s, payer, own_type(s, payer)), amount, CHANGE)
    pay(s, fresh(s, payer, own_type(s, payer)), one, CHANGE)
    pay(s, fresh(s, payer, own_type(s, payer)), changes - one, CHANGE)
    shuffle(s)
    commit(s, STONEWALL, NO_JOIN, fingerprint)
    return True
