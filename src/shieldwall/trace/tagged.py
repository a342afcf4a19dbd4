"""The tag sets of a member as the labels of a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel import SERVICE_CATEGORIES, TAG, Directory, TagIndex, freezable_by, know
from shieldwall.intel.known import Known
from shieldwall.intel.manifest import TagSetInfo
from shieldwall.intel.tag import category_of
from shieldwall.kernels.engine import kernel
from shieldwall.model.claim import Subject
from shieldwall.model.network import Network
from shieldwall.trace.labels import NOTHING_KNOWN, Label
from shieldwall.trace.tagged_holders import TaggedHolders

_MOST_NAMED = 20  # categories in an error
_MOST_KEPT = 4  # pairs of a store and its tag sets whose tagged holders are kept

_TAGGED: dict[tuple[Path, str, tuple[TagSetInfo, ...]], TaggedHolders] = {}


class TagTable:
    """Labels of the tagged holders of one store.

    Args:
        labels: What makes a label of what is known.
        tagged: The tagged holders.
        stop: Categories that make an address a service's.

    Attributes:
        tagged: The tagged holders.
        services: uint32[k], ascending: those that are a service's.
        derived: What others worked out from this table, kept as long as it is.
    """

    def __init__(self, labels: TagLabels, tagged: TaggedHolders, stop: frozenset[str]) -> None:
        self._labels = labels
        self._made: dict[int, Label] = {}
        self.derived: dict[str, Any] = {}
        self.tagged = tagged
        self.services = tagged.holders[tagged.service_places(stop)]

    @cached_property
    def spoken(self) -> npt.NDArray[np.uint32]:
        """uint32[k], ascending: those of which something is said that was not taken back."""
        spoken = np.fromiter((bool(self.tagged.standing(place)) for place in range(len(self.tagged))), np.bool_)
        return self.tagged.holders[spoken]

    @cached_property
    def service_set(self) -> npt.NDArray[np.uint32]:
        """The same as a set that kernels look into."""
        found: npt.NDArray[np.uint32] = kernel("walking", compiled=True).set_of(self.services)
        return found

    def has(self, holder: int) -> bool:
        """True for a tagged holder."""
        return self._place(holder) >= 0

    def label(self, holder: int) -> Label:
        """What the sets say of a holder."""
        found = self._made.get(holder)
        if found is None:
            place = self._place(holder)
            found = NOTHING_KNOWN if place < 0 else self._labels.of_known(self.tagged.known(place))
            self._made[holder] = found
        return found

    def _place(self, holder: int) -> int:
        holders = self.tagged.holders
        place = int(holders.searchsorted(np.uint32(holder)))
        return place if place < len(holders) and int(holders[place]) == holder else -1


class TagLabels:
    """Labels from opened tag sets and a directory of who can freeze.

    Args:
        index: The tag sets.
        directory: Who can freeze what.
        network: The chain that addresses are on.
        stop: Categories that make an address a service's; None for the room's own list.

    Raises:
        UsageError: A category that neither the taxonomy nor any tag of the sets has: it would stop nothing, silently.
    """

    def __init__(
        self, index: TagIndex, directory: Directory, network: Network, stop: Sequence[str] | None = None
    ) -> None:
        self._index = index
        self._directory = directory
        self._chain = network.caip2
        self._table: TagTable | None = None
        self._stop = SERVICE_CATEGORIES if stop is None else frozenset(map(category_of, stop))
        if self._stop - SERVICE_CATEGORIES:
            self._check(self._stop)

    def _check(self, stop: frozenset[str]) -> None:
        used = Counter(
            str(sourced.claim.statement.get("category", ""))
            for sourced in self._index.everything()
            if sourced.claim.kind == TAG.name and not sourced.claim.retracted
        )
        del used[""]
        for category in sorted(stop - SERVICE_CATEGORIES - set(used)):
            known = [name for name, _ in sorted(used.items(), key=lambda item: (-item[1], item[0]))][:_MOST_NAMED]
            raise UsageError(
                f"no tag of the sets used has the category {category!r}: it would stop nothing",
                hint=f"categories there: {', '.join(known) or 'none'}; of the taxonomy: {', '.join(sorted(SERVICE_CATEGORIES))}",
            )

    @property
    def versions(self) -> tuple[dict[str, Any], ...]:
        """Set names with their versions, and the directory with its date."""
        sets = [{"set": name, "version": version} for name, version in sorted(self._index.versions.items())]
        return (*sets, {"set": "freeze-directory", "version": self._directory.dated})

    @property
    def stop(self) -> tuple[str, ...]:
        """Categories that make an address a service's."""
        return tuple(sorted(self._stop))

    def table(self, store: ChainStore) -> TagTable:
        """The labels of the store's holders, kept in this process for the next trace."""
        key = (store.folder, store.digest, self._index.infos)
        if not all(
            info.digest for info in self._index.infos
        ):  # a part of a set has none: another person's part is another
            if self._table is None:
                self._table = TagTable(self, TaggedHolders.of(store, self._index), self._stop)
            return self._table
        tagged = _TAGGED.get(key)
        if tagged is None:
            while len(_TAGGED) >= _MOST_KEPT:
                del _TAGGED[next(iter(_TAGGED))]
            tagged = _TAGGED[key] = TaggedHolders.of(store, self._index)
        if self._table is None or self._table.tagged is not tagged:
            self._table = TagTable(self, tagged, self._stop)
        return self._table

    def of(self, identity: str) -> Label:
        """What the sets say of an address."""
        subject = Subject("address", self._chain, identity)
        found = self._index.lookup([subject])
        return self.of_known(know(subject, found[subject])) if found else NOTHING_KNOWN

    def of_known(self, known: Known) -> Label:
        """What is known of a subject, as a label."""
        services = known.services(self._stop)
        freezable = freezable_by(known.tags, self._directory)
        return Label(
            tags=tuple(tag.as_dict() for tag in known.tags),
            service=services[0].label if services else None,
            category=services[0].category if services else None,
            freezable_by=tuple(freezer.as_dict() for freezer in freezable.freezers),
            contradictions=tuple(entry.text for entry in known.contradictions),
        )
