"""The figures that the page of a trace puts beside its picture: sums, ends by kind, methods side by side, stops of the slider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shieldwall.model.words import message

KINDS: Mapping[str, tuple[str, str]] = {
    "held": ("●", message("unspent")),
    "service": ("■", message("service")),
    "gap": ("◇", message("gap")),
    "unknown": ("?", message("not known")),
    "limit": ("⋯", message("limit")),
    "fee": ("▽", message("fee")),
    "mweb": ("◈", message("extension block")),
    "coinbase": ("○", message("newly mined")),
    "others": ("+", message("sum")),
    "passed": ("→", message("went on")),
    "seed": ("▶", message("start")),
}
"""Kinds of box and end: a sign, and a word (a message)."""

FORWARD = (
    ("service", message("at services")),
    ("held", message("unspent")),
    ("gap", message("behind gaps")),
    ("unknown", message("not known")),
    ("limit", message("beyond limits")),
    ("mweb", message("in the extension block")),
    ("fee", message("fees")),
)
BACKWARD = (
    ("service", message("from services")),
    ("coinbase", message("newly mined")),
    ("gap", message("not in this data")),
    ("unknown", message("not told apart")),
    ("limit", message("beyond limits")),
    ("mweb", message("out of the extension block")),
)
MOST_ENDS = 12
"""Ends of a kind that are shown at once; the rest opens."""

MOST_OPENED = 100
"""Ends of a kind that open; the rest is counted, and stands in the JSON of the trace."""

_WIDE = 1000  # units of the bar


def kinds_of(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The kinds of end of a trace, in the order in which they are told, and their words (messages)."""
    return BACKWARD if body["direction"] == "backward" else FORWARD


def ends_by_kind(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ends, kind by kind: how much, the first of them, those that open, and how many and how much are left."""
    groups = []
    for kind, words in kinds_of(body):
        ends = [end for end in body["ends"] if end["kind"] == kind]
        if ends:
            left = ends[MOST_OPENED:]
            groups.append(
                {
                    "kind": kind,
                    "words": words,
                    "amount": sum(end["amount"] for end in ends),
                    "count": len(ends),
                    "first": ends[:MOST_ENDS],
                    "more": ends[MOST_ENDS:MOST_OPENED],
                    "more_amount": sum(end["amount"] for end in ends[MOST_ENDS:]),
                    "left": len(left),
                    "left_amount": sum(end["amount"] for end in left),
                }
            )
    return groups


def share_bar(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a bar as wide as the seed: kind, words, amount, where it begins and how wide it is, of 1,000 units."""
    seed = max(body["seed_amount"], 1)
    parts, at = [], 0
    for kind, words in kinds_of(body):
        amount = body.get(f"{kind}_amount", 0)
        if amount and body["conserved"]:
            begin, end = at * _WIDE // seed, (at + amount) * _WIDE // seed
            parts.append({"kind": kind, "words": words, "amount": amount, "x": begin, "width": max(end - begin, 1)})
            at += amount
    return parts


def side_by_side(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For every end that any method has, what each method says: the largest first, fees last; its amounts by method."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for method in body.get("methods", []):
        for end in method["ends"]:
            row = rows.setdefault(
                (end["kind"], end["address"] or ""),
                {"kind": end["kind"], "address": end["address"] or "", "service": end["service"], "amounts": {}},
            )
            row["amounts"][method["method"]] = row["amounts"].get(method["method"], 0) + end["amount"]
    return sorted(rows.values(), key=lambda row: (row["kind"] == "fee", -max(row["amounts"].values()), row["address"]))


def stops_of(body: Mapping[str, Any]) -> list[int]:
    """Where the slider of the least value stops: 0, then 1, 2, 5, 10, ... up to the seed, in satoshi from 1,000 on."""
    stops, step = [0], 1000
    while step < max(body["seed_amount"], 1):
        stops += [value for value in (step, 2 * step, 5 * step) if value < body["seed_amount"]]
        step *= 10
    return stops
