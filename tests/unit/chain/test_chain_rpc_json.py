"""Saved `getblock` answers: with raw transactions and without, with what was spent and without."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import pytest
from chain_support import build_store, facts_of, outputs_of, parse_block, random_chain, rev_file, write
from hypothesis import given, settings
from hypothesis import strategies as st
from node_support import block_json, numbers

from shieldwall.chain.build import build
from shieldwall.chain.readers import rpc_json
from shieldwall.chain.readers.interface import Place
from shieldwall.chain.readers.jsonfields import amount_field, parse_json
from shieldwall.chain.readers.rpc_files import looks_like_rpc_block
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadBlock, BadInput, BadText, ShieldwallError
from shieldwall.model.network import COIN, MAIN, MAX_MONEY, REGTEST

FIELDS = (
    "vin",
    "vout",
    "version",
    "locktime",
    "sequence",
    "txid",
    "n",
    "value",
    "scriptPubKey",
    "scriptSig",
    "tx",
    "bits",
    "time",
)


@pytest.fixture(scope="module")
def chain():
    return random_chain(19, blocks=9)


def save(folder, chain, heights, verbosity, *, with_hex=True, wrap=False):
    folder.mkdir()
    spent = outputs_of(chain.blocks)
    for height in heights:
        body = block_json(chain.blocks[height], height, verbosity, spent, with_hex=with_hex)
        text = json.dumps({"result": body, "error": None, "id": 1} if wrap else body)
        (folder / f"{height}.json").write_text(numbers(text))
    return folder


@pytest.mark.parametrize("with_hex", [True, False])
@pytest.mark.parametrize("wrap", [True, False])
def test_answers_and_block_files_give_one_store(tmp_path, chain, with_hex, wrap):
    folder = save(tmp_path / "answers", chain, range(len(chain.blocks)), 2, with_hex=with_hex, wrap=wrap)
    build_store(tmp_path / "saved", folder)
    build_store(tmp_path / "files", write(tmp_path / "blk00000.dat", chain.blocks))
    assert facts_of(tmp_path / "saved") == facts_of(tmp_path / "files")


def test_what_was_spent_comes_with_verbosity_three(tmp_path, chain):
    heights = range(5, len(chain.blocks))
    assert build_store(tmp_path / "three", save(tmp_path / "answers", chain, heights, 3)).unresolved == 0
    part = [chain.blocks[height] for height in heights]
    rev_file(tmp_path / "rev00000.dat", part, outputs_of(chain.blocks))
    build_store(tmp_path / "files", write(tmp_path / "blk00000.dat", part))
    assert facts_of(tmp_path / "three") == facts_of(tmp_path / "files")
    assert build_store(tmp_path / "two", save(tmp_path / "less", chain, heights, 2)).unresolved > 0


def test_txids_in_place_of_transactions(tmp_path, chain):
    folder = save(tmp_path / "answers", chain, [1], 1)
    with pytest.raises(BadInput, match="JSON without a block") as caught:
        build_store(tmp_path / "store", folder)
    assert "getblock HASH 2" in caught.value.hint
    with pytest.raises(BadText, match="a txid in place of a transaction"):
        rpc_json.transactions({"tx": ["00" * 32]}, "here", REGTEST)


def changed(chain, change, *, with_hex=False):
    body = json.loads(numbers(json.dumps(block_json(chain.blocks[3], 3, 2, with_hex=with_hex))), parse_float=Decimal)
    change(body)
    return body


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: body["tx"][0]["vout"][0].update(value=Decimal("0.000000001")), "no amount in whole satoshi"),
        (lambda body: body["tx"][0]["vout"][0].update(value=21_000_001), "no amount in whole satoshi"),
        (lambda body: body["tx"][0]["vout"][0].update(value="1"), "expected an amount"),
        (lambda body: body["tx"][0]["vout"][0].update(n=1), "not in their order"),
        (lambda body: body["tx"][0]["vin"][0].update(sequence=-1), "not between"),
        (lambda body: body["tx"][0]["vin"][0].update(coinbase="0g"), "expected hex"),
        (lambda body: body.update(tx=[3]), "expected an object"),
        (lambda body: body.pop("tx"), "expected a list"),
    ],
)
def test_a_field_that_is_wrong_is_named(chain, change, words):
    with pytest.raises(BadText, match=words):
        rpc_json.transactions(changed(chain, change), "here", REGTEST)


def test_a_changed_amount_does_not_make_the_merkle_root(tmp_path, chain):
    body = changed(chain, lambda body: body["tx"][0]["vout"][0].update(value=1))
    (tmp_path / "block.json").write_text(json.dumps(body, default=float))
    with pytest.raises(BadBlock, match="merkle root"):
        build_store(tmp_path / "store", tmp_path / "block.json")


@given(st.integers(0, MAX_MONEY))
def test_amounts_are_exact(satoshi):
    text = f"{satoshi // COIN}.{satoshi % COIN:08}"
    assert amount_field(parse_json(f'{{"v": {text}}}', "here"), "v", "here", most=MAX_MONEY) == satoshi


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=9) | st.booleans())
def test_an_amount_is_whole_satoshi_or_an_error(value):
    try:
        found = amount_field({"v": value}, "v", "here", most=MAX_MONEY)
    except BadText:
        return
    assert 0 <= found <= MAX_MONEY
    assert Decimal(found).scaleb(-8) == value


ODD: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.none(), max_size=2) | st.builds(dict)
)


@settings(max_examples=150)
@given(data=st.data())
def test_no_answer_brings_it_down(chain, data):
    body = changed(chain, lambda _: None, with_hex=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        place = body
        for _ in range(data.draw(st.integers(0, 4))):
            inner = [
                value
                for value in (place.values() if isinstance(place, dict) else place)
                if isinstance(value, dict | list)
            ]
            if not inner:
                break
            place = data.draw(st.sampled_from(inner))
        if isinstance(place, dict):
            place[data.draw(st.sampled_from(FIELDS))] = data.draw(ODD)
        elif place:
            place[data.draw(st.integers(0, len(place) - 1))] = data.draw(ODD)
    for read in (
        lambda: rpc_json.header(body, Place("here"), REGTEST),
        lambda: rpc_json.transactions(body, "here", REGTEST),
        lambda: rpc_json.previous_outputs(body, "here", REGTEST),
        lambda: rpc_json.outpoints(body, "here"),
    ):
        with contextlib.suppress(ShieldwallError):
            read()


@given(st.binary(max_size=60))
def test_no_file_brings_it_down(tmp_path_factory, tail):
    folder = tmp_path_factory.mktemp("odd")
    path = folder / "block.json"
    path.write_bytes(b'{"merkleroot": "", "tx": [{' + tail)
    with pytest.raises(ShieldwallError):
        build_store(folder / "store", path)


def test_what_looks_like_an_answer():
    assert looks_like_rpc_block('{"hash": "", "merkleroot": "ab", "nTx": 1, "tx": [ {')
    assert not looks_like_rpc_block('{"hash": "", "merkleroot": "ab", "nTx": 1, "tx": [ "00')
    assert not looks_like_rpc_block('{"merkleroot": "ab", "block": "00"}')
    assert not looks_like_rpc_block('[{"txid": "", "vin": []}]')


@pytest.mark.needs("shared")
def test_recorded_answers_of_a_node(tmp_path, shared_data):
    """Blocks 50001 and 50002 with raw transactions, blocks 0 and 1 without: recorded by the bitcoin-etl project."""
    recorded = shared_data / "bitcoin" / "bitcoin-etl"
    files = [
        path
        for folder in ("block_0", "block_1", "block_with_transactions")
        for path in sorted((recorded / folder).glob("rpc_response_getblock_*_2.json"))
    ]
    assert len(files) == 4
    report = build(tmp_path / "store", [str(path) for path in files], network=MAIN)
    assert (report.blocks, report.missing) == (4, [(2, 50_000)])
    with ChainStore.open(tmp_path / "store") as store:
        assert store.tip_height == 50_002
        expected = json.loads(
            (recorded / "block_with_transactions" / "expected_transactions.json").read_text().splitlines()[0]
        )
        assert store.find_transaction(bytes.fromhex(expected["hash"])[::-1]) is not None


@pytest.mark.needs("shared")
def test_a_recorded_answer_without_transactions(tmp_path, shared_data):
    (path,) = (shared_data / "bitcoin" / "bitcoin-etl" / "stream_50001_50002").glob("*_None.json")
    with pytest.raises(BadInput, match="JSON without a block"):
        build(tmp_path / "store", [str(path)], network=MAIN)


def test_transactions_come_back_byte_by_byte(chain):
    for height, block in enumerate(chain.blocks):
        body = json.loads(numbers(json.dumps(block_json(block, height, 2, with_hex=False))), parse_float=Decimal)
        assert rpc_json.transactions(body, "here", REGTEST) == [parsed.raw for parsed in parse_block(block)]
