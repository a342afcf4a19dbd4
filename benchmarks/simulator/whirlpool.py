"""Whirlpool: pools of one amount, prepared coins (tx0) and mixes of five to eight (Stuetz et al., AFT 2022)."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import (
    CHANGE,
    COINJOIN,
    DATA,
    HOLD,
    NO_JOIN,
    P2WPKH,
    PAID,
    POOL_SEED,
    TX0,
    VERSION_2,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
)
from simulator.draft import DUST, begin, cancel, commit, fee, first_output, fresh, gather, owner_of, pay, put, shuffle
from simulator.draw import below, kernel
from simulator.layout import (
    BAG,
    BAG_SIZES,
    COORDINATORS,
    EXCHANGES,
    HELD,
    INPUTS,
    LIVE,
    MIDDLE,
    MINERS,
    MIXES,
    OUTPUTS,
    POSTMIX,
    PREMIX,
    RATE,
    RICH,
    STAMP,
)  # fmt: skip

POOLS = np.array([100_000, 1_000_000, 5_000_000, 50_000_000], np.int64)
"""Satoshi of each output of a mix."""
POOL_FEES = np.array([5_000, 50_000, 175_000, 1_750_000], np.int64)
"""Satoshi for the coordinator in a tx0."""
_PREMIX_MOST = 70
_SEED_COINS = 10  # coins of a miner that are enough for a seed, or it waits
_EXTRA_LEAST, _EXTRA_MOST = 100, 110_000  # satoshi that a prepared coin has above the pool's amount, for the fee


@kernel
def pick(s: Any, bag: Any, least: Any) -> Any:
    """A recent coin of at least `least` satoshi, of a person not yet in this draft; -1 when none was met."""
    known = min(s.counter[BAG_SIZES + bag], BAG)
    if known == 0:
        return -1
    for _ in range(60):
        coin = s.bag[bag, below(s.counter, known)]
        owner = owner_of(s, coin)
        if s.out[coin].state == LIVE and s.out[coin].value >= least and s.entity[owner].stamp != s.counter[STAMP]:
            s.entity[owner].stamp = s.counter[STAMP]
            return coin
    return -1


@kernel
def _drop(s: Any, bag: Any, place: Any) -> None:
    s.counter[BAG_SIZES + bag] -= 1
    s.bag[bag, place] = s.bag[bag, s.counter[BAG_SIZES + bag]]


@kernel
def whirlpool(s: Any) -> Any:
    """The next step of some pool: 2 a mix, 1 what a mix needs first, 0 nothing."""
    pool = 1 if s.counter[MIXES] == 0 else (1, 0, 1, 2, 0, 3)[below(s.counter, 6)]
    if s.counter[BAG_SIZES + POSTMIX + pool] < 8:
        return 1 if _seed(s, pool) else 0
    if s.counter[BAG_SIZES + PREMIX + pool] >= 3 and below(s.counter, 4) > 0 and mix(s, pool):
        return 2
    return 1 if tx0(s, pool) else 0


@kernel
def _seed(s: Any, pool: Any) -> Any:
    """A miner sells the coordinator ten coins, so that first mixes have coins that were mixed before, so to say."""
    amount = POOLS[pool]
    miner = s.counter[MINERS] + below(s.counter, s.counter[EXCHANGES] - s.counter[MINERS])
    begin(s)
    total = gather(s, miner, _SEED_COINS, 12 * amount)
    left = total - fee(s, 11) - 10 * amount
    if left < DUST:
        return cancel(s)
    for _ in range(10):
        pay(s, fresh(s, s.counter[COORDINATORS], P2WPKH), amount, HOLD)
    pay(s, s.entity[miner].address, left, CHANGE)
    number = commit(s, POOL_SEED, NO_JOIN, s.entity[miner].fingerprint)
    first = first_output(s, number)
    for place in range(10):
        _keep(s, POSTMIX + pool, first + place)
    return True


@kernel
def _keep(s: Any, bag: Any, output: Any) -> Any:
    if s.counter[BAG_SIZES + bag] >= BAG:
        return False
    s.bag[bag, s.counter[BAG_SIZES + bag]] = output
    s.counter[BAG_SIZES + bag] += 1
    return True


@kernel
def tx0(s: Any, pool: Any) -> Any:
    """A person prepares equal coins: one data output, one fee for the coordinator, and change."""
    amount, charge = POOLS[pool], POOL_FEES[pool]
    if s.counter[BAG_SIZES + PREMIX + pool] + _PREMIX_MOST > BAG:
        return False
    begin(s)
    each = amount + min(_EXTRA_MOST, max(_EXTRA_LEAST, 150 * s.counter[RATE] * (2 + below(s.counter, 3))))
    coin = pick(s, RICH if amount >= 1_000_000 else MIDDLE, each * 2 + charge + 40_000)
    if coin < 0:
        return cancel(s)
    put(s, coin)
    owner = owner_of(s, coin)
    most = 1 + below(s.counter, 12) * below(s.counter, 7)
    coins = min(most, _PREMIX_MOST, (s.out[coin].value - charge - 30_000) // each)
    cost = fee(s, coins + 3)
    change = s.out[coin].value - cost - charge - coins * each
    while coins > 0 and (change < DUST or (2 * change >= charge and change <= 3 * charge) or _near(change)):
        coins -= 1
        change += each
    if coins == 0:
        return cancel(s)
    pay(s, fresh(s, owner, DATA), 0, PAID)
    pay(s, fresh(s, s.counter[COORDINATORS], P2WPKH), charge, PAID)
    for _ in range(coins):
        pay(s, fresh(s, owner, P2WPKH), each, HOLD)
    pay(s, fresh(s, owner, P2WPKH), change, CHANGE)
    number = commit(s, TX0, WHIRLPOOL_TX0, VERSION_2)
    for place in range(2, 2 + coins):
        _keep(s, PREMIX + pool, first_output(s, number) + place)
    return True


@kernel
def _near(value: Any) -> Any:
    """True for a change that could be taken for a prepared coin."""
    near = False
    for amount in POOLS:
        near |= _EXTRA_LEAST <= value - amount <= _EXTRA_MOST
    return near


@kernel
def _join(s: Any, bag: Any, wanted: Any) -> Any:
    """Put up to `wanted` waiting coins of different holders into the draft; how many it found."""
    found = 0
    for _ in range(6 * wanted):
        if found == wanted or s.counter[BAG_SIZES + bag] == 0:
            break
        place = below(s.counter, s.counter[BAG_SIZES + bag])
        coin = s.bag[bag, place]
        owner = owner_of(s, coin)
        if s.entity[owner].stamp == s.counter[STAMP] and owner >= s.counter[COORDINATORS] + 3:
            continue
        if s.out[coin].state != HELD:  # a coordinator's second coin is already in
            continue
        s.entity[owner].stamp = s.counter[STAMP]
        put(s, coin)
        found += 1
    return found


@kernel
def mix(s: Any, pool: Any) -> Any:
    """Five to eight coins become as many of the pool's amount; new ones pay the fee, mixed ones stay for the next."""
    size = (5, 5, 5, 6, 7, 8)[below(s.counter, 6)]
    begin(s)
    new = _join(s, PREMIX + pool, 1 + below(s.counter, min(4, size - 1)))
    if new == 0:
        return cancel(s)
    old = _join(s, POSTMIX + pool, size - new)
    if new + old != size:
        return cancel(s)
    for bag in (PREMIX + pool, POSTMIX + pool):
        place = 0
        while place < s.counter[BAG_SIZES + bag]:
            if s.out[s.bag[bag, place]].state == HELD:
                place += 1
            else:
                _drop(s, bag, place)
    for place in range(s.counter[INPUTS]):
        owner = owner_of(s, s.draft[place].coin)
        stays = s.counter[BAG_SIZES + POSTMIX + pool] + s.counter[INPUTS] < BAG and (
            owner < s.counter[COORDINATORS] + 3 or s.counter[BAG_SIZES + POSTMIX + pool] < 20 or below(s.counter, 5) < 3
        )
        pay(s, fresh(s, owner, P2WPKH), POOLS[pool], HOLD if stays else PAID)
    shuffle(s)
    number = commit(s, COINJOIN, WHIRLPOOL, VERSION_2)
    first = first_output(s, number)
    for place in range(s.counter[OUTPUTS]):
        if s.draft[place].what & HOLD:
            _keep(s, POSTMIX + pool, first + place)
    s.counter[MIXES] += 1
    return True
