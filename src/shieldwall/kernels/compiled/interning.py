"""Give every holder a number (twin of `plain/interning.py`): open addressing, half the mix in the slot, payloads compared.

A slot's place is the top of the mix, which the slot keeps: a table that grows is copied from front to back, and nothing
is mixed again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets

_LEAST_BITS = 12  # of a slot's place
_LIKELY_BYTES = 22  # of a payload
_TAG = np.uint64(0xFFFFFFFF00000000)  # of a slot: high half of the mix; the low half is the holder's number and one
_NUMBER = np.uint64(0xFFFFFFFF)
_TOGETHER = 128  # rows whose memory is fetched together


@njit(cache=True, nogil=True, inline="always")
def _word(data: Any, at: Any) -> Any:
    word = np.uint64(0)
    for k in range(8):  # a loop of fixed length becomes one load
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word


@njit(cache=True, nogil=True, inline="always")
def _short_word(data: Any, at: Any, end: Any) -> Any:
    word = np.uint64(0)
    for k in range(end - at):
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word


@njit(cache=True, nogil=True, inline="always")
def _stir(state: Any, word: Any) -> Any:
    state = (state ^ word) * np.uint64(0xBF58476D1CE4E5B9)
    return state ^ (state >> np.uint64(32))


@njit(cache=True, nogil=True)
def _mix(data: Any, start: Any, end: Any, kind: Any) -> Any:
    """A 64-bit mix of kind and payload, eight bytes at a time; the last eight may overlap those before."""
    state = np.uint64(kind) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(end - start + 1)
    place = start
    while place + 8 <= end:
        state = _stir(state, _word(data, place))
        place += 8
    if place < end:
        if end - start >= 8:
            state = _stir(state, _word(data, end - 8))
        else:
            state = _stir(state, _short_word(data, place, end))
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@njit(cache=True, nogil=True)
def _same(data: Any, a: Any, b: Any, payload: Any, first: Any) -> Any:
    """True when data[a:b] stands at payload[first:]."""
    if b - a < 8:
        return _short_word(payload, first, first + b - a) == _short_word(data, a, b)
    k = 0
    while k + 8 <= b - a:
        if _word(payload, first + k) != _word(data, a + k):
            return False
        k += 8
    return _word(payload, first + b - a - 8) == _word(data, b - 8)


@njit(cache=True, nogil=True)
def _insert_known(slots: Any, shift: Any, kinds: Any, ends: Any, payload: Any, count: Any) -> None:
    mask = np.uint64(len(slots) - 1)
    place: Any = 0
    for number in range(count):
        end = np.int64(ends[number])
        mix = _mix(payload, place, end, kinds[number])
        slot = mix >> shift
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = (mix & _TAG) | np.uint64(number + 1)
        place = end


@njit(cache=True, nogil=True)
def _rehash(old: Any, slots: Any, shift: Any) -> None:
    mask = np.uint64(len(slots) - 1)
    for entry in old:
        if entry != 0:
            slot = (entry & _TAG) >> shift
            while slots[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            slots[slot] = entry


@njit(cache=True, nogil=True)
def _fetch(
    data: Any,
    kinds: Any,
    start: Any,
    end: Any,
    slots: Any,
    shift: Any,
    known_kinds: Any,
    ends: Any,
    payload: Any,
    mixes: Any,
    numbers: Any,
) -> Any:
    """Mix these rows, and touch what looking each up will read: loads that do not wait for one another go side by side.

    The caller must keep the answer somewhere, or the compiler leaves the loads out.
    """
    touched = np.uint64(0)
    for row in range(len(mixes)):
        mixes[row] = _mix(data, start[row], end[row], kinds[row])
    for row in range(len(mixes)):
        slot = slots[mixes[row] >> shift]
        numbers[row] = np.int64(slot & _NUMBER) - 1 if slot & _TAG == mixes[row] & _TAG else 0
    for row in range(len(mixes)):
        number = max(numbers[row], 1)
        numbers[row] = np.int64(ends[number - 1])
        touched ^= np.uint64(ends[number]) ^ np.uint64(known_kinds[number])
    for row in range(len(mixes)):
        if 0 <= numbers[row] < len(payload):
            touched ^= np.uint64(payload[numbers[row]])
    return touched


@njit(cache=True, nogil=True)
def _intern(
    data: Any,
    kinds: Any,
    start: Any,
    end: Any,
    slots: Any,
    shift: Any,
    known_kinds: Any,
    known_ends: Any,
    payload: Any,
    count: Any,
    numbers: Any,
) -> Any:
    mask = np.uint64(len(slots) - 1)
    mixes = np.empty(_TOGETHER, np.uint64)
    places = np.empty(_TOGETHER, np.int64)
    touched = np.uint64(0)
    for row in range(len(kinds)):
        ahead = row % _TOGETHER
        if ahead == 0:
            last = min(row + _TOGETHER, len(kinds))
            touched ^= _fetch(
                data, kinds[row:last], start[row:last], end[row:last], slots, shift, known_kinds, known_ends, payload,
                mixes[: last - row], places[: last - row],
            )  # fmt: skip
        a = start[row]
        b = end[row]
        mix = mixes[ahead]
        tag = mix & _TAG
        slot = mix >> shift
        found: Any = -1
        while slots[slot] != 0:
            if slots[slot] & _TAG == tag:
                number = np.int64(slots[slot] & _NUMBER) - 1
                first = np.int64(known_ends[number - 1]) if number > 0 else 0
                if (
                    np.int64(known_ends[number]) - first == b - a
                    and known_kinds[number] == kinds[row]
                    and _same(data, a, b, payload, first)
                ):
                    found = number
                    break
            slot = (slot + np.uint64(1)) & mask
        if found < 0:
            found = count
            slots[slot] = tag | np.uint64(count + 1)
            known_kinds[count] = kinds[row]
            first = np.int64(known_ends[count - 1]) if count > 0 else 0
            for k in range(b - a):
                payload[first + k] = data[a + k]
            known_ends[count] = first + b - a
            count += 1
        numbers[row] = found
    return count, touched


def _grown(array: Any, size: int) -> Any:
    if size <= len(array):
        return array
    larger = np.empty(max(size, len(array) * 2), array.dtype)
    larger[: len(array)] = array
    return larger


class Interner:
    """The holders seen so far; arguments and methods as in `plain.interning.Interner`."""

    def __init__(self, kinds: Bytes, ends: Numbers, payload: Bytes, expected: int = 0) -> None:
        self._count = len(kinds)
        self._taken = len(kinds)
        self._kinds = _grown(np.array(kinds, np.uint8), self._count + expected)  # memory that is not used costs nothing
        self._ends = _grown(np.array(ends, np.uint64), self._count + expected)
        self._payload = _grown(np.array(payload, np.uint8), len(payload) + _LIKELY_BYTES * expected)
        self._make_slots(self._count + expected)
        _insert_known(self._slots, self._shift, self._kinds, self._ends, self._payload, self._count)

    def _make_slots(self, rows: int) -> None:
        bits = max(_LEAST_BITS, (2 * rows).bit_length())
        self._slots = np.zeros(1 << bits, np.uint64)
        self._shift = np.uint64(64 - bits)

    def _make_room(self, rows: int, size: int) -> None:
        rows += 2  # `_fetch` looks at the first two, whether or not they are there yet
        self._kinds = _grown(self._kinds, self._count + rows)
        self._ends = _grown(self._ends, self._count + rows)
        used = int(self._ends[self._count - 1]) if self._count else 0
        self._payload = _grown(self._payload, used + size)
        if len(self._slots) < 2 * (self._count + rows):
            old = self._slots
            self._make_slots(self._count + rows)
            _rehash(old, self._slots, self._shift)

    def intern(self, data: Bytes, kinds: Bytes, start: Offsets, end: Offsets) -> Counts32:
        """uint32[n]: the numbers of the holders whose payloads stand at data[start:end]; new ones are added."""
        self._make_room(len(kinds), int((end - start).sum()))
        numbers = np.empty(len(kinds), np.uint32)
        count, _ = _intern(
            data,
            kinds,
            start,
            end,
            self._slots,
            self._shift,
            self._kinds,
            self._ends,
            self._payload,
            self._count,
            numbers,
        )
        self._count = int(count)
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
