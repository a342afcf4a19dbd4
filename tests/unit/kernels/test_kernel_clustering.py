"""Union-find: both forms against each other, against networkx's idea of a component, and under constraints."""

import numpy as np
import pytest
from clustering_support import graph, worlds
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import NONE32, OTHER_NAME, TOO_LARGE, TWO_NAMES
from shieldwall.kernels.engine import kernel

BOTH = [kernel("clustering", compiled=False), kernel("clustering", compiled=True)]
EVERYBODY = np.empty(0, np.uint8)


def left(flags):
    return np.array(flags, np.uint8)


def components(people, groups):
    """Sets of people that groups join, by a search over the groups: nothing of union-find."""
    found = list(range(people))
    for start in range(people):
        reached, todo = {start}, [start]
        while todo:
            at = todo.pop()
            for group in groups:
                if at in group:
                    todo += [other for other in group if other not in reached]
                    reached |= set(group)
        found[start] = min(reached)
    return found


def constrained(kernels, people, payers, left_out, change, holders, labels, most=0):
    """Co-spend of all, then change of all: the cluster of each, what was refused, and the state."""
    world, last = graph(payers, holders), len(payers)
    parent, label = np.arange(people, dtype=np.uint32), np.array(labels, np.uint32)
    refused = np.zeros((2, 50, 4), np.int64)
    first = kernels.in_order(world, left(left_out), EVERYBODY, parent, label, refused[0], 0, last)
    kernels.flatten(parent)
    size = np.bincount(parent, minlength=people).astype(np.uint32)
    second = kernels.join_change(
        world, left(left_out), np.array(change, np.int64), parent, label, size, most, refused[1], 0, last
    )
    kernels.flatten(parent)
    return parent.tolist(), [*refused[0, :first].tolist(), *refused[1, :second].tolist()], (parent, label, size)


@pytest.mark.parametrize("kernels", BOTH)
@given(worlds(), st.integers(1, 3))
def test_co_spend_joins_who_pays_together(kernels, world, threads):
    people, payers, left_out, *_ = world
    parent = np.arange(people, dtype=np.uint32)
    kernels.co_spend(graph(payers), left(left_out), parent, 0, len(payers), threads)
    assert (parent <= np.arange(people)).all()
    kernels.flatten(parent)
    groups = [
        {payer for payer in group if payer is not None} for group, out in zip(payers, left_out, strict=True) if not out
    ]
    assert parent.tolist() == components(people, groups)


@pytest.mark.parametrize("kernels", BOTH)
@given(worlds(), st.integers(0, 14))
def test_a_range_at_a_time_gives_the_same(kernels, world, cut):
    people, payers, left_out, *_ = world
    cut = min(cut, len(payers))
    whole, parts = np.arange(people, dtype=np.uint32), np.arange(people, dtype=np.uint32)
    kernels.co_spend(graph(payers), left(left_out), whole, 0, len(payers))
    kernels.flatten(whole)
    kernels.co_spend(graph(payers), left(left_out[:cut]), parts, 0, cut)
    kernels.flatten(parts)
    kernels.co_spend(graph(payers), left(left_out[cut:]), parts, cut, len(payers))
    kernels.flatten(parts)
    assert whole.tolist() == parts.tolist()


@given(worlds(), st.integers(0, 3))
def test_both_forms_refuse_the_same(world, most):
    assert constrained(BOTH[0], *world, most=most)[:2] == constrained(BOTH[1], *world, most=most)[:2]


@given(worlds())
def test_no_set_ever_bears_two_names(world):
    people, *_, labels = world
    flat, refused, (_, label, size) = constrained(BOTH[0], *world)
    for root in set(flat):
        members = [holder for holder in range(people) if flat[holder] == root]
        names = {labels[holder] for holder in members} - {0}
        assert len(names) <= 1
        assert size[root] == len(members)
        assert {int(label[root])} - {0} == names
    assert all(one != other and min(one, other) > 0 for _, why, one, other in refused if why in (TWO_NAMES, OTHER_NAME))


@given(worlds())
def test_without_names_nothing_is_refused_and_it_is_co_spend(world):
    people, payers, left_out, change, holders, _ = world
    flat, refused, _ = constrained(BOTH[1], people, payers, left_out, [-1] * len(change), holders, [0] * people)
    free = np.arange(people, dtype=np.uint32)
    BOTH[1].co_spend(graph(payers), left(left_out), free, 0, len(payers))
    BOTH[1].flatten(free)
    assert (flat, refused) == (free.tolist(), [])


@pytest.mark.parametrize("kernels", BOTH)
def test_payers_of_two_names_join_nobody(kernels):
    flat, refused, _ = constrained(kernels, 4, [[0, 2, 1], [2, 3]], [0, 0], [-1, -1], [0, 0], [7, 8, 0, 0])
    assert flat == [0, 1, 2, 2]
    assert refused == [[0, TWO_NAMES, 7, 8]]


@pytest.mark.parametrize("kernels", BOTH)
def test_change_joins_but_not_another_name_and_not_beyond_the_most(kernels):
    assert constrained(kernels, 2, [[1]], [0], [0], [0], [0, 0])[0] == [0, 0]
    flat, refused, _ = constrained(kernels, 2, [[1]], [0], [0], [0], [5, 6])
    assert (flat, refused) == ([0, 1], [[0, OTHER_NAME, 5, 6]])
    payers = [[0, 1], [2, 3], [0]]
    flat, refused, _ = constrained(kernels, 4, payers, [0] * 3, [-1, -1, 2], [0, 0, 3], [0] * 4, most=3)
    assert (flat, refused) == ([0, 0, 2, 2], [[2, TOO_LARGE, 0, 0]])
    flat, refused, _ = constrained(kernels, 4, payers, [0] * 3, [-1, -1, 2], [0, 0, 3], [0] * 4, most=4)
    assert (flat, refused) == ([0, 0, 0, 0], [])


@pytest.mark.parametrize("kernels", BOTH)
def test_an_unknown_payer_is_nobody(kernels):
    parent = np.arange(3, dtype=np.uint32)
    kernels.co_spend(graph([[None, 0], [1, None, 2], [None, None]]), left([0, 0, 0]), parent, 0, 3)
    kernels.flatten(parent)
    assert parent.tolist() == [0, 1, 1]
    assert NONE32 not in parent


@given(worlds(), st.integers(0, 4))
def test_change_never_takes_apart_what_pays_together_and_never_makes_too_large_a_set(world, most):
    people, payers, left_out, change, holders, labels = world
    before, _, _ = constrained(BOTH[1], people, payers, left_out, [-1] * len(change), holders, labels)
    after, _, _ = constrained(BOTH[1], *world, most=most)
    assert all(after[a] == after[b] for a in range(people) for b in range(people) if before[a] == before[b])
    grown = [root for root in set(after) if len({before[k] for k in range(people) if after[k] == root}) > 1]
    assert all(after.count(root) <= most for root in grown) or not most
