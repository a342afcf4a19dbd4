"""Tables of TOML that people keep by hand: each field is taken once, in its form, and what nobody took is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from shieldwall.errors import BadText

_ABSENT = object()


class TomlTable:
    """One table, and the place that its errors name.

    Every ``take_`` method removes a field. A field without `default` must be there.

    Args:
        fields: Name -> value as `tomllib` gives it; it is not changed.
        place: File, and entry where there is one.
    """

    def __init__(self, fields: Mapping[str, Any], place: str) -> None:
        self._left = dict(fields)
        self.place = place

    @classmethod
    def parse(cls, text: str, place: str) -> TomlTable:
        """A whole file.

        Raises:
            BadText: It is no TOML.
        """
        try:
            return cls(tomllib.loads(text), place)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            raise BadText(f"{place}: not TOML ({error})", hint="mend it there") from None

    def wrong(self, what: str, hint: str = "") -> BadText:
        """The error for something in this table; to be raised."""
        return BadText(f"{self.place}: {what}", hint=hint)

    def take_text(self, name: str, default: str | None = None) -> str:
        """A text."""
        value = self._take(name, default)
        if not isinstance(value, str):
            raise self.wrong(f"{name} is not a text", "put it in quotes")
        return value

    def take_choice(self, name: str, choices: Iterable[str], default: str | None = None) -> str:
        """A text that is one of a few."""
        value, allowed = self.take_text(name, default), tuple(choices)
        if value not in allowed:
            raise self.wrong(f"{name} is {value[:40]!r}", f"choose one of {', '.join(allowed)}")
        return value

    def take_texts(self, name: str, choices: Iterable[str] = (), *, optional: bool = True) -> tuple[str, ...]:
        """A list of texts, empty where there is none; each one of `choices` if there are any."""
        value, allowed = self._take(name, [] if optional else None), tuple(choices)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(f"{name} is not a list of texts")
        unknown = [each for each in value if allowed and each not in allowed]
        if unknown:
            raise self.wrong(f"{name} has {unknown[0][:40]!r}", f"choose from {', '.join(allowed)}")
        return tuple(value)

    def take_flag(self, name: str, *, default: bool | None = None) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{name} is neither true nor false")
        return value

    def take_number(self, name: str, *, most: int, default: int | None = None) -> int:
        """A whole number from 0 to `most`."""
        value = self._take(name, default)
        if type(value) is not int or not 0 <= value <= most:
            raise self.wrong(f"{name} is not a whole number from 0 to {most}")
        return value

    def take_tables(self, name: str) -> tuple[TomlTable, ...]:
        """Its tables of a name, none where there is none; each one's place is this one's with name and number."""
        value = self._take(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.wrong(f"{name} is not a list of tables", f"begin each one with [[{name}]]")
        return tuple(TomlTable(each, f"{self.place}, {name} {number}") for number, each in enumerate(value, 1))

    def has(self, name: str) -> bool:
        """Whether a field is there and was not taken."""
        return name in self._left

    def finish(self) -> None:
        """Nothing may be left.

        Raises:
            BadText: A field that nobody took.
        """
        if self._left:
            raise self.wrong(
                f"unknown field {min(self._left)[:40]!r}", "take it out, or write it as the shipped file does"
            )

    def _take(self, name: str, default: object) -> object:
        value = self._left.pop(name, _ABSENT)
        if value is not _ABSENT:
            return value
        if default is None:
            raise self.wrong(f"{name} is missing", "write it as the shipped file does")
        return default
