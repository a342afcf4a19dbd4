"""Following a node: any sequence of new blocks and reorganisations ends where its block files do."""

from __future__ import annotations

import json

import pytest
from chain_support import build_store, clone, extend, facts_of, fork, parse_block, random_chain, write
from hypothesis import given, settings
from hypothesis import strategies as st
from node_support import URL, SimulatedNode

from shieldwall.chain.follow import FollowConfig, Follower
from shieldwall.chain.proof import parse_header
from shieldwall.chain.readers.rpc_client import NodeAway
from shieldwall.chain.regtest import p2wpkh, transaction
from shieldwall.chain.since import Since
from shieldwall.cli import run
from shieldwall.cli.following import as_record, in_words
from shieldwall.errors import PartialData, StoreError, UsageError, WrongNetwork
from shieldwall.model.network import MAIN, REGTEST

NOW = 1_700_000_000


@pytest.fixture(scope="module")
def chain():
    return random_chain(23, blocks=12)


@pytest.fixture
def node(chain):
    return SimulatedNode(list(chain.blocks))


def follower_of(folder, node, *, config=None, network=None, since=None, **more):
    options = node.options(**more)
    return Follower(folder, URL, network=network, config=config, options=options, since=since, now=lambda: NOW)


def same_as_files(folder, blocks):
    build_store(folder / "files", write(folder / "blk00000.dat", blocks))
    return facts_of(folder / "files")


def test_only_headers_behind_the_fork_are_asked_for(tmp_path, chain, node):
    follower = follower_of(tmp_path / "store", node)
    assert follower.look().report.blocks == len(chain.blocks)
    other = fork(chain, 9, 5, blocks=4)
    node.calls.clear()
    node.blocks = list(other.blocks)
    found = follower.look()
    assert (found.report.blocks, found.report.rolled_back, found.tip_height) == (4, len(chain.blocks) - 10, 13)
    assert node.calls["getblockheader"] == node.calls["getblock"] == 4
    assert facts_of(tmp_path / "store") == same_as_files(tmp_path, other.blocks)
    node.calls.clear()
    assert follower.look().report is None
    assert node.calls["getblockheader"] == 0


@settings(max_examples=12)
@given(data=st.data())
def test_any_course_of_the_chain_is_followed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("course")
    maker = random_chain(data.draw(st.integers(0, 3)), blocks=5, transactions=2)
    node = SimulatedNode(list(maker.blocks))
    follower = follower_of(folder / "store", node, config=FollowConfig(most_unconfirmed=0))
    follower.look()
    for step in range(data.draw(st.integers(1, 4))):
        depth = data.draw(st.integers(0, maker.height))
        if depth:
            maker = fork(maker, maker.height - depth, step, blocks=depth + data.draw(st.integers(1, 3)))
        else:
            import random

            maker = clone(maker)
            extend(maker, random.Random(step), data.draw(st.integers(1, 3)), 1)
        node.blocks = list(maker.blocks)
        if data.draw(st.booleans()):
            found = follower.look()
            assert found.tip_hash == found.node_hash
    follower.look()
    assert facts_of(folder / "store") == same_as_files(folder, maker.blocks)


def test_a_branch_of_equal_work_waits_for_the_next_block(tmp_path, chain, node):
    follower = follower_of(tmp_path / "store", node)
    follower.look()
    rivals = [fork(chain, 11, seed, blocks=1) for seed in range(8)]
    tips = []
    for rival in rivals:
        node.blocks = list(rival.blocks)
        tips.append(follower.look())
    assert any(look.tip_hash != look.node_hash for look in tips)
    rivals[-1].mine(p2wpkh("next"))
    node.blocks = list(rivals[-1].blocks)
    found = follower.look()
    assert found.tip_hash == found.node_hash


def test_a_node_that_is_behind_takes_nothing_back(tmp_path, chain, node):
    follower_of(tmp_path, node).look()
    node.blocks = node.blocks[:6]
    found = follower_of(tmp_path, node).look()
    assert found.report is None
    assert (found.tip_height, found.node_height) == (len(chain.blocks) - 1, 5)


def test_a_new_store_begins_where_it_is_told_to(tmp_path, chain, node):
    found = follower_of(tmp_path / "height", node, since=Since(height=7)).look()
    assert found.report.blocks == node.calls["getblockheader"] == len(chain.blocks) - 7
    assert facts_of(tmp_path / "height")["first_height"] == 7
    time = parse_header(chain.blocks[7][:80]).time
    follower_of(tmp_path / "time", node, since=Since(time=time)).look()
    assert facts_of(tmp_path / "time") == facts_of(tmp_path / "height")
    node.blocks = list(fork(chain, 2, 1, blocks=20).blocks)
    found = follower_of(tmp_path / "height", node).look()
    assert (found.tip_height, found.report.rolled_back) == (22, len(chain.blocks) - 7)
    assert facts_of(tmp_path / "height")["first_height"] == 7


def test_confirmations(tmp_path, chain, node):
    assert follower_of(tmp_path, node, confirmations=5).look().tip_height == len(chain.blocks) - 5
    assert follower_of(tmp_path / "none", node, confirmations=100).look().tip_height is None


