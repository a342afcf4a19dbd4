"""`shieldwall case`, `request`, `pack`, `verify`: a case worked by commands alone, but for the decision of a second person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from casework_support import answer_to

from shieldwall.cases.request import Request
from shieldwall.cli import run
from shieldwall.model.access import Role
from shieldwall.model.claim import Claim
from shieldwall.model.marking import Marking
from shieldwall.node.casework import asking
from shieldwall.node.home import open_home
from shieldwall.node.keysource import key_source
from shieldwall.node.node import Node
from shieldwall.node.operators import operator

INTAKE = {
    "format": "shieldwall-intake/1",
    "answers": {"victim": "Waterworks", "group": "DarkSide", "found": "2026-10-01", "country": "DE"},
}


@pytest.fixture
def call(capsys):
    """Runs a command; gives its exit code, output and remarks."""

    def run_it(*words):
        code = run([*map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run_it


@pytest.fixture
def node(call, tmp_path, monkeypatch):
    """A node with a writer and one who approves; the commands that follow act for the writer."""
    for name in list(os.environ):
        if name.startswith("SHIELDWALL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert call("node", "init", "node", "--key-file", "key", "--name", "Unit 5", "--administrator", "Ada")[0] == 0
    monkeypatch.setenv("SHIELDWALL_NODE", str(tmp_path / "node"))
    monkeypatch.setenv("SHIELDWALL_NODE_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("SHIELDWALL_AS", "Mara")
    with opened(tmp_path) as home, home.store.act(operator("test"), "test.people") as work:
        work.people.add("Mara", roles=[Role.ANALYST], highest=Marking.RED)
        work.people.add("Ingrid", roles=[Role.ANALYST, Role.APPROVER], highest=Marking.RED)
    return tmp_path


def opened(folder):
    return open_home(folder / "node", key_source({}, key_file=folder / "key"))


def told(found):
    code, out, err = found
    assert code == 0, err
    return json.loads(out) if out.strip() else {}


@pytest.fixture
def case(call, node):
    (node / "intake.json").write_text(json.dumps(INTAKE), encoding="utf-8")
    words = (
        "--number",
        "NW-1",
        "--member",
        "Ingrid",
        "--marking",
        "TLP:AMBER",
        "--pap",
        "PAP:GREEN",
        "--intake",
        "intake.json",
    )
    return told(call("case", "open", "Waterworks", *words))["id"]


def test_a_case_is_worked_and_packed(call, case, node):
    assert (
        told(
            call(
                "case",
                "finding",
                case,
                "It is theirs.",
                "--layer",
                "inference",
                "--basis",
                "co-spend",
                "--confidence",
                "high",
            )
        )
        is not None
    )
    assert call("case", "event", case, "2026-10-01T07:00:00Z", "Found")[0] == 0
    assert (
        call(
            "case",
            "relate",
            case,
            "group:DarkSide",
            "uses",
            "malware:DarkSide",
            "--layer",
            "attribution",
            "--basis",
            "vendor",
        )[0]
        == 0
    )
    (node / "note.txt").write_bytes(b"pay up")
    piece = told(call("case", "evidence", case, "note.txt", "--method", "copied", "--source", "a server"))
    assert call("case", "custody", piece["id"], "--deed", "examined", "--why", "read")[0] == 0
    shown = told(call("case", "show", case))
    assert shown["case"]["number"] == "NW-1"
    assert shown["members"] == ["Ingrid", "Mara"]
    assert shown["findings"]["inference"][0]["statement"]["text"] == "It is theirs."
    assert told(call("case", "list", "--find", "darkside"))[0]["id"] == case
    assert len(told(call("case", "flags", case))) == 9
    assert call("pack", case, "p.zip", "--to", "Court")[0] == 0
    code, out, _ = call("verify", "p.zip", "-o", "table")
    assert (code, out.splitlines()[0][:4]) == (0, "GOOD")
    words = out.rpartition(": ")[2].strip()
    assert call("verify", "p.zip", "--key", words)[0] == 0
    assert call("verify", "p.zip", "--key", "0" * 30)[0] == 1
    assert call("verify", "p.zip", "--key", "00")[0] == 2
    raw = bytearray((node / "p.zip").read_bytes())
    raw[raw.index(b"pay up")] ^= 1
    (node / "changed.zip").write_bytes(bytes(raw))
    code, out, _ = call("verify", "changed.zip", "-o", "table")
    assert (code, out.splitlines()[0]) == (1, "NOT GOOD: changed-file")


def test_a_request_is_written_approved_by_another_sent_and_answered(call, case, node):
    made = told(call("request", "draft", case, "--kind", "disclose", "--to", "any-exchange"))
    request = made["id"]
    assert call("request", "edit", request, "relation=It was bought there.", "sender.badge=7")[0] == 0
    assert call("request", "edit", request, "confidence=It is likely, with high confidence.")[0] != 0
    assert "DRAFT" in call("request", "letter", request)[1]
    assert told(call("request", "submit", request))["state"] == "waiting for approval"
    assert call("request", "send", request, "out")[0] != 0  # nobody has approved it
    with opened(node) as home:
        at = Node(home)
        with home.store.inside(operator("test")) as work:
            second = work.people.identity_of(work.people.by_name("Ingrid"))
        asked = asking.look(at, second, "x", request)
        asking.decide(at, second, "x", request, approve=True, digest=asked.request.digest)
    assert call("request", "send", request, "out")[0] == 0
    assert call("request", "send", request, "out")[0] == 0  # written again, the same
    names = {path.name for path in Path("out").iterdir()}
    assert {"letter.en.html", "request.json", "request.sig.json", "keys.json", "reply.html"} <= names
    assert call("verify", "out/request.json")[0] == 0
    sent = Request.from_dict(json.loads(Path("out/request.json").read_bytes()))
    Path("reply.json").write_bytes(answer_to(sent, outcome="disclosed", reference="R-1"))
    assert told(call("request", "reply", request, "reply.json"))["state"] == "answered"
    assert [row["state"] for row in told(call("request", "list", "--state", "answered"))] == ["answered"]
    Path("out/request.json").write_text("another", encoding="utf-8")
    assert call("request", "send", request, "out")[0] != 0  # what is there is not written over
    assert call("verify", "out/request.json")[0] == 1


def test_words_that_do_not_fit_are_refused_with_the_next_step(call, case):
    code, _, err = call("case", "show", "nothing of that name")
    assert code == 2
    assert "shieldwall case list" in err
    code, _, err = call("case", "finding", case, "It is likely, and we have high confidence.", "--layer", "observation")
    assert code != 0
    assert "ICD 203" in err
    assert call("case", "close", case)[0] == 0
    assert call("case", "event", case, "2026-10-01", "late")[0] != 0
    assert call("case", "reopen", case)[0] == 0


def test_a_case_is_changed_told_anew_and_says_who_is_to_be_told(call, case, node):
    assert call("case", "change", case, "--title", "Halden", "--number", "NW-2", "--member", "Mara", "--silent")[0] == 0
    answers = {**INTAKE["answers"], "group": "REvil"}
    (node / "again.json").write_text(json.dumps({**INTAKE, "answers": answers}), encoding="utf-8")
    assert call("case", "incident", case, "again.json")[0] == 0
    shown = told(call("case", "show", case))
    assert (shown["case"]["title"], shown["case"]["number"], shown["members"]) == ("Halden", "NW-2", ["Mara"])
    assert shown["incident"]["group"] == "REvil"
    words = ("It is theirs.", "--layer", "inference", "--basis", "co-spend")
    assert call("case", "finding", case, *words)[0] == 0
    assert call("pack", case, "p.zip", "--to", "Court")[0] == 0
    claim = told(call("case", "show", case))["findings"]["inference"][0]
    assert call("case", "take-back", Claim.from_dict(claim).id, "wrong")[0] == 0
    (way,) = told(call("case", "to-tell"))
    assert (way["to"], way["case"]) == ("Court", case)
    assert told(call("case", "to-tell", "--told", way["way"])) == []


def test_the_form_works_without_a_node(call, tmp_path):
    code, out, _ = call("case", "intake-form", "--language", "fr")
    assert code == 0
    assert 'lang="fr"' in out
