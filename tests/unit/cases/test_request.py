"""A freeze request names what is missing, carries what a desk can load, and never runs what was put into it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from shieldwall.cases.letter import letter
from shieldwall.cases.request import Asset, FreezeRequest, Recipient, Sender
from shieldwall.errors import UsageError
from shieldwall.model.marking import Marking

ASSET = Asset(
    chain="bip122:000000000019d6689c085ae165831e93",
    network="main",
    asset="BTC",
    address="15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr",
    txid="6a798026d44af27dbacd28ea21462808df8deca51794cec80c1b59e07ef924a2",
    index=3,
    amount=7_500_030_000,
    value=7_500_030_000,
    share="1.000000",
    time="2021-05-08T17:12:57Z",
    height=682_599,
    block_hash="0000000000000000000aa4a827bd4cafcbca32a7bdf43484dcb0e96e736eb15e",
    proof="txid",
)
REQUEST = FreezeRequest(
    case_number="K-1", recipient=Recipient(name="Somewhere"), asks=("freeze",), assets=(ASSET, ASSET)
)


def test_what_nobody_filled_in_is_named_and_shown():
    missing = REQUEST.missing()
    assert "sender.badge" in missing
    assert "recipient.legal_entity" in missing
    assert "assets.fiat_value" in missing
    assert "case_number" not in missing
    page = letter(REQUEST)
    assert page.count('class="absent"') > 10
    assert "sender.badge" in page


def test_a_full_sender_is_not_missing():
    sender = Sender(**dict.fromkeys(Sender.__dataclass_fields__, "x"))
    assert not [name for name in replace(REQUEST, sender=sender).missing() if name.startswith("sender")]


def test_without_a_marking_it_is_the_strictest():
    assert REQUEST.marking == Marking.RED
    assert "TLP:RED" in letter(REQUEST)


def test_the_same_request_has_the_same_id():
    assert REQUEST.id == replace(REQUEST, narrative="in other words").id
    assert REQUEST.id != replace(REQUEST, assets=(ASSET,)).id


def test_csv_rows_are_loadable_and_exact():
    rows = list(csv.DictReader(io.StringIO(REQUEST.to_csv())))
    assert len(rows) == 2
    assert rows[0]["txid"] == ASSET.txid
    assert rows[0]["amount"] == "7500030000"
    assert (rows[0]["amount_coin"], rows[0]["coin"]) == ("75.0003", "BTC")
    assert REQUEST.amount == 15_000_060_000


def test_json_is_canonical_and_whole():
    body = json.loads(REQUEST.to_json())
    assert body["format"] == "shieldwall-freeze-request/2"
    assert (body["assets"][0]["amount_coin"], body["assets"][0]["coin"]) == ("75.0003", "BTC")
    assert body["missing"] == list(REQUEST.missing())
    assert REQUEST.to_json() == REQUEST.to_json()


@pytest.mark.parametrize("field", ["case_number", "narrative", "offence", "suspect"])
def test_markup_in_a_field_is_text_in_the_letter(field):
    page = letter(replace(REQUEST, **{field: "<script>alert(1)</script>"}))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_csv_runs_no_formula():
    row = next(csv.DictReader(io.StringIO(replace(REQUEST, case_number="=cmd()").to_csv())))
    assert not row["case_number"].startswith("=")


def test_the_coin_is_that_of_the_assets():
    litecoin = replace(ASSET, asset="LTC", network="litecoin")
    page = letter(replace(REQUEST, assets=(litecoin,)))
    assert "75.0003 LTC at Somewhere" in page
    assert "LTC followed" in page
    assert "BTC" not in page
    with pytest.raises(UsageError, match="several coins"):
        replace(REQUEST, assets=(ASSET, litecoin))
