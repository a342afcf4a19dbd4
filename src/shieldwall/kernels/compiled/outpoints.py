"""Resolve inputs (twin of `plain/outpoints.py`): open addressing with deletion, one cache line of memory a probe.

A key is the first 16 bytes of the txid, the index mixed into the first word. 128 bits of a double SHA-256 do not meet
by chance, and meeting by design costs 2^64 work; `chain verify` would still find it. A slot's place is the top of the
key, so that a table that grows is copied from front to back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import NONE32, NONE64, Bytes, Counts32, Numbers, Offsets

_LEAST_BITS = 12  # of a slot's place
_TOGETHER = 32  # transactions whose slots are fetched together
_HIGH, _LOW, _NUMBER, _HOLDER = 0, 1, 2, 3  # the four words of a slot


@njit(cache=True, nogil=True, inline="always")
def _word(data: Any, at: Any) -> Any:
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word


@njit(cache=True, nogil=True, inline="always")
def _spread(index: Any) -> Any:
    return (np.uint64(index) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def _insert(table: Any, shift: Any, k0: Any, k1: Any, number: Any, holder: Any) -> Any:
    """The number that was there before, NONE64 for none."""
    mask = np.uint64(len(table) - 1)
    slot = k0 >> shift
    before = np.uint64(NONE64)
    while table[slot, _NUMBER] != NONE64:
        if table[slot, _HIGH] == k0 and table[slot, _LOW] == k1:
            before = table[slot, _NUMBER]
            break
        slot = (slot + np.uint64(1)) & mask
    table[slot, _HIGH] = k0
    table[slot, _LOW] = k1
    table[slot, _NUMBER] = number
    table[slot, _HOLDER] = holder
    return before


@njit(cache=True, nogil=True)
def _find(table: Any, shift: Any, k0: Any, k1: Any) -> Any:
    """The slot of a key; one without a number when it is not there."""
    mask = np.uint64(len(table) - 1)
    slot = k0 >> shift
    while table[slot, _NUMBER] != NONE64:
        if table[slot, _HIGH] == k0 and table[slot, _LOW] == k1:
            break
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(cache=True, nogil=True)
def _clear(table: Any, shift: Any, hole: Any) -> None:
    """Empty a slot, closing the gap behind it, so that no tombstones pile up."""
    mask = np.uint64(len(table) - 1)
    one = np.uint64(1)
    slot = (hole + one) & mask
    while table[slot, _NUMBER] != NONE64:
        home = table[slot, _HIGH] >> shift
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            for k in range(4):
                table[hole, k] = table[slot, k]
            hole = slot
        slot = (slot + one) & mask
    table[hole, _NUMBER] = np.uint64(NONE64)


@njit(cache=True, nogil=True)
def _rehash(old: Any, new: Any, shift: Any) -> None:
    for slot in range(len(old)):
        if old[slot, _NUMBER] != NONE64:
            _insert(new, shift, old[slot, _HIGH], old[slot, _LOW], old[slot, _NUMBER], old[slot, _HOLDER])


@njit(cache=True, nogil=True)
def _add(table: Any, shift: Any, txid: Any, index: Any, output: Any, holder: Any) -> None:
    for row in range(len(output)):
        k0 = _word(txid[row], 0) ^ _spread(index[row])
        _insert(table, shift, k0, _word(txid[row], 8), output[row], holder[row])


@njit(cache=True, nogil=True)
def _fetch(
    data: Any,
    outpoint: Any,
    first_input: Any,
    first_output: Any,
    txid: Any,
    begin: Any,
    end: Any,
    table: Any,
    shift: Any,
) -> Any:
    """Touch the slots of some transactions' inputs and outputs: loads that do not wait for one another go side by side.

    The caller must keep the answer somewhere, or the compiler leaves the loads out.
    """
    touched = np.uint64(0)
    for i in range(first_input[begin], first_input[end]):
        at = outpoint[i]
        index = (
            np.int64(data[at + 32]) | np.int64(data[at + 33]) << 8
            | np.int64(data[at + 34]) << 16 | np.int64(data[at + 35]) << 24
        )  # fmt: skip
        touched ^= table[(_word(data, at) ^ _spread(index)) >> shift, _NUMBER]
    for n in range(begin, end):
        k0 = _word(txid[n], 0)
        for o in range(first_output[n + 1] - first_output[n]):
            touched ^= table[(k0 ^ _spread(o)) >> shift, _NUMBER]
    return touched


@njit(cache=True, nogil=True)
def _resolve(
    data: Any,
    outpoint: Any,
    first_input: Any,
    first_output: Any,
    txid: Any,
    spendable: Any,
    holder: Any,
    base: Any,
    table: Any,
    shift: Any,
    spent: Any,
    spent_holder: Any,
    overwritten: Any,
) -> Any:
    removed = 0
    lost = 0
    touched = np.uint64(0)
    for n in range(len(txid)):
        if n % _TOGETHER == 0:
            last = min(n + _TOGETHER, len(txid))
            touched ^= _fetch(data, outpoint, first_input, first_output, txid, n, last, table, shift)
        for i in range(first_input[n], first_input[n + 1]):
            at = outpoint[i]
            index = (
                np.int64(data[at + 32]) | np.int64(data[at + 33]) << 8
                | np.int64(data[at + 34]) << 16 | np.int64(data[at + 35]) << 24
            )  # fmt: skip
            slot = _find(table, shift, _word(data, at) ^ _spread(index), _word(data, at + 8))
            found = table[slot, _NUMBER]
            spent[i] = found
            spent_holder[i] = NONE32
            if found != NONE64:
                spent_holder[i] = table[slot, _HOLDER]
                _clear(table, shift, slot)
                removed += 1
        k0 = _word(txid[n], 0)
        k1 = _word(txid[n], 8)
        first = first_output[n]
        for o in range(first, first_output[n + 1]):
            if spendable[o]:
                before = _insert(table, shift, k0 ^ _spread(o - first), k1, np.uint64(base + o), np.uint64(holder[o]))
                if before != NONE64:
                    overwritten[lost] = before
                    lost += 1
    return removed, lost, touched


def _table(slots: int) -> Numbers:
    """uint64[slots, 4], empty; begins at a cache line, so that no slot lies across two."""
    room = np.empty(slots * 4 + 8, np.uint64)
    skip = (-room.ctypes.data % 64) // 8
    table = room[skip : skip + slots * 4].reshape(slots, 4)
    table[:, _NUMBER] = NONE64
    return table


class LiveOutputs:
    """Outputs by txid and index that no input has spent yet; methods as in `plain.outpoints.LiveOutputs`."""

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_LEAST_BITS)

    def _allocate(self, bits: int) -> None:
        self._slots = _table(1 << bits)
        self._shift = np.uint64(64 - bits)

    def _make_room(self, more: int) -> None:
        if len(self._slots) < (self._count + more) * 3 // 2:
            old = self._slots
            self._allocate((2 * (self._count + more)).bit_length())
            _rehash(old, self._slots, self._shift)

    def add(self, txid: Bytes, index: Numbers, output: Numbers, holder: Counts32) -> None:
        """Add outputs that were live before; arguments as in `plain.outpoints.LiveOutputs.add`."""
        self._make_room(len(output))
        _add(self._slots, self._shift, txid, index, output, holder)
        self._count += len(output)

    def resolve(
        self,
        data: Bytes,
        outpoint: Offsets,
        first_input: Offsets,
        first_output: Offsets,
        txid: Bytes,
        spendable: Bytes,
        holder: Counts32,
        base: int,
    ) -> tuple[Numbers, Counts32, Numbers]:
        """Take the transactions in order; arguments and result as in `plain.outpoints.LiveOutputs.resolve`."""
        added = int(np.count_nonzero(spendable))
        self._make_room(added)
        spent = np.empty(len(outpoint), np.uint64)
        spent_holder = np.empty(len(outpoint), np.uint32)
        overwritten = np.empty(added, np.uint64)
        removed, lost, _ = _resolve(
            data, outpoint, first_input, first_output, txid, spendable, holder, base,
            self._slots, self._shift, spent, spent_holder, overwritten,
        )  # fmt: skip
        self._count += added - int(removed) - int(lost)
        return spent, spent_holder, overwritten[: int(lost)].copy()
