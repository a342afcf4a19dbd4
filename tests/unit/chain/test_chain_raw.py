"""Single blocks as files: bytes, hex, JSON; their heights."""

import json

import pytest
from chain_support import START, build_store, facts_of, random_chain

from shieldwall.chain.proof import claimed_height, parse_header
from shieldwall.chain.regtest import GENESIS, BlockMaker, p2wpkh, seal
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadBlock, BadInput, UsageError
from shieldwall.model.transaction import display


@pytest.fixture(scope="module")
def block():
    return random_chain(2, blocks=10).blocks[-1]


def old_block():
    """A block whose coinbase does not carry its height: version 1."""
    maker = BlockMaker(time=START)
    maker.mine(p2wpkh("a"))
    raw = maker.blocks[1]
    return seal((1).to_bytes(4, "little") + raw[4:72]) + raw[80:]


def test_every_form_of_a_block_is_the_same(tmp_path, block):
    name = display(parse_header(block[:80]).hash)
    forms = {
        "a.raw": block,
        "a.blk": block,
        "a.bin": block,
        "a.dat": block,
        "a.hex": block.hex().encode(),
        "b.hex": (block.hex().upper()[:100] + "\n" + block.hex()[100:] + "\n").encode(),
        "a.json": json.dumps({"hash": name, "block": block.hex()}).encode(),
    }
    digests = set()
    for number, (file, content) in enumerate(forms.items()):
        (tmp_path / file).write_bytes(content)
        build_store(tmp_path / str(number), tmp_path / file)
        digests.add(facts_of(tmp_path / str(number))["digest"])
    assert len(digests) == 1
    assert build_store(tmp_path / "all", *(tmp_path / file for file in forms)).duplicates == len(forms) - 1


def test_heights(tmp_path, block):
    (tmp_path / "new.raw").write_bytes(block)
    (tmp_path / "old.raw").write_bytes(old_block())
    build_store(tmp_path / "unknown", tmp_path / "old.raw")
    assert facts_of(tmp_path / "unknown")["last_height"] is None
    build_store(tmp_path / "given", tmp_path / "old.raw", height=1)
    assert facts_of(tmp_path / "given")["last_height"] == 1
    build_store(tmp_path / "unknown", tmp_path / "old.raw", height=1)  # said later
    assert facts_of(tmp_path / "unknown") == facts_of(tmp_path / "given")
    build_store(tmp_path / "both", tmp_path / "new.raw", tmp_path / "old.raw")
    with ChainStore.open(tmp_path / "both") as store:
        assert store.rows("block") == 2
    with pytest.raises(BadBlock, match="--height says 4"):
        build_store(tmp_path / "c", tmp_path / "new.raw", height=4)
    with pytest.raises(UsageError, match="one block file"):
        build_store(tmp_path / "c", tmp_path / "new.raw", tmp_path / "old.raw", height=4)


def test_pushed_heights():
    assert claimed_height(1, b"\x03\x01\x02\x03") is None
    assert claimed_height(2, b"\x03\xa0\x86\x01") == 100_000
    assert claimed_height(2, b"\x51") == 1
    assert claimed_height(2, b"\x01\x80") is None
    assert claimed_height(2, b"\x03\x01") is None
    assert claimed_height(2, b"") is None


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b'{"block": "00zz"}', "not hex"),
        ("a.json", b'{"merkleroot": 1}', "without a block"),
        ("a.json", b"{" * 5000, "not JSON"),
        ("a.json", json.dumps({"hash": "00" * 32, "block": GENESIS.hex()}).encode(), "names block"),
        ("a.hex", b"0" * 301, "not hex|work"),
        ("a.raw", b"", "smallest block"),
        ("a.raw", bytes(300), "work"),
        ("a.raw", GENESIS + b"\0", "follow the last transaction"),
        ("a.raw", GENESIS[:-1], "a.raw"),
        ("a.raw", GENESIS[:80] + b"\xff" + bytes([255] * 8) + GENESIS[81:], "cannot hold"),
        ("notes.txt", b"hello", "no block file"),
    ],
)
def test_what_is_no_block_is_refused_by_name(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=says) as caught:
        build_store(tmp_path / "c", tmp_path / name)
    assert name in str(caught.value)


def test_a_version_that_looks_like_json(tmp_path):
    maker = BlockMaker(time=START)
    maker.mine(p2wpkh("a"))
    raw = maker.blocks[1]
    (tmp_path / "a.raw").write_bytes(seal(b"{\0\0\x20" + raw[4:72]) + raw[80:])
    assert build_store(tmp_path / "c", tmp_path / "a.raw").blocks == 1


def test_a_folder_skips_what_is_no_source(tmp_path, block):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.raw").write_bytes(block)
    (folder / "readme.txt").write_text("hello")
    (folder / "other.json").write_text('{"some": "thing"}')
    report = build_store(tmp_path / "c", folder)
    assert report.blocks == 1
    assert len(report.notes) == 2
