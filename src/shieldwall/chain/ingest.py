"""From raw blocks to rows: decode, prove, number the holders, resolve the inputs, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import (
    HEADER,
    NO_HEIGHT,
    NO_HOLDER,
    NO_OUTPUT,
    NO_TRANSACTION,
    NO_VALUE,
    UNSPENDABLE,
    WHOLE,
)
from shieldwall.chain.proof import merkle_root
from shieldwall.chain.readers.interface import BlockRef, Previous, RawBlock
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock
from shieldwall.kernels.arrays import COINBASE, Bytes, Decoded, DecodeFault
from shieldwall.kernels.engine import Engine
from shieldwall.model.address import key_hash
from shieldwall.model.network import Network
from shieldwall.model.script import MAX_SCRIPT_SIZE, Script, ScriptKind, classify
from shieldwall.model.transaction import display

Rows = dict[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Batch:
    """Blocks taken apart, on their way to rows. n transactions, i inputs without coinbases, o outputs."""

    blocks: Sequence[RawBlock]
    data: Bytes
    block_start: npt.NDArray[np.int64]
    decoded: Decoded
    txids: Bytes
    coinbase: npt.NDArray[np.bool_]  # [n]
    first_tx: npt.NDArray[np.int64]  # [blocks + 1]
    first_input: npt.NDArray[np.int64]  # [n + 1], coinbase inputs left out
    outpoint: npt.NDArray[np.int64]  # [i]


@dataclass(slots=True)
class _Resolved:
    """What a batch's outputs are and its inputs spend."""

    spent: npt.NDArray[np.uint64]  # [i] numbers of the outputs spent
    holders: npt.NDArray[np.uint32]  # [o]
    values: npt.NDArray[np.uint64]  # [o]
    input_holders: npt.NDArray[np.uint32]  # [i]
    base_output: int


