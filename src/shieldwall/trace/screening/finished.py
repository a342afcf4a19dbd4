"""What the rows of a finished screening say, for a run that is told to go on and has nothing left to do."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shieldwall.trace.screening.answer import in_words
from shieldwall.trace.screening.screener import IN_STORE, TAGGED, UNKNOWN

_TRUTH = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was written.

    Attributes:
        said: As much of it as `answer.count` and `screener.urgency` ask for, with `address` and `first_place`.
        why: Its first tag, or the most urgent of what it is exposed to, in few words.
    """

    said: dict[str, Any]
    why: str


def finished_rows(
    path: Path, form: Literal["jsonl", "csv"], harmless: Collection[str], columns: Sequence[str]
) -> Iterator[Row]:
    """The rows of a file that a run finished, one after the other.

    Args:
        path: The file.
        form: How rows are written in it.
        harmless: Categories that are no finding; a CSV names what a row is exposed to, and not whether that is one.
        columns: Of a CSV.

    Raises:
        ValueError: It holds something else than whole rows.
        OSError: It cannot be read.
    """
    if not _ends_in_line_feed(path) and (form == "csv" or path.stat().st_size):
        raise ValueError("its last row is not whole")
    with path.open(encoding="utf-8", newline="") as file:
        try:
            if form == "jsonl":
                yield from map(_from_json, file)
                return
            table = csv.reader(file, strict=True)
            if tuple(next(table, ())) != tuple(columns):
                raise ValueError("it has other columns")
            for cells in table:
                yield _from_cells(dict(zip(columns, cells, strict=True)), harmless)
        except (csv.Error, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise ValueError(f"not a row: {error}") from None


def _ends_in_line_feed(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        return file.read() == b"\n"


def _from_json(line: str) -> Row:
    row = json.loads(line)
    reached = row["exposure"]["reached"] if row.get("exposure") else []
    said = {
        **{name: row[name] for name in ("address", "first_place", "verdict", "finding", "sanctioned", "in_store")},
        "exposure": {"reached": [{"finding": entry["finding"]} for entry in reached]},
    }
    why = [*(tag["label"] for tag in row["tags"][:1]), *map(in_words, reached[:1]), ""][0]
    return _checked(said, why)


def _from_cells(cells: dict[str, str], harmless: Collection[str]) -> Row:
    sanctioned, exposed = _TRUTH[cells["sanctioned"]], cells["exposed_to"]
    said = {
        "address": cells["address"],
        "first_place": cells["first_place"],
        "verdict": cells["verdict"],
        "finding": sanctioned or bool(cells["abuse"]),
        "sanctioned": sanctioned,
        "in_store": _TRUTH[cells["in_store"]] if cells["in_store"] else None,
        "exposure": {"reached": [{"finding": exposed not in harmless}] if exposed else []},
    }
    return _checked(said, (cells["tags"] or cells["exposure"]).split("; ")[0])


def _checked(said: dict[str, Any], why: object) -> Row:
    texts = (said["address"], said["first_place"], why)
    truths = (said["finding"], said["sanctioned"], *(entry["finding"] for entry in said["exposure"]["reached"]))
    if (
        said["verdict"] not in (TAGGED, IN_STORE, UNKNOWN)
        or not all(isinstance(text, str) for text in texts)
        or not all(isinstance(truth, bool) for truth in truths)
    ):
        raise ValueError("not a row of a screening")
    return Row(said, str(why))
