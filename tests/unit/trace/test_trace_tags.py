"""Real tag sets as labels of a trace: stops, versions, contradictions, who can freeze."""

from __future__ import annotations

import numpy as np
import pytest
from embit.hashes import hash160
from trace_support import Chain, identity

from shieldwall.errors import UsageError
from shieldwall.intel import ReadOptions, TagSets, read_directory, shipped
from shieldwall.model import address
from shieldwall.model.network import REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.follow import follow
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN, Label, NoLabels
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.targets import find_targets

DIRECTORY = """
dated = "2026-01-02"
[[entry]]
id = "northwind"
name = "Northwind Exchange"
role = "exchange"
actors = ["northwind"]
labels = ["Northwind"]
legal_entity = "Northwind Ltd"
country = "NO"
channel = "desk@northwind.example"
requires = "an order"
[[entry.source]]
title = "its page"
url = "https://northwind.example"
as_of = "2025-12-01"
stated_by = "self"
"""


def pack(path, *rows):
    path.write_text("address,label,category,actor,source\n" + "".join(",".join(row) + "\n" for row in rows))
    return path


@pytest.fixture
def sets(tmp_path):
    sets = TagSets(tmp_path / "tags")
    desk, mixer = identity("desk"), identity("mixer")
    first = pack(tmp_path / "first.csv", (desk, "Northwind", "exchange", "northwind", "its reserves"))
    second = pack(
        tmp_path / "second.csv",
        (desk, "Southwind", "gambling", "southwind", "a forum"),
        (mixer, "Whirl", "mixing_service", "", "a paper"),
        (identity("thief"), "A thief", "perpetrator", "", "a court"),
    )
    for path in (first, second):
        sets.import_files([path], options=ReadOptions(network=REGTEST))
    return sets


@pytest.fixture
def store(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("desk", 50), ("mixer", 30), ("thief", 20))
    chain.mine()
    folder = tmp_path / "store"
    folder.mkdir()
    with chain.store_in(folder) as store:
        yield store


def traced(store, sets, names=None, stop=None, directory=None):
    labels = TagLabels(sets.select(names), directory or shipped(), REGTEST, stop)
    return follow(store, find_targets(store, [identity("origin")]), labels=labels).body


def end_at(body, name):
    return next(end for end in body["ends"] if end["address"] == identity(name))


def test_services_stop_and_others_do_not(store, sets):
    body = traced(store, sets)
    assert (body["service_amount"], body["held_amount"]) == (80, 20)
    thief = end_at(body, "thief")
    assert (thief["kind"], thief["service"], thief["tags"][0]["label"]) == ("held", None, "A thief")
    assert (end_at(body, "mixer")["service"], end_at(body, "mixer")["reason"]) == ("Whirl", "mixing_service")


def test_stop_overrides_the_usual_categories(store, sets):
    body = traced(store, sets, stop=["perpetrator"])
    assert (body["service_amount"], body["held_amount"]) == (20, 80)
    assert end_at(body, "thief")["service"] == "A thief"
    assert end_at(body, "desk")["tags"]  # still shown
    assert body["parameters"]["stop_categories"] == ["perpetrator"]


def test_contradictions_are_shown(store, sets):
    desk = end_at(traced(store, sets), "desk")
    assert [text.partition(":")[0] for text in desk["contradictions"]] == [
        "sources name different actors",
        "sources name different kinds of service",
    ]
    assert {tag["label"] for tag in desk["tags"]} == {"Northwind", "Southwind"}


def test_versions_of_sets_stand_in_the_result_and_can_be_asked_for(store, sets, tmp_path):
    (info,) = (info for info in sets.sets() if info.name == "first")
    pack(tmp_path / "first.csv", (identity("desk"), "Renamed", "exchange", "", "its reserves"))
    sets.import_files([tmp_path / "first.csv"], options=ReadOptions(network=REGTEST))
    now, then = traced(store, sets, ["first"]), traced(store, sets, [f"first@{info.version}"])
    assert end_at(now, "desk")["service"] == "Renamed"
    assert end_at(then, "desk")["service"] == "Northwind"
    versions = {entry["set"]: entry["version"] for entry in then["parameters"]["tag_sets"]}
    assert versions == {"first": info.version, "freeze-directory": shipped().dated}
    with pytest.raises(UsageError, match="has no version"):
        traced(store, sets, ["first@000000000000"])
    with pytest.raises(UsageError, match="no tag set is called"):
        traced(store, sets, ["third"])


def test_who_can_freeze_comes_from_the_directory(store, sets, tmp_path):
    (tmp_path / "directory.toml").write_text(DIRECTORY)
    directory = shipped().with_further(read_directory(tmp_path / "directory.toml"))
    body = traced(store, sets, ["first"], directory=directory)
    (entry,) = end_at(body, "desk")["freezable_by"]
    assert (entry["name"], entry["legal_entity"], entry["because"]) == (
        "Northwind Exchange",
        "Northwind Ltd",
        ["Northwind"],
    )
    assert "Northwind Exchange can freeze it" in body["sentence"]
    assert end_at(traced(store, sets, ["first"]), "desk")["freezable_by"] == []
    assert body["parameters"]["tag_sets"][-1] == {"set": "freeze-directory", "version": "2026-01-02"}


