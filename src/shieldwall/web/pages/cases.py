"""Cases: the list, the case with its timeline and everything that belongs to it, its network, its red flags, its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from shieldwall.cases.custody import Copy
from shieldwall.cases.custody import Deed as CustodyDeed
from shieldwall.cases.event import moment_of
from shieldwall.cases.finding import Finding
from shieldwall.cases.groups import find
from shieldwall.cases.network import draw, rows_of
from shieldwall.cases.pack.redaction import Redaction
from shieldwall.cases.redflags import FAMILIES, SOURCE
from shieldwall.cases.relation import RELATIONS, TYPES
from shieldwall.cases.request import RequestKind
from shieldwall.cases.wording import Confidence, Likelihood
from shieldwall.errors import BadInput
from shieldwall.model.access import Handling, Permission
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import Marking, Pap, parse_marking, parse_pap
from shieldwall.model.moment import unix
from shieldwall.node.casework import holding, looking, saying
from shieldwall.node.casework.opening import CaseAsked, addresses_in, incident_of, open_incident
from shieldwall.node.casework.packing import PackAsked, pack_case
from shieldwall.node.casework.tracing import put_trace
from shieldwall.node.sharing.looking import said_elsewhere, title_of
from shieldwall.store.files import File
from shieldwall.store.timeline import KINDS
from shieldwall.web.pages.door import FormHere, Pages, must_be_one, own_place, seen
from shieldwall.web.pages.intake import people_of
from shieldwall.web.pages.rendering import page, words_for
from shieldwall.web.pages.traces import begin
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Digest, Id
from shieldwall.web.threads import at_length

pages = Pages("cases")

MOST = 100
_MOST_ALIASES = 8
_MOST_SAID = 12  # objects of others that speak of what a case is about
_SECOND = 1_000_000

CaseId = Annotated[Id, Path()]


@pages.get("/cases", Rule("case.list", Permission.READ, PEOPLE))
def list_cases(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """The cases that one is a member of, the newest first; or those that words find."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.cases.search(q, most=MOST) if q.strip() else work.cases.page(after=after, most=MOST + 1)
        names = work.people.names({case.contact for case in found})
        meetings = {one.case for one in work.cases.meetings()}
    following = found[MOST - 1].id if not q.strip() and len(found) > MOST else ""
    return page(
        request,
        "cases",
        caller,
        cases=found[:MOST],
        names=names,
        meetings=meetings,
        q=q,
        following=following,
        markings=[each for each in Marking if each <= caller.identity.highest],
        paps=list(Pap),
    )


@pages.post("/cases", Rule("case.add", Permission.WRITE, PEOPLE))
def add_case(node: NodeHere, caller: CallerHere, form: FormHere) -> Response:
    """Open a case without an intake."""
    asked = CaseAsked(
        title=form.text("title", most=400),
        number=form.text("number", most=200),
        marking=parse_marking(form.text("marking") or None),
        pap=parse_pap(form.text("pap") or None),
        people=people_of(node, caller, form.text("members", most=2000)),
    )
    return seen(f"/cases/{open_incident(node, caller.identity, caller.act, None, asked).id}")


@pages.get("/cases/{case_id}", Rule("case.show", Permission.READ, PEOPLE))
def show_case(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    case_id: CaseId,
    as_of: Annotated[str, Query(max_length=40)] = "",
    height: Annotated[str, Query(pattern=r"^\d{0,9}$")] = "",
    network: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    before: Annotated[str, Query(pattern=r"^(-?\d{1,19}\.[0-9a-f]{32})?$")] = "",
) -> Response:
    """A case: now, as it was known at a moment, or as the world stood at a block."""
    at = looking.as_of(
        node,
        time=unix(moment_of(as_of, "as of")) if as_of else None,
        height=int(height) if height else None,
        network=network,
    )
    place = before.partition(".")
    view = looking.look_at_case(
        node,
        caller.identity,
        caller.act,
        case_id,
        at=at,
        before=(int(place[0]), place[2]) if before else None,
        kinds=[kind] if kind in KINDS else (),
    )
    following = "" if view.more is None else f"{view.more[0]}.{view.more[1]}"
    named = addresses_in(node, view.incident.get("addresses", "")) if view.incident.get("addresses") else []
    elsewhere, further = (
        said_elsewhere(node, caller.identity, case_id, named, most=_MOST_SAID) if at == looking.NOW else ([], 0)
    )
    kept = {"as_of": as_of, "height": height, "network": network}
    asked = "&".join(f"{name}={quote(text, safe='')}" for name, text in kept.items() if text)
    return page(
        request,
        "case",
        caller,
        view=view,
        case=view.case,
        kinds=[name for name in KINDS if view.counts.get(name)],
        only=kind,
        following=following,
        asked=asked,
        as_of_text=as_of,
        height=height,
        network=network,
        networks=node.chains.networks(),
        layers=list(Layer),
        likelihoods=[(each.value, each.percent) for each in Likelihood],
        confidences=[each.value for each in Confidence],
        request_kinds=[each.value for each in RequestKind],
        copies=[each.value for each in Copy],
        also=_also(view.incident),
        named_addresses=named,
        elsewhere=elsewhere,
        further=further,
        title_of=title_of,
        shown_files=sorted(view.files, key=lambda file: file.kind not in ("trace", "pack")),
        may_write=caller.identity.may(Permission.WRITE) and view.case.status == "open" and at == looking.NOW,
    )


