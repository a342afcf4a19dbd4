"""`shieldwall cluster coinjoin`: has a transaction the shape of a CoinJoin, and of which?"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import click
import numpy as np

from shieldwall.chain.store import ChainStore
from shieldwall.cli.options import (
    chain_option,
    chosen_format,
    data_option,
    emit_record,
    output_option,
    settings,
    width,
)
from shieldwall.node.wiring import labels, open_chain
from shieldwall.trace.coinjoin.verdict import CoinJoinVerdict, type_of
from shieldwall.trace.fingerprint.compare import number_of
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Labels
from shieldwall.trace.printable import printable

_MOST_SERVICES = 5  # named on a terminal


@click.command("coinjoin")
@click.argument("txid")
@chain_option
@data_option
@click.option("--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all.")
@output_option
def coinjoin(txid: str, chain: str | None, data: str | None, sets: tuple[str, ...], output: str | None) -> None:
    """Is transaction TXID a CoinJoin, of which kind, and why?

    An inference from the transaction's shape by published rules; what was published of their error stands beside it. A single
    payer can make any of these shapes. An input of a tagged service vetoes what a service's batches look like.
    """
    config = settings(chain=chain, data=data)
    with open_chain(config) as store:
        number = number_of(store, txid)
        named = _services(store, number, labels(config, store.network, sets))
        verdict = type_of(store, number, np.array(sorted(named), np.uint32))
        services = sorted(set(named.values()))
    if chosen_format(output) == "table":
        click.echo(_text(verdict, services), nl=False)
        return
    answer = {"txid": txid.lower(), **verdict.as_json(), "services": services}
    emit_record(_flat(answer) if output == "csv" else answer, output)


def _services(store: ChainStore, number: int, tags: Labels) -> dict[int, str]:
    """The payers that tags call a service's, and its name."""
    holders = Holders(store, tags)
    payers = {each.holder for each in store.inputs(number) if each.holder is not None}
    found = {payer: holders.label(payer).service for payer in payers}
    return {payer: name for payer, name in found.items() if name is not None}


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    rates = [f"{rate['what']}: {rate['value']} ({rate['source']})" for rate in answer["published"]]
    vetoes = [f"{veto['kind']}: {veto['why']}" for veto in answer["vetoes"]]
    return {name: value for name, value in answer.items() if name != "considered"} | {
        "published": rates,
        "vetoes": vetoes,
    }


def _text(verdict: CoinJoinVerdict, services: list[str]) -> str:
    about = verdict.about
    if about is None:
        lines = ["none: no rule of a CoinJoin holds"]
    else:
        lines = [fill(f"{verdict.kind}: {about.title}, inferred by a rule", width()), "because"]
        lines += [_item(reason) for reason in verdict.reasons]
    for veto in verdict.vetoes:
        lines.append(fill(f"not {veto.kind}: {veto.why}", width(), subsequent_indent="  "))
    if services and verdict.vetoes:
        more = len(services) - _MOST_SERVICES
        named = ", ".join(map(printable, services[:_MOST_SERVICES])) + (f" + {more} others" if more > 0 else "")
        lines.append(fill(f"tagged services among the payers: {named}", width(), subsequent_indent="  "))
    if verdict.unknown:
        lines.append(
            fill(
                f"cannot be told, since inputs are not known: {', '.join(verdict.unknown)}",
                width(),
                subsequent_indent="  ",
            )
        )
    if about is not None:
        lines += [fill(f"rule by {about.source}", width(), subsequent_indent="  "), "published of its error"]
        lines += [_item(f"{rate.what}: {rate.value} ({rate.source})") for rate in verdict.published]
        lines += [fill(about.note[:1].upper() + about.note[1:], width())] if about.note else []
    return "\n".join(lines) + "\n"


def _item(text: str) -> str:
    return fill(text, width(), initial_indent="  - ", subsequent_indent="    ")
