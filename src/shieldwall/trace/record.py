"""What a walk finds, in numbers of the store: where money's way ends, what it passed, what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from shieldwall.model.claim import Claim
from shieldwall.trace.methods.interface import Taint


class EndKind(StrEnum):
    """How money's way ends; backward, where it begins."""

    HELD = "held"  # forward: unspent as of the tip
    COINBASE = "coinbase"  # backward: newly mined, with the fees of its block
    MWEB = "mweb"  # Litecoin: in the extension block, which hides amounts and holders; backward: out of it
    SERVICE = "service"  # reached an address that tags say is a service's
    UNKNOWN = "unknown"  # forward: the spend state is not known; backward: the inputs cannot be told apart
    FEE = "fee"  # forward: a sink: miners' fees, and outputs that nobody can ever spend
    LIMIT = "limit"  # a limit of the trace
    GAP = "gap"  # a named transaction that is not in the data


@dataclass(frozen=True, slots=True)
class Outside:
    """An output of a transaction that is not in the store, known by the input that spends it.

    Attributes:
        txid: The missing transaction.
        index: Which of its outputs.
        holder: Number of its holder; None where no source gives the script.
        value: Satoshi; None where no source gives it.
        hop: Spends to the seed.
        heir: Output of the store into which most of it went; None where the trace starts from the input itself.
    """

    txid: str
    index: int
    holder: int | None
    value: int | None
    hop: int = 0
    heir: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """One output's taint at its end.

    Attributes:
        kind: How it ends.
        output: Number of the output; None for a fee, and for an output outside.
        transaction: Transaction that made the output, or that paid the fee; for an output outside, the one that spends it.
        amount: Tainted satoshi.
        reason: Why it ends here, where the kind does not say it.
        txid: Gap: the named transaction that is not in the data.
        claim: Gap: what is published of it; None when only the chain data names it.
        left: Backward: the transaction by which it went on towards the seed; None where the trace starts here.
        outside: The output, where it is not one of the store.
    """

    kind: EndKind
    output: int | None
    transaction: int
    amount: int
    reason: str = ""
    txid: str = ""
    claim: Claim | None = None
    left: int | None = None
    outside: Outside | None = None


@dataclass(slots=True)
class Step:
    """A transaction that tainted money went through.

    Attributes:
        transaction: Its number.
        hop: Spends from the seed, this one counted.
        inputs: (position, output number or None, tainted satoshi) of the tainted inputs.
        outputs: (output number, tainted satoshi) of the tainted outputs.
        fee: Tainted satoshi of its fee.
    """

    transaction: int
    hop: int
    inputs: list[tuple[int, int | None, int]] = field(default_factory=list)
    outputs: list[tuple[int, int]] = field(default_factory=list)
    fee: int = 0


@dataclass(slots=True)
class Reached:
    """An output that money came to, or, backward, came from.

    Attributes:
        transaction: Transaction that made it.
        amount: Tainted satoshi.
        hop: Spends from the seed.
        origin: Output that brought most of it; backward, into which most of it went; None where the walk started.
        taint: What of it is tainted, until it is passed.
        left: Backward: the transaction that spends it; None where the walk started.
    """

    transaction: int
    amount: int
    hop: int
    origin: int | None
    taint: Taint
    left: int | None = None


@dataclass(slots=True)
class Walk:
    """What a walk found.

    Attributes:
        backward: Which way it went.
        seed_amount: Satoshi started from, each once.
        returned_amount: Satoshi that came back to a seed by its own money and are not counted again.
        seeds: (transaction whose time is the seed's, satoshi started from there) for every seed that counts.
        endings: Where it went, or came from.
        steps: The transactions passed, in chain order.
        reached: Every output that money came to, seeds among them.
        notes: What a person should know, sorted.
    """

    backward: bool = False
    seed_amount: int = 0
    returned_amount: int = 0
    seeds: list[tuple[int, int]] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    reached: dict[int, Reached] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def begin(self, transaction: int, value: int, already: int) -> None:
        """Count a seed's money once: what its own money brought back is returned, the rest is new."""
        self.seed_amount += value - already
        self.returned_amount += already
        if value > already:
            self.seeds.append((transaction, value - already))


class Walked(Protocol):
    """What a walk found, as whoever reads it sees it; `Walk` says what each is."""

    @property
    def backward(self) -> bool:
        """Which way it went."""

    @property
    def seed_amount(self) -> int:
        """Satoshi started from."""

    @property
    def returned_amount(self) -> int:
        """Satoshi that came back to a seed."""

    @property
    def seeds(self) -> Sequence[tuple[int, int]]:
        """Seeds that count."""

    @property
    def endings(self) -> Sequence[Ending]:
        """Where it went."""

    @property
    def steps(self) -> Sequence[Step]:
        """The transactions passed."""

    @property
    def reached(self) -> Mapping[int, Reached]:
        """Outputs that money came to."""

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know."""


def totals(endings: Sequence[Ending]) -> Mapping[EndKind, int]:
    """Satoshi by kind of end."""
    sums = dict.fromkeys(EndKind, 0)
    for ending in endings:
        sums[ending.kind] += ending.amount
    return sums
