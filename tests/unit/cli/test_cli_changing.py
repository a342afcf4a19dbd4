"""`shieldwall cluster change` and `cluster rules`: answers, overrules, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from trace_support import Chain, data_script, identity

from shieldwall.cli import run
from shieldwall.trace.change.predicates import every_predicate


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changing")
    chain = Chain()
    first, second = chain.fund(10_000_000, 7_000_000)
    paid = chain.pay([first], ("desk", 6_000_000), ("rest", 3_999_001))
    many = chain.pay([second], *((f"person {number}", 100_001 + number) for number in range(50)), (data_script(), 0))
    chain.mine()
    chain.store_in(folder).close()
    return folder, paid[0].txid, many[0].txid, first.txid


@pytest.fixture(autouse=True)
def environment(made, tmp_path, monkeypatch):
    """A machine of our own: nothing of the real home is read."""
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(made[0] / "chain"))


def call(capsys, *words):
    code = run(["cluster", *map(str, words)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_the_change_of_a_payment_and_why(made, capsys):
    _, paid, _, _ = made
    code, out, _ = call(capsys, "change", paid)
    answer = json.loads(out)
    assert (code, answer["output"], answer["layer"], answer["overruled"]) == (0, 1, "inference", None)
    assert answer["outputs"] == [identity("desk"), identity("rest")]
    assert [reason["fits"] for reason in answer["reasons"][0]] == [True, False, True]
    assert answer["published"]["power_of_ten(3)"]["fpr"] == ".006"
    code, out, _ = call(capsys, "change", paid.upper(), "-o", "table", "--rule", "locktime | power_of_ten(3)")
    assert code == 0
    assert "no answer, 2 outputs are left (an inference)" in " ".join(out.split())
    assert "+ locktime: no transaction here spends it, so that nothing speaks against it" in out
    assert "Later blocks may change this answer" in out
    assert "of their combination: none published" in out
    assert "TPR .420, FPR .006, coverage .311 (Möser and Narayanan" in out


def test_what_was_not_measured_and_what_is_cut_off_is_said(made, capsys):
    _, _, many, _ = made
    code, out, _ = call(capsys, "change", many, "-o", "table", "--rule", "optimal")
    assert code == 0
    assert "These are of transactions with two outputs, which this one is not." in out
    assert "+ 11 other outputs (in -o json)" in out
    assert "of their combination" not in out


def test_a_person_overrules_and_takes_it_back(made, capsys, tmp_path):
    _, paid, _, _ = made
    code, out, _ = call(capsys, "change", paid, "--overrule", 0, "--why", "a\x1b[2J receipt", "--by", "Mara")
    answer = json.loads(out)
    assert (code, answer["output"], answer["candidates"], answer["overruled"]["made_by"]) == (0, 0, [1], "Mara")
    assert len(answer["claim"]) == 64
    code, out, _ = call(capsys, "change", paid, "-o", "table")
    assert "\x1b" not in out
    assert "Output 0 is change, overruled by Mara at 2" in out
    code, out, _ = call(capsys, "change", paid, "--overrule", "none", "--why", "both are shops", "--by", "Tomas")
    assert (code, json.loads(out)["output"]) == (0, None)
    code, _, err = call(capsys, "change", paid, "--retract", "--by", "Mara")
    assert code == 2
    assert "Tomas said it" in err
    code, out, _ = call(capsys, "change", paid, "--retract", "--by", "Tomas")
    assert (code, json.loads(out)["output"], json.loads(out)["overruled"]) == (0, 1, None)
    lines = (tmp_path / ".local/share/shieldwall/claims/change.jsonl").read_text().splitlines()
    assert [json.loads(line).get("retracted") is not None for line in lines] == [False, False, True]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("xyz",), 2, "no txid"),
        (("00" * 32,), 3, "not in this store"),
        (("PAID", "--rule", "adress_type"), 2, "is address_type meant?"),
        (("PAID", "--overrule", "7", "--why", "x", "--by", "y"), 2, "has no output 7"),
        (("PAID", "--overrule", "-1", "--why", "x", "--by", "y"), 2, "--overrule '-1'"),
        (("PAID", "--overrule", "one", "--why", "x", "--by", "y"), 2, "give the index of an output"),
        (("PAID", "--overrule", "1"), 2, "needs a reason and a name"),
        (("PAID", "--overrule", "1", "--retract"), 2, "say one of them"),
        (("PAID", "--retract", "--by", "y"), 2, "nothing is to be taken back"),
        (("MANY", "--overrule", "50", "--why", "x", "--by", "y"), 2, "nobody can ever spend output 50"),
        (("COINBASE", "--overrule", "0", "--why", "x", "--by", "y"), 2, "is a coinbase"),
    ],
)
def test_exit_codes(made, capsys, tmp_path, words, code, said):
    named = dict(zip(("PAID", "MANY", "COINBASE"), made[1:], strict=True))
    found, out, err = call(capsys, "change", *(named.get(word, word) for word in words))
    assert (found, out) == (code, "")
    assert said in err
    assert not (tmp_path / ".local/share/shieldwall/claims/change.jsonl").exists()


def test_a_damaged_file_of_overrules_is_named(made, capsys, tmp_path):
    path = tmp_path / "data" / "claims" / "change.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    code, _, err = call(capsys, "change", made[1], "--data", tmp_path / "data")
    assert code == 4
    assert "change.jsonl:1" in err


def test_the_rules_are_listed(capsys):
    code, out, _ = call(capsys, "rules", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["rule"] for row in rows] == [str(predicate) for predicate in every_predicate()]
    by_name = {row["rule"]: row for row in rows}
    assert by_name["consistent(locktime)"]["tpr"] == ".307"
    assert by_name["fresh_address"]["fpr"] == "none published"
    code, out, _ = call(capsys, "rules", "-o", "table")
    assert code == 0
    assert "The output is smaller than every input." in out
