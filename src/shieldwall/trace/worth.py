"""What the money of a result was worth: each seed and each end on its own day, every rate named, nothing at today's price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shieldwall.intel.rates import Valuation, Valuer, sum_text
from shieldwall.model.amount import btc
from shieldwall.model.moment import unix
from shieldwall.model.words import ENGLISH, Words, message
from shieldwall.trace.facts import Facts
from shieldwall.trace.record import Walked

_LARGE = ((10**9, message("{value} billion")), (10**6, message("{value} million")))


def put_values(body: dict[str, Any], facts: Facts, walk: Walked, valuer: Valuer) -> None:
    """Value a result's seeds and ends: `fiat` of the body, of every end, and of every output of an end.

    A seed is valued at the time of its transaction, an end at the time that it gives.
    """
    for ends in (body["ends"], *(side["ends"] for side in body.get("methods", ()))):
        for end in ends:
            values = [valuer.value(output["amount"], unix(output["time"])) for output in end["outputs"]]
            for output, value in zip(end["outputs"], values, strict=True):
                output["fiat"] = value.as_dict()
            end["fiat"] = _sum(values)
    seeds = []
    values = []
    for transaction, amount in sorted(walk.seeds):
        made = facts.transaction(transaction)
        values.append(valuer.value(amount, unix(made["time"])))
        seeds.append({"txid": made["txid"], "time": made["time"], **values[-1].as_dict()})
    body["fiat"] = {**valuer.as_dict(), "seed": _sum(values), "seeds": seeds}


def _sum(values: Iterable[Valuation]) -> dict[str, Any]:
    """The value of those that have one, and how much has none."""
    cents, unvalued = 0, 0
    for value in values:
        cents += value.cents or 0
        unvalued += value.amount if value.cents is None else 0
    return {"value": sum_text(cents), "unvalued_amount": unvalued}


def in_words(fiat: dict[str, Any], coin: str, words: Words = ENGLISH) -> str:
    """What the seed, in `coin`, was worth, for the sentence: "about 2.14 million USD at the rate of 2021-06-07"."""
    currency = fiat["currency"]
    valued = [seed for seed in fiat["seeds"] if seed["value"] is not None]
    if not valued:
        return words.say("no rate in {currency} for the day", currency=currency)
    days = sorted({seed["rate_date"] for seed in valued})
    value = about(fiat["seed"]["value"], words)
    if len(days) == 1:
        worth = words.say("about {value} {currency} at the rate of {day}", value=value, currency=currency, day=days[0])
    else:
        worth = words.say(
            "about {value} {currency} at the rates of their days, {first} to {last}",
            value=value,
            currency=currency,
            first=days[0],
            last=days[-1],
        )
    left = fiat["seed"]["unvalued_amount"]
    if not left:
        return worth
    return words.say("{worth}, {amount} of it without a rate", worth=worth, amount=f"{btc(left)} {coin}")


def about(value: str, words: Words = ENGLISH) -> str:
    """A decimal of two digits as people say it: three digits that count, never a zero for something.

    Example:
        >>> about("2137826.74"), about("999500000.00"), about("35835.27"), about("0.42")
        ('2.14 million', '1.00 billion', '35,800', '0.42')
    """
    cents = int(value.replace(".", ""))
    for unit, text in _LARGE:
        whole = unit * 100
        if cents * 10**3 >= whole * 10**3 - whole // 2:
            digits = 2 if cents < 10 * whole else 1 if cents < 100 * whole else 0
            scaled = (2 * cents * 10**digits + whole) // (2 * whole)
            rest = f".{scaled % 10**digits:0{digits}d}" if digits else ""
            return words.say(text, value=f"{scaled // 10**digits:,}{rest}")
    if cents < 9950:
        return value
    step = 100 * 10 ** max(0, len(str(cents // 100)) - 3)
    return f"{(2 * cents + step) // (2 * step) * step // 100:,}"
