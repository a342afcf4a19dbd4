"""The addresses of a list of any length and layout, part by part: what stands in it is never held as a whole.

A list is a text in which addresses stand one after the other: one a line, in any column of a table with any delimiter, quoted or
not, in JSON lines, in one long JSON array. Its words are looked at as `model.mention` looks at those of a document, but for what
only a person's writing has: addresses in groups, broken over lines, in letters of other alphabets. A document of that kind,
up to 64 MiB, is read by `intel.document`.
"""

from __future__ import annotations

import codecs
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np

from shieldwall.errors import UsageError
from shieldwall.intel.document import chat
from shieldwall.intel.document.mail import is_mail, is_mailbox
from shieldwall.model.address import MAX_LENGTH
from shieldwall.model.recognition import SHORTEST, recognize, resembles
from shieldwall.trace.screening.recognising import Recognized, recognize_all

PART = 1 << 18  # bytes read at once: some thousand addresses
_WORD = re.compile(rb"[0-9A-Za-z]{%d,}+" % SHORTEST)
_GOES_ON = (string.ascii_letters + string.digits + "%\\").encode()  # what may go on in the next part
_ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2}|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[bfnrtv]))+")
_DIGITS = re.compile(rb"[0-9A-Fa-f]{64}")
LONGEST_ROW = 1 << 14  # characters of a row whose fields are kept
_LONGEST_TAIL = 1 << 12  # bytes; a longer word is no address, and need not be kept together
LARGE = 4 << 20  # bytes from which on a list is screened row by row
_SNIFFED = 1 << 16
_MARK = 16
_NO_LIST = (b"pk\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"%pdf-", b"<!doctype html", b"<html")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Readable(Protocol):
    """What can be read from its beginning on."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a list was read.

    Attributes:
        offset: Bytes.
        line: Line that the next byte stands in, from 1.
        column: Characters of that line before it, from 0; bytes, where a character has several.
    """

    offset: int = 0
    line: int = 1
    column: int = 0


BEGIN = Position()


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list.

    Attributes:
        found: The addresses in it, each as often as it stands there.
        places: Line and column of each.
        near_misses: Words that look like an address and are none, with line and column.
        digits: Strings of 64 hex digits: perhaps txids, which a list is not screened for.
        end: Where the next part begins.
        lines: The line that each address stands in; None for one of more than `LONGEST_ROW` characters.
    """

    found: Recognized
    places: list[tuple[int, int]]
    near_misses: list[tuple[str, int, int]]
    digits: int
    end: Position
    lines: list[str | None]


def is_list(path: Path) -> bool:
    """Whether a file may be read as a list: no archive, PDF, web page, mail or chat.

    Raises:
        UsageError: It cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFFED)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})", hint="check its rights") from None
    if head.lstrip()[:_MARK].lower().startswith(_NO_LIST) or is_mailbox(head) or is_mail(head):
        return False
    return chat.parse(head.decode("utf-8", "replace")) is None


def read_list(file: Readable, start: Position = BEGIN, part: int = PART, *, lines: bool = False) -> Iterator[Listed]:
    """The parts of a list.

    Args:
        file: Opened at its beginning, or at `start` where it can be sought.
        start: Where to go on.
        part: Bytes to read at once.
        lines: Whether to keep the line of each address; a part then ends with a line, unless that is too long.
    """
    first = file.read(2) if not start.offset else b""
    if start.offset:
        file = cast("BinaryIO", file)
        file.seek(0)
        first = file.read(2)
        file.seek(start.offset)
    encoding = _UTF16.get(first)
    position, tail = start, b""
    if not start.offset:
        tail, position = (b"", Position(2)) if encoding else (first, start)
    size = 2 if encoding else 1
    while True:
        more = file.read(part)
        raw = tail + more
        cut = len(raw) - len(raw) % size
        text = raw[:cut].decode(encoding, "replace").encode("ascii", "replace") if encoding else raw
        if more:
            length = len(text) - len(text.rstrip(_GOES_ON))
            length = length if length <= _LONGEST_TAIL else 0
            begun = len(text) - text.rfind(b"\n") - 1
            length = begun if lines and begun <= LONGEST_ROW else length
            text = text[: len(text) - length]
            cut -= length * size
        tail = raw[cut:]
        if text:
            written = _lines(raw[:cut], text, encoding, position, last=not more) if lines else None
            listed = _listed(text, position, cut, written)
            position = listed.end
            yield listed
        if not more:
            return


