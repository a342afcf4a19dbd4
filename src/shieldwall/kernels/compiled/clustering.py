"""Put holders that belong together into one set (twin of `plain/clustering.py`): union-find with the least number as root.

A set's root is always its least member, so that the result does not depend on the order of merges, and one forward pass
flattens the forest. Without constraints, threads may work on ranges of transactions at once: roots are linked by a
compare-and-swap (Anderson and Woll 1991, wait-free union-find), shortcuts are plain writes, which only ever replace an
ancestor by an earlier one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import NONE32, OTHER_NAME, TOO_LARGE, TWO_NAMES, Bytes, Counts32, Graph, Offsets
from shieldwall.kernels.compiled.atomic import prefetch, swap_if
from shieldwall.kernels.compiled.columns import ascending

_AHEAD = 24  # inputs between asking for a parent and needing it: about the latency of memory
_NONE = np.uint32(NONE32)


@njit(inline="always")
def _root(parent: Any, holder: Any) -> Any:
    """The root of a holder; halves the way there."""
    at = holder
    above = parent[at]
    while above != at:
        higher = parent[above]
        if higher != above:
            parent[at] = higher
        at, above = above, higher
    return at


@njit(inline="always")
def _link(parent: Any, one: Any, other: Any) -> Any:
    """Join two holders' sets; returns the root as far as this thread knows."""
    while True:
        one = _root(parent, one)
        other = _root(parent, other)
        if one == other:
            return one
        if one < other:
            one, other = other, one
        if swap_if(parent, np.int64(one), one, other):
            return other


@njit(cache=True, nogil=True)
def _co_spend(graph: Any, left_out: Any, offset: Any, parent: Any, first: Any, last: Any) -> None:
    total = len(graph.payer)
    if first >= last:
        return
    begin = ascending(graph.first_input, graph.first_input_carries, first)
    for transaction in range(first, last):
        end = np.int64(total)
        if transaction + 1 < len(graph.first_input):
            end = ascending(graph.first_input, graph.first_input_carries, transaction + 1)
        if end - begin > 1 and not left_out[transaction - offset]:
            set_of = _NONE
            before = _NONE
            for number in range(begin, end):
                if number + _AHEAD < total:
                    ahead = graph.payer[number + _AHEAD]
                    if ahead != _NONE:
                        prefetch(parent, np.int64(ahead))
                payer = graph.payer[number]
                if payer == before or payer == _NONE:  # noqa: PLR1714, SIM109 - a tuple would cost
                    continue
                before = payer
                set_of = payer if set_of == _NONE else _link(parent, set_of, payer)
        begin = end


@njit(cache=True, nogil=True)
def _flatten(parent: Any) -> None:
    for holder in range(len(parent)):
        parent[holder] = parent[parent[holder]]


@njit(cache=True, nogil=True)
def _note(refused: Any, count: Any, transaction: Any, why: Any, one: Any, other: Any) -> None:
    if count < len(refused):
        refused[count, 0] = transaction
        refused[count, 1] = why
        refused[count, 2] = one
        refused[count, 3] = other


@njit(cache=True, nogil=True)
def _in_order(
    graph: Any, left_out: Any, only: Any, offset: Any, parent: Any, label: Any, refused: Any, first: Any, last: Any
) -> Any:
    count = 0
    total = len(graph.payer)
    for transaction in range(first, last):
        begin = ascending(graph.first_input, graph.first_input_carries, transaction)
        end = np.int64(total)
        if transaction + 1 < len(graph.first_input):
            end = ascending(graph.first_input, graph.first_input_carries, transaction + 1)
        if begin == end or left_out[transaction - offset]:
            continue
        named = np.uint32(0)
        set_of = _NONE
        clash = np.uint32(0)
        for number in range(begin, end):
            payer = graph.payer[number]
            if payer == _NONE or (len(only) and not only[payer]):
                continue
            root = _root(parent, payer)
            if set_of == _NONE:
                set_of = root
            if label[root]:
                if not named:
                    named = label[root]
                elif named != label[root]:
                    clash = label[root]
                    break
        if set_of == _NONE:
            continue
        if clash:
            _note(refused, count, transaction, TWO_NAMES, named, clash)
            count += 1
            continue
        for number in range(begin, end):
            payer = graph.payer[number]
            if payer == _NONE or (len(only) and not only[payer]):
                continue
            root = _root(parent, payer)
            if root != set_of:
                low, high = min(root, set_of), max(root, set_of)
                parent[high] = low
                label[low] = max(label[low], label[high])
                set_of = low
    return count


@njit(cache=True, nogil=True)
def _join_change(
    graph: Any, left_out: Any, change: Any, offset: Any, parent: Any, label: Any, size: Any, most: Any, refused: Any,
    first: Any, last: Any,
) -> Any:  # fmt: skip
    count = 0
    total = len(graph.payer)
    for transaction in range(first, last):
        output = change[transaction - offset]
        if output < 0 or left_out[transaction - offset]:
            continue
        begin = ascending(graph.first_input, graph.first_input_carries, transaction)
        end = np.int64(total)
        if transaction + 1 < len(graph.first_input):
            end = ascending(graph.first_input, graph.first_input_carries, transaction + 1)
        set_of = _NONE
        several = False
        for number in range(begin, end):
            payer = graph.payer[number]
            if payer == _NONE:
                continue
            root = _root(parent, payer)
            if set_of == _NONE:
                set_of = root
            elif root != set_of:
                several = True
                break
        if set_of == _NONE or several:
            continue
        root = _root(parent, graph.holder[output])
        if root == set_of:
            continue
        low, high = min(root, set_of), max(root, set_of)
        if label[low] and label[high] and label[low] != label[high]:
            _note(refused, count, transaction, OTHER_NAME, label[low], label[high])
            count += 1
        elif most and np.int64(size[low]) + np.int64(size[high]) > most:
            _note(refused, count, transaction, TOO_LARGE, label[low], label[high])
            count += 1
        else:
            parent[high] = low
            size[low] += size[high]
            label[low] = max(label[low], label[high])
    return count


def co_spend(graph: Graph, left_out: Bytes, parent: Counts32, first: int, last: int, threads: int = 1) -> None:
    """Join the payers of each transaction; arguments as in `plain.clustering.co_spend`."""
    bounds = np.linspace(first, last, threads + 1).astype(np.int64).tolist()
    if threads == 1:
        _co_spend(graph, left_out, first, parent, first, last)
        return
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(_co_spend, graph, left_out, first, parent, a, b) for a, b in pairwise(bounds)]
        for job in jobs:
            job.result()


def flatten(parent: Counts32) -> None:
    """Give every holder its root; arguments as in `plain.clustering.flatten`."""
    _flatten(parent)


def in_order(
    graph: Graph,
    left_out: Bytes,
    only: Bytes,
    parent: Counts32,
    label: Counts32,
    refused: Offsets,
    first: int,
    last: int,
) -> int:
    """Join payers in chain order under constraints; arguments and result as in `plain.clustering.in_order`."""
    return int(_in_order(graph, left_out, only, first, parent, label, refused, first, last))


def join_change(
    graph: Graph,
    left_out: Bytes,
    change: Offsets,
    parent: Counts32,
    label: Counts32,
    size: Counts32,
    most: int,
    refused: Offsets,
    first: int,
    last: int,
) -> int:
    """Join payers with their change; arguments and result as in `plain.clustering.join_change`."""
    return int(_join_change(graph, left_out, change, first, parent, label, size, most, refused, first, last))
