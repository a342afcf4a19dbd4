"""The half of the benchmark about following money: competitors are held to ours, figures and verdicts follow from the samples."""

import importlib.util

import numpy as np
import pytest
from click.testing import CliRunner

import bench.accuracy
import bench.turns
from bench import figures
from bench.__main__ import main
from bench.accuracy import as_text, hold_to_form
from bench.data import TINY, make_chain
from bench.errors import BenchError
from bench.job import Job
from bench.page import render, render_accuracy
from bench.results import Results, Sample, Size, Traced, read_results
from bench.runner import Runner
from bench.seeds import TaintArrays, early_outputs, ransoms, user_holders
from bench.services import make_member, member_folder
from bench.targets import AT, TRACE_TARGETS
from bench.tasks.clustering import same_partition
from bench.tracing import QUICK, Tracing
from bench.turns import percentiles, take_turns
from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagSets

needs_parquet = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="the simulated Parquet needs pyarrow"
)
needs_peers = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("gs_clustering", "scipy", "networkx", "duckdb"))),
    reason="the other tools come with `make bench`",
)


def traced(slowness=1.0):
    """A half whose figures are those of a perfect program, times `slowness`."""
    fast, p = (
        0.001 * slowness,
        {"p50": 0.0001 * slowness, "p99": 0.001 * slowness, "mean": 0.0001, "most": 0.5 * slowness},
    )
    cluster = {
        "times": {figures.OURS_TWO: [fast, fast], figures.OURS_ONE: [fast], figures.GRAPHSENSE: [0.002]},
        "same": {figures.OURS_ONE: True, figures.GRAPHSENSE: True},
        "sets": 5, "members": 9, "left_out": 1, "clusters": 3,
    }  # fmt: skip
    haircut = {
        "times": {figures.EXACT: [fast], figures.FLOAT: [fast], figures.DUCKDB: [0.02]},
        "apart": {figures.FLOAT: 1e-6, figures.DUCKDB: 0.01},
    }
    fifo = {name: [fast] for name in (figures.EARLY, figures.RANSOMS)}
    answered = (f"fifo, {figures.FIRST}", f"fifo, {figures.EVERYTHING}")
    walks = {figures.REACH: p, figures.WALK: p}
    facts = {
        "cluster": cluster,
        "haircut": haircut,
        "fifo": {"times": fifo, "touched": dict.fromkeys(fifo, 7)},
        "walk": {"asked": 4, "tagged": 2, "latency": walks, "passed": dict.fromkeys(walks, 3.5)},
        "answers": {"asked": 4, "latency": dict.fromkeys(answered, p), "passed": dict.fromkeys(answered, 3.5)},
        "look-up-many": {"asked": 4, "each": 1e-6 * slowness},
        "first-answers": {"asked": 1, "latency": {"trace": p, "screen": p}, "nothing": 0.2},
        "screen": {"asked": 1, "rate": {figures.DIRECT: 1e6 / slowness, figures.HOPS: 1e6 / slowness}},
    }
    return Traced({"processor": "one"}, 1, 3, {name: [Sample(1.0, 10, fact)] for name, fact in facts.items()})


def at(size, half):
    return Results({}, 0, {size: Size({"transactions": size, "holders": 11, "blocks": 1, "outputs": 1, "inputs": 1, "unspent": 1,
                                       "block_bytes": 1, "parquet_bytes": 1}, traced=half)})  # fmt: skip


@pytest.mark.parametrize(("slowness", "met"), [(1.0, True), (1e7, False)])
def test_verdicts_follow_from_the_figures(slowness, met):
    size = at(AT, traced(slowness)).size(AT)
    assert {target.met(size) for target in TRACE_TARGETS} == {met}
    page = render(at(AT, traced(slowness)))
    assert page.count("| met |") == (len(TRACE_TARGETS) if met else 0)
    assert page.count("| **missed** |") == (0 if met else len(TRACE_TARGETS))


def test_a_half_that_was_not_measured_has_no_verdict():
    assert {target.met(Size({})) for target in TRACE_TARGETS} == {None}
    half = traced()
    del half.measures["screen"]
    met = {target.what: target.met(Size({}, traced=half)) for target in TRACE_TARGETS}
    assert [what for what, found in met.items() if found is None] == ["screening, direct", "screening to 3 hops"]


def test_ratios_are_theirs_over_ours():
    size = at(AT, traced(0.5)).size(AT)
    assert figures.clustering_ratio(size) == pytest.approx(4)
    assert figures.haircut_ratio(size) == pytest.approx(40)


def test_another_answer_shows_on_the_page():
    half = traced()
    half.measures["cluster"][0].facts["same"][figures.GRAPHSENSE] = False
    assert "**no**" in render(at(AT, half))
    assert "**no**" not in render(at(AT, traced()))


