"""Map the files of a chain store into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import Column as Spec
from shieldwall.chain.wide import Ascending, Wide
from shieldwall.errors import StoreError

Column = Any
"""A NumPy array, or one of `wide` that reads like one."""


def files_of(folder: Path, spec: Spec) -> list[Path]:
    """The files of a column: one, or two for a wide one, low halves first."""
    names = [spec.name, f"{spec.name}_high"] if spec.form == "wide" else [spec.name]
    return [folder / f"{name}.bin" for name in names]


def map_column(folder: Path, spec: Spec, rows: int, carries: Sequence[int] = ()) -> Column:
    """The first `rows` rows of a column, read-only.

    Raises:
        StoreError: A file is missing, not readable, or shorter than the manifest says.
    """
    low, *high = files_of(folder, spec)
    values = map_rows(low, spec.dtype, rows, spec.width)
    if spec.form == "wide":
        return Wide(values, map_rows(high[0], np.uint8, rows))
    return Ascending(values, carries) if spec.form == "ascending" else values


def map_rows(
    path: Path, dtype: type[np.generic], rows: int, width: int = 1, mode: Literal["r", "c"] = "r"
) -> npt.NDArray[Any]:
    """The first `rows` rows of a file, read-only, or with mode "c" as one's own copy of what one changes.

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
        return np.asarray(np.memmap(path, dtype, mode=mode, shape=shape))
    except (OSError, ValueError, OverflowError) as error:
        raise StoreError(f"{path}: cannot be read ({error})") from None


def place_of(column: Column, number: int, side: Literal["left", "right"] = "left") -> int:
    """Where `number` stands in an ascending column.

    In the column's own type: NumPy would widen a plain integer by copying the whole column, at every call.
    """
    if isinstance(column, Ascending):
        return column.searchsorted(number, side)
    return int(column.searchsorted(column.dtype.type(number), side))


def places_of(
    column: Column, numbers: npt.NDArray[Any], side: Literal["left", "right"] = "left"
) -> npt.NDArray[np.int64]:
    """Where many numbers stand in an ascending column."""
    if isinstance(column, Ascending):
        return column.places(numbers.astype(np.uint64), side)
    found: npt.NDArray[np.int64] = column.searchsorted(numbers.astype(column.dtype), side).astype(np.int64)
    return found
