"""Requests: what is asked of whom, filled in with what is known, approved by a second person, and what became of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.cases.demands import LABELS, particulars
from shieldwall.cases.languages import LETTERS
from shieldwall.cases.reply import BY_KIND, OUTCOMES
from shieldwall.cases.request import Item, RequestKind, Sender
from shieldwall.cases.request import Request as CaseRequest
from shieldwall.cases.tracker import MAY, Deed, State
from shieldwall.errors import BadInput, NotFound
from shieldwall.model.access import Permission
from shieldwall.model.amount import satoshi
from shieldwall.node.casework import asking
from shieldwall.node.casework.filling import Filling, fill
from shieldwall.node.casework.references import legal_profiles, profiles_of
from shieldwall.store.claims import Kept
from shieldwall.store.work import Work
from shieldwall.web.pages.door import Form, FormHere, Pages, must_be_one, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.routes.requests import done, letter_answer
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id
from shieldwall.web.shapes.casework import DeedAsked
from shieldwall.web.threads import at_length

pages = Pages("requests")

MOST = 100
_MOST_FILE = 900_000  # characters of an answer file
_LONG = 20_000
OPEN_STATES = (State.DRAFT, State.WAITING, State.APPROVED, State.SENT, State.ACKNOWLEDGED)

RequestId = Annotated[Id, Path()]

PLAIN = (
    "relief", "urgent", "offence", "narrative", "victim", "suspect", "data", "relation", "necessity", "mutual_assistance",
    "method", "confidence", "term", "non_disclosure", "deconfliction", "expires", "reply_to",
)  # fmt: skip
"""Fields of a request that are one text and stand in the form, in its order."""

FURTHER = frozenset(("data", "relation", "necessity", "mutual_assistance", "deconfliction", "method", "suspect"))
"""Those that stand apart where nobody asks for them and nothing is in them."""

LONG = frozenset(("narrative", "relief", "data", "relation", "necessity", "confidence"))


@pages.get("/requests", Rule("request.list", Permission.READ, PEOPLE))
def list_requests(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    show: Annotated[str, Query(max_length=30)] = "open",
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Requests: those that are under way, those of a state, or all; what waits and what is due first."""
    states = [state.value for state in OPEN_STATES] if show == "open" else [show] if show in set(State) else []
    with node.store.look(caller.identity, caller.act) as work:
        rows = work.requests.page(after=after, most=MOST + 1, states=states)
        found = [asking.asked_in(node, work, row.id) for row in rows[:MOST]]
        titles = {row.handling.case: work.cases.get(row.handling.case).title for row in rows if row.handling.case}
        now = work.now
    if show == "open":
        found.sort(key=lambda each: (each.due[0].at if each.due else 1 << 60, -each.row.created_at))
    following = rows[MOST - 1].id if len(rows) > MOST else ""
    return page(
        request,
        "requests",
        caller,
        requests=found,
        titles=titles,
        show=show,
        states=[state.value for state in State],
        following=following,
        now=now // 1_000_000,
    )


