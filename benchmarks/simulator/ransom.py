"""Ransom campaigns: victims buy at an exchange and pay, ransoms are collected, mixed or not, and peeled off to exchanges."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import CHANGE, HOLD, NO_JOIN, NONE, PAID, RANSOM_COLLECTION, RANSOM_PAYMENT, WITHDRAWAL
from simulator.draft import (
    DUST,
    begin,
    cancel,
    commit,
    fee,
    first_output,
    fresh,
    gather,
    own_type,
    owner_of,
    pay,
    place_change,
    put,
)
from simulator.draw import below, kernel
from simulator.joins import joinmarket
from simulator.layout import (
    ACTORS,
    BAG,
    CAMPAIGNS,
    CAMPAIGNS_LIVE,
    CAMPAIGNS_MOST,
    CAMPAIGNS_RUNNING,
    INPUTS,
    OUTPUTS,
    RANSOM,
    VICTIMS_MOST,
)  # fmt: skip
from simulator.peeling import note, open_chain
from simulator.services import exchange
from simulator.wallets import address_of, person

_LEAST_RANSOM = 400_000  # satoshi
_TOGETHER = 12  # ransoms in one collection


@kernel
def open_campaign(s: Any) -> None:
    """One more actor begins, while there are any."""
    number = s.counter[CAMPAIGNS]
    if number >= s.counter[CAMPAIGNS_MOST] or s.counter[CAMPAIGNS_LIVE] >= BAG:
        return
    s.campaign[number].actor = s.counter[ACTORS] + number
    s.campaign[number].victims = 3 + below(s.counter, s.counter[VICTIMS_MOST])
    s.campaign[number].coin = -1
    s.campaign[number].ransoms = -1
    s.campaign[number].loot = -1
    s.campaign[number].address = -1
    s.campaign[number].deposit = -1
    s.campaign[number].joins = 3 if number % 3 == 1 else 0  # attempts at a CoinJoin for each collection
    s.campaign[number].shared = 1 if number % 4 == 3 else 0
    s.bag[CAMPAIGNS_RUNNING, s.counter[CAMPAIGNS_LIVE]] = number
    s.counter[CAMPAIGNS] = number + 1
    s.counter[CAMPAIGNS_LIVE] += 1


@kernel
def advance(s: Any) -> Any:
    """The next step of some campaign; True when it was a transaction."""
    running = s.counter[CAMPAIGNS_LIVE]
    if running == 0:
        return False
    place = below(s.counter, running)
    number = s.bag[CAMPAIGNS_RUNNING, place]
    campaign = s.campaign[number]
    if campaign.loot >= 0:
        return _launder(s, number)
    if campaign.coin >= 0:
        return _pay_ransom(s, number)
    all_paid = campaign.paid >= campaign.victims
    if campaign.waiting > 0 and (all_paid or (campaign.waiting >= 8 and below(s.counter, 2) == 0)):
        return _collect(s, number)
    if not all_paid:
        return _buy(s, number)
    s.bag[CAMPAIGNS_RUNNING, place] = s.bag[CAMPAIGNS_RUNNING, running - 1]
    s.counter[CAMPAIGNS_LIVE] = running - 1
    return False


@kernel
def _buy(s: Any, number: Any) -> Any:
    """A victim has an exchange send what the ransom costs."""
    seller = exchange(s)
    victim = person(s)
    begin(s)
    total = gather(s, seller, 25, (4 << below(s.counter, 6)) * 2_000_000)
    cost = fee(s, 2)
    amount = (total - cost) * (300 + below(s.counter, 600)) // 1024
    if s.counter[INPUTS] == 0 or amount < _LEAST_RANSOM * 11 // 10:
        return cancel(s)
    pay(s, fresh(s, victim, own_type(s, victim)), amount, HOLD)
    pay(s, address_of(s, seller), total - cost - amount, CHANGE)
    transaction = commit(s, WITHDRAWAL, NO_JOIN, s.entity[seller].fingerprint)
    s.campaign[number].coin = first_output(s, transaction)
    return True


@kernel
def _pay_ransom(s: Any, number: Any) -> Any:
    """The victim pays to an address of its own, or to the one that all victims of this campaign are given."""
    coin, actor = s.campaign[number].coin, s.campaign[number].actor
    victim = owner_of(s, coin)
    address = s.campaign[number].address
    if address < 0 or not s.campaign[number].shared:
        address = fresh(s, actor, own_type(s, actor))
        s.campaign[number].address = address
    begin(s)
    put(s, coin)
    cost = fee(s, 2)
    value = s.out[coin].value - cost
    ransom = value - value * below(s.counter, 90) // 1024
    if value - ransom < DUST:
        ransom = value
    pay(s, address, ransom, HOLD)
    if value > ransom:
        pay(s, fresh(s, victim, own_type(s, victim)), value - ransom, CHANGE)
        place_change(s, s.entity[victim].fingerprint)
    transaction = commit(s, RANSOM_PAYMENT, NO_JOIN, s.entity[victim].fingerprint)
    first = first_output(s, transaction)
    output = first if s.out[first].key == address else first + 1
    s.out[output].next = s.campaign[number].ransoms
    s.campaign[number].ransoms = output
    s.campaign[number].waiting += 1
    s.campaign[number].paid += 1
    s.campaign[number].coin = -1
    note(s, RANSOM, number, NONE, output, victim)
    return True


@kernel
def _collect(s: Any, number: Any) -> Any:
    """Ransoms are put together; at times a fifth goes aside first."""
    actor = s.campaign[number].actor
    begin(s)
    waiting = s.campaign[number].ransoms
    for _ in range(_TOGETHER):
        if waiting < 0:
            break
        put(s, waiting)
        waiting = np.int64(s.out[waiting].next)
    total = 0
    for place in range(s.counter[INPUTS]):
        total += s.out[s.draft[place].coin].value
    total -= fee(s, 2)
    cut = total // 5 if below(s.counter, 2) == 0 else 0
    s.campaign[number].waiting -= s.counter[INPUTS]
    s.campaign[number].ransoms = waiting
    pay(s, fresh(s, actor, own_type(s, actor)), total - cut, HOLD)
    if cut:
        pay(s, fresh(s, actor, own_type(s, actor)), cut, PAID)
    transaction = commit(s, RANSOM_COLLECTION, NO_JOIN, s.entity[actor].fingerprint)
    s.campaign[number].loot = first_output(s, transaction)
    return True


@kernel
def _launder(s: Any, number: Any) -> Any:
    """What was collected goes into a CoinJoin first, where the campaign does so, then into peel chains."""
    loot, actor = s.campaign[number].loot, s.campaign[number].actor
    if s.campaign[number].joins > 0:
        transaction = joinmarket(s, loot)
        if transaction < 0:
            s.campaign[number].joins -= 1
            return False
        last = first_output(s, transaction) + s.counter[OUTPUTS]
        s.campaign[number].loot = -1
        for output in range(first_output(s, transaction), last):
            if owner_of(s, output) == actor:
                open_chain(s, output, number)
        return True
    s.campaign[number].loot = -1
    open_chain(s, loot, number)
    return False
