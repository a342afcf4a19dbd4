"""The end of a build: what contradicts itself is refused, indexes and statements are written, and all is committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS, STATED_UNSPENT
from shieldwall.chain.indexes import runs_to_write, write_column, write_run
from shieldwall.chain.manifest import flush_folder
from shieldwall.chain.readers.interface import Statement
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock
from shieldwall.kernels.engine import EngineName, pick
from shieldwall.model.transaction import display

_CHUNK = 1 << 20  # transactions looked at together
_BYTES_EACH = 400  # of a transaction, about: what the choice of kernels is made by


def finish(writer: ChainWriter, statements: Sequence[Statement], wanted: EngineName) -> list[str]:
    """Conflicts, indexes, statements, and the commit that makes all of it the store; returns notes for a person.

    Raises:
        BadBlock: An input spends what another spends, or one transaction stands in two blocks.
    """
    uncommitted = writer.draft()
    refuse_double_spends(uncommitted)
    runs = uncommitted.manifest.runs
    if not uncommitted.indexed:
        kept, first = runs_to_write(runs, writer.rows)
        engine = pick((writer.rows["tx"] - first["tx"]) * _BYTES_EACH, wanted)
        runs = (
            *kept,
            write_run(uncommitted, writer.folder / writer.new_folder("index"), first, engine, writer.threads),
        )
    view = writer.draft(runs=runs)
    rows, notes = _statement_rows(view, statements)
    folder = writer.folder / writer.new_folder("stated")
    folder.mkdir()
    for name, values in rows.items():
        write_column(folder, COLUMNS[name], values)
    flush_folder(folder)
    writer.commit(statements=len(rows["stated_output"]), runs=runs, stated=folder.name)
    writer.sweep()
    return notes


def refuse_double_spends(store: ChainStore) -> None:
    """An input that resolved to nothing must not spend what is in the store: that would be a second spend.

    Raises:
        BadBlock: It does.
    """
    outside = store.column("outside_txid")
    wanted = np.unique(np.ascontiguousarray(outside[:, :8]).view(np.uint64))
    if not len(wanted):
        return
    makers: dict[bytes, int] = {}
    txids = store.column("tx_txid")
    for begin in range(0, len(txids), _CHUNK):
        keys = np.ascontiguousarray(txids[begin : begin + _CHUNK, :8]).view(np.uint64).reshape(-1)
        rows = np.flatnonzero(np.isin(keys, wanted)) + begin
        makers.update((txids[row].tobytes(), row) for row in rows.tolist())
    suspects = [row for row in range(len(outside)) if outside[row].tobytes() in makers] if makers else []
    for row in suspects:
        maker = makers[outside[row].tobytes()]
        index = int(store.column("outside_index")[row])
        spender = store.transaction_of_input(int(store.column("outside_input")[row]))
        raise BadBlock(
            f"transaction {store.txid(spender)} spends output {index} of {store.txid(maker)}, which is spent by another, "
            "cannot be spent, or stands later in the chain",
            hint="one of the sources is damaged, or a block's height is wrong: give --height",
        )


def _rank(statement: Statement) -> tuple[int, bytes]:
    """The latest wins; of two as of one height, the one that names a spender, whatever the order of the sources."""
    return statement.height, statement.spender or b""


def _statement_rows(
    store: ChainStore, statements: Sequence[Statement]
) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """One statement an output, the latest; those that the chain itself answers are left out."""
    best: dict[int, Statement] = {}
    notes: list[str] = []
    left = 0
    for statement in statements:
        maker = store.find_transaction(statement.txid)
        if maker is None or statement.index >= len(store.output_range(maker)):
            left += 1
            continue
        output = store.output_range(maker)[statement.index]
        spender = int(store.column("output_spender")[output])
        if spender < store.rows("tx"):
            height = store.height_of(spender)
            if statement.spender is None and height is not None and statement.height >= height:
                notes.append(
                    f"output {display(statement.txid)}:{statement.index} is said to be unspent as of height "
                    f"{statement.height}, and was spent at {height}: the answer is older than it says"
                )
            continue
        rival = best.get(output)
        if rival is None or _rank(statement) > _rank(rival):
            best[output] = statement
    if left:
        notes.append(f"{left} statements on outputs that are not in the store were left out")
    outputs = sorted(best)
    rows: dict[str, npt.NDArray[Any]] = {
        "stated_output": np.array(outputs, np.uint64),
        "stated_height": np.array([best[output].height for output in outputs], np.uint32),
        "stated_txid": np.frombuffer(b"".join(best[output].spender or STATED_UNSPENT for output in outputs), np.uint8),
    }
    return rows, notes
