"""`shieldwall trace`: the answer first, then the ends, the way there, the gaps."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import fill
from typing import Any

import click

from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    data_option,
    output_option,
    settings,
    table,
    width,
)
from shieldwall.errors import PartialData, UsageError
from shieldwall.model.amount import btc, percent
from shieldwall.model.moment import unix
from shieldwall.model.network import COIN
from shieldwall.node.wiring import labels, open_chain
from shieldwall.trace.follow import DEFAULT_METHOD, follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS
from shieldwall.trace.printable import printable
from shieldwall.trace.published import read_published
from shieldwall.trace.report import render
from shieldwall.trace.result import TraceResult
from shieldwall.trace.targets import find_targets

_MOST_ROWS = 20  # ends shown on a terminal
_WHOLE = re.compile(r"[0-9]{1,18}")
_HEIGHT = re.compile(r"[0-9]{1,7}")  # eight digits are a date, as ISO 8601 writes it without hyphens


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@chain_option
@data_option
@click.option(
    "--method",
    type=click.Choice([*METHODS, "all"]),
    default=DEFAULT_METHOD,
    show_default=True,
    help="How mixed money divides; all gives the totals side by side.",
)
@click.option(
    "--tags",
    "sets",
    multiple=True,
    metavar="SET",
    help="Use this tag set (again for more); default all. SET@VERSION works.",
)
@click.option("--no-tags", is_flag=True, help="Use no tag set: nothing is a service.")
@click.option(
    "--stop", multiple=True, metavar="CATEGORY", help="Stop at addresses of this tag category (again for more)."
)
@click.option("--hops", type=click.IntRange(0), help="Stop after so many spends.")
@click.option("--until", metavar="DATE|HEIGHT", help="Do not follow spends after this.")
@click.option("--least", metavar="AMOUNT", default="0", help="Do not follow less: satoshi, or bitcoin as in 0.01btc.")
@click.option(
    "--max-transactions", type=click.IntRange(1), default=200_000, show_default=True, help="Follow at most so many."
)
@click.option(
    "--published",
    multiple=True,
    metavar="FILE",
    help="Claims of published hops that the store does not hold (JSON lines).",
)
@click.option("--report", metavar="FILE.html", help="Write the report, one self-contained page.")
@click.option("--strict", is_flag=True, help="Exit code 3 when gaps, unknown spends or absent targets remain.")
@output_option
def trace(
    targets: tuple[str, ...],
    chain: str | None,
    data: str | None,
    method: str,
    sets: tuple[str, ...],
    no_tags: bool,
    stop: tuple[str, ...],
    hops: int | None,
    until: str | None,
    least: str,
    max_transactions: int,
    published: tuple[str, ...],
    report: str | None,
    strict: bool,
    output: str | None,
) -> int:
    """Follow the money of TARGETS to where it is now.

    TARGET is an ADDRESS, a TXID, TXID:N (an output), TXID:in:N (what input N brought), KIND:HEX (a script without an
    address), a file with one of these a line, or - for standard input.
    """
    if no_tags and (sets or stop):
        raise UsageError("--no-tags goes with neither --tags nor --stop: without tags nothing is a service")
    config = settings(chain=chain, data=data)
    limits = Limits(
        hops=hops,
        least=_amount(least),
        transactions=max_transactions,
        **_until(until),
    )
    with open_chain(config) as store:
        found = find_targets(store, targets, sys.stdin)
        known = None if no_tags else labels(config, store.network, sets, stop or None)
        hop_claims = read_published([Path(name) for name in published])
        progress = Progress()
        try:
            result = follow(store, found, method, limits, labels=known, published=hop_claims, progress=progress)
        finally:
            progress.end()
    if report:
        Path(report).write_text(render(result), encoding="utf-8")
        click.echo(f"report: {report}", err=True)
    emit(result, output)
    body = result.body
    incomplete = body["gap_amount"] or body["unknown_amount"] or not all(target["found"] for target in body["targets"])
    return PartialData.exit_code if strict and incomplete else 0


def emit(result: TraceResult, output: str | None) -> None:
    """Print a result in the format asked for."""
    match chosen_format(output):
        case "csv":
            click.echo(result.to_csv(), nl=False)
        case "table":
            click.echo(text(result.as_dict()), nl=False)
        case _:
            click.echo(result.to_json())


def text(body: dict[str, Any]) -> str:
    """The answer for a terminal."""
    parts = [fill(printable(body["sentence"]), width()), "", _ends(body)]
    if "methods" in body:
        columns = ("method", "held", "service", "unknown", "gap", "limit", "fee")
        rows = [
            {"method": side["method"], **{kind: btc(side[f"{kind}_amount"]) for kind in columns[1:]}}
            for side in body["methods"]
        ]
        parts += [table(rows, columns)]
    if body["paths"]:
        parts.append(_path(body["paths"][0]))
    for gap in body["gaps"][:_MOST_ROWS]:
        then = f"; published after it: {', '.join(gap['then'])}" if gap["then"] else ""
        back = f"; in the data again at {gap['resumes']}" if gap["resumes"] else ""
        source = printable(gap["source"])
        parts.append(f"gap: {gap['txid']} ({btc(gap['amount'])} BTC), named by {source}{then}{back}\n")
    rest = body["gaps"][_MOST_ROWS:]
    if rest:
        parts.append(f"+ {len(rest)} other gaps, {btc(sum(gap['amount'] for gap in rest))} BTC (all in -o json)\n")
    parts += [f"note: {printable(note)}\n" for note in body["notes"]]
    parts.append(f"digest {body['digest']}\n")
    return "\n".join(parts)


def _ends(body: dict[str, Any]) -> str:
    rows = [
        {
            "end": end["kind"],
            "address": end["address"] or "",
            "BTC": btc(end["amount"]),
            "share": percent(end["amount"], body["seed_amount"]) if body["conserved"] else "",
            "hops": end["hops"],
            "last moved (UTC)": end["last_moved"],
            "known as": end["tags"][0]["label"] if end["tags"] else "",
            "can freeze": ", ".join(entry["name"] for entry in end["freezable_by"]),
        }
        for end in body["ends"][:_MOST_ROWS]
    ]
    shown = table(rows, tuple(rows[0])) if rows else ""
    rest = body["ends"][_MOST_ROWS:]
    if rest:
        shown += f"+ {len(rest)} others, {btc(sum(end['amount'] for end in rest))} BTC (all in -o json)\n"
    return shown


def _path(path: dict[str, Any]) -> str:
    lines = [f"the way to end {path['end']}:"]
    lines += [
        f"  {step['time']}  {step['txid']}:{step['index']}  {btc(step['amount'])} BTC  {step['address']}"
        for step in path["steps"]
    ]
    if path["steps_omitted"]:
        lines.insert(1 + len(path["steps"]) // 2, f"  ... {path['steps_omitted']} steps left out here")
    return "\n".join(lines) + "\n"


def _amount(text_: str) -> int:
    word = text_.strip().lower()
    if _WHOLE.fullmatch(word):
        return int(word)
    whole, _, rest = word.removesuffix("btc").strip().partition(".")
    if word.endswith("btc") and _WHOLE.fullmatch(whole) and (_WHOLE.fullmatch(rest) or not rest) and len(rest) <= 8:
        return int(whole) * COIN + int(rest.ljust(8, "0") or 0)
    raise UsageError(
        f"--least {text_!r} is no amount", hint="write satoshi as a whole number, or bitcoin as in 0.01btc"
    )


def _until(until: str | None) -> dict[str, int]:
    if until is None:
        return {}
    if _HEIGHT.fullmatch(until):
        return {"until_height": int(until)}
    seconds = unix(until)
    if not 0 <= seconds < 1 << 32:
        raise UsageError(f"--until {until!r}: no block has such a time")
    return {"until_time": seconds}
