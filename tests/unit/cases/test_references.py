"""Legal profiles, recipients and groups are dated data with sources, and say what is unverified."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shieldwall.cases import legal, recipients
from shieldwall.cases.demands import FROM_LEGAL, LABELS, lacking, particulars
from shieldwall.cases.groups import find, galaxy
from shieldwall.cases.recipients import NEEDS, ROLES
from shieldwall.cases.request import Recipient, Request, RequestKind, Sender
from shieldwall.errors import BadText

HOUR, DAY = 3600, 86_400


def test_each_legal_profile_has_a_state_and_a_source_and_says_what_is_unverified():
    found = legal.shipped()
    assert found.dated
    for profile in found.profiles:
        assert profile.instrument
        assert profile.kinds
        assert profile.sources or not profile.verified, profile.id
        assert profile.state or profile.note, profile.id
    assert {profile.verified for profile in found.profiles} == {True, False}


def test_article_29_asks_for_what_it_lists():
    profile = legal.shipped().get("budapest-29")
    assert (profile.verified, profile.listed) == (True, True)
    assert {entry.name for entry in profile.fields} >= {
        "authority",
        "offence_and_facts",
        "necessity",
        "intention_mutual_assistance",
    }
    assert next(clock.seconds for clock in profile.clocks if clock.verified) == 60 * DAY


def test_the_clocks_of_eu_2023_1543():
    order, keep = legal.shipped().get("eu-epoc"), legal.shipped().get("eu-epoc-pr")
    assert {10 * DAY, 8 * HOUR} <= {clock.seconds for clock in order.clocks if clock.verified}
    assert [clock.seconds for clock in keep.clocks if clock.verified] == [60 * DAY, 30 * DAY]
    eight = next(clock for clock in order.clocks if clock.seconds == 8 * HOUR)
    assert eight.due("2026-10-01T20:00:00Z") == "2026-10-02T04:00:00Z"


def test_every_kind_of_request_has_an_instrument_or_a_voluntary_way():
    for kind in (RequestKind.PRESERVE, RequestKind.FREEZE, RequestKind.DISCLOSE, RequestKind.TAKE_DOWN):
        assert legal.shipped().of(kind), kind


@pytest.mark.parametrize(
    "change",
    [
        ("verified = true", 'verified = "yes"'),
        ("verified = true", ""),
        ('id = "x"', ""),
        ('kinds = ["freeze"]', 'kinds = ["seize"]'),
        ("hours = 8", "hours = 0"),
        ('id = "x"', 'id = "x"\ncolour = "red"'),
        ('id = "x"', 'id = "x"\ncountries = "FR"'),
        ('kinds = ["freeze"]', "kinds = [true]"),
        ('from = "received"', 'from = "full moon"'),
        ("dated", "dates"),
        ("[[profile]]", "profile = 7\n[[other]]"),
    ],
)
def test_what_is_no_list_of_legal_profiles_is_refused(change):
    text = (
        'dated = "2026-11-30"\n[[profile]]\nid = "x"\nname = "X"\ninstrument = "Act"\nkinds = ["freeze"]\nverified = true\n'
        '[[profile.clock]]\nname = "c"\nhours = 8\nfrom = "received"\n'
    )
    assert legal.read_legal(text, "here").get("x")
    with pytest.raises(BadText, match="here"):
        legal.read_legal(text.replace(*change), "here")


def test_every_recipient_has_a_route_and_asks_for_fields_that_there_are():
    found = recipients.shipped()
    assert {profile.role for profile in found.profiles} >= {"exchange", "issuer", "point"}
    for profile in found.profiles:
        assert profile.role in ROLES
        assert profile.routes, profile.id
        assert all(route.needs in NEEDS for route in profile.routes)
        assert set(profile.requires) <= set(LABELS), profile.id
        assert profile.sources or profile.generic, profile.id
        assert profile.route(RequestKind.FREEZE) or profile.role in ("host", "point"), profile.id


def test_one_of_whom_nothing_is_known_is_asked_as_its_kind_of_firm_is():
    found = recipients.shipped()
    assert found.of_entry("somewhere-else", "exchange").generic
    assert found.of_entry("tether", "issuer").id == "tether"
    assert found.of_entry("", "lighthouse") is None


def test_the_node_s_own_profile_takes_the_place_of_the_shipped_one():
    own = recipients.read_profiles(
        'dated = "2020-01-01"\n[[recipient]]\nid = "tether"\nname = "T"\nrole = "issuer"\nlanguages = ["ja"]\n', "here"
    )
    both = recipients.shipped().with_further(own)
    assert both.get("tether").languages == ("ja",)
    assert both.dated == "2020-01-01"
    assert len(both.profiles) == len(recipients.shipped().profiles)


@pytest.mark.parametrize(
    "bad",
    [
        'role = "car"',
        'role = "issuer"\n[[recipient.route]]\nkinds = [[]]\nneeds = "request"',
        'role = "issuer"\nhandling_days = "7"',
        'role = "issuer"\ncolour = "red"',
        "role = 7",
    ],
)
def test_what_is_no_list_of_recipients_is_refused(bad):
    with pytest.raises(BadText, match="here"):
        recipients.read_profiles(f'dated = "2020-01-01"\n[[recipient]]\nid = "a"\nname = "A"\n{bad}\n', "here")


FULL = Request(
    kind=RequestKind.PRESERVE,
    case_number="K-1",
    sender=Sender(**dict.fromkeys(Sender.__dataclass_fields__, "x")),
    recipient=Recipient(**dict.fromkeys(Recipient.__dataclass_fields__, "x")),
)


def test_what_the_law_asks_for_beside_is_a_particular_until_it_is_given():
    profile = legal.shipped().get("budapest-2ap-7")
    own = particulars(profile)
    lacks = {lack.field: lack.by for lack in lacking(FULL, None, profile)}
    assert set(own).isdisjoint(FROM_LEGAL)
    assert {f"particulars.{name}" for name in own} <= set(lacks)
    given = replace(FULL, particulars=tuple((name, "x") for name in own))
    assert not [lack for lack in lacking(given, None, profile) if lack.field.startswith("particulars")]


def test_each_lack_says_whose_word_it_is_and_stands_once():
    tether = recipients.shipped().get("tether")
    found = lacking(replace(FULL, kind=RequestKind.FREEZE, sender=Sender()), tether, legal.shipped().get("budapest-29"))
    fields = [lack.field for lack in found]
    assert len(fields) == len(set(fields))
    assert {lack.by for lack in found} == {"kind", "recipient", "law"}


def test_a_group_is_found_by_any_of_its_names():
    assert [group.name for group in find("alphv")] == [group.name for group in find("ALPHV Ransomware")]
    for alias in ("DarkSide", "LockBit", "REvil", "Ryuk", "Conti"):
        assert find(alias), alias
    assert find("") == find("no such group at all") == ()
    assert "misp-galaxy" in galaxy().source


def test_every_group_is_one_of_the_galaxy_s_with_its_uuid():
    groups = galaxy().groups
    assert len({group.uuid for group in groups}) == len(groups) > 2000


@pytest.mark.needs("shared")
def test_the_groups_are_those_of_the_sample(shared_data):
    body = json.loads((shared_data / "threat-intel/misp-galaxy/ransomware.json").read_text(encoding="utf-8"))
    assert f"version {body['version']}" in galaxy().source
    assert {value["uuid"] for value in body["values"]} == {group.uuid for group in galaxy().groups}
