"""The arrays in which the economic story is made, their record types, and the counters by name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.kinds import EntityKind, ScriptType

TX = np.dtype(
    [
        ("first_input", "<i4"), ("first_output", "<i4"), ("locktime", "<i4"), ("chain", "<i4"), ("hop", "<i2"),
        ("fingerprint", "<i2"), ("kind", "i1"), ("join", "i1"), ("version", "i1"), ("sequence", "i1"),
    ]
)  # fmt: skip
"""A transaction; `chain` is -1 outside peel chains, `sequence` is how far below 0xffffffff its inputs' sequences are."""

OUT = np.dtype([("value", "<i8"), ("key", "<i4"), ("next", "<i4"), ("state", "i1"), ("change", "i1")])
"""An output: satoshi, key, the next coin in its owner's queue, one of the states below, 1 where it is change."""

KEY = np.dtype([("owner", "<i4"), ("kind", "i1")])
"""An address: its entity and ScriptType. Its bytes follow from its number and the seed."""

ENTITY = np.dtype(
    [
        ("head", "<i8"), ("tail", "<i8"), ("coins", "<i8"), ("address", "<i8"), ("active", "<i8"), ("stamp", "<i8"),
        ("home", "<i8"), ("deposit", "<i8"), ("listed", "<i8"), ("fingerprint", "<i8"), ("kind", "<i8"),
    ]
)  # fmt: skip
"""An owner: its queue of coins, latest own address, place in the list of active persons, exchange, and key there.
`listed` is that list: entry k is in the record k, whoever that is."""

DRAFT = np.dtype(
    [
        ("coin", "<i8"), ("was", "<i8"), ("value", "<i8"), ("key", "<i8"), ("what", "<i8"), ("owner", "<i8"),
        ("total", "<i8"), ("level", "<i8"),
    ]
)  # fmt: skip
"""The transaction in the making, three lists side by side: of inputs the coin and its state before; of outputs satoshi, key
and the bits CHANGE and HOLD of `simulator.codes`; of the participants of a CoinJoin who, satoshi brought, level reached."""

CHAIN = np.dtype(
    [
        ("owner", "<i8"), ("coin", "<i8"), ("left", "<i8"), ("hops", "<i8"), ("campaign", "<i8"), ("start", "<i8"),
        ("done", "<i8"),
    ]
)  # fmt: skip
"""A peel chain: where its money is (an output), hops to come and made, campaign or -1, the output that it began with."""

CAMPAIGN = np.dtype(
    [
        ("actor", "<i8"), ("victims", "<i8"), ("paid", "<i8"), ("coin", "<i8"), ("ransoms", "<i8"), ("waiting", "<i8"),
        ("loot", "<i8"), ("address", "<i8"), ("deposit", "<i8"), ("joins", "<i8"), ("shared", "<i8"),
    ]
)  # fmt: skip
"""A ransom campaign: who, how many are to pay and paid, the coin of the victim that pays next, ransoms that wait (a list
by `next`) and how many, what was collected, the ransom address where all pay to one, and the latest exchange account."""

NOTE = np.dtype([("campaign", "<i4"), ("chain", "<i4"), ("output", "<i4"), ("entity", "<i4"), ("what", "i1")])
"""A fact for the truth files: a ransom (entity: the victim) or a deposit (entity: the exchange)."""
RANSOM, END = np.int64(0), np.int64(1)

HELD, LIVE, TAKEN, SPENT = 0, 1, 2, 3  # states of an output: not in a queue; in one; in the draft; gone

