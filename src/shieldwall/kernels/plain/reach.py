"""What lies within some hops of a holder: which tagged holders its money went to, or came from, and how much of it.

Forward, one hop is one transaction. The transactions that are reached are found level by level, so that each has its least
number of hops; then the money is divided over them in the order of the chain, by haircut, in whole satoshi, with the rule of
`taint.shares`. It ends at a tagged holder whose code ends it, at a CoinJoin, at the last hop, where nothing spends it, and where
the budget is used up: everything is in exactly one sum, so that all sums together are what was begun with.

Backward is the same against the chain, and a transaction's money is divided over its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from shieldwall.kernels.arrays import (
    NO_COINJOIN,
    NONE32,
    NONE64,
    WHIRLPOOL_TX0,
    Bytes,
    Counts32,
    Graph,
    Numbers,
    Offsets,
)
from shieldwall.kernels.plain.coinjoins import coinjoin_kinds
from shieldwall.kernels.plain.taint import rows_of, shares

HELD, BURNT, OUTSIDE, UNKNOWN, RETURNED, COINJOINED, FEES, MINED, BEYOND, CUT, CUT_TRANSACTIONS, TOUCHED = range(12)
SUMS = 12
MONEY = CUT + 1
"""The first so many sums are satoshi: held, never to be spent, through a transaction outside the store, not known, back to the
holder itself, into (or out of) CoinJoins, to miners, mined, beyond the last hop, cut off. Then two counts: transactions that
were found and not looked into, and those that were.
"""

UNSPENDABLE32 = 0xFFFFFFFE  # as a store marks an output that nobody can ever spend
STATED_UNSPENT, STATED_OUTSIDE, STATED_UNKNOWN = 0, 1, 2
_NO_LINK = (1 << 40) - 1


class Tagged(NamedTuple):
    """Tagged holders and the code of each.

    Attributes:
        holder: uint32[k], ascending and distinct.
        code: uint8[k], from 1.
        first: int64[b + 1], first place of those whose number shifted right by `shift` is b.
        shift: Bits.
        ends: uint8[c + 1], by code: 1 where money that comes there is not followed further.
    """

    holder: Counts32
    code: Bytes
    first: Offsets
    shift: int
    ends: Bytes


class Surroundings(NamedTuple):
    """What a walk asks beside the graph.

    Attributes:
        kind: uint8[h], of every holder.
        services: uint32[s], ascending: known services, which veto some kinds of CoinJoin.
        starts: int64[8], first transaction that may be of each kind of CoinJoin (`coinjoins.coinjoin_kinds`).
        stated_output: uint64[m], ascending: outputs of which a source says what became of them.
        stated: uint8[m], what that comes to: STATED_UNSPENT, STATED_OUTSIDE or STATED_UNKNOWN.
        followed_from: First transaction from which on outputs without a spender are unspent.
    """

    kind: Bytes
    services: Counts32
    starts: Offsets
    stated_output: Numbers
    stated: Bytes
    followed_from: int


class Budget(NamedTuple):
    """How far to look from one holder, each way.

    Attributes:
        hops: Transactions, at most.
        transactions: Distinct ones, at most.
        rows: Their inputs and outputs, at most; one that would go beyond is not looked into.
    """

    hops: int
    transactions: int
    rows: int


class Reached(NamedTuple):
    """What was reached from n holders, by code of the c codes (code 0 is nobody's).

    Attributes:
        sums: int64[n, SUMS].
        amount: int64[n, c + 1], satoshi that came to (or from) holders of a code.
        direct: int64[n, c + 1], of that, what took one transaction only.
        hops: uint8[n, c + 1], least number of hops to such a holder; 0 for none.
        holders: uint32[n, c + 1], how many distinct ones.
        nearest: uint32[n, c + 1], the first of those with the least hops; `NONE32` for none.
        path: uint32[n, c + 1, hops], the transactions to it, from the holder's own side on.
    """

    sums: Offsets
    amount: Offsets
    direct: Offsets
    hops: Bytes
    holders: Counts32
    nearest: Counts32
    path: Counts32


def tagged_of(holder: Counts32, code: Bytes, ends: Bytes, holders: int) -> Tagged:
    """`Tagged` with its table, of at most 65,536 places, or four for each tagged holder.

    Args:
        holder: uint32[k], ascending and distinct.
        code: uint8[k]
        ends: uint8[c + 1]
        holders: How many holders there are in all.
    """
    places = max(1 << 16, 4 * len(holder))
    shift = max(0, (max(holders, 1) - 1).bit_length() - places.bit_length() + 1)
    edges = np.arange(((holders >> shift) + 2), dtype=np.uint64) << np.uint64(shift)
    parts = holder.copy(), code.copy(), np.searchsorted(holder, edges).astype(np.int64), ends.copy()
    for part in parts:
        part.flags.writeable = False  # numba compiles anew for arrays that can be written to
    return Tagged(parts[0], parts[1], parts[2], shift, parts[3])


def nothing_reached(count: int, codes: int, hops: int) -> Reached:
    """Room for the answer."""
    shape = (count, codes)
    return Reached(
        np.zeros((count, SUMS), np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.uint8),
        np.zeros(shape, np.uint32), np.full(shape, NONE32, np.uint32), np.full((*shape, max(hops, 1)), NONE32, np.uint32),
    )  # fmt: skip


@dataclass
class _Met:
    """A transaction that was reached."""

    hops: int
    parent: int | None
    own: int = 0
    amount: int = 0
    looked_into: bool = False
    coinjoin: bool = False
    values: list[int] | None = None
    """What its inputs bring; None where that of one is not known."""


@dataclass
class _Walk:
    """One holder's surroundings on one side."""

    graph: Graph
    tagged: Tagged
    around: Surroundings
    budget: Budget
    own: tuple[int, int]
    found: Reached
    row: int
    rows: int = 0
    met: dict[int, _Met] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def add(self, bucket: int, satoshi: int) -> None:
        self.found.sums[self.row, bucket] += satoshi

    def code(self, holder: int) -> int:
        place = int(np.searchsorted(self.tagged.holder, holder))
        there = place < len(self.tagged.holder) and int(self.tagged.holder[place]) == holder
        return int(self.tagged.code[place]) if there else 0

    def reach(self, transaction: int, parent: int | None, hops: int) -> _Met | None:
        """The transaction as one that was reached; None where there is no room for another."""
        met = self.met.get(transaction)
        if met is None and len(self.met) < self.budget.transactions:
            met = self.met[transaction] = _Met(hops, parent)
        return met

    def look_into(self, transaction: int, rows: int, inputs: range) -> bool:
        """Take it from the budget; False for what ends there."""
        met = self.met[transaction]
        if self.rows + rows > self.budget.rows:
            return False
        self.rows += rows
        met.looked_into = True
        self.add(TOUCHED, 1)
        around = self.around
        after = transaction + 1
        kind = coinjoin_kinds(self.graph, around.kind, transaction, after, around.services, around.starts)[0]
        met.coinjoin = kind not in (NO_COINJOIN, WHIRLPOOL_TX0)
        if met.coinjoin:
            return False
        values = [self.brought(number) for number in inputs]
        met.values = None if None in values else [value for value in values if value is not None]
        return True

    def meet(self, transaction: int, holder: int) -> int:
        """Note who is met at a transaction; its code."""
        code = 0 if holder in self.own else self.code(holder)
        if not code:
            return 0
        found, at = self.found, (self.row, code)
        if holder not in self.seen:
            self.seen.add(holder)
            found.holders[at] += 1
        if not found.hops[at]:
            found.hops[at] = self.met[transaction].hops
            found.nearest[at] = holder
            step: int | None = transaction
            while step is not None:
                met = self.met[step]
                found.path[self.row, code, met.hops - 1] = step
                step = met.parent
        return code

    def take(self, code: int, share: int, direct: int) -> bool:
        """Write down what comes to a tagged holder; True when it ends there."""
        self.found.amount[self.row, code] += share
        self.found.direct[self.row, code] += direct
        return bool(self.tagged.ends[code])

    def brought(self, number: int) -> int | None:
        link = self.link(number)
        if link is not None:
            return int(self.graph.value[link])
        value = int(self.graph.outside_value[int(np.searchsorted(self.graph.outside, np.uint64(number)))])
        return None if value == NONE64 else value

    def link(self, number: int) -> int | None:
        link = int(self.graph.link[number]) | int(self.graph.link_high[number]) << 32
        return None if link == _NO_LINK else link

    def inputs(self, transaction: int) -> range:
        graph = self.graph
        return rows_of(graph.first_input, graph.first_input_carries, transaction, len(graph.link))

    def outputs(self, transaction: int) -> range:
        graph = self.graph
        return rows_of(graph.first_output, graph.first_output_carries, transaction, len(graph.value))

    def maker(self, output: int) -> int:
        low, high = 0, len(self.graph.flags)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.outputs(middle).start <= output else (low, middle)
        return low

    def resting(self, output: int) -> int:
        """The sum that an output belongs to which no transaction of the store spends."""
        if int(self.graph.spender[output]) == UNSPENDABLE32:
            return BURNT
        place = int(np.searchsorted(self.around.stated_output, np.uint64(output)))
        if place < len(self.around.stated_output) and int(self.around.stated_output[place]) == output:
            said = int(self.around.stated[place])
            if said != STATED_UNKNOWN:
                return HELD if said == STATED_UNSPENT else OUTSIDE
        return HELD if self.maker(output) >= self.around.followed_from else UNKNOWN


def sent(
    graph: Graph, tagged: Tagged, around: Surroundings, budget: Budget, own: Counts32, first: Offsets, outputs: Numbers
) -> Reached:
    """Where the money of n holders went.

    Args:
        graph: The chain.
        tagged: Whom to look for.
        around: What else is asked.
        budget: How far to look, for each holder.
        own: uint32[n, 2], each holder and its key's other form; itself again where there is none.
        first: int64[n + 1], first place of each holder's outputs.
        outputs: uint64[m], all outputs paid to it.
    """
    found = nothing_reached(len(own), len(tagged.ends), budget.hops)
    for row, pair in enumerate(own.tolist()):
        walk = _Walk(graph, tagged, around, budget, (pair[0], pair[1]), found, row)
        for output in outputs[first[row] : first[row + 1]].tolist():
            spender, value = int(graph.spender[output]), int(graph.value[output])
            if spender >= len(graph.flags):
                walk.add(walk.resting(output), value)
                continue
            met = walk.reach(spender, None, 1)
            if met is None:
                walk.add(CUT, value)
            else:
                met.own += value
        _send(walk)
    return found


def _send(walk: _Walk) -> None:
    graph = walk.graph
    order = list(walk.met)
    for transaction in order:  # grows
        inputs, outputs = walk.inputs(transaction), walk.outputs(transaction)
        if not walk.look_into(transaction, len(inputs) + len(outputs), inputs):
            continue
        hops = walk.met[transaction].hops
        for output in outputs:
            holder, spender = int(graph.holder[output]), int(graph.spender[output])
            code = walk.meet(transaction, holder)
            ended = holder in walk.own or (code and walk.tagged.ends[code])
            if ended or hops == walk.budget.hops or not transaction < spender < len(graph.flags):
                continue
            if spender not in walk.met and walk.reach(spender, transaction, hops + 1):
                order.append(spender)
    for transaction in sorted(order):
        met = walk.met[transaction]
        met.amount += met.own
        if not met.looked_into:
            walk.add(CUT_TRANSACTIONS, 1)
        if not met.looked_into or met.coinjoin or met.values is None:
            walk.add(CUT if not met.looked_into else COINJOINED if met.coinjoin else UNKNOWN, met.amount)
            continue
        outputs = walk.outputs(transaction)
        weights = graph.value[outputs.start : outputs.stop].astype(np.int64)
        weights = np.append(weights, max(0, sum(met.values) - int(weights.sum())))
        parts, direct = shares(met.amount, weights).tolist(), shares(met.own, weights).tolist()
        walk.add(FEES, parts[-1])
        for output, part, own_part in zip(outputs, parts, direct, strict=False):
            holder, spender = int(graph.holder[output]), int(graph.spender[output])
            if holder in walk.own:
                walk.add(RETURNED, part)
                continue
            code = walk.code(holder)
            if code and walk.take(code, part, own_part):
                continue
            if spender >= len(graph.flags):
                walk.add(walk.resting(output), part)
            elif spender in walk.met and spender > transaction:
                walk.met[spender].amount += part
            else:
                walk.add(BEYOND if met.hops == walk.budget.hops else CUT, part)


def received(
    graph: Graph, tagged: Tagged, around: Surroundings, budget: Budget, own: Counts32, first: Offsets, outputs: Numbers
) -> Reached:
    """Where the money of n holders came from; arguments as `sent` takes them."""
    found = nothing_reached(len(own), len(tagged.ends), budget.hops)
    for row, pair in enumerate(own.tolist()):
        walk = _Walk(graph, tagged, around, budget, (pair[0], pair[1]), found, row)
        for output in outputs[first[row] : first[row + 1]].tolist():
            met = walk.reach(walk.maker(output), None, 1)
            if met is None:
                walk.add(CUT, int(graph.value[output]))
            else:
                met.own += int(graph.value[output])
        _receive(walk)
    return found


def _receive(walk: _Walk) -> None:
    graph = walk.graph
    order = list(walk.met)
    for transaction in order:  # grows
        inputs = walk.inputs(transaction)
        if not walk.look_into(transaction, len(inputs), inputs):
            continue
        hops = walk.met[transaction].hops
        for number in inputs:
            holder, link = int(graph.payer[number]), walk.link(number)
            code = walk.meet(transaction, holder)
            ended = holder in walk.own or (code and walk.tagged.ends[code])
            if ended or hops == walk.budget.hops or link is None:
                continue
            maker = walk.maker(link)
            if maker < transaction and maker not in walk.met and walk.reach(maker, transaction, hops + 1):
                order.append(maker)
    for transaction in sorted(order, reverse=True):
        met = walk.met[transaction]
        met.amount += met.own
        if not met.looked_into:
            walk.add(CUT_TRANSACTIONS, 1)
        if not met.looked_into or met.coinjoin or met.values is None:
            walk.add(CUT if not met.looked_into else COINJOINED if met.coinjoin else UNKNOWN, met.amount)
            continue
        if met.amount > sum(met.values):  # a coinbase, or more than its inputs bring
            walk.add(UNKNOWN if met.values else MINED, met.amount)
            continue
        weights = np.array(met.values, np.int64)
        parts, direct = shares(met.amount, weights).tolist(), shares(met.own, weights).tolist()
        for number, part, own_part in zip(walk.inputs(transaction), parts, direct, strict=True):
            holder, link = int(graph.payer[number]), walk.link(number)
            if holder in walk.own:
                walk.add(RETURNED, part)
                continue
            code = walk.code(holder)
            if code and walk.take(code, part, own_part):
                continue
            source = None if link is None else walk.maker(link)
            if source is None:
                walk.add(OUTSIDE, part)
            elif source in walk.met and source < transaction:
                walk.met[source].amount += part
            else:
                walk.add(BEYOND if met.hops == walk.budget.hops else CUT, part)
