"""The arrays that go in and out of the kernels, and the numbers with a meaning in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]
Counts32 = npt.NDArray[np.uint32]

NONE32 = 0xFFFFFFFF  # no such transaction or address
NONE64 = 0xFFFFFFFFFFFFFFFF  # no such output, value not known
UNCUTTABLE = 1 << 60  # weight of a node that no cut may remove

COINBASE, SEGWIT, REPLACEABLE, LOCKED, FINAL = 1, 2, 4, 8, 64  # bits of `Decoded.flags`
VERSION_SHIFT, VERSION_MASK = 4, 3  # (flags >> VERSION_SHIFT) & VERSION_MASK: version 1, 2 or 3, or 0 for any other
WITNESS_PART, MWEB_PART = 1, 8  # bits of the flag byte behind a transaction's marker (BIP 144; Litecoin, LIP 3)

# what is wrong with a transaction's bytes
FINE, TRUNCATED, BAD_COUNT, BAD_WITNESS, BAD_VALUE, BAD_EXTENSION = 0, 1, 2, 3, 4, 5
FAULTS = {
    TRUNCATED: "ends in the middle of a transaction",
    BAD_COUNT: "has a count that is not written in its shortest form, is zero, or is larger than the data",
    BAD_WITNESS: "has a witness marker without a witness",
    BAD_VALUE: "has an output of more coins than there can be",
    BAD_EXTENSION: "has an MWEB part that no block holds",
}
# what a transaction is by the published rules of CoinJoins; all but the first and the tx0 have several payers
NO_COINJOIN, GENERIC, WHIRLPOOL, WHIRLPOOL_TX0, WASABI_1_0, WASABI_1_1, WABISABI, JOINMARKET = range(8)
COINJOIN_NAMES = (
    "none", "generic", "whirlpool", "whirlpool_tx0", "wasabi_1_0", "wasabi_1_1", "wabisabi", "joinmarket",
)  # fmt: skip
TWO_NAMES, OTHER_NAME, TOO_LARGE = 1, 2, 3  # why a merge of two sets of holders is refused (`clustering.in_order`)
MAX_MONEY = 2_100_000_000_000_000  # satoshi


@dataclass(frozen=True, slots=True)
class Rules:
    """What a network lets its transactions be.

    Attributes:
        most: Satoshi that one output may hold.
        mweb: True where the last transaction of a block may carry an (empty) MWEB part, and the block's extension follow
            it: one byte, 1 before an extension's bytes or 0 for none (Litecoin, LIP 3). The extension is not decoded.
    """

    most: int = MAX_MONEY
    mweb: bool = False


BITCOIN = Rules()


@dataclass(frozen=True, slots=True)
class Decoded:
    """Transactions taken apart; n transactions, i inputs, o outputs. Offsets point into the data they came from.

    Attributes:
        start: int64[n], first byte of each transaction.
        end: int64[n], one past its last byte.
        witness: int64[n], first byte behind its outputs that its txid leaves out (witness, MWEB part), 0 in the old form.
        flags: uint8[n], bits COINBASE, SEGWIT, REPLACEABLE (an input's sequence below 0xfffffffe, BIP 125; never of a
            coinbase), LOCKED (the locktime is not 0), FINAL (every input's sequence is 0xffffffff, so that a locktime binds
            nothing), and the version where VERSION_SHIFT says.
        first_input: int64[n + 1], number of its first input; the last entry is i.
        first_output: int64[n + 1], likewise for outputs.
        outpoint: int64[i], where the 36 bytes of the previous output's txid and index stand.
        value: uint64[o], satoshi.
        script_start: int64[o], first byte of the locking script.
        script_end: int64[o], one past its last byte.
        block_end: int64[b], one past the last byte of each block, its extension included.
    """

    start: Offsets
    end: Offsets
    witness: Offsets
    flags: Bytes
    first_input: Offsets
    first_output: Offsets
    outpoint: Offsets
    value: Numbers
    script_start: Offsets
    script_end: Offsets
    block_end: Offsets


class DecodeFault(Exception):
    """Bytes that are no transaction: in which block, which transaction, at which offset of the data, and why."""

    def __init__(self, block: int, transaction: int, offset: int, code: int) -> None:
        super().__init__(FAULTS[code])
        self.block = block
        self.transaction = transaction
        self.offset = offset
        self.code = code


class Graph(NamedTuple):
    """A chain as arrays that kernels walk on: n transactions, i inputs, o outputs, m inputs from outside.

    All are read-only maps of a store's columns, so that only what is touched is read. Ascending columns keep the low 32
    bits and the rows at which the high half grows by one; the link of an input keeps 40 bits, all of them set for none.

    Attributes:
        first_input: uint32[n], low half of the number of each transaction's first input.
        first_input_carries: int64[k], rows of it at which the high half grows by one.
        first_output: uint32[n], likewise for outputs.
        first_output_carries: int64[k].
        flags: uint8[n], bits as in `Decoded.flags`.
        value: uint64[o], satoshi.
        holder: uint32[o].
        spender: uint32[o]; a transaction, or n and above for none.
        link: uint32[i], low 32 bits of the output that each input spends.
        link_high: uint8[i], bits 32 to 39 of it.
        payer: uint32[i], the holder of that output; `NONE32` where nobody knows it.
        outside: uint64[m], ascending: the inputs whose output is not in the store.
        outside_value: uint64[m], satoshi of these; `NONE64` where nobody gives it.
    """

    first_input: Counts32
    first_input_carries: Offsets
    first_output: Counts32
    first_output_carries: Offsets
    flags: Bytes
    value: Numbers
    holder: Counts32
    spender: Counts32
    link: Counts32
    link_high: Bytes
    payer: Counts32
    outside: Numbers
    outside_value: Numbers


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view, plain whatever the class: numba compiles anew for arrays that can be written to, as maps cannot."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def raw_view(data: Bytes) -> memoryview:
    """The bytes of a uint8 array without a copy: slicing it is many times faster than slicing the array."""
    return memoryview(np.ascontiguousarray(data).data).cast("B")
