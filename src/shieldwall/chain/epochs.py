"""Epochs: runs of whole blocks that are sealed with a digest, the unit in which stores are checked and passed on.

An epoch ends with the block that brings it to so many transactions, so that its bounds follow from the chain alone. Its
digest covers every column of the facts in it; where the raw bytes lie is each store's own affair, and which transaction
spends an output may come to be known epochs later, and follows from the inputs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from shieldwall.chain.columns import COLUMNS, NO_HOLDER, STATED, TABLES
from shieldwall.chain.mapping import place_of
from shieldwall.chain.store import ChainStore
from shieldwall.chain.wide import Ascending, Wide
from shieldwall.errors import StoreError

_MOST_BYTES = 1 << 20  # of an epoch's file
_CHUNK = 1 << 22  # rows looked at together
_OWN = ("block_raw_file", "block_raw_offset", "block_raw_length", "output_spender")
PORTABLE = tuple(name for name, spec in COLUMNS.items() if spec.table not in (STATED, "raw") and name not in _OWN)
"""The columns that an epoch's digest covers."""
LOCAL = (
    "block_raw_file",
    "block_raw_offset",
    "block_raw_length",
    "raw_bytes",
    "stated_output",
    "stated_height",
    "stated_txid",
)
"""Columns that are not in the digest of an epoch, and are checked beside it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed epoch.

    Attributes:
        number: Counted from 0.
        network: Name of the network.
        transactions: How many fill an epoch of its store.
        first: Its first row of each table.
        last: One past its last.
        columns: SHA-256 (hex) of its rows of each column; in a store of `LOCAL` ones too.
        running: Running digest (hex) of its last block.
    """

    number: int
    network: str
    transactions: int
    first: dict[str, int]
    last: dict[str, int]
    columns: dict[str, str]
    running: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over what the epoch says: bounds, running digest and the digests of the columns in `PORTABLE`."""
        rows = {table: self.last[table] - self.first[table] for table in TABLES if table not in (STATED, "raw")}
        columns = {name: self.columns[name] for name in PORTABLE}
        said = [self.number, self.network, self.transactions, self.first["block"], self.running, rows, columns]
        return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write the epoch's file, flushed."""
        with (folder / file_name(self.number)).open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())


def file_name(number: int) -> str:
    """Name of the file that tells of a sealed epoch."""
    return f"epoch-{number:06d}.json"


def read_sealed(folder: Path, number: int) -> Sealed:
    """A sealed epoch of the generation in `folder`.

    Raises:
        StoreError: Its file is missing or damaged.
    """
    path = folder / file_name(number)
    try:
        with path.open("rb") as file:
            return sealed_from(json.loads(file.read(_MOST_BYTES)))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{path}: damaged ({error})", hint="restore the store from a copy, or build it again"
        ) from None


def sealed_from(body: Mapping[str, Any]) -> Sealed:
    """An epoch as it stands in a file.

    Raises:
        ValueError, TypeError, KeyError: It is none.
    """
    sealed = Sealed(**body)
    for counts in (sealed.first, sealed.last):
        if set(counts) != set(TABLES) or not all(type(count) is int and count >= 0 for count in counts.values()):
            raise ValueError("rows must be counted for every table")
    if any(sealed.last[table] < sealed.first[table] for table in TABLES):
        raise ValueError("an epoch ends before it begins")
    if not set(PORTABLE) <= set(sealed.columns) <= {*PORTABLE, *LOCAL}:
        raise ValueError("every column of facts needs a digest")
    if any(type(digest) is not str for digest in sealed.columns.values()):
        raise ValueError("a digest must be text")
    texts = [type(text) is str for text in (sealed.network, sealed.running)]
    numbers = [type(number) is int and number >= 0 for number in (sealed.number, sealed.transactions)]
    if not all(texts + numbers):
        raise ValueError("not an epoch")
    return sealed


def seal(store: ChainStore, folder: Path, threads: int = 1) -> list[Sealed]:
    """Seal every epoch that is full and not sealed yet, and write its file into `folder`, the store's generation."""
    firsts = store.column("block_first_tx")
    sealed: list[Sealed] = []
    first = tail_bounds(store, folder)
    number = len(store.manifest.epochs)
    while first["block"] < store.rows("block"):
        full = first["tx"] + store.manifest.epoch_transactions
        if store.rows("tx") < full:
            break
        end = place_of(firsts, full) if full <= int(firsts[-1]) else store.rows("block")  # the first that begins then
        one = describe(store, number, first, end, threads)
        one.write(folder)
        sealed.append(one)
        first, number = one.last, number + 1
    return sealed


