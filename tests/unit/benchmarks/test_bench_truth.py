"""What is measured on the simulator's truth: counted right, in the form of the page, and never told by the program itself."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import is_change, owner, rows, small_folder, truth

from bench import truth_clusters, truth_peel
from bench.__main__ import RESULTS
from bench.accuracy import hold_to_form
from bench.data import Chain
from bench.truths import Truth, count_named, main_owner, percent, rate
from bench.wholes import clusters_by, co_spend_clusters
from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.many import payers
from shieldwall.chain.store import ChainStore
from shieldwall.model.transaction import internal
from shieldwall.trace.change.chainwide import change_outputs
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.peel.follow import follow_peel
from shieldwall.trace.peel.table import PeelTable

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("change", "peel", "clusters")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """The small simulated chain with a store, as the benchmark keeps one."""
    folder = tmp_path_factory.mktemp("bench-chain")
    (folder / "truth").symlink_to(small_folder() / "truth")
    build(folder / "store", [str(small_folder() / "blocks")], config=BuildConfig(engine="plain"))
    return Chain(folder, 3000)


@pytest.mark.parametrize("name", MODULES)
def test_the_answers_have_the_form_of_the_page(chain, name):
    said = importlib.import_module(f"bench.truth_{name}").measure(chain)
    hold_to_form(name, said)
    assert json.loads(json.dumps(said)) == said
    cells = [cell for table in said["tables"] for row in table["rows"] for cell in row]
    assert {type(cell) for cell in cells} <= {str, int, type(None)}
    assert any("published" in column for table in said["tables"] for column in table["columns"])
    assert "error" not in said["about"]


def test_a_rule_is_counted_as_slow_loops_count_it(chain):
    with ChainStore.open(chain.store) as store:
        known = Truth.of(chain, store)
        found = change_outputs(store, "address_type")
    kinds = truth()[0]["coinjoin_kind"]
    true = named = right = without = wrongly = 0
    for row in rows():
        if not row.spends or kinds[row.number] not in (0, 2):
            continue
        backs = [output for output in row.makes if is_change(output)]
        answer = int(found[row.number])
        if len(backs) == 1:
            true, named, right = true + 1, named + (answer >= 0), right + (answer == backs[0])
            assert known.payer[row.number] == owner(row.spends[0])
        elif not backs:
            without, wrongly = without + 1, wrongly + (answer >= 0)
    counted = count_named(known, found)
    assert (counted.true, counted.named, counted.right) == (true, named, right)
    assert (counted.without, counted.named_without) == (without, wrongly)
    assert 0 < right < named < true
    assert counted.precision == rate(right, named)


def test_the_mixes_take_every_transaction_apart_once(chain):
    with ChainStore.open(chain.store) as store:
        known = Truth.of(chain, store)
    whole = int((known.single & (known.only_change >= 0)).sum())
    for parts in known.mixes().values():
        assert sum(int((part & (known.only_change >= 0)).sum()) for _, part in parts) == whole
        assert len(parts) > 1


def test_expansion_is_what_following_each_transaction_adds(chain, tmp_path):
    with ChainStore.open(chain.store) as store:
        known = Truth.of(chain, store)
        table = PeelTable.of_clusters(store, co_spend_clusters(store))
        main = truth_peel.owners(table, known)
        clusters = truth_peel.starts(table)[::9]
        found = truth_peel.expand(table, known, main, clusters, whole=False)
        with build_clustering(tmp_path / "clusters", store, ClusterRules()).clustering as clustering:
            added = false = 0
            for cluster in clusters.tolist():
                passed = set()
                for start in np.flatnonzero(table.payer == cluster).tolist():
                    hops = follow_peel(store, clustering, start, rule="find-next").transactions[1:]
                    passed |= {store.find_transaction(internal(hop.txid)) for hop in hops}
                members = set(clustering.members(cluster).tolist())
                paying = set(payers(store, np.array(sorted(passed), np.int64))[0].tolist()) - members
                added += len(paying)
                false += sum(known.holder_owner[holder] != main[cluster] for holder in paying)
    assert (found.added, found.false) == (added, false)
    assert found.added > 10
    assert found.before == int(table.size[clusters].sum())


labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30)


@given(labels)
def test_expansion_of_a_coarser_clustering(drawn):
    base, cluster = (
        np.unique(named, return_inverse=True)[1]
        for named in ([10 * coarse + fine for coarse, fine, _ in drawn], [coarse for coarse, _, _ in drawn])
    )
    owners = np.array([whose for _, _, whose in drawn])
    main = main_owner(base, owners)
    before = added = false = 0
    for fine in set(base.tolist()):
        inside = [k for k in range(len(base)) if base[k] == fine]
        counts = [(-sum(owners[k] == whose for k in inside), whose) for whose in range(4)]
        assert main[fine] == min(counts)[1]
        if len(inside) > 1:
            more = [k for k in range(len(base)) if cluster[k] == cluster[inside[0]] and k not in inside]
            before, added = before + len(inside), added + len(more)
            false += sum(owners[k] != main[fine] for k in more)
    assert truth_clusters.expansion(base, cluster, owners) == (before, added, false)


def test_pairs_are_counted_as_slow_loops_count_them(chain):
    said = truth_clusters.measure(chain)["tables"][0]
    name, rules, _ = truth_clusters.CASES[0]
    with ChainStore.open(chain.store) as store:
        owners = Truth.of(chain, store).holder_owner
        clusters, _ = clusters_by(store, rules, None)
    pairs = [(int(one), int(other)) for one, other in zip(clusters, owners, strict=True) if other >= 0]
    joined, right, owned = (
        sum(count * (count - 1) // 2 for count in Counter(named).values())
        for named in ([cluster for cluster, _ in pairs], pairs, [owner for _, owner in pairs])
    )
    (row,) = (dict(zip(said["columns"], row, strict=True)) for row in said["rows"] if row[0] == name)
    assert (row["precision"], row["recall"]) == (rate(right, joined), rate(right, owned))
    assert 0 < right < owned


def test_rates_are_decimals():
    assert (rate(1, 3), rate(2, 3), rate(0, 5), rate(1, 0)) == ("0.3333", "0.6667", "0.0000", None)
    assert (percent(1, 3), percent(5, 2), percent(0, 0)) == ("33.33 %", "250.00 %", None)


def test_the_program_itself_tells_no_rate_of_the_simulator():
    """Neither the word nor a figure of the page stands in the source: a report can say published rates only."""
    source = {
        path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".j2")
    }
    assert len(source) > 200
    for path, text in source.items():
        for line in text.splitlines():
            assert "simulator" not in line.lower() or "never measured on the simulator" in line, (path, line)
        assert not re.search(r"\b(?:from|import) (?:bench|simulator)\b|results\.json|accuracy\.md", text), path
    if not RESULTS.exists():
        return
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    figures = {
        cell
        for size in told["sizes"].values()
        for part in size.get("accuracy", {}).values()
        for table in part["tables"]
        for row in table["rows"]
        for column, cell in zip(table["columns"], row, strict=True)
        if "published" not in column and isinstance(cell, str) and re.fullmatch(r"0\.\d{4}|\d+\.\d\d %", cell)
    }
    round_ones = {
        "0.00 %",
        "0.0000",
        "0.5000",
        "0.02 %",
        "0.62 %",
    }  # which others publish, or code has for other reasons
    for path, text in source.items():
        assert not {figure for figure in figures - round_ones if figure in text}, path
