"""Put row numbers in order for the indexes of a store (twin of `plain/ordering.py`): counting sorts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets


@njit(cache=True, nogil=True)
def _by_bucket(keys: Any, mask: Any, first: Any, order: Any) -> None:
    for row in range(len(keys)):
        first[np.int64(keys[row] & mask) + 1] += 1
    for bucket in range(len(first) - 1):
        first[bucket + 1] += first[bucket]
    for row in range(len(keys)):
        home = np.int64(keys[row] & mask)
        order[first[home]] = row
        first[home] += 1
    for bucket in range(len(first) - 1, 0, -1):
        first[bucket] = first[bucket - 1]
    first[0] = 0


@njit(cache=True, nogil=True)
def _equal_keys(keys: Any, first: Any, order: Any, pairs: Any) -> Any:
    found = 0
    for bucket in range(len(first) - 1):
        for place in range(first[bucket], first[bucket + 1]):
            key = keys[order[place]]
            for other in range(place + 1, first[bucket + 1]):
                if keys[order[other]] == key:
                    if found < len(pairs):
                        pairs[found, 0] = order[place]
                        pairs[found, 1] = order[other]
                    found += 1
    return found


@njit(cache=True, nogil=True)
def _by_group(groups: Any, first: Any, order: Any) -> None:
    for row in range(len(groups)):
        first[np.int64(groups[row]) + 1] += np.uint64(1)
    for group in range(len(first) - 1):
        first[group + 1] += first[group]
    for row in range(len(groups)):
        home = np.int64(groups[row])
        order[np.int64(first[home])] = row
        first[home] += np.uint64(1)
    for group in range(len(first) - 1, 0, -1):
        first[group] = first[group - 1]
    first[0] = 0


@njit(cache=True, nogil=True)
def _payload_keys(payload: Any, start: Any, end: Any, keys: Any) -> None:
    for row in range(len(start)):
        a = start[row]
        b = end[row]
        head = np.uint64(0)
        for k in range(min(8, b - a)):
            head |= np.uint64(payload[a + k]) << np.uint64(8 * k)
        tail = np.uint64(0)
        from_ = max(a, b - 8)
        for k in range(b - from_):
            tail |= np.uint64(payload[from_ + k]) << np.uint64(8 * k)
        key = head * np.uint64(0xBF58476D1CE4E5B9)
        key ^= tail * np.uint64(0x94D049BB133111EB)
        key += np.uint64(b - a) * np.uint64(0x9E3779B97F4A7C15)
        keys[row] = key ^ (key >> np.uint64(29))


def bucket_order(keys: Numbers, buckets: int) -> tuple[Counts32, Counts32]:
    """Rows by bucket; arguments and result as in `plain.ordering.bucket_order`."""
    first = np.zeros(buckets + 1, np.uint32)
    order = np.empty(len(keys), np.uint32)
    _by_bucket(keys, np.uint64(buckets - 1), first, order)
    return first, order


def equal_keys(keys: Numbers, first: Counts32, order: Counts32) -> Offsets:
    """int64[k, 2]: pairs of rows with one key; arguments and result as in `plain.ordering.equal_keys`."""
    room = 16
    while True:
        pairs = np.empty((room, 2), np.int64)
        found = int(_equal_keys(keys, first, order, pairs))
        if found <= room:
            break
        room = found
    pairs = pairs[:found]
    pairs.sort(axis=1)
    return pairs[np.lexsort(pairs.T[::-1])]


def group_order(groups: Counts32, count: int) -> tuple[Numbers, Numbers]:
    """Rows by group; arguments and result as in `plain.ordering.group_order`."""
    first = np.zeros(count + 1, np.uint64)
    order = np.empty(len(groups), np.uint64)
    _by_group(groups, first, order)
    return first, order


def payload_keys(payload: Bytes, start: Offsets, end: Offsets) -> Numbers:
    """uint64[n]: a key of each payload; arguments and result as in `plain.ordering.payload_keys`."""
    keys = np.empty(len(start), np.uint64)
    _payload_keys(payload, start, end, keys)
    return keys
