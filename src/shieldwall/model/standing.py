"""What still stands of all that was ever said of a subject: versions, retractions, expiry, contradictions. Pure.

Claims are never changed, so what holds now, or held at some moment, is worked out from all of them. Claims of one thread (the
same maker says the same kind of thing about the same subject, from the same source) replace each other; claims of different
threads stand beside each other, and may contradict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Protocol, TypeVar

from shieldwall.errors import UsageError
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim
from shieldwall.model.moment import unix

_MICROSECONDS = 1_000_000


class Said(Protocol):
    """A claim as it was kept."""

    @property
    def id(self) -> str:
        """The claim's id, as it came."""

    @property
    def claim(self) -> Claim:
        """The claim."""

    @property
    def thread(self) -> int:
        """The same for all versions of one thing said."""

    @property
    def received_at(self) -> int:
        """When it came, in microseconds of Unix time."""

    @property
    def retracted_at(self) -> int | None:
        """When it was taken back here, in microseconds; None where it was not."""


class State(StrEnum):
    """What became of a claim."""

    STANDS = "stands"
    SUPERSEDED = "superseded"  # its maker said something newer
    RETRACTED = "retracted"  # taken back, by its maker or here
    EXPIRED = "expired"  # it says itself that it is no longer current


SaidT = TypeVar("SaidT", bound=Said)


@dataclass(frozen=True, slots=True)
class Dispute:
    """Claims of one kind that stand, and do not say the same.

    Attributes:
        kind: Of the claims.
        sides: Ids of the claims of each side, in order; within a side all say the same.
    """

    kind: str
    sides: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stood at a moment.

    Attributes:
        at: The moment, in microseconds.
        states: Id of each claim that had come by then -> what became of it.
        disputes: Where those that stand contradict, by kind.
    """

    at: int
    states: Mapping[str, State]
    disputes: tuple[Dispute, ...]

    def those(self, said: Iterable[SaidT], state: State = State.STANDS) -> list[SaidT]:
        """Of the claims that it was made from, those with a state."""
        return [each for each in said if self.states.get(each.id) == state]


def standing(said: Iterable[Said], at: int) -> Standing:
    """What stood at a moment, of claims about one subject; their order does not matter.

    1. What came later than the moment is not known yet, a retraction neither.
    2. Of a thread the newest holds, by the time that it says of itself (else by its arrival), then by arrival. What was said at
       the same time and came together stands together: one source may say two things.
    3. When the newest is taken back or expires, the one before it does not come back: its maker did not say it again.
    4. A retraction that comes as a claim takes back every claim of its thread that is otherwise the same.

    Args:
        said: The claims; the same one in two places counts once, taken back if it was in either.
        at: The moment, in microseconds of Unix time.
    """
    everything = list(said)
    states = states_of(everything, at)
    up = {
        (each.id, each.thread): each.claim
        for each in everything
        if each.received_at <= at and states[each.id] == State.STANDS
    }
    return Standing(at, states, tuple(_disputes(up)))


def states_of(said: Iterable[Said], at: int) -> dict[str, State]:
    """What became of each claim, by its id: `standing` without the contradictions, which take most of the time."""
    threads: dict[int, list[Said]] = {}
    for each in said:
        if each.received_at <= at:
            threads.setdefault(each.thread, []).append(each)
    states: dict[str, State] = {}
    for thread in threads.values():
        newest = max(map(_when, thread))
        gone = {_without_retraction(each.claim) for each in thread if _retracted(each, at)}
        for each in thread:
            claim = each.claim
            if gone and _without_retraction(claim) in gone:
                state = State.RETRACTED
            elif _when(each) < newest:
                state = State.SUPERSEDED
            elif claim.expires and _moment(claim.expires, at) <= at:
                state = State.EXPIRED
            else:
                state = State.STANDS
            states[each.id] = min(state, states.get(each.id, state), key=_RANK.index)
    return states


_MANY = (
    200  # statements that differ: then each has one that it contradicts, and looking at all pairs would take for ever
)
_RANK = (State.RETRACTED, State.EXPIRED, State.STANDS, State.SUPERSEDED)
"""Which state holds of a claim that is in two places: taken back in one is taken back."""


def _disputes(up: Mapping[tuple[str, int], Claim]) -> Iterable[Dispute]:
    """Two statements contradict where each has a thread that does not say the other one as well."""
    kinds: dict[str, dict[bytes, tuple[set[int], set[str]]]] = {}
    for (claim_id, thread), claim in up.items():
        said = canonical_json(dict(claim.statement))
        threads, ids = kinds.setdefault(claim.kind, {}).setdefault(said, (set(), set()))
        threads.add(thread)
        ids.add(claim_id)
    for kind, statements in sorted(kinds.items()):
        apart = (
            set(statements)
            if len(statements) > _MANY
            else {
                said
                for one, other in combinations(statements, 2)
                if statements[one][0] - statements[other][0] and statements[other][0] - statements[one][0]
                for said in (one, other)
            }
        )
        if apart:
            yield Dispute(kind, tuple(sorted(tuple(sorted(statements[said][1])) for said in apart)))


def _when(each: Said) -> tuple[int, int]:
    return _moment(each.claim.at, each.received_at), each.received_at


def _retracted(each: Said, at: int) -> bool:
    if each.retracted_at is not None:
        return each.retracted_at <= at
    text = each.claim.retracted
    return bool(text) and _moment(text, each.received_at) <= at


def _moment(text: str, otherwise: int) -> int:
    """A time that a claim says, in microseconds; `otherwise` where it says none, or none that can be read."""
    try:
        return unix(text) * _MICROSECONDS
    except (UsageError, OverflowError):
        return otherwise


def _without_retraction(claim: Claim) -> bytes:
    plain = claim.as_dict()
    plain.pop("retracted", None)
    plain.pop("signature", None)
    return canonical_json(plain)
