"""Requests: what is asked of whom, approved by a second person, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.cases.letter import as_html
from shieldwall.cases.request import Request as CaseRequest
from shieldwall.cases.request import RequestKind
from shieldwall.cases.tracker import Deed, State
from shieldwall.errors import UsageError
from shieldwall.model.access import Permission
from shieldwall.model.moment import utc
from shieldwall.node.casework import asking
from shieldwall.node.casework.asking import Asked
from shieldwall.node.casework.filling import Filling, fill
from shieldwall.node.node import Node
from shieldwall.store.requests import RequestRow
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.placing import OfCase
from shieldwall.web.routes.cases import CaseId
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import HandlingShape, Id
from shieldwall.web.shapes.casework import (
    DeedAsked,
    DeedShape,
    DueShape,
    LackShape,
    RequestAsked,
    RequestChange,
    RequestDecision,
    RequestList,
    RequestRowShape,
    RequestShape,
    RouteShape,
)
from shieldwall.web.threads import at_length

routes = Routes("requests")

RequestId = Annotated[Id, Path(description="Id of the request.")]
_STATES = tuple(state.value for state in State)
_ANSWER = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
LETTER_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
"""Of a letter that is shown: no script, nothing fetched, and no way to the session of whoever looks."""


@routes.get("/requests", Rule("request.list", Permission.READ))
def list_requests(
    node: NodeHere,
    caller: CallerHere,
    state: Annotated[str, Query(max_length=30, description="Only these.")] = "",
    case: OfCase = None,
    cursor: Cursor = "",
    most: Most = 50,
) -> RequestList:
    """Requests, the newest first."""
    if state and state not in _STATES:
        raise UsageError(f"no request is {state[:30]!r}", hint=f"use one of {', '.join(_STATES)}")
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.requests.page(after=after, most=most + 1, case=case, states=[state] if state else ())
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return RequestList(requests=[row_shape(row) for row in found[:most]], next=following)


@routes.post("/cases/{case_id}/requests", Rule("request.draft", Permission.WRITE), status_code=201)
def draft_request(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: RequestAsked) -> RequestShape:
    """Begin a request: filled in with what the case knows, or as `content` says."""
    if asked.content is not None:
        given = CaseRequest.from_dict(asked.content, "content")
    else:
        wanted = Filling(
            kind=RequestKind(asked.kind),
            trace=asked.trace or "",
            rank=asked.rank,
            recipient=asked.recipient,
            legal=asked.legal,
        )
        given = fill(node, caller.identity, "request.fill", case_id, wanted)
    return request_shape(asking.draft(node, caller.identity, caller.act, case_id, given))


@routes.get("/requests/{request_id}", Rule("request.show", Permission.READ))
def show_request(node: NodeHere, caller: CallerHere, request_id: RequestId) -> RequestShape:
    """A request, where it stands, what it lacks, and what is due of it."""
    return request_shape(asking.look(node, caller.identity, caller.act, request_id))


@routes.put("/requests/{request_id}", Rule("request.edit", Permission.WRITE), versioned=False)
def change_request(node: NodeHere, caller: CallerHere, request_id: RequestId, asked: RequestChange) -> RequestShape:
    """Change what a draft says."""
    given = CaseRequest.from_dict(asked.content, "content")
    return request_shape(asking.edit(node, caller.identity, caller.act, request_id, asked.version, given))


@routes.post("/requests/{request_id}/deeds", Rule("request.deed", Permission.WRITE), status_code=201)
async def do_deed(
    node: NodeHere, caller: CallerHere, request: Request, request_id: RequestId, asked: DeedAsked
) -> RequestShape:
    """Submit, withdraw or send a request; note what its recipient did; renew it, or take it back."""
    return request_shape(await at_length(request, lambda: done(node, caller, request_id, asked)))


@routes.post(
    "/requests/{request_id}/decision", Rule("request.decide", Permission.APPROVE, PEOPLE, confirm=True), status_code=201
)
def decide_request(node: NodeHere, caller: CallerHere, request_id: RequestId, asked: RequestDecision) -> RequestShape:
    """Approve what another person wrote, or give it back; what was changed since one looked at it is not approved."""
    found = asking.decide(
        node,
        caller.identity,
        caller.act,
        request_id,
        approve=asked.approve,
        digest=asked.digest,
        reason=asked.reason,
    )
    return request_shape(found)


@routes.post(
    "/requests/{request_id}/reply", Rule("request.reply", Permission.WRITE), status_code=201, openapi_extra=_ANSWER
)
async def import_reply(node: NodeHere, caller: CallerHere, request: Request, request_id: RequestId) -> RequestShape:
    """Take in the answer file that the recipient made with reply.html: the file is the body."""
    raw = await request.body()

    def take() -> Asked:
        return asking.take_reply(node, caller.identity, caller.act, request_id, raw)

    return request_shape(await at_length(request, take))


@routes.get("/requests/{request_id}/letter", Rule("request.letter", Permission.READ), response_class=HTMLResponse)
def show_letter(
    node: NodeHere,
    caller: CallerHere,
    request_id: RequestId,
    language: Annotated[str, Query(max_length=10, description="One of the languages of letters.")] = "en",
) -> Response:
    """The letter as it would go out now, in a language; what nobody filled in is marked."""
    return letter_answer(node, caller, request_id, language)


def letter_answer(node: Node, caller: Caller, request_id: str, language: str) -> Response:
    """The letter as a page of its own, that can do nothing."""
    if language not in LETTERS:
        raise UsageError(f"no letter is written in {language[:10]!r}", hint=f"use one of {', '.join(LETTERS)}")
    found = asking.look(node, caller.identity, caller.act, request_id)
    letter = asking.letter_of(node, found, letter_words(language))
    headers = {"Content-Security-Policy": LETTER_POLICY, "Content-Language": language}
    return Response(as_html(letter), media_type="text/html; charset=utf-8", headers=headers)


def done(node: Node, caller: Caller, request_id: str, asked: DeedAsked) -> Asked:
    """One deed, by its name."""
    given = node, caller.identity, caller.act, request_id
    match asked.deed:
        case "submit":
            return asking.submit(*given, asked.version)
        case "withdraw":
            return asking.withdraw(*given, asked.version, asked.reason)
        case "send":
            return asking.send(*given, asked.version)
        case "retract":
            return asking.retract(*given, asked.version, asked.reason)
        case "acknowledge":
            return asking.record(*given, Deed.ACKNOWLEDGE, {"contact": asked.contact})
        case "renew":
            return asking.record(*given, Deed.RENEW, {"until": asked.until})
        case "answer":
            fields = {
                name: getattr(asked, name) for name in ("outcome", "amount", "until", "contact", "reference", "words")
            }
            return asking.record(*given, Deed.ANSWER, fields)


def request_shape(asked: Asked) -> RequestShape:
    """A request, shaped."""
    track, row = asked.track, asked.row
    route = None if asked.recipient is None else asked.recipient.route(asked.request.kind)
    return RequestShape.model_construct(
        id=row.id,
        case=row.handling.case or "",
        number=row.number,
        kind=row.kind,
        state=track.state.value,
        version=row.version,
        digest=asked.request.digest,
        content=asked.request.as_dict(),
        lacks=[LackShape(field=lack.field, label=lack.label, by=lack.by) for lack in asked.lacks],
        route=None if route is None else RouteShape(needs=route.needs, words=route.words),
        due=[DueShape(what=each.what, at=utc(each.at), over=each.over) for each in asked.due],
        outcome=track.outcome.value if track.outcome else "",
        held=track.amount,
        until=track.until,
        deeds=[
            DeedShape(
                number=each.number,
                at=utc(each.at),
                by=asked.names.get(each.by, ""),
                deed=each.deed.value,
                told={name: value for name, value in each.body.items() if name != "content"},
            )
            for each in asked.deeds
        ],
        handling=HandlingShape.of(row.handling),
    )


def row_shape(row: RequestRow) -> RequestRowShape:
    """A request in a list, shaped."""
    recipient = row.body["recipient"]
    return RequestRowShape.model_construct(
        id=row.id,
        case=row.handling.case or "",
        number=row.number,
        kind=row.kind,
        state=row.state,
        recipient=recipient["legal_entity"] or recipient["name"],
        due=moment(row.due_at) if row.due_at else "",
        created=moment(row.created_at),
    )
