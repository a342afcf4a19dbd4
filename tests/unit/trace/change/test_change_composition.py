"""Rules put together: the laws of sets, texts that say the same, and three ways to the same answer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from chain_support import build_store
from change_support import late_store_of, store_of, varied_chain
from hypothesis import given
from hypothesis import strategies as st

import simulator
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.trace.change.chainwide import ChainChanges, change_outputs
from shieldwall.trace.change.decide import decide
from shieldwall.trace.change.expression import DEFAULT, MOST_CHARACTERS, MOST_DEPTH, MOST_PARTS, parse
from shieldwall.trace.change.predicate import Rule, unique
from shieldwall.trace.change.predicates import (
    PREDICATES,
    address_type,
    every_predicate,
    locktime,
    power_of_ten,
    rbf,
)
from shieldwall.trace.change.view import TransactionView

LEAVES = st.sampled_from(every_predicate())
RULES = st.recursive(
    LEAVES,
    lambda rules: st.one_of(
        st.tuples(rules, rules).map(lambda pair: pair[0] & pair[1]),
        st.tuples(rules, rules).map(lambda pair: pair[0] | pair[1]),
        st.tuples(rules, rules).map(lambda pair: pair[0] - pair[1]),
        rules.map(unique),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def store():
    with store_of(varied_chain(3, blocks=60, transactions=8)) as store:
        yield store


def answers(store, rule: Rule):
    """What `decide` gives for each transaction, as output numbers."""
    found = []
    for number in range(store.rows("tx")):
        left = rule.candidates(TransactionView(store, number))
        found.append(store.output_range(number).start + min(left) if len(left) == 1 else -1)
    return found


@given(RULES, RULES, st.integers(0, 1 << 30))
def test_the_laws_of_composition(store, one, other, at):
    view = TransactionView(store, at % store.rows("tx"))
    a, b = one.candidates(view), other.candidates(view)
    assert (one & other).candidates(view) == a & b
    assert (one | other).candidates(view) == a | b
    assert (one - other).candidates(view) == a - b
    assert (one & other).candidates(view) <= a <= (one | other).candidates(view)
    assert unique(one).candidates(view) == (a if len(a) == 1 else frozenset())
    assert a <= {place for place, output in enumerate(view.outputs) if output in view.spendable}
    assert (one & other).looks_ahead == (one.looks_ahead or other.looks_ahead)


@given(RULES)
def test_a_text_says_its_rule(rule):
    assert parse(str(rule)) == rule
    assert str(parse(str(rule))) == str(rule)
    assert hash(parse(str(rule))) == hash(rule)


def test_signs_bind_as_in_python():
    a, b, c = address_type, locktime, rbf
    assert parse("address_type | locktime & rbf") == a | b & c
    assert parse("address_type & locktime - rbf") == a & b - c == a & (b - c)
    assert parse("address_type - locktime - rbf") == (a - b) - c
    assert parse("(address_type | locktime) & rbf") == (a | b) & c
    assert parse(" unique( address_type&locktime )|power_of_ten( 3 ) ") == unique(a & b) | power_of_ten(3)
    assert str((a | b) & c) == "(address_type | locktime) & rbf"
    assert str(a - (b - c)) == "address_type - (locktime - rbf)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the name of a rule (at its end)"),
        ("adress_type", "there is no rule adress_type; is address_type meant? (at character 1, before 'adress_type')"),
        ("unique", "expected ( (at its end)"),
        ("unique()", "expected the name of a rule (at character 8, before ')')"),
        ("address_type(3)", "expected &, | or - or the end (at character 13"),
        ("power_of_ten", "expected ("),
        ("power_of_ten(0)", "power_of_ten(0); n is a number from 1 to 15"),
        ("power_of_ten(999999)", "expected a number from 1 to 15"),
        ("power_of_ten(x)", "expected a number from 1 to 15"),
        ("consistent(relative_fee)", "no such feature; use one of locktime"),
        ("locktime rbf", "expected &, | or - or the end (at character 10, before 'rbf')"),
        ("locktime &", "expected the name of a rule (at its end)"),
        ("(locktime", "expected ) (at its end)"),
        ("locktime)", "expected &, | or - or the end (at character 9, before ')')"),
        ("locktime + rbf", "'+' has no meaning in a change rule (at character 10"),
        ("3", "expected the name of a rule"),
        ("lock\x1btime", "has no meaning"),
        ("(" * (MOST_DEPTH + 2), f"more than {MOST_DEPTH} parentheses within each other"),
        ("unique(" * (MOST_DEPTH + 2), f"more than {MOST_DEPTH} parentheses within each other"),
        ("rbf|" * MOST_PARTS + "rbf", f"more than {MOST_PARTS} names"),
        ("rbf " * MOST_CHARACTERS, f"a change rule of {4 * MOST_CHARACTERS} characters"),
    ],
)
def test_a_fault_names_its_place(text, said):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert said in caught.value.message
    assert caught.value.hint


WORDS = [
    *PREDICATES,
    "unique",
    "power_of_ten",
    "consistent",
    "locktime",
    "(",
    ")",
    "(",
    ")",
    "&",
    "|",
    "-",
    "3",
    "16",
    " ",
    "ä",
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=40).map("".join)))
def test_any_text_is_a_rule_or_a_fault(text):
    try:
        rule = parse(text)
    except UsageError as error:
        assert "change rule" in error.message  # noqa: PT017 - it may be a rule as well
        return
    assert parse(str(rule)) == rule


def test_the_largest_rule_is_worked_out(store):
    widest = "|".join(["rbf"] * MOST_PARTS)
    deepest = "(" * MOST_DEPTH + "rbf" + ")" * MOST_DEPTH
    for text in (widest, deepest, "unique(" * MOST_DEPTH + "rbf" + ")" * MOST_DEPTH):
        rule = parse(text)
        assert parse(str(rule)) == rule
        assert change_outputs(store, rule).tolist() == change_outputs(store, unique(rbf)).tolist()
        assert decide(store, 9, rule).published


# three ways to the same answer


@given(st.integers(0, 40), RULES, st.integers(0, 6), st.sampled_from(["whole", "late", "late with undo"]))
def test_kernels_and_decide_agree_on_random_chains(seed, rule, first, kind):
    maker = varied_chain(seed, blocks=5, transactions=3)
    kept = store_of(maker) if kind == "whole" else late_store_of(maker, 1 + first, undo=kind == "late with undo")
    with kept as store:
        wanted = answers(store, rule)
        assert change_outputs(store, rule, engine="plain").tolist() == wanted
        assert change_outputs(store, rule, engine="compiled").tolist() == wanted


@pytest.mark.parametrize("rule", [*map(str, every_predicate()), DEFAULT], ids=str)
def test_kernels_and_decide_agree_on_every_predicate(store, rule):
    wanted = answers(store, parse(rule))
    for engine in ("plain", "compiled"):
        assert change_outputs(store, rule, engine=engine).tolist() == wanted
    assert any(output >= 0 for output in wanted) or rule in ("none", "standard")
    for number, output in enumerate(wanted):
        verdict = decide(store, number, rule)
        place = None if output < 0 else output - store.output_range(number).start
        assert (verdict.output, verdict.rule) == (place, rule)


@given(st.data())
def test_ranges_give_what_the_whole_gives(store, data):
    rule = data.draw(
        st.sampled_from([DEFAULT, "fresh_address", "peeling", "consistent(ordered) | consistent(absolute_fee)"])
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, store.rows("tx")), max_size=4)))
    whole = change_outputs(store, rule)
    for engine in ("plain", "compiled"):
        changes = ChainChanges(store, rule, engine=engine)
        edges = [0, *cuts, store.rows("tx")]
        parts = [changes.outputs(first, last) for first, last in pairwise(edges)]
        assert np.concatenate(parts).tolist() == whole.tolist()
        if cuts:
            assert changes.outputs(cuts[0], cuts[-1]).tolist() == whole[cuts[0] : cuts[-1]].tolist()


def test_a_rule_that_does_not_look_ahead_stays_as_it_was():
    """The answers of a longer chain begin with those of the shorter."""
    maker = varied_chain(8, blocks=6)
    with store_of(maker) as shorter:
        before = {
            str(rule): change_outputs(shorter, rule).tolist() for rule in every_predicate() if not rule.looks_ahead
        }
    longer = varied_chain(8, blocks=9)
    assert longer.blocks[: len(maker.blocks)] == maker.blocks
    with store_of(longer) as store:
        for rule, wanted in before.items():
            assert change_outputs(store, rule, 0, len(wanted)).tolist() == wanted


# the simulator's chain


def test_kernels_and_decide_agree_on_a_simulated_chain(tmp_path):
    simulator.make(tmp_path / "chain", transactions=1_000)
    build_store(tmp_path / "store", tmp_path / "chain" / "blocks")
    with ChainStore.open(tmp_path / "store") as store:
        for rule in (*map(str, every_predicate()), DEFAULT):
            plain = change_outputs(store, rule, engine="plain")
            assert np.array_equal(plain, change_outputs(store, rule, engine="compiled")), rule
            for number in range(0, store.rows("tx"), 7):
                index = decide(store, number, rule).output
                assert plain[number] == (-1 if index is None else store.output_range(number).start + index), rule
