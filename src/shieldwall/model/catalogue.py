"""A language that has a catalogue: texts of gettext; values stay readable where writing runs from the right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from gettext import GNUTranslations
from io import BytesIO
from typing import Final

from shieldwall.model.words import fill

RIGHT_TO_LEFT: Final = frozenset(("ar",))
_ISOLATED = "\N{LEFT-TO-RIGHT ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Every character that only sets directions; in a value from outside it would end the isolate that the value is in."""


class Said(str):
    """Text in the reader's language: as a value of another text it is no foreign run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A language that has a catalogue; what the catalogue leaves out is said in English.

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


def read_catalogue(text: bytes, language: str) -> Catalogue:
    """The language of a catalogue of gettext (`.po`)."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - whoever speaks English starts without it
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text), locale=language))  # leaves out what is not translated
    compiled.seek(0)
    return Catalogue(language, "rtl" if language in RIGHT_TO_LEFT else "ltr", GNUTranslations(compiled))
