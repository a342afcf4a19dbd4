"""`shieldwall chain`: build, info, verify, show."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import click

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.columns import WHOLE
from shieldwall.chain.info import summary
from shieldwall.chain.store import ChainStore
from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    emit_record,
    emit_rows,
    output_option,
    settings,
)
from shieldwall.errors import PartialData
from shieldwall.model import address
from shieldwall.model.moment import utc
from shieldwall.model.network import NETWORKS, by_name
from shieldwall.model.script import from_identity
from shieldwall.model.transaction import display, internal
from shieldwall.node.wiring import chain_folder, open_chain


@click.group()
def chain() -> None:
    """Build, look at and verify a chain store."""


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
    "--allow-remote",
    is_flag=True,
    help="Let an Esplora URL be on another machine. That server learns which address or transaction you look at.",
)
@output_option
def build_command(
    sources: tuple[str, ...],
    chain: str | None,
    network: str | None,
    height: int | None,
    hops: int,
    allow_remote: bool,
    output: str | None,
) -> int:
    """Build a chain store from SOURCES, or extend it.

    SOURCE is a folder or file of Bitcoin Core blocks (blk*.dat, with rev*.dat beside them), a single raw block (bytes,
    hex, or JSON with the block as hex; NAME-undo.raw beside it is used), saved Esplora answers, a fact file, or the URL
    of your own Esplora instance: http://127.0.0.1:3000/address/ADDRESS or .../tx/TXID.

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
            config=BuildConfig(engine=config.engine),  # type: ignore[arg-type]
            progress=progress,
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
            emit_record(_block(store, int(thing)), output)
        elif re.fullmatch(r"[0-9a-fA-F]{64}", thing):
            emit_record(_transaction(store, thing.lower()), output)
        else:
            emit_record(_holder(store, thing), output)


def _block(store: ChainStore, height: int) -> dict[str, Any]:
    heights = store.column("block_height")
    found = [int(number) for number in (heights == height).nonzero()[0]]
    if not found:
        raise PartialData(
            f"no block at height {height} is in this store", hint="shieldwall chain info shows what it holds"
        )
    number = found[0]
    firsts = store.column("block_first_tx")
    last = int(firsts[number + 1]) if number + 1 < len(firsts) else store.rows("tx")
    whole = bool(store.column("block_flags")[number] & 1)
    return {
        "height": height,
        "hash": display(store.column("block_hash")[number].tobytes()),
        "time": utc(int(store.column("block_time")[number])),
        "whole": whole,
        "transactions": last - int(firsts[number]),
        **_fees(store, number, height),
        "txids": [store.txid(transaction) for transaction in range(int(firsts[number]), last)],
    }


def _fees(store: ChainStore, block: int, height: int) -> dict[str, int | None]:
    """What the coinbase took, and the fees that the block's inputs and outputs leave; None where that is not known."""
    first = int(store.column("block_first_tx")[block])
    firsts = store.column("block_first_tx")
    last = int(firsts[block + 1]) if block + 1 < len(firsts) else store.rows("tx")
    fees: int | None = 0 if store.column("block_flags")[block] & WHOLE else None
    coinbase = None
    for transaction in range(first, last):
        if store.is_coinbase(transaction):
            coinbase = sum(store.values(transaction))
            continue
        brought = store.links(transaction)[1]
        known = [value for value in brought if value is not None]
        if fees is not None:
            fees = fees + sum(known) - sum(store.values(transaction)) if len(known) == len(brought) else None
    return {"coinbase": coinbase, "subsidy": store.network.subsidy(height), "fees": fees}


def _transaction(store: ChainStore, txid: str) -> dict[str, Any]:
    number = store.find_transaction(internal(txid))
    if number is None:
        raise PartialData(f"transaction {txid} is not in this store", hint="extend the store: shieldwall chain build")
    inputs = [
        {
            "spends": f"{entry.txid}:{entry.index}",
            "address": None if entry.holder is None else store.identity(entry.holder),
            "value": entry.value,
            "in_store": entry.output is not None,
        }
        for entry in store.inputs(number)
    ]
    paid = sum(store.values(number))
    brought = store.links(number)[1]
    fee = None if not brought or None in brought else sum(value or 0 for value in brought) - paid
    return {
        "txid": txid,
        "height": store.height_of(number),
        "block": display(store.column("block_hash")[store.block_of(number)].tobytes()),
        "time": utc(store.time_of(number)),
        "proof": store.proof_of(number),
        "coinbase": store.is_coinbase(number),
        "fee": fee,
        "inputs": inputs,
        "outputs": [_output(store, output) for output in store.output_range(number)],
        "raw": store.raw(number).hex(),
    }


def _output(store: ChainStore, output: int) -> dict[str, Any]:
    spend = store.spend(output)
    spender = store.txid(spend.transaction) if spend.transaction is not None else spend.txid
    txid, index = store.outpoint(output)
    return {
        "output": f"{txid}:{index}",
        "address": store.identity(int(store.column("output_holder")[output])),
        "value": int(store.column("output_value")[output]),
        "state": spend.state.value,
        "spent_by": spender,
        "as_of": spend.as_of,
    }


def _holder(store: ChainStore, thing: str) -> dict[str, Any]:
    script = from_identity(thing) if ":" in thing else address.decode(thing, store.network)
    number = store.find_holder(script)
    if number is None:
        raise PartialData(
            f"{thing} is not in this store: unknown, which is not the same as clean",
            hint="extend the store: shieldwall chain build",
        )
    twin = store.twin(number)
    outputs = [_output(store, output) for output in store.outputs_of(number)]
    sums: dict[str, int] = {}
    for output in outputs:
        sums[output["state"]] = sums.get(output["state"], 0) + output["value"]
    return {
        "address": store.identity(number),
        "kind": script.kind.label,
        "same_key": None if twin is None else store.identity(twin),
        "received": sum(output["value"] for output in outputs),
        "by_state": sums,
        "outputs": outputs,
    }
