"""Make STIX of what a case says, and of documents of ours: kept under their own markings, beside other objects.

Making it lets nothing go: it stands there for the members of the case, until somebody releases it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shieldwall.cases.request import Request
from shieldwall.cases.tracker import State
from shieldwall.model.access import Handling, Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.sharing.intake import new_object
from shieldwall.sharing.claims import Maker, claim_objects, identity_object
from shieldwall.sharing.documents import Frame, case_objects, document_objects
from shieldwall.sharing.extensions import definitions_for
from shieldwall.sharing.stix.object import object_of
from shieldwall.store.stixobjects import NewObject

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.cases import Case
    from shieldwall.store.claims import Kept
    from shieldwall.store.work import Work

MOST = 100_000
"""Claims of a case that are made STIX at once."""

_AT_ONCE = 500  # requests that are read at a time


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a case.

    Attributes:
        claims: How many claims it has.
        added: How many objects, or versions of them, are new.
        ids: Identifiers of all objects that stand for the case.
    """

    claims: int
    added: int
    ids: tuple[str, ...]


def make_stix(node: Node, identity: Identity, act: str, case_id: str) -> Made:
    """Make STIX of a case: of its claims and of its requests that were approved, each as a task, and the case as a grouping.

    Those that were taken back are revoked. The grouping is marked as the strictest of what it names, and names no member.

    Raises:
        NotAllowed: Whoever asks may not write.
        NotFound: No such case that they are a member of.
        Conflict: The case is closed.
    """
    maker = maker_of(node)
    with node.store.act(identity, act, case=case_id) as work:
        case = work.cases.get(case_id)
        claims = work.claims.page(most=MOST, case=case_id)
        new = list(_objects(claims, maker, identity.person, case_id))
        tasks = list(_tasks(work, maker, identity.person, case))
        new += [*tasks, *_grouping(work, case, maker, identity.person, [*new, *tasks])]
        taken = work.stix.add(new)
        work.collections.recall(taken.fresh)
        return Made(len(claims), taken.added, tuple(dict.fromkeys(each.id for each in new)))


def make_document(
    node: Node, identity: Identity, act: str, document: Mapping[str, Any], handling: Handling, place: str
) -> Made:
    """Make STIX of a document of ours: a trace result, a cluster, a request.

    Args:
        node: Where.
        identity: Whoever brings it.
        act: As the audit log calls it.
        document: The document.
        handling: How it is kept, and how it is marked.
        place: Where it was read, for errors.

    Raises:
        BadText: It is none, or its digest is not its own.
        NotAllowed, NotFound: Whoever brings it may not put it there.
    """
    maker = maker_of(node)
    with node.store.act(identity, act) as work:
        frame = Frame(maker=maker, created=work.now, modified=work.now, marking=handling.marking, pap=handling.pap)
        bodies = document_objects(document, frame, place)
        known = work.stix.versions(bodies[-1]["id"])
        if known:  # the same document by the same maker is one object
            return Made(0, 0, tuple(body["id"] for body in bodies))
        new = [own_object(body, handling) for body in bodies]
        new += _beside(bodies, maker, handling)
        taken = work.stix.add(new)
        return Made(0, taken.added, tuple(dict.fromkeys(each.id for each in new)))


def say(node: Node, identity: Identity, act: str, made: Callable[[Frame], dict[str, Any]], handling: Handling) -> str:
    """Keep a sighting or an opinion of ours; returns its identifier.

    Args:
        node: Where.
        identity: Whoever says it.
        act: As the audit log calls it.
        made: Makes the object.
        handling: How it is kept, and how it is marked.

    Raises:
        NotAllowed, NotFound: Whoever says it may not put it there, or sees nothing of what it is about.
    """
    maker = maker_of(node)
    with node.store.act(identity, act) as work:
        frame = Frame(maker=maker, created=work.now, modified=work.now, marking=handling.marking, pap=handling.pap)
        body = made(frame)
        for ref in (body.get("sighting_of_ref"), *body.get("object_refs", ())):
            if ref is not None:
                work.stix.get(ref)
        work.stix.add([own_object(body, handling), *_beside([body], maker, handling)])
        return str(body["id"])