@pages.get("/cases/{case_id}/requests/new", Rule("request.begin", Permission.WRITE, PEOPLE))
def begin_request(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    case_id: Annotated[Id, Path()],
    trace: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    rank: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Choose what is asked, of whom, about which end of which trace, by which law."""
    with node.store.look(caller.identity, caller.act, case=case_id) as work:
        case = work.cases.get(case_id)
        traces = work.files.page(most=50, case=case_id, kind="trace")
        chosen = trace or (traces[0].id if traces else "")
        ends = node.frozen.open(work, chosen).body["ends"][:40] if chosen else []
        bodies = {file.id: node.frozen.open(work, file.id).body["sentence"] for file in traces}
    profiles = profiles_of(node)
    known = {profile.entry for profile in profiles.profiles}
    return page(
        request,
        "request_new",
        caller,
        case=case,
        traces=bodies,
        trace=chosen,
        rank=rank,
        ends=ends,
        kinds=[each.value for each in RequestKind],
        profiles=profiles.profiles,
        entries=[entry for entry in node.directory.entries if entry.id not in known],
        legal=legal_profiles().profiles,
    )


@pages.post("/cases/{case_id}/requests", Rule("request.draft", Permission.WRITE, PEOPLE))
def draft_request(node: NodeHere, caller: CallerHere, case_id: Annotated[Id, Path()], form: FormHere) -> Response:
    """Begin a request, filled in with what the case knows."""
    wanted = Filling(
        kind=RequestKind(must_be_one(form.text("kind", most=20), tuple(RequestKind), "kind")),
        trace=form.text("trace", most=32),
        rank=form.number("rank") or 1,
        recipient=form.text("recipient", most=80),
        legal=form.text("legal", most=80),
    )
    given = fill(node, caller.identity, "request.fill", case_id, wanted)
    return seen(f"/requests/{asking.draft(node, caller.identity, caller.act, case_id, given).row.id}")


@pages.get("/requests/{request_id}", Rule("request.show", Permission.READ, PEOPLE))
def show_request(node: NodeHere, caller: CallerHere, request: Request, request_id: RequestId) -> Response:
    """A request: what it says and lacks, where it stands, and what may be done next."""
    with node.store.look(caller.identity, caller.act, request=request_id) as work:
        asked = asking.asked_in(node, work, request_id)
        case = work.cases.get(asked.row.handling.case or "")
        ways = work.travels.of(request_id)
        carried = [kept for claim in asked.request.claims for kept in _seen(work, claim)]
        traces = work.files.page(most=200, case=case.id, kind="trace") if asked.request.trace_digest else []
        trace = next(
            (file.id for file in traces if file.name.startswith(f"trace-{asked.request.trace_digest[:12]}")), ""
        )
        now = work.now // 1_000_000
    may = MAY[asked.track.state]
    writes = caller.identity.may(Permission.WRITE)
    own = caller.identity.person in asked.track.writers
    wanted = {lack.field: lack.by for lack in asked.lacks}
    return page(
        request,
        "request",
        caller,
        asked=asked,
        what=asked.request,
        case=case,
        labels=LABELS,
        plain=PLAIN,
        asked_for=[name for name in PLAIN if name not in FURTHER or name in wanted or getattr(asked.request, name)],
        chronology="\n".join(f"{time} {event}" for time, event in asked.request.chronology),
        alternatives="\n".join(asked.request.alternatives),
        items="\n".join(f"{item.type} {item.name} {item.note}".strip() for item in asked.request.items),
        long=LONG,
        wanted=wanted,
        sender_fields=[each.name for each in fields(Sender)],
        recipient_fields=["name", "legal_entity", "country", "channel"],
        particulars=particulars(asked.legal),
        given=dict(asked.request.particulars),
        route=asked.recipient.route(asked.request.kind) if asked.recipient else None,
        letters=LETTERS,
        files=asked.files,
        ways=ways,
        carried=carried,
        trace=trace,
        now=now,
        may_edit=writes and Deed.DRAFT in may,
        may_submit=writes and Deed.SUBMIT in may,
        may_withdraw=writes and Deed.WITHDRAW in may,
        may_send=writes and Deed.SEND in may,
        may_note=writes and Deed.ANSWER in may,
        may_acknowledge=writes and Deed.ACKNOWLEDGE in may,
        may_decide=caller.identity.may(Permission.APPROVE) and Deed.APPROVE in may and not own,
        outcomes=[(each.value, OUTCOMES[each]) for each in BY_KIND[asked.request.kind]],
        legal_profiles=legal_profiles().of(asked.request.kind),
    )


@pages.post("/requests/{request_id}/edit", Rule("request.edit", Permission.WRITE, PEOPLE))
def edit_request(node: NodeHere, caller: CallerHere, request_id: RequestId, form: FormHere) -> Response:
    """Change what a draft says."""
    before = asking.look(node, caller.identity, "request.show", request_id)
    after = _edited(before.request, form)
    asking.edit(node, caller.identity, caller.act, request_id, _version(form), after)
    return seen(f"/requests/{request_id}")


@pages.post("/requests/{request_id}/deed", Rule("request.deed", Permission.WRITE, PEOPLE))
async def do_deed(
    node: NodeHere, caller: CallerHere, request: Request, request_id: RequestId, form: FormHere
) -> Response:
    """Submit, withdraw or send; note what the recipient did; renew, or take back."""
    deeds = ("submit", "withdraw", "send", "acknowledge", "answer", "renew", "retract")
    until = form.text("until", most=40)
    asked = DeedAsked.model_construct(
        deed=must_be_one(form.text("deed", most=20), deeds, "deed"),
        version=_version(form),
        reason=form.text("reason", most=2000),
        outcome=form.text("outcome", most=40),
        amount=satoshi(form.text("amount", most=40)) if form.text("amount").strip() else 0,
        until=f"{until}:00Z" if len(until) == 16 else until,
        contact=form.text("contact", most=300),
        reference=form.text("reference", most=300),
        words=form.text("words", most=2000),
    )
    await at_length(request, lambda: done(node, caller, request_id, asked))
    return seen(f"/requests/{request_id}")


@pages.post("/requests/{request_id}/decision", Rule("request.decide", Permission.APPROVE, PEOPLE, confirm=True))
def decide_request(node: NodeHere, caller: CallerHere, request_id: RequestId, form: FormHere) -> Response:
    """Approve what another person wrote, as one has seen it, or give it back."""
    approve = must_be_one(form.text("decision", most=20), ("approve", "give back"), "decision") == "approve"
    digest, reason = form.text("digest", most=64), form.text("reason", most=2000)
    asking.decide(node, caller.identity, caller.act, request_id, approve=approve, digest=digest, reason=reason)
    return seen(f"/requests/{request_id}")


@pages.post("/requests/{request_id}/reply", Rule("request.reply", Permission.WRITE, PEOPLE))
def take_reply(node: NodeHere, caller: CallerHere, request_id: RequestId, form: FormHere) -> Response:
    """Take in the answer file of the recipient."""
    text = form.text("file", most=_MOST_FILE).strip()
    if not text:
        raise BadInput("there is no answer file", hint="choose the file, or put its text into the field")
    asking.take_reply(node, caller.identity, caller.act, request_id, text.encode())
    return seen(f"/requests/{request_id}")


@pages.get("/requests/{request_id}/letter", Rule("request.letter", Permission.READ, PEOPLE))
def show_letter(
    node: NodeHere, caller: CallerHere, request_id: RequestId, language: Annotated[str, Query(max_length=10)] = "en"
) -> Response:
    """The letter as it would go out now."""
    return letter_answer(node, caller, request_id, language)


def _version(form: Form) -> int:
    found = form.number("version")
    if found is None:
        raise BadInput("that form names no version", hint="look at the request again")
    return found


def _edited(before: CaseRequest, form: Form) -> CaseRequest:
    """The request with what stands in the form; what the form does not have stays."""
    changes: dict[str, object] = {name: form.text(name, most=_LONG).strip() for name in PLAIN if name in form.fields}
    sender = {each.name: form.text(f"sender.{each.name}", most=2000).strip() for each in fields(Sender)}
    changes["sender"] = Sender(**sender) if any(f"sender.{name}" in form.fields for name in sender) else before.sender
    kept = before.recipient
    given = {
        name: form.text(f"recipient.{name}", most=2000).strip()
        for name in ("name", "legal_entity", "country", "channel")
        if f"recipient.{name}" in form.fields
    }
    changes["recipient"] = replace(kept, **given) if given else kept
    for name in ("case_number", "legal", "language"):
        if name in form.fields:
            changes[name] = form.text(name, most=200).strip()
    if changes.get("language", "en") not in LETTERS:
        raise BadInput("no letter is written in that language", hint=f"one of {', '.join(LETTERS)}")
    if "claims" in form.fields:
        changes["claims"] = tuple(each for each in before.claims if form.flag(f"claim.{each}"))
    if "alternatives" in form.fields:
        changes["alternatives"] = tuple(_lines(form, "alternatives"))
    if "chronology" in form.fields:
        changes["chronology"] = tuple(_pair(line) for line in _lines(form, "chronology"))
    if "items" in form.fields:
        changes["items"] = tuple(_item(line) for line in _lines(form, "items"))
    own = sorted((name[12:], text.strip()) for name, text in form.fields.items() if name.startswith("particulars."))
    if own:
        changes["particulars"] = tuple((name, text) for name, text in own if text)
    return replace(before, **changes)  # type: ignore[arg-type]


def _seen(work: Work, claim_id: str) -> list[Kept]:
    """A claim, where whoever looks may see it."""
    try:
        return [work.claims.get(claim_id)]
    except NotFound:
        return []


def _lines(form: Form, name: str) -> list[str]:
    return [line.strip() for line in form.text(name, most=_LONG).splitlines() if line.strip()]


def _pair(line: str) -> tuple[str, str]:
    when, _, what = line.partition(" ")
    return when, what.strip()


def _item(line: str) -> Item:
    kind, _, rest = line.partition(" ")
    name, _, note = rest.strip().partition(" ")
    if not name:
        raise BadInput(f"{line[:60]!r}: an identifier has a kind and a name", hint="as in: domain evil.example")
    return Item(type=kind, name=name, note=note.strip())
