"""A source that changes while it is read: refused by name and place, and nothing of it is committed."""

import os
import random

import pytest
from chain_support import build_store, clone, extend, facts_of, outputs_of, random_chain, rev_file, write
from faults_support import EPOCH, content_of

from shieldwall.chain import build as building
from shieldwall.chain.openfiles import KEY_FILE
from shieldwall.chain.readers import blockfiles
from shieldwall.chain.regtest import frame
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadInput, ShieldwallError, StoreError


@pytest.fixture(scope="module")
def maker():
    return random_chain(71, blocks=30)


@pytest.fixture
def base(tmp_path, maker):
    """A store of the first blocks, and the source of the rest."""
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks[:10]), epoch_transactions=EPOCH)
    return tmp_path / "c", write(tmp_path / "blk00001.dat", maker.blocks[10:])


def after_survey(monkeypatch, change):
    """Do `change` once, when every source has been surveyed and before the first block is loaded."""
    real = building.make_plan

    def planning(*words, **named):
        plan = real(*words, **named)
        change()
        return plan

    monkeypatch.setattr(building, "make_plan", planning)


def while_loading(change, at=1):
    """A progress that does `change` when the `at`-th batch has been written."""
    seen = []

    def progress(stage, _done, _total):
        if stage == "building":
            seen.append(stage)
            if len(seen) == at:
                change()

    return progress


def refused(folder, source, named=None, **more):
    """The error of a build from `source`, which leaves the store as it was."""
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ShieldwallError) as caught:
        build_store(folder, source, **more)
    assert isinstance(caught.value, BadInput), caught.value
    assert caught.value.exit_code == 4
    assert str(named or source) in caught.value.message
    assert (folder / "manifest.json").read_bytes() == before
    assert content_of(folder) is not None
    return caught.value


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("keep", [0, 88, 89, 100, 0.5, -1])  # 89: header and count are there
def test_a_block_file_cut_after_it_was_surveyed(monkeypatch, base, keep, threads):
    folder, source = base
    whole = source.stat().st_size
    size = whole + keep if keep < 0 else int(whole * keep) if keep < 1 else keep
    after_survey(monkeypatch, lambda: os.truncate(source, size))
    error = refused(folder, source, threads=threads)
    assert "offset" in error.message


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_block_file_overwritten_after_it_was_surveyed(monkeypatch, base, maker, engine):
    folder, source = base
    other = write(source.with_name("other"), random_chain(5, blocks=40).blocks).read_bytes()

    def overwrite():
        with source.open("r+b") as file:
            file.write(other)

    after_survey(monkeypatch, overwrite)
    assert "changed while it was read" in refused(folder, source, engine=engine).message


def test_single_bytes_of_a_block_file_changed_after_it_was_surveyed(monkeypatch, base):
    folder, source = base
    whole = source.read_bytes()
    draw = random.Random(4)
    for _ in range(40):
        place = draw.randrange(100, len(whole))

        def change(place=place):
            data = bytearray(whole)
            data[place] ^= 1 << draw.randrange(8)
            with source.open("r+b") as file:
                file.write(data)

        source.write_bytes(whole)
        with monkeypatch.context() as patch:
            after_survey(patch, change)
            before = (folder / "manifest.json").read_bytes()
            words = ""
            try:
                build_store(folder, source)
            except BadInput as error:
                words = error.message
            if words:
                assert str(source) in words
                assert (folder / "manifest.json").read_bytes() == before
            else:  # a frame's magic or size, or a witness, which no txid covers: the blocks are those of the chain
                assert content_of(folder) is not None
                break


def test_a_block_file_put_in_anothers_place_after_it_was_surveyed(monkeypatch, base, maker):
    """The file that was opened is read on; what it held is what is committed."""
    folder, source = base

    def replace():
        other = write(source.with_name("other"), random_chain(5, blocks=40).blocks)
        other.replace(source)

    after_survey(monkeypatch, replace)
    build_store(folder, source)
    assert len(content_of(folder).blocks) == len(maker.blocks)


