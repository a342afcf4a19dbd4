"""The sequence of a coinbase's input, which the data set does not have: found by the transaction's hash or the merkle root.

Nothing binds a coinbase's sequence, so that the usual ones are tried. The column `hash` settles it where it is the txid of
one of them, or its wtxid with the reserved value that every miner uses (32 zero bytes, BIP 141); else the root decides.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from shieldwall.chain.proof import merkle_root, sha256d
from shieldwall.kernels.arrays import Bytes

SEQUENCES = (0xFFFFFFFF, 0x00000000, 0xFFFFFFFE, 0xFFFFFFFD, 0x00000001)
"""Tried in this order: nearly all coinbases, then what miners set by mistake or for a lock time."""

_BEFORE_SCRIPT = 4 + 1 + 36  # bytes: version, number of inputs, outpoint
_RESERVED = b"\x01\x20" + bytes(32)  # the witness of a coinbase: one item, 32 zero bytes


class Coinbase(Enum):
    """By what a coinbase's sequence was found, in words for a person."""

    TXID = "the column hash is their txid"
    WTXID = "the column hash is their wtxid"
    ROOT = "the column hash is neither their txid nor their wtxid; the merkle root settled their sequence"
    GUESS = "nothing settles their sequence; 0xffffffff was taken, and their txids are not proven"


def candidates(raw: bytes, script: bytes) -> list[bytes]:
    """A coinbase with each sequence that is tried; `raw` has any."""
    place = _BEFORE_SCRIPT + 1 + len(script)  # a coinbase's script has at most 100 bytes: a count of one byte
    return [raw[:place] + sequence.to_bytes(4, "little") + raw[place + 4 :] for sequence in SEQUENCES]


def by_hash(tried: list[bytes], named: bytes) -> tuple[bytes, Coinbase] | None:
    """The candidate that hashes to `named` (internal), without or with a coinbase's usual witness; None: none does."""
    for raw in tried:
        if sha256d(raw) == named:
            return raw, Coinbase.TXID
    for raw in tried:
        if sha256d(raw[:4] + b"\0\x01" + raw[4:-4] + _RESERVED + raw[-4:]) == named:
            return raw, Coinbase.WTXID
    return None


def by_root(tried: list[bytes], others: Bytes, root: bytes) -> tuple[bytes, Coinbase] | None:
    """The candidate that, with uint8[n, 32] of the other txids in order, makes the merkle root; None: none does."""
    fits = (raw for raw in tried if root_with(sha256d(raw), others) == root)
    raw = next(fits, None)
    return None if raw is None else (raw, Coinbase.ROOT)


def root_with(first: bytes, rest: Bytes) -> bytes:
    """The merkle root over a first txid and uint8[n, 32] others."""
    return merkle_root(np.concatenate((np.frombuffer(first, np.uint8).reshape(1, 32), rest)))
