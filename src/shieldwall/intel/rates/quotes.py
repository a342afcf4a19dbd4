"""Published rates of one file, by pair and day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from shieldwall.errors import BadText

Pair = tuple[str, str]
"""(base, currency): a rate says how many units of `currency` one unit of `base` is."""

_CURRENCY = re.compile(r"[A-Z]{3,5}")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,18})?")
_NOTHING = ("", "n/a", "null", "nan", "-")  # how files write a day without a rate


@dataclass(frozen=True, slots=True)
class Quote:
    """A rate as its source published it.

    Attributes:
        rate: Units of the currency for one of the base; exact, above 0.
        source: Who published it.
        what: Which of the day's rates it is.
    """

    rate: Decimal
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class RateFile:
    """The rates of one file.

    Attributes:
        name: Name of the file, without its folder.
        sha256: Hex digest of its bytes.
        quotes: Pair -> day -> rate.
    """

    name: str
    sha256: str
    quotes: Mapping[Pair, Mapping[date, Quote]]

    def as_dict(self) -> dict[str, Any]:
        """What a result says of the file: plain JSON values."""
        days = [day for series in self.quotes.values() for day in series]
        return {
            "file": self.name,
            "sha256": self.sha256,
            "sources": sorted({quote.source for series in self.quotes.values() for quote in series.values()}),
            "first_date": min(days).isoformat(),
            "last_date": max(days).isoformat(),
        }


@dataclass(slots=True)
class Collected:
    """Rates on their way into a `RateFile`; refuses what contradicts itself."""

    quotes: dict[Pair, dict[date, Quote]] = field(default_factory=dict)

    def add(self, pair: Pair, day: date, quote: Quote, place: str) -> None:
        """Take a rate.

        Raises:
            BadText: The file gives another rate for the same pair and day.
        """
        series = self.quotes.setdefault(pair, {})
        if series.setdefault(day, quote).rate != quote.rate:
            raise BadText(
                f"{place}: {pair[0]} in {pair[1]} on {day} is {quote.rate} here and {series[day].rate} before",
                hint="keep one rate a day",
            )

    def file(self, name: str, sha256: str) -> RateFile:
        """The file.

        Raises:
            BadText: No rate at all.
        """
        kept = {pair: series for pair, series in self.quotes.items() if series}
        if not kept:
            raise BadText(f"{name}: no rate in it", hint="docs/rates.md tells what rate files look like")
        return RateFile(name, sha256, kept)


def number(text: object, place: str) -> Decimal | None:
    """A rate as text; None where the file says that there is none, or writes 0 for it.

    Raises:
        BadText: No plain decimal number.
    """
    word = text.strip() if isinstance(text, str) else "" if text is None else "?"
    if word.lower() in _NOTHING:
        return None
    if not _NUMBER.fullmatch(word):
        raise BadText(
            f"{place}: {str(text)[:40]!r} is no rate", hint="write it as a plain decimal number, as in 33560.71"
        )
    return Decimal(word) or None


def day(text: object, place: str) -> date:
    """A day as YYYY-MM-DD.

    Raises:
        BadText: No such day.
    """
    try:
        if isinstance(text, str) and len(text.strip()) == 10:
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise BadText(f"{place}: {str(text)[:40]!r} is no date", hint="write days as 2021-06-07")


def currency(text: object, place: str) -> str:
    """A currency code in capitals.

    Raises:
        BadText: None.
    """
    word = text.strip().upper() if isinstance(text, str) else ""
    if not _CURRENCY.fullmatch(word):
        raise BadText(f"{place}: {str(text)[:40]!r} is no currency", hint="use a code of three letters, as in USD")
    return word
