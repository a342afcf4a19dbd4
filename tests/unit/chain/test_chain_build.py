"""One chain makes one store, in however many steps and whatever order it comes."""

import json
import random
from pathlib import Path

import pytest
from chain_support import Esplora, build_store, clone, extend, facts_of, fork, random_chain, write
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldwall.chain.manifest import read_manifest
from shieldwall.chain.regtest import frame, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadInput, StoreError, UsageError, WrongNetwork
from shieldwall.model.network import MAIN, REGTEST, TESTNET3


@pytest.fixture
def maker():
    return random_chain(5, blocks=20)


@settings(max_examples=3)
@given(seed=st.integers(0, 10_000), engine=st.sampled_from(["plain", "compiled"]))
def test_steps_and_order_do_not_matter(tmp_path_factory, seed, engine):
    folder = tmp_path_factory.mktemp("steps")
    draw = random.Random(seed)
    maker = random_chain(seed, blocks=14)
    build_store(folder / "one", write(folder / "all.dat", maker.blocks))
    once = facts_of(folder / "one")
    cuts = sorted(draw.sample(range(1, len(maker.blocks)), 3))
    for number, end in enumerate([*cuts, len(maker.blocks)]):
        blocks = maker.blocks[:end]
        draw.shuffle(blocks)
        source = write(folder / f"blk{number:05}.dat", blocks)
        build_store(folder / "many", source, engine=engine, batch=draw.choice((1, 900, 1 << 20)), commit=1)
    assert facts_of(folder / "many") == once
    with ChainStore.open(folder / "many") as store:
        report = verify(store, source=True)
    assert report.passed, report
    assert all(check.skipped == 0 for check in report.checks)


def test_a_second_build_of_the_same_adds_nothing(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    build_store(tmp_path / "c", source)
    before = (tmp_path / "c" / "manifest.json").read_bytes()
    report = build_store(tmp_path / "c", source)
    assert (report.blocks, report.transactions, report.already) == (0, 0, len(maker.blocks))
    assert (tmp_path / "c" / "manifest.json").read_bytes() == before


def test_stale_forks_are_left_aside_and_counted(tmp_path, maker):
    other = fork(maker, 12, 1, 3)
    report = build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", [*other.blocks[13:], *maker.blocks]))
    assert (report.stale, report.blocks) == (3, len(maker.blocks))
    build_store(tmp_path / "plain", write(tmp_path / "x.dat", maker.blocks))
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "plain")


@pytest.mark.parametrize("commit", [1, 1 << 30])
def test_a_reorganised_tip_is_rolled_back(tmp_path, maker, commit):
    longer = fork(maker, 15, 2, 9)
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), commit=commit, batch=1)
    report = build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", longer.blocks[16:]), commit=commit, batch=1)
    assert (report.rolled_back, report.blocks, report.rewritten) == (len(maker.blocks) - 16, 9, False)
    build_store(tmp_path / "fresh", write(tmp_path / "x.dat", longer.blocks))
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "fresh")
    back = clone(maker)
    extend(back, random.Random(3), 8)
    build_store(tmp_path / "c", write(tmp_path / "blk00002.dat", back.blocks), commit=commit)
    build_store(tmp_path / "again", write(tmp_path / "y.dat", back.blocks))
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "again")
    with ChainStore.open(tmp_path / "c") as store:
        assert verify(store, source=True).passed


def test_older_blocks_put_in_between_write_the_store_anew(tmp_path, maker):
    for number, block in enumerate(maker.blocks):
        (tmp_path / f"b{number}.raw").write_bytes(block)
    order = [12, 3, 4, 0, 19, 1, 2, *range(5, 12), *range(13, 19), 20]
    rewritten = 0
    for number in order:
        rewritten += build_store(tmp_path / "c", tmp_path / f"b{number}.raw").rewritten
    assert rewritten > 3
    build_store(tmp_path / "fresh", *(tmp_path / f"b{number}.raw" for number in range(21)))
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "fresh")
    names = {entry.name for entry in (tmp_path / "c").iterdir()}
    assert names == {"manifest.json", "lock", *read_manifest(tmp_path / "c").folders}


def test_a_store_without_raw_bytes_is_written_anew_from_its_sources(tmp_path, maker):
    from shieldwall.chain.build import BuildConfig, build

    config = BuildConfig(keep_raw_below=0, engine="plain", batch_bytes=700)
    late = write(tmp_path / "blk00001.dat", maker.blocks[9:])
    early = write(tmp_path / "blk00000.dat", maker.blocks[:9])
    build(tmp_path / "c", [str(late)], config=config, network=REGTEST)
    report = build(tmp_path / "c", [str(early)], config=config, network=REGTEST)
    assert report.rewritten
    with ChainStore.open(tmp_path / "c") as store:
        assert store.rows("raw") == 0
        assert verify(store, source=True).passed
        assert store.digest == build_and_digest(tmp_path / "fresh", early, late)
        late.write_bytes(late.read_bytes()[:-40])
        assert not verify(store, source=True).passed
        with pytest.raises(StoreError, match="cut"):
            store.raw(store.rows("tx") - 1)


