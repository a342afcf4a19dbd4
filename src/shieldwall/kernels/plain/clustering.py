"""Put holders that belong together into one set: union-find whose root is the least number of its set."""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import NONE32, OTHER_NAME, TOO_LARGE, TWO_NAMES, Bytes, Counts32, Graph, Offsets


def co_spend(graph: Graph, left_out: Bytes, parent: Counts32, first: int, last: int, threads: int = 1) -> None:
    """Join the payers of each transaction into one set, in place.

    Args:
        graph: The chain.
        left_out: uint8[last - first], not 0 for a transaction whose payers are not joined (a CoinJoin).
        parent: uint32[h], each holder's parent in the forest, its own number for a root; a parent is never larger.
        first: First transaction.
        last: One past the last.
        threads: How many may work at once; the result is the same.
    """
    del threads
    for transaction in range(first, last):
        payers = _payers(graph, transaction)
        if not left_out[transaction - first]:
            for payer in payers[1:]:
                _link(parent, payers[0], payer)


def flatten(parent: Counts32) -> None:
    """Give every holder its root, in place: uint32[h]. Since parents are smaller, one pass forward does it."""
    for holder in range(len(parent)):
        parent[holder] = parent[parent[holder]]


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
    """Join the payers of each transaction in chain order, but never two sets with different labels.

    A transaction whose payers bear two labels joins none of them: nothing tells to which one the others belong.

    Args:
        graph: The chain.
        left_out: uint8[last - first], as in `co_spend`.
        only: uint8[h], not 0 for the holders that are looked at; empty for all.
        parent: uint32[h], as in `co_spend`; flattened, or with roots as sets go.
        label: uint32[h], of each root: which name its set bears, 0 for none. Kept up to date for roots.
        refused: int64[k, 4], filled with transaction, why (`TWO_NAMES`) and the two labels.
        first: First transaction.
        last: One past the last.

    Returns:
        Merges refused; where more than k, only the first k are told.
    """
    count = 0
    for transaction in range(first, last):
        payers = [payer for payer in _payers(graph, transaction) if not len(only) or only[payer]]
        if not payers or left_out[transaction - first]:
            continue
        named = _two_labels([int(label[_root(parent, payer)]) for payer in payers])
        if len(named) == 2:
            _note(refused, count, (transaction, TWO_NAMES, *named))
            count += 1
            continue
        for payer in payers[1:]:
            _merge(parent, label, payers[0], payer)
    return count


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
    """Join payers with the holder of their change, in chain order, over sets that all co-spend has made before.

    So a change, however wrong, never takes apart what pays together. Where the payers are in two sets (a refused co-spend),
    nothing tells whose the change is, and nobody is joined.

    Args:
        graph: The chain.
        left_out: uint8[last - first], as in `co_spend`.
        change: int64[last - first], the output that is each transaction's change, -1 for none.
        parent: uint32[h], as in `co_spend`; flattened.
        label: uint32[h], as in `in_order`.
        size: uint32[h], of each root: how many holders its set has. Kept up to date for roots.
        most: Change never makes a set of more holders than this; 0 for no such limit.
        refused: int64[k, 4], filled with transaction, why (`OTHER_NAME`, `TOO_LARGE`) and the two labels.
        first: First transaction.
        last: One past the last.

    Returns:
        Merges refused; where more than k, only the first k are told.
    """
    count = 0
    for transaction in range(first, last):
        output = int(change[transaction - first])
        if output < 0 or left_out[transaction - first]:
            continue
        roots = {_root(parent, payer) for payer in _payers(graph, transaction)}
        if len(roots) != 1:
            continue
        low, high = sorted((roots.pop(), _root(parent, int(graph.holder[output]))))
        if low == high:
            continue
        clash = label[low] and label[high] and label[low] != label[high]
        if clash or (most and int(size[low]) + int(size[high]) > most):
            why = OTHER_NAME if clash else TOO_LARGE
            _note(refused, count, (transaction, why, int(label[low]), int(label[high])))
            count += 1
        else:
            _merge(parent, label, low, high)
            size[low] += size[high]
    return count


def _payers(graph: Graph, transaction: int) -> list[int]:
    first = int(graph.first_input[transaction]) + _high(graph.first_input_carries, transaction)
    last = len(graph.payer)
    if transaction + 1 < len(graph.first_input):
        last = int(graph.first_input[transaction + 1]) + _high(graph.first_input_carries, transaction + 1)
    return [int(payer) for payer in graph.payer[first:last] if payer != NONE32]


def _high(carries: Offsets, row: int) -> int:
    return int(np.searchsorted(carries, row, side="right")) << 32


def _two_labels(labels: list[int]) -> list[int]:
    """The first two different labels, in order."""
    return list(dict.fromkeys(label for label in labels if label))[:2]


def _root(parent: Counts32, holder: int) -> int:
    while int(parent[holder]) != holder:
        holder = int(parent[holder])
    return holder


def _link(parent: Counts32, one: int, other: int) -> None:
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _merge(parent: Counts32, label: Counts32, one: int, other: int) -> None:
    low, high = sorted((_root(parent, one), _root(parent, other)))
    if low != high:
        parent[high] = low
        label[low] = max(label[low], label[high])


def _note(refused: Offsets, row: int, what: tuple[int, ...]) -> None:
    if row < len(refused):
        refused[row] = what
