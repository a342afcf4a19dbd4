"""Markings of STIX as levels: the most restrictive wins, and what is not understood is the strictest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.marking import Marking, Pap
from shieldwall.sharing.markings import (
    BUILT_IN,
    IEP_EXTENSION,
    PAP,
    PAP_EXTENSION,
    TLP_1,
    TLP_2,
    TLP_EXTENSION,
    Demands,
    definition_of,
    demands_of_definition,
    joined,
    levels_of,
    refs_of,
    together,
)
from shieldwall.sharing.stix.object import read_object

OWN = "marking-definition--11111111-2222-4333-8444-555555555555"
IEP = {
    "type": "marking-definition",
    "id": OWN,
    "extensions": {
        IEP_EXTENSION: {
            "extension_type": "property-extension",
            "tlp": "amber",
            "permitted_actions": "externally-visible-indirect-actions",
            "encrypt_in_transit": "must",
            "provider_attribution": "must-not",
            "unmodified_resale": "may",
            "affected_party_notifications": "may",
            "end_date": "2027-01-01T00:00:00Z",
        }
    },
}
REFS = st.lists(st.sampled_from([*BUILT_IN, OWN]), max_size=5)


@given(REFS, REFS)
def test_joining_is_the_same_in_any_order_and_never_opens(first, second):
    one, other, both = (joined(refs, {}) for refs in (first, second, [*first, *second]))
    assert together((one, other)).marking == together((other, one)).marking == both.marking
    assert both.marking == max((each.marking for each in (one, other) if each.marking is not None), default=None)
    assert both.pap == max((each.pap for each in (one, other) if each.pap is not None), default=None)
    assert set(both.unknown) == {*one.unknown, *other.unknown}


def handled(refs, definitions=None):
    """TLP and PAP of an object with these markings."""
    body = {"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "value": "x", "object_marking_refs": refs}
    found = levels_of(read_object(json.dumps(body).encode(), "here"), definitions or {})
    return found.marking, found.pap


def test_no_marking_is_the_strictest():
    assert handled([]) == (Marking.RED, Pap.RED)
    assert handled([TLP_2[Marking.GREEN], OWN])[0] == Marking.RED
    assert handled([OWN], {OWN: Demands(marking=Marking.GREEN)})[0] == Marking.GREEN


@pytest.mark.parametrize("level", [*Marking, *Pap])
def test_our_own_definitions_read_as_they_are_written(level):
    body = definition_of(level)
    found = demands_of_definition({**body, "id": OWN})
    assert level in (found.marking, found.pap)
    assert demands_of_definition(body) == BUILT_IN[body["id"]]


def test_an_id_that_everybody_knows_is_not_opened_by_what_is_written_beside_it():
    body = definition_of(Marking.RED) | {"extensions": {TLP_EXTENSION: {"tlp_2_0": "clear"}}}
    assert demands_of_definition(body).marking is Marking.RED


def test_iep_is_levels_and_conditions():
    found = demands_of_definition(IEP)
    assert (found.marking, found.pap, found.unknown) == (Marking.AMBER, Pap.AMBER, ())
    assert found.conditions == (
        "IEP: encrypt in transit: must",
        "IEP: provider attribution: must-not",
        "IEP: end date: 2027-01-01T00:00:00Z",
    )
    contact = json.loads(json.dumps(IEP))
    contact["extensions"][IEP_EXTENSION]["permitted_actions"] = "contact-for-instruction"
    assert "IEP: ask the provider before acting" in demands_of_definition(contact).conditions


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce": {"access": "no"}},
        {TLP_EXTENSION: {"tlp_2_0": "mauve"}},
        {PAP_EXTENSION: 7},
        {IEP_EXTENSION: {"tlp": "green"}},
        {TLP_EXTENSION: {"tlp_2_0": "green"}, "extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce": {}},
    ],
)
def test_what_is_not_understood_is_told_and_strict(extensions):
    found = demands_of_definition({"type": "marking-definition", "id": OWN, "extensions": extensions})
    assert found.unknown == (OWN,)
    assert handled([TLP_2[Marking.GREEN], OWN], {OWN: found}) == (Marking.RED, Pap.RED)


def test_a_statement_is_a_condition_and_no_level():
    found = demands_of_definition(
        {"id": OWN, "definition_type": "statement", "definition": {"statement": "Copyright 2026, Example"}}
    )
    assert found == Demands(conditions=("Copyright 2026, Example",))
    assert handled([OWN], {OWN: found})[0] is Marking.RED


def test_a_part_that_is_stricter_makes_the_whole_so():
    body = {
        "type": "url",
        "id": "url--c1477287-23ac-5971-a010-5c287877fa60",
        "value": "x",
        "object_marking_refs": [TLP_1[Marking.GREEN]],
        "granular_markings": [
            {"marking_ref": TLP_2[Marking.AMBER_STRICT], "selectors": ["value"]},
            {"lang": "fr", "selectors": ["value"]},
        ],
    }
    thing = read_object(json.dumps(body).encode(), "here")
    found = levels_of(thing, {}, marking=Marking.CLEAR, pap=Pap.CLEAR)
    assert (found.marking, found.unmarked) == (Marking.AMBER_STRICT, False)


def test_a_part_that_is_open_says_nothing_of_the_whole():
    body = {
        "type": "url",
        "id": "url--c1477287-23ac-5971-a010-5c287877fa60",
        "value": "x",
        "granular_markings": [{"marking_ref": TLP_2[Marking.GREEN], "selectors": ["value"]}],
    }
    thing = read_object(json.dumps(body).encode(), "here")
    assert (levels_of(thing, {}).marking, levels_of(thing, {}).unmarked) == (Marking.RED, True)
    assert levels_of(thing, {}, marking=Marking.CLEAR).marking is Marking.GREEN
    assert levels_of(thing, {}, marking=Marking.AMBER).marking is Marking.AMBER


def test_what_we_mark_reads_back():
    for marking in Marking:
        for pap in Pap:
            assert handled(refs_of(marking, pap)) == (marking, pap)
    assert PAP[Pap.RED] not in refs_of(Marking.GREEN, Pap.RED)


@pytest.mark.needs("shared")
def test_the_official_definitions_are_the_ones_built_in(shared_data):
    text = (shared_data / "threat-intel/stix/marking-definitions_tlp1_tlp2.json").read_text()
    bodies = json.loads(text)
    assert {body["id"] for body in bodies} == {*TLP_1.values(), *TLP_2.values()}
    for body in bodies:
        assert demands_of_definition({**body, "id": OWN}) == BUILT_IN[body["id"]], body["name"]
        if body["id"] in TLP_2.values():
            level = BUILT_IN[body["id"]].marking
            assert definition_of(level) == body
