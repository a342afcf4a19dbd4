"""The command line as people use it: formats, exit codes, messages; in this process unless a process is the point."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest
from trace_support import Chain, Coverage, identity

from shieldwall.cli import run
from shieldwall.trace.published import HOP

FORMATS = ("table", "json", "jsonl", "csv")
ABSENT = "ab" * 32


@pytest.fixture(scope="module")
def chain():
    chain = Chain()
    (first,) = chain.fund(10_000)
    chain.pay([first], ("desk", 6_000), ("friend", 3_900))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def folder(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    chain.store_in(folder).close()
    pack = "address,label,category,actor,source\n{},Northwind,exchange,,its page\n{},=bad(),user,,a list\n"
    (folder / "desks.csv").write_text(pack.format(identity("desk"), identity("friend")))
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
def tagged(folder):
    env = {**os.environ, "HOME": str(folder)}
    command = [sys.executable, "-m", "shieldwall", "tags", "import", str(folder / "desks.csv"), "--network", "regtest"]
    subprocess.run(command, check=True, capture_output=True, env=env)


def call(capsys, *words):
    code = run([str(word) for word in words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


# exit codes


def test_done(capsys):
    code, out, err = call(capsys, "trace", identity("origin"))
    assert (code, err) == (0, "")
    body = json.loads(out)
    assert body["held_amount"] == 9_900
    assert out.endswith("}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["trace"],
        ["nonsense"],
        ["trace", "x", "--nonsense"],
        ["trace", "x", "--method", "filo"],
        ["trace", "x", "--hops", "-1"],
        ["trace", "x", "--max-transactions", "0"],
        ["trace", "x", "--least", "much"],
        ["trace", "x", "--least", "1.5"],
        ["trace", "x", "--least", "²"],
        ["trace", "x", "--least", "²btc"],
        ["trace", "x", "--least", "0.123456789btc"],
        ["trace", "x", "--least", "9" * 5000],
        ["trace", "x", "--until", "soon"],
        ["trace", "x", "--until", "²"],
        ["trace", "x", "--until", "99999999"],
        ["trace", "x", "--until", "9" * 5000],
        ["trace", "x", "--until", "0001-01-01T00:00:00+14:00"],
        ["trace", "x", "--until", ""],
        ["trace", "x", "-o", "xml"],
        ["trace", "x", "--no-tags", "--tags", "desks"],
        ["trace", "x", "--no-tags", "--stop", "exchange"],
        ["chain"],
        ["chain", "build"],
        ["chain", "build", "/no/such/file"],
        ["chain", "show"],
        ["tags", "import", "/no/such/file.yaml"],
        ["tags", "compare", "a", "b"],
        [],
    ],
)
def test_wrong_usage_is_2(capsys, words):
    code, out, err = call(capsys, *words)
    assert code == 2
    assert out == ""
    assert err


def test_partial_data_is_3(capsys, chain, folder, tmp_path):
    code, out, err = call(capsys, "trace", ABSENT)
    assert (code, out) == (3, "")
    assert "unknown, which is not the same as clean" in err
    assert "next: extend the store" in err
    assert call(capsys, "chain", "show", ABSENT)[0] == 3
    assert call(capsys, "chain", "show", "77")[0] == 3
    with Coverage(["gone", "gone", "whole", "gone"][: len(chain.maker.blocks)]).store_in(tmp_path, chain):
        pass
    words = ["trace", f"{chain.made[2].txid}:0", "--chain", tmp_path / "chain"]
    assert call(capsys, *words)[0] == 0
    chain_gap = Chain()
    (coin,) = chain_gap.fund(10)
    chain_gap.pay([coin], ("friend", 10))
    chain_gap.mine()
    other = tmp_path / "other"
    other.mkdir()
    coverage = Coverage(["whole", "whole", "loose"], statements=[((chain_gap.made[0].txid, 0), 2)])
    coverage.store_in(other, chain_gap).close()
    words = ["trace", identity("origin"), "--chain", other / "chain"]
    code, out, _ = call(capsys, *words)
    assert (code, json.loads(out)["unknown_amount"]) == (0, 10)
    code, out, _ = call(capsys, *words, "--strict")
    assert (code, json.loads(out)["unknown_amount"]) == (3, 10)
    assert call(capsys, "trace", identity("origin"), "--strict")[0] == 0
    assert call(capsys, "trace", identity("origin"), "ab" * 32)[0] == 0
    assert call(capsys, "trace", identity("origin"), "ab" * 32, "--strict")[0] == 3


def test_bad_input_is_4(capsys, tmp_path):
    right = identity("desk")
    wrong = right[:-1] + ("q" if right[-1] != "q" else "p")
    code, out, err = call(capsys, "trace", wrong)
    assert (code, out) == (4, "")
    assert f"did you mean {right}" in err
    code, _, err = call(capsys, "trace", "bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq")
    assert code == 4
    assert "is an address of main, and the chain is regtest" in err
    assert call(capsys, "chain", "show", wrong)[0] == 4
    assert call(capsys, "trace", "p2pk:00")[0] == 4
    assert call(capsys, "tags", "show", "not-an-address")[0] == 4
    path = tmp_path / "targets"
    path.write_text(f"{right}\n{wrong}\n")
    code, _, err = call(capsys, "trace", path)
    assert code == 4
    assert f"{path}, line 2: " in err
    assert call(capsys, "trace", right, "--chain", tmp_path)[0] == 4
    assert call(capsys, "chain", "info", "--chain", tmp_path / "none")[0] == 4
    path.write_bytes(b"\xff")
    assert call(capsys, "trace", path)[0] == 4
    assert call(capsys, "trace", right, "--published", tmp_path / "none")[0] == 4
    assert call(capsys, "trace", right, "--published", path)[0] == 4


def test_no_chain_is_2(capsys, monkeypatch):
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    code, _, err = call(capsys, "trace", identity("desk"))
    assert code == 2
    assert "say --chain DIR, set SHIELDWALL_CHAIN" in err


def test_a_failed_check_is_1(capsys, chain, tmp_path):
    chain.store_in(tmp_path).close()
    (values,) = (tmp_path / "chain").glob("columns-*/output_value.bin")
    raw = bytearray(values.read_bytes())
    raw[8] ^= 1
    values.write_bytes(raw)
    code, out, _ = call(capsys, "chain", "verify", "--chain", tmp_path / "chain", "--source", "-o", "json")
    assert code == 1
    assert any(not check["passed"] for check in json.loads(out))
    assert call(capsys, "chain", "verify")[0] == 0


# formats


COMMANDS = {
    "trace": ["trace", identity("origin"), "--method", "all"],
    "info": ["chain", "info"],
    "verify": ["chain", "verify"],
    "show block": ["chain", "show", "1"],
    "show address": ["chain", "show", identity("desk")],
    "list": ["tags", "list"],
    "show tags": ["tags", "show", identity("desk"), "--network", "regtest"],
    "explain": ["config", "explain"],
    "compare": ["tags", "compare", "desks", "desks"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.usefixtures("tagged")
def test_every_command_speaks_every_format(capsys, command, form):
    code, out, err = call(capsys, *COMMANDS[command], "-o", form)
    assert (code, err) == (0, "")
    assert out.endswith("\n")
    if form == "json":
        assert json.loads(out)
    elif form == "jsonl":
        assert all(json.loads(line) for line in out.splitlines())
    elif form == "csv":
        rows = list(csv.reader(io.StringIO(out)))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1
    else:
        assert "{" not in out


def test_without_a_terminal_the_default_is_json(capsys):
    assert json.loads(call(capsys, "chain", "info")[1])["network"] == "regtest"


@pytest.mark.usefixtures("tagged")
def test_the_table_has_answer_ends_and_path(capsys):
    _, out, _ = call(capsys, "trace", identity("origin"), "--method", "all", "-o", "table")
    assert out.startswith("Of 0.0001 BTC, 60.0 % (0.00006 BTC) sits at Northwind")
    for words in (identity("desk"), "known as", "the way to end 1:", "haircut", "digest "):
        assert words in out


@pytest.mark.usefixtures("tagged")
def test_tags_of_a_trace(capsys):
    body = json.loads(call(capsys, "trace", identity("origin"))[1])
    assert (body["service_amount"], body["held_amount"]) == (6_000, 3_900)
    assert json.loads(call(capsys, "trace", identity("origin"), "--no-tags")[1])["service_amount"] == 0
    stopped = json.loads(call(capsys, "trace", identity("origin"), "--stop", "user")[1])
    assert (stopped["service_amount"], stopped["held_amount"]) == (3_900, 6_000)
    version = body["parameters"]["tag_sets"][0]["version"]
    again = call(capsys, "trace", identity("origin"), "--tags", f"desks@{version}")[1]
    assert json.loads(again)["parameters"]["tag_sets"][0] == {"set": "desks", "version": version}
    code, _, err = call(capsys, "trace", identity("origin"), "--tags", "desks@ffffffffffff")
    assert code == 2
    assert "has no version" in err


@pytest.mark.usefixtures("tagged")
def test_csv_of_hostile_labels_is_no_formula(capsys):
    _, out, _ = call(capsys, "trace", identity("origin"), "-o", "csv")
    assert "'=bad()" in out
    assert ",=bad()" not in out


def test_terminals_get_no_control_characters(capsys, folder, tmp_path, monkeypatch):
    text = f'address,label,category,source\n{identity("desk")},"Evil\x1b[2J\u202edesk",exchange,x\n'
    (tmp_path / "evil.csv").write_text(text)
    words = ["tags", "import", tmp_path / "evil.csv", "--network", "regtest", "--data", tmp_path]
    assert call(capsys, *words)[0] == 0
    for words in (
        ["trace", identity("origin"), "--data", tmp_path, "-o", "table"],
        ["tags", "show", identity("desk"), "--network", "regtest", "--data", tmp_path, "-o", "table"],
    ):
        code, out, _ = call(capsys, *words)
        assert code == 0
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "Evil\ufffd[2J\ufffddesk" in out


# trace options


def test_limits_from_the_command_line(capsys, chain):
    def limited(*words):
        body = json.loads(call(capsys, "trace", identity("origin"), *words)[1])
        return body["limit_amount"], body["parameters"]

    assert limited("--hops", "0")[0] == 10_000
    assert limited("--least", "10000")[0] == 0
    assert limited("--least", "0.00010001btc")[0] == 10_000
    assert limited("--least", "1 BTC")[1]["least_amount"] == 10**8
    assert limited("--until", "1")[0] == 10_000
    assert limited("--until", "2")[0] == 0
    assert limited("--until", "2020-09-13")[1]["until_time"] == "2020-09-13T00:00:00Z"
    assert limited("--until", "20200913")[1]["until_time"] == "2020-09-13T00:00:00Z"
    assert limited("--until", "2020-09-13T12:36:39Z")[0] == 10_000
    assert limited("--until", "2020-09-13T12:36:40Z")[0] == 0
    assert limited("--max-transactions", "1")[1]["max_transactions"] == 1


def test_targets_from_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"# a list\n{identity('desk')}\n{identity('friend')}\n"))
    body = json.loads(call(capsys, "trace", "-")[1])
    assert [target["identity"] for target in body["targets"]] == sorted([identity("desk"), identity("friend")])


def test_published_claims_and_notes(capsys, chain, tmp_path):
    claim = {
        "subject": {
            "type": "outpoint",
            "chain": "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
            "name": f"{chain.made[2].txid}:0",
        },
        "kind": HOP.name,
        "statement": {"spender": ABSENT},
        "layer": "observation",
        "source": "a blog\x1b[2J",
        "made_by": "desk",
    }
    (tmp_path / "hops.jsonl").write_text(json.dumps(claim) + "\n")
    words = ["trace", identity("origin"), "--published", tmp_path / "hops.jsonl"]
    body = json.loads(call(capsys, *words)[1])
    assert (body["gap_amount"], len(body["notes"])) == (0, 1)
    _, out, _ = call(capsys, *words, "-o", "table")
    assert f"note: {chain.made[2].txid}:0 is published as spent by {ABSENT} (a blog\ufffd[2J)" in out


def test_the_report_is_written_and_named(capsys, tmp_path):
    path = tmp_path / "report.html"
    code, out, err = call(capsys, "trace", identity("origin"), "--report", path)
    assert (code, err) == (0, f"report: {path}\n")
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert json.loads(out)["digest"] in page


# configuration


def explained(capsys, *words):
    return {
        row["setting"]: (row["value"], row["from"]) for row in json.loads(call(capsys, "config", "explain", *words)[1])
    }


def test_explain_shows_origins_in_rising_precedence(capsys, folder, tmp_path, monkeypatch):
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    config = tmp_path / "config.toml"
    monkeypatch.setenv("SHIELDWALL_CONFIG", str(config))
    shown = explained(capsys)
    assert shown["chain"] == ("", "not set")
    assert shown["engine"] == ("auto", "default")
    assert shown["data"] == (str(folder / ".local/share/shieldwall"), "default")
    assert shown["file"][0] == str(config)
    config.write_text('chain = "/from/file"\nengine = "plain"\n')
    assert explained(capsys)["chain"] == ("/from/file", str(config))
    monkeypatch.setenv("SHIELDWALL_CHAIN", "/from/variable")
    assert explained(capsys)["chain"] == ("/from/variable", "SHIELDWALL_CHAIN")
    assert explained(capsys, "--chain", "/from/option")["chain"] == ("/from/option", "--chain")
    assert explained(capsys)["engine"] == ("plain", str(config))
    config.write_text("chain = 5")
    code, _, err = call(capsys, "config", "explain")
    assert code == 2
    assert str(config) in err


def test_a_path_that_no_system_has(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("SHIELDWALL_CHAIN")
    (tmp_path / "c.toml").write_text('chain = "a\\u0000b"\n')
    monkeypatch.setenv("SHIELDWALL_CONFIG", str(tmp_path / "c.toml"))
    code, _, err = call(capsys, "chain", "info")
    assert code in (2, 4)
    assert err


# chain show


def test_show_a_transaction_with_its_fee(capsys, chain):
    shown = json.loads(call(capsys, "chain", "show", chain.made[2].txid.upper())[1])
    assert (shown["fee"], shown["coinbase"]) == (100, False)
    assert [output["state"] for output in shown["outputs"]] == ["unspent", "unspent"]
    holder = json.loads(call(capsys, "chain", "show", identity("origin"))[1])
    assert holder["by_state"] == {"spent": 10_000}
    assert call(capsys, "chain", "show", "²")[0] in (2, 4)
    assert call(capsys, "chain", "show", "p2pk:00")[0] in (2, 4)


# processes


def shieldwall(*words, **options):
    command = [sys.executable, "-m", "shieldwall", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **options)


def test_a_process_leaves_with_the_exit_code(folder):
    assert shieldwall("trace", ABSENT).returncode == 3
    assert shieldwall("trace").returncode == 2
    done = shieldwall("--version")
    assert (done.returncode, done.stderr) == (0, b"")
    helped = shieldwall("trace", "--help")
    assert helped.returncode == 0
    assert b"--published FILE" in helped.stdout


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-m", "shieldwall", "trace", identity("origin"), "--method", "all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) == 0
    assert err == b""


def test_a_full_disk_is_said_so():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "shieldwall", "chain", "info"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 4
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_targets_piped_into_a_process():
    done = shieldwall("trace", "-", "-o", "json", input=identity("desk").encode())
    assert json.loads(done.stdout)["held_amount"] == 6_000
    assert shieldwall("trace", "-", input=b"\xff\xfe").returncode in (2, 4)
