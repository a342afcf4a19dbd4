"""Put row numbers in order for the indexes of a store: by buckets of a key, by groups; and the keys of payloads."""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets

_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_SIZE = np.uint64(0x9E3779B97F4A7C15)
_WORD = 8
_MASK = (1 << 64) - 1


def bucket_order(keys: Numbers, buckets: int) -> tuple[Counts32, Counts32]:
    """Rows by bucket.

    Args:
        keys: uint64[n], n below 2^32.
        buckets: A power of two; a key's bucket is its low bits.

    Returns:
        uint32[buckets + 1]: first place of each bucket, and n;
        uint32[n]: the rows, bucket by bucket, ascending within each.
    """
    own = keys & np.uint64(buckets - 1)
    order = np.argsort(own, kind="stable").astype(np.uint32)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(own.astype(np.int64), minlength=buckets))))
    return first.astype(np.uint32), order


def equal_keys(keys: Numbers, first: Counts32, order: Counts32) -> Offsets:
    """int64[k, 2]: the pairs of rows, ascending, that have one key; rows in buckets as `bucket_order` gives them."""
    ordered = keys[order]
    pairs = []
    for step in range(1, int(np.diff(first).max(initial=0))):  # equal keys stand in one bucket
        places = np.flatnonzero(ordered[step:] == ordered[:-step])
        pairs.append(np.stack((order[places], order[places + step]), axis=1))
    found = np.concatenate((np.empty((0, 2), np.int64), *pairs)).astype(np.int64)
    found.sort(axis=1)
    return found[np.lexsort(found.T[::-1])]


def group_order(groups: Counts32, count: int) -> tuple[Numbers, Numbers]:
    """Rows by group, and where each group begins.

    Args:
        groups: uint32[n], below `count`.
        count: Groups.

    Returns:
        uint64[count + 1]: first place of each group, and n; uint64[n]: rows, group by group, ascending within each.
    """
    sizes = np.bincount(groups, minlength=count)
    first = np.concatenate((np.zeros(1, np.uint64), np.cumsum(sizes, dtype=np.uint64)))
    return first, np.argsort(groups, kind="stable").astype(np.uint64)


def payload_keys(payload: Bytes, start: Offsets, end: Offsets) -> Numbers:
    """uint64[n]: a key of each payload[start:end], of its first and last eight bytes and its size.

    The hashes in scripts are uniform, so that this is all the mixing an index needs.
    """
    keys = _words(payload, start, end) * _FIRST
    last = np.maximum(start, end - _WORD)
    keys ^= _words(payload, last, end) * _LAST
    keys += (end - start).astype(np.uint64) * _SIZE
    return keys ^ (keys >> np.uint64(29))


def payload_key(payload: bytes) -> int:
    """The key of one payload, as `payload_keys` makes it."""
    head, tail = (int.from_bytes(part, "little") for part in (payload[:_WORD], payload[-_WORD:]))
    key = (head * int(_FIRST) & _MASK) ^ (tail * int(_LAST) & _MASK)
    key = (key + len(payload) * int(_SIZE)) & _MASK
    return key ^ (key >> 29)


def _words(payload: Bytes, start: Offsets, end: Offsets) -> Numbers:
    """Up to eight bytes from each start on, little-endian, filled with zeros."""
    words = np.zeros((len(start), _WORD), np.uint8)
    for place in range(_WORD):
        at = start + place
        there = at < end
        words[there, place] = payload[at[there]]
    return words.view(np.uint64).reshape(-1)
