"""The Merkle tree of RFC 6962: the growing frontier, the recursive definition and another implementation say the same."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from shieldwall.model.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

ENTRIES = st.lists(st.binary(max_size=6), max_size=40)
SOME = st.lists(st.binary(max_size=6), min_size=1, max_size=40)


def grown(leaves):
    edge = Frontier()
    for leaf in leaves:
        edge = edge.append(leaf)
    return edge


def test_the_empty_tree_and_the_first_leaf_are_those_of_the_standard():
    assert Frontier().root == EMPTY == hashlib.sha256(b"").digest() == root_of([])
    assert grown([leaf_hash(b"")]).root == hashlib.sha256(b"\x00").digest()


def test_a_leaf_is_never_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


@given(ENTRIES)
def test_frontier_recursion_and_pymerkle_agree_on_every_root(entries):
    leaves = [leaf_hash(entry) for entry in entries]
    oracle = InmemoryTree(algorithm="sha256")
    edge = Frontier()
    for size, entry in enumerate(entries, 1):
        oracle.append_entry(entry)
        edge = edge.append(leaf_hash(entry))
        assert oracle.get_leaf(size) == leaf_hash(entry)
        assert edge.root == oracle.get_root() == root_of(leaves[:size])
    assert Frontier.from_bytes(edge.size, edge.to_bytes()) == edge


@given(SOME, st.data())
def test_inclusion_proofs_hold_and_are_those_of_pymerkle(entries, data):
    leaves = [leaf_hash(entry) for entry in entries]
    place = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(leaves, place)
    root = root_of(leaves)
    assert is_included(leaves[place], place, len(leaves), root, proof)
    oracle = InmemoryTree(algorithm="sha256")
    oracle.append_entries(entries)
    theirs = oracle.prove_inclusion(place + 1)
    assert sorted(theirs.path) == sorted([leaves[place], *proof])


@given(SOME, st.data())
def test_a_changed_inclusion_proof_shows_nothing(entries, data):
    leaves = [leaf_hash(bytes([number])) for number in range(len(entries))]
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(
        st.integers(0, len(leaves) - 1).filter(lambda number: number != place) if len(leaves) > 1 else st.just(1)
    )
    proof, root = list(inclusion_proof(leaves, place)), root_of(leaves)
    assert not is_included(leaves[place], other, len(leaves), root, proof)
    assert not is_included(leaf_hash(b"another"), place, len(leaves), root, proof)
    assert not is_included(leaves[place], place, len(leaves), root, [*proof, EMPTY])
    if proof:
        assert not is_included(leaves[place], place, len(leaves), root, proof[:-1])
        spoiled = data.draw(st.integers(0, len(proof) - 1))
        proof[spoiled] = EMPTY
        assert not is_included(leaves[place], place, len(leaves), root, proof)


@given(SOME, st.data())
def test_consistency_proofs_hold_for_the_same_history_alone(entries, data):
    leaves = [leaf_hash(bytes([number])) for number in range(len(entries))]
    size = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(leaves, size)
    old, new = root_of(leaves[:size]), root_of(leaves)
    assert is_consistent(size, old, len(leaves), new, proof)
    changed = data.draw(st.integers(0, size - 1))
    rewritten = [*leaves[:changed], leaf_hash(b"rewritten"), *leaves[changed + 1 :]]
    assert not is_consistent(size, old, len(leaves), root_of(rewritten), consistency_proof(rewritten, size))
    assert not is_consistent(size, EMPTY, len(leaves), new, proof)
    assert not is_consistent(size, old, len(leaves), new, [*proof, EMPTY])


def test_what_is_no_tree_is_refused():
    with pytest.raises(ValueError, match="heads"):
        Frontier(3, (EMPTY,))
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier.from_bytes(1, b"short")
    with pytest.raises(IndexError):
        inclusion_proof([EMPTY], 1)
    with pytest.raises(IndexError):
        consistency_proof([EMPTY], 0)
    assert not is_included(EMPTY, -1, 1, EMPTY, [])
    assert not is_consistent(0, EMPTY, 1, EMPTY, [])
