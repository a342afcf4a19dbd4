"""A trace as one self-contained HTML page: the sentence first, then the ends, the picture, its table, and how it was made.

No script, no font, no picture from elsewhere; the same result gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from shieldwall.model.amount import percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.layout import folded_runs
from shieldwall.trace.pages import environment
from shieldwall.trace.picture import lanes
from shieldwall.trace.result import TraceResult
from shieldwall.trace.runs import PEEL, Run

MOST_ROWS = 400  # rows of a table on the page; the rest is counted, and stands in the JSON and CSV
MOST_ENDS = 40  # rows of the tables before the picture; likewise
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


def render(result: TraceResult, *, title: str = "", label: str = "", clusters: Mapping[str, int] | None = None) -> str:
    """The page.

    Args:
        result: What to show.
        title: Heading; the targets by default.
        label: A banner for results that are not about real money, such as an exercise.
        clusters: Address -> cluster, so that the picture shows only where money changed hands; None for all of it.
    """
    body = result.as_dict()
    runs = folded_runs(body, unfolded=False, clusters=clusters)
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
            picture=lanes(body, linked=True, clusters=clusters),
            moved_only=clusters is not None,
            chains=[_chain(run, body) for run in runs if run.kind == PEEL],
            share=lambda amount: percent(amount, body["seed_amount"]) if body["conserved"] else "",
            ends=body["ends"][:MOST_ENDS],
            ends_left=_left(body["ends"][MOST_ENDS:]),
            side_by_side=sides[:MOST_ENDS],
            sides_left=_sides_left(sides[MOST_ENDS:]),
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


def _chain(run: Run, body: dict[str, Any]) -> dict[str, Any]:
    """A peel chain as the page unfolds it: who was paid in all, and every hop."""
    ends = {f"{output['txid']}:{output['index']}": end for end in body["ends"] for output in end["outputs"]}
    hops, paid = [], Counter[tuple[str, str, str]]()
    for transfer in run.transfers:
        rows = []
        for entry in transfer["outputs"]:
            end = ends.get(f"{transfer['txid']}:{entry['index']}")
            kind, service = ("passed", None) if end is None else (end["kind"], end["service"])
            on = run.goes_on(transfer, entry)
            rows.append({**entry, "kind": kind, "service": service, "goes_on": on})
            if not on:
                paid[entry["address"] or "", kind, service or ""] += entry["amount"]
        hops.append({"transfer": transfer, "outputs": rows})
    receivers = sorted(paid.items(), key=lambda item: (-item[1], item[0]))
    return {
        "number": run.number,
        "hops": run.hops,
        "amount": run.amount,
        "fee": run.fee,
        "first": run.transfers[0]["time"],
        "last": run.transfers[-1]["time"],
        "rows": hops,
        "receivers": [
            {"address": address, "kind": kind, "service": service, "amount": amount}
            for (address, kind, service), amount in receivers
        ],
    }


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
