"""GraphML: well-formed, declared, exact, and every satoshi on an edge."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_reference import RULES
from trace_support import Chain, Services, bounds, chains, identity, starts, targets_of

from shieldwall.trace.follow import follow
from shieldwall.trace.graphml import graphml
from shieldwall.trace.limits import Limits
from shieldwall.trace.targets import find_targets

SPACE = "{http://graphml.graphdrawing.org/xmlns}"
TYPES = {"string": str, "long": int}
HOSTILE = "\"><evil a='1'>&amp;\x1b[2J\x00\ufffe]]>"


def read(text):
    """Nodes and edges as a reader of GraphML 1.0 gets them: values by the keys' names and types."""
    root = ET.fromstring(text.encode())  # noqa: S314 - our own text
    assert root.tag == SPACE + "graphml"
    keys = {key.get("id"): key for key in root.iter(SPACE + "key")}
    (graph,) = root.iter(SPACE + "graph")
    assert graph.get("edgedefault") == "directed"

    def values(entry, domain):
        found = {}
        for data in entry.findall(SPACE + "data"):
            key = keys[data.get("key")]
            assert key.get("for") == domain
            found[key.get("attr.name")] = TYPES[key.get("attr.type")](data.text)
        return found

    nodes = {node.get("id"): values(node, "node") for node in graph.iter(SPACE + "node")}
    edges = [(e.get("source"), e.get("target"), values(e, "edge")) for e in graph.iter(SPACE + "edge")]
    assert len(nodes) == len(list(graph.iter(SPACE + "node")))
    assert len({e.get("id") for e in graph.iter(SPACE + "edge")}) == len(edges)
    assert all(source in nodes and target in nodes for source, target, _ in edges)
    return nodes, edges, values(graph, "graph")


def written(result):
    text = graphml(result.body, result.digest)
    assert text == graphml(result.body, result.digest)
    return read(text)


@pytest.fixture
def store(tmp_path):
    chain = Chain()
    (first,) = chain.fund(2_099_999_999_999_999)
    desk, _ = chain.pay([first], ("desk", 60), ("friend", 2_099_999_999_999_938))
    chain.mine()
    del desk
    with chain.store_in(tmp_path) as store:
        yield store


def test_forward(store):
    labels = Services(frozenset([identity("desk")]), HOSTILE)
    result = follow(store, find_targets(store, [identity("origin")]), labels=labels)
    nodes, edges, graph = written(result)
    assert (graph["digest"], graph["method"], graph["direction"]) == (result.digest, "fifo", "forward")
    kinds = Counter(node["kind"] for node in nodes.values())
    assert kinds == {"start": 1, "transaction": 1, "service": 1, "held": 1, "fee": 1}
    (spend,) = result.body["transfers"]
    node = nodes[spend["txid"]]
    assert (node["txid"], node["height"], node["time"]) == (spend["txid"], spend["height"], spend["time"])
    assert sorted(values["amount"] for _, _, values in edges) == [1, 60, 2_099_999_999_999_938, 2_099_999_999_999_999]
    (service,) = [node for node in nodes.values() if node["kind"] == "service"]
    assert service["label"].startswith("\"><evil a='1'>&amp;\ufffd[2J")
    assert "\x1b" not in service["label"]


def test_backward(store):
    result = follow(store, find_targets(store, [identity("friend")]), direction="backward")
    nodes, edges, _ = written(result)
    assert [node["kind"] for node in nodes.values()] == ["transaction", "coinbase", "target"]
    assert [(nodes[a]["kind"], nodes[b]["kind"]) for a, b, _ in edges] == [
        ("coinbase", "transaction"), ("transaction", "target"),
    ]  # fmt: skip


@settings(max_examples=20)
@given(st.data())
def test_what_enters_a_transaction_leaves_it(data):
    chain = data.draw(chains())
    world = chain.world()
    start, wanted = data.draw(starts(world)), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    name = data.draw(st.sampled_from([name for name in RULES if name not in ("tiho", "poison")]))
    direction = data.draw(st.sampled_from(["forward", "backward"]))
    with chain.store() as store:
        targets = targets_of(store, start)
        result = follow(store, targets, name, limits, labels=Services(wanted.services), direction=direction)
    nodes, edges, _ = written(result)
    entered, left = Counter(), Counter()
    for source, target, values in edges:
        left[source] += values["amount"]
        entered[target] += values["amount"]
    for end in result.body["ends"]:
        side = entered if direction == "forward" else left
        assert side[f"end-{end['rank']}"] == end["amount"]
    starting = {outpoint[0] for outpoint in start.outputs} | {txid for txid, _ in start.inputs}
    for node, values in nodes.items():
        if values["kind"] == "transaction" and not (starting & {node, *(a for a, b, _ in edges if b == node)}):
            assert entered[node] == left[node]


def test_a_source_that_is_a_target_in_part_is_drawn_whole(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(5)
    chain.pay([coin], ("origin", 3), ("friend", 2))  # of the 5 that are asked for, 3 are asked for again behind this
    chain.mine()
    with chain.store_in(tmp_path) as store:
        result = follow(store, find_targets(store, [identity("origin")]), "fifo", direction="backward")
    (end,) = result.body["ends"]
    _, edges, _ = written(result)
    drawn = sorted(values["amount"] for source, _, values in edges if source == f"end-{end['rank']}")
    assert (end["kind"], end["amount"], drawn) == ("coinbase", 5, [2, 3])
