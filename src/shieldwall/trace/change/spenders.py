"""Rules that compare a transaction with those that spend its outputs: one wallet makes its transactions alike.

Two families. `locktime`, `version` and `rbf` are BlockSci's way: any transaction, and an output that nothing here spends is
kept, since nothing speaks against it. `consistent(FEATURE)` is Möser and Narayanan's: standard transactions only, and only
where both outputs are spent and the feature of all three transactions is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from shieldwall.errors import UsageError
from shieldwall.kernels import change_rules as codes
from shieldwall.kernels.arrays import LOCKED, REPLACEABLE, VERSION_MASK, VERSION_SHIFT
from shieldwall.trace.change.predicate import Judgement, Predicate
from shieldwall.trace.change.rates import BLOCKSCI, MOESER_NARAYANAN, Published, measured, not_measured
from shieldwall.trace.change.view import SeenOutput, Shape, TransactionView

_COUNTS = ("none", "one", "two", "three or more")


@dataclass(frozen=True, slots=True)
class Feature:
    """A trait of a transaction that wallets differ in.

    Attributes:
        summary: What it is, in a line.
        trait: Reads it from a transaction; None where it is not known.
        words: Says a value, as in "the transaction has ...".
        bits: Of a fingerprint in the kernels; 0 where they compare something else.
        published: What was published of the rule that compares it.
    """

    summary: str
    trait: Callable[[Shape], Any]
    words: Callable[[Any], str]
    bits: int
    published: Published


def _locktime(value: Any) -> str:  # noqa: ANN401 - a value of the feature; so below
    return "a locktime" if value else "no locktime"


def _version(value: Any) -> str:  # noqa: ANN401
    return f"version {value}" if value else "a version that is none of 1 to 3"


def _rbf(value: Any) -> str:  # noqa: ANN401
    return "a mark that it may be replaced" if value else "no mark that it may be replaced"


def _in_out(value: Any) -> str:  # noqa: ANN401
    return f"inputs: {_COUNTS[value[0]]}, outputs: {_COUNTS[value[1]]}"


def _kinds(value: Any) -> str:  # noqa: ANN401
    return f"inputs of {', '.join(sorted(kind.label for kind in value))}"


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "locktime": Feature(
            "A locktime that is not 0, or none",
            lambda shape: shape.locktime,
            _locktime,
            codes.LOCKTIME_BIT,
            measured(".307", ".003", ".363", "the paper tells heights from times; a store keeps whether it is 0"),
        ),
        "version": Feature(
            "The version: 1, 2, 3, or any other",
            lambda shape: shape.version,
            _version,
            codes.VERSION_BITS,
            measured(".245", ".004", ".320", "the paper tells version 1 from those above"),
        ),
        "output_count": Feature(
            "One output, two, or more",
            lambda shape: shape.output_count,
            lambda value: f"outputs: {_COUNTS[value]}",
            codes.OUTPUTS_BITS,
            measured(".283", ".129", ".445"),
        ),
        "in_out_count": Feature(
            "One input, two, or more; and outputs likewise",
            lambda shape: shape.in_out_count,
            _in_out,
            codes.INPUTS_BITS | codes.OUTPUTS_BITS,
            measured(".263", ".107", ".568"),
        ),
        "ordered": Feature(
            "Inputs and outputs in the order of BIP 69, or not",
            lambda shape: shape.ordered,
            lambda value: (
                "inputs and outputs in order (BIP 69)" if value else "inputs or outputs out of order (BIP 69)"
            ),
            codes.ORDERED_BIT,
            measured(".262", ".053", ".443"),
        ),
        "address_types": Feature(
            "The set of script kinds that the inputs spend",
            lambda shape: shape.kinds,
            _kinds,
            codes.KINDS_BITS | codes.UNKNOWN_BIT,
            measured(".294", ".023", ".392", "of the paper's set of types, which sees into spent P2SH"),
        ),
        "segwit": Feature(
            "A native SegWit input (p2wpkh, p2wsh, p2tr, later versions), or none",
            lambda shape: shape.segwit,
            lambda value: "a native SegWit input" if value else "no native SegWit input",
            codes.SEGWIT_BIT | codes.UNKNOWN_BIT,
            not_measured(MOESER_NARAYANAN, "for the wider feature, SegWit in P2SH included: .191/.021/.260"),
        ),
        "multisig": Feature(
            "A bare multisig input, or none",
            lambda shape: shape.multisig,
            lambda value: "a bare multisig input" if value else "no bare multisig input",
            codes.MULTISIG_BIT | codes.UNKNOWN_BIT,
            not_measured(MOESER_NARAYANAN, "for the wider feature, multisig in P2SH included: .140/.001/.154"),
        ),
        "absolute_fee": Feature(
            "The fee in satoshi",
            lambda shape: shape.fee,
            lambda value: f"a fee of {value} satoshi",
            0,
            measured(".117", ".025", ".305"),
        ),
        "zero_conf": Feature(
            "An input that spends an output of its own block, or none",
            lambda shape: shape.zero_conf,
            lambda value: "an input from its own block" if value else "no input from its own block",
            codes.ZERO_CONF_BIT,
            measured(".100", ".061", ".214"),
        ),
        "rbf": Feature(
            "Marked replaceable (BIP 125), or not",
            lambda shape: shape.rbf,
            _rbf,
            codes.RBF_BIT,
            measured(".075", ".003", ".114"),
        ),
    }
)
"""The features of Möser and Narayanan that a store can tell; their relative fee needs sizes, which it does not keep."""


@dataclass(frozen=True)
class _Likewise(Predicate):
    """The output's spender is like the transaction in some flags, or nothing here spends the output."""

    feature: ClassVar[str]
    mask: ClassVar[int]
    looks_at_spenders: ClassVar[bool] = True

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        feature = f"consistent({self.feature})"
        return not_measured(
            BLOCKSCI, f"rates are published for {feature}: both outputs of a standard transaction spent"
        )

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        feature = FEATURES[self.feature]
        if output.spender is None:
            return Judgement(fits=True, why="no transaction here spends it, so that nothing speaks against it")
        return _compared(feature, feature.trait(view), feature.trait(output.spender))

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        return codes.SAME_FLAGS, self.mask


