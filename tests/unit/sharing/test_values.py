"""Values by which objects meet, and the warninglists that keep some from it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.sharing.values import MOST, names_of, normal, values_of, word_values
from shieldwall.sharing.warninglists import Warninglists, read_warninglist

GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


def test_one_thing_is_one_value_in_every_form():
    same = [
        {"type": "cryptocurrency-wallet", "value": GENESIS},
        {"type": "cryptocurrency-wallet", "address": GENESIS},
        {"type": "indicator", "pattern": f"[cryptocurrency-wallet:value = '{GENESIS}']"},
        {"type": "indicator", "pattern": f"[blockchain-address:address = '{GENESIS}']"},
    ]
    assert {values_of(body) for body in same} == {frozenset({("address", GENESIS)})}
    files = [
        {"type": "file", "hashes": {"SHA-256": "AB" * 32}},
        {"type": "indicator", "pattern": f"[file:hashes.'SHA-256' = '{'ab' * 32}']"},
        {"type": "indicator", "pattern": f"[file:hashes.\"SHA-256\" = '{'ab' * 32}' AND file:size > 7]"},
    ]
    assert {values_of(body) for body in files} == {frozenset({("hash", "ab" * 32)})}


def test_names_meet_by_letters_and_digits():
    body = {
        "type": "intrusion-set",
        "name": "Wizard Spider",
        "aliases": ["UNC-1878", "7"],
        "x_mitre_aliases": ["wizard_spider"],
    }
    assert names_of(body) == ["Wizard Spider", "UNC-1878", "7", "wizard_spider"]
    assert values_of(body) == {("group", "wizardspider"), ("group", "unc1878")}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ip", "10.0.0.1"),
        ("ip", "x"),
        ("domain", "localhost"),
        ("hash", "abc"),
        ("malware", "ab"),
        ("url", ""),
        ("email", "x"),
    ],
)
def test_what_says_nothing_is_no_value(kind, text):
    assert normal(kind, text) is None


def test_an_object_has_a_bounded_number_of_values():
    pattern = " OR ".join(f"ipv4-addr:value = '9.9.{number // 256}.{number % 256}'" for number in range(2 * MOST))
    assert len(values_of({"type": "indicator", "pattern": f"[{pattern}]"})) == MOST


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "a:" * 50_000, "a:b = '" * 20_000, "a:b='" + "\\" * 100_000, "a-" * 90_000]
)
def test_a_pattern_takes_no_time_whatever_stands_in_it(text):
    started = time.process_time()
    values_of({"type": "indicator", "pattern": text})
    assert time.process_time() - started < 0.5


def test_a_word_is_looked_for_as_all_that_it_may_be():
    assert ("address", GENESIS) in word_values(GENESIS)
    assert ("technique", "T1486") in word_values("T1486")
    assert ("domain", "a.example") in word_values("A.example")


WORDS = ["type", "value", "name", "pattern", "hashes", "aliases", "external_references"]
PARTS = st.one_of(
    st.text(),
    st.integers(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
    st.sampled_from(["indicator", "malware"]),
)


@given(st.dictionaries(st.sampled_from(WORDS), PARTS))
def test_any_object_has_values(body):
    assert all(normal(kind, text) == (kind, text) or kind == "address" for kind, text in values_of(body))


def warninglist(form, entries, *, matching=("domain", "url", "ip-src", "md5")):
    return read_warninglist(
        json.dumps({"name": form, "type": form, "list": entries, "matching_attributes": matching}).encode(), "x"
    )


def test_lists_of_every_form():
    lists = Warninglists(
        [
            warninglist("cidr", ["198.51.0.0/16", "2001:db8::/32"]),
            warninglist("hostname", [".Bank.example", "pay.example"]),
            warninglist("substring", ["sandbox"]),
            warninglist("string", ["exact.example", "d41d8cd98f00b204e9800998ecf8427e"]),
        ]
    )
    for value, names in {
        ("ip", "198.51.100.3"): ("cidr",),
        ("ip", "9.9.9.9"): (),
        ("domain", "www.bank.example"): ("hostname",),
        ("domain", "bank.example"): ("hostname",),
        ("domain", "notbank.example"): (),
        ("url", "https://pay.example/x"): ("hostname",),
        ("domain", "my-sandbox.example"): ("substring",),
        ("url", "http://exact.example/"): ("string",),
        ("hash", "d41d8cd98f00b204e9800998ecf8427e"): ("string",),
        ("address", "exact.example"): (),
    }.items():
        assert lists.naming(value) == names, value


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"{}",
        b'{"list": [1]}',
        b'{"list": ["("], "type": "regex"}',
        b'{"list": ["x"], "type": "cidr"}',
        b"{",
        b'{"list": ["x"], "matching_attributes": 7}',
    ],
)
def test_what_is_no_list_is_refused(raw):
    with pytest.raises(BadText, match="here"):
        read_warninglist(raw, "here")


@pytest.mark.needs("shared")
def test_the_lists_beside_the_repository_are_read(shared_data):
    lists = Warninglists.in_folder(shared_data / "threat-intel" / "misp-warninglists")
    assert len(lists.lists) == 26
    assert lists.naming(("hash", "d41d8cd98f00b204e9800998ecf8427e"))
    assert lists.naming(("ip", "104.155.11.149")) == ("List of known sinkholes",)
