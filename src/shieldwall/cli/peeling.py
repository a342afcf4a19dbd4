"""`shieldwall cluster peel`: a peel chain as one line that unfolds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from shieldwall.chain.store import ChainStore
from shieldwall.cli.options import (
    chain_option,
    chosen_format,
    data_option,
    emit_record,
    emit_rows,
    output_option,
    settings,
    table,
)
from shieldwall.errors import BadInput
from shieldwall.model.amount import btc
from shieldwall.node.wiring import CO_SPEND, labels, open_chain, open_clustering
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.peel.follow import MOST_HOPS, PeelLimits, follow_peel
from shieldwall.trace.peel.next_hop import SEVERAL
from shieldwall.trace.peel.rules import FIND_NEXT2, RULES
from shieldwall.trace.targets import Target, find_targets

_MOST_ROWS = 20  # of a table on a terminal, unless it is unfolded
_HOP_COLUMNS = (
    "hop", "time", "txid", "amount", "index", "goes_on_amount", "peeled_amount", "peeled_to", "service", "joined_amount",
    "fee", "why",
)  # fmt: skip


@click.command()
@click.argument("start", metavar="TXID[:N]")
@click.option("--name", default=CO_SPEND, show_default=True, help="Which clustering.")
@click.option(
    "--rule",
    type=click.Choice(list(RULES)),
    default=FIND_NEXT2,
    show_default=True,
    help="How the next hop is told; find-next2 goes less far and errs less.",
)
@click.option(
    "--hops", type=click.IntRange(1), default=MOST_HOPS, show_default=True, help="Follow at most so many hops."
)
@click.option("--unfold", is_flag=True, help="Every hop, with what was peeled off and why the chain goes on.")
@click.option("--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all.")
@click.option("--no-tags", is_flag=True, help="Use no tag set: nobody who is paid is named.")
@chain_option
@data_option
@output_option
def peel(
    start: str,
    name: str,
    rule: str,
    hops: int,
    unfold: bool,
    sets: tuple[str, ...],
    no_tags: bool,
    chain: str | None,
    data: str | None,
    output: str | None,
) -> int:
    """Follow the peel chain that begins in TXID, or with its output N.

    A large coin pays someone, the rest goes on and pays the next. Each hop is held to the profile of the cluster that pays in
    the first (version, replaceable, locktime, SegWit, address types, where change stands), so a clustering is needed:
    `shieldwall cluster build`. That an output goes on with the chain is an inference; it is followed forward only.
    """
    config = settings(chain=chain, data=data)
    with open_chain(config) as store, open_clustering(config, store, name) as clustering:
        target = _one(store, start)
        known: Labels = NoLabels() if no_tags else labels(config, store.network, sets)
        at = store.transaction_of(target.outputs[0])
        found = follow_peel(
            store,
            clustering,
            transaction=at if target.kind == "transaction" else None,
            output=target.outputs[0] if target.kind == "output" else None,
            rule=rule,
            limits=PeelLimits(hops),
            labels=known,
        ).to_dict()
        coin = store.network.coin
    if chosen_format(output) == "csv":
        emit_rows(_hops(found), _HOP_COLUMNS, output)
    elif chosen_format(output) == "table":
        click.echo(_text(found, coin, unfold=unfold), nl=False)
    else:
        emit_record(found, output)
    return 0


def _one(store: ChainStore, start: str) -> Target:
    targets = find_targets(store, [start])
    if len(targets) != 1 or targets[0].kind not in ("transaction", "output"):
        raise BadInput(f"{start}: neither one transaction nor one output", hint="a chain begins in TXID or with TXID:N")
    return targets[0]


def _hops(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The transactions as rows; the last one without an output that goes on."""
    hops = [*found["hops"], *([found["last"]] if found["last"] else [])]
    return [
        {
            **{
                name: hop[name]
                for name in ("time", "txid", "amount", "index", "goes_on_amount", "joined_amount", "fee", "why")
            },
            "hop": number,
            "peeled_amount": sum(entry["amount"] for entry in hop["peeled"]),
            "peeled_to": " ".join(entry["address"] for entry in hop["peeled"]),
            "service": ", ".join(entry["service"] for entry in hop["peeled"] if entry["service"]),
        }
        for number, hop in enumerate(hops, 1)
    ]


def _text(found: Mapping[str, Any], coin: str, *, unfold: bool) -> str:
    """The chain for a person: the summary, who was paid, and the hops where they are asked for."""
    lines = [found["sentence"], *_profile(found), ""]
    receivers = found["summary"]["receivers"]
    rows = [
        {
            "peeled off to": entry["address"],
            coin: btc(entry["amount"]),
            "times": str(entry["outputs"]),
            "known as": entry["service"] or ("the chain's own cluster" if entry["own"] else "unknown"),
        }
        for entry in receivers
    ]
    shown = rows if unfold else rows[:_MOST_ROWS]
    if shown:
        lines.append(table(shown, tuple(shown[0])).rstrip("\n"))
    if len(rows) > len(shown):
        left = sum(entry["amount"] for entry in receivers[len(shown) :])
        lines.append(f"+ {len(rows) - len(shown)} others, {btc(left)} {coin} (--unfold, or -o json)")
    if unfold:
        lines += _unfolded(found, coin)
    elif found["hops"]:
        lines.append(f"\nThe {len(found['hops'])} hops one by one: --unfold")
    if found["summary"]["end"] == SEVERAL:
        lines.append(f"\nTo go on with one of them: shieldwall cluster peel {found['last']['txid']}:N")
    lines.append("\nPublished of this rule: " + _published(found))
    return "\n".join([*lines, f"digest {found['digest']}"]) + "\n"


def _profile(found: Mapping[str, Any]) -> list[str]:
    cluster = found["cluster"]
    if cluster is None:
        return []
    made = f"{cluster['transactions']:,} transaction{'' if cluster['transactions'] == 1 else 's'}"
    change = f"change {cluster['change']} (known in {cluster['known_changes']:,})"
    return [
        f"Held to what the cluster of {cluster['named_after']} does in {made}: {'; or '.join(cluster['features'])}; addresses "
        f"{', '.join(cluster['address_types'])}; {change}."
        + (" The profile is of a part of the cluster." if cluster["cut"] else "")
    ]


def _unfolded(found: Mapping[str, Any], coin: str) -> list[str]:
    lines = [""]
    for number, hop in enumerate(found["hops"], 1):
        lines.append(f"{number:>4}  {hop['time']}  {hop['txid']}")
        if hop["joined_amount"] != 0:
            joined = "an amount that is not known" if hop["joined_amount"] is None else btc(hop["joined_amount"])
            lines.append(f"      {joined} {coin} of other inputs joined")
        for entry in hop["peeled"]:
            who = entry["service"] or ("own cluster" if entry["own"] else "unknown")
            lines.append(f"      {btc(entry['amount'])} {coin} to {entry['address']} ({who}, {entry['state']})")
        lines.append(f"      {btc(hop['goes_on_amount'])} {coin} goes on in output {hop['index']}: {hop['why']}")
    if found["last"]:
        last = found["last"]
        lines.append(f" end  {last['time']}  {last['txid']}")
        lines += [
            f"      {btc(entry['amount'])} {coin} to {entry['address']} ({entry['state']}): {entry['why_not']}"
            for entry in last["peeled"]
        ]
    return lines


def _published(found: Mapping[str, Any]) -> str:
    rates = ", ".join(f"{rate['what'].split(',')[0]} {rate['value']}" for rate in found["published"])
    return f"{rates} ({found['published'][0]['source']})"
