"""Traces from and to clusters: where they start, where they stop, and what is summed."""

from dataclasses import replace

import pytest
from test_trace_clusters import tagged
from trace_support import Chain, identity

from shieldwall.intel import TagSets, shipped
from shieldwall.model.network import REGTEST
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.follow import follow
from shieldwall.trace.report import render
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.targets import find_targets


@pytest.fixture
def world(tmp_path):
    """A thief with two addresses, joined by a payment; an exchange whose deposit address is joined with its tagged one."""
    chain = Chain()
    first, second, third, fourth = (chain.mine(name, 1_000) for name in ("thief-1", "thief-2", "desk", "deposit"))
    chain.pay([first, second], ("fence", 1_900))  # joins thief-1 and thief-2
    chain.pay([third, fourth], ("cold", 1_900))  # joins desk and deposit
    chain.mine()
    later = chain.mine("thief-2", 500)
    chain.pay([later], ("deposit", 400))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        tags = tagged(store, tmp_path, {"desk": "Alpha Exchange"})
        clustering = build_clustering(tmp_path / "own", store, ClusterRules(), tagged=tags).clustering
        labels = TagLabels(TagSets(tmp_path / "tags").select(None), shipped(), REGTEST)
        yield store, clustering, labels


def run(world, *, cluster, engine="plain", words=("thief-1",)):
    store, clustering, labels = world
    chosen = clustering if cluster else None
    targets = find_targets(store, [identity(name) for name in words], clustering=chosen)
    return follow(store, targets, labels=labels, clustering=chosen, engine=engine)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_trace_starts_from_the_whole_cluster_and_stops_at_a_services(world, engine):
    alone, whole = run(world, cluster=False, engine=engine), run(world, cluster=True, engine=engine)
    assert alone.seed_amount == 1_000
    assert whole.seed_amount == 2_500
    assert whole.targets[0]["members"] == 2
    (service,) = [end for end in whole.body["ends"] if end["kind"] == "service"]
    assert (service["address"], service["amount"]) == (identity("deposit"), 400)
    assert (service["service"], service["inherited"]) == ("Alpha Exchange", identity("desk"))
    assert sum(end["amount"] for end in whole.body["ends"]) == 2_500
    assert not [end for end in alone.body["ends"] if end["kind"] == "service"]
    assert "sits at Alpha Exchange (inferred, by its cluster)" in whole.sentence
    assert any("all 2 addresses of its cluster" in note for note in whole.notes)
    assert whole.parameters["clustering"]["digest"] == world[1].digest
    assert alone.parameters["clustering"] is None
    assert alone.clusters is None


def test_both_engines_give_one_digest_and_two_members_of_one_cluster_start_once(world):
    plain, compiled = run(world, cluster=True), run(world, cluster=True, engine="compiled")
    assert plain.digest == compiled.digest
    twice = run(world, cluster=True, words=("thief-1", "thief-2"))
    assert twice.seed_amount == plain.seed_amount


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_the_whole_answer_is_there_after_the_clustering_is_closed(world, engine):
    result = run(world, cluster=True, engine=engine)
    world[1].close()
    (service,) = [end for end in result.body["ends"] if end["kind"] == "service"]
    assert service["inherited"] == identity("desk")


def test_ends_are_summed_by_cluster(world):
    clusters = run(world, cluster=True).clusters
    assert [(row["addresses"], row["amount"], row["service"]) for row in clusters["ends"]] == [
        (1, 1_900, None),
        (1, 400, "Alpha Exchange"),
    ]
    assert clusters["ends"][1]["size"] == 2
    assert clusters["omitted"] == 0
    assert clusters["layer"] == "inference"
    assert set(clusters) == {"ends", "omitted", "omitted_amount", "layer"}
    named = {"named_after", "size", "addresses", "amount", "share", "amounts", "service"}
    assert set(clusters["ends"][0]) == named


def test_the_report_says_what_is_inferred(world):
    page = render(run(world, cluster=True))
    assert page.index("By cluster") < page.index("Where it is, and who can freeze it") < page.index("The way there")
    assert "inferred: in one cluster with" in page
    assert "Addresses were joined by rules that err" in page
    assert "No heuristic joined addresses" in render(run(world, cluster=False))


def test_the_same_trace_differs_after_extending_only_where_the_chain_does(tmp_path):
    chain = Chain()
    coin = chain.mine("a", 1_000)
    kept, gone = chain.pay([coin], ("b", 400), ("c", 600))
    chain.mine()
    results = []
    for name in ("before", "after"):
        folder = tmp_path / name
        folder.mkdir()
        with chain.store_in(folder) as store:
            clustering = build_clustering(folder / "own", store, ClusterRules()).clustering
            targets = find_targets(store, [identity("a")], clustering=clustering)
            results.append(follow(store, targets, clustering=clustering).body)
        if name == "before":
            chain.pay([gone], ("d", 600))
            chain.mine()
    before, after = results
    assert after["transfers"][: len(before["transfers"])] == before["transfers"]
    ends = [{end["address"]: end for end in body["ends"]} for body in results]
    assert ends[0][identity("b")] | {"rank": 0} == ends[1][identity("b")] | {"rank": 0}
    assert {*ends[0]} - {*ends[1]} == {identity("c")}
    assert {*ends[1]} - {*ends[0]} == {identity("d")}
    assert kept.value == 400


def test_the_sentence_says_whom_the_first_name_is_inherited_from(world):
    store, clustering, labels = world
    (target,) = find_targets(store, [identity("thief-2")])
    last = replace(target, outputs=target.outputs[-1:])
    result = follow(store, [last], labels=labels, clustering=clustering)
    assert (
        f"Alpha Exchange, address {identity('deposit')} (inferred: in one cluster with {identity('desk')})"
        in result.sentence
    )
