"""Bytes as words that two people can compare over the telephone.

A word stands for a byte; 256 short English words, no two of them alike in their first four letters or nearer than three letters
from each other. A last word is a check over the others, so that a word misheard or left out is noticed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from shieldwall.errors import UsageError

SPOKEN = 14  # bytes of a fingerprint that are spoken: 112 bits


@cache
def words() -> tuple[str, ...]:
    """The 256 words, in order."""
    return tuple((files("shieldwall.node") / "data" / "spoken_words.txt").read_text(encoding="ascii").split())


def spoken(raw: bytes) -> str:
    """`raw` in words, one for each byte, and the check word.

    Example:
        >>> spoken(bytes(2))
        'acorn acorn quarry'
    """
    return " ".join(words()[byte] for byte in (*raw, _check(raw)))


def heard(text: str) -> bytes:
    """The bytes that `spoken` gave as `text`.

    Raises:
        UsageError: A word is none of the list, or the check word does not fit.
    """
    places = {word: place for place, word in enumerate(words())}
    found = text.lower().replace("-", " ").split()
    for word in found:
        if word not in places:
            raise UsageError(f"{word[:20]!r} is no word of a spoken fingerprint", hint="ask for that word again")
    if len(found) < 2:
        raise UsageError("a spoken fingerprint has more words")
    raw = bytes(places[word] for word in found[:-1])
    if places[found[-1]] != _check(raw):
        raise UsageError("the last word does not fit the others", hint="one was misheard, or left out; compare again")
    return raw


def _check(raw: bytes) -> int:
    return hashlib.sha256(b"shieldwall/1/spoken" + raw).digest()[0]
