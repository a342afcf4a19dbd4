"""A node whose disk is full, read-only, damaged or put back: refused with a clear word, or found, and never half done."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys

import pytest
from home_support import KEY, OPERATOR, START, Hand, act, made, opened

from shieldwall.errors import AuditFailed, ShieldwallError, StoreError, Tampered
from shieldwall.node.auditing import verify_log
from shieldwall.node.backup import write_backup
from shieldwall.node.check import check_home
from shieldwall.node.home import read_slots

LATER = START + 3_600_000_000


@pytest.fixture
def path(tmp_path):
    with made(tmp_path / "node") as home:
        act(home, 5)
        home.witness.sign(OPERATOR)
    return tmp_path / "node"


@contextlib.contextmanager
def full(size):
    """A disk on which no file grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_acts_and_loses_none(path):
    with opened(path, Hand(LATER)) as home:
        with full(200_000), pytest.raises((AuditFailed, StoreError), match="next:"):
            act(home, 10_000)
        with home.store.inside(OPERATOR) as work:
            done = [leaf.entry["detail"]["number"] for leaf in work.audit.leaves() if leaf.entry["verb"] == "test.act"]
        assert done[5:] == list(range(len(done) - 5))
        assert 10 < len(done) < 9_000
        act(home)  # and goes on when there is space again
        assert verify_log(home.store, OPERATOR, home.keys.identity, home.exported).findings == ()


def test_a_full_disk_gives_no_answer_and_no_half_backup(path, tmp_path):
    with opened(path, Hand(LATER)) as home:
        act(home, 300)
        with full(4096), pytest.raises(ShieldwallError):
            write_backup(home, tmp_path / "backup", OPERATOR)
        assert [file.name for file in tmp_path.iterdir()] == ["node"]
        with full(1000):
            with pytest.raises(StoreError), home.store.look(OPERATOR, "test.look"):
                pass
            with pytest.raises(StoreError):
                home.witness.sign(OPERATOR)
        home.witness.sign(OPERATOR)
    opened(path, Hand(LATER)).close()


def without_rights(*words):
    """A command that a superuser's rights do not help."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    return [*(drop if os.getuid() == 0 else []), *words]


@pytest.mark.skipif(os.getuid() == 0 and shutil.which("setpriv") is None, reason="a superuser may write everywhere")
@pytest.mark.parametrize("command", ["status", "check"])
def test_a_read_only_folder_is_said_to_be(path, tmp_path, command):
    key = tmp_path / "key"
    key.write_text(KEY.key.hex(), encoding="utf-8")
    key.chmod(0o600)
    for file in path.iterdir():
        file.chmod(0o400)
    path.chmod(0o500)
    words = [sys.executable, "-m", "shieldwall", "node", command, "--node", path, "--key-file", key, "-o", "json"]
    done = subprocess.run(without_rights(*map(str, words)), check=False, capture_output=True, text=True)
    path.chmod(0o700)
    assert done.returncode == (4 if command == "status" else 1), done.stderr
    assert "Traceback" not in done.stderr
    assert "readonly" in done.stdout + done.stderr or "cannot be" in done.stdout + done.stderr


def copied(path, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(path, target)
    return target


def flip(file, place):
    raw = bytearray(file.read_bytes())
    raw[place] ^= 0x10
    file.write_bytes(raw)


def is_found(path):
    """Whether a node refuses to open, or its check names something."""
    results = check_home(path, lambda: KEY, identity=OPERATOR, clock=Hand(LATER))
    return not all(result.passed for result in results)


def flipped_database(path, tmp_path, places):
    for place in places:
        node = copied(path, tmp_path / "copy")
        flip(node / "node.db", place)
        assert is_found(node), place


def test_a_flipped_byte_of_the_database_is_found(path, tmp_path):
    size = (path / "node.db").stat().st_size
    flipped_database(path, tmp_path, [0, 17, 100, 4095, 4096, *range(5000, size, size // 12), size - 1])


@pytest.mark.full
def test_a_flipped_byte_of_any_page_is_found(path, tmp_path):
    size = (path / "node.db").stat().st_size
    flipped_database(path, tmp_path, [place + place // 4096 % 4096 for place in range(0, size - 4096, 2048)])


def test_a_flipped_byte_of_the_keys_opens_nothing_else(path):
    raw = (path / "keys.json").read_bytes()
    master = read_slots(path).unlock(KEY)
    for place in range(len(raw)):
        flip(path / "keys.json", place)
        with contextlib.suppress(ShieldwallError):
            assert read_slots(path).unlock(KEY) == master  # a name or a date, which guard nothing
        (path / "keys.json").write_bytes(raw)


def test_commits_that_are_lost_with_the_log_of_sqlite_are_found(path, tmp_path):
    """A damaged write-ahead log is cut at the damage, as after a loss of power: what a root was exported of is missed."""
    with opened(path, Hand(LATER)) as home:
        act(home, 20)
        home.witness.sign(OPERATOR)
        exported = home.exported.last().size
        copied(path, tmp_path / "kept")  # as a kill leaves it: the last commits stand in the write-ahead log alone
    size = (tmp_path / "kept" / "node.db-wal").stat().st_size
    assert size > 20_000
    lost = 0
    for place in (0, 20, 40, *range(100, size, size // 15)):
        node = copied(tmp_path / "kept", tmp_path / "copy")
        (node / "node.db-shm").unlink()
        flip(node / "node.db-wal", place)
        try:
            with opened(node, Hand(LATER)) as home:
                assert home.store.audit_size() >= exported, place
        except Tampered:
            lost += 1
    assert lost > 5


def test_a_wal_of_another_moment_is_found(path, tmp_path):
    with opened(path, Hand(LATER)) as home:
        act(home, 3)
        copied(path, tmp_path / "before")
        act(home, 30)
        home.witness.sign(OPERATOR)
    for name in ("node.db", "node.db-wal"):
        node = copied(path, tmp_path / "copy")
        shutil.copy(tmp_path / "before" / name, node / name)
        assert is_found(node), name
