"""Against a real node: mined, sent, batched, merged and reorganised payments, by every way in which they can be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from litecoind_support import MATURITY, LitecoinNode, base_units

from shieldwall.chain.build import build
from shieldwall.chain.info import summary
from shieldwall.chain.readers.rpc_client import NodeAway
from shieldwall.chain.sources import SourceOptions
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError, WrongNetwork
from shieldwall.model.network import LITECOIN_REGTEST, MAIN
from shieldwall.model.transaction import internal

pytestmark = [pytest.mark.full, pytest.mark.needs("litecoind"), pytest.mark.xdist_group("litecoind")]

GENESIS_REWARD = 50 * 100_000_000  # an output of block 0 that a node does not count, since nobody can spend it there
KINDS = ("legacy", "p2sh-segwit", "bech32")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node whose chain has all that people do with money, and a reorganisation; without an index of transactions."""
    node = LitecoinNode(tmp_path_factory.mktemp("node") / "litecoin")
    node.start()
    try:
        node.make_wallet("payer")
        node.mine(MATURITY + 14)
        for kind in KINDS:
            node.pay(node.address(kind), "1.5")
        node.call("sendmany", "", {node.address(KINDS[k % 3]): f"0.{k + 1:02}" for k in range(12)})
        node.mine(1)
        small = [coin for coin in node.call("listunspent") if coin["amount"] < 1]
        assert len(small) >= 12
        merged = sum(coin["amount"] for coin in small)
        node.spend(small, [{node.address(): str(merged - 1 / merged.__class__(1000))}])
        large = next(coin for coin in node.call("listunspent") if coin["amount"] == 50)
        node.spend([large], [{"data": "00" * 20}, {node.address(): "49.9"}])
        node.mine(2)
        node.pay(node.address(), "7")
        given_up = node.mine(3)
        node.call("invalidateblock", given_up[0])
        node.mine(5)
        yield node
    finally:
        node.stop()


def test_rpc_block_files_and_saved_answers_give_one_store(node, tmp_path):
    report = build(tmp_path / "files", [str(node.blocks)])
    assert (report.stale, report.unresolved) == (3, 0)
    assert build(tmp_path / "rpc", [node.url], options=node.source()).unresolved == 0
    answers = tmp_path / "answers"
    answers.mkdir()
    for height in range(node.call("getblockcount") + 1):
        answer = node.call("getblock", node.call("getblockhash", height), 2)
        if height % 2:
            for transaction in answer["tx"]:
                del transaction["hex"]  # put together from its fields, then
        (answers / f"block_{height}.json").write_text(json.dumps(answer, default=float))
    build(tmp_path / "saved", [str(answers)], network=LITECOIN_REGTEST)
    stores = [ChainStore.open(tmp_path / name) for name in ("files", "rpc", "saved")]
    assert len({store.digest for store in stores}) == 1
    assert len({json.dumps(summary(store)) for store in stores}) == 1
    assert stores[0].tip_hash == node.call("getbestblockhash")
    assert stores[0].network == LITECOIN_REGTEST


def test_unspent_totals_are_the_nodes_own(node, tmp_path):
    build(tmp_path, [node.url], options=node.source())
    said = node.call("gettxoutsetinfo")
    with ChainStore.open(tmp_path) as store:
        found = summary(store)
    assert found["last_height"] == said["height"]
    assert found["unspent_value"] == base_units(said["total_amount"]) + GENESIS_REWARD
    assert found["unspent_outputs"] == said["txouts"] + 1
    assert found["unspendable_outputs"] > 0
    assert found["unknown_outputs"] == 0


def spent_in(folder: Path, heights: range) -> dict[str, list[tuple[str, int, int | None, str | None]]]:
    """What each transaction of these heights spends, by its id: outpoint, satoshi, holder."""
    with ChainStore.open(folder) as store:
        return {
            store.txid(number): [
                (entry.txid, entry.index, entry.value, None if entry.holder is None else store.identity(entry.holder))
                for entry in store.inputs(number)
            ]
            for number in range(store.rows("tx"))
            if (store.height_of(number) or 0) in heights
        }


def test_undo_files_tell_what_blocks_in_the_middle_spent(node, tmp_path):
    build(tmp_path / "whole", [str(node.blocks)])
    first, last = MATURITY, node.call("getblockcount")
    middle = tmp_path / "middle"
    middle.mkdir()
    with (middle / "blk00000.dat").open("wb") as file:
        for height in range(first, last + 1):
            block = bytes.fromhex(node.call("getblock", node.call("getblockhash", height), 0))
            file.write(LITECOIN_REGTEST.magic + len(block).to_bytes(4, "little") + block)
    shutil.copy(node.blocks / "rev00000.dat", middle)
    report = build(tmp_path / "part", [str(middle)], network=LITECOIN_REGTEST)
    assert (report.blocks, report.unresolved) == (last - first + 1, 0)
    heights = range(first, last + 1)
    assert spent_in(tmp_path / "part", heights) == spent_in(tmp_path / "whole", heights)


def test_a_node_that_gives_no_previous_outputs_leaves_gaps(node, tmp_path):
    whole = node.call("getblockcount")
    report = build(tmp_path, [node.url], options=node.source(first=MATURITY))
    assert report.blocks == whole - MATURITY + 1
    assert report.unresolved > 0
    gaps = [entry for spent in spent_in(tmp_path, range(whole + 1)).values() for entry in spent if entry[2] is None]
    assert len(gaps) == report.unresolved
    assert all(holder is None for _, _, _, holder in gaps)
    filled = build(tmp_path, [node.url], options=node.source())
    assert filled.unresolved == 0
    with ChainStore.open(tmp_path) as store:
        assert summary(store)["unresolved_inputs"] == 0


def test_addresses_are_those_of_the_node(node, tmp_path):
    build(tmp_path, [node.url], options=node.source())
    with ChainStore.open(tmp_path) as store:
        for coin in node.call("listunspent"):
            number = store.find_transaction(internal(coin["txid"]))
            output = store.output_range(number)[coin["vout"]]
            assert store.identity(int(store.column("output_holder")[output])) == coin["address"]
            assert store.values(number)[coin["vout"]] == base_units(coin["amount"])


def test_credentials_and_networks_are_held_to(node, tmp_path):
    with pytest.raises(UsageError, match="does not take these credentials") as caught:
        build(tmp_path, [node.url], options=SourceOptions(login=lambda: ("user", "secret words")))
    assert "secret" not in str(caught.value)
    with pytest.raises(WrongNetwork, match="serves litecoin-regtest, not main"):
        build(tmp_path, [node.url], network=MAIN, options=node.source())
    with pytest.raises(NodeAway, match="no answer"):
        build(tmp_path, ["rpc://127.0.0.1:1"], options=node.source())


def test_the_store_is_valid(node, tmp_path):
    from shieldwall.chain.verify import verify

    build(tmp_path, [node.url], options=node.source())
    with ChainStore.open(tmp_path) as store:
        assert [check.name for check in verify(store, source=True).checks if not check.passed] == []
