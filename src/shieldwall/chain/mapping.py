"""Map the files of a chain store into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shieldwall.errors import StoreError

Column = npt.NDArray[Any]


def map_rows(path: Path, dtype: type[np.generic], rows: int, width: int = 1) -> Column:
    """The first `rows` rows of a column file, read-only.

    Raises:
        StoreError: The file is missing, not readable, or shorter than the manifest says.
    """
    shape = (rows, width) if width > 1 else (rows,)
    if not rows:
        return np.empty(shape, dtype)
    try:
        size = path.stat().st_size if path.is_file() else 0
        if size < rows * width * np.dtype(dtype).itemsize:
            raise StoreError(
                f"{path}: {size} bytes, and the manifest counts {rows} rows",
                hint="restore the store from a copy, or build it again",
            )
        # a plain array over the map: indexing it costs a third of what a memmap object costs
        return np.asarray(np.memmap(path, dtype, mode="r", shape=shape))
    except (OSError, ValueError, OverflowError) as error:
        raise StoreError(f"{path}: cannot be read ({error})") from None


def place_of(column: Column, number: int, side: Literal["left", "right"] = "left") -> int:
    """Where `number` stands in an ascending column.

    In the column's own type: NumPy would widen a plain integer by copying the whole column, at every call.
    """
    return int(column.searchsorted(column.dtype.type(number), side))
