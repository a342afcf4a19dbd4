"""Parquet as the AWS data set writes it, by its published schema: the same store as from block files, whatever the layout."""

import datetime as dt
import random

import pytest
from chain_support import build_store, facts_of, outputs_of, parse_block, random_chain, write
from tables_support import block_row, schemas, tables, transaction_rows, write_table, write_tables

from shieldwall.chain.proof import sha256d
from shieldwall.chain.readers.interface import silent
from shieldwall.chain.readers.parquet import ParquetOptions, ParquetReader, parquet_files
from shieldwall.chain.readers.rawblocks import read_block
from shieldwall.chain.regtest import seal
from shieldwall.chain.sources import SourceOptions, find_sources
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadBlock, BadInput, UsageError
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import classify
from shieldwall.model.transaction import display

pytest.importorskip("pyarrow", reason="missing: the extra parquet")
DAY = 86_400


@pytest.fixture(scope="module")
def chain():
    return random_chain(61, blocks=200, transactions=2).blocks


@pytest.fixture(scope="module")
def expected(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    write(folder / "blk00000.dat", chain)
    build_store(folder / "c", folder / "blk00000.dat")
    return facts_of(folder / "c")


def built(folder, source, **more):
    report = build_store(folder / "store", source, **more)
    return facts_of(folder / "store"), report


def reader(folder, **options):
    return ParquetReader(sorted(folder.rglob("*.parquet")), REGTEST, ParquetOptions(**{"engine": "plain", **options}))


def loaded(source):
    found = source.survey(silent)
    return found, list(source.load(found.blocks))


@pytest.mark.parametrize("wtxid", [True, False])
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_the_store_is_that_of_the_block_files(tmp_path, chain, expected, wtxid, engine):
    source = write_tables(tmp_path / "aws", *tables(chain, wtxid=wtxid))
    found, report = built(tmp_path, source, engine=engine)
    assert found == expected
    assert report.notes == ["201 coinbases: the column hash is their txid"]  # these have no witness
    with ChainStore.open(tmp_path / "store") as store:
        assert verify(store, source=True).passed
        assert {store.proof_of(number) for number in range(store.rows("tx"))} == {"inclusion"}


@pytest.mark.parametrize("inside", ["", "btc", "v1.0/btc"])
def test_the_folder_may_be_named_at_any_level(tmp_path, chain, inside):
    root = tmp_path / "aws"
    write_tables(root / inside, *tables(chain[:20]))
    whole = parquet_files(root)
    assert {path.parts[-3] for path in whole} == {"blocks", "transactions"}
    assert parquet_files(root / inside / "transactions") == whole
    date = whole[0].parent.name
    assert {path.parent.name for path in parquet_files(root / inside / "blocks" / date)} == {date}
    assert parquet_files(whole[0].parent.parent.parent.parent / "nothing") == []


def test_rows_may_lie_in_any_order_and_in_small_groups(tmp_path, chain, expected):
    blocks, rows = tables(chain)
    random.Random(5).shuffle(rows)
    random.Random(6).shuffle(blocks)
    source = write_tables(tmp_path / "aws", blocks, rows, row_group_size=7)
    assert built(tmp_path, source)[0] == expected


def test_types_of_other_writers_are_taken(tmp_path, chain, expected):
    import pyarrow as pa

    blocks, rows = schemas()
    small = pa.timestamp("s")
    blocks = blocks.set(blocks.get_field_index("timestamp"), pa.field("timestamp", pa.timestamp("us", tz="UTC")))
    blocks = blocks.set(blocks.get_field_index("version"), pa.field("version", pa.int32()))
    rows = rows.set(rows.get_field_index("block_timestamp"), pa.field("block_timestamp", small))
    rows = rows.set(rows.get_field_index("hash"), pa.field("hash", pa.large_string()))
    rows = rows.set(rows.get_field_index("index"), pa.field("index", pa.int32()))
    rows = rows.append(pa.field("last_modified", small))
    block_rows, transactions = tables(chain)
    for row in transactions:
        for entry in row["inputs"] or ():
            entry["txinwitness"] = ["00"]
    write_table(tmp_path / "b.parquet", block_rows, blocks, compression="gzip", use_dictionary=False)
    write_table(tmp_path / "t.parquet", transactions, rows, compression="zstd", use_deprecated_int96_timestamps=True)
    assert built(tmp_path, tmp_path)[0] == expected


def test_a_compacted_file_beside_the_files_of_its_blocks(tmp_path, chain, expected):
    blocks, rows = tables(chain)
    source = write_tables(tmp_path / "aws", blocks, rows)
    date = next((source / "transactions").iterdir())
    some = [row for row in rows if date.name.endswith(f"{row['block_timestamp']:%Y-%m-%d}")]
    write_table(date / "17.snappy.parquet", [row for row in some if row["block_number"] < 20], schemas()[1])
    write_table(source / "blocks" / date.name / "3.snappy.parquet", blocks[3:4], schemas()[0])
    found, report = built(tmp_path, source)
    assert found == expected
    assert report.duplicates == 1 + sum(row["block_number"] < 20 for row in some)


def test_two_files_that_differ_on_a_transaction(tmp_path, chain):
    blocks, rows = tables(chain[:30])
    source = write_tables(tmp_path / "aws", blocks, rows)
    rows[4]["outputs"][0]["value"] += 1
    write_table(source / "transactions" / "again.parquet", rows[4:5], schemas()[1])
    with pytest.raises(BadInput, match="two transactions for place"):
        built(tmp_path, source)


def test_dates_before_a_time_are_not_opened(tmp_path, chain):
    source = write_tables(tmp_path / "aws", *tables(chain))
    dates = sorted(path.name for path in (source / "blocks").iterdir())
    day = dt.datetime.fromisoformat(dates[-1].removeprefix("date=")).replace(tzinfo=dt.UTC).timestamp()
    for path in (source / "transactions" / dates[-2]).iterdir():
        path.write_bytes(b"nobody looks here")
    found, _ = loaded(reader(source, since=int(day)))
    assert min(ref.time for ref in found.blocks) >= day
    with pytest.raises(BadInput, match="cannot be read as Parquet"):
        loaded(reader(source, since=int(day) - 1))


def test_blocks_without_all_their_transactions_are_not_whole(tmp_path, chain):
    blocks, rows = tables(chain)
    lost = next(row for row in rows if row["index"] == 1)
    gone = rows[-1]["block_hash"]
    rows = [row for row in rows if row is not lost and row["block_hash"] != gone]
    found = reader(write_tables(tmp_path / "aws", blocks, rows)).survey(silent)
    assert [display(ref.hash) for ref in found.blocks if not ref.whole] == [lost["block_hash"]]
    assert found.notes == ["1 blocks have no transactions in these files"]


def test_transactions_of_blocks_that_the_table_lacks_are_left_aside(tmp_path, chain):
    blocks, rows = tables(chain)
    found, _ = loaded(reader(write_tables(tmp_path / "aws", blocks[:-3], rows)))
    assert len(found.blocks) == len(blocks) - 3
    assert "3 blocks have transactions here and no row" in found.notes[0]


def test_what_a_partial_chain_spends_comes_from_the_rows(tmp_path, chain):
    blocks, rows = tables(chain)
    first = 120
    late = write_tables(tmp_path / "aws", blocks[first:], [row for row in rows if row["block_number"] >= first])
    source = reader(late)
    found, _ = loaded(source)
    paid = outputs_of(chain)
    for ref in [*found.blocks, found.blocks[3]]:  # the last one a second time: another pass
        spent = [entry for each in parse_block(chain[ref.height])[1:] for entry in each.inputs]
        said = source.previous_outputs(ref)
        assert len(said) == len(spent)
        for entry, of in zip(said, spent, strict=True):
            value, script = paid[of.txid, of.index]
            assert entry.value == value
            assert not entry.script_known or entry.script == script


def test_a_partial_chain_keeps_what_it_spends(tmp_path, chain):
    blocks, rows = tables(chain)
    paid = outputs_of(chain)
    source = write_tables(tmp_path / "aws", blocks[120:], [row for row in rows if row["block_number"] >= 120])
    report = build_store(tmp_path / "store", source)
    assert report.unresolved == 0
    outside = 0
    with ChainStore.open(tmp_path / "store") as store:
        for number in range(store.rows("tx")):
            for entry in store.inputs(number):
                value, script = paid[entry.txid, entry.index]
                outside += entry.output is None
                assert entry.value == value
                assert entry.holder is None or store.holder(entry.holder) == classify(script)
    assert outside > 10


@pytest.mark.parametrize("options", [{"roots": "skip"}, {"txids": "given"}, {"txids": "given", "roots": "skip"}])
def test_switches_give_the_same_money_and_say_what_is_lost(tmp_path, chain, expected, options):
    source = write_tables(tmp_path / "aws", *tables(chain, wtxid=False))
    chosen = SourceOptions(parquet=ParquetOptions(engine="plain", **options))
    report = build_store(tmp_path / "store", source, options=chosen)
    found = facts_of(tmp_path / "store")
    assert set(found["states"]) == set(expected["states"])
    assert any("not proven" in note for note in report.notes)
    states = {entry[0] for entry in found["states"].values()}
    assert ("unspent" in states) == ("roots" not in options)
    with ChainStore.open(tmp_path / "store") as store:
        proofs = {store.proof_of(number) for number in range(store.rows("tx"))}
    assert ("inclusion" in proofs) == ("roots" not in options)


def test_given_wtxids_do_not_make_the_roots(tmp_path, chain):
    source = write_tables(tmp_path / "aws", *tables(chain, wtxid=True))
    chosen = SourceOptions(parquet=ParquetOptions(engine="plain", txids="given"))
    with pytest.raises(BadBlock, match="merkle root"):
        build_store(tmp_path / "store", source, options=chosen)


def test_a_block_without_the_hash_of_the_one_before(tmp_path, chain, expected):
    blocks, rows = tables(chain)
    for row in blocks:
        row["previousblockhash"] = None
    assert built(tmp_path / "all", write_tables(tmp_path / "aws", blocks, rows))[0] == expected
    late = write_tables(tmp_path / "late", blocks[90:], [row for row in rows if row["block_number"] >= 90])
    found, _ = loaded(reader(late))
    assert [ref.height for ref in found.blocks if ref.header is None] == [90]
    assert not found.blocks[0].whole


def test_given_txids_and_skipped_roots_are_said(tmp_path, chain):
    source = write_tables(tmp_path / "aws", *tables(chain, wtxid=True))
    found, blocks = loaded(reader(source, txids="given", roots="skip"))
    assert not any(ref.whole for ref in found.blocks)
    assert any("inclusion is not proven" in note for note in found.notes)
    assert any("a wtxid there links to no spend" in note for note in found.notes)
    for block in blocks:
        named = [display(sha256d(each.raw)) for each in parse_block(chain[block.ref.height])]
        assert [display(txid.tobytes()) for txid in block.txids] == named


def test_options_come_through_the_sources(tmp_path, chain):
    source = write_tables(tmp_path / "aws", *tables(chain[:9]))
    options = SourceOptions(parquet=ParquetOptions(roots="skip"))
    found = find_sources([str(source)], REGTEST, options=options)
    assert not any(ref.whole for ref in found.readers[0].survey(silent).blocks)


def test_what_settles_a_coinbase_is_counted(tmp_path, chain):
    blocks, rows = tables(chain[:30], wtxid=False)
    for row, raw in zip(rows, (each.raw for block in chain for each in parse_block(block)), strict=False):
        if row["index"] == 0 and row["block_number"] % 2:
            witness = b"\x01\x20" + bytes(32)
            row["hash"] = display(sha256d(raw[:4] + b"\0\x01" + raw[4:-4] + witness + raw[-4:]))
    rows[-1 if rows[-1]["index"] == 0 else 0]["hash"] = "ab" * 32
    source = reader(write_tables(tmp_path / "aws", blocks, rows))
    loaded(source)
    assert len(source.remarks()) == 3
    assert any(remark.startswith("1 coinbases: the column hash is neither") for remark in source.remarks())


def with_sequence(block, sequence):
    """A block of a coinbase alone, its input with another sequence."""
    (coinbase,) = parse_block(block)
    place = coinbase.raw.index(b"\xff\xff\xff\xff", 41)
    raw = coinbase.raw[:place] + sequence.to_bytes(4, "little") + coinbase.raw[place + 4 :]
    return seal(block[:36] + sha256d(raw) + block[68:72]) + b"\x01" + raw


@pytest.mark.parametrize("sequence", [0, 1, 0xFFFFFFFE, 7])
@pytest.mark.parametrize("known", [True, False])
def test_a_coinbase_of_another_sequence(tmp_path, chain, sequence, known):
    height = next(h for h in range(90, 200) if len(parse_block(chain[h])) == 1)
    blocks = [*chain[:height], with_sequence(chain[height], sequence)]
    block_rows, rows = tables(blocks)
    if not known:
        rows[-1]["hash"] = "cd" * 32
    source = write_tables(tmp_path / "aws", block_rows, rows)
    if sequence != 7:
        found, _ = built(tmp_path, source)
        assert found["transactions"] == len(rows)
        return
    why = "the hash that the file names for it does" if known else "nor does the hash"
    with pytest.raises(BadBlock, match=why):
        built(tmp_path, source)
    skipped = reader(source, roots="skip")
    loaded(skipped)
    assert any("nothing settles their sequence" in remark for remark in skipped.remarks())


def test_more_transactions_than_the_block_has(tmp_path, chain):
    paid = outputs_of(chain)
    blocks = [block_row(block, height) for height, block in enumerate(chain[:5])]
    rows = [row for h in range(5) for row in transaction_rows(chain[h], h, paid, wtxid=True, network=REGTEST)]
    rows.append({**rows[-1], "index": 9, "inputs": [{**_input(), "index": 0}]})
    with pytest.raises(BadBlock, match="and the files have"):
        loaded(reader(write_tables(tmp_path / "aws", blocks, rows)))


def _input():
    return {
        "spent_transaction_hash": "11" * 32,
        "spent_output_index": 0,
        "script_asm": "",
        "script_hex": "",
        "sequence": 0,
        "required_signatures": None,
        "type": None,
        "address": None,
        "value": None,
    }


REAL = {
    200_000: "block_200000.bin",
    300_025: "block300025.raw",
    481_824: "block_481824_complete.bin",
    574_200: "block574200.blk",
    951_658: "bitcoin_mainnet_951658.json",
}


@pytest.mark.needs("shared")
def test_recorded_blocks_written_by_the_schema_are_proven(tmp_path, shared_data):
    """Real transactions, SegWit among them, in our own writing of the data set's schema."""
    blocks = {height: read_block(shared_data / "bitcoin" / "mainnet" / name) for height, name in REAL.items()}
    block_rows = [block_row(block, height) for height, block in blocks.items()]
    rows = [row for h, block in blocks.items() for row in transaction_rows(block, h, {}, wtxid=True, network=MAIN)]
    source = write_tables(tmp_path / "aws", block_rows, rows, row_group_size=1000)
    report = build_store(tmp_path / "store", source, network=MAIN, engine="compiled")
    assert report.transactions == len(rows)
    assert report.notes[:1] == ["blocks 200001 to 300024 are missing"]
    with ChainStore.open(tmp_path / "store") as store:
        assert {store.proof_of(number) for number in range(store.rows("tx"))} == {"inclusion"}
        assert verify(store, source=True).passed
    mainnet = ParquetReader(sorted(source.rglob("*.parquet")), MAIN, ParquetOptions(engine="compiled"))
    loaded(mainnet)
    assert mainnet.remarks() == [
        "2 coinbases: the column hash is their txid",
        "3 coinbases: the column hash is their wtxid",
    ]


def test_without_pyarrow_the_extra_is_named(tmp_path, chain, monkeypatch):
    source = write_tables(tmp_path / "aws", *tables(chain[:3]))
    import importlib

    really = importlib.import_module

    def absent(name, *more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return really(name, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(UsageError, match="pyarrow") as caught:
        find_sources([str(source)], REGTEST)
    assert "shieldwall[parquet]" in caught.value.hint
