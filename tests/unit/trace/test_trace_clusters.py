"""Clusterings: who is put together, what constraints refuse, extended as from scratch, and why two belong together."""

import json
import shutil

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_support import FEW, PLAIN, Chain, Coverage, identity

from conftest import SHARED
from shieldwall.chain.build import build
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.model.network import MAIN, REGTEST, TESTNET3
from shieldwall.trace.change.chainwide import ChainChanges
from shieldwall.trace.change.overrule import overrule_of
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.profile import profile
from shieldwall.trace.clusters.refused import refused_rows
from shieldwall.trace.clusters.rules import KEEP, ClusterRules
from shieldwall.trace.clusters.why import Reasons
from shieldwall.trace.tagged_holders import TaggedHolders
from shieldwall.trace.targets import holder_named

NAMES = [f"p{number}" for number in range(8)]


def make(groups):
    """A chain in which each group of people pays together, a block a payment."""
    chain = Chain()
    for group in groups:
        coins = [chain.mine(name, 1000) for name in group]
        chain.pay(coins, ("shop", 900 * len(group)))
        chain.mine()
    return chain


def tagged(store, folder, names, category="exchange"):
    """Tags that call each name's address a service of that name: {"p0": "Alpha"}."""
    path = folder / "services.csv"
    rows = [f"{identity(name)},{label},{category}" for name, label in names.items()]
    path.write_text("\n".join(["address,label,category", *rows]) + "\n")
    sets = TagSets(folder / "tags")
    sets.import_files([path], options=ReadOptions(network=REGTEST, source="test", made_by="test"))
    return TaggedHolders.of(store, sets.select(None))


def together(store, clustering, names):
    """Sets of names that are in one cluster, of those that are in the store."""
    groups = {}
    for name in names:
        holder = store.find_addresses([identity(name)])[0]
        if holder < store.rows("holder"):
            groups.setdefault(clustering.cluster_of(int(holder)), set()).add(name)
    return sorted(map(sorted, groups.values()))


def spenders(store, clustering):
    """How many clusters have a member that ever paid."""
    payer = graph_of(store).payer
    return len(np.unique(clustering.clusters_of(np.unique(payer[payer != 0xFFFFFFFF]))))


@FEW
@given(groups=st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), max_size=6))
def test_co_spend_is_what_networkx_calls_components(tmp_path_factory, groups):
    folder = tmp_path_factory.mktemp("c")
    with make(groups).store_in(folder) as store:
        clustering = build_clustering(folder / "own", store, ClusterRules(coinjoin=KEEP)).clustering
        graph = nx.Graph()
        for group in groups:
            graph.add_nodes_from(group)
            graph.add_edges_from((group[0], name) for name in group[1:])
        assert together(store, clustering, NAMES) == sorted(map(sorted, nx.connected_components(graph)))
        assert clustering.body["clusters"] == len(np.unique(clustering.cluster))
        clustering.verify()


@FEW
@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), min_size=1, max_size=6),
    st.integers(0, 20),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["Alpha", "Beta"]), max_size=4),
)
def test_extended_is_as_from_scratch_and_two_services_never_merge(tmp_path_factory, groups, cut, names):
    folder = tmp_path_factory.mktemp("e")
    chain = make(groups)
    blocks = folder / "blocks.dat"
    parts = [range(min(cut, chain.maker.height)), range(chain.maker.height + 1)]
    for number, part in enumerate(parts):
        blocks.write_bytes(chain.maker.block_file(list(part)) if part else b"")
        if part:
            build(folder / "chain", [str(blocks)], network=REGTEST, config=PLAIN)
            with ChainStore.open(folder / "chain") as store:
                tags = tagged(store, folder, names) if names else None
                report = build_clustering(folder / "grown", store, ClusterRules(coinjoin=KEEP), tagged=tags)
                assert report.extended_from == 0 or number == 1
    with ChainStore.open(folder / "chain") as store:
        tags = tagged(store, folder, names) if names else None
        scratch = build_clustering(folder / "scratch", store, ClusterRules(coinjoin=KEEP), tagged=tags).clustering
        grown = Clustering.open(folder / "grown", store)
        assert grown.digest == scratch.digest
        assert grown.refused.tolist() == scratch.refused.tolist()
        for group in together(store, scratch, NAMES):
            assert len({names[name] for name in group if name in names}) <= 1
        again = build_clustering(folder / "grown", store, ClusterRules(coinjoin=KEEP), tagged=tags)
        assert again.unchanged


