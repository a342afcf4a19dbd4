"""What goes in and out of the walking kernel: the question, the arrays that it fills, and the codes in them.

All amounts are satoshi and fit 63 bits; -1 stands for none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shieldwall.kernels.arrays import NONE32, Counts32, Offsets

Rows = npt.NDArray[np.int64]
"""int64[k, width]: one row a thing, so that all that is known of it lies together."""

POISON, HAIRCUT, FIFO, LIFO, TIHO = 0, 1, 2, 3, 4  # methods
METHOD_CODES = {"poison": POISON, "haircut": HAIRCUT, "fifo": FIFO, "lifo": LIFO, "tiho": TIHO}

# how a walk went
DONE, PAUSED, FULL, UNKNOWN_SEED, BROKEN = 0, 1, 2, 3, 4

# how money's way ends; BURNT: provably unspendable; OPEN: nothing here spends it; STUCK: before a transaction that no
# method can divide, for want of an input's value
MINER, BURNT, SERVICE, OPEN, BEYOND, STUCK = 0, 1, 2, 3, 4, 5

# why money is beyond the limits
HOPS, LEAST, NO_HEIGHT, HEIGHT, TIME, COUNT = 1, 2, 3, 4, 5, 6

NO_OUTPUT = 0xFFFFFFFFFFFFFFFF  # a link to no output
UNSPENDABLE = 0xFFFFFFFE  # of a spender: provably never

# fields of `State.counts`
HEAPED, NODES, ROWS, RUNS, STEPS, TAKEN, ENDED, FOLLOWED, BEGUN, SEED, RETURNED, AT, PLACE, WANTED = range(14)
FIELDS = 14

# columns of `State.nodes`
NODE_TRANSACTION, NODE_FIRST, NODE_LAST, NODE_COMING, NODE_RUNS, NODE_SEED, NODE_FOLLOWED = range(7)
# columns of `State.rows`
OUTPUT, TRANSACTION, AMOUNT, CAME, HOP, ORIGIN, NEXT, RUN_FIRST, RUN_COUNT = range(9)
# columns of `State.steps`
STEP_TRANSACTION, STEP_HOP, STEP_FEE, STEP_TAKEN, STEP_TAKEN_COUNT, STEP_ROW, STEP_ROW_COUNT = range(7)
# columns of `State.taken`
TAKEN_PLACE, TAKEN_OUTPUT, TAKEN_AMOUNT = range(3)
# columns of `State.endings`; the detail is a limit's reason, or the place of the input whose value is not known
END_KIND, END_ROW, END_TRANSACTION, END_AMOUNT, END_DETAIL, END_OUTPUT = range(6)
# columns of `State.begun`
BEGUN_TRANSACTION, BEGUN_AMOUNT = range(2)


class Question(NamedTuple):
    """What a walk is asked: s transactions to start from, b blocks.

    Attributes:
        method: int, one of `METHOD_CODES`.
        hops: int, most spends from a seed; 2^62 for no limit.
        least: int, least satoshi that are followed.
        transactions: int, how many to follow.
        until_height: int; -1 for no limit.
        until_time: int, Unix seconds; -1 for no limit.
        block_first: uint32[b], first transaction of each block; empty where neither is a limit.
        block_height: uint32[b]; `NONE32` where not known.
        block_time: uint32[b], Unix seconds.
        services: uint32[2^k], a set (`set_of`) of the holders at which a walk stops; one free place for none.
        seed_transaction: int64[s], ascending: the transactions to start from.
        seed_output_first: int64[s + 1], first entry of each in `seed_output`.
        seed_output: int64[...], outputs to start from, ascending.
        seed_input_first: int64[s + 1], first entry of each in `seed_input`.
        seed_input: int64[...], positions of inputs to start from, ascending for each transaction.
        seed_spent: int64[...], ascending: outputs of the chain that those inputs spend.
    """

    method: int
    hops: int
    least: int
    transactions: int
    until_height: int
    until_time: int
    block_first: Counts32
    block_height: Counts32
    block_time: Counts32
    services: Counts32
    seed_transaction: Offsets
    seed_output_first: Offsets
    seed_output: Offsets
    seed_input_first: Offsets
    seed_input: Offsets
    seed_spent: Offsets


class State(NamedTuple):
    """What a walk has found and what it still has to do; the first rows of each array, as `counts` says.

    Attributes:
        counts: int64[FIELDS].
        table: int64[2^k], transaction -> its node and one; 0 for a free place.
        heap: int64[...], a heap of transactions to come, each with its node in the low 31 bits.
        nodes: int64[..., 7], transactions that money comes to.
        rows: int64[..., 9], outputs that money came to, ascending: `reached`.
        runs: int64[..., 2], tainted runs of those that are still to be passed (FIFO, LIFO).
        steps: int64[..., 7], transactions passed.
        taken: int64[..., 3], tainted inputs of these.
        endings: int64[..., 6].
        begun: int64[..., 2], seeds that count.
        coming: int64[..., 6], of the transaction at hand: what comes in.
        laid: int64[..., 3], of the transaction at hand: its tainted runs.
        going: int64[6, ...], of the transaction at hand: what goes out.
    """

    counts: Offsets
    table: Offsets
    heap: Offsets
    nodes: Rows
    rows: Rows
    runs: Rows
    steps: Rows
    taken: Rows
    endings: Rows
    begun: Rows
    coming: Rows
    laid: Rows
    going: Rows


NO_LIMIT = 1 << 62
NOBODY: Counts32 = np.full(1, NONE32, np.uint32)


def fresh(seeds: int, size: int = 1024) -> State:
    """An empty state.

    Args:
        seeds: How many outputs and inputs the walk starts from.
        size: Transactions to make room for at first; a power of two.
    """

    def rows(count: int, width: int) -> Rows:
        return np.empty((count, width), np.int64)

    return State(
        counts=np.zeros(FIELDS, np.int64),
        table=np.zeros(4 * size, np.int64),
        heap=np.empty(size, np.int64),
        nodes=rows(size, 7),
        rows=rows(4 * size, 9),
        runs=rows(4 * size, 2),
        steps=rows(size, 7),
        taken=rows(2 * size, 3),
        endings=rows(4 * size, 6),
        begun=rows(max(seeds, 1), 2),
        coming=rows(64, 6),
        laid=rows(256, 3),
        going=rows(6, 64),
    )
