"""Minimum vertex cut: against trying every set of nodes, against networkx, and each twin against the other."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import UNCUTTABLE
from shieldwall.kernels.compiled import cutting as compiled
from shieldwall.kernels.plain import cutting as plain


def arrays(nodes, edges, weights, sources, sinks):
    table = np.array(sorted(edges), np.int64).reshape(-1, 2)
    first = np.searchsorted(table[:, 0], np.arange(nodes + 1)).astype(np.int64)
    begin, end = np.zeros(nodes, np.uint8), np.zeros(nodes, np.uint8)
    begin[sorted(sources)] = 1
    end[sorted(sinks)] = 1
    return first, np.ascontiguousarray(table[:, 1]), np.array(weights, np.int64), begin, end


def reaches(edges, sources, sinks, removed):
    seen = {node for node in sources if node not in removed}
    stack = list(seen)
    while stack:
        node = stack.pop()
        for one, other in edges:
            if one == node and other not in removed and other not in seen:
                seen.add(other)
                stack.append(other)
    return bool(seen & set(sinks))


@st.composite
def graphs(draw, most=7):
    nodes = draw(st.integers(1, most))
    number = st.integers(0, nodes - 1)
    edges = draw(st.sets(st.tuples(number, number), max_size=3 * nodes))
    weights = draw(st.lists(st.sampled_from([1, 1, 2, 5, UNCUTTABLE]), min_size=nodes, max_size=nodes))
    return nodes, edges, weights, draw(st.sets(number, max_size=3)), draw(st.sets(number, max_size=3))


@given(graphs())
def test_no_set_of_nodes_is_lighter(graph):
    nodes, edges, weights, sources, sinks = graph
    total, cut = plain.vertex_cut(*arrays(*graph))
    removable = [node for node in range(nodes) if weights[node] < UNCUTTABLE]
    best = min(
        (
            sum(weights[node] for node in chosen)
            for size in range(len(removable) + 1)
            for chosen in combinations(removable, size)
            if not reaches(edges, sources, sinks, chosen)
        ),
        default=-1,
    )
    assert total == best
    taken = set(np.flatnonzero(cut).tolist())
    if best < 0:
        assert not taken
    else:
        assert sum(weights[node] for node in taken) == best
        assert not reaches(edges, sources, sinks, taken)


@given(graphs(most=12))
def test_twins(graph):
    one, other = (kernel.vertex_cut(*arrays(*graph)) for kernel in (plain, compiled))
    assert one[0] == other[0]
    assert one[1].tolist() == other[1].tolist()


@pytest.mark.parametrize("seed", range(4))
def test_as_networkx(seed):
    made = np.random.default_rng(seed)
    nodes = 60
    edges = {(int(a), int(b)) for a, b in made.integers(0, nodes, (200, 2)) if a != b}
    weights = made.integers(1, 9, nodes).tolist()
    sources, sinks = {0, 1}, {nodes - 1, nodes - 2}
    graph = nx.DiGraph()
    for node in range(nodes):
        graph.add_edge(("in", node), ("out", node), capacity=weights[node])
    graph.add_edges_from((("out", one), ("in", other)) for one, other in edges)
    graph.add_edges_from(("begin", ("in", node)) for node in sources)
    graph.add_edges_from((("out", node), "end") for node in sinks)
    wanted = nx.maximum_flow_value(graph, "begin", "end")
    for kernel in (plain, compiled):
        total, cut = kernel.vertex_cut(*arrays(nodes, edges, weights, sources, sinks))
        assert total == wanted == sum(weights[node] for node in np.flatnonzero(cut))


def test_the_cut_nearest_the_sources_is_taken():
    chain = arrays(4, {(0, 1), (1, 2), (2, 3)}, [UNCUTTABLE, 1, 1, 1], {0}, {3})
    assert plain.vertex_cut(*chain)[1].tolist() == [0, 1, 0, 0]
    assert compiled.vertex_cut(*chain)[1].tolist() == [0, 1, 0, 0]
