"""The tagged addresses of a network that are holders of a store, all at once.

A trace that touches millions of holders, or a clustering of all of them, cannot ask tag by tag: it is the few tagged
addresses that are looked up among the holders, and not the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagIndex
from shieldwall.intel.known import Known, know
from shieldwall.intel.setfile import Glance
from shieldwall.intel.tag import TAG
from shieldwall.model.claim import Subject

ADDRESS = "address"


class TaggedHolders:
    """Holders that tags speak of.

    Args:
        holders: uint32[k], ascending and distinct.
        subjects: The tagged address of each.
        standing: Of each subject, its tags that stand, at a glance.
        ask: What is known of a subject.
        versions: Set name -> version.

    Attributes:
        holders: As above.
        subjects: As above.
        versions: As above.
    """

    def __init__(
        self,
        holders: npt.NDArray[np.uint32],
        subjects: Sequence[Subject],
        standing: Mapping[Subject, Sequence[Glance]],
        ask: Callable[[Subject], Known],
        versions: Mapping[str, str],
    ) -> None:
        self.holders = holders
        self.subjects = tuple(subjects)
        self.versions = dict(versions)
        self._standing = standing
        self._ask = ask
        self._known: dict[int, Known] = {}

    @classmethod
    def of(cls, store: ChainStore, index: TagIndex) -> TaggedHolders:
        """All of them. A tag on a public key's hash is also one on the key itself where that has no tag of its own.

        Raises:
            StoreError: A tag set on disk is not what its manifest says.
        """
        standing: dict[Subject, list[Glance]] = {}
        for glance in index.glances():
            if glance.subject.type == ADDRESS and glance.subject.chain == store.network.caip2:
                said = standing.setdefault(glance.subject, [])
                if glance.kind == TAG.name and not glance.retracted:
                    said.append(glance)
        subjects = sorted(standing)
        found = store.find_addresses([subject.name for subject in subjects])
        named = {int(holder): subject for holder, subject in zip(found, subjects, strict=True) if holder != NO_HOLDER}
        for holder, subject in _twins(store, subjects).items():
            named.setdefault(holder, subject)
        holders = np.array(sorted(named), np.uint32)

        def ask(subject: Subject) -> Known:
            return know(subject, index.lookup([subject]).get(subject, ()))

        return cls(holders, [named[holder] for holder in holders.tolist()], standing, ask, index.versions)

    def __len__(self) -> int:
        return len(self.holders)

    def known(self, place: int) -> Known:
        """What is known of the holder at a place of `holders`."""
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = self._ask(self.subjects[place])
        return found

    def standing(self, place: int) -> Sequence[Glance]:
        """The tags that stand of the holder at a place of `holders`, at a glance."""
        return self._standing[self.subjects[place]]

    def service_places(self, stop: frozenset[str]) -> npt.NDArray[np.int64]:
        """int64[m]: places of the holders whose tags have one of the categories `stop`: services."""
        places = [place for place in range(len(self)) if any(said.category in stop for said in self.standing(place))]
        return np.array(places, np.int64)

    def places_of(self, holders: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """int64[n]: the place of each of `holders`; -1 for one without a tag."""
        if not len(self.holders):
            return np.full(len(holders), -1, np.int64)
        places = np.searchsorted(self.holders, holders).clip(max=len(self.holders) - 1)
        return np.where(self.holders[places] == holders, places, -1)


def _twins(store: ChainStore, subjects: Sequence[Subject]) -> dict[int, Subject]:
    """The other form of the same key of each address, paid or not, where the store has one and has keys at all."""
    if not any(run.keys for run in store.manifest.runs) and store.indexed:
        return {}
    found = store.find_same_addresses([subject.name for subject in subjects]).tolist()
    return {holder: subject for holder, subject in zip(found, subjects, strict=True) if holder != NO_HOLDER}
