"""What the readers share: the shape of their one function, what it takes and what it gives.

The readers are `tagpack`, `actorpack`, `addresslist` and `csvtags`; each has `parse(raw, place, options) -> Pack`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shieldwall.model.claim import Claim
from shieldwall.model.marking import STRICTEST_PAP, Marking, Pap
from shieldwall.model.network import MAIN, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the person who imports says about a file; what the file itself says comes first, except the marking.

    Attributes:
        marking: Who may see the tags; None leaves it to the file (`is_public: true` is TLP:CLEAR), else the strictest.
        pap: What may be done with the tags; the strictest unless said otherwise.
        set_name: The tag set that the file goes to; the label of last resort for a list that has none.
        label: Label of tags that state none.
        category: Category of tags that state none.
        abuse: Abuse of tags that state none.
        actor: Actor id of tags that state none.
        currency: Currency of addresses that state none.
        source: Source of tags that state none.
        made_by: Who says it, where the file names nobody.
        confidence: A TagPack confidence word for tags that state none.
        at: Date of tags that state none.
        network: The Bitcoin network that BTC means; an exercise's is a simulated one.
    """

    marking: Marking | None = None
    pap: Pap = STRICTEST_PAP
    set_name: str = ""
    label: str = ""
    category: str = ""
    abuse: str = ""
    actor: str = ""
    currency: str = ""
    source: str = ""
    made_by: str = ""
    confidence: str = ""
    at: str = ""
    network: Network = MAIN


@dataclass(frozen=True, slots=True, order=True)
class Rejected:
    """An entry that names nothing on its chain: kept in the report, never dropped silently.

    Attributes:
        place: Where it stands, such as "tag 531" or "line 7".
        text: What stands there, at most 120 characters of it.
        reason: Why it was not taken.
        nearest: Valid addresses one slip away, where that was cheap to find.
    """

    place: str
    text: str
    reason: str
    nearest: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"place": self.place, "text": self.text, "reason": self.reason, "nearest": list(self.nearest)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What one file says.

    Attributes:
        reader: Name of the reader that read it.
        claims: In the file's order; every entry its own claim.
        rejected: Entries that were not taken.
        title: The file's own title; "" for none.
        lastmod: The file's own date, ISO 8601; "" for none.
        further: Fields that the reader has no place for, with the number of entries that have them. Of tags they are
            kept in `further` of each statement; of actors they are counted only.
    """

    reader: str
    claims: tuple[Claim, ...]
    rejected: tuple[Rejected, ...] = ()
    title: str = ""
    lastmod: str = ""
    further: Mapping[str, int] = field(default_factory=dict)


class Reader(Protocol):
    """The one function of a reader module. No input or output: the bytes are at hand."""

    def __call__(self, raw: bytes, place: str, options: ReadOptions) -> Pack:
        """The claims in `raw`; `place` names it in errors (BadText)."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """A claim and the tag set, with its version, that it was found in."""

    claim: Claim
    set: str
    version: str
