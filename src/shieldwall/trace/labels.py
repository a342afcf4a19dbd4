"""What a trace asks of the tags: is this holder a service, what is said of it, who can freeze there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one address.

    Attributes:
        tags: Merged tags with their sources, as plain JSON values, best first.
        service: Name of the service that the tags say it belongs to; None when they say none.
        category: Tag category that makes it one.
        freezable_by: Directory entries of who can freeze there, as plain JSON values.
        contradictions: Where sources disagree, in words.
        inherited: The member of its cluster that all this is said of; None where it is said of the address itself.
    """

    tags: tuple[dict[str, Any], ...] = ()
    service: str | None = None
    category: str | None = None
    freezable_by: tuple[dict[str, Any], ...] = ()
    contradictions: tuple[str, ...] = ()
    inherited: str | None = None


NOTHING_KNOWN = Label()


class LabelTable(Protocol):
    """The labels of a store's holders, with the few that have any known beforehand: the others cost nothing."""

    @property
    def services(self) -> npt.NDArray[np.uint32]:
        """uint32[k], ascending: holders at which money has reached a service."""

    @property
    def spoken(self) -> npt.NDArray[np.uint32]:
        """uint32[k], ascending: holders that have a label of their own, a service's or not."""

    @property
    def service_set(self) -> npt.NDArray[np.uint32]:
        """The same as a set that kernels look into (`kernels.compiled.walking.set_of`)."""

    def has(self, holder: int) -> bool:
        """False for a holder of which nothing is known."""

    def label(self, holder: int) -> Label:
        """What is known of a holder."""


@runtime_checkable
class Listed(Protocol):
    """Labels that can say which holders of a store they speak of."""

    def table(self, store: ChainStore) -> LabelTable:
        """The labels of the store's holders; dear the first time, and kept."""


class Labels(Protocol):
    """The tag sets that a trace uses."""

    @property
    def versions(self) -> tuple[dict[str, Any], ...]:
        """Name and version of every set and directory, for the result."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Tag categories at which money has reached a service, in order."""

    def of(self, identity: str) -> Label:
        """What is known of an address."""


class NoLabels:
    """No tag set at all."""

    @property
    def versions(self) -> tuple[dict[str, Any], ...]:
        """None."""
        return ()

    @property
    def stop(self) -> tuple[str, ...]:
        """None."""
        return ()

    def of(self, identity: str) -> Label:  # noqa: ARG002
        """Nothing."""
        return NOTHING_KNOWN
