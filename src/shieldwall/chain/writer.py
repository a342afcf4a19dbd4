"""Append to a chain store, or cut it back; a stop at any moment leaves the last commit.

Order of a commit: rows are written behind the committed ones, flushed, and then the manifest is put in place. Links from
older outputs to new spenders are written in place before that; readers take a spender at or above the committed count as
none, and the next writer clears such links when it finds the mark of an unfinished write. A cut goes the other way: first
the manifest with the smaller counts, then the links. Nothing else that is committed is ever written over: runs of the
index and statements go into a folder of their own each time, and a rewrite into a new generation.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS, NO_TRANSACTION, STATED, TABLES, UNSPENDABLE, Column
from shieldwall.chain.digests import digest_of
from shieldwall.chain.epochs import bounds, read_sealed, seal, tail_digests
from shieldwall.chain.manifest import (
    DRAFT,
    EPOCH_TRANSACTIONS,
    MANIFEST,
    UNFINISHED,
    Manifest,
    flush_folder,
    read_manifest,
)
from shieldwall.chain.mapping import files_of, map_column, place_of
from shieldwall.chain.store import ChainStore
from shieldwall.chain.wide import carries_of, halves
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.model.network import Network

_CHUNK = 1 << 24  # rows looked at together
_MOST_FILES = 0xFFFF  # that `tx_raw_file` can number


class ChainWriter:
    """The one process that may change a store; a context manager.

    Attributes:
        manifest: What is committed.
        rows: Rows written so far, committed or not.
    """

    def __init__(
        self, folder: Path, network: Network, *, epoch_transactions: int = EPOCH_TRANSACTIONS, threads: int = 1
    ) -> None:
        self.folder = folder
        self._epoch_transactions = epoch_transactions
        self.threads = threads
        self._flushing: Future[None] | None = None
        self._beside = ThreadPoolExecutor(1, "flush")
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
        self._last: dict[str, int] = {}
        self._fresh_files = False
        self._marked = (folder / UNFINISHED).exists()
        self.rows = dict(self.manifest.rows)
        self._carries = {name: list(rows) for name, rows in self.manifest.carries.items()}
        self._file_numbers = {name: number for number, name in enumerate(self.manifest.files, 1)}
        try:
            self.sweep()
            (folder / self.manifest.generation).mkdir(exist_ok=True)
            if self._marked:
                self._repair()
        except BaseException:
            self.close()
            raise

    def _existing(self, network: Network) -> Manifest:
        if not (self.folder / MANIFEST).exists():
            others = [entry.name for entry in self.folder.iterdir() if entry.name not in ("lock", UNFINISHED)]
            if others and not any(name.startswith("columns-") for name in others):
                raise StoreError(
                    f"{self.folder} holds other files ({others[0]}); it is no chain store", hint="name an empty folder"
                )
            return Manifest(network.name, epoch_transactions=self._epoch_transactions)
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
        try:
            with contextlib.ExitStack() as closing:  # every one, also where the disk is full and one cannot be written
                for file in self._files.values():
                    closing.callback(file.close)
                closing.callback(self._beside.shutdown)  # first: it may still be flushing them
        finally:
            self._files.clear()
            self._lock.close()

    def snapshot(self) -> ChainStore:
        """The committed store, for reading."""
        return ChainStore(self.folder, self.manifest)

    def begin_at(self, height: int) -> None:
        """Hold nothing below `height`; noted with the next commit."""
        self.manifest = replace(self.manifest, since=height)

    def file_number(self, path: str) -> int:
        """The number that stands for a source file in `tx_raw_file`.

        Raises:
            StoreError: More files than the column can number.
        """
        number = self._file_numbers.setdefault(path, len(self._file_numbers) + 1)
        if number > _MOST_FILES:
            raise StoreError(f"{self.folder}: more than {_MOST_FILES} source files", hint="build from larger files")
        return number

    def append(self, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write rows behind the last ones: all columns of a table, equally many rows."""
        self._mark()
        counts: dict[str, int] = {}
        for name, values in rows.items():
            spec = COLUMNS[name]
            data = np.ascontiguousarray(values, np.uint64 if spec.form != "plain" else spec.dtype)
            count = data.size // spec.width
            if counts.setdefault(spec.table, count) != count:
                raise AssertionError(f"{name}: {count} rows, and the others of its table have {counts[spec.table]}")
            self._write(spec, data)
        for table, count in counts.items():
            self.rows[table] += count

    def _write(self, spec: Column, data: npt.NDArray[Any]) -> None:
        row = self.rows[spec.table]
        parts: tuple[npt.NDArray[Any], ...] = (data,)
        if spec.form == "wide":
            parts = halves(data)
        elif spec.form == "ascending":
            if len(data):
                before = self.last(spec.name)
                self._carries.setdefault(spec.name, []).extend(carries_of(data, before, row))
                self._last[spec.name] = int(data[-1])
            parts = (data.astype(np.uint32),)
        for file, part in zip(self._open(spec), parts, strict=True):
            file.seek(row * part.itemsize * spec.width)
            file.write(part.data)

    def last(self, name: str) -> int:
        """The last number of an ascending column, committed or not; 0 for an empty one."""
        if name not in self._last:
            rows = self.rows[COLUMNS[name].table]
            self._last[name] = int(self.written(name, rows)[rows - 1]) if rows else 0
        return self._last[name]

    def flush_beside(self) -> None:
        """Have what is written so far go to the disk while more is written: a commit then waits for less."""
        if self._flushing is None or self._flushing.done():
            self._waited()
            handles = []
            for file in self._files.values():
                file.flush()
                handles.append(file.fileno())
            self._flushing = self._beside.submit(_to_disk, handles)

    def _waited(self) -> None:
        if self._flushing is not None:
            flushing, self._flushing = self._flushing, None
            flushing.result()

    def link(self, outputs: npt.NDArray[np.uint64], spenders: npt.NDArray[np.uint32]) -> None:
        """Set the spenders of outputs that were written before; takes effect with the next commit."""
        if len(outputs):
            self._links.append((outputs, spenders))

    def written(self, name: str, rows: int) -> Any:  # noqa: ANN401 - an array, or what reads like one
        """The first `rows` rows of a column, committed or not."""
        spec = COLUMNS[name]
        for file in self._open(spec):
            file.flush()
        return map_column(self.folder / self.manifest.generation, spec, rows, tuple(self._carries.get(name, ())))

    def draft(self, **changes: Any) -> ChainStore:  # noqa: ANN401
        """Everything written so far as a store for reading; nothing of it is committed."""
        self._flush()
        return ChainStore(
            self.folder, replace(self.manifest, rows=dict(self.rows), carries=self._all_carries(), **changes)
        )

    def _all_carries(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(rows) for name, rows in self._carries.items() if rows}

    def commit(
        self,
        *,
        statements: int | None = None,
        expected: tuple[int, str] | None = None,
        **changes: Any,  # noqa: ANN401
    ) -> None:
        """Make everything written last; `changes` are further fields of the manifest.

        Args:
            statements: Rows in the new folder of statements; None leaves those of the last commit.
            expected: (blocks, digest) that the last epoch must be sealed with.

        Raises:
            StoreError: It would be another; nothing is committed.
        """
        self._commit(statements, changes, expected)
        self._unmark()

    def _commit(
        self, statements: int | None, changes: Mapping[str, Any], expected: tuple[int, str] | None = None
    ) -> None:
        self._flush()
        self._waited()
        for file in self._files.values():
            os.fsync(file.fileno())
        if statements is not None:
            self.rows[STATED] = statements
        draft = replace(
            self.manifest,
            rows=dict(self.rows),
            carries=self._all_carries(),
            files=tuple(self._file_numbers),
            **changes,
        )
        with ChainStore(self.folder, draft) as store:
            sealed = seal(store, self.folder / draft.generation, self.threads)
            self._fresh_files = self._fresh_files or bool(sealed)
            draft = replace(draft, epochs=(*draft.epochs, *((one.last["block"], one.digest) for one in sealed)))
        if expected is not None and (not draft.epochs or draft.epochs[-1] != expected):
            raise StoreError(f"{self.folder}: the rows written make another epoch than {expected[1]}")
        with ChainStore(self.folder, draft) as store:
            manifest = replace(
                draft, digest=digest_of(store), tail=tail_digests(store, self.folder / draft.generation, self.threads)
            )
        if self._fresh_files:
            flush_folder(self.folder / self.manifest.generation)
            flush_folder(self.folder)
            self._fresh_files = False
        manifest.write(self.folder)
        self.manifest = manifest

    def cut(self, blocks: int) -> None:
        """Keep the first `blocks` blocks and take the rest out; commits."""
        store = self.snapshot()
        folder = self.folder / self.manifest.generation
        epochs = tuple(epoch for epoch in self.manifest.epochs if epoch[0] <= blocks)
        sealed = read_sealed(folder, len(epochs) - 1).last if epochs else dict.fromkeys(TABLES, 0)
        kept = bounds(store, blocks, sealed)
        kept[STATED] = place_of(store.column("stated_output"), kept["output"])  # sorted by output
        runs = tuple(  # one that reaches behind the cut is written anew by the next build
            run for run in self.manifest.runs if all(run.last[table] <= kept[table] for table in run.last)
        )
        self._mark()
        self.rows = kept
        store.close()
        self._last.clear()
        self._carries = {
            name: [row for row in rows if row < self.rows[COLUMNS[name].table]] for name, rows in self._carries.items()
        }
        self._commit(None, {"epochs": epochs, "runs": runs})
        self._clear_links()
        self._unmark()

    def start_over(self) -> None:
        """Begin an empty generation beside the committed one; the next commit makes it the store."""
        generation = self.new_folder("columns")
        self.manifest = Manifest(
            self.manifest.network,
            generation=generation,
            epoch_transactions=self.manifest.epoch_transactions,
            since=self.manifest.since,
        )
        (self.folder / generation).mkdir()
        flush_folder(self.folder)
        self._waited()
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._last.clear()
        self._carries = {}
        self.rows = dict.fromkeys(TABLES, 0)
        self._file_numbers = {}

    def new_folder(self, kind: str) -> str:
        """The name of a folder of this kind ("columns", "index", "stated") that does not exist yet."""
        numbers = [int(entry.name.rpartition("-")[2]) for entry in self._folders() if entry.name.startswith(kind)]
        return f"{kind}-{max(numbers, default=0) + 1}"

    def _folders(self) -> list[Path]:
        return [entry for entry in self.folder.iterdir() if re.fullmatch(r"(columns|index|stated)-\d{1,9}", entry.name)]

    def sweep(self) -> None:
        """Remove what belongs to no commit: older generations and indexes (snapshots that have mapped them keep them), drafts."""
        for entry in self._folders():
            if entry.name not in self.manifest.folders:
                shutil.rmtree(entry, ignore_errors=True)
        (self.folder / DRAFT).unlink(missing_ok=True)

    def _open(self, spec: Column) -> list[BinaryIO]:
        """The files of a column, for writing."""
        opened = []
        for path in files_of(self.folder / self.manifest.generation, spec):
            if path.name not in self._files:
                if not path.exists():
                    path.touch()
                    self._fresh_files = True
                self._files[path.name] = path.open("r+b")
            opened.append(self._files[path.name])
        return opened

    def _flush(self) -> None:
        if self._links:
            column = self._map("output_spender")
            for outputs, spenders in self._links:
                column[outputs] = spenders
            column.flush()
        self._links.clear()
        for file in self._files.values():
            file.flush()

    def _mark(self) -> None:
        if not self._marked:
            (self.folder / UNFINISHED).touch()
            flush_folder(self.folder)
            self._marked = True

    def _unmark(self) -> None:
        (self.folder / UNFINISHED).unlink(missing_ok=True)
        self._marked = False

    def _map(self, name: str) -> np.memmap[Any, np.dtype[Any]]:
        spec = COLUMNS[name]
        (file,) = self._open(spec)
        file.flush()
        return np.memmap(file, spec.dtype, mode="r+", shape=(self.rows[spec.table],))

    def _repair(self) -> None:
        """Clear links that an unfinished write left behind."""
        if self.rows["block"]:
            with self.snapshot() as store:  # a file that is too short must not be made longer here
                store.column("output_spender")
        self._clear_links()
        self._unmark()

    def _clear_links(self) -> None:
        """Undo links to rows that are not committed."""
        if not self.rows["output"]:
            return
        column = self._map("output_spender")
        for begin in range(0, len(column), _CHUNK):
            part = column[begin : begin + _CHUNK]
            part[(part >= self.rows["tx"]) & (part != NO_TRANSACTION) & (part != UNSPENDABLE)] = NO_TRANSACTION
        column.flush()
        self._reopen_overwritten()

    def _reopen_overwritten(self) -> None:
        """A coinbase whose overwriting twin (BIP 30) is not committed can be spent again."""
        with self.snapshot() as store:
            places = np.array(store.not_yet_overwritten(), np.uint64)
        if len(places):
            column = self._map("output_spender")
            column[places[column[places] == UNSPENDABLE]] = NO_TRANSACTION
            column.flush()


def _to_disk(handles: Sequence[int]) -> None:
    for handle in handles:
        os.fdatasync(handle)
