"""Who may see something, and what may be done with it: TLP 2.0 (FIRST) and the Permissible Actions Protocol.

No marking means the strictest, of either. The words of PAP are those that CERT-FR and MISP use: RED allows nothing that could
be noticed outside, AMBER passive checks with third parties, GREEN active measures, CLEAR everything.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

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


class Pap(IntEnum):
    """The Permissible Actions Protocol, from open to closed, so that `max` of two must hold for both."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    RED = 3

    @property
    def label(self) -> str:
        """The marking as it is written: PAP:AMBER."""
        return "PAP:" + self.name


class Action(IntEnum):
    """What someone does with information; the number is the strictest PAP that still allows it.

    The order is that of what can be noticed: looking into one's own data, asking or telling a third party, and acting on
    the thing itself (contact, block, freeze).
    """

    ACT = Pap.GREEN
    TELL = Pap.AMBER
    LOOK = Pap.RED


STRICTEST = Marking.RED
STRICTEST_PAP = Pap.RED

_Level = TypeVar("_Level", Marking, Pap)


def parse_marking(text: str | None) -> Marking:
    """The marking that `text` writes; None or nothing is the strictest. TLP 1's WHITE reads as CLEAR.

    Raises:
        UsageError: A word that is no marking: guessing would open it.
    """
    return _parse(text, "TLP", "TLP 2.0", Marking, STRICTEST)


def parse_pap(text: str | None) -> Pap:
    """The PAP that `text` writes; None or nothing is the strictest. The older WHITE reads as CLEAR.

    Raises:
        UsageError: A word that is no PAP.
    """
    return _parse(text, "PAP", "PAP", Pap, STRICTEST_PAP)


def allows(pap: Pap, action: Action) -> bool:
    """Whether information under `pap` may be used for `action`.

    Example:
        >>> allows(Pap.AMBER, Action.TELL), allows(Pap.AMBER, Action.ACT)
        (True, False)
    """
    return int(pap) <= int(action)


def _parse(text: str | None, prefix: str, what: str, levels: type[_Level], strictest: _Level) -> _Level:
    if not text:
        return strictest
    word = text.upper().removeprefix(f"{prefix}:").replace("+", "_").replace("WHITE", "CLEAR")
    try:
        return levels[word]
    except KeyError:
        words = ", ".join(level.label for level in levels)
        raise UsageError(f"{text!r} is no {what} marking", hint=f"use one of {words}") from None