def test_no_sets_at_all(store, tmp_path):
    body = traced(store, TagSets(tmp_path / "nothing"))
    assert (body["service_amount"], body["held_amount"]) == (0, 100)
    assert [entry["set"] for entry in body["parameters"]["tag_sets"]] == ["freeze-directory"]


def test_a_misspelt_stop_is_an_error_that_names_the_categories(sets):
    index = sets.select(None)
    with pytest.raises(UsageError, match="no tag of the sets used has the category 'exchnage'") as caught:
        TagLabels(index, shipped(), REGTEST, ["exchange", "exchnage"])
    assert "perpetrator" in caught.value.hint
    assert "hosted_wallet" in caught.value.hint
    assert TagLabels(index, shipped(), REGTEST, ["perpetrator"]).stop == ("perpetrator",)
    assert TagLabels(index, shipped(), REGTEST, ["Mixer", "gambling"]).stop == ("gambling", "mixing_service")


# labels of all holders at once


def test_the_table_says_of_every_holder_what_asking_says(tmp_path):
    """Also of a key whose hash is tagged, whether or not that hash was ever paid, and of what was taken back."""
    keys = [b"\x02" + bytes([number]) * 32 for number in range(3)]
    hashes = [Script(ScriptKind.P2PKH, hash160(key)) for key in keys]
    names = [address.identity(script, REGTEST) for script in hashes]
    sets = TagSets(tmp_path / "tags")
    rows = [
        (names[0], "Unpaid", "exchange", "", "a list"),
        (names[1], "Paid too", "perpetrator", "", "a list"),
        (identity("desk"), "Northwind", "exchange", "", "a list"),
        (identity("nobody"), "Nobody", "exchange", "", "a list"),
    ]
    sets.import_files([pack(tmp_path / "list.csv", *rows)], options=ReadOptions(network=REGTEST))
    chain = Chain()
    (coin,) = chain.fund(100)
    paid = [*((Script(ScriptKind.P2PK, key), 10) for key in keys), (hashes[1], 5), (hashes[2], 5), ("desk", 40)]
    chain.pay([coin], *paid)
    chain.mine()
    folder = tmp_path / "store"
    folder.mkdir()
    labels = TagLabels(sets.select(None), shipped(), REGTEST)
    with chain.store_in(folder) as store:
        asked, listed = Holders(store, labels), Holders(store, labels)
        every = range(store.rows("holder"))
        services = [holder for holder in every if asked.label(holder).service is not None]
        assert listed.services().tolist() == services
        assert [listed.label(holder) for holder in every] == [asked.label(holder) for holder in every]
        assert {store.identity(holder) for holder in services} == {identity("desk"), f"p2pk:{keys[0].hex()}"}
        again = TagLabels(sets.select(None), shipped(), REGTEST, ["perpetrator"])
        assert again.table(store).tagged is labels.table(store).tagged  # read once
        named = {store.identity(int(holder)) for holder in again.table(store).services}
        assert named == {names[1], f"p2pk:{keys[1].hex()}"}
        compiled, plain = (
            follow(store, find_targets(store, [identity("origin")]), labels=labels, engine=engine)
            for engine in ("compiled", "plain")
        )
        assert compiled.summary["service_amount"] == 50
        assert compiled.to_json() == plain.to_json()


class OfTheirCluster:
    """Labels that some holders have of others."""

    def __init__(self, holders):
        self.services = np.array(sorted(holders), np.uint32)

    def label(self, holder):
        return Label((), "Its cluster's", "exchange") if holder in self.services else NOTHING_KNOWN


def test_a_label_may_be_inherited(store, sets):
    """By those of which no tag speaks: the thief is tagged, so it is no service for standing in an exchange's cluster."""
    labels = TagLabels(sets.select(None), shipped(), REGTEST)
    thief, desk, miner = store.find_addresses([identity("thief"), identity("desk"), identity("miner")]).tolist()
    for known, expected in ((labels, ["A thief", "Northwind", "Its cluster's"]), (NoLabels(), ["Its cluster's"] * 3)):
        for services in (False, True):
            holders = Holders(store, known, OfTheirCluster([thief, desk, miner]))
            found = holders.services().tolist() if services else []
            told = [holders.label(holder) for holder in (thief, desk, miner)]
            assert [label.service or label.tags[0]["label"] for label in told] == expected
            served = {holder for holder, label in zip((thief, desk, miner), told, strict=True) if label.service}
            assert not services or set(found) & {thief, desk, miner} == served
