"""The languages of letters: which there are, and their words, from the catalogues beside this file.

Letters are read by other people than pages, so they have languages of their own; what a catalogue leaves out is said in English.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from shieldwall.model.catalogue import read_catalogue
from shieldwall.model.words import ENGLISH, Words

LETTERS: Final = {"en": "English", "fr": "Français", "ar": "العربية", "ja": "日本語"}
"""Each language of letters by its tag, called as those who speak it call it."""


def letter_words(language: str) -> Words:
    """The words of a language; of one that is not in `LETTERS`, English."""
    return _read(language) if language in LETTERS and language != ENGLISH.language else ENGLISH


@cache
def _read(language: str) -> Words:
    return read_catalogue((files("shieldwall.cases") / "catalogues" / f"{language}.po").read_bytes(), language)
