"""The AWS public blockchain data set, v1.0, Bitcoin, as Parquet: transactions rebuilt from their columns, and proven.

A row has every field that a txid is the hash of, so each transaction is written as bytes again (without its witness, which
the data set does not have). Whether its column `hash` is a txid or a wtxid does not matter then: the block's merkle root
tells that the bytes are right. Amounts are doubles of bitcoins, addresses are not looked at, and of a coinbase's input only
the script is there (`blocks.coinbase_param`): its sequence is found by the hash that is named, else by the merkle root.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from shieldwall.chain.readers.interface import BlockRef, Previous, Progress, RawBlock, Survey
from shieldwall.chain.readers.loose import LooseReader, LooseTransaction, parse_loose
from shieldwall.chain.readers.parquet_blocks import BlockRow, block_rows, link_headers
from shieldwall.chain.readers.parquet_coinbase import SEQUENCES, Coinbase, by_hash, by_root, candidates, root_with
from shieldwall.chain.readers.parquet_fields import Piece, decode_fields, previous_outputs
from shieldwall.chain.readers.parquet_pass import Part, Pass, Run, in_order
from shieldwall.chain.readers.parquet_rows import RowBatch, RowIndex, groups_of
from shieldwall.chain.readers.parquet_schema import (
    NEEDED,
    OPTIONAL,
    PREVIOUS,
    Table,
    has_column,
    pyarrow,
    reading,
    table_of,
)
from shieldwall.errors import BadBlock, BadInput
from shieldwall.kernels.arrays import Bytes, Decoded
from shieldwall.kernels.engine import EngineName, pick
from shieldwall.model.network import MAIN, Network
from shieldwall.model.transaction import display

_TABLES: tuple[Table, ...] = ("blocks", "transactions")
_INSIDE = ("", "btc", "v1.0/btc")  # where the tables stand below a folder that is named
_DATE = re.compile(r"date=(\d{4}-\d{2}-\d{2})")
_USUAL_SIZE = 300  # bytes of a transaction without its witness, where the blocks table does not tell a block's size
_FIELDS = tuple(
    name for name in (*NEEDED["transactions"], *OPTIONAL["transactions"]) if name not in ("block_hash", "index")
)


@dataclass(frozen=True, slots=True)
class ParquetOptions:
    """What to prove while reading, and what to leave out.

    Attributes:
        txids: "recompute" derives txids from the rebuilt bytes. "given" takes the column `hash`: faster, nothing is
            proven, and where the files name wtxids there the spends of SegWit transactions do not link.
        roots: "check" holds each block to its merkle root. "skip" does not: blocks are then as incomplete ones, so that
            inclusion is not proven and an output without a spender is unknown, not unspent.
        since: Unix seconds; folders `date=YYYY-MM-DD` that end before are not opened.
        engine: Kernels; "auto" compiles for large inputs.
    """

    txids: Literal["recompute", "given"] = "recompute"
    roots: Literal["check", "skip"] = "check"
    since: int | None = None
    engine: EngineName = "auto"


def looks_like_parquet(head: bytes) -> bool:
    """True when a file's first bytes are those of Parquet."""
    return head.startswith(b"PAR1")


def parquet_files(folder: Path) -> list[Path]:
    """The files of both tables where `folder` is the data set, one of its tables or one of its dates; else none.

    Files that lie in the folder itself are not looked for.
    """
    roots = [folder / inside for inside in _INSIDE]
    date = ""
    if folder.name in _TABLES:
        roots.append(folder.parent)
    elif _DATE.fullmatch(folder.name) and folder.parent.name in _TABLES:
        roots.append(folder.parent.parent)
        date = folder.name
    for root in roots:
        tables = [root / table / date for table in _TABLES]
        if all(table.is_dir() for table in tables):
            found = [path for table in tables for path in sorted(table.rglob("*.parquet"))]
            if found:
                return found
    return []


