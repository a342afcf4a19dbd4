"""The rules over arrays say what the rules say of one transaction, and what a slow reading of the definitions says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import small_folder
from trace_support import FEW, chains, coverages

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.peel.next_hop import next_hop
from shieldwall.trace.peel.profile import place_told, profile_of
from shieldwall.trace.peel.rules import RULES
from shieldwall.trace.peel.table import PeelTable


def check(store, clustering, transactions):
    """Array form and single form agree for these transactions, each held to the cluster that pays in it."""
    table = PeelTable.of(store, clustering)
    for rule in RULES.values():
        found = table.next_outputs(transactions, table.payer[transactions], whole=rule.whole)
        for transaction, output in zip(transactions.tolist(), found.tolist(), strict=True):
            cluster = int(table.payer[transaction])
            if cluster < 0:
                assert output == -1
                continue
            profile = profile_of(store, clustering, cluster)
            assert place_told(int(table.seen[cluster])) == profile.change
            assert [word for word in range(32) if int(table.features[cluster]) >> word & 1] == list(profile.features)
            assert int(table.kinds[cluster]) == profile.kinds
            told = next_hop(store, clustering, transaction, profile, rule, frozenset([cluster]))
            assert output == (-1 if told.chosen is None else told.chosen.output)


@FEW
@given(st.data())
def test_any_chain(data):
    chain = data.draw(chains())
    coverage = data.draw(coverages(chain))
    with (
        tempfile.TemporaryDirectory() as name,
        coverage.store_in(Path(name), chain) as store,
        build_clustering(Path(name) / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        check(store, clustering, np.arange(store.rows("tx")))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    build(folder / "chain", [str(small_folder() / "blocks")], config=BuildConfig(engine="plain"))
    with (
        ChainStore.open(folder / "chain") as store,
        build_clustering(folder / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        yield store, clustering


def test_the_simulated_chain(simulated):
    store, clustering = simulated
    check(store, clustering, np.arange(0, store.rows("tx"), 7))


def test_the_second_rule_answers_no_more_than_the_first(simulated):
    store, clustering = simulated
    table = PeelTable.of(store, clustering)
    everything = np.arange(store.rows("tx"))
    first, second = (table.next_outputs(everything, table.payer, whole=whole) for whole in (False, True))
    answered = second >= 0
    assert 0 < answered.sum() < (first >= 0).sum()
    assert (second[answered] == first[answered]).all()


def test_the_definitions_read_slowly(simulated):
    """Sets and loops over the store, written from the definitions alone."""
    store, clustering = simulated
    count, holders = store.rows("tx"), store.column("output_holder")
    payers = [
        {clustering.cluster_of(entry.holder) for entry in store.inputs(number) if entry.holder is not None}
        for number in range(count)
    ]
    kinds = store.column("holder_kind")
    types, features, places = {}, {}, {}
    for holder in range(store.rows("holder")):
        types.setdefault(clustering.cluster_of(holder), set()).add(int(kinds[holder]))

    def look(number):
        segwit = any(int(kinds[entry.holder]) in (5, 6, 7, 8) for entry in store.inputs(number))
        return store.flags_of(number) & (4 | 8 | 16 | 32), segwit

    for number in range(count):
        if len(payers[number]) != 1:
            continue
        (cluster,) = payers[number]
        features.setdefault(cluster, set()).add(look(number))
        numbers = store.output_range(number)
        back = [number for number in numbers if clustering.cluster_of(int(holders[number])) == cluster]
        if len(back) == 1 and len(numbers) > 1:
            index = back[0] - numbers.start
            places.setdefault(cluster, set()).add(0 if index == 0 else -1 if index == len(numbers) - 1 else "elsewhere")
    table = PeelTable.of(store, clustering)
    answers = table.next_outputs(np.arange(count), table.payer, whole=False)
    some = 0
    for number in range(0, count, 3):
        if len(payers[number]) != 1:
            assert answers[number] == -1
            continue
        (cluster,) = payers[number]
        numbers = store.output_range(number)
        allowed = places.get(cluster, {"elsewhere"})
        fitting = [
            output
            for index, output in enumerate(numbers)
            if (
                "elsewhere" in allowed or (index == 0 and 0 in allowed) or (index == len(numbers) - 1 and -1 in allowed)
            )
            and int(kinds[int(holders[output])]) in types[cluster]
            and store.spend(output).state == SpendState.SPENT
            and look(store.spend(output).transaction) in features[cluster]
        ]
        assert answers[number] == (fitting[0] if len(fitting) == 1 else -1)
        some += len(fitting) == 1
    assert some > 100
