"""What people say in a case: findings, events, relations, and what they take back; claims with a place in its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shieldwall.cases.event import EVENT, event_statement
from shieldwall.cases.finding import FINDING, Finding
from shieldwall.cases.relation import RELATION, must_be_grounded, must_be_thing, relation_statement
from shieldwall.errors import NotFound
from shieldwall.model.access import Handling, Identity
from shieldwall.model.claim import Claim, ClaimKind, Layer, Subject
from shieldwall.model.moment import unix, utc
from shieldwall.store.claims import Kept
from shieldwall.store.ids import new_id
from shieldwall.store.timeline import NewEntry

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.cases import Case
    from shieldwall.store.work import Work

_SECOND = 1_000_000
SAID = (FINDING.name, EVENT.name, RELATION.name)
"""Kinds of claim that are said in a case."""


def case_subject(case_id: str) -> Subject:
    """What claims on a case itself are about."""
    return Subject("case", "", case_id)


def handling_in(work: Work, case: Case) -> Handling:
    """How something new of a case is handled: as the case, owned by whoever asks."""
    return Handling(marking=case.handling.marking, pap=case.handling.pap, owner=work.identity.person, case=case.id)


def add_finding(node: Node, identity: Identity, act: str, case_id: str, finding: Finding) -> Kept:
    """Say what was found.

    Raises:
        NotFound: No such case.
        NotAllowed: Whoever asks may not write.
        Conflict: The case is closed.
    """
    with node.store.act(identity, act, case=case_id) as work:
        return say(
            work,
            case_id,
            FINDING,
            case_subject(case_id),
            finding.statement(),
            finding.layer,
            {"text": finding.sentence},
        )


def add_event(node: Node, identity: Identity, act: str, case_id: str, text: str, when: str, where: str = "") -> Kept:
    """Say what happened when.

    Raises:
        BadInput: No text or time.
        NotFound, NotAllowed, Conflict: As `add_finding`.
    """
    statement = event_statement(text, when, where)
    with node.store.act(identity, act, case=case_id) as work:
        body = {"text": statement["text"], "when": statement["when"]}
        happened = unix(statement["when"]) * _SECOND
        return say(work, case_id, EVENT, case_subject(case_id), statement, Layer.OBSERVATION, body, happened)


def add_relation(
    node: Node,
    identity: Identity,
    act: str,
    case_id: str,
    subject: Subject,
    relation: str,
    target: Subject,
    *,
    layer: Layer,
    basis: str = "",
) -> Kept:
    """Say that two things belong together; their types are those of `cases.relation.TYPES`.

    Raises:
        BadInput: No such relation or thing.
        NotFound, NotAllowed, Conflict: As `add_finding`.
    """
    must_be_thing(subject.type, subject.name)
    must_be_grounded(layer, basis)
    statement = relation_statement(relation, target.type, target.name, chain=target.chain, basis=basis)
    with node.store.act(identity, act, case=case_id) as work:
        kept = say(work, case_id, RELATION, subject, statement, layer, None)
        meet_by(work, case_id, [kept.claim])
        return kept


def say(
    work: Work,
    case_id: str,
    kind: ClaimKind,
    subject: Subject,
    statement: Mapping[str, Any],
    layer: Layer,
    told: Mapping[str, Any] | None,
    happened_at: int | None = None,
) -> Kept:
    """Make a claim in a case within an act, and put it into the timeline where `told` says how."""
    case = work.cases.get(case_id)
    handling = handling_in(work, case)
    kind.check(statement, kind.name)
    claim = Claim(
        subject=subject,
        kind=kind.name,
        statement=statement,
        layer=layer,
        source=f"case {case_id[:12]}, {kind.name} {new_id()[:12]}",  # of its own: a second finding replaces no first one
        made_by=work.identity.name,
        at=utc(work.now // _SECOND),
        marking=handling.marking,
        pap=handling.pap,
    )
    work.claims.add([claim], case=case_id)
    if told is not None:
        body = {**told, "by": work.identity.name, "layer": layer.value}
        work.timeline.add([NewEntry(kind=kind.name, ref=claim.id, body=body, happened_at=happened_at)], handling)
    work.note(claim=claim.id, case=case_id)
    return work.claims.get(claim.id)


def meet_by(work: Work, case_id: str, relations: Iterable[Claim]) -> None:
    """Let cases meet by what relations lead to, within an act; by what they start from claims meet of themselves."""
    for claim in relations:
        work.cases.mark(case_id, [work.claims.subject_key(object_of(claim))], claim.marking)


def object_of(claim: Claim) -> Subject:
    """What a relation leads to."""
    said = claim.statement
    return Subject(str(said["object_type"]), str(said.get("chain", "")), str(said["object"]))


def take_back(node: Node, identity: Identity, act: str, claim_id: str, reason: str) -> tuple[Kept, int]:
    """Take a claim back: it goes from the timeline, and on each way that it travelled somebody is to be told.

    Returns:
        The claim, and on how many ways.

    Raises:
        NotFound: No such claim that whoever asks may see.
        NotAllowed: It is another person's.
        Conflict: It was taken back already.
    """
    with node.store.act(identity, act, claim=claim_id) as work:
        kept = work.claims.retract(claim_id, reason)
        return kept, sum(way.recalled_at is not None for way in work.travels.of(claim_id))


def kept_in(work: Work, case_id: str, claim_id: str) -> Kept:
    """A claim of a case.

    Raises:
        NotFound: It is none of that case.
    """
    kept = work.claims.get(claim_id)
    if kept.handling.case != case_id:
        raise NotFound("there is no such claim in this case")
    return kept
