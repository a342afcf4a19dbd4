"""What a person gives a command: the name of a file, `-` for standard input, or pasted text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shieldwall.errors import UsageError
from shieldwall.intel.document.interface import MAX_BYTES, Document
from shieldwall.intel.document.reading import parse_document, parse_text
from shieldwall.intel.textfile import read_bytes
from shieldwall.model.mention import Finder, Mentions, find_mentions
from shieldwall.model.network import Network

PASTED = "pasted text"
STANDARD_INPUT = "standard input"
_LIKE_A_PATH = re.compile(r"\S*(?:/\S+|[^\s/]\.[A-Za-z][A-Za-z0-9]{1,4})")
_LONGEST_PATH = 4096  # characters of a word that may name a file (Linux, PATH_MAX)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What several words mention together.

    Attributes:
        mentions: Found in all of them; a place names its document where there is more than one.
        unread: What could not be read, in words.
    """

    mentions: Mentions
    unread: tuple[str, ...]


def bytes_of(word: str, standard_input: IO[str] | None = None) -> tuple[bytes, str] | None:
    """The bytes that `word` names, with the name of where they are; None for a word that is itself the text.

    Raises:
        UsageError: `-` where there is no standard input, or a file that cannot be opened.
        BadText: More than 64 MiB.
    """
    if word == "-":
        if standard_input is None:
            raise UsageError("- means standard input, and there is none here", hint="name a file")
        binary = getattr(standard_input, "buffer", None)
        raw = (
            standard_input.read(MAX_BYTES + 1).encode("utf-8", "replace")
            if binary is None
            else binary.read(MAX_BYTES + 1)
        )
        return raw, STANDARD_INPUT
    return (read_bytes(Path(word), MAX_BYTES), word) if is_file(word) else None


def document_of(word: str, standard_input: IO[str] | None = None) -> Document:
    """The document that `word` names or is.

    Raises:
        UsageError: As `bytes_of` says, or its kind needs an extra that is not installed.
        BadText: No text, damaged, or too long.
    """
    found = bytes_of(word, standard_input)
    return parse_text(word, PASTED) if found is None else parse_document(*found)


def check_is_text(word: str) -> None:
    """Refuse a word that is written like the name of a file, and names none, and mentions nothing.

    Raises:
        UsageError: It is one: most likely a mistyped name.
    """
    if _LIKE_A_PATH.fullmatch(word) and "://" not in word and not is_file(word) and not find_mentions(word).mentions:
        raise UsageError(f"{word}: no such file", hint="check the name, or give the text itself")


def gather(words: Sequence[str], standard_input: IO[str] | None = None, network: Network | None = None) -> Gathered:
    """What all of `words` mention.

    Raises:
        UsageError: As `document_of` and `check_is_text` say.
        BadText: As `document_of` says.
    """
    finder = Finder(network)
    unread: list[str] = []
    for word in words:
        check_is_text(word)
        document = document_of(word, standard_input)
        prefix = f"{document.name}, " if len(words) > 1 and document.name != PASTED else ""
        for part in document.parts:
            finder.read(part.text, (prefix + part.name).removesuffix(", "), part.cells)
        unread += (f"{prefix}{what}" for what in document.unread)
    return Gathered(finder.result(), tuple(unread))


def is_file(word: str) -> bool:
    """Whether `word` names a file; a text that no system takes for a path does not."""
    try:
        return len(word) <= _LONGEST_PATH and Path(word).is_file()
    except (OSError, ValueError):
        return False
