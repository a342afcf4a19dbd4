"""`shieldwall chain`: build, follow, info, verify, show."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.info import summary
from shieldwall.chain.manifest import EPOCH_TRANSACTIONS
from shieldwall.chain.readers.parquet import ParquetOptions
from shieldwall.chain.readers.rpc_client import login_of
from shieldwall.chain.records import block_record, holder_record, transaction_record
from shieldwall.chain.since import Since
from shieldwall.chain.sources import SourceOptions
from shieldwall.chain.unconfirmed import read_unconfirmed
from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    emit_record,
    emit_rows,
    output_option,
    settings,
)
from shieldwall.cli.passing import export_command, import_command
from shieldwall.errors import PartialData
from shieldwall.model.moment import unix
from shieldwall.model.network import NETWORKS, by_name
from shieldwall.node.wiring import chain_folder, open_chain

Function = TypeVar("Function", bound=Callable[..., Any])


def node_options(function: Function) -> Function:
    """Options of commands that may ask a node."""
    for option in (
        click.option(
            "--since",
            metavar="DATE|HEIGHT",
            callback=lambda _context, _option, text: _since(text),
            help="Where the store begins; what is earlier is left out, now and later.",
        ),
        click.option(
            "--rpc-cookie",
            type=click.Path(path_type=Path),
            help="Node URL: the node's cookie file; else SHIELDWALL_RPC_COOKIE, or SHIELDWALL_RPC_USER and _PASSWORD.",
        ),
        click.option(
            "--allow-remote",
            is_flag=True,
            help="Let a node or Esplora URL be on another machine. That server learns which blocks, address or transaction "
            "you look at.",
        ),
    ):
        function = option(function)
    return function


def _since(text: str | None) -> Since | None:
    if text is None:
        return None
    # eight digits are a date, as ISO 8601 writes it without hyphens
    return Since(height=int(text)) if re.fullmatch(r"[0-9]{1,7}", text) else Since(time=unix(text))


@click.group()
def chain() -> None:
    """Build, follow, look at, verify and pass on a chain store."""


chain.add_command(export_command)
chain.add_command(import_command)


@chain.command("build")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@chain_option
@click.option("--network", help=f"Network of sources that name none: {', '.join(NETWORKS)}. Default: main.")
@click.option(
    "--height",
    type=click.IntRange(0, 100_000_000),
    help="Height of a single block file whose coinbase does not carry it.",
)
@click.option(
    "--hops", type=click.IntRange(0, 50), default=0, show_default=True, help="Esplora URL: spends onward to fetch."
)
@click.option(
    "--txids",
    type=click.Choice(["recompute", "given"]),
    default="recompute",
    show_default=True,
    help="Parquet: given takes the column hash unproven, faster; where it holds wtxids, spends do not link.",
)
@click.option(
    "--roots",
    type=click.Choice(["check", "skip"]),
    default="check",
    show_default=True,
    help="Parquet: skip leaves merkle roots unchecked; inclusion is then not proven, and unspent is unknown.",
)
@click.option(
    "--raw",
    type=click.Choice(["auto", "keep", "drop"]),
    default="auto",
    show_default=True,
    help="Keep the transactions' own bytes in the store; auto: of sources up to 512 MB. Of block files their place will do.",
)
@click.option(
    "--epoch",
    type=click.IntRange(1, 1 << 31),
    default=EPOCH_TRANSACTIONS,
    show_default=True,
    metavar="TRANSACTIONS",
    help="New store: transactions that fill an epoch, the unit of `chain export`.",
)
@node_options
@output_option
def build_command(
    sources: tuple[str, ...],
    chain: str | None,
    network: str | None,
    height: int | None,
    hops: int,
    txids: Literal["recompute", "given"],
    roots: Literal["check", "skip"],
    raw: Literal["auto", "keep", "drop"],
    epoch: int,
    allow_remote: bool,
    rpc_cookie: Path | None,
    since: Since | None,
    output: str | None,
) -> int:
    """Build a chain store from SOURCES, or extend it.

    SOURCE is a folder or file of Bitcoin Core blocks (blk*.dat, with rev*.dat beside them), a single raw block (bytes,
    hex, or JSON with the block as hex; NAME-undo.raw beside it is used), saved answers of getblock HASH 2 or 3, saved
    Esplora answers, a fact file, a folder of the AWS public data set as Parquet, blocks and transactions of bitcoin-etl as
    JSON lines, the URL of your own node, rpc://127.0.0.1:8332, or of your own Esplora instance:
    http://127.0.0.1:3000/address/ADDRESS or .../tx/TXID.

    A stop leaves the last commit; the same call goes on from there. Exit code 3: blocks are missing in the middle.
    """
    config = settings(chain=chain)
    progress = Progress()
    try:
        report = build(
            chain_folder(config),
            sources,
            network=by_name(network) if network else None,
            height=height,
            hops=hops,
            allow_remote=allow_remote,
            config=BuildConfig(engine=config.engine, raw=raw, epoch_transactions=epoch),
            progress=progress,
            since=since,
            options=SourceOptions(
                login=login_of(rpc_cookie, os.environ),
                first=(since.height or 0) if since else 0,
                parquet=ParquetOptions(txids=txids, roots=roots, since=since.time if since else None),
            ),
        )
    finally:
        progress.end()
    record = asdict(report)
    if chosen_format(output) == "table":
        record |= {"missing": len(report.missing), "unconnected": len(report.unconnected)}
        notes = record.pop("notes")
        emit_record(record, output)
        for note in notes:
            click.echo(f"note: {note}")
    else:
        emit_record(record, output)
    return PartialData.exit_code if report.partial else 0


@chain.command()
@click.argument("url", metavar="RPC_URL")
@chain_option
@click.option("--network", help="Network of a new store; default: the node's.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks at the node.",
)
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--confirmations",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Leave blocks with fewer for later.",
)
@click.option(
    "--unconfirmed",
    type=click.IntRange(0, 1_000_000),
    default=20_000,
    show_default=True,
    metavar="MOST",
    help="Waiting transactions to keep beside the store; 0 keeps none.",
)
@node_options
@click.option("-o", "--output", type=click.Choice(["jsonl"]), help="One JSON line for each look that brings something.")
def follow(
    url: str,
    chain: str | None,
    network: str | None,
    every: float,
    once: bool,
    confirmations: int,
    unconfirmed: int,
    allow_remote: bool,
    rpc_cookie: Path | None,
    since: Since | None,
    output: str | None,
) -> int:
    """Keep a store at the tip of your own node.

    RPC_URL is rpc://127.0.0.1:8332, or as your node has it. What the node gives up in a reorganisation is rolled back.

    Says each new tip on standard error. Transactions that wait for a block are kept beside the store, never in it. Ends
    with an interrupt or a termination signal; the last commit stands.
    """
    from shieldwall.chain.follow import FollowConfig  # noqa: PLC0415
    from shieldwall.cli.following import follow_node  # noqa: PLC0415

    config = settings(chain=chain)
    return follow_node(
        chain_folder(config),
        url,
        network=by_name(network) if network else None,
        config=FollowConfig(
            every=every,
            most_unconfirmed=unconfirmed,
            build=BuildConfig(engine=config.engine),
            allow_remote=allow_remote,
        ),
        since=since,
        options=SourceOptions(login=login_of(rpc_cookie, os.environ), confirmations=confirmations),
        once=once,
        as_json=output == "jsonl",
    )


@chain.command()
@chain_option
@output_option
def info(chain: str | None, output: str | None) -> None:
    """Count what the store holds; amounts in satoshi."""
    with open_chain(settings(chain=chain)) as store:
        emit_record(summary(store), output)


@chain.command()
@chain_option
@click.option(
    "--source", is_flag=True, help="Also recompute every txid from the raw bytes, and compare amounts and scripts."
)
@output_option
def verify(chain: str | None, source: bool, output: str | None) -> int:
    """Check the store against itself: work, merkle roots, links both ways, value of every block that can be checked.

    Exit code 1: a check failed.
    """
    from shieldwall.chain.verify import verify as verify_store  # noqa: PLC0415

    progress = Progress()
    with open_chain(settings(chain=chain)) as store:
        try:
            report = verify_store(store, source=source, progress=progress)
        finally:
            progress.end()
    rows = [asdict(check) for check in report.checks]
    emit_rows(rows, ("name", "passed", "checked", "skipped", "detail"), output)
    return 0 if report.passed else 1


@chain.command()
@click.argument("thing", metavar="TXID|ADDRESS|HEIGHT")
@chain_option
@output_option
def show(thing: str, chain: str | None, output: str | None) -> None:
    """Show a transaction, an address (or KIND:HEX of a script without one), or the block at a height."""
    with open_chain(settings(chain=chain)) as store:
        if re.fullmatch(r"[0-9]{1,9}", thing):
            emit_record(block_record(store, int(thing)), output)
            return
        layer = read_unconfirmed(store.folder)
        if re.fullmatch(r"[0-9a-fA-F]{64}", thing):
            emit_record(transaction_record(store, thing.lower(), layer), output)
        else:
            emit_record(holder_record(store, thing, layer), output)
