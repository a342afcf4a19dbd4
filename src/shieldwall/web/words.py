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
from functools import cache
from importlib.resources import files
from typing import Final

from shieldwall.model.catalogue import Catalogue, read_catalogue
from shieldwall.model.words import ENGLISH, Words

LANGUAGES: Final = {"en": "English", "fr": "Français", "ar": "العربية"}
"""Each language by its tag, called as those who speak it call it."""

_MOST_ACCEPTED = 2000  # characters of Accept-Language that are looked at: far more than any browser sends
_RANGE = re.compile(r"([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def words_of(language: str) -> Words:
    """The words of a language; of one that is not in `LANGUAGES`, English."""
    return _read(language) if language in LANGUAGES and language != ENGLISH.language else ENGLISH


@cache
def _read(language: str) -> Catalogue:
    return read_catalogue((files("shieldwall.web") / "catalogues" / f"{language}.po").read_bytes(), language)


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
