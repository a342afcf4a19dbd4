"""A disk that is full, and a store that may not be written: our error, the last commit stands, and reading goes on."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from chain_support import build_store, facts_of, random_chain, write
from faults_support import EPOCH, content_of

from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadInput, StoreError

NOBODY = 65534
PAGE = 4096
is_root = os.geteuid() == 0


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Two sources, the store of the first, that of both, and the parcels of that."""
    folder = tmp_path_factory.mktemp("disk")
    maker = random_chain(61, blocks=120)
    sources = [write(folder / "blk00000.dat", maker.blocks[:40]), write(folder / "blk00001.dat", maker.blocks[40:])]
    build_store(folder / "half", sources[0], epoch_transactions=EPOCH)
    shutil.copytree(folder / "half", folder / "whole")
    build_store(folder / "whole", sources[1], epoch_transactions=EPOCH)
    with ChainStore.open(folder / "whole") as store:
        export_parcels(store, folder / "parcels")
    return folder, sources


@contextmanager
def mounted(folder, size):
    """A small file system at `folder`."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes=0", "tmpfs", str(folder)]
    if not is_root or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs the administrator's rights, and a container that lets it")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("commit", [1, 1 << 30])
def test_a_disk_that_fills_up_leaves_a_commit_and_the_build_goes_on(tmp_path, scene, commit):
    """At one size after the other, until the store fits."""
    folder, sources = scene
    wanted = content_of(folder / "whole")
    used = sum(-(-path.stat().st_size // PAGE) * PAGE for path in (folder / "half").rglob("*") if path.is_file())
    target = tmp_path / "disk"
    faults = []
    for spare in range(PAGE, 100 * PAGE, 5 * PAGE):
        with mounted(target, used + spare):
            shutil.copytree(folder / "half", target / "c")
            try:
                build_store(target / "c", sources[1], batch=3000, commit=commit)
                break
            except StoreError as error:
                faults.append(error)
            found = content_of(target / "c")
            assert found.blocks == wanted.blocks[: len(found.blocks)]
            assert len(found.blocks) >= 40
            subprocess.run(["mount", "-o", "remount,size=64m", str(target)], check=True)
            build_store(target / "c", sources[1], batch=3000, commit=commit)  # the error is still held: no lock must be
            assert content_of(target / "c") == wanted
    assert len(faults) > 4
    for fault in faults:
        assert "No space left on device" in fault.message
        assert "make room" in fault.hint
        assert fault.exit_code == 4


def limited(size, words):
    """Run Shieldwall with files limited to `size` bytes, which fails a write as a full disk does."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-m", "shieldwall", "chain", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "SHIELDWALL_ENGINE": "plain"},
    )


@pytest.mark.parametrize("size", [500, 4000, 20_000])
def test_a_file_that_may_not_grow_is_named_by_the_command(tmp_path, scene, size):
    folder, sources = scene
    shutil.copytree(folder / "half", tmp_path / "c")
    done = limited(size, ["build", sources[1], "--chain", tmp_path / "c"])
    assert done.returncode == 4, done.stderr
    assert "File too large" in done.stderr
    assert "the last committed state is intact" in done.stderr
    assert "Traceback" not in done.stderr
    assert content_of(tmp_path / "c") == content_of(folder / "half")
    build_store(tmp_path / "c", sources[1])
    assert content_of(tmp_path / "c") == content_of(folder / "whole")


def test_an_import_onto_a_full_disk(tmp_path, scene):
    folder, _ = scene
    done = limited(20_000, ["import", folder / "parcels", "--chain", tmp_path / "m"])
    assert done.returncode == 4, done.stderr
    assert "File too large" in done.stderr
    assert "the last committed state is intact" in done.stderr
    if (tmp_path / "m" / "manifest.json").exists():
        assert content_of(tmp_path / "m").epochs
    import_parcels(tmp_path / "m", [str(folder / "parcels")], engine="plain")
    assert content_of(tmp_path / "m").epochs == content_of(folder / "whole").epochs


