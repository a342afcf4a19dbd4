"""`shieldwall screen`, and pasted text in `trace` and `tags show`: formats, exit codes, remarks."""

from __future__ import annotations

import csv
import io
import json
import os
import random

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
    assert body["reach"] == "3 hops"
    assert json.loads(call(capsys, "screen", text, "--hops", "0")[1])["reach"] == "direct only"
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
    assert err.endswith("\nnot read: attachment photo.png (image/png): photo.png: no text that can be read\n")


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


@pytest.fixture
def wallets(tmp_path):
    names = ("desk", "robber", "stranger", "desk")
    (tmp_path / "wallets.csv").write_text(
        "id;wallet\n" + "".join(f"{n};{identity(name)}\n" for n, name in enumerate(names))
    )
    return tmp_path / "wallets.csv"


def test_a_list_goes_into_a_file_row_by_row(capsys, wallets, tmp_path):
    for name, count in (("out.jsonl", 4), ("out.csv", 5)):
        target = tmp_path / name
        code, out, err = call(capsys, "screen", wallets, "--to", target)
        assert (code, out) == (1, "")
        assert err.startswith("4 screened: 0 sanctioned, 1 tagged with another abuse, 2 with other tags")
        assert f"{identity('robber')}  Robber" in err
        assert "\x1b" not in err
        lines = target.read_text().splitlines()
        assert len(lines) == count
        assert not (tmp_path / f"{name}.progress").exists()
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["address"] for row in rows] == [identity(name) for name in ("desk", "robber", "stranger", "desk")]
    assert [row["first_place"] for row in rows] == [f"line {n}, column 3" for n in range(2, 6)]
    code, _, err = call(capsys, "screen", wallets, "--to", tmp_path / "out.jsonl")
    assert (code, "is there already" in err) == (2, True)


def test_to_go_on_with_a_finished_file_is_done(capsys, wallets, tmp_path):
    target = tmp_path / "out.csv"
    first = call(capsys, "screen", wallets, "--to", target)
    before = target.read_bytes()
    code, out, err = call(capsys, "screen", wallets, "--to", target, "--resume")
    assert (code, out) == first[:2] == (1, "")
    assert "out.csv: is finished already; nothing was changed" in err
    assert err.endswith(first[2])
    assert target.read_bytes() == before
    target.write_text("my notes\n")
    code, _, err = call(capsys, "screen", wallets, "--to", target, "--resume")
    assert (code, "is no finished screening" in err, target.read_text()) == (2, True, "my notes\n")


def test_what_cannot_be_screened_row_by_row_is_said(capsys, wallets, tmp_path, folder):
    target = tmp_path / "new.jsonl"
    assert call(capsys, "screen", wallets, "--resume")[0] == 2
    assert call(capsys, "screen", wallets, "--to", target, "-o", "json")[0] == 2
    assert call(capsys, "screen", wallets, "--to", target, "-o", "table")[0] == 2
    for other in (identity("desk"), folder / "mail.eml", "missing.csv"):
        code, _, err = call(capsys, "screen", wallets, other, "--to", target)
        assert (code, "screen documents and pasted text apart" in err) == (2, True)
    assert call(capsys, "screen", wallets, "-", "--to", target)[0] == 2
    assert call(capsys, "screen", wallets, "--hops", "11")[0] == 2
    assert not target.exists()


def test_a_large_list_is_screened_row_by_row_without_being_asked(capsys, wallets, monkeypatch):
    monkeypatch.setattr("shieldwall.cli.screen.LARGE", 1)
    code, out, err = call(capsys, "screen", wallets)
    assert code == 1
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == ["tagged", "tagged", "unknown", "tagged"]
    assert err.startswith("4 screened")
    assert call(capsys, "screen", wallets, "-o", "csv")[1].count("\n") == 5
    assert call(capsys, "screen", wallets, "-o", "json")[0] == 2
    code, out, err = call(capsys, "screen", wallets, "-o", "table")
    assert (code, out.startswith("4 screened"), err) == (1, True, "")


def test_standard_input_is_a_list_too(capsys, wallets, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(wallets.read_text()))
    assert call(capsys, "screen", "-", "--to", tmp_path / "out.jsonl")[0] == 1
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4


