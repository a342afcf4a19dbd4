"""The same chain in its other forms: nothing differs but what the form itself leaves out."""

import json
from decimal import Decimal

import numpy as np
import pytest
from simulator_support import rows, small_folder, small_plan, value

import simulator
from shieldwall.chain.proof import merkle_root, sha256d
from shieldwall.chain.regtest import GENESIS, txid_of
from shieldwall.errors import UsageError
from shieldwall.model import address
from shieldwall.model.network import REGTEST
from shieldwall.model.script import classify
from shieldwall.model.transaction import display, internal
from simulator.blocks import make_blocks
from simulator.nodewords import asm

COIN = 10**8


def rpc_blocks():
    for path in sorted((small_folder() / "rpc").glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def etl(name):
    return [json.loads(line) for line in (small_folder() / "etl" / name).read_text(encoding="utf-8").splitlines()]


def stripped(raw):
    """A transaction's bytes without its witness, by a decoder of our own."""
    if raw[4:6] != b"\0\1":
        return raw
    place = 6

    def count():
        nonlocal place
        first = raw[place]
        size = {0xFD: 2, 0xFE: 4}.get(first, 0)
        number = int.from_bytes(raw[place + 1 : place + 1 + size], "little") if size else first
        place += 1 + size
        return number

    for _ in range(count()):
        place += 36
        size = count()
        place += size + 4
    for _ in range(count()):
        place += 8
        size = count()
        place += size
    return raw[:4] + raw[6:place] + raw[-4:]


def test_rpc_answers_hold_the_blocks():
    previous = None
    for answer, block in zip(rpc_blocks(), make_blocks(small_plan(), wtxids=True), strict=True):
        assert answer["height"] == block.height
        assert answer["hash"] == display(block.hash)
        assert answer.get("previousblockhash") == previous
        previous = answer["hash"]
        raws = [bytes.fromhex(tx["hex"]) for tx in answer["tx"]]
        assert block.raw.endswith(b"".join(raws))
        assert (answer["size"], answer["nTx"]) == (len(block.raw), len(raws))
        assert answer["strippedsize"] == len(block.raw) - sum(map(len, raws)) + sum(len(stripped(raw)) for raw in raws)
        txids = [internal(tx["txid"]) for tx in answer["tx"]]
        assert [sha256d(stripped(raw)) for raw in raws] == txids
        assert [display(sha256d(raw)) for raw in raws] == [tx["hash"] for tx in answer["tx"]]
        assert display(merkle_root(np.frombuffer(b"".join(txids), np.uint8).reshape(-1, 32))) == answer["merkleroot"]


def test_rpc_answers_know_what_inputs_spend():
    paid = {}
    for answer in rpc_blocks():
        for tx in answer["tx"]:
            spent = Decimal(0)
            for entry in tx["vin"]:
                if "coinbase" not in entry:
                    before = paid.pop((entry["txid"], entry["vout"]))
                    assert entry["prevout"]["value"] == before[0]
                    assert entry["prevout"]["scriptPubKey"] == before[1]
                    assert entry["prevout"]["height"] == before[2]
                    assert entry["prevout"]["generated"] == before[3]
                    spent += before[0]
            for entry in tx["vout"]:
                generated = "coinbase" in tx["vin"][0]
                paid[tx["txid"], entry["n"]] = entry["value"], entry["scriptPubKey"], answer["height"], generated
            if spent:
                assert tx["fee"] == spent - sum(entry["value"] for entry in tx["vout"])
            assert tx["vsize"] == (tx["weight"] + 3) // 4


def test_scripts_in_words():
    for answer in list(rpc_blocks())[-3:]:
        for tx in answer["tx"]:
            for entry in tx["vout"]:
                script = classify(bytes.fromhex(entry["scriptPubKey"]["hex"]))
                assert entry["scriptPubKey"].get("address") == address.encode(script, REGTEST)
    assert (
        asm(bytes.fromhex("76a914" + "00" * 20 + "88ac")) == f"OP_DUP OP_HASH160 {'00' * 20} OP_EQUALVERIFY OP_CHECKSIG"
    )
    assert asm(bytes.fromhex("5120" + "11" * 32)) == f"1 {'11' * 32}"
    assert asm(bytes([71, 0x30]) + bytes(69) + b"\1") == "30" + "00" * 69 + "[ALL]"


def test_block_0_is_regtests_own():
    first = next(rpc_blocks())
    assert first["hash"] == REGTEST.genesis
    assert first["tx"][0]["txid"] == txid_of(GENESIS[81:])


def test_etl_lines_are_the_transactions():
    lines = etl("transactions.json")
    answers = [tx for answer in rpc_blocks() for tx in answer["tx"]]
    assert [line["hash"] for line in lines] == [tx["txid"] for tx in answers]
    for line, row in zip(lines, rows(), strict=True):
        assert [entry["value"] for entry in line["outputs"]] == [value(output) for output in row.makes]
        assert line["input_count"] == len(line["inputs"]) == len(row.spends)
        assert all(len(entry["addresses"]) == 1 for entry in line["outputs"])
        assert all(entry["value"] is None for entry in line["inputs"])
    heads = etl("blocks.json")
    assert sum(head["transaction_count"] for head in heads) == len(lines)
    assert [head["number"] for head in heads] == list(range(small_plan().blocks))


def test_etl_has_the_fields_of_the_original(shared_data):
    folder = shared_data / "bitcoin" / "bitcoin-etl" / "block_with_transactions"
    for name in ("blocks.json", "transactions.json"):
        original = json.loads((folder / f"expected_{name}").read_text(encoding="utf-8").splitlines()[-1])
        ours = etl(name)[-1]
        assert set(ours) == set(original)
        for part in ("inputs", "outputs"):
            if original.get(part):
                assert set(ours[part][0]) == set(original[part][0])


test_etl_has_the_fields_of_the_original = pytest.mark.needs("shared")(test_etl_has_the_fields_of_the_original)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("parquet") / "chain"
    simulator.make(folder, transactions=3000, forms=("parquet",))
    return folder / "parquet"


def tables(folder, name):
    import pyarrow as pa
    from pyarrow import parquet as files

    found = sorted((folder / name).glob("date=*/*.snappy.parquet"))
    return pa.concat_tables([files.read_table(path, partitioning=None) for path in found]).to_pylist()


def test_parquet_holds_the_same_chain(parquet):
    answers = [(answer, tx) for answer in rpc_blocks() for tx in answer["tx"]]
    found = tables(parquet, "transactions")
    assert len(found) == len(answers)
    for row, (answer, tx) in zip(found, answers, strict=True):
        assert row["hash"] == tx["hash"]  # the wtxid
        assert (row["block_hash"], row["block_number"]) == (answer["hash"], answer["height"])
        assert (row["size"], row["virtual_size"]) == (tx["size"], tx["vsize"])
        assert (row["version"], row["lock_time"]) == (tx["version"], tx["locktime"])
        assert row["is_coinbase"] is ("coinbase" in tx["vin"][0])
        for entry, said in zip(row["outputs"], tx["vout"], strict=True):
            script = said["scriptPubKey"]
            assert (entry["script_hex"], entry["script_asm"]) == (script["hex"], script["asm"])
            assert (entry["address"], entry["type"]) == (script.get("address"), script["type"])
            assert (entry["index"], round(entry["value"] * COIN)) == (said["n"], said["value"] * COIN)
        if row["is_coinbase"]:
            assert (row["inputs"], row["input_value"], row["fee"]) == (None, None, None)
            continue
        assert round(row["fee"] * COIN) == tx["fee"] * COIN
        for entry, said in zip(row["inputs"], tx["vin"], strict=True):
            before = said["prevout"]
            assert (entry["spent_transaction_hash"], entry["spent_output_index"]) == (said["txid"], said["vout"])
            assert (entry["script_hex"], entry["script_asm"]) == (said["scriptSig"]["hex"], said["scriptSig"]["asm"])
            assert (entry["sequence"], entry["address"]) == (said["sequence"], before["scriptPubKey"].get("address"))
            assert round(entry["value"] * COIN) == before["value"] * COIN


def test_parquet_blocks_are_the_blocks(parquet):
    for row, answer in zip(tables(parquet, "blocks"), rpc_blocks(), strict=True):
        assert (row["hash"], row["number"], row["merkle_root"]) == (
            answer["hash"],
            answer["height"],
            answer["merkleroot"],
        )
        assert (row["size"], row["stripped_size"], row["weight"]) == (
            answer["size"], answer["strippedsize"], answer["weight"],
        )  # fmt: skip
        assert row["coinbase_param"] == answer["tx"][0]["vin"][0]["coinbase"]
        assert (row["nonce"], row["bits"]) == (answer["nonce"], answer["bits"])
        assert int(row["timestamp"].timestamp() if row["timestamp"].tzinfo else 0) >= 0
        assert row["previousblockhash"] == answer.get("previousblockhash")


def test_parquet_can_hold_txids(tmp_path):
    pytest.importorskip("pyarrow")
    simulator.make(tmp_path / "chain", transactions=3000, forms=("parquet",), hash="txid")
    found = [row["hash"] for row in tables(tmp_path / "chain" / "parquet", "transactions")]
    assert found == [tx["txid"] for answer in rpc_blocks() for tx in answer["tx"]]


def test_a_missing_pyarrow_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pyarrow"):
        simulator.make(tmp_path / "chain", transactions=1000, forms=("parquet",))
