"""Append to a chain store, or cut it back; a stop at any moment leaves the last commit.

Order of a commit: rows are written behind the committed ones, flushed, and then the manifest is put in place. Links from
older outputs to new spenders are written in place before that; readers take a spender at or above the committed count as
none, and the next writer clears such links when it finds the mark of an unfinished write. A cut goes the other way: first
the manifest with the smaller counts, then the links. Nothing else that is committed is ever written over: indexes and
statements go into a folder of their own each time, and a rewrite into a new generation.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS, NO_HOLDER, NO_TRANSACTION, STATED, TABLES, UNSPENDABLE
from shieldwall.chain.digests import digest_of
from shieldwall.chain.manifest import INDEXED, MANIFEST, UNFINISHED, Manifest, flush_folder, read_manifest
from shieldwall.chain.mapping import map_rows, place_of
from shieldwall.chain.store import ChainStore
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
        self._fresh_files = False
        self._marked = (folder / UNFINISHED).exists()
        self.rows = dict(self.manifest.rows)
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

    def written(self, name: str, rows: int) -> npt.NDArray[Any]:
        """The first `rows` rows of a column, committed or not."""
        self._file(name).flush()
        return map_rows(self.folder / self.manifest.generation / f"{name}.bin", COLUMNS[name].dtype, rows)

    def draft(self, **changes: Any) -> ChainStore:  # noqa: ANN401
        """Everything written so far as a store for reading; nothing of it is committed."""
        self._flush()
        return ChainStore(self.folder, replace(self.manifest, rows=dict(self.rows), **changes))

    def commit(self, *, statements: int | None = None, **changes: Any) -> None:  # noqa: ANN401
        """Make everything written last; `changes` are further fields of the manifest.

        Args:
            statements: Rows of the statements in the folder of a new index; None leaves those of the last commit.
        """
        self._commit(statements, changes)
        self._unmark()

    def _commit(self, statements: int | None, changes: Mapping[str, Any]) -> None:
        self._flush()
        for file in self._files.values():
            os.fsync(file.fileno())
        if self._fresh_files:
            flush_folder(self.folder / self.manifest.generation)
            self._fresh_files = False
        if statements is not None:
            self.rows[STATED] = statements
        draft = replace(self.manifest, rows=dict(self.rows), files=tuple(self._file_numbers), **changes)
        manifest = replace(draft, digest=digest_of(ChainStore(self.folder, draft)))
        manifest.write(self.folder)
        self.manifest = manifest

    def cut(self, blocks: int) -> None:
        """Keep the first `blocks` blocks and take the rest out; commits."""
        store = self.snapshot()
        transactions = int(store.column("block_first_tx")[blocks])
        more = transactions < store.rows("tx")
        inputs = int(store.column("tx_first_input")[transactions]) if more else store.rows("input")
        outputs = int(store.column("tx_first_output")[transactions]) if more else store.rows("output")
        own = store.column("tx_raw_file")[transactions:] == 0
        raw_offsets = store.column("tx_raw_offset")[transactions:][own]
        self._mark()
        self.rows = {
            "block": blocks,
            "tx": transactions,
            "output": outputs,
            "input": inputs,
            "outside": place_of(store.column("outside_input"), inputs),
            "holder": store.rows("holder"),  # a holder of nothing does no harm, and twins stay linked
            "payload": store.rows("payload"),
            "raw": int(raw_offsets[0]) if len(raw_offsets) else store.rows("raw"),
            STATED: place_of(store.column("stated_output"), outputs),  # sorted by output
        }
        store.close()
        self._commit(None, {"indexed": dict.fromkeys(INDEXED, 0)})
        self._clear_links()
        self._unmark()

    def start_over(self) -> None:
        """Begin an empty generation beside the committed one; the next commit makes it the store."""
        generation = self.new_folder("columns")
        self.manifest = Manifest(self.manifest.network, generation=generation)
        (self.folder / generation).mkdir()
        flush_folder(self.folder)
        for file in self._files.values():
            file.close()
        self._files.clear()
        self.rows = dict.fromkeys(TABLES, 0)
        self._file_numbers = {}

    def new_folder(self, kind: str) -> str:
        """The name of a folder of this kind ("columns", "index") that does not exist yet."""
        numbers = [int(entry.name.rpartition("-")[2]) for entry in self._folders() if entry.name.startswith(kind)]
        return f"{kind}-{max(numbers, default=0) + 1}"

    def _folders(self) -> list[Path]:
        return [entry for entry in self.folder.iterdir() if re.fullmatch(r"(columns|index)-\d{1,9}", entry.name)]

    def sweep(self) -> None:
        """Remove the folders of older generations and indexes; snapshots that have mapped them keep them."""
        for entry in self._folders():
            if entry.name not in (self.manifest.generation, self.manifest.index):
                shutil.rmtree(entry, ignore_errors=True)

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            path = self.folder / self.manifest.generation / f"{name}.bin"
            if not path.exists():
                path.touch()
                self._fresh_files = True
            self._files[name] = path.open("r+b")
        return self._files[name]

    def _flush(self) -> None:
        for outputs, spenders in self._links:
            self._scatter("output_spender", outputs, spenders)
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

    def _scatter(self, name: str, places: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        column = self._map(name)
        column[places] = values
        column.flush()

    def _map(self, name: str) -> np.memmap[Any, np.dtype[Any]]:
        file = self._file(name)
        file.flush()
        spec = COLUMNS[name]
        return np.memmap(file, spec.dtype, mode="r+", shape=(self.rows[spec.table],))

    def _repair(self) -> None:
        """Clear links that an unfinished write left behind."""
        if self.rows["block"]:
            with self.snapshot() as store:  # a file that is too short must not be made longer here
                for name in ("output_spender", "holder_twin"):
                    store.column(name)
        self._clear_links()
        self._unmark()

    def _clear_links(self) -> None:
        """Undo links to rows that are not committed."""
        for name, none, table in (
            ("output_spender", NO_TRANSACTION, "tx"),
            ("holder_twin", NO_HOLDER, "holder"),
        ):
            if not self.rows[COLUMNS[name].table]:
                continue
            column = self._map(name)
            for begin in range(0, len(column), _CHUNK):
                part = column[begin : begin + _CHUNK]
                part[(part >= self.rows[table]) & (part != none) & (part != UNSPENDABLE)] = none
            column.flush()
        if self.rows["block"]:
            self._reopen_overwritten()

    def _reopen_overwritten(self) -> None:
        """A coinbase whose overwriting twin (BIP 30) is not committed can be spent again."""
        with self.snapshot() as store:
            heights = store.column("block_height")
            for height, by in store.network.overwritten:
                if (heights == by).any():
                    continue
                for block in np.flatnonzero(heights == height).tolist():
                    numbers = store.output_range(int(store.column("block_first_tx")[block]))
                    holders = store.column("output_holder")[numbers.start : numbers.stop].tolist()
                    burnt = [store.holder(number).unspendable for number in holders]
                    places = np.array([k for k, dead in zip(numbers, burnt, strict=True) if not dead], np.uint64)
                    column = self._map("output_spender")
                    places = places[column[places] == UNSPENDABLE]
                    column[places] = NO_TRANSACTION
                    column.flush()
