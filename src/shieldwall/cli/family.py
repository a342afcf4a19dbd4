"""`shieldwall family list | payments | services`: ransomware families as the tag sets name them."""

from __future__ import annotations

import contextlib
import json
from textwrap import fill
from typing import Any

import click

from shieldwall.cli.choke import METHODS
from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    data_option,
    emit_rows,
    output_option,
    settings,
    table,
    to_csv,
    width,
)
from shieldwall.intel import TagIndex, TagSets
from shieldwall.model.amount import btc, percent
from shieldwall.model.network import MAIN
from shieldwall.node.config import Config
from shieldwall.node.wiring import labels, open_chain, open_clustering
from shieldwall.trace.coin import coin_of
from shieldwall.trace.families.family import choose, families_of, locate
from shieldwall.trace.families.payments import DUST
from shieldwall.trace.families.result import FamilyResult
from shieldwall.trace.families.services import services_by_inflow
from shieldwall.trace.families.statistics import payment_statistics
from shieldwall.trace.follow import DEFAULT_METHOD
from shieldwall.trace.limits import Limits
from shieldwall.trace.printable import printable

_MOST_ROWS = 40  # on a terminal
_PAYMENT_COLUMNS = (
    "family", "month", "payments", "amount", "median_amount", "addresses_here", "addresses", "whole_chain",
)  # fmt: skip
_SERVICE_COLUMNS = (
    "rank", "service", "category", "amount", "share", "payments", "addresses", "unspent_amount", "least_hops", "most_hops",
    "first_time", "last_time", "families", "freezable_by",
)  # fmt: skip
_tags = click.option(
    "--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all."
)
_least = click.option(
    "--least",
    type=click.IntRange(0),
    default=DUST,
    show_default=True,
    metavar="SATOSHI",
    help="Smaller outputs are dust.",
)
_cluster = click.option(
    "--cluster",
    metavar="NAME",
    help="Who is in one cluster with a tagged address is the family's, or the service's, too.",
)


@click.group()
def family() -> None:
    """Ransomware families, as the member's tag sets name them: attributions of their sources."""


@family.command("list")
@chain_option
@data_option
@_tags
@output_option
def list_command(chain: str | None, data: str | None, sets: tuple[str, ...], output: str | None) -> int:
    """The families, their tagged addresses, and how many of these the chain store holds."""
    config = settings(chain=chain, data=data)
    index = _index(config, sets)
    if config.chain is None:
        rows = [_listed(each.name, len(each.addresses), None, each.sets) for each in families_of(index, MAIN)]
    else:
        with open_chain(config) as store:
            found = families_of(index, store.network)
            rows = [_listed(each.name, len(each.addresses), locate(store, each).here, each.sets) for each in found]
    emit_rows(rows, ("family", "addresses", "addresses_here", "sets"), output)
    return 0


def _listed(name: str, addresses: int, here: int | None, sets: tuple[str, ...]) -> dict[str, Any]:
    """A family of the list; `addresses_here` is null without a store."""
    return {"family": name, "addresses": addresses, "addresses_here": here, "sets": list(sets)}


@family.command("payments")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@chain_option
@data_option
@_tags
@_least
@_cluster
@output_option
def payments_command(
    names: tuple[str, ...],
    chain: str | None,
    data: str | None,
    sets: tuple[str, ...],
    least: int,
    cluster: str | None,
    output: str | None,
) -> int:
    """Payments to the families called NAME (else all): count, sum, median, by month, beside what others published.

    A payment is an output to a tagged address whose payers are all known and none the family's own.
    """
    config = settings(chain=chain, data=data)
    index = _index(config, sets)
    with contextlib.ExitStack() as opened:
        store = opened.enter_context(open_chain(config))
        found = choose(families_of(index, store.network), names)
        clustering = None if cluster is None else opened.enter_context(open_clustering(config, store, cluster))
        result = payment_statistics(
            store,
            found,
            index.versions,
            least=least,
            clustering=clustering,
            everybody=not names,
        )
    body = result.as_dict()
    _emit(result, body["families"], _monthly(body), _PAYMENT_COLUMNS, _payments_text(body), output)
    return 0


@family.command("services")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@chain_option
@data_option
@_tags
@_least
@_cluster
@click.option(
    "--method", type=click.Choice(METHODS), default=DEFAULT_METHOD, show_default=True, help="How mixed money divides."
)
@click.option(
    "--stop", multiple=True, metavar="CATEGORY", help="Services are addresses of this category (again for more)."
)
@click.option("--hops", type=click.IntRange(0), help="Follow so many spends.")
@click.option(
    "--max-transactions",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="Follow at most so many in a trace.",
)
@output_option
def services_command(
    names: tuple[str, ...],
    chain: str | None,
    data: str | None,
    sets: tuple[str, ...],
    least: int,
    cluster: str | None,
    method: str,
    stop: tuple[str, ...],
    hops: int | None,
    max_transactions: int,
    output: str | None,
) -> int:
    """Services ranked by what they received of the payments to the families called NAME (else all)."""
    config = settings(chain=chain, data=data)
    index = _index(config, sets)
    progress = Progress()
    with contextlib.ExitStack() as opened:
        store = opened.enter_context(open_chain(config))
        found = choose(families_of(index, store.network), names)
        known = labels(config, store.network, sets, stop or None)
        clustering = None if cluster is None else opened.enter_context(open_clustering(config, store, cluster))
        try:
            result = services_by_inflow(
                store,
                found,
                known,
                method=method,
                limits=Limits(hops=hops, transactions=max_transactions),
                least=least,
                clustering=clustering,
                engine=config.engine,
                progress=progress,
            )
        finally:
            progress.end()
    body = result.as_dict()
    flat = [
        {**row, "families": "; ".join(f"{part['family']} {part['amount']}" for part in row["families"])}
        for row in body["services"]
    ]
    _emit(result, body["services"], flat, _SERVICE_COLUMNS, _services_text(body), output)
    return 0


