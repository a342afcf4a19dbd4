"""A trace as one self-contained HTML page: the sentence first, then the ends, the picture, its table, and how it was made.

No script, no font, no picture from elsewhere; the same result gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from shieldwall.model.amount import percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.pages import environment
from shieldwall.trace.picture import lanes
from shieldwall.trace.result import TraceResult

MOST_ROWS = 400  # rows of a table on the page; the rest is counted, and stands in the JSON and CSV
MOST_NAMES = 20  # entries in a cell or line; likewise
_FORWARD = (
    ("held", "held, unspent"), ("service", "at services"), ("gap", "behind gaps"), ("unknown", "not known"),
    ("limit", "beyond limits"), ("fee", "fees"),
)  # fmt: skip
_BACKWARD = (
    ("coinbase", "newly mined"), ("service", "from services"), ("gap", "not in this data"), ("unknown", "not told apart"),
    ("limit", "beyond limits"),
)  # fmt: skip
_HIDDEN = ("mweb", "in the extension block"), ("mweb", "out of the extension block")  # forward, backward
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven")


def render(result: TraceResult, *, title: str = "", label: str = "") -> str:
    """The page.

    Args:
        result: What to show.
        title: Heading; the targets by default.
        label: A banner for results that are not about real money, such as an exercise.
    """
    body = result.as_dict()
    sides = _side_by_side(body)
    backward = body["direction"] == "backward"
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            body=body,
            title=title or _title(body),
            label=label,
            backward=backward,
            kinds=_kinds(body, backward=backward),
            coin=coin_of(body),
            numbers=_NUMBERS,
            picture=lanes(body),
            share=lambda amount: percent(amount, body["seed_amount"]) if body["conserved"] else "",
            ends=body["ends"][:MOST_ROWS],
            ends_left=_left(body["ends"][MOST_ROWS:]),
            side_by_side=sides[:MOST_ROWS],
            sides_left=_sides_left(sides[MOST_ROWS:]),
            most=MOST_ROWS,
            most_names=MOST_NAMES,
        )
    )


def _kinds(body: dict[str, Any], *, backward: bool) -> tuple[tuple[str, str], ...]:
    """The kinds of end and their words; the extension block where the network has one."""
    kinds = _BACKWARD if backward else _FORWARD
    return (*kinds, _HIDDEN[backward]) if "mweb_amount" in body else kinds


def _title(body: dict[str, Any]) -> str:
    names = [target["identity"] for target in body["targets"]]
    others = f" + {len(names) - 3} others" if names[3:] else ""
    return f"{'Origin' if body['direction'] == 'backward' else 'Trace'} of {', '.join(names[:3])}{others}"


def _left(ends: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(ends), "amount": sum(end["amount"] for end in ends)}


def _sides_left(rows: list[dict[str, Any]]) -> dict[str, Any]:
    amounts: Counter[str] = Counter()
    for row in rows:
        amounts.update(row["amounts"])
    return {"count": len(rows), "amounts": amounts}


def _side_by_side(body: dict[str, Any]) -> list[dict[str, Any]]:
    """For every end that any method has, what each method says; largest first, fees last."""
    methods = body.get("methods", [])
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for method in methods:
        for end in method["ends"]:
            row = rows.setdefault((end["kind"], end["address"] or ""), {})
            row[method["method"]] = row.get(method["method"], 0) + end["amount"]
    ordered = sorted(rows.items(), key=lambda item: (item[0][0] == "fee", -max(item[1].values()), item[0]))
    return [{"kind": kind, "address": address, "amounts": amounts} for (kind, address), amounts in ordered]
