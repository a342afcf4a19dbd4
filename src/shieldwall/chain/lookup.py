"""Number holders and resolve inputs by looking into the store, for an extension that is small beside it.

The kernels hold every holder and every live output in memory: right for a build, and minutes of loading for one block more
on a long chain. These know only what the extension brings, and ask the store's indexes for the rest.
"""

from __future__ import annotations

import numpy as np

from shieldwall.chain.columns import UNSPENDABLE
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.plain.interning import Interner
from shieldwall.kernels.plain.outpoints import LiveOutputs
from shieldwall.model.script import Script, ScriptKind

_TXID = 32  # bytes of an outpoint before the index


class StoredHolders(Interner):
    """The holders of a committed store, and new ones behind them."""

    def __init__(self, store: ChainStore) -> None:
        super().__init__(np.empty(0, np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint8))
        self._store = store
        self.count = store.rows("holder")

    def meet(self, key: bytes) -> int:
        """The number that a holder has in the store, else a new one."""
        number = self._store.find_holder(Script(ScriptKind(key[0]), key[1:]))
        if number is None:
            return super().meet(key)
        self._numbers[key] = number
        return number


class StoredOutputs(LiveOutputs):
    """The outputs of a committed store that nothing spends, and new ones."""

    def __init__(self, store: ChainStore) -> None:
        super().__init__()
        self._store = store
        self._gone: set[int] = set()

    def take(self, outpoint: bytes) -> tuple[int, int] | None:
        """Number and holder of an output that nothing had spent, new or in the store; None when there is none."""
        found = super().take(outpoint)
        maker = self._store.find_transaction(outpoint[:_TXID]) if found is None else None
        if maker is None:
            return found
        outputs, index = self._store.output_range(maker), int.from_bytes(outpoint[_TXID:], "little")
        if index >= len(outputs) or outputs[index] in self._gone:
            return None
        spender = int(self._store.column("output_spender")[outputs[index]])
        if spender < self._store.rows("tx") or spender == UNSPENDABLE:
            return None
        self._gone.add(outputs[index])
        return outputs[index], int(self._store.column("output_holder")[outputs[index]])

    def met_before(self, txid: bytes) -> bool:
        """True for a transaction of the store."""
        return self._store.find_transaction(txid) is not None
