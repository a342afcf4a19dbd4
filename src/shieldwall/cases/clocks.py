"""Reporting clocks: what must be told to whom by when, as dated data in which each line names its source.

Nothing here is legal advice. A clock that nobody held against its text says so, and which clocks apply is for people to decide:
the country and what was answered only choose which are shown.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from shieldwall.errors import BadText, UsageError
from shieldwall.model.moment import unix, utc
from shieldwall.model.words import message

STARTS = {
    "aware": message("from when it was noticed"),
    "occurred": message("from when it happened"),
    "determined_material": message("from when it was found material"),
    "payment": message("from the payment"),
    "believed": message("from when there was reason to believe it"),
    "classified": message("from when it was classified"),
}
"""From when a clock runs; a message each."""

SPANS = {
    "hours": message("hours"),
    "days": message("days"),
    "business_days": message("business days"),
    "months": message("months"),
}
"""In what a clock is counted; a message each."""

EU = frozenset(
    {
        "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
        "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
    }
)  # fmt: skip
"""Members of the European Union, ISO 3166."""

_TEXTS = ("id", "name", "regime", "jurisdiction", "applies_to", "starts", "to", "what")
_SOURCE = ("source_title", "source_url", "source_as_of", "after", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A duty to report.

    Attributes:
        id: Its name here.
        name: What people call it.
        regime: Law and article.
        jurisdiction: ISO country code, or EU.
        applies_to: To whom and to what.
        starts: One of `STARTS`.
        span: hours, days, business_days or months; "" where the law names no number.
        length: How many; 0 where there is no number.
        to: Who must be told.
        what: What the report holds.
        verified: Whether somebody held it against the text.
        source_title, source_url, source_as_of: Where it is from.
        after: Id of the clock from whose report this one truly runs; "" for none. Until that is sent, `starts` gives a safer day.
        note: What is not settled.
    """

    id: str
    name: str
    regime: str
    jurisdiction: str
    applies_to: str
    starts: str
    span: str
    length: int
    to: str
    what: str
    verified: bool
    source_title: str
    source_url: str
    source_as_of: str
    after: str
    note: str

    def due(self, start: str) -> str:
        """When it is due, ISO 8601 in UTC, for a clock that runs from `start`; "" where there is no number.

        Business days are Monday to Friday: holidays are not known here, so the true end may be later.
        """
        if not self.length:
            return ""
        at = datetime.fromtimestamp(unix(start), UTC)
        if self.span == "business_days":
            left = self.length
            while left:
                at += timedelta(days=1)
                left -= at.weekday() < 5
        elif self.span == "months":
            month = at.month - 1 + self.length
            year, month = at.year + month // 12, month % 12 + 1
            at = at.replace(year=year, month=month, day=min(at.day, _last_day(year, month)))
        else:
            at += timedelta(**{self.span: self.length})
        return utc(int(at.timestamp()))


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks, and the day on which they were gone through."""

    dated: str
    clocks: tuple[Clock, ...]

    def get(self, clock_id: str) -> Clock | None:
        """The clock with an id."""
        return next((clock for clock in self.clocks if clock.id == clock_id), None)

    def of(self, country: str) -> tuple[Clock, ...]:
        """Those of a country, those of the Union among them for its members; all of them for "", where nobody knows."""
        wanted = {country, "EU"} if country in EU else {country}
        return tuple(clock for clock in self.clocks if not country or clock.jurisdiction in wanted)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that runs.

    Attributes:
        clock: Which.
        start: From when; "" where that is not known.
        due: Until when; "" where there is no number or no start.
        seconds: Left at the moment that was asked about, negative when it is over; None where `due` is "".
        earlier: It truly runs from something that nobody told (a classification, another report), so from later: `due` is the
            safer day.
    """

    clock: Clock
    start: str
    due: str
    seconds: int | None
    earlier: bool = False


def deadlines(clocks: Iterable[Clock], incident: Mapping[str, str], now: int) -> list[Deadline]:
    """The clocks with the times of an incident, the next one first; those without an end last.

    Args:
        clocks: Which may apply.
        incident: A statement of `incident.INCIDENT`.
        now: Unix seconds.
    """
    starts = {
        "aware": incident.get("found", ""),
        "believed": incident.get("found", ""),
        "classified": incident.get("found", ""),
        "occurred": incident.get("began", "") or incident.get("found", ""),
        "payment": incident.get("paid_at", ""),
        "determined_material": "",
    }
    found = []
    for clock in clocks:
        start = starts[clock.starts]
        if clock.starts == "payment" and incident.get("paid", "") in ("", "no"):
            continue
        due = clock.due(start) if start else ""
        earlier = bool(clock.after) or clock.starts in ("believed", "classified")
        found.append(Deadline(clock, start, due, unix(due) - now if due else None, earlier))
    return sorted(found, key=lambda each: (each.due == "", each.due, each.clock.id))


@cache
def shipped() -> Clocks:
    """The clocks that ship with the program."""
    text = (resources.files("shieldwall.cases") / "data" / "clocks.toml").read_text(encoding="utf-8")
    return read_clocks(text, "clocks.toml")


def read_clocks(text: str, place: str) -> Clocks:
    """Clocks in TOML.

    Raises:
        BadText: It does not fit.
    """
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadText(f"{place}: {error}") from None
    if set(body) - {"dated", "clock"} or not isinstance(body.get("dated"), str):
        raise BadText(f"{place}: a list of clocks has dated and [[clock]]")
    found = tuple(_clock(entry, f"{place}, clock {number}") for number, entry in enumerate(body.get("clock", ()), 1))
    if len({clock.id for clock in found}) != len(found):
        raise BadText(f"{place}: two clocks have the same id")
    return Clocks(body["dated"], found)


def _clock(entry: Mapping[str, Any], place: str) -> Clock:
    if set(entry) - {*_TEXTS, *_SOURCE, *SPANS, "verified"}:
        raise BadText(f"{place}: unknown field {sorted(set(entry) - {*_TEXTS, *_SOURCE, *SPANS, 'verified'})[0]!r}")
    for name in (*_TEXTS, *_SOURCE):
        if not isinstance(entry.get(name, "" if name in _SOURCE else None), str):
            raise BadText(f"{place}: {name} is a text")
    spans = [name for name in SPANS if name in entry]
    if len(spans) > 1 or any(type(entry[name]) is not int or not 0 < entry[name] < 10_000 for name in spans):
        raise BadText(f"{place}: a clock has one of {', '.join(SPANS)}, a whole number")
    if entry["starts"] not in STARTS or type(entry.get("verified")) is not bool:
        raise BadText(f"{place}: starts is one of {', '.join(STARTS)}, and verified is true or false")
    try:
        unix(entry.get("source_as_of") or "2000-01-01")
    except UsageError:
        raise BadText(f"{place}: source_as_of is no date") from None
    texts = {name: entry.get(name, "") for name in (*_TEXTS, *_SOURCE)}
    return Clock(
        **texts, span=spans[0] if spans else "", length=entry[spans[0]] if spans else 0, verified=entry["verified"]
    )


def _last_day(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (following - timedelta(days=1)).day
