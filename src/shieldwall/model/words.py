"""Texts for people, in their language. The English text is the name of a message, as in gettext.

A text has named fields, `{name}`, and nothing else: no attribute, no index, no format. Text from outside is only ever a value,
which is put in as it is and not looked at again.

Example:
    >>> ENGLISH.say("{name} can freeze it", name="Binance")
    'Binance can freeze it'
    >>> ENGLISH.count("{number} job", "{number} jobs", 2)
    '2 jobs'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A named field of a text; braces around anything else are braces."""


class Words(Protocol):
    """One language.

    What is said may be a value of another text, so that a sentence is put together out of clauses.
    """

    @property
    def language(self) -> str:
        """Its tag (BCP 47), as for the attribute `lang` of HTML: en."""

    @property
    def direction(self) -> str:
        """ltr or rtl."""

    def say(self, text: str, /, **values: object) -> str:
        """`text` in this language, with its fields filled in.

        Raises:
            KeyError: A field has no value.
        """

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """`one` or `many` in this language, by its own rules for `number`, which is the field `{number}`.

        Raises:
            KeyError: A field has no value.
        """


@dataclass(frozen=True, slots=True)
class English:
    """The language that texts are written in."""

    language: str = "en"
    direction: str = "ltr"

    def say(self, text: str, /, **values: object) -> str:
        """See `Words`."""
        return fill(text, values)

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """See `Words`."""
        return fill(one if number == 1 else many, {**values, "number": number})


ENGLISH = English()


def message(text: str) -> str:
    """`text`, marked for the catalogues: what is kept in a table and said later."""
    return text


def fill(text: str, values: Mapping[str, object], shown: Callable[[object], str] = str) -> str:
    """`text` with its fields filled in, each value as `shown` has it.

    Example:
        >>> fill("{a}, {b.__class__}, {0}, {a!r}", {"a": "{b}"})
        '{b}, {b.__class__}, {0}, {a!r}'

    Raises:
        KeyError: A field has no value.
    """
    return FIELD.sub(lambda found: shown(values[found[1]]), text)
