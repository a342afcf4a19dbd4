"""Text of any kind -> the addresses and txids that it mentions, with every place. Pure.

A Base58Check address is found by its checksum of 32 bits, a segwit address by one of 30 behind a fixed prefix (BIP 173,
350), so no word of prose is taken for one. A string of 64 hex digits has no checksum: it is *perhaps* a txid, and only
a chain store can tell; one that begins with eight zeros is told apart as a block hash (no block ever took less work on
the networks that count).

Example:
    >>> found = find_mentions("pay to bitcoin:34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo?amount=1 today")
    >>> found.mentions[0].name, str(found.mentions[0].places[0])
    ('34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo', 'line 1, column 16')
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.address import MAX_LENGTH
from shieldwall.model.near_miss import (
    FULL_WIDTH,
    HOMOGLYPHS,
    INVISIBLE,
    NearMiss,
    in_pieces,
    misread,
    misspelt,
    plain_letters,
)
from shieldwall.model.network import Network
from shieldwall.model.place import Cells, Place, Ruler
from shieldwall.model.recognition import SHORTEST, recognize, resembles
from shieldwall.model.transaction import TXID

ADDRESS, TXID_KIND, OUTPUT, INPUT, BLOCK_HASH = "address", "txid", "output", "input", "block hash"
PERHAPS = "64 hex digits: perhaps a txid, perhaps a digest of something else; only a chain store can tell"
SEARCHES = 12  # words of one text for which a slip of one character is looked for, up to half a second each
MOST_NEAR_MISSES = 1_000  # kept of one text; the others are counted

_WORDS = re.compile(rf"[0-9A-Za-z]{{{SHORTEST},}}+")
_ANY_WORDS = re.compile(rf"[0-9A-Za-z{INVISIBLE}{''.join(HOMOGLYPHS)}{FULL_WIDTH}]{{{SHORTEST},}}+")
_HIDDEN = re.compile(f"[{INVISIBLE}]+")
_SUFFIX = re.compile(r":(in:)?([0-9]{1,10})(?![0-9A-Za-z:])")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[bfnrtv])")  # of URLs, JSON, programs
_SAID_OTHERWISE = ("sha256:", "sha256=", "sha-256:", "sha256sum:", "p2wsh:", "p2tr:", "blake3:")  # 64 digits, no txid
_LONG_BLOB = 60  # characters: base64 in mail and certificates has lines of 64 or 76
_BLOB = re.compile(r"[0-9A-Za-z+/=_-]+\Z")
_BLOB_ON = re.compile(r"[0-9A-Za-z+/=_-]+")
_WORK = "0" * 8  # hex digits that every block hash begins with (difficulty 1; regtest apart)


@dataclass(frozen=True, slots=True)
class Mention:
    """Something of a chain that a text names.

    Attributes:
        kind: address, txid, output (TXID:N), input (TXID:in:N) or block hash.
        name: Its normal form.
        networks: Names of the networks on which the address is valid; empty for what no checksum ties to one.
        places: Everywhere that it stands, in order.
        note: What a reader must know of it; "" for nothing.
    """

    kind: str
    name: str
    networks: tuple[str, ...]
    places: tuple[Place, ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "networks": list(self.networks),
            "note": self.note,
            "places": [place.as_dict() for place in self.places],
        }


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a text mentions.

    Attributes:
        mentions: In the order of their first places.
        near_misses: What nearly is an address, in the order of the text.
        left_out: Near misses beyond the first thousand, counted only.
        unsearched: Near misses for which nothing close was looked for, since that is slow.
        characters: Length of the text.
    """

    mentions: tuple[Mention, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    left_out: int = 0
    unsearched: int = 0
    characters: int = 0

    def __len__(self) -> int:
        return len(self.mentions)

    def addresses(self, network: str | None = None) -> tuple[Mention, ...]:
        """The addresses, of one network where it is named."""
        return tuple(m for m in self.mentions if m.kind == ADDRESS and (network is None or network in m.networks))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "mentions": [mention.as_dict() for mention in self.mentions],
            "near_misses": [miss.as_dict() for miss in self.near_misses],
            "near_misses_left_out": self.left_out,
            "near_misses_unsearched": self.unsearched,
            "characters": self.characters,
        }