def test_an_export_onto_a_full_disk_leaves_whole_parcels_only(tmp_path, scene):
    folder, _ = scene
    done = limited(1000, ["export", tmp_path / "p", "--chain", folder / "whole"])
    assert done.returncode == 4
    assert "File too large" in done.stderr
    assert not list((tmp_path / "p").glob("*.parcel"))
    with ChainStore.open(folder / "whole") as store:
        export_parcels(store, tmp_path / "p")
    assert {path.suffix for path in (tmp_path / "p").iterdir()} == {".parcel"}


@contextmanager
def as_nobody():
    """Without the administrator's rights, where this process has them."""
    if not is_root:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def read_only(tmp_path, scene):
    """A store that nobody may write, in a folder that everybody may enter."""
    folder, _ = scene
    top = tmp_path
    while is_root and top.owner() == "root" and top != top.parent and not top.stat().st_mode & 0o001:
        top.chmod(0o755)
        top = top.parent
    shutil.copytree(folder / "whole", tmp_path / "c")
    for path in [tmp_path / "c", *(tmp_path / "c").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield tmp_path / "c"
    for path in [tmp_path / "c", *(tmp_path / "c").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_store_that_may_not_be_written_is_read_and_not_built(tmp_path, scene, read_only):
    folder, sources = scene
    public = tmp_path / "blk00001.dat"
    shutil.copy(sources[1], public)
    public.chmod(0o644)
    parcels = shutil.copytree(folder / "parcels", tmp_path / "parcels")
    parcels.chmod(0o755)
    (folder / "parcels").chmod(0o700)
    wanted = facts_of(folder / "whole")
    with as_nobody():
        assert facts_of(read_only) == wanted
        with ChainStore.open(read_only) as store:
            assert verify(store, source=True).passed
            assert store.find_transaction(store.column("tx_txid")[3].tobytes()) == 3
        with pytest.raises(StoreError, match=r"lock: Permission denied") as caught:
            build_store(read_only, public)
        assert "give permission" in caught.value.hint
        with pytest.raises(StoreError, match=r"lock: Permission denied"):
            import_parcels(read_only, [str(parcels)])
        with pytest.raises(BadInput, match="Permission denied"):  # as that folder is
            import_parcels(read_only, [str(folder / "parcels")])
    assert facts_of(read_only) == wanted


def test_files_that_may_not_be_written_in_a_folder_that_may(tmp_path, scene, read_only):
    _, sources = scene
    public = tmp_path / "blk00001.dat"
    shutil.copy(sources[0], public)
    public.chmod(0o644)
    for path in [read_only, read_only / "lock", *(path for path in read_only.iterdir() if path.is_dir())]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    maker = random_chain(61, blocks=120)
    maker.mine(next(iter(maker.unspent.values())).script)
    write(public, maker.blocks[-1:])
    before = facts_of(read_only)
    with as_nobody(), pytest.raises(StoreError, match=r"\.bin: Permission denied"):
        build_store(read_only, public)
    assert facts_of(read_only) == before


def test_a_source_that_may_not_be_read_is_named(tmp_path, scene):
    _, sources = scene
    secret = tmp_path / "blk00000.dat"
    shutil.copy(sources[0], secret)
    secret.chmod(0)
    tmp_path.chmod(0o777)
    with as_nobody(), pytest.raises(BadInput, match=r"blk00000\.dat: Permission denied"):
        build_store(tmp_path / "c", secret)


@pytest.mark.parametrize("where", ["c", "c/columns-1", "c/manifest.json"])
def test_what_is_no_folder_or_no_file(tmp_path, scene, where):
    """A file where a folder belongs, and the other way round."""
    _, sources = scene
    place = tmp_path / where
    place.parent.mkdir(exist_ok=True)
    if where.endswith("json"):
        place.mkdir()
    else:
        place.write_text("")
    with pytest.raises(StoreError):
        build_store(tmp_path / "c", sources[0])
