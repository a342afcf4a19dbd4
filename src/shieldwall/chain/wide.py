"""Columns of numbers beyond 32 bits that take little more than 32: two ways to lay them down, one way to read them.

An *ascending* column keeps the low 32 bits of each number, and the few rows at which its numbers pass a multiple of 2^32
(`carries`, in the manifest). A *wide* column, whose numbers come in any order, keeps 8 more bits in a file of its own:
2^40 - 1 numbers, 300 times Bitcoin's outputs of today. Both read as 64-bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_HALF = 32
_LOW = (1 << _HALF) - 1
MOST_WIDE = (1 << 40) - 1  # largest number of a wide column; it stands for none
NONE = 0xFFFFFFFFFFFFFFFF  # how that reads


class Ascending:
    """A column of ascending numbers, read-only.

    Args:
        low: uint32[n], low halves.
        carries: Ascending rows at which the high half grows by one (a row twice: by two).
    """

    dtype = np.dtype(np.uint64)

    def __init__(self, low: npt.NDArray[np.uint32], carries: Sequence[int] = ()) -> None:
        self.low = low
        self.carries = np.array(carries, np.int64)
        self._carried = bool(len(self.carries))

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, rows: Any) -> Any:  # noqa: ANN401 - an int for an int, uint64[k] for anything else
        part = self.low[rows]
        if isinstance(rows, int) and not self._carried:  # the step of every look-up
            return int(part)
        if not self._carried:
            return int(part) if np.ndim(part) == 0 else part.astype(np.uint64)
        places = np.arange(len(self.low))[rows] if isinstance(rows, slice) else np.asarray(rows)
        if places.dtype == bool:
            places = np.flatnonzero(places)
        places = np.where(places < 0, places + len(self.low), places)
        high = np.searchsorted(self.carries, places, side="right").astype(np.uint64)
        whole = part.astype(np.uint64) | high << np.uint64(_HALF)
        return int(whole) if np.ndim(whole) == 0 else whole

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: ANN401
        return np.asarray(self[:], dtype)

    def searchsorted(self, number: int, side: Literal["left", "right"] = "left") -> int:
        """Where `number` stands; as `numpy.searchsorted`, within the rows that share its high half."""
        high = int(number) >> _HALF
        if high > len(self.carries):
            return len(self.low)
        first = int(self.carries[high - 1]) if high else 0
        last = int(self.carries[high]) if high < len(self.carries) else len(self.low)
        return first + int(self.low[first:last].searchsorted(np.uint32(int(number) & _LOW), side))

    def places(self, numbers: npt.NDArray[np.uint64], side: Literal["left", "right"] = "left") -> npt.NDArray[np.int64]:
        """`searchsorted` for many numbers at once."""
        if not len(self.carries) and (not len(numbers) or int(numbers.max()) <= _LOW):
            found: npt.NDArray[np.int64] = self.low.searchsorted(numbers.astype(np.uint32), side).astype(np.int64)
            return found
        return np.fromiter((self.searchsorted(int(number), side) for number in numbers), np.int64, len(numbers))


class Wide:
    """A column of numbers below 2^40 in any order, read-only; all bits set reads as `NONE`.

    Args:
        low: uint32[n]
        high: uint8[n]
    """

    dtype = np.dtype(np.uint64)

    def __init__(self, low: npt.NDArray[np.uint32], high: npt.NDArray[np.uint8]) -> None:
        self.low = low
        self.high = high

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, rows: Any) -> Any:  # noqa: ANN401 - an int for an int, uint64[k] for anything else
        low, high = self.low[rows], self.high[rows]
        if np.ndim(low) == 0:
            number = int(low) | int(high) << _HALF
            return NONE if number == MOST_WIDE else number
        whole = high.astype(np.uint64)
        whole <<= np.uint64(_HALF)
        whole |= low
        whole[(high == 0xFF) & (low == _LOW)] = NONE
        return whole

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: ANN401
        return np.asarray(self[:], dtype)


def carries_of(numbers: npt.NDArray[np.uint64], before: int, row: int) -> list[int]:
    """The carries that `numbers`, which follow the number `before`, add to an ascending column from its row `row` on."""
    high = (numbers >> np.uint64(_HALF)).astype(np.int64)
    grown = np.diff(high, prepend=before >> _HALF)
    places = np.flatnonzero(grown)
    return [row + int(place) for place in places for _ in range(int(grown[place]))]


def halves(numbers: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """The two files of a wide column.

    Raises:
        OverflowError: A number of 40 bits or more that is not `NONE`.
    """
    high = numbers >> np.uint64(_HALF)
    if ((high >= 0xFF) & (numbers != np.uint64(NONE))).any():
        raise OverflowError("a number of more than 40 bits")
    return numbers.astype(np.uint32), high.astype(np.uint8)
