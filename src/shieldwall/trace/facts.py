"""Transactions and addresses of a store in the words of a result; the same few are named again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.mapping import places_of
from shieldwall.chain.store import ChainStore
from shieldwall.model.moment import utc
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN, Label
from shieldwall.trace.record import Ending


class Facts:
    """What the store says of transactions and outputs, and the tags of their holders.

    Args:
        store: The chain.
        holders: Addresses, and what the tags say of them.
    """

    def __init__(self, store: ChainStore, holders: Holders) -> None:
        self.store = store
        self.holders = holders
        self.values = store.column("output_value")
        self._holder_of = store.column("output_holder")
        self._transactions: dict[int, dict[str, Any]] = {}

    def transaction(self, number: int) -> dict[str, Any]:
        """`txid`, `first` (number of its first output), `height`, `time`."""
        found = self._transactions.get(number)
        if found is None:
            store = self.store
            found = self._transactions[number] = {
                "txid": store.txid(number),
                "first": store.output_range(number).start,
                "height": store.height_of(number),
                "time": utc(store.time_of(number)),
            }
        return found

    def times(self, transactions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """uint32[k], Unix seconds: the times of many transactions' blocks."""
        blocks = places_of(self.store.column("block_first_tx"), transactions, "right") - 1
        times: npt.NDArray[np.uint32] = self.store.column("block_time")[blocks]
        return times

    def holder_of(self, outputs: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """uint32[k]: the holders of many outputs."""
        holders: npt.NDArray[np.uint32] = self._holder_of[outputs]
        return holders

    def address(self, output: int) -> str:
        """Address of an output, or `kind:payload`."""
        return self.holders.identity(int(self._holder_of[output]))

    def address_of(self, ending: Ending) -> str | None:
        """Address where a walk ended; None for a fee, and where no source gives it."""
        holder = self._holder(ending)
        return None if holder is None else self.holders.identity(holder)

    def label_of(self, ending: Ending) -> Label:
        """What the tags say of it."""
        holder = self._holder(ending)
        return NOTHING_KNOWN if holder is None else self.holders.label(holder)

    def _holder(self, ending: Ending) -> int | None:
        if ending.outside is not None:
            return ending.outside.holder
        return None if ending.output is None else int(self._holder_of[ending.output])

    def outpoint(self, ending: Ending) -> tuple[str, int | None]:
        """txid and index of the output where a walk ended; no index for a fee."""
        if ending.outside is not None:
            return ending.outside.txid, ending.outside.index
        made = self.transaction(ending.transaction)
        return made["txid"], None if ending.output is None else ending.output - int(made["first"])
