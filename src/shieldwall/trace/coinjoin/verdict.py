"""What one transaction is by the rules of CoinJoins, told with each requirement's figures: an inference, never a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import JOINMARKET, NO_COINJOIN, Counts32
from shieldwall.kernels.plain import coinjoins as plain
from shieldwall.kernels.plain.coinjoins import PRECEDENCE, RULES, VETOED_BY_SERVICE, Shape
from shieldwall.model.network import MAIN
from shieldwall.trace.coinjoin.kinds import KINDS, Kind
from shieldwall.trace.coinjoin.lineage import lineage
from shieldwall.trace.coinjoin.reading import Shapes
from shieldwall.trace.coinjoin.words import requirement
from shieldwall.trace.published_rates import PublishedRate

Answer = Literal["yes", "no", "unknown"]
_ANSWERS: dict[bool | None, Answer] = {True: "yes", False: "no", None: "unknown"}

NONE = "none"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a rule.

    Attributes:
        text: What the transaction has, and what the rule needs.
        holds: "unknown" where a previous output that the rule asks for is not known.
    """

    text: str
    holds: Answer


@dataclass(frozen=True, slots=True)
class Veto:
    """Why a kind is not said although the transaction looks like it."""

    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Considered:
    """One rule, held against the transaction.

    Attributes:
        kind: Its name.
        answer: Whether all requirements hold; vetoes left aside.
        requirements: In the order of the rule.
    """

    kind: str
    answer: Answer
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class CoinJoinVerdict:
    """What a transaction is.

    Attributes:
        kind: Name of the kind, or "none".
        code: Its number in `shieldwall.kernels.arrays`.
        reasons: The requirements that hold, with their figures, and what strengthens them; () for none.
        vetoes: Kinds that it looks like and that are not said, with why.
        unknown: Kinds that cannot be told, since previous outputs are not known.
        published: What was published of the error of the kind's rule; () for none.
        considered: Every rule with its requirements, in order of precedence.
    """

    kind: str
    code: int
    reasons: tuple[str, ...]
    vetoes: tuple[Veto, ...]
    unknown: tuple[str, ...]
    published: tuple[PublishedRate, ...]
    considered: tuple[Considered, ...]

    @property
    def about(self) -> Kind | None:
        """The kind's rule and its source; None for "none"."""
        return KINDS.get(self.code)

    @property
    def has_several_payers(self) -> bool:
        """True where co-spend joins nobody: every kind but none and the tx0."""
        return self.about is not None and self.about.has_several_payers

    def as_json(self) -> dict[str, Any]:
        """Plain values for a result."""
        about = self.about
        return {
            "kind": self.kind,
            "inference": True,
            "rule": about.rule if about else None,
            "source": about.source if about else None,
            "several_payers": self.has_several_payers,
            "reasons": list(self.reasons),
            "vetoes": [{"kind": veto.kind, "why": veto.why} for veto in self.vetoes],
            "unknown": list(self.unknown),
            "published": [rate.as_json() for rate in self.published],
            "considered": [
                {
                    "kind": one.kind,
                    "answer": one.answer,
                    "requirements": [{"text": each.text, "holds": each.holds} for each in one.requirements],
                }
                for one in self.considered
            ],
        }


def type_of(store: ChainStore, transaction: int, services: Counts32 | None = None) -> CoinJoinVerdict:
    """What a transaction is, as the kernels say of all at once, with reasons.

    Args:
        store: The chain.
        transaction: Its number.
        services: uint32[k], ascending: holders that tags call services, which veto Wasabi 1.x and JoinMarket; None for none.
    """
    shapes = Shapes(store, services)
    shape = shapes.of(transaction)
    barred = plain.barred(shapes.starts, transaction)
    code = plain.kind_of(shape, barred)
    considered = tuple(_consider(kind, shape) for kind in PRECEDENCE)
    reasons: tuple[str, ...] = ()
    if code != NO_COINJOIN:
        chosen = next(one for one in considered if one.kind == KINDS[code].name)
        reasons = (*dict.fromkeys(each.text for each in chosen.requirements), *lineage(shapes, transaction, code))
    return CoinJoinVerdict(
        KINDS[code].name if code else NONE,
        code,
        reasons,
        _vetoes(shape, barred, considered, store),
        tuple(one.kind for one in considered if one.answer == "unknown"),
        KINDS[code].published if code else (),
        considered,
    )


def _consider(kind: int, shape: Shape) -> Considered:
    checks = list(RULES[kind](shape))
    answer = plain.holds(shape, kind)
    told = tuple(Requirement(requirement(kind, key, shape), _ANSWERS[check]) for key, check in checks)
    return Considered(KINDS[kind].name, _ANSWERS[answer], told)


def _vetoes(
    shape: Shape, barred: tuple[int, ...], considered: tuple[Considered, ...], store: ChainStore
) -> tuple[Veto, ...]:
    found = []
    for kind, one in zip(PRECEDENCE, considered, strict=True):
        if one.answer != "yes":
            continue
        if kind in barred:
            found.append(Veto(one.kind, _too_early(kind, store)))
        elif shape.service and kind in VETOED_BY_SERVICE:
            found.append(Veto(one.kind, "a known service pays: its batches of equal payments have this shape"))
    if all(check for _, check in plain.joinmarket_shape(shape)) and plain.denomination(shape)[1] == 2:
        found.append(Veto(KINDS[JOINMARKET].name, _two_equal(shape)))
    return tuple(found)


def _too_early(kind: int, store: ChainStore) -> str:
    if store.network == MAIN:
        return f"the program made no CoinJoin before block {KINDS[kind].first_height}"
    return f"the program makes no CoinJoins of {store.network.coin}"


def _two_equal(shape: Shape) -> str:
    if plain.is_stonewall(shape):
        return (
            "only two payments are equal, of three or four: the shape of a Stonewall, which one wallet alone can make; a round "
            "has three participants or more"
        )
    return "only two payments are equal: a round has three participants or more"
