"""Sort locking scripts into kinds and find their payloads (twin of `compiled/scripts.py`).

The kinds and payloads are those of `shieldwall.model.script`, whose numbers stand in the chain store; kernels know
nothing of the domain, so the templates stand here again, and a test holds all three to each other.
"""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import Bytes, Offsets, raw_view

OTHER, P2PK, P2PKH, P2SH, MULTISIG, P2WPKH, P2WSH, P2TR, WITNESS, OP_RETURN = range(10)


def classify(data: Bytes, start: Offsets, end: Offsets) -> tuple[Bytes, Offsets, Offsets]:
    """Kinds and payload places of o scripts.

    Args:
        data: uint8, where the scripts stand.
        start: int64[o], first byte of each.
        end: int64[o], one past its last.

    Returns:
        uint8[o] kinds, int64[o] first byte of each payload, int64[o] one past its last.
    """
    raw = raw_view(data)
    kinds = np.zeros(len(start), np.uint8)
    first = np.array(start, np.int64)
    last = np.array(end, np.int64)
    for number, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        kind, skip, drop = _classify(raw[a:b].tobytes())
        kinds[number] = kind
        first[number] = a + skip
        last[number] = b - drop
    return kinds, first, last


def _classify(script: bytes) -> tuple[int, int, int]:
    """(kind, bytes before the payload, bytes after it)."""
    size = len(script)
    if size and script[0] == 0x6A:
        return OP_RETURN, 0, 0
    if size == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return P2PKH, 3, 2
    if size == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return P2SH, 2, 1
    if 4 <= size <= 42 and (script[0] == 0 or 0x51 <= script[0] <= 0x60) and script[1] == size - 2:
        if script[0] == 0 and size in (22, 34):
            return (P2WPKH if size == 22 else P2WSH), 2, 0
        if script[0] == 0x51 and size == 34:
            return P2TR, 2, 0
        return (WITNESS if script[0] else OTHER), 0, 0
    if size == 35 and script[0] == 33 and script[1] in (2, 3) and script[34] == 0xAC:
        return P2PK, 1, 1
    if size == 67 and script[0] == 65 and script[1] in (4, 6, 7) and script[66] == 0xAC:
        return P2PK, 1, 1
    return (MULTISIG if _is_multisig(script) else OTHER), 0, 0


def _is_multisig(script: bytes) -> bool:
    size = len(script)
    if size < 37 or script[size - 1] != 0xAE:
        return False
    needed, keys = script[0] - 0x50, script[size - 2] - 0x50
    if not 1 <= needed <= keys <= 16:
        return False
    place = 1
    for _ in range(keys):
        if place >= size - 2 or script[place] not in (33, 65):
            return False
        place += 1 + script[place]
    return place == size - 2
