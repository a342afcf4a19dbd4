"""Custody: who had a piece of evidence when, and what for, as a chain in which each entry carries the digest of the one before.

Whoever changes, removes, adds or reorders an entry breaks the chain at that place; whoever cuts its end is found by the number
and digest that a package, or anybody's note of the last entry, keeps. Pure; the clock is an argument.

Example:
    >>> first = begin("2026-10-01T08:00:00Z", "Mara", "acquired", "ransom note as received", "ab" * 32)
    >>> then = follow(first, "2026-10-01T09:00:00Z", "Mara", "copied", "working copy for analysis", "ab" * 32)
    >>> broken((first, then)), broken((then,))
    ((), ('entry 1 is missing: the chain begins with 2',))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shieldwall.errors import BadInput, BadText
from shieldwall.model.canonical import digest

NONE = "0" * 64
"""What the first entry carries in the place of a digest."""

MOST_WORDS = 1000  # characters


class Copy(StrEnum):
    """What a piece of evidence is (Berkeley Protocol: evidentiary copy and working copy)."""

    ORIGINAL = "original"
    WORKING = "working copy"


class Deed(StrEnum):
    """What was done with it (ISO/IEC 27037: identification, collection, acquisition, preservation; and what follows)."""

    ACQUIRED = "acquired"
    COPIED = "copied"
    EXAMINED = "examined"
    MOVED = "moved"
    HANDED_OVER = "handed over"
    VERIFIED = "verified"
    PACKED = "packed"
    REDACTED = "redacted"
    RETURNED = "returned"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a custody log.

    Attributes:
        number: From 1.
        at: When, ISO 8601 in UTC.
        who: Whose deed it was.
        deed: What was done; one of `Deed`.
        why: What for, in words.
        sha256: Of the content at that moment, hex.
        previous: `digest` of the entry before; `NONE` for the first.
    """

    number: int
    at: str
    who: str
    deed: str
    why: str
    sha256: str
    previous: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of all fields."""
        return digest(self.fields())

    def fields(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return {
            "number": self.number,
            "at": self.at,
            "who": self.who,
            "deed": self.deed,
            "why": self.why,
            "sha256": self.sha256,
            "previous": self.previous,
        }

    def as_dict(self) -> dict[str, Any]:
        """The fields and the digest."""
        return {**self.fields(), "digest": self.digest}

    @classmethod
    def from_dict(cls, plain: Any, place: str = "custody") -> Entry:  # noqa: ANN401 - any JSON value
        """What `as_dict` wrote; its digest must be that of its fields.

        Raises:
            BadText: It is none, or was changed.
        """
        try:
            body = dict(plain)
            said = body.pop("digest")
            entry = cls(**body)
        except (TypeError, KeyError, ValueError):
            raise BadText(f"{place}: not an entry of a custody log") from None
        texts = (entry.at, entry.who, entry.deed, entry.why, entry.sha256, entry.previous)
        if type(entry.number) is not int or not all(isinstance(text, str) for text in texts) or said != entry.digest:
            raise BadText(f"{place}: entry {entry.number!r} is not what its digest says")
        return entry


def begin(at: str, who: str, deed: str, why: str, sha256: str) -> Entry:
    """The first entry of a log.

    Raises:
        BadInput: No such deed, or no words.
    """
    return _made(1, at, who, deed, why, sha256, NONE)


def follow(last: Entry, at: str, who: str, deed: str, why: str, sha256: str) -> Entry:
    """The entry after `last`.

    Raises:
        BadInput: As `begin`; or it would bear a time before `last`.
    """
    if at < last.at:
        raise BadInput(f"custody goes forward: the entry before is of {last.at}")
    if last.deed == Deed.DESTROYED:
        raise BadInput("that was destroyed: nothing more can be done with it")
    return _made(last.number + 1, at, who, deed, why, sha256, last.digest)


def broken(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What is wrong with a chain, a sentence each; nothing for a whole one."""
    found, before = [], None
    for place, entry in enumerate(entries, 1):
        if entry.number != place:
            found.append(
                f"entry {place} is missing: the chain {'begins' if place == 1 else 'goes on'} with {entry.number}"
            )
            break
        if entry.previous != (before.digest if before else NONE):
            found.append(f"entry {place} does not follow on the one before it")
        if before and entry.at < before.at:
            found.append(f"entry {place} is of a time before the one before it")
        before = entry
    return tuple(found)


def _made(number: int, at: str, who: str, deed: str, why: str, sha256: str, previous: str) -> Entry:
    try:
        known = Deed(deed)
    except ValueError:
        raise BadInput(
            f"{deed[:40]!r} is nothing that is done with evidence", hint=f"use one of {', '.join(Deed)}"
        ) from None
    plain = " ".join(why.split())
    if not who.strip() or not plain or len(plain) > MOST_WORDS:
        raise BadInput(f"an entry says who did it, and what for in at most {MOST_WORDS} characters")
    return Entry(number=number, at=at, who=who, deed=known.value, why=plain, sha256=sha256, previous=previous)
