"""Litecoin's extension block (MWEB): money that goes into it ends there, and money that comes out of it begins there.

The last transaction of a block (HogEx) moves what everybody has inside. Amounts and holders inside are hidden, so no rule
can say which of its inputs paid which of its outputs, and no walk goes through it.

Source: LIP 2 and 3; `shieldwall.model.address.mweb_role`.
"""

from __future__ import annotations

from shieldwall.chain.store import ChainStore
from shieldwall.model.address import mweb_role

WENT_IN = "went into the extension block (MWEB), which hides amounts and holders: not followed"
CAME_OUT = "came out of the extension block (MWEB), which hides amounts and holders: not followed back"
_POOL = "mweb_hogaddr"


class Extension:
    """Which outputs and transactions of a store belong to the extension block; none where the network has no such block.

    Args:
        store: The chain.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store
        self._here = store.network.mweb

    def holds(self, output: int) -> bool:
        """True for an output that the extension block holds: what is paid into it, and the sum of what is inside."""
        return self._here and self._role(int(self._store.column("output_holder")[output])) is not None

    def moves(self, transaction: int) -> bool:
        """True for the transaction that moves what everybody has inside.

        It pays the sum of what is inside to its first output, and spends outputs of the extension block alone; an input
        of which no source gives the script speaks neither for nor against it.
        """
        if not self._here:
            return False
        first = self._store.output_range(transaction).start
        if self._store.is_coinbase(transaction):
            return False
        if self._role(int(self._store.column("output_holder")[first])) != _POOL:
            return False
        return all(entry.holder is None or self._role(entry.holder) for entry in self._store.inputs(transaction))

    def _role(self, holder: int) -> str | None:
        return mweb_role(self._store.holder(holder), self._store.network)
