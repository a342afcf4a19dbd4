"""What a change rule is, and how rules are put together: `&`, `|`, `-` and `unique`.

A rule names the outputs that it does not rule out. `a & b` are those that neither rules out, `a | b` those of either,
`a - b` those of the first without those of the second, `unique(a)` the one of `a` where there is exactly one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from shieldwall.chain.store import SpendState
from shieldwall.kernels import change_rules as codes
from shieldwall.trace.change.rates import Published
from shieldwall.trace.change.view import SeenOutput, TransactionView


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one predicate says of one output.

    Attributes:
        fits: False where it rules the output out as change.
        why: In plain words.
    """

    fits: bool
    why: str


class Rule(ABC):
    """A predicate or a composition of rules. Immutable; two that say the same are equal."""

    strength: ClassVar[int] = 4
    """How tightly its text holds together, as in Python: 1 for `|`, 2 for `&`, 3 for `-`, 4 for a name or a call."""

    def __and__(self, other: Rule) -> Rule:
        return Both(self, other)

    def __or__(self, other: Rule) -> Rule:
        return Either(self, other)

    def __sub__(self, other: Rule) -> Rule:
        return Without(self, other)

    @property
    def looks_ahead(self) -> bool:
        """True where the answer depends on what spends the outputs, so that later blocks may change it."""
        return any(leaf.looks_ahead for leaf in self.leaves())

    @abstractmethod
    def leaves(self) -> Iterator[Predicate]:
        """The predicates that it is made of, from left to right."""

    @abstractmethod
    def candidates(self, view: TransactionView) -> frozenset[int]:
        """Places (from 0) of the outputs that may be change."""

    @abstractmethod
    def program(self) -> list[tuple[int, int]]:
        """The rule as instructions of `kernels.change_rules`."""

    @abstractmethod
    def __str__(self) -> str: ...

    def text_within(self, strength: int) -> str:
        """Its text as a part of another, in parentheses where it holds together less than that."""
        return str(self) if self.strength >= strength else f"({self})"


class Predicate(Rule):
    """A named rule, which does not consist of others. Frozen dataclasses beneath it; the docstring is its definition."""

    name: ClassVar[str]
    summary: ClassVar[str]
    looks_at_spenders: ClassVar[bool] = False

    @property
    def looks_ahead(self) -> bool:
        """See `Rule.looks_ahead`."""
        return self.looks_at_spenders

    @property
    @abstractmethod
    def published(self) -> Published:
        """What was published of its error."""

    @property
    def definition(self) -> str:
        """Its definition in a line."""
        return self.summary

    def leaves(self) -> Iterator[Predicate]:
        """Itself."""
        yield self

    def no_answer(self, view: TransactionView) -> str:  # noqa: ARG002 - most answer always
        """Why it names no output of this transaction at all; "" where it judges them one by one."""
        return ""

    @abstractmethod
    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """What it says of an output that can be spent, where `no_answer` has nothing against it."""

    def judgements(self, view: TransactionView) -> tuple[Judgement, ...]:
        """What it says of each output, in order."""
        silent = view.why_none or self.no_answer(view)
        return tuple(
            Judgement(fits=False, why=silent)
            if silent
            else self.judge(view, output)
            if output.state != SpendState.UNSPENDABLE
            else Judgement(fits=False, why="nobody can ever spend it")
            for output in view.outputs
        )

    def candidates(self, view: TransactionView) -> frozenset[int]:
        """See `Rule.candidates`."""
        return frozenset(place for place, found in enumerate(self.judgements(view)) if found.fits)

    @abstractmethod
    def instruction(self) -> tuple[int, int]:
        """Its instruction and argument for the kernels."""

    def program(self) -> list[tuple[int, int]]:
        """See `Rule.program`."""
        return [self.instruction()]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class _Pair(Rule):
    left: Rule
    right: Rule
    sign: ClassVar[str]
    code: ClassVar[int]

    def leaves(self) -> Iterator[Predicate]:
        yield from self.left.leaves()
        yield from self.right.leaves()

    def program(self) -> list[tuple[int, int]]:
        return [*self.left.program(), *self.right.program(), (self.code, 0)]

    def __str__(self) -> str:
        return f"{self.left.text_within(self.strength)} {self.sign} {self.right.text_within(self.strength + 1)}"


@dataclass(frozen=True)
class Both(_Pair):
    """The outputs that neither rule rules out."""

    strength: ClassVar[int] = 2
    sign: ClassVar[str] = "&"
    code: ClassVar[int] = codes.AND

    def candidates(self, view: TransactionView) -> frozenset[int]:
        """See `Rule.candidates`."""
        return self.left.candidates(view) & self.right.candidates(view)


@dataclass(frozen=True)
class Either(_Pair):
    """The outputs of either rule."""

    strength: ClassVar[int] = 1
    sign: ClassVar[str] = "|"
    code: ClassVar[int] = codes.OR

    def candidates(self, view: TransactionView) -> frozenset[int]:
        """See `Rule.candidates`."""
        return self.left.candidates(view) | self.right.candidates(view)


@dataclass(frozen=True)
class Without(_Pair):
    """The outputs of the first rule that are not among those of the second."""

    strength: ClassVar[int] = 3
    sign: ClassVar[str] = "-"
    code: ClassVar[int] = codes.WITHOUT

    def candidates(self, view: TransactionView) -> frozenset[int]:
        """See `Rule.candidates`."""
        return self.left.candidates(view) - self.right.candidates(view)


@dataclass(frozen=True)
class Unique(Rule):
    """The output of a rule that names exactly one; nothing where it names none or several."""

    rule: Rule

    def leaves(self) -> Iterator[Predicate]:
        """Those of the rule within."""
        return self.rule.leaves()

    def candidates(self, view: TransactionView) -> frozenset[int]:
        """See `Rule.candidates`."""
        found = self.rule.candidates(view)
        return found if len(found) == 1 else frozenset()

    def program(self) -> list[tuple[int, int]]:
        """See `Rule.program`."""
        return [*self.rule.program(), (codes.UNIQUE, 0)]

    def __str__(self) -> str:
        return f"unique({self.rule})"


def unique(rule: Rule) -> Rule:
    """The output of `rule` where it names exactly one."""
    return Unique(rule)
