"""`shieldwall choke`: through which few points must the money pass, and what would freezing them stop?"""

from __future__ import annotations

import contextlib
import json
import sys
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
from shieldwall.cli.telling import tell
from shieldwall.errors import PartialData
from shieldwall.model.amount import btc, percent
from shieldwall.model.moment import unix
from shieldwall.node.wiring import disruption, labels, open_chain, open_clustering
from shieldwall.trace.choke.find import ANY, ENDS, FREEZABLE, SERVICES, Question, find_choke_points
from shieldwall.trace.choke.points import BY_SERVICE, GROUPINGS
from shieldwall.trace.choke.result import ChokeResult
from shieldwall.trace.coin import coin_of
from shieldwall.trace.follow import DEFAULT_METHOD
from shieldwall.trace.limits import Limits
from shieldwall.trace.printable import printable
from shieldwall.trace.targets import find_targets

METHODS = ("fifo", "lifo", "haircut", "tiho")
_MOST_MOMENTS = 12  # on a terminal


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@chain_option
@data_option
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="The payments to this ransomware family, too."
)
@click.option("-k", "--points", type=click.IntRange(1, 100), default=3, show_default=True, help="How many points.")
@click.option("--cut", is_flag=True, help="Also the fewest points without which nothing gets there at all.")
@click.option(
    "--to", type=click.Choice([SERVICES, ENDS]), default=SERVICES, show_default=True, help="What --cut keeps it from."
)
@click.option("--from", "since", metavar="DATE|TIME", help="Frozen from then on; without it, with hindsight, always.")
@click.option(
    "--only",
    type=click.Choice([ANY, FREEZABLE]),
    default=ANY,
    show_default=True,
    help="Any point, or such where somebody is known who can freeze.",
)
@click.option(
    "--by",
    type=click.Choice(GROUPINGS),
    default=BY_SERVICE,
    show_default=True,
    help="All addresses of a service as one point, or each address.",
)
@click.option("--cluster", metavar="NAME", help="Addresses of one cluster of this clustering are one point.")
@click.option(
    "--method", type=click.Choice(METHODS), default=DEFAULT_METHOD, show_default=True, help="How mixed money divides."
)
@click.option("--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all.")
@click.option(
    "--stop", multiple=True, metavar="CATEGORY", help="Services are addresses of this category (again for more)."
)
@click.option("--hops", type=click.IntRange(0), help="Follow so many spends.")
@click.option(
    "--max-transactions", type=click.IntRange(1), default=50_000, show_default=True, help="Follow at most so many."
)
@click.option("--strict", is_flag=True, help="Exit code 3 when gaps, limits, unknown spends or absent targets remain.")
@output_option
def choke(
    targets: tuple[str, ...],
    chain: str | None,
    data: str | None,
    families: tuple[str, ...],
    points: int,
    cut: bool,
    to: str,
    since: str | None,
    only: str,
    by: str,
    cluster: str | None,
    method: str,
    sets: tuple[str, ...],
    stop: tuple[str, ...],
    hops: int | None,
    max_transactions: int,
    strict: bool,
    output: str | None,
) -> int:
    """Find the few points that the money of TARGETS must pass, and what freezing them stops.

    A point is a service (by tags), a cluster, or an address. TARGET is as in `shieldwall trace`. Each satoshi counts
    once, wherever it passes. Addresses that the money starts from are no points.
    """
    config = settings(chain=chain, data=data)
    with contextlib.ExitStack() as opened:
        store = opened.enter_context(open_chain(config))
        clustering = None if cluster is None else opened.enter_context(open_clustering(config, store, cluster))
        known = labels(config, store.network, sets, stop or None)
        asked = disruption(
            config,
            store,
            find_targets(store, targets, sys.stdin, tell, clustering) if targets else [],
            families,
            Question(most=points, since=None if since is None else unix(since), only=only, by=by, cut=cut, to=to),
            list(sets) or None,
            clustering,
        )
        if asked.coverage:
            tell(asked.coverage)
        progress = Progress()
        try:
            result = find_choke_points(
                store,
                asked.targets,
                asked.question,
                method=method,
                limits=Limits(hops=hops, transactions=max_transactions),
                labels=known,
                clustering=clustering,
                engine=config.engine,
                apart=asked.apart,
                progress=progress,
            )
        finally:
            progress.end()
    _emit(result, output)
    ends, given = result.body["ends"], result.body["targets"]
    incomplete = ends["gap"] or ends["unknown"] or ends["limit"] or not all(target["found"] for target in given)
    return PartialData.exit_code if strict and incomplete else 0


def _emit(result: ChokeResult, output: str | None) -> None:
    match chosen_format(output):
        case "csv":
            click.echo(result.to_csv(), nl=False)
        case "jsonl":
            for row in result.rows():
                click.echo(json.dumps(row, ensure_ascii=False))
        case "table":
            click.echo(_text(result.as_dict()), nl=False)
        case _:
            click.echo(result.to_json())


def _text(body: dict[str, Any]) -> str:
    """The answer for a terminal."""
    coin, cut = coin_of(body), body["cut"]
    parts = [fill(printable(body["sentence"]), width())]
    if body["points"]:
        parts += ["", _points(body["points"], coin, body["seed_amount"]), _moments(body["curve"], coin)]
    if cut:
        parts += ["", fill(printable(cut["sentence"]), width())]
        if cut["points"]:
            parts += ["", _points(cut["points"], coin, body["seed_amount"])]
    parts += ["", fill(f"What the choice is worth: {body['guarantee']}.", width())]
    parts += [f"note: {printable(note)}" for note in body["notes"]]
    return "\n".join([*parts, f"digest {body['digest']}"]) + "\n"


def _points(points: list[dict[str, Any]], coin: str, seed: int) -> str:
    rows = [
        {
            "#": point["rank"],
            "point": point["name"] if point["kind"] != "cluster" else f"cluster of {point['name']}",
            f"stops {coin}": btc(point["stopped_amount"]),
            "together": percent(point["cumulative_amount"], seed),
            "passed in all": btc(point["passed_amount"]),
            "there now": _there(point),
            "paid last (UTC)": point["last_paid"],
            "can freeze": ", ".join(entry["name"] for entry in point["freezable_by"]),
        }
        for point in points
    ]
    return table(rows, tuple(rows[0])).rstrip("\n")


def _there(point: dict[str, Any]) -> str:
    unknown = f" + {btc(point['unknown_amount'])} unknown" if point["unknown_amount"] else ""
    return btc(point["unspent_amount"]) + unknown


def _moments(curve: list[dict[str, Any]], coin: str) -> str:
    last = max((number for number, row in enumerate(curve, 1) if row["amount"]), default=0)
    until = min(last + 1, len(curve))  # with the first date from which on nothing is stopped any more
    later = len(curve) - until
    curve = curve[:until]
    shown = curve[-_MOST_MOMENTS:]
    rows = [{"frozen from": row["from"][:10], f"stops {coin}": btc(row["amount"])} for row in shown]
    rest = len(curve) - len(shown)
    text = (f"\n+ {_dates(rest, 'earlier')} (in -o json)" if rest else "") + "\n"
    text += table(rows, tuple(rows[0])).rstrip("\n")
    return f"{text}\n+ {_dates(later, 'later')}: nothing any more" if later else text


def _dates(count: int, when: str) -> str:
    return f"{count} {when} {'date' if count == 1 else 'dates'}"
