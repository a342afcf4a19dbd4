"""The arrays that go in and out of the kernels, and the numbers with a meaning in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]
Counts32 = npt.NDArray[np.uint32]

NONE32 = 0xFFFFFFFF  # no such transaction or address
NONE64 = 0xFFFFFFFFFFFFFFFF  # no such output, value not known

COINBASE, SEGWIT, REPLACEABLE = 1, 2, 4  # bits of `Decoded.flags`
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
        flags: uint8[n], bits COINBASE, SEGWIT, REPLACEABLE (an input's sequence below 0xfffffffe, BIP 125).
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


def raw_view(data: Bytes) -> memoryview:
    """The bytes of a uint8 array without a copy: slicing it is many times faster than slicing the array."""
    return memoryview(np.ascontiguousarray(data).data).cast("B")
