"""Legal profiles: by which instrument a request goes, what it must hold, and which clocks run from it; dated, with sources.

Nothing here is legal advice. A profile that nobody held against its text says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from shieldwall.cases.recipients import Source
from shieldwall.cases.request import RequestKind
from shieldwall.errors import BadText
from shieldwall.model.moment import unix, utc

_HOUR, _DAY = 3600, 86_400  # seconds


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
        start: From when it runs: received, order or extension.
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
    sources: tuple[Source, ...]


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
    try:
        body = tomllib.loads(text)
        profiles = tuple(_profile(entry) for entry in body["profile"])
        if set(body) - {"dated", "profile"} or len({profile.id for profile in profiles}) != len(profiles):
            raise TypeError("it has dated and [[profile]], each with an id of its own")  # noqa: TRY301
        return LegalProfiles(body["dated"], profiles)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadText(f"{place}: not a list of legal profiles ({error})") from None


def _profile(entry: Mapping[str, Any]) -> LegalProfile:
    body = dict(entry)
    if body.get("verified") not in (True, False):
        raise TypeError("verified is true or false")
    found = LegalProfile(
        id=body.pop("id"),
        name=body.pop("name"),
        instrument=body.pop("instrument"),
        kinds=tuple(RequestKind(kind.replace("takedown", "take-down")) for kind in body.pop("kinds")),
        between=body.pop("between", ""),
        countries=tuple(body.pop("countries", ())),
        state=body.pop("state", ""),
        note=body.pop("note", ""),
        verified=body.pop("verified"),
        listed=body.pop("fields_from", "practice") == "instrument",
        fields=tuple(LegalField(each["name"], each["words"]) for each in body.pop("field", ())),
        clocks=tuple(_clock(each) for each in body.pop("clock", ())),
        sources=tuple(
            Source(each["title"], each.get("url", ""), each.get("as_of", ""), each.get("stated_by", "other"))
            for each in body.pop("source", ())
        ),
    )
    texts = (found.id, found.name, found.instrument, found.between, found.state, found.note)
    if body or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{found.id}: unknown or wrong field {next(iter(body), '')}")
    return found


def _clock(entry: Mapping[str, Any]) -> LegalClock:
    seconds = int(entry.get("hours", 0)) * _HOUR + int(entry.get("days", 0)) * _DAY
    if seconds <= 0:
        raise TypeError("a clock has hours or days, a whole number")
    return LegalClock(entry["name"], seconds, entry["from"], entry.get("what", ""), bool(entry.get("verified", False)))
