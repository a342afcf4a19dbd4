"""The tag sets of a member as the labels of a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.intel import SERVICE_CATEGORIES, TAG, Directory, TagIndex, freezable_by, know
from shieldwall.intel.tag import category_of
from shieldwall.model.claim import Subject
from shieldwall.model.network import Network
from shieldwall.trace.labels import NOTHING_KNOWN, Label

_MOST_NAMED = 20  # categories in an error


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

    def of(self, identity: str) -> Label:
        """What the sets say of an address."""
        subject = Subject("address", self._chain, identity)
        found = self._index.lookup([subject])
        if not found:
            return NOTHING_KNOWN
        known = know(subject, found[subject])
        services = known.services(self._stop)
        freezable = freezable_by(known.tags, self._directory)
        return Label(
            tags=tuple(tag.as_dict() for tag in known.tags),
            service=services[0].label if services else None,
            category=services[0].category if services else None,
            freezable_by=tuple(freezer.as_dict() for freezer in freezable.freezers),
            contradictions=tuple(entry.text for entry in known.contradictions),
        )
