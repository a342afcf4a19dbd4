"""`verify` finds every change to a store's content, and a damaged store is an answer, never a traceback."""

import json
import random
import shutil

import numpy as np
import pytest
from chain_support import Esplora, build_store, random_chain, write

from shieldwall.chain.checks import check
from shieldwall.chain.columns import COLUMNS, INDEXES
from shieldwall.chain.manifest import read_manifest
from shieldwall.chain.mapping import files_of
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import block_fees, verify
from shieldwall.errors import StoreError


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A store with whole blocks behind a hole and statements on outputs before it, so that every table has rows."""
    folder = tmp_path_factory.mktemp("base")
    chain = random_chain(23, blocks=24)
    esplora = Esplora(chain.blocks)
    early = write(folder / "blk00000.dat", chain.blocks[:6] + chain.blocks[9:23])
    sources = [write(folder / "blk00001.dat", chain.blocks[23:]), folder / "tip"]
    sources[1].write_text("8")
    for txid, (height, _) in esplora.where.items():
        if height < 6:
            sources.append(folder / f"{txid}.json")
            sources[-1].write_text(json.dumps(esplora.outspends(txid)))
    build_store(folder / "c", early)
    build_store(folder / "c", *sources)  # a run of the index of its own
    return folder / "c"


def column_files(folder):
    """Every file of columns and indexes, and the bytes of it that are committed."""
    manifest = read_manifest(folder)
    found = []
    for spec in COLUMNS.values():
        home = folder / (manifest.stated if spec.table == "stated" else manifest.generation)
        found += [(path, manifest.rows[spec.table]) for path in files_of(home, spec)]
    for run in manifest.runs:
        for name, spec in INDEXES.items():
            found += [(path, run.rows(name)) for path in files_of(folder / run.folder, spec)]
    return [(path, rows) for path, rows in found if rows]


def test_a_changed_bit_in_any_file_is_found_and_the_file_is_named(tmp_path, base):
    """Two runs of indexes, so that every kind of file is there."""
    draw = random.Random(5)
    files = column_files(base)
    assert {path.stem.removesuffix("_high") for path, _ in files} == {*COLUMNS, *INDEXES}
    for path, _ in files:
        for number in range(4):
            folder = tmp_path / f"{path.parent.name}-{path.stem}-{number}"
            shutil.copytree(base, folder)
            damaged = folder / path.relative_to(base)
            data = bytearray(damaged.read_bytes())
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            damaged.write_bytes(data)
            with ChainStore.open(folder) as store:
                report = verify(store)
            assert not report.passed, path
            named = " ".join(entry.detail for entry in report.checks if not entry.passed)
            assert path.stem.removesuffix("_high") in named, named
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda flags: flags | 2, "mean nothing"),
        (lambda flags: flags | 128, "mean nothing"),
        (lambda flags: flags ^ 1, "a coinbase"),
        (lambda flags: flags | 4 | 64, "replaceable, and final"),
    ],
)
def test_flags_that_cannot_be(tmp_path, base, change, words):
    """Found by their own check too: someone may have made the digests fit again."""
    shutil.copytree(base, tmp_path / "c")
    path = next((tmp_path / "c").rglob("tx_flags.bin"))
    flags = bytearray(path.read_bytes())
    flags[1] = change(flags[1])
    path.write_bytes(flags)
    with ChainStore.open(tmp_path / "c") as store:
        (found,) = (entry for entry in verify(store).checks if entry.name == "flags")
    assert not found.passed
    assert words in found.detail


def test_a_store_of_the_format_before_is_refused(tmp_path, base):
    shutil.copytree(base, tmp_path / "c")
    path = tmp_path / "c" / "manifest.json"
    path.write_text(path.read_text().replace("shieldwall-chain/3", "shieldwall-chain/2"))
    with pytest.raises(StoreError, match=r"shieldwall-chain/2.*this version reads shieldwall-chain/3") as caught:
        ChainStore.open(tmp_path / "c")
    assert "build the store again" in caught.value.hint


def test_any_bytes_in_any_column_are_an_answer(tmp_path, base):
    draw = np.random.default_rng(3)
    names = [path.relative_to(base) for path in sorted(base.rglob("*.bin"))]
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        shutil.copytree(base, folder)
        size = (folder / name).stat().st_size
        (folder / name).write_bytes(draw.integers(0, 256, size, np.uint8).tobytes())
        with ChainStore.open(folder) as store:
            report = verify(store, source=True)
        assert not report.passed or not size, name


def test_a_good_store_and_its_report(base):
    with ChainStore.open(base) as store:
        report = verify(store, source=True)
        fees = block_fees(store)
    assert report.passed
    assert fees == list(report.blocks)
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["passed"] is True
    by_name = {entry["name"]: entry for entry in plain["checks"]}
    assert by_name["merkle roots"] == {
        "name": "merkle roots", "passed": True, "checked": len(fees), "skipped": 0, "detail": ""
    }  # fmt: skip
    assert by_name["block values"]["skipped"] == sum(entry.fees is None for entry in fees) > 0
    assert by_name["transaction values"]["skipped"] > 0


def test_the_size_of_a_run_does_not_matter(base, monkeypatch):
    with ChainStore.open(base) as store:
        whole = verify(store, source=True)
        monkeypatch.setattr(check, "_RUN", 3)
        assert verify(store, source=True) == whole


def test_an_empty_store_passes(tmp_path):
    (tmp_path / "blk00000.dat").write_bytes(b"")
    build_store(tmp_path / "c", tmp_path / "blk00000.dat")
    with ChainStore.open(tmp_path / "c") as store:
        report = verify(store, source=True)
    assert report.passed
    assert report.blocks == ()


def test_sums_beyond_64_bits_are_found(tmp_path, base):
    shutil.copytree(base, tmp_path / "c")
    path = next((tmp_path / "c").rglob("output_value.bin"))
    values = np.fromfile(path, np.uint64)
    values[:] = (1 << 64) - 2
    values.tofile(path)
    with ChainStore.open(tmp_path / "c") as store:
        failed = {entry.name for entry in verify(store).checks if not entry.passed}
    assert "transaction values" in failed
