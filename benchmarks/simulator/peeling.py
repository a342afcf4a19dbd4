"""Peel chains: a large coin pays small pieces one after the other, what is left goes on (Kappos et al., USENIX Security 2022)."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import CHANGE, HOLD, NO_JOIN, NONE, NOTHING, PAID, PEEL
from simulator.draft import (
    DUST,
    begin,
    cancel,
    commit,
    fee,
    first_output,
    fresh,
    own_type,
    owner_of,
    pay,
    place_change,
    put,
    receive,
)
from simulator.draw import below, kernel
from simulator.layout import (
    BAG,
    CHAINS,
    CHAINS_LIVE,
    CHAINS_RUNNING,
    END,
    EXCHANGES,
    HELD,
    HOPS_MOST,
    NOTES,
    RICH,
    SERVICES,
    STAMP,
    TXS,
)  # fmt: skip
from simulator.services import exchange
from simulator.wallets import payee
from simulator.whirlpool import pick

_LEAST = 60_000  # satoshi; below it a chain ends
_LEAST_HOPS = 10


@kernel
def note(s: Any, what: Any, campaign: Any, chain: Any, output: Any, entity: Any) -> None:
    """Write a fact down for the truth files; at most one for each transaction."""
    number = s.counter[NOTES]
    s.note[number].what = what
    s.note[number].campaign = campaign
    s.note[number].chain = chain
    s.note[number].output = output
    s.note[number].entity = entity
    s.counter[NOTES] = number + 1


@kernel
def open_chain(s: Any, coin: Any, campaign: Any) -> Any:
    """Begin a chain with a held or live coin; False when too many are running."""
    number, running = s.counter[CHAINS], s.counter[CHAINS_LIVE]
    if number >= len(s.chain) or running >= BAG:
        return False
    s.chain[number].owner = owner_of(s, coin)
    s.chain[number].coin = coin
    s.chain[number].start = coin
    s.chain[number].left = _LEAST_HOPS + below(s.counter, s.counter[HOPS_MOST])
    s.chain[number].hops = 0
    s.chain[number].campaign = campaign
    s.chain[number].done = 0
    s.bag[CHAINS_RUNNING, running] = number
    s.counter[CHAINS] = number + 1
    s.counter[CHAINS_LIVE] = running + 1
    return True


@kernel
def peel(s: Any) -> Any:
    """The next hop of some chain; begins one where few are running."""
    place = running = s.counter[CHAINS_LIVE]
    opened = False
    if running < min(2 + s.counter[TXS] // 4_000, 512):
        s.counter[STAMP] += 1  # anyone may be picked
        coin = pick(s, RICH, NOTHING)
        opened = coin >= 0 and open_chain(s, coin, NONE)
    if not opened:
        if running == 0:
            return False
        place = below(s.counter, running)
    number = s.bag[CHAINS_RUNNING, place]
    made = _hop(s, number)
    if s.chain[number].done or not made:
        last = s.counter[CHAINS_LIVE] - 1
        s.bag[CHAINS_RUNNING, place] = s.bag[CHAINS_RUNNING, last]
        s.counter[CHAINS_LIVE] = last
        if opened:  # nothing came of it
            s.counter[CHAINS] -= 1
    return made


@kernel
def _record(s: Any, number: Any, transaction: Any, coin: Any) -> None:
    s.tx[transaction].chain = number
    s.tx[transaction].hop = s.chain[number].hops
    s.chain[number].hops += 1
    s.chain[number].left -= 1
    s.chain[number].coin = coin


@kernel
def _finish(s: Any, number: Any) -> Any:
    """The chain is over where its money is; False, since no transaction was made."""
    s.chain[number].done = 1
    coin = s.chain[number].coin
    if s.out[coin].state == HELD:
        receive(s, coin)
    return False


@kernel
def _payee(s: Any, campaign: Any, deposits: Any) -> Any:
    """Whom a hop pays; money of a crime goes to an exchange every second time, at times into a new account there."""
    if campaign < 0 or not deposits:
        return payee(s)
    known = s.campaign[campaign].deposit
    if known >= 0 and below(s.counter, 3) > 0:
        return known
    at = exchange(s)
    account = fresh(s, at, own_type(s, at))
    s.campaign[campaign].deposit = account
    return account


@kernel
def _hop(s: Any, number: Any) -> Any:
    """One hop; the last of a campaign's chain pays all to an exchange, any other's last change stays with its owner."""
    campaign, owner, coin = s.chain[number].campaign, s.chain[number].owner, s.chain[number].coin
    value, left = s.out[coin].value, s.chain[number].left
    last = campaign >= 0 and (left <= 0 or value < _LEAST)
    to = _payee(s, campaign, last or below(s.counter, 2) == 0)
    fingerprint = s.entity[owner].fingerprint
    begin(s)
    put(s, coin)
    cost = fee(s, 1 if last else 2)
    piece = value - cost if last else (value - cost) * (1 + below(s.counter, 3)) // (2 * left + 4)
    change = value - cost - piece
    if piece < DUST or (not last and change < DUST):
        cancel(s)
        return _finish(s, number)
    pay(s, to, piece, PAID)
    if not last:
        pay(s, fresh(s, owner, own_type(s, owner)), change, CHANGE | HOLD)
        place_change(s, fingerprint)
    transaction = commit(s, PEEL, NO_JOIN, fingerprint)
    first = first_output(s, transaction)
    paid = first + 1 if s.out[first].change else first
    _record(s, number, transaction, paid if last else 2 * first + 1 - paid)
    paid_to = np.int64(s.key[to].owner)
    if campaign >= 0 and paid_to >= s.counter[EXCHANGES] and paid_to < s.counter[SERVICES]:
        note(s, END, campaign, number, paid, paid_to)
    if last:
        s.chain[number].done = 1
    elif campaign < 0 and (s.chain[number].left <= 0 or change < _LEAST):
        _finish(s, number)
    return True