@dataclass(slots=True)
class Ingester:
    """Turns raw blocks into rows of a store, in chain order.

    Args:
        writer: The store, open for writing.
        engine: Plain or compiled kernels.
        keep_raw: Keep the transactions' bytes in the store; else remember where they stand in the source.
        helpers: For a block's hash, further references that may know what its inputs spend.
    """

    writer: ChainWriter
    engine: Engine
    network: Network
    keep_raw: bool
    helpers: dict[bytes, list[BlockRef]] = field(default_factory=dict)
    unresolved: int = 0
    _digest: bytes = bytes(32)
    _interner: Any = None
    _live: Any = None

    def __post_init__(self) -> None:
        with self.writer.snapshot() as store:
            self._interner = self.engine.Interner(
                store.column("holder_kind"), store.column("holder_end"), store.column("payload_bytes")
            )
            self._live = self.engine.LiveOutputs()
            _add_live(self._live, store)
            if store.rows("block"):
                self._digest = store.column("block_digest")[-1].tobytes()

    def take(self, blocks: Sequence[RawBlock]) -> None:
        """Write one batch of blocks, not yet committed.

        Raises:
            BadBlock: A block that its own bytes refute, or that spends what cannot be spent.
        """
        batch = self._decode(blocks)
        for number in range(len(blocks)):
            _prove(batch, number)
        rows = self.writer.rows
        base_tx, base_output, base_input = rows["tx"], rows["output"], rows["input"]
        decoded, engine = batch.decoded, self.engine
        kinds, starts, ends = engine.classify(batch.data, decoded.script_start, decoded.script_end)
        burnt = (kinds == ScriptKind.OP_RETURN) | (decoded.script_end - decoded.script_start > MAX_SCRIPT_SIZE)
        holders = self._interner.intern(batch.data, kinds, starts, ends)
        spent, overwritten = self._live.resolve(
            batch.data,
            batch.outpoint,
            batch.first_input,
            decoded.first_output,
            batch.txids,
            (~burnt).astype(np.uint8),
            base_output,
        )
        if len(overwritten):
            self._check_overwritten(overwritten, batch, base_output)
        spender_of_input = np.repeat(
            np.arange(base_tx, base_tx + len(batch.txids), dtype=np.uint32), np.diff(batch.first_input)
        )
        spenders = np.full(len(holders), NO_TRANSACTION, np.uint32)
        spenders[burnt] = UNSPENDABLE
        self._link(spent, spender_of_input, spenders, base_output)
        self._link(overwritten, np.full(len(overwritten), UNSPENDABLE, np.uint32), spenders, base_output)
        known = _Resolved(spent, holders, decoded.value, np.full(len(spent), NO_HOLDER, np.uint32), base_output)
        outside = self._outside(batch, known, base_input)
        self._write_holders()
        raw = self._raw_rows(batch)
        self.writer.append(
            {
                "output_value": decoded.value,
                "output_holder": holders,
                "output_spender": spenders,
            }
        )
        self.writer.append({"input_output": spent, "input_holder": known.input_holders})
        self.writer.append(outside)
        self.writer.append(
            {
                "tx_txid": batch.txids,
                "tx_first_input": (batch.first_input[:-1] + base_input).astype(np.uint64),
                "tx_first_output": (decoded.first_output[:-1] + base_output).astype(np.uint64),
                "tx_flags": decoded.flags,
                **raw,
            }
        )
        self.writer.append(self._block_rows(batch, outside, base_tx, base_input))

    def _decode(self, blocks: Sequence[RawBlock]) -> Batch:
        data = np.frombuffer(b"".join(block.data for block in blocks), np.uint8)
        sizes = np.array([len(block.data) for block in blocks], np.int64)
        limit = np.cumsum(sizes)
        start = limit - sizes
        counts = np.array([block.count for block in blocks], np.int64)
        try:
            decoded = self.engine.decode(data, start, counts, limit)
        except DecodeFault as fault:
            ref = blocks[fault.block].ref
            at = fault.offset - int(start[fault.block])
            raise BadBlock(
                f"{ref.place}: transaction {fault.transaction} of block {display(ref.hash)} {fault} "
                f"({at} bytes after the first transaction)"
            ) from None
        for number, block in enumerate(blocks):
            over = int(limit[number] - decoded.block_end[number])
            if over:
                raise BadBlock(f"{block.ref.place}: {over} bytes follow the last transaction of the block")
        coinbase = (decoded.flags & COINBASE) != 0
        counts_in = np.diff(decoded.first_input)
        counts_in[coinbase] = 0
        keep = np.repeat(~coinbase, np.diff(decoded.first_input))
        return Batch(
            blocks=blocks,
            data=data,
            block_start=start,
            decoded=decoded,
            txids=self.engine.txids(data, decoded),
            coinbase=coinbase,
            first_tx=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))),
            first_input=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts_in))),
            outpoint=decoded.outpoint[keep],
        )

    def _link(
        self,
        outputs: npt.NDArray[np.uint64],
        spender_of: npt.NDArray[np.uint32],
        new: npt.NDArray[np.uint32],
        base: int,
    ) -> None:
        """Set the spenders: in `new` for this batch's outputs, in the store for older ones."""
        linked = outputs != NO_OUTPUT
        fresh = linked & (outputs >= base)
        new[outputs[fresh] - np.uint64(base)] = spender_of[fresh]
        older = linked & ~fresh
        self.writer.link(outputs[older], spender_of[older])

    def _check_overwritten(self, overwritten: npt.NDArray[np.uint64], batch: Batch, base: int) -> None:
        """Only two coinbases of the main chain were ever overwritten while unspent (BIP 30)."""
        for output in overwritten.tolist():
            if output >= base:
                tx = int(np.searchsorted(batch.decoded.first_output, output - base, side="right")) - 1
                block = int(np.searchsorted(batch.first_tx, tx, side="right")) - 1
                height = batch.blocks[block].ref.height
                txid = batch.txids[tx].tobytes()
            else:
                with self.writer.snapshot() as store:
                    number = store.transaction_of(output) if output < store.rows("output") else None
                    height = None if number is None else store.height_of(number)
                    txid = b"" if number is None else store.column("tx_txid")[number].tobytes()
            if height not in self.network.overwritten:
                raise BadBlock(
                    f"transaction {display(txid)} of height {height} stands in a later block again",
                    hint="one of the sources is damaged or not of this chain; leave it out",
                )

    def _outside(self, batch: Batch, known: _Resolved, base_input: int) -> Rows:
        """Fill in who each input's money came from; rows for the inputs whose previous output is not in the store."""
        base = known.base_output
        linked = known.spent != NO_OUTPUT
        fresh = linked & (known.spent >= base)
        known.input_holders[fresh] = known.holders[known.spent[fresh] - np.uint64(base)]
        older = linked & ~fresh
        if older.any():
            known.input_holders[older] = self.writer.written("output_holder", base)[known.spent[older]]
        missing = np.flatnonzero(~linked)
        values = np.full(len(missing), NO_VALUE, np.uint64)
        if len(missing):
            self._ask_sources(batch, known, missing, values)
        at = batch.outpoint[missing][:, None]
        indexes = np.ascontiguousarray(batch.data[at + np.arange(32, 36)]).reshape(-1, 4)
        return {
            "outside_input": (missing + base_input).astype(np.uint64),
            "outside_txid": batch.data[at + np.arange(32)].reshape(-1, 32),
            "outside_index": indexes.view(np.uint32).reshape(-1),
            "outside_value": values,
        }

    def _ask_sources(
        self, batch: Batch, known: _Resolved, missing: npt.NDArray[np.int64], values: npt.NDArray[np.uint64]
    ) -> None:
        """Previous outputs from the readers, for blocks that need one; what is known already must agree."""
        edges = batch.first_input[batch.first_tx]
        for number in np.unique(np.searchsorted(edges, missing, side="right") - 1).tolist():
            ref = batch.blocks[number].ref
            first, last = int(edges[number]), int(edges[number + 1])
            rows = np.flatnonzero((missing >= first) & (missing < last))
            previous = self._previous(batch, number)
            if previous is None:
                self.unresolved += len(rows)
                continue
            if len(previous) != last - first:
                raise BadBlock(
                    f"{ref.place}: {len(previous)} spent outputs are given for the {last - first} inputs of the block"
                )
            self._check_known(previous, known, slice(first, last), ref)
            given = [previous[int(missing[row]) - first] for row in rows]
            self.unresolved += sum(entry is None for entry in given)
            for row, entry, holder in zip(rows.tolist(), given, self._intern_scripts(given), strict=True):
                if entry is not None:
                    known.input_holders[missing[row]] = holder
                    values[row] = NO_VALUE if entry.value is None else entry.value

    def _previous(self, batch: Batch, number: int) -> list[Previous | None] | None:
        block = batch.blocks[number]
        answer = block.ref.reader.previous_outputs(block.ref)
        helpers = self.helpers.get(block.ref.hash)
        if answer is not None or not helpers:
            return answer
        known: dict[bytes, Sequence[Previous | None]] = {}
        for helper in helpers:
            transactions = getattr(helper.reader, "transactions", None)
            for transaction in transactions(helper) if transactions else ():
                known[transaction.txid] = transaction.previous
        united: list[Previous | None] = []
        for tx in range(int(batch.first_tx[number]), int(batch.first_tx[number + 1])):
            inputs = int(batch.first_input[tx + 1] - batch.first_input[tx])
            united += known.get(batch.txids[tx].tobytes(), (None,) * inputs)
        return united

    def _check_known(self, previous: Sequence[Previous | None], known: _Resolved, inputs: slice, ref: BlockRef) -> None:
        """What the source gives for an input whose creating transaction is in the store must be what that paid."""
        base = known.base_output
        older = self.writer.written("output_value", base)
        spent, holders = known.spent[inputs], known.input_holders[inputs]
        for place, entry in enumerate(previous):
            output = int(spent[place])
            if entry is None or entry.value is None or output == NO_OUTPUT:
                continue
            value = int(known.values[output - base] if output >= base else older[output])
            same_holder = self._intern_scripts([entry])[0] == int(holders[place])
            if value != entry.value or not same_holder:
                raise BadBlock(
                    f"{ref.place}: input {place} of block {display(ref.hash)} is said to spend {entry.value} satoshi, "
                    f"and its creating transaction paid {value}" + ("" if same_holder else " to another script"),
                    hint="the source of the spent outputs is damaged or belongs to another block",
                )

    def _intern_scripts(self, entries: Sequence[Previous | None]) -> list[int]:
        scripts = [classify(entry.script) if entry else Script(ScriptKind.OTHER, b"") for entry in entries]
        known = [number for number, entry in enumerate(entries) if entry]
        numbers = [NO_HOLDER] * len(scripts)
        for place, number in zip(known, self._number_scripts([scripts[k] for k in known]), strict=True):
            numbers[place] = number
        return numbers

    def _number_scripts(self, scripts: Sequence[Script]) -> list[int]:
        payload = b"".join(script.payload for script in scripts)
        ends = np.cumsum(np.array([len(script.payload) for script in scripts], np.int64))
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
        kinds = np.array([script.kind for script in scripts], np.uint8)
        answer: list[int] = self._interner.intern(np.frombuffer(payload, np.uint8), kinds, starts, ends).tolist()
        return answer

    def _write_holders(self) -> None:
        """Append new holders; a public key and its hash are linked both ways."""
        base = self.writer.rows["holder"]
        kinds, sizes, payload = self._interner.take_new()
        ends = np.cumsum(sizes)
        keys = np.flatnonzero(kinds == ScriptKind.P2PK)
        hashes = []
        for key in keys.tolist():
            raw = payload[int(ends[key] - sizes[key]) : int(ends[key])].tobytes()
            hashed = key_hash(Script(ScriptKind.P2PK, raw))
            hashes.append(hashed if hashed else Script(ScriptKind.P2PKH, raw[:20]))
        twins = np.array(self._number_scripts(hashes), np.uint32)
        more_kinds, more_sizes, more_payload = self._interner.take_new()
        kinds = np.concatenate((kinds, more_kinds))
        sizes = np.concatenate((sizes, more_sizes))
        payload = np.concatenate((payload, more_payload))
        twin = np.full(len(kinds), NO_HOLDER, np.uint32)
        numbers = (keys + base).astype(np.uint32)
        twin[keys] = twins
        fresh = twins >= base
        twin[twins[fresh] - np.uint32(base)] = numbers[fresh]
        end_base = self.writer.rows["payload"]
        self.writer.append({"holder_kind": kinds, "holder_end": np.cumsum(sizes) + end_base, "holder_twin": twin})
        self.writer.append({"payload_bytes": payload})
        self.writer.set_twins(twins[~fresh], numbers[~fresh])

    def _raw_rows(self, batch: Batch) -> Rows:
        decoded = batch.decoded
        lengths = (decoded.end - decoded.start).astype(np.uint32)
        if self.keep_raw:
            base = self.writer.rows["raw"]
            self.writer.append({"raw_bytes": batch.data})
            files = np.zeros(len(lengths), np.uint16)
            offsets = decoded.start + base
        else:
            owner = np.repeat(np.arange(len(batch.blocks)), np.diff(batch.first_tx))
            numbers = [self.writer.file_number(block.file) if block.file else 0 for block in batch.blocks]
            shifts = np.array([block.offset for block in batch.blocks], np.int64) - batch.block_start
            files = np.array(numbers, np.uint16)[owner]
            offsets = decoded.start + shifts[owner]
        return {"tx_raw_offset": offsets.astype(np.uint64), "tx_raw_length": lengths, "tx_raw_file": files}

    def _block_rows(self, batch: Batch, outside: Rows, base_tx: int, base_input: int) -> Rows:
        refs = [block.ref for block in batch.blocks]
        edges = batch.first_input[batch.first_tx] + base_input
        cuts = np.searchsorted(outside["outside_input"], edges)
        digests = []
        for number, ref in enumerate(refs):
            first, last = int(batch.first_tx[number]), int(batch.first_tx[number + 1])
            total = sha256(self._digest)
            total.update(ref.header or ref.hash)
            height = NO_HEIGHT if ref.height is None else ref.height
            total.update(height.to_bytes(4, "little") + ref.time.to_bytes(4, "little") + bytes([ref.whole]))
            total.update(batch.txids[first:last].tobytes())
            total.update(outside["outside_value"][int(cuts[number]) : int(cuts[number + 1])].tobytes())
            self._digest = total.digest()
            digests.append(self._digest)
        return {
            "block_header": np.frombuffer(b"".join(ref.header or bytes(80) for ref in refs), np.uint8),
            "block_hash": np.frombuffer(b"".join(ref.hash for ref in refs), np.uint8),
            "block_height": np.array([NO_HEIGHT if ref.height is None else ref.height for ref in refs], np.uint32),
            "block_time": np.array([ref.time for ref in refs], np.uint32),
            "block_flags": np.array([WHOLE * ref.whole | HEADER * (ref.header is not None) for ref in refs], np.uint8),
            "block_first_tx": (batch.first_tx[:-1] + base_tx).astype(np.uint32),
            "block_digest": np.frombuffer(b"".join(digests), np.uint8),
        }


