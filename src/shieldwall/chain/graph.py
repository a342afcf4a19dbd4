"""A store's columns as the plain arrays that kernels walk on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.chain.wide import Ascending
from shieldwall.kernels.arrays import Graph, frozen


def graph_of(store: ChainStore) -> Graph:
    """The arrays of a store; nothing is copied but what has no rows."""
    first_input, first_output = store.column("tx_first_input"), store.column("tx_first_output")
    link = store.column("input_output")
    arrays = (
        first_input.low,
        _carries(first_input),
        first_output.low,
        _carries(first_output),
        store.column("tx_flags"),
        store.column("output_value"),
        store.column("output_holder"),
        store.column("output_spender"),
        link.low,
        link.high,
        store.column("input_holder"),
        store.column("outside_input"),
        store.column("outside_value"),
    )
    return Graph(*map(frozen, arrays))


def _carries(column: Ascending) -> npt.NDArray[np.int64]:
    return np.asarray(column.carries, np.int64)
