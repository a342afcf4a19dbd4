"""Profiles of transactions (twin of `compiled/profiles.py`): what wallets differ in, as one word each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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

Profiles = npt.NDArray[np.uint16]


def profile_bits(graph: Graph, kinds: Bytes, first: int, last: int) -> Profiles:
    """uint16[last - first]: the profiles of transactions `first` up to `last`, with the bits of `profile_bits`.

    Args:
        graph: The chain.
        kinds: uint8[h], the kind of each holder (a store's column `holder_kind`).
        first: First transaction.
        last: One past the last.
    """
    return profiles_of(graph, kinds, np.arange(first, last, dtype=np.int64))


def profiles_of(graph: Graph, kinds: Bytes, transactions: Offsets) -> Profiles:
    """uint16[k]: the profiles of these transactions, int64[k] in any order; other arguments as in `profile_bits`."""
    profiles = np.zeros(len(transactions), np.uint16)
    for place, transaction in enumerate(transactions.tolist()):
        profiles[place] = _profile(graph, kinds, transaction)
    return profiles


def _profile(graph: Graph, kinds: Bytes, transaction: int) -> int:
    flags = int(graph.flags[transaction])
    word = (flags >> VERSION_SHIFT) & VERSION_MASK
    word |= PROFILE_REPLACEABLE if flags & REPLACEABLE else 0
    word |= PROFILE_LOCKED if flags & LOCKED else 0
    word |= PROFILE_COINBASE if flags & COINBASE else 0
    for payer in _payers(graph, transaction):
        if payer == NONE32:
            word |= PROFILE_UNKNOWN
            continue
        kind = int(kinds[payer])
        word |= PROFILE_SEGWIT if kind in WITNESS_KINDS else 0
        word |= 1 << (PROFILE_KIND_SHIFT + (kind if kind <= LAST_KIND else 0))
    return word


def _payers(graph: Graph, transaction: int) -> list[int]:
    first = _row(graph, transaction)
    last = _row(graph, transaction + 1) if transaction + 1 < len(graph.first_input) else len(graph.payer)
    payers: list[int] = graph.payer[first:last].tolist()
    return payers


def _row(graph: Graph, transaction: int) -> int:
    """Number of a transaction's first input: the low half, and one high step for each carry up to there."""
    high = int(np.searchsorted(graph.first_input_carries, transaction, side="right"))
    return int(graph.first_input[transaction]) + (high << 32)
