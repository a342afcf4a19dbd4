"""What a person's own list says beside each address: the cells of its row, under the names of its columns.

A list has columns where its first two lines have the same number of cells (of `,`, `;`, tab or `|`), or where it is JSON lines.
Its first line is a heading unless an address stands in it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from shieldwall.trace.printable import printable
from shieldwall.trace.screening.reading import LONGEST_ROW, is_list, read_list

PREFIX = "in_"  # of these columns in a CSV of ours
HEAD = 2 * LONGEST_ROW  # bytes that tell a layout
_DELIMITERS = ";\t,|"
_SAID = "sep="  # how Excel names a delimiter in the first line
_MOST_COLUMNS = 1_000
_LONGEST_CHARACTER = 4  # bytes, in UTF-8


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a list are written.

    Attributes:
        columns: Their names; of JSON lines those of the first object.
        delimiter: Between two cells; "" for JSON lines.
    """

    columns: tuple[str, ...]
    delimiter: str

    def fields(self, line: str | None) -> dict[str, Any] | None:
        """The fields of one line; None where it is not whole, or has not as many cells as there are columns."""
        if line is None:
            return None
        if not self.delimiter:
            return _object(line)
        cells = _cells(line, self.delimiter)
        return dict(zip(self.columns, cells, strict=True)) if len(cells) == len(self.columns) else None


def layout_of(head: bytes) -> Layout | None:
    """The layout of a list that begins with `head`; None for one without columns."""
    encoding = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(head[:2], "utf-8-sig")
    text = _decoded(head, encoding)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines or len(lines[0][1]) > LONGEST_ROW:
        return None
    number, first = lines[0]
    if first.lstrip().startswith("{"):
        found = _object(first)
        return Layout(tuple(found)[:_MOST_COLUMNS], "") if found else None
    delimiters: Sequence[str] = _DELIMITERS
    if first.lower().startswith(_SAID) and len(first.strip("\r")) == len(_SAID) + 1 and lines[1:]:
        delimiters, lines = first[len(_SAID)], lines[1:]
        number, first = lines[0]
    delimiter = max(delimiters, key=first.count)
    cells = _cells(first, delimiter)
    if not 1 < len(cells) <= _MOST_COLUMNS or (lines[1:] and len(_cells(lines[1][1], delimiter)) != len(cells)):
        return None
    headed = all(line != number for listed in read_list(io.BytesIO(head)) for line, _ in listed.places)
    return Layout(_distinct([cell.strip() if headed else "" for cell in cells]), delimiter)


def own_rows(words: Iterable[str]) -> tuple[tuple[str, ...], dict[str, dict[str, Any]]]:
    """The columns of the lists among `words` (names of files), and for each address the first row that it stands in.

    Raises:
        UsageError: A file cannot be opened.
    """
    columns: dict[str, None] = {}
    found: dict[str, dict[str, Any]] = {}
    for path in map(Path, words):
        if not is_list(path):
            continue
        with path.open("rb") as file:
            layout = layout_of(file.read(HEAD))
            if layout is None:
                continue
            columns |= dict.fromkeys(layout.columns)
            file.seek(0)
            for listed in read_list(file, lines=True):
                for name, line in zip(listed.found.names, listed.lines, strict=True):
                    fields = None if name in found else layout.fields(line)
                    if fields is not None:
                        found[name] = fields
    return tuple(columns), found


def headings(columns: Iterable[str]) -> tuple[str, ...]:
    """`columns` as they are called in a CSV of ours."""
    return tuple(PREFIX + printable(name) for name in columns)


def cells_of(row: Mapping[str, Any], columns: Iterable[str]) -> tuple[object, ...]:
    """The person's own cells of a row of ours, under `columns`; empty where there are none."""
    fields = row.get("row") or {}
    return tuple(_cell(fields.get(name)) for name in columns)


class Rewound:
    """A stream that cannot be sought, of which some bytes are looked at before it is read.

    Args:
        file: The stream.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.head = file.read(HEAD)
        self._left = self.head

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        taken, self._left = self._left[:size], self._left[size:]
        return taken or self._file.read(size)


def _cell(value: object) -> object:
    if value is None:
        return None
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:  # a head may end inside a character
        whole = encoding == "utf-16" or error.start >= len(raw) - _LONGEST_CHARACTER
        return raw.decode(encoding if whole else "cp1252", "replace")


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line; none where its quotes do not close in it."""
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _object(line: str) -> dict[str, Any] | None:
    """A JSON object whose numbers with a fraction stay as they are written."""
    try:
        found = json.loads(line.lstrip("\ufeff"), parse_float=str, parse_constant=str)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Every column with a name of its own."""
    taken: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        called = name or f"column {number}"
        while called in taken:
            called = f"{called} ({number})"
        taken[called] = None
    return tuple(taken)
