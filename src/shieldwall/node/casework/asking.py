"""Requests on a node: drafted, submitted, approved by a second person, sent, answered, renewed, taken back.

What may be done when is `cases.tracker`'s to say; here each deed is done in one act with its audit entry, its place in the
timeline, and the files that go out. What goes out is frozen: the letters that were sent are files of the case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shieldwall.cases import tracker
from shieldwall.cases.demands import Lack, lacking
from shieldwall.cases.legal import LegalProfile
from shieldwall.cases.letter import Key, Letter, compose
from shieldwall.cases.recipients import Profile
from shieldwall.cases.reply import Reply, must_answer, read_reply, reply_of
from shieldwall.cases.request import Request, RequestKind
from shieldwall.cases.tracker import Deed, Done, Due, State, Track
from shieldwall.cases.wording import must_not_mix
from shieldwall.errors import BadInput, Conflict, NotAllowed, NotFound
from shieldwall.model.access import Handling, Identity, Permission, joint
from shieldwall.model.marking import Action, allows
from shieldwall.model.moment import utc
from shieldwall.model.words import Words
from shieldwall.node.casework.outputs import letter_files
from shieldwall.node.casework.references import legal_profiles, profiles_of
from shieldwall.node.casework.saying import handling_in
from shieldwall.store.claims import Kept
from shieldwall.store.requests import RequestRow
from shieldwall.store.timeline import NewEntry

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_SECOND = 1_000_000
ACTS = frozenset((RequestKind.FREEZE, RequestKind.TAKE_DOWN))
"""Kinds that whoever is meant notices: the rest asks or tells a third party alone."""

REQUEST = "request"
"""Purpose of the signature over a request, and how claims travel by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it stands.

    Attributes:
        row: As it is kept.
        request: What it says.
        track: Where it stands.
        deeds: What was done with it.
        names: Names of the people who did it.
        lacks: What nobody has filled in.
        recipient, legal: Its profiles; None for none.
        due: What is due of it.
    """

    row: RequestRow
    request: Request
    track: Track
    deeds: tuple[Done, ...]
    names: Mapping[str, str]
    lacks: tuple[Lack, ...]
    recipient: Profile | None
    legal: LegalProfile | None
    due: tuple[Due, ...]

    @property
    def files(self) -> dict[str, str]:
        """What went out: id of each file by its name; letters that take the request back have names of their own."""
        found: dict[str, str] = {}
        for done in self.deeds:
            before = "taken-back-" if done.deed is Deed.RETRACT else ""
            found |= {f"{before}{name}": str(file_id) for name, file_id in dict(done.body.get("files", {})).items()}
        return found


def draft(node: Node, identity: Identity, act: str, case_id: str, request: Request) -> Asked:
    """Begin a request in a case.

    Raises:
        NotFound: No such case.
        NotAllowed: Whoever asks may not write.
        Conflict: The case is closed.
    """
    with node.store.act(identity, act, case=case_id) as work:
        case = work.cases.get(case_id)
        handling = _strictest(work, request, handling_in(work, case))
        given = replace(request, given_id="", case_number=request.case_number or case.number, marking=handling.marking)
        row = work.requests.add(given.kind.value, State.DRAFT.value, given.as_dict(), handling)
        content = replace(given, given_id=str(UUID(row.id)))
        _do(work, row, Deed.DRAFT, {"digest": content.digest}, content=content)
        return asked_in(node, work, row.id)


def edit(node: Node, identity: Identity, act: str, request_id: str, version: int, request: Request) -> Asked:
    """Change what a request says, as long as it is a draft.

    Raises:
        NotFound: No such request.
        NotAllowed: Whoever asks may not write.
        Conflict: It is no draft, or something was done with it in the meantime.
    """
    with node.store.act(identity, act, request=request_id) as work:
        row = _at(work, request_id, version)
        case = work.cases.get(row.handling.case or "")
        handling = _strictest(work, request, joint(row.handling, case.handling))
        content = replace(request, given_id=str(UUID(row.id)), marking=handling.marking)
        if content.kind.value != row.kind:
            raise BadInput("what is asked for stays what it was", hint="withdraw it, and write another request")
        _do(work, row, Deed.DRAFT, {"digest": content.digest}, content=content, handling=handling)
        return asked_in(node, work, request_id)


def submit(node: Node, identity: Identity, act: str, request_id: str, version: int) -> Asked:
    """Ask a second person to approve a request as it stands.

    Raises:
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    with node.store.act(identity, act, request=request_id) as work:
        row = _at(work, request_id, version)
        request = Request.from_dict(row.body)
        _must_be_free(work, row, request)
        _do(work, row, Deed.SUBMIT, {"digest": request.digest})
        return asked_in(node, work, request_id)


