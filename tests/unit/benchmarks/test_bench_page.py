"""The page of the benchmark: it fits its figures, and its estimates follow from them by the formulas that it states."""

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bench import extrapolation
from bench.__main__ import ACCURACY_PAGE, PAGE, RESULTS, main
from bench.errors import BenchError
from bench.page import render, render_accuracy
from bench.results import Results, Sample, Size, read_results
from bench.targets import AT, BUILD_TARGETS, TARGETS
from shieldwall.chain.columns import COLUMNS, INDEXES

MISSING = "no results of this benchmark"


def scaled(size, factor, cost=1.0):
    """What would have been measured on a chain `factor` times as long at `cost` times the time per transaction."""
    data = {name: count * factor for name, count in size.data.items()}
    measures = {
        name: [replace(run, seconds=run.seconds * factor * cost, facts=grown(run.facts, factor)) for run in runs]
        for name, runs in size.measures.items()
    }
    return Size(data, measures)


def grown(facts, factor):
    files = {name: count * factor for name, count in facts.get("files", {}).items()}
    return {**facts, "files": files} if files else facts


@pytest.fixture(scope="module")
def measured():
    return read_results(RESULTS)


@pytest.fixture(scope="module")
def smallest(measured):
    return measured.built[min(measured.built)]


def with_sizes(results, *sizes):
    return replace(results, sizes={size.data["transactions"]: size for size in sizes})


def test_page_is_made_from_the_committed_results(measured):
    assert PAGE.read_text(encoding="utf-8") == render(measured)
    assert ACCURACY_PAGE.read_text(encoding="utf-8") == render_accuracy(measured)


def test_page_only_measures_nothing(tmp_path):
    page, accuracy = tmp_path / "page.md", tmp_path / "accuracy.md"
    done = CliRunner().invoke(main, ["--page-only", "--page", str(page), "--accuracy-page", str(accuracy)])
    assert done.exit_code == 0, done.output
    assert page.read_bytes() == PAGE.read_bytes()
    assert accuracy.read_bytes() == ACCURACY_PAGE.read_bytes()


def test_what_is_written_is_read_again(measured, tmp_path):
    measured.write(tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == measured


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": "other"}', '{"format": "shieldwall-bench/1", "sizes": {"x": 1}}']
)
def test_other_files_are_no_results(text, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match=MISSING):
        read_results(path)
    done = CliRunner().invoke(main, ["--page-only", "--results", str(path), "--page", str(tmp_path / "page.md")])
    assert done.exit_code == BenchError.exit_code
    assert MISSING in done.output


def test_verdicts_follow_from_the_figures(measured, smallest):
    factor = AT / smallest.data["transactions"]
    for cost, verdict in ((1e-3, "met"), (1e3, "**missed**")):
        large = scaled(smallest, factor, cost)
        page = render(with_sizes(measured, smallest, large))
        rows = re.findall(r"^\| .* \| at (?:least|most) .*\| (\S+) \|$", page, re.MULTILINE)
        assert rows == ["met" if target.met(large) else "**missed**" for target in BUILD_TARGETS]
        assert {row for row, target in zip(rows, BUILD_TARGETS, strict=True) if "tx/s" in target.unit} == {verdict}


def test_targets_are_not_measured_at_another_size(measured, smallest):
    page = render(with_sizes(measured, smallest))
    assert page.count("| not measured |") == len(TARGETS)
    assert "nothing is known of growth" in page


def test_growth_is_carried_on_to_the_size_of_bitcoin(measured, smallest):
    count = smallest.data["transactions"]
    found = extrapolation.time(with_sizes(measured, smallest, scaled(smallest, 10, 1.5)), "blocks-1")
    cost = 1e6 / smallest.rate("blocks-1")
    assert found.cost == pytest.approx(1.5 * cost)
    assert found.growth == pytest.approx(0.5 * cost)
    decades = len(str(extrapolation.BITCOIN["tx"] // (10 * count))) - 1
    assert 1.5 * cost + 0.5 * cost * decades <= found.far <= 1.5 * cost + 0.5 * cost * (decades + 1)
    assert found.by_transactions == pytest.approx(found.far * extrapolation.BITCOIN["tx"] / 1e6)


def test_a_chain_that_grows_cheaper_is_not_carried_on(measured, smallest):
    found = extrapolation.time(with_sizes(measured, smallest, scaled(smallest, 10, 0.5)), "blocks-1")
    assert found.growth == 0
    assert found.far == found.cost


def test_disk_is_what_is_measured_at_the_rows_that_are_measured(smallest, monkeypatch):
    rows = {table: smallest.data[count] for table, count in extrapolation.COUNTED.items()}
    monkeypatch.setattr(extrapolation, "BITCOIN", rows)
    files = smallest.facts("blocks-2")["files"]
    assert sum(extrapolation.disk(smallest).values()) == pytest.approx(sum(files.values()))


def test_every_file_of_a_store_grows_with_the_table_that_it_belongs_to():
    tables = {name: extrapolation.rows_of(name) for name in (*COLUMNS, *INDEXES)}
    for name, spec in COLUMNS.items():
        if spec.table in extrapolation.BITCOIN:
            assert tables[name] == spec.table
    assert {tables[name] for name in ("holder_number", "paid_first", "payload_bytes", "key_first")} == {"holder"}
    assert (tables["paid_output"], tables["txid_number"]) == ("output", "tx")


def test_memory_lies_between_its_bounds(measured):
    found = extrapolation.memory(measured)
    assert found.all[0] < found.all[1]
    assert found.fitting[0] <= found.fitting[1]
    for holders, live, each in zip(found.fitting, reversed(found.live), reversed(found.a_holder), strict=True):
        assert holders * each + live + found.batches <= extrapolation.MACHINE_BYTES * (1 + 1e-9)


def test_median_and_range_are_those_of_all_runs():
    runs = [Sample(seconds, peak=seconds * 10) for seconds in (3, 1, 2)]
    size = Size({"transactions": 6}, {"blocks-1": runs})
    assert (size.median("blocks-1"), size.rate("blocks-1"), size.peak("blocks-1")) == (2, 3, 30)


def test_results_are_plain_json(measured, tmp_path):
    Results({}, 1).write(tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["sizes"] == {}
