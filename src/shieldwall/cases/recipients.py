"""Profiles of those who are asked: what they want filled in, in which language, and by which route each kind of request goes.

The directory of who can freeze (`intel`) says who they are and where they sit; a profile says what their own pages ask for, with
the source. One that is not known is asked as its kind of firm is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from shieldwall.cases.request import RequestKind
from shieldwall.intel.directory import STATED_BY, EntrySource
from shieldwall.model.tomltable import TomlTable

ROLES = ("exchange", "issuer", "point", "host", "registry")
NEEDS = ("request", "police request", "court order", "sanctions listing", "mutual assistance", "not stated")
"""What a route asks for, the least first; a recipient may still want more."""

_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Route:
    """How a kind of request reaches a recipient.

    Attributes:
        kinds: Of request.
        needs: One of `NEEDS`.
        words: What a requester must know.
    """

    kinds: tuple[RequestKind, ...]
    needs: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A recipient.

    Attributes:
        id: Its name here.
        name: Its name for people.
        role: One of `ROLES`.
        entry: Id of its entry in the directory; "" for none.
        languages: Which it reads, the first one preferred; empty where nobody says.
        requires: Fields of a request (`sender.badge`) that it refuses to do without.
        subject: What its subject line must have.
        handling_days: How many days it takes, as it says; 0 where it says nothing.
        routes: By kind of request.
        sources: Where all this is from.
        generic: It stands for a kind of firm, not for one.
    """

    id: str
    name: str
    role: str
    entry: str
    languages: tuple[str, ...]
    requires: tuple[str, ...]
    subject: str
    handling_days: int
    routes: tuple[Route, ...]
    sources: tuple[EntrySource, ...]
    generic: bool

    def route(self, kind: RequestKind) -> Route | None:
        """How a kind of request reaches it; None where nobody says."""
        return next((route for route in self.routes if kind in route.kinds), None)


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles, and the day on which they were gone through."""

    dated: str
    profiles: tuple[Profile, ...]

    def with_further(self, other: Profiles) -> Profiles:
        """Both; a profile of `other` takes the place of one with the same id. The older date holds for the whole."""
        found = {profile.id: profile for profile in (*self.profiles, *other.profiles)}
        return Profiles(min(self.dated, other.dated), tuple(found[key] for key in sorted(found)))

    def get(self, profile_id: str) -> Profile | None:
        """The profile with an id."""
        return next((profile for profile in self.profiles if profile.id == profile_id), None)

    def of_entry(self, entry: str, role: str) -> Profile | None:
        """The profile of an entry of the directory, else the one of its kind of firm."""
        own = next((profile for profile in self.profiles if profile.entry == entry and entry), None)
        return own or next((profile for profile in self.profiles if profile.generic and profile.role == role), None)


@cache
def shipped() -> Profiles:
    """The profiles that ship with the program."""
    text = (resources.files("shieldwall.cases") / "data" / "recipients.toml").read_text(encoding="utf-8")
    return read_profiles(text, "recipients.toml")


def read_profiles(text: str, place: str) -> Profiles:
    """Profiles in TOML.

    Raises:
        BadText: They do not fit.
    """
    table = TomlTable.parse(text, place)
    found = Profiles(table.take_text("dated"), tuple(_profile(each) for each in table.take_tables("recipient")))
    table.finish()
    if len({profile.id for profile in found.profiles}) != len(found.profiles):
        raise table.wrong("two recipients have the same id", "rename one")
    return found


def source_of(table: TomlTable) -> EntrySource:
    """A ``[[source]]``.

    Raises:
        BadText: It does not fit.
    """
    found = EntrySource(
        table.take_text("title"),
        table.take_text("url", ""),
        table.take_text("as_of", ""),
        table.take_choice("stated_by", STATED_BY, "other"),
    )
    table.finish()
    return found


def _profile(table: TomlTable) -> Profile:
    found = Profile(
        id=table.take_text("id"),
        name=table.take_text("name"),
        role=table.take_choice("role", ROLES),
        entry=table.take_text("entry", ""),
        languages=table.take_texts("languages"),
        requires=table.take_texts("requires"),
        subject=table.take_text("subject", ""),
        handling_days=table.take_number("handling_days", most=_MOST_DAYS, default=0),
        routes=tuple(_route(each) for each in table.take_tables("route")),
        sources=tuple(source_of(each) for each in table.take_tables("source")),
        generic=table.take_flag("generic", default=False),
    )
    table.finish()
    return found


def _route(table: TomlTable) -> Route:
    kinds = tuple(RequestKind(kind) for kind in table.take_texts("kinds", RequestKind, optional=False))
    found = Route(kinds, table.take_choice("needs", NEEDS), table.take_text("words", ""))
    table.finish()
    return found
