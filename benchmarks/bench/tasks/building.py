"""Build a store from block files or from Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from bench.errors import BenchError
from bench.job import Job, Outcome
from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.readers.parquet import ParquetOptions
from shieldwall.chain.sources import SourceOptions
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import EngineName
from shieldwall.model.network import by_name

NETWORK = by_name("regtest")  # the simulator's


def config(threads: int, extend: Literal["auto", "look up"] = "auto", engine: EngineName = "compiled") -> BuildConfig:
    """Raw bytes left in the source where that is possible."""
    return BuildConfig(threads=threads, keep_raw_below=0, engine=engine, extend=extend)


def timed_build(
    store: Path, sources: Sequence[Path], *, settings: BuildConfig, options: SourceOptions | None = None
) -> float:
    """Seconds that a build takes, its indexes and digests among them.

    Raises:
        BenchError: Something of the chain did not get into the store.
    """
    begin = perf_counter()
    report = build(store, [str(path) for path in sources], network=NETWORK, config=settings, options=options)
    seconds = perf_counter() - begin
    if report.partial or report.missing or report.stale:
        raise BenchError(f"{store}: the build left something out: {report}", hint="make the chain again")
    return seconds


def blocks(job: Job) -> Outcome:
    """Block files to a store: txids, merkle roots, work and links verified, all indexes; option `threads`."""
    store = job.scratch / "store"
    sources = [job.chain.folder / "blocks"]
    seconds = timed_build(store, sources, settings=config(int(job.options["threads"])))
    return Outcome(seconds, facts_of(store))


def parquet(job: Job) -> Outcome:
    """Parquet to a store; options `txids` and `roots` as in `ParquetOptions`."""
    store = job.scratch / "store"
    told: dict[str, Any] = {"txids": job.options["txids"], "roots": job.options["roots"]}
    options = SourceOptions(parquet=ParquetOptions(engine="compiled", **told))
    sources = [job.chain.folder / "parquet"]
    seconds = timed_build(store, sources, settings=config(threads=2), options=options)
    return Outcome(seconds, facts_of(store))


def facts_of(folder: Path) -> dict[str, Any]:
    """Digest of a store and bytes on disk of each of its files (wide columns together), by the column's name."""
    with ChainStore.open(folder) as store:
        digest = store.digest
        folders = sorted(store.manifest.folders)
    files: dict[str, int] = {}
    for name in folders:
        for path in (folder / name).iterdir():
            column = path.stem.removesuffix("_high") if path.suffix == ".bin" else "epochs"
            files[column] = files.get(column, 0) + path.stat().st_size
    return {"digest": digest, "files": files}