def test_exposure_and_its_exit_code(capsys, tmp_path):
    """`first`, who funded all, paid the robber."""
    origin = identity("origin")
    code, out, _ = call(capsys, "screen", origin)
    assert code == 0
    (row,) = json.loads(out)["rows"]
    assert [(entry["category"], entry["way"], entry["hops"]) for entry in row["exposure"]["reached"]] == [
        ("ransomware", "sent", 1),
        ("exchange", "sent", 1),
    ]
    assert call(capsys, "screen", origin, "--strict-exposure")[0] == 1
    assert call(capsys, "screen", origin, "--strict-exposure", "--hops", "0")[0] == 0
    (tmp_path / "one.txt").write_text(origin)
    assert call(capsys, "screen", tmp_path / "one.txt", "--to", tmp_path / "a.jsonl")[0] == 0
    assert call(capsys, "screen", tmp_path / "one.txt", "--to", tmp_path / "b.jsonl", "--strict-exposure")[0] == 1
    _, out, _ = call(capsys, "screen", origin, "-o", "table")
    assert "sent ransomware 1 hop, 3900 satoshi, Robber" in out
    (tmp_path / "two.txt").write_text(identity("stranger"))
    assert call(capsys, "screen", tmp_path / "two.txt", "--to", tmp_path / "c.jsonl", "--strict")[0] == 3


def test_clusters_are_named_where_there_are_some(capsys):
    code, _, err = call(capsys, "screen", identity("desk"), "--cluster")
    assert (code, "no clustering there" in err) == (4, True)
    assert call(capsys, "cluster", "build")[0] == 0
    (row,) = json.loads(call(capsys, "screen", identity("desk"), "--cluster")[1])["rows"]
    assert row["cluster"] == {"size": 1, "tagged_others": 0, "inherited": [], "layer": "inference"}
    (row,) = csv.DictReader(io.StringIO(call(capsys, "screen", identity("desk"), "--cluster", "-o", "csv")[1]))
    assert (row["cluster_size"], row["cluster_tagged_others"], row["cluster_inherited_inferred"]) == ("1", "0", "")
    assert "cluster_size" not in call(capsys, "screen", identity("desk"), "-o", "csv")[1]


@pytest.fixture
def paired(tmp_path, monkeypatch, capsys):
    """One who spends two addresses together; only the other one is tagged."""
    chain = Chain()
    first = chain.fund(1_000, 2_000)
    inputs = [chain.pay([first[0]], ("mine", 1_000))[0], chain.pay([first[1]], ("other", 2_000))[0]]
    chain.mine()
    chain.pay(inputs, ("desk", 2_900))
    chain.mine()
    chain.store_in(tmp_path).close()
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(tmp_path / "chain"))
    (tmp_path / "other.csv").write_text(TAGS.format(identity("desk"), identity("other")))
    for words in (["tags", "import", str(tmp_path / "other.csv"), "--network", "regtest"], ["cluster", "build"]):
        assert run(words) == 0
    capsys.readouterr()
    return tmp_path


def test_an_inherited_tag_stands_in_table_and_csv_and_says_that_it_is_inferred(capsys, paired):
    text = identity("mine")
    (row,) = csv.DictReader(io.StringIO(call(capsys, "screen", text, "--cluster", "-o", "csv")[1]))
    assert (row["cluster_size"], row["cluster_tagged_others"]) == ("2", "1")
    assert row["cluster_inherited_inferred"].endswith("Robber\ufffd[2J (inferred)")
    assert row["verdict"] == "in store, no tag"
    out = call(capsys, "screen", text, "--cluster", "-o", "table")[1]
    assert "cluster size  cluster's tag" in out
    assert "(inferred)" in out
    assert "\x1b" not in out
    (paired / "list.txt").write_text(text)
    for form in ("csv", "jsonl"):
        target = paired / f"out.{form}"
        first = call(capsys, "screen", paired / "list.txt", "--cluster", "--to", target)
        assert "Robber" in target.read_text()
        assert call(capsys, "screen", paired / "list.txt", "--cluster", "--to", target, "--resume")[0] == first[0]


def test_the_shortest_path_stands_under_the_table(capsys):
    (row,) = json.loads(call(capsys, "screen", identity("origin"))[1])["rows"]
    path = row["exposure"]["reached"][0]["path"]
    out = call(capsys, "screen", identity("origin"), "-o", "table")[1]
    assert f"  {identity('origin')}  sent ransomware 1 hop: {path[0]}\n" in out
    assert "shortest paths" not in call(capsys, "screen", identity("stranger"), "-o", "table")[1]