def test_results_with_this_half_are_read_again(tmp_path):
    results = at(AT, traced())
    results.size(AT).accuracy["coinjoins"] = {"title": "t", "about": "a", "tables": []}
    results.write(tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results


def test_competitors_take_turns_and_are_held_to_the_first():
    called = []
    works = {name: lambda name=name: called.append(name) or len(name) for name in ("ours", "other")}
    times, said = take_turns(works, 2, lambda ours, theirs: (ours, theirs))
    assert called == ["ours", "other"] * 3  # one round does not count
    assert {name: len(taken) for name, taken in times.items()} == {"ours": 2, "other": 2}
    assert said == {"other": (4, 5)}


def test_what_is_slow_has_one_turn(monkeypatch):
    monkeypatch.setattr(bench.turns, "SLOW", -1.0)
    called = []
    works = {name: lambda name=name: called.append(name) or 1 for name in ("ours", "slow")}
    times, said = take_turns(works, 3, lambda ours, theirs: ours == theirs)
    assert called.count("slow") == 1
    assert len(times["slow"]) == 1
    assert len(times["ours"]) == 3
    assert said == {"slow": True}


def test_percentiles_are_those_of_all():
    found = percentiles([0.0, *[1.0] * 98, 101.0])
    assert found["p50"] == 1
    assert 1 <= found["p99"] < 101
    assert found["most"] == 101
    assert found["mean"] == pytest.approx(1.99)


def test_a_partition_is_the_same_under_other_names():
    ours = np.array([0, 0, 2, 2, 4], np.uint32)
    assert same_partition(ours, np.array([7, 7, 1, 1, 3]))
    assert not same_partition(ours, np.array([7, 7, 1, 3, 3]))
    assert not same_partition(ours, np.array([7, 7, 7, 7, 3]))
    assert not same_partition(ours, np.array([7, 7, 1, 1]))


def test_what_rules_find_has_one_form():
    table = {"title": "by kind", "columns": ["kind", "found", "recall", "published"], "rows": [["a", 1234, 0.5, None]]}
    said = {"title": "CoinJoins", "about": "Counted.", "tables": [table]}
    hold_to_form("x", said)
    assert as_text(said)[-1].split() == ["a", "1,234", "0.5000", "-"]
    with pytest.raises(BenchError, match="a row of 'by kind'"):
        hold_to_form("x", {**said, "tables": [{**table, "rows": [["a"]]}]})
    with pytest.raises(BenchError, match="about"):
        hold_to_form("x", {"title": "t", "tables": []})


def test_rates_are_labelled_simulator():
    results = at(1000, None)
    table = {"title": "by kind", "columns": ["kind", "recall"], "rows": [["whirlpool", 1.0]]}
    results.size(1000).accuracy["coinjoins"] = {"title": "CoinJoins", "about": "Counted.", "tables": [table]}
    page = render_accuracy(results)
    assert "**by kind** (*simulator*)" in page
    assert "| whirlpool | 1.0000 |" in page
    assert "Not measured" in render_accuracy(at(1000, None))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    if importlib.util.find_spec("pyarrow") is None:
        pytest.skip("the simulated Parquet needs pyarrow")
    cache = tmp_path_factory.mktemp("tracing")
    chain = make_chain(cache, TINY)
    runner = Runner(cache, lambda _line: None)
    runner.need_store(chain, None)
    make_member(chain)
    return chain


def test_seeds_are_spent_later_and_do_not_reach_each_other(tiny):
    with ChainStore.open(tiny.store) as store:
        seeds = early_outputs(store)
        makers = [store.transaction_of(int(seed)) for seed in seeds]
        blocks = {store.block_of(maker) for maker in makers}
        assert len(set(makers)) == len(seeds) == 10
        assert len(blocks) == 1
        assert all(store.block_of(int(store.column("output_spender")[seed])) > max(blocks) for seed in seeds.tolist())
        arrays = TaintArrays(store, seeds)
        assert arrays.coming.tolist() == [
            sum(value or 0 for value in store.links(number)[1]) for number in range(store.rows("tx"))
        ]
        assert arrays.maker.tolist() == [store.transaction_of(output) for output in range(store.rows("output"))]


def test_the_same_chain_asks_the_same(tiny):
    with ChainStore.open(tiny.store) as store:
        truth = tiny.folder / "truth"
        first, second = (user_holders(store, truth, 20) for _ in range(2))
        assert first.tolist() == second.tolist()
        assert len(set(first.tolist())) == 20
        assert len(ransoms(truth)) > 0


def test_the_services_of_a_chain_are_tagged(tiny):
    index = TagSets(member_folder(tiny) / "tags").select(None)
    tags = list(index.everything())
    assert len(tags) > 100
    assert {"exchange", "shop"} <= {tag.claim.statement.get("category") for tag in tags}
    with ChainStore.open(tiny.store) as store:
        found = store.find_addresses([tag.claim.subject.name for tag in tags])
        assert (found < store.rows("holder")).all()


@pytest.mark.full
@needs_parquet
@needs_peers
def test_a_quick_run_measures_everything_and_keeps_what_was_known(tmp_path, monkeypatch):
    known = at(5, None)
    known.size(5).accuracy["x"] = {"title": "t", "about": "a", "tables": []}
    known.write(tmp_path / "results.json")
    monkeypatch.setattr(bench.accuracy, "modules", list)
    options = ["--quick", "--transactions", "1000", "--only", "trace", "--cache", str(tmp_path)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    found = read_results(tmp_path / "results.json")
    assert found.sizes[5].accuracy == known.size(5).accuracy
    half = found.size(1000).traced
    asked = Tracing(Runner(tmp_path, print), (1000,), 1, 1, peers=True, extent=QUICK)
    assert list(half.measures) == list(asked.options(make_chain(tmp_path, TINY), first=True))
    assert set(half.said("cluster", "same").values()) == {True}
    assert len(half.times("cluster")) == 6
    assert half.said("haircut", "apart")[figures.DUCKDB] < 0.01
    for target in TRACE_TARGETS:
        assert target.found(found.size(1000)) > 0
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "## Into the store" not in page
    assert "graphsense-clustering, two threads | " in page


@pytest.mark.full
@needs_parquet
def test_without_peers_ours_alone_is_measured(tiny, tmp_path):
    asked = Tracing(Runner(tiny.folder.parent, print), (TINY,), 1, 1, peers=False, extent=QUICK)
    assert {tuple(options["peers"]) for options in asked.options(tiny, first=True).values() if "peers" in options} == {
        ()
    }
    job = Job("cluster", tiny, tmp_path, {"rounds": 1, "peers": []})
    assert set(asked.runner.sample(job, tiny).facts["times"]) == {figures.OURS_TWO, figures.OURS_ONE}
