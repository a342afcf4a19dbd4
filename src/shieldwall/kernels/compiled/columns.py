"""Read the two kinds of long column that `arrays.Graph` holds, inside other kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NO_LINK = (1 << 40) - 1


@njit(inline="always")
def ascending(low: Any, carries: Any, row: Any) -> Any:
    """int64: the number in a row of an ascending column; its low half, and one high step for each carry up to there."""
    number = np.int64(low[row])
    for carry in carries:
        if carry > row:
            break
        number += np.int64(1) << np.int64(32)
    return number


@njit(inline="always")
def rows_from(low: Any, carries: Any, row: Any, total: Any) -> Any:
    """(int64, int64): first row and one past the last that belong to `row`; `total` ends those of the last one."""
    first = ascending(low, carries, row)
    if row + 1 < len(low):
        return first, ascending(low, carries, row + 1)
    return first, np.int64(total)


@njit(inline="always")
def link(low: Any, high: Any, row: Any) -> Any:
    """int64: the output that an input spends; -1 for none."""
    number = np.int64(low[row]) | (np.int64(high[row]) << np.int64(32))
    return np.int64(-1) if number == NO_LINK else number
