"""The rules on one transaction: sums, bounds, order, and what they need to know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_reference import ORDERED, RULES, Unknown

from shieldwall.errors import UsageError
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.methods.haircut import shares
from shieldwall.trace.methods.interface import CLEAN, UnknownInput, amount_of, heaviest
from shieldwall.trace.methods.order import mirrored

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
            place: [k < part for k in range(values[place])] if name in ORDERED else part
            for place, part in dirty.items()
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
        if name in ORDERED:
            for taint, part in zip(got.outputs, parts, strict=True):
                assert [any(a <= k < b for a, b in taint) for k in range(len(part))] == part


def test_heaviest_is_the_first_of_equals():
    assert heaviest([0, 3, 3]) == 1
    assert heaviest([0, 0]) is heaviest([]) is None


def test_methods_by_name():
    assert list(METHODS) == ["poison", "haircut", "fifo", "lifo", "tiho"]
    for name, method in METHODS.items():
        assert (method.name, method.conserved, method.reversible) == (name, name != "poison", name != "tiho")
        assert method.rule
        assert method.source
        assert bool(method.backward_rule) == method.reversible
    with pytest.raises(UsageError, match="no method is called 'filo'"):
        method_named("filo")


# LIFO and TIHO


def test_lifo_takes_inputs_from_the_last():
    got = split("lifo", [10, 20], [(1, 0, 20)], [15, 10])
    assert got.outputs == (((0, 15),), ((0, 5),))
    assert (got.fee, got.origins) == (0, (1, 1))
    got = split("lifo", [10, 20], [(0, 0, 4)], [15, 10])
    assert (got.outputs, got.fee) == ((CLEAN, CLEAN), 4)  # the first satoshi of the first input leave last: the fee
    assert split("lifo", [10, 20], [(1, 18, 20)], [1, 29]).outputs == (((0, 1),), ((0, 1),))


def test_lifo_needs_no_value_before_the_first_tainted_input():
    assert split("lifo", [None, 10], [(1, 2, 6)], [4, 100]).outputs == (CLEAN, ((0, 4),))
    with pytest.raises(UnknownInput) as caught:
        split("lifo", [10, None], [(0, 0, 1)], [4])
    assert caught.value.place == 1


def test_tiho_fills_the_highest_output_first():
    got = split("tiho", [10, 20], [(0, 0, 10), (1, 0, 5)], [4, 12, 12])
    assert got.outputs == (CLEAN, ((0, 12),), ((0, 3),))  # of equal ones the lowest index
    assert (got.fee, got.origins) == (0, (None, 0, 1))
    assert split("tiho", [10], [(0, 0, 10)], [3, 5]).fee == 2
    assert split("tiho", [None, 7], [(1, 0, 7)], [2, 6]).outputs == (((0, 1),), ((0, 6),))


# laws


@st.composite
def transactions(draw):
    """Values of inputs with what is tainted of them, values of outputs."""
    values = draw(VALUES)
    taints = []
    for value in values:
        cuts = sorted(draw(st.sets(st.integers(0, value), max_size=4)))
        taints.append(tuple(zip(cuts[::2], cuts[1::2], strict=False)))
    left, outputs = sum(values), []
    for _ in range(draw(st.integers(1, 5))):
        outputs.append(draw(st.integers(0, left)))
        left -= outputs[-1]
    return values, taints, outputs


@given(transactions())
def test_what_enters_tainted_leaves_tainted(drawn):
    values, taints, outputs = drawn
    entered = sum(map(amount_of, taints))
    for name, method in METHODS.items():
        got = method_named(name).split(values, taints, outputs)
        parts = [amount_of(taint) for taint in got.outputs]
        assert all(part <= value for part, value in zip(parts, outputs, strict=True))
        assert all(0 <= a < b <= value for taint, value in zip(got.outputs, outputs, strict=True) for a, b in taint)
        if method.conserved:
            assert sum(parts) + got.fee == entered


@given(transactions())
def test_all_tainted_in_is_all_tainted_out(drawn):
    values, _, outputs = drawn
    taints = [((0, value),) if value else CLEAN for value in values]
    for name in METHODS:
        got = method_named(name).split(values, taints, outputs)
        assert [amount_of(taint) for taint in got.outputs] == outputs
        assert name == "poison" or got.fee == sum(values) - sum(outputs)


@given(transactions())
def test_lifo_is_fifo_of_the_inputs_turned_round(drawn):
    values, taints, outputs = drawn
    turned = [mirrored(taint, value) for taint, value in zip(taints, values, strict=True)]
    lifo = method_named("lifo").split(values, taints, outputs)
    fifo = method_named("fifo").split(values[::-1], turned[::-1], outputs)
    assert (lifo.outputs, lifo.fee) == (fifo.outputs, fifo.fee)


@given(transactions())
def test_tiho_leaves_a_lower_output_clean_until_the_higher_are_full(drawn):
    values, taints, outputs = drawn
    parts = [amount_of(taint) for taint in method_named("tiho").split(values, taints, outputs).outputs]
    for i, high in enumerate(outputs):
        for k, low in enumerate(outputs):
            if (high, -i) > (low, -k):
                assert parts[i] == high or not parts[k]


@given(transactions())
def test_the_way_back_is_the_way_there(drawn):
    """FIFO and LIFO: what an input brought to an output is what the output says that it got from it."""
    values, _, outputs = drawn
    for name in ORDERED:
        method = method_named(name)
        for place, value in enumerate(values):
            there = method.split(
                values, [((0, value),) if k == place and value else CLEAN for k in range(len(values))], outputs
            )
            for index, output in enumerate(outputs):
                wanted = [((0, output),) if k == index and output else CLEAN for k in range(len(outputs))]
                back = method.trace_back(values, wanted, outputs)
                assert amount_of(back.inputs[place]) == amount_of(there.outputs[index])
                assert back.unplaced == 0


@given(transactions(), st.data())
def test_what_is_asked_of_outputs_is_asked_of_inputs(drawn, data):
    values, _, outputs = drawn
    wanted = []
    for value in outputs:
        cuts = sorted(data.draw(st.sets(st.integers(0, value), max_size=4)))
        wanted.append(tuple(zip(cuts[::2], cuts[1::2], strict=False)))
    for name, method in METHODS.items():
        if method.conserved and method.reversible:
            got = method_named(name).trace_back(values, wanted, outputs)
            parts = [amount_of(taint) for taint in got.inputs]
            assert sum(parts) == sum(map(amount_of, wanted))
            assert all(part <= value for part, value in zip(parts, values, strict=True))
            assert [heir is not None for heir in got.heirs] == [bool(part) for part in parts]


def test_an_unknown_input_brought_what_the_others_did_not():
    fifo, lifo, haircut = (method_named(name) for name in ("fifo", "lifo", "haircut"))
    assert fifo.trace_back([10, None], [((0, 15),)], [15]).inputs == (((0, 10),), ((0, 5),))
    assert lifo.trace_back([None, 10], [((0, 15),)], [15]).inputs == (((0, 5),), ((0, 10),))
    assert haircut.trace_back([None], [((0, 7),)], [15]).inputs == (((0, 7),),)
    assert fifo.trace_back([10, None, 3], [((0, 10),)], [15]).inputs == (((0, 10),), CLEAN, CLEAN)
    for method, values in ((fifo, [10, None, 3]), (lifo, [3, None, 10]), (haircut, [10, None])):
        with pytest.raises(UnknownInput) as caught:
            method.trace_back(values, [((0, 11),)], [15])
        assert caught.value.place == 1
    assert method_named("poison").trace_back([None, 0, 4], [((1, 2),)], [9]).inputs == (((0, 0),), CLEAN, ((0, 4),))


def test_inputs_said_to_be_worth_less_than_the_outputs():
    """A source may lie about what an input brought; nothing may be lost or made by that."""
    for name in ("fifo", "lifo", "haircut"):
        got = method_named(name).trace_back([10], [((0, 30),), CLEAN], [30, 10])
        assert amount_of(got.inputs[0]) + got.unplaced == 30
        assert amount_of(got.inputs[0]) <= 10


def test_tiho_has_no_way_back():
    with pytest.raises(UsageError, match="tiho cannot be asked backward"):
        method_named("tiho").trace_back([1], [((0, 1),)], [1])


def test_fifo_of_thousands_of_inputs_and_outputs_is_quick():
    """Once every output went through every input: 25 million steps."""
    values = [2] * 5000
    got = split("fifo", values, [(place, 0, 1) for place in range(5000)], [2] * 5000)
    assert sum(amount_of(taint) for taint in got.outputs) == 5000
    assert got.outputs[4999] == ((0, 1),)
