"""Write what the fuzz targets begin with into `corpus/TARGET/`: a few hundred bytes each, made here, none of them real.

    python fuzz/make_corpus.py [TARGET...]

What a run finds worth keeping may lie beside them under a name of its own; this leaves other files as they are.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
for folder in ("tests/simulators", "tests/unit/intel", "tests/unit/node", "tests/unit/cases", "fuzz"):
    sys.path.append(str(ROOT / folder))

import numpy as np  # noqa: E402
from casework_targets import casework_seeds  # noqa: E402
from chain_support import Esplora, outputs_of, parse_block, plain_undo, rev_file, undo_data, write  # noqa: E402
from document_support import mail, pdf, telegram  # noqa: E402
from fuzz_targets import CHANGE, TARGETS, chain, parcel_parts, read_all, store_files  # noqa: E402
from intel_support import pack  # noqa: E402
from node_seeds import node_seeds  # noqa: E402
from node_support import SimulatedNode, block_json  # noqa: E402
from sharing_targets import sharing_seeds  # noqa: E402

from shieldwall.chain.readers.facts import FORMAT as FACTS  # noqa: E402
from shieldwall.chain.readers.rpc import RpcReader  # noqa: E402
from shieldwall.chain.readers.rpc_client import RpcClient  # noqa: E402
from shieldwall.chain.regtest import GENESIS  # noqa: E402
from shieldwall.model.network import REGTEST  # noqa: E402

CORPUS = ROOT / "fuzz" / "corpus"
ADDRESS = "1Archive1n2C579dMsAu3iC6tWzuQJz8dN"
PACK = pack(f"- address: {ADDRESS}\n- address: 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo\n  category: exchange\n")
ACTORS = b"title: A\ncreator: B\nactors:\n- id: x\n  label: X\n  uri: https://x.example\n  categories: [exchange]\n"
CLAIM = {
    "subject": {"kind": "output", "name": "ab" * 32 + ":0", "chain": "x"},
    "kind": "hop",
    "statement": {"by": "cd" * 32},
}


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """The seeds of each target; `folder` is for files on the way."""
    maker = chain()
    blocks, few = maker.blocks, maker.blocks[-3:]
    spent, esplora = outputs_of(blocks), Esplora(blocks)
    busy = max(few, key=len)
    parsed = parse_block(busy)[-1]
    answers = [esplora.transaction(parsed.txid), esplora.outspends(parsed.txid)]
    height = blocks.index(busy)
    facts = {"block": {"height": height, "hash": esplora.status(height)["block_hash"], "time": 1}, "transactions": []}
    heading = {"format": FACTS, "network": "regtest"}
    node = SimulatedNode(blocks[:3])
    asked: list[bytes] = []

    def recording(body: bytes) -> bytes:
        answer = node.post(body)
        asked.extend(json.dumps(one["result"]).encode() for one in json.loads(answer))
        return answer

    read_all(RpcReader(RpcClient("rpc://127.0.0.1:1", post=recording), REGTEST))
    parcel, _ = parcel_parts()
    _, files = store_files()
    manifest = next(data for path, data in files.items() if path.name == "manifest.json")
    epoch = next(data for path, data in files.items() if path.name == "epoch-000000.json")
    tag_files = tag_set_files(folder)
    answer = json.dumps([{"id": 0, "result": 5, "error": None}, {"id": 1, "result": {}, "error": None}]).encode()
    return {
        "block_file": [write(folder / "b", few).read_bytes() + bytes(9)],
        "undo_file": [rev_file(folder / "r", few, spent).read_bytes()[:-900]],
        "undo_record": [undo_data(busy, spent)],
        "plain_undo": [plain_undo(busy, spent)],
        "key_file": [bytes(8), b"12345678"],
        "raw_block": [GENESIS, busy],
        "hex_block": [GENESIS.hex().encode()],
        "json_block": [json.dumps({"block": GENESIS.hex()}).encode()],
        "transaction": [parsed.raw, parse_block(busy)[0].raw],
        "esplora_file": [json.dumps(answer).encode() for answer in answers],
        "esplora_http": [b"25\n" + b"\n".join(json.dumps(answer).encode() for answer in answers)],
        "rpc_file": [json.dumps(block_json(GENESIS, 0, 2)).encode(), json.dumps(block_json(GENESIS, 0, 0)).encode()],
        "rpc_answer": [answer, b'[{"id": 0, "error": {"code": -8, "message": "x"}}]'],
        "rpc_node": [b"\n".join(asked)],
        "facts": ["\n".join(json.dumps(line) for line in (heading, facts)).encode()],
        "bitcoin_etl": etl_lines(folder, blocks[:4]),
        "parquet": parquet_files(folder, blocks[:3]),
        "store_manifest": [manifest],
        "store_fields": [b'{"since": 3}', b'{"rows": {"tx": 1}}', b'{"carries": {"holder_end": [1]}}'],
        "store_bytes": [CHANGE.pack(number, 7 * number, 1 << number % 8) for number in range(0, 60, 20)],
        "epoch_file": [epoch],
        "unconfirmed": [unconfirmed_layer(parsed.raw, parsed.txid)],
        "parcel_heading": [parcel.path.read_bytes()],
        "parcel_fields": [epoch],
        "parcel_columns": [b"", CHANGE.pack(3, 5, 1), CHANGE.pack(9, 2, 64) + CHANGE.pack(11, 2, 64)],
        "tagpack": [PACK],
        "actorpack": [ACTORS],
        "csvtags": [f"address,label,category\n{ADDRESS},x,exchange\n".encode()],
        "addresslist": [f"# x\n{ADDRESS}\n".encode()],
        "tag_manifest": tag_files[:1],
        "tag_set": tag_files[1:],
        "yaml": [PACK, b"a: &x [1, 2.5, null, 2020-01-01]\nb: |\n  text\n"],
        "directory": [(ROOT / "src/shieldwall/intel/data/freeze_directory.toml").read_bytes()[:1500]],
        "rates": [b"Date,Close\n2020-01-01,7200.17\n", b"Date,USD,GBP,\n02 January 2020,1.1193,0.84828,\n"],
        "published": [json.dumps(CLAIM).encode()],
        "mail": [mail().as_bytes()],
        "mailbox": [b"From a Mon May 10 12:00:00 2021\n" + mail().as_bytes()[:600]],
        "page": [f"<html><p>{ADDRESS[:9]}<wbr>{ADDRESS[9:]}<a href='bitcoin:{ADDRESS}'>x</a></p>".encode()],
        "table": [f'id,address\n1,{ADDRESS}\n2,"x\n{ADDRESS}"\n'.encode()],
        "json_text": [json.dumps(telegram()).encode()],
        "pdf": [pdf(ADDRESS, link=f"bitcoin:{ADDRESS}")],
        "words": [ADDRESS.encode(), b"p2pk:02" + b"ab" * 32, b"2021-05-08T10:00:00Z", b"TLP:AMBER"],
        "script": [bytes.fromhex("76a914" + "ab" * 20 + "88ac"), bytes.fromhex("5120" + "cd" * 32)],
        "settings": [b'chain = "x"\nengine = "plain"\n'],
    }


def etl_lines(folder: Path, blocks: list[bytes]) -> list[bytes]:
    """Lines of bitcoin-etl, plain and compressed."""
    from chain_support import build_store

    from shieldwall.chain.etl import write_etl
    from shieldwall.chain.store import ChainStore

    build_store(folder / "etl", write(folder / "e", blocks).rename(folder / "blk00000.dat"))
    with ChainStore.open(folder / "etl") as store:
        write_etl(store, folder / "lines")
    lines = b"".join(path.read_bytes() for path in sorted((folder / "lines").iterdir()))
    return [lines, gzip.compress(lines, mtime=0)]


def parquet_files(folder: Path, blocks: list[bytes]) -> list[bytes]:
    """Both tables."""
    from tables_support import tables, write_tables

    write_tables(folder / "tables", *tables(blocks))
    return [path.read_bytes() for path in sorted((folder / "tables").rglob("*.parquet"))]


def unconfirmed_layer(raw: bytes, txid: str) -> bytes:
    """The layer of one waiting transaction."""
    at = "2021-05-08T10:00:00Z"
    body: dict[str, Any] = {
        "format": "shieldwall-unconfirmed/1", "network": "regtest", "node": "x", "seen_at": at, "tip_height": 5,
        "tip_hash": "ab" * 32, "left_out": 0, "hidden": [],
        "transactions": [{"txid": txid, "raw": raw.hex(), "first_seen": at}],
    }  # fmt: skip
    return json.dumps(body).encode()


def tag_set_files(folder: Path) -> list[bytes]:
    """The manifest of a tag set; its index and claims."""
    from shieldwall.intel.tagset import TagSets

    home = folder / "tags"
    (folder / "pack.yaml").write_bytes(PACK)
    TagSets(home).import_files([folder / "pack.yaml"], set_name="x")
    manifest = next(home.rglob("manifest.json"))
    index, claims = next(home.rglob("index.npy")), next(home.rglob("claims.jsonl"))
    assert np.load(index).shape[0] == 4
    return [manifest.read_bytes(), index.read_bytes() + b"\n--\n" + claims.read_bytes()]


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as folder:
        found = seeds(Path(folder)) | node_seeds() | casework_seeds() | sharing_seeds()
    assert set(found) == set(TARGETS), set(found) ^ set(TARGETS)
    for name, contents in found.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        home = CORPUS / name
        home.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(contents):
            (home / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
