"""Write transactions from columns of text and numbers (twin of `plain/serialising.py`): one pass to measure, one to write."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import MAX_MONEY, Bytes, Offsets
from shieldwall.kernels.plain.serialising import (
    BAD_INPUT_SCRIPT,
    BAD_LOCK_TIME,
    BAD_OUTPUT_SCRIPT,
    BAD_SEQUENCE,
    BAD_SPENT_HASH,
    BAD_SPENT_INDEX,
    BAD_VALUE,
    BAD_VERSION,
    COIN,
    NO_OUTPUTS,
    ULP,
    Fields,
    SerialiseFault,
)

_MOST = 0xFFFFFFFF
_LEAST_VERSION = -(1 << 31)
_MOST_VALUE = MAX_MONEY / COIN  # bitcoins


@njit(cache=True, nogil=True)
def _digit(letter: Any) -> Any:
    """What a hex digit stands for: letters of both cases have bit 6, and their low bits count from 1."""
    return np.uint8((letter & np.uint8(0x0F)) + np.uint8(9) * (letter >> np.uint8(6)))


@njit(cache=True, nogil=True)
def _no_digit(letter: Any) -> Any:
    """1 for what is no hex digit."""
    number = np.uint8(letter - np.uint8(0x30)) > np.uint8(9)
    word = np.uint8((letter | np.uint8(0x20)) - np.uint8(0x61)) > np.uint8(5)
    return np.uint8(number & word)


@njit(cache=True, nogil=True)
def _size_width(number: Any) -> Any:
    return 1 if number < 0xFD else 3 if number < 0x10000 else 5 if number < 0x100000000 else 9


@njit(cache=True, nogil=True)
def _put(out: Any, place: Any, number: Any, width: Any) -> Any:
    for k in range(width):
        out[place + k] = np.uint8((number >> (8 * k)) & 0xFF)
    return place + width


@njit(cache=True, nogil=True)
def _put_size(out: Any, place: Any, number: Any) -> Any:
    if number < 0xFD:
        return _put(out, place, number, 1)
    width = 2 if number < 0x10000 else 4 if number < 0x100000000 else 8
    out[place] = 0xFD if width == 2 else 0xFE if width == 4 else 0xFF
    return _put(out, place + 1, number, width)


@njit(cache=True, nogil=True)
def _put_hex(out: Any, place: Any, data: Any, begin: Any, end: Any) -> Any:
    """The next place, negative when the text is no hex. Without a table and branches, so that it runs on vectors."""
    if (end - begin) & 1:
        return -1
    size = (end - begin) // 2
    text, bytes_ = data[begin:end], out[place : place + size]
    bad = np.uint8(0)
    for k in range(size):
        high, low = text[np.uint64(2 * k)], text[np.uint64(2 * k + 1)]
        bad |= _no_digit(high) | _no_digit(low)
        bytes_[k] = np.uint8(_digit(high) << np.uint8(4)) | _digit(low)
    return -1 if bad else place + size


@njit(cache=True, nogil=True)
def _measure(
    first_input: Any, first_output: Any, input_script: Any, output_script: Any, coinbase_script: Any, ends: Any
) -> None:
    """Where each transaction begins, as if every text were hex."""
    place = 0
    coinbases = 0
    for row in range(len(ends) - 1):
        ends[row] = place
        inputs = first_input[row + 1] - first_input[row]
        if inputs == 0:
            size = coinbase_script[coinbases + 1] - coinbase_script[coinbases]
            place += 1 + 40 + _size_width(size) + size
            coinbases += 1
        else:
            place += _size_width(inputs)
        for number in range(first_input[row], first_input[row + 1]):
            size = (input_script[number + 1] - input_script[number]) // 2
            place += 40 + _size_width(size) + size
        place += _size_width(first_output[row + 1] - first_output[row])
        for number in range(first_output[row], first_output[row + 1]):
            size = (output_script[number + 1] - output_script[number]) // 2
            place += 8 + _size_width(size) + size
        place += 8
    ends[-1] = place


@njit(cache=True, nogil=True)
def _write(
    version: Any,
    lock_time: Any,
    first_input: Any,
    first_output: Any,
    spent_data: Any,
    spent_offset: Any,
    spent_index: Any,
    input_data: Any,
    input_offset: Any,
    sequence: Any,
    value: Any,
    output_data: Any,
    output_offset: Any,
    coinbase_data: Any,
    coinbase_offset: Any,
    out: Any,
    fault: Any,
) -> None:
    """Write and check; fault = transaction, entry, code (0: none)."""
    place = 0
    coinbases = 0
    for row in range(len(version)):
        fault[0], fault[1] = row, -1
        if version[row] < _LEAST_VERSION or version[row] > _MOST:
            fault[2] = BAD_VERSION
            return
        if lock_time[row] < 0 or lock_time[row] > _MOST:
            fault[2] = BAD_LOCK_TIME
            return
        inputs = first_input[row + 1] - first_input[row]
        outputs = first_output[row + 1] - first_output[row]
        if outputs == 0:
            fault[2] = NO_OUTPUTS
            return
        place = _put(out, place, version[row], 4)
        if inputs == 0:
            out[place] = 1
            place += 1
            for k in range(36):
                out[place + k] = 0 if k < 32 else 0xFF
            place += 36
            begin, end = coinbase_offset[coinbases], coinbase_offset[coinbases + 1]
            coinbases += 1
            place = _put_size(out, place, end - begin)
            for at in range(begin, end):
                out[place] = coinbase_data[at]
                place += 1
            place = _put(out, place, _MOST, 4)
        else:
            place = _put_size(out, place, inputs)
        for number in range(first_input[row], first_input[row + 1]):
            fault[1] = number
            begin, end = spent_offset[number], spent_offset[number + 1]
            if end - begin != 64 or _put_hex(out, place, spent_data, begin, end) < 0:
                fault[2] = BAD_SPENT_HASH
                return
            for k in range(16):  # people write it backwards
                out[place + k], out[place + 31 - k] = out[place + 31 - k], out[place + k]
            place += 32
            if spent_index[number] < 0 or spent_index[number] > _MOST:
                fault[2] = BAD_SPENT_INDEX
                return
            place = _put(out, place, spent_index[number], 4)
            begin, end = input_offset[number], input_offset[number + 1]
            place = _put_size(out, place, (end - begin) // 2)
            place = _put_hex(out, place, input_data, begin, end)
            if place < 0:
                fault[2] = BAD_INPUT_SCRIPT
                return
            if sequence[number] < 0 or sequence[number] > _MOST:
                fault[2] = BAD_SEQUENCE
                return
            place = _put(out, place, sequence[number], 4)
        place = _put_size(out, place, outputs)
        for number in range(first_output[row], first_output[row + 1]):
            fault[1] = number
            bitcoins = value[number]
            if not 0 <= bitcoins <= _MOST_VALUE:
                fault[2] = BAD_VALUE
                return
            satoshi = np.int64(np.rint(bitcoins * COIN))
            if abs(satoshi / COIN - bitcoins) > bitcoins * ULP:
                fault[2] = BAD_VALUE
                return
            place = _put(out, place, satoshi, 8)
            begin, end = output_offset[number], output_offset[number + 1]
            place = _put_size(out, place, (end - begin) // 2)
            place = _put_hex(out, place, output_data, begin, end)
            if place < 0:
                fault[2] = BAD_OUTPUT_SCRIPT
                return
        place = _put(out, place, lock_time[row], 4)


def serialise(fields: Fields) -> tuple[Bytes, Offsets]:
    """The transactions one after the other, and where each begins; arguments and errors as in the plain twin."""
    ends = np.zeros(len(fields.version) + 1, np.int64)
    _measure(
        fields.first_input,
        fields.first_output,
        fields.input_script.offset,
        fields.output_script.offset,
        fields.coinbase_script.offset,
        ends,
    )
    out = np.empty(int(ends[-1]), np.uint8)
    fault = np.zeros(3, np.int64)
    _write(
        fields.version, fields.lock_time, fields.first_input, fields.first_output,
        fields.spent_hash.data, fields.spent_hash.offset, fields.spent_index,
        fields.input_script.data, fields.input_script.offset, fields.sequence,
        fields.value, fields.output_script.data, fields.output_script.offset,
        fields.coinbase_script.data, fields.coinbase_script.offset, out, fault,
    )  # fmt: skip
    if fault[2]:
        raise SerialiseFault(int(fault[0]), int(fault[1]), int(fault[2]))
    return out, ends
