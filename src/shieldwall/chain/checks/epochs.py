"""Every file of a store holds the bytes that were committed: the digests of sealed epochs and of the rows behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shieldwall.chain.checks.check import Check, Tally
from shieldwall.chain.columns import COLUMNS, STATED, TABLES
from shieldwall.chain.epochs import LOCAL, PORTABLE, column_digest, file_name, read_sealed
from shieldwall.chain.mapping import files_of
from shieldwall.chain.store import ChainStore


def check_files(store: ChainStore) -> Check:
    """The bytes of each column's rows, epoch by epoch, hash to what was noted when they were committed."""
    tally = Tally("files")
    folder = store.folder / store.manifest.generation
    first = dict.fromkeys(TABLES, 0)
    for number, (blocks, digest) in enumerate(store.manifest.epochs):
        sealed = read_sealed(folder, number)
        name = f"{store.manifest.generation}/{file_name(number)}"
        said = (sealed.digest, sealed.number, sealed.first, sealed.last["block"], sealed.last[STATED])
        if said != (digest, number, first, blocks, 0):
            tally.fault(f"{name} is not of the epoch that the manifest names")
            return tally.result()
        _check(store, tally, sealed.columns, first, sealed.last)
        first = sealed.last
    _check(store, tally, store.manifest.tail, first, {table: store.rows(table) for table in TABLES})
    return tally.result()


def _check(
    store: ChainStore, tally: Tally, digests: Mapping[str, str], first: Mapping[str, int], last: Mapping[str, int]
) -> None:
    for name in (*PORTABLE, *LOCAL):
        tally.checked += 1
        if column_digest(store, name, first, last) != digests.get(name):
            folder = store.manifest.stated if COLUMNS[name].table == STATED else store.manifest.generation
            files = " or ".join(path.name for path in files_of(Path(folder), COLUMNS[name]))
            tally.fault(
                f"{folder}/{files}: other bytes than were committed, in blocks {first['block']} to {last['block'] - 1}"
            )
