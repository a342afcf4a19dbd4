"""The page that tells the figures: docs/performance.md, made from the results and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bench import extrapolation, figures
from bench.accuracy import shown
from bench.paging import ASKED, CASE_GOALS, CASES_ASKED, PAGES, rows
from bench.results import Paged, Results, Size
from bench.sharing import rows as share_rows
from bench.suite import BUILDS, PEERS
from bench.targets import AT, TARGETS, store_bytes
from bench.tracing import HOPS, MOST, SCREEN_HOPS
from bench.turns import SLOW

TITLES = {
    "blocks-1": "block files, one thread",
    "blocks-2": "block files, two threads",
    "parquet-unverified": "Parquet, txids taken as given",
    "parquet-verified": "Parquet, txids and roots verified",
}
SOURCE = {
    "blocks-1": "block_bytes", "blocks-2": "block_bytes", "parquet-unverified": "parquet_bytes",
    "parquet-verified": "parquet_bytes",
}  # fmt: skip
_AGAINST = {"python-bitcoinlib": "blocks-1", "polars": "parquet-verified", "DuckDB": "parquet-verified"}


def render(results: Results) -> str:
    """The page of speed and size, as MyST Markdown."""
    built, traced = list(results.built.values()), list(results.traced.values())
    return _template("page.md.jinja").render(
        results=results,
        machine=results.machine if built else traced[-1].traced.machine if traced and traced[-1].traced else {},
        sizes=list(results.sizes.values()),
        targets=_targets(results),
        at=AT,
        built=built,
        traced=traced,
        **(_of_pages(results.paged) if results.paged else {}),
        share_goals=share_rows(results.shared) if results.shared else [],
        **(_of_building(results, built) if built else {}),
        **(_of_tracing(traced, results) if traced else {}),
    )


def render_accuracy(results: Results) -> str:
    """The page of how often rules are right, as MyST Markdown."""
    size = next((size for size in reversed(results.sizes.values()) if size.accuracy), None)
    return _template("accuracy.md.jinja").render(size=size, accuracy={} if size is None else size.accuracy)


def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, from our own figures
    )
    environment.filters.update(_FILTERS)
    return environment.get_template(name)


def _of_building(results: Results, built: list[Size]) -> dict[str, Any]:
    smallest, largest = built[0], built[-1]
    return {
        "smallest": smallest,
        "largest": largest,
        "builds": TITLES,
        "source": SOURCE,
        "peers": _peers(results),
        "linear": _linear(smallest, largest),
        "groups": _groups(largest),
        "store_bytes": store_bytes,
        "raw": largest.data["raw_bytes"] / largest.data["transactions"],
        "far": _far(results, largest),
    }


def _of_tracing(traced: list[Size], results: Results) -> dict[str, Any]:
    last = traced[-1].traced
    assert last is not None  # noqa: S101 - what `traced` means
    walks = list(dict.fromkeys(name for size in traced for name in figures.traced(size).facts("walk")["latency"]))
    return {
        "traced_machine": last.machine if results.built and last.machine != results.machine else {},
        "rounds": last.rounds,
        "repetitions": last.repetitions,
        "slow": SLOW,
        "clusters": figures.competitors(traced, "cluster", figures.OURS_TWO, "same"),
        "haircuts": figures.competitors(traced, "haircut", figures.EXACT, "apart"),
        "fifo": list(last.times("fifo")),
        "walks": walks,
        "answers": list(last.facts("answers")["latency"]),
        "hops": HOPS,
        "most": MOST,
        "screen_hops": SCREEN_HOPS,
        "direct": figures.DIRECT,
        "reach": figures.HOPS,
        "commands": list(last.facts("first-answers")["latency"]),
    }


def _of_pages(paged: Paged) -> dict[str, Any]:
    return {
        "page_goals": {count: rows(sample.facts) for count, sample in paged.measures.items()},
        "case_goals": {count: rows(sample.facts, CASE_GOALS) for count, sample in paged.cases.items()},
        "asked": ASKED,
        "cases_asked": CASES_ASKED,
        "titles": PAGES,
    }


def _targets(results: Results) -> list[dict[str, Any]]:
    size = results.sizes.get(AT)
    rows = []
    for target in TARGETS:
        found = None if size is None else target.found(size)
        verdict = "not measured" if size is None or found is None else "met" if target.met(size) else "**missed**"
        sign = "at least" if target.least else "at most"
        rows.append({"target": target, "sign": sign, "found": found, "verdict": verdict})
    return rows


def _peers(results: Results) -> list[dict[str, Any]]:
    """Other tools, each beside what of ours does the same work; and ours."""
    size = next((size for size in results.built.values() if PEERS.keys() & size.measures.keys()), None)
    if size is None:
        return []
    rows = []
    for name, ours in _AGAINST.items():
        facts = size.facts(name)
        held = facts.get("bytes")
        rows.append(
            {
                "size": size,
                "name": name,
                "ours": TITLES[ours],
                "ratio": size.median(name) / size.median(ours),
                "memory_ratio": size.peak(name) / size.peak(ours),
                "same": facts["same"],
                "bytes": None if held is None else held / size.data["transactions"],
            }
        )
    return rows


def _linear(smallest: Size, largest: Size) -> list[dict[str, Any]]:
    """Cost per transaction of the largest chain over that of the smallest: 1 is linear."""
    if smallest is largest:
        return []
    return [
        {
            "name": TITLES[name],
            "small": 1e6 / smallest.rate(name),
            "large": 1e6 / largest.rate(name),
            "ratio": smallest.rate(name) / largest.rate(name),
            "peak_ratio": largest.peak(name) / smallest.peak(name),
        }
        for name in BUILDS
    ]


def _groups(size: Size) -> dict[str, float]:
    """Bytes per transaction of each group of columns."""
    files = extrapolation.groups(size.facts("blocks-2")["files"])
    return {group: sum(columns.values()) / size.data["transactions"] for group, columns in files.items()}


def _far(results: Results, largest: Size) -> dict[str, Any]:
    source = {"blocks-1": "block_bytes", "blocks-2": "block_bytes"}
    disk = extrapolation.disk(largest)
    return {
        "counts": extrapolation.BITCOIN,
        "unspent": extrapolation.UNSPENT,
        "block_bytes": extrapolation.BLOCK_BYTES,
        "machine": extrapolation.MACHINE_BYTES,
        "times": {TITLES[name]: extrapolation.time(results, name, bytes_of=source.get(name)) for name in BUILDS},
        "disk": disk,
        "all_disk": sum(disk.values()),
        "memory": extrapolation.memory(results),
        "fits": extrapolation.memory(results).all[1] <= extrapolation.MACHINE_BYTES,
    }


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def _range(size: Size, name: str) -> str:
    """Median, and least to most where there were several runs."""
    taken = size.seconds(name)
    return _seconds(size.median(name)) + (f" ({min(taken):.2f}-{max(taken):.2f})" if len(taken) > 1 else "")


def _small(value: float) -> str:
    """Seconds, or milliseconds where that is easier to read."""
    return _seconds(value) if value >= 1 else f"{value * 1e3:,.3g} ms"


def _turns(taken: list[float] | None) -> str:
    """Median of turns, and least to most where there were several."""
    if taken is None:
        return "-"
    spread = f" ({_small(min(taken))}-{_small(max(taken))})" if len(taken) > 1 else ""
    return _small(median(taken)) + spread


def _verdict(said: list[bool | None]) -> str:
    """Of answers beside ours: none where it is ours."""
    known = [each for each in said if each is not None]
    return "-" if not known else "yes" if all(known) else "**no**"


def _duration(seconds: float) -> str:
    """Hours and minutes, no finer than an estimate is."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


_FILTERS: dict[str, Callable[..., str]] = {
    "count": lambda value: f"{value:,}",
    "thousands": lambda value: f"{value / 1e3:,.0f} k",
    "gb": lambda value: f"{value / 1e9:,.2f} GB",
    "round_gb": lambda value: f"{value / 1e9:,.0f} GB",
    "kb": lambda value: f"{value / 1e3:,.1f} kB",
    "mb_s": lambda value: f"{value / 1e6:,.0f} MB/s",
    "one": lambda value: f"{value:,.1f}",
    "two": lambda value: f"{value:,.2f}",
    "whole": lambda value: f"{value:,.0f}",
    "milliseconds": lambda value: f"{value * 1e3:,.1f} ms",
    "millions": lambda value: f"{value / 1e6:,.0f} million",
    "seconds": _seconds,
    "duration": _duration,
    "taken": _range,
    "turns": _turns,
    "times": lambda value: "-" if value is None else f"{value:,.2f} times",
    "apart": lambda value: "-" if value is None else f"{value:.2g}",
    "verdict": _verdict,
    "ms": _small,
    "shown": shown,
}
