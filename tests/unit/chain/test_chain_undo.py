"""Outputs that blocks spent: `rev*.dat` by Bitcoin Core's schema, and `*-undo.raw`."""

import contextlib

import pytest
from chain_support import (
    KEY,
    LONG_KEY,
    build_store,
    compress_amount,
    compress_script,
    facts_of,
    outputs_of,
    plain_undo,
    random_chain,
    rev_file,
    undo_data,
    varint,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.readers.undo import parse_plain_undo, parse_undo
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadBlock, BadInput
from shieldwall.model.network import MAX_MONEY
from shieldwall.model.script import Script, ScriptKind, assemble


@pytest.fixture(scope="module")
def chain():
    return random_chain(21, blocks=24)


@given(value=st.integers(0, MAX_MONEY), script=st.binary(max_size=80), height=st.integers(0, 1_000_000))
def test_a_spent_output_survives_compression(value, script, height):
    for text in (script, assemble(Script(ScriptKind.P2PK, KEY)), assemble(Script(ScriptKind.P2PK, LONG_KEY))):
        record = b"\1\1" + varint(2 * height + 1) + (b"\0" if height else b"") + varint(compress_amount(value))
        found = parse_undo(record + compress_script(text), "here")
        assert [(entry.value, entry.script) for entry in found if entry] == [(value, text)]


def test_known_compressed_amounts():
    """The pairs of Bitcoin Core's `compress_tests.cpp`."""
    pairs = [(0, 0), (1, 1), (10**6, 7), (10**8, 9), (50 * 10**8, 0x32), (21_000_000 * 10**8, 0x1406F40)]
    assert [compress_amount(amount) for amount, _ in pairs] == [packed for _, packed in pairs]


def test_rev_files_resolve_what_is_not_in_the_store(tmp_path, chain):
    spent = outputs_of(chain.blocks)
    late = chain.blocks[14:]
    blocks = write(tmp_path / "blk00003.dat", late)
    without = build_store(tmp_path / "without", blocks)
    rev_file(tmp_path / "rev00003.dat", late[::-1], spent)
    report = build_store(tmp_path / "c", blocks)
    assert without.unresolved > 0
    assert report.unresolved == 0
    with ChainStore.open(tmp_path / "c") as store:
        outcome = verify(store, source=True)
    assert outcome.passed
    assert all(entry.fees is not None and entry.unclaimed == 0 for entry in outcome.blocks)
    later = build_store(tmp_path / "without", blocks)  # the same blocks, now with their undo file beside them
    assert (later.rewritten, later.unresolved) == (True, 0)
    assert facts_of(tmp_path / "without") == facts_of(tmp_path / "c")


def test_a_rev_file_of_other_blocks_changes_nothing(tmp_path, chain):
    spent = outputs_of(chain.blocks)
    blocks = write(tmp_path / "blk00000.dat", chain.blocks[14:])
    rev_file(tmp_path / "rev00000.dat", chain.blocks[2:8], spent)
    assert build_store(tmp_path / "c", blocks).unresolved > 0


def test_undo_beside_single_blocks(tmp_path, chain):
    spent = outputs_of(chain.blocks)
    number = max(range(1, 25), key=lambda n: len(plain_undo(chain.blocks[n], spent)))
    (tmp_path / "b.raw").write_bytes(chain.blocks[number])
    undo = tmp_path / "b-undo.raw"
    undo.write_bytes(plain_undo(chain.blocks[number], spent))
    assert build_store(tmp_path / "c", tmp_path / "b.raw").unresolved == 0
    assert build_store(tmp_path / "folder", tmp_path).blocks == 1
    with pytest.raises(BadInput, match="name the block"):
        build_store(tmp_path / "d", undo)
    whole = undo.read_bytes()
    for size in range(len(whole)):
        undo.write_bytes(whole[:size])
        with pytest.raises(BadInput, match=r"b\.raw|b-undo\.raw"):
            build_store(tmp_path / "e", tmp_path / "b.raw")
    with pytest.raises(BadInput, match="satoshi"):
        parse_plain_undo((MAX_MONEY + 1).to_bytes(8, "little") + b"\0", "here")


def test_undo_that_contradicts_the_store_is_refused(tmp_path, chain):
    spent = {key: (value + 1, script) for key, (value, script) in outputs_of(chain.blocks).items()}
    blocks = chain.blocks[14:]
    inside = outputs_of(blocks)
    mixed = outputs_of(chain.blocks) | {key: spent[key] for key in inside}
    rev_file(tmp_path / "rev00000.dat", blocks, mixed)
    with pytest.raises(BadBlock, match="is said to spend"):
        build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", blocks))


@given(st.data())
def test_any_bytes_are_read_or_refused(data):
    chain = random_chain(21, blocks=6)
    record = undo_data(chain.blocks[-1], outputs_of(chain.blocks))
    place = data.draw(st.integers(0, len(record)))
    for raw in (record[:place], record[:place] + data.draw(st.binary(max_size=9)) + record[place:]):
        for parse in (parse_undo, parse_plain_undo):
            with contextlib.suppress(BadInput):
                parse(raw, "here")
