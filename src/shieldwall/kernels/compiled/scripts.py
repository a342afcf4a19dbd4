"""Sort locking scripts into kinds and find their payloads (twin of `plain/scripts.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import Bytes, Offsets
from shieldwall.kernels.plain.scripts import (
    MULTISIG,
    OP_RETURN,
    OTHER,
    P2PK,
    P2PKH,
    P2SH,
    P2TR,
    P2WPKH,
    P2WSH,
    WITNESS,
)


@njit(cache=True, nogil=True)
def _is_multisig(data: Any, a: Any, b: Any) -> Any:
    if b - a < 37 or data[b - 1] != 0xAE:
        return False
    needed = np.int64(data[a]) - 0x50
    keys = np.int64(data[b - 2]) - 0x50
    if needed < 1 or needed > keys or keys > 16:
        return False
    place = a + 1
    for _ in range(keys):
        if place >= b - 2 or (data[place] != 33 and data[place] != 65):
            return False
        place += 1 + np.int64(data[place])
    return place == b - 2


@njit(cache=True, nogil=True)
def _classify(data: Any, first: Any, last: Any, kinds: Any) -> None:
    for number in range(len(first)):
        a = first[number]
        b = last[number]
        size = b - a
        kind = OTHER
        skip = 0
        drop = 0
        op = np.int64(data[a]) if size > 0 else -1
        if op == 0x6A:
            kind = OP_RETURN
        elif (
            size == 25 and op == 0x76 and data[a + 1] == 0xA9 and data[a + 2] == 0x14
            and data[a + 23] == 0x88 and data[a + 24] == 0xAC
        ):  # fmt: skip
            kind, skip, drop = P2PKH, 3, 2
        elif size == 23 and op == 0xA9 and data[a + 1] == 0x14 and data[a + 22] == 0x87:
            kind, skip, drop = P2SH, 2, 1
        elif 4 <= size <= 42 and (op == 0 or 0x51 <= op <= 0x60) and data[a + 1] == size - 2:
            if op == 0 and size == 22:
                kind, skip = P2WPKH, 2
            elif op == 0 and size == 34:
                kind, skip = P2WSH, 2
            elif op == 0x51 and size == 34:
                kind, skip = P2TR, 2
            elif op != 0:
                kind = WITNESS
        elif size == 35 and op == 33 and (data[a + 1] == 2 or data[a + 1] == 3) and data[a + 34] == 0xAC:
            kind, skip, drop = P2PK, 1, 1
        elif (
            size == 67 and op == 65 and (data[a + 1] == 4 or data[a + 1] == 6 or data[a + 1] == 7)
            and data[a + 66] == 0xAC
        ):  # fmt: skip
            kind, skip, drop = P2PK, 1, 1
        elif _is_multisig(data, a, b):
            kind = MULTISIG
        kinds[number] = kind
        first[number] = a + skip
        last[number] = b - drop


def classify(data: Bytes, start: Offsets, end: Offsets) -> tuple[Bytes, Offsets, Offsets]:
    """Kinds and payload places of scripts; arguments and result as in `plain.scripts.classify`."""
    kinds = np.zeros(len(start), np.uint8)
    first = np.array(start, np.int64)
    last = np.array(end, np.int64)
    _classify(data, first, last, kinds)
    return kinds, first, last
