"""Text from outside, fit to be shown: what cannot be seen is made visible, so that it can neither steer nor deceive."""

from __future__ import annotations

import unicodedata

_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"


ISOLATES = "\N{LEFT-TO-RIGHT ISOLATE}\N{POP DIRECTIONAL ISOLATE}"
"""What our own text in a language that is written from the right sets around values."""


def printable(text: str, kept: str = "") -> str:
    """`text` with every control and format character, line break and broken surrogate replaced, but for those in `kept`.

    A label may hold escape sequences that a terminal obeys, or marks that turn the direction of what follows; XML has
    no form for some of them at all.

    Example:
        >>> printable("a" + chr(27) + "[2Jb"), printable("Zürich, 東京")
        ('a�[2Jb', 'Zürich, 東京')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_SHOWN_AS if _hidden(character) and character not in kept else character for character in text)


def _hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")