def test_a_refused_merge_is_told_and_joins_nobody(tmp_path):
    chain = make([["p0", "p2"], ["p0", "p3", "p1"], ["p1", "p4"]])
    with chain.store_in(tmp_path) as store:
        tags = tagged(store, tmp_path, {"p0": "Alpha", "p1": "Beta"})
        clustering = build_clustering(tmp_path / "own", store, ClusterRules(coinjoin=KEEP), tagged=tags).clustering
        assert together(store, clustering, NAMES[:5]) == [["p0", "p2"], ["p1", "p4"], ["p3"]]
        (row,) = refused_rows(store, clustering)
        assert (row["one"], row["other"]) == ("Alpha", "Beta")
        assert "none of them were joined" in row["why"]
        free = build_clustering(tmp_path / "free", store, ClusterRules(coinjoin=KEEP, constrained=False)).clustering
        assert together(store, free, NAMES[:5]) == [["p0", "p1", "p2", "p3", "p4"]]
        assert free.digest != clustering.digest


def test_why_names_the_transactions_in_order(tmp_path):
    chain = make([["p0", "p1"], ["p1", "p2"], ["p4", "p5"], ["p2", "p3"]])
    with chain.store_in(tmp_path) as store:
        clustering = build_clustering(tmp_path / "own", store, ClusterRules(coinjoin=KEEP)).clustering
        reasons = Reasons(store, clustering)
        one, other, apart = (holder_named(store, identity(name)) for name in ("p0", "p3", "p4"))
        reason = reasons.between(one, other)
        pays = [made.txid for made in chain.made if made.raw]
        assert [step["txid"] for step in reason.steps] == [pays[0], pays[1], pays[3]]
        assert [(step["from"], step["to"]) for step in reason.steps] == [
            (identity(a), identity(b)) for a, b in (("p0", "p1"), ("p1", "p2"), ("p2", "p3"))
        ]
        assert {step["rule"] for step in reason.steps} == {"co-spend"}
        assert reasons.between(one, apart).joined is False
        assert reasons.between(one, one).steps == []
        assert Reasons(store, clustering, most=0).between(one, other).cut


def test_a_profile_adds_up_and_tells_what_is_inherited(tmp_path):
    chain = make([["p0", "p1"]])
    chain.mine("p1", 500)
    with chain.store_in(tmp_path) as store:
        tags = tagged(store, tmp_path, {"p0": "Alpha"})
        clustering = build_clustering(tmp_path / "own", store, ClusterRules(coinjoin=KEEP), tagged=tags).clustering
        found = profile(store, clustering, holder_named(store, identity("p1")), tags)
        assert (found["size"], found["received_amount"]) == (2, 2500)
        assert (found["spent_amount"], found["held_amount"], found["unknown_amount"]) == (2000, 500, 0)
        assert [(row["address"], row["inherited"]) for row in found["tags"]] == [(identity("p0"), True)]
        assert found["members"][0]["address"] == identity("p1")
        assert found["transactions"] == 4
        assert found["clustering"]["digest"] == clustering.digest


def test_what_is_wrong_is_said(tmp_path):
    one, other = make([["p0", "p1"]]), make([["p2", "p3"], ["p4"]])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with one.store_in(tmp_path / "a") as store, other.store_in(tmp_path / "b") as second:
        own = tmp_path / "own"
        with pytest.raises(StoreError, match="no clustering"):
            Clustering.open(own, store)
        build_clustering(own, store, ClusterRules())
        with pytest.raises(StoreError, match="other blocks"):
            Clustering.open(own, second)
        assert build_clustering(own, second, ClusterRules()).why_anew == "made of other blocks than the store holds now"
        assert build_clustering(own, second, ClusterRules(coinjoin=KEEP)).why_anew == "made by other rules or tag sets"
        manifest = own / "manifest.json"
        body = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(body | {"network": "main"}))
        with pytest.raises(StoreError, match="digest"):
            Clustering.open(own, second)
        manifest.write_text(json.dumps(body))
        (path,) = own.glob("cluster-*.bin")
        shutil.copy(path, tmp_path / "kept")
        path.write_bytes(b"\x01" + path.read_bytes()[1:])
        with pytest.raises(StoreError, match="SHA-256"):
            Clustering.open(own, second).verify()
        path.write_bytes(b"")
        with pytest.raises(StoreError):
            Clustering.open(own, second)
        manifest.write_text("{}")
        with pytest.raises(StoreError, match="not the manifest"):
            Clustering.open(own)
    assert issubclass(WrongNetwork, StoreError)


