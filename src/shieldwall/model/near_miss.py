"""What is no address and nearly one: written in groups, broken over lines, misspelt, in look-alike letters.

A near miss is offered, never taken: the person who reads the text decides.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from shieldwall.model import address
from shieldwall.model.network import Network
from shieldwall.model.place import Place
from shieldwall.model.recognition import first_letters, prefixes, recognize, resembles
from shieldwall.model.transaction import TXID

INVISIBLE = (
    "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"  # soft hyphen, zero width, direction marks
)
_CYRILLIC = dict(zip("аеосрхуіјѕԁАВЕКМНОРСТХУЗІЈЅ", "aeocpxyijsdABEKMHOPCTXY3IJS", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧον", "ABEZHIKMNOPTYXov", strict=True))
HOMOGLYPHS = {**_CYRILLIC, **_GREEK}
FULL_WIDTH = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_LOOK_ALIKE_BASE58 = {"0": "oQD", "O": "oQD", "I": "1iL", "l": "1iL"}
_LOOK_ALIKE_BECH32 = {"o": "0", "b": "68", "i": "lj", "1": "l"}
_MOST_SPELLINGS = 81  # of one word with look-alike letters
_GROUPS = (4, 5, 8)  # characters of a group, as wallets show addresses
_UNBROKEN_HEX = 40  # digits: a list of MD5 or SHA-1 digests is no list of broken txids


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Something that is nearly an address or txid.

    Attributes:
        text: As it stands in the text, on one line.
        places: Everywhere that it stands so.
        proposals: Valid addresses that may be meant, best first; none where no slip of one character explains it.
        why: What is wrong with it.
    """

    text: str
    places: tuple[Place, ...]
    proposals: tuple[str, ...]
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "text": self.text,
            "why": self.why,
            "proposals": list(self.proposals),
            "places": [place.as_dict() for place in self.places],
        }

    def __str__(self) -> str:
        meant = f"; did you mean {' or '.join(self.proposals)}?" if self.proposals else ""
        return f"{self.places[0]}: {self.text}: {self.why}{meant}"


def plain_letters(word: str) -> str:
    """`word` with letters that only look like Latin ones put as those."""
    return "".join(HOMOGLYPHS.get(c) or unicodedata.normalize("NFKC", c) for c in word)


def misread(word: str) -> tuple[tuple[str, ...], str] | None:
    """Proposals and reason for an ASCII word that a slip of case or a look-alike letter explains; quick."""
    lower = word.lower()
    is_segwit = lower.partition("1")[0] in prefixes()
    if is_segwit and lower != word != word.upper() and recognize(lower):
        return (lower,), "upper and lower case are mixed, which BIP 173 forbids"
    spellings = _spellings(lower, _LOOK_ALIKE_BECH32, lower.find("1") + 1) if is_segwit else iter(())
    others = _spellings(word, _LOOK_ALIKE_BASE58, 0)
    found = tuple(dict.fromkeys(spelt for spelt in itertools.chain(spellings, others) if recognize(spelt)))
    return (found, "it holds letters that stand in no address and look like others") if found else None


def misspelt(word: str, network: Network | None = None) -> tuple[str, ...]:
    """Valid addresses one character away, or with some letters in the other case; up to half a second."""
    found = (address.nearest(word, each) for each in resembles(word, network))
    return tuple(dict.fromkeys(itertools.chain.from_iterable(found)))


def _spellings(word: str, look_alike: dict[str, str], start: int) -> Iterator[str]:
    choices = [look_alike.get(c, c) if place >= start else c for place, c in enumerate(word)]
    count = math.prod(map(len, choices))
    return map("".join, itertools.product(*choices)) if count <= _MOST_SPELLINGS else iter(())


@dataclass(frozen=True, slots=True)
class Broken:
    """An address or txid in pieces: where it begins and ends in the text, what it is when joined, and why it was not."""

    start: int
    end: int
    joined: str
    why: str


def in_pieces(text: str) -> Iterator[Broken]:
    """Addresses in groups of characters, addresses and txids broken over two lines, in order of the text by kind.

    What is joined must have a checksum that holds, or the 64 digits of a txid.
    """
    for match in _patterns().groups.finditer(text):
        pieces = list(_WORD.finditer(text, match.start(), match.end()))
        # words of prose that happen to be as long as the groups may stand before and behind them
        for first, last in itertools.combinations(range(len(pieces)), 2):
            joined = "".join(piece[0] for piece in pieces[first : last + 1])
            if recognize(joined):
                yield Broken(pieces[first].start(), pieces[last].end(), joined, "it is written in groups")
                break
    for match in _patterns().lines.finditer(text):
        joined = match[1] + match[2]
        if recognize(joined) or (len(match[1]) > _UNBROKEN_HEX and TXID.fullmatch(joined)):
            yield Broken(match.start(), match.end(2), joined, "it is broken over two lines")


_WORD = re.compile("[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class _Patterns:
    groups: re.Pattern[str]
    lines: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """How an address in pieces begins: with a first letter or prefix of a network."""
    letters = list(first_letters())
    both_cases = [form for prefix in prefixes() for form in (prefix + "1", prefix.upper() + "1")]
    begin, begin_group = (
        rf"(?<![0-9A-Za-z])(?={'|'.join([*letters, *(form[:length] for form in both_cases)])})"
        for length in (None, min(_GROUPS))
    )
    gap = "[ \u00a0\u2009\u202f-]"
    groups = "|".join(
        rf"(?:[0-9A-Za-z]{{{size}}}{gap}{{1,2}}){{{-(-26 // size) - 2},{90 // size}}}[0-9A-Za-z]{{1,{size}}}"
        for size in _GROUPS
    )
    line = rf"((?:{begin}[0-9A-Za-z]{{2,88}}+|(?<![0-9A-Za-z])[0-9a-fA-F]{{{_UNBROKEN_HEX + 1},63}}+))"
    after = r"=?[ \t]*+\r?\n[ \t]*+(?:[>|][ \t]*+)*+"
    return _Patterns(
        re.compile(rf"{begin_group}(?:{groups})(?![0-9A-Za-z])"),
        re.compile(rf"{line}{after}(?=([0-9A-Za-z]{{1,88}}+))"),
    )