# counters; the first is the state of the pseudo-random numbers
(
    RANDOM, TXS, INS, OUTS, KEYS, HEIGHT, FEES, RATE, STAMP, UNSPENT, ACTIVE, NOTES,  # the chain
    INPUTS, OUTPUTS, PAID_IN, PAID_OUT, WEIGHT,  # the draft
    MINERS, EXCHANGES, SERVICES, COORDINATORS, ACTORS, PERSONS, ENTITIES,  # first entity of each kind, and their number
    CHAINS, CHAINS_LIVE, CAMPAIGNS, CAMPAIGNS_LIVE, CAMPAIGNS_MOST, HOPS_MOST, VICTIMS_MOST,
    NEXT_JOIN, JOIN_TURN, JOIN_FAILS, MIXES, BLOCK_WEIGHT, NEXT_CAMPAIGN,
) = range(37)  # fmt: skip
BAG_SIZES = 37  # and on: how much is in each of the bags

# rows of the bags: recent coins of persons by size, coins that wait in the pools of Whirlpool, lists of what is running
RICH, MIDDLE, PREMIX, POSTMIX, CHAINS_RUNNING, CAMPAIGNS_RUNNING = (np.int64(row) for row in (0, 1, 2, 6, 10, 11))
BAGS, BAG = 12, 4096
COUNTERS = BAG_SIZES + BAGS
RICH_LEAST, MIDDLE_LEAST = 12_000_000, 1_500_000  # satoshi

DRAFT_MOST = 2048  # inputs or outputs of one transaction


class State(NamedTuple):
    """All arrays of a story; see the record types."""

    counter: npt.NDArray[np.int64]
    tx: npt.NDArray[Any]
    inputs: npt.NDArray[np.int32]
    out: npt.NDArray[Any]
    key: npt.NDArray[Any]
    entity: npt.NDArray[Any]
    bag: npt.NDArray[np.int64]
    draft: npt.NDArray[Any]
    chain: npt.NDArray[Any]
    campaign: npt.NDArray[Any]
    note: npt.NDArray[Any]


def allocate(transactions: int, seed: int) -> State:
    """Arrays for `transactions` transactions; what is never written takes no memory."""
    outputs = 6 * transactions + 4 * DRAFT_MOST
    miners, coordinators = 12, 3
    exchanges = min(20, 4 + transactions // 100_000)
    services = min(200, 12 + transactions // 5_000)
    campaigns = 2 + transactions // 20_000
    persons = 200 + transactions // 6
    firsts = np.cumsum([0, miners, exchanges, services, coordinators, campaigns, persons])
    entities = int(firsts[-1])
    chains = 64 + transactions // 20
    state = State(
        counter=np.zeros(COUNTERS, np.int64),
        tx=np.zeros(transactions, TX),
        inputs=np.empty(outputs, np.int32),
        out=np.empty(outputs, OUT),
        key=np.empty(outputs, KEY),
        entity=np.zeros(entities, ENTITY),
        bag=np.empty((BAGS, BAG), np.int64),
        draft=np.zeros(DRAFT_MOST, DRAFT),
        chain=np.zeros(chains, CHAIN),
        campaign=np.zeros(campaigns, CAMPAIGN),
        note=np.zeros(transactions, NOTE),
    )
    state.counter[RANDOM] = np.uint64(seed).astype(np.int64)
    for kind, counter in zip(EntityKind, (MINERS, EXCHANGES, SERVICES, COORDINATORS, ACTORS, PERSONS), strict=True):
        state.counter[counter] = firsts[kind]
        state.entity["kind"][firsts[kind] : firsts[kind + 1]] = kind
    state.counter[ENTITIES] = entities
    state.counter[CAMPAIGNS_MOST] = campaigns
    state.counter[HOPS_MOST] = min(191, 8 + transactions // 100)
    state.counter[VICTIMS_MOST] = min(38, 2 + transactions // 1_000)
    for name in ("head", "tail", "address", "active", "deposit"):
        state.entity[name] = -1
    # block 0 is given: one coinbase, one output that nobody can spend
    state.counter[[TXS, OUTS, KEYS]] = 1
    state.tx[0]["chain"] = -1
    state.tx[0]["version"] = 1
    state.out[0] = (50 * 100_000_000, 0, -1, HELD, 0)
    state.key[0] = (0, ScriptType.GENESIS)
    return state