def test_the_persons_own_columns_stay_with_each_row(capsys, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(f"id;name;wallet\n7;=cmd();{identity('desk')}\n8;Jörg;{identity('robber')}\n")
    for words in ((), ("--to", tmp_path / "out.csv")):
        _, out, _ = call(capsys, "screen", path, "-o", "csv", *words)
        text = (tmp_path / "out.csv").read_text() if words else out
        rows = {row["address"]: row for row in csv.DictReader(io.StringIO(text))}
        assert [rows[identity(name)]["in_id"] for name in ("desk", "robber")] == ["7", "8"]
        assert [rows[identity(name)]["in_name"] for name in ("desk", "robber")] == ["'=cmd()", "Jörg"]
        _, out, _ = call(capsys, "screen", path, "-o", "jsonl", *(("--to", tmp_path / "out.jsonl") if words else ()))
        text = (tmp_path / "out.jsonl").read_text() if words else out
        rows = {row["address"]: row for row in map(json.loads, text.splitlines())}
        assert rows[identity("desk")]["row"] == {"id": "7", "name": "=cmd()", "wallet": identity("desk")}
    assert call(capsys, "screen", path, "--to", tmp_path / "out.csv", "--resume")[0] == 1


def test_a_target_that_cannot_be_written_and_directories_are_said(capsys, wallets, tmp_path):
    for target, said in ((tmp_path / "none" / "x.csv", "is no directory"), (tmp_path, "is a directory")):
        for more in ((), ("--resume",)):
            code, _, err = call(capsys, "screen", wallets, "--to", target, *more)
            assert (code, f"{target}: " in err, said in err, "next: " in err) == (2, True, True, True)
            assert ".progress" not in err
    for words in ((tmp_path,), (tmp_path, "--to", tmp_path / "x.csv")):
        code, _, err = call(capsys, "screen", *words)
        assert (code, f"{tmp_path}: is a directory" in err) == (2, True)


def test_a_stop_says_only_how_to_go_on(capsys, wallets, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("shieldwall.cli.screen.Progress.__call__", interrupt)
    target = tmp_path / "out.csv"
    code, _, err = call(capsys, "screen", wallets, "--to", target)
    assert (code, err) == (130, "stopped; the same command with --resume goes on\n")


def test_lists_without_any_address_are_refused(capsys, tmp_path, monkeypatch):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "random.csv").write_bytes(random.Random(1).randbytes(5 << 20))
    (tmp_path / "heading.csv").write_bytes(b"id;wallet\n1;none\n")
    for name in ("empty.csv", "random.csv", "heading.csv"):
        for words in ((), ("--to", tmp_path / "x.csv"), ("--to", tmp_path / "x.jsonl"), ("-o", "csv")):
            code, out, err = call(capsys, "screen", tmp_path / name, *words)
            assert (code, out, "screened" in err) == (4, "", False), (name, words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.csv", "heading.csv", "random.csv"]


def test_addresses_of_another_network_than_the_stores_are_said(capsys, tmp_path, monkeypatch):
    text = f"{HASHED}\n{identity('desk')}\n"
    _, out, err = call(capsys, "screen", text)
    body = json.loads(out)
    assert "note: 1 of 2 not valid on regtest, the network of the chain store" in err
    assert (len(body["notes"]), body["counts"]["no_store_of_its_network"]) == (1, 1)
    (tmp_path / "list.txt").write_text(text)
    for words in ((), ("--resume",)):
        err = call(capsys, "screen", tmp_path / "list.txt", "--to", tmp_path / "x.csv", *words)[2]
        assert "note: 1 of 2 not valid on regtest" in err
    assert call(capsys, "screen", identity("desk"))[2] == ""
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    assert json.loads(call(capsys, "screen", HASHED)[1])["notes"] == []


def test_the_python_api_screens_lists_too(wallets, tmp_path):
    with shieldwall.open_chain() as chain:
        tally = shieldwall.screen_lists(wallets, to=tmp_path / "api.csv", chain=chain, hops=1)
        assert (tally.rows, tally.findings) == (4, 1)
        assert len((tmp_path / "api.csv").read_text().splitlines()) == 5
        with pytest.raises(UsageError, match="is there already"):
            shieldwall.screen_lists(wallets, to=tmp_path / "api.csv", chain=chain, hops=1)
        again = shieldwall.screen_lists(wallets, to=tmp_path / "api.csv", chain=chain, hops=1, resume=True)
        assert (again.counts, len(again.urgent)) == (tally.counts, len(tally.urgent))
        assert shieldwall.screen(identity("origin"), chain=chain, hops=1).exposed == 1