def _index(config: Config, sets: tuple[str, ...]) -> TagIndex:
    return TagSets(config.tags).select(list(sets) or None)


def _emit(
    result: FamilyResult,
    rows: list[dict[str, Any]],
    flat: list[dict[str, Any]],
    columns: tuple[str, ...],
    text: str,
    output: str | None,
) -> None:
    match chosen_format(output):
        case "csv":
            click.echo(to_csv(flat, columns), nl=False)
        case "jsonl":
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        case "table":
            click.echo(text, nl=False)
        case _:
            click.echo(result.to_json())


def _monthly(body: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each family and month; a family without payments here has one without a month."""
    nothing = {"month": None, "payments": 0, "amount": None, "median_amount": None}
    return [
        {
            "family": row["family"],
            **month,
            "addresses_here": row["addresses_here"],
            "addresses": row["addresses"],
            "whole_chain": body["whole_chain"],
        }
        for row in body["families"]
        for month in (row["months"] or [nothing])
    ]


def _payments_text(body: dict[str, Any]) -> str:
    coin = coin_of(body)
    rows = [
        {
            "family": row["family"],
            "payments": row["payments"] if row["here"] else "unknown",
            coin: btc(row["amount"]) if row["here"] else "",
            "median": "" if row["median_amount"] is None else btc(row["median_amount"]),
            "first (UTC)": row["first_time"],
            "last (UTC)": row["last_time"],
            "addresses here": f"{row['addresses_here']} of {row['addresses']}",
            "own moves": row["left_out"]["internal"]["outputs"] or "",
        }
        for row in body["families"][:_MOST_ROWS]
    ]
    parts = [fill(printable(body["sentence"]), width()), ""]
    if rows:
        parts.append(table(rows, tuple(rows[0])).rstrip("\n"))
    rest = body["families"][_MOST_ROWS:]
    if rest:
        parts.append(f"+ {len(rest)} other families, {btc(sum(row['amount'] for row in rest))} {coin} (all in -o json)")
    if len(body["families"]) == 1 and body["families"][0]["months"]:
        months = [
            {"month": each["month"], "payments": each["payments"], coin: btc(each["amount"]),
             "median": btc(each["median_amount"])}
            for each in body["families"][0]["months"]
        ]  # fmt: skip
        parts += ["", table(months, tuple(months[0])).rstrip("\n")]
    published = body["all"]["published"] + [entry for row in body["families"] for entry in row["published"]]
    parts += [fill(printable(_beside(entry, coin)), width(), subsequent_indent="  ") for entry in published]
    return "\n".join([*parts, f"digest {body['digest']}"]) + "\n"


def _beside(entry: dict[str, Any], coin: str) -> str:
    days = f", {entry['from']} to {entry['until']}" if entry["from"] else ""
    count = "" if entry["published_payments"] is None else f", {entry['published_payments']} payments"
    here = f"{btc(entry['here_amount'])} {coin} in {entry['here_payments']} payments"
    held = (
        f"here: {here}"
        if entry["comparable"]
        else f"here: {here}, and this store does not cover those days whole: not to be compared"
    )
    return f"published: {btc(entry['published_amount'])} BTC{count}{days} ({entry['what']}; {entry['source']}); {held}"


def _services_text(body: dict[str, Any]) -> str:
    coin = coin_of(body)
    rows = [
        {
            "#": row["rank"],
            "service": row["service"],
            coin: btc(row["amount"]),
            "share": percent(row["amount"], body["seed_amount"]),
            "payments": row["payments"],
            "hops": str(row["least_hops"]) if row["least_hops"] == row["most_hops"]
            else f"{row['least_hops']} to {row['most_hops']}",
            "unspent there": btc(row["unspent_amount"]),
            "last (UTC)": row["last_time"],
            "families": ", ".join(part["family"] for part in row["families"][:3])
            + (f" + {len(row['families']) - 3}" if row["families"][3:] else ""),
            "can freeze": ", ".join(row["freezable_by"]),
        }
        for row in body["services"][:_MOST_ROWS]
    ]  # fmt: skip
    parts = [fill(printable(body["sentence"]), width()), ""]
    if rows:
        parts.append(table(rows, tuple(rows[0])).rstrip("\n"))
    rest = body["services"][_MOST_ROWS:]
    if rest:
        parts.append(f"+ {len(rest)} other services, {btc(sum(row['amount'] for row in rest))} {coin} (all in -o json)")
    parts += [f"note: {printable(note)}" for note in body["notes"]]
    return "\n".join([*parts, f"digest {body['digest']}"]) + "\n"
