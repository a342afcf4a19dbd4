"""The numbers of `kinds` for compiled code: as 64-bit integers, since a function is compiled anew for each plain constant."""

from __future__ import annotations

import numpy as np

from simulator import kinds

(
    COINBASE, PAYMENT, MOVE, CONSOLIDATION, DEPOSIT, SWEEP, BATCH, WITHDRAWAL, POOL_PAYOUT, PEEL, RANSOM_PAYMENT,
    RANSOM_COLLECTION, COINJOIN, TX0, EQUAL_BATCH, STONEWALL, POOL_SEED,
) = (np.int64(kind) for kind in kinds.TransactionKind)  # fmt: skip
NO_JOIN, WHIRLPOOL, WHIRLPOOL_TX0, WASABI_1_0, WASABI_1_1, WABISABI, JOINMARKET, GENERIC, PAYJOIN = (
    np.int64(kind) for kind in kinds.JoinKind
)
P2PK, P2PKH, P2SH, P2WPKH, P2WSH, P2TR, DATA, GENESIS = (np.int64(kind) for kind in kinds.ScriptType)
FIRST, LAST, RANDOM, BY_AMOUNT = (np.int64(place) for place in kinds.ChangeAt)
OLD, VERSION_2 = np.int64(0), np.int64(kinds.VERSION_2)  # fingerprints of coordinators

PAID, CHANGE, HOLD = np.int64(0), np.int64(1), np.int64(2)  # bits that say what an output of a draft is
NO, YES = np.int64(0), np.int64(1)
NONE = np.int64(-1)  # no such number
NOTHING, EVERYTHING = np.int64(0), np.int64(1 << 60)  # satoshi
