"""What the readers share: a document is parts, a part is text, and a text may be put together from named cells.

The readers are `chat`, `jsontext`, `mail`, `page`, `pdf` and `tabular`; each makes parts of bytes or text and opens nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shieldwall.model.mention import Finder, Mentions
from shieldwall.model.network import Network

MAX_BYTES = 64 * 1024 * 1024  # of one document
MAX_CHARACTERS = 4 * MAX_BYTES  # of all its parts, so that nothing small becomes something huge
APART = "\n\n"  # between two cells: never taken for one word that is broken over two lines


@dataclass(frozen=True, slots=True)
class NamedCells:
    """Where each cell of a text begins, and how it is called; names are made only for the places that are asked for.

    Attributes:
        starts: Offset of each cell, rising from 0.
        name: The name of the cell with this number.
    """

    starts: Sequence[int]
    name: Callable[[int], str]

    def at(self, offset: int) -> tuple[str, int]:
        """Name and start of the cell that holds `offset`."""
        number = max(bisect_right(self.starts, offset) - 1, 0)
        return (self.name(number), self.starts[number]) if self.starts else ("", 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a document.

    Attributes:
        name: Such as "attachment invoice.html" or "page 3"; "" for the document itself.
        text: What it says.
        cells: Where its pieces came from, if it was put together.
    """

    name: str
    text: str
    cells: NamedCells | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text.

    Attributes:
        name: The file's name, or what else a person calls it.
        kind: text, table, json, chat, html, mail, mailbox or pdf.
        parts: In order.
        unread: What could not be read, in words: "attachment photo.jpg (image/jpeg) is no text".
    """

    name: str
    kind: str
    parts: tuple[Part, ...]
    unread: tuple[str, ...] = ()

    def mentions(self, network: Network | None = None) -> Mentions:
        """What all parts mention; see `model.mention.find_mentions`."""
        finder = Finder(network)
        for part in self.parts:
            finder.read(part.text, part.name, part.cells)
        return finder.result()


def from_cells(name: str, cells: Iterable[tuple[str, str]]) -> Part:
    """A part from (name of the cell, its text)."""
    names: list[str] = []
    starts: list[int] = []
    texts: list[str] = []
    offset = 0
    for cell, text in cells:
        names.append(cell)
        starts.append(offset)
        texts.append(text)
        offset += len(text) + len(APART)
    return Part(name, APART.join(texts), NamedCells(starts, names.__getitem__))


def under(name: str, parts: Iterable[Part]) -> list[Part]:
    """`parts` as parts of something called `name`."""
    return [
        Part(f"{name}, {part.name}" if part.name and name else name or part.name, part.text, part.cells)
        for part in parts
    ]
