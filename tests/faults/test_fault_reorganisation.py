"""Reorganisations deeper than the last epoch, than several, than the store's beginning, and again and again."""

import json

import pytest
from chain_support import Esplora, build_store, clone, fork, random_chain, write
from faults_support import EPOCH, content_of

from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.since import Since
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadInput
from shieldwall.model.network import REGTEST

BLOCKS = 50


@pytest.fixture(scope="module")
def maker():
    return random_chain(83, blocks=BLOCKS)


@pytest.fixture
def stepped(tmp_path, maker):
    """A store built in many steps, so that it has several epochs and runs of its indexes, some over old blocks."""
    for number, (begin, end) in enumerate(((0, 36), (36, 44), (44, 47), (47, BLOCKS + 1))):
        source = write(tmp_path / f"blk0000{number}.dat", maker.blocks[begin:end])
        build_store(tmp_path / "c", source, epoch_transactions=EPOCH, extend="look up")
    with ChainStore.open(tmp_path / "c") as store:
        assert len(store.manifest.epochs) > 3
        assert len(store.manifest.runs) > 1
    return tmp_path / "c"


def built_anew(tmp_path, blocks, **more):
    """What a store of these blocks says that was built at once."""
    folder = tmp_path / f"anew {len(list(tmp_path.iterdir()))}"
    build_store(folder, write(tmp_path / "anew.dat", blocks), epoch_transactions=EPOCH, **more)
    return content_of(folder)


@pytest.mark.parametrize("extend", ["load", "look up"])
@pytest.mark.parametrize("height", [48, 43, 35, 20, 5, 0])
def test_a_branch_from_any_depth_makes_the_store_that_a_fresh_build_makes(tmp_path, stepped, maker, height, extend):
    """From behind the last epoch, from before several, from behind and before the runs of the indexes, from genesis."""
    other = fork(maker, height, 1, BLOCKS - height + 2)
    branch = write(tmp_path / "blk00009.dat", other.blocks[height + 1 :])
    with ChainStore.open(stepped) as store:
        epochs, runs = store.manifest.epochs, store.manifest.runs
    report = build_store(stepped, branch, batch=700, commit=1, extend=extend)
    assert report.rolled_back == BLOCKS - height
    assert report.blocks == BLOCKS - height + 2
    assert content_of(stepped) == built_anew(tmp_path, other.blocks)
    with ChainStore.open(stepped) as store:
        kept = tuple(epoch for epoch in epochs if epoch[0] <= height + 1)
        assert store.manifest.epochs[: len(kept)] == kept
        assert store.manifest.runs[-1] not in runs


def test_twice_in_a_row_and_back_to_the_first_branch(tmp_path, stepped, maker):
    second = fork(maker, 20, 2, BLOCKS - 20 + 1)
    third = fork(maker, 8, 3, BLOCKS - 8 + 2)
    first = clone(maker)
    for number in range(3):
        first.mine(next(iter(first.unspent.values())).script, claim=number)
    for number, (branch, height) in enumerate(((second, 20), (third, 8), (first, 8), (second, 20), (third, 8))):
        source = write(tmp_path / f"blk0001{number}.dat", branch.blocks[height + 1 :])
        report = build_store(stepped, source, batch=900)
        longest = number < 3  # the first branch, now the longest, is not left again
        assert bool(report.rolled_back) == longest
        if longest:
            assert content_of(stepped) == built_anew(tmp_path, branch.blocks)
    assert content_of(stepped) == built_anew(tmp_path, first.blocks)


@pytest.mark.parametrize("height", [30, 12, 4])
def test_a_branch_from_before_the_height_that_the_store_begins_at(tmp_path, maker, height):
    """From 12 and 4 the whole store is of another branch: all of it goes, and what is too early stays out."""
    begin = 15
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    build_store(tmp_path / "c", source, since=Since(height=begin), epoch_transactions=EPOCH)
    other = fork(maker, height, 4, BLOCKS - height + 2)
    branch = write(tmp_path / "blk00001.dat", other.blocks[height + 1 :])
    report = build_store(tmp_path / "c", branch)
    assert report.rolled_back == BLOCKS - max(height, begin - 1)
    assert content_of(tmp_path / "c") == built_anew(tmp_path, other.blocks, since=Since(height=begin))
    with ChainStore.open(tmp_path / "c") as store:
        assert int(store.column("block_height")[0]) == begin


def test_what_was_stated_of_outputs_that_are_taken_out_goes_with_them(tmp_path, maker):
    """Statements on what stays are kept, those on what goes are dropped; a build over it finds nothing strange."""
    esplora = Esplora(maker.blocks)
    said = tmp_path / "said"
    said.mkdir()
    (said / "tip").write_text(str(BLOCKS))
    for txid, (height, _) in esplora.where.items():
        if height > 20:
            (said / f"{txid}.json").write_text(json.dumps(esplora.outspends(txid)))
    source = write(tmp_path / "blk00000.dat", maker.blocks[20:])
    build_store(tmp_path / "c", source, *said.iterdir(), epoch_transactions=EPOCH)
    with ChainStore.open(tmp_path / "c") as store:
        before = store.rows("stated")
    other = fork(maker, 40, 5, 20)
    build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", other.blocks[41:]))
    assert content_of(tmp_path / "c") is not None
    with ChainStore.open(tmp_path / "c") as store:
        assert 0 < store.rows("stated") < before


def test_parcels_of_a_branch_that_was_left_are_refused(tmp_path, stepped, maker):
    with ChainStore.open(stepped) as store:
        export_parcels(store, tmp_path / "p")
    other = fork(maker, 20, 6, BLOCKS)
    build_store(stepped, write(tmp_path / "blk00009.dat", other.blocks[21:]))
    before = content_of(stepped)
    with pytest.raises(BadInput, match="another"):
        import_parcels(stepped, [str(tmp_path / "p")], engine="plain")
    assert content_of(stepped) == before


def test_a_cut_to_nothing_and_to_each_epoch(tmp_path, stepped, maker):
    """What a cut leaves is the store that was there; the same blocks again make the same epochs."""
    wanted = content_of(stepped)
    edges = [blocks for blocks, _ in wanted.epochs]
    for blocks in (*reversed(edges), edges[0] - 1, 1, 0):
        with ChainWriter(stepped, REGTEST) as writer:
            writer.cut(blocks)
        found = content_of(stepped)
        assert found.blocks == wanted.blocks[:blocks]
        assert found.epochs == tuple(epoch for epoch in wanted.epochs if epoch[0] <= blocks)
    build_store(stepped, write(tmp_path / "blk00009.dat", maker.blocks))
    assert content_of(stepped) == wanted
