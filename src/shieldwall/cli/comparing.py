"""`shieldwall cluster compare | fingerprint`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click
import numpy as np

from shieldwall.chain.graph import graph_of
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
from shieldwall.kernels.arrays import COINJOIN_NAMES
from shieldwall.node.config import Config
from shieldwall.node.wiring import changes_of, open_chain, open_clustering
from shieldwall.trace.clusters.left_out import coinjoins, is_left_out
from shieldwall.trace.fingerprint import compare as comparing
from shieldwall.trace.fingerprint.compare import Comparison, number_of
from shieldwall.trace.fingerprint.links import Inferred
from shieldwall.trace.fingerprint.single import fingerprint_of
from shieldwall.trace.fingerprint.window import BLOCKS
from shieldwall.trace.printable import printable

_COLUMNS = ("attribute", "says", "first", "second", "around", "counts")


@click.command("fingerprint")
@click.argument("txid")
@chain_option
@output_option
def fingerprint(txid: str, chain: str | None, output: str | None) -> None:
    """What a transaction shows of the software that made it.

    Version, locktime, sequences, kinds of scripts, the order of inputs and outputs, fee. What is not known is empty.
    """
    with open_chain(settings(chain=chain)) as store:
        emit_record(fingerprint_of(store, number_of(store, txid)).as_dict(), output)


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--window",
    type=click.IntRange(0, 10_000),
    default=BLOCKS,
    show_default=True,
    help="Blocks on either side in which the rarity of an agreement is counted.",
)
@click.option("--clustering", metavar="NAME", help="Ask this clustering too: do the payers share a cluster?")
@click.option("--change", metavar="RULE", default="", help="Ask this rule too: does one spend the other's change?")
@chain_option
@data_option
@output_option
def compare(
    first: str,
    second: str,
    window: int,
    clustering: str | None,
    change: str,
    chain: str | None,
    data: str | None,
    output: str | None,
) -> None:
    """May two transactions (txids) be one actor's? Reasons for and against.

    Answers linked, consistent, not told or contradicted. None of these is proof: the weights are not calibrated, and no
    error rate of this comparison is published.
    """
    config = settings(chain=chain, data=data)
    with ExitStack() as opened:
        store = opened.enter_context(open_chain(config))
        numbers = number_of(store, first), number_of(store, second)
        inferred = _inferred(config, store, clustering, change, opened)
        _emit(comparing.compare(store, *numbers, inferred=inferred, blocks=window), output)


def _inferred(config: Config, store: ChainStore, clustering: str | None, change: str, opened: ExitStack) -> Inferred:
    """What the member's own clustering and a rule say, where they are asked for; CoinJoins are looked for always."""
    graph = graph_of(store)
    nobody = np.empty(0, np.uint32)

    def joined(transaction: int) -> str | None:
        kinds = coinjoins(store, graph, transaction, transaction + 1, nobody)
        return COINJOIN_NAMES[int(kinds[0])] if is_left_out(kinds)[0] else None

    found = opened.enter_context(open_clustering(config, store, clustering)) if clustering else None
    changes = changes_of(config, store, change)

    def change_of(transaction: int) -> int | None:
        output = int(changes.outputs(transaction, transaction + 1)[0]) if changes is not None else -1
        return None if output < 0 else output

    return Inferred(
        clusters=f"clustering {clustering} ({found.digest[:16]})" if found else "",
        cluster_of=found.cluster_of if found else None,
        change_rule=change,
        change_of=change_of if changes is not None else None,
        joined=joined,
    )


def _emit(comparison: Comparison, output: str | None) -> None:
    form = chosen_format(output)
    if form in ("json", "jsonl"):
        emit_record(comparison.as_dict(), output)
        return
    rows = [_row(result) for result in comparison.as_dict()["attributes"]]
    if form == "csv":
        emit_rows(rows, _COLUMNS, output)
        return
    click.echo(printable(comparison.sentence) + "\n")
    for fact in comparison.links:
        by = f" [{fact.rule}]" if fact.rule else ""
        click.echo(printable(f"{fact.layer.value}: {fact.text}{by}"))
    for caveat in comparison.caveats:
        click.echo(printable(f"but: {caveat}"))
    click.echo(table(rows, _COLUMNS), nl=False)
    around = comparison.window
    more = f", {around['left_out']} more not looked at" if around["left_out"] else ""
    click.echo(f"around: {around['transactions']} transactions within {around['blocks']} blocks{more}")


def _row(result: dict[str, Any]) -> dict[str, Any]:
    around = result["around"]
    return {
        "attribute": result["name"],
        "says": result["agreement"],
        "first": result["one"],
        "second": result["other"],
        "around": None if around is None else f"{around['same']} of {around['of']} ({around['word']})",
        "counts": result["weight"],
    }
