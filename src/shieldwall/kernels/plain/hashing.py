"""Transaction ids: double SHA-256 of the transaction without its witness (BIP 141)."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from shieldwall.kernels.arrays import Bytes, Decoded, raw_view


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