def test_a_block_file_that_vanishes_is_named_or_read_on(monkeypatch, base):
    """An open file is read to its end; one that had to be closed between, since too many are, is named."""
    folder, source = base
    after_survey(monkeypatch, source.unlink)
    monkeypatch.setattr("shieldwall.chain.openfiles._MOST_OPEN", 1)
    other = source.with_name("blk00002.dat")
    other.write_bytes(bytes(100))
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(BadInput, match=r"blk00001\.dat: No such file"):
        build_store(folder, source, other)
    assert (folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("commit", [1, 1 << 30])
def test_a_block_file_cut_while_it_is_loaded_keeps_what_was_committed(monkeypatch, base, maker, commit):
    """A commit on the way is a beginning of the chain; the rest goes on when the file is whole again."""
    folder, source = base
    whole = source.read_bytes()
    monkeypatch.setattr(blockfiles, "_TOGETHER", 1)  # read block by block
    progress = while_loading(lambda: os.truncate(source, len(whole) // 2))
    with pytest.raises(BadInput, match=r"blk00001\.dat, offset \d+"):
        build_store(folder, source, batch=600, commit=commit, progress=progress)
    found = content_of(folder)
    assert len(found.blocks) >= 10
    assert (len(found.blocks) > 10) == (commit == 1)
    source.write_bytes(whole)
    build_store(folder, source)
    assert len(content_of(folder).blocks) == len(maker.blocks)


def test_a_node_that_appends_while_its_file_is_read(tmp_path, monkeypatch, maker):
    """What came after the survey is left for the next build."""
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    longer = clone(maker)
    extend(longer, random.Random(3), 4)
    monkeypatch.setattr(blockfiles, "_TOGETHER", 1)

    def append():
        with source.open("ab") as file:
            for block in longer.blocks[len(maker.blocks) :]:
                file.write(frame(block))

    report = build_store(tmp_path / "c", source, batch=700, progress=while_loading(append))
    assert report.blocks == len(maker.blocks)
    assert build_store(tmp_path / "c", source).blocks == 4
    build_store(tmp_path / "fresh", source)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "fresh")


def test_a_node_in_the_middle_of_writing_a_block(tmp_path, maker):
    """The file is pre-allocated: a frame that is not all there yet is refused by its place, and nothing is lost."""
    source = write(tmp_path / "blk00000.dat", maker.blocks[:20])
    size = source.stat().st_size
    build_store(tmp_path / "c", source)
    with source.open("ab") as file:
        file.write(frame(maker.blocks[20])[:200])
    assert f"offset {size}" in refused(tmp_path / "c", source).message
    write(source, maker.blocks)
    assert build_store(tmp_path / "c", source).blocks == len(maker.blocks) - 20


@pytest.mark.parametrize("change", ["gone", "empty", "other", "cut"])
def test_a_raw_block_that_changes(tmp_path, monkeypatch, base, maker, change):
    folder, _ = base
    path = tmp_path / "b.raw"
    path.write_bytes(maker.blocks[10])

    def act():
        if change == "gone":
            path.unlink()
        else:
            path.write_bytes({"empty": b"", "other": maker.blocks[11], "cut": maker.blocks[10][:-3]}[change])

    after_survey(monkeypatch, act)
    refused(folder, path)


@pytest.mark.parametrize("key", [b"\1\2\3\4\5\6\7\x08", b"short"])
def test_a_key_that_appears_beside_the_block_files(monkeypatch, base, maker, key):
    """Between survey and load the key that was there counts; a raw byte asked for later is refused by its source."""
    folder, source = base
    after_survey(monkeypatch, lambda: (source.parent / KEY_FILE).write_bytes(key))
    build_store(folder, source)
    with ChainStore.open(folder) as store:
        assert store.rows("block") == len(maker.blocks)
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(BadInput, match=r"xor\.dat|begins no block"):
        build_store(folder, source)
    assert (folder / "manifest.json").read_bytes() == before


def test_raw_bytes_of_a_source_that_was_changed_since(tmp_path, maker):
    """A large store keeps none of its own: the source is read again, and its changes are said."""
    from shieldwall.chain.build import BuildConfig, build
    from shieldwall.model.network import REGTEST

    source = write(tmp_path / "blk00000.dat", maker.blocks)
    whole = source.read_bytes()
    build(tmp_path / "c", [str(source)], config=BuildConfig(keep_raw_below=0, engine="plain"), network=REGTEST)
    changes = {
        "cut": lambda: os.truncate(source, len(whole) // 2),
        "key": lambda: (tmp_path / KEY_FILE).write_bytes(b"12345678"),
        "bad key": lambda: (tmp_path / KEY_FILE).write_bytes(b"123"),
        "other": lambda: source.write_bytes(bytes(len(whole))),
        "gone": source.unlink,
    }
    for change in changes.values():
        change()
        with ChainStore.open(tmp_path / "c") as store:
            report = verify(store, source=True)
            assert [check.name for check in report.checks if not check.passed] == ["source"]
            with pytest.raises((StoreError, BadInput)):
                store.raw(store.rows("tx") - 1)
        (tmp_path / KEY_FILE).unlink(missing_ok=True)
        source.write_bytes(whole)
    with ChainStore.open(tmp_path / "c") as store:
        assert verify(store, source=True).passed


@pytest.mark.parametrize("change", ["cut", "gone", "other"])
def test_an_undo_file_that_changes_leaves_gaps_and_never_wrong_values(tmp_path, monkeypatch, maker, change):
    source = write(tmp_path / "blk00005.dat", maker.blocks[15:])
    rev = rev_file(tmp_path / "rev00005.dat", maker.blocks[15:], outputs_of(maker.blocks))
    whole = rev.read_bytes()
    build_store(tmp_path / "wanted", source)

    def act():
        if change == "gone":
            rev.unlink()
        else:
            rev.write_bytes(whole[: len(whole) // 3] if change == "cut" else bytes(len(whole)))

    after_survey(monkeypatch, act)
    if change == "cut":  # in the middle of a record
        with pytest.raises(BadInput, match=r"rev00005\.dat, offset \d+"):
            build_store(tmp_path / "c", source)
    else:
        assert build_store(tmp_path / "c", source).unresolved
        assert content_of(tmp_path / "c") is not None
    monkeypatch.undo()
    rev.write_bytes(whole)
    build_store(tmp_path / "c", source)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "wanted")


@pytest.mark.parametrize("size", [0, 20, 400, -1])
def test_a_parcel_that_changes_between_its_heading_and_its_columns(tmp_path, monkeypatch, maker, size):
    from shieldwall.chain import mirror
    from shieldwall.chain.parcels import export_parcels

    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), epoch_transactions=EPOCH)
    with ChainStore.open(tmp_path / "c") as store:
        export_parcels(store, tmp_path / "p")
    real = mirror.find_parcels

    def finding(names):
        found = real(names)
        os.truncate(found[0].path, found[0].path.stat().st_size + size if size < 0 else size)
        return found

    monkeypatch.setattr(mirror, "find_parcels", finding)
    with pytest.raises(BadInput, match=r"epoch-000000-.*\.parcel"):
        mirror.import_parcels(tmp_path / "m", [str(tmp_path / "p")], engine="plain")
    assert not (tmp_path / "m" / "manifest.json").exists()
