"""Take transactions apart (twin of `plain/decoding.py`): one pass to count and check, one to fill."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import (
    BAD_COUNT,
    BAD_EXTENSION,
    BAD_VALUE,
    BAD_WITNESS,
    BITCOIN,
    COINBASE,
    FINAL,
    LOCKED,
    MWEB_PART,
    REPLACEABLE,
    SEGWIT,
    TRUNCATED,
    VERSION_MASK,
    VERSION_SHIFT,
    WITNESS_PART,
    Bytes,
    Decoded,
    DecodeFault,
    Offsets,
    Rules,
)


@njit(cache=True, nogil=True)
def _count(data: Any, at: Any, limit: Any) -> Any:
    """(number, next place); a negative next place is minus the fault."""
    if at >= limit:
        return 0, -TRUNCATED
    first = np.int64(data[at])
    if first < 0xFD:
        return first, at + 1
    size = 2 << (first - 0xFD)
    if at + 1 + size > limit:
        return 0, -TRUNCATED
    number = np.uint64(0)
    for k in range(size):
        number |= np.uint64(data[at + 1 + k]) << np.uint64(8 * k)
    least = np.uint64(0xFD) if first == 0xFD else np.uint64(0x10000) if first == 0xFE else np.uint64(0x100000000)
    if number < least or number > np.uint64(limit - at - 1 - size):
        return 0, -BAD_COUNT
    return np.int64(number), at + 1 + size


@njit(cache=True, nogil=True)
def _value(data: Any, at: Any) -> Any:
    value = np.uint64(0)
    for k in range(8):
        value |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return value


@njit(cache=True, nogil=True)
def _version(data: Any, at: Any) -> Any:
    """Bits of the version at that place; 0 for one that flags do not tell."""
    if data[at] > VERSION_MASK or data[at + 1] or data[at + 2] or data[at + 3]:
        return np.int64(0)
    return np.int64(data[at]) << VERSION_SHIFT


@njit(cache=True, nogil=True)
def _marker(data: Any, place: Any, end: Any, mweb: Any) -> Any:
    """The flag byte of a transaction in the newer form, 0 for the old form."""
    if place + 2 > end or data[place] != 0:
        return 0
    parts = np.int64(data[place + 1])
    if mweb:
        return parts if parts & ~(WITNESS_PART | MWEB_PART) == 0 else 0
    return parts if parts & ~WITNESS_PART == 0 else 0


@njit(cache=True, nogil=True)
def _survey(data: Any, start: Any, count: Any, limit: Any, most: Any, mweb: Any, totals: Any, fault: Any) -> None:
    """Check everything and count: totals = transactions, inputs, outputs; fault = block, transaction, offset, code."""
    for block in range(len(start)):
        place = start[block]
        end = limit[block]
        for transaction in range(count[block]):
            fault[0] = block
            fault[1] = transaction
            begin = place
            if place + 4 > end:
                fault[2], fault[3] = place, TRUNCATED
                return
            place += 4
            parts = _marker(data, place, end, mweb)
            marked = parts & WITNESS_PART
            if parts:
                place += 2
            at = place
            inputs, place = _count(data, at, end)
            if place < 0 or inputs == 0:
                fault[2], fault[3] = (at, -place) if place < 0 else (begin, BAD_COUNT)
                return
            for _ in range(inputs):
                if place + 36 > end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                at = place + 36
                size, place = _count(data, at, end)
                if place < 0:
                    fault[2], fault[3] = at, -place
                    return
                if place + size > end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                place += size
                if place + 4 > end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                place += 4
            at = place
            outputs, place = _count(data, at, end)
            if place < 0 or outputs == 0:
                fault[2], fault[3] = (at, -place) if place < 0 else (begin, BAD_COUNT)
                return
            for _ in range(outputs):
                if place + 8 > end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                if _value(data, place) > np.uint64(most):
                    fault[2], fault[3] = place, BAD_VALUE
                    return
                at = place + 8
                size, place = _count(data, at, end)
                if place < 0:
                    fault[2], fault[3] = at, -place
                    return
                if place + size > end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                place += size
            if marked:
                witness = place
                items = 0
                for _ in range(inputs):
                    at = place
                    pieces, place = _count(data, at, end)
                    if place < 0:
                        fault[2], fault[3] = at, -place
                        return
                    items += pieces
                    for _ in range(pieces):
                        at = place
                        size, place = _count(data, at, end)
                        if place < 0:
                            fault[2], fault[3] = at, -place
                            return
                        if place + size > end:
                            fault[2], fault[3] = place, TRUNCATED
                            return
                        place += size
                if items == 0:
                    fault[2], fault[3] = witness, BAD_WITNESS
                    return
            if parts & MWEB_PART:
                if place >= end:
                    fault[2], fault[3] = place, TRUNCATED
                    return
                if data[place] or transaction + 1 < count[block]:
                    fault[2], fault[3] = place, BAD_EXTENSION
                    return
                place += 1
            if place + 4 > end:
                fault[2], fault[3] = place, TRUNCATED
                return
            place += 4
            if parts & MWEB_PART and place < end and data[place] != (1 if end > place + 1 else 0):
                fault[2], fault[3] = place, BAD_EXTENSION
                return
            totals[0] += 1
            totals[1] += inputs
            totals[2] += outputs


@njit(cache=True, nogil=True)
def _fill(
    data: Any,
    start: Any,
    count: Any,
    limit: Any,
    mweb: Any,
    tx_start: Any,
    tx_end: Any,
    tx_witness: Any,
    flags: Any,
    first_input: Any,
    first_output: Any,
    outpoint: Any,
    value: Any,
    script_start: Any,
    script_end: Any,
    block_end: Any,
) -> None:
    """Write the columns of data that `_survey` has passed."""
    n = 0
    i = 0
    o = 0
    for block in range(len(start)):
        place = start[block]
        end = limit[block]
        parts = 0
        for _ in range(count[block]):
            tx_start[n] = place
            first_input[n] = i
            first_output[n] = o
            bits = FINAL | _version(data, place)
            place += 4
            parts = _marker(data, place, end, mweb)
            marked = parts & WITNESS_PART
            if marked:
                bits |= SEGWIT
            if parts:
                place += 2
            inputs, place = _count(data, place, end)
            for _ in range(inputs):
                outpoint[i] = place
                i += 1
                size, place = _count(data, place + 36, end)
                place += size
                high = data[place + 1] == 0xFF and data[place + 2] == 0xFF and data[place + 3] == 0xFF
                if not high or data[place] < 0xFE:
                    bits |= REPLACEABLE
                if not high or data[place] < 0xFF:
                    bits &= ~FINAL
                place += 4
            if inputs == 1:
                at = outpoint[i - 1]
                coinbase = True
                for k in range(36):
                    if data[at + k] != (0 if k < 32 else 0xFF):
                        coinbase = False
                        break
                if coinbase:
                    bits = (bits | COINBASE) & ~REPLACEABLE
            outputs, place = _count(data, place, end)
            for _ in range(outputs):
                value[o] = _value(data, place)
                size, place = _count(data, place + 8, end)
                script_start[o] = place
                place += size
                script_end[o] = place
                o += 1
            tx_witness[n] = place if parts else 0
            if marked:
                for _ in range(inputs):
                    pieces, place = _count(data, place, end)
                    for _ in range(pieces):
                        size, place = _count(data, place, end)
                        place += size
            place += 5 if parts & MWEB_PART else 4
            if data[place - 4] or data[place - 3] or data[place - 2] or data[place - 1]:
                bits |= LOCKED
            tx_end[n] = place
            flags[n] = bits
            n += 1
        block_end[block] = end if parts & MWEB_PART else place
    first_input[n] = i
    first_output[n] = o


def decode(data: Bytes, start: Offsets, count: Offsets, limit: Offsets, rules: Rules = BITCOIN) -> Decoded:
    """Take the transactions of b blocks apart; arguments and errors as in `plain.decoding.decode`."""
    totals = np.zeros(3, np.int64)
    fault = np.zeros(4, np.int64)
    _survey(data, start, count, limit, rules.most, rules.mweb, totals, fault)
    if fault[3]:
        raise DecodeFault(int(fault[0]), int(fault[1]), int(fault[2]), int(fault[3]))
    n, i, o = (int(total) for total in totals)
    decoded = Decoded(
        start=np.empty(n, np.int64),
        end=np.empty(n, np.int64),
        witness=np.empty(n, np.int64),
        flags=np.empty(n, np.uint8),
        first_input=np.empty(n + 1, np.int64),
        first_output=np.empty(n + 1, np.int64),
        outpoint=np.empty(i, np.int64),
        value=np.empty(o, np.uint64),
        script_start=np.empty(o, np.int64),
        script_end=np.empty(o, np.int64),
        block_end=np.empty(len(start), np.int64),
    )
    _fill(
        data, start, count, limit, rules.mweb,
        decoded.start, decoded.end, decoded.witness, decoded.flags, decoded.first_input, decoded.first_output,
        decoded.outpoint, decoded.value, decoded.script_start, decoded.script_end, decoded.block_end,
    )  # fmt: skip
    return decoded
