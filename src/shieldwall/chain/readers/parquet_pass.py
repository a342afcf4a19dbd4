"""The rows of transactions in Parquet files, gathered block by block in one pass over the row groups.

A compacted file need not be sorted, and two files may hold the same block. A first look has noted how many rows of which
block each row group has (`RowIndex`); a pass reads the groups that the next block needs, a batch at a time, and keeps what
later blocks will ask for. Sorted files are read once from beginning to end, and next to nothing waits.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from shieldwall.chain.readers.parquet_rows import RowBatch, RowIndex, read_batches
from shieldwall.chain.readers.parquet_schema import pyarrow
from shieldwall.errors import BadInput
from shieldwall.kernels.arrays import Offsets

_AHEAD = 4  # batches that are decoded before they are asked for, while others are being built in
_MOST_WAITING = 4 << 20  # rows that may wait for their block: some gigabytes

Piece = TypeVar("Piece")


class _Ahead:
    """Batches read by another thread, some of them ahead; pyarrow and the kernels let go of the interpreter's lock.

    Args:
        batches: Of one row group.
        reader: One thread for all groups: each thread keeps the memory that it has once had.
    """

    def __init__(self, batches: Iterator[RowBatch], reader: ThreadPoolExecutor) -> None:
        self._batches = batches
        self._reader = reader
        self._coming = deque(self._submit() for _ in range(_AHEAD))

    def _submit(self) -> Future[RowBatch | None]:
        return self._reader.submit(next, self._batches, None)

    def next(self) -> RowBatch | None:
        """The next batch, None after the last.

        Raises:
            BadInput: As `read_batches`.
        """
        batch = self._coming.popleft().result()
        if batch is not None:
            self._coming.append(self._submit())
        return batch


@dataclass(frozen=True, slots=True)
class Part(Generic[Piece]):
    """Rows of one block within a decoded batch: int64[k] of rows, and of their places in the block."""

    piece: Piece
    rows: Offsets
    indexes: Offsets


@dataclass(frozen=True, slots=True)
class Run(Generic[Piece]):
    """Rows `first` up to `last` of a decoded batch."""

    piece: Piece
    first: int
    last: int


class Pass(Generic[Piece]):
    """One pass over the row groups.

    Args:
        index: Which groups hold which block.
        columns: What to decode; `block_hash` and `index` come always.
        decode: Makes of a batch, whose rows are all of wanted blocks, what parts will refer to.
        wanted: Blocks that will be asked for; None keeps all.
    """

    def __init__(
        self,
        index: RowIndex,
        columns: Sequence[str],
        decode: Callable[[RowBatch], Piece],
        wanted: set[bytes] | None = None,
    ) -> None:
        self._index = index
        self._columns = ["block_hash", "index", *columns]
        self._decode = decode
        self._wanted = wanted
        self._open: dict[int, _Ahead] = {}
        self._reader = ThreadPoolExecutor(1, "parquet")
        self._waiting: dict[bytes, list[Part[Piece]]] = defaultdict(list)
        self._seen: dict[tuple[bytes, int], int] = defaultdict(int)
        self._rows_waiting = 0
        names = index.rows if wanted is None else wanted
        self._groups = {group for name in names for group, _ in index.rows.get(name, ())}
        self.handed: set[bytes] = set()

    def block(self, name: bytes) -> list[Part[Piece]]:
        """The parts of a block; can be asked for once.

        Raises:
            BadInput: The files are damaged, changed since they were looked through, or far from sorted.
        """
        for group, rows in self._index.rows.get(name, ()):
            while self._seen[name, group] < rows:
                self._advance(group)
        return self._take(name)

    def drop(self, names: Iterable[bytes]) -> None:
        """Forget blocks that will not be asked for."""
        for name in names:
            if name in self._waiting:
                self._take(name)

    def _take(self, name: bytes) -> list[Part[Piece]]:
        parts = self._waiting.pop(name, [])
        self._rows_waiting -= sum(len(part.rows) for part in parts)
        self.handed.add(name)
        return parts

    def _advance(self, number: int) -> None:
        group = self._index.groups[number]
        for coming in (number, number + 1):  # the next group is most likely the next to be needed
            if coming in self._groups and coming not in self._open:
                self._open[coming] = _Ahead(read_batches(self._index.groups[coming], self._columns), self._reader)
        batch = self._open[number].next()
        if batch is None:
            raise BadInput(f"{group.file}: the file changed while it was read", hint="build again")
        names, codes = batch.blocks()
        keep = np.array([self._wanted is None or name in self._wanted for name in names], np.bool_)
        if not keep.all():
            chosen = keep[codes]
            batch = RowBatch(group, batch.rows[chosen], batch.columns.filter(pyarrow().array(chosen)))
            codes = codes[chosen]
        if not len(codes):
            return
        piece = self._decode(batch)
        indexes = batch.indexes()
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(names) + 1)).tolist()
        for code, name in enumerate(names):
            rows = order[edges[code] : edges[code + 1]]
            if len(rows):
                self._waiting[name].append(Part(piece, rows, indexes[rows]))
                self._seen[name, number] += len(rows)
        self._rows_waiting += len(codes)
        if self._rows_waiting > _MOST_WAITING:
            raise BadInput(
                f"{group.file}: more than {_MOST_WAITING} rows wait for the other rows of their blocks",
                hint="give the files of one date at a time, or write them sorted by block_number",
            )


def in_order(
    parts: Sequence[Part[Piece]], same: Callable[[Piece, int], object] | None = None, place: str = ""
) -> list[Run[Piece]]:
    """The rows of a block by their places, each place once, as runs of rows that follow each other.

    Args:
        parts: Of one block.
        same: What must be equal of two rows for the same place; None asks nothing.
        place: Where the block was read, for the error.

    Raises:
        BadInput: Two rows for one place differ.
    """
    part = np.repeat(np.arange(len(parts)), [len(one.rows) for one in parts])
    rows = np.concatenate([one.rows for one in parts])
    places = np.concatenate([one.indexes for one in parts])
    order = np.argsort(places, kind="stable")
    part, rows, places = part[order], rows[order], places[order]
    again = np.flatnonzero(places[1:] == places[:-1]) + 1
    for number in again.tolist() if same is not None else ():
        before, here = parts[int(part[number - 1])].piece, parts[int(part[number])].piece
        if same is not None and same(before, int(rows[number - 1])) != same(here, int(rows[number])):
            raise BadInput(
                f"{place}: the files give two transactions for place {int(places[number])} of one block",
                hint="one of the files was changed, or written before a reorganisation; leave it out",
            )
    part, rows = np.delete(part, again), np.delete(rows, again)
    breaks = np.flatnonzero((np.diff(part) != 0) | (np.diff(rows) != 1)) + 1
    firsts, lasts = [0, *breaks.tolist()], [*breaks.tolist(), len(rows)]
    return [
        Run(parts[int(part[first])].piece, int(rows[first]), int(rows[last - 1]) + 1)
        for first, last in zip(firsts, lasts, strict=True)
    ]
