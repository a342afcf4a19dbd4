"""Read the parameters of a job as they came from outside: every field checked, none unknown, nothing without a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.network import NETWORKS

LONGEST_TEXT = 4096  # characters
MOST_TEXTS = 1000
MOST_NUMBER = (1 << 62) - 1


class Parameters:
    """The parameters of one job, taken field by field.

    Args:
        kind: The job's, for errors.
        given: What came.

    Raises:
        BadText: It is no object.
    """

    def __init__(self, kind: str, given: Mapping[str, Any]) -> None:
        if not isinstance(given, Mapping):
            raise BadText(f"the parameters of {kind} are no object")
        self._kind = kind
        self._left = dict(given)

    def text(
        self, name: str, default: str | None = None, *, among: Sequence[str] = (), longest: int = LONGEST_TEXT
    ) -> str:
        """A text.

        Args:
            name: The field.
            default: Where it is not given; None: it must be.
            among: What it may be; empty for anything.
            longest: Characters.

        Raises:
            BadText: Missing, no text, too long, or none of `among`.
        """
        value = self._left.pop(name, default)
        if not _is_text(value, longest):
            raise self._wrong(name, f"a text of at most {longest} characters")
        if among and value not in among:
            raise self._wrong(name, f"one of {', '.join(among)}")
        return str(value)

    def texts(self, name: str, *, least: int = 0, most: int = MOST_TEXTS) -> tuple[str, ...]:
        """A list of texts; missing is empty.

        Raises:
            BadText: No list of texts, or too few or many.
        """
        values = self._left.pop(name, None) or ()
        is_list = isinstance(values, list | tuple) and all(_is_text(each, LONGEST_TEXT) for each in values)
        if not is_list or not least <= len(values) <= most:
            raise self._wrong(name, f"a list of {least} to {most} texts")
        return tuple(values)

    def texts_or_none(self, name: str, *, most: int = MOST_TEXTS) -> tuple[str, ...] | None:
        """A list of texts; None where it is missing or null, which is not the same as an empty one.

        Raises:
            BadText: As `texts`.
        """
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.texts(name, most=most)

    def number(self, name: str, default: int, *, least: int = 0, most: int = MOST_NUMBER) -> int:
        """A whole number.

        Raises:
            BadText: No number, or outside of its bounds.
        """
        value = self._left.pop(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._wrong(name, f"a whole number from {least} to {most}")
        return value

    def number_or_none(self, name: str, *, least: int = 0, most: int = MOST_NUMBER) -> int | None:
        """A whole number; None where it is missing or null.

        Raises:
            BadText: As `number`.
        """
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.number(name, least, least=least, most=most)

    def network(self) -> str:
        """The field `network`: a network's name; "" where it is missing.

        Raises:
            BadText: No network is called so.
        """
        return self.text("network", "", among=("", *NETWORKS))

    def flag(self, name: str) -> bool:
        """True or false; false where it is missing.

        Raises:
            BadText: Neither.
        """
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def end(self) -> None:
        """Refuse fields that nobody asked for.

        Raises:
            BadText: There are some.
        """
        for name in self._left:
            raise BadText(f"{self._kind} has no parameter {str(name)[:40]!r}")

    def _wrong(self, name: str, wanted: str) -> BadText:
        return BadText(f"{self._kind}: {name!r} must be {wanted}")


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and is_plain(value)


def is_plain(text: str) -> bool:
    """Whether a text can be written down anywhere: no NUL, and no half of a surrogate pair."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)
