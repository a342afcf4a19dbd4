"""Several chain stores, one for each network: which one is meant, and what is said where none is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from chain_support import build_store, write

from shieldwall.chain.manifest import MANIFEST
from shieldwall.chain.regtest import BlockMaker, p2wpkh, transaction
from shieldwall.chain.unconfirmed import FILE, Unconfirmed, _pending, write_unconfirmed
from shieldwall.errors import StoreError, UsageError
from shieldwall.model.address import encode, identity
from shieldwall.model.network import COIN, LITECOIN_REGTEST, REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.wiring import build_clusters, open_clustering
from shieldwall.trace.clusters.rules import ClusterRules

BITCOIN, LITECOIN = "regtest", "litecoin-regtest"
KEY_HASH = {name: Script(ScriptKind.P2PKH, name.encode().ljust(20, b"\0")) for name in ("both", "one", "other", "none")}


class Two:
    """A store of each of two networks that write some addresses alike, built once."""

    def __init__(self, folder):
        self.folder = folder
        self.makers = {}
        self.coins = {}
        for network, own in ((REGTEST, "one"), (LITECOIN_REGTEST, "other")):
            maker = BlockMaker(1_600_000_000, network=network)
            coin = maker.mine(p2wpkh(f"{network.name} payer"))
            paid = [(KEY_HASH["both"], COIN), (KEY_HASH[own], COIN), (p2wpkh("alike"), COIN)]
            self.coins[network.name] = maker.pay([coin], paid)
            maker.mine(p2wpkh(f"{network.name} miner"))
            self.makers[network.name] = maker
            (folder / f"blocks-{network.name}").mkdir()
            source = write(folder / f"blocks-{network.name}" / "blk00000.dat", maker.blocks)
            build_store(folder / network.name, source, network=network)
        self.chains = Chains((folder / BITCOIN, folder / LITECOIN))

    def holding(self, text):
        with self.chains.holding(text) as store:
            return store.network.name


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return Two(tmp_path_factory.mktemp("two"))


@pytest.fixture
def copies(two, tmp_path):
    """The same, to be damaged."""
    return Two(tmp_path)


def test_a_store_is_opened_by_its_network(two):
    assert two.chains.networks() == (BITCOIN, LITECOIN)
    for name in two.chains.networks():
        with two.chains.open(name) as store:
            assert (store.network.name, store.folder) == (name, two.chains.shelf(name).folder)
    with two.chains.open() as store:
        assert store.network == REGTEST
    assert two.chains.first is two.chains.shelves[0]
    with pytest.raises(UsageError, match="no chain store of that network") as caught:
        two.chains.open("litecoin")
    assert caught.value.hint == f"it has: {BITCOIN}, {LITECOIN}"


def test_a_text_finds_the_store_that_it_is_about(two):
    for network in (REGTEST, LITECOIN_REGTEST):
        coin = two.coins[network.name][0]
        for text in (coin.txid, coin.txid.upper(), f"{coin.txid}:0", f" {coin.txid}:in:0 "):
            assert two.holding(text) == network.name
        assert two.holding(encode(p2wpkh("alike"), network)) == network.name
        assert two.holding(encode(p2wpkh("nobody"), network)) == network.name  # valid there alone
        assert (
            two.holding(encode(p2wpkh("nobody"), network)[:-1] + "b") == network.name
        )  # a slip, told by its own network
    # both write key hashes alike
    assert [two.holding(encode(KEY_HASH[name], REGTEST)) for name in KEY_HASH] == [BITCOIN, BITCOIN, LITECOIN, BITCOIN]
    assert two.holding(identity(KEY_HASH["other"], REGTEST)) == LITECOIN
    assert two.holding(f"p2pkh:{KEY_HASH['other'].payload.hex()}") == LITECOIN
    for text in ("", "nonsense", "p2pkh:00", "0" * 64, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "a" * 30_000):
        assert two.holding(text) == BITCOIN


def test_what_waits_for_a_block_is_found_in_its_own_network(copies):
    coin = copies.coins[LITECOIN][2]
    raw = transaction([coin], [(p2wpkh("late"), COIN)])
    from shieldwall.chain.regtest import txid_of

    txid = txid_of(raw)
    layer = Unconfirmed(
        network=LITECOIN_REGTEST,
        node="rpc://node",
        seen_at=1,
        tip_height=2,
        tip_hash="00" * 32,
        transactions=(_pending(txid, raw, 1, LITECOIN_REGTEST, "test"),),
    )
    write_unconfirmed(copies.folder / LITECOIN, layer)
    assert copies.holding(txid) == LITECOIN
    assert copies.chains.layer(LITECOIN) == layer
    assert (copies.chains.layer(), copies.chains.layer(BITCOIN)) == (None, None)
    write_unconfirmed(copies.folder / BITCOIN, replace(layer, seen_at=2))  # another network's, lying in the wrong place
    assert copies.holding(txid) == LITECOIN
    (copies.folder / LITECOIN / FILE).write_text("{", encoding="utf-8")
    assert copies.holding(coin.txid) == LITECOIN  # a damaged layer hides no block


def test_two_stores_of_one_network_are_refused(two, tmp_path):
    build_store(tmp_path / "again", two.folder / f"blocks-{BITCOIN}")
    chains = Chains((two.folder / BITCOIN, two.folder / LITECOIN, tmp_path / "again"))
    for ask in (
        chains.open,
        chains.networks,
        chains.layer,
        chains.folder_for,
        lambda: chains.open(LITECOIN),
        lambda: chains.holding("x"),
    ):
        with pytest.raises(StoreError, match=f"two chain stores of this node are of {BITCOIN}") as caught:
            ask()
        assert str(tmp_path / "again") in caught.value.message
        assert "further_chains" in caught.value.hint


def test_a_damaged_store_is_told_where_it_may_matter_and_nowhere_else(copies):
    (copies.folder / LITECOIN / MANIFEST).write_text("{", encoding="utf-8")
    chains = Chains((copies.folder / BITCOIN, copies.folder / LITECOIN))
    assert chains.networks() == (BITCOIN,)
    with chains.open() as store, chains.holding(copies.coins[BITCOIN][0].txid) as other:
        assert store.network == other.network == REGTEST
    for text in (copies.coins[LITECOIN][0].txid, encode(p2wpkh("alike"), LITECOIN_REGTEST)):
        with pytest.raises(StoreError):
            chains.holding(text)
    with pytest.raises(StoreError):
        chains.open(LITECOIN)
    with pytest.raises(StoreError):
        chains.folder_for(LITECOIN)


def test_a_store_that_is_built_is_seen_and_has_its_place(two, tmp_path):
    chains = Chains((tmp_path / "a", None, tmp_path / "b"))
    assert chains.networks() == ()
    assert (chains.folder_for(), chains.folder_for(LITECOIN)) == (tmp_path / "a", tmp_path / "a")
    with pytest.raises(StoreError, match="not there yet"):
        chains.open()
    with pytest.raises(UsageError) as caught:
        chains.open(BITCOIN)
    assert "node.toml" in caught.value.hint
    build_store(tmp_path / "a", two.folder / f"blocks-{BITCOIN}")
    assert chains.networks() == (BITCOIN,)
    assert (chains.folder_for(BITCOIN), chains.folder_for(LITECOIN)) == (tmp_path / "a", tmp_path / "b")
    build_store(tmp_path / "b", two.folder / f"blocks-{LITECOIN}", network=LITECOIN_REGTEST)
    assert (chains.folder_for(), chains.folder_for(LITECOIN)) == (tmp_path / "a", tmp_path / "b")
    with pytest.raises(UsageError, match="no folder") as caught:
        chains.folder_for("main")
    assert "further_chains" in caught.value.hint


def test_a_node_without_a_store_says_so():
    chains = Chains((None,))
    for ask in (chains.open, lambda: chains.holding("x"), chains.folder_for, lambda: chains.folder_for(BITCOIN)):
        with pytest.raises(UsageError):
            ask()
    assert (chains.layer(), chains.networks(), chains.first.network()) == (None, (), "")


def test_clusterings_of_one_name_are_kept_apart_by_network(two, tmp_path):
    config = Config(None, tmp_path, engine="plain")
    digests = {}
    for name in two.chains.networks():
        with two.chains.open(name) as store:
            build_clusters(config, store, "co-spend", ClusterRules(constrained=False))
    for name in two.chains.networks():
        with two.chains.open(name) as store, open_clustering(config, store) as clustering:
            assert clustering.body["network"] == name
            digests[name] = clustering.digest
    assert len({*digests.values()}) == 2
    assert len(list(config.clusters.glob("*/co-spend"))) == 2


def test_the_manifest_alone_names_the_network(copies):
    path = copies.folder / LITECOIN / MANIFEST
    shelf = copies.chains.shelves[1]
    assert shelf.network() == LITECOIN
    before = json.loads(path.read_text(encoding="utf-8"))
    assert before["network"] == LITECOIN
    path.unlink()
    assert shelf.network() == ""
    assert copies.chains.networks() == (BITCOIN,)
