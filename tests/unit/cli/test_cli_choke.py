"""`shieldwall choke` and `shieldwall family`: formats, exit codes, words."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from choke_support import peel
from trace_support import Chain, identity

from shieldwall.cli import run
from shieldwall.cli.choke import _moments

TAGS = (
    "address,label,category,abuse,source\n"
    f"{identity('ransom')},Cobra,,ransomware,a report\n{identity('absent')},Cobra,,ransomware,a report\n"
    f"{identity('nowhere')},Viper,,ransomware,a report\n"
    f"{identity('deposit-a')},Northwind,exchange,,its page\n{identity('deposit-b')},Southwind\x1b[2J,exchange,,its page\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("choke")
    peel().store_in(folder).close()
    (folder / "said.csv").write_text(TAGS)
    return folder


@pytest.fixture(autouse=True)
def environment(folder, monkeypatch, capsys):
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(folder / "chain"))
    assert run(["tags", "import", str(folder / "said.csv"), "--network", "regtest"]) == 0
    capsys.readouterr()


def call(capsys, *words):
    code = run([str(word) for word in words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_the_first_line_is_the_answer(capsys):
    code, out, err = call(capsys, "choke", identity("ransom"), "-k", "2", "--cut", "-o", "table")
    assert (code, err) == (0, "")
    assert out.startswith("Freeze these two, if anybody can, and stop 99.5 % (0.000985 of 0.00099 BTC):")
    assert "1 - 1/e" in out
    assert "frozen from" in out
    assert "Two points together lie on every way" in " ".join(out.split())
    assert "\x1b" not in out
    assert "digest " in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("amounts", "first", "last", "said"),
    [
        ([9, 8, 0, 0, 0], "2020-01-01", "2020-03-01", ["+ 2 later dates: nothing any more"]),
        ([9, 8, 0, 0], "2020-01-01", "2020-03-01", ["+ 1 later date: nothing any more"]),
        ([9, 8, 0], "2020-01-01", "2020-03-01", []),
        ([9, 0, 8, 0], "2020-01-01", "2020-04-01", []),  # by TIHO it may rise
        ([9] * 12, "2020-01-01", "2020-12-01", []),
        ([9] * 12 + [0], "2020-02-01", "2021-01-01", ["+ 1 earlier date (in -o json)"]),
        ([9] * 20 + [0] * 3, "2020-10-01", "2021-09-01",
         ["+ 9 earlier dates (in -o json)", "+ 2 later dates: nothing any more"]),
        ([0, 0], "2020-01-01", "2020-01-01", ["+ 1 later date: nothing any more"]),
    ],
)  # fmt: skip
def test_the_curve_says_how_many_dates_it_leaves_out(amounts, first, last, said):
    curve = [
        {"from": f"{2020 + month // 12}-{month % 12 + 1:02}-01T00:00:00Z", "amount": amount}
        for month, amount in enumerate(amounts)
    ]
    lines = _moments(curve, "BTC").splitlines()
    dates = [line.split()[0] for line in lines if line.strip().startswith("202")]
    assert (dates[0], dates[-1]) == (first, last)
    assert [line for line in lines if line.startswith("+")] == said
    counted = sum(int(line.split()[1]) for line in said)
    assert len(dates) + counted == len(curve)
    assert not any(row["amount"] for row in curve if row["from"][:10] > last)


def test_formats(capsys):
    body = json.loads(call(capsys, "choke", identity("ransom"), "--cut")[1])
    assert body["format"] == "shieldwall-choke/1"
    assert body["parameters"]["tag_sets"]
    lines = call(capsys, "choke", identity("ransom"), "--cut", "-o", "jsonl")[1].splitlines()
    assert [json.loads(line)["list"] for line in lines].count("cut") == len(body["cut"]["points"])
    rows = list(csv.DictReader(io.StringIO(call(capsys, "choke", identity("ransom"), "-o", "csv")[1])))
    assert [int(row["stopped_satoshi"]) for row in rows] == [point["stopped_amount"] for point in body["points"]]


def test_a_family_is_its_payments(capsys):
    code, out, err = call(capsys, "choke", "--family", "cobra")
    assert code == 0
    assert err == "Cobra: 1 of 2 tagged addresses are in this store\n"
    body = json.loads(out)
    assert body["parameters"]["families"] == ["Cobra"]
    assert body["seed_amount"] == 99_000
    assert call(capsys, "choke", "--family", "viper")[0] == 3
    code, _, err = call(capsys, "choke", "--family", "python")
    assert code == 2
    assert "known: Cobra, Viper" in err


def test_exit_codes(capsys):
    assert call(capsys, "choke")[0] == 2
    assert call(capsys, "choke", identity("stranger"))[0] == 3
    assert call(capsys, "choke", identity("ransom"), "--from", "soon")[0] == 2
    assert call(capsys, "choke", identity("ransom"), "--method", "poison")[0] == 2
    assert call(capsys, "choke", identity("ransom"), "--cluster", "none-such")[0] == 4
    assert call(capsys, "choke", identity("ransom"), "--strict")[0] == 0
    assert call(capsys, "choke", identity("ransom"), "--strict", "--hops", "1")[0] == 3
    assert call(capsys, "family", "payments", "python")[0] == 2


def test_family_list(capsys, monkeypatch):
    rows = json.loads(call(capsys, "family", "list")[1])
    assert [(row["family"], row["addresses"], row["addresses_here"]) for row in rows] == [
        ("Cobra", 2, 1),
        ("Viper", 1, 0),
    ]
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    assert json.loads(call(capsys, "family", "list")[1]) == []  # of the main network no tag names one


def test_family_payments(capsys):
    body = json.loads(call(capsys, "family", "payments")[1])
    assert [(row["family"], row["amount"], row["here"]) for row in body["families"]] == [
        ("Cobra", 99_000, True), ("Viper", 0, False),
    ]  # fmt: skip
    _, out, _ = call(capsys, "family", "payments", "-o", "table")
    assert out.startswith("1 payment, 0.00099 BTC, median 0.00099 BTC; 1 of 3 tagged addresses of 2 families")
    assert "unknown" in [word for line in out.splitlines() if line.startswith("Viper") for word in line.split()]
    rows = list(csv.DictReader(io.StringIO(call(capsys, "family", "payments", "-o", "csv")[1])))
    assert [(row["family"], row["month"], row["amount"]) for row in rows] == [
        ("Cobra", "2020-09", "99000"),
        ("Viper", "", ""),
    ]
    _, out, _ = call(capsys, "family", "payments", "cobra", "-o", "table")
    assert "2020-09" in out
    assert len(call(capsys, "family", "payments", "-o", "jsonl")[1].splitlines()) == 2


def test_family_services(capsys):
    body = json.loads(call(capsys, "family", "services")[1])
    assert [(row["amount"], row["payments"]) for row in body["services"]] == [(45_000, 2), (39_900, 2)]
    _, out, _ = call(capsys, "family", "services", "-o", "table")
    assert out.startswith(
        "Of 0.00099 BTC paid to 2 families (1 of 3 tagged addresses in this store), 0.000849 BTC reached 2"
    )
    assert "\x1b" not in out
    rows = list(csv.DictReader(io.StringIO(call(capsys, "family", "services", "cobra", "-o", "csv")[1])))
    assert [(row["rank"], row["families"]) for row in rows] == [("1", "Cobra 45000"), ("2", "Cobra 39900")]
    assert len(call(capsys, "family", "services", "-o", "jsonl")[1].splitlines()) == 2


def test_members_of_a_service_s_cluster_are_the_service(tmp_path, monkeypatch, capsys):
    """An exchange sweeps a tagged and an untagged deposit address together: with the clustering both are its own."""
    chain = Chain()
    (victim, customer) = chain.fund(50_000, 5_000)
    (paid,) = chain.pay([victim], ("ransom", 50_000))
    (deposit,) = chain.pay([paid], ("deposit-c", 49_000))
    (known,) = chain.pay([customer], ("deposit-a", 5_000))
    chain.mine()
    chain.pay([deposit, known], ("hot", 53_000))
    chain.mine()
    chain.store_in(tmp_path).close()
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(tmp_path / "chain"))
    assert call(capsys, "cluster", "build", "--name", "all")[0] == 0
    alone = json.loads(call(capsys, "family", "services", "cobra")[1])
    assert alone["services"] == []
    together = json.loads(call(capsys, "family", "services", "cobra", "--cluster", "all")[1])
    (row,) = together["services"]
    assert (row["service"], row["amount"], row["layer"], row["inherited_addresses"]) == (
        "Northwind",
        49_000,
        "inference",
        1,
    )
    assert together["parameters"]["clustering"]["name"] == "all"
    body = json.loads(call(capsys, "choke", "--family", "cobra", "--cluster", "all", "--cut")[1])
    (point,) = body["points"]
    assert (point["kind"], point["name"], point["layer"], point["inherited"]) == (
        "service",
        "Northwind",
        "inference",
        1,
    )
    assert body["cut"]["weight"] == 1
