"""What change rules look at: fees, fingerprints, which transaction made an output."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

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

_NO_LINK = (1 << 40) - 1
_AROUND = {  # kind -> bytes of a script before and behind its payload
    2: (b"\x76\xa9\x14", b"\x88\xac"),
    3: (b"\xa9\x14", b"\x87"),
    5: (b"\x00\x14", b""),
    6: (b"\x00\x20", b""),
    7: (b"\x51\x20", b""),
}


class Rows:
    """A graph with whole numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.transactions = len(graph.flags)
        self.first_input = _whole(graph.first_input, graph.first_input_carries, len(graph.payer))
        self.first_output = _whole(graph.first_output, graph.first_output_carries, len(graph.value))

    def inputs(self, transaction: int) -> range:
        """Numbers of a transaction's inputs."""
        return range(self.first_input[transaction], self.first_input[transaction + 1])

    def outputs(self, transaction: int) -> range:
        """Numbers of its outputs."""
        return range(self.first_output[transaction], self.first_output[transaction + 1])

    def maker(self, output: int) -> int:
        """The transaction that made an output."""
        return bisect_right(self.first_output, output) - 1

    def link(self, number: int) -> int | None:
        """The output that an input spends; None where it is not here."""
        link = int(self.graph.link[number]) | int(self.graph.link_high[number]) << 32
        return None if link == _NO_LINK else link

    def outside(self, number: int) -> int:
        """Row of an input from outside."""
        return bisect_left(self.graph.outside, number)

    def value_in(self, number: int) -> int | None:
        """Satoshi of an input; None where not known."""
        link = self.link(number)
        if link is not None:
            return int(self.graph.value[link])
        value = int(self.graph.outside_value[self.outside(number)])
        return None if value == NONE64 else value

    def payers(self, transaction: int) -> list[int]:
        """Holders of a transaction's inputs, `NONE32` for those not known."""
        numbers = self.inputs(transaction)
        found: list[int] = self.graph.payer[numbers.start : numbers.stop].tolist()
        return found

    def fee(self, transaction: int) -> int | None:
        """Satoshi; None for a coinbase and where not known."""
        values = [self.value_in(number) for number in self.inputs(transaction)]
        if not values or None in values:
            return None
        numbers = self.outputs(transaction)
        paid: list[int] = self.graph.value[numbers.start : numbers.stop].tolist()
        return sum(value or 0 for value in values) - sum(paid)

    def one_in_two_out(self, transaction: int) -> bool:
        """One input and two outputs."""
        return len(self.inputs(transaction)) == 1 and len(self.outputs(transaction)) == 2


def _whole(low: Counts32, carries: Offsets, end: int) -> list[int]:
    numbers = low.astype(np.int64)
    for carry in carries.tolist():
        numbers[carry:] += 1 << 32
    return [*numbers.tolist(), end]


def fees(graph: Graph, first: int, last: int) -> Offsets:
    """int64[last - first]: satoshi that each transaction of a range pays its miner; -1 for a coinbase and where not known."""
    rows = Rows(graph)
    paid = [rows.fee(transaction) for transaction in range(first, last)]
    return np.array([-1 if fee is None else fee for fee in paid], np.int64)


def output_places(graph: Graph) -> Counts32:
    """uint32[o / STEP, rounded up]: the transaction that made every 64th output, from 0 on."""
    firsts = np.array(_whole(graph.first_output, graph.first_output_carries, len(graph.value)), np.int64)
    outputs = np.arange(0, len(graph.value), rules.STEP)
    return (np.searchsorted(firsts[:-1], outputs, side="right") - 1).astype(np.uint32)


def fingerprints(graph: Graph, source: FingerprintSource, wanted: int, first: int, last: int) -> Counts32:
    """The fingerprint of each transaction of a range.

    Ordered: inputs by the txid that they spend as it is displayed, then index; outputs by amount, then script (BIP 69).
    Zero-conf: an input spends an output of the same block. SegWit and multisig: a kind among the inputs, as far as
    locking scripts tell; what lies in a P2SH is not seen.

    Args:
        graph: The chain.
        source: What else they are made of.
        wanted: The bits that are needed; others that cost something may be left 0.
        first: First transaction of the range.
        last: One past its last.

    Returns:
        uint32[last - first], bits as in `change_rules`.
    """
    rows = Rows(graph)
    starts = source.block_first_tx.tolist()
    return np.array([_fingerprint(rows, source, starts, wanted, number) for number in range(first, last)], np.uint32)


def _fingerprint(rows: Rows, source: FingerprintSource, starts: Sequence[int], wanted: int, number: int) -> int:
    flags, payers = int(rows.graph.flags[number]), rows.payers(number)
    bits = (flags >> VERSION_SHIFT) & VERSION_MASK
    bits |= rules.LOCKTIME_BIT if flags & LOCKED else 0
    bits |= rules.RBF_BIT if flags & REPLACEABLE else 0
    bits |= min(len(rows.outputs(number)), 3) << 4 | min(len(payers), 3) << 6
    kinds = {int(source.kind[payer]) for payer in payers if payer != NONE32}
    bits |= sum(1 << (rules.KINDS_SHIFT + kind) for kind in kinds)
    bits |= rules.SEGWIT_BIT if kinds & set(rules.WITNESS_KINDS) else 0
    bits |= rules.MULTISIG_BIT if rules.MULTISIG_KIND in kinds else 0
    bits |= rules.UNKNOWN_BIT if NONE32 in payers else 0
    links = [rows.link(place) for place in rows.inputs(number)]
    block = starts[bisect_right(starts, number) - 1]
    if any(link is not None and link >= rows.first_output[block] for link in links):
        bits |= rules.ZERO_CONF_BIT
    if wanted & rules.ORDERED_BIT and _ordered(rows, source, number):
        bits |= rules.ORDERED_BIT
    return bits


def _ordered(rows: Rows, source: FingerprintSource, number: int) -> bool:
    spent = [_outpoint(rows, source, place) for place in rows.inputs(number)]
    made = [(int(rows.graph.value[output]), _script(rows, source, output)) for output in rows.outputs(number)]
    return all(a <= b for a, b in pairwise(spent)) and all(a <= b for a, b in pairwise(made))


def _outpoint(rows: Rows, source: FingerprintSource, number: int) -> tuple[bytes, int]:
    link = rows.link(number)
    if link is None:
        row = rows.outside(number)
        return source.outside_txid[row].tobytes()[::-1], int(source.outside_index[row])
    maker = rows.maker(link)
    return source.txid[maker].tobytes()[::-1], link - rows.first_output[maker]


def _script(rows: Rows, source: FingerprintSource, output: int) -> bytes:
    holder = int(rows.graph.holder[output])
    ends = [_end(source, holder - 1) if holder else 0, _end(source, holder)]
    payload, kind = source.payload[slice(*ends)].tobytes(), int(source.kind[holder])
    before, behind = (bytes([len(payload)]), b"\xac") if kind == 1 else _AROUND.get(kind, (b"", b""))
    return before + payload + behind


def _end(source: FingerprintSource, holder: int) -> int:
    return int(source.payload_end[holder]) + (int(np.count_nonzero(source.payload_carries <= holder)) << 32)
