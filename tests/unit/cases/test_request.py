"""A request names what is missing, carries what a desk can load, and never runs what was put into it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from shieldwall.cases.demands import lacking
from shieldwall.cases.letter import as_html, compose
from shieldwall.cases.request import Asset, Recipient, Request, RequestKind, Sender
from shieldwall.errors import BadText, UsageError
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
REQUEST = Request(
    kind=RequestKind.FREEZE, case_number="K-1", recipient=Recipient(name="Somewhere"), assets=(ASSET, ASSET)
)


def letter(request: Request) -> str:
    return as_html(compose(request, lacks=lacking(request)))


def missing(request: Request) -> set[str]:
    return {lack.field for lack in lacking(request)}


def test_what_nobody_filled_in_is_named_and_shown():
    assert {"sender.badge", "recipient.legal_entity", "term", "confidence"} < missing(REQUEST)
    assert not {"case_number", "assets", "data"} & missing(REQUEST)
    page = letter(REQUEST)
    assert page.count('class="absent"') > 10
    assert "Badge or identity number" in page.partition("Not filled in")[2]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (RequestKind.PRESERVE, "necessity"),
        (RequestKind.DISCLOSE, "data"),
        (RequestKind.TAKE_DOWN, "items"),
        (RequestKind.FREEZE, "trace_digest"),
    ],
)
def test_each_kind_asks_for_what_is_its_own(kind, field):
    assert field in missing(replace(REQUEST, kind=kind))
    assert field not in missing(replace(REQUEST, kind=RequestKind.INFORM))


def test_a_full_sender_is_not_missing():
    sender = Sender(**dict.fromkeys(Sender.__dataclass_fields__, "x"))
    assert not [name for name in missing(replace(REQUEST, sender=sender)) if name.startswith("sender")]


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
    assert body["format"] == "shieldwall-request/1"
    assert (body["assets"][0]["amount_coin"], body["assets"][0]["coin"]) == ("75.0003", "BTC")
    assert Request.from_dict(body).to_json() == REQUEST.to_json()
    assert Request.from_dict(body).digest == REQUEST.digest


@pytest.mark.parametrize(
    "change",
    [
        {"format": "shieldwall-freeze-request/2"},
        {"amount": 1},
        {"kind": "seize"},
        {"assets": [{**json.loads(REQUEST.to_json())["assets"][0], "amount": 1.5}]},
        {"exercise": "no"},
        {"narrative": 7},
        {"more": "x"},
        {"sender": {"rank": "x"}},
    ],
)
def test_what_is_no_request_is_refused(change):
    with pytest.raises(BadText, match=r"not a request|amount"):
        Request.from_dict({**json.loads(REQUEST.to_json()), **change})


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
    assert "75.0003 LTC, Somewhere" in page
    assert "Amounts, in LTC" in page
    assert "BTC" not in page
    with pytest.raises(UsageError, match="several coins"):
        replace(REQUEST, assets=(ASSET, litecoin))
