"""The simulated chains that everything is measured on, made once and kept in a cache folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from bench.errors import BenchError

SEED = 7
TINY = 1_000  # transactions of the chain that warms up: the fewest that can be simulated
_BYTES = 2_000  # of disk per transaction: blocks 500, Parquet 850, truth 50, stores and peers' results 600
_READ = 1 << 22  # bytes read at once


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain on disk.

    Attributes:
        folder: Holds `blocks/`, `parquet/` and, once it was built, `store/`.
        transactions: As many as were asked for.
    """

    folder: Path
    transactions: int

    @property
    def blocks(self) -> list[Path]:
        """Block files in order."""
        return sorted((self.folder / "blocks").glob("blk*.dat"))

    @property
    def tables(self) -> list[Path]:
        """Parquet files of transactions, in the chain's order."""
        return sorted((self.folder / "parquet" / "transactions").rglob("*.parquet"))

    @property
    def parquet(self) -> list[Path]:
        """All Parquet files."""
        return sorted((self.folder / "parquet").rglob("*.parquet"))

    @property
    def store(self) -> Path:
        """A store of the block files, kept for what needs one."""
        return self.folder / "store"


def disk_needed(transactions: list[int]) -> int:
    """Bytes of disk that chains of these sizes take with all that is made from them, about."""
    return _BYTES * sum(transactions)


def make_chain(cache: Path, transactions: int) -> Chain:
    """The chain in the cache, made where it is missing.

    Raises:
        BenchError: The disk has no room for it.
    """
    folder = cache / f"chain-{transactions}-{_simulator_digest()}"
    chain = Chain(folder, transactions)
    if folder.is_dir():
        return chain
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < disk_needed([transactions]):
        raise BenchError(
            f"{cache}: {free / 1e9:.1f} GB free, {disk_needed([transactions]) / 1e9:.1f} GB needed",
            hint="make room, or name another folder with --cache",
        )
    import simulator  # noqa: PLC0415 - compiles

    draft = cache / f"draft-{transactions}"
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was stopped
    # peers cannot compute a txid from the columns, so they, and `txids="given"`, are given txids to join by
    simulator.make(draft, transactions=transactions, seed=SEED, forms=("blocks", "parquet"), hash="txid")
    draft.rename(folder)
    return chain


def _simulator_digest() -> str:
    """Of the simulator's own files: another simulator makes another chain."""
    digest = sha256()
    for path in sorted((Path(__file__).resolve().parents[1] / "simulator").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def read_through(paths: list[Path]) -> int:
    """Read files once, so that they lie in the page cache as far as it has room; their bytes."""
    size = 0
    buffer = np.empty(_READ, np.uint8)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while read := file.readinto(buffer.data):
                size += read
    return size