@pages.post("/cases/{case_id}/findings", Rule("case.finding", Permission.WRITE, PEOPLE))
def add_finding(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Say what was found."""
    likelihood, confidence = form.text("likelihood", most=40), form.text("confidence", most=40)
    finding = Finding(
        layer=_layer(form.text("layer", most=20)),
        text=form.text("text"),
        basis=form.text("basis"),
        likelihood=Likelihood.of(likelihood) if likelihood else None,
        confidence=Confidence.of(confidence) if confidence else None,
        alternatives=tuple(line.strip() for line in form.text("alternatives").splitlines() if line.strip()),
    )
    saying.add_finding(node, caller.identity, caller.act, case_id, finding)
    return seen(f"/cases/{case_id}#findings")


@pages.post("/cases/{case_id}/events", Rule("case.event", Permission.WRITE, PEOPLE))
def add_event(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Say what happened when."""
    when = form.text("when", most=40)
    when = f"{when}:00Z" if len(when) == 16 else when
    saying.add_event(node, caller.identity, caller.act, case_id, form.text("text"), when)
    return seen(f"/cases/{case_id}")


@pages.post("/cases/{case_id}/relations", Rule("case.relation", Permission.WRITE, PEOPLE))
def add_relation(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Say that two things belong together."""
    things = []
    for side in ("source", "target"):
        kind, name = form.text(f"{side}_type", most=40), form.text(f"{side}_name", most=400).strip()
        known = addresses_in(node, name) if kind == "address" else []
        if kind == "address" and not known:
            raise BadInput(
                "that is no address of a chain that this node has", hint="copy it; one wrong letter is another one"
            )
        things.append(known[0] if known else Subject(kind, "", name))
    saying.add_relation(
        node,
        caller.identity,
        caller.act,
        case_id,
        things[0],
        form.text("relation", most=40),
        things[1],
        layer=_layer(form.text("layer", most=20)),
        basis=form.text("basis"),
    )
    return seen(f"/cases/{case_id}/network")


@pages.post("/cases/{case_id}/trace", Rule("trace.ask", Permission.WRITE, PEOPLE))
async def trace_case(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Follow the money of a case: from what stands in the form, or from the addresses of its intake."""

    def start() -> tuple[list[str], Handling]:
        with node.store.look(caller.identity, "case.show", case=case_id) as work:
            case = work.cases.get(case_id)
            words = form.several("targets")
            if not words:
                told, _ = incident_of(work, case_id)
                text = f"{told.get('addresses', '')}\n{told.get('paid_transactions', '')}"
                words = [subject.name for subject in addresses_in(node, text)]
        return words, replace(case.handling, owner=caller.identity.person)

    targets, handling = await run_in_threadpool(start)
    if not targets:
        raise BadInput("the intake names no address", hint="say where to start: an address or a transaction")
    chosen = {name: form.text(name, most=20) for name in ("method", "direction") if form.text(name)}
    params = {"targets": targets, **chosen}
    return await begin(node, caller, params, handling)


@pages.post("/cases/{case_id}/traces", Rule("case.trace", Permission.WRITE, PEOPLE))
def put_case_trace(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Put a trace of one's own into a case."""
    put_trace(node, caller.identity, caller.act, case_id, form.text("file", most=32))
    return seen(f"/cases/{case_id}")


@pages.post("/cases/{case_id}/change", Rule("case.change", Permission.WRITE, PEOPLE))
def change_case(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Title, number, status and members of a case."""
    with node.store.act(caller.identity, caller.act, case=case_id) as work:
        case = work.cases.get(case_id)
        version = case.version
        names = {
            name.strip() for name in form.text("members", most=2000).replace(",", "\n").splitlines() if name.strip()
        }
        if "members" in form.fields:
            people = set(work.people.called(names).values())
            version = work.cases.set_members(case_id, version, people=people, groups=case.groups).version
        status = form.text("status", most=20)
        work.cases.change(
            case_id,
            version,
            title=form.text("title", most=400) or None,
            number=form.text("number", most=200) if "number" in form.fields else None,
            status=status or None,
            silent=form.flag("silent") if "title" in form.fields else None,
        )
    return seen(f"/cases/{case_id}")


@pages.get("/cases/{case_id}/network", Rule("case.network", Permission.READ, PEOPLE))
def show_network(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    case_id: CaseId,
    beside: Annotated[str, Query(max_length=700)] = "",
) -> Response:
    """Group, people, malware, infrastructure, wallets and victims of one or several cases."""
    ids = [case_id, *(word for word in beside.replace(",", " ").split() if word != case_id)]
    network, titles = looking.network_in(node, caller.identity, caller.act, list(dict.fromkeys(ids))[:12])
    with node.store.inside(caller.identity) as work:
        others = [case for case in work.cases.page(most=50) if case.id not in titles]
        case = work.cases.get(case_id)
    return page(
        request,
        "network",
        caller,
        case=case,
        network=network,
        titles=titles,
        others=others,
        beside=" ".join(ids[1:]),
        picture=draw(network, words_for(request), names=TYPES),
        rows=rows_of(network, titles),
        types=TYPES,
        relations=RELATIONS,
        layers=list(Layer),
    )


@pages.get("/cases/{case_id}/red-flags", Rule("case.flags", Permission.READ, PEOPLE))
def show_flags(node: NodeHere, caller: CallerHere, request: Request, case_id: CaseId) -> Response:
    """The red flags that the traces of a case can answer."""
    flags = looking.flags_in(node, caller.identity, caller.act, case_id)
    with node.store.inside(caller.identity) as work:
        case = work.cases.get(case_id)
    families = [(words, [flag for flag in flags if flag.family == name]) for name, words in FAMILIES.items()]
    return page(request, "flags", caller, case=case, families=families, source=SOURCE)


@pages.post("/cases/{case_id}/evidence", Rule("evidence.add", Permission.WRITE, PEOPLE))
async def add_evidence(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    case_id: CaseId,
    name: Annotated[str, Query(max_length=300)] = "",
    method: Annotated[str, Query(max_length=1000)] = "",
    source: Annotated[str, Query(max_length=1000)] = "",
    acquired: Annotated[str, Query(max_length=40)] = "",
    why: Annotated[str, Query(max_length=1000)] = "",
    copy: Annotated[str, Query(max_length=20)] = Copy.ORIGINAL.value,
) -> Response:
    """Take a file into evidence: it is the body, and what is said of it stands in the address."""
    raw = await request.body()
    if not raw:
        raise BadInput("that file is empty")
    how = holding.Acquired(
        method=method,
        source=source,
        acquired_at=f"{acquired}:00Z" if len(acquired) == 16 else acquired,
        copy=Copy(must_be_one(copy, tuple(Copy), "copy")),
        why=why.strip() or "evidence of the case",
    )

    def keep() -> str:
        held = holding.acquire(
            node, caller.identity, caller.act, case_id, name or "file", "application/octet-stream", raw, how
        )
        return f"/evidence/{held.evidence.id}"

    return Response(await at_length(request, keep), media_type="text/plain; charset=utf-8")


@pages.post("/cases/{case_id}/evidence/text", Rule("evidence.add", Permission.WRITE, PEOPLE))
def add_text_evidence(node: NodeHere, caller: CallerHere, case_id: CaseId, form: FormHere) -> Response:
    """Take a text into evidence, as a ransom note that was copied."""
    acquired = form.text("acquired", most=40)
    how = holding.Acquired(
        method=form.text("method", most=1000),
        source=form.text("source", most=1000),
        acquired_at=f"{acquired}:00Z" if len(acquired) == 16 else acquired,
        copy=Copy(must_be_one(form.text("copy", Copy.ORIGINAL.value, most=20), tuple(Copy), "copy")),
        why=form.text("why", most=1000).strip() or "evidence of the case",
    )
    text = form.text("text", most=400_000)
    if not text.strip():
        raise BadInput("there is nothing to take into evidence", hint="choose a file, or put the text into the field")
    name = form.text("name", most=300) or "note.txt"
    held = holding.acquire(node, caller.identity, caller.act, case_id, name, "text/plain", text.encode(), how)
    return seen(f"/evidence/{held.evidence.id}")


@pages.get("/evidence/{evidence_id}", Rule("evidence.show", Permission.READ, PEOPLE))
def show_evidence(node: NodeHere, caller: CallerHere, request: Request, evidence_id: Annotated[Id, Path()]) -> Response:
    """A piece of evidence, and its custody log."""
    with node.store.look(caller.identity, caller.act, evidence=evidence_id) as work:
        held = holding.held(work, evidence_id)
        case = work.cases.get(held.evidence.handling.case or "")
    ours = (CustodyDeed.ACQUIRED, CustodyDeed.PACKED, CustodyDeed.REDACTED)  # the program's own words
    deeds = [each.value for each in CustodyDeed if each not in ours]
    return page(request, "evidence", caller, held=held, case=case, deeds=deeds)


@pages.post("/evidence/{evidence_id}/custody", Rule("evidence.custody", Permission.WRITE, PEOPLE))
def log_custody(node: NodeHere, caller: CallerHere, evidence_id: Annotated[Id, Path()], form: FormHere) -> Response:
    """Say what was done with a piece of evidence."""
    holding.log_deed(node, caller.identity, caller.act, evidence_id, form.text("deed", most=40), form.text("why"))
    return seen(f"/evidence/{evidence_id}")


@pages.post("/cases/{case_id}/packs", Rule("case.pack", Permission.WRITE, PEOPLE))
async def pack(node: NodeHere, caller: CallerHere, request: Request, case_id: CaseId, form: FormHere) -> Response:
    """Make an evidence package."""
    left = {name[6:] for name in form.fields if name.startswith("leave_")}
    redaction = None
    if left:
        ids = {kind: frozenset(each[1:] for each in left if each.startswith(kind)) for kind in "cer"}
        redaction = Redaction(
            why=form.text("why", most=1000),
            claims=ids["c"],
            evidence=ids["e"],
            letters=ids["r"],
            title="title" in left,
        )
    as_of = form.text("as_of", most=40)
    at = unix(moment_of(as_of, "as of")) * _SECOND + _SECOND - 1 if as_of else None
    asked = PackAsked(to=form.text("to", most=300).strip(), as_of=at, redaction=redaction)

    def make() -> File:
        return pack_case(node, caller.identity, caller.act, case_id, asked)

    file = await at_length(request, make)
    return seen(f"/files/{file.id}")


@pages.post("/claims/{claim_id}/retraction", Rule("claim.retract", Permission.WRITE, PEOPLE))
def take_back(node: NodeHere, caller: CallerHere, claim_id: Annotated[Digest, Path()], form: FormHere) -> Response:
    """Take a claim back, with the reason; whoever has it is to be told."""
    reason = form.text("reason", most=2000).strip()
    if not reason:
        raise BadInput("say why it is taken back", hint="the reason goes to everybody who has it")
    saying.take_back(node, caller.identity, caller.act, claim_id, reason)
    return seen(own_place(form.text("back", f"/claims/{claim_id}")))


@pages.post("/travels/{travel_id}/told", Rule("travel.told", Permission.WRITE, PEOPLE))
def told(node: NodeHere, caller: CallerHere, travel_id: Annotated[Id, Path()], form: FormHere) -> Response:
    """Say that whoever stands at the end of a way was told."""
    with node.store.act(caller.identity, caller.act) as work:
        work.travels.told(travel_id)
    return seen(own_place(form.text("back", "/cases")))


def _also(incident: Mapping[str, str]) -> dict[str, str]:
    """What else group and family are called, where the galaxy knows exactly one of that name."""
    found = {name: find(incident.get(name, "")) for name in ("group", "family")}
    return {
        name: ", ".join((groups[0].name, *groups[0].aliases)[:_MOST_ALIASES])
        for name, groups in found.items()
        if len(groups) == 1
    }


def _layer(word: str) -> Layer:
    try:
        return Layer(word)
    except ValueError:
        raise BadInput(f"{word[:20]!r} is no layer", hint="observation, inference or attribution") from None
