"""`cluster fingerprint | compare` and what `chain show` says of a transaction's form, as people use them."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from trace_support import Chain

from shieldwall.cli import run

ABSENT = "ab" * 32


@pytest.fixture(scope="module")
def chain():
    """Two payments of one person, and one of another."""
    chain = Chain()
    first, second = chain.fund(10_000, 10_000)
    (third,) = chain.fund(10_000, name="stranger")
    for coin in (first, second, third):
        chain.pay([coin], ("desk", 6_000), ("friend", 3_900))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def folder(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparing")
    chain.store_in(folder).close()
    return folder


@pytest.fixture(autouse=True)
def environment(folder, monkeypatch):
    """A machine of our own: nothing of the real home is read."""
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(folder / "chain"))


@pytest.fixture(scope="module")
def paid(chain):
    return [made.txid for made in chain.made if made.coins]


def call(capsys, *words):
    code = run([str(word) for word in words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_fingerprint_in_every_format(capsys, paid):
    code, out, err = call(capsys, "cluster", "fingerprint", paid[0].upper())
    assert (code, err) == (0, "")
    body = json.loads(out)
    assert (body["txid"], body["version"], body["exact_version"]) == (paid[0], "2", 2)
    assert (body["segwit"], body["input_kinds"], body["fee"], body["locktime"]) == (True, ["p2wpkh"], 100, False)
    assert "p2wpkh" in call(capsys, "cluster", "fingerprint", paid[0], "-o", "table")[1]
    (row,) = csv.DictReader(io.StringIO(call(capsys, "cluster", "fingerprint", paid[0], "-o", "csv")[1]))
    assert row["bip69"] == "no"


def test_compare_says_the_word_and_why(capsys, paid):
    code, out, _ = call(capsys, "cluster", "compare", paid[0], paid[1])
    assert code == 0
    body = json.loads(out)
    assert (body["verdict"], body["transactions"]) == ("linked", paid[:2])
    assert body["calibration"] == "weights are not calibrated; published error: none"
    text = call(capsys, "cluster", "compare", paid[0], paid[1], "-o", "table")[1]
    assert text.startswith("linked: the same address pays in both")
    assert "observation: the same address pays in both" in text
    assert "An inference by fingerprint comparison 1, no proof" in text
    assert "around: 1 transactions within 72 blocks" in text
    assert json.loads(call(capsys, "cluster", "compare", paid[0], paid[2])[1])["verdict"] == "not told"
    rows = list(csv.DictReader(io.StringIO(call(capsys, "cluster", "compare", paid[0], paid[2], "-o", "csv")[1])))
    assert {row["attribute"]: row["says"] for row in rows}["version"] == "agrees"
    narrow = json.loads(call(capsys, "cluster", "compare", paid[0], paid[1], "--window", "0")[1])
    assert narrow["window"]["blocks"] == 0


def test_exit_codes(capsys, paid):
    assert call(capsys, "cluster", "compare", paid[0], paid[0])[0] == 2
    assert call(capsys, "cluster", "compare", paid[0])[0] == 2
    assert call(capsys, "cluster", "compare", paid[0], paid[1], "--window", "-1")[0] == 2
    assert call(capsys, "cluster", "fingerprint", "xyz")[0] == 2
    assert call(capsys, "cluster", "fingerprint", "²" * 64)[0] == 2
    assert call(capsys, "cluster", "fingerprint", ABSENT)[0] == 3
    assert call(capsys, "cluster", "compare", paid[0], ABSENT)[0] == 3
    code, _, err = call(capsys, "cluster", "compare", paid[0], paid[1], "--clustering", "none-there")
    assert code != 0
    assert err


def test_both_are_listed(capsys):
    out = call(capsys, "cluster", "--help")[1]
    assert "compare" in out
    assert "fingerprint" in out


def test_show_says_a_transaction_s_form(capsys, chain, paid):
    shown = json.loads(call(capsys, "chain", "show", paid[0])[1])
    assert {name: shown[name] for name in ("version", "locktime", "replaceable", "final")} == {
        "version": 2, "locktime": "0", "replaceable": True, "final": False,
    }  # fmt: skip
    coinbase = json.loads(call(capsys, "chain", "show", chain.made[0].txid)[1])
    assert (coinbase["coinbase"], coinbase["replaceable"], coinbase["final"]) == (True, False, True)
