"""Blocks of Litecoin: work by scrypt, a last transaction with an MWEB part, and an extension behind it."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from chain_support import build_store, facts_of, fork, parse_block, random_chain, write
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldwall.chain.build import build
from shieldwall.chain.proof import merkle_root, parse_header, rules_of, sha256d
from shieldwall.chain.readers.loose import in_order, outputs_of, parse_loose
from shieldwall.chain.regtest import LITECOIN_GENESIS, BlockMaker, p2wpkh, seal
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import without_mweb
from shieldwall.errors import BadBlock, WrongNetwork
from shieldwall.kernels.arrays import BAD_EXTENSION, BAD_VALUE, SEGWIT, DecodeFault, Rules
from shieldwall.kernels.engine import Engine
from shieldwall.model.network import LITECOIN, LITECOIN_REGTEST, MAX_LITECOIN, MAX_MONEY, REGTEST
from shieldwall.model.transaction import internal

MWEB = Rules(MAX_LITECOIN, mweb=True)
FIELDS = ("start", "end", "witness", "flags", "first_input", "first_output", "outpoint", "value", "script_start",
          "script_end", "block_end")  # fmt: skip
EXTENSION = b"\x01" + b"an extension block, whose bytes are left as they are"


def mined(blocks=6):
    maker = BlockMaker(time=1_600_000_000, network=LITECOIN_REGTEST)
    for number in range(blocks):
        maker.mine(p2wpkh(f"miner {number}"))
    return maker


def last_transaction(coin, *, flag=8, part=b"\0", value=None):
    """The transaction that moves what the extension block holds, in the form that litecoind gives it."""
    body = b"\x01" + internal(coin.txid) + coin.index.to_bytes(4, "little") + b"\0" + b"\xff" * 4
    body += (
        b"\x01" + (coin.value if value is None else value).to_bytes(8, "little") + b"\x22\x58\x20" + bytes(range(32))
    )
    raw = b"\x02\0\0\0" + b"\0" + bytes([flag]) + body + part + bytes(4)
    return raw, sha256d(b"\x02\0\0\0" + body + bytes(4))


def extended(maker, behind=EXTENSION, **more):
    """A further block whose last transaction has an MWEB part, with `behind` after it."""
    coin = next(iter(maker.unspent.values()))
    maker.mine(p2wpkh("miner of the extension"))
    block = maker.blocks.pop()
    coinbase = parse_block(block)[0]
    raw, txid = last_transaction(coin, **more)
    root = merkle_root(np.frombuffer(internal(coinbase.txid) + txid, np.uint8).reshape(-1, 32))
    head = block[:36] + root + block[68:72]
    return seal(head, "scrypt") + b"\x02" + coinbase.raw + raw + behind


def decoded(engine, block, rules=MWEB):
    """Columns of a block's transactions and their ids, or the fault."""
    kernels = Engine(engine, rules)
    data = np.frombuffer(block[81:], np.uint8)
    try:
        found = kernels.decode(data, np.array([0]), np.array([block[80]]), np.array([len(data)]))
    except DecodeFault as fault:
        return fault.block, fault.transaction, fault.offset, fault.code
    return [getattr(found, name).tolist() for name in FIELDS], kernels.txids(data, found).tolist()


@pytest.mark.parametrize("behind", [EXTENSION, b"\0", b""])
def test_an_extension_is_passed_over(tmp_path, behind):
    maker = mined()
    block = extended(maker, behind)
    plain = decoded("plain", block)
    assert plain == decoded("compiled", block)
    columns = dict(zip(FIELDS, plain[0], strict=True))
    assert columns["block_end"] == [len(block) - 81]
    assert columns["flags"][-1] & SEGWIT == 0
    for engine in ("plain", "compiled"):
        report = build_store(
            tmp_path / engine,
            write(tmp_path / "blk00000.dat", [*maker.blocks, block], LITECOIN_REGTEST),
            network=None,
            engine=engine,
        )
        assert report.blocks == 8
    assert facts_of(tmp_path / "plain") == facts_of(tmp_path / "compiled")