def _prove(batch: Batch, number: int) -> None:
    """A whole block's transactions are those of its merkle root, each once, the first a coinbase and no other."""
    ref = batch.blocks[number].ref
    first, last = int(batch.first_tx[number]), int(batch.first_tx[number + 1])
    if ref.whole and ref.header is not None:
        if merkle_root(batch.txids[first:last]) != ref.header[36:68]:
            raise BadBlock(
                f"{ref.place}: the transactions of block {display(ref.hash)} do not make its merkle root",
                hint="the bytes are damaged; copy the block again",
            )
        if not batch.coinbase[first] or batch.coinbase[first + 1 : last].any():
            raise BadBlock(f"{ref.place}: block {display(ref.hash)} must begin with its coinbase and have no other")
    if len({row.tobytes() for row in batch.txids[first:last]}) != last - first:
        raise BadBlock(f"{ref.place}: block {display(ref.hash)} has a transaction twice (CVE-2012-2459)")


def _add_live(live: Any, store: ChainStore) -> None:  # noqa: ANN401 - plain or compiled
    """Give the resolver the outputs of a store that nothing has spent."""
    open_outputs = np.flatnonzero(
        (store.column("output_spender") >= store.rows("tx")) & (store.column("output_spender") != UNSPENDABLE)
    ).astype(np.uint64)
    firsts = store.column("tx_first_output")
    for chunk in np.array_split(open_outputs, max(1, len(open_outputs) >> 20)):
        makers = np.searchsorted(firsts, chunk, side="right") - 1
        live.add(np.ascontiguousarray(store.column("tx_txid")[makers]), chunk - firsts[makers], chunk)
