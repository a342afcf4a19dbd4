"""`shieldwall trace`: the answer first, then the ends, the way there, the gaps."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
from pathlib import Path

import click

from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    data_option,
    output_option,
    settings,
)
from shieldwall.cli.telling import tell
from shieldwall.cli.trace_text import text
from shieldwall.errors import PartialData, UsageError
from shieldwall.intel.rates import choose_valuer
from shieldwall.model.moment import unix
from shieldwall.model.network import COIN
from shieldwall.node.wiring import labels, open_chain, open_clustering
from shieldwall.trace.follow import BACKWARD, DEFAULT_METHOD, FORWARD, follow
from shieldwall.trace.graphml import graphml
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS
from shieldwall.trace.moved import clusters_in
from shieldwall.trace.published import read_published
from shieldwall.trace.report import render
from shieldwall.trace.result import TraceResult
from shieldwall.trace.targets import find_targets

_END = {"--report": ".html", "--graphml": ".graphml"}
_WHOLE = re.compile(r"[0-9]{1,18}")
_HEIGHT = re.compile(r"[0-9]{1,7}")  # eight digits are a date, as ISO 8601 writes it without hyphens


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@chain_option
@data_option
@click.option("--backward", is_flag=True, help="Where the money came from, instead of where it went.")
@click.option(
    "--method",
    type=click.Choice([*METHODS, "all"]),
    default=DEFAULT_METHOD,
    show_default=True,
    help="How mixed money divides; all gives each of them side by side.",
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
@click.option(
    "--until",
    metavar="DATE|TIME|HEIGHT",
    help="Do not follow spends in later blocks, nor, backward, payments in earlier ones. A date is its first second in UTC.",
)
@click.option(
    "--least", metavar="AMOUNT", default="0", help="Do not follow less: satoshi, or coins as in 0.01btc, 0.01ltc."
)
@click.option(
    "--max-transactions", type=click.IntRange(1), default=200_000, show_default=True, help="Follow at most so many."
)
@click.option(
    "--published",
    multiple=True,
    metavar="FILE",
    help="Claims of published hops that the store does not hold (JSON lines).",
)
@click.option(
    "--cluster",
    "cluster_name",
    metavar="NAME",
    help="Start from the whole cluster of each address, and take members of a service's cluster for that service.",
)
@click.option(
    "--moved-only", is_flag=True, help="With --cluster: the report's picture shows only where money changed hands."
)
@click.option("--fiat", metavar="CURRENCY", help="Value seeds and ends in this currency, each on its day, by --rates.")
@click.option("--rates", multiple=True, metavar="FILE", help="Rates to value by (again for more); none are shipped.")
@click.option(
    "--rates-within",
    type=click.IntRange(0, 31),
    default=0,
    show_default=True,
    metavar="DAYS",
    help="Where a day has no rate, take one of so many days before.",
)
@click.option("--graphml", "graph", metavar="FILE", help="Write the graph for yEd, Gephi or networkx.")
@click.option("--report", metavar="FILE.html", help="Write the report, one self-contained page.")
@click.option("--strict", is_flag=True, help="Exit code 3 when gaps, unknown spends or absent targets remain.")
@output_option
def trace(
    targets: tuple[str, ...],
    chain: str | None,
    data: str | None,
    backward: bool,
    method: str,
    sets: tuple[str, ...],
    no_tags: bool,
    stop: tuple[str, ...],
    hops: int | None,
    until: str | None,
    least: str,
    max_transactions: int,
    published: tuple[str, ...],
    cluster_name: str | None,
    moved_only: bool,
    fiat: str | None,
    rates: tuple[str, ...],
    rates_within: int,
    graph: str | None,
    report: str | None,
    strict: bool,
    output: str | None,
) -> int:
    """Follow the money of TARGETS to where it is now, or back to where it came from.

    TARGET is an ADDRESS, a TXID, TXID:N (an output), TXID:in:N (what input N brought), KIND:HEX (a script without an
    address), a file with one of these a line, or - for standard input. A file of any other kind (text, mail, chat export,
    CSV, HTML, JSON; PDF with the extra) and pasted text are searched for addresses and txids.
    """
    if no_tags and (sets or stop):
        raise UsageError("--no-tags goes with neither --tags nor --stop: without tags nothing is a service")
    if moved_only and not cluster_name:
        raise UsageError(
            "--moved-only needs --cluster: whose hands are whose, a clustering says",
            hint="add --cluster NAME: shieldwall cluster list",
        )
    for option, name in (("--report", report), ("--graphml", graph)):
        _can_write(option, name)
    config = settings(chain=chain, data=data)
    with contextlib.ExitStack() as opened:
        store = opened.enter_context(open_chain(config))
        clustering = None
        if cluster_name:
            clustering = opened.enter_context(open_clustering(config, store, cluster_name))
        coin = store.network.coin
        limits = Limits(hops=hops, least=_amount(least, coin), transactions=max_transactions, **_until(until))
        valuer = choose_valuer(fiat, rates, rates_within, coin)
        found = find_targets(store, targets, sys.stdin, tell, clustering)
        known = None if no_tags else labels(config, store.network, sets, stop or None)
        hop_claims = read_published([Path(name) for name in published])
        progress = Progress()
        try:
            result = follow(
                store,
                found,
                method,
                limits,
                direction=BACKWARD if backward else FORWARD,
                labels=known,
                published=hop_claims,
                fiat=valuer,
                clustering=clustering,
                engine=config.engine,
                progress=progress,
            )
        finally:
            progress.end()
        hands = clusters_in(result.body, store, clustering) if moved_only and clustering and report else None
    if graph:
        Path(graph).write_text(graphml(result.body, result.digest), encoding="utf-8")
        click.echo(f"graph: {graph}", err=True)
    if report:
        Path(report).write_text(render(result, clusters=hands), encoding="utf-8")
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


def _can_write(option: str, name: str | None) -> None:
    """Refuse a file that cannot be written, before a long walk rather than after it."""
    if not name:
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(
            f"{option} {name}: is a folder", hint=f"name a file in it, such as {path / 'trace'}{_END[option]}"
        )
    if not path.parent.is_dir():
        raise UsageError(
            f"{option} {name}: there is no folder {path.parent}",
            hint=f"make it first (mkdir -p {shlex.quote(str(path.parent))}), or name a file in a folder that is there",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{option} {name}: may not be written", hint="name a file in a folder that you may write to")


def _amount(text_: str, coin: str) -> int:
    """Satoshi of an amount in them, or in whole coins with the coin's sign behind; that of another chain is refused."""
    word, sign = text_.strip().lower(), coin.lower()
    if _WHOLE.fullmatch(word):
        return int(word)
    whole, _, rest = word.removesuffix(sign).strip().partition(".")
    if word.endswith(sign) and _WHOLE.fullmatch(whole) and (_WHOLE.fullmatch(rest) or not rest) and len(rest) <= 8:
        return int(whole) * COIN + int(rest.ljust(8, "0") or 0)
    raise UsageError(
        f"--least {text_!r} is no amount of this chain, whose coin is {coin}",
        hint=f"write satoshi as a whole number, or coins as in 0.01{sign}",
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
