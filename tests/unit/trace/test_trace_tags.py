"""Real tag sets as labels of a trace: stops, versions, contradictions, who can freeze."""

from __future__ import annotations

import pytest
from trace_support import Chain, identity

from shieldwall.errors import UsageError
from shieldwall.intel import ReadOptions, TagSets, read_directory, shipped
from shieldwall.model.network import REGTEST
from shieldwall.trace.follow import follow
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
