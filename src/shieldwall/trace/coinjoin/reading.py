"""The transactions of a store as the rules look at them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import Counts32
from shieldwall.kernels.plain.coinjoins import Shape, shape_of
from shieldwall.trace.coinjoin.starts import starts_of


class Shapes:
    """Shapes of transactions, one at a time.

    Args:
        store: The chain.
        services: uint32[k], ascending: holders that tags call services; None for none.

    Attributes:
        store: As above.
        services: As above, never None.
    """

    def __init__(self, store: ChainStore, services: Counts32 | None = None) -> None:
        self.store = store
        self.services = np.zeros(0, np.uint32) if services is None else services
        self._graph = graph_of(store)
        self._kinds = np.asarray(store.column("holder_kind"))

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """See `starts_of`."""
        return starts_of(self.store)

    def of(self, transaction: int) -> Shape:
        """The shape of a transaction."""
        return shape_of(self._graph, self._kinds, transaction, self.services)
