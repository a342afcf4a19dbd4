"""`node check` names what is wrong, whatever it is, and looks at the rest all the same."""

from __future__ import annotations

import shutil

import pytest
from home_support import KEY, OPERATOR, OTHER, START, Hand, act, made, opened
from sqlalchemy import delete, update

from shieldwall.node import check as check_module
from shieldwall.node.check import check_home
from shieldwall.store.schema import audit_leaves


@pytest.fixture
def path(tmp_path):
    with made(tmp_path / "node") as home:
        act(home, 3)
        home.witness.sign(OPERATOR)
    return tmp_path / "node"


def looked_at(path, key=KEY, clock=None):
    return check_home(path, lambda: key, identity=OPERATOR, clock=clock or Hand(START + 10_000_000))


def wrong(path, **options):
    return {result.name: " ".join(result.wrong) for result in looked_at(path, **options) if result.wrong}


def test_a_sound_node_is_good(path):
    results = looked_at(path)
    assert {result.name for result in results if not result.passed} == set()
    assert len(results) == 11


def test_files_that_others_may_use_or_that_are_missing(path):
    (path / "node.db").chmod(0o644)
    assert "node.db: others" in wrong(path)["folder and files"]
    (path / "node.db").chmod(0o600)
    text = (path / "node.toml").read_text(encoding="utf-8")
    (path / "node.toml").write_text(
        'tls_certificate = "c.pem"\ntls_key = "k.pem"\nchain = "chain"\n' + text, encoding="utf-8"
    )
    (path / "k.pem").touch(mode=0o644)
    (path / "audit-roots.jsonl").chmod(0o622)
    told = wrong(path)["folder and files"]
    for words in ("c.pem is missing", "k.pem: everyone may read it", "chain is missing", "roots.jsonl: others"):
        assert words in told


def test_a_wrong_key_or_clock(path):
    results = {result.name: result for result in looked_at(path, key=OTHER)}
    assert "does not open" in results["key and database"].wrong[0]
    assert results["audit log"].wrong is None
    assert list(wrong(path, clock=Hand(START - 10**9))) == ["clock"]


def test_a_broken_setting_is_told_and_nothing_else_is_looked_at(path):
    (path / "node.toml").write_text("colour = 1", encoding="utf-8")
    assert list(wrong(path)) == ["settings"]


def test_an_edited_log_is_named_by_its_leaf(path):
    with opened(path) as home, home.store._writing() as connection:
        connection.execute(update(audit_leaves).where(audit_leaves.c.number == 2).values(at=5))
    told = wrong(path)
    assert list(told) == ["audit log"]
    assert told["audit log"].startswith("leaf 2: edited")
    with opened(path) as home, home.store._writing() as connection:
        connection.execute(delete(audit_leaves).where(audit_leaves.c.number == 3))
    assert "leaf 3: removed" in wrong(path)["audit log"]


def test_an_older_copy_is_named(path):
    shutil.copy(path / "node.db", path / "kept")
    with opened(path) as home:
        act(home, 2)
        home.witness.sign(OPERATOR)
    for name in ("node.db-wal", "node.db-shm"):
        (path / name).unlink(missing_ok=True)
    shutil.move(path / "kept", path / "node.db")
    (path / "node.db").chmod(0o600)
    told = wrong(path)
    assert "older copy" in told["newest exported root"]
    assert "older copy" in told["audit log"]


def test_little_space_is_told(path, monkeypatch):
    monkeypatch.setattr(check_module, "LEAST_FREE", 1 << 62)
    assert "are free" in wrong(path)["free space"]
