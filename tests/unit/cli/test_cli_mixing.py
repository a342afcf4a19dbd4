"""`cluster coinjoin` as people use it."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from trace_support import Chain, identity

from shieldwall.cli import run


@pytest.fixture(scope="module")
def chain():
    """A round of four, and a plain payment."""
    chain = Chain()
    coins = [chain.mine(f"payer-{place}", 30_000_000) for place in range(5)]
    equal = [(f"payee-{place}", 20_000_000) for place in range(4)]
    chain.pay(coins[:4], *equal, ("change", 9_000_000), ("other", 9_100_000))
    chain.pay(coins[4:], ("desk", 29_000_000))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def folder(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixing")
    chain.store_in(folder).close()
    return folder


@pytest.fixture(autouse=True)
def environment(folder, tmp_path, monkeypatch):
    """A machine of our own: nothing of the real home is read."""
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(folder / "chain"))
    monkeypatch.setenv("SHIELDWALL_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def txids(chain):
    return [made.txid for made in chain.made if made.coins]


def test_a_round_is_told_with_its_reasons_and_published_error(txids, capsys):
    assert run(["cluster", "coinjoin", txids[0], "-o", "table"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("joinmarket: JoinMarket, inferred by a rule")
    assert "4 of 0.2 BTC" in told
    assert "none published" in told
    assert run(["cluster", "coinjoin", txids[0].upper(), "-o", "json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["txid"], body["kind"], body["inference"], body["services"]) == (txids[0], "joinmarket", True, [])


def test_a_plain_payment_is_none(txids, capsys):
    assert run(["cluster", "coinjoin", txids[1], "-o", "table"]) == 0
    assert capsys.readouterr().out == "none: no rule of a CoinJoin holds\n"
    assert run(["cluster", "coinjoin", txids[1], "-o", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["kind"], row["reasons"], row["rule"]) == ("none", "", "")


def test_a_tagged_service_among_the_payers_vetoes_and_is_named(txids, tmp_path, capsys):
    tags = tmp_path / "tags.csv"
    tags.write_text(f"address,label,category\n{identity('payer-1')},Northwind,exchange\n")
    assert run(["tags", "import", str(tags), "--set", "own", "--network", "regtest"]) == 0
    capsys.readouterr()
    assert run(["cluster", "coinjoin", txids[0], "-o", "table"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("none")
    assert "not joinmarket: a known service pays" in told
    assert "tagged services among the payers: Northwind" in told


def test_wrong_and_unknown_txids(capsys):
    assert run(["cluster", "coinjoin", "12"]) == 2
    assert run(["cluster", "coinjoin", "ab" * 32]) == 3
    assert "Traceback" not in capsys.readouterr().err