def test_a_node_that_goes_away_is_asked_ever_later(tmp_path, node):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        node.away = len(waits) < 6
        return len(waits) == 7

    looks = list(follower_of(tmp_path, node, config=FollowConfig(every=60)).run(wait))
    assert [bool(look.away) for look in looks] == [False, True, True, True, True, True, False]
    assert waits == [60, 120, 240, 300, 300, 300, 60]
    assert "asking again" in in_words(looks[1])
    assert as_record(looks[1])["away"]
    node.away = True
    with pytest.raises(NodeAway):
        follower_of(tmp_path, node).look()


def test_networks_and_words(tmp_path, node):
    with pytest.raises(WrongNetwork, match="serves regtest"):
        follower_of(tmp_path, node, network=MAIN).look()
    with pytest.raises(UsageError, match="no URL of a node"):
        Follower(tmp_path, "http://127.0.0.1", now=lambda: NOW)
    node.kept_from = 5
    with pytest.raises(PartialData, match="pruned"):
        follower_of(tmp_path, node).look()


def waiting_payment(chain):
    coin = next(coin for coin in chain.unspent.values() if coin.value > 5000)
    raw = transaction([coin], [(p2wpkh("shop"), 4000), (coin.script, coin.value - 5000)])
    header = chain.blocks[0][:80]
    return coin, parse_block(header + b"\x01" + raw)[0]


def test_what_waits_is_beside_the_chain_and_in_no_sum(tmp_path, chain, node):
    from shieldwall.chain.unconfirmed import read_unconfirmed

    follower = follower_of(tmp_path, node)
    follower.look()
    before = facts_of(tmp_path)
    coin, pending = waiting_payment(chain)
    node.waiting[pending.txid] = pending.raw
    found = follower.look()
    assert facts_of(tmp_path) == before
    layer = read_unconfirmed(tmp_path)
    assert layer == found.unconfirmed
    assert (layer.seen_at, layer.tip_hash, layer.node) == (NOW, found.node_hash, "rpc://127.0.0.1:18443")
    assert layer.spender(coin.txid, coin.index).txid == pending.txid
    assert layer.find(pending.txid).raw == pending.raw
    assert [index for _, index in layer.paying(p2wpkh("shop"))] == [0]
    assert layer.spender(coin.txid, coin.index + 1) is None
    asked = node.calls["getrawtransaction"]
    follower_of(tmp_path, node).look()  # another run takes over what the file holds
    assert node.calls["getrawtransaction"] == asked
    node.waiting.clear()
    assert follower.look().unconfirmed.transactions == ()
    assert read_unconfirmed(tmp_path).spender(coin.txid, coin.index) is None


def test_show_says_what_waits(tmp_path, chain, node, capsys):
    coin, pending = waiting_payment(chain)
    node.waiting[pending.txid] = pending.raw
    follower_of(tmp_path, node).look()

    def show(thing):
        assert run(["chain", "show", thing, "--chain", str(tmp_path), "-o", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    from shieldwall.model.address import identity

    (spent,) = (row for row in show(coin.txid)["outputs"] if row["output"] == f"{coin.txid}:{coin.index}")
    assert spent["state"] == "unspent"
    assert spent["unconfirmed_spend"]["txid"] == pending.txid
    assert show(pending.txid)["height"] is None
    payee = show(identity(p2wpkh("shop"), REGTEST))
    assert payee["by_state"] == {}
    assert [row["value"] for row in payee["unconfirmed_payments"]] == [4000]
    payer = show(identity(coin.script, REGTEST))
    assert any("unconfirmed_spend" in row for row in payer["outputs"])
    assert payer["received"] == sum(row["value"] for row in payer["outputs"])


def test_the_layer_is_bounded_and_counts_the_rest(tmp_path, chain, node):
    for number in range(4):
        coin = list(chain.unspent.values())[number]
        raw = transaction([coin], [(p2wpkh("shop"), coin.value)])
        parsed = parse_block(chain.blocks[0][:80] + b"\x01" + raw)[0]
        node.waiting[parsed.txid] = raw
    layer = follower_of(tmp_path, node, config=FollowConfig(most_unconfirmed=3)).look().unconfirmed
    assert (len(layer.transactions), layer.left_out) == (3, 1)


@settings(max_examples=60)
@given(
    st.binary(max_size=60)
    | st.sampled_from(["network", "node", "seen_at", "transactions", "tip_hash", "left_out", "hidden"])
)
def test_a_damaged_layer_is_refused_and_written_anew(tmp_path_factory, damage):
    from shieldwall.chain.unconfirmed import FILE, read_unconfirmed

    folder = tmp_path_factory.mktemp("layer")
    chain = random_chain(1, blocks=2)
    node = SimulatedNode(list(chain.blocks))
    follower_of(folder, node).look()
    if isinstance(damage, str):
        body = json.loads((folder / FILE).read_text())
        body[damage] = -1
        (folder / FILE).write_text(json.dumps(body))
    else:
        (folder / FILE).write_bytes(damage)
    with pytest.raises(StoreError, match="damaged"):
        read_unconfirmed(folder)
    follower_of(folder, node).look()
    assert read_unconfirmed(folder).transactions == ()
