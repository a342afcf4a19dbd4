"""What rings: given what a watch has seen and what the chain holds now, what happened in between. Pure.

All movements of a watched thing above a horizon, some two weeks below the tip, are compared with those that were there at the
last look. What is new rings; what is gone, though it was there, rings as well: its block was given up. So it does not matter
in how many steps the chain grew, nor whether a block came late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shieldwall.errors import StoreError
from shieldwall.node.demand import demand

HORIZON = 2016
"""Blocks below the tip: what lies deeper is settled, does not ring, and is not remembered."""
MOST_KNOWN = 20_000
"""Movements that a watch remembers; where there are more, its horizon is nearer."""
MOST_EVENTS = 500
"""About how many events one look rings; the rest rings at the next."""
_MOST_TURNS = 1000

RECEIVED, SPENT, WAITING, GONE = "received", "spent", "waiting", "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where the chain store ends: height and block hash in display form, None where they are not known."""

    height: int | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One payment of a transaction: the address (or `kind:payload`), satoshi, and the output's index."""

    to: str
    amount: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What one transaction does to what is watched.

    Attributes:
        kind: spent where it spends any of it, else received; of one that no block holds, waiting.
        txid: Display form.
        amount: Satoshi spent, or received; None where nobody tells.
        returned: Satoshi that a spend pays back to what is watched.
        height: Of its block; None where not known.
        time: Unix seconds of its block; None where not known.
        to: Where it pays, the largest first, not all of it where there is much; of a spend without what it pays back.
        left: How many further payments there are.
    """

    kind: str
    txid: str
    amount: int | None
    returned: int = 0
    height: int | None = None
    time: int | None = None
    to: tuple[Paid, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to ring for.

    Attributes:
        kind: received, spent, waiting or gone.
        movement: What moved, or had.
        turn: How often that transaction was gone before: what came back rings again.
    """

    kind: str
    movement: Movement
    turn: int = 0

    @property
    def txid(self) -> str:
        """The transaction, display form."""
        return self.movement.txid

    @property
    def amount(self) -> int | None:
        """Satoshi; None where nobody tells."""
        return self.movement.amount

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from all other events of the same watch."""
        return self.kind, self.txid, str(self.turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a watch has seen.

    Attributes:
        tip: Up to where.
        above: Height of its horizon; -1 for none.
        known: By txid, the movements above the horizon that were there, with what a later word on them needs.
        turns: By txid, how often it was gone.
        waiting: Transactions that wait for a block and rang.
        members: Digest of which holders a cluster had; "" for what is no cluster.
    """

    tip: Tip = Tip()
    above: int = -1
    known: Mapping[str, Movement] = field(default_factory=dict)
    turns: Mapping[str, int] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    members: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "tip": [self.tip.height, self.tip.hash],
            "above": self.above,
            "known": {txid: [each.kind, each.amount, each.height] for txid, each in self.known.items()},
            "turns": dict(self.turns),
            "waiting": sorted(self.waiting),
            "members": self.members,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Seen:
        """What `as_dict` wrote; it comes from the store alone.

        Raises:
            StoreError: It is something else: a word about one watch, so that the others are looked at.
        """
        try:
            (height, block), above, turns, waiting = plain["tip"], plain["above"], plain["turns"], plain["waiting"]
            known = {
                txid: Movement(kind=kind, txid=txid, amount=amount, height=height)
                for txid, (kind, amount, height) in plain["known"].items()
            }
            demand(_is(height, int), _is(block, str), type(above) is int, isinstance(plain["members"], str))
            demand(
                *(isinstance(each.kind, str) for each in known.values()), *(isinstance(each, str) for each in waiting)
            )
            demand(*(_is(each.amount, int) and _is(each.height, int) for each in known.values()))
            demand(*(type(turn) is int for turn in turns.values()))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StoreError(
                "what a watch has seen is not as it was written", hint="stop that watch, and set it again"
            ) from None
        return cls(
            tip=Tip(height=height, hash=block),
            above=above,
            known=known,
            turns=turns,
            waiting=frozenset(waiting),
            members=plain["members"],
        )


