"""What money was worth: on its own day, with the rate in every value, and nothing where there is no rate."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from trace_support import Chain, identity

from shieldwall.intel.rates import Valuer, parse_rates
from shieldwall.model.moment import unix
from shieldwall.trace.follow import follow
from shieldwall.trace.report import render
from shieldwall.trace.result import CSV_COLUMNS, FIAT_COLUMNS
from shieldwall.trace.targets import find_targets
from shieldwall.trace.worth import about

COIN = 10**8
FIELDS = {"amount", "currency", "value", "rate", "rate_date", "rates", "reason"}
LEG = {"from", "to", "rate", "inverted", "date", "what", "source", "file", "sha256"}


def rates(*lines):
    return parse_rates("\n".join(["date,currency,rate,source", *lines]).encode(), "own.csv")


@pytest.fixture
def store(tmp_path):
    """Mined on 13 September 2020, 10 BTC; 4 to a desk on the 13th, the rest moves a day later."""
    chain = Chain()
    (coin,) = chain.fund(10 * COIN)
    _, friend = chain.pay([coin], ("desk", 4 * COIN), ("friend", 6 * COIN))
    chain.mine()
    for _ in range(150):  # ten minutes each
        chain.mine(claim=0)
    chain.pay([friend], ("late", 6 * COIN))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        yield store


def traced(store, file, name="origin", **options):
    return follow(store, find_targets(store, [identity(name)]), fiat=Valuer([file], "USD"), **options)


def test_seeds_and_ends_are_valued_on_their_own_days(store):
    file = rates("2020-09-13,USD,10000,desk", "2020-09-14,USD,20000,desk")
    body = traced(store, file).body
    assert body["fiat"]["seed"] == {"value": "100000.00", "unvalued_amount": 0}
    worth = {end["address"]: end["fiat"]["value"] for end in body["ends"]}
    assert worth == {identity("desk"): "40000.00", identity("late"): "120000.00"}
    assert "(about 100,000 USD at the rate of 2020-09-13)" in body["sentence"]
    assert "coins of regtest have no price" in body["notes"][-1]
    for value in (*body["fiat"]["seeds"], *(output["fiat"] for end in body["ends"] for output in end["outputs"])):
        assert set(value) - {"txid", "time"} == FIELDS
        assert all(set(leg) == LEG for leg in value["rates"])
        assert value["rates"][0]["sha256"] == file.sha256


def test_what_has_no_rate_is_counted(store):
    body = traced(store, rates("2020-09-14,USD,20000,desk")).body
    assert body["fiat"]["seed"] == {"value": "0.00", "unvalued_amount": 10 * COIN}
    assert {end["address"]: end["fiat"] for end in body["ends"]} == {
        identity("desk"): {"value": "0.00", "unvalued_amount": 4 * COIN},
        identity("late"): {"value": "120000.00", "unvalued_amount": 0},
    }
    assert "(no rate in USD for the day)" in body["sentence"]
    (output,) = next(end for end in body["ends"] if end["address"] == identity("desk"))["outputs"]
    assert (output["fiat"]["value"], output["fiat"]["reason"]) == (None, "no rate of BTC in USD for 2020-09-13")


def test_backward_the_value_is_that_of_when_it_left(store):
    file = rates("2020-09-13,USD,10000,desk", "2020-09-14,USD,20000,desk")
    body = traced(store, file, "late", direction="backward").body
    assert body["fiat"]["seed"]["value"] == "120000.00"
    assert [end["fiat"]["value"] for end in body["ends"]] == ["60000.00"]


def test_the_digest_covers_the_rates(store):
    same, other = rates("2020-09-13,USD,10000,desk"), rates("2020-09-13,USD,10000,desk", "2020-09-13,EUR,1,desk")
    assert same.sha256 != other.sha256
    assert traced(store, same).digest == traced(store, same).digest != traced(store, other).digest
    assert json.loads(traced(store, same).to_json())["fiat"]["files"] == [same.as_dict()]


def test_every_method_is_valued(store):
    body = traced(store, rates("2020-09-13,USD,10000,desk"), method="all").body
    assert all("fiat" in end for side in body["methods"] for end in side["ends"])


def test_csv_and_page(store):
    file = rates("2020-09-13,USD,10000,desk")
    result = traced(store, file)
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert tuple(rows[0]) == CSV_COLUMNS + FIAT_COLUMNS
    worth = {row["address"]: (row["fiat_value"], row["fiat_rate"], row["fiat_rate_date"]) for row in rows}
    assert worth == {identity("desk"): ("40000.00", "10000", "2020-09-13"), identity("late"): ("", "", "")}
    assert file.sha256 in rows[1]["fiat_source"]
    assert rows[0]["fiat_source"] == "no rate of BTC in USD for 2020-09-14"
    page = render(result)
    for words in ("USD then", "40000.00", "no rate for 6 BTC", file.sha256, "Values in USD"):
        assert words in page


def test_without_rates_there_are_no_values(store):
    result = follow(store, find_targets(store, [identity("origin")]))
    assert result.body["fiat"] is None
    assert tuple(csv.DictReader(io.StringIO(result.to_csv())).fieldnames or ()) == CSV_COLUMNS
    assert "USD" not in render(result)


def test_every_field_of_a_value_is_in_the_specification(root, store):
    body = traced(store, rates("2020-09-13,USD,10000,desk")).body
    named = set(re.findall(r"`([a-z_0-9]+)`", (root / "docs/spec/valuation.md").read_text(encoding="utf-8")))
    real = {*body["fiat"], *body["fiat"]["files"][0], *body["fiat"]["seed"], *body["fiat"]["seeds"][0], *LEG}
    assert real - named == set()


def test_the_vector_of_the_page(root):
    page = (root / "docs/spec/valuation.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in page.splitlines() if line.startswith("    ")]
    file = parse_rates("\n".join(lines).encode(), "own.csv")
    value = Valuer([file], "USD").value(75 * COIN, unix("2021-05-08T17:12:57Z")).text
    assert f"are worth {value} USD" in page


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.00", "0.00"), ("0.04", "0.04"), ("99.49", "99.49"), ("99.50", "100"), ("1234.50", "1,230"),
        ("999499.99", "999,000"), ("999500.00", "1.00 million"), ("2137826.74", "2.14 million"),
        ("12345678.00", "12.3 million"), ("123456789.00", "123 million"), ("3200000000.00", "3.20 billion"),
        ("1234567000000.00", "1,235 billion"),
    ],
)  # fmt: skip
def test_about(value, words):
    assert about(value) == words
