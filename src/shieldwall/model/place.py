"""Where in a text something stands: line, column, character, and the part or cell of the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text or in a part of a document.

    Attributes:
        part: Part of the document, such as "attachment invoice.html" or "page 3"; "" for the text itself.
        cell: Cell, value or message inside the part, such as "row 5, column 2 (address)"; "" for none.
        line: Line from 1, in the cell where there is one, else in the part.
        column: Character of that line, from 1.
        offset: Characters before it, in the cell where there is one, else in the part.
    """

    part: str
    cell: str
    line: int
    column: int
    offset: int

    def __str__(self) -> str:
        """For people: the cell names the place where there is one.

        Example:
            >>> str(Place("", "", 3, 7, 60)), str(Place("list.csv", "row 5, column 2", 1, 1, 0))
            ('line 3, column 7', 'list.csv, row 5, column 2')
        """
        own = f"line {self.line}, column {self.column}"
        if self.cell:
            own = self.cell if self.line == 1 else f"{self.cell}, line {self.line}"
        return f"{self.part}, {own}" if self.part else own

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


class Cells(Protocol):
    """How a text that was put together from cells (of a table, of JSON, of a chat) tells where each came from."""

    def at(self, offset: int) -> tuple[str, int]:
        """Name of the cell that holds the character at `offset`, and the offset at which the cell begins."""


class Ruler:
    """Turns rising offsets into places, each character of the text being looked at once.

    Args:
        text: The text.
        part: The part of the document that it is.
        cells: Where its pieces came from, if it was put together.
    """

    def __init__(self, text: str, part: str = "", cells: Cells | None = None) -> None:
        self._text = text
        self._part = part
        self._cells = cells
        self._cell = ""
        self._start = 0  # of the cell
        self._seen = 0  # characters whose line ends are counted
        self._line = 1
        self._line_start = 0

    def place(self, offset: int) -> Place:
        """The place of the character at `offset`, which is not before the last one asked for."""
        if self._cells is not None:
            self._cell, start = self._cells.at(offset)
            if start != self._start:
                self._start = self._seen = self._line_start = start
                self._line = 1
        breaks = self._text.count("\n", self._seen, offset)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rindex("\n", self._seen, offset) + 1
        self._seen = offset
        return Place(self._part, self._cell, self._line, offset - self._line_start + 1, offset - self._start)
