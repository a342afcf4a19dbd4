"""Find many holders in one run of a store's holder index (twin of `compiled/probing.py`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shieldwall.kernels.arrays import NONE32, Bytes, Counts32, Numbers, Offsets, raw_view


class HolderRun(NamedTuple):
    """A run of the index over holders by payload.

    Attributes:
        first: uint32[b + 1], first place of each bucket in `number`; b is a power of two, and a key's bucket its low bits.
        number: uint32[k], holders, bucket by bucket.
    """

    first: Counts32
    number: Counts32


class HolderRows(NamedTuple):
    """The holders of a store, as its columns have them.

    Attributes:
        kind: uint8[h].
        end: uint32[h], low half of where each payload ends in `payload`; it begins where the one before it ends.
        end_carries: int64[c], rows of `end` at which the high half grows by one.
        payload: uint8.
    """

    kind: Bytes
    end: Counts32
    end_carries: Offsets
    payload: Bytes


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
    """Write the holders of those scripts that the run has into `found`; of scripts that are found already, nothing changes.

    Args:
        run: The run.
        rows: The store's holders.
        keys: uint64[n], of the payloads, as `ordering.payload_keys` makes them.
        kinds: uint8[n], of the scripts.
        data: uint8, where the payloads stand.
        start: int64[n], first byte of each.
        size: int64[n], bytes of each.
        found: uint32[n], `NONE32` for what is looked for.
    """
    raw, stored = raw_view(data), raw_view(rows.payload)
    buckets = (keys & np.uint64(len(run.first) - 2)).astype(np.int64)
    for row in np.flatnonzero(found == NONE32).tolist():
        wanted = raw[start[row] : start[row] + size[row]]
        for place in range(int(run.first[buckets[row]]), int(run.first[buckets[row] + 1])):
            holder = int(run.number[place])
            if int(rows.kind[holder]) != kinds[row]:
                continue
            if stored[_end(rows, holder - 1) : _end(rows, holder)] == wanted:
                found[row] = holder
                break


def _end(rows: HolderRows, holder: int) -> int:
    if holder < 0:
        return 0
    return int(rows.end[holder]) + (int(np.searchsorted(rows.end_carries, holder, side="right")) << 32)