def maker_of(node: Node) -> Maker:
    """Who shares from here: the node, under the identity that its first key gave it."""
    known = node.keys().identity
    return Maker.of(known.node, node.config.name, known.generations[0].created_at)


def _objects(claims: Iterable[Kept], maker: Maker, owner: str, case_id: str) -> Iterable[NewObject]:
    everybody = Handling(marking=Marking.CLEAR, pap=Pap.CLEAR, owner=owner, case=case_id)
    used: dict[str, dict[str, Any]] = {}
    for kept in claims:
        standing = kept.standing
        at, retracted = standing.received_at, kept.retracted_at
        bodies = claim_objects(standing.claim, maker, at=at, retracted_at=retracted)
        claimed = standing.claim
        handling = Handling(marking=claimed.marking, pap=claimed.pap, owner=owner, case=case_id)
        for body in bodies:
            yield own_object(body, handling)
        used |= {body["id"]: body for body in definitions_for(bodies)}
    for body in (identity_object(maker), *used.values()):
        yield own_object(body, everybody)


def _beside(bodies: Iterable[dict[str, Any]], maker: Maker, handling: Handling) -> Iterable[NewObject]:
    """Who made objects, and the definitions that they use."""
    everybody = replace(handling, marking=Marking.CLEAR, pap=Pap.CLEAR)
    for body in (identity_object(maker), *definitions_for(bodies)):
        yield own_object(body, everybody)


def _tasks(work: Work, maker: Maker, owner: str, case: Case) -> Iterable[NewObject]:
    """The requests of a case that were approved, each as a task, with what each is about."""
    last = ""
    while rows := work.requests.page(after=last, most=_AT_ONCE, case=case.id):
        last = rows[-1].id
        for row in rows:
            if row.state in (State.DRAFT, State.WAITING):
                continue
            request = Request.from_dict(row.body)
            deeds = work.requests.deeds(row.id)
            handling = replace(row.handling, owner=owner)
            frame = Frame(
                maker=maker,
                created=row.created_at,
                modified=max([row.created_at, *(each.at for each in deeds)]),
                marking=handling.marking,
                pap=handling.pap,
            )
            bodies = document_objects(request.as_dict(), frame, f"request {row.id}", state=row.state)
            if row.state in (State.WITHDRAWN, State.RETRACTED):
                bodies[-1]["revoked"] = True
            yield from (own_object(body, handling) for body in bodies)
            yield from _beside(bodies, maker, handling)


def _grouping(work: Work, case: Case, maker: Maker, owner: str, named: Iterable[NewObject]) -> Iterable[NewObject]:
    """The case itself: what is shared of it, and nothing of who works on it."""
    several = [each for each in named if each.type not in ("extension-definition", "marking-definition")]
    marking = max((each.handling.marking for each in several), default=case.handling.marking)
    pap = max((each.handling.pap for each in several), default=case.handling.pap)
    handling = Handling(
        marking=max(marking, case.handling.marking), pap=max(pap, case.handling.pap), owner=owner, case=case.id
    )
    said = {"id": case.id, "title": case.title, "number": case.number, "status": case.status}

    def made(modified: int) -> dict[str, Any]:
        frame = Frame(
            maker=maker, created=case.created_at, modified=modified, marking=handling.marking, pap=handling.pap
        )
        return case_objects(said, [each.id for each in several], frame)[0]

    body = made(max(case.created_at, work.now))
    for kept in work.stix.newest(body["id"]):  # where it says what it said, it is the same version
        before = made(kept.version)
        body = before if canonical_json(before) == kept.raw else body
    bodies = [body]
    yield own_object(body, handling)
    yield from _beside(bodies, maker, handling)


def own_object(body: dict[str, Any], handling: Handling) -> NewObject:
    """An object of ours as the store takes it."""
    return new_object(object_of(body, canonical_json(body), body["id"]), handling)
