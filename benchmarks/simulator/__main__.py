"""The command: `python -m simulator FOLDER --transactions N`, from the folder benchmarks/."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shieldwall.errors import ShieldwallError
from simulator.make import FORMS, HashName, make


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--transactions", type=int, required=True, help="How many, coinbases included.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same bytes.")
@click.option("--per-block", type=int, default=2000, show_default=True, help="Most transactions of a block.")
@click.option("--form", default="blocks", show_default=True, help=f"One or several of {','.join(FORMS)}.")
@click.option("--hash", "hash_name", type=click.Choice(["wtxid", "txid"]), default="wtxid", help="Of Parquet's `hash`.")
@click.option("--prevout", is_flag=True, help="RPC answers with previous outputs (verbosity 3).")
def main(
    folder: Path, transactions: int, seed: int, per_block: int, form: str, hash_name: HashName, prevout: bool
) -> None:
    """Make a chain whose whole truth is known, and write it into FOLDER."""
    forms = [name.strip() for name in form.split(",") if name.strip()]
    try:
        made = make(
            folder, transactions=transactions, seed=seed, per_block=per_block, forms=forms, hash=hash_name, prevout=prevout
        )  # fmt: skip
    except ShieldwallError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    click.echo(f"{made.folder}: {made.transactions:,} transactions in {made.blocks:,} blocks (simulator)")
    if made.digest:
        click.echo(f"block files: sha256 {made.digest}")


if __name__ == "__main__":
    main()
