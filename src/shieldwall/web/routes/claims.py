"""Claims: what anyone said, with every version, retraction and contradiction."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.errors import BadInput, NotFound
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.standing import standing
from shieldwall.node.kinds import check_claim
from shieldwall.store.claims import Kept
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Digest, HandlingShape
from shieldwall.web.shapes.claims import ClaimAsked, Claims, ClaimShape, DisputeShape, Reason
from shieldwall.web.versions import tagged

routes = Routes("claims")

MOST_SAID = 2000
"""Claims on one subject that are looked at together."""

ClaimId = Annotated[Digest, Path(description="Id of the claim.")]


@routes.get("/claims", Rule("claim.find", Permission.READ))
def find_claims(
    node: NodeHere,
    caller: CallerHere,
    type: Annotated[str, Query(max_length=40, description="With `name`: the type of a subject.")] = "",  # noqa: A002
    chain: Annotated[
        str, Query(max_length=100, description="CAIP-2 id of the subject's chain, or the source's word.")
    ] = "",
    name: Annotated[str, Query(max_length=500, description="The subject's name.")] = "",
    kind: Annotated[str, Query(max_length=40, description="Without a subject: claims of this kind only.")] = "",
    case: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Claims of this case only.")] = None,
    cursor: Cursor = "",
    most: Most = 50,
) -> Claims:
    """All that is said of a subject, with what stands and what contradicts; or every claim, in the order of arrival."""
    if bool(type) != bool(name):
        raise BadInput("a subject has a type and a name", hint="send both, or neither")
    if name:
        subject = Subject(type, chain, name)
        with node.store.look(caller.identity, caller.act, subject=node.blind(type, chain, name)) as work:
            said = work.claims.find(subject, most=MOST_SAID + 1)
            work.note(found=len(said))
            view = standing(said, work.now) if len(said) <= MOST_SAID else None
        if view is None:  # what stands cannot be told by a part
            return Claims(claims=[claim_shape(caller, kept) for kept in said[:MOST_SAID]], more=True)
        return Claims(
            claims=[claim_shape(caller, kept, view.states[kept.id].value) for kept in said],
            disputes=[DisputeShape(kind=one.kind, sides=[list(side) for side in one.sides]) for one in view.disputes],
        )
    after = open_cursor(node, caller, cursor) or 0
    with node.store.look(caller.identity, caller.act) as work:
        found = work.claims.page(after=after, most=most + 1, kind=kind, case=case)
        work.note(found=min(len(found), most))
    shown = found[:most]
    following = seal_cursor(node, caller, shown[-1].seq) if len(found) > most else None
    return Claims(claims=[claim_shape(caller, kept) for kept in shown], next=following)


@routes.post("/claims", Rule("claim.add", Permission.WRITE), status_code=201)
def add_claim(node: NodeHere, caller: CallerHere, asked: ClaimAsked) -> ClaimShape:
    """Say something: the claim is made by whoever asks. The same claim again is the same claim."""
    with node.store.act(caller.identity, caller.act) as work:
        claim = Claim(
            subject=Subject(asked.subject.type, asked.subject.chain, asked.subject.name),
            kind=asked.kind,
            statement=asked.statement,
            layer=Layer(asked.layer),
            source=asked.source,
            made_by=caller.identity.name,
            at=asked.at or moment(work.now),
            confidence=asked.confidence,
            marking=parse_marking(asked.marking),
            pap=parse_pap(asked.pap),
            evidence=tuple(asked.evidence),
            expires=asked.expires,
        )
        check_claim(claim, "the request's body")
        work.claims.add([claim], case=asked.case, group=asked.group)
        work.note(claim=claim.id)
        handling = Handling(
            marking=claim.marking, pap=claim.pap, owner=caller.identity.person, case=asked.case, group=asked.group
        )
        received = moment(work.now)
    return ClaimShape(id=claim.id, claim=claim.as_dict(), handling=HandlingShape.of(handling), received=received)


@routes.get("/claims/{claim_id}", Rule("claim.show", Permission.READ), response_model=ClaimShape)
def show_claim(
    node: NodeHere, caller: CallerHere, claim_id: ClaimId, request: Request, response: Response
) -> ClaimShape | Response:
    """One claim."""
    with node.store.look(caller.identity, caller.act, claim=claim_id) as work:
        shape = claim_shape(caller, work.claims.get(claim_id))
    return tagged(request, response, shape)


@routes.post("/claims/{claim_id}/retraction", Rule("claim.retract", Permission.WRITE), status_code=201)
def retract_claim(node: NodeHere, caller: CallerHere, claim_id: ClaimId, asked: Reason) -> ClaimShape:
    """Take a claim back; it stays, with the reason, and on each way that it travelled somebody is to be told (`/travels`)."""
    with node.store.act(caller.identity, caller.act, claim=claim_id) as work:
        kept = work.claims.retract(claim_id, asked.reason)
    return claim_shape(caller, kept)


def claim_shape(caller: Caller, kept: Kept, state: str | None = None) -> ClaimShape:
    """The shape of a claim, for someone who may see it: asked again at this exit.

    Raises:
        NotFound: They may not.
    """
    if not may_see(caller.identity, kept.handling):
        raise NotFound("there is no such claim")
    return ClaimShape.model_construct(
        id=kept.id,
        claim=kept.claim.as_dict(),
        handling=HandlingShape.of(kept.handling),
        received=moment(kept.received_at),
        state=state,
        reason=kept.reason or None,
    )
