"""The seam of taint methods: what enters a transaction tainted, what leaves it so; and the same question asked backward.

A method never sees the chain: it gets the values and taints of one transaction's inputs in order, and the values of its
outputs in index order. Amounts are integer satoshi.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from shieldwall.errors import UsageError

Interval = tuple[int, int]
"""First and one past the last satoshi of a tainted run within an output, counted from 0."""

Taint = tuple[Interval, ...]
"""What of an output is tainted. Only methods that keep satoshi in order (FIFO, LIFO) care which; the others use one
interval from 0 to the amount."""

CLEAN: Taint = ()


def amount_of(taint: Taint) -> int:
    """Tainted satoshi."""
    total = 0
    for first, last in taint:
        total += last - first
    return total


class UnknownInput(Exception):
    """The division needs the value of an input that nobody gives.

    Attributes:
        place: Its position among the inputs.
    """

    def __init__(self, place: int) -> None:
        super().__init__(f"the value of input {place} is not known")
        self.place = place


@dataclass(frozen=True, slots=True)
class Split:
    """How a transaction divides what enters it tainted.

    Attributes:
        outputs: Taint of each output.
        fee: Tainted satoshi that the miner takes.
        origins: For each output, the position of the input that brought most of its taint; None for a clean output.
    """

    outputs: tuple[Taint, ...]
    fee: int
    origins: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is asked for of a transaction's outputs came from.

    Attributes:
        inputs: What of each input went into it.
        unplaced: Satoshi asked for that no input can have brought; above 0 only where a source gives inputs worth less
            than the outputs.
        heirs: For each input, the position of the output into which most of it went; None for one that has no part.
    """

    inputs: tuple[Taint, ...]
    unplaced: int
    heirs: tuple[int | None, ...]


class Method(ABC):
    """A rule for dividing taint.

    Attributes:
        name: The word on the command line and in results.
        conserved: True when what enters tainted leaves tainted, to the last satoshi, fee included.
        reversible: True when the rule also says where an output's money came from.
        rule: The rule in one sentence, for reports.
        backward_rule: The same for the way back; "" when it cannot be asked backward.
        source: Where it is defined.
    """

    name: str
    conserved: bool
    reversible: bool = True
    rule: str
    backward_rule: str = ""
    source: str

    @abstractmethod
    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide.

        Args:
            values: Satoshi of each input, in input order; None where nobody gives it.
            taints: Taint of each input.
            outputs: Satoshi of each output, in index order.

        Raises:
            UnknownInput: The rule needs a value that is None.
        """

    def trace_back(self, values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> Sources:
        """Which inputs the wanted parts of the outputs came from.

        Args:
            values: Satoshi of each input, in input order; None where nobody gives it.
            wanted: What is asked for of each output.
            outputs: Satoshi of each output, in index order.

        Raises:
            UnknownInput: The rule needs a value that is None.
            UsageError: The rule cannot be asked backward.
        """
        del values, wanted, outputs
        raise UsageError(f"{self.name} cannot be asked backward", hint="use --method fifo, lifo, haircut or poison")


def total_known(values: Sequence[int | None]) -> int:
    """The sum of all input values.

    Raises:
        UnknownInput: One of them is not known.
    """
    total = 0
    for place, value in enumerate(values):
        if value is None:
            raise UnknownInput(place)
        total += value
    return total


def heaviest(amounts: Sequence[int]) -> int | None:
    """The position of the largest amount above 0, the first of equals; None when all are 0."""
    best = max(range(len(amounts)), key=lambda place: (amounts[place], -place), default=None)
    return best if best is not None and amounts[best] > 0 else None
