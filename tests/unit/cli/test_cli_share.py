"""`shieldwall peer` and `share`: partners, intake, release, preview, withdrawal, by commands alone."""

from __future__ import annotations

import json
import os

import pytest
from taxii_support import indicator

from shieldwall.cli import run
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking
from shieldwall.node.home import open_home
from shieldwall.node.keysource import key_source
from shieldwall.node.operators import operator
from shieldwall.sharing.markings import TLP_2

GREEN, RED = TLP_2[Marking.GREEN], TLP_2[Marking.RED]


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
    """A node with somebody who may approve, for whom the commands act."""
    for name in list(os.environ):
        if name.startswith("SHIELDWALL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert call("node", "init", "node", "--key-file", "key", "--name", "Unit 5", "--administrator", "Ada")[0] == 0
    monkeypatch.setenv("SHIELDWALL_NODE", str(tmp_path / "node"))
    monkeypatch.setenv("SHIELDWALL_NODE_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("SHIELDWALL_AS", "Ingrid")
    home = open_home(tmp_path / "node", key_source({}, key_file=tmp_path / "key"))
    with home, home.store.act(operator("test"), "test.people") as work:
        work.people.add("Ingrid", roles=[Role.ANALYST, Role.APPROVER], highest=Marking.RED)
        work.people.add("Mara", roles=[Role.ANALYST], highest=Marking.RED)
    return tmp_path


def rows(found, code=0):
    assert found[0] == code, found[2]
    return [json.loads(line) for line in found[1].splitlines()]


def bundle(node, *bodies, name="bundle.json"):
    path = node / name
    path.write_text(json.dumps({"type": "bundle", "objects": bodies}))
    return path


def test_a_partner_gets_what_was_released_and_nothing_else(call, node):
    assert rows(call("peer", "add", "Ally", "--tlp", "TLP:GREEN", "-o", "jsonl"))[0]["highest"] == "TLP:GREEN"
    assert call("peer", "group", "allies")[0] == 0
    assert call("peer", "join", "Ally", "allies")[0] == 0
    (made,) = rows(call("peer", "secret", "Ally", "-o", "jsonl"))
    assert made["bearer"] == f"swp_{made['user']}_{made['password']}"
    (partner,) = rows(call("peer", "list", "-o", "jsonl"))
    assert (partner["name"], partner["groups"], partner["ended"]) == ("Ally", ["allies"], "")
    green, amber = indicator(1, object_marking_refs=[GREEN]), indicator(2)
    red = indicator(3, object_marking_refs=[RED])
    path = bundle(node, green, amber, red)
    (taken,) = rows(call("share", "import", path, "--tlp", "TLP:AMBER", "--pap", "PAP:GREEN", "-o", "jsonl"))
    assert (taken["added"], taken["unmarked"], taken["refused"]) == (3, 1, 0)
    assert [row["marking"] for row in rows(call("share", "list", "-o", "jsonl"))] == [
        "TLP:GREEN",
        "TLP:AMBER",
        "TLP:RED",
    ]
    assert call("share", "collection", "High value", "--group", "allies", "--alias", "hv")[0] == 0
    code, out, err = call("share", "release", "hv", "--of", path, "--reason", "agreed", "-o", "jsonl")
    assert (code, json.loads(out)["added"], json.loads(out)["withheld"]) == (0, 2, 1)
    assert "TLP:RED" in err
    shown = rows(call("share", "preview", "Ally", "-o", "jsonl"))
    assert [(row["id"], row["goes"]) for row in shown] == [(green["id"], "yes"), (amber["id"], "no")]
    assert "TLP:AMBER, above TLP:GREEN" in shown[1]["why"]
    assert call("share", "preview", "Ally", "--bytes")[1].splitlines() == [json.dumps(green)]
    code, out, err = call("share", "withdraw", "hv", green["id"], "--reason", "wrong")
    assert (code, "no partner has fetched it" in err) == (0, True)
    assert [row["deed"] for row in rows(call("share", "decisions", "hv", "-o", "jsonl"))] == ["withdraw", "release"]
    assert call("peer", "leave", "Ally", "allies")[0] == 0
    assert {row["why"] for row in rows(call("share", "preview", "Ally", "-o", "jsonl"))} == {
        "the partner is not in the group that the collection is for"
    }
    assert call("peer", "revoke", made["id"])[0] == 0
    assert call("peer", "end", "Ally")[0] == 0


def test_what_is_wrong_with_a_file_is_told_and_the_rest_is_taken(call, node):
    path = bundle(node, indicator(1), {"type": "indicator", "id": "indicator--1"})
    code, _, err = call("share", "import", path)
    assert (code, "object 2" in err) == (1, True)
    path = bundle(node, indicator(1, name="otherwise"))
    code, _, err = call("share", "import", path)
    assert (code, "another content of the same version" in err) == (1, True)
    assert len(rows(call("share", "list", "--conflicts", "-o", "jsonl"))) == 2
    assert [json.loads(line) for line in call("share", "show", indicator(1)["id"])[1].splitlines()] == [
        indicator(1),
        indicator(1, name="otherwise"),
    ]
    (node / "old.xml").write_text("<stix:STIX_Package/>")
    code, _, err = call("share", "import", node / "old.xml")
    assert (code, "STIX 1.x" in err) == (4, True)
    assert call("share", "import", node / "nothing.json")[0] == 2


def test_what_names_another_object_stays_until_that_goes_too(call, node):
    relation = {
        "type": "relationship",
        "spec_version": "2.1",
        "id": "relationship--11111111-2222-4333-8444-555555555555",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "relationship_type": "related-to",
        "source_ref": indicator(1)["id"],
        "target_ref": indicator(2)["id"],
    }
    path = bundle(node, indicator(1), indicator(2), relation)
    call("share", "import", path, "--tlp", "TLP:GREEN", "--pap", "PAP:GREEN")
    call("peer", "group", "allies")
    call("share", "collection", "Things", "--group", "allies")
    release = ("share", "release", "Things", "--reason", "agreed", "-o", "jsonl")
    code, out, err = call(*release, indicator(1)["id"], relation["id"])
    assert (code, json.loads(out)["added"], json.loads(out)["withheld"]) == (0, 1, 1)
    assert "names an object that does not go" in err
    assert json.loads(call(*release, relation["id"], indicator(2)["id"])[1])["added"] == 2


def test_who_may_not_decide_releases_nothing(call, node, monkeypatch):
    call("share", "import", bundle(node, indicator(1)), "--tlp", "TLP:GREEN", "--pap", "PAP:GREEN")
    call("peer", "group", "allies")
    call("share", "collection", "Things", "--group", "allies")
    monkeypatch.setenv("SHIELDWALL_AS", "Mara")
    assert call("share", "release", "Things", indicator(1)["id"], "--reason", "x")[0] == 1
    assert call("share", "collection", "Mine", "--group", "allies")[0] == 1
    assert call("share", "collection", "Nobody")[0] == 2
    assert call("share", "release", "Things", "--reason", "x")[0] == 2
    assert call("share", "release", "Elsewhere", indicator(1)["id"], "--reason", "x")[0] == 1


def test_what_names_something_withdrawn_goes_along_and_narrowing_says_who_has_what(call, node):
    note = indicator(2, name=f"see {indicator(1)['id']}")
    call("share", "import", bundle(node, indicator(1), note), "--tlp", "TLP:GREEN", "--pap", "PAP:GREEN")
    call("peer", "add", "Ally", "--tlp", "TLP:AMBER")
    call("peer", "group", "allies")
    call("peer", "join", "Ally", "allies")
    call("share", "collection", "Things", "--group", "allies")
    call("share", "release", "Things", indicator(1)["id"], note["id"], "--reason", "agreed")
    code, _, err = call("share", "withdraw", "Things", indicator(1)["id"], "--reason", "wrong")
    assert (code, "1 more objects of the collection name it" in err, "--along" in err) == (1, True, True)
    code, _, err = call("share", "withdraw", "Things", indicator(1)["id"], "--reason", "wrong", "--along")
    assert (code, f"{note['id']} names it, and went as well" in err) == (0, True)
    assert rows(call("share", "change", "Things", "--tlp", "TLP:GREEN", "-o", "jsonl")) == []
    (found,) = rows(call("share", "collections", "-o", "jsonl"))
    assert found["highest"] == "TLP:GREEN"
    code, _, err = call("peer", "change", "Ally", "--tlp", "TLP:CLEAR")
    assert (code, "it has fetched nothing" in err) == (0, True)
    assert "it has fetched nothing" in call("peer", "leave", "Ally", "allies")[2]
    assert "it has fetched nothing" in call("peer", "end", "Ally")[2]


def test_a_source_is_pulled_until_somebody_ends_it(call, node):
    (node / "token").write_text("swp_x")
    url = "https://partner.example/allies/collections/c/"
    subscribe = ("share", "subscribe", url, "--token-file", node / "token", "--every", "5", "-o", "jsonl")
    (made,) = rows(call(*subscribe))
    assert (made["every"], made["tried"], made["problem"]) == ("5 min", "", "")
    (listed,) = rows(call("share", "sources", "-o", "jsonl"))
    assert listed == made
    assert "swp_x" not in call("share", "sources")[1]
    assert call("share", "unsubscribe", made["id"])[0] == 0
    assert rows(call("share", "sources", "-o", "jsonl"))[0]["ended"]
    assert call("share", "unsubscribe", made["id"])[0] == 1
    assert call("share", "subscribe", "https://partner.example/", "--every", "5")[0] == 2
    assert call("share", "subscribe", url, "--every", "0")[0] == 2
    (node / "ca.pem").write_text("no authority")
    assert call("share", "subscribe", url, "--ca", node / "ca.pem")[0] == 2
