"""A day at a new node, in real processes: made, signed in to, fed, asked, watched, audited, backed up and restored elsewhere."""

from __future__ import annotations

import contextlib

import pytest
from passkey_support import Authenticator
from served_support import COMMAND, Operator, free_port, said, until

from shieldwall.client import NodeClient
from shieldwall.client.shapes import HandlingAsked
from shieldwall.errors import ConfirmFirst, NotAllowed, NotFound
from shieldwall.playbooks.exercise import make_exercise

pytestmark = pytest.mark.full

HELD_BACK = 20  # blocks that come later: the last movements of the ransom


@pytest.fixture(scope="module")
def exercise():
    return make_exercise()


@pytest.fixture
def operator(tmp_path, exercise):
    """A node in a new folder, whose chain store may be built from a folder of block files; and its first link."""
    sources = tmp_path / "sources"
    sources.mkdir()
    blocks = exercise.maker.block_file(range(len(exercise.maker.blocks) - HELD_BACK))
    (sources / "blk00000.dat").write_bytes(blocks)
    node = Operator(tmp_path / "node", tmp_path / "node.key", free_port())
    words = ["init", str(node.folder), "--key-file", str(node.key), "--port", str(node.port)]
    made = said([*COMMAND, "node", *words, "--chain", str(tmp_path / "chain"), "-o", "json"])
    settings = node.folder / "node.toml"
    text = settings.read_text(encoding="utf-8").replace("# sources = []", f'sources = ["{sources}"]')
    settings.write_text(text, encoding="utf-8")
    return node, made["sign_in"].partition("#")[2]


@pytest.fixture
def clients():
    """Clients of nodes, which hang up at the end."""
    with contextlib.ExitStack() as opened:
        yield lambda node: opened.enter_context(NodeClient(node.url))


def enter(clients, node, secret):
    """Someone who has just made their passkey by a link, signed in; and the passkey."""
    authenticator = Authenticator(origin=node.url)
    client = clients(node)
    client.register(secret, authenticator.register)
    client.sign_in(authenticator.sign_in)
    return client, authenticator


def invited(clients, node, administrator, name, roles, highest="TLP:AMBER"):
    person = administrator.add_person(name=name, roles=roles, highest=highest)
    link = administrator.invite_person(person.id)
    return enter(clients, node, link.url.partition("#")[2])


def done(client, job):
    ended = client.wait_for_job(job.id)
    assert ended.state == "done", ended
    return ended.outcome


def test_a_day_at_a_new_node(operator, clients, exercise, root, tmp_path):
    node, secret = operator
    pack = root / "src/shieldwall/playbooks/data/exercise/northwind.yaml"
    blocks = exercise.maker.block_file()
    with node.served():
        administrator, _ = enter(clients, node, secret)
        with pytest.raises(NotAllowed):
            administrator.find_claims()  # whoever runs the node does not read its cases
        mara, key = invited(clients, node, administrator, "Mara", ["analyst"])
        otto, _ = invited(clients, node, administrator, "Otto", ["auditor"])

        taken = mara.import_tags(
            content=pack.read_bytes(), file="northwind.yaml", network="regtest", marking="TLP:GREEN"
        )
        assert [found.tags for found in taken.sets] == [2]
        source = str(tmp_path / "sources" / "blk00000.dat")
        handling = HandlingAsked(marking="TLP:GREEN", pap="PAP:GREEN")
        done(mara, mara.add_job(kind="chain.build", params={"sources": [source]}, handling=handling))
        known = mara.show_address(exercise.ransom_address).known
        assert [tag["label"] for tag in known.tags] == ["Northwind ransom address (exercise)"]

        asked = mara.ask_trace(targets=[exercise.ransom_address], handling=handling)
        outcome = done(mara, asked)
        saved = mara.show_trace(outcome["file"])
        assert saved.result["digest"] == outcome["digest"]
        assert "Meridian Exchange" in saved.result["sentence"]
        assert b"<svg" in mara.draw_trace(outcome["file"])[:200]

        watch = mara.add_watch(kind="address", target=exercise.deposit_address, handling=handling, note="the deposit")
        assert mara.list_alarms().unanswered == 0
        (tmp_path / "sources" / "blk00000.dat").write_bytes(blocks)
        done(mara, mara.add_job(kind="chain.build", params={"sources": [source]}, handling=handling))
        alarms = until(lambda: mara.list_alarms(watch=watch.id).alarms)
        assert all(alarm.event["amount"] > 0 for alarm in alarms)
        for alarm in alarms:
            mara.answer_alarm(alarm.id)
        assert mara.list_alarms().unanswered == 0

        case = mara.add_case(title="Northwind", marking="TLP:AMBER")
        assert [hit.title for hit in mara.search(q="northwind").hits if hit.kind == "case"] == ["Northwind"]
        with pytest.raises(NotAllowed):
            otto.show_case(case.id)
        leaves = list(otto.every_leaf())
        verbs = {leaf.entry["verb"] for leaf in leaves}
        assert {
            "node.init",
            "session.begin",
            "tagset.import",
            "trace.ask" if "trace.ask" in verbs else "job.add",
        } <= verbs
        assert not any(exercise.ransom_address in str(leaf.entry) for leaf in leaves)
        assert otto.verify_audit().problems == ()
        token = mara.issue_token(name="desk script", scopes=["read"], highest="TLP:GREEN")
        with NodeClient(node.url, token=token.token) as script:
            assert script.show_address(exercise.deposit_address).received > 0
            with pytest.raises(NotFound):
                script.show_case(case.id)
        with pytest.raises((ConfirmFirst, NotAllowed)):
            mara.add_person(name="Nobody", roles=["viewer"])
        backup = tmp_path / "node.backup"
        node.run("backup", str(backup))
    assert node.run("audit", "verify")["findings"] == []
    assert all(row["result"] == "good" for row in node.run("check"))

    other = Operator(tmp_path / "other", node.key, node.port)
    restore = [*COMMAND, "node", "restore", str(backup), str(other.folder), "--key-file", str(node.key), "-o", "json"]
    said(restore)
    assert all(row["result"] == "good" for row in other.run("check"))
    text = (other.folder / "node.toml").read_text(encoding="utf-8")
    (other.folder / "node.toml").write_text(f'chain = "{tmp_path / "chain"}"\n' + text, "utf-8")
    with other.served():
        again = clients(node)
        again.sign_in(key.sign_in)
        assert again.show_trace(outcome["file"]).result == saved.result
        assert again.show_case(case.id).title == "Northwind"
        assert len(again.list_alarms().alarms) == len(alarms)
