"""`shieldwall cluster build | list | show | why | refused`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    data_option,
    emit_record,
    emit_rows,
    output_option,
    settings,
    table,
)
from shieldwall.cli.telling import tell
from shieldwall.errors import PartialData, ShieldwallError, StoreError, UsageError
from shieldwall.model.amount import btc
from shieldwall.node.wiring import (
    CO_SPEND,
    build_clusters,
    clusterings,
    open_chain,
    open_clustering,
    reasons_of,
    tagged_holders,
)
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.profile import SHOWN
from shieldwall.trace.clusters.profile import profile as profile_of
from shieldwall.trace.clusters.refused import REFUSED_COLUMNS, refused_rows
from shieldwall.trace.clusters.rules import DROP, KEEP, MOST, ClusterRules
from shieldwall.trace.targets import holder_named

_MOST_ROWS = 50  # on a terminal
name_option = click.option("--name", default=CO_SPEND, show_default=True, help="Which clustering.")
tags_option = click.option(
    "--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all."
)


@click.command()
@name_option
@chain_option
@data_option
@click.option(
    "--coinjoin",
    type=click.Choice([DROP, KEEP]),
    default=DROP,
    show_default=True,
    help="Leave the payers of CoinJoins apart, or join them all the same.",
)
@click.option("--change", metavar="RULE", help="Join payers with their change too, by this rule.")
@click.option(
    "--most",
    type=click.IntRange(0),
    default=MOST,
    show_default=True,
    help="Change never makes a cluster of more addresses than this; 0 for no limit.",
)
@tags_option
@click.option("--no-tags", is_flag=True, help="No constraint: clusters of two services may merge.")
@click.option("--again", is_flag=True, help="From scratch, whatever is there.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="How many work at once.")
@output_option
def build(
    name: str,
    chain: str | None,
    data: str | None,
    coinjoin: str,
    change: str | None,
    most: int,
    sets: tuple[str, ...],
    no_tags: bool,
    again: bool,
    threads: int,
    output: str | None,
) -> int:
    """Cluster the chain store, or extend the clustering that is there by the blocks that came since.

    Addresses that pay in one transaction are put together (co-spend), CoinJoins left out. Two that tags give to two
    services are never joined; each refusal is kept (`cluster refused`). RULE is made of change heuristics, as in
    `unique(address_type & locktime)`: see `cluster rules`.
    """
    if no_tags and sets:
        raise UsageError("--no-tags goes with no --tags")
    if change is not None and not change.strip():
        raise UsageError("--change is empty", hint="name a rule: shieldwall cluster rules; or leave it out")
    config = settings(chain=chain, data=data)
    rules = ClusterRules(coinjoin=coinjoin, change=change or "", most=most, constrained=not no_tags)
    progress = Progress()
    with open_chain(config) as store:
        try:
            report = build_clusters(config, store, name, rules, sets, again=again, threads=threads, progress=progress)
        finally:
            progress.end()
    with report.clustering as clustering:
        if report.why_anew:
            tell(f"from scratch: {report.why_anew}")
        done = "unchanged" if report.unchanged else "extended" if report.extended_from else "built"
        emit_record({"done": done, "extended_from": report.extended_from, **_told(clustering)}, output)
    return 0


@click.command("list")
@data_option
@output_option
def list_(data: str | None, output: str | None) -> int:
    """The clusterings there are, of every chain store. Exit code 4 when one is damaged."""
    found, damaged = clusterings(settings(data=data))
    rows = [_told(clustering) for clustering in found]
    emit_rows(rows, ("network", "name", "tip_height", "addresses", "clusters", "rule", "digest"), output)
    for what in damaged:
        tell(what)
    return StoreError.exit_code if damaged else 0


@click.command()
@name_option
@chain_option
@data_option
def verify(name: str, chain: str | None, data: str | None) -> int:
    """Hold a clustering's files against their SHA-256, and its blocks against the chain store."""
    config = settings(chain=chain, data=data)
    with open_chain(config) as store, open_clustering(config, store, name) as clustering:
        clustering.verify()
        click.echo(f"{name}: whole, digest {clustering.digest}")
    return 0


@click.command()
@click.argument("address")
@name_option
@chain_option
@data_option
@tags_option
@click.option("--members", type=click.IntRange(1), default=SHOWN, show_default=True, help="Members to list.")
@output_option
def show(
    address: str,
    name: str,
    chain: str | None,
    data: str | None,
    sets: tuple[str, ...],
    members: int,
    output: str | None,
) -> int:
    """The cluster of ADDRESS: size, activity, balance by spend state, what tags say of its members.

    A tag on another member is inherited: it is said of that address, and of this one only by inference.
    """
    config = settings(chain=chain, data=data)
    with open_chain(config) as store, open_clustering(config, store, name) as clustering:
        holder = holder_named(store, address)
        found = profile_of(store, clustering, holder, tagged_holders(config, store, sets), members)
    if chosen_format(output) == "csv":
        emit_rows(found["members"], ("address", "received_amount"), output)
    elif chosen_format(output) == "table":
        click.echo(_text(found, store.network.coin), nl=False)
    else:
        emit_record(found, output)
    return 0


