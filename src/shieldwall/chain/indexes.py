"""The sorted indexes of a chain store (txid -> transaction, script -> holder, holder -> outputs), and the statements."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS, INDEXES, Column
from shieldwall.chain.manifest import flush_folder
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadBlock
from shieldwall.model.transaction import display


def write_indexes(store: ChainStore, folder: Path) -> dict[str, int]:
    """Write the indexes over all rows of `store` into `folder`; returns the rows that they cover.

    Raises:
        BadBlock: Two transactions have one txid, and they are not the coinbases that Bitcoin let happen (BIP 30).
    """
    folder.mkdir()
    txids = store.column("tx_txid")
    keys = np.ascontiguousarray(txids[:, :8]).view(np.uint64).reshape(-1)
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    keys = keys[order]
    _refuse_doubles(store, keys, order)
    write_column(folder, INDEXES["txid_key"], keys)
    write_column(folder, INDEXES["txid_number"], order)

    keys = holder_keys(store)
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    write_column(folder, INDEXES["holder_key"], keys[order])
    write_column(folder, INDEXES["holder_number"], order)

    holders = store.column("output_holder")
    counts = np.bincount(holders, minlength=store.rows("holder")).astype(np.uint64)
    write_column(
        folder, INDEXES["paid_first"], np.concatenate((np.zeros(1, np.uint64), np.cumsum(counts, dtype=np.uint64)))
    )
    write_column(folder, INDEXES["paid_output"], np.argsort(holders, kind="stable").astype(np.uint64))
    return {table: store.rows(table) for table in ("tx", "holder", "output")}


def holder_keys(store: ChainStore) -> npt.NDArray[np.uint64]:
    """`store.holder_key` of every holder at once."""
    ends = store.column("holder_end").astype(np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
    payload = store.column("payload_bytes")
    keys = np.zeros((len(ends), 8), np.uint8)
    for place in range(8):
        at = ends - 8 + place
        there = at >= starts
        keys[there, place] = payload[at[there]]
    return keys.view(np.uint64).reshape(-1)


def _refuse_doubles(store: ChainStore, keys: npt.NDArray[np.uint64], order: npt.NDArray[np.uint32]) -> None:
    txids = store.column("tx_txid")
    for place in np.flatnonzero(keys[1:] == keys[:-1]):
        first, second = sorted((int(order[place]), int(order[place + 1])))
        if not np.array_equal(txids[first], txids[second]):
            continue
        if (store.height_of(first), store.height_of(second)) in store.network.overwritten and store.is_coinbase(first):
            continue
        raise BadBlock(
            f"transaction {display(txids[first].tobytes())} stands in two blocks, at heights "
            f"{store.height_of(first)} and {store.height_of(second)}",
            hint="one of the sources is damaged or not of this chain; leave it out",
        )


def write_statements(folder: Path, rows: Mapping[str, npt.NDArray[np.generic]]) -> int:
    """Write what sources say of spends into the folder of the indexes; returns how many statements there are."""
    for name, values in rows.items():
        write_column(folder, COLUMNS[name], values)
    flush_folder(folder)
    return len(rows["stated_output"])


def write_column(folder: Path, column: Column, values: npt.NDArray[np.generic]) -> None:
    """Write one whole column, flushed."""
    with (folder / f"{column.name}.bin").open("wb") as file:
        file.write(np.ascontiguousarray(values, column.dtype).data)
        file.flush()
        os.fsync(file.fileno())