def find_mentions(text: str, network: Network | None = None) -> Mentions:
    """The addresses, txids and block hashes that `text` mentions, and what nearly is an address.

    Args:
        text: Anything; the time taken rises with its length, at 5 MB a second or more.
        network: Look for addresses of this network only; None for those of every network.
    """
    finder = Finder(network)
    finder.read(text)
    return finder.result()


@dataclass(slots=True)
class _Found:
    kind: str
    name: str
    networks: tuple[str, ...]
    note: str = ""
    places: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class _Near:
    proposals: tuple[str, ...]
    why: str
    places: list[Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text that is being looked through, and what of it stands for something already: spans in order."""

    text: str
    ruler: Ruler
    covered: Sequence[tuple[int, int]]

    def is_no_word(self, start: int, end: int) -> bool:
        """Whether a word is a piece of something else: an address in groups, or base64, whose pieces look like anything."""
        place = bisect_right(self.covered, (start, start))
        if any(first <= start < last for first, last in self.covered[max(0, place - 1) : place + 1]):
            return True
        before = _BLOB.search(self.text, max(0, start - _LONG_BLOB), start)
        after = _BLOB_ON.match(self.text, end, end + _LONG_BLOB)
        around = (len(before[0]) if before else 0) + (len(after[0]) if after else 0)
        return end - start + around >= _LONG_BLOB or "+" in (self.text[start - 1 : start], self.text[end : end + 1])


class Finder:
    """Collects what the parts of a document mention; the limits hold for all of them together.

    Args:
        network: Look for addresses of this network only; None for every network.
        searches: Words for which a slip of one character is looked for.
    """

    def __init__(self, network: Network | None = None, *, searches: int = SEARCHES) -> None:
        self._network = network
        self._searches = searches
        self._found: dict[tuple[str, str], _Found] = {}
        self._words: dict[str, _Found] = {}
        self._near: dict[str, _Near] = {}
        self._left_out = self._unsearched = self._characters = 0

    def read(self, text: str, part: str = "", cells: Cells | None = None) -> None:
        """Look through `text`, the part of a document that is called `part`."""
        self._characters += len(text)
        ruler = Ruler(text, part, cells)
        pieces = sorted(in_pieces(text), key=lambda piece: piece.start)
        covered: list[tuple[int, int]] = []
        for piece in pieces:
            if covered and piece.start < covered[-1][1]:
                continue
            covered.append((piece.start, piece.end))
            if self._wanted(piece.joined):
                as_found = " ".join(text[piece.start : piece.end].split())
                self._miss(as_found, ruler.place(piece.start), (piece.joined,), piece.why)
        reading = _Reading(text, Ruler(text, part, cells), covered)
        words = _WORDS if text.isascii() else _ANY_WORDS
        for match in words.finditer(text):
            if match[0].isascii():
                self._word(reading, match[0], match.start(), match.end())
            else:
                self._mixed(reading, match)

    def result(self) -> Mentions:
        """What was found so far."""
        mentions = (Mention(f.kind, f.name, f.networks, tuple(f.places), f.note) for f in self._found.values())
        near = (NearMiss(text, tuple(n.places), n.proposals, n.why) for text, n in self._near.items())
        return Mentions(tuple(mentions), tuple(near), self._left_out, self._unsearched, self._characters)

    def _mixed(self, reading: _Reading, match: re.Match[str]) -> None:
        """A word with characters that cannot be seen, or that only look like Latin letters."""
        shown = _HIDDEN.sub("", match[0])
        lead = _HIDDEN.match(match[0])
        start = match.start() + (len(lead[0]) if lead else 0)
        if shown.isascii() and (TXID.fullmatch(shown) or recognize(shown)):
            note = "" if shown in match[0] else "characters that cannot be seen stood in it"
            self._word(reading, shown, start, match.end(), note)
            return
        plain = plain_letters(shown) if len(shown) <= MAX_LENGTH and not shown.isascii() else ""
        if plain and (self._wanted(plain) or (resembles(plain, self._network) and misread(plain))):
            proposals = (plain,) if self._wanted(plain) else (misread(plain) or ((), ""))[0]
            why = "it holds letters of another alphabet that only look alike"
            self._miss(shown, reading.ruler.place(start), proposals, why)
            return
        for part in _WORDS.finditer(match[0]):
            self._word(reading, part[0], match.start() + part.start(), match.start() + part.end())

    def _word(self, reading: _Reading, word: str, start: int, end: int, note: str = "") -> None:
        found = self._known(reading.text, word, start, end)
        escape = _ESCAPED.match(reading.text, start - 1) if found is None and start else None
        if escape is not None:
            skipped = len(escape[0]) - 1
            word, start = word[skipped:], start + skipped
            found = self._known(reading.text, word, start, end)
        if found is not None:
            found.places.append(reading.ruler.place(start))
            found.note = found.note or note
        elif word and resembles(word, self._network) and not reading.is_no_word(start, end):
            self._nearly(word, reading.ruler.place(start))

    def _known(self, text: str, word: str, start: int, end: int) -> _Found | None:
        """What `word` is; None when it is nothing."""
        if len(word) == 64 and TXID.fullmatch(word):
            return self._digits(text, word.lower(), start, end)
        known = self._words.get(word)
        if known is None:
            seen = recognize(word)
            if seen is None or (self._network is not None and self._network not in seen[1]):
                return None
            networks = tuple(network.name for network in seen[1])
            known = self._words[word] = self._found.setdefault((ADDRESS, seen[0]), _Found(ADDRESS, seen[0], networks))
        return known

    def _digits(self, text: str, digits: str, start: int, end: int) -> _Found | None:
        if not digits.strip("0") or text[max(0, start - 10) : start].lower().endswith(_SAID_OTHERWISE):
            return None
        if digits.startswith(_WORK):
            return self._found.setdefault((BLOCK_HASH, digits), _Found(BLOCK_HASH, digits, ()))
        suffix = _SUFFIX.match(text, end)
        if suffix is None:
            return self._found.setdefault((TXID_KIND, digits), _Found(TXID_KIND, digits, (), PERHAPS))
        kind = INPUT if suffix[1] else OUTPUT
        name = f"{digits}:{suffix[1] or ''}{int(suffix[2])}"
        return self._found.setdefault((kind, name), _Found(kind, name, (), PERHAPS))

    def _nearly(self, word: str, place: Place) -> None:
        """Offer what `word`, which looks like an address, may stand for."""
        near = self._near.get(word)
        if near is not None:
            near.places.append(place)
            return
        if len(self._near) >= MOST_NEAR_MISSES:
            self._left_out += 1
            return
        read = misread(word)
        if read is not None:
            self._miss(word, place, *read)
        elif self._searches:
            self._searches -= 1
            self._miss(word, place, misspelt(word, self._network), "its checksum does not hold")
        else:
            self._unsearched += 1
            self._miss(word, place, (), "its checksum does not hold; nothing close was looked for")

    def _miss(self, text: str, place: Place, proposals: tuple[str, ...], why: str) -> None:
        if text not in self._near and len(self._near) >= MOST_NEAR_MISSES:
            self._left_out += 1
            return
        self._near.setdefault(text, _Near(proposals, why)).places.append(place)

    def _wanted(self, word: str) -> bool:
        seen = recognize(word)
        return bool(TXID.fullmatch(word)) if seen is None else self._network is None or self._network in seen[1]
