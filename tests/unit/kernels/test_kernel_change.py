"""The change kernels by themselves; that twins agree on chains is held in tests/unit/trace/change."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels import change_rules as rules
from shieldwall.kernels.arrays import NONE32, Graph
from shieldwall.kernels.compiled import change as compiled
from shieldwall.kernels.compiled import change_features as compiled_features
from shieldwall.kernels.plain import change as plain
from shieldwall.kernels.plain import change_features as plain_features

LEAVES = [
    (rules.NOTHING, 0), (rules.STANDARD, 0), (rules.SPENT, 0), (rules.ADDRESS_TYPE, 0), (rules.ADDRESS_REUSE, 0),
    (rules.OPTIMAL, 0), (rules.OPTIMAL_WITH_FEE, 0), (rules.POWER_OF_TEN, 10), (rules.CLIENT_BEHAVIOUR, 0),
    (rules.FRESH_ADDRESS, 0), (rules.SAME_FLAGS, 8), (rules.PEELING, 0), (rules.CONSISTENT, rules.ZERO_CONF_BIT),
    (rules.CONSISTENT, rules.KINDS_BITS | rules.UNKNOWN_BIT), (rules.CONSISTENT_FEE, 0),
]  # fmt: skip
PROGRAMS = st.recursive(
    st.sampled_from(LEAVES).map(lambda leaf: [leaf]),
    lambda parts: st.one_of(
        st.tuples(parts, parts, st.sampled_from([rules.AND, rules.OR, rules.WITHOUT])).map(
            lambda pair: [*pair[0], *pair[1], (pair[2], 0)]
        ),
        parts.map(lambda part: [*part, (rules.UNIQUE, 0)]),
    ),
    max_leaves=5,
)


def frozen(numbers, dtype):
    array = np.array(numbers, dtype)
    array.flags.writeable = False
    return array


@st.composite
def graphs(draw):
    """A chain of a few transactions and what goes with it: any links, holders in the order of outputs, some from outside."""
    sizes = draw(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, 2, 2, 2, 3, 66])), min_size=1, max_size=12))
    seed = draw(st.integers(0, 1 << 32))
    random = np.random.default_rng(seed)
    holders, links, payers, outside, spender = [], [], [], [], []
    first_input, first_output = [], []
    unspent = []
    kinds = 40
    highest = -1
    for transaction, (inputs, outputs) in enumerate(sizes):
        first_input.append(len(links))
        first_output.append(len(holders))
        for _ in range(inputs if transaction else 0):
            if unspent and random.random() < 0.8:
                output = unspent.pop(int(random.integers(len(unspent))))
                links.append(output)
                payers.append(holders[output])
                spender[output] = transaction
            else:
                outside.append(len(links))
                links.append((1 << 40) - 1)
                payers.append(int(random.choice([NONE32, kinds - 1 - int(random.integers(3))])))
        for _ in range(outputs):
            new = random.random() < 0.5 and highest < kinds - 4
            highest += new
            holders.append(highest if new else int(random.choice([max(highest, 0), kinds - 1, 0])))
            spender.append(rules.UNSPENDABLE if random.random() < 0.1 else NONE32)
            if spender[-1] == NONE32:
                unspent.append(len(holders) - 1)
    value = random.choice([0, 10, 100, 101, 500], len(holders))
    ends = [*first_input[1:], len(links)]
    flags = [int(random.choice([0, 8, 24, 20])) if a < b else 1 for a, b in zip(first_input, ends, strict=True)]
    none = frozen([], np.int64)
    graph = Graph(
        frozen(first_input, np.uint32), none, frozen(first_output, np.uint32), none, frozen(flags, np.uint8),
        frozen(value, np.uint64), frozen(holders, np.uint32), frozen(spender, np.uint32),
        frozen([number & 0xFFFFFFFF for number in links], np.uint32), frozen([number >> 32 for number in links], np.uint8),
        frozen(payers, np.uint32), frozen(outside, np.uint64),
        frozen(random.choice(np.array([5, 50, 2**64 - 1], np.uint64), len(outside)), np.uint64),
    )  # fmt: skip
    starts = sorted({0, *random.integers(0, len(sizes), 3).tolist()})
    source = rules.FingerprintSource(
        frozen(random.choice([1, 2, 3, 4, 5, 7, 0], kinds), np.uint8), frozen(starts, np.uint32),
        frozen(random.integers(0, 2, (len(sizes), 32)), np.uint8), frozen(random.integers(0, 2, (len(outside), 32)), np.uint8),
        frozen(random.integers(0, 2, len(outside)), np.uint32), frozen(np.cumsum(random.integers(0, 3, kinds)), np.uint32), none,
        frozen(random.integers(0, 3, 3 * kinds), np.uint8), plain_features.output_places(graph),
    )  # fmt: skip
    return graph, source


@given(graphs(), st.lists(PROGRAMS, min_size=1, max_size=4), st.integers(0, 12), st.integers(0, 12))
def test_twins_agree_on_any_graph(made, programs, first, last):
    graph, source = made
    transactions = len(graph.flags)
    begin, end = sorted((min(first, transactions), min(last, transactions)))
    assert np.array_equal(source.places, compiled_features.output_places(graph))
    bits = plain_features.fingerprints(graph, source, rules.ORDERED_BIT, 0, transactions)
    assert np.array_equal(bits, compiled_features.fingerprints(graph, source, rules.ORDERED_BIT, 0, transactions))
    fees = plain_features.fees(graph, 0, transactions)
    assert np.array_equal(fees, compiled_features.fees(graph, 0, transactions))
    outside = rules.first_outside(graph.payer[graph.outside.astype(np.int64)], graph.outside)
    seen = int(graph.holder[: graph.first_output[begin]].max(initial=0)) if begin < transactions and begin else -1
    context = rules.ChangeContext(source.kind, seen, *outside, source.places, bits, fees, 0)
    for steps in programs:
        program = np.array(steps, np.int64)
        answers = [twin.change_outputs(graph, context, program, begin, end) for twin in (plain, compiled)]
        assert answers[0].tolist() == answers[1].tolist(), steps


@given(st.lists(st.integers(0, 1 << 34), min_size=1, max_size=30).map(sorted), st.integers(0, 30), st.integers(0, 30))
def test_numbers_beyond_32_bits(firsts, one, other):
    """Where the rows of each transaction begin, of a column whose high halves grow at its carries."""
    carries = np.repeat(np.arange(len(firsts)), np.diff(np.array(firsts) >> 32, prepend=0)).astype(np.int64)
    low, none = np.array(firsts).astype(np.uint32), np.array([], np.int64)
    many = np.broadcast_to(np.uint32(0), firsts[-1] + 5)  # that many rows, of one number in memory
    first, last = sorted((min(one, len(firsts)), min(other, len(firsts))))
    whole = [*firsts, len(many)]
    graph = Graph(
        low, carries, low, carries, np.zeros(len(firsts), np.uint8), many, many, many, many, many, many, none, none
    )
    for bounds in (compiled_features.input_bounds, compiled_features.output_bounds):
        assert bounds(graph, first, last).tolist() == whole[first : last + 1]
    plainly = plain_features.Rows(graph)
    for rows in (plainly.inputs, plainly.outputs):
        assert [rows(number) for number in range(len(firsts))] == [range(*pair) for pair in pairwise(whole)]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [(rules.AND, 0)],
        [(rules.UNIQUE, 0)],
        [(rules.SPENT, 0), (rules.OR, 0)],
        [(rules.SPENT, 0), (rules.SPENT, 0)],
    ],
)
def test_a_program_that_is_none_is_refused(steps):
    program = np.array(steps, np.int64).reshape(-1, 2)
    for twin in (plain, compiled):
        with pytest.raises(ValueError, match="set"):
            twin.change_outputs(None, None, program, 0, 0)
    assert rules.stack_depth(np.array([(1, 0), (2, 0), (20, 0), (23, 0)])) == 2
    assert not rules.uses(program, rules.PEELING)
