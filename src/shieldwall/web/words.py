"""The languages of the pages: which one a reader gets, and its words, from a catalogue beside this file.

Catalogues are gettext's (`catalogues/LANGUAGE.po`), kept by `tools/make_catalogues.py`. What one leaves out is said in English.

Example:
    >>> chosen("", "de, fr-CH;q=0.9, en;q=0.8")
    'fr'
    >>> words_of("fr").count("{number} address", "{number} addresses", 2)
    '2 adresses'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from shieldwall.model.words import ENGLISH, Words, fill

LANGUAGES: Final = {"en": "English", "fr": "Français", "ar": "العربية"}
"""Each language by its tag, called as those who speak it call it."""

_RIGHT_TO_LEFT = frozenset(("ar",))
_MOST_ACCEPTED = 2000  # characters of Accept-Language that are looked at: far more than any browser sends
_RANGE = re.compile(r"([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
_ISOLATED = "\N{LEFT-TO-RIGHT ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Every character that only sets directions; in a value from outside it would end the isolate that the value is in."""


class Said(str):
    """Text in the reader's language: as a value of another text it is no foreign run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A language that has a catalogue.

    Where it is written from the right, each value is isolated as a run from the left: an address, an amount or a time would
    else be shown with its parts in another order, and so be read wrongly.

    Attributes:
        language: Its tag.
        direction: ltr or rtl.
        texts: Its texts, with its rules for numbers.
    """

    language: str
    direction: str
    texts: GNUTranslations

    def say(self, text: str, /, **values: object) -> str:
        """See `Words`."""
        found = self.texts.gettext(text) if text else text  # gettext answers nothing with the head of the catalogue
        return Said(fill(found, values, self._shown))

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """See `Words`."""
        found = self.texts.ngettext(one, many, number)
        return Said(fill(found, {**values, "number": number}, self._shown))

    def _shown(self, value: object) -> str:
        if self.direction == "ltr" or isinstance(value, Said):
            return str(value)
        return _ISOLATED.format(_TURNS.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def words_of(language: str) -> Words:
    """The words of a language; of one that is not in `LANGUAGES`, English."""
    return _read(language) if language in LANGUAGES and language != ENGLISH.language else ENGLISH


@cache
def _read(language: str) -> Catalogue:
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - a node that speaks English starts without it
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    with (files("shieldwall.web") / "catalogues" / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))  # leaves out what is not translated
    compiled.seek(0)
    direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    return Catalogue(language, direction, GNUTranslations(compiled))


def chosen(cookie: str, accept_language: str) -> str:
    """The language for a reader: what they chose, else what their browser asks for (RFC 9110, section 12.5.4), else English.

    A range stands for its language, whatever its region (RFC 4647, section 3.4); one that is no range is passed over.

    Args:
        cookie: The language that was chosen on a page, or anything else.
        accept_language: The header, or anything else.
    """
    if cookie in LANGUAGES:
        return cookie
    weights: dict[str, tuple[float, int]] = {}  # of equal weights the first counts
    for place, part in enumerate(accept_language[:_MOST_ACCEPTED].split(",")):
        name, _, rest = part.partition(";")
        asked = _RANGE.fullmatch(name.strip(" \t"))
        weight = _WEIGHT.fullmatch(rest.strip(" \t") or "q=1")
        if asked and weight:
            language = asked[1].lower()
            weights[language] = max(weights.get(language, (0.0, 0)), (float(weight[1]), -place))
    others = weights.get("*", (0.0, 0))
    best = max(LANGUAGES, key=lambda language: weights.get(language, others))
    return best if weights.get(best, others)[0] else ENGLISH.language
