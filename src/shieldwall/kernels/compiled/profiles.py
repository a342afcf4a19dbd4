"""Profiles of transactions (twin of `plain/profiles.py`): one pass over flags, payers and their kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shieldwall.kernels.arrays import (
    COINBASE,
    LOCKED,
    NONE32,
    REPLACEABLE,
    VERSION_MASK,
    VERSION_SHIFT,
    Bytes,
    Graph,
    Offsets,
)
from shieldwall.kernels.compiled.columns import ascending, rows_from
from shieldwall.kernels.profile_bits import (
    LAST_KIND,
    PROFILE_COINBASE,
    PROFILE_KIND_SHIFT,
    PROFILE_LOCKED,
    PROFILE_REPLACEABLE,
    PROFILE_SEGWIT,
    PROFILE_UNKNOWN,
    WITNESS_KINDS,
)

_FIRST_WITNESS, _LAST_WITNESS = min(WITNESS_KINDS), max(WITNESS_KINDS)


# helpers take numbers, never the graph: numba would count references of all its arrays at each call (measured: five times slower)


@njit(inline="always")
def _of_flags(flags: Any) -> Any:
    word = (flags >> VERSION_SHIFT) & VERSION_MASK
    if flags & REPLACEABLE:
        word |= PROFILE_REPLACEABLE
    if flags & LOCKED:
        word |= PROFILE_LOCKED
    if flags & COINBASE:
        word |= PROFILE_COINBASE
    return word


@njit(inline="always")
def _of_kind(kind: Any) -> Any:
    bits = PROFILE_SEGWIT if _FIRST_WITNESS <= kind <= _LAST_WITNESS else 0
    return bits | np.int64(1) << (PROFILE_KIND_SHIFT + (kind if kind <= LAST_KIND else 0))


@njit(cache=True, nogil=True)
def _range(graph: Any, kinds: Any, first: Any, last: Any, profiles: Any) -> None:
    payers = graph.payer
    if first >= last:
        return
    begin = ascending(graph.first_input, graph.first_input_carries, first)
    for transaction in range(first, last):
        end = np.int64(len(payers))
        if transaction + 1 < len(graph.first_input):
            end = ascending(graph.first_input, graph.first_input_carries, transaction + 1)
        word = _of_flags(np.int64(graph.flags[transaction]))
        for number in range(begin, end):
            payer = payers[number]
            word |= PROFILE_UNKNOWN if payer == NONE32 else _of_kind(np.int64(kinds[payer]))
        profiles[transaction - first] = word
        begin = end


@njit(cache=True, nogil=True)
def _chosen(graph: Any, kinds: Any, transactions: Any, profiles: Any) -> None:
    payers = graph.payer
    for place in range(len(transactions)):
        transaction = transactions[place]
        begin, end = rows_from(graph.first_input, graph.first_input_carries, transaction, len(payers))
        word = _of_flags(np.int64(graph.flags[transaction]))
        for number in range(begin, end):
            payer = payers[number]
            word |= PROFILE_UNKNOWN if payer == NONE32 else _of_kind(np.int64(kinds[payer]))
        profiles[place] = word


def profile_bits(graph: Graph, kinds: Bytes, first: int, last: int) -> npt.NDArray[np.uint16]:
    """Profiles of a range of transactions; arguments and result as in `plain.profiles.profile_bits`."""
    profiles = np.empty(max(last - first, 0), np.uint16)
    _range(graph, kinds, first, last, profiles)
    return profiles


def profiles_of(graph: Graph, kinds: Bytes, transactions: Offsets) -> npt.NDArray[np.uint16]:
    """Profiles of chosen transactions; arguments and result as in `plain.profiles.profiles_of`."""
    profiles = np.empty(len(transactions), np.uint16)
    _chosen(graph, kinds, transactions, profiles)
    return profiles
