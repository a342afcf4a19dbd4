"""Reporting clocks: what must be told to whom by when, as dated data in which each line names its source.

Nothing here is legal advice. A clock that nobody held against its text says so, and which clocks apply is for people to decide:
the country and what was answered only choose which are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources

from shieldwall.errors import UsageError
from shieldwall.model.moment import unix, utc
from shieldwall.model.tomltable import TomlTable
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

_TEXTS = ("id", "name", "regime", "jurisdiction", "applies_to", "to", "what")
_SOURCE = ("source_title", "source_url", "source_as_of", "after", "note")
_MOST = 10_000  # of a span: more is a slip


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
    table = TomlTable.parse(text, place)
    found = Clocks(table.take_text("dated"), tuple(_clock(each) for each in table.take_tables("clock")))
    table.finish()
    if len({clock.id for clock in found.clocks}) != len(found.clocks):
        raise table.wrong("two clocks have the same id", "rename one")
    return found


def _clock(table: TomlTable) -> Clock:
    spans = [name for name in SPANS if table.has(name)]
    if len(spans) > 1:
        raise table.wrong(f"a clock has one of {', '.join(SPANS)}", "take the others out")
    span = spans[0] if spans else ""
    length = table.take_number(span, most=_MOST) if span else 0
    if span and not length:
        raise table.wrong(f"{span} is 0", f"leave {span} out where the law names no number")
    found = Clock(
        **{name: table.take_text(name) for name in _TEXTS},
        **{name: table.take_text(name, "") for name in _SOURCE},
        starts=table.take_choice("starts", STARTS),
        span=span,
        length=length,
        verified=table.take_flag("verified"),
    )
    table.finish()
    try:
        unix(found.source_as_of or "2000-01-01")
    except UsageError:
        raise table.wrong("source_as_of is no date", "write it as 2026-11-30") from None
    return found


def _last_day(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (following - timedelta(days=1)).day
