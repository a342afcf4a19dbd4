"""The benchmark of the pages: verdicts follow from figures, boxes are counted as they stand in the HTML, and a small run runs."""

import gzip
import importlib.util

import pytest

from bench.child import measure
from bench.data import make_chain
from bench.job import Job
from bench.page import render
from bench.paging import ASKED, GOALS, PAGES, Effort, rows
from bench.results import Paged, Results, Sample, read_results
from bench.runner import Runner
from bench.visitor import Answer, boxes_in

SMALL = Effort(boxes=40, transactions=50, large=100, asked=3, users=2, each=2, opened=1)
needs_node = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("pyarrow", "sqlcipher3"))), reason="a served node needs its extra"
)


def measured(times=1.0, browser=True):
    latency = {"requests": 3, "p50": 0.05, "p99": 0.09 * times, "mean": 0.05, "most": 0.1}
    seen = {"median": 0.4 * times, "least": 0.3, "most": 0.5, "answered": 0.1, "parsed": 0.2, "painted": None}
    files = {"HTML": 100_000 * times, "style.css": 5000}
    weight = {"files": files, "all": sum(files.values()), "plain": 700_000}
    views = {"cold": seen, "warm": seen, "elements": 9000}
    return {
        "users": 2, "each": 2, "times": 1, "outputs": 388, "undrawable": 0, "tagged": 100,
        "transfers": {"trace": 300, "large": 3000}, "drawn": {"trace": 332, "large": 56},
        "opened": {"trace": 0.2, "large": 0.3}, "latency": dict.fromkeys(ASKED, latency),
        "weight": dict.fromkeys(PAGES, weight),
        "browser": {**dict.fromkeys(PAGES, views), "version": "1"} if browser else {},
    }  # fmt: skip


def results(facts):
    machine = dict.fromkeys(("processor", "memory", "system", "Python", "load before the run (1, 5, 15 minutes)"), "1")
    return Results({}, 0, paged=Paged(machine, {1000: Sample(1, 1, facts)}))


@pytest.mark.parametrize(("times", "verdict"), [(1.0, "met"), (4.0, "**missed**")])
def test_verdicts_follow_from_the_figures(times, verdict):
    facts = measured(times)
    assert {row["verdict"] for row in rows(facts)} == {verdict}
    assert render(results(facts)).count(f"| {verdict} |") == len(GOALS)


def test_a_bound_that_is_just_reached_is_missed():
    facts = measured()
    facts["latency"] = {name: {"p99": 0.1} for name in ASKED}
    assert rows(facts)[0] | {"goal": None} == {"goal": None, "found": 100.0, "verdict": "**missed**"}


def test_without_a_browser_the_rest_is_told():
    facts = measured(browser=False)
    assert [row["verdict"] for row in rows(facts)].count("not measured") == len(PAGES)
    assert "there was no browser" in render(results(facts))


def test_what_was_measured_of_pages_is_read_again(tmp_path):
    found = results(measured())
    found.write(tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == found


def test_what_cannot_be_drawn_is_said():
    page = render(results(measured() | {"undrawable": 3}))
    assert "**could not be drawn**: 3, a fault of the program" in page


def test_boxes_are_told_from_transactions():
    box = '<a href="/traces/1?box=a%3A0" data-key="a:0" aria-label="1 BTC"><g class="box held"><title>x</title></g></a>'
    transaction = '<a href="/traces/1?box=tx%3Aa" data-key="tx:a"><text class="what">a...</text></a>'
    row = '<tr data-key="a:0"><td><a href="/traces/1?box=a%3A0" data-select="a:0">x</a></td></tr>'
    assert boxes_in(transaction + box + row) == ["a:0"]


def test_the_wire_has_the_head_and_the_packed_body():
    packed = gzip.compress(b"words")
    answer = Answer(200, {"content-encoding": "gzip"}, packed, 0.1)
    assert (answer.text, answer.wire) == ("words", len(packed) + len("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"))


@pytest.mark.full
@needs_node
def test_a_small_run_measures_every_page(tmp_path):
    runner = Runner(tmp_path, lambda _: None)
    chain = make_chain(tmp_path, 20_000)
    runner.need_store(chain, None)
    facts = measure(Job("visit", chain, runner.fresh(), SMALL.options()), None).facts
    assert facts["latency"].keys() == ASKED.keys()
    assert facts["drawn"]["trace"] >= SMALL.boxes
    assert facts["transfers"]["large"] <= SMALL.large
    assert facts["latency"]["users"]["requests"] == SMALL.users * SMALL.each
    assert facts["weight"]["desk"]["files"].keys() > {"HTML", "style.css"}
    assert "## Pages" in render(results(facts))
