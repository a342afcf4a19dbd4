"""Take parcels into a store: each epoch is checked, appended behind the one before it, and committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.blocks import check_headers, check_merkle_roots, check_running_digests
from shieldwall.chain.checks.check import Check, check_shape
from shieldwall.chain.checks.flags import check_flags
from shieldwall.chain.checks.holders import check_holders, overwritten_outputs, unspendable
from shieldwall.chain.checks.links import check_links
from shieldwall.chain.checks.values import check_values
from shieldwall.chain.columns import COLUMNS, NO_OUTPUT, NO_TRANSACTION, UNSPENDABLE
from shieldwall.chain.diskfault import disk_fault
from shieldwall.chain.finish import finish
from shieldwall.chain.parcels import Parcel, find_parcels, read_columns
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.readers.stored import StoredReader
from shieldwall.chain.wide import Wide
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadInput
from shieldwall.kernels.engine import EngineName
from shieldwall.model.network import by_name

_FETCH = "fetch the parcel again; if it comes out the same, do not trust the store that it is from"
_COUNTED = {"tx_first_input": "input", "tx_first_output": "output", "holder_end": "payload"}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        epochs: Epochs taken in.
        already: Epochs that the store had.
        replaced: Blocks behind the store's last epoch that were taken out, since a parcel holds them sealed.
        blocks: Blocks added.
        transactions: Transactions added.
        raw: True when every parcel brought its raw blocks.
    """

    epochs: int
    already: int
    replaced: int
    blocks: int
    transactions: int
    raw: bool


def import_parcels(
    folder: Path, names: Sequence[str], *, engine: EngineName = "auto", progress: Progress = silent
) -> ImportReport:
    """Take the parcels in `names` (files, or folders of them) into the store in `folder`, which may be new.

    A stop at any moment leaves the epochs committed so far, and the same call goes on from there.

    Raises:
        UsageError: No parcel there.
        BadInput: A parcel is damaged, does not follow the store's last epoch, or says what its own bytes refute.
        StoreError: The folder is no store, or another process writes it.
    """
    try:
        parcels = find_parcels(names)
        network = by_name(parcels[0].sealed.network)
        with ChainWriter(folder, network, epoch_transactions=parcels[0].sealed.transactions) as writer:
            return _import(writer, parcels, engine, progress)
    except OSError as error:
        raise disk_fault(error, folder) from error


def _import(writer: ChainWriter, parcels: Sequence[Parcel], engine: EngineName, progress: Progress) -> ImportReport:
    before = writer.rows["block"], writer.rows["tx"]
    had = len(writer.manifest.epochs)
    fresh = [parcel for parcel in parcels if not _known(writer, parcel)]
    with writer.snapshot() as store:
        statements = StoredReader(store).survey(progress).statements  # also those on blocks that make way now
        finished = store.indexed
    replaced = _make_way(writer, fresh[0]) if fresh else 0
    for number, parcel in enumerate(fresh):
        progress("importing", number, len(fresh))
        _take(writer, parcel)
    if fresh or not finished:  # an import that was stopped behind its last epoch is finished here
        finish(writer, statements, engine)
    return ImportReport(
        epochs=len(writer.manifest.epochs) - had,
        already=len(parcels) - len(fresh),
        replaced=replaced,
        blocks=writer.rows["block"] - before[0] + replaced,
        transactions=writer.rows["tx"] - before[1],
        raw=all(parcel.has_raw for parcel in fresh or parcels),
    )


def _known(writer: ChainWriter, parcel: Parcel) -> bool:
    """True when the store has this very epoch.

    Raises:
        BadInput: It has another in its place.
    """
    number, epochs = parcel.sealed.number, writer.manifest.epochs
    if number >= len(epochs):
        return False
    if epochs[number][1] != parcel.digest:
        raise BadInput(
            f"{parcel.path}: epoch {number} of this store is {epochs[number][1]}, another",
            hint="the stores hold different chains, or were not built from the same kind of source; import into a new folder",
        )
    return True


def _make_way(writer: ChainWriter, parcel: Parcel) -> int:
    """Take out the blocks behind the last sealed epoch when a parcel holds them; returns how many.

    Raises:
        BadInput: The parcel does not follow the store's last epoch.
    """
    epochs = writer.manifest.epochs
    end = epochs[-1][0] if epochs else 0
    sealed = parcel.sealed
    if sealed.number != len(epochs) or sealed.first["block"] != end:
        raise BadInput(
            f"{parcel.path} is epoch {sealed.number}, and this store ends with epoch {len(epochs) - 1}",
            hint="import the parcels between them too",
        )
    behind = writer.rows["block"] - end
    if behind:
        writer.cut(end)
    return behind


