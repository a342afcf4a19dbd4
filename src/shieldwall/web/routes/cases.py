"""Cases: who is in them, and where they meet others."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Permission
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.store.cases import Case
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import HandlingShape, Id
from shieldwall.web.shapes.cases import CaseAsked, CaseChange, CaseMembers, Cases, CaseShape, Meetings, MeetingShape
from shieldwall.web.versions import must_match, tagged, versioned

routes = Routes("cases")

CaseId = Annotated[Id, Path(description="Id of the case.")]


@routes.get("/cases", Rule("case.list", Permission.READ))
def list_cases(
    node: NodeHere,
    caller: CallerHere,
    status: Annotated[Literal["", "open", "closed"], Query(description="Only these.")] = "",
    q: Annotated[str, Query(max_length=200, description="Words of title, number, group, victim; then no pages.")] = "",
    cursor: Cursor = "",
    most: Most = 50,
) -> Cases:
    """The cases that one is a member of, the newest first; or those in which all words are found."""
    if q.strip():
        with node.store.look(caller.identity, caller.act) as work:
            hits = work.cases.search(q, most=most)
            work.note(found=len(hits))
        return Cases(cases=[case_shape(case) for case in hits])
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.cases.page(after=after, most=most + 1, status=status)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Cases(cases=[case_shape(case) for case in found[:most]], next=following)


@routes.post("/cases", Rule("case.add", Permission.WRITE), status_code=201)
def add_case(node: NodeHere, caller: CallerHere, response: Response, asked: CaseAsked) -> CaseShape:
    """Open a case; whoever asks becomes a member and its contact."""
    with node.store.act(caller.identity, caller.act) as work:
        case = work.cases.add(
            asked.title,
            number=asked.number,
            marking=parse_marking(asked.marking),
            pap=parse_pap(asked.pap),
            silent=asked.silent,
            people=asked.people,
            groups=asked.groups,
        )
    return versioned(response, case_shape(case))


@routes.get("/cases/{case_id}", Rule("case.show", Permission.READ), response_model=CaseShape)
def show_case(
    node: NodeHere, caller: CallerHere, case_id: CaseId, request: Request, response: Response
) -> CaseShape | Response:
    """A case."""
    with node.store.look(caller.identity, caller.act, case=case_id) as work:
        case = work.cases.get(case_id)
    return tagged(request, response, case_shape(case))


@routes.patch("/cases/{case_id}", Rule("case.change", Permission.WRITE))
def change_case(
    node: NodeHere, caller: CallerHere, case_id: CaseId, request: Request, response: Response, asked: CaseChange
) -> CaseShape:
    """Change a case. A more open marking needs an approval."""
    with node.store.act(caller.identity, caller.act, case=case_id) as work:
        before = work.cases.get(case_id)
        must_match(request, case_shape(before))
        case = work.cases.change(
            case_id,
            before.version,
            title=asked.title,
            number=asked.number,
            status=asked.status,
            silent=asked.silent,
            contact=asked.contact,
            marking=None if asked.marking is None else parse_marking(asked.marking),
            pap=None if asked.pap is None else parse_pap(asked.pap),
        )
    return versioned(response, case_shape(case))


@routes.put("/cases/{case_id}/members", Rule("case.members", Permission.WRITE))
def set_case_members(
    node: NodeHere, caller: CallerHere, case_id: CaseId, request: Request, response: Response, asked: CaseMembers
) -> CaseShape:
    """Say who the members are: all of them, by name and by group."""
    with node.store.act(caller.identity, caller.act, case=case_id) as work:
        before = work.cases.get(case_id)
        must_match(request, case_shape(before))
        case = work.cases.set_members(case_id, before.version, people=asked.people, groups=asked.groups)
    return versioned(response, case_shape(case))


@routes.get("/meetings", Rule("case.meetings", Permission.READ))
def list_meetings(node: NodeHere, caller: CallerHere) -> Meetings:
    """Where another team of this node works on something that is in a case of one's own: whom to call, and no more."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.cases.meetings()
    return Meetings(meetings=[MeetingShape(case=one.case, contact=one.contact, since=moment(one.day)) for one in found])


def case_shape(case: Case) -> CaseShape:
    """A case, shaped."""
    return CaseShape(
        id=case.id,
        title=case.title,
        number=case.number,
        status=case.status,
        silent=case.silent,
        contact=case.contact,
        handling=HandlingShape.of(case.handling),
        people=sorted(case.people),
        groups=sorted(case.groups),
        created=moment(case.created_at),
        version=case.version,
    )
