"""The holders of a store as a trace sees them: their addresses, and what the tags say; each asked for once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import kernel
from shieldwall.model import address
from shieldwall.model.address import key_hash
from shieldwall.model.script import ScriptKind
from shieldwall.trace.labels import NOTHING_KNOWN, Label, Labels, LabelTable, Listed, NoLabels

MOST_ASKED = 100_000  # holders of a store that are asked for one by one where the labels have no table


class Inherited(Protocol):
    """Labels that holders have of others, such as those of their cluster."""

    @property
    def services(self) -> npt.NDArray[np.uint32]:
        """uint32[k], ascending: holders that are a service's by what others are."""

    def label(self, holder: int) -> Label:
        """What a holder of which no tag speaks has of others."""

    def once(self, make: Callable[[], npt.NDArray[np.uint32]]) -> npt.NDArray[np.uint32]:
        """What `make` gives: the set of all services, worked out once for the labels that these are made from."""


class Holders:
    """Addresses and labels by holder number; methods side by side share them, since they pass the same addresses.

    Args:
        store: The chain.
        labels: The tags.
        inherited: What holders have of others, asked where no tag speaks of themselves; none by default.

    Attributes:
        tagged: False where there are no tags at all.
    """

    def __init__(self, store: ChainStore, labels: Labels, inherited: Inherited | None = None) -> None:
        self._store = store
        self._labels = labels
        self._inherited = inherited
        self._table: LabelTable | None = None
        self.tagged = not isinstance(labels, NoLabels) or inherited is not None
        self._identities: dict[int, str] = {}
        self._known: dict[int, Label] = {}

    def identity(self, holder: int) -> str:
        """A holder's address, or `kind:payload` where there is none."""
        found = self._identities.get(holder)
        if found is None:
            found = self._identities[holder] = self._store.identity(holder)
        return found

    def name(self, holders: npt.NDArray[np.uint32]) -> None:
        """Find the addresses of many holders at once, for `identity` to give later."""
        wanted = [holder for holder in np.unique(holders).tolist() if holder not in self._identities]
        self._identities.update(zip(wanted, self._store.identities(np.array(wanted, np.uint32)), strict=True))

    def label(self, holder: int) -> Label:
        """What the tags say of a holder; of its public key's hash (or the other way) where they say nothing of itself."""
        if not self.tagged:
            return NOTHING_KNOWN  # the address, dear to encode, need not be known
        found = self._known.get(holder)
        if found is None:
            found = self._asked(holder) if self._table is None else self._listed(self._table, holder)
            if found == NOTHING_KNOWN and self._inherited is not None:
                found = self._inherited.label(holder)
            self._known[holder] = found
        return found

    def _listed(self, table: LabelTable, holder: int) -> Label:
        return table.label(holder) if table.has(holder) else NOTHING_KNOWN

    def _asked(self, holder: int) -> Label:
        if isinstance(self._labels, NoLabels):
            return NOTHING_KNOWN
        found = self._labels.of(self.identity(holder))
        other = self._other_form(holder) if found == NOTHING_KNOWN else None
        return found if other is None else self._labels.of(other)

    def _other_form(self, holder: int) -> str | None:
        """The address of a public key's hash, whether or not that was ever paid; of a hash the key, where it was."""
        script = self._store.holder(holder)
        if script.kind == ScriptKind.P2PK:
            return address.identity(key_hash(script.payload), self._store.network)
        other = self._store.same_key(script)
        return None if other is None else self.identity(other)

    # all services at once

    @property
    def listed(self) -> bool:
        """True where all services can be told beforehand: the labels have a table, or the store is small."""
        plain = isinstance(self._labels, Listed | NoLabels)
        return plain or self._store.rows("holder") <= MOST_ASKED

    def services(self) -> npt.NDArray[np.uint32]:
        """uint32[k], ascending and distinct: every holder of the store at which money has reached a service."""
        own = np.empty(0, np.uint32)
        table = self._listed_labels()
        if table is not None:
            own = table.services
        elif not isinstance(self._labels, NoLabels):
            every = range(self._store.rows("holder"))
            own = np.array([holder for holder in every if self._asked(holder).service is not None], np.uint32)
        if self._inherited is None:
            return own
        return np.union1d(own, self._without_own(self._inherited.services))

    def _without_own(self, holders: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Those of which no tag speaks: only they have labels of others."""
        if self._table is not None:
            return np.setdiff1d(holders, self._table.spoken, assume_unique=True)
        return np.array([holder for holder in holders.tolist() if self._asked(holder) == NOTHING_KNOWN], np.uint32)

    def service_set(self) -> npt.NDArray[np.uint32]:
        """The same as a set that kernels look into; worked out once for the labels and what is inherited of them."""
        if self._inherited is not None:
            self._listed_labels()
            return self._inherited.once(self._set_of_services)
        services = self.services()
        return self._set_of(services) if self._table is None else self._table.service_set

    def _set_of_services(self) -> npt.NDArray[np.uint32]:
        return self._set_of(self.services())

    @staticmethod
    def _set_of(services: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        found: npt.NDArray[np.uint32] = kernel("walking", compiled=True).set_of(services)
        return found

    def _listed_labels(self) -> LabelTable | None:
        """The labels' table, where they have one; from then on no address needs to be known to tell its label."""
        if isinstance(self._labels, Listed):
            self._table = self._labels.table(self._store)
        return self._table
