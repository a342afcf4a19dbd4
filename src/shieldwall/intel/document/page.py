"""HTML -> the text that a reader sees, and what its attributes, scripts and comments say; linear in its length.

Tags are cut out by one expression: Python's own parser takes quadratic time on crafted pages (CVE-2025-6069), and no
tree is needed. Inline tags join what stands around them, as on the screen; other tags set it apart. Nothing is fetched.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from shieldwall.intel.document.interface import APART, NamedCells, Part

_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|<(?P<raw>script|style)\b(?P<rawtag>[^<>]*+)>(?P<code>.*?)(?:</(?P=raw)\b[^<>]*+>|\Z)"
    r"|</?(?P<name>[a-zA-Z][-a-zA-Z0-9:]*+)(?P<tag>[^<>]*+)>?"
    r"|<[!?][^<>]*+>?",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(?<![-a-zA-Z0-9:_@.])([-a-zA-Z0-9:_@.]++)\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s\"']++))"
)
_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,32};?")
_INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u"
    r"|var|wbr",
    re.IGNORECASE,
)


def parse(text: str, name: str = "") -> list[Part]:
    """The page as one part; a place in it is called by its line in the source."""
    page = _Page()
    line, end = 1, 0
    aside: list[tuple[int, str, str]] = []  # of a block: told after it, so that its words stay whole
    for match in _TOKEN.finditer(text):
        line = page.add(line, text[end : match.start()])
        aside += ((line, what, said) for what, said in _aside(match))
        line += match[0].count("\n")
        end = match.end()
        if match["name"] is not None and not _INLINE.fullmatch(match["name"]):
            page.close(aside)
            aside = []
    page.add(line, text[end:])
    page.close(aside)
    return [Part(name, "".join(page.texts), NamedCells(page.starts, page.names.__getitem__))]


class _Page:
    """What is shown, line by line of the source."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.names: list[str] = []
        self._length = 0

    def add(self, line: int, text: str, what: str = "") -> int:
        """Text that begins in this line of the source; returns the line in which it ends."""
        for number, piece in enumerate(text.split("\n")):
            if number:
                self._put("\n")
            if piece:
                self.starts.append(self._length)
                self.names.append(f"line {line + number}{what}")
                self._put(_unescape(piece))
        return line + text.count("\n")

    def close(self, aside: list[tuple[int, str, str]]) -> None:
        """End a block, and tell what its tags said."""
        for line, what, said in aside:
            self._put(APART)
            self.add(line, said, f", {what}")
        self._put(APART)

    def _put(self, text: str) -> None:
        self.texts.append(text)
        self._length += len(text)


def _aside(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """What a token says that the screen does not show."""
    if match["comment"]:
        yield "comment", match["comment"]
    if match["code"]:
        yield match["raw"].lower(), match["code"]
    for attribute in _ATTRIBUTE.finditer(match["tag"] or match["rawtag"] or ""):
        value = attribute[2] or attribute[3] or attribute[4]
        if value:
            yield f"{attribute[1].lower()[:40]} of {(match['name'] or match['raw']).lower()[:40]}", value


def _unescape(text: str) -> str:
    """Entities as characters; an overlong number stays as it is (`html.unescape` would fail on it)."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text
