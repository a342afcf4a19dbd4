"""The command: `python -m bench`, from the folder benchmarks/, or `make bench`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from bench.accuracy import Accuracy
from bench.data import TINY, disk_needed
from bench.errors import BenchError
from bench.keeping import Keeping
from bench.page import render, render_accuracy
from bench.paging import QUICK as QUICK_PAGES
from bench.paging import QUICK_CASEWORK, WHOLE_CASEWORK, Paging
from bench.paging import WHOLE as WHOLE_PAGES
from bench.results import Results, read_results
from bench.runner import Runner
from bench.sharing import QUICK as QUICK_SHARING
from bench.sharing import WHOLE as WHOLE_SHARING
from bench.sharing import Sharing
from bench.suite import Suite
from bench.tracing import QUICK, WHOLE, Tracing
from shieldwall.errors import ShieldwallError

_BENCHMARKS = Path(__file__).resolve().parents[1]
_CACHE = _BENCHMARKS / ".cache"
_DOCS = _BENCHMARKS.parent / "docs"
RESULTS = _BENCHMARKS / "results.json"
PAGE = _DOCS / "performance.md"
ACCURACY_PAGE = _DOCS / "accuracy.md"
SIZES = (1_000_000, 10_000_000)
QUICK_SIZES = (20_000, 200_000)
BUILD, TRACE, ACCURACY, NODE, PAGES, SHARE = "build", "trace", "accuracy", "node", "pages", "share"
PARTS = (BUILD, TRACE, ACCURACY, NODE, PAGES, SHARE)
CLAIMS, QUICK_CLAIMS = 5_000_000, 100_000


@click.command()
@click.option(
    "--transactions", type=click.IntRange(TINY, 100_000_000), multiple=True, default=SIZES, show_default=True,
    help="Size of a chain; may be given several times.",
)  # fmt: skip
@click.option("--repetitions", type=click.IntRange(1), default=3, show_default=True, help="Runs of each measurement.")
@click.option("--peers/--no-peers", default=True, show_default=True, help="Measure other tools too, as far as they go.")
@click.option(
    "--only", type=click.Choice(PARTS), multiple=True,
    help="Measure this part only (again for more); the figures of the others stay as they are.",
)  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path), default=_CACHE, help="Where the chains are kept.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, help="The figures.")
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, help="The page that is made from them.")
@click.option("--accuracy-page", type=click.Path(path_type=Path), default=ACCURACY_PAGE, help="The one of error rates.")
@click.option("--page-only", is_flag=True, help="Make the pages from the figures that are there.")
@click.option(
    "--quick", is_flag=True, help="Small chains, one short run of each; figures and pages go into the cache folder."
)
@click.pass_context
def main(
    context: click.Context,
    transactions: tuple[int, ...],
    repetitions: int,
    peers: bool,
    only: tuple[str, ...],
    cache: Path,
    results: Path,
    page: Path,
    accuracy_page: Path,
    page_only: bool,
    quick: bool,
) -> None:
    """Measure how chains get into the store and money is followed; write the figures and the pages that tell them."""
    if quick:
        repetitions = 1
        if context.get_parameter_source("transactions") == ParameterSource.DEFAULT:
            transactions = QUICK_SIZES
        results, page, accuracy_page = cache / "results.json", cache / "performance.md", cache / "accuracy.md"
    parts = only or PARTS
    sizes = tuple(sorted(set(transactions)))
    try:
        if not page_only:
            click.echo(f"{cache}: needs about {disk_needed([*sizes]) / 1e9:.1f} GB of disk")
            runner = Runner(cache.resolve(), click.echo)
            before = _before(results, parts)
            if BUILD in parts:
                suite = Suite(runner, sizes, repetitions, peers)
                suite.run(save=lambda found: _with_the_rest(found, before).write(results))
                before = read_results(results)
            if TRACE in parts:
                extent = QUICK if quick else WHOLE
                tracing = Tracing(runner, sizes, repetitions, 1 if quick else 3, peers, extent)
                before = tracing.run(before, save=lambda found: found.write(results))
            if ACCURACY in parts:
                before = Accuracy(runner, sizes).run(before, save=lambda found: found.write(results))
            if NODE in parts:
                keeping = Keeping(runner, QUICK_CLAIMS if quick else CLAIMS, sizes)
                before = keeping.run(before, save=lambda found: found.write(results))
            if PAGES in parts:
                effort = (QUICK_PAGES, QUICK_CASEWORK) if quick else (WHOLE_PAGES, WHOLE_CASEWORK)
                paging = Paging(runner, sizes, *effort)
                before = paging.run(before, save=lambda found: found.write(results))
            if SHARE in parts:
                sharing = Sharing(runner, QUICK_SHARING if quick else WHOLE_SHARING)
                sharing.run(before, save=lambda found: found.write(results))
        found = read_results(results)
        page.write_text(render(found), encoding="utf-8")
        accuracy_page.write_text(render_accuracy(found), encoding="utf-8")
    except ShieldwallError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        click.echo(f"error: {BenchError(f'{error.filename}: {error.strerror}')}", err=True)
        sys.exit(BenchError.exit_code)
    click.echo(f"figures: {results}\npages: {page}, {accuracy_page}")


def _before(path: Path, parts: tuple[str, ...]) -> Results:
    """The figures that stay: none where every part is measured, or there are none."""
    if set(parts) == set(PARTS) or not path.exists():
        return Results({}, 0)
    return read_results(path)


def _with_the_rest(found: Results, before: Results) -> Results:
    """What was measured of the store, with what was known of other things before."""
    sizes = {count: replace(size, measures={}) for count, size in before.sizes.items() if size.traced or size.accuracy}
    for count, size in found.sizes.items():
        kept = before.sizes.get(count)
        sizes[count] = size if kept is None else replace(size, traced=kept.traced, accuracy=kept.accuracy)
    return replace(found, sizes=dict(sorted(sizes.items())), kept=before.kept, paged=before.paged, shared=before.shared)


if __name__ == "__main__":
    main()
