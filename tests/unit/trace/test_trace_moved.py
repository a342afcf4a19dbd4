"""Only where money changed hands: what is folded, what is not, and that every satoshi stays in the picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from picture_support import check, check_sums
from trace_support import FEW, PEOPLE, Chain, Services, bounds, chains, identity, starts, targets_of

from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.follow import follow
from shieldwall.trace.layout import lay_out
from shieldwall.trace.limits import Limits
from shieldwall.trace.moved import clusters_in, moved_runs
from shieldwall.trace.picture import lanes
from shieldwall.trace.report import render
from shieldwall.trace.targets import find_targets


def traced(chain, *words, **options):
    with chain.store() as store:
        return follow(store, find_targets(store, words), **options)


def moving():
    """One who moves money about between three addresses, and pays two others on the way."""
    chain = Chain()
    (coin,) = chain.fund(10_000)
    (first,) = chain.pay([coin], ("own-1", 9_990))
    chain.mine()
    paid, second = chain.pay([first], ("shop", 3_000), ("own-2", 6_980))
    chain.mine()
    (third,) = chain.pay([second], ("own-1", 6_970))
    chain.mine()
    chain.pay([third], ("friend", 6_960))
    chain.pay([paid], ("shop-2", 2_990))
    chain.mine()
    mine = {identity(name): 7 for name in ("origin", "own-1", "own-2")}
    return traced(chain, identity("origin")), mine | {identity("friend"): 8}


def test_what_one_cluster_pays_to_itself_is_one_column():
    result, clusters = moving()
    (run,) = moved_runs(result.body, clusters)
    assert len(run.transfers) == 4
    columns = lay_out(result.body, clusters=clusters)
    start, moves, shops = columns
    assert [box.address for box in start.boxes] == [identity("origin")]
    assert {(box.address, box.amount) for box in moves.boxes} == {
        (identity("shop"), 3_000),
        (identity("friend"), 6_960),
    }
    assert moves.fee == 40
    assert [box.address for box in shops.boxes] == [identity("shop-2")]
    assert len(lay_out(result.body)) == 6
    check_sums(result.body, columns)


def test_the_report_says_so():
    result, clusters = moving()
    page = render(result, clusters=clusters)
    assert "4 payments of one cluster" in page
    assert "Only where money changed hands" in page
    assert "Only where money changed hands" not in render(result)
    assert render(result, clusters=clusters) == render(result, clusters=dict(reversed(clusters.items())))


def test_an_address_of_no_known_cluster_is_never_folded():
    result, _ = moving()
    assert moved_runs(result.body, {}) == []
    assert lanes(result.body, clusters={}) == lanes(result.body)


def test_what_comes_back_from_another_does_not_make_time_run_backward():
    """The friend's payment back joins later than the first move, so that the last move is a column of its own."""
    chain = Chain()
    (coin,) = chain.fund(10_000)
    lent, kept = chain.pay([coin], ("friend", 4_000), ("own-1", 6_000))
    chain.mine()
    (back,) = chain.pay([lent], ("own-2", 4_000))
    chain.mine()
    chain.pay([kept, back], ("own-3", 10_000))
    chain.mine()
    result = traced(chain, identity("origin"))
    clusters = {identity(name): 1 for name in ("origin", "own-1", "own-2", "own-3")}
    assert moved_runs(result.body, clusters) == []
    columns = lay_out(result.body, clusters=clusters)
    check_sums(result.body, columns)
    assert len(columns) == 4


@FEW
@given(st.data())
def test_any_trace_with_any_clusters(data):
    chain = data.draw(chains())
    world = chain.world()
    start, wanted = data.draw(starts(world)), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    numbers = data.draw(st.lists(st.integers(0, 2), min_size=len(PEOPLE), max_size=len(PEOPLE)))
    clusters = {identity(name): number for name, number in zip(PEOPLE, numbers, strict=True)}
    method = data.draw(st.sampled_from(["fifo", "haircut", "lifo"]))
    with chain.store() as store:
        for direction in ("forward", "backward"):
            targets = targets_of(store, start)
            body = follow(store, targets, method, limits, labels=Services(wanted.services), direction=direction).body
            check(body, clusters)
            runs = moved_runs(body, clusters)
            seen = [transfer["txid"] for run in runs for transfer in run.transfers]
            assert len(seen) == len(set(seen))
            for run in runs:
                paid = {
                    f"{transfer['txid']}:{entry['index']}": (transfer, entry["address"])
                    for transfer in run.transfers
                    for entry in transfer["outputs"]
                }
                for key in run.inside:  # nothing is folded but what a cluster pays to itself
                    transfer, address = paid[key]
                    assert {clusters[entry["address"]] for entry in transfer["inputs"]} == {clusters[address]}


def test_the_clusters_of_a_trace_come_from_a_clustering(tmp_path):
    """Two addresses that paid together are one cluster, so that what the one pays to the other is folded."""
    bare = Script(ScriptKind.P2PK, bytes([2]) + bytes(32))
    chain = Chain()
    (coin,) = chain.fund(10_000)
    rest, _ = chain.pay([coin], ("mine", 6_000), (bare, 4_000))
    (again,) = chain.pay([rest], ("mine-2", 5_990))
    chain.mine()
    chain.pay([again, *chain.fund(10, name="mine")], ("shop", 6_000))
    chain.mine()
    with (
        chain.store() as store,
        build_clustering(tmp_path / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        body = follow(store, find_targets(store, [identity("origin")])).body
        clusters = clusters_in(body, store, clustering)
        holders = {name: store.find_addresses([name])[0] for name in clusters if ":" not in name}
    told = {entry["address"] for transfer in body["transfers"] for entry in (*transfer["inputs"], *transfer["outputs"])}
    assert clusters.keys() == told
    assert sum(":" in name for name in clusters) == 1
    assert (
        clusters[identity("mine")]
        == clusters[identity("mine-2")]
        == min(holders[identity(n)] for n in ("mine", "mine-2"))
    )
    assert len(set(clusters.values())) == len(clusters) - 1
    assert [len(run.transfers) for run in moved_runs(body, clusters)] == [2]
