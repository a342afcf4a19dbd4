"""Approvals: what one person asks for and another one decides, applied in the act of the decision.

The kind `marking` changes the handling of a claim, a file or a case. A stricter handling needs nobody else; see `model.opening`.
A claim is never changed: one with another marking is a new one, and the old one is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, Table, insert, select

from shieldwall.errors import BadInput, Conflict, NotAllowed, NotFound, Tampered, UsageError
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking, Pap, parse_marking, parse_pap
from shieldwall.model.opening import opens
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id, searchable, utf8
from shieldwall.store.placing import must_belong, must_own, older_than
from shieldwall.store.proving import change as change_row
from shieldwall.store.proving import hold, one_held, proven
from shieldwall.store.schema import approvals, cases, files
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MARKING = "marking"
KINDS = (MARKING,)
THINGS = ("claim", "file", "case")
OPEN, APPROVED, REFUSED, WITHDRAWN = "open", "approved", "refused", "withdrawn"
LONGEST_REASON = 2000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarking:
    """Another handling for a thing; its owner stays.

    Attributes:
        thing: One of `THINGS`.
        id: Of the thing.
        marking: Who may see it from then on.
        pap: What may be done with it.
        case: The case that it belongs to from then on; of a case always None.
        group: The group that it is for.
    """

    thing: str
    id: str
    marking: Marking
    pap: Pap
    case: str | None = None
    group: str | None = None

    def of(self, before: Handling) -> Handling:
        """The handling that the thing has then."""
        case = before.case if self.thing == "case" else self.case
        return Handling(marking=self.marking, pap=self.pap, owner=before.owner, case=case, group=self.group)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"thing": self.thing, "id": self.id, **_plain(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Remarking:
        """What `as_dict` wrote, or a client.

        Raises:
            UsageError: It is something else; a marking that is left out is the strictest.
        """
        if set(plain) - {"thing", "id", "marking", "pap", "case", "group"}:
            raise UsageError("that is no change of a marking", hint="it has thing, id, marking, pap, case and group")
        if not all(value is None or isinstance(value, str) for value in plain.values()):
            raise UsageError("every field of a change of a marking is a text")
        if plain.get("thing") not in THINGS or not plain.get("id"):
            raise UsageError("a change of a marking names a thing and its id", hint=f"things: {', '.join(THINGS)}")
        case, group = plain.get("case") or None, plain.get("group") or None
        if plain["thing"] == "case" and (case or group):
            raise UsageError("a case belongs to no other case or group", hint="change its members")
        return cls(
            thing=plain["thing"],
            id=plain["id"],
            marking=parse_marking(plain.get("marking")),
            pap=parse_pap(plain.get("pap")),
            case=case,
            group=group,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What someone asked for, and what became of it.

    Attributes:
        id: 32 hex digits.
        kind: One of `KINDS`.
        change: What is asked for.
        before: How the thing was handled when it was asked.
        reason: Why.
        asked_by: Id of the person who asks.
        asked_at: Microseconds of Unix time.
        decision: open, approved, refused or withdrawn.
        decided_by: Id of the person who decided; None while it is open.
        decided_at: Microseconds; None while it is open.
        handling: Who may see this request.
    """

    id: str
    kind: str
    change: Remarking
    before: Handling
    reason: str
    asked_by: str
    asked_at: int
    decision: str
    decided_by: str | None
    decided_at: int | None
    handling: Handling


