"""`shieldwall chain export | import`: a chain passed on, as parcels or in bitcoin-etl's form."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from shieldwall.chain.etl import EtlForm, write_etl
from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.cli.options import Progress, chain_option, emit_record, output_option, settings
from shieldwall.errors import UsageError
from shieldwall.node.wiring import chain_folder, open_chain


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@chain_option
@click.option(
    "--form",
    type=click.Choice(["parcels", "bitcoin-etl"]),
    default="parcels",
    show_default=True,
    help="parcels: sealed epochs, for `chain import`. bitcoin-etl: blocks.json and transactions.json.",
)
@click.option(
    "--zero-for-unknown",
    is_flag=True,
    help="bitcoin-etl: write 0 where a value is not known, as that program does; a reader cannot tell it from a true 0.",
)
@output_option
def export_command(folder: Path, chain: str | None, form: str, zero_for_unknown: bool, output: str | None) -> int:
    """Write the store into FOLDER, for others to take in.

    A parcel is one sealed epoch, named by its digest. Blocks behind the last sealed epoch are in no parcel yet; parcels
    that lie in FOLDER already are left as they are.
    """
    if zero_for_unknown and form != "bitcoin-etl":
        raise UsageError("--zero-for-unknown goes with --form bitcoin-etl")
    progress = Progress()
    with open_chain(settings(chain=chain)) as store:
        try:
            if form == "parcels":
                record = asdict(export_parcels(store, folder, progress))
            else:
                record = asdict(write_etl(store, folder, form=EtlForm(zero_for_unknown=zero_for_unknown)))
        finally:
            progress.end()
    emit_record(record, output)
    return 0


@click.command("import")
@click.argument("parcels", nargs=-1, required=True, metavar="PARCEL...")
@chain_option
@output_option
def import_command(parcels: tuple[str, ...], chain: str | None, output: str | None) -> int:
    """Take parcels (files, or folders of them) into the store, new or begun by parcels of the same store.

    Digests, headers and their work, merkle roots, links and sums are checked before an epoch is committed. With raw blocks
    in the parcels, `chain verify --source` also proves every amount and script.
    """
    progress = Progress()
    try:
        report = import_parcels(chain_folder(settings(chain=chain)), parcels, progress=progress)
    finally:
        progress.end()
    emit_record(asdict(report), output)
    return 0
