"""CSV -> text whose cells are called by row and column."""

from __future__ import annotations

import csv
import io
from array import array
from itertools import pairwise

from shieldwall.intel.document.interface import APART, NamedCells, Part

_DELIMITERS = ",;\t|"
_MOST_HEADINGS = 1_000  # columns that are called by name


def parse(text: str, name: str = "") -> list[Part]:
    """The table as one part; a text that is no table stays what it is."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    texts: list[str] = []
    starts, rows, columns = array("q"), array("q"), array("q")
    headings: list[str] = []
    offset = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            if number == 1 and not any(any(c.isdigit() for c in cell) for cell in row):
                headings = [cell.strip() for cell in row[:_MOST_HEADINGS]]
            for column, cell in enumerate(row, 1):
                texts.append(cell)
                starts.append(offset)
                rows.append(number)
                columns.append(column)
                offset += len(cell) + len(APART)
    except csv.Error:
        return [Part(name, text)]

    def called(cell: int) -> str:
        column = columns[cell]
        heading = headings[column - 1] if column <= len(headings) else ""
        return f"row {rows[cell]}, column {column}" + (f" ({heading[:40]})" if heading else "")

    return [Part(name, APART.join(texts), NamedCells(starts, called))]


def is_table(text: str) -> bool:
    """Whether a text without a name that says so is a table: its first lines have the same number of one delimiter."""
    lines = [line for line in text[:10_000].split("\n")[:-1] if line.strip()][:10]
    return len(lines) > 2 and any(
        all(one.count(each) == other.count(each) > 1 for one, other in pairwise(lines)) for each in ",;\t"
    )
