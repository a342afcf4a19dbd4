"""The sorted indexes of a chain store: txid -> transaction, script -> holder, holder -> outputs.

They lie in runs, each over a range of rows. An extension writes a run over its own rows; runs of like size are joined by
writing one over the rows of both, so that a store has few of them, and none is written more often than its size allows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import INDEXES, Column
from shieldwall.chain.manifest import INDEXED, IndexRun, flush_folder
from shieldwall.chain.mapping import files_of
from shieldwall.chain.store import ChainStore
from shieldwall.chain.wide import carries_of, halves
from shieldwall.errors import BadBlock
from shieldwall.kernels.engine import Engine
from shieldwall.model.address import key_hash
from shieldwall.model.script import ScriptKind
from shieldwall.model.transaction import display

_HASH_BYTES = 20  # of a public key's hash
_IN_A_BUCKET = 4  # rows at the least, eight at the most: a bucket's number takes up to a byte a row
_JOIN = 4  # a run is joined with the one before it when that is less than so many times as large
_MOST_JOINED = 1 << 28  # transactions of a run, and rows sorted at once: what 8 GiB of memory hold


def runs_to_write(runs: Sequence[IndexRun], rows: dict[str, int]) -> tuple[list[IndexRun], dict[str, int]]:
    """The runs to keep, and the first rows of the one to write behind them, for a store of so many rows."""
    kept = list(runs)
    first = dict(kept[-1].last) if kept else dict.fromkeys(INDEXED, 0)
    while kept:
        before = kept[-1]
        size, behind = (last["tx"] - begin["tx"] for last, begin in ((before.last, before.first), (rows, first)))
        if size >= _JOIN * behind or size + behind > _MOST_JOINED:
            break
        first = dict(before.first)
        kept.pop()
    return kept, first


def write_run(store: ChainStore, folder: Path, first: dict[str, int], engine: Engine, threads: int = 1) -> IndexRun:
    """Write the index over the rows of `store` from `first` on into `folder`.

    Raises:
        BadBlock: Two transactions have one txid, and they are not the coinbases that Bitcoin let happen (BIP 30).
    """
    folder.mkdir()
    last = {table: store.rows(table) for table in INDEXED}
    parts: list[Callable[[], Any]] = [  # the largest first; they share nothing but the store
        lambda: _write_paid(store, folder, first, last, engine),
        lambda: _write_txids(store, folder, first["tx"], engine),
        lambda: _write_holders(store, folder, first["holder"], last["holder"], engine),
        lambda: _write_keys(store, folder, first["holder"], engine),
    ]
    if threads < 2:
        paid, txid, holder, key = (part() for part in parts)
    else:
        with ThreadPoolExecutor(threads, "index") as pool:
            paid, txid, holder, key = pool.map(lambda part: part(), parts)
    flush_folder(folder)
    buckets = {"txid": txid, "holder": holder, "key": key[0]}
    return IndexRun(folder.name, dict(first), last, buckets, key[1], *paid)


def _write_txids(store: ChainStore, folder: Path, first: int, engine: Engine) -> int:
    """Transactions by txid; returns the buckets."""
    txids = store.column("tx_txid")[first:]
    keys = np.ascontiguousarray(txids[:, :8]).view(np.uint64).reshape(-1)
    buckets = _buckets(len(keys))
    heads, order = engine.bucket_order(keys, buckets)
    _refuse_doubles(store, keys, engine.equal_keys(keys, heads, order), first)
    _write(folder, "txid", heads, order + np.uint32(first))
    return buckets


def _write_holders(store: ChainStore, folder: Path, first: int, last: int, engine: Engine) -> int:
    """Holders by payload; returns the buckets."""
    start, end = holder_places(store, first, last)
    keys = engine.payload_keys(store.column("payload_bytes"), start, end)
    buckets = _buckets(len(keys))
    heads, order = engine.bucket_order(keys, buckets)
    _write(folder, "holder", heads, order + np.uint32(first))
    return buckets


def _write_keys(store: ChainStore, folder: Path, first: int, engine: Engine) -> tuple[int, int]:
    """Public keys by the hash of each; returns the buckets and how many keys there are."""
    public = np.flatnonzero(store.column("holder_kind")[first:] == ScriptKind.P2PK) + first
    hashes = b"".join(key_hash(store.holder(number).payload).payload for number in public.tolist())
    edges = np.arange(len(public) + 1) * _HASH_BYTES
    keys = engine.payload_keys(np.frombuffer(hashes, np.uint8), edges[:-1], edges[1:])
    buckets = _buckets(len(keys))
    heads, order = engine.bucket_order(keys, buckets)
    _write(folder, "key", heads, public[order].astype(np.uint32))
    return buckets, len(public)


def _write_paid(
    store: ChainStore, folder: Path, first: dict[str, int], last: dict[str, int], engine: Engine
) -> tuple[int, tuple[int, ...]]:
    """The outputs of each holder; returns the rows of `paid_holder` and the carries of `paid_first`."""
    holders = store.column("output_holder")[first["output"] :]
    if first["holder"] or first["output"]:
        named, groups = np.unique(holders, return_inverse=True)
        write_column(folder, INDEXES["paid_holder"], named)
        count, groups = len(named), groups.astype(np.uint32)
    else:
        named, groups, count = np.empty(0, np.uint32), holders, last["holder"]
    heads, order = engine.group_order(groups, count)
    write_column(folder, INDEXES["paid_first"], heads)
    order += np.uint64(first["output"])
    write_column(folder, INDEXES["paid_output"], order)
    return len(named), tuple(carries_of(heads, 0, 0))


def _buckets(rows: int) -> int:
    return 1 << max(0, (rows // _IN_A_BUCKET).bit_length() - 1)


def _write(folder: Path, name: str, heads: npt.NDArray[np.uint32], numbers: npt.NDArray[np.uint32]) -> None:
    write_column(folder, INDEXES[f"{name}_first"], heads)
    write_column(folder, INDEXES[f"{name}_number"], numbers)


def holder_places(store: ChainStore, first: int, last: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """int64[last - first] each: where the payloads of these holders begin and end in `payload_bytes`."""
    ends = store.column("holder_end")[max(0, first - 1) : last].astype(np.int64)
    if not first:
        ends = np.concatenate((np.zeros(1, np.int64), ends))
    return ends[:-1], ends[1:]


def _refuse_doubles(
    store: ChainStore,
    keys: npt.NDArray[np.uint64],
    equal: npt.NDArray[np.int64],
    first: int,
) -> None:
    """No txid twice among the rows from `first` on, nor one of theirs in the runs before them."""
    pairs = [(early + first, late + first) for early, late in equal.tolist()]
    for run in store.manifest.runs:
        if run.last["tx"] > first:
            break
        pairs += _equal_txids(store, run, keys, first)
    txids = store.column("tx_txid")
    for early, late in pairs:
        if not np.array_equal(txids[early], txids[late]):
            continue
        if (store.height_of(early), store.height_of(late)) in store.network.overwritten and store.is_coinbase(early):
            continue
        raise BadBlock(
            f"transaction {display(txids[early].tobytes())} stands in two blocks, at heights "
            f"{store.height_of(early)} and {store.height_of(late)}",
            hint="one of the sources is damaged or not of this chain; leave it out",
        )


def _equal_txids(store: ChainStore, run: IndexRun, keys: npt.NDArray[np.uint64], first: int) -> list[tuple[int, int]]:
    """Pairs of a transaction in a run and one of those from `first` on whose txids begin with the same eight bytes.

    Args:
        run: The run.
        keys: uint64[n], the first eight bytes of the txids from `first` on.
        first: Number of the first of them.
    """
    heads, numbers = store.index(run, "txid_first"), store.index(run, "txid_number")
    buckets = (keys & np.uint64(run.buckets["txid"] - 1)).astype(np.int64)
    place, end = heads[buckets].astype(np.int64), heads[buckets + 1].astype(np.int64)
    txids = store.column("tx_txid")
    pairs: list[tuple[int, int]] = []
    rows = np.flatnonzero(place < end)
    while len(rows):
        there = numbers[place[rows]]
        same = np.ascontiguousarray(txids[there, :8]).view(np.uint64).reshape(-1) == keys[rows]
        pairs += [(int(there[k]), int(rows[k]) + first) for k in np.flatnonzero(same).tolist()]
        place[rows] += 1
        rows = rows[place[rows] < end[rows]]
    return pairs


def write_column(folder: Path, column: Column, values: npt.NDArray[np.generic]) -> None:
    """Write one whole column, flushed."""
    parts: list[npt.NDArray[np.generic]] = [values]
    if column.form == "wide":
        parts = list(halves(values.astype(np.uint64, copy=False)))
    for path, part in zip(files_of(folder, column), parts, strict=True):
        dtype = np.uint8 if path.stem.endswith("_high") else column.dtype
        with path.open("wb") as file:
            file.write(np.ascontiguousarray(part.astype(dtype, copy=False)).data)
            file.flush()
            os.fsync(file.fileno())
