"""What change rules look at: fees, fingerprints, which transaction made an output (twin of `plain/change_features.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels import change_rules as rules
from shieldwall.kernels.arrays import (
    LOCKED,
    NONE32,
    NONE64,
    REPLACEABLE,
    VERSION_MASK,
    VERSION_SHIFT,
    Counts32,
    Graph,
    Offsets,
)
from shieldwall.kernels.change_rules import FingerprintSource
from shieldwall.kernels.compiled.columns import NO_LINK, link

CHUNK = 1 << 15
"""Transactions that are gone through at a time: what they need stays in the cache."""

_STEP, _MULTISIG_KIND = rules.STEP, rules.MULTISIG_KIND
_LOCKTIME_BIT, _RBF_BIT, _ORDERED_BIT = rules.LOCKTIME_BIT, rules.RBF_BIT, rules.ORDERED_BIT
_ZERO_CONF_BIT, _SEGWIT_BIT, _MULTISIG_BIT = rules.ZERO_CONF_BIT, rules.SEGWIT_BIT, rules.MULTISIG_BIT
_UNKNOWN_BIT, _KINDS_SHIFT = rules.UNKNOWN_BIT, rules.KINDS_SHIFT
NOT_KNOWN = -1  # satoshi


def _bounds(low: Counts32, carries: Offsets, total: int, first: int, last: int) -> Offsets:
    """int64[last - first + 1]: where the rows of each transaction begin, and where those of the last one end."""
    part = low[first : last + 1].astype(np.int64)
    if len(carries):
        part += np.searchsorted(carries, np.arange(first, first + len(part)), side="right") << 32
    return part if last < len(low) else np.append(part, np.int64(total))


def input_bounds(graph: Graph, first: int, last: int) -> Offsets:
    """int64[last - first + 1]: where the inputs of each transaction begin, and where those of the last one end."""
    return _bounds(graph.first_input, graph.first_input_carries, len(graph.payer), first, last)


def output_bounds(graph: Graph, first: int, last: int) -> Offsets:
    """int64[last - first + 1]: likewise for outputs."""
    return _bounds(graph.first_output, graph.first_output_carries, len(graph.value), first, last)


@njit
def row_of(numbers: Any, wanted: Any) -> Any:
    """The first place of an ascending array whose number is not below `wanted`."""
    low, high = np.int64(0), np.int64(len(numbers))
    while low < high:
        middle = (low + high) >> 1
        if np.int64(numbers[middle]) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def given_value(outside: Any, outside_value: Any, number: Any) -> Any:
    """Satoshi of an input from outside; apart from the loops over inputs, so that their reads of values may overlap."""
    given = outside_value[row_of(outside, number)]
    return np.int64(NOT_KNOWN) if given == np.uint64(NONE64) else np.int64(given)


@njit
def start_of(low: Any, carries: Any, row: Any) -> Any:
    """As `columns.ascending`, without an iterator: several times faster where there are no carries."""
    number = np.int64(low[row])
    for place in range(len(carries)):
        if carries[place] > row:
            break
        number += np.int64(1) << np.int64(32)
    return number


@njit
def maker(first_output: Any, carries: Any, places: Any, output: Any) -> Any:
    """The transaction that made an output: from the nearest entry of `places` on."""
    found = np.int64(places[output // _STEP])
    while found + 1 < len(first_output) and start_of(first_output, carries, found + 1) <= output:
        found += 1
    return found


@njit(cache=True, nogil=True)
def _fees(low: Any, high: Any, value: Any, outside: Any, outside_value: Any, into: Any, at: Any, paid: Any) -> None:
    for place in range(len(at) - 1):
        total, known = np.int64(0), into[place] < into[place + 1]
        for number in range(into[place], into[place + 1]):
            spent = np.int64(low[number]) | (np.int64(high[number]) << 32)
            own = np.int64(value[spent]) if spent != NO_LINK else given_value(outside, outside_value, number)
            known &= own >= 0
            total += own
        for output in range(at[place], at[place + 1]):
            total -= np.int64(value[output])
        paid[place] = total if known else np.int64(NOT_KNOWN)


def fees(graph: Graph, first: int, last: int) -> Offsets:
    """int64[last - first]: satoshi that each transaction pays its miner; -1 for a coinbase and where not known."""
    paid = np.empty(last - first, np.int64)
    values = graph.link, graph.link_high, graph.value, graph.outside, graph.outside_value
    for begin in range(first, last, CHUNK):
        end = min(begin + CHUNK, last)
        bounds = input_bounds(graph, begin, end), output_bounds(graph, begin, end)
        _fees(*values, *bounds, paid[begin - first : end - first])
    return paid


@njit(cache=True, nogil=True)
def _output_places(first_output: Any, carries: Any, places: Any) -> None:
    transaction = np.int64(0)
    for place in range(len(places)):
        output = np.int64(place) * _STEP
        while transaction + 1 < len(first_output) and start_of(first_output, carries, transaction + 1) <= output:
            transaction += 1
        places[place] = transaction


def output_places(graph: Graph) -> Counts32:
    """uint32[o / STEP, rounded up]: the transaction that made every 64th output, from 0 on."""
    places = np.empty((len(graph.value) + _STEP - 1) // _STEP, np.uint32)
    _output_places(graph.first_output, graph.first_output_carries, places)
    return places


@njit
def _compare_rows(one: Any, row: Any, other: Any, next_row: Any) -> Any:
    """-1, 0 or 1: two txids as they are displayed, the last byte first."""
    compared = 0
    for place in range(31, -1, -1):
        mine, its = one[row, place], other[next_row, place]
        if mine != its:
            compared = 1 if mine > its else -1
            break
    return compared


@njit(cache=True, nogil=True)
def _mark_ordered_inputs(graph: Any, source: Any, into: Any, marks: Any) -> None:
    """Leave those marks of which the inputs are in order: by the txid that they spend as displayed, then index."""
    first_output, carries, places, outside = (
        graph.first_output,
        graph.first_output_carries,
        source.places,
        graph.outside,
    )
    low, high, txid, outside_txid, outside_index = (
        graph.link,
        graph.link_high,
        source.txid,
        source.outside_txid,
        source.outside_index,
    )
    for transaction in range(len(into) - 1):
        if not marks[transaction] or into[transaction + 1] - into[transaction] < 2:
            continue
        row, index, is_outside = np.int64(0), np.int64(0), False
        for number in range(into[transaction], into[transaction + 1]):
            spent = link(low, high, number)
            next_outside = spent < 0
            if next_outside:
                next_row = row_of(outside, number)
                next_index = np.int64(outside_index[next_row])
            else:
                next_row = maker(first_output, carries, places, spent)
                next_index = spent - start_of(first_output, carries, next_row)
            if number > into[transaction]:
                if is_outside and next_outside:
                    compared = _compare_rows(outside_txid, row, outside_txid, next_row)
                elif is_outside:
                    compared = _compare_rows(outside_txid, row, txid, next_row)
                elif next_outside:
                    compared = _compare_rows(txid, row, outside_txid, next_row)
                else:
                    compared = 0 if row == next_row else _compare_rows(txid, row, txid, next_row)
                if compared > 0 or (compared == 0 and index > next_index):
                    marks[transaction] = 0
                    break
            row, index, is_outside = next_row, next_index, next_outside


@njit
def _script_part(source: Any, holder: Any) -> Any:
    """(kind, first byte of the payload, its size, bytes before it, bytes of the whole script)."""
    end = start_of(source.payload_end, source.payload_carries, holder)
    first = start_of(source.payload_end, source.payload_carries, holder - 1) if holder else np.int64(0)
    kind, size = np.int64(source.kind[holder]), end - first
    before, behind = np.int64(0), np.int64(0)
    if kind == 1:
        before, behind = np.int64(1), np.int64(1)
    elif kind == 2:
        before, behind = np.int64(3), np.int64(2)
    elif kind == 3:
        before, behind = np.int64(2), np.int64(1)
    elif 5 <= kind <= 7:
        before = np.int64(2)
    return kind, first, size, before, before + size + behind


@njit
def _script_byte(source: Any, part: Any, place: Any) -> Any:
    kind, first, size, before, _ = part
    if before <= place < before + size:
        return np.int64(source.payload[first + place - before])
    if place >= before + size:
        if kind == 1:
            return np.int64(0xAC)
        if kind == 3:
            return np.int64(0x87)
        return np.int64(0x88) if place == before + size else np.int64(0xAC)
    if kind == 1:
        return size
    if kind == 2:
        return np.int64(0x76) if place == 0 else np.int64(0xA9) if place == 1 else np.int64(0x14)
    if kind == 3:
        return np.int64(0xA9) if place == 0 else np.int64(0x14)
    if kind == 7:
        return np.int64(0x51) if place == 0 else np.int64(0x20)
    return np.int64(0) if place == 0 else np.int64(0x14) if kind == 5 else np.int64(0x20)


@njit
def _script_above(source: Any, one: Any, other: Any) -> Any:
    """Whether the script of a holder is above that of another."""
    part, compared = _script_part(source, one), _script_part(source, other)
    for place in range(min(part[4], compared[4])):
        mine, its = _script_byte(source, part, place), _script_byte(source, compared, place)
        if mine != its:
            return mine > its
    return part[4] > compared[4]


@njit(cache=True, nogil=True)
def _mark_ordered_outputs(graph: Any, source: Any, at: Any, marks: Any) -> None:
    """Mark the transactions whose outputs are in order: by amount, then script."""
    value, holder = graph.value, graph.holder
    for place in range(len(at) - 1):
        ordered = True
        for output in range(at[place], at[place + 1] - 1):
            if value[output] > value[output + 1]:
                ordered = False
                break
            if value[output] == value[output + 1] and holder[output] != holder[output + 1]:
                ordered = not _script_above(source, np.int64(holder[output]), np.int64(holder[output + 1]))
                if not ordered:
                    break
        marks[place] = ordered


@njit(cache=True, nogil=True)
def _fingerprints(
    flags: Any, low: Any, high: Any, payer: Any, kind: Any, block_first_tx: Any, block_first_output: Any, into: Any, at: Any,
    ordered: Any, first: Any, found: Any,
) -> None:  # fmt: skip
    """`block_first_tx` and `block_first_output` are of the block of the first transaction, and of those after it."""
    block = 0
    for place in range(len(at) - 1):
        while block + 1 < len(block_first_tx) and first + place >= block_first_tx[block + 1]:
            block += 1
        of = np.int64(flags[first + place])
        bits = (of >> VERSION_SHIFT) & VERSION_MASK
        bits |= min(at[place + 1] - at[place], np.int64(3)) << 4 | min(into[place + 1] - into[place], np.int64(3)) << 6
        if of & LOCKED:
            bits |= _LOCKTIME_BIT
        if of & REPLACEABLE:
            bits |= _RBF_BIT
        for number in range(into[place], into[place + 1]):
            if payer[number] == NONE32:
                bits |= _UNKNOWN_BIT
            else:
                own = np.int64(kind[payer[number]])
                bits |= np.int64(1) << (_KINDS_SHIFT + own)
                if own == _MULTISIG_KIND:
                    bits |= _MULTISIG_BIT
                elif 5 <= own <= 8:
                    bits |= _SEGWIT_BIT
            if link(low, high, number) >= block_first_output[block]:
                bits |= _ZERO_CONF_BIT
        if ordered[place]:
            bits |= _ORDERED_BIT
        found[place] = bits


def fingerprints(graph: Graph, source: FingerprintSource, wanted: int, first: int, last: int) -> Counts32:
    """The fingerprint of each transaction of a range; see the plain twin."""
    found = np.empty(last - first, np.uint32)
    starts = source.block_first_tx
    for begin in range(first, last, CHUNK):
        end = min(begin + CHUNK, last)
        into, at = input_bounds(graph, begin, end), output_bounds(graph, begin, end)
        ordered = np.zeros(end - begin, np.uint8)
        if wanted & _ORDERED_BIT:
            _mark_ordered_outputs(graph, source, at, ordered)
            _mark_ordered_inputs(graph, source, into, ordered)
        one, other = np.searchsorted(starts, begin, side="right") - 1, np.searchsorted(starts, end, side="left")
        blocks = starts[one:other].astype(np.int64)
        carried = np.searchsorted(graph.first_output_carries, blocks, side="right") << 32
        of_blocks = graph.first_output[blocks].astype(np.int64) + carried
        _fingerprints(
            graph.flags, graph.link, graph.link_high, graph.payer, source.kind, blocks, of_blocks, into, at, ordered, begin,
            found[begin - first : end - first],
        )  # fmt: skip
    return found
