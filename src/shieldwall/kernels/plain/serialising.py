"""Write transactions from columns of text and numbers (twin of `compiled/serialising.py`): the old form, without witness.

The form is the one that a txid is the hash of (Bitcoin protocol; BIP 141 leaves the witness out of it). Amounts up to 21
million coins: the columns are those of Bitcoin's Parquet files, a form that Litecoin does not have.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shieldwall.kernels.arrays import MAX_MONEY, Bytes, Offsets, raw_view

# what is wrong with a column's entry
BAD_VERSION, BAD_LOCK_TIME, BAD_SPENT_HASH, BAD_SPENT_INDEX, BAD_INPUT_SCRIPT, BAD_SEQUENCE = 1, 2, 3, 4, 5, 6
NO_OUTPUTS, BAD_VALUE, BAD_OUTPUT_SCRIPT = 7, 8, 9

COIN = 100_000_000  # satoshi
ULP = 2.0**-52  # relative distance of neighbouring doubles, at most

_MOST = 0xFFFFFFFF
_LEAST_VERSION = -(1 << 31)
_COINBASE_OUTPOINT = bytes(32) + b"\xff\xff\xff\xff"
_COINBASE_SEQUENCE = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Text:
    """k texts one after the other: uint8 `data`, and int64[k + 1] `offset` of where each begins; the last is the end."""

    data: Bytes
    offset: Offsets


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns of n transactions with i inputs and o outputs; c of them have no input and are coinbases.

    Attributes:
        version: int64[n], -2^31 to 2^32 - 1.
        lock_time: int64[n].
        first_input: int64[n + 1], number of each transaction's first input; the last entry is i.
        first_output: int64[n + 1], likewise for outputs.
        spent_hash: i texts of 64 hex digits, as people write txids.
        spent_index: int64[i].
        input_script: i texts in hex.
        sequence: int64[i].
        value: float64[o], bitcoins.
        output_script: o texts in hex.
        coinbase_script: c texts, as raw bytes.
    """

    version: Offsets
    lock_time: Offsets
    first_input: Offsets
    first_output: Offsets
    spent_hash: Text
    spent_index: Offsets
    input_script: Text
    sequence: Offsets
    value: npt.NDArray[np.float64]
    output_script: Text
    coinbase_script: Text


class SerialiseFault(Exception):
    """An entry that no transaction can have: its transaction, its input or output (-1: neither), and why."""

    def __init__(self, transaction: int, item: int, code: int) -> None:
        super().__init__(f"transaction {transaction}, entry {item}: fault {code}")
        self.transaction = transaction
        self.item = item
        self.code = code


def serialise(fields: Fields) -> tuple[Bytes, Offsets]:
    """The transactions one after the other, and int64[n + 1] where each begins; the last entry is the end.

    A coinbase gets the sequence 0xffffffff.

    Raises:
        SerialiseFault: An entry is out of its range or no hex.
    """
    writer = _Writer(fields)
    parts: list[bytes] = []
    ends = [0]
    for row in range(len(fields.version)):
        part = writer.transaction(row)
        parts.append(part)
        ends.append(ends[-1] + len(part))
    return np.frombuffer(b"".join(parts), np.uint8), np.array(ends, np.int64)


def to_satoshi(bitcoins: float) -> int | None:
    """Whole satoshi of an amount that was written as a double, None when it is none that can be.

    It is one when it is the double next to a whole number of satoshi, or a neighbour of that double; up to 21 million
    coins no two amounts share such a double, so that nothing is guessed.
    """
    if not 0 <= bitcoins <= MAX_MONEY / COIN:  # also refuses what is no number
        return None
    satoshi = round(bitcoins * COIN)
    return satoshi if abs(satoshi / COIN - bitcoins) <= bitcoins * ULP else None


class _Writer:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._first_input = fields.first_input.tolist()
        self._first_output = fields.first_output.tolist()
        self._coinbases = 0

    def transaction(self, row: int) -> bytes:
        fields = self._fields
        version, lock_time = int(fields.version[row]), int(fields.lock_time[row])
        if not _LEAST_VERSION <= version <= _MOST:
            raise SerialiseFault(row, -1, BAD_VERSION)
        if not 0 <= lock_time <= _MOST:
            raise SerialiseFault(row, -1, BAD_LOCK_TIME)
        inputs = range(self._first_input[row], self._first_input[row + 1])
        outputs = range(self._first_output[row], self._first_output[row + 1])
        if not outputs:
            raise SerialiseFault(row, -1, NO_OUTPUTS)
        parts = [(version & _MOST).to_bytes(4, "little")]
        if inputs:
            parts += [_compact_size(len(inputs)), *(self._input(row, number) for number in inputs)]
        else:
            script = _slice(fields.coinbase_script, self._coinbases)
            self._coinbases += 1
            parts += [b"\x01", _COINBASE_OUTPOINT, _compact_size(len(script)), script, _COINBASE_SEQUENCE]
        parts += [_compact_size(len(outputs)), *(self._output(row, number) for number in outputs)]
        return b"".join(parts) + lock_time.to_bytes(4, "little")

    def _input(self, row: int, number: int) -> bytes:
        fields = self._fields
        spent = _unhex(_slice(fields.spent_hash, number))
        if spent is None or len(spent) != 32:
            raise SerialiseFault(row, number, BAD_SPENT_HASH)
        index, sequence = int(fields.spent_index[number]), int(fields.sequence[number])
        if not 0 <= index <= _MOST:
            raise SerialiseFault(row, number, BAD_SPENT_INDEX)
        script = _unhex(_slice(fields.input_script, number))
        if script is None:
            raise SerialiseFault(row, number, BAD_INPUT_SCRIPT)
        if not 0 <= sequence <= _MOST:
            raise SerialiseFault(row, number, BAD_SEQUENCE)
        size = _compact_size(len(script))
        return spent[::-1] + index.to_bytes(4, "little") + size + script + sequence.to_bytes(4, "little")

    def _output(self, row: int, number: int) -> bytes:
        satoshi = to_satoshi(float(self._fields.value[number]))
        if satoshi is None:
            raise SerialiseFault(row, number, BAD_VALUE)
        script = _unhex(_slice(self._fields.output_script, number))
        if script is None:
            raise SerialiseFault(row, number, BAD_OUTPUT_SCRIPT)
        return satoshi.to_bytes(8, "little") + _compact_size(len(script)) + script


def _slice(text: Text, number: int) -> bytes:
    return bytes(raw_view(text.data)[int(text.offset[number]) : int(text.offset[number + 1])])


def _unhex(text: bytes) -> bytes | None:
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return None


def _compact_size(number: int) -> bytes:
    if number < 0xFD:
        return bytes([number])
    mark, size = (0xFD, 2) if number < 1 << 16 else (0xFE, 4) if number < 1 << 32 else (0xFF, 8)
    return bytes([mark]) + number.to_bytes(size, "little")
