"""What the change kernels are given: a rule as a small program, the bits of a fingerprint, and the arrays beside the graph.

A **program** is int64[k, 2]: an instruction and its argument a row. An instruction below `AND` puts a set of outputs on a
stack; `AND`, `OR` and `WITHOUT` take two sets from it and put one back, `UNIQUE` one for one. One set is left at the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shieldwall.kernels.arrays import Bytes, Counts32, Numbers, Offsets

Program = npt.NDArray[np.int64]

UNSPENDABLE = 0xFFFFFFFE  # the spender of an output that nobody can ever spend
WITNESS_KINDS = (5, 6, 7, 8)  # numbers of the script kinds p2wpkh, p2wsh, p2tr, witness
MULTISIG_KIND = 4

# instructions that put a set on the stack; the argument is said behind those that have one
NOTHING, STANDARD, SPENT, ADDRESS_TYPE, ADDRESS_REUSE = 0, 1, 2, 3, 4
OPTIMAL, OPTIMAL_WITH_FEE, CLIENT_BEHAVIOUR, FRESH_ADDRESS, PEELING = 5, 6, 7, 8, 9
POWER_OF_TEN = 10  # 10^n
SAME_FLAGS = 11  # bits of `Graph.flags` in which an output's spender must be like the transaction
CONSISTENT = 12  # bits of a fingerprint, likewise
CONSISTENT_FEE = 13
# instructions that take sets from it
AND, OR, WITHOUT, UNIQUE = 20, 21, 22, 23

# bits of a fingerprint
VERSION_BITS = 3  # as in `Graph.flags`: version 1, 2 or 3, or 0 for any other
LOCKTIME_BIT = 1 << 2
RBF_BIT = 1 << 3
OUTPUTS_BITS = 3 << 4  # 1, 2, or 3 for more
INPUTS_BITS = 3 << 6  # 0 for a coinbase, 1, 2, or 3 for more
ORDERED_BIT = 1 << 8
ZERO_CONF_BIT = 1 << 9
SEGWIT_BIT = 1 << 10
MULTISIG_BIT = 1 << 11
UNKNOWN_BIT = 1 << 12  # the holder of an input is not known, so that the kinds are not
KINDS_SHIFT = 16
KINDS_BITS = 0x3FF << KINDS_SHIFT  # which script kinds its inputs spend

STEP = 64  # outputs between two entries of `places`


class FingerprintSource(NamedTuple):
    """What fingerprints are made of beside the graph; h holders, b blocks, m inputs from outside.

    Attributes:
        kind: uint8[h], script kinds of holders.
        block_first_tx: uint32[b].
        txid: uint8[n, 32].
        outside_txid: uint8[m, 32], what the inputs from outside spend.
        outside_index: uint32[m].
        payload_end: uint32[h], low half of where a holder's payload ends.
        payload_carries: int64[k], rows at which the high half grows.
        payload: uint8[p].
        places: uint32[o / STEP], as `output_places` makes it.
    """

    kind: Bytes
    block_first_tx: Counts32
    txid: Bytes
    outside_txid: Bytes
    outside_index: Counts32
    payload_end: Counts32
    payload_carries: Offsets
    payload: Bytes
    places: Counts32


class ChangeContext(NamedTuple):
    """What `change_outputs` needs beside the graph; arrays that a program does not use may be empty.

    Attributes:
        kind: uint8[h], script kinds of holders.
        seen: The highest number of a holder that an output before the range pays; -1 for none.
        outside_payer: uint32[m], ascending and distinct: holders that pay an input from outside.
        outside_since: int64[m], the first such input of each.
        places: uint32[o / STEP], as `output_places` makes it (peeling).
        fingerprint: uint32[n - base], from `base` on (consistent; of peeling the counts, from transaction 0 on).
        fee: int64[n - base], satoshi, -1 where not known.
        base: The transaction of the first fingerprint and fee; no later than the range.
    """

    kind: Bytes
    seen: int
    outside_payer: Counts32
    outside_since: Offsets
    places: Counts32
    fingerprint: Counts32
    fee: Offsets
    base: int


def stack_depth(program: Program) -> int:
    """Sets that a program has on its stack at most.

    Raises:
        ValueError: It takes a set that is not there, or does not leave exactly one.
    """
    height = deepest = 0
    for code in program[:, 0].tolist():
        taken = 0 if code < AND else 1 if code == UNIQUE else 2
        if height < taken:
            raise ValueError(f"instruction {code} takes {taken} of {height} sets")
        height += 1 - taken
        deepest = max(deepest, height)
    if height != 1:
        raise ValueError(f"a program leaves {height} sets, not one")
    return deepest


def uses(program: Program, *codes: int) -> bool:
    """Whether a program has one of these instructions."""
    return bool(np.isin(program[:, 0], codes).any())


def first_outside(payers: Counts32, inputs: Numbers) -> tuple[Counts32, Offsets]:
    """The distinct holders that pay inputs from outside, and the first such input of each.

    Args:
        payers: uint32[m], the holder of each input from outside, `NONE32` where not known.
        inputs: uint64[m], the numbers of these inputs, ascending.

    Returns:
        uint32[d], ascending; int64[d].
    """
    holders, first = np.unique(payers, return_index=True)
    return holders.astype(np.uint32), inputs[first].astype(np.int64)