@pytest.mark.needs("shared")
@pytest.mark.parametrize(
    ("name", "rules", "clusters"),
    [
        ("mainnet/block300025.raw", ClusterRules(coinjoin=KEEP), 376),
        ("mainnet/block300025.raw", None, 401),
        ("testnet3/block928828.raw", ClusterRules(coinjoin=KEEP), 192),
        ("testnet3/block1087400.raw", ClusterRules(coinjoin=KEEP), 74),
    ],
)
def test_real_blocks_have_the_known_clusters(tmp_path, name, rules, clusters):
    network = TESTNET3 if name.startswith("testnet3") else MAIN
    build(tmp_path / "chain", [str(SHARED / "bitcoin" / name)], network=network, config=PLAIN)
    with ChainStore.open(tmp_path / "chain") as store:
        clustering = build_clustering(tmp_path / "own", store, rules or ClusterRules()).clustering
        assert spenders(store, clustering) == clusters


@settings(max_examples=settings().max_examples // 10)
@given(
    groups=st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), min_size=1, max_size=6),
    cut=st.integers(1, 20),
    most=st.integers(0, 2),
)
def test_change_joins_the_same_as_from_scratch(tmp_path_factory, groups, cut, most):
    folder = tmp_path_factory.mktemp("e")
    chain = Chain()
    for number, group in enumerate(groups):  # everybody pays a shop and has some back at a fresh address
        coins = [chain.mine(name, 100_000) for name in group]
        chain.pay(coins, ("shop", 50_000), (f"change-{number}", 43_210))
        chain.mine()
    rules = ClusterRules(coinjoin=KEEP, change="unique(power_of_ten(4))", most=most)
    blocks = folder / "blocks.dat"
    for part in (range(min(cut, chain.maker.height)), range(chain.maker.height + 1)):
        blocks.write_bytes(chain.maker.block_file(list(part)))
        build(folder / "chain", [str(blocks)], network=REGTEST, config=PLAIN)
        with ChainStore.open(folder / "chain") as store:
            grown = build_clustering(folder / "grown", store, rules, changes=ChainChanges(store, rules.change))
    with ChainStore.open(folder / "chain") as store:
        scratch = build_clustering(folder / "scratch", store, rules, changes=ChainChanges(store, rules.change))
        assert scratch.clustering.digest == grown.clustering.digest
        assert grown.why_anew == "change is joined anew over the co-spend of all blocks"
        reasons = Reasons(store, scratch.clustering, changes=ChainChanges(store, rules.change))
        for number, group in enumerate(groups):
            payer, change = (holder_named(store, identity(name)) for name in (group[0], f"change-{number}"))
            reason = reasons.between(payer, change)
            if reason.joined:
                assert any(step["rule"] == "change" for step in reason.steps)
        assert most or together(store, scratch.clustering, [groups[0][0], "change-0"]) == [["change-0", groups[0][0]]]


def test_what_a_person_says_of_change_counts_and_is_named(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100_000, name="p0")
    paid = chain.pay([coin], ("shop", 50_000), ("change", 43_210))
    chain.mine()
    rules = ClusterRules(change="unique(power_of_ten(4))")
    with chain.store_in(tmp_path) as store:
        said = overrule_of(REGTEST, paid[0].txid, 0, why="the shop's own wallet", by="Mara", at="2021-06-07T00:00:00Z")
        plain = build_clustering(tmp_path / "a", store, rules, changes=ChainChanges(store, rules.change)).clustering
        changes = ChainChanges(store, rules.change, [said])
        told = build_clustering(tmp_path / "b", store, rules, changes=changes).clustering
        assert together(store, plain, ["p0", "shop", "change"]) == [["change", "p0"], ["shop"]]
        assert together(store, told, ["p0", "shop", "change"]) == [["change"], ["p0", "shop"]]
        assert told.stamp["parameters"]["overrules"] == [said.claim.id]


