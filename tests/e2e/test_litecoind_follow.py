"""`shieldwall chain follow` with a real node: new blocks, a reorganisation, waiting transactions, a node that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from litecoind_support import MATURITY, LitecoinNode

from shieldwall.chain.build import build
from shieldwall.chain.follow import FollowConfig, Follower
from shieldwall.chain.info import summary
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import read_unconfirmed

pytestmark = [pytest.mark.full, pytest.mark.needs("litecoind"), pytest.mark.xdist_group("litecoind")]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = LitecoinNode(tmp_path_factory.mktemp("followed") / "litecoin")
    node.start()
    try:
        node.make_wallet("payer")
        node.mine(MATURITY + 5)
        yield node
    finally:
        node.stop()


def test_new_blocks_a_reorganisation_and_what_waits(node, tmp_path):
    follower = Follower(tmp_path / "followed", node.url, options=node.source(), now=time.time)
    assert follower.look().report.blocks == node.call("getblockcount") + 1
    assert follower.look().report is None  # nothing has changed
    paid_to = node.address()
    waiting = node.pay(paid_to, "2")
    seen = follower.look()
    assert seen.report is None
    assert [pending.txid for pending in seen.unconfirmed.transactions] == [waiting]
    with ChainStore.open(tmp_path / "followed") as store:
        before = summary(store)
        layer = read_unconfirmed(store.folder)
        assert layer == seen.unconfirmed
        spent = layer.transactions[0].spends[0]
        assert layer.spender(*spent).txid == waiting
    mined = node.mine(3)
    found = follower.look()
    assert (found.report.blocks, found.report.rolled_back, found.tip_hash) == (3, 0, mined[-1])
    assert found.unconfirmed.transactions == ()
    assert read_unconfirmed(tmp_path / "followed").transactions == ()
    assert before["digest"] != found.tip_hash
    node.call("invalidateblock", mined[0])
    other = node.mine(4, node.address())
    found = follower.look()
    assert (found.report.blocks, found.report.rolled_back, found.tip_hash) == (4, 3, other[-1])
    build(tmp_path / "files", [str(node.blocks)])
    with ChainStore.open(tmp_path / "followed") as one, ChainStore.open(tmp_path / "files") as two:
        assert one.digest == two.digest
        assert summary(one) == summary(two)


def test_blocks_wait_for_their_confirmations(node, tmp_path):
    options, config = node.source(confirmations=3), FollowConfig(most_unconfirmed=0)
    follower = Follower(tmp_path, node.url, options=options, config=config, now=time.time)
    height = node.call("getblockcount")
    assert follower.look().tip_height == height - 2
    node.mine(1)
    assert follower.look().tip_height == height - 1


def test_a_node_that_goes_away_and_comes_back(node, tmp_path):
    follower = Follower(tmp_path, node.url, options=node.source(), now=time.time)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 1:
            node.stop()
        elif len(waits) == 3:
            node.start()  # with a new cookie
        return len(waits) == 4

    looks = list(follower.run(wait))
    assert [bool(look.away) for look in looks] == [False, True, True, False]
    assert waits[0] < waits[1] < waits[2]
    assert len({look.tip_hash for look in looks}) == 1
    node.call("loadwallet", "payer", wallet="")


def test_the_command_follows_until_it_is_told_to_stop(node, tmp_path):
    words = [sys.executable, "-m", "shieldwall", "chain", "follow", node.url, "--chain", str(tmp_path / "chain"),
             "--rpc-cookie", str(node.cookie), "--every", "0.2", "-o", "jsonl"]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        first = json.loads(process.stdout.readline())
        assert first["tip_hash"] == node.call("getbestblockhash")
        txid = node.pay(node.address(), "1")
        waiting = json.loads(process.stdout.readline())
        assert (waiting["blocks"], waiting["unconfirmed"]) == (0, 1)
        shown = json.loads(show(tmp_path / "chain", txid))
        assert (shown["height"], shown["by_node"]) == (None, node.url)
        spent = json.loads(show(tmp_path / "chain", shown["inputs"][0]["spends"].partition(":")[0]))
        assert [row["unconfirmed_spend"]["txid"] for row in spent["outputs"] if "unconfirmed_spend" in row] == [txid]
        assert all(row["state"] != "spent" for row in spent["outputs"] if "unconfirmed_spend" in row)
        mined = node.mine(1)
        lines = map(json.loads, process.stdout)  # a look between the node's block and ours has a line of its own
        assert next(line for line in lines if line["blocks"])["tip_hash"] == mined[0]
        assert json.loads(show(tmp_path / "chain", txid))["height"] == node.call("getblockcount")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "stopped; what was committed stands" in errors
    assert mined[0] in errors
    with ChainStore.open(tmp_path / "chain") as store:
        assert store.tip_hash == mined[0]


def show(folder, thing):
    words = [sys.executable, "-m", "shieldwall", "chain", "show", thing, "--chain", str(folder), "-o", "json"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_a_call_without_a_node_says_what_to_do(node, tmp_path):
    words = [
        sys.executable,
        "-m",
        "shieldwall",
        "chain",
        "follow",
        "rpc://127.0.0.1:1",
        "--once",
        "--chain",
        str(tmp_path),
    ]
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "no answer" in ended.stderr
    assert "Traceback" not in ended.stderr
