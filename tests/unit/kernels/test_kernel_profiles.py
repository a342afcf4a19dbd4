"""Profiles of transactions: both kernels against what the words mean, at carries, unknown holders and in any order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import NONE32, Graph
from shieldwall.kernels.compiled import profiles as compiled
from shieldwall.kernels.plain import profiles as plain
from shieldwall.kernels.profile_bits import LAST_KIND, WITNESS_KINDS
from shieldwall.kernels.warm import column, tiny_graph
from shieldwall.model.script import ScriptKind

FLAGS = [0, 1, 4, 8, 16, 32, 48, 64, 1 | 16 | 64, 4 | 8 | 32, 8 | 16 | 64, 0xFF & ~2]


def graph_of(flags, payers):
    """A graph of transactions with these flags and lists of payers; outputs play no part."""
    counts = [len(own) for own in payers]
    firsts = [sum(counts[:place]) for place in range(len(counts))]
    return tiny_graph()._replace(
        first_input=column(firsts, np.uint32),
        flags=column(flags, np.uint8),
        payer=column([payer for own in payers for payer in own], np.uint32),
    )


def meant(flags, payers, kinds):
    """The word from the words of its description."""
    known = [kinds[payer] if kinds[payer] <= LAST_KIND else 0 for payer in payers if payer != NONE32]
    word = {16: 1, 32: 2, 48: 3}.get(flags & 48, 0)
    word += 4 * bool(flags & 4) + 8 * bool(flags & 8) + 16 * bool(set(known) & set(WITNESS_KINDS))
    word += 32 * (NONE32 in payers) + sum(64 << kind for kind in set(known))
    return word + 32768 * (flags & 1)


TRANSACTIONS = st.lists(
    st.tuples(st.sampled_from(FLAGS), st.lists(st.one_of(st.integers(0, 9), st.just(NONE32)), max_size=4)), max_size=12
)


@given(TRANSACTIONS, st.permutations(range(10)), st.integers(0, 12), st.integers(0, 12), st.lists(st.integers(0, 11)))
def test_both_kernels_say_what_the_words_mean(made, kinds, one, other, chosen):
    graph = graph_of([flags for flags, _ in made], [payers for _, payers in made])
    kind_of = column(list(kinds), np.uint8)
    expected = np.array([meant(flags, payers, kinds) for flags, payers in made], np.uint16)
    first, last = sorted((min(one, len(made)), min(other, len(made))))
    picked = np.array([number for number in chosen if number < len(made)], np.int64)
    for kernels in (plain, compiled):
        found = kernels.profile_bits(graph, kind_of, first, last)
        assert found.dtype == np.uint16
        assert found.tolist() == expected[first:last].tolist()
        assert kernels.profiles_of(graph, kind_of, picked).tolist() == expected[picked].tolist()


def test_the_high_half_of_input_numbers_is_heeded():
    """Beyond 2^32 inputs: `first_input` alone would lead back to the front. No test can hold so many; row 1 is past the end."""
    graph: Graph = graph_of([16, 16], [[0], [1]])._replace(first_input_carries=np.array([1], np.int64))
    graph.first_input_carries.flags.writeable = False
    kinds = column([2, 5], np.uint8)
    for kernels in (plain, compiled):
        # the first transaction's rows run to the carried number of the second: more than there are
        assert kernels.profiles_of(graph, kinds, np.array([1])).tolist() == [1]


def test_kinds_are_those_of_the_model():
    assert tuple(ScriptKind[name] for name in ("P2WPKH", "P2WSH", "P2TR", "WITNESS")) == WITNESS_KINDS
    assert max(kind for kind in ScriptKind if kind != ScriptKind.OP_RETURN) == LAST_KIND
