"""The named predicates: each with its exact definition, its source, and what was published of its error.

The common ground of all: a coinbase has no change, nor has a transaction of which fewer than two outputs can be spent (what
BlockSci asks for in its legacy rule only), and an output that nobody can ever spend is never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from shieldwall.errors import UsageError
from shieldwall.kernels import change_rules as codes
from shieldwall.trace.change.predicate import Judgement, Predicate
from shieldwall.trace.change.rates import BLOCKSCI, MEIKLEJOHN, Published, measured, not_measured
from shieldwall.trace.change.spenders import FEATURES, Consistent, Locktime, Rbf, Version
from shieldwall.trace.change.view import SeenOutput, TransactionView

_MOST_DIGITS = 15


@dataclass(frozen=True)
class AddressType(Predicate):
    """All inputs spend one script kind, and the output pays that kind.

    No answer where the inputs spend several kinds, or one of them is not known. Wrapped SegWit is P2SH here, as it looks.
    Source: BlockSci, `address_type`. Möser and Narayanan, Table 4: TPR .237, FPR .031, coverage .369.
    """

    name: ClassVar[str] = "address_type"
    summary: ClassVar[str] = "All inputs are of one script kind, and the output is of that kind."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return measured(".237", ".031", ".369")

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        if view.kinds is None:
            return f"the script kind of {view.unknown_payers} of the inputs is not known"
        kinds = sorted(kind.label for kind in view.kinds)
        return f"the inputs are of several kinds: {', '.join(kinds)}" if len(kinds) > 1 else ""

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        (kind,) = view.kinds or {output.kind}
        if output.kind == kind:
            return Judgement(fits=True, why=f"all inputs are {kind.label}, and so is it")
        return Judgement(fits=False, why=f"all inputs are {kind.label}, and it is {output.kind.label}")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.ADDRESS_TYPE, 0


@dataclass(frozen=True)
class AddressReuse(Predicate):
    """The output pays a holder that also pays an input.

    Inputs whose holder is not known are passed over. Source: BlockSci, `address_reuse`. No rates are published: Möser and
    Narayanan take such transactions for their ground truth.
    """

    name: ClassVar[str] = "address_reuse"
    summary: ClassVar[str] = "The output pays an address that also pays an input."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(BLOCKSCI, "Möser and Narayanan (FC 2022) take it for the truth that they measure others by")

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        if output.holder in view.payers:
            return Judgement(fits=True, why="its address pays an input too")
        unknown = f", as far as known ({view.unknown_payers} inputs are not)" if view.unknown_payers else ""
        return Judgement(fits=False, why=f"its address pays no input{unknown}")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.ADDRESS_REUSE, 0


@dataclass(frozen=True)
class Optimal(Predicate):
    """The output is smaller than every input.

    Had the change been as large as an input, the wallet could have left that input out. With one input every output is
    smaller, so that the rule tells nothing. No answer where the value of an input is not known.
    Source: BlockSci, `optimal_change`. Möser and Narayanan, Table 4: TPR .306, FPR .026, coverage .133.
    """

    name: ClassVar[str] = "optimal"
    summary: ClassVar[str] = "The output is smaller than every input."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return measured(".306", ".026", ".133")

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        return "the value of an input is not known" if view.smallest_input is None else ""

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        smallest = view.smallest_input or 0
        fits = output.value < smallest
        than = "smaller than" if fits else "not smaller than"
        return Judgement(fits=fits, why=f"{output.value} satoshi are {than} the smallest input, {smallest}")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.OPTIMAL, 0


@dataclass(frozen=True)
class OptimalWithFee(Optimal):
    """The output and the fee together are smaller than every input.

    As `optimal`, where the fee too had to be paid. The paper names the rule and not its formula; this is the reading that
    names fewer outputs than `optimal`, as its figures do.
    Source: Möser and Narayanan, Table 4: TPR .239, FPR .020, coverage .096.
    """

    name: ClassVar[str] = "optimal_with_fee"
    summary: ClassVar[str] = "The output and the fee together are smaller than every input."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return measured(".239", ".020", ".096", "the paper names the rule without its formula")

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        smallest, fee = view.smallest_input or 0, view.fee or 0
        fits = output.value + fee < smallest
        than = "smaller than" if fits else "not smaller than"
        both = f"{output.value} satoshi and the fee of {fee} are together"
        return Judgement(fits=fits, why=f"{both} {than} the smallest input, {smallest}")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.OPTIMAL_WITH_FEE, 0


_POWERS = {
    2: measured(".467", ".012", ".383"),
    3: measured(".420", ".006", ".311"),
    4: measured(".375", ".005", ".253"),
    5: measured(".302", ".006", ".173"),
    6: measured(".211", ".005", ".104"),
    7: measured(".107", ".001", ".048"),
}


@dataclass(frozen=True)
class PowerOfTen(Predicate):
    """The output's satoshi are not a multiple of 10 to the n, for n from 1 to 15.

    People pay round amounts, and what is left over is seldom round. An output of nothing is a multiple.
    Source: BlockSci, `power_of_ten_value`. Möser and Narayanan, Table 4, TPR / FPR / coverage: n = 2 .467/.012/.383,
    3 .420/.006/.311, 4 .375/.005/.253, 5 .302/.006/.173, 6 .211/.005/.104, 7 .107/.001/.048; none for other n.
    """

    digits: int
    name: ClassVar[str] = "power_of_ten"
    summary: ClassVar[str] = "The output's satoshi are not a multiple of 10 to the n."

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= _MOST_DIGITS:
            raise UsageError(f"power_of_ten({self.digits})", hint=f"n is a number from 1 to {_MOST_DIGITS}")

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return _POWERS.get(self.digits) or not_measured(BLOCKSCI, "rates are published for n from 2 to 7")

    @property
    def definition(self) -> str:
        """Its definition in a line."""
        return f"The output's satoshi are not a multiple of {10**self.digits}."

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:  # noqa: ARG002
        """See `Predicate.judge`."""
        fits = bool(output.value % 10**self.digits)
        what = "no multiple" if fits else "a multiple"
        return Judgement(fits=fits, why=f"{output.value} satoshi are {what} of {10**self.digits}")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.POWER_OF_TEN, 10**self.digits

    def __str__(self) -> str:
        return f"{self.name}({self.digits})"


@dataclass(frozen=True)
class ClientBehaviour(Predicate):
    """The transaction is the first in which the output's holder is seen.

    Most wallets make a new address for change; so does whoever is paid, often. A holder that an earlier output pays, or
    from whom an input spends up to this transaction, has been seen. "First" is first in the store: where its chain does
    not begin with the genesis block, an address may be older.
    Source: BlockSci, `client_change_address_behavior`. None published.
    """

    name: ClassVar[str] = "client_behaviour"
    summary: ClassVar[str] = "The output's address is first seen in this transaction."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(BLOCKSCI)

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        if output.holder in view.fresh_holders:
            return Judgement(fits=True, why="its address is first seen here")
        return Judgement(fits=False, why="its address was seen before")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.CLIENT_BEHAVIOUR, 0


@dataclass(frozen=True)
class FreshAddress(Predicate):
    """The one output whose holder is first seen here, while those of all others were seen before.

    No answer where an output pays a holder that also pays an input (change is sent back already), or the holder of an
    input is not known. Seen as in `client_behaviour`. Alone it builds superclusters.
    Source: Meiklejohn et al. 2013, Heuristic 2, without its later refinements. None published per transaction; Möser and
    Narayanan (section 4): clustering by it alone puts 298.4 million addresses into one.
    """

    name: ClassVar[str] = "fresh_address"
    summary: ClassVar[str] = (
        "It alone of the outputs pays an address first seen here, and none pays an input's address."
    )

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(MEIKLEJOHN, "alone it clusters 298.4 million addresses into one (Möser and Narayanan 2022)")

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        if view.unknown_payers:
            return f"the addresses of {view.unknown_payers} inputs are not known"
        if any(output.holder in view.payers for output in view.spendable):
            return "an output pays an address that also pays an input"
        fresh = sum(output.holder in view.fresh_holders for output in view.spendable)
        return "" if fresh == 1 else f"{fresh} outputs pay addresses that are first seen here, not one"

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        if output.holder in view.fresh_holders:
            return Judgement(fits=True, why="it alone pays an address that is first seen here")
        return Judgement(fits=False, why="its address was seen before")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.FRESH_ADDRESS, 0


@dataclass(frozen=True)
class Peeling(Predicate):
    """The transaction is of a peel chain, and the output goes on with it or is not known to be spent.

    Of a peel chain: one input and two outputs, and so is the transaction before it, or one that spends an output. An
    output goes on with it when its spender has one input and two outputs.
    Source: BlockSci, `peeling_chain`. None published.
    """

    name: ClassVar[str] = "peeling"
    summary: ClassVar[str] = "One input, two outputs, and so before or behind: the output that goes on likewise."
    looks_at_spenders: ClassVar[bool] = True

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(BLOCKSCI)

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        if not view.one_in_two_out:
            return "it has not one input and two outputs"
        before = view.previous is not None and view.previous.one_in_two_out
        behind = any(output.spender is not None and output.spender.one_in_two_out for output in view.outputs)
        return "" if before or behind else "neither the transaction before nor one behind has one input and two outputs"

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:  # noqa: ARG002
        """See `Predicate.judge`."""
        if output.spender is None:
            return Judgement(fits=True, why="no transaction here spends it, so that nothing speaks against it")
        if output.spender.one_in_two_out:
            return Judgement(fits=True, why="its spender too has one input and two outputs")
        return Judgement(fits=False, why="its spender has not one input and two outputs")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.PEELING, 0


@dataclass(frozen=True)
class Spent(Predicate):
    """The output is spent by a transaction of the store.

    For rules that keep unspent outputs: `locktime & spent`. Source: BlockSci, `spent`. None published: it is no heuristic.
    """

    name: ClassVar[str] = "spent"
    summary: ClassVar[str] = "A transaction of the store spends the output."
    looks_at_spenders: ClassVar[bool] = True

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(BLOCKSCI, "a filter, no heuristic")

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:  # noqa: ARG002
        """See `Predicate.judge`."""
        if output.spender is None:
            return Judgement(fits=False, why=f"no transaction here spends it (state: {output.state.value})")
        return Judgement(fits=True, why="a transaction here spends it")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.SPENT, 0


@dataclass(frozen=True)
class Standard(Predicate):
    """All outputs of a transaction of exactly two that can be spent.

    The transactions that Möser and Narayanan measured their rules on: `power_of_ten(3) & standard` is what their figures
    speak of. None published: it is no heuristic.
    """

    name: ClassVar[str] = "standard"
    summary: ClassVar[str] = "The transaction has exactly two outputs, and both can be spent."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured("Möser and Narayanan (FC 2022), section 3", "a filter, no heuristic")

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        return "" if view.standard else "it has not exactly two outputs that can be spent"

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:  # noqa: ARG002
        """See `Predicate.judge`."""
        return Judgement(fits=True, why="one of exactly two outputs that can be spent")

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.STANDARD, 0


@dataclass(frozen=True)
class Nothing(Predicate):
    """No output at all: clustering by payers only. Source: BlockSci, `none`. None published: it is no heuristic."""

    name: ClassVar[str] = "none"
    summary: ClassVar[str] = "No output."

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return not_measured(BLOCKSCI, "it names nothing")

    def no_answer(self, view: TransactionView) -> str:  # noqa: ARG002
        """See `Predicate.no_answer`."""
        return "the rule names nothing"

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:  # noqa: ARG002
        """See `Predicate.judge`; it is never asked."""
        return Judgement(fits=False, why=self.no_answer(view))

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.NOTHING, 0


address_type = AddressType()
address_reuse = AddressReuse()
optimal = Optimal()
optimal_with_fee = OptimalWithFee()
power_of_ten = PowerOfTen
client_behaviour = ClientBehaviour()
fresh_address = FreshAddress()
peeling = Peeling()
spent = Spent()
standard = Standard()
none = Nothing()
locktime = Locktime()
version = Version()
rbf = Rbf()
consistent = Consistent

_PLAIN = (
    address_type, address_reuse, optimal, optimal_with_fee, client_behaviour, fresh_address, locktime, version, rbf, peeling,
    spent, standard, none,
)  # fmt: skip

PREDICATES: Mapping[str, Predicate] = MappingProxyType({predicate.name: predicate for predicate in _PLAIN})
"""Those without an argument, by name. `power_of_ten` and `consistent` take one."""


def every_predicate() -> tuple[Predicate, ...]:
    """One of each, in the order of the tables: those with an argument once for each of which there is something to say."""
    powers, features = map(PowerOfTen, _POWERS), map(Consistent, FEATURES)
    return (*_PLAIN[:4], *powers, *_PLAIN[4:10], *features, *_PLAIN[10:])
