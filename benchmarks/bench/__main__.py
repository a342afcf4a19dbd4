"""The command: `python -m bench`, from the folder benchmarks/, or `make bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.data import TINY, disk_needed
from bench.errors import BenchError
from bench.page import render
from bench.results import read_results
from bench.suite import Suite
from shieldwall.errors import ShieldwallError

_BENCHMARKS = Path(__file__).resolve().parents[1]
_CACHE = _BENCHMARKS / ".cache"
RESULTS = _BENCHMARKS / "results.json"
PAGE = _BENCHMARKS.parent / "docs" / "performance.md"
SIZES = (1_000_000, 10_000_000)
QUICK = (20_000, 200_000)


@click.command()
@click.option(
    "--transactions", type=click.IntRange(TINY, 100_000_000), multiple=True, default=SIZES, show_default=True,
    help="Size of a chain; may be given several times.",
)  # fmt: skip
@click.option("--repetitions", type=click.IntRange(1), default=3, show_default=True, help="Runs of each measurement.")
@click.option("--peers/--no-peers", default=True, show_default=True, help="Measure other tools too, up to a million.")
@click.option("--cache", type=click.Path(path_type=Path), default=_CACHE, help="Where the chains are kept.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, help="The figures.")
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, help="The page that is made from them.")
@click.option("--page-only", is_flag=True, help="Make the page from the figures that are there.")
@click.option("--quick", is_flag=True, help="Small chains, one run of each; figures and page go into the cache folder.")
def main(
    transactions: tuple[int, ...],
    repetitions: int,
    peers: bool,
    cache: Path,
    results: Path,
    page: Path,
    page_only: bool,
    quick: bool,
) -> None:
    """Measure how chains get into the store, and write the figures and the page that tells them."""
    if quick:
        transactions, repetitions = QUICK, 1
        results, page = cache / "results.json", cache / "performance.md"
    try:
        if not page_only:
            sizes = tuple(sorted(set(transactions)))
            click.echo(f"{cache}: needs about {disk_needed([*sizes]) / 1e9:.1f} GB of disk")
            suite = Suite(cache.resolve(), sizes, repetitions, peers, click.echo)
            suite.run(save=lambda found: found.write(results))
        page.write_text(render(read_results(results)), encoding="utf-8")
    except ShieldwallError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        click.echo(f"error: {BenchError(f'{error.filename}: {error.strerror}')}", err=True)
        sys.exit(BenchError.exit_code)
    click.echo(f"figures: {results}\npage: {page}")


if __name__ == "__main__":
    main()