class Approvals:
    """The approvals, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def ask(self, kind: str, body: Mapping[str, Any], reason: str, handling: Handling | None = None) -> Approval:
        """Ask another person for something.

        Args:
            kind: One of `KINDS`.
            body: What for: of `marking` a `Remarking` as plain JSON values.
            reason: Why; whoever decides reads it.
            handling: Who may see the request: as the thing itself, unless the owner of the thing says otherwise. Only whoever
                sees a request decides on it, so what one person alone may see needs this to be ever seen by a second one.

        Raises:
            NotAllowed: Whoever asks may not write, or says who may see a request on what is not theirs.
            NotFound: No such thing, case or group that they may see.
            UsageError: No such kind, no reason, or a body that is none.
        """
        self._work.must(Permission.WRITE)
        if kind not in KINDS:
            raise UsageError(f"{kind[:40]!r} is nothing to ask for", hint=f"use one of {', '.join(KINDS)}")
        utf8(reason)
        if not reason.strip() or len(reason) > LONGEST_REASON:
            raise UsageError(f"a request needs a reason of at most {LONGEST_REASON} characters")
        identity = self._work.identity
        if not identity.person:
            raise NotAllowed("a request needs a person who asks")
        change = Remarking.from_dict(body)
        before = self._seen(change)
        self._must_reach(change, before)
        if handling is None:
            handling = before
        elif before.owner != identity.person:
            raise NotAllowed("only the owner of a thing says who may see a request on it")
        else:
            must_belong(self._work, replace(handling, owner=identity.person))
        approval = Approval(
            id=new_id(),
            kind=kind,
            change=change,
            before=before,
            reason=reason.strip(),
            asked_by=identity.person,
            asked_at=self._work.now,
            decision=OPEN,
            decided_by=None,
            decided_at=None,
            handling=handling,
        )
        body = {
            "change": change.as_dict(),
            "before": {"owner": before.owner, **_plain(before)},
            "reason": approval.reason,
        }
        sealed = self._work.seal(approvals.name, "body", approval.id, canonical_json(body))
        row = {
            "id": approval.id,
            "kind": kind,
            "body_sealed": sealed,
            "asked_by": approval.asked_by,
            "asked_at": approval.asked_at,
            "decision": OPEN,
            **columns_of(handling),
        }
        self._work.connection.execute(insert(approvals).values(proven(self._work, approvals, row)))
        self._work.note(approval=approval.id, kind=kind)
        return approval

    def get(self, approval_id: str) -> Approval:
        """The request with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for approval in self._read(approvals.c.id == searchable(approval_id)):
            return approval
        raise NotFound("there is no such request")

    def page(self, *, after: str = "", most: int, decision: str = "") -> list[Approval]:
        """Requests with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No request `after` that whoever asks may see.
        """
        seen = visible(self._work.identity, approvals)
        conditions = [older_than(self._work, approvals, after, seen, time="asked_at")]
        if decision:
            conditions.append(approvals.c.decision == searchable(decision))
        return list(self._read(*conditions, most=most))

    def decide(self, approval_id: str, *, approve: bool) -> Approval:
        """Decide on what another person asked for; an approved change is applied in this act.

        Raises:
            NotAllowed: Whoever asks may not approve, or asked for it themselves, or sees neither the thing now nor what its owner
                would make of it.
            NotFound: No request that they may see, or the thing is gone.
            Conflict: It was decided already, or the thing was changed since.
        """
        self._work.must(Permission.APPROVE)
        identity = self._work.identity
        approval = self.get(approval_id)
        if not identity.person or approval.asked_by == identity.person:
            raise NotAllowed("whoever asks does not decide", hint="let another approver decide")
        change, found = approval.change, self._handlings(approval.change)
        if not found:
            raise NotFound("what this is about is gone")
        before = approval.before if approval.before in found else found[0]
        offered = before.owner == approval.asked_by and may_see(identity, change.of(before))
        if not may_see(identity, before) and not offered:
            raise NotAllowed("you may not see what this is about", hint="let another approver decide")
        decided = self._close(approval, APPROVED if approve else REFUSED)
        if approve:
            if before != approval.before:
                raise Conflict("the thing was changed since this was asked for", hint="refuse it, and ask again")
            self._apply(change, before)
        return decided

    def withdraw(self, approval_id: str) -> Approval:
        """Take back one's own request.

        Raises:
            NotFound: No request of whoever asks.
            Conflict: It was decided already.
        """
        self._work.must(Permission.WRITE)
        approval = self.get(approval_id)
        if approval.asked_by != self._work.identity.person:
            raise NotAllowed("only whoever asked takes a request back")
        return self._close(approval, WITHDRAWN)

    def remark(self, change: Remarking) -> Handling:
        """Handle a thing more strictly, without a second person; returns the new handling.

        Raises:
            NotAllowed: Whoever asks may not write, is neither its owner nor in its case or group, or it would be more open.
            NotFound: No such thing, case or group that they may see.
            Conflict: The same claim is there already.
        """
        self._work.must(Permission.WRITE)
        before = self._seen(change)
        must_own(self._work, before)
        self._must_reach(change, before)
        if opens(before, change.of(before)):
            raise NotAllowed("that would be more open, which needs a second person", hint="ask for an approval")
        if not may_see(self._work.identity, change.of(before)):
            raise NotAllowed("you would not see it any more", hint="ask someone who may see that marking")
        self._apply(change, before)
        return change.of(before)

    def _must_reach(self, change: Remarking, before: Handling) -> None:
        after = change.of(before)
        if after.case != before.case or after.group != before.group:
            must_belong(self._work, replace(after, owner=self._work.identity.person))

    def _handlings(self, change: Remarking) -> list[Handling]:
        """How a thing is handled now; of a claim in each place where it is."""
        if change.thing == "claim":
            return self._work.claims.handlings(change.id)
        table, case = (cases, change.id) if change.thing == "case" else (files, None)
        row = one_held(self._work, table, table.c.id == searchable(change.id))
        return [] if row is None else [handling_of(row, case)]

    def _seen(self, change: Remarking) -> Handling:
        for handling in self._handlings(change):
            if may_see(self._work.identity, handling):
                return handling
        raise NotFound(f"there is no such {change.thing}")

    def _apply(self, change: Remarking, before: Handling) -> None:
        after = change.of(before)
        self._work.note(**{change.thing: change.id}, handled=_plain(after))
        if change.thing == "claim":
            self._work.claims.remark(change.id, before, after)
        elif change.thing == "file":
            same = (files.c.id == change.id, *_handled(files, columns_of(before)))
            self._must_be_one(change_row(self._work, files, *same, values=columns_of(after)))
            self._work.evidence.follow(change.id, before, after)
            for kind in ("trace", "pack"):
                self._work.timeline.follow(kind, change.id, before, after)
            self._work.timeline.follow_trace(change.id, before, after)
        else:
            now, then = ({"marking": int(each.marking), "pap": int(each.pap)} for each in (before, after))
            same = (cases.c.id == change.id, *_handled(cases, now))
            last = self._work.connection.execute(select(cases.c.version).where(*same).with_for_update()).scalar()
            values = {**then, "version": (last or 0) + 1}
            self._must_be_one(change_row(self._work, cases, *same, values=values))

    def _must_be_one(self, rows: int) -> None:
        """A thing is changed where it is still handled as it was when that was decided: another act may have been quicker."""
        if rows != 1:
            raise Conflict("it was handled otherwise in the meantime", hint="look at it again")

    def _close(self, approval: Approval, decision: str) -> Approval:
        decided = replace(approval, decision=decision, decided_by=self._work.identity.person, decided_at=self._work.now)
        values = {"decision": decision, "decided_by": decided.decided_by, "decided_at": decided.decided_at}
        chosen = (approvals.c.id == approval.id, approvals.c.decision == OPEN)
        if change_row(self._work, approvals, *chosen, values=values) != 1:
            raise Conflict("that was decided already")
        self._work.note(approval=approval.id, decision=decision, asked_by=approval.asked_by)
        return decided

    def _read(self, *conditions: ColumnElement[bool], most: int | None = None) -> Iterator[Approval]:
        query = select(approvals).where(visible(self._work.identity, approvals), *conditions)
        query = query.order_by(approvals.c.asked_at.desc(), approvals.c.id.desc()).limit(most)
        for row in self._work.connection.execute(query):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._approval(row, handling)

    def _approval(self, row: Row[Any], handling: Handling) -> Approval:
        hold(self._work, approvals, row)
        raw = self._work.open(approvals.name, "body", row.id, row.body_sealed)
        try:
            body = parse_json(raw, "request")
            change, before = Remarking.from_dict(body["change"]), body["before"]
            handled = Remarking.from_dict(
                {"thing": "claim", "id": "-", **{k: v for k, v in before.items() if k != "owner"}}
            )
            old = replace(handled.of(Handling()), owner=before["owner"])
        except (BadInput, UsageError, KeyError, TypeError, AttributeError) as error:
            raise Tampered(f"request {row.id} is none ({error})", hint="shieldwall node check") from None
        return Approval(
            id=row.id,
            kind=row.kind,
            change=change,
            before=old,
            reason=body["reason"],
            asked_by=row.asked_by,
            asked_at=row.asked_at,
            decision=row.decision,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            handling=handling,
        )


def _plain(handled: Remarking | Handling) -> dict[str, Any]:
    return {"marking": handled.marking.label, "pap": handled.pap.label, "case": handled.case, "group": handled.group}


def _handled(table: Table, columns: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The conditions that a row is handled so."""
    return [table.c[name].is_not_distinct_from(value) for name, value in columns.items()]
