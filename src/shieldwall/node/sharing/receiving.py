"""Take what a partner adds to a collection: kept for whoever answers for it, and passed on as far as its markings let it.

A partner says nothing about passing on by PAP where it is silent: it adds to be read by the group, so silence is PAP:AMBER here.
What it must not know of is never told by what becomes of its objects.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shieldwall.model.marking import Action, Marking, Pap, allows
from shieldwall.node.sharing.intake import Intake, IntakeRules, TakenBundle, recall
from shieldwall.sharing.markings import BUILT_IN
from shieldwall.sharing.stix.bundle import BundleReader, Refusal
from shieldwall.sharing.stix.object import StixObject, named_in
from shieldwall.store.partners import HIGHEST
from shieldwall.store.stixobjects import NewObject

if TYPE_CHECKING:
    from shieldwall.store.collections import Collection
    from shieldwall.store.partners import Partner
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object that a partner sent.

    Attributes:
        id: Its identifier; "" where it could not be read.
        version: Microseconds; 0 for none.
        taken: Whether it is here now.
        message: What the partner should know beside that; "" for nothing.
    """

    id: str
    version: int
    taken: bool
    message: str = ""


def take_from_partner(work: Work, sender: Partner, collection: Collection, content: bytes) -> list[Outcome]:
    """Take an envelope of a partner, within an act of it; returns what became of each object, in their order.

    Args:
        work: The act.
        sender: Who sent it.
        collection: One that it may write to.
        content: The bytes.

    Raises:
        BadText: It is no envelope; nothing of it may stay.
    """
    met: list[StixObject | Refusal] = []
    order: list[NewObject] = []
    rules = IntakeRules(marking=collection.unmarked, pap=Pap.AMBER, source=sender.id)
    report = TakenBundle()
    intake = Intake(work, rules, collection.owner, report)

    def given() -> Iterator[NewObject]:
        for each in intake.handled(_noted(met, content)):
            order.append(each)
            yield each

    taken = work.stix.add_for_partner(given())
    numbers = {(new.id, new.raw): seq for new, seq in zip(order, taken.numbers, strict=True)}
    recall(work, taken, intake.own_word, report)
    levels = _levels(work, sender, collection, order)
    highest = min(collection.highest, HIGHEST)
    passed = {numbers[new.id, new.raw]: level for new, level in zip(order, levels, strict=True) if level <= highest}
    placed = work.collections.put_for_partner(sender, collection.id, passed)
    visible = collection.ceiling(sender) if collection.readable else None
    contradicted = {seq for seq, level in placed.contradicted.items() if visible is not None and level <= visible}
    return [_outcome(each, numbers, passed, contradicted) for each in met]


def _noted(met: list[StixObject | Refusal], content: bytes) -> Iterator[StixObject | Refusal]:
    """The objects of an envelope, each noted."""
    for each in BundleReader(io.BytesIO(content), "what was sent", envelope=True):
        met.append(each)
        yield each


def _levels(work: Work, sender: Partner, collection: Collection, order: Sequence[NewObject]) -> list[Marking]:
    """From which marking on each object goes: its own, and that of what it names of the same partner, if that is stricter.

    What it names of others counts for nothing: by what becomes of its own object a partner would learn of theirs.
    """
    names = [named_in(new.raw) - {new.id.lower()} - BUILT_IN.keys() for new in order]
    levels = [_own_level(new) for new in order]
    by_id: dict[str, list[int]] = {}
    namers: dict[str, list[int]] = {}
    for place, new in enumerate(order):
        by_id.setdefault(new.id.lower(), []).append(place)
        for ref in names[place]:
            namers.setdefault(ref, []).append(place)
    before: Mapping[str, Marking] = work.collections.by_partner(sender, collection.id, namers)
    asked = list(namers)
    while asked:
        ref = asked.pop()
        # of several versions the most open one decides: who may have that knows of the object
        now = min((levels[place] for place in by_id.get(ref, ())), default=None)
        known = [level for level in (now, before.get(ref)) if level is not None]
        if not known:
            continue
        for place in namers.get(ref, ()):
            if levels[place] < min(known):
                levels[place] = min(known)
                asked.append(order[place].id.lower())
    return levels


def _own_level(new: NewObject) -> Marking:
    return new.handling.marking if allows(new.handling.pap, Action.TELL) else Marking.RED


def _outcome(
    met: StixObject | Refusal,
    numbers: Mapping[tuple[str, bytes], int],
    passed: Mapping[int, Marking],
    contradicted: set[int],
) -> Outcome:
    if isinstance(met, Refusal):
        return Outcome("", 0, taken=False, message=met.reason)
    seq = numbers[met.id, met.raw]
    if seq in contradicted:
        message = "another content with this version is there already"
        return Outcome(met.id, met.version or 0, taken=False, message=message)
    message = (
        "" if seq in passed else "kept, and passed on to nobody: its marking, or that of what it names, forbids it"
    )
    return Outcome(met.id, met.version or 0, taken=True, message=message)