def test_answers_beside_large_block_files_keep_their_bytes(tmp_path, maker):
    """Only whole files of a node hold transactions as they are; all else must lie in the store."""
    from shieldwall.chain.build import BuildConfig, build

    esplora = Esplora(maker.blocks)
    late = [txid for txid, (height, _) in esplora.where.items() if height > 16]
    (tmp_path / "txs.json").write_text(json.dumps([esplora.transaction(txid) for txid in late]))
    source = write(tmp_path / "blk00000.dat", maker.blocks[:12])
    config = BuildConfig(keep_raw_below=0, engine="plain")
    build(tmp_path / "c", [str(source), str(tmp_path / "txs.json")], config=config, network=REGTEST)
    with ChainStore.open(tmp_path / "c") as store:
        assert verify(store, source=True).passed
        number = store.find_transaction(bytes.fromhex(late[-1])[::-1])
        assert number is not None
        assert store.raw(number) == esplora.where[late[-1]][1].raw


def build_and_digest(folder, *sources):
    build_store(folder, *sources)
    with ChainStore.open(folder) as store:
        return store.digest


def test_later_answers_fill_in_what_a_block_did_not_tell(tmp_path, maker):
    esplora = Esplora(maker.blocks)
    block = max(range(1, 21), key=lambda n: len(maker.blocks[n]))
    raw = tmp_path / "block.raw"
    raw.write_bytes(maker.blocks[block])
    answers = tmp_path / "txs.json"
    inside = [txid for txid, (height, _) in esplora.where.items() if height == block]
    answers.write_text(json.dumps([esplora.transaction(txid) for txid in inside]))
    assert build_store(tmp_path / "c", raw).unresolved > 0
    report = build_store(tmp_path / "c", answers)
    assert (report.unresolved, report.rewritten, report.blocks, report.duplicates) == (0, True, 0, 0)
    again = build_store(tmp_path / "c", answers)
    assert (again.rewritten, again.already) == (False, 1)
    build_store(tmp_path / "once", answers, raw)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "once")
    assert facts_of(tmp_path / "c")["unresolved_inputs"] == 0


def test_mixed_builds_follow_only_the_unbroken_run_of_whole_blocks(tmp_path, maker):
    esplora = Esplora(maker.blocks)
    early = [txid for txid, (height, _) in esplora.where.items() if 3 <= height <= 6]
    (tmp_path / "txs.json").write_text(json.dumps([esplora.transaction(txid) for txid in early]))
    source = write(tmp_path / "blk00000.dat", maker.blocks[10:])
    build_store(tmp_path / "c", source, tmp_path / "txs.json")
    tip_only = Esplora(maker.blocks)
    late = [txid for txid, (height, _) in tip_only.where.items() if height == 20]
    with ChainStore.open(tmp_path / "c") as store:
        assert store.height_of(store.followed_from_tx) == 10
        for output in range(store.rows("output")):
            made_at = store.height_of(store.transaction_of(output))
            state = store.spend(output).state.value
            assert made_at is not None
            assert state in (
                ("spent", "unknown", "unspendable") if made_at < 10 else ("spent", "unspent", "unspendable")
            )
    (tmp_path / "late.json").write_text(json.dumps([tip_only.transaction(txid) for txid in late]))
    build_store(tmp_path / "d", write(tmp_path / "blk00001.dat", maker.blocks[:15]), tmp_path / "late.json")
    with ChainStore.open(tmp_path / "d") as store:  # the tip is a block of which only some is known
        assert store.followed_from_tx == store.rows("tx")
        assert all(store.spend(output).state.value != "unspent" for output in range(store.rows("output")))


def test_a_statement_holds_at_the_tip_when_every_later_block_is_here(tmp_path, maker):
    esplora = Esplora(maker.blocks[:10])
    txid = next(iter(esplora.where))  # the genesis coinbase is never spent
    (tmp_path / "tx.json").write_text(json.dumps(esplora.transaction(txid)))
    (tmp_path / f"{txid}-outspends.json").write_text(json.dumps(esplora.outspends(txid)))
    (tmp_path / "tip").write_text("9")
    files = [tmp_path / "tx.json", tmp_path / f"{txid}-outspends.json", tmp_path / "tip"]
    build_store(tmp_path / "joined", *files, write(tmp_path / "blk00000.dat", maker.blocks[10:]))
    build_store(tmp_path / "gap", *files, write(tmp_path / "blk00001.dat", maker.blocks[11:]))
    assert facts_of(tmp_path / "joined")["states"][f"{txid}:0"] == ("unspent", None, 9)
    assert facts_of(tmp_path / "gap")["states"][f"{txid}:0"] == ("unknown", None, 9)


