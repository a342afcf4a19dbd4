"""Legal profiles: by which instrument a request goes, what it must hold, and which clocks run from it; dated, with sources.

Nothing here is legal advice. A profile that nobody held against its text says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from shieldwall.cases.recipients import source_of
from shieldwall.cases.request import RequestKind
from shieldwall.intel.directory import EntrySource
from shieldwall.model.moment import unix, utc
from shieldwall.model.tomltable import TomlTable

STARTS = ("received", "order", "extension")
"""From when a clock of an instrument runs."""

_HOUR, _DAY = 3600, 86_400  # seconds
_MOST = 10_000  # hours or days of a clock: more is a slip


@dataclass(frozen=True, slots=True)
class LegalField:
    """What a request under the instrument must hold: its name, and what is meant."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class LegalClock:
    """A time that the instrument sets.

    Attributes:
        name: What ends.
        seconds: Its length.
        start: From when it runs, one of `STARTS`.
        what: What it is for.
        verified: Whether somebody read the number in a source.
    """

    name: str
    seconds: int
    start: str
    what: str
    verified: bool

    def due(self, start: str) -> str:
        """When it ends, for one that runs from `start`; ISO 8601 in UTC."""
        return utc(unix(start) + self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalProfile:
    """An instrument.

    Attributes:
        id: Its name here.
        name: Its name for people.
        instrument: Law and article.
        kinds: Of request that go by it.
        between: Between whom, and on which way.
        countries: ISO codes; empty for any.
        state: Since when it is in force, as far as known.
        note: What is not settled.
        verified: Whether somebody held it against the text.
        listed: Whether the law itself lists what a request must hold; else the list is from practice.
        fields: What a request must hold.
        clocks: What runs from it.
        sources: Where all this is from.
    """

    id: str
    name: str
    instrument: str
    kinds: tuple[RequestKind, ...]
    between: str
    countries: tuple[str, ...]
    state: str
    note: str
    verified: bool
    listed: bool
    fields: tuple[LegalField, ...]
    clocks: tuple[LegalClock, ...]
    sources: tuple[EntrySource, ...]


@dataclass(frozen=True, slots=True)
class LegalProfiles:
    """Profiles, and the day on which they were gone through."""

    dated: str
    profiles: tuple[LegalProfile, ...]

    def get(self, profile_id: str) -> LegalProfile | None:
        """The profile with an id."""
        return next((profile for profile in self.profiles if profile.id == profile_id), None)

    def of(self, kind: RequestKind) -> tuple[LegalProfile, ...]:
        """Those by which a kind of request may go."""
        return tuple(profile for profile in self.profiles if kind in profile.kinds)


@cache
def shipped() -> LegalProfiles:
    """The profiles that ship with the program."""
    text = (resources.files("shieldwall.cases") / "data" / "legal.toml").read_text(encoding="utf-8")
    return read_legal(text, "legal.toml")


def read_legal(text: str, place: str) -> LegalProfiles:
    """Legal profiles in TOML.

    Raises:
        BadText: They do not fit.
    """
    table = TomlTable.parse(text, place)
    found = LegalProfiles(table.take_text("dated"), tuple(_profile(each) for each in table.take_tables("profile")))
    table.finish()
    if len({profile.id for profile in found.profiles}) != len(found.profiles):
        raise table.wrong("two profiles have the same id", "rename one")
    return found


def _profile(table: TomlTable) -> LegalProfile:
    found = LegalProfile(
        id=table.take_text("id"),
        name=table.take_text("name"),
        instrument=table.take_text("instrument"),
        kinds=tuple(RequestKind(kind) for kind in table.take_texts("kinds", RequestKind, optional=False)),
        between=table.take_text("between", ""),
        countries=table.take_texts("countries"),
        state=table.take_text("state", ""),
        note=table.take_text("note", ""),
        verified=table.take_flag("verified"),
        listed=table.take_choice("fields_from", ("instrument", "practice"), "practice") == "instrument",
        fields=tuple(_field(each) for each in table.take_tables("field")),
        clocks=tuple(_clock(each) for each in table.take_tables("clock")),
        sources=tuple(source_of(each) for each in table.take_tables("source")),
    )
    table.finish()
    return found


def _field(table: TomlTable) -> LegalField:
    found = LegalField(table.take_text("name"), table.take_text("words"))
    table.finish()
    return found


def _clock(table: TomlTable) -> LegalClock:
    hours, days = (table.take_number(name, most=_MOST, default=0) for name in ("hours", "days"))
    if not hours + days:
        raise table.wrong("a clock has hours or days, a whole number")
    found = LegalClock(
        table.take_text("name"),
        hours * _HOUR + days * _DAY,
        table.take_choice("from", STARTS),
        table.take_text("what", ""),
        table.take_flag("verified", default=False),
    )
    table.finish()
    return found
