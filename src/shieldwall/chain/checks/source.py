"""The transactions' own bytes, decoded again and held to the columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.check import Check, Run, Tally, runs
from shieldwall.chain.columns import GIVEN, KEPT_FLAGS, NO_OUTPUT
from shieldwall.chain.mapping import places_of
from shieldwall.chain.openfiles import OpenFiles
from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.interface import Progress
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput
from shieldwall.kernels.arrays import COINBASE, Bytes, Decoded, DecodeFault
from shieldwall.kernels.engine import Engine, pick


def check_source(store: ChainStore, progress: Progress) -> Check:
    """Txids from the raw bytes; values, scripts and previous outputs in them are those of the columns."""
    tally = Tally("source")
    total = int(store.column("block_raw_length").sum(dtype=np.uint64))
    engine = pick(total, rules=rules_of(store.network))
    files = OpenFiles()
    done = 0
    try:
        for run in runs(store):
            done += _check_run(store, run, engine, files, tally)
            progress("checking the source", done, total)
    finally:
        files.close()
    return tally.result(
        "transactions without raw bytes here, or with txids that their source named" if tally.skipped else ""
    )


def _check_run(store: ChainStore, run: Run, engine: Engine, files: OpenFiles, tally: Tally) -> int:
    lengths = store.column("block_raw_length")[run.blocks].astype(np.int64)
    limit = np.cumsum(lengths)
    transactions = len(run.first_input) - 1
    if not lengths.any():
        tally.skipped += transactions
        return 0
    tally.checked += transactions
    try:
        data = np.frombuffer(_raw(store, run, files), np.uint8)
        decoded = engine.decode(data, limit - lengths, np.diff(run.first_tx), limit)
    except (OSError, BadInput) as error:
        tally.fault(f"transactions {run.txs.start} to {run.txs.stop} cannot be read ({error})", transactions)
        return int(limit[-1])
    except DecodeFault as fault:
        number = run.txs.start + int(run.first_tx[fault.block]) + fault.transaction
        tally.fault(f"transaction {store.txid(number)} {fault}")
        return int(limit[-1])
    _compare(store, run, engine, data, decoded, tally)
    return int(limit[-1])


def _raw(store: ChainStore, run: Run, files: OpenFiles) -> bytes:
    """The bytes of a run's blocks, one after the other."""
    names = [Path(name) for name in store.manifest.files]
    offsets, lengths, sources = (
        store.column(f"block_raw_{name}")[run.blocks].tolist() for name in ("offset", "length", "file")
    )
    kept = store.column("raw_bytes")
    pieces = []
    for offset, length, source in zip(offsets, lengths, sources, strict=True):
        if source > len(names):
            raise BadInput(f"source file {source} of {len(names)}")
        piece = files.read(names[source - 1], offset, length) if source else kept[offset : offset + length].tobytes()
        if len(piece) != length:
            raise BadInput(f"{names[source - 1] if source else store.folder}, offset {offset}: cut off")
        pieces.append(piece)
    return b"".join(pieces)


def _compare(store: ChainStore, run: Run, engine: Engine, data: Bytes, decoded: Decoded, tally: Tally) -> None:
    name = f"transactions {run.txs.start} to {run.txs.stop}"
    coinbase = (decoded.flags & COINBASE) != 0
    inputs = np.where(coinbase, 0, np.diff(decoded.first_input))
    if not (
        np.array_equal(inputs, np.diff(run.first_input)) and np.array_equal(decoded.first_output, run.first_output)
    ):
        tally.fault(f"{name}: another number of inputs or outputs")
        return
    given = np.repeat((store.column("block_flags")[run.blocks] & GIVEN) != 0, np.diff(run.first_tx))
    tally.skipped += int(given.sum())
    wrong = (engine.txids(data, decoded) != store.column("tx_txid")[run.txs]).any(axis=1) & ~given
    for number in np.flatnonzero(wrong)[:1].tolist():
        tally.fault(f"transaction {store.txid(run.txs.start + number)}: its bytes hash to another id", int(wrong.sum()))
    if not np.array_equal(decoded.flags & KEPT_FLAGS, store.column("tx_flags")[run.txs]):
        tally.fault(f"{name}: other flags")
    if not np.array_equal(decoded.value, store.column("output_value")[run.outputs]):
        tally.fault(f"{name}: other values")
    _compare_scripts(store, run, engine, data, decoded, tally)
    keep = np.repeat(~coinbase, np.diff(decoded.first_input))
    _compare_outpoints(store, run, data, decoded.outpoint[keep], tally)


def _compare_scripts(store: ChainStore, run: Run, engine: Engine, data: Bytes, decoded: Decoded, tally: Tally) -> None:
    kinds, start, end = engine.classify(data, decoded.script_start, decoded.script_end)
    holders = store.column("output_holder")[run.outputs].astype(np.int64)
    name = f"outputs {run.outputs.start} to {run.outputs.stop}"
    if (holders >= store.rows("holder")).any():
        tally.fault(f"{name}: a holder that is not there")
        return
    ends = store.column("holder_end")
    last = ends[holders].astype(np.int64)
    first = np.where(holders > 0, ends[np.maximum(holders, 1) - 1].astype(np.int64), 0)
    if not np.array_equal(kinds, store.column("holder_kind")[holders]) or not np.array_equal(end - start, last - first):
        tally.fault(f"{name}: another kind of script")
        return
    payload = store.column("payload_bytes")
    if not np.array_equal(data[_places(start, end)], payload[_places(first, last)]):
        tally.fault(f"{name}: another script")


def _compare_outpoints(store: ChainStore, run: Run, data: Bytes, outpoint: npt.NDArray[np.int64], tally: Tally) -> None:
    at = outpoint[:, None]
    txids = data[at + np.arange(32)].reshape(-1, 32)
    indexes = np.ascontiguousarray(data[at + np.arange(32, 36)]).reshape(-1, 4).view(np.uint32).reshape(-1)
    links = store.column("input_output")[run.inputs]
    stored, stored_index = np.zeros_like(txids), np.zeros_like(indexes)
    there = links < store.rows("output")
    firsts = store.column("tx_first_output")
    makers = places_of(firsts, links[there], "right") - 1
    stored[there] = store.column("tx_txid")[makers]
    stored_index[there] = links[there] - firsts[makers]
    outside = np.searchsorted(
        store.column("outside_input"), np.flatnonzero(~there).astype(np.uint64) + run.inputs.start
    )
    stored[~there] = store.column("outside_txid")[outside]
    stored_index[~there] = store.column("outside_index")[outside]
    if (links[~there] != np.uint64(NO_OUTPUT)).any():
        tally.fault(f"inputs {run.inputs.start} to {run.inputs.stop}: a link to an output that is not there")
    wrong = (stored != txids).any(axis=1) | (stored_index != indexes)
    if wrong.any():
        number = run.inputs.start + int(np.argmax(wrong))
        tally.fault(f"input {number} spends another output than its bytes say", int(np.count_nonzero(wrong)))


def _places(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Every place from each start up to its end, one after the other."""
    sizes = end - start
    places: npt.NDArray[np.int64] = np.arange(int(sizes.sum())) + np.repeat(start - (np.cumsum(sizes) - sizes), sizes)
    return places
