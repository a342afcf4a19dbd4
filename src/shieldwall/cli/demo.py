"""`shieldwall demo`: the flagship job, offline, start to finish."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("folder", default="shieldwall-demo", metavar="[DIR]")
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", help="What to print.")
def demo(folder: str, output: str) -> None:
    """Play the flagship job in two acts, offline, and write its reports into DIR (default: shieldwall-demo).

    Act one is real: the Colonial Pipeline ransom of May 2021, with the gap that its public data has. Act two is an
    exercise on a simulated chain: ransom, peel chain, deposit at an exchange, who can freeze it, the request.
    """
    from shieldwall.playbooks.demo import play  # noqa: PLC0415

    quiet = output == "json"
    outcome = play(Path(folder), (lambda _: None) if quiet else click.echo)
    if quiet:
        results = (outcome.colonial, outcome.seizure, outcome.exercise)
        record = {
            "files": [str(path) for path in outcome.files],
            "sentences": [result.body["sentence"] for result in results],
            "digests": [result.digest for result in results],
        }
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    click.echo("\nWritten, with CSV and JSON beside each:")
    for path in outcome.files:
        click.echo(f"  {path}")
    click.echo("\nThe same in a browser, to work on: make serve (or: shieldwall node try)")
