"""`shieldwall tags`: a Litecoin address is found by itself where it can be nothing else."""

from __future__ import annotations

import json

import pytest

from shieldwall.cli import run
from shieldwall.model import address
from shieldwall.model.network import LITECOIN, MAIN
from shieldwall.model.script import Script, ScriptKind

SCRIPT = Script(ScriptKind.P2SH, bytes(range(20)))
WITNESS = address.identity(Script(ScriptKind.P2WPKH, bytes(range(20))), LITECOIN)
NEW = address.identity(SCRIPT, LITECOIN)  # M..., of Litecoin only
OLD = address.identity(SCRIPT, MAIN)  # 3..., of both


@pytest.fixture(autouse=True)
def imported(tmp_path, monkeypatch, capsys):
    """Two Litecoin addresses with a label each."""
    monkeypatch.setenv("SHIELDWALL_DATA", str(tmp_path / "data"))
    lines = [
        "address,currency,label,source",
        f"{WITNESS},LTC,Desk,x",
        f"{NEW},litecoin,Vault,x",
        "ltc1qwrong,LTC,Slip,x",
    ]
    (tmp_path / "tags.csv").write_text("\n".join(lines) + "\n")
    assert run(["tags", "import", str(tmp_path / "tags.csv")]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["tags"], report["rejected"]) == (2, 1)
    assert "no valid Litecoin address (litecoin)" in report["rejected_entries"][0]["reason"]


def shown(capsys, *words):
    assert run(["tags", "show", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    return found["subject"]["chain"], [tag["label"] for tag in found["tags"]]


@pytest.mark.parametrize(
    ("words", "labels"), [((WITNESS,), ["Desk"]), ((WITNESS.upper(),), ["Desk"]), ((NEW,), ["Vault"])]
)
def test_what_only_litecoin_has_needs_no_currency(capsys, words, labels):
    assert shown(capsys, *words) == (LITECOIN.caip2, labels)


def test_what_both_have_is_bitcoin_s_unless_said(capsys):
    assert shown(capsys, OLD) == (MAIN.caip2, [])
    assert shown(capsys, OLD, "--currency", "LTC") == (LITECOIN.caip2, ["Vault"])
    assert shown(capsys, OLD, "--network", "litecoin") == (LITECOIN.caip2, ["Vault"])


def test_a_currency_that_is_said_holds(capsys):
    assert run(["tags", "show", WITNESS, "--currency", "BTC"]) == 4
    assert "no valid main address" in capsys.readouterr().err
