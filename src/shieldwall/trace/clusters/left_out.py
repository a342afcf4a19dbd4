"""Which transactions join nobody: those that a published rule types as a CoinJoin of several payers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import COINJOIN_NAMES, NO_COINJOIN, WHIRLPOOL_TX0, Bytes, Counts32, Graph, frozen
from shieldwall.kernels.engine import EngineName, is_compiled, kernel
from shieldwall.trace.coinjoin.starts import starts_of

BLOCKING = tuple(code for code in range(len(COINJOIN_NAMES)) if code not in (NO_COINJOIN, WHIRLPOOL_TX0))
"""Codes of the types whose inputs several people pay; a tx0 has one payer."""
_COMPILED_FROM = 50_000  # transactions


def coinjoins(
    store: ChainStore, graph: Graph, first: int, last: int, services: Counts32, engine: EngineName = "auto"
) -> Bytes:
    """uint8[last - first]: the type of each transaction, a place in `COINJOIN_NAMES`.

    Args:
        store: The chain.
        graph: Its arrays.
        first: First transaction.
        last: One past the last.
        services: uint32[k], ascending: holders that tags call services; one among the payers vetoes JoinMarket.
        engine: Which kernels.
    """
    compiled = is_compiled(engine, large=last - first >= _COMPILED_FROM)
    kinds = store.column("holder_kind")
    types = kernel("coinjoins", compiled=compiled).coinjoin_kinds
    found: Bytes = types(graph, kinds, first, last, frozen(services), starts_of(store))
    return found


def is_left_out(kinds: Bytes) -> npt.NDArray[np.bool_]:
    """bool[n]: which of these types leave their payers apart."""
    return np.isin(kinds, BLOCKING)
