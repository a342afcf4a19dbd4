"""The page that tells the figures: docs/performance.md, made from the results and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench import extrapolation
from bench.results import Results, Size
from bench.suite import BUILDS, PEERS
from bench.targets import AT, TARGETS, store_bytes

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
    """The page, as MyST Markdown."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, from our own figures
    )
    environment.filters.update(_FILTERS)
    smallest, largest = (results.sizes[pick(results.sizes)] for pick in (min, max))
    return environment.get_template("page.md.jinja").render(
        results=results,
        sizes=list(results.sizes.values()),
        smallest=smallest,
        largest=largest,
        builds=TITLES,
        source=SOURCE,
        targets=_targets(results),
        at=AT,
        peers=_peers(results),
        linear=_linear(smallest, largest),
        groups=_groups(largest),
        store_bytes=store_bytes,
        raw=largest.data["raw_bytes"] / largest.data["transactions"],
        far=_far(results, largest),
    )


def _targets(results: Results) -> list[dict[str, Any]]:
    size = results.sizes.get(AT)
    rows = []
    for target in TARGETS:
        found = None if size is None else target.measured(size)
        verdict = "not measured" if size is None else "met" if target.met(size) else "**missed**"
        sign = "at least" if target.least else "at most"
        rows.append({"target": target, "sign": sign, "found": found, "verdict": verdict})
    return rows


def _peers(results: Results) -> list[dict[str, Any]]:
    """Other tools, each beside what of ours does the same work; and ours."""
    size = next((size for size in results.sizes.values() if PEERS.keys() & size.measures.keys()), None)
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


def _duration(seconds: float) -> str:
    """Hours and minutes, no finer than an estimate is."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


_FILTERS: dict[str, Callable[..., str]] = {
    "count": lambda value: f"{value:,}",
    "thousands": lambda value: f"{value / 1e3:,.0f} k",
    "gb": lambda value: f"{value / 1e9:,.2f} GB",
    "round_gb": lambda value: f"{value / 1e9:,.0f} GB",
    "mb_s": lambda value: f"{value / 1e6:,.0f} MB/s",
    "one": lambda value: f"{value:,.1f}",
    "two": lambda value: f"{value:,.2f}",
    "whole": lambda value: f"{value:,.0f}",
    "milliseconds": lambda value: f"{value * 1e3:,.1f} ms",
    "millions": lambda value: f"{value / 1e6:,.0f} million",
    "seconds": _seconds,
    "duration": _duration,
    "taken": _range,
}
