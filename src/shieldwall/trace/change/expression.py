"""Rules as text, for the command line and for stamps: `unique(address_type & locktime) | power_of_ten(3)`.

    rule   = both { "|" both }
    both   = part { "&" part }
    part   = word { "-" word }
    word   = NAME | NAME "(" ARGUMENT ")" | "unique" "(" rule ")" | "(" rule ")"

The signs bind as in Python: `-` before `&` before `|`, each from the left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from shieldwall.errors import UsageError
from shieldwall.trace.change.predicate import Rule, unique
from shieldwall.trace.change.predicates import PREDICATES, PowerOfTen
from shieldwall.trace.change.spenders import Consistent

DEFAULT = "unique(address_type & power_of_ten(3) & client_behaviour)"
"""The rule of the command line: none of its predicates looks ahead, so that a clustering by it can be extended."""

MOST_CHARACTERS = 2_000
MOST_PARTS = 100  # names in a rule
MOST_DEPTH = 30  # parentheses within parentheses

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z_0-9]*)|([0-9]+)|([&|()-]))", re.ASCII)
_WITH_ARGUMENT = ("power_of_ten", "consistent")
_NAMES = (*PREDICATES, *_WITH_ARGUMENT, "unique")


def parse(text: str) -> Rule:
    """The rule that a text says; `parse(str(rule)) == rule` for every rule within the limits.

    Raises:
        UsageError: It says none; the place is named.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"a change rule of {len(text)} characters", hint=f"use at most {MOST_CHARACTERS}")
    reader = _Reader(text, _tokens(text))
    rule = reader.rule(0)
    if reader.here.text:
        raise reader.fault("expected &, | or - or the end")
    return rule


@dataclass(frozen=True, slots=True)
class _Token:
    text: str  # "" for the end
    place: int


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    while match := _TOKEN.match(text, place):
        word = match.group(match.lastindex or 0)
        found.append(_Token(word, match.end() - len(word)))
        place = match.end()
    if text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        raise _fault(text, place, f"{text[place]!r} has no meaning in a change rule")
    return [*found, _Token("", len(text))]


def _fault(text: str, place: int, what: str) -> UsageError:
    shown = "at its end" if place >= len(text) else f"at character {place + 1}, before {text[place : place + 20]!r}"
    return UsageError(
        f"change rule {text[:80]!r}: {what} ({shown})",
        hint="names are listed by: shieldwall cluster rules; for example unique(address_type & power_of_ten(3))",
    )


class _Reader:
    """Goes through the tokens once, from left to right."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._parts = 0

    @property
    def here(self) -> _Token:
        return self._tokens[self._at]

    def fault(self, what: str) -> UsageError:
        return _fault(self._text, self.here.place, what)

    def rule(self, depth: int) -> Rule:
        if depth > MOST_DEPTH:
            raise self.fault(f"more than {MOST_DEPTH} parentheses within each other")
        found = self._both(depth)
        while self._take("|"):
            found = found | self._both(depth)
        return found

    def _both(self, depth: int) -> Rule:
        found = self._part(depth)
        while self._take("&"):
            found = found & self._part(depth)
        return found

    def _part(self, depth: int) -> Rule:
        found = self._word(depth)
        while self._take("-"):
            found = found - self._word(depth)
        return found

    def _word(self, depth: int) -> Rule:
        if self._take("("):
            found = self.rule(depth + 1)
            self._expect(")")
            return found
        name = self.here.text
        if not re.match(r"[A-Za-z_]", name):
            raise self.fault("expected the name of a rule")
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, 1)
            raise self.fault(f"there is no rule {name}" + (f"; is {near[0]} meant?" if near else ""))
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise self.fault(f"more than {MOST_PARTS} names")
        self._at += 1
        if name == "unique":
            return unique(self._within(depth))
        return self._with_argument(name) if name in _WITH_ARGUMENT else PREDICATES[name]

    def _within(self, depth: int) -> Rule:
        self._expect("(")
        found = self.rule(depth + 1)
        self._expect(")")
        return found

    def _with_argument(self, name: str) -> Rule:
        self._expect("(")
        argument = self.here.text
        if name == "power_of_ten" and not re.fullmatch(r"[0-9]{1,2}", argument):
            raise self.fault("expected a number from 1 to 15, as in power_of_ten(3)")
        try:
            made: Rule = Consistent(argument) if name == "consistent" else PowerOfTen(int(argument))
        except UsageError as error:
            raise self.fault(f"{error.message}; {error.hint}") from None
        self._at += 1
        self._expect(")")
        return made

    def _take(self, sign: str) -> bool:
        if self.here.text != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self.fault(f"expected {sign}")
