"""The three rules on one transaction: sums, bounds, order, and what they need to know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_reference import RULES, Unknown

from shieldwall.errors import UsageError
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.methods.haircut import shares
from shieldwall.trace.methods.interface import CLEAN, UnknownInput, amount_of, heaviest

MOST = 21 * 10**14
VALUES = st.lists(st.integers(0, 40), min_size=1, max_size=6)


@given(st.lists(st.integers(0, MOST), min_size=1, max_size=8), st.integers(0, MOST))
def test_shares_keep_every_unit_within_one_of_the_exact_share(weights, part):
    divided = shares(part, weights)
    whole = sum(weights)
    if not whole:
        assert divided == [0] * len(weights)
        return
    assert sum(divided) == part
    for got, weight in zip(divided, weights, strict=True):
        assert part * weight // whole <= got <= -(-part * weight // whole)
        assert got or not weight or part * weight < whole
    if part <= whole:
        assert all(got <= weight for got, weight in zip(divided, weights, strict=True))


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8), st.integers(0, 100))
def test_shares_follow_the_order_of_the_weights(weights, part):
    divided = shares(part, weights)
    for i, one in enumerate(weights):
        for k, other in enumerate(weights):
            assert one <= other or divided[i] >= divided[k]
            if i < k and one == other:
                assert 0 <= divided[i] - divided[k] <= 1  # of equals, the lowest index first


def test_shares_are_exact_beyond_64_bits():
    assert shares(MOST, [MOST, MOST, 1]) == [MOST // 2, MOST // 2, 0]
    assert shares(1, [MOST, MOST]) == [1, 0]
    assert shares(MOST - 1, [MOST - 1, 1]) == [MOST - 2, 1]
    assert shares(3, [1, 1, 1, 1]) == [1, 1, 1, 0]
    assert shares(5, [0, 3, 0, 2]) == [0, 3, 0, 2]


def split(name, values, dirty, outputs):
    """`dirty`: (input, first, last) runs."""
    taints = [CLEAN] * len(values)
    for place, first, last in dirty:
        taints[place] = (*taints[place], (first, last))
    return method_named(name).split(values, taints, outputs)


def test_fifo_takes_inputs_in_order():
    got = split("fifo", [10, 20], [(1, 0, 20)], [15, 10])
    assert got.outputs == (((10, 15),), ((0, 10),))
    assert (got.fee, got.origins) == (5, (1, 1))


def test_fifo_joins_runs_and_lets_a_fee_take_the_end():
    got = split("fifo", [10, 10, 10], [(0, 5, 10), (1, 0, 3), (2, 9, 10)], [8, 0, 21])
    assert got.outputs == (((5, 8),), CLEAN, ((0, 5),))
    assert (got.fee, got.origins) == (1, (0, None, 1))
    assert split("fifo", [5], [(0, 0, 5)], [0, 5, 0]).outputs == (CLEAN, ((0, 5),), CLEAN)


def test_fifo_needs_no_value_behind_the_last_tainted_input():
    got = split("fifo", [10, None, None], [(0, 2, 6)], [4, 100])
    assert got.outputs == (((2, 4),), ((0, 2),))
    with pytest.raises(UnknownInput) as caught:
        split("fifo", [None, 10], [(1, 0, 1)], [4])
    assert caught.value.place == 0


def test_haircut_needs_every_value():
    with pytest.raises(UnknownInput) as caught:
        split("haircut", [10, 3, None], [(0, 0, 10)], [5])
    assert caught.value.place == 2
    got = split("haircut", [10, 30], [(0, 0, 10)], [20, 13])
    assert ([amount_of(taint) for taint in got.outputs], got.fee) == ([5, 3], 2)
    assert split("haircut", [10], [(0, 0, 1)], [5, 5]).outputs == (((0, 1),), CLEAN)  # a tie: the lowest index


def test_haircut_of_outputs_worth_more_than_the_inputs_keeps_the_sum():
    """A source may lie about what an input brought; nothing may be lost or made by that."""
    got = split("haircut", [10], [(0, 0, 10)], [30, 10])
    assert ([amount_of(taint) for taint in got.outputs], got.fee) == ([8, 2], 0)
    assert split("fifo", [10], [(0, 0, 10)], [30, 10]).outputs == (((0, 10),), CLEAN)


def test_poison_needs_no_value_and_marks_whole_outputs():
    got = split("poison", [None, None], [(1, 0, 1)], [7, 0, 9])
    assert (got.outputs, got.fee, got.origins) == ((((0, 7),), CLEAN, ((0, 9),)), 0, (1, None, 1))
    assert split("poison", [1], [], [7]).outputs == (CLEAN,)


@given(VALUES, st.data())
def test_split_is_what_the_reference_says(values, data):
    dirty = {place: data.draw(st.integers(0, value)) for place, value in enumerate(values) if data.draw(st.booleans())}
    dirty = {place: part for place, part in dirty.items() if part}
    left, outputs = sum(values), []
    while data.draw(st.booleans()) and len(outputs) < 5:
        outputs.append(data.draw(st.integers(0, left)))
        left -= outputs[-1]
    known = [None if place not in dirty and data.draw(st.integers(0, 4)) == 0 else v for place, v in enumerate(values)]
    taints = [((0, dirty[place]),) if place in dirty else CLEAN for place in range(len(values))]
    for name, rule in RULES.items():
        coloured = {
            place: [k < part for k in range(values[place])] if name == "fifo" else part for place, part in dirty.items()
        }
        if not coloured:
            continue
        stopped = None
        try:
            parts, fee = rule().divide(known, coloured, outputs)
        except Unknown as unknown:
            stopped = unknown.args[0]
        if stopped is not None:
            with pytest.raises(UnknownInput) as caught:
                method_named(name).split(known, taints, outputs)
            assert caught.value.place == stopped
            continue
        got = method_named(name).split(known, taints, outputs)
        assert [amount_of(taint) for taint in got.outputs] == [rule().amount(part) for part in parts]
        assert got.fee == fee
        for taint, origin in zip(got.outputs, got.origins, strict=True):
            assert (origin in dirty) == bool(taint)
            assert all(first < last for first, last in taint)
        if name == "fifo":
            for taint, part in zip(got.outputs, parts, strict=True):
                assert [any(a <= k < b for a, b in taint) for k in range(len(part))] == part


def test_heaviest_is_the_first_of_equals():
    assert heaviest([0, 3, 3]) == 1
    assert heaviest([0, 0]) is heaviest([]) is None


def test_methods_by_name():
    assert list(METHODS) == ["poison", "haircut", "fifo"]
    for name, method in METHODS.items():
        assert (method.name, method.conserved) == (name, name != "poison")
        assert method.rule
        assert method.source
    with pytest.raises(UsageError, match="no method is called 'lifo'"):
        method_named("lifo")


def test_fifo_of_thousands_of_inputs_and_outputs_is_quick():
    """Once every output went through every input: 25 million steps."""
    values = [2] * 5000
    got = split("fifo", values, [(place, 0, 1) for place in range(5000)], [2] * 5000)
    assert sum(amount_of(taint) for taint in got.outputs) == 5000
    assert got.outputs[4999] == ((0, 1),)