def _lines(
    raw: bytes, text: bytes, encoding: str | None, position: Position, *, last: bool
) -> Callable[[int], str | None]:
    """What says the line with a number, from 0; the same for a line whatever part of a list it is read in."""
    lengths = [len(line) for line in text.split(b"\n")]
    whole = raw.decode(encoding, "replace").split("\n") if encoding else raw.split(b"\n")

    def line(number: int) -> str | None:
        begun = number == 0 and position.column > 0
        cut = number == len(lengths) - 1 and not last
        if begun or cut or lengths[number] > LONGEST_ROW:
            return None
        found = whole[number]
        return found if isinstance(found, str) else _text(found)

    return line


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _listed(text: bytes, position: Position, size: int, written: Callable[[int], str | None] | None = None) -> Listed:
    """The words of one part."""
    spans = [(match[0], match.start()) for match in _WORD.finditer(text)]
    digits = sum(len(word) == 64 and _DIGITS.fullmatch(word) is not None for word, _ in spans)
    spans = [(word, at) for word, at in spans if len(word) != 64 or not _DIGITS.fullmatch(word)]
    spans = [(word, at) if len(word) <= MAX_LENGTH + 8 else (b"", at) for word, at in spans]
    words = [word.decode("ascii") for word, _ in spans]
    starts = np.array([at for _, at in spans], np.int64)
    found = recognize_all(words)
    strange = [row for row, networks in enumerate(found.networks) if not networks and words[row]]
    mended = {row: _unescaped(text, words[row], int(starts[row])) for row in strange}
    for row, (word, skipped) in mended.items():
        if skipped:
            words[row] = word
            starts[row] += skipped
    if any(skipped for _, skipped in mended.values()):
        found = recognize_all(words)
    breaks = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    lines = np.searchsorted(breaks, starts)
    before = np.concatenate((np.array([-1 - position.column], np.int64), breaks))
    places = list(zip((lines + position.line).tolist(), (starts - before[lines]).tolist(), strict=True))
    near = [
        (words[row], *places[row])
        for row, networks in enumerate(found.networks)
        if not networks and words[row] and resembles(words[row])
    ]
    kept = [row for row, networks in enumerate(found.networks) if networks]
    column = len(text) - int(breaks[-1]) - 1 if len(breaks) else position.column + len(text)
    end = Position(position.offset + size, position.line + len(breaks), column)
    own = [written(int(lines[row])) if written else None for row in kept]
    return Listed(_only(found, kept), [places[row] for row in kept], near, digits, end, own)


def _unescaped(text: bytes, word: str, start: int) -> tuple[str, int]:
    """An address behind what is an escape of URLs, JSON or programs: the word without it, and the characters left out."""
    if not start or text[start - 1] not in b"%\\":
        return word, 0
    escape = _ESCAPED.match(text, start - 1)
    skipped = len(escape[0]) - 1 if escape else 0
    return (word[skipped:], skipped) if skipped and recognize(word[skipped:]) else (word, 0)


def _only(found: Recognized, rows: list[int]) -> Recognized:
    """The chosen rows alone."""
    if len(rows) == len(found.names):
        return found
    number = np.full(len(found.names), -1, np.int64)
    number[rows] = np.arange(len(rows))
    subjects = {name: (number[places], called) for name, (places, called) in found.subjects.items()}
    return Recognized([found.names[row] for row in rows], [found.networks[row] for row in rows], subjects)
