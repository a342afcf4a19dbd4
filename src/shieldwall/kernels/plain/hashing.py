"""Transaction ids (double SHA-256 of the transaction without its witness, BIP 141) and merkle roots."""

from __future__ import annotations

import itertools
from hashlib import sha256

import numpy as np

from shieldwall.kernels.arrays import Bytes, Decoded, Offsets, raw_view


def txids(data: Bytes, decoded: Decoded) -> Bytes:
    """uint8[n, 32]: the txid of each transaction, in internal byte order."""
    raw = raw_view(data)
    digests = bytearray(32 * len(decoded.start))
    rows = zip(decoded.start.tolist(), decoded.end.tolist(), decoded.witness.tolist(), strict=True)
    for number, (start, end, witness) in enumerate(rows):
        inner = sha256(raw[start : start + 4]) if witness else sha256(raw[start:end])
        if witness:  # leave out the two bytes of marker and flag, and everything from the witness to the lock time
            inner.update(raw[start + 6 : witness])
            inner.update(raw[end - 4 : end])
        digests[32 * number : 32 * number + 32] = sha256(inner.digest()).digest()
    return np.frombuffer(bytes(digests), np.uint8).reshape(-1, 32)


def merkle_roots(txids: Bytes, first: Offsets) -> Bytes:
    """uint8[b, 32]: the merkle root of each of b blocks.

    Args:
        txids: uint8[n, 32], in block order.
        first: int64[b + 1], number of each block's first transaction; the last entry is n. No block is empty.
    """
    raw = np.ascontiguousarray(txids).tobytes()
    roots = bytearray()
    edges = first.tolist()
    for begin, end in itertools.pairwise(edges):
        level = [raw[32 * row : 32 * row + 32] for row in range(begin, end)]
        while len(level) > 1:
            if len(level) % 2:
                level.append(level[-1])
            pairs = (level[k] + level[k + 1] for k in range(0, len(level), 2))
            level = [sha256(sha256(pair).digest()).digest() for pair in pairs]
        roots += level[0]
    return np.frombuffer(bytes(roots), np.uint8).reshape(-1, 32)