def _compared(feature: Feature, own: Any, its: Any) -> Judgement:  # noqa: ANN401
    if own == its:
        return Judgement(fits=True, why=f"its spender is like this transaction: {feature.words(own)}")
    return Judgement(fits=False, why=f"its spender has {feature.words(its)}, this transaction {feature.words(own)}")


@dataclass(frozen=True)
class Locktime(_Likewise):
    """The output's spender has a locktime if this transaction has one, and none if it has none.

    Bitcoin Core sets the locktime to the height of the day, other wallets leave it 0. An output that no transaction of the
    store spends is kept. Source: BlockSci, `locktime`. None published for this form; see `consistent(locktime)`.
    """

    name: ClassVar[str] = "locktime"
    summary: ClassVar[str] = (
        "Its spender has a locktime if this transaction has one, else none; unspent outputs are kept."
    )
    feature: ClassVar[str] = "locktime"
    mask: ClassVar[int] = LOCKED


@dataclass(frozen=True)
class Version(_Likewise):
    """The output's spender has the version of this transaction: 1, 2, 3, or any other.

    An output that no transaction of the store spends is kept. Source: as `locktime`, with the version. None published for
    this form; see `consistent(version)`.
    """

    name: ClassVar[str] = "version"
    summary: ClassVar[str] = "Its spender has this transaction's version; unspent outputs are kept."
    feature: ClassVar[str] = "version"
    mask: ClassVar[int] = VERSION_MASK << VERSION_SHIFT


@dataclass(frozen=True)
class Rbf(_Likewise):
    """The output's spender is marked replaceable (BIP 125) if this transaction is, and not if it is not.

    An output that no transaction of the store spends is kept. Source: as `locktime`, with the mark. None published for
    this form; see `consistent(rbf)`.
    """

    name: ClassVar[str] = "rbf"
    summary: ClassVar[str] = (
        "Its spender is marked replaceable if this transaction is, else not; unspent outputs are kept."
    )
    feature: ClassVar[str] = "rbf"
    mask: ClassVar[int] = REPLACEABLE


@dataclass(frozen=True)
class Consistent(Predicate):
    """The output's spender has the same feature as this transaction; see `FEATURES` for each.

    Standard transactions only: exactly two outputs, both can be spent. No answer where the store does not hold the spenders of
    both, or the feature of one of the three transactions is not known. Source: Möser and Narayanan 2022, Table 4, TPR / FPR /
    coverage: locktime .307/.003/.363, version .245/.004/.320, output_count .283/.129/.445, in_out_count .263/.107/.568, ordered
    .262/.053/.443, address_types .294/.023/.392, absolute_fee .117/.025/.305, zero_conf .100/.061/.214, rbf .075/.003/.114;
    segwit and multisig none, since theirs see into P2SH (.191/.021/.260 and .140/.001/.154) and these do not.

    Args:
        feature: Name of the feature.

    Raises:
        UsageError: There is no such feature.
    """

    feature: str
    name: ClassVar[str] = "consistent"
    summary: ClassVar[str] = "Of a standard transaction whose outputs are both spent: its spender has the same feature."
    looks_at_spenders: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.feature not in FEATURES:
            raise UsageError(f"consistent({self.feature}): no such feature", hint=f"use one of {', '.join(FEATURES)}")

    @property
    def published(self) -> Published:
        """See `Predicate.published`."""
        return FEATURES[self.feature].published

    @property
    def definition(self) -> str:
        """Its definition in a line."""
        return f"Standard, both outputs spent: its spender is like this transaction. {FEATURES[self.feature].summary}."

    def no_answer(self, view: TransactionView) -> str:
        """See `Predicate.no_answer`."""
        if not view.standard:
            return "it has not exactly two outputs that can be spent"
        spenders = [output.spender for output in view.outputs if output.spender is not None]
        if len(spenders) != len(view.outputs):
            return "the store does not hold the spenders of both outputs"
        trait = FEATURES[self.feature].trait
        unknown = any(trait(shape) is None for shape in (view, *spenders))
        return f"{self.feature} is not known of this transaction or of a spender" if unknown else ""

    def judge(self, view: TransactionView, output: SeenOutput) -> Judgement:
        """See `Predicate.judge`."""
        feature = FEATURES[self.feature]
        return _compared(feature, feature.trait(view), feature.trait(output.spender or view))

    def instruction(self) -> tuple[int, int]:
        """See `Predicate.instruction`."""
        bits = FEATURES[self.feature].bits
        return (codes.CONSISTENT, bits) if bits else (codes.CONSISTENT_FEE, 0)

    def __str__(self) -> str:
        return f"{self.name}({self.feature})"
