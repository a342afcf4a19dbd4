"""Words to people, in their language."""

from __future__ import annotations

from typing import Protocol


class Words(Protocol):
    """A language."""

    language: str
    direction: str

    def say(self, text: str, /, **values: object) -> str:
        """A message."""

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """A message with a number."""


class _English:
    language = "en"
    direction = "ltr"

    def say(self, text: str, /, **values: object) -> str:
        return text.format(**values)

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        return (one if number == 1 else many).format(number=number, **values)


ENGLISH: Words = _English()
