"""Who may see what, by a plain model that is spelled out apart from the program, so that the two can disagree.

Everything that could leak bears a canary, a text that is nowhere else. The model knows for each who may read it.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from web_support import Caller

TLP = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
PAP = ("PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED")
RED, AMBER_STRICT = 4, 3
TELLING = 2  # the strictest PAP under which somebody outside may be told
READERS, WRITERS = {"viewer", "analyst", "approver"}, {"analyst"}
OVERSEERS = {"administrator", "auditor"}
CANARY = re.compile(r"zq[0-9a-f]{12}qz")

_numbers = itertools.count(1)
_T = TypeVar("_T")


def canary() -> str:
    """A text that is nowhere else, in any run."""
    return f"zq{next(_numbers):012x}qz"


def canaries(text: str) -> set[str]:
    """Those in a text."""
    return set(CANARY.findall(text))


class Dice:
    """Choices out of one number that Hypothesis draws, which is much cheaper than drawing each."""

    def __init__(self, *numbers: int) -> None:
        self._random = random.Random(hash(numbers))  # of whole numbers, so the same in every process

    def pick(self, things: Sequence[_T]) -> _T:
        return things[self._random.randrange(len(things))]

    def some(self, things: Iterable[_T], chance: float = 0.5) -> list[_T]:
        return [thing for thing in things if self._random.random() < chance]

    def under(self, chance: float) -> bool:
        return self._random.random() < chance

    def number(self, below: int) -> int:
        return self._random.randrange(below)


@dataclass(eq=False)
class Person:
    """Someone who works here."""

    id: str
    name: str
    roles: set[str]
    highest: int
    mail: str  # bears a canary
    active: bool = True


@dataclass(eq=False)
class Group:
    """A need-to-know group."""

    id: str
    name: str  # a canary
    members: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Eye:
    """A way in: a session (no scopes), or a token."""

    caller: Caller
    person: Person
    ceiling: int = RED
    scopes: frozenset[str] | None = None
    name: str = ""  # of a token: a canary
    revoked: bool = False

    @property
    def over(self) -> bool:
        return self.revoked or not self.person.active

    @property
    def reads(self) -> bool:
        """Rule 1: only roles that read, and of tokens only those for reading."""
        allowed = self.scopes is None or "read" in self.scopes
        return not self.over and bool(self.person.roles & READERS) and allowed

    @property
    def writes(self) -> bool:
        allowed = self.scopes is None or "write" in self.scopes
        return not self.over and bool(self.person.roles & WRITERS) and allowed

    @property
    def audits(self) -> bool:
        allowed = self.scopes is None or "audit" in self.scopes
        return not self.over and "auditor" in self.person.roles and allowed

    @property
    def oversees(self) -> bool:
        return not self.over and self.scopes is None and bool(self.person.roles & OVERSEERS)

    @property
    def manages(self) -> bool:
        return not self.over and self.scopes is None and "administrator" in self.person.roles


@dataclass(eq=False)
class Thing:
    """Something that is guarded."""

    kind: str
    id: str
    mark: str  # its own canary; "" for none
    marking: int
    pap: int
    owner: str
    case: str | None = None
    group: str | None = None
    bears: set[str] = field(default_factory=set)  # further canaries
    more: dict[str, Any] = field(default_factory=dict)


def opens(thing: Thing, marking: int, pap: int, case: str | None, group: str | None) -> bool:
    """Whether a new handling could show something to somebody who was kept out."""
    if marking < thing.marking or pap < thing.pap:
        return True
    if thing.case not in {None, case} or thing.group not in {None, group}:
        return True
    alone = thing.marking == RED and thing.case is None and thing.group is None
    return alone and (case is not None or group is not None)


@dataclass
class World:
    """All that there is."""

    people: list[Person] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    eyes: list[Eye] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    met: set[tuple[str, str]] = field(default_factory=set)

    def of(self, *kinds: str) -> list[Thing]:
        return [thing for thing in self.things if thing.kind in kinds]

    def case(self, case_id: str) -> Thing:
        return next(thing for thing in self.things if thing.kind == "case" and thing.id == case_id)

    def member(self, person: Person, case: Thing) -> bool:
        return person.id in case.more["people"] or any(
            person.id in self.groups[group].members for group in case.more["groups"]
        )

    def sees(self, eye: Eye, thing: Thing) -> bool:
        """The four rules, in words of the model's own."""
        person = eye.person
        if not eye.reads:
            return False
        highest = person.highest if eye.scopes is None else min(person.highest, eye.ceiling, AMBER_STRICT)
        if thing.marking > highest:
            return False
        if thing.case is not None:
            case = self.case(thing.case)
            if not self.member(person, case) or case.marking > highest:  # a case takes all that is in it along
                return False
        if thing.group is not None and person.id not in self.groups[thing.group].members:
            return False
        alone = thing.marking == RED and thing.case is None and thing.group is None
        return not alone or (thing.owner != "" and thing.owner == person.id)

    def seen(self, eye: Eye, *kinds: str) -> list[Thing]:
        return [thing for thing in self.of(*kinds) if self.sees(eye, thing)]

    def may_read(self, eye: Eye, text: str) -> bool:
        """Whether somebody may read a canary anywhere."""
        if any(self.sees(eye, thing) for thing in self.things if text == thing.mark or text in thing.bears):
            return True
        person = eye.person
        if eye.over or eye.scopes is not None:
            return False
        return (
            any(text in each.mail and (each is person or eye.oversees) for each in self.people)
            or any(
                text == group.name and (person.id in group.members or eye.oversees) for group in self.groups.values()
            )
            or any(text == other.name and (other.person is person or eye.manages) for other in self.eyes)
        )

    def put(self, subject: str, case: str | None) -> None:
        """Something about a subject came into a case: whoever else has it there meets it."""
        if case is None:
            return
        there = {thing.case for thing in self.of("claim", "watch") if thing.more["subject"] == subject}
        for other in there - {None, case}:
            self.met |= {(case, str(other)), (str(other), case)}

    def meetings(self, eye: Eye) -> set[tuple[str, str]]:
        """Of whoever asks: their case, and the name of whom to call."""
        found = set()
        for own_id, other_id in self.met:
            own, other = self.case(own_id), self.case(other_id)
            told = self.sees(eye, own) and own.more["status"] == other.more["status"] == "open"
            if told and not other.more["silent"] and not self.member(eye.person, other):
                found.add((own.id, next(each.name for each in self.people if each.id == other.more["contact"])))
        return found
