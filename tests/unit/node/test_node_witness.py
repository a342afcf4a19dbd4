"""Signed roots: exported and synced, held against the log at every start, and what is refused until someone says why."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from home_support import OPERATOR, START, act, made, opened
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from shieldwall.errors import StoreError, Tampered, UsageError
from shieldwall.node.auditing import verify_log
from shieldwall.node.exported import Exported, SignedRoot
from shieldwall.node.identity import rotate_keys
from shieldwall.node.witness import Due
from shieldwall.store.schema import audit_leaves


@pytest.fixture
def path(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    made(tmp_path / "node", audit_roots=str(tmp_path / "elsewhere" / "roots.jsonl")).close()
    return tmp_path / "node"


def test_a_root_is_exported_once_for_a_state_of_the_log(path):
    with opened(path) as home:
        before = home.exported.lines()
        assert home.witness.sign(OPERATOR) == before[-1]
        act(home)
        line = home.witness.sign(OPERATOR)
        assert [*before, line] == home.exported.lines()
        assert line.size == home.store.audit_size()
        assert SignedRoot.from_line(line.to_line(), "here") == line
        with home.store.inside(OPERATOR) as work:
            assert [root.size for root in work.audit.roots()] == [entry.size for entry in home.exported.lines()]
    assert home.exported.path.parent.name == "elsewhere"
    assert home.exported.path.stat().st_mode & 0o077 == 0


def test_a_root_is_due_after_leaves_or_time(path):
    with opened(path) as home:
        witness = home.witness
        assert witness.sign_if_due(OPERATOR) is None  # nothing happened
        act(home)
        assert witness.sign_if_due(OPERATOR) is None  # so little, so recently
        home.store.clock.at += 16 * 60_000_000
        assert witness.sign_if_due(OPERATOR) is not None
        few = replace(witness, due=Due(leaves=5))
        act(home, 4)
        assert few.sign_if_due(OPERATOR) is None
        act(home)
        assert few.sign_if_due(OPERATOR) is not None
    last = home.exported.last()
    assert Due().is_due(5, START, None)
    assert Due().is_due(0, START, last)  # the log is shorter: `sign` says what that is


def test_an_older_copy_of_the_database_does_not_start(path):
    shutil.copytree(path, path.with_name("yesterday"))
    with opened(path) as home:
        act(home, 3)
        home.witness.sign(OPERATOR)
    shutil.rmtree(path)
    path.with_name("yesterday").rename(path)
    with pytest.raises(Tampered, match=r"leaves 2 to 4 are missing; this is an older copy"):
        opened(path)
    with opened(path, checked=False) as home:
        with pytest.raises(Tampered, match="older copy"):
            home.witness.sign(OPERATOR)
        with pytest.raises(UsageError):
            home.witness.accept(OPERATOR, "  ")
        home.witness.accept(OPERATOR, "the disk broke,\nand this is all there is")
    with opened(path) as home:  # it starts again, and says why for good
        found = verify_log(home.store, OPERATOR, home.keys.identity, home.exported)
        assert found.findings == ()
        assert "the disk broke, and this is all there is" in found.accepted[0]
        with home.store.inside(OPERATOR) as work:
            assert [leaf.entry["verb"] for leaf in work.audit.leaves()][-1] == "audit.accept"


def test_an_older_copy_that_grew_is_found_as_well(path):
    shutil.copytree(path, path.with_name("yesterday"))
    with opened(path) as home:
        act(home, 3)
        home.witness.sign(OPERATOR)
    shutil.rmtree(path)
    path.with_name("yesterday").rename(path)
    with opened(path, checked=False) as home:
        act(home, 9)
    with pytest.raises(Tampered, match="written anew"):
        opened(path)


def test_a_log_that_is_cut_or_edited_at_its_end_does_not_start(path):
    with opened(path) as home:
        act(home, 3)
        with home.store._writing() as connection:
            connection.execute(delete(audit_leaves).where(audit_leaves.c.number == home.store.audit_size() - 1))
    with pytest.raises(Tampered, match="head says"):
        opened(path)


def test_a_signed_leaf_that_is_edited_does_not_start(path):
    with opened(path) as home, home.store._writing() as connection:
        connection.execute(update(audit_leaves).where(audit_leaves.c.number == 1).values(root=bytes(32)))
    with pytest.raises(Tampered, match="written anew"):
        opened(path)


def test_exported_roots_that_are_gone_or_of_another_node(path, tmp_path):
    roots = tmp_path / "elsewhere" / "roots.jsonl"
    text = roots.read_bytes()
    roots.unlink()
    with pytest.raises(Tampered, match="gone"):
        opened(path)
    with made(tmp_path / "other") as other:
        roots.write_bytes(other.exported.path.read_bytes())
    with pytest.raises(Tampered, match="another node"):
        opened(path)
    body = json.loads(text.splitlines()[0])
    roots.write_text(json.dumps(body | {"root": "00" * 32}) + "\n", encoding="utf-8")
    with pytest.raises(Tampered, match="last line: a signature"):
        opened(path)
    roots.write_bytes(b"no root\n")
    with pytest.raises(Tampered, match="no signed root"):
        opened(path)
    roots.write_bytes(text)
    opened(path).close()


def test_a_line_that_was_not_finished_is_taken_away(path):
    with opened(path) as home:
        act(home)
        whole = home.exported.path.read_bytes()
        home.exported.path.write_bytes(whole + home.witness.sign(OPERATOR).to_line()[:50])
    with opened(path) as home:
        assert home.exported.path.read_bytes()[: len(whole)] == whole
        home.witness.sign(OPERATOR)
        assert [line.size for line in home.exported.lines()][-1] == home.store.audit_size()


def test_roots_that_cannot_be_exported_are_no_roots(path, tmp_path):
    with opened(path) as home:
        act(home)
        shutil.rmtree(tmp_path / "elsewhere")
        with pytest.raises(StoreError, match="cannot be kept there"):
            home.witness.sign(OPERATOR)


def test_keys_rotated_by_another_process_sign_from_then_on(path):
    with opened(path) as serving, opened(path) as command:
        rotate_keys(command.store, OPERATOR, command.keys)
        act(serving)
        line = serving.witness.sign(OPERATOR)  # its own keys are the old ones
        assert line.envelope["key"] != serving.keys.public.id
    with opened(path) as home:
        assert verify_log(home.store, OPERATOR, home.keys.identity, home.exported).findings == ()


@given(st.binary(max_size=300))
def test_no_line_breaks_the_reader(raw):
    with pytest.raises(Tampered):
        SignedRoot.from_line(raw, "here")


def test_the_end_of_a_large_file_without_lines_is_refused(tmp_path):
    path = tmp_path / "roots"
    path.write_bytes(b"x" * (1 << 19))
    with pytest.raises(Tampered):
        Exported(path).last()
    assert Exported(tmp_path / "none").last() is None
    assert Exported(tmp_path / "none").lines() == []
