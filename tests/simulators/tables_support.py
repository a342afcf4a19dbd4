"""Chains as tables: rows as the AWS public blockchain data set describes them, written as Parquet.

Written from the data set's published schema, no outside sample: doubles of bitcoins, one nullable address, no input for a
coinbase, and in `hash` what Bitcoin Core calls hash (the wtxid) or the txid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from chain_support import Parsed, outputs_of, parse_block

from shieldwall.chain.proof import parse_header, sha256d
from shieldwall.model.address import encode
from shieldwall.model.network import COIN, REGTEST, Network
from shieldwall.model.script import ScriptKind, classify
from shieldwall.model.transaction import display

TYPES = {
    ScriptKind.P2PK: "pubkey",
    ScriptKind.P2PKH: "pubkeyhash",
    ScriptKind.P2SH: "scripthash",
    ScriptKind.MULTISIG: "multisig",
    ScriptKind.P2WPKH: "witness_v0_keyhash",
    ScriptKind.P2WSH: "witness_v0_scripthash",
    ScriptKind.P2TR: "witness_v1_taproot",
    ScriptKind.WITNESS: "witness_unknown",
    ScriptKind.OP_RETURN: "nulldata",
    ScriptKind.OTHER: "nonstandard",
}

Row = dict[str, Any]


def block_row(block: bytes, height: int) -> Row:
    header = parse_header(block[:80])
    transactions = parse_block(block)
    when = dt.datetime.fromtimestamp(header.time, dt.UTC).replace(tzinfo=None)
    return {
        "hash": display(header.hash),
        "size": len(block),
        "stripped_size": len(block),
        "weight": 4 * len(block),
        "number": height,
        "version": header.version,
        "merkle_root": display(header.merkle_root),
        "timestamp": when,
        "nonce": int.from_bytes(header.raw[76:80], "little"),
        "bits": header.raw[72:76][::-1].hex(),
        "coinbase_param": transactions[0].inputs[0].script.hex(),
        "transaction_count": len(transactions),
        "mediantime": when,
        "difficulty": 1.0,
        "chainwork": "00",
        "previousblockhash": display(header.previous) if height else None,
    }


def transaction_rows(
    block: bytes, height: int, paid: dict[tuple[str, int], tuple[int, bytes]], *, wtxid: bool, network: Network
) -> list[Row]:
    header = parse_header(block[:80])
    rows = []
    for index, parsed in enumerate(parse_block(block)):
        outputs = [_output(place, value, script, network) for place, (value, script) in enumerate(parsed.outputs)]
        rows.append(
            {
                "hash": display(sha256d(parsed.raw)) if wtxid else parsed.txid,
                "size": len(parsed.raw),
                "virtual_size": len(parsed.raw),
                "version": parsed.version,
                "lock_time": parsed.locktime,
                "block_hash": display(header.hash),
                "block_number": height,
                "block_timestamp": dt.datetime.fromtimestamp(header.time, dt.UTC).replace(tzinfo=None),
                "index": index,
                "input_count": 0 if parsed.coinbase else len(parsed.inputs),
                "output_count": len(outputs),
                "output_value": sum(value for value, _ in parsed.outputs) / COIN,
                "is_coinbase": parsed.coinbase,
                "inputs": None if parsed.coinbase else _inputs(parsed, paid, network),
                "outputs": outputs,
            }
        )
    return rows


def _inputs(parsed: Parsed, paid: dict[tuple[str, int], tuple[int, bytes]], network: Network) -> list[Row]:
    rows = []
    for number, entry in enumerate(parsed.inputs):
        spent = paid.get((entry.txid, entry.index))
        said = _output(0, spent[0], spent[1], network) if spent else dict.fromkeys(("type", "address", "value"))
        rows.append(
            {
                "index": number,
                "spent_transaction_hash": entry.txid,
                "spent_output_index": entry.index,
                "script_asm": "",
                "script_hex": entry.script.hex(),
                "sequence": entry.sequence,
                "required_signatures": None,
                "type": said["type"],
                "address": said["address"],
                "value": said["value"],
            }
        )
    return rows


def _output(number: int, value: int, script: bytes, network: Network) -> Row:
    kind = classify(script)
    return {
        "index": number,
        "script_asm": "",
        "script_hex": script.hex(),
        "required_signatures": None,
        "type": TYPES[kind.kind],
        "address": encode(kind, network),
        "value": value / COIN,
    }


def tables(blocks: Sequence[bytes], *, wtxid: bool = True, network: Network = REGTEST) -> tuple[list[Row], list[Row]]:
    """The rows of both tables for a chain from its block 0 on."""
    paid = outputs_of(blocks)
    rows = [
        row for h, block in enumerate(blocks) for row in transaction_rows(block, h, paid, wtxid=wtxid, network=network)
    ]
    return [block_row(block, height) for height, block in enumerate(blocks)], rows


def schemas() -> tuple[Any, Any]:
    """The Arrow schemas of both tables."""
    import pyarrow as pa  # an extra

    time = pa.timestamp("ns")
    ends = [
        ("required_signatures", pa.int64()),
        ("type", pa.string()),
        ("address", pa.string()),
        ("value", pa.float64()),
    ]
    asm = [("script_asm", pa.string()), ("script_hex", pa.string())]
    spent = [("spent_transaction_hash", pa.string()), ("spent_output_index", pa.int64())]
    blocks = pa.schema(
        [("hash", pa.string()), ("size", pa.int64()), ("stripped_size", pa.int64()), ("weight", pa.int64()),
         ("number", pa.int64()), ("version", pa.int64()), ("merkle_root", pa.string()), ("timestamp", time),
         ("nonce", pa.int64()), ("bits", pa.string()), ("coinbase_param", pa.string()),
         ("transaction_count", pa.int64()), ("mediantime", time), ("difficulty", pa.float64()),
         ("chainwork", pa.string()), ("previousblockhash", pa.string())]
    )  # fmt: skip
    transactions = pa.schema(
        [("hash", pa.string()), ("size", pa.int64()), ("virtual_size", pa.int64()), ("version", pa.int64()),
         ("lock_time", pa.int64()), ("block_hash", pa.string()), ("block_number", pa.int64()),
         ("block_timestamp", time), ("index", pa.int64()), ("input_count", pa.int64()), ("output_count", pa.int64()),
         ("output_value", pa.float64()), ("is_coinbase", pa.bool_()),
         ("inputs", pa.list_(pa.struct([("index", pa.int64()), *spent, *asm, ("sequence", pa.int64()), *ends]))),
         ("outputs", pa.list_(pa.struct([("index", pa.int64()), *asm, *ends])))]
    )  # fmt: skip
    return blocks, transactions


def write_table(path: Path, rows: Sequence[Row], schema: Any, **more: Any) -> Path:
    """One Parquet file; `more` goes to pyarrow's writer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, **{"compression": "snappy", **more})
    return path


def write_tables(folder: Path, block_rows: Iterable[Row], rows: Iterable[Row], **more: Any) -> Path:
    """Both tables under `folder`, a file of each for every date."""
    schemas_of = dict(zip(("blocks", "transactions"), schemas(), strict=True))
    for name, table, time in (("blocks", block_rows, "timestamp"), ("transactions", rows, "block_timestamp")):
        dates: dict[str, list[Row]] = {}
        for row in table:
            dates.setdefault(f"{row[time]:%Y-%m-%d}", []).append(row)
        for date, some in dates.items():
            write_table(folder / name / f"date={date}" / "part-0.snappy.parquet", some, schemas_of[name], **more)
    return folder