def begin(tip: Tip, found: Mapping[str, Movement], waiting: Collection[str] = (), members: str = "") -> Seen:
    """What a new watch has seen: all that is there, so that none of it rings.

    Args:
        tip: Where the chain store ends.
        found: By txid, the movements that it holds.
        waiting: Transactions that wait for a block already.
        members: See `Seen`.
    """
    return _settled(Seen(tip=tip, known=dict(found), waiting=frozenset(waiting), members=members))


def look(
    seen: Seen,
    tip: Tip,
    found: Mapping[str, Movement],
    *,
    still: Collection[str],
    waiting: Mapping[str, Movement] | None = None,
    members: str = "",
    most: int = MOST_EVENTS,
) -> tuple[Seen, list[Event]]:
    """What happened since.

    Args:
        seen: What the watch has seen.
        tip: Where the chain store ends now.
        found: By txid, every movement above `seen.above` that the store holds now.
        still: Those of `seen.known` that are not among `found` though the store has the transaction: they are the watch's no
            more, or lie below its horizon now.
        waiting: By txid, what would move by transactions that no block holds yet; None where nobody tells.
        members: See `Seen`. Where it is another than before, what was there before belongs to members that came later, and is
            no news.
        most: About how many events to give at once; the rest comes with the next look.

    Returns:
        What it has seen now, and the events, the earliest first: a pure function, so that a look whose outcome was lost can be
        made again.
    """
    turns = dict(seen.turns)
    gone = [
        Event(kind=GONE, movement=movement, turn=turns.get(txid, 0))
        for txid, movement in seen.known.items()
        if txid not in found and txid not in still
    ]
    for event in gone:
        turns[event.txid] = event.turn + 1
    known = {txid: movement for txid, movement in seen.known.items() if txid in found}
    regrouped = members != seen.members
    fresh = []
    for txid, movement in found.items():
        if txid in known:
            continue
        if regrouped and _not_after(movement, seen.tip):
            known[txid] = movement
        else:
            fresh.append(movement)
    taken = _first(fresh, most)
    for movement in taken:
        known[movement.txid] = movement
    events = [*gone, *(Event(kind=each.kind, movement=each, turn=turns.get(each.txid, 0)) for each in taken)]
    pending = seen.waiting
    if waiting is not None:
        new = [each for txid, each in sorted(waiting.items()) if txid not in seen.waiting and txid not in found]
        events += [Event(kind=WAITING, movement=each) for each in new]
        pending = frozenset(waiting)
    kept = dict(list(turns.items())[-_MOST_TURNS:])
    now = Seen(tip=tip, above=seen.above, known=known, turns=kept, waiting=pending, members=members)
    if len(taken) == len(fresh):
        return _settled(now), events
    last = taken[-1].height  # as if the chain ended there
    return replace(now, tip=seen.tip if last is None else Tip(height=last)), events


def _first(fresh: Sequence[Movement], most: int) -> list[Movement]:
    """The earliest of what is new, about so many, but whole blocks."""
    ordered = sorted(fresh, key=lambda each: (-1 if each.height is None else each.height, each.txid))
    if len(ordered) <= most:
        return ordered
    cut = ordered[most - 1].height
    return ordered[:most] if cut is None else [each for each in ordered if each.height is None or each.height <= cut]


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a type, or None; true and false are no numbers."""
    return value is None or type(value) is kind


def _not_after(movement: Movement, tip: Tip) -> bool:
    return movement.height is None or tip.height is None or movement.height <= tip.height


def _settled(seen: Seen) -> Seen:
    """With the horizon that its tip gives, and without what lies below that."""
    above = seen.above
    if seen.tip.height is not None:
        above = max(above, seen.tip.height - HORIZON)
    if len(seen.known) > MOST_KNOWN:
        heights = sorted((each.height for each in seen.known.values() if each.height is not None), reverse=True)
        if len(heights) > MOST_KNOWN:
            above = max(above, heights[MOST_KNOWN])
    known = {txid: each for txid, each in seen.known.items() if each.height is None or each.height > above}
    return replace(seen, above=above, known=known)
