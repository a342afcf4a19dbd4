"""A stop at any moment leaves the last commit, and the same build goes on from there; tests/faults has the longer forms."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chain_support import build_store, clone, extend, facts_of, fork, random_chain, write
from faults_support import stop_at

from shieldwall.chain.manifest import read_manifest
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import StoreError

BUILD = """
import sys
from pathlib import Path
from shieldwall.chain.build import BuildConfig, build
config = BuildConfig(batch_bytes=3000, commit_bytes=int(sys.argv[3]), engine="plain")
print("begun", flush=True)
build(Path(sys.argv[1]), [sys.argv[2]], config=config)
"""


class Stop(BaseException):
    """The machine stops here."""


def committed(folder: Path):
    """What the last commit says, checked; None when there is none yet."""
    if not (folder / "manifest.json").exists():
        return None
    with ChainStore.open(folder) as store:
        report = verify(store, source=True)
        assert report.passed, report
    return facts_of(folder)


def stop():
    raise Stop


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Sources for four builds one after the other: half a chain, the rest, a reorganisation, older blocks."""
    folder = tmp_path_factory.mktemp("scene")
    maker = random_chain(11, blocks=14)
    longer = clone(maker)
    other = fork(maker, 9, 1, 8)
    extend(longer, random.Random(1), 5)
    sources = [
        write(folder / "blk00000.dat", maker.blocks[4:8]),
        write(folder / "blk00001.dat", maker.blocks[8:]),
        write(folder / "blk00002.dat", other.blocks[10:]),
        write(folder / "blk00003.dat", maker.blocks[:4]),
    ]
    return folder, sources


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("commit", [1, 1 << 30])
def test_every_stop_leaves_a_commit_and_the_same_build_goes_on(tmp_path, scene, step, commit):
    _, sources = scene
    base = tmp_path / "base"
    for source in sources[:step]:
        build_store(base, source)
    after = shutil.copytree(base, tmp_path / "after") if step else tmp_path / "after"
    build_store(after, sources[step], batch=600, commit=commit)
    before, wanted = committed(base) if step else None, committed(after)
    assert wanted is not None
    number, stopped = 0, True
    seen = set()
    while stopped:
        folder = tmp_path / "c"
        shutil.rmtree(folder, ignore_errors=True)
        if step:
            shutil.copytree(base, folder)
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch.setattr, number, stop)
            try:
                build_store(folder, sources[step], batch=600, commit=commit)
                stopped = False
            except Stop:
                pass
        found = committed(folder)
        if commit > 1 and step != 2:  # a reorganisation commits its cut first
            assert found in (before, wanted)
        seen.add(None if found is None else found["digest"])
        build_store(folder, sources[step], batch=600, commit=commit)
        again = committed(folder)
        assert again == wanted
        left = {entry.name for entry in folder.iterdir()}
        assert left == {"manifest.json", "lock", *read_manifest(folder).folders}
        number += 1 if number < 12 or (commit > 1 and number < 40) else 11
    assert number > 12
    assert len(seen) >= 2


def kill_and_resume(folder: Path, source: Path, wanted, delay: float, commit: int) -> bool:
    """Kill a build so many seconds after it began; True when it had ended before."""
    words = [sys.executable, "-c", BUILD, str(folder), str(source), str(commit)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    committed(folder)
    build_store(folder, source, batch=3000)
    assert facts_of(folder) == wanted
    return process.returncode == 0


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A source, what its store says, and the seconds that a build takes by the size of a commit."""
    folder = tmp_path_factory.mktemp("large")
    source = write(folder / "blk00000.dat", random_chain(3, blocks=150, transactions=5).blocks)
    build_store(folder / "c", source)
    seconds = {}
    for commit in (1, 9000):
        begin = time.perf_counter()
        build_store(folder / str(commit), source, batch=3000, commit=commit)
        seconds[commit] = time.perf_counter() - begin
    return source, facts_of(folder / "c"), seconds


def test_a_killed_build_goes_on(tmp_path, large):
    source, wanted, seconds = large
    draw = random.Random(7)
    ended = []
    for number in range(4):
        commit = draw.choice((1, 9000))
        delay = draw.random() * seconds[commit]
        ended.append(kill_and_resume(tmp_path / str(number), source, wanted, delay, commit))
    assert not all(ended)


def test_a_full_disk_is_our_error_and_leaves_the_commit(tmp_path, scene, monkeypatch):
    _, sources = scene
    build_store(tmp_path / "c", sources[0])
    before = committed(tmp_path / "c")

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            build_store(tmp_path / "c", sources[1])
    assert committed(tmp_path / "c") == before


def test_no_memory_is_our_error(tmp_path, scene, monkeypatch):
    from shieldwall.chain import batch

    def too_much(**_fields):
        raise MemoryError

    monkeypatch.setattr(batch, "Batch", too_much)
    with pytest.raises(StoreError, match="memory"):
        build_store(tmp_path / "c", scene[1][0])
