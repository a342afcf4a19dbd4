"""Rows of transactions in Parquet files: row groups, batches of their rows, and which block each group has rows of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shieldwall.chain.readers.parquet_schema import (
    NullFound,
    check_schema,
    integers,
    leaves,
    pyarrow,
    reading,
    refuse_nulls,
)
from shieldwall.errors import BadInput
from shieldwall.kernels.arrays import Offsets
from shieldwall.model.transaction import TXID, internal

_BATCH = 1 << 14  # rows decoded together: some tens of megabytes


@dataclass(frozen=True, slots=True)
class Group:
    """A row group: its file, its number there, and the rows of the file before it."""

    file: Path
    number: int
    first_row: int


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows of a group: int64[n] their numbers in the file, and an Arrow record batch."""

    group: Group
    rows: Offsets
    columns: Any

    def place(self, row: int, column: str) -> str:
        """How a message names an entry."""
        return f"{self.group.file}, row {int(self.rows[row])}, column {column}"

    def blocks(self) -> tuple[list[bytes], Offsets]:
        """The blocks of these rows (internal hashes), and int64[n] of which one each row is of.

        Raises:
            BadInput: A null, or no block hash.
        """
        try:
            column = self.columns.column("block_hash")
            refuse_nulls(column)
            if not pyarrow().types.is_dictionary(column.type):
                column = column.dictionary_encode()
            codes = integers(column.indices)
        except NullFound as null:
            raise BadInput(f"{self.place(null.entry, 'block_hash')}: null") from None
        names = []
        with reading(str(self.group.file)):
            found = column.dictionary.to_pylist()
        for number, name in enumerate(found):
            if not isinstance(name, str) or not TXID.fullmatch(name):
                row = int(np.argmax(codes == number))
                raise BadInput(f"{self.place(row, 'block_hash')}: {name!r} is not 64 hex digits")
            names.append(internal(name))
        return names, codes

    def indexes(self) -> Offsets:
        """int64[n]: each row's place in its block.

        Raises:
            BadInput: A null.
        """
        try:
            return integers(self.columns.column("index"))
        except NullFound as null:
            raise BadInput(f"{self.place(null.entry, 'index')}: null") from None


def read_batches(group: Group, columns: Sequence[str]) -> Iterator[RowBatch]:
    """The rows of a group, only the named columns decoded.

    Raises:
        BadInput: The file is damaged or does not follow the schema.
    """
    with reading(str(group.file)), _open(group.file) as file:
        wanted = leaves(file.schema, columns)
        row = group.first_row
        for batch in file.iter_batches(_BATCH, row_groups=[group.number], columns=wanted, use_threads=False):
            yield RowBatch(group, np.arange(row, row + len(batch)), batch)
            row += len(batch)


def groups_of(path: Path) -> tuple[list[Group], Any]:
    """The row groups of a transactions file, and its Arrow schema.

    Raises:
        BadInput: The file is damaged or does not follow the schema.
    """
    with reading(str(path)), pyarrow().parquet.ParquetFile(path) as file:
        check_schema(file.schema_arrow, "transactions", str(path))
        counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        firsts = np.cumsum([0, *counts]).tolist()
        return [Group(path, number, firsts[number]) for number in range(len(counts))], file.schema_arrow


def _open(path: Path) -> Any:  # noqa: ANN401 - pyarrow.parquet.ParquetFile
    # the block's hash is the same in thousands of rows: as a dictionary it costs next to nothing
    return pyarrow().parquet.ParquetFile(path, read_dictionary=["block_hash"], pre_buffer=False)


@dataclass(slots=True)
class RowIndex:
    """Which row groups hold which block.

    Attributes:
        groups: All row groups, in the files' order.
        rows: For each block (internal hash), (group, rows of it there) in the files' order.
    """

    groups: list[Group] = field(default_factory=list)
    rows: dict[bytes, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, groups: Iterable[Group]) -> None:
        """Look through groups.

        Raises:
            BadInput: The file is damaged, or a row names no block.
        """
        for group in groups:
            number = len(self.groups)
            self.groups.append(group)
            found: dict[bytes, int] = defaultdict(int)
            for batch in read_batches(group, ["block_hash"]):
                names, codes = batch.blocks()
                counts = np.bincount(codes, minlength=len(names)).tolist()
                for name, count in zip(names, counts, strict=True):
                    found[name] += count
            for name, count in found.items():
                self.rows[name].append((number, count))

    def count(self, block: bytes) -> int:
        """Rows of a block."""
        return sum(count for _, count in self.rows.get(block, ()))