def test_who_is_only_known_by_what_it_spends_is_known_all_the_same(tmp_path):
    chain = make([["p0", "p1"]])
    paid = next(made for made in chain.made if made.raw)
    cover = Coverage(["gone"] * (chain.maker.height + 1), previous={(paid.txid, 0), (paid.txid, 1)})
    cover.blocks[paid.height] = "loose"
    with cover.store_in(tmp_path, chain) as store:
        clustering = build_clustering(tmp_path / "own", store, ClusterRules(coinjoin=KEEP)).clustering
        one, other = (int(holder) for holder in store.find_addresses([identity("p0"), identity("p1")]))
        (step,) = Reasons(store, clustering).between(one, other).steps
        assert step["txid"] == paid.txid
        found = profile(store, clustering, one)
        assert (found["received_amount"], found["outside_inputs"], found["outside_amount"]) == (0, 2, 2000)
        assert (found["transactions"], found["outside_unknown"]) == (1, 0)
        assert found["first_height"] == paid.height


def test_where_only_change_was_refused_the_payers_are_joined_by_that_transaction(tmp_path):
    chain = Chain()
    coins = [chain.mine(name, 100_000) for name in ("p0", "p1")]
    chain.pay(coins, ("shop", 50_000), ("change", 143_210))
    chain.mine()
    rules = ClusterRules(change="unique(power_of_ten(4))", most=2)
    with chain.store_in(tmp_path) as store:
        changes = ChainChanges(store, rules.change)
        clustering = build_clustering(tmp_path / "own", store, rules, changes=changes).clustering
        assert together(store, clustering, ["p0", "p1", "change"]) == [["change"], ["p0", "p1"]]
        (row,) = refused_rows(store, clustering)
        assert "more addresses than it may" in row["why"]
        one, other = (holder_named(store, identity(name)) for name in ("p0", "p1"))
        (step,) = Reasons(store, clustering, changes=changes).between(one, other).steps
        assert step["rule"] == "co-spend"


@given(st.binary(max_size=60), st.integers(0, 2000))
def test_a_damaged_manifest_is_refused_or_makes_no_difference(small, piece, at):
    folder, store, whole = small
    place = at % len(whole)
    (folder / "manifest.json").write_bytes(whole[:place] + piece + whole[place + len(piece) :])
    try:
        said = opened(folder, store)
    finally:
        (folder / "manifest.json").write_bytes(whole)
    assert str(folder) in said or said == json.loads(whole)["digest"]


def opened(folder, store):
    """The digest of a clustering, or what it is refused with."""
    try:
        return Clustering.open(folder, store).digest
    except StoreError as error:
        return str(error)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A clustering on disk: folder, store, manifest."""
    folder = tmp_path_factory.mktemp("small")
    with make([["p0", "p1"], ["p2", "p3"]]).store_in(folder) as store:
        build_clustering(folder / "own", store, ClusterRules()).clustering.close()
        yield folder / "own", store, Whole((folder / "own" / "manifest.json").read_bytes())


class Whole(bytes):
    """Bytes that a failing test does not print in full."""

    def __repr__(self):
        return f"<{len(self)} bytes>"


def test_new_services_do_not_rename_what_was_refused_before(tmp_path):
    chain = make([["p0", "p1"]])
    early = chain.maker.height
    coins = [chain.mine(name, 1000) for name in ("p2", "p3")]
    chain.pay(coins, ("shop", 1900))
    chain.mine()
    names = {"p0": "Mike", "p1": "November", "p2": "Alpha", "p3": "Zulu"}
    for heights in (range(early + 1), range(chain.maker.height + 1)):
        (tmp_path / "blocks.dat").write_bytes(chain.maker.block_file(list(heights)))
        build(tmp_path / "chain", [str(tmp_path / "blocks.dat")], network=REGTEST, config=PLAIN)
        with ChainStore.open(tmp_path / "chain") as store:
            tags = tagged(store, tmp_path, names)
            grown = build_clustering(tmp_path / "grown", store, ClusterRules(coinjoin=KEEP), tagged=tags)
    with ChainStore.open(tmp_path / "chain") as store:
        scratch = build_clustering(tmp_path / "scratch", store, ClusterRules(coinjoin=KEEP), tagged=tags)
        assert grown.extended_from > 0
        assert grown.clustering.digest == scratch.clustering.digest
        told = [(row["one"], row["other"]) for row in refused_rows(store, grown.clustering)]
        assert told == [("Mike", "November"), ("Alpha", "Zulu")]
