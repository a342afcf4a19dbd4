"""Which output of each transaction is change by a rule: sets of output numbers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from shieldwall.kernels import change_rules as rules
from shieldwall.kernels.arrays import COINBASE, NONE32, Graph
from shieldwall.kernels.change_rules import ChangeContext, Program
from shieldwall.kernels.plain.change_features import Rows


@dataclass
class _Case:
    """One transaction that may have change."""

    rows: Rows
    context: ChangeContext
    transaction: int
    seen: int  # highest holder that an output of an earlier transaction pays

    @cached_property
    def candidates(self) -> list[int]:
        """Outputs that can be spent; no other is ever change."""
        spender = self.rows.graph.spender
        return [number for number in self.rows.outputs(self.transaction) if spender[number] != rules.UNSPENDABLE]

    @cached_property
    def payers(self) -> list[int]:
        return self.rows.payers(self.transaction)

    @property
    def standard(self) -> bool:
        return len(self.candidates) == len(self.rows.outputs(self.transaction)) == 2

    def spender(self, output: int) -> int | None:
        number = int(self.rows.graph.spender[output])
        return number if number < self.rows.transactions else None

    def answer(self, code: int, argument: int) -> set[int]:
        """The set of outputs that an instruction puts on the stack."""
        graph = self.rows.graph
        match code:
            case rules.STANDARD:
                return set(self.candidates) if self.standard else set()
            case rules.SPENT:
                return {output for output in self.candidates if self.spender(output) is not None}
            case rules.ADDRESS_TYPE:
                return self._address_type()
            case rules.ADDRESS_REUSE:
                return {output for output in self.candidates if graph.holder[output] in self.payers}
            case rules.OPTIMAL | rules.OPTIMAL_WITH_FEE:
                return self._optimal(with_fee=code == rules.OPTIMAL_WITH_FEE)
            case rules.CLIENT_BEHAVIOUR:
                return set(filter(self._fresh, self.candidates))
            case rules.FRESH_ADDRESS:
                return self._fresh_address()
            case rules.PEELING:
                return self._peeling()
            case rules.POWER_OF_TEN:
                return {output for output in self.candidates if int(graph.value[output]) % argument}
            case rules.SAME_FLAGS:
                own = int(graph.flags[self.transaction])
                like: dict[int | None, bool] = {
                    spender: not (int(graph.flags[spender]) ^ own) & argument for spender in self._spenders()
                }
                return {output for output in self.candidates if like.get(self.spender(output), True)}
            case rules.CONSISTENT | rules.CONSISTENT_FEE:
                return self._consistent(code, argument)
            case _:
                return set()

    def _spenders(self) -> list[int]:
        return [spender for output in self.candidates if (spender := self.spender(output)) is not None]

    def _address_type(self) -> set[int]:
        if NONE32 in self.payers:
            return set()
        kinds = {int(self.context.kind[payer]) for payer in self.payers}
        holder = self.rows.graph.holder
        return {output for output in self.candidates if {int(self.context.kind[holder[output]])} == kinds}

    def _optimal(self, *, with_fee: bool) -> set[int]:
        values = [self.rows.value_in(number) for number in self.rows.inputs(self.transaction)]
        if None in values:
            return set()
        fee = (self.rows.fee(self.transaction) or 0) if with_fee else 0
        smallest = min(value or 0 for value in values)
        return {output for output in self.candidates if int(self.rows.graph.value[output]) + fee < smallest}

    def _fresh(self, output: int) -> bool:
        holder = int(self.rows.graph.holder[output])
        if holder <= self.seen:
            return False
        row = bisect_left(self.context.outside_payer, holder)
        known = row < len(self.context.outside_payer) and int(self.context.outside_payer[row]) == holder
        return not (known and int(self.context.outside_since[row]) < self.rows.inputs(self.transaction).stop)

    def _fresh_address(self) -> set[int]:
        holder = self.rows.graph.holder
        if NONE32 in self.payers or any(holder[output] in self.payers for output in self.candidates):
            return set()
        fresh = set(filter(self._fresh, self.candidates))
        return fresh if len(fresh) == 1 else set()

    def _peeling(self) -> set[int]:
        if not self.rows.one_in_two_out(self.transaction):
            return set()
        link = self.rows.link(self.rows.inputs(self.transaction).start)
        before = link is not None and self.rows.one_in_two_out(self.rows.maker(link))
        goes_on: dict[int | None, bool] = {spender: self.rows.one_in_two_out(spender) for spender in self._spenders()}
        if not before and not any(goes_on.values()):
            return set()
        return {output for output in self.candidates if goes_on.get(self.spender(output), True)}

    def _consistent(self, code: int, mask: int) -> set[int]:
        spenders = self._spenders()
        if not self.standard or len(spenders) != 2:
            return set()
        of = self.context.fee if code == rules.CONSISTENT_FEE else self.context.fingerprint
        own, *others = (int(of[number - self.context.base]) for number in (self.transaction, *spenders))
        if code == rules.CONSISTENT_FEE:
            unknown = min(own, *others) < 0
            like = [other == own for other in others]
        else:
            unknown = bool((own | others[0] | others[1]) & mask & rules.UNKNOWN_BIT)
            like = [not (other ^ own) & mask for other in others]
        return set() if unknown else {output for output, fits in zip(self.candidates, like, strict=True) if fits}


def change_outputs(
    graph: Graph, context: ChangeContext, program: Program, first: int, last: int
) -> npt.NDArray[np.int64]:
    """The change output of each transaction of a range by a rule.

    A coinbase has none, and no transaction of fewer than two outputs that can be spent. Fresh holders follow from their
    numbers: holders are numbered as outputs pay them, so that one is new in a transaction when its number is above all
    that earlier outputs pay; payers from outside, who are numbered out of that order, are looked up.

    Args:
        graph: The chain, n transactions.
        context: What else the program needs; `seen` as of `first`.
        program: int64[k, 2], as in `change_rules`.
        first: First transaction of the range.
        last: One past its last.

    Returns:
        int64[last - first], the number of the output where the program leaves exactly one, else -1.

    Raises:
        ValueError: The program takes a set that is not there, or does not leave one.
    """
    rules.stack_depth(program)
    rows = Rows(graph)
    seen = context.seen
    found = np.full(last - first, -1, np.int64)
    for transaction in range(first, last):
        case = _Case(rows, context, transaction, seen)
        numbers = rows.outputs(transaction)
        seen = max(seen, *graph.holder[numbers.start : numbers.stop].tolist(), -1)
        if graph.flags[transaction] & COINBASE or not rows.inputs(transaction) or len(case.candidates) < 2:
            continue
        answer = _run(case, program)
        if len(answer) == 1:
            found[transaction - first] = answer.pop()
    return found


def _run(case: _Case, program: Program) -> set[int]:
    stack: list[set[int]] = []
    for code, argument in program.tolist():
        if code < rules.AND:
            stack.append(case.answer(code, argument))
        elif code == rules.UNIQUE:
            if len(stack[-1]) != 1:
                stack[-1] = set()
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(left & right if code == rules.AND else left | right if code == rules.OR else left - right)
    return stack.pop()
