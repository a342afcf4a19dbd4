"""Random chains as bare arrays: who pays together, what is change."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from shieldwall.kernels.arrays import NONE32, Graph


def frozen(values, dtype):
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def graph(payers, holders=(), outputs=None):
    """A graph in which transaction k is paid by payers[k] (None: nobody knows who), and output k is `holders[k]`'s.

    `outputs`: how many outputs each transaction makes; one by default.
    """
    counts = [len(group) for group in payers]
    first = np.cumsum([0, *counts])[:-1]
    made = [1] * len(payers) if outputs is None else outputs
    flat = [NONE32 if payer is None else payer for group in payers for payer in group]
    paid = list(holders) or [0] * sum(made)
    none64, none8 = frozen([], np.uint64), frozen([], np.uint8)
    return Graph(
        first_input=frozen(first, np.uint32),
        first_input_carries=frozen([], np.int64),
        first_output=frozen(np.cumsum([0, *made])[:-1], np.uint32),
        first_output_carries=frozen([], np.int64),
        flags=none8,
        value=frozen([1] * len(paid), np.uint64),
        holder=frozen(paid, np.uint32),
        spender=frozen([NONE32] * len(paid), np.uint32),
        link=frozen([NONE32] * len(flat), np.uint32),
        link_high=frozen([255] * len(flat), np.uint8),
        payer=frozen(flat, np.uint32),
        outside=none64,
        outside_value=none64,
    )


@st.composite
def worlds(draw, most=12):
    """(payers of each transaction, which are left out, change output or -1, holders of outputs, labels by holder)."""
    people = draw(st.integers(1, most))
    person = st.integers(0, people - 1)
    size = draw(st.integers(0, 14))
    payers = draw(st.lists(st.lists(st.one_of(person, person, st.none()), max_size=4), min_size=size, max_size=size))
    left_out = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    change = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    holders = draw(st.lists(person, min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 3).map(lambda k: max(0, k - 1)), min_size=people, max_size=people))
    return people, payers, left_out, [k if said else -1 for k, said in enumerate(change)], holders, labels
