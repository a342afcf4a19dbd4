"""Sets, tables and heaps in arrays, for kernels that hold only what they touch: open addressing, a power of two of places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import NONE32, Counts32
from shieldwall.kernels.compiled.bare import bare
from shieldwall.kernels.walks import (
    HEAPED,
    NODE_COMING,
    NODE_FIRST,
    NODE_FOLLOWED,
    NODE_LAST,
    NODE_RUNS,
    NODE_SEED,
    NODE_TRANSACTION,
    NODES,
)

NODE_BITS = 31  # of an entry of the heap: the number of its node, below that of its transaction
_SPREAD = 0x9E3779B97F4A7C15  # Fibonacci hashing: 2^64 / golden ratio


@bare
def home(number: Any, mask: Any) -> Any:
    """int64: where a number is looked for first, in a table of `mask` and one places."""
    return np.int64((np.uint64(number) * np.uint64(_SPREAD)) >> np.uint64(32)) & mask


@bare
def _set_of(members: Any, places: Any) -> None:
    mask = len(places) - 1
    for member in members:
        at = home(member, mask)
        while places[at] != np.uint32(NONE32) and places[at] != member:
            at = (at + 1) & mask
        places[at] = member


@bare
def holds(places: Any, member: Any) -> Any:
    """Whether a set (`set_of`) has a member, a uint32."""
    mask = len(places) - 1
    at = home(member, mask)
    while places[at] != np.uint32(NONE32):
        if places[at] == member:
            return True
        at = (at + 1) & mask
    return False


@bare
def stands_in(numbers: Any, number: Any) -> Any:
    """Whether an ascending array has a number."""
    first, last = 0, len(numbers)
    while first < last:
        middle = (first + last) >> 1
        if numbers[middle] < number:
            first = middle + 1
        else:
            last = middle
    return first < len(numbers) and numbers[first] == number


@bare
def rehash(nodes: Any, count: Any, table: Any) -> None:
    """Enter the first nodes of a walk into an empty table."""
    mask = len(table) - 1
    for node in range(count):
        at = home(nodes[node, NODE_TRANSACTION], mask)
        while table[at]:
            at = (at + 1) & mask
        table[at] = node + 1


@njit(inline="always")
def find(table: Any, nodes: Any, transaction: Any) -> Any:
    """(node, place in the table): the node of a transaction; -1 and the free place where there is none."""
    mask = len(table) - 1
    at = home(transaction, mask)
    node = np.int64(-1)
    while table[at]:
        if nodes[table[at] - 1, NODE_TRANSACTION] == transaction:
            node = table[at] - 1
            break
        at = (at + 1) & mask
    return node, at


@njit(inline="always")
def add(table: Any, nodes: Any, heap: Any, counts: Any, transaction: Any, at: Any) -> Any:
    """A new node for a transaction, at a free place of the table, and on the heap."""
    node = counts[NODES]
    counts[NODES] = node + 1
    table[at] = node + 1
    nodes[node, NODE_TRANSACTION] = transaction
    nodes[node, NODE_FIRST] = -1
    nodes[node, NODE_LAST] = -1
    nodes[node, NODE_COMING] = 0
    nodes[node, NODE_RUNS] = 0
    nodes[node, NODE_SEED] = -1
    nodes[node, NODE_FOLLOWED] = 0
    entry = (np.int64(transaction) << NODE_BITS) | node
    place = counts[HEAPED]
    counts[HEAPED] = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if heap[above] <= entry:
            break
        heap[place] = heap[above]
        place = above
    heap[place] = entry
    return node


@bare
def drop_first(heap: Any, count: Any) -> Any:
    """Take the least entry off the heap; returns how many are left."""
    count -= 1
    entry = heap[count]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        if below + 1 < count and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= entry:
            break
        heap[place] = heap[below]
        place = below
    heap[place] = entry
    return count


def set_of(holders: Counts32) -> Counts32:
    """A set of holders that kernels look into: an open-addressing table, a power of two and at most half full."""
    size = 1 << max(1, 2 * len(holders)).bit_length() if len(holders) else 1
    places = np.full(size, NONE32, np.uint32)
    _set_of(np.array(holders, np.uint32), places)
    return places
