"""Put one transaction together: coins in, payments out, then make it part of the chain or let it be."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.codes import BY_AMOUNT, CHANGE, DATA, FIRST, HOLD, RANDOM
from simulator.draw import below, kernel
from simulator.kinds import CHANGE_SHIFT, LOCKTIME, REPLACEABLE, TYPE_SHIFT, VERSION_2
from simulator.layout import (
    ACTIVE,
    BAG,
    BAG_SIZES,
    BLOCK_WEIGHT,
    DRAFT_MOST,
    FEES,
    HEIGHT,
    HELD,
    INPUTS,
    INS,
    KEYS,
    LIVE,
    MIDDLE,
    MIDDLE_LEAST,
    OUTPUTS,
    OUTS,
    PAID_IN,
    PAID_OUT,
    PERSONS,
    RATE,
    RICH,
    RICH_LEAST,
    SPENT,
    STAMP,
    TAKEN,
    TXS,
    UNSPENT,
    WEIGHT,
)  # fmt: skip

DUST = 546  # satoshi; below it nodes do not relay an output of the oldest kind (Bitcoin Core, `policy/policy.h`)

# by ScriptType, with the longest signature: weight of an input, bytes of a locking script
INPUT_WEIGHT = np.array([457, 593, 364, 272, 418, 230, 0, 0], np.int64)
SCRIPT_SIZE = np.array([35, 25, 23, 22, 34, 34, 34, 67], np.int64)
_FRAME_WEIGHT = 4 * 14 + 2  # version, counts (up to three bytes each), locktime; marker and flag


@kernel
def owner_of(s: Any, output: Any) -> Any:
    """The entity that an output belongs to, as int64: one type for all functions means that each is compiled once."""
    return np.int64(s.key[s.out[output].key].owner)


@kernel
def first_output(s: Any, transaction: Any) -> Any:
    """The number of a transaction's first output, as int64."""
    return np.int64(s.tx[transaction].first_output)


@kernel
def begin(s: Any) -> None:
    """Start a draft."""
    c = s.counter
    c[INPUTS] = c[OUTPUTS] = c[PAID_IN] = c[PAID_OUT] = 0
    c[WEIGHT] = _FRAME_WEIGHT
    c[STAMP] += 1


@kernel
def put(s: Any, coin: Any) -> None:
    """Spend `coin` in the draft; it is live or held."""
    c = s.counter
    place = c[INPUTS]
    s.draft[place].coin = coin
    s.draft[place].was = s.out[coin].state
    s.out[coin].state = TAKEN
    c[INPUTS] = place + 1
    c[PAID_IN] += s.out[coin].value
    c[WEIGHT] += INPUT_WEIGHT[s.key[s.out[coin].key].kind]


@kernel
def pay(s: Any, key: Any, value: Any, what: Any) -> None:
    """Add an output of `value` satoshi to the draft; `what` is PAID, CHANGE, and with HOLD stays out of its owner's queue."""
    c = s.counter
    place = c[OUTPUTS]
    s.draft[place].value = value
    s.draft[place].key = key
    s.draft[place].what = what
    c[OUTPUTS] = place + 1
    c[PAID_OUT] += value
    c[WEIGHT] += 4 * (9 + SCRIPT_SIZE[s.key[key].kind])


@kernel
def cancel(s: Any) -> Any:
    """Let the draft be; always False, so that `return cancel(s)` says "not made". Addresses made for it stay unused."""
    c = s.counter
    for place in range(c[INPUTS]):
        s.out[s.draft[place].coin].state = s.draft[place].was
    c[INPUTS] = c[OUTPUTS] = 0
    return False


@kernel
def fee(s: Any, outputs: Any) -> Any:
    """Satoshi for the draft with `outputs` more outputs, at the rate of the block."""
    return (s.counter[WEIGHT] + 172 * outputs + 3) // 4 * s.counter[RATE]


@kernel
def fresh(s: Any, owner: Any, kind: Any) -> Any:
    """A new address of `owner`."""
    number = s.counter[KEYS]
    s.key[number].owner = owner
    s.key[number].kind = kind
    s.counter[KEYS] = number + 1
    return number


@kernel
def own_type(s: Any, entity: Any) -> Any:
    """The ScriptType of an entity's addresses."""
    return (s.entity[entity].fingerprint >> TYPE_SHIFT) & 7


@kernel
def tidy(s: Any, entity: Any) -> None:
    """Take spent coins off the head of a queue, and a person without coins off the list of active ones."""
    head = s.entity[entity].head
    while head >= 0 and s.out[head].state == SPENT:
        head = np.int64(s.out[head].next)
    s.entity[entity].head = head
    if head < 0:
        s.entity[entity].tail = -1
    if s.entity[entity].coins == 0:
        rest(s, entity)


@kernel
def rest(s: Any, entity: Any) -> None:
    """A person stops acting until the next coin comes in."""
    place = s.entity[entity].active
    if place >= 0:
        last = s.entity[s.counter[ACTIVE] - 1].listed
        s.entity[place].listed = last
        s.entity[last].active = place
        s.entity[entity].active = -1
        s.counter[ACTIVE] -= 1


