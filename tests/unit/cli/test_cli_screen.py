"""`shieldwall screen`, and pasted text in `trace` and `tags show`: formats, exit codes, remarks."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from document_support import HASHED, SCRIPTED, SEGWIT, mail
from trace_support import Chain, identity

import shieldwall
from shieldwall.cli import run
from shieldwall.errors import UsageError

TAGS = (
    "address,label,category,abuse,source\n{},Northwind,exchange,,its page\n{},Robber\x1b[2J,user,ransomware,a report\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screen")
    chain = Chain()
    (first,) = chain.fund(10_000)
    chain.pay([first], ("desk", 6_000), ("robber", 3_900))
    chain.mine()
    chain.store_in(folder).close()
    (folder / "said.csv").write_text(TAGS.format(identity("desk"), identity("robber")))
    (folder / "mail.eml").write_bytes(mail().as_bytes())
    return folder


@pytest.fixture(autouse=True)
def environment(folder, monkeypatch):
    """A machine of our own: nothing of the real home is read."""
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(folder / "chain"))


@pytest.fixture(autouse=True)
def tagged(environment, folder, capsys):
    assert run(["tags", "import", str(folder / "said.csv"), "--network", "regtest"]) == 0
    capsys.readouterr()


def call(capsys, *words):
    code = run([str(word) for word in words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_exit_codes(capsys, tmp_path):
    desk, robber, stranger = identity("desk"), identity("robber"), identity("stranger")
    assert call(capsys, "screen", desk)[0] == 0
    assert call(capsys, "screen", desk, "--strict")[0] == 0
    assert call(capsys, "screen", f"{desk} and {robber}")[0] == 1
    assert call(capsys, "screen", stranger)[0] == 0
    assert call(capsys, "screen", stranger, "--strict")[0] == 3
    assert call(capsys, "screen", stranger, robber, "--strict")[0] == 1
    code, out, err = call(capsys, "screen", "nothing at all")
    assert (code, out) == (4, "")
    assert "no address and no txid" in err
    assert call(capsys, "screen")[0] == 2
    assert call(capsys, "screen", "walets.csv")[0] == 2
    assert call(capsys, "screen", desk, "--tags", "none")[0] == 2
    (tmp_path / "picture.png").write_bytes(bytes(20))
    assert call(capsys, "screen", tmp_path / "picture.png")[0] == 4


def test_formats(capsys, monkeypatch):
    text = f"{identity('robber')}\n{identity('desk')}\n{identity('stranger')}\n{identity('desk')}"
    body = json.loads(call(capsys, "screen", text)[1])
    assert [row["verdict"] for row in body["rows"]] == ["tagged", "tagged", "unknown"]
    assert body["reach"] == "direct only"
    lines = call(capsys, "screen", text, "-o", "jsonl")[1].splitlines()
    assert [json.loads(line)["address"] for line in lines] == [row["address"] for row in body["rows"]]
    table = list(csv.DictReader(io.StringIO(call(capsys, "screen", text, "-o", "csv")[1])))
    assert [row["held_satoshi"] for row in table] == ["3900", "6000", ""]
    _, out, err = call(capsys, "screen", text, "-o", "table")
    assert err == ""
    assert out.startswith("3 screened: 0 sanctioned, 1 tagged with another abuse")
    assert "\x1b" not in out
    assert "line 2, column 1 + 1" in out
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert json.loads(call(capsys, "screen", "-")[1])["rows"] == body["rows"]


def test_without_a_store(capsys, monkeypatch):
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    body = json.loads(call(capsys, "screen", identity("desk"))[1])
    assert (body["chain"], body["rows"][0]["in_store"]) == (None, None)


def test_a_mail_with_remarks(capsys, folder):
    code, out, err = call(capsys, "screen", folder / "mail.eml")
    assert code == 0
    assert {row["address"] for row in json.loads(out)["rows"]} == {HASHED, SCRIPTED, SEGWIT}
    assert err == "not read: attachment photo.png (image/png): photo.png: no text that can be read\n"


def test_many_remarks_are_counted(capsys):
    wrong = " ".join(f"1BvBMSEYstWetqTFn5Au4m4GFg7x{letter}aNVXX" for letter in "ABCDEFGHJKLMNPQRSTUVWXYZabcd")
    _, _, err = call(capsys, "screen", f"{identity('desk')} {wrong}")
    assert len(err.splitlines()) == 21
    assert "+ 8 other near misses (in -o json)" in err


def test_rows_beyond_a_screenful_are_counted(capsys):
    text = " ".join(identity(f"person {number}") for number in range(60))
    assert "+ 10 others (all in -o csv)" in call(capsys, "screen", text, "-o", "table")[1]


def test_trace_takes_text(capsys, tmp_path):
    path = tmp_path / "note.txt"
    path.write_text(f"He paid {identity('origin')} and, elsewhere, {HASHED}.")
    code, out, err = call(capsys, "trace", path)
    assert (code, json.loads(out)["seed_amount"]) == (0, 10_000)
    assert err == f"{path} (text): addresses of regtest: 1; perhaps txids: 0\nleft aside: 1 of main\n"
    code, _, err = call(capsys, "trace", "He paid nobody.")
    assert code == 4
    assert "no address of regtest and no txid in it" in err


def test_tags_of_a_document(capsys, folder, monkeypatch):
    text = f"{identity('desk')}, then {identity('stranger')}"
    rows = json.loads(call(capsys, "tags", "show", text, "--network", "regtest")[1])
    assert [(row["subject"]["name"], len(row["tags"])) for row in rows] == [
        (identity("desk"), 1),
        (identity("stranger"), 0),
    ]
    _, out, _ = call(capsys, "tags", "show", text, "--network", "regtest", "-o", "table")
    assert f"{identity('desk')}:\n" in out
    assert f"{identity('stranger')}: nothing is known. That is unknown, not clean." in out
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert json.loads(call(capsys, "tags", "show", "-", "--network", "regtest")[1]) == rows
    code, out, err = call(capsys, "tags", "show", folder / "mail.eml", "-o", "jsonl")
    assert (code, len(out.splitlines())) == (0, 3)
    assert "not read: attachment photo.png" in err
    assert call(capsys, "tags", "show", "nothing here", "--network", "regtest")[0] == 4
    assert call(capsys, "tags", "show", "a b", "--currency", "ETH")[0] in (2, 4)
    assert call(capsys, "tags", "show", "-", "--currency", "ETH")[0] == 2
    code, _, err = call(capsys, "tags", "show", HASHED[:-1] + "q")
    assert code == 4
    assert f"did you mean {HASHED}?" in err
    near = f"{identity('desk')} {identity('robber').replace('q', 'Q', 1)}"
    assert "near miss: line 1" in call(capsys, "tags", "show", near, "--network", "regtest")[2]


def test_from_python(folder, tmp_path):
    found = shieldwall.find_addresses(folder / "mail.eml")
    assert [mention.name for mention in found.addresses()] == [SCRIPTED, SEGWIT, HASHED]
    assert [mention.name for mention in shieldwall.find_addresses(f"pay {HASHED}", network="main").mentions] == [HASHED]
    with shieldwall.open_chain(folder / "chain") as chain:
        screening = shieldwall.screen(identity("robber"), folder / "mail.eml", chain=chain)
    assert (screening.findings, len(screening.rows)) == (1, 4)
    assert shieldwall.screen(identity("robber"), tags=[]).findings == 0
    with pytest.raises(UsageError, match="no such file"):
        shieldwall.find_addresses(tmp_path / "none")
