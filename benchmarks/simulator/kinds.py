"""The numbers with a meaning in a simulated chain and in its truth files."""

from __future__ import annotations

from enum import IntEnum


class TransactionKind(IntEnum):
    """Why a transaction was made (`truth/tx_kind.npy`)."""

    COINBASE = 0
    PAYMENT = 1  # a wallet pays one or several
    MOVE = 2  # a wallet sends all it gathered to one payee, without change
    CONSOLIDATION = 3  # many coins of one holder become one
    DEPOSIT = 4  # a wallet pays to its own deposit address at an exchange
    SWEEP = 5  # an exchange collects what lies on deposit addresses
    BATCH = 6  # an exchange pays many at once
    WITHDRAWAL = 7  # an exchange pays one
    POOL_PAYOUT = 8  # a mining pool pays those who mined
    PEEL = 9  # one hop of a peel chain
    RANSOM_PAYMENT = 10
    RANSOM_COLLECTION = 11
    COINJOIN = 12
    TX0 = 13  # prepares coins for a Whirlpool mix; its sender is alone
    EQUAL_BATCH = 14  # looks like a CoinJoin and is none: one exchange pays equal amounts from many inputs
    STONEWALL = 15  # looks like a CoinJoin and is none: one wallet pays itself a decoy of the paid amount
    POOL_SEED = 16  # a miner sells a coordinator the first coins of a Whirlpool pool


class JoinKind(IntEnum):
    """Which protocol joined the coins of several holders (`truth/coinjoin_kind.npy`)."""

    NONE = 0
    WHIRLPOOL = 1
    WHIRLPOOL_TX0 = 2  # preparation; no CoinJoin itself
    WASABI_1_0 = 3
    WASABI_1_1 = 4
    WABISABI = 5  # Wasabi 2.0
    JOINMARKET = 6
    GENERIC = 7  # equal amounts and one change each, of no named program
    PAYJOIN = 8  # payer and payee both bring coins


class EntityKind(IntEnum):
    """What an owner is (`truth/entity_kind.npy`)."""

    MINER = 0
    EXCHANGE = 1
    SERVICE = 2
    COORDINATOR = 3  # of CoinJoins
    RANSOM_ACTOR = 4
    PERSON = 5


class ScriptType(IntEnum):
    """Locking scripts of the simulator."""

    P2PK = 0  # compressed key
    P2PKH = 1
    P2SH = 2  # spent as nested P2WPKH
    P2WPKH = 3
    P2WSH = 4  # spent as 2 of 3
    P2TR = 5
    DATA = 6  # OP_RETURN with 32 bytes
    GENESIS = 7  # the one output of block 0


TYPE_NAMES = {
    ScriptType.P2PK: "pubkey",
    ScriptType.P2PKH: "pubkeyhash",
    ScriptType.P2SH: "scripthash",
    ScriptType.P2WPKH: "witness_v0_keyhash",
    ScriptType.P2WSH: "witness_v0_scripthash",
    ScriptType.P2TR: "witness_v1_taproot",
    ScriptType.DATA: "nulldata",
    ScriptType.GENESIS: "pubkey",
}
"""Bitcoin Core's names of scripts (`script/solver.cpp`)."""


class ChangeAt(IntEnum):
    """Where a wallet puts its change (two bits of its fingerprint)."""

    FIRST = 0
    LAST = 1
    RANDOM = 2
    BY_AMOUNT = 3  # outputs stand in the order of their amounts


# bits of a wallet's fingerprint (`truth/entity_fingerprint.npy`, `truth/tx_fingerprint.npy`)
VERSION_2 = 1
LOCKTIME = 2  # locktime is the height of the block before
REPLACEABLE = 4  # BIP 125
CHANGE_SHIFT = 3  # two bits: ChangeAt
TYPE_SHIFT = 5  # three bits: ScriptType of its addresses
CHANGE_REUSE = 256  # change goes back to the address of the first input
ROUND = 512  # likes round amounts
