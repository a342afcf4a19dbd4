"""Resolve inputs (twin of `plain/outpoints.py`): open addressing with deletion, 24 bytes a slot.

A key is the first 16 bytes of the txid, the index mixed into the first word. 128 bits of a double SHA-256 do not meet
by chance, and meeting by design costs 2^64 work; `chain verify` would still find it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import NONE64, Bytes, Numbers, Offsets

_LEAST_SLOTS = 1 << 12


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
def _insert(high: Any, low: Any, number: Any, k0: Any, k1: Any, value: Any) -> Any:
    """The value that was there before, NONE64 for none."""
    mask = np.uint64(len(number) - 1)
    slot = k0 & mask
    while number[slot] != NONE64:
        if high[slot] == k0 and low[slot] == k1:
            before = number[slot]
            number[slot] = value
            return before
        slot = (slot + np.uint64(1)) & mask
    high[slot] = k0
    low[slot] = k1
    number[slot] = value
    return np.uint64(NONE64)


@njit(cache=True, nogil=True)
def _remove(high: Any, low: Any, number: Any, k0: Any, k1: Any) -> Any:
    """Take a key out, closing the gap behind it, so that no tombstones pile up; NONE64 when it is not there."""
    mask = np.uint64(len(number) - 1)
    one = np.uint64(1)
    slot = k0 & mask
    while number[slot] != NONE64:
        if high[slot] == k0 and low[slot] == k1:
            break
        slot = (slot + one) & mask
    found = number[slot]
    if found == NONE64:
        return found
    hole = slot
    slot = (slot + one) & mask
    while number[slot] != NONE64:
        home = high[slot] & mask
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            high[hole] = high[slot]
            low[hole] = low[slot]
            number[hole] = number[slot]
            hole = slot
        slot = (slot + one) & mask
    number[hole] = np.uint64(NONE64)
    return found


@njit(cache=True, nogil=True)
def _rehash(high: Any, low: Any, number: Any, new_high: Any, new_low: Any, new_number: Any) -> None:
    for slot in range(len(number)):
        if number[slot] != NONE64:
            _insert(new_high, new_low, new_number, high[slot], low[slot], number[slot])


@njit(cache=True, nogil=True)
def _add(high: Any, low: Any, number: Any, txid: Any, index: Any, output: Any) -> None:
    for row in range(len(output)):
        k0 = _word(txid[row], 0) ^ _spread(index[row])
        _insert(high, low, number, k0, _word(txid[row], 8), output[row])


@njit(cache=True, nogil=True)
def _resolve(
    data: Any,
    outpoint: Any,
    first_input: Any,
    first_output: Any,
    txid: Any,
    spendable: Any,
    base: Any,
    high: Any,
    low: Any,
    number: Any,
    spent: Any,
    overwritten: Any,
) -> Any:
    removed = 0
    lost = 0
    for n in range(len(txid)):
        for i in range(first_input[n], first_input[n + 1]):
            at = outpoint[i]
            index = (
                np.int64(data[at + 32]) | np.int64(data[at + 33]) << 8
                | np.int64(data[at + 34]) << 16 | np.int64(data[at + 35]) << 24
            )  # fmt: skip
            found = _remove(high, low, number, _word(data, at) ^ _spread(index), _word(data, at + 8))
            spent[i] = found
            if found != NONE64:
                removed += 1
        k0 = _word(txid[n], 0)
        k1 = _word(txid[n], 8)
        first = first_output[n]
        for o in range(first, first_output[n + 1]):
            if spendable[o]:
                before = _insert(high, low, number, k0 ^ _spread(o - first), k1, np.uint64(base + o))
                if before != NONE64:
                    overwritten[lost] = before
                    lost += 1
    return removed, lost


class LiveOutputs:
    """Outputs by txid and index that no input has spent yet; methods as in `plain.outpoints.LiveOutputs`."""

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_LEAST_SLOTS)

    def _allocate(self, slots: int) -> None:
        self._high = np.empty(slots, np.uint64)
        self._low = np.empty(slots, np.uint64)
        self._number = np.full(slots, NONE64, np.uint64)

    def _make_room(self, more: int) -> None:
        slots = len(self._number)
        while slots < (self._count + more) * 3 // 2:
            slots *= 2
        if slots > len(self._number):
            high, low, number = self._high, self._low, self._number
            self._allocate(slots)
            _rehash(high, low, number, self._high, self._low, self._number)

    def add(self, txid: Bytes, index: Numbers, output: Numbers) -> None:
        """Add outputs that were live before; arguments as in `plain.outpoints.LiveOutputs.add`."""
        self._make_room(len(output))
        _add(self._high, self._low, self._number, txid, index, output)
        self._count += len(output)

    def resolve(
        self,
        data: Bytes,
        outpoint: Offsets,
        first_input: Offsets,
        first_output: Offsets,
        txid: Bytes,
        spendable: Bytes,
        base: int,
    ) -> tuple[Numbers, Numbers]:
        """Take the transactions in order; arguments and result as in `plain.outpoints.LiveOutputs.resolve`."""
        added = int(np.count_nonzero(spendable))
        self._make_room(added)
        spent = np.empty(len(outpoint), np.uint64)
        overwritten = np.empty(added, np.uint64)
        removed, lost = _resolve(
            data, outpoint, first_input, first_output, txid, spendable, base,
            self._high, self._low, self._number, spent, overwritten,
        )  # fmt: skip
        self._count += added - int(removed) - int(lost)
        return spent, overwritten[: int(lost)].copy()
