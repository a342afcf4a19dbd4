"""Take STIX in: every object as the bytes that came, under the marking that it carries; what carries none is the strictest.

A bundle goes in as a whole or not at all. What cannot be read is told with its number and its reason, and the rest is taken; the
same version with another content is kept beside the first, and told as a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from shieldwall.errors import BadText
from shieldwall.model.access import Handling, Identity
from shieldwall.model.claim import Claim
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap
from shieldwall.node.kinds import check_claim
from shieldwall.sharing.claims import carries_claim, claim_of
from shieldwall.sharing.markings import BUILT_IN, Demands, Levels, demands_of_definition, levels_of, together
from shieldwall.sharing.stix.bundle import BundleReader, Refusal
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.sharing.values import Value, values_of
from shieldwall.sharing.warninglists import NO_LISTS, Warninglists
from shieldwall.store.stixobjects import NewObject, TakenIn

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

MOST_TOLD = 100
"""Refusals and conflicts that are told one by one; more are counted."""

_MOST_WAITING = (
    64 << 20
)  # bytes of objects that wait for the definitions of their markings, which may stand behind them
_MOST_SEEN = 1000  # sets of markings whose meaning is kept
_MOST_DEFINITIONS = 10_000  # of one bundle


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
        recalled: How many older versions were taken out of collections, since a newer one is marked stricter.
        warned: By the name of a warninglist, how many values of the objects stand on it.
        told: What else whoever brought it should know, a sentence each; the first `MOST_TOLD`.
    """

    objects: int = 0
    added: int = 0
    known: int = 0
    conflicts: list[str] = field(default_factory=list)
    conflicting: int = 0
    refused: list[Refusal] = field(default_factory=list)
    refusals: int = 0
    unmarked: int = 0
    unknown: dict[str, None] = field(default_factory=dict)
    claims: int = 0
    recalled: int = 0
    warned: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        """Add a sentence, as long as there are not too many."""
        if len(self.told) < MOST_TOLD:
            self.told.append(sentence)


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """How what comes is handled.

    Attributes:
        marking: Of what carries none; the strictest unless somebody says otherwise.
        pap: Likewise.
        case, group: Id of the case or need-to-know group that it goes into; None for none.
        source: Id of the partner or source that it comes from; "" for people of the node.
        stated: That marking and PAP are the source's own word, said elsewhere than in the object.
    """

    marking: Marking = STRICTEST
    pap: Pap = STRICTEST_PAP
    case: str | None = None
    group: str | None = None
    source: str = ""
    stated: bool = False


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
    rules = rules or IntakeRules()
    return take_parts(node, identity, act, [(rules, BundleReader(stream, place))], noting=noting)


def take_parts(
    node: Node,
    identity: Identity,
    act: str,
    parts: Iterable[tuple[IntakeRules, Iterable[StixObject | Refusal]]],
    *,
    report: TakenBundle | None = None,
    noting: Callable[[Work], None] = lambda _: None,
) -> TakenBundle:
    """`take_bundle` of objects that are at hand, each part under rules of its own; all of it or nothing.

    Raises:
        BadText, NotAllowed, NotFound: As `take_bundle`.
    """
    report, lists = report or TakenBundle(), node.warninglists
    with node.store.act(identity, act) as work:
        for rules, objects in parts:
            intake = Intake(work, rules, identity.person, report, lists)
            taken = work.stix.add(intake.handled(objects))
            recall(work, taken, intake.own_word, report)
            report.added += taken.added
            report.known += taken.known
            report.conflicts += taken.conflicts[: MOST_TOLD - len(report.conflicts)]
            report.conflicting += len(taken.conflicts)
            report.claims += work.claims.add(intake.claims, case=rules.case, group=rules.group).added
        noting(work)
        work.note(refused=report.refusals, unmarked=report.unmarked, claims=report.claims)
    return report


def recall(work: Work, taken: TakenIn, own_word: Sequence[bool], report: TakenBundle) -> None:
    """Take out of collections what a newer version that came with a stricter marking of its own says otherwise of."""
    fresh = set(taken.fresh)
    numbers = [number for number, own in zip(taken.numbers, own_word, strict=True) if own and number in fresh]
    report.recalled += sum(len(gone) for gone in work.collections.recall(numbers).values())