def _take(writer: ChainWriter, parcel: Parcel) -> None:
    """Append one epoch, check it and commit it.

    Raises:
        BadInput: It does not follow the store's last one, or its own bytes refute it; nothing of it is committed.
    """
    sealed = parcel.sealed
    follows = all(sealed.first[table] == writer.rows[table] for table in sealed.first if table not in ("raw", "stated"))
    if (
        not follows
        or sealed.number != len(writer.manifest.epochs)
        or sealed.network != writer.manifest.network
        or sealed.transactions != writer.manifest.epoch_transactions
    ):
        raise BadInput(
            f"{parcel.path} does not follow the epoch before it", hint="import parcels of one store, in order"
        )
    before = dict(writer.rows)
    columns = _columns(writer, parcel)
    made = len(columns["output_value"])
    links = columns["input_output"]
    there = links != np.uint64(NO_OUTPUT)
    if (links[there] >= before["output"] + made).any():
        raise BadInput(f"{parcel.path}: an input spends an output that is not there", hint=_FETCH)
    older = links[there & (links < np.uint64(before["output"]))]
    if (writer.written("output_spender", before["output"])[older] != NO_TRANSACTION).any():
        raise BadInput(f"{parcel.path}: an input spends an output that was spent before, or never can be", hint=_FETCH)
    _append(writer, {**columns, "output_spender": np.full(made, NO_TRANSACTION, np.uint32)})
    with writer.draft() as store:
        _refuse(parcel, check_shape(store, before["block"], before["holder"]), check_holders(store, before))
        inputs = np.diff(np.append(np.asarray(store.column("tx_first_input")[before["tx"] :]), writer.rows["input"]))
        spenders = np.repeat(np.arange(before["tx"], writer.rows["tx"], dtype=np.uint32), inputs.astype(np.int64))
        never = np.concatenate(
            (unspendable(store, before["output"], writer.rows["output"]), overwritten_outputs(store))
        )
    writer.link(links[there], spenders[there])
    writer.link(never.astype(np.uint64), np.full(len(never), UNSPENDABLE, np.uint32))
    with writer.draft() as store:
        first = before["block"]
        _refuse(
            parcel, check_headers(store, first), check_merkle_roots(store, first), check_running_digests(store, first)
        )
        _refuse(parcel, check_links(store, first), check_flags(store, first), *check_values(store, first)[:2])
    writer.commit(expected=(sealed.last["block"], parcel.digest))


def _refuse(parcel: Parcel, *checks: Check) -> None:
    for check in checks:
        if not check.passed:
            raise BadInput(f"{parcel.path}: {check.name}: {check.detail}", hint=_FETCH)


def _columns(writer: ChainWriter, parcel: Parcel) -> dict[str, npt.NDArray[Any]]:
    """The columns of a parcel as the writer takes them, numbers whole."""
    sealed = parcel.sealed
    read = dict(read_columns(parcel))
    for name in [name for name in read if name.endswith("_high")]:
        low = name.removesuffix("_high")
        read[low] = Wide(read[low], read.pop(name))[:]
    for name, spec in COLUMNS.items():
        if spec.form == "ascending":
            read[name] = whole_numbers(read[name], sealed.first[_COUNTED[name]])
    blocks = sealed.last["block"] - sealed.first["block"]
    lengths = read.setdefault("block_raw_length", np.zeros(blocks, np.uint32)).astype(np.uint64)
    read["block_raw_file"] = np.zeros(blocks, np.uint16)
    read["block_raw_offset"] = np.cumsum(lengths) - lengths + np.uint64(writer.rows["raw"])
    return read


def whole_numbers(low: npt.NDArray[np.uint32], least: int) -> npt.NDArray[np.uint64]:
    """uint64[n]: ascending numbers from `least` on, from their low halves: one below the one before passed 2^32."""
    numbers = low.astype(np.uint64)
    wraps = np.cumsum(np.diff(low.astype(np.int64), prepend=least & 0xFFFFFFFF) < 0).astype(np.uint64)
    return numbers + ((np.uint64(least >> 32) + wraps) << np.uint64(32))


def _append(writer: ChainWriter, columns: dict[str, npt.NDArray[Any]]) -> None:
    tables = dict.fromkeys(COLUMNS[name].table for name in columns)
    for table in tables:
        writer.append({name: values for name, values in columns.items() if COLUMNS[name].table == table})
