"""Haircut in kernels: largest remainders exact beyond 64 bits, and the twins on any graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import NONE32, NONE64, Graph
from shieldwall.kernels.compiled import taint as compiled
from shieldwall.kernels.compiled import walk_tables, walking
from shieldwall.kernels.plain import taint as plain
from shieldwall.kernels.warm import column
from shieldwall.trace.methods.haircut import shares

COINS = 2_100_000_000_000_000


class Division(NamedTuple):
    part: int
    weights: list[int]


@st.composite
def divisions(draw, most):
    weights = draw(st.lists(st.sampled_from([0, 1, most]) | st.integers(0, most), min_size=1, max_size=40))
    if draw(st.booleans()):
        weights = [weights[0]] * len(weights)  # equal remainders
    return Division(draw(st.integers(0, sum(weights)) if sum(weights) else st.just(0)), weights)


@given(divisions(30) | divisions(COINS // 40) | divisions((1 << 62) // 40))
@example(Division(10, [1, 1, 1]))
@example(Division(COINS - 1, [COINS - 1, 1]))
@example(Division(1 << 53, [1 << 53, 1, 1]))
@example(Division((1 << 53) - 1, [(1 << 53) - 2, 1]))
def test_shares_are_those_of_the_method(division):
    weights = np.array(division.weights, np.int64)
    expected = shares(division.part, division.weights)
    assert compiled.shares(division.part, weights).tolist() == expected
    assert plain.shares(division.part, weights).tolist() == expected
    assert sum(expected) == (division.part if sum(division.weights) else 0)


@given(st.integers(1, (1 << 63) - 1), st.data())
def test_long_division(whole, data):
    part, weight = data.draw(st.integers(0, whole)), data.draw(st.integers(0, whole))
    assert compiled.long_division(part, weight, whole) == divmod(part * weight, whole)


@st.composite
def graphs(draw):
    """Any transactions, each spending outputs before it, some of them outside, of known and unknown value."""
    values, first_input, first_output, links, outside = [], [], [], [], []
    unspent = []
    spender = []
    for number in range(draw(st.integers(1, 12))):
        first_input.append(len(links))
        first_output.append(len(values))
        taken = draw(st.lists(st.integers(0, len(unspent)), max_size=4)) if number else []
        coming = 0
        for place in taken:
            if place < len(unspent):
                output = unspent.pop(place)
                spender[output] = number
                links.append(output)
                coming += values[output]
            else:
                value = draw(st.sampled_from([NONE64, 5, 1000]))
                outside.append((len(links), value))
                links.append((1 << 40) - 1)
                coming += 0 if value == NONE64 else value
        for _ in range(draw(st.integers(1, 12))):
            value = draw(st.integers(0, coming if taken else COINS // 100))
            coming -= value if taken else 0
            unspent.append(len(values))
            values.append(value)
            spender.append(NONE32)
    return Graph(
        first_input=column(first_input, np.uint32),
        first_input_carries=column([], np.int64),
        first_output=column(first_output, np.uint32),
        first_output_carries=column([], np.int64),
        flags=column([0] * len(first_input), np.uint8),
        value=column(values, np.uint64),
        holder=column([0] * len(values), np.uint32),
        spender=column(spender, np.uint32),
        link=column([link & 0xFFFFFFFF for link in links], np.uint32),
        link_high=column([link >> 32 for link in links], np.uint8),
        payer=column([0] * len(links), np.uint32),
        outside=column([number for number, _ in outside], np.uint64),
        outside_value=column([value for _, value in outside], np.uint64),
    )


@given(st.data())
def test_haircut_twins_and_nothing_lost(data):
    graph = data.draw(graphs())
    seeds = np.unique(np.array(data.draw(st.lists(st.integers(0, len(graph.value) - 1), min_size=1)), np.int64))
    first = int(np.searchsorted(graph.first_output, seeds[0], "right")) - 1
    ours, sums, broken = compiled.haircut(graph, seeds, first)
    theirs, same, whole = plain.haircut(graph, seeds, first)
    assert (ours.tolist(), sums.tolist(), broken) == (theirs.tolist(), same.tolist(), whole)
    fees, stuck, seed, returned = sums.tolist()
    assert broken == -1
    assert int(ours[graph.spender == NONE32].sum()) + fees + stuck == seed
    assert seed + returned == int(graph.value[seeds].sum())
    near, _ = compiled.haircut_float(graph, seeds, first)
    assert near == pytest.approx(ours, abs=len(graph.value))


# the walking kernel's own helpers; the walk itself is held to its twin in tests/unit/trace/test_trace_engines.py


@given(st.lists(st.integers(0, 0xFFFFFFFE), max_size=300), st.lists(st.integers(0, 0xFFFFFFFE), max_size=50))
def test_a_set_holds_its_members_and_no_other(members, others):
    places = walk_tables.set_of(np.array(members, np.uint32))
    assert len(places) & (len(places) - 1) == 0
    for number in (*members, *others):
        assert walk_tables.holds(places, np.uint32(number)) == (number in set(members))


@given(st.data())
def test_reach_is_breadth_first(data):
    graph = data.draw(graphs())
    seeds = data.draw(st.lists(st.integers(0, len(graph.value) - 1), min_size=1))
    hops, most = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 8))
    assert walking.reached_by(graph, np.array(seeds, np.int64), hops, most).tolist() == reach(graph, seeds, hops, most)


def reach(graph, seeds, hops, most):
    met, front = [], seeds
    for _ in range(hops):
        spenders = [int(graph.spender[output]) for output in front if graph.spender[output] != NONE32]
        new = [number for number in dict.fromkeys(spenders) if number not in met]
        met += new
        ends = [*graph.first_output.tolist(), len(graph.value)]
        front = [output for number in new for output in range(ends[number], ends[number + 1])]
    return met[:most]
