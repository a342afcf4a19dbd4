"""The benchmark runs: small chains end to end, each measurement in a process of its own, what fails says so."""

import importlib.util
import json

import numpy as np
import pytest
from click.testing import CliRunner

import bench.runner
from bench.__main__ import main
from bench.child import measure
from bench.data import TINY, Chain, make_chain, read_through
from bench.errors import BenchError
from bench.job import Job
from bench.results import Sample, Size, read_results
from bench.runner import Runner
from bench.same import same, summary
from bench.suite import BUILDS, PEERS, STORE_TASKS, hold_to_one_digest

PEER_MODULES = ("bitcoin", "polars", "duckdb")
needs_parquet = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="the simulated Parquet needs pyarrow"
)
needs_peers = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, PEER_MODULES)), reason="the other tools come with `make bench`"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def tiny(cache):
    return make_chain(cache, TINY)


@needs_parquet
def test_a_measurement_tells_time_memory_and_what_it_found(tiny, cache):
    scratch = cache / "run"
    scratch.mkdir()
    sample = measure(Job("blocks", tiny, scratch, {"threads": 2}), None)
    assert sample.seconds > 0
    assert sample.peak > 10 << 20
    assert sample.facts["files"]["tx_txid"] == 32 * TINY


def test_a_measurement_that_fails_says_its_last_words(tmp_path):
    nothing = Chain(tmp_path / "no chain", TINY)
    with pytest.raises(BenchError, match="blocks failed"):
        measure(Job("blocks", nothing, tmp_path, {"threads": 1}), None)


def test_a_job_travels_as_text(tmp_path):
    job = Job("parquet", Chain(tmp_path, 5), tmp_path / "run", {"txids": "given"})
    assert Job.from_text(job.as_text()) == job


def test_a_full_disk_is_said_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.data.disk_needed", lambda _sizes: 1 << 62)
    with pytest.raises(BenchError, match="GB free"):
        make_chain(tmp_path, TINY)
    assert list(tmp_path.iterdir()) == []


def test_files_are_read_to_their_end(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(bytes(5_000_000))
    assert read_through(paths) == 10_000_000


def test_the_same_arrays_under_another_numbering_of_holders_are_the_same():
    values, links, spender = (np.array(row) for row in ([5, 6, 7], [0, -1], [1, -1, -1]))
    ours = summary(values=values, links=links, spender=spender, holder=np.array([4, 4, 9]))
    assert same(ours, summary(values=values, links=links, spender=spender, holder=np.array([1, 1, 0])))
    assert same(ours, summary(values=values, links=links, spender=spender))
    assert not same(ours, summary(values=values, links=links, spender=spender, holder=np.array([1, 0, 0])))
    assert not same(ours, summary(values=values[::-1], links=links, spender=spender))


def test_ways_to_different_stores_end_the_run():
    ways = ("blocks-1", "blocks-2", "parquet-verified", "extend")
    measures = {way: [Sample(1, 1, {"digest": way})] for way in ways}
    with pytest.raises(BenchError, match="different stores"):
        hold_to_one_digest(Size({}, measures))


def test_runs_that_compile_are_made_again(tmp_path, monkeypatch):
    told = []
    samples = iter([Sample(9, 1, {"compiled": 3}), Sample(1, 1, {"compiled": 0})])
    monkeypatch.setattr(bench.runner, "measure", lambda _job, _tiny: next(samples))
    runner = Runner(tmp_path, told.append)
    job = Job("verify", Chain(tmp_path, TINY), tmp_path)
    assert runner.sample(job, job.chain).seconds == 1
    assert len(told) == 1


@pytest.mark.full
@needs_parquet
def test_a_run_measures_everything_and_makes_the_page(cache, tiny):
    results, page = cache / "results.json", cache / "page.md"
    sizes = ["--transactions", "2000", "--transactions", "1000"]
    files = ["--cache", str(cache), "--results", str(results), "--page", str(page)]
    files += ["--accuracy-page", str(cache / "accuracy.md"), "--only", "build"]
    done = CliRunner().invoke(main, [*sizes, *files, "--repetitions", "1", "--no-peers"])
    assert done.exit_code == 0, done.output
    found = read_results(results)
    assert list(found.sizes) == [1000, 2000]
    for size in found.sizes.values():
        assert size.measures.keys() == {*BUILDS, *STORE_TASKS, "extend"}
        assert size.facts("extend")["blocks"] == 20
    assert "From 1,000 to 2,000 transactions" in page.read_text(encoding="utf-8")
    assert not (cache / "scratch").exists()
    assert (cache / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.full
@needs_parquet
@needs_peers
def test_other_tools_give_the_same_arrays(cache, tiny):
    results, page = cache / "peers.json", cache / "peers.md"
    files = ["--cache", str(cache), "--results", str(results), "--page", str(page)]
    files += ["--accuracy-page", str(cache / "accuracy.md"), "--only", "build"]
    done = CliRunner().invoke(main, ["--transactions", "1000", *files, "--repetitions", "1"])
    assert done.exit_code == 0, done.output
    size = read_results(results).size(1000)
    assert [size.facts(name)["same"] for name in PEERS] == [True] * len(PEERS)
    assert json.loads(results.read_text(encoding="utf-8"))["format"] == "shieldwall-bench/1"
    assert "**no**" not in page.read_text(encoding="utf-8")
