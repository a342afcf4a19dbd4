"""Append to a chain store, or cut it back; a stop at any moment leaves the last commit.

Order of a commit: rows are written behind the committed ones, flushed, and then the manifest is put in place. Links from
older outputs to new spenders are written in place before that; readers take a spender at or above the committed count as
none, and the next writer clears such links when it finds the mark of an unfinished write.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS, NO_HOLDER, NO_TRANSACTION, TABLES, UNSPENDABLE
from shieldwall.chain.manifest import MANIFEST, Manifest, flush_folder, read_manifest
from shieldwall.chain.store import ChainStore, digest_of, map_rows
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.model.network import Network

UNFINISHED = "unfinished"  # a file that lies in the store while rows beyond the manifest are being written


class ChainWriter:
    """The one process that may change a store; a context manager.

    Attributes:
        manifest: What is committed.
        rows: Rows written so far, committed or not.
    """

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise StoreError(
                f"{folder}: another process is writing this store", hint="wait for it, or stop it"
            ) from None
        try:
            self.manifest = self._existing(network)
        except BaseException:
            self._lock.close()
            raise
        self._files: dict[str, BinaryIO] = {}
        self._links: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]] = []
        self.rows = dict(self.manifest.rows)
        self._files_used = list(self.manifest.files)
        (folder / self.manifest.generation).mkdir(exist_ok=True)
        if (folder / UNFINISHED).exists():
            self._repair()

    def _existing(self, network: Network) -> Manifest:
        if not (self.folder / MANIFEST).exists():
            others = [entry.name for entry in self.folder.iterdir() if entry.name not in ("lock", UNFINISHED)]
            if others and not any(name.startswith("columns-") for name in others):
                raise StoreError(
                    f"{self.folder} holds other files ({others[0]}); it is no chain store", hint="name an empty folder"
                )
            return Manifest(network.name)
        manifest = read_manifest(self.folder)
        if manifest.network != network.name:
            raise WrongNetwork(
                f"{self.folder} is a store of {manifest.network}, and the source is of {network.name}",
                hint="give another --chain folder for that network",
            )
        return manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files and lock; what is not committed is lost."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._lock.close()

    def snapshot(self) -> ChainStore:
        """The committed store, for reading."""
        return ChainStore(self.folder, self.manifest)

    def file_number(self, path: str) -> int:
        """The number that stands for a source file in `tx_raw_file`."""
        if path not in self._files_used:
            self._files_used.append(path)
        return self._files_used.index(path) + 1

    def append(self, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write rows behind the last ones: all columns of a table, equally many rows."""
        self._mark()
        counts: dict[str, int] = {}
        for name, values in rows.items():
            spec = COLUMNS[name]
            data = np.ascontiguousarray(values, spec.dtype)
            count = data.size // spec.width
            if counts.setdefault(spec.table, count) != count:
                raise AssertionError(f"{name}: {count} rows, and the others of its table have {counts[spec.table]}")
            file = self._file(name)
            file.seek(self.rows[spec.table] * spec.row_bytes)
            file.write(data.data)
        for table, count in counts.items():
            self.rows[table] += count

    def link(self, outputs: npt.NDArray[np.uint64], spenders: npt.NDArray[np.uint32]) -> None:
        """Set the spenders of outputs that were written before; takes effect with the next commit."""
        if len(outputs):
            self._links.append((outputs, spenders))

    def set_twins(self, holders: npt.NDArray[np.uint32], twins: npt.NDArray[np.uint32]) -> None:
        """Link holders that were written before to the holder of the same key."""
        if len(holders):
            self._mark()
            self._scatter("holder_twin", holders, twins)

    def put_statements(self, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        """Replace all statements; they are few, and sorted by output."""
        self.rows["stated"] = 0
        self.append(rows)

    def written(self, name: str, rows: int) -> npt.NDArray[Any]:
        """The first `rows` rows of a column, committed or not."""
        self._file(name).flush()
        return map_rows(self.folder / self.manifest.generation / f"{name}.bin", COLUMNS[name].dtype, rows, 1)

    def draft(self, **changes: Any) -> ChainStore:  # noqa: ANN401
        """Everything written so far as a store for reading; nothing of it is committed."""
        self._flush()
        return ChainStore(self.folder, replace(self.manifest, rows=dict(self.rows), **changes))

    def commit(self, **changes: Any) -> None:  # noqa: ANN401
        """Make everything written last; `changes` are further fields of the manifest."""
        self._flush()
        for file in self._files.values():
            os.fsync(file.fileno())
        draft = replace(self.manifest, rows=dict(self.rows), files=tuple(self._files_used), **changes)
        self.manifest = replace(draft, digest=digest_of(ChainStore(self.folder, draft)))
        self.manifest.write(self.folder)
        (self.folder / UNFINISHED).unlink(missing_ok=True)

    def cut(self, blocks: int) -> None:
        """Keep the first `blocks` blocks and take the rest out; commits."""
        store = self.snapshot()
        transactions = int(store.column("block_first_tx")[blocks])
        inputs = (
            int(store.column("tx_first_input")[transactions])
            if transactions < store.rows("tx")
            else store.rows("input")
        )
        outputs = (
            int(store.column("tx_first_output")[transactions])
            if transactions < store.rows("tx")
            else store.rows("output")
        )
        own = store.column("tx_raw_file")[transactions:] == 0
        raw_offsets = store.column("tx_raw_offset")[transactions:][own]
        keep = np.flatnonzero(store.column("stated_output") < outputs)
        statements = {name: store.column(name)[keep].copy() for name in COLUMNS if name.startswith("stated_")}
        rows = {
            "block": blocks,
            "tx": transactions,
            "output": outputs,
            "input": inputs,
            "outside": int(np.searchsorted(store.column("outside_input"), inputs)),
            "holder": store.rows("holder"),  # a holder of nothing does no harm, and twins stay linked
            "payload": store.rows("payload"),
            "raw": int(raw_offsets[0]) if len(raw_offsets) else store.rows("raw"),
            "stated": store.rows("stated"),
        }
        self._mark()
        self.rows = rows
        self._clear_links()
        self.put_statements(statements)
        self.commit(index="", indexed={"tx": 0, "holder": 0, "output": 0})

    def start_over(self) -> str:
        """Begin an empty generation beside the committed one; the next commit makes it the store. Returns the old."""
        old = self.manifest.generation
        number = int(old.rpartition("-")[2]) + 1
        self.manifest = Manifest(self.manifest.network, generation=f"columns-{number}")
        folder = self.folder / self.manifest.generation
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in self._files.values():
            file.close()
        self._files.clear()
        self.rows = dict.fromkeys(TABLES, 0)
        self._files_used = []
        return old

    def drop(self, name: str) -> None:
        """Remove a folder of an older generation or index."""
        if name:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            path = self.folder / self.manifest.generation / f"{name}.bin"
            if not path.exists():
                path.touch()
            self._files[name] = path.open("r+b")
        return self._files[name]

    def _flush(self) -> None:
        for outputs, spenders in self._links:
            self._scatter("output_spender", outputs, spenders)
        self._links.clear()
        for file in self._files.values():
            file.flush()

    def _mark(self) -> None:
        path = self.folder / UNFINISHED
        if not path.exists():
            path.touch()
            flush_folder(self.folder)

    def _scatter(self, name: str, places: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        file = self._file(name)
        file.flush()
        spec = COLUMNS[name]
        column = np.memmap(file, spec.dtype, mode="r+", shape=(self.rows[spec.table],))
        column[places] = values
        column.flush()

    def _repair(self) -> None:
        """Clear links that an unfinished write left behind."""
        self._clear_links()
        (self.folder / UNFINISHED).unlink(missing_ok=True)

    def _clear_links(self) -> None:
        for name, none, table in (
            ("output_spender", NO_TRANSACTION, "tx"),
            ("holder_twin", NO_HOLDER, "holder"),
        ):
            spec = COLUMNS[name]
            if not self.rows[spec.table]:
                continue
            file = self._file(name)
            column = np.memmap(file, spec.dtype, mode="r+", shape=(self.rows[spec.table],))
            stale = (column >= self.rows[table]) & (column != none) & (column != UNSPENDABLE)
            column[stale] = none
            column.flush()
