"""The answer about choke points in one sentence; every number in it stands in the body, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shieldwall.model.amount import btc, percent
from shieldwall.trace.coin import coin_of

_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MOST_NAMED = 5


def sentence(body: dict[str, Any]) -> str:
    """Which points to freeze, and what that stops."""
    seed, points, coin = body["seed_amount"], body["points"], coin_of(body)
    since = body["parameters"]["from"]
    when = f" from {since} on" if since else ""
    if not seed:
        return "There is nothing to stop: the targets hold no money in this data."
    if not points:
        return (
            f"No point{when} stops anything of {btc(seed)} {coin}: "
            + ("it passes nobody of whom it is known that they can freeze." if body["parameters"]["only"] == "freezable"
               else "it has not left the addresses that it starts from.")
            + "".join(f" {part}" for part in (counted_once(body, coin), _after_the_end(body)) if part)
        )  # fmt: skip
    stopped = body["stopped_amount"]
    those = "this one" if len(points) == 1 else f"these {_count(len(points))}"
    able = all(point["freezable_by"] or point["kind"] == "service" for point in points)
    freeze = f"Freeze {those}{when}" if able else f"Freeze {those}{when}, if anybody can,"
    parts = [f"{freeze} and stop {percent(stopped, seed)} ({btc(stopped)} of {btc(seed)} {coin}): {_names(points)}."]
    once = counted_once(body, coin)
    if once:
        parts.append(once)
    reach = body["freezable"]
    if reach:
        number = "one" if len(reach["points"]) == 1 else _count(len(reach["points"]))
        parts.append(
            f"Of points where somebody is known who can freeze, {number} {'stops' if number == 'one' else 'stop'} "
            f"{percent(reach['stopped_amount'], seed)} ({btc(reach['stopped_amount'])} {coin}): "
            f"{'; '.join(reach['points'][:_MOST_NAMED])}."
        )
    if since:
        if body["gone_amount"]:
            parts.append(f"{btc(body['gone_amount'])} {coin} had left them by then.")
        if body["undated_amount"]:
            parts.append(f"Of {btc(body['undated_amount'])} {coin} that came before it is not known whether it had.")
        after = _after_the_end(body)
        if after:
            parts.append(after)
    else:
        parts.append("That is hindsight: frozen before the first of it came.")
    parts.append(_today(body, coin))
    return " ".join(parts) + f" Method {body['method']}."


def counted_once(body: Mapping[str, Any], coin: str) -> str:
    """Why the seed is less than the payments add up to, in a sentence; "" where it is not.

    Args:
        body: An answer with `seed_amount` and `returned_amount`; docs/spec/trace-result.md says what they are.
        coin: Name of the coin.
    """
    back = body["returned_amount"]
    if not back:
        return ""
    return (
        f"The payments that it starts from add up to {btc(body['seed_amount'] + back)} {coin}: {btc(back)} of it is money of "
        "an earlier one that came back as another, and is counted once."
    )


def _after_the_end(body: dict[str, Any]) -> str:
    """That the store ends before the freeze begins, in a sentence; "" where it does not."""
    since, tip = body["parameters"]["from"], body["tip_time"]
    if since is None or (tip is not None and since <= tip):  # both in the same form, UTC
        return ""
    end = "it is not known when this store ends" if tip is None else f"this store ends before that, at {tip}"
    return f"But {end}: what comes or leaves after its end is not known."


def _today(body: dict[str, Any], coin: str) -> str:
    height = body["tip_height"]
    tip = "a tip of unknown height" if height is None else f"height {height} ({body['tip_time']})"
    unspent = sum(point["unspent_amount"] for point in body["points"])
    unknown = sum(point["unknown_amount"] for point in body["points"])
    here = f"{btc(unspent)} {coin} of it sits there unspent" if unspent else "none of it sits there unspent"
    doubt = f", and of {btc(unknown)} {coin} it is not known" if unknown else ""
    return f"As of {tip} {here}{doubt}."


def _names(points: Sequence[dict[str, Any]]) -> str:
    named = [_name(point) for point in points[:_MOST_NAMED]]
    rest = len(points) - len(named)
    return "; ".join(named) + (f"; and {rest} others" if rest else "")


def _name(point: dict[str, Any]) -> str:
    freezers = point["freezable_by"]
    if point["kind"] == "service":
        who = freezers[0]["name"] if freezers else ""
        can = "can freeze" if who == point["name"] else f"{who} can freeze"
        can = can if freezers else "who can freeze there is not in the directory"
        return f"{point['name']} ({can})"
    can = f"{freezers[0]['name']} can freeze" if freezers else "nobody is known who can freeze there"
    return f"{point['kind']} {point['name']} ({can})"


def cut_sentence(cut: dict[str, Any], to: str) -> str:
    """What the minimum cut says."""
    where = "the services where it is cashed out" if to == "services" else "any place where it ends"
    if cut["points"] is None:
        return f"No cut separates the seeds from {where}: {cut['reason']}."
    if not cut["points"]:
        return f"No cut is needed: {cut['reason']}."
    number = len(cut["points"])
    if number == 1:
        return f"One point lies on every way to {where}: {_names(cut['points'])}."
    return f"{_count(number).capitalize()} points together lie on every way to {where}; no fewer do: {_names(cut['points'])}."


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
