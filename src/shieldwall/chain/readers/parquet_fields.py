"""Rows of transactions in Parquet as the kernels take them, and what they say of the outputs that they spend.

The form is that of Bitcoin's public files; amounts are held to Bitcoin's limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shieldwall.chain.readers.interface import Previous
from shieldwall.chain.readers.parquet_rows import RowBatch
from shieldwall.chain.readers.parquet_schema import NullFound, doubles, integers, reading, structs, texts
from shieldwall.chain.readers.rebuilt import previous_of
from shieldwall.errors import BadInput
from shieldwall.kernels.arrays import Bytes, Offsets
from shieldwall.kernels.engine import Engine
from shieldwall.kernels.plain.serialising import (
    BAD_INPUT_SCRIPT,
    BAD_LOCK_TIME,
    BAD_OUTPUT_SCRIPT,
    BAD_SEQUENCE,
    BAD_SPENT_HASH,
    BAD_SPENT_INDEX,
    BAD_VALUE,
    BAD_VERSION,
    NO_OUTPUTS,
    Fields,
    SerialiseFault,
    Text,
    to_satoshi,
)
from shieldwall.model.network import Network
from shieldwall.model.transaction import TXID, internal

_FAULTS = {
    BAD_VERSION: ("version", "a whole number of 32 bits"),
    BAD_LOCK_TIME: ("lock_time", "a whole number of 32 bits"),
    BAD_SPENT_HASH: ("inputs.spent_transaction_hash", "64 hex digits"),
    BAD_SPENT_INDEX: ("inputs.spent_output_index", "a whole number of 32 bits"),
    BAD_INPUT_SCRIPT: ("inputs.script_hex", "hex"),
    BAD_SEQUENCE: ("inputs.sequence", "a whole number of 32 bits"),
    NO_OUTPUTS: ("outputs", "at least one output"),
    BAD_VALUE: ("outputs.value", "bitcoins that are a whole number of satoshi, up to 21 million"),
    BAD_OUTPUT_SCRIPT: ("outputs.script_hex", "hex"),
}

_HASH_DIGITS = 64
_NO_DIGIT = 0x10
_VALUE = np.full(256, _NO_DIGIT, np.uint8)  # of each character as a hexadecimal digit
_VALUE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_VALUE[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


@dataclass(frozen=True, slots=True)
class Piece:
    """Transactions of a batch, rebuilt.

    Attributes:
        batch: Where they stand.
        data: uint8, one after the other.
        edges: int64[n + 1], where each begins; the last is the end.
        coinbase: bool[n].
        names: The column `hash`.
    """

    batch: RowBatch
    data: memoryview
    edges: Offsets
    coinbase: Any
    names: Text

    def run(self, first: int, last: int) -> bytes:
        """The transactions of rows `first` up to `last`."""
        return bytes(self.data[int(self.edges[first]) : int(self.edges[last])])

    def named(self, first: int, last: int) -> Bytes:
        """uint8[last - first, 32]: the hashes that the file names, internal byte order.

        Raises:
            BadInput: One is none.
        """
        offsets = self.names.offset[first : last + 1].astype(np.int64)
        if (np.diff(offsets) == _HASH_DIGITS).all():
            digits = _VALUE[self.names.data[int(offsets[0]) : int(offsets[-1])]].reshape(-1, _HASH_DIGITS)
            if (digits < _NO_DIGIT).all():
                return np.ascontiguousarray((digits[:, ::2] << 4 | digits[:, 1::2])[:, ::-1])
        names = b"".join(self.name(row) for row in range(first, last))  # one of them is none, and will be named
        return np.frombuffer(names, np.uint8).reshape(-1, 32)

    def name(self, row: int) -> bytes:
        """A row's hash as the file names it, internal byte order.

        Raises:
            BadInput: It is none.
        """
        names = self.names
        text = names.data[int(names.offset[row]) : int(names.offset[row + 1])].tobytes().decode("ascii", "replace")
        if not TXID.fullmatch(text):
            raise BadInput(f"{self.batch.place(row, 'hash')}: expected 64 hex digits, found {text[:80]!r}")
        return internal(text)


def decode_fields(batch: RowBatch, engine: Engine, coinbase_script: Callable[[int], bytes]) -> Piece:
    """Rebuild the transactions of a batch.

    Args:
        batch: The rows.
        engine: Kernels.
        coinbase_script: The input script for a row that is a coinbase.

    Raises:
        BadInput: A null, or a value that no transaction can have; file, row, column and value are named.
    """
    at = _Columns(batch)
    inputs, first_input = at.list_of("inputs")
    outputs, first_output = at.list_of("outputs")
    at.in_order("inputs", inputs, first_input)
    at.in_order("outputs", outputs, first_output)
    coinbase = first_input[1:] == first_input[:-1]
    scripts = [coinbase_script(row) for row in np.flatnonzero(coinbase).tolist()]
    wrong = np.flatnonzero(coinbase & (batch.indexes() != 0))
    if len(wrong):
        raise BadInput(
            f"{batch.place(int(wrong[0]), 'inputs')}: none, in a transaction that is not the first of its block"
        )
    fields = Fields(
        version=at.plain("version", integers),
        lock_time=at.plain("lock_time", integers),
        first_input=first_input,
        first_output=first_output,
        spent_hash=at.key("inputs", inputs, first_input, "spent_transaction_hash", texts),
        spent_index=at.key("inputs", inputs, first_input, "spent_output_index", integers),
        input_script=at.key("inputs", inputs, first_input, "script_hex", texts),
        sequence=at.key("inputs", inputs, first_input, "sequence", integers),
        value=at.key("outputs", outputs, first_output, "value", doubles),
        output_script=at.key("outputs", outputs, first_output, "script_hex", texts),
        coinbase_script=Text(
            np.frombuffer(b"".join(scripts), np.uint8), np.cumsum([0, *map(len, scripts)], dtype=np.int64)
        ),
    )
    try:
        data, edges = engine.serialise(fields)
    except SerialiseFault as fault:
        raise _bad_entry(batch, fields, fault) from None
    return Piece(batch, memoryview(data), edges, coinbase, at.plain("hash", texts))


def _bad_entry(batch: RowBatch, fields: Fields, fault: SerialiseFault) -> BadInput:
    column, expected = _FAULTS[fault.code]
    row, item = fault.transaction, fault.item
    if item < 0:
        value = getattr(fields, column)[row] if fault.code != NO_OUTPUTS else "none"
    elif fault.code in (BAD_SPENT_HASH, BAD_INPUT_SCRIPT, BAD_OUTPUT_SCRIPT):
        text = {
            BAD_SPENT_HASH: fields.spent_hash,
            BAD_INPUT_SCRIPT: fields.input_script,
            BAD_OUTPUT_SCRIPT: fields.output_script,
        }[fault.code]
        value = repr(
            text.data[int(text.offset[item]) : int(text.offset[item + 1])].tobytes().decode("utf-8", "replace")
        )
    else:
        value = {BAD_SPENT_INDEX: fields.spent_index, BAD_SEQUENCE: fields.sequence, BAD_VALUE: fields.value}[
            fault.code
        ][item]
    first = fields.first_input if column.startswith("inputs") else fields.first_output
    entry = f"[{item - int(first[row])}]" if item >= 0 else ""
    name = column.replace(".", f"{entry}.", 1) if entry else column
    said = str(value) if len(str(value)) <= 80 else str(value)[:77] + "..."
    return BadInput(f"{batch.place(row, name)}: expected {expected}, found {said}", hint="fetch the file again")


class _Columns:
    """The columns of a batch as plain arrays; a null is named by file, row and column."""

    def __init__(self, batch: RowBatch) -> None:
        self._batch = batch

    def plain(self, name: str, convert: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what `convert` returns
        try:
            with reading(self._batch.place(0, name)):
                return convert(self._batch.columns.column(name))
        except NullFound as null:
            raise BadInput(f"{self._batch.place(null.entry, name)}: null") from None

    def list_of(self, name: str) -> tuple[Any, Offsets]:
        array = self._batch.columns.column(name)
        try:
            return structs(array)
        except NullFound as null:
            firsts = np.cumsum(array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
            raise self._null(name, firsts, null.entry) from None

    def key(self, name: str, values: Any, first: Offsets, key: str, convert: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        try:
            with reading(self._batch.place(0, f"{name}.{key}")):
                return convert(values.field(key))
        except NullFound as null:
            raise self._null(f"{name}.{key}", first[1:], null.entry) from None

    def in_order(self, name: str, values: Any, first: Offsets) -> None:  # noqa: ANN401 - pyarrow.StructArray
        """Entries stand in the order of their `index`, where they have one: an outpoint counts them.

        Raises:
            BadInput: They do not.
        """
        if values.type.get_field_index("index") < 0:
            return
        said = self.key(name, values, first, "index", integers)
        places = np.arange(len(said)) - np.repeat(first[:-1], np.diff(first))
        if not np.array_equal(said, places):
            entry = int(np.argmax(said != places))
            row = int(np.searchsorted(first, entry, side="right")) - 1
            raise BadInput(
                f"{self._batch.place(row, f'{name}.index')}: expected {int(places[entry])}, found {int(said[entry])}"
            )

    def _null(self, name: str, ends: Offsets, entry: int) -> BadInput:
        row = int(np.searchsorted(ends, entry, side="right"))
        return BadInput(f"{self._batch.place(row, name)}: null")


def previous_outputs(batch: RowBatch, first: int, last: int, network: Network) -> list[Previous | None]:
    """What rows `first` up to `last` say of the outputs that their inputs spend, in order.

    Raises:
        BadInput: A value that is no amount.
    """
    inputs, edges = _Columns(batch).list_of("inputs")
    part = inputs.slice(int(edges[first]), int(edges[last] - edges[first]))
    with reading(batch.place(first, "inputs")):
        columns = [part.field(key).to_pylist() for key in ("value", "type", "address")]
    found: list[Previous | None] = []
    for value, kind, address in zip(*columns, strict=True):
        satoshi = None if value is None else to_satoshi(value)
        if value is not None and satoshi is None:
            row = int(np.searchsorted(edges, edges[first] + len(found), side="right")) - 1
            raise BadInput(f"{batch.place(row, 'inputs.value')}: {value} bitcoins are no amount in satoshi")
        found.append(previous_of(satoshi, kind, address, network))
    return found
