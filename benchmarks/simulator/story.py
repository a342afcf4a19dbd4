"""The story: block after block, what happens next, and who there is."""

from __future__ import annotations

from typing import Any

from numba import njit

from simulator.codes import COINBASE, HOLD, NO, NO_JOIN, NONE, P2PK, YES
from simulator.draft import begin, commit, first_output, fresh, own_type, pay, receive
from simulator.draw import below, kernel
from simulator.joins import generic, joinmarket, payjoin
from simulator.kinds import (
    CHANGE_REUSE,
    CHANGE_SHIFT,
    LOCKTIME,
    REPLACEABLE,
    ROUND,
    TYPE_SHIFT,
    VERSION_2,
)  # fmt: skip
from simulator.layout import (
    ACTIVE,
    BLOCK_WEIGHT,
    DRAFT_MOST,
    ENTITIES,
    EXCHANGES,
    FEES,
    HEIGHT,
    JOIN_FAILS,
    JOIN_TURN,
    KEYS,
    MINERS,
    NEXT_CAMPAIGN,
    NEXT_JOIN,
    OUTS,
    PERSONS,
    RATE,
    SERVICES,
    TXS,
    UNSPENT,
)  # fmt: skip
from simulator.peeling import peel
from simulator.ransom import advance, open_campaign
from simulator.services import batch, equal_batch, pool_payout, sweep, tidy_service, withdrawal
from simulator.wallets import gather_small, pay_from_wallet, stonewall
from simulator.wasabi import wabisabi, wasabi_1
from simulator.whirlpool import whirlpool

MATURE = 100  # blocks before a coinbase may be spent (Bitcoin Core, `consensus/consensus.h`)
HALVING = 150  # blocks, of regtest
_MOST_WEIGHT = 3_500_000  # the last transaction may go above it, far from the 4,000,000 of BIP 141
_JOIN_EVERY, _JOIN_EVERY_EARLY, _EARLY, _JOIN_KINDS = 250, 120, 20_000, 9
_CROWD = 120  # active persons before anyone joins
_TRIES = 40  # in vain before a block is closed


@njit(cache=True, nogil=True, error_model="numpy")
def introduce(s: Any) -> None:
    """Give every entity its wallet's fingerprint, every service an address, every person an exchange."""
    most = s.counter[SERVICES] - s.counter[EXCHANGES]
    types = (1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 3, 1)
    for entity in range(s.counter[ENTITIES]):
        modern = below(s.counter, 4) > 0
        fingerprint = (VERSION_2 if modern else 0) | (LOCKTIME if modern and below(s.counter, 2) else 0)
        fingerprint |= REPLACEABLE if below(s.counter, 2) else 0
        fingerprint |= below(s.counter, 4) << CHANGE_SHIFT
        kind: Any = types[below(s.counter, 16)]
        if entity < s.counter[EXCHANGES] and entity % 4 == 0:
            kind = P2PK  # old miners
        fingerprint |= kind << TYPE_SHIFT
        fingerprint |= CHANGE_REUSE if below(s.counter, 100) < 55 else 0
        fingerprint |= ROUND if below(s.counter, 5) == 0 else 0
        s.entity[entity].fingerprint = fingerprint
        s.entity[entity].home = s.counter[EXCHANGES] + (below(s.counter, most) * below(s.counter, 1 << 16) >> 16)
        if entity < s.counter[PERSONS]:
            s.entity[entity].address = fresh(s, entity, own_type(s, entity))


