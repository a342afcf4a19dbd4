"""The table twin of a picture: a row for each box, in the same order, with the same keys, and the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shieldwall.model.amount import share
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.layout import Box, Column

COLUMNS = ("time", "txids", "kind", "address", "amount", "share", "state", "outputs", "inferred", "key")
"""The columns of the CSV."""


def rows_of(body: Mapping[str, Any], columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The rows; times are those of the transaction that made the box, "" for where the trace starts.

    Args:
        body: Of a trace.
        columns: Its picture, laid out.
    """
    seed = body["seed_amount"]
    return [
        {
            "key": box.key,
            "time": box.time or column.time,
            "txids": _made_by(box, column),
            "transactions": len(column.txids),
            "kind": box.kind,
            "address": box.address,
            "amount": box.amount,
            "share": share(box.amount, seed) if body["conserved"] else "",
            "state": box.words,
            "outputs": len(box.stands_for),
            "inferred": box.inferred,
            "closed": box.closed,
            "mixed": box.mixed,
        }
        for column in columns
        for box in sorted(column.boxes, key=lambda box: (box.kind == "others", box.row))
    ]


def _made_by(box: Box, column: Column) -> list[str]:
    """The transaction that made a box; none where several did, or none in the picture."""
    if len(column.txids) <= 1:
        return list(column.txids)
    txid = box.key.partition(":")[0]
    return [txid] if len(box.stands_for) == 1 and txid in column.txids else []


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV, amounts in satoshi; no cell is a formula to a spreadsheet."""
    return csv_text(COLUMNS, ([" ".join(row[n]) if n == "txids" else row[n] for n in COLUMNS] for row in rows))
