"""What an amount was worth on a day, exactly, with every rate that made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.intel.rates.quotes import Quote, RateFile
from shieldwall.model.network import COIN

_MOST_LEGS = 3  # a coin to USD, to EUR, to any currency of the ECB
_RATE_DIGITS = 8  # of a rate that is a product of several; the value itself is exact until its last digit


@dataclass(frozen=True, slots=True)
class Leg:
    """One published rate on the way from the coin to the currency.

    Attributes:
        base, currency: From what to what the amount was converted.
        quote: The rate as published; of `currency` in `base` where `inverted`.
        inverted: True when the amount was divided by it.
        day: The day for which it was published.
        file, sha256: Where it stands.
    """

    base: str
    currency: str
    quote: Quote
    inverted: bool
    day: date
    file: str
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "from": self.base,
            "to": self.currency,
            "rate": format(self.quote.rate, "f"),
            "inverted": self.inverted,
            "date": self.day.isoformat(),
            "what": self.quote.what,
            "source": self.quote.source,
            "file": self.file,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class Valuation:
    """What an amount was worth.

    Attributes:
        amount: Satoshi.
        currency: Of the value.
        cents: Hundredths of the currency, rounded half up; None where there is no rate.
        rate: Units of the currency for one coin, as a decimal; None likewise.
        rates: The published rates that made it.
        reason: Why there is no value; "" where there is one.
    """

    amount: int
    currency: str
    cents: int | None
    rate: str | None = None
    rates: tuple[Leg, ...] = ()
    reason: str = ""

    @property
    def text(self) -> str | None:
        """The value as a decimal of two digits."""
        return None if self.cents is None else sum_text(self.cents)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "amount": self.amount,
            "currency": self.currency,
            "value": self.text,
            "rate": self.rate,
            "rate_date": min(leg.day for leg in self.rates).isoformat() if self.rates else None,
            "rates": [leg.as_dict() for leg in self.rates],
            "reason": self.reason,
        }


def sum_text(cents: int) -> str:
    """Hundredths as a decimal of two digits.

    Example:
        >>> sum_text(213_781_723), sum_text(5)
        ('2137817.23', '0.05')
    """
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class Valuer:
    """Values amounts of one coin in one currency.

    Attributes:
        files: Rate files; where two give a rate of the same day, the earlier in the list holds.
        currency: The currency to value in.
        within: Days that a rate may be older than the payment; 0: of its very day.
        coin: What the amounts are in, BTC or LTC; rates of another coin do not value it.

    Raises:
        UsageError: The files lead from the coin to other currencies only.
    """

    files: Sequence[RateFile]
    currency: str
    within: int = 0
    coin: str = "BTC"
    _routes: tuple[tuple[str, ...], ...] = field(init=False, repr=False)
    _known: dict[date, tuple[Leg, ...]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        steps: dict[str, set[str]] = {}
        for base, other in sorted({pair for file in self.files for pair in file.quotes}):
            steps.setdefault(base, set()).add(other)
            steps.setdefault(other, set()).add(base)
        routes = sorted(_routes(steps, (self.coin,), self.currency), key=lambda route: (len(route), route))
        if not routes:
            reached = sorted(set(steps) - {self.coin}) if self.coin in steps else []
            raise UsageError(
                f"no rate file leads from {self.coin} to {self.currency}",
                hint=f"these lead to {', '.join(reached)}"
                if reached
                else f"name a file with prices of {self.coin}: --rates FILE",
            )
        object.__setattr__(self, "_routes", tuple(routes))

    @property
    def rule(self) -> str:
        """How values come about, in one sentence."""
        late = f", else the last of at most {self.within} days before" if self.within else ", else no value"
        return f"the rate published for the UTC day of the block{late}; rounded half up to two digits"

    def value(self, satoshi: int, seconds: int) -> Valuation:
        """What `satoshi` were worth on the UTC day of `seconds` (Unix)."""
        when = datetime.fromtimestamp(seconds, UTC).date()
        legs = self._known.get(when)
        if legs is None:
            legs = self._known[when] = self._legs(when)
        if not legs:
            return Valuation(
                satoshi, self.currency, None, reason=f"no rate of {self.coin} in {self.currency} for {when}"
            )
        rate = Fraction(1)
        for leg in legs:
            rate *= 1 / Fraction(leg.quote.rate) if leg.inverted else Fraction(leg.quote.rate)
        alone = len(legs) == 1 and not legs[0].inverted
        shown = format(legs[0].quote.rate, "f") if alone else _decimal(rate)
        return Valuation(satoshi, self.currency, _half_up(satoshi * rate * 100 / COIN), shown, legs)

    def as_dict(self) -> dict[str, Any]:
        """What a result says of the rates: plain JSON values."""
        return {
            "currency": self.currency,
            "rule": self.rule,
            "within_days": self.within,
            "files": [file.as_dict() for file in self.files],
        }

    def _legs(self, when: date) -> tuple[Leg, ...]:
        """The rates of the shortest way that has all of them; none where no way has."""
        for route in self._routes:
            legs = [self._leg(base, other, when) for base, other in pairwise(route)]
            found = tuple(leg for leg in legs if leg is not None)
            if len(found) == len(legs):
                return found
        return ()

    def _leg(self, base: str, other: str, when: date) -> Leg | None:
        for age in range(min(self.within, when.toordinal() - 1) + 1):
            at = when - timedelta(days=age)
            for file in self.files:
                for pair, inverted in (((base, other), False), ((other, base), True)):
                    quote = file.quotes.get(pair, {}).get(at)
                    if quote is not None:
                        return Leg(base, other, quote, inverted, at, file.name, file.sha256)
        return None


def _routes(steps: dict[str, set[str]], route: tuple[str, ...], goal: str) -> Iterator[tuple[str, ...]]:
    """Ways from the end of `route` to `goal` that pass no currency twice."""
    if route[-1] == goal:
        yield route
    elif len(route) <= _MOST_LEGS:
        for step in sorted(steps.get(route[-1], ())):
            if step not in route:
                yield from _routes(steps, (*route, step), goal)


def _half_up(exact: Fraction) -> int:
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _decimal(exact: Fraction) -> str:
    scaled = _half_up(exact * 10**_RATE_DIGITS)
    return f"{scaled // 10**_RATE_DIGITS}.{scaled % 10**_RATE_DIGITS:0{_RATE_DIGITS}d}"
