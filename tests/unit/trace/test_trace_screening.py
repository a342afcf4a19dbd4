"""Many addresses at once: tags, the chain store, what is unknown, and never a word of clean."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_support import Chain, Coverage, identity

from shieldwall.intel import ReadOptions, TagSets
from shieldwall.model import address
from shieldwall.model.mention import find_mentions
from shieldwall.model.moment import utc
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.follow import follow
from shieldwall.trace.screening.answer import screen as screen_with
from shieldwall.trace.screening.screener import IN_STORE, TAGGED, UNKNOWN, Screener
from shieldwall.trace.targets import find_targets

TAGS = """address,label,category,abuse,source,confidence,lastmod
{desk},Northwind,exchange,,its page,service_api,2024-01-05
{robber},=Robbers(),user,ransomware,a report,forensic,2023-05-01
{listed},Listed one,user,sanction,the list,authority_data,2024-02-01
{listed},Exchange of it,exchange,,a forum,web_crawl,2022-01-01
"""


@pytest.fixture(scope="module")
def chain():
    chain = Chain()
    (first,) = chain.fund(10_000)
    (paid, _, _) = chain.pay([first], ("desk", 6_000), ("robber", 3_000), ("quiet", 1_000))
    chain.mine()
    chain.pay([paid], ("desk", 2_000), ("robber", 4_000))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def store(chain):
    with chain.store() as store:
        yield store


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    names = {name: identity(name) for name in ("desk", "robber", "listed")}
    (folder / "said.csv").write_text(TAGS.format(**names))
    sets = TagSets(folder / "sets")
    sets.import_files([folder / "said.csv"], options=ReadOptions(network=REGTEST))
    return sets.select(None)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    return TagSets(tmp_path_factory.mktemp("none")).select(None)


def screen(mentions, index, store=None, *, hops=0, unread=()):
    return screen_with(mentions, Screener.of(index, store, hops=hops, engine="plain"), unread=unread)


def rows(screening):
    return {row["address"]: row for row in screening.rows}


TEXT = "\n".join([identity("quiet"), identity("desk"), identity("stranger"), identity("robber"), identity("listed")])


def test_each_verdict(store, index):
    screening = screen(find_mentions(TEXT), index, store)
    found = rows(screening)
    assert [row["address"] for row in screening.rows] == [
        identity(name) for name in ("listed", "robber", "desk", "quiet", "stranger")
    ]
    assert [row["verdict"] for row in screening.rows] == [TAGGED, TAGGED, TAGGED, IN_STORE, UNKNOWN]
    assert [row["sanctioned"] for row in screening.rows] == [True, False, False, False, False]
    assert [row["finding"] for row in screening.rows] == [True, True, False, False, False]
    listed = found[identity("listed")]["tags"]
    assert [(tag["label"], tag["sanctioned"], tag["source"], tag["source_date"]) for tag in listed] == [
        ("Listed one", True, "the list", "2024-02-01"),
        ("Exchange of it", False, "a forum", "2022-01-01"),
    ]
    assert (screening.findings, screening.complete) == (2, False)
    assert screening.sentence.startswith(
        "5 screened: 1 sanctioned, 1 tagged with another abuse, 1 with other tags, 1 in the chain store without a tag, "
        "1 unknown, which is not the same as clean. Direct only"
    )
    assert "clean" not in screening.to_csv()


def test_what_the_store_holds(store, index):
    found = rows(screen(find_mentions(TEXT), index, store))
    desk = found[identity("desk")]
    assert {
        name: desk[name] for name in ("outputs", "received_amount", "held_amount", "spent_amount", "unknown_amount")
    } == {
        "outputs": 2,
        "received_amount": 8_000,
        "held_amount": 2_000,
        "spent_amount": 6_000,
        "unknown_amount": 0,
    }
    assert (desk["last_height"], desk["last_time"]) == (store.tip_height, utc(store.tip_time))
    stranger = found[identity("stranger")]
    assert (stranger["in_store"], stranger["outputs"], stranger["received_amount"]) == (False, None, None)
    body = screen(find_mentions(TEXT), index, store).body
    assert body["chain"]["tip_hash"] == store.tip_hash
    assert body["tag_sets"] == [{"set": "said", "version": index.versions["said"]}]


def test_money_of_which_the_spend_is_not_known(tmp_path, nothing):
    chain = Chain()
    (coin,) = chain.fund(10)
    chain.pay([coin], ("friend", 10))
    chain.mine()
    coverage = Coverage(["whole", "whole", "loose"])
    with coverage.store_in(tmp_path, chain) as partial:
        (row,) = screen(find_mentions(identity("friend")), nothing, partial).rows
    assert (row["held_amount"], row["unknown_amount"], row["received_amount"]) == (0, 10, 10)


def test_without_a_store_or_of_another_network_its_holdings_are_unknown(store, index):
    other = address.encode(Script(ScriptKind.P2PKH, bytes(range(20))), MAIN)
    (row,) = screen(find_mentions(other), index, store).rows
    assert (row["in_store"], row["verdict"], row["held_amount"]) == (None, UNKNOWN, None)
    body = screen(find_mentions(TEXT), index).body
    assert body["chain"] is None
    assert {row["in_store"] for row in body["rows"]} == {None}


def test_transactions_are_rows_only_where_something_is_known(store, chain, nothing):
    known, strange = chain.made[2].txid, "cd" * 32
    screening = screen(find_mentions(f"{known}:0 {strange} 00000000{'ab' * 28}"), nothing, store)
    (row,) = screening.rows
    assert (row["address"], row["kind"], row["verdict"], row["in_store"]) == (f"{known}:0", "output", IN_STORE, True)
    assert screening.body["counts"]["digits_of_which_nothing_is_known"] == 1
    assert screening.body["counts"]["block_hashes"] == 1


def test_places_near_misses_and_what_was_not_read_are_in_the_answer(index):
    name = identity("desk")
    mentions = find_mentions(f"{name}\n\n{name} {name[:-1]}{'q' if name[-1] != 'q' else 'p'}")
    screening = screen(mentions, index, unread=["attachment photo.png is no text"])
    (row,) = screening.rows
    assert (row["first_place"], row["mentioned"]) == ("line 1, column 1", 2)
    assert row["places"] == ["line 1, column 1", "line 3, column 1"]
    assert screening.body["near_misses"][0]["proposals"] == [name]
    assert not screening.complete
    assert screen(find_mentions(name), index).complete


def test_the_same_input_gives_the_same_bytes(store, index):
    one, other = (screen(find_mentions(TEXT), index, store) for _ in range(2))
    assert one.to_json() == other.to_json()
    assert json.loads(one.to_json())["digest"] == one.digest


def test_tables_are_safe_to_open(store, index):
    text = screen(find_mentions(TEXT), index, store).to_csv()
    assert "'=Robbers()" in text
    read = list(csv.DictReader(io.StringIO(text)))
    assert [row["sanctioned"] for row in read] == ["yes", "no", "no", "no", "no"]
    assert read[4]["received_satoshi"] == ""


@given(st.sets(st.integers(0, 5), min_size=1))
def test_amounts_are_conserved_and_agree_with_a_trace(store, index, chosen):
    people = ["origin", "desk", "robber", "quiet", "listed", "stranger"]
    text = " ".join(identity(people[number]) for number in chosen)
    for row in screen(find_mentions(text), index, store).rows:
        if not row["in_store"]:
            continue
        states = ("held_amount", "spent_amount", "unknown_amount", "unspendable_amount")
        assert row["received_amount"] == sum(row[state] for state in states)
        (target,) = find_targets(store, [row["address"]])
        assert row["outputs"] == len(target.outputs)
        assert follow(store, [target]).body["seed_amount"] >= row["held_amount"]


def test_ten_thousand_addresses_take_seconds(store, index):
    scripts = (Script(ScriptKind.P2WPKH, number.to_bytes(20, "big")) for number in range(10_000))
    text = "\n".join(address.encode(script, REGTEST) or "" for script in scripts)
    began = time.monotonic()
    screening = screen(find_mentions(f"{text}\n{TEXT}"), index, store)
    assert time.monotonic() - began < 30
    assert len(screening.rows) == 10_005
