"""Litecoin's extension block against a real node: what goes in and comes out is read, what is inside is left as it is."""

from __future__ import annotations

import pytest
from litecoind_support import LitecoinNode, base_units

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.info import summary
from shieldwall.chain.readers.rpc_client import RpcClient
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import gather
from shieldwall.errors import UnknownAddress
from shieldwall.model.address import decode, kind_label
from shieldwall.model.network import LITECOIN_REGTEST
from shieldwall.model.transaction import internal
from shieldwall.trace.extension import Extension
from shieldwall.trace.follow import follow
from shieldwall.trace.targets import find_targets

pytestmark = [pytest.mark.full, pytest.mark.needs("litecoind"), pytest.mark.xdist_group("litecoind")]

ACTIVE = 432  # height from which a regtest block has an extension
GENESIS_REWARD = 50 * 100_000_000


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node whose chain has payments into its extension block, inside it, and out of it; with an index."""
    node = LitecoinNode(tmp_path_factory.mktemp("mweb") / "litecoin", "-txindex=1")
    node.start()
    try:
        node.make_wallet("hidden")
        node.make_wallet("newcomer")
        node.make_wallet("payer")
        node.mine(ACTIVE - 1)
        node.entered = node.pay(node.address("mweb", wallet="hidden"), "9")
        node.mine(1)
        node.pay(node.address("mweb", wallet="hidden"), "2")
        node.mine(2)
        node.left = node.address()
        node.pay(node.left, "3", wallet="hidden")  # its coins are inside: the last transaction of a block pays it out
        node.pay(node.address(wallet="newcomer"), "5")
        node.mine(8)
        yield node
    finally:
        node.stop()


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_block_files_and_rpc_give_one_store_beyond_the_activation(node, tmp_path, engine):
    config = BuildConfig(engine=engine)
    build(tmp_path / "files", [str(node.blocks)], config=config)
    build(tmp_path / "rpc", [node.url], options=node.source(), config=config)
    with ChainStore.open(tmp_path / "files") as one, ChainStore.open(tmp_path / "rpc") as other:
        assert one.digest == other.digest
        assert summary(one) == summary(other)
        assert one.tip_hash == node.call("getbestblockhash")
        said = node.call("gettxoutsetinfo")
        assert summary(one)["unspent_value"] == base_units(said["total_amount"]) + GENESIS_REWARD
        assert summary(one)["unspent_outputs"] == said["txouts"] + 1


def test_what_enters_and_leaves_is_named(node, tmp_path):
    build(tmp_path, [node.url], options=node.source())
    with ChainStore.open(tmp_path) as store:
        entered = store.find_transaction(internal(node.entered))
        holders = [store.holder(int(store.column("output_holder")[n])) for n in store.output_range(entered)]
        assert "mweb_pegin" in {kind_label(holder, store.network) for holder in holders}
        last = store.rows("tx") - 1  # the last transaction of a block carries what the extension holds in all
        first = store.output_range(last).start
        assert store.identity(int(store.column("output_holder")[first])).startswith("mweb_hogaddr:")
        left = store.find_holder(decode(node.left, store.network))
        (paid,) = store.outputs_of(left)
        payer = store.transaction_of(paid)
        assert int(store.column("output_value")[paid]) == 3 * 100_000_000
        spent = store.identity(next(store.inputs(payer)).holder)
        assert spent.startswith("mweb_hogaddr:")


def test_a_trace_ends_at_the_extension_and_begins_there(node, tmp_path):
    build(tmp_path, [node.url], options=node.source())
    with ChainStore.open(tmp_path) as store:
        entered = follow(store, find_targets(store, [node.entered]), "all").body
        (end,) = [end for end in entered["ends"] if end["kind"] == "mweb"]
        assert end["address"].startswith("mweb_pegin:")
        assert entered["mweb_amount"] == end["amount"] >= 9 * 100_000_000
        out = next(store.outpoint(n)[0] for n in store.outputs_of(store.find_holder(decode(node.left, store.network))))
        assert out not in {transfer["txid"] for side in [entered] for transfer in side["transfers"]}
        left = follow(store, find_targets(store, [node.left]), "fifo", direction="backward").body
        assert (left["mweb_amount"], left["seed_amount"]) == (3 * 100_000_000, 3 * 100_000_000)
        extension = Extension(store)
        moving = [number for number in range(store.rows("tx")) if extension.moves(number)]
        last = {store.block_of(number): number for number in range(store.rows("tx"))}
        assert moving == [last[store.block_of(number)] for number in moving]
        assert len(moving) == store.tip_height - ACTIVE + 1  # one in every block since the activation


def test_an_index_tells_what_blocks_in_the_middle_spent(node, tmp_path):
    assert build(tmp_path, [node.url], options=node.source(first=ACTIVE - 2)).unresolved == 0
    with ChainStore.open(tmp_path) as store:
        assert summary(store)["unresolved_inputs"] == 0


def test_an_address_inside_is_recognised(node):
    text = node.address("mweb")
    with pytest.raises(UnknownAddress, match="is an MWEB address") as caught:
        decode(text, LITECOIN_REGTEST)
    assert "mweb_pegin" in caught.value.hint
    with pytest.raises(UnknownAddress, match="not a valid"):
        decode(text[:-1] + ("q" if text[-1] != "q" else "p"), LITECOIN_REGTEST)


def test_waiting_transactions_are_known_by_what_they_do_outside(node):
    inside = node.pay(node.address("mweb", wallet="hidden"), "1", wallet="hidden")
    entering = node.pay(node.address("mweb", wallet="hidden"), "1.25", wallet="newcomer")
    client = RpcClient(node.url, login=node.source().login)
    layer = gather(client, LITECOIN_REGTEST, 1_700_000_000)
    client.close()
    assert layer.hidden == (inside,)
    (waiting,) = layer.transactions
    assert waiting.txid == entering
    assert kind_label(waiting.pays[0][0], LITECOIN_REGTEST) == "mweb_pegin"
    node.mine(1)


def test_the_store_is_valid(node, tmp_path):
    from shieldwall.chain.verify import verify

    build(tmp_path, [str(node.blocks)])
    with ChainStore.open(tmp_path) as store:
        assert [check.name for check in verify(store, source=True).checks if not check.passed] == []