def test_duplicate_blocks_are_counted(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", [*maker.blocks, *maker.blocks[3:7]])
    report = build_store(tmp_path / "c", source)
    assert (report.blocks, report.duplicates) == (len(maker.blocks), 4)


def test_a_hole_in_block_files_is_named_and_partial(tmp_path, maker):
    report = build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks[:8] + maker.blocks[11:]))
    assert (report.partial, report.missing, report.blocks) == (True, [(8, 10)], len(maker.blocks) - 3)
    info = facts_of(tmp_path / "c")
    assert info["unknown_outputs"] > 0
    with ChainStore.open(tmp_path / "c") as store:
        outcome = verify(store)
    assert outcome.passed
    assert next(check for check in outcome.checks if check.name == "block values").skipped > 0


def test_another_network_is_refused(tmp_path, maker):
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks))
    before = (tmp_path / "c" / "manifest.json").read_bytes()
    other = write(tmp_path / "other.dat", maker.blocks[:3], TESTNET3)
    for arguments in ({"network": REGTEST}, {"network": None}, {"network": MAIN}):
        with pytest.raises(WrongNetwork):
            build_store(tmp_path / "c", other, **arguments)
    both = tmp_path / "both.dat"
    both.write_bytes(frame(maker.blocks[0]) + frame(maker.blocks[1], TESTNET3))
    with pytest.raises(BadInput, match=r"both\.dat, offset"):
        build_store(tmp_path / "c", both)
    with pytest.raises(WrongNetwork):
        build_store(tmp_path / "d", tmp_path / "blk00000.dat", other, network=None)
    assert (tmp_path / "c" / "manifest.json").read_bytes() == before


def test_two_writers_and_other_folders_are_refused(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    with ChainWriter(tmp_path / "c", REGTEST), pytest.raises(StoreError, match="another process"):
        build_store(tmp_path / "c", source)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("dear")
    with pytest.raises(StoreError, match="no chain store"):
        build_store(tmp_path / "letters", source)
    with pytest.raises(StoreError):
        build_store(source, source)
    with pytest.raises(UsageError):
        build_store(tmp_path / "c")
    with pytest.raises(UsageError):
        build_store(tmp_path / "c", tmp_path / "nothing")


def test_a_snapshot_lives_on_while_a_writer_extends_and_rewrites(tmp_path, maker):
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks[5:12]))
    with ChainStore.open(tmp_path / "c") as old:
        states = [old.spend(output) for output in range(old.rows("output"))]
        build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", maker.blocks[12:]))
        assert [old.spend(output) for output in range(old.rows("output"))] == states
        build_store(tmp_path / "c", write(tmp_path / "blk00002.dat", maker.blocks[:5]))
        assert [old.spend(output) for output in range(old.rows("output"))] == states

        holder = old.find_holder(p2wpkh("nobody"))
        assert holder is None
        assert old.find_transaction(bytes(32)) is None


def test_a_node_s_scrambled_files_are_read(tmp_path, maker):
    key = bytes(range(11, 19))
    blocks, plain = tmp_path / "blocks", write(tmp_path / "blk00000.dat", maker.blocks)
    blocks.mkdir()
    data = plain.read_bytes()
    scrambled = bytes(byte ^ key[place % 8] for place, byte in enumerate(data))
    (blocks / "blk00000.dat").write_bytes(scrambled + bytes(5000))
    (blocks / "xor.dat").write_bytes(key)
    from shieldwall.chain.build import BuildConfig, build

    build(tmp_path / "c", [str(blocks)], config=BuildConfig(keep_raw_below=0, engine="plain"))
    build_store(tmp_path / "d", plain)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "d")
    with ChainStore.open(tmp_path / "c") as store:
        assert verify(store, source=True).passed
        assert store.raw(0) in maker.blocks[0]


def test_more_files_than_may_be_open(tmp_path, maker):
    import resource

    folder = tmp_path / "blocks"
    folder.mkdir()
    long = clone(maker)
    extend(long, random.Random(1), 240, 0)
    for number, block in enumerate(long.blocks):
        write(folder / f"blk{number:05}.dat", [block])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    already = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 50  # by other tests
    resource.setrlimit(resource.RLIMIT_NOFILE, (already + 150, hard))
    try:
        report = build_store(tmp_path / "c", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert report.blocks == len(long.blocks)