@pytest.mark.parametrize(
    ("behind", "more"),
    [
        (b"\x01", {}),  # says that there is an extension, and there is none
        (b"\0" + EXTENSION, {}),  # says that there is none
        (b"\x02" + EXTENSION, {}),
        (b"", {"part": b"\x01"}),  # only a transaction that waits holds its own part
    ],
)
def test_an_extension_that_cannot_be(tmp_path, behind, more):
    block = extended(mined(), behind, **more)
    fault = decoded("plain", block)
    assert fault == decoded("compiled", block)
    assert fault[3] == BAD_EXTENSION


def test_only_the_last_transaction_has_such_a_part():
    block = extended(mined(), b"")
    raw = last_transaction(next(iter(mined().unspent.values())))[0]
    doubled = block[:80] + b"\x03" + block[81:] + raw
    fault = decoded("plain", doubled)
    assert fault == decoded("compiled", doubled)
    assert fault[1:4:2] == (1, BAD_EXTENSION)


def test_bitcoin_has_no_such_thing():
    for behind in (EXTENSION, b"\0", b""):
        block = extended(mined(), behind)
        assert decoded("plain", block, Rules()) == decoded("compiled", block, Rules())
        assert isinstance(decoded("plain", block, Rules()), tuple)


@settings(max_examples=200)
@given(st.integers(0, 1 << 16), st.sampled_from(["flip", "cut", "insert"]), st.binary(min_size=1, max_size=6))
def test_the_twins_agree_on_damaged_blocks(place, how, bytes_):
    block = BLOCK
    at = 81 + place % (len(block) - 81)
    if how == "flip":
        block = block[:at] + bytes([block[at] ^ (bytes_[0] or 1)]) + block[at + 1 :]
    elif how == "cut":
        block = block[:at]
    else:
        block = block[:at] + bytes_ + block[at:]
    for rules in (MWEB, Rules()):
        assert decoded("plain", block, rules) == decoded("compiled", block, rules)


BLOCK = extended(mined(3))


def test_amounts_beyond_bitcoins_limit():
    for value, faults in ((MAX_MONEY + 1, False), (MAX_LITECOIN, False), (MAX_LITECOIN + 1, True)):
        block = extended(mined(), value=value)
        found = decoded("plain", block)
        assert found == decoded("compiled", block)
        assert (found[-1] == BAD_VALUE) == faults


def test_litecoins_regtest_is_told_from_bitcoins_by_its_first_block(tmp_path):
    maker = mined()
    build_store(tmp_path / "lite", write(tmp_path / "blk00000.dat", maker.blocks, LITECOIN_REGTEST), network=None)
    assert facts_of(tmp_path / "lite")["network"] == "litecoin-regtest"
    chain = random_chain(1, blocks=3)
    build_store(tmp_path / "bit", write(tmp_path / "blk00001.dat", chain.blocks), network=None)
    assert facts_of(tmp_path / "bit")["network"] == "regtest"
    with pytest.raises(WrongNetwork, match="is of litecoin-regtest"):
        build_store(tmp_path / "bit", tmp_path / "blk00000.dat", network=None)
    write(tmp_path / "blk00002.dat", maker.blocks[3:], LITECOIN_REGTEST)
    with pytest.raises(BadBlock, match="does not carry the work") as caught:
        build_store(tmp_path / "none", tmp_path / "blk00002.dat", network=None)
    assert "litecoin-regtest counts it: say --network" in caught.value.hint
    build_store(tmp_path / "part", tmp_path / "blk00002.dat", network=LITECOIN_REGTEST)
    build_store(tmp_path / "two", tmp_path / "blk00000.dat", tmp_path / "blk00002.dat", network=None)
    assert facts_of(tmp_path / "two")["blocks"] == 7


def test_work_is_scrypt():
    assert parse_header(LITECOIN_GENESIS[:80]).carries_work("scrypt")
    headers = [parse_header(block[:80]) for block in mined(20).blocks]
    assert all(header.carries_work("scrypt") for header in headers)
    assert not all(header.carries_work("sha256d") for header in headers)  # each has it by chance, one time in two
    assert not parse_header(bytes(80)).carries_work("scrypt")