class ParquetReader(LooseReader):
    """Reads `blocks` and `transactions` files.

    Args:
        files: Both tables' files in any order; a file's own columns tell which it is of.
        network: The data set does not name it.
        options: What to prove.

    Raises:
        UsageError: pyarrow is not installed.
    """

    beside = True  # each goes over the row groups in a pass of its own

    def __init__(
        self, files: Sequence[Path], network: Network | None = None, options: ParquetOptions | None = None
    ) -> None:
        super().__init__()
        pyarrow()
        self._options = options or ParquetOptions()
        self._network = network or MAIN
        self._files = [path for path in files if not self._before(path)]
        self._engine = pick(sum(path.stat().st_size for path in self._files), self._options.engine)
        self._table: list[BlockRow] = []
        self._keys: dict[bytes, int] = {}
        self._index = RowIndex()
        self._gives_previous = False
        self._asked: Pass[RowBatch] | None = None
        self._coinbases = dict.fromkeys(Coinbase, 0)

    def _before(self, path: Path) -> bool:
        """True for a file of a date that ended before `since`."""
        if self._options.since is None:
            return False
        for part in path.parts[:-1]:
            match = _DATE.fullmatch(part)
            if match:
                try:
                    day = dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)
                except ValueError:
                    return False
                return day.timestamp() + 86_400 <= self._options.since
        return False

    @property
    def source(self) -> str:
        """The first file's name, for messages about all."""
        return str(self._files[0]) if self._files else "Parquet files"

    def gather(self, found: Survey, progress: Progress) -> None:
        """Nothing to gather: rows are read where they lie."""

    def survey(self, progress: Progress) -> Survey:
        """Read every block's row, and of transactions which rows are of which block."""
        found = Survey()
        tables = self._tables()
        rows: list[BlockRow] = []
        for number, path in enumerate(tables["blocks"]):
            rows += block_rows(path)
            progress("reading blocks", number + 1, len(tables["blocks"]))
        self._table, found.duplicates = link_headers(rows, self._network)
        self._keys = {row.name: key for key, row in enumerate(self._table)}
        self._gives_previous = bool(tables["transactions"])
        for number, path in enumerate(tables["transactions"]):
            groups, schema = groups_of(path)
            self._index.add(groups)
            self._gives_previous = self._gives_previous and all(has_column(schema, name) for name in PREVIOUS)
            progress("reading which block transactions are of", number + 1, len(tables["transactions"]))
        self._list(found)
        return found

    def _tables(self) -> dict[str, list[Path]]:
        tables: dict[str, list[Path]] = {"blocks": [], "transactions": []}
        for path in self._files:
            with reading(str(path)):
                names = pyarrow().parquet.read_schema(path).names
            table = table_of(names)
            if table is None:
                raise BadInput(
                    f"{path}: neither a file of blocks nor one of transactions (columns {', '.join(names[:8])})",
                    hint="name the folder v1.0/btc of the AWS public blockchain data",
                )
            tables[table].append(path)
        for name, files in tables.items():
            if not files:
                raise BadInput(
                    f"{self.source}: no Parquet file of {name} among the sources",
                    hint="name the folder that holds both, blocks/ and transactions/",
                )
        return tables

    def _list(self, found: Survey) -> None:
        """References of the blocks that have transactions, and notes on what is left aside."""
        check = self._options.roots == "check"
        empty = guesses = headless = 0
        for key, row in enumerate(self._table):
            count = self._index.count(row.name)
            if not count:
                empty += 1
                continue
            found.duplicates += max(0, count - row.transactions)
            whole = count >= row.transactions and row.header is not None
            headless += row.header is None
            guesses += whole and not check
            found.blocks.append(
                BlockRef(
                    hash=row.name,
                    previous=row.header.previous if row.header else None,
                    height=row.number,
                    time=row.fields.time,
                    work=row.header.work if row.header else 0,
                    header=row.header.raw if row.header else None,
                    whole=whole and check,
                    proven=check,
                    size=row.size or _USUAL_SIZE * count,
                    place=row.place,
                    reader=self,
                    key=key,
                )
            )
        strange = sum(name not in self._keys for name in self._index.rows)
        for number, words in (
            (empty, "blocks have no transactions in these files"),
            (strange, "blocks have transactions here and no row in the files of blocks: left aside"),
            (headless, "blocks do not say which block is before them, so that their header is not known"),
            (guesses, "blocks were not held to their merkle root (roots skipped): inclusion is not proven"),
        ):
            if number:
                found.notes.append(f"{number} {words}")
        if self._options.txids == "given":
            found.notes.append("txids are taken from the column hash, not proven; a wtxid there links to no spend")

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks, their transactions rebuilt."""
        rows = Pass(self._index, _FIELDS, self._decode, {ref.hash for ref in refs})
        for ref in refs:
            yield self._assemble(ref, rows.block(ref.hash))

    def _decode(self, batch: RowBatch) -> Piece:
        names, codes = batch.blocks()
        return decode_fields(batch, self._engine, lambda row: self._table[self._keys[names[int(codes[row])]]].coinbase)

    def _assemble(self, ref: BlockRef, parts: list[Part[Piece]]) -> RawBlock:
        """One block from its rows, in the order of their places, each once."""
        block = self._table[ref.key]
        runs = in_order(parts, lambda piece, row: piece.run(row, row + 1), str(ref.place))
        raws = [run.piece.run(run.first, run.last) for run in runs]
        count = sum(run.last - run.first for run in runs)
        if count != block.transactions and ref.whole:
            raise BadBlock(
                f"{ref.place}: block {display(ref.hash)} has {block.transactions} transactions, and the files have {count}",
                hint="a file of transactions is missing or damaged; fetch that date again",
            )
        head = runs[0]
        if head.piece.coinbase[head.first]:
            raws[0] = self._coinbase(ref, head, count, raws)
        txids = None
        if self._options.txids == "given":
            txids = np.concatenate([run.piece.named(run.first, run.last) for run in runs])
        return RawBlock(ref, count, b"".join(raws), txids=txids)

    def _coinbase(self, ref: BlockRef, head: Run[Piece], count: int, raws: list[bytes]) -> bytes:
        """The first bytes of a block, with the coinbase's sequence settled.

        Raises:
            BadBlock: No sequence that is tried makes the block's merkle root.
        """
        raw = head.piece.run(head.first, head.first + 1)
        rest = raws[0][len(raw) :]
        tried = candidates(raw, self._table[ref.key].coinbase)
        named = head.piece.name(head.first)
        settled = by_hash(tried, named)
        if settled is None and ref.whole and ref.header is not None and self._options.txids == "recompute":
            others = self._txids(b"".join((rest, *raws[1:])), count - 1)
            settled = by_root(tried, others, ref.header[36:68])
            if settled is None:
                raise self._unsettled(ref, root_with(named, others) == ref.header[36:68])
        chosen, how = settled or (tried[0], Coinbase.GUESS)
        self._coinbases[how] += 1
        return chosen + rest

    @staticmethod
    def _unsettled(ref: BlockRef, name_fits: bool) -> BadBlock:
        sequences = ", ".join(f"{sequence:#x}" for sequence in SEQUENCES)
        why = (
            "the hash that the file names for it does, so its sequence is another one, which the file does not have"
            if name_fits
            else "nor does the hash that the file names for it: a transaction was changed, or its sequence is another one"
        )
        return BadBlock(
            f"{ref.place}: the coinbase of block {display(ref.hash)} does not make the merkle root with any sequence of "
            f"{sequences}; {why}",
            hint="take this block from a node's block file, or build with --roots skip, which leaves it unproven",
        )

    def _decoded(self, data: bytes, count: int) -> tuple[Bytes, Decoded]:
        array = np.frombuffer(data, np.uint8)
        ends = np.array([len(array)])
        decoded: Decoded = self._engine.decode(array, np.array([0]), np.array([count]), ends)
        return array, decoded

    def _txids(self, data: bytes, count: int) -> Bytes:
        """uint8[count, 32] of transactions one after the other."""
        found: Bytes = self._engine.txids(*self._decoded(data, count))
        return found

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """As the rows say, unproven; read in a pass of its own that follows the order in which blocks are asked for."""
        if not self._gives_previous:
            return None
        if self._asked is None or ref.hash in self._asked.handed:
            self._asked = Pass(self._index, tuple(PREVIOUS), lambda batch: batch)
        parts = self._asked.block(ref.hash)
        self._asked.drop(row.name for row in self._table[: ref.key])
        found: list[Previous | None] = []
        for run in in_order(parts):
            found += previous_outputs(run.piece, run.first, run.last, self._network)
        return found

    def transactions(self, ref: BlockRef) -> list[LooseTransaction]:
        """The transactions of a block with what they spend, for a block of which another source has other parts."""
        (block,) = self.load([ref])
        previous = iter(self.previous_outputs(ref) or ())
        data = bytes(block.data)
        _, decoded = self._decoded(data, block.count)
        found = []
        for start, end in zip(decoded.start.tolist(), decoded.end.tolist(), strict=True):
            loose = parse_loose(data[start:end], (), str(ref.place))
            found.append(replace(loose, previous=tuple(next(previous, None) for _ in loose.spends)))
        return found

    def remarks(self) -> list[str]:
        """What the column `hash` was found to be, by the coinbases, and by what else their sequences were settled."""
        return [f"{number} coinbases: {how.value}" for how, number in self._coinbases.items() if number]
