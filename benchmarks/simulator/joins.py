"""CoinJoins without a coordinator: JoinMarket, the generic shape, PayJoin."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import CHANGE, COINJOIN, GENERIC, JOINMARKET, NO, NOTHING, P2WPKH, PAID, PAYJOIN, VERSION_2, YES
from simulator.draft import DUST, begin, cancel, commit, fee, fresh, own_type, owner_of, pay, place_change, put, shuffle
from simulator.draw import below, kernel
from simulator.layout import MIDDLE
from simulator.wasabi import enter
from simulator.whirlpool import pick


@kernel
def _equal(s: Any, people: Any, amount: Any, generic: Any) -> Any:
    """An equal output and a change for each in the draft; the first pays all fees. False when someone has too little."""
    cost = fee(s, 2 * people)
    earned = amount // 5_000 + 100  # satoshi for each maker
    for number in range(people):
        owner = s.draft[number].owner
        change = s.draft[number].total - amount - (cost + earned * (people - 1) if number == 0 else -earned)
        kind = own_type(s, owner) if generic else P2WPKH
        if change < DUST or change == amount:
            return False
        pay(s, fresh(s, owner, kind), amount, PAID)
        pay(s, fresh(s, owner, kind), change, CHANGE)
    for one in range(people):  # changes differ from each other, so that only the amount is shared
        for other in range(one):
            if s.draft[2 * one + 1].value == s.draft[2 * other + 1].value:
                return False
    return True


@kernel
def joinmarket(s: Any, coin: Any) -> Any:
    """A taker and two to eight makers; the taker is the owner of `coin`, or anyone when it is -1. Transaction number or -1."""
    people = 3 + below(s.counter, 7)
    begin(s)
    first = 0
    least = 0
    if coin >= 0:
        put(s, coin)
        s.draft[0].owner = owner_of(s, coin)
        s.draft[0].total = s.out[coin].value
        least = min(s.out[coin].value // 4, 30_000_000)
        first = 1
    for number in range(first, people):
        if not enter(s, number, MIDDLE, least, np.int64(below(s.counter, 3) == 0)):
            cancel(s)
            return -1
    smallest = s.draft[0].total
    for number in range(people):
        smallest = min(smallest, s.draft[number].total)
    amount = smallest * (500 + below(s.counter, 400)) // 1024
    if amount < 20_000 or not _equal(s, people, amount, NO):
        cancel(s)
        return -1
    shuffle(s)
    return commit(s, COINJOIN, JOINMARKET, VERSION_2)


@kernel
def generic(s: Any) -> Any:
    """Three to twelve people of mixed wallets, an equal output and a change each."""
    people = 3 + below(s.counter, 10)
    begin(s)
    smallest = 1 << 60
    for number in range(people):
        if not enter(s, number, MIDDLE, NOTHING, NO):
            return cancel(s)
        smallest = min(smallest, s.draft[number].total)
    amount = smallest * (300 + below(s.counter, 600)) // 1024
    if amount < 20_000 or not _equal(s, people, amount, YES):
        return cancel(s)
    shuffle(s)
    commit(s, COINJOIN, GENERIC, VERSION_2)
    return True


@kernel
def payjoin(s: Any) -> Any:
    """Payer and payee both bring a coin; the payee's comes back with the payment on top."""
    begin(s)
    mine = pick(s, MIDDLE, NOTHING)
    theirs = pick(s, MIDDLE, NOTHING)
    if mine < 0 or theirs < 0:
        return cancel(s)
    payer, payee = owner_of(s, mine), owner_of(s, theirs)
    if below(s.counter, 2):
        put(s, mine)
        put(s, theirs)
    else:
        put(s, theirs)
        put(s, mine)
    cost = fee(s, 2)
    amount = s.out[mine].value * (100 + below(s.counter, 700)) // 1024
    change = s.out[mine].value - amount - cost
    if change < DUST:
        return cancel(s)
    fingerprint = s.entity[payer].fingerprint
    pay(s, fresh(s, payee, own_type(s, payee)), s.out[theirs].value + amount, PAID)
    pay(s, fresh(s, payer, own_type(s, payer)), change, CHANGE)
    place_change(s, fingerprint)
    commit(s, COINJOIN, PAYJOIN, fingerprint)
    return True
