"""STIX comes in as it is: under the marking that it carries, the strictest where it has none, as a whole or not at all."""

from __future__ import annotations

import io
import json

import pytest
from taxii_support import indicator, taxii_in

from shieldwall.errors import BadText, NotAllowed, NotFound
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.sharing.intake import MOST_TOLD, IntakeRules, take_bundle
from shieldwall.sharing.markings import PAP, TLP_1, TLP_2, definition_of

OWN = "marking-definition--11111111-2222-4333-8444-555555555555"
OPEN = IntakeRules(marking=Marking.CLEAR, pap=Pap.CLEAR)


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("intake")) as made:
        yield made


@pytest.fixture
def site(shared_site, request):
    """A person of one's own for each test, who sees what that test brings."""
    shared_site.mara = shared_site.site.person(f"Mara {request.node.name}", Role.ANALYST)
    return shared_site


def bring(site, *bodies, rules=None, raw=None):
    written = json.dumps({"type": "bundle", "objects": bodies}).encode() if raw is None else raw
    mara = site.site.identity(site.mara)
    return take_bundle(site.node, mara, "share.import", io.BytesIO(written), "here", rules)


def kept(site, stix_id):
    with site.store.inside(site.site.identity(site.mara)) as work:
        return [each for each in work.stix.versions(stix_id) if each.handling.owner == site.mara]


def marking_of(site, body):
    (found,) = kept(site, body["id"])
    return found.handling.marking, found.handling.pap


def test_what_carries_a_marking_is_handled_by_it_and_what_carries_none_is_the_strictest(site):
    green = indicator(1, object_marking_refs=[TLP_1[Marking.GREEN], PAP[Pap.AMBER]])
    both = indicator(2, object_marking_refs=[TLP_2[Marking.GREEN], TLP_2[Marking.AMBER_STRICT]])
    none = indicator(3)
    report = bring(site, green, both, none)
    assert (report.objects, report.added, report.unmarked) == (3, 3, 1)
    assert marking_of(site, green) == (Marking.GREEN, Pap.AMBER)
    assert marking_of(site, both) == (Marking.AMBER_STRICT, Pap.RED)
    assert marking_of(site, none) == (Marking.RED, Pap.RED)


def test_what_somebody_says_counts_for_what_carries_none_alone(site):
    amber, none = indicator(11, object_marking_refs=[TLP_2[Marking.AMBER]]), indicator(12)
    bring(site, amber, none, rules=OPEN)
    assert marking_of(site, amber) == (Marking.AMBER, Pap.CLEAR)
    assert marking_of(site, none) == (Marking.CLEAR, Pap.CLEAR)


def test_a_marking_that_is_not_understood_is_the_strictest_whatever_somebody_says(site):
    body = indicator(21, object_marking_refs=[TLP_2[Marking.CLEAR], OWN])
    report = bring(site, body, rules=OPEN)
    assert list(report.unknown) == [OWN]
    assert marking_of(site, body) == (Marking.RED, Pap.RED)


@pytest.mark.parametrize("place", [0, 1])
def test_a_definition_may_stand_before_or_behind_what_it_marks(site, place):
    name = OWN.replace("1111", f"{place:04}")
    definition = definition_of(Marking.GREEN) | {"id": name}
    bodies = [indicator(31 + place, object_marking_refs=[name])]
    bodies.insert(place, definition)
    assert not bring(site, *bodies).unknown
    assert marking_of(site, indicator(31 + place))[0] is Marking.GREEN


def test_a_definition_that_came_before_is_remembered(site):
    name = OWN.replace("1111", "aaaa")
    bring(site, definition_of(Marking.GREEN) | {"id": name}, rules=OPEN)
    bring(site, indicator(41, object_marking_refs=[name]))
    assert marking_of(site, indicator(41))[0] is Marking.GREEN


def test_the_definitions_that_everybody_knows_are_nobody_s_secret(site):
    bring(site, definition_of(Marking.RED))
    assert marking_of(site, definition_of(Marking.RED)) == (Marking.CLEAR, Pap.CLEAR)


