"""Read a chain store: memory-mapped columns up to what is committed, and the hops that a trace makes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import proxy

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import (
    COLUMNS,
    GIVEN,
    INDEXES,
    NO_HEIGHT,
    NO_HOLDER,
    NO_OUTPUT,
    NO_TRANSACTION,
    NO_VALUE,
    STATED,
    STATED_UNSPENT,
    UNSPENDABLE,
    WHOLE,
)
from shieldwall.chain.finding import Finder
from shieldwall.chain.finding_many import BatchFinder
from shieldwall.chain.manifest import IndexRun, Manifest, read_manifest
from shieldwall.chain.mapping import Column, files_of, map_column, map_rows, place_of
from shieldwall.chain.proof import rules_of
from shieldwall.chain.rawplace import RawPlaces
from shieldwall.chain.spend import Input, Spend, SpendState
from shieldwall.errors import StoreError
from shieldwall.model import address
from shieldwall.model.network import Network, by_name
from shieldwall.model.script import Script, ScriptKind
from shieldwall.model.transaction import display

__all__ = ["ChainStore", "Input", "Spend", "SpendState"]

_ATTEMPTS = 5  # at opening a store that a writer replaces at that moment


class ChainStore:
    """A chain store, opened for reading; a snapshot of what was committed then.

    Use as a context manager, or call `close`. A writer that extends the store or writes it anew does not disturb a
    snapshot; one that rolls back a reorganised tip writes other blocks over those that it took out, so open again after
    a reorganisation.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.network: Network = by_name(manifest.network)
        self._columns: dict[str, Column] = {}
        own = proxy(self)  # no cycle: the maps go with the last who reads
        self._finder = Finder(own)
        self._many = BatchFinder(own)
        self._places = RawPlaces(rules_of(self.network))

    @classmethod
    def open(cls, folder: Path) -> ChainStore:
        """The store in `folder`.

        Every file is mapped at once, so that a writer may drop files which this snapshot still reads.

        Raises:
            StoreError: None there, of another format, or damaged.
        """
        for attempt in range(_ATTEMPTS):
            store = cls(folder, read_manifest(folder))
            try:
                for name in COLUMNS:
                    store.column(name)
                for run in store.manifest.runs:
                    for name in INDEXES:
                        store.index(run, name)
            except StoreError:
                if attempt + 1 == _ATTEMPTS or read_manifest(folder) == store.manifest:
                    raise
            else:
                return store
        raise AssertionError("the last attempt returns or raises")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the maps."""
        self._columns.clear()

    def kept(self) -> ChainStore:
        """The same snapshot for someone who reads on when this one is closed; nothing is opened or mapped again."""
        kept = ChainStore(self.folder, self.manifest)
        kept._columns.update(self._columns)
        for name in ("followed_from", "followed_from_tx", "stated_from"):  # they look at every block
            kept.__dict__[name] = getattr(self, name)
        return kept

    # columns

    def column(self, name: str) -> Column:
        """A column as a read-only map of its committed rows."""
        if name not in self._columns:
            spec = COLUMNS[name]
            folder = self.manifest.stated if spec.table == STATED else self.manifest.generation
            rows, carries = self.manifest.rows[spec.table], self.manifest.carries.get(name, ())
            self._columns[name] = map_column(self.folder / folder, spec, rows, carries)
            if name == "output_spender":
                self._open_again()
        return self._columns[name]

    def _open_again(self) -> None:
        """Read as unspent what a writer has marked for a transaction that is not committed, and that names none."""
        places: list[int] = []
        with contextlib.suppress(IndexError, ValueError, OverflowError):  # damaged rows: `verify` says which
            places = self.not_yet_overwritten()
        if places:
            (path,) = files_of(self.folder / self.manifest.generation, COLUMNS["output_spender"])
            own = map_rows(path, np.uint32, self.rows("output"), mode="c")
            own[[place for place in places if own[place] == UNSPENDABLE]] = NO_TRANSACTION
            own.flags.writeable = False
            self._columns["output_spender"] = own

    def not_yet_overwritten(self) -> list[int]:
        """Outputs of the coinbases that a later one overwrote on this network (BIP 30), where that one is not here."""
        heights = self.column("block_height")
        places: list[int] = []
        for height, by in self.network.overwritten:
            if not (heights == height).any() or (heights == by).any():
                continue
            for block in np.flatnonzero(heights == height).tolist():
                numbers = self.output_range(int(self.column("block_first_tx")[block]))
                holders = self.column("output_holder")[numbers.start : numbers.stop].tolist()
                places += [k for k, holder in zip(numbers, holders, strict=True) if not self.holder(holder).unspendable]
        return places

    def index(self, run: IndexRun, name: str) -> Column:
        """A column of a sorted index."""
        key = f"{run.folder}/{name}"
        if key not in self._columns:
            self._columns[key] = map_column(self.folder / run.folder, INDEXES[name], run.rows(name), run.carries)
        return self._columns[key]

    @property
    def indexed(self) -> bool:
        """True when the indexes cover every committed row."""
        return all(self.manifest.rows[table] == rows for table, rows in self.manifest.indexed.items())

    def rows(self, table: str) -> int:
        """Committed rows of a table."""
        return self.manifest.rows[table]

    # blocks

    @property
    def tip_height(self) -> int | None:
        """Height of the last block; None when it is not known or the store is empty."""
        if not self.rows("block"):
            return None
        height = int(self.column("block_height")[-1])
        return None if height == NO_HEIGHT else height

    @property
    def tip_hash(self) -> str | None:
        """Hash of the last block in display form; None for an empty store."""
        return display(self.column("block_hash")[-1].tobytes()) if self.rows("block") else None

    @property
    def tip_time(self) -> int | None:
        """Unix seconds of the last block; None for an empty store."""
        return int(self.column("block_time")[-1]) if self.rows("block") else None

    @cached_property
    def followed_from(self) -> int:
        """First block of the unbroken run of whole blocks that ends at the tip; outputs from there on are followed."""
        blocks = self.rows("block")
        if not blocks:
            return 0
        whole = (self.column("block_flags") & WHOLE).astype(bool)
        linked = (self.column("block_header")[1:, 4:36] == self.column("block_hash")[:-1]).all(axis=1)
        broken = np.flatnonzero(~(linked & whole[:-1]))
        return blocks if not whole[-1] else int(broken[-1]) + 1 if len(broken) else 0

    @cached_property
    def followed_from_tx(self) -> int:
        """First transaction of that run."""
        first = self.followed_from
        return int(self.column("block_first_tx")[first]) if first < self.rows("block") else self.rows("tx")

    @cached_property
    def stated_from(self) -> int:
        """Least height as of which "unspent" is unspent as of the tip: no later block is missing."""
        if self.tip_height is None:
            return NO_HEIGHT
        first = self.followed_from
        height = int(self.column("block_height")[first]) if first < self.rows("block") else NO_HEIGHT
        return self.tip_height if height == NO_HEIGHT else max(height - 1, 0)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over everything committed, independent of how many steps it was built in."""
        return self.manifest.digest

    def block_of(self, transaction: int) -> int:
        """Number of the block that a transaction is in."""
        return place_of(self.column("block_first_tx"), transaction, "right") - 1

    def height_of(self, transaction: int) -> int | None:
        """Height of a transaction's block; None when not known."""
        height = int(self.column("block_height")[self.block_of(transaction)])
        return None if height == NO_HEIGHT else height

    def time_of(self, transaction: int) -> int:
        """Unix seconds of a transaction's block."""
        return int(self.column("block_time")[self.block_of(transaction)])

    # transactions

    def txid(self, transaction: int) -> str:
        """Display form of a transaction's id."""
        return display(self.column("tx_txid")[transaction].tobytes())

    def find_transaction(self, txid: bytes) -> int | None:
        """Number of the transaction with this internal txid, the latest of equals; None when it is not here."""
        return self._finder.transaction(txid)

    def input_range(self, transaction: int) -> range:
        """Numbers of a transaction's inputs."""
        return self._range("tx_first_input", "input", transaction)

    def output_range(self, transaction: int) -> range:
        """Numbers of a transaction's outputs."""
        return self._range("tx_first_output", "output", transaction)

    def _range(self, column: str, table: str, transaction: int) -> range:
        firsts = self.column(column)
        last = int(firsts[transaction + 1]) if transaction + 1 < len(firsts) else self.rows(table)
        return range(int(firsts[transaction]), last)

    def inputs(self, transaction: int) -> Iterator[Input]:
        """A transaction's inputs in order; none for a coinbase."""
        links, holders = self.column("input_output"), self.column("input_holder")
        values, outside = self.column("output_value"), self.column("outside_input")
        for number in self.input_range(transaction):
            link, holder = int(links[number]), int(holders[number])
            known_holder = None if holder == NO_HOLDER else holder
            if link != NO_OUTPUT:
                maker = self.transaction_of(link)
                index = link - int(self.column("tx_first_output")[maker])
                yield Input(number, link, self.txid(maker), index, int(values[link]), known_holder)
                continue
            row = place_of(outside, number)
            value = int(self.column("outside_value")[row])
            txid = display(self.column("outside_txid")[row].tobytes())
            index = int(self.column("outside_index")[row])
            yield Input(number, None, txid, index, None if value == NO_VALUE else value, known_holder)

    def links(self, transaction: int) -> tuple[list[int | None], list[int | None]]:
        """What a transaction's inputs spend: output numbers (None: not in this store) and satoshi (None: not known)."""
        numbers = self.input_range(transaction)
        links = self.column("input_output")[numbers.start : numbers.stop]
        known = links != np.uint64(NO_OUTPUT)
        values: list[int | None] = [None] * len(numbers)
        paid = self.column("output_value")
        outputs: list[int | None] = [None] * len(numbers)
        for place in np.flatnonzero(known).tolist():
            outputs[place] = link = int(links[place])
            values[place] = int(paid[link])
        if not known.all():
            outside = self.column("outside_input")
            for place in np.flatnonzero(~known).tolist():
                value = int(self.column("outside_value")[place_of(outside, numbers.start + place)])
                values[place] = None if value == NO_VALUE else value
        return outputs, values

    def values(self, transaction: int) -> list[int]:
        """Satoshi of a transaction's outputs."""
        numbers = self.output_range(transaction)
        found: list[int] = self.column("output_value")[numbers.start : numbers.stop].tolist()
        return found

    def flags_of(self, transaction: int) -> int:
        """Bits of a transaction as in `kernels.arrays.Decoded.flags`, without SEGWIT, which not every source tells."""
        return int(self.column("tx_flags")[transaction])

    def is_coinbase(self, transaction: int) -> bool:
        """True for the transaction that creates a block's subsidy."""
        return len(self.input_range(transaction)) == 0

    def transaction_of_input(self, number: int) -> int:
        """Number of the transaction that an input belongs to."""
        return place_of(self.column("tx_first_input"), number, "right") - 1

    def proof_of(self, transaction: int) -> str:
        """What is proven of a transaction: "inclusion" (merkle root of a block with work), "txid", or "nothing"."""
        flags = int(self.column("block_flags")[self.block_of(transaction)])
        return "inclusion" if flags & WHOLE else "nothing" if flags & GIVEN else "txid"

    # outputs

    def transaction_of(self, output: int) -> int:
        """Number of the transaction that made an output."""
        return place_of(self.column("tx_first_output"), output, "right") - 1

    def outpoint(self, output: int) -> tuple[str, int]:
        """Display txid and index of an output."""
        maker = self.transaction_of(output)
        return self.txid(maker), output - int(self.column("tx_first_output")[maker])

    def spend(self, output: int) -> Spend:
        """Where an output stands, as of the tip."""
        spender = int(self.column("output_spender")[output])
        if spender < self.rows("tx"):
            return Spend(SpendState.SPENT, transaction=spender)
        if spender == UNSPENDABLE:
            return Spend(SpendState.UNSPENDABLE)
        stated = self._stated(output)
        if stated is not None:
            height, txid = stated
            if txid != STATED_UNSPENT:
                return Spend(SpendState.SPENT_OUTSIDE, txid=display(txid), as_of=height)
            if height >= self.stated_from:
                return Spend(SpendState.UNSPENT, as_of=height)
        if self.transaction_of(output) >= self.followed_from_tx:
            return Spend(SpendState.UNSPENT)
        return Spend(SpendState.UNKNOWN, as_of=stated[0] if stated else None)

    def _stated(self, output: int) -> tuple[int, bytes] | None:
        outputs = self.column("stated_output")
        row = place_of(outputs, output)
        if row == len(outputs) or int(outputs[row]) != output:
            return None
        return int(self.column("stated_height")[row]), self.column("stated_txid")[row].tobytes()

    # holders

    def holder(self, number: int) -> Script:
        """The script of a holder."""
        ends = self.column("holder_end")
        first = int(ends[number - 1]) if number else 0
        payload = self.column("payload_bytes")[first : int(ends[number])].tobytes()
        return Script(ScriptKind(int(self.column("holder_kind")[number])), payload)

    def identity(self, number: int) -> str:
        """A holder's address, or `kind:payload` where there is none."""
        return address.identity(self.holder(number), self.network)

    def find_holder(self, script: Script) -> int | None:
        """Number of the holder with this script; None when it is not here."""
        return self._finder.holder(script)

    def find_addresses(self, addresses: Sequence[str]) -> npt.NDArray[np.uint32]:
        """uint32[n]: the holder of each address; `NO_HOLDER` where it is not here, or is no address of this network."""
        return self._many.addresses(addresses)

    def find_holders(
        self,
        kinds: npt.NDArray[np.uint8],
        payload: npt.NDArray[np.uint8],
        start: npt.NDArray[np.int64],
        size: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.uint32]:
        """uint32[n]: the holder of each script; `NO_HOLDER` where it is not here.

        Args:
            kinds: uint8[n], `ScriptKind` of each script.
            payload: uint8, where their payloads stand.
            start: int64[n], first byte of each payload.
            size: int64[n], bytes of each.
        """
        return self._many.holders(kinds, payload, start, size)

    def identities(self, holders: npt.ArrayLike) -> list[str]:
        """`identity` of many holders at once."""
        return self._many.identities(holders)

    def find_same_addresses(self, addresses: Sequence[str]) -> npt.NDArray[np.uint32]:
        """uint32[n]: the holder of the same key in its other form, of each address; `NO_HOLDER` for none."""
        return self._many.same_addresses(addresses)

    def find_same_keys(
        self,
        kinds: npt.NDArray[np.uint8],
        payload: npt.NDArray[np.uint8],
        start: npt.NDArray[np.int64],
        size: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.uint32]:
        """uint32[n]: `same_key` of many scripts, given as `find_holders` takes them; `NO_HOLDER` for none."""
        return self._many.same_keys(kinds, payload, start, size)

    def twins(self, holders: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """uint32[n]: `twin` of many holders at once; `NO_HOLDER` for none."""
        return self._many.twins(holders)

    def twin(self, number: int) -> int | None:
        """The holder that is the same key: P2PK for its P2PKH and back; None when there is none."""
        return self.same_key(self.holder(number))

    def same_key(self, script: Script) -> int | None:
        """The holder of the same key in its other form, whether or not `script` itself is a holder; None for none.

        A public key may be written in two ways, and each has a hash of its own; of two equals the first.
        """
        return self._finder.same_key(script)

    def outputs_of(self, number: int) -> list[int]:
        """Numbers of the outputs paid to a holder, ascending."""
        return self._finder.outputs_of(number)

    # raw bytes

    def raw(self, transaction: int) -> bytes:
        """A transaction's own bytes, witness included, from the store or the source file.

        Raises:
            StoreError: The source file is gone or has been cut or changed.
        """
        block = self.block_of(transaction)
        data = self.raw_block(block)
        first = int(self.column("block_first_tx")[block])
        start, end = self._places.of(block, data, self._block_transactions(block))[transaction - first]
        return data[start:end]

    def raw_block(self, block: int) -> bytes:
        """The bytes of a block's transactions, one after the other, from the store or the source file.

        Raises:
            StoreError: The source file is gone or has been cut, or the block came without its bytes (a parcel).
        """
        offset, length = (int(self.column(f"block_raw_{name}")[block]) for name in ("offset", "length"))
        file = int(self.column("block_raw_file")[block])
        if not length:
            raise StoreError(
                f"{self.folder}: the raw bytes of block {block} are not in this store: it was built, or passed on, without them",
                hint="build from block files or with --raw keep, or import parcels of a store that keeps raw bytes",
            )
        if not file:
            kept: bytes = self.column("raw_bytes")[offset : offset + length].tobytes()
            return kept
        return self._places.read(self.manifest.files[file - 1], offset, length)

    def _block_transactions(self, block: int) -> int:
        firsts = self.column("block_first_tx")
        last = int(firsts[block + 1]) if block + 1 < len(firsts) else self.rows("tx")
        return last - int(firsts[block])
