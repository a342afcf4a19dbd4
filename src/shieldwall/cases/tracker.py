"""The clock of a request: what was done with it, what may be done next, and what is due. Pure; the clock is an argument.

A request is a line of deeds that is only ever added to; what state it is in follows from them. Whoever wrote it cannot approve
it, and what is approved is one content, by its digest: a change of a letter asks anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from shieldwall.cases.event import moment_of
from shieldwall.errors import BadInput, Conflict, NotAllowed
from shieldwall.model.moment import unix

_DAY = 86_400  # seconds


class Deed(StrEnum):
    """What is done with a request."""

    DRAFT = "draft"
    SUBMIT = "submit"
    APPROVE = "approve"
    GIVE_BACK = "give back"
    WITHDRAW = "withdraw"
    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    RENEW = "renew"
    RETRACT = "retract"


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    WAITING = "waiting for approval"
    APPROVED = "approved"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    RETRACTED = "retracted"


class Outcome(StrEnum):
    """What a recipient answers."""

    HELD = "held"
    PARTLY_HELD = "partly held"
    MOVED_ON = "moved on"
    NO_ACCOUNT = "no account"
    PRESERVED = "preserved"
    DISCLOSED = "disclosed"
    DONE = "done"
    REFUSED = "refused"


MAY: dict[State, frozenset[Deed]] = {
    State.DRAFT: frozenset((Deed.DRAFT, Deed.SUBMIT, Deed.WITHDRAW)),
    State.WAITING: frozenset((Deed.APPROVE, Deed.GIVE_BACK, Deed.WITHDRAW)),
    State.APPROVED: frozenset((Deed.SEND, Deed.WITHDRAW)),
    State.SENT: frozenset((Deed.ACKNOWLEDGE, Deed.ANSWER, Deed.RENEW, Deed.RETRACT)),
    State.ACKNOWLEDGED: frozenset((Deed.ANSWER, Deed.RENEW, Deed.RETRACT)),
    State.ANSWERED: frozenset((Deed.ANSWER, Deed.RENEW, Deed.RETRACT)),
    State.WITHDRAWN: frozenset(),
    State.RETRACTED: frozenset(),
}
"""What may be done in which state."""

OUT = frozenset((State.SENT, State.ACKNOWLEDGED, State.ANSWERED))
"""States in which it is with the recipient."""

ACKNOWLEDGED_WITHIN = 3 * _DAY
"""After so long without a word somebody should call."""

URGENT_WITHIN = _DAY
"""The same of an urgent one."""

REMIND_BEFORE = 10 * _DAY
"""So long before a hold or the request ends it must be renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Something that was done.

    Attributes:
        number: From 1.
        at: When, Unix seconds.
        by: Id of the person; "" for the node.
        deed: What.
        body: What goes with it, plain JSON values: `digest` of the content, `reason`, `outcome`, `amount`, `until`, `contact`.
    """

    number: int
    at: int
    by: str
    deed: Deed
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where a request stands.

    Attributes:
        state: See `State`.
        writers: Ids of those who ever wrote in it, or stood for it by submitting it.
        submitted_by: Id of whoever asked for approval; "" for nobody.
        approved_by: Id of whoever approved; "" for nobody.
        digest: Of the content that was submitted last.
        sent_at, acknowledged_at, answered_at: Unix seconds; None for not yet.
        outcome: The last answer; None for none.
        amount: Satoshi that are held by the last answer that says so.
        until: Until when they are held, or the request was renewed; "" where nobody says.
        contact: Whom the recipient names.
        number: Of the last deed.
    """

    state: State = State.DRAFT
    writers: frozenset[str] = frozenset()
    submitted_by: str = ""
    approved_by: str = ""
    digest: str = ""
    sent_at: int | None = None
    acknowledged_at: int | None = None
    answered_at: int | None = None
    outcome: Outcome | None = None
    amount: int = 0
    until: str = ""
    contact: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due.

    Attributes:
        what: "acknowledge", "renew", "expires", or the name of a legal clock.
        at: When, Unix seconds.
        over: It is past.
    """

    what: str
    at: int
    over: bool


def track_of(deeds: Iterable[Done]) -> Track:
    """Where a request stands after these deeds, in their order.

    Raises:
        Conflict: One of them could not have been done then.
        NotAllowed: Whoever did it could not.
    """
    track = Track()
    for done in deeds:
        track = after(track, done)
    return track


def after(track: Track, done: Done) -> Track:
    """Where a request stands after one more deed.

    Raises:
        Conflict: That cannot be done in this state, or is about another content.
        NotAllowed: Whoever wrote or submitted it would approve it.
        BadInput: What must go with the deed is missing.
    """
    deed, body = done.deed, done.body
    if deed not in MAY[track.state]:
        raise Conflict(f"a request that is {track.state.value} cannot be: {deed.value}", hint="look at it again")
    track = replace(track, number=done.number)
    match deed:
        case Deed.DRAFT:
            return replace(track, writers=track.writers | {done.by})
        case Deed.SUBMIT:
            _need(body, "digest", deed)
            writers = track.writers | {done.by}
            return replace(track, state=State.WAITING, writers=writers, submitted_by=done.by, digest=body["digest"])
        case Deed.APPROVE:
            if done.by in track.writers or not done.by:
                raise NotAllowed("whoever wrote a request does not approve it", hint="let another person approve it")
            if body.get("digest") != track.digest:
                raise Conflict("what you looked at is not what was submitted", hint="look at it again")
            return replace(track, state=State.APPROVED, approved_by=done.by)
        case Deed.GIVE_BACK:
            if done.by in track.writers or not done.by:
                raise NotAllowed("whoever wrote a request withdraws it", hint="withdraw it")
            _need(body, "reason", deed)
            return replace(track, state=State.DRAFT, digest="", submitted_by="")
        case Deed.WITHDRAW:
            return replace(track, state=State.WITHDRAWN)
        case Deed.SEND:
            if body.get("digest") != track.digest:
                raise Conflict("what would be sent is not what was approved", hint="submit it again")
            return replace(track, state=State.SENT, sent_at=done.at)
        case Deed.ACKNOWLEDGE:
            return replace(track, state=State.ACKNOWLEDGED, acknowledged_at=done.at, contact=body.get("contact", ""))
        case Deed.ANSWER:
            return _answered(track, done)
        case Deed.RENEW:
            _need(body, "until", deed)
            return replace(track, until=moment_of(body["until"], "until"))
        case Deed.RETRACT:
            _need(body, "reason", deed)
            return replace(track, state=State.RETRACTED)


def _answered(track: Track, done: Done) -> Track:
    body = done.body
    try:
        outcome = Outcome(body.get("outcome", ""))
    except ValueError:
        raise BadInput("an answer says what was done", hint=f"one of {', '.join(Outcome)}") from None
    amount = body.get("amount", 0)
    if type(amount) is not int or not 0 <= amount < 1 << 63:
        raise BadInput("an amount that is held is a whole number of satoshi")
    holds = outcome in (Outcome.HELD, Outcome.PARTLY_HELD)
    return replace(
        track,
        state=State.ANSWERED,
        answered_at=done.at,
        acknowledged_at=track.acknowledged_at or done.at,
        outcome=outcome,
        amount=amount if holds else 0,
        until=moment_of(body["until"], "until") if holds and body.get("until") else "",
        contact=body.get("contact", "") or track.contact,
    )


def due(track: Track, *, now: int, urgent: bool, expires: str, clocks: Iterable[tuple[str, int]] = ()) -> list[Due]:
    """What is due of a request that is out, the next first.

    Args:
        track: Where it stands.
        now: Unix seconds.
        urgent: It cannot wait.
        expires: Until when it stands; "" for no end.
        clocks: (name, seconds from its sending) of the legal profile.
    """
    if track.state not in OUT or track.sent_at is None:
        return []
    found: list[Due] = []
    if track.state is State.SENT:
        at = track.sent_at + (URGENT_WITHIN if urgent else ACKNOWLEDGED_WITHIN)
        found.append(Due("acknowledge", at, now > at))
    if track.state is not State.ANSWERED:
        found += [Due(name, track.sent_at + seconds, now > track.sent_at + seconds) for name, seconds in clocks]
        if expires:
            found.append(Due("expires", unix(expires), now > unix(expires)))
    if track.until:
        at = unix(track.until) - REMIND_BEFORE
        found.append(Due("renew", at, now > at))
    return sorted(found, key=lambda each: (each.at, each.what))


def _need(body: Mapping[str, Any], name: str, deed: Deed) -> None:
    if not isinstance(body.get(name), str) or not str(body[name]).strip():
        raise BadInput(f"to {deed.value} a request needs {name}")
