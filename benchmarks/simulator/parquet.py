"""The chain as AWS public blockchain data, v1.0, btc: `blocks/` and `transactions/` by day, nested Parquet with snappy.

Amounts are doubles of bitcoin, a coinbase has no inputs, an output without an address form has a null address, and `hash` is
by default the wtxid: what a reader of the real data meets. No pyarrow object stands for a single value; columns are buffers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from shieldwall.errors import UsageError
from simulator.blocks import MadeBlock
from simulator.headers import Headers, Told
from simulator.kinds import TYPE_NAMES, ScriptType
from simulator.plan import Plan
from simulator.texts import Text, address_rows, hash_rows, hex_rows, word_rows

_ROWS = 20_000  # transactions of a row group, about
_COIN = 1e8  # satoshi; a quotient of two doubles is rounded the same way everywhere (IEEE 754)


def _arrow() -> Any:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("Parquet needs pyarrow", hint="pip install 'shieldwall[parquet]'") from None
    return pa


class ParquetFiles:
    """Writes `blocks/date=D/*.snappy.parquet` and `transactions/date=D/*.snappy.parquet` into a folder.

    Args:
        folder: Where to.
        plan: The story of the blocks to come.
        hash_name: "wtxid" or "txid": what the column `hash` of transactions holds.

    Raises:
        UsageError: pyarrow is missing.
    """

    def __init__(self, folder: Path, plan: Plan, hash_name: str) -> None:
        self._pa = _arrow()
        self._folder = folder
        self._plan = plan
        self._wtxid = hash_name == "wtxid"
        self._headers = Headers()
        self._owner = np.zeros(0, np.int32)
        self._day = ""
        self._told: list[tuple[int, int, Told]] = []
        self._blocks: list[MadeBlock] = []
        self._waiting = 0
        self._writer: Any = None
        first_output = plan.offsets("first_output")
        self._owner = np.repeat(np.arange(plan.transactions, dtype=np.int32), np.diff(first_output))

    def take(self, block: MadeBlock) -> None:
        """Keep the next block until a row group or a day is full."""
        day = datetime.fromtimestamp(block.time, UTC).strftime("%Y-%m-%d")
        if day != self._day:
            self._end_day()
            self._day = day
        self._told.append((block.height, block.last - block.first, self._headers.tell(block)))
        kept = MadeBlock(
            block.height, block.header, block.hash, block.time, block.first, block.last, block.data.copy(), block.places,
            block.unlock, block.script, block.txids, block.wtxids,
        )  # fmt: skip
        self._blocks.append(kept)
        self._waiting += block.last - block.first
        if self._waiting >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write the last day."""
        self._end_day()

    def _path(self, table: str) -> Path:
        folder = self._folder / table / f"date={self._day}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "part-00000.snappy.parquet"

    def _end_day(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._told:
            self._pa.parquet.write_table(self._block_table(), self._path("blocks"), compression="snappy")
            self._told = []

    def _flush(self) -> None:
        if not self._blocks:
            return
        table = self._transaction_table()
        if self._writer is None:
            self._writer = self._pa.parquet.ParquetWriter(
                self._path("transactions"), table.schema, compression="snappy"
            )
        self._writer.write_table(table)
        self._blocks, self._waiting = [], 0

    def _block_table(self) -> Any:
        pa, rows = self._pa, self._told
        stamp = pa.timestamp("ms")
        columns = {
            "hash": pa.array([told.hash for _, _, told in rows], pa.string()),
            "size": pa.array([told.size for _, _, told in rows], pa.int64()),
            "stripped_size": pa.array([told.stripped_size for _, _, told in rows], pa.int64()),
            "weight": pa.array([told.weight for _, _, told in rows], pa.int64()),
            "number": pa.array([height for height, _, _ in rows], pa.int64()),
            "version": pa.array([told.version for _, _, told in rows], pa.int64()),
            "merkle_root": pa.array([told.merkle_root for _, _, told in rows], pa.string()),
            "timestamp": pa.array([told.time * 1000 for _, _, told in rows], stamp),
            "nonce": pa.array([told.nonce for _, _, told in rows], pa.int64()),
            "bits": pa.array([told.bits for _, _, told in rows], pa.string()),
            "coinbase_param": pa.array([told.coinbase_script for _, _, told in rows], pa.string()),
            "transaction_count": pa.array([count for _, count, _ in rows], pa.int64()),
            "mediantime": pa.array([told.median_time * 1000 for _, _, told in rows], stamp),
            "difficulty": pa.array([told.difficulty for _, _, told in rows], pa.float64()),
            "chainwork": pa.array([told.chainwork for _, _, told in rows], pa.string()),
            "previousblockhash": pa.array([told.previous for _, _, told in rows], pa.string()),
        }
        return pa.table(columns)

    def _text(self, text: Text, valid: Any = None) -> Any:
        """A string array over a buffer and its offsets."""
        pa, (offsets, data) = self._pa, text
        bitmap = None if valid is None else pa.py_buffer(valid)
        return pa.StringArray.from_buffers(
            len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data), bitmap
        )

    def _transaction_table(self) -> Any:
        pa, plan, blocks = self._pa, self._plan, self._blocks
        s = plan.state
        first, last = blocks[0].first, blocks[-1].last
        ends = np.cumsum([0] + [len(block.data) for block in blocks])
        data = np.concatenate([block.data for block in blocks])
        places = np.concatenate([block.places + at for block, at in zip(blocks, ends, strict=False)])
        witness = np.concatenate([block.places[:, 1] for block in blocks])
        unlock = np.concatenate([block.unlock + at for block, at in zip(blocks, ends, strict=False)])
        script = np.concatenate([block.script + at for block, at in zip(blocks, ends, strict=False)])
        counts = np.array([block.last - block.first for block in blocks])
        tx = s.tx[first:last]
        first_input = np.append(
            tx["first_input"], s.tx["first_input"][last] if last < plan.transactions else plan.spends
        )
        first_output = np.append(
            tx["first_output"], s.tx["first_output"][last] if last < plan.transactions else plan.outputs
        )
        first_input, first_output = first_input.astype(np.int64), first_output.astype(np.int64)
        inputs_of, outputs_of = np.diff(first_input), np.diff(first_output)
        out = s.out[first_output[0] : first_output[-1]]
        coins = s.inputs[first_input[0] : first_input[-1]]
        came, paid = _sums(s.out["value"][coins], inputs_of), _sums(out["value"], outputs_of)
        coinbase = inputs_of == 0
        size = places[:, 2] - places[:, 0]
        stripped = np.where(witness > 0, size - (places[:, 2] - 4 - places[:, 1]) - 2, size)
        hashes = np.concatenate([block.wtxids for block in blocks]) if self._wtxid else blocks[0].txids[first:last]
        block_hashes = np.stack([np.frombuffer(block.hash, np.uint8) for block in blocks])
        which = np.repeat(np.arange(len(blocks)), counts)
        times = np.array([block.time * 1000 for block in blocks])[which]
        columns = {
            "hash": self._text(hash_rows(hashes, np.arange(last - first))),
            "size": pa.array(size),
            "virtual_size": pa.array((3 * stripped + size + 3) // 4),
            "version": pa.array(tx["version"].astype(np.int64)),
            "lock_time": pa.array(tx["locktime"].astype(np.int64)),
            "block_hash": self._text(hash_rows(block_hashes, which)),
            "block_number": pa.array(np.array([block.height for block in blocks])[which]),
            "block_timestamp": pa.array(times, pa.timestamp("ms")),
            "index": pa.array(np.arange(first, last) - np.repeat([block.first for block in blocks], counts)),
            "input_count": pa.array(inputs_of),
            "output_count": pa.array(outputs_of),
            "input_value": pa.array(came / _COIN, mask=coinbase),
            "output_value": pa.array(paid / _COIN),
            "is_coinbase": pa.array(coinbase),
            "fee": pa.array((came - paid) / _COIN, mask=coinbase),
            "inputs": self._list(
                self._inputs(data, unlock, coins, tx, inputs_of, blocks[0].txids), inputs_of, coinbase
            ),
            "outputs": self._list(self._outputs(data, script, out, outputs_of), outputs_of),
        }
        return pa.table(columns)

    def _list(self, rows: Any, sizes: Any, absent: Any = None) -> Any:
        """A list array: `sizes` rows for each entry, null where `absent`."""
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        mask = None if absent is None else self._pa.array(absent)
        return self._pa.ListArray.from_arrays(self._pa.array(offsets), rows, mask=mask)

    def _holders(self, keys: Any) -> list[Any]:
        """The columns required_signatures, type and address of outputs by their keys."""
        pa = self._pa
        kinds = self._plan.state.key["kind"][keys]
        offsets, text, valid = address_rows(keys, kinds, self._plan.seed)
        names = pa.array([TYPE_NAMES[kind] for kind in ScriptType])
        absent = pa.nulls(len(keys), pa.int64())  # Bitcoin Core says it no longer since version 22
        return [absent, names.take(pa.array(kinds)), self._text((offsets, text), valid)]

    def _outputs(self, data: Any, script: Any, out: Any, counts: Any) -> Any:
        pa = self._pa
        names = ["index", "script_asm", "script_hex", "required_signatures", "type", "address", "value"]
        columns = [
            pa.array(_places(counts)),
            self._text(word_rows(data, script)),
            self._text(hex_rows(data, script)),
            *self._holders(out["key"]),
            pa.array(out["value"] / _COIN),
        ]
        return pa.StructArray.from_arrays(columns, names=names)

    def _inputs(self, data: Any, unlock: Any, coins: Any, tx: Any, counts: Any, txids: Any) -> Any:
        pa, s = self._pa, self._plan.state
        source = self._owner[coins]
        names = [
            "index", "spent_transaction_hash", "spent_output_index", "script_asm", "script_hex", "sequence",
            "required_signatures", "type", "address", "value",
        ]  # fmt: skip
        columns = [
            pa.array(_places(counts)),
            self._text(hash_rows(txids, source)),
            pa.array(coins.astype(np.int64) - s.tx["first_output"][source]),
            self._text(word_rows(data, unlock)),
            self._text(hex_rows(data, unlock)),
            pa.array(0xFFFFFFFF - np.repeat(tx["sequence"].astype(np.int64), counts)),
            *self._holders(s.out["key"][coins]),
            pa.array(s.out["value"][coins] / _COIN),
        ]
        return pa.StructArray.from_arrays(columns, names=names)


def _places(counts: Any) -> Any:
    """int64: 0, 1, 2 ... within each run of `counts` rows."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def _sums(values: Any, counts: Any) -> Any:
    """int64: the sum of each run of `counts` values."""
    totals = np.concatenate([[0], np.cumsum(values)])
    ends = np.cumsum(counts)
    return totals[ends] - totals[ends - counts]
