"""What a trace asks of the tags: is this holder a service, what is said of it, who can freeze there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one address.

    Attributes:
        tags: Merged tags with their sources, as plain JSON values, best first.
        service: Name of the service that the tags say it belongs to; None when they say none.
        category: Tag category that makes it one.
        freezable_by: Directory entries of who can freeze there, as plain JSON values.
        contradictions: Where sources disagree, in words.
    """

    tags: tuple[dict[str, Any], ...] = ()
    service: str | None = None
    category: str | None = None
    freezable_by: tuple[dict[str, Any], ...] = ()
    contradictions: tuple[str, ...] = ()


NOTHING_KNOWN = Label()


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