def test_what_cannot_be_read_is_told_and_the_rest_is_taken(site):
    bad = [{"type": "indicator", "id": "indicator--1"}] * (MOST_TOLD + 5)
    report = bring(site, indicator(51), *bad, indicator(52))
    assert (report.objects, report.added, report.refusals, len(report.refused)) == (
        MOST_TOLD + 7,
        2,
        MOST_TOLD + 5,
        MOST_TOLD,
    )
    assert report.refused[0].number == 2


def test_a_bundle_that_ends_early_leaves_nothing(site):
    whole = json.dumps({"type": "bundle", "objects": [indicator(61), indicator(62)]}).encode()
    with pytest.raises(BadText, match="here"):
        bring(site, raw=whole[:-30])
    assert kept(site, indicator(61)["id"]) == []
    last = site.site.leaves()[-1]
    assert (last["verb"], last["outcome"]) == ("share.import", "failed")


def test_the_same_version_that_says_otherwise_is_kept_and_told(site):
    bring(site, indicator(71))
    report = bring(site, indicator(71, name="otherwise"))
    assert (report.added, report.conflicts, report.conflicting) == (1, [indicator(71)["id"]], 1)
    assert len(kept(site, indicator(71)["id"])) == 2


def test_nobody_brings_something_where_they_are_not(site):
    with pytest.raises(NotFound):
        bring(site, indicator(81), rules=IntakeRules(case="9" * 32))
    viewer = site.site.person("Vera", Role.VIEWER)
    with pytest.raises(NotAllowed):
        take_bundle(
            site.node,
            site.site.identity(viewer),
            "share.import",
            io.BytesIO(json.dumps(indicator(82)).encode()),
            "here",
        )


@pytest.mark.needs("shared")
def test_two_releases_of_attack_over_taxii(site, shared_data):
    """The counts are those of FACTS.json, which were taken from the files by themselves."""
    threat = shared_data / "threat-intel"
    facts = json.loads((threat / "FACTS.json").read_text())
    change = facts["ics_17_1_to_18_1"]
    group = site.group("attack")
    _, client = site.partner("Reader", group)
    collection = site.collection("ATT&CK ICS", group)
    path = f"/attack/collections/{collection.id}/"
    reports = []
    for entry in facts["attack"]:
        with (threat / "attack" / entry["file"]).open("rb") as file:
            reports.append(take_bundle(site.node, site.ingrid, "share.import", file, entry["file"], OPEN))
        with site.store.inside(site.ingrid) as work:
            numbers = [each.seq for each in work.stix.page(most=10_000) if each.handling.owner == site.ingrid.person]
        with site.store.act(site.ingrid, "share.release") as work:
            placed = work.collections.release(collection.id, numbers, "public knowledge")
        reports.append(placed)
    first, placed_first, second, placed_second = reports
    assert (first.added, first.known, first.conflicting) == (1651, 0, 0)
    assert len(placed_first.added) == 1651
    fresh = change["only_new"] + change["common_with_newer_modified"]
    assert second.conflicting == change["same_modified_but_content_differs"] == 70
    assert second.added == fresh + 70
    assert second.known == 1826 - fresh - 70
    assert len(placed_second.added) == fresh == 413 + 77
    assert len(placed_second.contradicted) == 70
    entries = client.every(f"{path}manifest/?match[version]=all&limit=500")
    assert len(entries) == change["stored_versions_after_both"] == 2141
    assert len({each["id"] for each in entries}) == 1651 + 413
    newest = client.every(f"{path}objects/?limit=1000")
    assert len(newest) == len({each["id"] for each in newest}) == 1651 + 413
    with (threat / "attack" / facts["attack"][1]["file"]).open(encoding="utf-8") as file:
        by_id = {each["id"]: each for each in json.load(file)["objects"]}
    later = [each for each in newest if each["id"] in by_id]
    assert sum(each == by_id[each["id"]] for each in later) == 1826 - 70
