"""Take transactions apart (twin of `compiled/decoding.py`).

Format: Bitcoin protocol; BIP 144 for the witness; LIP 3 and Litecoin Core's `primitives/transaction.h` for MWEB.
"""

from __future__ import annotations

import numpy as np

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
    raw_view,
)

_NO_OUTPUT = bytes(32) + b"\xff\xff\xff\xff"


class _Cursor:
    """A place in bytes that refuses to run past `limit`."""

    def __init__(self, raw: memoryview, place: int, limit: int) -> None:
        self.raw = raw
        self.place = place
        self.limit = limit

    def skip(self, size: int) -> int:
        here = self.place
        if here + size > self.limit:
            raise _FaultAt(here, TRUNCATED)
        self.place = here + size
        return here

    def count(self) -> int:
        here = self.skip(1)
        first = self.raw[here]
        if first < 0xFD:
            return first
        size = 2 << (first - 0xFD)
        if self.place + size > self.limit:
            raise _FaultAt(here, TRUNCATED)
        at = self.skip(size)
        number = int.from_bytes(self.raw[at : at + size], "little")
        if number < (0xFD, 0x10000, 0x100000000)[first - 0xFD] or number > self.limit - self.place:
            raise _FaultAt(here, BAD_COUNT)
        return number


class _FaultAt(Exception):
    def __init__(self, offset: int, code: int) -> None:
        self.offset = offset
        self.code = code


class _Columns:
    def __init__(self) -> None:
        self.start: list[int] = []
        self.end: list[int] = []
        self.witness: list[int] = []
        self.flags: list[int] = []
        self.first_input = [0]
        self.first_output = [0]
        self.outpoint: list[int] = []
        self.value: list[int] = []
        self.script_start: list[int] = []
        self.script_end: list[int] = []


def decode(data: Bytes, start: Offsets, count: Offsets, limit: Offsets, rules: Rules = BITCOIN) -> Decoded:
    """Take the transactions of b blocks apart.

    Args:
        data: uint8, any number of blocks' transactions.
        start: int64[b], where each block's first transaction begins.
        count: int64[b], how many transactions it has.
        limit: int64[b], one past the last byte that belongs to it.
        rules: What the network lets its transactions be.

    Raises:
        DecodeFault: Bytes that are no transaction.
    """
    raw = raw_view(data)
    columns = _Columns()
    block_end = np.zeros(len(start), np.int64)
    for block in range(len(start)):
        cursor = _Cursor(raw, int(start[block]), int(limit[block]))
        for transaction in range(int(count[block])):
            try:
                extended = _transaction(cursor, columns, rules, last=transaction + 1 == count[block])
                if extended and cursor.place < cursor.limit:
                    _extension(cursor)
            except _FaultAt as fault:
                raise DecodeFault(block, transaction, fault.offset, fault.code) from None
        block_end[block] = cursor.place
    return Decoded(
        start=np.array(columns.start, np.int64),
        end=np.array(columns.end, np.int64),
        witness=np.array(columns.witness, np.int64),
        flags=np.array(columns.flags, np.uint8),
        first_input=np.array(columns.first_input, np.int64),
        first_output=np.array(columns.first_output, np.int64),
        outpoint=np.array(columns.outpoint, np.int64),
        value=np.array(columns.value, np.uint64),
        script_start=np.array(columns.script_start, np.int64),
        script_end=np.array(columns.script_end, np.int64),
        block_end=block_end,
    )


def _extension(cursor: _Cursor) -> None:
    """Past a block's extension: the byte that says whether it is there, and all that is left."""
    here = cursor.skip(1)
    left = cursor.limit - cursor.place
    if cursor.raw[here] != (left > 0):
        raise _FaultAt(here, BAD_EXTENSION)
    cursor.skip(left)


def _marker(cursor: _Cursor, rules: Rules) -> int:
    """The flag byte of a transaction in the newer form, 0 for the old form."""
    raw, place = cursor.raw, cursor.place
    if place + 2 > cursor.limit or raw[place] != 0:
        return 0
    known = WITNESS_PART | MWEB_PART if rules.mweb else WITNESS_PART
    return raw[place + 1] if raw[place + 1] & ~known == 0 else 0


def _inputs(cursor: _Cursor, columns: _Columns, inputs: int) -> int:
    """Write the columns of a transaction's inputs; the least of their sequences."""
    least = 0xFFFFFFFF
    for _ in range(inputs):
        columns.outpoint.append(cursor.skip(36))
        cursor.skip(cursor.count())
        at = cursor.skip(4)
        least = min(least, int.from_bytes(cursor.raw[at : at + 4], "little"))
    return least


def _transaction(cursor: _Cursor, columns: _Columns, rules: Rules, *, last: bool) -> bool:
    """Write one transaction's columns; True when it has an MWEB part."""
    raw = cursor.raw
    begin = cursor.skip(4)
    parts = _marker(cursor, rules)
    if parts:
        cursor.skip(2)
    marked = bool(parts & WITNESS_PART)
    version = int.from_bytes(raw[begin : begin + 4], "little")
    flags = (SEGWIT if marked else 0) | (version << VERSION_SHIFT if version <= VERSION_MASK else 0)
    inputs = cursor.count()
    if inputs == 0:
        raise _FaultAt(begin, BAD_COUNT)
    first = cursor.place
    least = _inputs(cursor, columns, inputs)
    flags |= (REPLACEABLE if least < 0xFFFFFFFE else 0) | (FINAL if least == 0xFFFFFFFF else 0)
    if inputs == 1 and raw[first : first + 36].tobytes() == _NO_OUTPUT:
        flags = (flags | COINBASE) & ~REPLACEABLE
    outputs = cursor.count()
    if outputs == 0:
        raise _FaultAt(begin, BAD_COUNT)
    for _ in range(outputs):
        at = cursor.skip(8)
        value = int.from_bytes(raw[at : at + 8], "little")
        if value > rules.most:
            raise _FaultAt(at, BAD_VALUE)
        columns.value.append(value)
        size = cursor.count()
        at = cursor.skip(size)
        columns.script_start.append(at)
        columns.script_end.append(at + size)
    witness = cursor.place if parts else 0
    if marked:
        items = 0
        for _ in range(inputs):
            pieces = cursor.count()
            items += pieces
            for _ in range(pieces):
                cursor.skip(cursor.count())
        if items == 0:
            raise _FaultAt(witness, BAD_WITNESS)
    if parts & MWEB_PART:
        at = cursor.skip(1)
        if raw[at] or not last:
            raise _FaultAt(at, BAD_EXTENSION)
    at = cursor.skip(4)
    if any(raw[at : at + 4]):
        flags |= LOCKED
    columns.start.append(begin)
    columns.end.append(cursor.place)
    columns.witness.append(witness)
    columns.flags.append(flags)
    columns.first_input.append(columns.first_input[-1] + inputs)
    columns.first_output.append(columns.first_output[-1] + outputs)
    return bool(parts & MWEB_PART)
