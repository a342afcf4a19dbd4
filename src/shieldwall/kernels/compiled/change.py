"""Which output of each transaction is change by a rule (twin of `plain/change.py`).

A range is gone through in chunks that stay in the cache: each instruction of a program is one pass that marks a byte for
each output of the chunk, and sets are combined as arrays. So an instruction reads only the columns that it needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shieldwall.kernels import change_rules as rules
from shieldwall.kernels.arrays import COINBASE, NONE32, Bytes, Graph
from shieldwall.kernels.change_rules import ChangeContext, Program
from shieldwall.kernels.compiled.change_features import (
    CHUNK,
    given_value,
    input_bounds,
    maker,
    output_bounds,
    row_of,
)
from shieldwall.kernels.compiled.columns import NO_LINK, link

_UNSPENDABLE, _UNKNOWN_BIT = rules.UNSPENDABLE, rules.UNKNOWN_BIT
_COUNTS, _ONE_IN_TWO_OUT = rules.INPUTS_BITS | rules.OUTPUTS_BITS, 1 << 6 | 2 << 4
_MOST_VALUE = 1 << 62


# small parts, which become part of the passes


@njit
def _pays(payer: Any, holder: Any, first: Any, last: Any) -> Any:
    """Whether a holder pays one of the inputs."""
    found = False
    for number in range(first, last):
        if payer[number] == holder:
            found = True
            break
    return found


@njit
def _is_fresh(outside_payer: Any, outside_since: Any, holder: Any, before: Any, end: Any) -> Any:
    """Whether a holder is first seen in a transaction: `before` is the highest earlier one, `end` where its inputs end."""
    fresh = np.int64(holder) > before
    if fresh and len(outside_payer):
        row = row_of(outside_payer, np.int64(holder))
        if row < len(outside_payer) and outside_payer[row] == holder:
            fresh = outside_since[row] >= end
    return fresh


# the passes: `at` is where the outputs of each transaction begin, `into` where its inputs do, `marks` a byte an output


@njit(cache=True, nogil=True)
def _mark_possible(flags: Any, spender: Any, first: Any, into: Any, at: Any, marks: Any) -> None:
    """The outputs that may be change by any rule."""
    for place in range(len(at) - 1):
        if flags[first + place] & COINBASE or into[place] == into[place + 1]:
            continue
        count = 0
        for output in range(at[place], at[place + 1]):
            count += spender[output] != _UNSPENDABLE
        if count > 1:
            for output in range(at[place], at[place + 1]):
                marks[output - at[0]] = spender[output] != _UNSPENDABLE


@njit(cache=True, nogil=True)
def _mark_address_type(payer: Any, holder: Any, kind: Any, into: Any, at: Any, marks: Any) -> None:
    for place in range(len(at) - 1):
        only = np.int64(-1)
        for number in range(into[place], into[place + 1]):
            own = np.int64(-2) if payer[number] == NONE32 else np.int64(kind[payer[number]])
            if only == -1:
                only = own
            if own == -2 or own != only:
                only = np.int64(-2)
                break
        if only >= 0:
            for output in range(at[place], at[place + 1]):
                marks[output - at[0]] = np.int64(kind[holder[output]]) == only


@njit(cache=True, nogil=True)
def _mark_address_reuse(payer: Any, holder: Any, into: Any, at: Any, marks: Any) -> None:
    for place in range(len(at) - 1):
        for output in range(at[place], at[place + 1]):
            marks[output - at[0]] = _pays(payer, holder[output], into[place], into[place + 1])


@njit(cache=True, nogil=True)
def _mark_optimal(
    low: Any, high: Any, value: Any, outside: Any, outside_value: Any, with_fee: Any, into: Any, at: Any, marks: Any
) -> None:
    for place in range(len(at) - 1):
        smallest, total = np.int64(_MOST_VALUE), np.int64(0)
        for number in range(into[place], into[place + 1]):
            spent = np.int64(low[number]) | (np.int64(high[number]) << 32)
            own = np.int64(value[spent]) if spent != NO_LINK else given_value(outside, outside_value, number)
            smallest = min(smallest, own)
            total += own
        if smallest < 0 or into[place] == into[place + 1]:
            continue
        if with_fee:
            for output in range(at[place], at[place + 1]):
                total -= np.int64(value[output])
            smallest -= total
        for output in range(at[place], at[place + 1]):
            marks[output - at[0]] = np.int64(value[output]) < smallest


@njit(cache=True, nogil=True)
def _mark_client_behaviour(
    holder: Any, outside_payer: Any, outside_since: Any, seen: Any, into: Any, at: Any, marks: Any
) -> Any:
    before = np.int64(seen)
    for place in range(len(at) - 1):
        highest = before
        for output in range(at[place], at[place + 1]):
            highest = max(highest, np.int64(holder[output]))
            marks[output - at[0]] = _is_fresh(outside_payer, outside_since, holder[output], before, into[place + 1])
        before = highest
    return before


@njit(cache=True, nogil=True)
def _only_fresh(payer: Any, holder: Any, possible: Any, into: Any, at: Any, marks: Any) -> None:
    """Leave of the fresh outputs those that are alone, where no output goes back and all payers are known."""
    for place in range(len(at) - 1):
        fresh = 0
        for output in range(at[place], at[place + 1]):
            fresh += marks[output - at[0]] & possible[output - at[0]]
        keep = fresh == 1 and not _pays(payer, NONE32, into[place], into[place + 1])
        if keep:
            for output in range(at[place], at[place + 1]):
                if possible[output - at[0]] and _pays(payer, holder[output], into[place], into[place + 1]):
                    keep = False
                    break
        if not keep:
            for output in range(at[place], at[place + 1]):
                marks[output - at[0]] = 0


@njit(cache=True, nogil=True)
def _mark_same_flags(flags: Any, spender: Any, mask: Any, first: Any, at: Any, marks: Any) -> None:
    for place in range(len(at) - 1):
        own = np.int64(flags[first + place])
        for output in range(at[place], at[place + 1]):
            by = np.int64(spender[output])
            marks[output - at[0]] = by >= len(flags) or (np.int64(flags[by]) ^ own) & mask == 0


@njit(cache=True, nogil=True)
def _mark_peeling(graph: Any, places: Any, of: Any, base: Any, into: Any, at: Any, marks: Any) -> None:
    first_output, output_carries = graph.first_output, graph.first_output_carries
    low, high, spender, transactions = graph.link, graph.link_high, graph.spender, len(graph.flags)
    for place in range(len(at) - 1):
        if into[place + 1] - into[place] != 1 or at[place + 1] - at[place] != 2:
            continue
        chain: Any = False
        for output in range(at[place], at[place + 1]):
            by = np.int64(spender[output])
            goes_on = by < transactions and np.int64(of[by - base]) & _COUNTS == _ONE_IN_TWO_OUT
            marks[output - at[0]] = goes_on or by >= transactions
            chain |= goes_on
        spent = link(low, high, into[place])
        if not chain and spent >= 0:
            before = maker(first_output, output_carries, places, spent)
            chain = np.int64(of[before - base]) & _COUNTS == _ONE_IN_TWO_OUT
        if not chain:
            marks[at[place] - at[0]] = 0
            marks[at[place] + 1 - at[0]] = 0


@njit(cache=True, nogil=True)
def _mark_consistent(
    spender: Any, of: Any, base: Any, mask: Any, possible: Any, first: Any, transactions: Any, at: Any, marks: Any
) -> None:
    """Standard transactions with both outputs spent: like the transaction in `mask`, or, where that is 0, equal and known."""
    for place in range(len(at) - 1):
        begin, mark = at[place], at[place] - at[0]
        if at[place + 1] - begin != 2 or not (possible[mark] and possible[mark + 1]):
            continue
        one, other = np.int64(spender[begin]), np.int64(spender[begin + 1])
        if one >= transactions or other >= transactions:
            continue
        own = np.int64(of[first + place - base])
        of_one, of_other = np.int64(of[one - base]), np.int64(of[other - base])
        if mask:
            if not (own | of_one | of_other) & mask & _UNKNOWN_BIT:
                marks[mark] = (own ^ of_one) & mask == 0
                marks[mark + 1] = (own ^ of_other) & mask == 0
        elif min(own, of_one, of_other) >= 0:
            marks[mark] = own == of_one
            marks[mark + 1] = own == of_other


@njit(cache=True, nogil=True)
def _mark_standard(possible: Any, at: Any, marks: Any) -> None:
    for place in range(len(at) - 1):
        mark = at[place] - at[0]
        if at[place + 1] - at[place] == 2 and possible[mark] and possible[mark + 1]:
            marks[mark] = 1
            marks[mark + 1] = 1


@njit(cache=True, nogil=True)
def _only_one(at: Any, marks: Any, found: Any) -> None:
    """The output of each transaction of which exactly one is marked, else -1."""
    for place in range(len(at) - 1):
        count = 0
        last: Any = np.int64(-1)
        for output in range(at[place], at[place + 1]):
            if marks[output - at[0]]:
                count += 1
                last = output
        found[place] = last if count == 1 else -1


class _Chunk:
    """A range of transactions, and the sets of outputs that instructions make of it."""

    def __init__(self, graph: Graph, context: ChangeContext, first: int, last: int) -> None:
        self.graph = graph
        self.context = context
        self.first = first
        self.into = input_bounds(graph, first, last)
        self.at = output_bounds(graph, first, last)
        self.rows = slice(int(self.at[0]), int(self.at[-1]))
        self.possible = np.zeros(self.rows.stop - self.rows.start, np.uint8)
        _mark_possible(graph.flags, graph.spender, first, self.into, self.at, self.possible)
        self.seen: int | None = None  # the highest holder that this chunk's outputs pay, or an earlier one's

    def run(self, program: Program) -> npt.NDArray[np.int64]:
        stack: list[Bytes] = []
        found = np.empty(len(self.at) - 1, np.int64)
        for code, argument in program.tolist():
            if code < rules.AND:
                marks = self._marks(code, argument)
                marks &= self.possible
                stack.append(marks)
            elif code == rules.UNIQUE:
                _only_one(self.at, stack[-1], found)
                marks = np.zeros_like(stack[-1])
                marks[found[found >= 0] - self.rows.start] = 1
                stack[-1] = marks
            else:
                right = stack.pop()
                if code == rules.AND:
                    stack[-1] &= right
                elif code == rules.OR:
                    stack[-1] |= right
                else:
                    stack[-1] &= right ^ np.uint8(1)
        _only_one(self.at, stack.pop(), found)
        return found

    def _marks(self, code: int, argument: int) -> Bytes:
        graph, context, into, at = self.graph, self.context, self.into, self.at
        if code == rules.SPENT:
            spent: Bytes = (graph.spender[self.rows] < len(graph.flags)).view(np.uint8)
            return spent
        if code == rules.POWER_OF_TEN:
            uneven: Bytes = (graph.value[self.rows] % np.uint64(argument) != 0).view(np.uint8)
            return uneven
        marks = np.zeros_like(self.possible)
        match code:
            case rules.STANDARD:
                _mark_standard(self.possible, at, marks)
            case rules.ADDRESS_TYPE:
                _mark_address_type(graph.payer, graph.holder, context.kind, into, at, marks)
            case rules.ADDRESS_REUSE:
                _mark_address_reuse(graph.payer, graph.holder, into, at, marks)
            case rules.OPTIMAL | rules.OPTIMAL_WITH_FEE:
                values = graph.link, graph.link_high, graph.value, graph.outside, graph.outside_value
                _mark_optimal(*values, code == rules.OPTIMAL_WITH_FEE, into, at, marks)
            case rules.CLIENT_BEHAVIOUR | rules.FRESH_ADDRESS:
                outside = context.outside_payer, context.outside_since
                self.seen = _mark_client_behaviour(graph.holder, *outside, context.seen, into, at, marks)
                if code == rules.FRESH_ADDRESS:
                    _only_fresh(graph.payer, graph.holder, self.possible, into, at, marks)
            case rules.PEELING:
                _mark_peeling(graph, context.places, context.fingerprint, context.base, into, at, marks)
            case rules.SAME_FLAGS:
                _mark_same_flags(graph.flags, graph.spender, argument, self.first, at, marks)
            case rules.CONSISTENT | rules.CONSISTENT_FEE:
                of = context.fingerprint if code == rules.CONSISTENT else context.fee
                mask = argument if code == rules.CONSISTENT else 0
                _mark_consistent(
                    graph.spender, of, context.base, mask, self.possible, self.first, len(graph.flags), at, marks
                )
        return marks


def change_outputs(
    graph: Graph, context: ChangeContext, program: Program, first: int, last: int
) -> npt.NDArray[np.int64]:
    """The change output of each transaction of a range by a rule; see the plain twin."""
    rules.stack_depth(program)
    found = np.empty(last - first, np.int64)
    for begin in range(first, last, CHUNK):
        end = min(begin + CHUNK, last)
        chunk = _Chunk(graph, context, begin, end)
        found[begin - first : end - first] = chunk.run(program)
        if chunk.seen is not None:
            context = context._replace(seen=chunk.seen)
    return found