class Intake:
    """One bundle on its way in.

    Args:
        work: The act.
        rules: How what comes is handled.
        owner: Id of the person whose it is.
        report: Counts what becomes of it.
        lists: What is known to be harmless.

    Attributes:
        claims: What came as claims of the objects that were given out.
        own_word: Of each object that was given out, whether its marking is its own, not that of the rules.
    """

    def __init__(
        self,
        work: Work,
        rules: IntakeRules,
        owner: str,
        report: TakenBundle,
        lists: Warninglists = NO_LISTS,
    ) -> None:
        self._lists = lists
        self._work = work
        self._rules = rules
        self._owner = owner
        self._report = report
        self._found: dict[str, dict[Demands, None]] = {}  # what definitions of this bundle say
        self._definitions: dict[str, Demands] = {}  # of these and of those that are kept
        self._seen: dict[tuple[tuple[str, ...], tuple[str, ...]], Levels] = {}
        self.claims: list[Claim] = []
        self.own_word: list[bool] = []

    def handled(self, objects: Iterable[StixObject | Refusal]) -> Iterator[NewObject]:
        """Each object with its handling; those whose markings are not known to everybody come last.

        A bundle may define a marking more than once, behind what it marks, or otherwise than before: the strictest of all that
        is said holds, so nobody opens anything by a definition.
        """
        waiting: list[StixObject] = []
        size = 0
        for each in objects:
            self._report.objects += 1
            if isinstance(each, Refusal):
                self._refuse(each)
                continue
            if each.type == "marking-definition":
                self._define(each)
            if all(ref in BUILT_IN for ref in _refs(each)):
                yield self._new(each)
            elif size < _MOST_WAITING:
                waiting.append(each)
                size += len(each.raw)
            else:  # nobody knows yet what its markings mean
                yield self._new(each)
        for ref in {ref for each in waiting for ref in _refs(each)} - BUILT_IN.keys():
            kept = [read_object(one.raw, ref).body for one in self._work.stix.trusted(ref, self._rules.source)]
            said = [*self._found.get(ref, ()), *map(demands_of_definition, kept)]
            if said:
                self._definitions[ref] = together(said)
        for each in waiting:
            yield self._new(each)

    def _define(self, definition: StixObject) -> None:
        if len(self._found) < _MOST_DEFINITIONS or definition.id in self._found:
            self._found.setdefault(definition.id, {})[demands_of_definition(definition.body)] = None

    def _claim(self, thing: StixObject) -> None:
        """Take the claim that an object carries as a claim; one that does not fit is told, and the object stays."""
        if not carries_claim(thing.body):
            return
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
        rules, report = self._rules, self._report
        found = self._levels(thing)
        self._claim(thing)
        self.own_word.append(rules.stated or not found.unmarked)
        marking, pap = found.marking, found.pap
        if thing.id in BUILT_IN:
            marking, pap = Marking.CLEAR, Pap.CLEAR  # everybody has it
        else:
            if len(report.unknown) < MOST_TOLD:
                report.unknown |= dict.fromkeys(found.unknown[:MOST_TOLD])
            report.unmarked += found.unmarked and not rules.stated
        handling = Handling(marking=marking, pap=pap, owner=self._owner, case=rules.case, group=rules.group)
        return new_object(thing, handling, source=rules.source, values=self._values(thing))

    def _levels(self, thing: StixObject) -> Levels:
        """How an object is handled; objects of one source carry the same few markings over and over."""
        refs = (thing.markings, tuple(ref for ref, _ in thing.granular if ref))
        found = self._seen.get(refs)
        if found is None:
            found = levels_of(thing, self._definitions, marking=self._rules.marking, pap=self._rules.pap)
            if len(self._seen) < _MOST_SEEN and all(ref in BUILT_IN for several in refs for ref in several):
                self._seen[refs] = found
        return found

    def _values(self, thing: StixObject) -> frozenset[Value]:
        """By what the object meets others: not by what stands on a warninglist."""
        found = values_of(thing.body)
        if not self._lists.lists:
            return found
        warned = {value: names for value in found if (names := self._lists.naming(value))}
        for names in warned.values():
            self._report.warned.update(names)
        return found - warned.keys()


def new_object(
    thing: StixObject, handling: Handling, *, source: str = "", values: frozenset[Value] | None = None
) -> NewObject:
    """An object as the store takes it.

    Args:
        thing: The object.
        handling: Who may see it.
        source: As of `IntakeRules`.
        values: By what it meets others; None for all that it says.
    """
    return NewObject(
        id=thing.id,
        version=thing.version,
        type=thing.type,
        spec=thing.spec_version,
        content=thing.content,
        raw=thing.raw,
        handling=handling,
        source=source,
        values=values_of(thing.body) if values is None else values,
    )


def _refs(thing: StixObject) -> Iterator[str]:
    yield from thing.markings
    yield from (ref for ref, _ in thing.granular if ref)
