"""Find many holders in one run of a store's holder index (twin of `plain/probing.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import NONE32, Bytes, Counts32, Numbers, Offsets
from shieldwall.kernels.compiled.columns import ascending
from shieldwall.kernels.plain.probing import HolderRows, HolderRun


@njit(cache=True, nogil=True)
def _probe(run: Any, rows: Any, keys: Any, kinds: Any, data: Any, start: Any, size: Any, found: Any) -> None:
    mask = np.uint64(len(run.first) - 2)
    for row in range(len(keys)):
        if found[row] != NONE32:
            continue
        bucket = np.int64(keys[row] & mask)
        for place in range(np.int64(run.first[bucket]), np.int64(run.first[bucket + 1])):
            holder = np.int64(run.number[place])
            if rows.kind[holder] != kinds[row]:
                continue
            first = ascending(rows.end, rows.end_carries, holder - 1) if holder else np.int64(0)
            if ascending(rows.end, rows.end_carries, holder) - first != size[row]:
                continue
            same = True
            for byte in range(size[row]):
                if rows.payload[first + byte] != data[start[row] + byte]:
                    same = False
                    break
            if same:
                found[row] = np.uint32(holder)
                break


def probe(
    run: HolderRun,
    rows: HolderRows,
    keys: Numbers,
    kinds: Bytes,
    data: Bytes,
    start: Offsets,
    size: Offsets,
    found: Counts32,
) -> None:
    """Write the holders that the run has into `found`; arguments as in `plain.probing.probe`."""
    _probe(run, rows, keys, kinds, data, start, size, found)
