"""Give every holder (kind and payload of a script) a number, in order of first appearance."""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets, raw_view


class Interner:
    """The holders seen so far; starts from the columns of a chain store and grows.

    Args:
        kinds: uint8[a], kind of each holder already numbered.
        ends: uint64[a], where each payload ends in `payload`.
        payload: uint8, the payloads one after the other.
        expected: How many more are likely to come; for the compiled twin to make room.
    """

    def __init__(self, kinds: Bytes, ends: Numbers, payload: Bytes, expected: int = 0) -> None:  # noqa: ARG002
        self._numbers: dict[bytes, int] = {}
        self._new: list[bytes] = []
        raw = payload.tobytes()
        place = 0
        for kind, end in zip(kinds.tolist(), ends.tolist(), strict=True):
            self._numbers[bytes([kind]) + raw[place:end]] = len(self._numbers)
            place = end
        self.count = len(self._numbers)

    def intern(self, data: Bytes, kinds: Bytes, start: Offsets, end: Offsets) -> Counts32:
        """uint32[n]: the numbers of the holders whose payloads stand at data[start:end]; new ones are added."""
        raw = raw_view(data)
        numbers = np.empty(len(kinds), np.uint32)
        known = self._numbers
        for place, (kind, a, b) in enumerate(zip(kinds.tolist(), start.tolist(), end.tolist(), strict=True)):
            key = bytes([kind]) + raw[a:b].tobytes()
            number = known.get(key)
            numbers[place] = self.meet(key) if number is None else number
        return numbers

    def meet(self, key: bytes) -> int:
        """The number of a holder (kind and payload) that is met for the first time."""
        number = self._numbers[key] = self.count
        self.count += 1
        self._new.append(key)
        return number

    def take_new(self) -> tuple[Bytes, Offsets, Bytes]:
        """Kinds (uint8[k]), payload sizes (int64[k]) and payloads of what was added since the last call."""
        kinds = np.array([key[0] for key in self._new], np.uint8)
        sizes = np.array([len(key) - 1 for key in self._new], np.int64)
        payload = np.frombuffer(b"".join(key[1:] for key in self._new), np.uint8)
        self._new = []
        return kinds, sizes, payload