def decide(
    node: Node, identity: Identity, act: str, request_id: str, *, approve: bool, digest: str, reason: str = ""
) -> Asked:
    """Approve what another person wrote, or give it back with a reason.

    Args:
        node: The node.
        identity: Whoever decides.
        act: As the audit log calls it.
        request_id: Which.
        approve: Whether it may go out.
        digest: Of what they looked at: what was changed since is not approved.
        reason: Why it is given back.

    Raises:
        NotFound: No such request that whoever asks may see.
        NotAllowed: They wrote it, or may not approve.
        Conflict: It does not wait for approval, or is another content.
        BadInput: No reason to give it back.
    """
    with node.store.act(identity, act, request=request_id) as work:
        work.must(Permission.APPROVE)
        row = work.requests.get(request_id)
        body = {"digest": digest, "reason": reason.strip()}
        _do(work, row, Deed.APPROVE if approve else Deed.GIVE_BACK, body, needs=Permission.APPROVE)
        return asked_in(node, work, request_id)


def withdraw(node: Node, identity: Identity, act: str, request_id: str, version: int, reason: str = "") -> Asked:
    """Give a request up before it goes out.

    Raises:
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    with node.store.act(identity, act, request=request_id) as work:
        _do(work, _at(work, request_id, version), Deed.WITHDRAW, {"reason": reason.strip()})
        return asked_in(node, work, request_id)


def send(node: Node, identity: Identity, act: str, request_id: str, version: int) -> Asked:
    """Make the letters of an approved request, signed, and note that it goes out. Sending them is for people to do.

    Raises:
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    with node.store.act(identity, act, request=request_id) as work:
        row = _at(work, request_id, version)
        request = Request.from_dict(row.body)
        _must_be_free(work, row, request)
        track = track_of(work, request_id)
        tracker.after(
            track, _done(work, track.number + 1, Deed.SEND, {"digest": request.digest})
        )  # before any work is done
        day = utc(work.now // _SECOND)
        files = letter_files(node, request, day=day, legal=_legal(request), key=key_of(node))
        kept = _keep(work, row, files)
        _do(work, row, Deed.SEND, {"digest": request.digest, "files": kept})
        carried = [row.id, *request.claims]
        work.travels.add(carried, by=REQUEST, carrier=row.id, to=_whom(request), handling=_own(work, row))
        return asked_in(node, work, request_id)


def record(node: Node, identity: Identity, act: str, request_id: str, deed: Deed, fields: Mapping[str, Any]) -> Asked:
    """Note what a recipient did: acknowledged, answered, or that a term was renewed.

    Raises:
        BadInput: What must go with it is missing.
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    if deed not in (Deed.ACKNOWLEDGE, Deed.ANSWER, Deed.RENEW):
        raise BadInput(f"{deed.value}: not something that a recipient does")
    with node.store.act(identity, act, request=request_id) as work:
        row = work.requests.get(request_id)
        body = dict(fields)
        if deed is Deed.ANSWER:
            request = Request.from_dict(row.body)
            body = _answer(reply_of(fields, request, utc(work.now // _SECOND)), "noted by us")
        _do(work, row, deed, body)
        return asked_in(node, work, request_id)


def take_reply(
    node: Node, identity: Identity, act: str, request_id: str, raw: bytes, place: str = "the answer file"
) -> Asked:
    """Take in the answer file that a recipient sent; the file itself is kept in the case.

    Raises:
        BadText: It is no answer to this request.
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    reply = read_reply(raw, place)
    with node.store.act(identity, act, request=request_id) as work:
        row = work.requests.get(request_id)
        must_answer(reply, Request.from_dict(row.body), place)
        digest = hashlib.sha256(raw).hexdigest()
        if any(done.body.get("sha256") == digest for done in work.requests.deeds(request_id)):
            raise Conflict(f"{place}: it was taken in already")
        file = work.files.add(f"reply-{row.number:03}.json", "application/json", [raw], "letter", _own(work, row))
        _do(work, row, Deed.ANSWER, _answer(reply, "answer file") | {"file": file.id, "sha256": file.sha256})
        return asked_in(node, work, request_id)


def retract(node: Node, identity: Identity, act: str, request_id: str, version: int, reason: str) -> Asked:
    """Take back a request that is out; the letter that says so is made, and whoever has the request is to be told.

    Raises:
        BadInput: No reason.
        NotFound, NotAllowed, Conflict: As `edit`.
    """
    with node.store.act(identity, act, request=request_id) as work:
        row = _at(work, request_id, version)
        request = Request.from_dict(row.body)
        day = utc(work.now // _SECOND)
        files = letter_files(
            node, request, day=day, legal=_legal(request), key=key_of(node), retracts=reason.strip() or "-"
        )
        kept = _keep(work, row, files, "taken-back-")
        _do(work, row, Deed.RETRACT, {"reason": reason.strip(), "files": kept})
        work.travels.recall(row.id, row.handling.case or "")
        return asked_in(node, work, request_id)


def look(node: Node, identity: Identity, act: str, request_id: str) -> Asked:
    """A request as it stands.

    Raises:
        NotFound: None that whoever asks may see.
    """
    with node.store.look(identity, act, request=request_id) as work:
        return asked_in(node, work, request_id)


def asked_in(node: Node, work: Work, request_id: str, *, known_at: int | None = None) -> Asked:
    """The same within an act; as it stood at a moment, in microseconds, at which it was there."""
    row = work.requests.get(request_id)
    deeds = _deeds(work, request_id)
    request = Request.from_dict(row.body)
    if known_at is not None:
        deeds = [done for done in deeds if done.at * _SECOND <= known_at]
        said = [done.body["content"] for done in deeds if "content" in done.body]
        request = Request.from_dict(said[-1]) if said else request
    track = tracker.track_of(deeds)
    recipient, legal = profiles_of(node).get(request.recipient.profile), _legal(request)
    return Asked(
        row=row,
        request=request,
        track=track,
        deeds=tuple(deeds),
        names=work.people.names(done.by for done in deeds if done.by),
        lacks=lacking(request, recipient, legal),
        recipient=recipient,
        legal=legal,
        due=tuple(due_of(request, track, (work.now if known_at is None else known_at) // _SECOND)),
    )


def track_of(work: Work, request_id: str) -> Track:
    """Where a request stands."""
    return tracker.track_of(_deeds(work, request_id))


def due_of(request: Request, track: Track, now: int) -> list[Due]:
    """What is due of a request, the next first; `now` in Unix seconds."""
    legal = _legal(request)
    clocks = (
        [] if legal is None else [(clock.name, clock.seconds) for clock in legal.clocks if clock.start == "received"]
    )
    return tracker.due(track, now=now, urgent=bool(request.urgent), expires=request.expires, clocks=clocks)


def letter_of(node: Node, asked: Asked, words: Words) -> Letter:
    """The letter as it stands: of one that nobody approved it says so, and of one that was taken back that it was."""
    back = next((str(done.body["reason"]) for done in asked.deeds if done.deed is Deed.RETRACT), "")
    draft = not asked.track.approved_by or asked.track.state in (State.DRAFT, State.WAITING, State.WITHDRAWN)
    return compose(
        asked.request,
        words,
        lacks=asked.lacks,
        legal=asked.legal,
        key=key_of(node),
        retracts=back,
        draft=draft,
    )


def key_of(node: Node) -> Key:
    """How a recipient knows that a letter is this node's."""
    keys = node.keys()
    return Key(id=keys.public.id, spoken=keys.public.spoken, node=keys.identity.node)


def _do(
    work: Work,
    row: RequestRow,
    deed: Deed,
    body: Mapping[str, Any],
    *,
    content: Request | None = None,
    handling: Handling | None = None,
    needs: Permission = Permission.WRITE,
) -> Track:
    """One deed: held against the tracker, kept, and told in the timeline."""
    request = content or Request.from_dict(row.body)
    before = tracker.track_of(_deeds(work, row.id))
    plain = {name: value for name, value in body.items() if value not in ("", None)}
    if content is not None:
        for name, text in content.texts():
            must_not_mix(text, name)
        plain["content"] = content.as_dict()  # so that what it said at a moment can be seen
    now = tracker.after(before, _done(work, before.number + 1, deed, plain))
    following = due_of(request, now, work.now // _SECOND)
    work.requests.append(
        row.id,
        before.number,
        deed=deed.value,
        body=plain,
        state=now.state.value,
        due_at=following[0].at * _SECOND if following else None,
        content=None if content is None else content.as_dict(),
        handling=handling,
        needs=needs,
    )
    if deed is Deed.DRAFT and before.number:
        return now  # a change of a draft is no event of the case
    kind = "reply" if deed in (Deed.ACKNOWLEDGE, Deed.ANSWER) else "request"
    told = {
        "text": _whom(request),
        "deed": deed.value,
        "number": row.number,
        "by": work.identity.name,
        "asked": row.kind,
    }
    told |= {name: plain[name] for name in ("outcome", "amount", "reason", "until") if name in plain}
    if work.identity.may(Permission.WRITE):
        work.timeline.add([NewEntry(kind=kind, ref=row.id, body=told)], _own(work, row))
    else:  # an approver writes nothing but the decision, which belongs to the case all the same
        _tell(work, row, kind, told)
    return now


def _strictest(work: Work, request: Request, handling: Handling) -> Handling:
    """How a request is handled: as strictly as whoever writes it says, and as all that it carries.

    Raises:
        NotFound: It carries a claim that is none of its case, or that whoever writes it may not see.
        BadInput: Or one that was taken back.
    """
    carried = [_carried(work, claim_id, handling.case) for claim_id in request.claims]
    found = joint(handling, *(kept.handling for kept in carried))
    return replace(found, marking=max(found.marking, request.marking))


def _carried(work: Work, claim_id: str, case_id: str | None) -> Kept:
    kept = work.claims.get(claim_id)
    if kept.handling.case != case_id:
        raise NotFound("a request carries claims of its own case alone", hint="say it in the case first")
    if kept.claim.retracted:
        raise BadInput(
            "the request carries a claim that was taken back",
            hint="leave that claim out, and write anew what rests on it",
        )
    return kept


def _must_be_free(work: Work, row: RequestRow, request: Request) -> None:
    """Refuse to let a request go out that its marking, its PAP, or what became of what it carries keeps in.

    Raises:
        Conflict: The case is marked more strictly than the request.
        NotAllowed: Its PAP allows no such thing.
        NotFound, BadInput: What it carries stands no more.
    """
    case = work.cases.get(row.handling.case or "")
    if row.handling.marking < max(case.handling.marking, _strictest(work, request, row.handling).marking):
        raise Conflict(
            "the case, or what the request carries, is marked more strictly since", hint="save the draft again"
        )
    action = Action.ACT if request.kind in ACTS else Action.TELL
    pap = max(row.handling.pap, case.handling.pap)
    if not allows(pap, action):
        wanted = "PAP:GREEN" if action is Action.ACT else "PAP:AMBER"
        raise NotAllowed(
            f"{pap.label} does not allow a request to {request.kind.value}",
            hint=f"let a second person mark the case {wanted}",
        )


def _keep(work: Work, row: RequestRow, files: Mapping[str, bytes], before: str = "") -> dict[str, str]:
    """Keep the files that go out in the case; returns the id of each by its name."""
    kept = {}
    for name, content in files.items():
        media = "application/pdf" if name.endswith(".pdf") else "application/octet-stream"
        file = work.files.add(f"request-{row.number:03}-{before}{name}", media, [content], "letter", _own(work, row))
        kept[name] = file.id
    return kept


def _tell(work: Work, row: RequestRow, kind: str, told: Mapping[str, Any]) -> None:
    work.timeline.add_for([NewEntry(kind=kind, ref=row.id, body=told)], row.handling)


def _deeds(work: Work, request_id: str) -> list[Done]:
    return [
        Done(number=row.number, at=row.at // _SECOND, by=row.by, deed=Deed(row.deed), body=row.body)
        for row in work.requests.deeds(request_id)
    ]


def _done(work: Work, number: int, deed: Deed, body: Mapping[str, Any]) -> Done:
    return Done(number=number, at=work.now // _SECOND, by=work.identity.person, deed=deed, body=body)


def _at(work: Work, request_id: str, version: int) -> RequestRow:
    """The request, where nothing was done with it since the deed that the caller knows."""
    row = work.requests.get(request_id)
    if row.version != version:
        raise Conflict("something else was done with that request in the meantime", hint="look at it again")
    return row


def _own(work: Work, row: RequestRow) -> Handling:
    return replace(row.handling, owner=work.identity.person)


def _legal(request: Request) -> LegalProfile | None:
    return legal_profiles().get(request.legal)


def _whom(request: Request) -> str:
    return request.recipient.legal_entity or request.recipient.name or "?"


def _answer(reply: Reply, way: str) -> dict[str, Any]:
    plain = reply.as_dict()
    kept = {
        name: plain[name]
        for name in ("outcome", "amount", "until", "moved_to", "reference", "contact", "words", "made_at")
    }
    return {name: value for name, value in kept.items() if value not in ("", None)} | {"way": way}
