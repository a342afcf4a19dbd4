"""Approvals: what one person asks for, and another one decides."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from shieldwall.model.access import Permission
from shieldwall.store.approvals import MARKING, Approval, Remarking
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.approvals import ApprovalAsked, Approvals, ApprovalShape, Decision, RemarkAsked
from shieldwall.web.shapes.base import HandlingShape, Id

routes = Routes("approvals")

ApprovalId = Annotated[Id, Path(description="Id of the request.")]


@routes.get("/approvals", Rule("approval.list", Permission.READ))
def list_approvals(
    node: NodeHere,
    caller: CallerHere,
    decision: Annotated[Literal["", "open", "approved", "refused", "withdrawn"], Query(description="Only these.")] = "",
    cursor: Cursor = "",
    most: Most = 50,
) -> Approvals:
    """What was asked for, the newest first."""
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.approvals.page(after=after, most=most + 1, decision=decision)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Approvals(approvals=[approval_shape(one) for one in found[:most]], next=following)


@routes.post("/approvals", Rule("approval.ask", Permission.WRITE, PEOPLE), status_code=201)
def ask_approval(node: NodeHere, caller: CallerHere, asked: ApprovalAsked) -> ApprovalShape:
    """Ask for a more open handling of a claim, file or case; a second person decides."""
    seen = None if asked.seen_by is None else asked.seen_by.of(caller.identity.person)
    with node.store.act(caller.identity, caller.act) as work:
        found = work.approvals.ask(MARKING, _change(asked).as_dict(), asked.reason, seen)
    return approval_shape(found)


@routes.get("/approvals/{approval_id}", Rule("approval.show", Permission.READ))
def show_approval(node: NodeHere, caller: CallerHere, approval_id: ApprovalId) -> ApprovalShape:
    """A request, and what became of it."""
    with node.store.look(caller.identity, caller.act, approval=approval_id) as work:
        return approval_shape(work.approvals.get(approval_id))


@routes.post("/approvals/{approval_id}/decision", Rule("approval.decide", Permission.APPROVE, PEOPLE, confirm=True))
def decide_approval(node: NodeHere, caller: CallerHere, approval_id: ApprovalId, asked: Decision) -> ApprovalShape:
    """Decide on what another person asked for; what is approved holds at once."""
    with node.store.act(caller.identity, caller.act, approval=approval_id) as work:
        return approval_shape(work.approvals.decide(approval_id, approve=asked.approve))


@routes.delete("/approvals/{approval_id}", Rule("approval.withdraw", Permission.WRITE, PEOPLE))
def withdraw_approval(node: NodeHere, caller: CallerHere, approval_id: ApprovalId) -> ApprovalShape:
    """Take back one's own request."""
    with node.store.act(caller.identity, caller.act, approval=approval_id) as work:
        return approval_shape(work.approvals.withdraw(approval_id))


@routes.post("/markings", Rule("marking.change", Permission.WRITE))
def change_marking(node: NodeHere, caller: CallerHere, asked: RemarkAsked) -> HandlingShape:
    """Handle a claim, file or case more strictly; that needs nobody else."""
    with node.store.act(caller.identity, caller.act) as work:
        return HandlingShape.of(work.approvals.remark(_change(asked)))


def approval_shape(approval: Approval) -> ApprovalShape:
    """A request, shaped."""
    return ApprovalShape.model_construct(
        id=approval.id,
        kind=approval.kind,
        change=approval.change.as_dict(),
        before=HandlingShape.of(approval.before),
        reason=approval.reason,
        asked_by=approval.asked_by,
        asked=moment(approval.asked_at),
        decision=approval.decision,
        decided_by=approval.decided_by or "",
        decided=moment(approval.decided_at),
        handling=HandlingShape.of(approval.handling),
    )


def _change(asked: RemarkAsked) -> Remarking:
    return Remarking.from_dict(
        {
            "thing": asked.thing,
            "id": asked.id,
            "marking": asked.marking,
            "pap": asked.pap,
            "case": asked.case,
            "group": asked.group,
        }
    )
