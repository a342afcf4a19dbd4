"""Take STIX in: every object as the bytes that came, under the marking that it carries; what carries none is the strictest.

A bundle goes in as a whole or not at all. What cannot be read is told with its number and its reason, and the rest is taken; the
same version with another content is kept beside the first, and told as a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from shieldwall.errors import BadText
from shieldwall.model.access import Handling, Identity
from shieldwall.model.claim import Claim
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap
from shieldwall.node.kinds import check_claim
from shieldwall.sharing.claims import claim_of
from shieldwall.sharing.markings import BUILT_IN, Demands, demands_of_definition, levels_of
from shieldwall.sharing.stix.bundle import BundleReader, Refusal
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.store.stixobjects import NewObject

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

MOST_TOLD = 100
"""Refusals and conflicts that are told one by one; more are counted."""

_MOST_WAITING = 64 << 20  # bytes of objects that wait for a marking definition that stands behind them


@dataclass(slots=True, kw_only=True)
class TakenBundle:
    """What became of a bundle.

    Attributes:
        objects: How many were in it.
        added: How many are new: objects, or versions of them.
        known: How many were there already.
        conflicts: Identifiers of those that contradict one with the same version; the first `MOST_TOLD`.
        conflicting: How many such there are.
        refused: Those that could not be read, with number and reason; the first `MOST_TOLD`.
        refusals: How many such there are.
        unmarked: How many carried no marking that says who may see them.
        unknown: Ids of markings that were not understood; their objects are the strictest.
        claims: How many claims came with them that were not here before.
    """

    objects: int = 0
    added: int = 0
    known: int = 0
    conflicts: list[str] = field(default_factory=list)
    conflicting: int = 0
    refused: list[Refusal] = field(default_factory=list)
    refusals: int = 0
    unmarked: int = 0
    unknown: list[str] = field(default_factory=list)
    claims: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """How what comes is handled.

    Attributes:
        marking: Of what carries none; the strictest unless somebody says otherwise.
        pap: Likewise.
        case, group: Id of the case or need-to-know group that it goes into; None for none.
    """

    marking: Marking = STRICTEST
    pap: Pap = STRICTEST_PAP
    case: str | None = None
    group: str | None = None


def take_bundle(
    node: Node,
    identity: Identity,
    act: str,
    stream: BinaryIO,
    place: str,
    rules: IntakeRules | None = None,
    *,
    noting: Callable[[Work], None] = lambda _: None,
) -> TakenBundle:
    """Take in a bundle, an envelope, a list or a single object.

    Args:
        node: Where.
        identity: Whoever brings it.
        act: As the audit log calls it.
        stream: Its bytes; read once.
        place: Its name, for errors.
        rules: How it is handled.
        noting: What else belongs to the same act, such as how far a source was read.

    Raises:
        BadText: It is no such thing, or ends too early; then nothing was taken.
        NotAllowed, NotFound: Whoever brings it may not put it there.
    """
    report = TakenBundle()
    with node.store.act(identity, act) as work:
        rules = rules or IntakeRules()
        intake = _Intake(work, rules, identity.person, report)
        taken = work.stix.add(intake.handled(BundleReader(stream, place)))
        report.added, report.known = taken.added, taken.known
        report.conflicts, report.conflicting = list(taken.conflicts[:MOST_TOLD]), len(taken.conflicts)
        report.claims = work.claims.add(intake.claims, case=rules.case, group=rules.group).added
        noting(work)
        work.note(refused=report.refusals, unmarked=report.unmarked, claims=report.claims)
    return report


def handled_objects(
    work: Work, objects: Iterable[StixObject | Refusal], rules: IntakeRules, owner: str, report: TakenBundle
) -> Iterator[NewObject]:
    """Objects with their handling, for whoever keeps them; `report` counts what becomes of them."""
    yield from _Intake(work, rules, owner, report).handled(objects)


class _Intake:
    """One bundle on its way in."""

    def __init__(self, work: Work, rules: IntakeRules, owner: str, report: TakenBundle) -> None:
        self._work = work
        self._rules = rules
        self._owner = owner
        self._report = report
        self._definitions: dict[str, Demands] = {}
        self._asked: set[str] = set()
        self._waiting: list[StixObject] = []
        self._bytes = 0
        self.claims: list[Claim] = []

    def handled(self, objects: Iterable[StixObject | Refusal]) -> Iterator[NewObject]:
        """Each object with its handling; those that wait for a marking definition behind them come last."""
        for each in objects:
            self._report.objects += 1
            if isinstance(each, Refusal):
                self._refuse(each)
                continue
            if each.type == "marking-definition":
                self._definitions[each.id] = demands_of_definition(each.body)
            if self._bytes < _MOST_WAITING and any(not self._is_known(ref) for ref in _refs(each)):
                self._waiting.append(each)
                self._bytes += len(each.raw)
            else:
                yield self._new(each)
        for each in self._waiting:
            yield self._new(each)

    def _is_known(self, ref: str) -> bool:
        """Whether a marking definition is at hand: built in, in the bundle before, or kept from another one."""
        if ref in BUILT_IN or ref in self._definitions:
            return True
        if ref not in self._asked:
            self._asked.add(ref)
            for kept in self._work.stix.newest(ref):
                self._definitions[ref] = demands_of_definition(read_object(kept.raw, ref).body)
        return ref in self._definitions

    def _claim(self, thing: StixObject) -> None:
        """Take the claim that an object carries as a claim; one that does not fit is told, and the object stays."""
        try:
            claim = claim_of(thing.body, levels_of(thing, self._definitions), thing.id)
            if claim is not None and not thing.revoked:
                check_claim(claim, thing.id)
                self.claims.append(claim)
        except BadText as error:
            self._refuse(Refusal(self._report.objects, thing.raw, error.message))

    def _refuse(self, refusal: Refusal) -> None:
        self._report.refusals += 1
        if len(self._report.refused) < MOST_TOLD:
            self._report.refused.append(refusal)

    def _new(self, thing: StixObject) -> NewObject:
        self._claim(thing)
        rules, report = self._rules, self._report
        found = levels_of(thing, self._definitions, marking=rules.marking, pap=rules.pap)
        marking, pap = found.marking, found.pap
        if thing.id in BUILT_IN:
            marking, pap = Marking.CLEAR, Pap.CLEAR  # everybody has it
        else:
            report.unknown.extend(each for each in found.unknown if each not in report.unknown)
            report.unmarked += found.unmarked
        return NewObject(
            id=thing.id,
            version=thing.version,
            type=thing.type,
            spec=thing.spec_version,
            content=thing.content,
            raw=thing.raw,
            handling=Handling(marking=marking, pap=pap, owner=self._owner, case=rules.case, group=rules.group),
        )


def _refs(thing: StixObject) -> Iterator[str]:
    yield from thing.markings
    yield from (ref for ref, _ in thing.granular if ref)
