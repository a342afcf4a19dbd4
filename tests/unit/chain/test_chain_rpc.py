"""Blocks asked of a node over JSON-RPC: the same store as from its files, and clear words where the node has a hole."""

from __future__ import annotations

import contextlib
import json

import pytest
from chain_support import build_store, facts_of, fork, outputs_of, random_chain, rev_file, write
from hypothesis import given, settings
from hypothesis import strategies as st
from node_support import URL, SimulatedNode

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.readers.interface import silent
from shieldwall.chain.readers.rpc import RpcReader
from shieldwall.chain.readers.rpc_client import NodeAway, RpcClient
from shieldwall.chain.sources import SourceOptions
from shieldwall.errors import BadBlock, BadInput, BadText, PartialData, ShieldwallError, WrongNetwork
from shieldwall.model.network import MAIN, REGTEST


@pytest.fixture(scope="module")
def chain():
    return random_chain(7, blocks=14)


@pytest.fixture
def node(chain):
    return SimulatedNode(list(chain.blocks))


def from_node(folder, node, **more):
    return build(folder, [URL], options=node.options(**more))


def test_a_node_and_its_block_files_give_one_store(tmp_path, chain, node):
    report = from_node(tmp_path / "node", node)
    assert (report.blocks, report.unresolved, report.partial) == (len(chain.blocks), 0, False)
    build_store(tmp_path / "files", write(tmp_path / "blk00000.dat", chain.blocks))
    assert facts_of(tmp_path / "node") == facts_of(tmp_path / "files")
    again = from_node(tmp_path / "node", node)
    assert (again.blocks, again.already) == (0, len(chain.blocks))
    assert node.calls["getblock"] == len(chain.blocks)


@settings(max_examples=15)
@given(first=st.integers(1, 14))
def test_from_any_height_on_the_node_tells_what_was_spent_as_undo_files_do(tmp_path_factory, chain, first):
    folder = tmp_path_factory.mktemp("middle")
    node = SimulatedNode(list(chain.blocks))
    assert from_node(folder / "node", node, first=first).unresolved == 0
    part = chain.blocks[first:]
    rev_file(folder / "rev00000.dat", part, outputs_of(chain.blocks))
    build_store(folder / "files", write(folder / "blk00000.dat", part))
    assert facts_of(folder / "node") == facts_of(folder / "files")


def test_an_index_tells_what_a_node_without_previous_outputs_does_not(tmp_path, node):
    from_node(tmp_path / "newer", node, first=8)
    node.says_previous, node.has_index = False, True
    assert from_node(tmp_path / "index", node, first=8).unresolved == 0
    assert facts_of(tmp_path / "newer") == facts_of(tmp_path / "index")


def test_what_no_node_tells_is_a_gap_until_one_does(tmp_path, chain, node):
    node.says_previous = False
    report = from_node(tmp_path / "store", node, first=8)
    facts = facts_of(tmp_path / "store")
    assert report.unresolved == facts["unresolved_inputs"] > 0
    assert node.calls["getrawtransaction"] > 0
    asked = node.calls["getrawtransaction"]
    from_node(tmp_path / "other", node, first=8)
    assert node.calls["getrawtransaction"] == 2 * asked  # a node without an index is asked once, not for every block
    node.says_previous = True
    from_node(tmp_path / "store", node, first=8)
    assert facts_of(tmp_path / "store")["unresolved_inputs"] == 0
    assert facts_of(tmp_path / "store")["last_height"] == len(chain.blocks) - 1


def test_fewer_confirmations_wait(tmp_path, chain, node):
    assert from_node(tmp_path, node, confirmations=4).blocks == len(chain.blocks) - 3


def test_a_reorganisation_while_headers_are_read(tmp_path, chain, node, monkeypatch):
    monkeypatch.setattr("shieldwall.chain.readers.rpc._HEADERS", 4)
    other = fork(chain, 9, 3, blocks=8)

    def reorganise(method):
        if node.calls["getblockheader"] == 12:
            node.blocks = list(other.blocks)

    node.before_call = reorganise
    from_node(tmp_path / "node", node)
    build_store(tmp_path / "files", write(tmp_path / "blk00000.dat", other.blocks))
    assert facts_of(tmp_path / "node") == facts_of(tmp_path / "files")


