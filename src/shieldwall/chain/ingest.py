"""From raw blocks to rows: decode, prove, number the holders, resolve the inputs, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.batch import Batch
from shieldwall.chain.columns import (
    GIVEN,
    HEADER,
    KEPT_FLAGS,
    NO_HEIGHT,
    NO_OUTPUT,
    NO_TRANSACTION,
    NO_VALUE,
    UNSPENDABLE,
    WHOLE,
)
from shieldwall.chain.digests import EMPTY, UNKNOWN_KIND, Given, block_digest
from shieldwall.chain.lookup import StoredHolders, StoredOutputs
from shieldwall.chain.mapping import places_of
from shieldwall.chain.previous import Answer, ask_sources
from shieldwall.chain.readers.interface import BlockRef, RawBlock
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock
from shieldwall.kernels.engine import Engine
from shieldwall.model.network import Network
from shieldwall.model.script import MAX_SCRIPT_SIZE, Script, ScriptKind, classify
from shieldwall.model.transaction import display

Rows = dict[str, npt.NDArray[Any]]

_CHUNK = 1 << 20  # outputs looked at together


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
        keep_raw: Keep the transactions' bytes in the store; else remember where they stand in a source that has them as
            they are, and of others (a table's rows) nowhere.
        helpers: For a block's hash, further references that may know what its inputs spend.
        look_up: Ask the store's indexes for holders and outputs, instead of loading them all (`lookup`).
        expected: New holders that are likely to come; memory is laid out for them.

    Attributes:
        unresolved: Inputs so far of which nobody says what they spend.
    """

    writer: ChainWriter
    engine: Engine
    network: Network
    keep_raw: bool
    helpers: Mapping[bytes, Sequence[BlockRef]] = field(default_factory=dict)
    look_up: bool = False
    expected: int = 0
    unresolved: int = 0
    _digest: bytes = EMPTY
    _complete: bool = True  # every block from the genesis block on is here, whole
    _committed: ChainStore = field(init=False)
    _interner: Any = None
    _live: Any = None

    def __post_init__(self) -> None:
        self._committed = self.writer.snapshot()
        store = self._committed
        if self.look_up:
            self._interner, self._live = StoredHolders(store), StoredOutputs(store)
        else:
            self._interner = self.engine.Interner(
                store.column("holder_kind"), store.column("holder_end")[:], store.column("payload_bytes"), self.expected
            )
            self._live = self.engine.LiveOutputs()
            _add_live(self._live, store)
        if store.rows("block"):
            self._digest = store.column("block_digest")[-1].tobytes()
            self._complete = store.followed_from == 0 and int(store.column("block_height")[0]) == 0

    def write(self, batch: Batch) -> None:
        """Write a batch that `decode_batch` took apart and proved, not yet committed.

        Raises:
            BadBlock: It spends what cannot be spent.
        """
        rows = self.writer.rows
        base_tx, base_output, base_input = rows["tx"], rows["output"], rows["input"]
        known, spenders, burnt = self._resolve(batch, base_output)
        linked = known.spent != NO_OUTPUT
        self._check_complete(batch, linked)
        spender_of_input = np.repeat(
            np.arange(base_tx, base_tx + len(batch.txids), dtype=np.uint32), np.diff(batch.first_input)
        )
        self._link(known.spent[linked], spender_of_input[linked], spenders, base_output)
        spenders[burnt] = UNSPENDABLE
        outside, given = self._outside(batch, known, base_input)
        self._write_holders()
        raw = self._raw_rows(batch)
        self.writer.append(
            {"output_value": batch.decoded.value, "output_holder": known.holders, "output_spender": spenders}
        )
        self.writer.append({"input_output": known.spent, "input_holder": known.input_holders})
        self.writer.append(outside)
        self.writer.append(
            {
                "tx_txid": batch.txids,
                "tx_first_input": batch.first_input[:-1] + base_input,
                "tx_first_output": batch.decoded.first_output[:-1] + base_output,
                "tx_flags": batch.decoded.flags & KEPT_FLAGS,
            }
        )
        inputs_before = outside["outside_input"] - np.uint64(base_input)
        self.writer.append({**self._block_rows(batch, given, inputs_before, base_tx), **raw})

    def _resolve(self, batch: Batch, base: int) -> tuple[_Resolved, npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
        """Who holds each output and what each input spends; also the empty spenders, and which outputs are burnt."""
        decoded = batch.decoded
        burnt = (batch.kinds == ScriptKind.OP_RETURN) | (decoded.script_end - decoded.script_start > MAX_SCRIPT_SIZE)
        holders = self._interner.intern(batch.data, batch.kinds, batch.payload_start, batch.payload_end)
        spent, input_holders, overwritten = self._live.resolve(
            batch.data,
            batch.outpoint,
            batch.first_input,
            decoded.first_output,
            batch.txids,
            (~burnt).view(np.uint8),
            holders,
            base,
        )
        spenders = np.full(len(holders), NO_TRANSACTION, np.uint32)
        if len(overwritten):
            self._check_overwritten(overwritten, batch, base)
            self._link(overwritten, np.full(len(overwritten), UNSPENDABLE, np.uint32), spenders, base)
        return _Resolved(spent, holders, decoded.value, input_holders, base), spenders, burnt

    def _link(
        self,
        outputs: npt.NDArray[np.uint64],
        spender_of: npt.NDArray[np.uint32],
        new: npt.NDArray[np.uint32],
        base: int,
    ) -> None:
        """Set the spenders: in `new` for this batch's outputs, in the store for older ones."""
        fresh = outputs >= base
        new[outputs[fresh] - np.uint64(base)] = spender_of[fresh]
        self.writer.link(outputs[~fresh], spender_of[~fresh])

    def _check_complete(self, batch: Batch, linked: npt.NDArray[np.bool_]) -> None:
        """Where every block since the genesis block is here, an input that spends nothing here spends nothing at all."""
        first = self.writer.rows["block"]
        refs = [block.ref for block in batch.blocks]
        self._complete = self._complete and all(ref.whole and ref.height == first + k for k, ref in enumerate(refs))
        if self._complete and not linked.all():
            number = int(np.argmin(linked))
            tx = int(np.searchsorted(batch.first_input, number, side="right")) - 1
            block = int(np.searchsorted(batch.first_tx, tx, side="right")) - 1
            raise BadBlock(
                f"{refs[block].place}: transaction {display(batch.txids[tx].tobytes())} of block "
                f"{display(refs[block].hash)} spends an output that does not exist, or that is spent already",
                hint="the source is damaged or not of this chain; leave it out",
            )

    def _check_overwritten(self, overwritten: npt.NDArray[np.uint64], batch: Batch, base: int) -> None:
        """Only two coinbases of the main chain were ever overwritten while unspent (BIP 30)."""
        may = {height for height, _ in self.network.overwritten}
        for output in overwritten.tolist():
            if output >= base:
                tx = int(np.searchsorted(batch.decoded.first_output, output - base, side="right")) - 1
                block = int(np.searchsorted(batch.first_tx, tx, side="right")) - 1
                height = batch.blocks[block].ref.height
                txid = batch.txids[tx].tobytes()
            else:
                with self.writer.draft() as store:
                    number = store.transaction_of(output)
                    height, txid = store.height_of(number), store.column("tx_txid")[number].tobytes()
            if height not in may:
                raise BadBlock(
                    f"{batch.blocks[0].ref.place}: transaction {display(txid)} of height {height} stands in a later block "
                    "again",
                    hint="one of the sources is damaged or not of this chain; leave it out",
                )

    def _outside(self, batch: Batch, known: _Resolved, base_input: int) -> tuple[Rows, Given]:
        """Rows for the inputs whose previous output is not in the store, and whom that paid, where sources say."""
        missing = np.flatnonzero(known.spent == np.uint64(NO_OUTPUT))
        values = np.full(len(missing), NO_VALUE, np.uint64)
        scripts: dict[int, Script] = {}
        self._ask(batch, known, missing, values, scripts)
        rows_known = sorted(scripts)
        kinds, sizes = np.full(len(missing), UNKNOWN_KIND, np.uint8), np.zeros(len(missing), np.int64)
        kinds[rows_known] = [scripts[row].kind for row in rows_known]
        sizes[rows_known] = [len(scripts[row].payload) for row in rows_known]
        at = batch.outpoint[missing][:, None]
        indexes = np.ascontiguousarray(batch.data[at + np.arange(32, 36)]).reshape(-1, 4)
        given = Given(
            values,
            kinds,
            np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes))),
            np.frombuffer(b"".join(scripts[row].payload for row in rows_known), np.uint8),
        )
        rows: Rows = {
            "outside_input": (missing + base_input).astype(np.uint64),
            "outside_txid": batch.data[at + np.arange(32)].reshape(-1, 32),
            "outside_index": indexes.view(np.uint32).reshape(-1),
            "outside_value": values,
        }
        return rows, given

    def _ask(
        self,
        batch: Batch,
        known: _Resolved,
        missing: npt.NDArray[np.int64],
        values: npt.NDArray[np.uint64],
        scripts: dict[int, Script],
    ) -> None:
        """Previous outputs from the sources, for blocks that need one; what is known already must agree."""
        edges = batch.first_input[batch.first_tx]
        asked = set(np.unique(np.searchsorted(edges, missing, side="right") - 1).tolist())
        # nothing but its source's word holds a block together that is not whole, unless it was asked not to be checked
        asked |= {number for number, block in enumerate(batch.blocks) if not block.ref.whole and block.ref.proven}
        for number in sorted(asked):
            ref = batch.blocks[number].ref
            first, last = int(edges[number]), int(edges[number + 1])
            rows = np.arange(*np.searchsorted(missing, (first, last)))
            answer = ask_sources(batch, number, self.helpers.get(ref.hash, ()))
            if answer is None:
                self.unresolved += len(rows)
                continue
            self._check_known(answer, known, slice(first, last), ref)
            for row in rows.tolist():
                entry = answer[int(missing[row]) - first]
                if entry is not None:
                    if entry.script_known:
                        scripts[row] = classify(entry.script)
                    values[row] = NO_VALUE if entry.value is None else entry.value
            self.unresolved += int(np.count_nonzero(values[rows] == NO_VALUE))
        there = sorted(scripts)
        known.input_holders[missing[there]] = self._number_scripts([scripts[row] for row in there])

    def _check_known(self, answer: Answer, known: _Resolved, inputs: slice, ref: BlockRef) -> None:
        """What the source gives for an input whose creating transaction is in the store must be what that paid."""
        base = known.base_output
        older = self.writer.written("output_value", base)
        spent, holders = known.spent[inputs], known.input_holders[inputs]
        checked = [(place, entry) for place, entry in enumerate(answer) if entry and int(spent[place]) != NO_OUTPUT]
        scripts = iter(
            self._number_scripts([classify(entry.script) for _, entry in checked if entry.script_known]).tolist()
        )
        for place, entry in checked:
            holder = next(scripts) if entry.script_known else None
            output = int(spent[place])
            value = int(known.values[output - base] if output >= base else older[output])
            same_holder = not entry.script_known or holder == int(holders[place])
            if (entry.value is not None and value != entry.value) or not same_holder:
                raise BadBlock(
                    f"{ref.place}: input {place} of block {display(ref.hash)} is said to spend {entry.value} satoshi, "
                    f"and its creating transaction paid {value}" + ("" if same_holder else " to another script"),
                    hint="the source of the spent outputs is damaged or belongs to another block",
                )

    def _number_scripts(self, scripts: Sequence[Script]) -> npt.NDArray[np.uint32]:
        sizes = np.array([len(script.payload) for script in scripts], np.int64)
        ends = np.cumsum(sizes)
        kinds = np.array([script.kind for script in scripts], np.uint8)
        payload = np.frombuffer(b"".join(script.payload for script in scripts), np.uint8)
        numbers: npt.NDArray[np.uint32] = self._interner.intern(payload, kinds, ends - sizes, ends)
        return numbers

    def _write_holders(self) -> None:
        """Append new holders."""
        kinds, sizes, payload = self._interner.take_new()
        ends = np.cumsum(sizes) + self.writer.rows["payload"]
        self.writer.append({"holder_kind": kinds, "holder_end": ends})
        self.writer.append({"payload_bytes": payload})

    def _raw_rows(self, batch: Batch) -> Rows:
        """Where each block's bytes are: in the store, or in the source file that holds them as they are."""
        # single transactions are gathered from many answers, and must be at hand when more of their block comes
        apart = np.array([block.file is None for block in batch.blocks])  # no file holds them as they are
        loose = np.array([not block.ref.whole and block.ref.proven for block in batch.blocks])
        kept = (apart & loose) | self.keep_raw
        there = kept | ~apart
        sizes = batch.block_end - batch.block_start
        own = np.where(kept, sizes, 0)
        places = self.writer.rows["raw"] + np.cumsum(own) - own
        for number in np.flatnonzero(kept).tolist():
            self.writer.append({"raw_bytes": batch.data[int(batch.block_start[number]) : int(batch.block_end[number])]})
        files = [
            0 if inside or block.file is None else self.writer.file_number(block.file)
            for inside, block in zip(kept.tolist(), batch.blocks, strict=True)
        ]
        return {
            "block_raw_file": np.array(files, np.uint16),
            "block_raw_offset": np.where(kept, places, [block.offset for block in batch.blocks]),
            "block_raw_length": np.where(there, sizes, 0),
        }

    def _block_rows(self, batch: Batch, given: Given, inputs: npt.NDArray[np.uint64], base_tx: int) -> Rows:
        refs = [block.ref for block in batch.blocks]
        cuts = np.searchsorted(inputs, batch.first_input[batch.first_tx].astype(np.uint64)).tolist()
        digests = []
        for number, ref in enumerate(refs):
            first, last = int(batch.first_tx[number]), int(batch.first_tx[number + 1])
            self._digest = block_digest(
                self._digest,
                ref.header or ref.hash,
                height=ref.height,
                time=ref.time,
                whole=ref.whole,
                txids=batch.txids[first:last],
                given=given.part(cuts[number], cuts[number + 1]),
            )
            digests.append(self._digest)
        return {
            "block_header": np.frombuffer(b"".join(ref.header or bytes(80) for ref in refs), np.uint8),
            "block_hash": np.frombuffer(b"".join(ref.hash for ref in refs), np.uint8),
            "block_height": np.array([NO_HEIGHT if ref.height is None else ref.height for ref in refs], np.uint32),
            "block_time": np.array([ref.time for ref in refs], np.uint32),
            "block_flags": np.array([_flags(block) for block in batch.blocks], np.uint8),
            "block_first_tx": (batch.first_tx[:-1] + base_tx).astype(np.uint32),
            "block_digest": np.frombuffer(b"".join(digests), np.uint8),
        }


def _flags(block: RawBlock) -> int:
    ref = block.ref
    return WHOLE * ref.whole | HEADER * (ref.header is not None) | GIVEN * (block.txids is not None)


def _add_live(live: Any, store: ChainStore) -> None:  # noqa: ANN401 - plain or compiled
    """Give the resolver the outputs of a store that nothing has spent."""
    firsts, txids = store.column("tx_first_output"), store.column("tx_txid")
    spenders, holders = store.column("output_spender"), store.column("output_holder")
    for begin in range(0, len(spenders), _CHUNK):
        part = spenders[begin : begin + _CHUNK]
        open_outputs = (np.flatnonzero((part >= store.rows("tx")) & (part != UNSPENDABLE)) + begin).astype(np.uint64)
        makers = places_of(firsts, open_outputs, "right") - 1
        live.add(
            np.ascontiguousarray(txids[makers]), open_outputs - firsts[makers], open_outputs, holders[open_outputs]
        )
