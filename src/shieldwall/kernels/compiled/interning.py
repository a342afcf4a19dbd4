"""Give every holder a number (twin of `plain/interning.py`): open addressing over 64-bit mixes, payloads compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets

_LEAST_SLOTS = 1 << 12


@njit(cache=True, nogil=True)
def _mix(data: Any, start: Any, end: Any, kind: Any) -> Any:
    """A 64-bit mix of kind and payload (the finaliser of splitmix64 over 8-byte words)."""
    state = np.uint64(kind) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(end - start + 1)
    place = start
    while place < end:
        word = np.uint64(0)
        stop = min(place + 8, end)
        for k in range(stop - place):
            word |= np.uint64(data[place + k]) << np.uint64(8 * k)
        state ^= word
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
        place = stop
    return state


@njit(cache=True, nogil=True)
def _insert_known(slots: Any, mixes: Any, count: Any) -> None:
    mask = np.uint64(len(slots) - 1)
    for number in range(count):
        slot = mixes[number] & mask
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number + 1


@njit(cache=True, nogil=True)
def _mix_known(kinds: Any, ends: Any, payload: Any, mixes: Any) -> None:
    place: Any = 0
    for number in range(len(kinds)):
        end = np.int64(ends[number])
        mixes[number] = _mix(payload, place, end, kinds[number])
        place = end


@njit(cache=True, nogil=True)
def _intern(
    data: Any,
    kinds: Any,
    start: Any,
    end: Any,
    slots: Any,
    mixes: Any,
    known_kinds: Any,
    known_ends: Any,
    payload: Any,
    count: Any,
    numbers: Any,
) -> Any:
    mask = np.uint64(len(slots) - 1)
    for row in range(len(kinds)):
        a = start[row]
        b = end[row]
        mix = _mix(data, a, b, kinds[row])
        slot = mix & mask
        found: Any = -1
        while slots[slot] != 0:
            number = np.int64(slots[slot]) - 1
            if mixes[number] == mix and known_kinds[number] == kinds[row]:
                first = np.int64(known_ends[number - 1]) if number > 0 else 0
                if np.int64(known_ends[number]) - first == b - a:
                    same = True
                    for k in range(b - a):
                        if payload[first + k] != data[a + k]:
                            same = False
                            break
                    if same:
                        found = number
                        break
            slot = (slot + np.uint64(1)) & mask
        if found < 0:
            found = count
            slots[slot] = count + 1
            mixes[count] = mix
            known_kinds[count] = kinds[row]
            first = np.int64(known_ends[count - 1]) if count > 0 else 0
            for k in range(b - a):
                payload[first + k] = data[a + k]
            known_ends[count] = first + b - a
            count += 1
        numbers[row] = found
    return count


def _grown(array: Any, size: int) -> Any:
    if size <= len(array):
        return array
    larger = np.empty(max(size, len(array) * 3 // 2), array.dtype)
    larger[: len(array)] = array
    return larger


class Interner:
    """The holders seen so far; arguments and methods as in `plain.interning.Interner`."""

    def __init__(self, kinds: Bytes, ends: Numbers, payload: Bytes) -> None:
        self._count = len(kinds)
        self._taken = len(kinds)
        self._kinds = np.array(kinds, np.uint8)
        self._ends = np.array(ends, np.uint64)
        self._payload = np.array(payload, np.uint8)
        self._mixes = np.empty(len(kinds), np.uint64)
        _mix_known(self._kinds, self._ends, self._payload, self._mixes)
        slots = _LEAST_SLOTS
        while slots < 2 * self._count:
            slots *= 2
        self._slots = np.zeros(slots, np.uint32)
        _insert_known(self._slots, self._mixes, self._count)

    def _make_room(self, rows: int, size: int) -> None:
        self._kinds = _grown(self._kinds, self._count + rows)
        self._ends = _grown(self._ends, self._count + rows)
        self._mixes = _grown(self._mixes, self._count + rows)
        used = int(self._ends[self._count - 1]) if self._count else 0
        self._payload = _grown(self._payload, used + size)
        slots = len(self._slots)
        while slots < 2 * (self._count + rows):
            slots *= 2
        if slots > len(self._slots):
            self._slots = np.zeros(slots, np.uint32)
            _insert_known(self._slots, self._mixes, self._count)

    def intern(self, data: Bytes, kinds: Bytes, start: Offsets, end: Offsets) -> Counts32:
        """uint32[n]: the numbers of the holders whose payloads stand at data[start:end]; new ones are added."""
        self._make_room(len(kinds), int((end - start).sum()))
        numbers = np.empty(len(kinds), np.uint32)
        self._count = int(
            _intern(
                data, kinds, start, end, self._slots, self._mixes, self._kinds, self._ends, self._payload,
                self._count, numbers,
            )
        )  # fmt: skip
        return numbers

    def take_new(self) -> tuple[Bytes, Offsets, Bytes]:
        """Kinds (uint8[k]), payload sizes (int64[k]) and payloads of what was added since the last call."""
        first = int(self._ends[self._taken - 1]) if self._taken else 0
        ends = self._ends[self._taken : self._count].astype(np.int64)
        sizes = np.diff(ends, prepend=first)
        last = int(ends[-1]) if len(ends) else first
        new = self._kinds[self._taken : self._count].copy(), sizes, self._payload[first:last].copy()
        self._taken = self._count
        return new
