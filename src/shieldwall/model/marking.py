"""Who may see something: the Traffic Light Protocol 2.0 (FIRST). No marking means the strictest."""

from __future__ import annotations

from enum import IntEnum

from shieldwall.errors import UsageError


class Marking(IntEnum):
    """TLP 2.0, from open to closed, so that `max` of two is the one that must hold for both."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @property
    def label(self) -> str:
        """The marking as it is written: TLP:AMBER+STRICT."""
        return "TLP:" + self.name.replace("_", "+")


STRICTEST = Marking.RED


def parse_marking(text: str | None) -> Marking:
    """The marking that `text` writes; None or nothing is the strictest. TLP 1's WHITE reads as CLEAR.

    Raises:
        UsageError: A word that is no marking: guessing would open it.
    """
    if not text:
        return STRICTEST
    word = text.upper().removeprefix("TLP:").replace("+", "_").replace("WHITE", "CLEAR")
    try:
        return Marking[word]
    except KeyError:
        words = ", ".join(marking.label for marking in Marking)
        raise UsageError(f"{text!r} is no TLP 2.0 marking", hint=f"use one of {words}") from None
