"""Profiles of those who are asked: what they want filled in, in which language, and by which route each kind of request goes.

The directory of who can freeze (`intel`) says who they are and where they sit; a profile says what their own pages ask for, with
the source. One that is not known is asked as its kind of firm is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from shieldwall.cases.request import RequestKind
from shieldwall.errors import BadText

ROLES = ("exchange", "issuer", "point", "host", "registry")
NEEDS = ("request", "police request", "court order", "sanctions listing", "mutual assistance", "not stated")
"""What a route asks for, the least first; a recipient may still want more."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is from: title, address, the date that it states of itself ("" for none), and who states it."""

    title: str
    url: str
    as_of: str
    stated_by: str


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
    sources: tuple[Source, ...]
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
    try:
        body = tomllib.loads(text)
        if set(body) - {"dated", "recipient"}:
            raise TypeError("it has dated and [[recipient]]")  # noqa: TRY301
        profiles = tuple(_profile(entry) for entry in body.get("recipient", ()))
        return Profiles(_text(body["dated"]), profiles)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadText(f"{place}: not a list of recipients ({error})") from None


def _profile(entry: Mapping[str, Any]) -> Profile:
    body = dict(entry)
    found = Profile(
        id=_text(body.pop("id")),
        name=_text(body.pop("name")),
        role=_text(body.pop("role")),
        entry=_text(body.pop("entry", "")),
        languages=_texts(body.pop("languages", [])),
        requires=_texts(body.pop("requires", [])),
        subject=_text(body.pop("subject", "")),
        handling_days=body.pop("handling_days", 0),
        routes=tuple(_route(each) for each in body.pop("route", ())),
        sources=tuple(
            Source(**{name: _text(value) for name, value in each.items()}) for each in body.pop("source", ())
        ),
        generic=body.pop("generic", False),
    )
    if body or found.role not in ROLES or type(found.handling_days) is not int or type(found.generic) is not bool:
        raise TypeError(f"{found.id}: unknown field or role")
    return found


def _route(entry: Mapping[str, Any]) -> Route:
    kinds = tuple(RequestKind(kind) for kind in _texts(entry["kinds"]))
    if entry["needs"] not in NEEDS or set(entry) - {"kinds", "needs", "words"}:
        raise TypeError(f"needs is one of {', '.join(NEEDS)}")
    return Route(kinds, entry["needs"], _text(entry.get("words", "")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError("a list of texts is wanted")
    return tuple(_text(value) for value in values)