def test_a_reorganisation_of_litecoin(tmp_path):
    maker = mined()
    build_store(tmp_path / "store", write(tmp_path / "blk00000.dat", maker.blocks, LITECOIN_REGTEST), network=None)
    other = BlockMaker(time=maker.time, network=LITECOIN_REGTEST, blocks=maker.blocks[:4])
    for number in range(5):
        other.mine(p2wpkh(f"other {number}"))
    write(tmp_path / "blk00000.dat", other.blocks, LITECOIN_REGTEST)
    report = build_store(tmp_path / "store", tmp_path / "blk00000.dat", network=None)
    assert (report.rolled_back, report.blocks) == (3, 5)


def test_single_blocks_of_litecoin(tmp_path):
    maker = mined()
    for height, block in enumerate([*maker.blocks, extended(maker)]):
        (tmp_path / f"{height}.{'raw' if height % 2 else 'hex'}").write_bytes(
            block if height % 2 else block.hex().encode()
        )
    build(tmp_path / "store", [str(tmp_path)], network=LITECOIN_REGTEST)
    assert facts_of(tmp_path / "store")["blocks"] == 8
    with pytest.raises(BadBlock, match="does not carry the work"):
        build(tmp_path / "bitcoin", [str(tmp_path)], network=REGTEST)


def test_a_store_with_an_extension_is_written_anew_from_itself(tmp_path):
    maker = mined()
    block = extended(maker)
    write(tmp_path / "blk00000.dat", [*maker.blocks[:3], *maker.blocks[5:], block], LITECOIN_REGTEST)
    build_store(tmp_path / "store", tmp_path / "blk00000.dat", network=None)
    (tmp_path / "blk00000.dat").unlink()
    report = build_store(
        tmp_path / "store", write(tmp_path / "blk00001.dat", maker.blocks[3:5], LITECOIN_REGTEST), network=None
    )
    assert report.blocks >= 2
    write(tmp_path / "blk00000.dat", [*maker.blocks, block], LITECOIN_REGTEST)
    build_store(tmp_path / "whole", tmp_path / "blk00000.dat", network=None)
    build_store(tmp_path / "store", tmp_path / "blk00000.dat", network=None)
    with ChainStore.open(tmp_path / "store") as store, ChainStore.open(tmp_path / "whole") as whole:
        assert store.digest == whole.digest


def test_one_that_moves_the_extension_comes_last():
    coin = next(iter(mined().unspent.values()))
    raw, txid = last_transaction(coin)
    first = parse_loose(raw, (), "here", rules_of(LITECOIN))
    assert first.txid == txid
    others = [
        parse_loose(parsed.raw, (), "here")
        for block in random_chain(3, blocks=6).blocks
        for parsed in parse_block(block)
        if not parsed.coinbase
    ]
    assert in_order([first, *others])[-1] == first
    with pytest.raises(BadBlock):
        parse_loose(raw, (), "here")
    assert outputs_of(raw, "here", rules_of(LITECOIN)) == [(coin.value, b"\x58\x20" + bytes(range(32)))]


def test_a_waiting_transaction_without_its_part():
    coin = next(iter(mined().unspent.values()))
    raw, txid = last_transaction(coin, part=b"\x01" + bytes(range(200)))
    bare = without_mweb(raw, LITECOIN)
    assert parse_loose(bare, (), "here", rules_of(LITECOIN)).txid == txid
    assert without_mweb(raw, REGTEST) == raw
    assert without_mweb(b"\x02\0\0\0\0\x08\0\0\x01" + bytes(200), LITECOIN) is None
    with pytest.raises(BadBlock):
        without_mweb(raw[:40], LITECOIN)
    assert without_mweb(raw[:3], LITECOIN) == raw[:3]


@given(st.binary(max_size=80))
def test_no_waiting_transaction_brings_it_down(tail):
    for flag in (8, 9):
        with contextlib.suppress(BadBlock):
            without_mweb(b"\x02\0\0\0\0" + bytes([flag]) + tail, LITECOIN)


def test_forks_of_the_simulated_chain_stay_bitcoins():
    assert fork(random_chain(1, blocks=2), 1, 0, blocks=1).network == REGTEST