def describe(store: ChainStore, number: int, first: Mapping[str, int], end: int, threads: int = 1) -> Sealed:
    """The blocks from row `first` up to block `end` as an epoch."""
    last = bounds(store, end, first)
    running = store.column("block_digest")[end - 1].tobytes().hex()
    size = store.manifest.epoch_transactions
    return Sealed(number, store.network.name, size, dict(first), last, digests(store, first, last, threads), running)


def tail_bounds(store: ChainStore, folder: Path) -> dict[str, int]:
    """First rows behind the last sealed epoch."""
    epochs = store.manifest.epochs
    return read_sealed(folder, len(epochs) - 1).last if epochs else dict.fromkeys(TABLES, 0)


def bounds(store: ChainStore, block: int, before: Mapping[str, int]) -> dict[str, int]:
    """Rows of each table that belong to the blocks up to `block`.

    Args:
        store: The store.
        block: Number of a block, or of blocks.
        before: The bounds at an earlier block: nothing before it is looked at.
    """
    if block < store.rows("block"):
        tx = int(store.column("block_first_tx")[block])
        inputs, outputs = store.input_range(tx).start, store.output_range(tx).start
        own = np.flatnonzero(store.column("block_raw_file")[block:] == 0)
        raw = int(store.column("block_raw_offset")[block + own[0]]) if len(own) else store.rows("raw")
    else:
        tx, inputs, outputs, raw = (store.rows(table) for table in ("tx", "input", "output", "raw"))
    holder = _holders(store, before, inputs, outputs)
    return {
        "block": min(block, store.rows("block")),
        "tx": tx,
        "output": outputs,
        "input": inputs,
        "outside": place_of(store.column("outside_input"), inputs),
        STATED: 0,
        "holder": holder,
        "payload": store.column("holder_end")[holder - 1] if holder else 0,
        "raw": raw,
    }


def _holders(store: ChainStore, before: Mapping[str, int], inputs: int, outputs: int) -> int:
    """How many holders these rows name: those are numbered as they appear."""
    known = before["holder"]
    for name, rows in (("output", outputs), ("input", inputs)):
        column = store.column(f"{name}_holder")
        for begin in range(before[name], rows, _CHUNK):
            part = column[begin : min(begin + _CHUNK, rows)]
            known = max(known, int((part[part != NO_HOLDER].astype(np.int64) + 1).max(initial=0)))
    return known


def digests(store: ChainStore, first: Mapping[str, int], last: Mapping[str, int], threads: int = 1) -> dict[str, str]:
    """SHA-256 (hex) of these rows of every column that does not change."""
    names = (*PORTABLE, *LOCAL)
    if threads < 2:
        return {name: column_digest(store, name, first, last) for name in names}
    with ThreadPoolExecutor(threads, "digest") as pool:  # hashing lets go of Python's lock
        return dict(zip(names, pool.map(lambda name: column_digest(store, name, first, last), names), strict=True))


def column_digest(store: ChainStore, name: str, first: Mapping[str, int], last: Mapping[str, int]) -> str:
    """SHA-256 (hex) of the rows of one column, as `pieces` gives them."""
    total = sha256()
    for piece in pieces(store, name, first, last):
        total.update(piece)
    return total.hexdigest()


def pieces(store: ChainStore, name: str, first: Mapping[str, int], last: Mapping[str, int]) -> Iterator[memoryview]:
    """The rows of one column as bytes: low halves, then the high halves of a wide column."""
    column, table = store.column(name), COLUMNS[name].table
    parts = [column]
    if isinstance(column, Wide):
        parts = [column.low, column.high]
    elif isinstance(column, Ascending):
        parts = [column.low]
    for part in parts:
        rows = np.ascontiguousarray(part[first[table] : last[table]])
        if rows.size:
            yield memoryview(rows.view(np.uint8).reshape(-1).data)


def tail_digests(store: ChainStore, folder: Path, threads: int = 1) -> dict[str, str]:
    """SHA-256 (hex) of each column's rows behind the last sealed epoch; `folder` is the store's generation."""
    return digests(store, tail_bounds(store, folder), {table: store.rows(table) for table in TABLES}, threads)
