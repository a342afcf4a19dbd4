"""The holders of a store as a trace sees them: their addresses, and what the tags say; each asked for once."""

from __future__ import annotations

from shieldwall.chain.store import ChainStore
from shieldwall.trace.labels import NOTHING_KNOWN, Label, Labels, NoLabels


class Holders:
    """Addresses and labels by holder number; methods side by side share them, since they pass the same addresses.

    Args:
        store: The chain.
        labels: The tags.
    """

    def __init__(self, store: ChainStore, labels: Labels) -> None:
        self._store = store
        self._labels = labels
        self._identities: dict[int, str] = {}
        self._known: dict[int, Label] = {}

    def identity(self, holder: int) -> str:
        """A holder's address, or `kind:payload` where there is none."""
        found = self._identities.get(holder)
        if found is None:
            found = self._identities[holder] = self._store.identity(holder)
        return found

    def label(self, holder: int) -> Label:
        """What the tags say of a holder; of its public key's hash (or the other way) where they say nothing of itself."""
        if isinstance(self._labels, NoLabels):
            return NOTHING_KNOWN  # the address, dear to encode, need not be known
        found = self._known.get(holder)
        if found is None:
            found = self._labels.of(self.identity(holder))
            twin = self._store.twin(holder) if found == NOTHING_KNOWN else None
            if twin is not None:
                found = self._labels.of(self.identity(twin))
            self._known[holder] = found
        return found