@kernel
def _join(s: Any) -> Any:
    """A CoinJoin, or what looks like one, of the kind whose turn it is."""
    turn = s.counter[JOIN_TURN] % _JOIN_KINDS
    made = True
    over = True
    if turn == 0:
        step = whirlpool(s)
        made, over = step > 0, step == 2
    elif turn == 1:
        made = wasabi_1(s, NO)
    elif turn == 2:
        made = wasabi_1(s, YES)
    elif turn == 3:
        made = wabisabi(s)
    elif turn == 4:
        made = joinmarket(s, NONE) >= 0
    elif turn == 5:
        made = generic(s)
    elif turn == 6:
        made = payjoin(s)
    elif turn == 7:
        made = equal_batch(s)
    else:
        made = stonewall(s)
    wait = _JOIN_EVERY if s.counter[TXS] > _EARLY else _JOIN_EVERY_EARLY
    s.counter[NEXT_JOIN] = s.counter[TXS] + (wait if made and over else 5)
    s.counter[JOIN_FAILS] = 0 if made else s.counter[JOIN_FAILS] + 1
    if (made and over) or s.counter[JOIN_FAILS] > 7:
        s.counter[JOIN_TURN] += 1
        s.counter[JOIN_FAILS] = 0
    return made


@kernel
def _next(s: Any) -> Any:
    """One transaction, if what was chosen can be done."""
    c = s.counter
    if c[ACTIVE] < 60:
        return pool_payout(s)
    if c[TXS] >= c[NEXT_JOIN] and c[ACTIVE] >= _CROWD and _join(s):
        return True
    if c[TXS] >= c[NEXT_CAMPAIGN]:
        open_campaign(s)
        c[NEXT_CAMPAIGN] = c[TXS] + (20_000 if c[TXS] > 20_000 else 600)
    chance = below(s.counter, 1000)
    if chance < 8:
        return pool_payout(s)
    if chance < 130:
        return peel(s)
    if chance < 155:
        return advance(s)
    if chance < 205:
        return sweep(s)
    if chance < 211:
        return batch(s)
    if chance < 255:
        return withdrawal(s)
    if chance < 280:
        return tidy_service(s)
    if chance < 294 or (chance < 400 and 100 * c[UNSPENT] > 13 * c[OUTS]):
        return gather_small(s)
    return pay_from_wallet(s)


@njit(cache=True, nogil=True, error_model="numpy")
def tell(s: Any, first_tx: Any, most: Any, per_block: Any) -> Any:
    """Fill the story; block 0 is there already.

    Args:
        s: Arrays, after `introduce`.
        first_tx: int64[most + 1], filled with the number of each block's first transaction.
        most: Transactions to make, all blocks' coinbases included.
        per_block: Most transactions of a block.

    Returns:
        Number of blocks; 0 when the story outgrew its arrays.
    """
    c = s.counter
    height = 0
    first_tx[0] = 0
    while c[TXS] < most:
        height += 1
        c[HEIGHT] = height
        c[FEES] = 0
        c[BLOCK_WEIGHT] = 4 * 300
        c[RATE] = min(6, max(1, c[RATE] + below(s.counter, 3) - 1))
        first_tx[height] = c[TXS]
        if height > MATURE:
            coinbase = s.tx[first_tx[height - MATURE]].first_output
            receive(s, coinbase)
        miner = c[MINERS] + below(s.counter, c[EXCHANGES] - c[MINERS])
        begin(s)
        pay(s, s.entity[miner].address, 0, HOLD)
        number = commit(s, COINBASE, NO_JOIN, s.entity[miner].fingerprint)
        s.tx[number].locktime = 0
        s.tx[number].sequence = 0
        c[FEES] = 0
        ramp = 8 * max(0, height - MATURE)
        wanted = min(min(per_block, ramp) * (768 + below(s.counter, 257)) // 1024, most - c[TXS])
        failed = 0
        while wanted > 0 and failed < _TRIES and c[BLOCK_WEIGHT] < _MOST_WEIGHT:
            if max(c[OUTS], c[KEYS]) + 2 * DRAFT_MOST > len(s.out):
                return 0
            if _next(s):
                wanted -= 1
                failed = 0
            else:
                failed += 1
        halvings = height // HALVING
        subsidy = 5_000_000_000 >> halvings if halvings < 63 else 0
        s.out[first_output(s, number)].value = subsidy + c[FEES]
    first_tx[height + 1] = c[TXS]
    return height + 1