@click.command()
@click.argument("one", metavar="ADDRESS")
@click.argument("other", metavar="ADDRESS")
@name_option
@chain_option
@data_option
@output_option
def why(one: str, other: str, name: str, chain: str | None, data: str | None, output: str | None) -> int:
    """Why two addresses are in one cluster: the fewest transactions that join them, one a row.

    Exit code 1 where they are in different clusters; 3 where the search was cut short.
    """
    config = settings(chain=chain, data=data)
    with open_chain(config) as store, open_clustering(config, store, name) as clustering:
        holders = [holder_named(store, address) for address in (one, other)]
        reason = reasons_of(config, store, clustering).between(*holders)
        if not reason.joined:
            tell(f"{one} and {other} are in different clusters of {name!r}: these rules do not join them")
            return ShieldwallError.exit_code
        if reason.cut:
            tell(f"in one cluster, but no way was found within {reason.looked_at:,} transactions")
            return PartialData.exit_code
        columns = ("height", "time", "rule", "from", "to", "txid")
        emit_rows(reason.steps, columns, output)
    return 0


@click.command()
@name_option
@chain_option
@data_option
@output_option
def refused(name: str, chain: str | None, data: str | None, output: str | None) -> int:
    """Merges that a constraint refused: each a hint at a CoinJoin that no rule knows, a wrong tag, or a wrong change."""
    config = settings(chain=chain, data=data)
    with open_chain(config) as store, open_clustering(config, store, name) as clustering:
        rows = refused_rows(store, clustering)
        left_out = clustering.body["refused"] - len(rows)
        shown = rows[:_MOST_ROWS] if chosen_format(output) == "table" else rows
        emit_rows(shown, REFUSED_COLUMNS, output)
        if len(rows) > len(shown) or left_out:
            tell(f"+ {len(rows) - len(shown) + left_out:,} others ({left_out:,} of them counted only)")
    return 0


def _told(clustering: Clustering) -> dict[str, Any]:
    body = clustering.body
    parameters = body["parameters"]
    rule = f"co-spend, CoinJoins {'left out' if parameters['coinjoin'] == DROP else 'kept'}"
    return {
        "name": clustering.name,
        "network": body["network"],
        "tip_height": body["tip_height"],
        "tip_hash": body["tip_hash"],
        "rule": rule + (f", change by {parameters['change']}" if parameters["change"] else ""),
        "tag_sets": len(parameters["tag_sets"]),
        "addresses": body["holders"],
        "clusters": body["clusters"],
        "clusters_of_many": body["clusters_of_many"],
        "clusters_that_paid": body["clusters_that_paid"],
        "largest": body["largest"][0][1] if body["largest"] else min(1, body["holders"]),
        "coinjoins": body["coinjoins"],
        "refused": body["refused"],
        "digest": clustering.digest,
    }


def _text(found: Mapping[str, Any], coin: str) -> str:
    """The profile for a person: the sums first, then what is said, then members."""
    sums = ", ".join(f"{btc(found[f'{kind}_amount'])} {kind}" for kind in ("held", "unknown", "spent"))
    done = f"{found['outputs']:,} payments received, {found['transactions']:,} transactions"
    of = f"inferred: {_rule(found)}; as of height {found['clustering']['tip_height']}"
    lines = [
        f"{found['address']} is in a cluster of {found['size']:,} ({of}).",
        f"Received {btc(found['received_amount'])} {coin}: {sums}.",
        f"{done}, {found['first_time']} to {found['last_time']}." if found["transactions"] else f"{done}.",
    ]
    if found["outside_inputs"]:
        unknown = f", and {found['outside_unknown']:,} of unknown amount" if found["outside_unknown"] else ""
        lines.insert(
            2,
            f"Beyond that it spends {btc(found['outside_amount'])} {coin} of {found['outside_inputs']:,} outputs that are "
            f"not in this store{unknown}.",
        )
    if found["covers"]["blocks_since"]:
        lines.append(
            f"{found['covers']['blocks_since']:,} blocks came since: `shieldwall cluster build` takes them in."
        )
    rows = [
        {
            "address": entry["address"],
            "said of": "another member" if entry["inherited"] else "this address",
            "known as": tag["label"],
            "category": tag["category"] or tag["abuse"],
            "sources": tag["count"],
        }
        for entry in found["tags"]
        for tag in entry["tags"]
    ]
    text = "\n".join(lines) + "\n"
    text += "\n" + (table(rows[:_MOST_ROWS], tuple(rows[0])) if rows else "No tag on any member: unknown, not clean.\n")
    text += f"+ {len(rows) - _MOST_ROWS} other tags (in -o json)\n" if len(rows) > _MOST_ROWS else ""
    members = [
        {"member": entry["address"], f"received {coin}": btc(entry["received_amount"])} for entry in found["members"]
    ]
    text += "\n" + table(members, tuple(members[0]))
    text += f"+ {found['members_omitted']:,} other members\n" if found["members_omitted"] else ""
    return f"{text}digest {found['digest']}\n"


def _rule(found: Mapping[str, Any]) -> str:
    change = found["clustering"]["parameters"]["change"]
    return "co-spend" + (f" and change by {change}" if change else "")
