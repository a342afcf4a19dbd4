"""The holders of a store as a trace sees them: their addresses, and what the tags say; each asked for once."""

from __future__ import annotations

from shieldwall.chain.store import ChainStore
from shieldwall.model import address
from shieldwall.model.address import key_hash
from shieldwall.model.script import ScriptKind
from shieldwall.trace.labels import NOTHING_KNOWN, Label, Labels, NoLabels


class Holders:
    """Addresses and labels by holder number; methods side by side share them, since they pass the same addresses.

    Args:
        store: The chain.
        labels: The tags.

    Attributes:
        tagged: False where there are no tags at all.
    """

    def __init__(self, store: ChainStore, labels: Labels) -> None:
        self._store = store
        self._labels = labels
        self.tagged = not isinstance(labels, NoLabels)
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
        if not self.tagged:
            return NOTHING_KNOWN  # the address, dear to encode, need not be known
        found = self._known.get(holder)
        if found is None:
            found = self._labels.of(self.identity(holder))
            other = self._other_form(holder) if found == NOTHING_KNOWN else None
            if other is not None:
                found = self._labels.of(other)
            self._known[holder] = found
        return found

    def _other_form(self, holder: int) -> str | None:
        """The address of a public key's hash, whether or not that was ever paid; of a hash the key, where it was."""
        script = self._store.holder(holder)
        if script.kind == ScriptKind.P2PK:
            return address.identity(key_hash(script.payload), self._store.network)
        other = self._store.same_key(script)
        return None if other is None else self.identity(other)
