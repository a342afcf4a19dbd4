"""`shieldwall node`: a node from init to restore by commands alone, with words and exit codes that a script can rely on."""

from __future__ import annotations

import io
import json
import os
import shutil

import pytest

from shieldwall.cli import run
from shieldwall.node.slots import Cost

WORDS = "correct horse battery staple"


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """No setting of the machine, a cheap passphrase, and one node for all commands of a test."""
    for name in list(os.environ):
        if name.startswith(("SHIELDWALL_", "CREDENTIALS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("shieldwall.node.slots.Cost", lambda *given: Cost(*given) if given else Cost(64, 1, 1))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys, monkeypatch):
    """Runs a command with what stands on its standard input; gives its exit code, output and remarks."""

    def run_it(*words, stdin=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = run(["node", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run_it


@pytest.fixture
def node(call, tmp_path, monkeypatch):
    """A node in the folder `node`, which the commands that follow are about."""
    code, out, _ = call("init", "node", "--key-file", "key", "--name", "Unit 5", "--administrator", "Ada")
    assert code == 0
    monkeypatch.setenv("SHIELDWALL_NODE", str(tmp_path / "node"))
    monkeypatch.setenv("SHIELDWALL_NODE_KEY_FILE", str(tmp_path / "key"))
    return json.loads(out)


def answer(told):
    code, out, err = told
    assert code == 0, err
    return json.loads(out)


def test_init_gives_the_first_administrator_a_link(node, tmp_path):
    link, secret = node["sign_in"].split("#")
    assert link == "http://localhost:8420/sign-in"
    assert len(secret) >= 43
    assert secret.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "node").iterdir())
    assert len(node["fingerprint"].split()) == 15
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_init_by_a_passphrase_on_standard_input(call):
    assert call("init", "a", "--passphrase-stdin", stdin=WORDS + "\n")[0] == 0
    assert answer(call("status", "--node", "a", "--passphrase-stdin", stdin=WORDS))["name"] == "shieldwall"
    code, _, err = call("status", "--node", "a", "--passphrase-stdin", stdin="another passphrase")
    assert (code, "does not open the node" in err) == (4, True)
    code, _, err = call("init", "b", "--passphrase-stdin", stdin="short\n")
    assert (code, "at least 12" in err) == (2, True)
    code, _, err = call("init", "b")
    assert (code, "passphrase is needed" in err) == (2, True)


def test_which_node_and_which_key_must_be_said(call):
    code, _, err = call("status")
    assert (code, "which node?" in err) == (2, True)
    code, _, err = call("status", "--node", "nowhere", "--passphrase-stdin")
    assert (code, "no node's folder" in err) == (2, True)


def test_init_twice_or_with_an_address_for_a_name(node, call):
    code, _, err = call("init", "node", "--key-file", "key")
    assert (code, "not empty" in err) == (4, True)
    code, _, err = call("init", "other", "--key-file", "key", "--host", "192.0.2.1")
    assert (code, "no domain name" in err) == (2, True)


def test_status_says_what_there_is_and_no_secret(node, call, tmp_path):
    code, out, _ = call("status")
    found = json.loads(out)
    assert (code, found["name"], found["database"], found["rows"]["people"]) == (0, "Unit 5", "sqlite", 1)
    assert found["fingerprint"] == node["fingerprint"]
    assert (tmp_path / "key").read_text(encoding="utf-8").strip() not in out


def test_check_is_0_or_1_and_names_the_problem(node, call, tmp_path):
    assert {row["result"] for row in answer(call("check"))} == {"good"}
    (tmp_path / "node" / "keys.json").chmod(0o644)
    code, out, err = call("check", "-o", "table")
    assert code == 1
    assert "keys.json: others than its owner may use it" in err
    assert "not looked at" in out


def test_every_command_leaves_an_entry_and_a_signed_root(node, call, tmp_path):
    call("status")
    lines = (tmp_path / "node" / "audit-roots.jsonl").read_text(encoding="utf-8").splitlines()
    verbs = [entry["verb"] for entry in answer(call("audit", "show"))]
    assert verbs == ["node.init", "node-key.begin", "person.first", "node.status"]
    assert json.loads(lines[-1])["size"] == 4
    assert answer(call("audit", "show", "--from", "1", "--most", "1"))[0]["number"] == 1
    code, out, _ = call("audit", "show", "-o", "table")
    assert (code, "operator: " in out) == (0, True)


def test_verify_names_the_leaf_and_accept_goes_on(node, call, tmp_path):
    home = tmp_path / "node"
    shutil.copytree(home, tmp_path / "yesterday")
    call("status")
    assert answer(call("audit", "verify"))["findings"] == []
    answer(call("audit", "export"))
    roots = (home / "audit-roots.jsonl").read_bytes()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "yesterday", home)
    (home / "audit-roots.jsonl").write_bytes(roots)  # kept elsewhere
    code, _, err = call("status")
    assert (code, "older copy" in err) == (4, True)
    code, out, _ = call("audit", "verify")
    assert code == 1
    assert json.loads(out)["findings"][0]["first"] == 3
    code, out, _ = call("audit", "verify", "-o", "table")
    assert (code, "older copy" in out or "written anew" in out) == (1, True)
    answer(call("audit", "accept", "--reason", "the disk broke"))
    assert answer(call("audit", "verify"))["accepted"]
    answer(call("status"))


def test_another_copy_of_the_exported_roots_can_be_held_against_it(node, call, tmp_path):
    shutil.copy(tmp_path / "node" / "audit-roots.jsonl", tmp_path / "copy")
    assert answer(call("audit", "verify", "--roots", "copy"))["exported_roots"] == 2
    assert call("audit", "verify", "--roots", "none")[0] == 4


def test_a_proof_is_checked_without_the_node(node, call, tmp_path):
    (tmp_path / "proof").write_text(call("audit", "prove", "1")[1], encoding="utf-8")
    (tmp_path / "document").write_text(call("key", "show", "-o", "json")[1], encoding="utf-8")
    shutil.rmtree(tmp_path / "node")
    assert answer(call("audit", "check-proof", "proof", "document"))["verb"] == "node-key.begin"
    text = (tmp_path / "proof").read_text(encoding="utf-8").replace("node-key.begin", "node-key.began")
    (tmp_path / "proof").write_text(text, encoding="utf-8")
    assert call("audit", "check-proof", "proof", "document")[0] == 4
    assert call("audit", "check-proof", "none", "document")[0] == 4


def test_a_leaf_that_is_not_there(node, call):
    assert call("audit", "prove", "99")[0] == 1


def test_keys_are_rotated_and_slots_change(node, call, tmp_path):
    turned = answer(call("key", "rotate"))
    shown = answer(call("key", "show"))
    assert [entry["id"] for entry in shown["keys"]] == [turned["before"], turned["key"]]
    assert turned["fingerprint"] in call("key", "show", "-o", "table")[1]
    assert answer(call("audit", "verify"))["findings"] == []
    (tmp_path / "words").write_text(WORDS + "\n", encoding="utf-8")
    (tmp_path / "words").chmod(0o600)
    answer(call("key", "slot", "add", "Ada", "--new-passphrase-file", "words"))
    added = answer(call("key", "slot", "add", "backup", "--new-file", "second"))
    assert call("key", "slot", "add", "more")[0] == 2
    assert [slot["name"] for slot in answer(call("key", "slot", "list"))] == ["first", "Ada", "backup"]
    answer(call("status", "--key-file", "second"))
    assert call("key", "slot", "remove", added["id"])[0] == 0
    assert call("status", "--key-file", "second")[0] == 4
    assert call("key", "slot", "remove", "0" * 16)[0] == 1


def test_a_backup_is_restored_elsewhere(node, call, tmp_path):
    made = answer(call("backup-key", "offline"))
    assert made["public"] == "offline.pub"
    done = answer(call("backup", "copy", "--to", "offline.pub"))
    assert done["tables"]["people"] == 1
    assert call("backup", "copy")[0] == 4
    (tmp_path / "node").rename(tmp_path / "lost")
    answer(call("restore", "copy", "node"))
    assert answer(call("status"))["id"] == node["id"]
    assert call("restore", "copy", "third", "--offline-key", "offline", "--passphrase-stdin", stdin=WORDS)[0] == 0
    answer(call("check", "--node", "third", "--passphrase-stdin", stdin=WORDS))
    roots = tmp_path / "lost" / "audit-roots.jsonl"
    code, out, _ = call("restore", "copy", "fourth", "--audit-roots", roots)
    assert (code, "older copy" in json.loads(out)["warning"]) == (1, True)
    assert call("status", "--node", "fourth")[0] == 4
    assert call("restore", "none", "fifth")[0] == 4


def test_recover_and_tokens(node, call):
    assert "#" in answer(call("recover", "Ada"))["sign_in"]
    assert call("recover", "Nobody")[0] == 1
    code, _, err = call("token", "create", "reader", "--for", "Ada")
    assert code == 1
    assert "more than the person may" in err  # an administrator reads nothing
    assert answer(call("token", "list")) == []
    assert call("token", "revoke", "0" * 32)[0] == 1


def test_help_of_every_command(call):
    for words in (
        [],
        ["audit"],
        ["key"],
        ["key", "slot"],
        ["token"],
        *([name] for name in ("init", "check", "status", "backup")),
    ):
        code, out, _ = call(*words, "--help")
        assert (code, "Usage: shieldwall node" in out) == (0, True)