def test_a_chain_that_never_rests(tmp_path, chain, node, monkeypatch):
    monkeypatch.setattr("shieldwall.chain.readers.rpc._HEADERS", 4)
    branches = [list(chain.blocks), list(fork(chain, 5, 3, blocks=9).blocks)]

    def reorganise(method):
        if method == "getblockhash":
            node.blocks = branches[node.calls[method] // 4 % 2]

    node.before_call = reorganise
    with pytest.raises(NodeAway, match="reorganises while it is read"):
        from_node(tmp_path, node)


def test_a_block_that_goes_while_it_is_read_leaves_the_last_commit(tmp_path, chain, node):
    from_node(tmp_path, SimulatedNode(list(chain.blocks[:6])))
    before = facts_of(tmp_path)

    def prune(method):
        if method == "getblock":
            node.kept_from = 12

    node.before_call = prune
    with pytest.raises(PartialData, match=r"does not give block .*pruned"):
        from_node(tmp_path, node)
    assert facts_of(tmp_path) == before


def test_a_pruned_node_says_from_where_it_can_be_read(tmp_path, node):
    node.kept_from = 9
    with pytest.raises(PartialData, match="has no blocks below height 9") as caught:
        from_node(tmp_path, node)
    assert "--since 9" in caught.value.hint
    assert from_node(tmp_path, node, first=9).unresolved == 0


def test_a_node_of_another_network(tmp_path, node):
    with pytest.raises(WrongNetwork, match="serves regtest, not main"):
        build(tmp_path, [URL], network=MAIN, options=node.options())
    node.blocks[0] = node.blocks[1]
    with pytest.raises(BadText, match="of no network that is known here"):
        from_node(tmp_path, node)


def answering(**answers):
    """A transport that gives these results."""

    def post(body):
        calls = json.loads(body)
        return json.dumps(
            [{"id": call["id"], "result": answers.get(call["method"]), "error": None} for call in calls]
        ).encode()

    return post


def test_another_block_than_was_asked_for(tmp_path, chain, node):
    honest = node.post

    def post(body):
        answers = json.loads(honest(body))
        for answer in answers:
            if isinstance(answer["result"], str) and len(answer["result"]) > 64:
                answer["result"] = chain.blocks[3].hex()
        return json.dumps(answers).encode()

    with pytest.raises(BadBlock, match="another block than"):
        build(tmp_path, [URL], options=SourceOptions(post=post))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("nonce", 1, "hash to"),
        ("merkleroot", "00" * 32, "hash to"),
        ("height", 3, "the node says height 3"),
        ("bits", "20", "8 hex digits"),
        ("time", "now", "whole number"),
        ("hash", None, "64 hex digits"),
    ],
)
def test_a_header_is_held_to_its_hash(tmp_path, node, field, value, words):
    honest = node.post

    def post(body):
        answers = json.loads(honest(body))
        for answer in answers:
            if isinstance(answer["result"], dict) and answer["result"].get("height") == 5:
                answer["result"][field] = value
        return json.dumps(answers).encode()

    with pytest.raises(BadInput, match=words):
        build(tmp_path, [URL], options=SourceOptions(post=post))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("00" * 32) | st.just("#"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["blocks", "pruned", "pruneheight", "hash", "tx", "vin", "height", "bits"]), inner
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON, st.binary(max_size=30))
def test_no_answer_brings_it_down(info, header, block, raw):
    def post_raw(_body):
        return raw

    transports = (
        answering(getblockhash=REGTEST.genesis, getblockchaininfo=info, getblockheader=header, getblock=block),
        answering(getblockhash=REGTEST.genesis, getblockchaininfo={"blocks": 1}, getblockheader=header, getblock=block),
        post_raw,
    )
    for post in transports:
        reader = RpcReader(RpcClient(URL, post=post), REGTEST)
        try:
            for ref in reader.survey(silent).blocks:
                list(reader.load([ref]))
                reader.previous_outputs(ref)
        except ShieldwallError:
            pass


@given(JSON)
def test_no_previous_outputs_bring_it_down(body):
    chain = random_chain(2, blocks=2)
    node = SimulatedNode(list(chain.blocks))
    reader = RpcReader(RpcClient(URL, post=node.post), REGTEST)
    (ref,) = reader.survey(silent).blocks[2:]
    for name in ("getblock", "getrawtransaction"):
        setattr(node, f"_{name}", lambda *_, body=body: body)
        with contextlib.suppress(ShieldwallError):
            reader.previous_outputs(ref)


def test_a_node_that_stops_in_the_middle_leaves_what_was_committed(tmp_path, chain, node, monkeypatch):
    def stop(method):
        node.away = node.calls["getblock"] >= 9

    node.before_call = stop
    small = BuildConfig(batch_bytes=1, commit_bytes=1)
    monkeypatch.setattr("shieldwall.chain.readers.rpc._BLOCKS", 3)
    with pytest.raises(NodeAway):
        build(tmp_path / "node", [URL], options=node.options(), config=small)
    kept = facts_of(tmp_path / "node")["blocks"]
    assert 0 < kept < len(chain.blocks)
    node.away, node.before_call = False, lambda _: None
    assert from_node(tmp_path / "node", node).blocks == len(chain.blocks) - kept
    build_store(tmp_path / "files", write(tmp_path / "blk00000.dat", chain.blocks))
    assert facts_of(tmp_path / "node") == facts_of(tmp_path / "files")