@kernel
def receive(s: Any, output: Any) -> None:
    """Put an output into its owner's queue."""
    owner = owner_of(s, output)
    s.out[output].state = LIVE
    s.out[output].next = -1
    tail = s.entity[owner].tail
    if tail >= 0:
        s.out[tail].next = output
    else:
        s.entity[owner].head = output
    s.entity[owner].tail = output
    s.entity[owner].coins += 1
    if owner < s.counter[PERSONS]:
        return
    if s.entity[owner].active < 0:
        s.entity[owner].active = s.counter[ACTIVE]
        s.entity[s.counter[ACTIVE]].listed = owner
        s.counter[ACTIVE] += 1
    value = s.out[output].value
    if value >= RICH_LEAST:
        s.bag[RICH, s.counter[BAG_SIZES + RICH] % BAG] = output
        s.counter[BAG_SIZES + RICH] += 1
    if value >= MIDDLE_LEAST:
        s.bag[MIDDLE, s.counter[BAG_SIZES + MIDDLE] % BAG] = output
        s.counter[BAG_SIZES + MIDDLE] += 1


@kernel
def commit(s: Any, kind: Any, join: Any, fingerprint: Any) -> Any:
    """Make the draft the next transaction of the block; its number."""
    c = s.counter
    number, first_in, first_out = c[TXS], c[INS], c[OUTS]
    s.tx[number].first_input = first_in
    s.tx[number].first_output = first_out
    s.tx[number].kind = kind
    s.tx[number].join = join
    s.tx[number].chain = -1
    s.tx[number].fingerprint = fingerprint
    s.tx[number].version = 2 if fingerprint & VERSION_2 else 1
    s.tx[number].locktime = c[HEIGHT] - 1 if fingerprint & LOCKTIME else 0
    s.tx[number].sequence = 2 if fingerprint & REPLACEABLE else 1 if fingerprint & LOCKTIME else 0
    for place in range(c[INPUTS]):
        coin = s.draft[place].coin
        s.inputs[first_in + place] = coin
        s.out[coin].state = SPENT
        if s.draft[place].was == LIVE:
            s.entity[owner_of(s, coin)].coins -= 1
    for place in range(c[INPUTS]):
        tidy(s, owner_of(s, s.draft[place].coin))
    for place in range(c[OUTPUTS]):
        output = first_out + place
        key = s.draft[place].key
        s.out[output].value = s.draft[place].value
        s.out[output].key = key
        s.out[output].change = s.draft[place].what & CHANGE
        s.out[output].state = HELD
        s.out[output].next = -1
        if s.key[key].kind != DATA and not s.draft[place].what & HOLD:
            receive(s, output)
    c[TXS] += 1
    c[INS] += c[INPUTS]
    c[OUTS] += c[OUTPUTS]
    c[UNSPENT] += c[OUTPUTS] - c[INPUTS]
    c[FEES] += c[PAID_IN] - c[PAID_OUT]
    c[BLOCK_WEIGHT] += c[WEIGHT]
    return number


@kernel
def gather(s: Any, entity: Any, most: Any, enough: Any) -> Any:
    """Put up to `most` coins of an entity's queue into the draft, oldest first, until `enough` satoshi; what they are worth."""
    c = s.counter
    coin = s.entity[entity].head
    taken = 0
    while coin >= 0 and taken < most and c[PAID_IN] < enough and c[INPUTS] < DRAFT_MOST:
        following = np.int64(s.out[coin].next)
        if s.out[coin].state == LIVE:
            put(s, coin)
            taken += 1
        coin = following
    return c[PAID_IN]


@kernel
def shuffle(s: Any) -> None:
    """Outputs of the draft in random order."""
    for place in range(s.counter[OUTPUTS] - 1, 0, -1):
        swap(s, place, below(s.counter, place + 1))


@kernel
def swap(s: Any, one: Any, other: Any) -> None:
    """Exchange two outputs of the draft."""
    value, key, what = s.draft[one].value, s.draft[one].key, s.draft[one].what
    s.draft[one].value = s.draft[other].value
    s.draft[one].key = s.draft[other].key
    s.draft[one].what = s.draft[other].what
    s.draft[other].value = value
    s.draft[other].key = key
    s.draft[other].what = what


@kernel
def place_change(s: Any, fingerprint: Any) -> None:
    """Move the last output of the draft, the change, to where the wallet wants it."""
    last = s.counter[OUTPUTS] - 1
    habit = (fingerprint >> CHANGE_SHIFT) & 3
    if habit == FIRST:
        swap(s, 0, last)
    elif habit == RANDOM:
        swap(s, below(s.counter, last + 1), last)
    elif habit == BY_AMOUNT:
        order_by_amount(s)


@kernel
def order_by_amount(s: Any) -> None:
    """Outputs of the draft, smallest first (insertion sort: few, or nearly sorted)."""
    for place in range(1, s.counter[OUTPUTS]):
        at = place
        while at > 0 and s.draft[at].value < s.draft[at - 1].value:
            swap(s, at, at - 1)
            at -= 1
