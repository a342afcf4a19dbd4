"""Casework: intake, what a case has found, evidence with custody, red flags, its network, packages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from shieldwall.cases.clocks import Deadline
from shieldwall.cases.custody import Copy
from shieldwall.cases.event import moment_of
from shieldwall.cases.finding import Finding
from shieldwall.cases.incident import incident_statement
from shieldwall.cases.intake import Intake, intake_page
from shieldwall.cases.pack.redaction import Redaction
from shieldwall.cases.redflags import SOURCE
from shieldwall.cases.wording import Confidence, Likelihood
from shieldwall.model.access import Permission
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.moment import unix
from shieldwall.node.casework import holding, looking, saying
from shieldwall.node.casework.opening import CaseAsked, change_incident, incident_of, open_incident
from shieldwall.node.casework.packing import PackAsked, pack_case
from shieldwall.node.casework.references import clocks, legal_profiles, profiles_of
from shieldwall.node.casework.tracing import put_trace
from shieldwall.store.files import File
from shieldwall.store.timeline import Entry
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.routes.cases import CaseId, case_shape
from shieldwall.web.routes.claims import claim_shape
from shieldwall.web.routes.files import file_shape
from shieldwall.web.rules import OPEN, CallerHere, NodeHere, Rule, client_of
from shieldwall.web.shapes.base import Done, HandlingShape, Id
from shieldwall.web.shapes.cases import CaseShape
from shieldwall.web.shapes.casework import (
    AdoptAsked,
    CaseTrace,
    CustodyAsked,
    DeadlineShape,
    EventAsked,
    EvidenceList,
    EvidenceShape,
    FindingAsked,
    Flags,
    FlagShape,
    IncidentAsked,
    IncidentShape,
    IntakeAsked,
    NetworkShape,
    PackAskedShape,
    ReferencesShape,
    RelationAsked,
    SharedList,
    SharedShape,
    TimelineEntryShape,
    TimelineShape,
    Travels,
    TravelShape,
)
from shieldwall.web.shapes.claims import ClaimShape
from shieldwall.web.shapes.files import FileShape
from shieldwall.web.threads import at_length
from shieldwall.web.versions import versioned

routes = Routes("casework")

EvidenceId = Annotated[Id, Path(description="Id of the piece of evidence.")]
_SECOND = 1_000_000
_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@routes.post("/intakes", Rule("case.intake", Permission.WRITE), status_code=201)
def add_intake(node: NodeHere, caller: CallerHere, response: Response, asked: IntakeAsked) -> CaseShape:
    """Open a case of what a victim or operator told."""
    intake = Intake(incident_statement(asked.answers), tuple(asked.first_hour))
    case = open_incident(
        node,
        caller.identity,
        caller.act,
        intake,
        CaseAsked(
            title=asked.title,
            number=asked.number,
            marking=parse_marking(asked.marking),
            pap=parse_pap(asked.pap),
            people=asked.people,
        ),
    )
    return versioned(response, case_shape(case))


@routes.get("/intakes/form", Rule("intake.form", kinds=OPEN), response_class=HTMLResponse)
def show_intake_form(node: NodeHere, request: Request) -> Response:
    """The form as one page that works without a network; nothing of this node is in it."""
    node.doors.stranger(client_of(request))
    headers = {"Content-Disposition": 'attachment; filename="intake.html"'}
    return Response(intake_page(), media_type="text/html; charset=utf-8", headers=headers)


@routes.get("/cases/{case_id}/incident", Rule("case.incident", Permission.READ))
def show_incident(node: NodeHere, caller: CallerHere, case_id: CaseId) -> IncidentShape:
    """What is told of the incident of a case, and which reports may be due."""
    view = looking.look_at_case(node, caller.identity, caller.act, case_id)
    return IncidentShape(
        answers=dict(view.incident),
        first_hour=[number for number, _, done in view.first_hour if done],
        deadlines=[_deadline(each) for each in view.deadlines],
        clocks_dated=clocks().dated,
    )


@routes.put("/cases/{case_id}/incident", Rule("case.incident-change", Permission.WRITE), versioned=False)
def change_case_incident(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: IncidentAsked) -> IncidentShape:
    """Tell the incident anew; what was told before stays readable as retracted claims."""
    intake = Intake(incident_statement(asked.answers), tuple(asked.first_hour))
    change_incident(node, caller.identity, caller.act, case_id, intake)
    with node.store.inside(caller.identity) as work:
        answers, _ = incident_of(work, case_id)
    return IncidentShape(answers=answers, first_hour=list(intake.done), deadlines=[], clocks_dated=clocks().dated)


@routes.get("/cases/{case_id}/timeline", Rule("case.timeline", Permission.READ))
def show_timeline(
    node: NodeHere,
    caller: CallerHere,
    case_id: CaseId,
    kind: Annotated[list[str] | None, Query(max_length=20, description="Entries of these kinds only.")] = None,
    as_of: Annotated[str, Query(max_length=40, description="As it was known then (ISO 8601, UTC).")] = "",
    height: Annotated[int | None, Query(ge=0, lt=1 << 32, description="As the world stood at that block.")] = None,
    network: Annotated[str, Query(max_length=40, description="Of the height; the first chain by default.")] = "",
    cursor: Cursor = "",
    most: Most = 50,
) -> TimelineShape:
    """What happened in a case, the latest first; now, as it was known at a moment, or as the world stood at a block."""
    place = open_cursor(node, caller, cursor)
    view = looking.look_at_case(
        node,
        caller.identity,
        caller.act,
        case_id,
        at=_as_of(node, as_of, height, network),
        before=None if place is None else (int(place[0]), str(place[1])),
        kinds=kind or (),
        most=most,
    )
    following = None if view.more is None else seal_cursor(node, caller, list(view.more))
    return TimelineShape(
        entries=[entry_shape(entry) for entry in view.entries], counts=dict(view.counts), next=following
    )


@routes.post("/cases/{case_id}/findings", Rule("case.finding", Permission.WRITE), status_code=201)
def add_finding(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: FindingAsked) -> ClaimShape:
    """Say what was found, on one of the three layers."""
    finding = Finding(
        layer=Layer(asked.layer),
        text=asked.text,
        basis=asked.basis,
        likelihood=Likelihood.of(asked.likelihood) if asked.likelihood else None,
        confidence=Confidence.of(asked.confidence) if asked.confidence else None,
        alternatives=tuple(asked.alternatives),
        supports=tuple(asked.supports),
    )
    return claim_shape(caller, saying.add_finding(node, caller.identity, caller.act, case_id, finding))


@routes.post("/cases/{case_id}/events", Rule("case.event", Permission.WRITE), status_code=201)
def add_event(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: EventAsked) -> ClaimShape:
    """Say what happened when."""
    kept = saying.add_event(node, caller.identity, caller.act, case_id, asked.text, asked.when, asked.where)
    return claim_shape(caller, kept)


@routes.post("/cases/{case_id}/relations", Rule("case.relation", Permission.WRITE), status_code=201)
def add_relation(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: RelationAsked) -> ClaimShape:
    """Say that two things belong together."""
    source, target = (Subject(each.type, each.chain, each.name) for each in (asked.source, asked.target))
    kept = saying.add_relation(
        node,
        caller.identity,
        caller.act,
        case_id,
        source,
        asked.relation,
        target,
        layer=Layer(asked.layer),
        basis=asked.basis,
    )
    return claim_shape(caller, kept)


@routes.post("/cases/{case_id}/traces", Rule("case.trace", Permission.WRITE), status_code=201)
def put_case_trace(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: CaseTrace) -> Done:
    """Put a trace of one's own into a case; its transfers enter the timeline."""
    put_trace(node, caller.identity, caller.act, case_id, asked.file)
    return Done()


@routes.get("/cases/{case_id}/evidence", Rule("evidence.list", Permission.READ))
def list_evidence(node: NodeHere, caller: CallerHere, case_id: CaseId) -> EvidenceList:
    """The evidence of a case, with its custody logs, each of which is held to its digests."""
    with node.store.look(caller.identity, caller.act, case=case_id) as work:
        work.cases.get(case_id)
        found = holding.held_in(work, case_id)
    return EvidenceList(evidence=[evidence_shape(each) for each in found])


@routes.post("/cases/{case_id}/evidence", Rule("evidence.add", Permission.WRITE), status_code=201, openapi_extra=_BYTES)
async def add_evidence(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    case_id: CaseId,
    name: Annotated[str, Query(min_length=1, max_length=500)],
    method: Annotated[str, Query(min_length=1, max_length=1000, description="How it was acquired.")],
    source: Annotated[str, Query(min_length=1, max_length=1000, description="Where it is from.")],
    acquired: Annotated[str, Query(max_length=40, description="When (ISO 8601, UTC); now by default.")] = "",
    working: Annotated[bool, Query(description="A working copy, no original.")] = False,
    copy_of: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$", description="Of a working copy, the original.")] = "",
    why: Annotated[str, Query(min_length=1, max_length=1000)] = "evidence of the case",
    media_type: Annotated[str, Query(max_length=100)] = "application/octet-stream",
) -> EvidenceShape:
    """Take a file into evidence: its bytes are the body. Its custody log begins."""
    content = await request.body()
    how = holding.Acquired(
        method=method,
        source=source,
        acquired_at=acquired,
        copy=Copy.WORKING if working else Copy.ORIGINAL,
        of=copy_of,
        why=why,
    )

    def keep() -> holding.Held:
        return holding.acquire(node, caller.identity, caller.act, case_id, name, media_type, content, how)

    return evidence_shape(await at_length(request, keep))


@routes.post("/cases/{case_id}/evidence/adopted", Rule("evidence.adopt", Permission.WRITE), status_code=201)
def adopt_evidence(node: NodeHere, caller: CallerHere, case_id: CaseId, asked: AdoptAsked) -> EvidenceShape:
    """Take a file that is in the case into evidence."""
    how = holding.Acquired(
        method=asked.method,
        source=asked.source,
        acquired_at=asked.acquired,
        copy=Copy.WORKING if asked.working else Copy.ORIGINAL,
        of=asked.copy_of or "",
        why=asked.why,
    )
    return evidence_shape(holding.adopt(node, caller.identity, caller.act, case_id, asked.file, how))


@routes.get("/evidence/{evidence_id}", Rule("evidence.show", Permission.READ))
def show_evidence(node: NodeHere, caller: CallerHere, evidence_id: EvidenceId) -> EvidenceShape:
    """A piece of evidence and its custody log."""
    with node.store.look(caller.identity, caller.act, evidence=evidence_id) as work:
        found = holding.held(work, evidence_id)
    return evidence_shape(found)


@routes.post("/evidence/{evidence_id}/custody", Rule("evidence.custody", Permission.WRITE), status_code=201)
def add_custody(node: NodeHere, caller: CallerHere, evidence_id: EvidenceId, asked: CustodyAsked) -> EvidenceShape:
    """Say what was done with a piece of evidence; its content is held to its digest first."""
    holding.log_deed(node, caller.identity, caller.act, evidence_id, asked.deed, asked.why)
    with node.store.inside(caller.identity) as work:
        return evidence_shape(holding.held(work, evidence_id))


@routes.get("/cases/{case_id}/network", Rule("case.network", Permission.READ))
def show_network(
    node: NodeHere,
    caller: CallerHere,
    case_id: CaseId,
    beside: Annotated[list[str] | None, Query(max_length=20, description="Further cases in the same picture.")] = None,
) -> NetworkShape:
    """Group, people, malware, infrastructure, wallets and victims of one or several cases."""
    ids = list(dict.fromkeys([case_id, *(beside or ())]))
    network, _ = looking.network_in(node, caller.identity, caller.act, ids)
    return NetworkShape(
        things=[
            {
                "key": key,
                "type": thing.type,
                "name": thing.name,
                "chain": thing.chain,
                "cases": list(network.cases[key]),
            }
            for key, thing in network.things.items()
        ],
        relations=[asdict(edge) | {"cases": list(edge.cases)} for edge in network.edges],
        left_out=network.left_out,
    )


@routes.get("/cases/{case_id}/red-flags", Rule("case.flags", Permission.READ))
def show_red_flags(node: NodeHere, caller: CallerHere, case_id: CaseId) -> Flags:
    """The six families of red flags of FATF, as far as the traces of the case can answer them."""
    found = looking.flags_in(node, caller.identity, caller.act, case_id)
    return Flags(source=SOURCE, flags=[FlagShape(**{**asdict(flag), "found": list(flag.found)}) for flag in found])


@routes.get("/cases/{case_id}/shared", Rule("case.shared", Permission.READ))
def show_shared(node: NodeHere, caller: CallerHere, case_id: CaseId) -> SharedList:
    """What a case has in common with other cases of whoever asks: addresses, transactions, clusters, groups."""
    with node.store.look(caller.identity, caller.act, case=case_id) as work:
        found = looking.shared_in(work, case_id)
    return SharedList(
        shared=[SharedShape(type=each.type, name=each.name, cases=[case for case, _ in each.cases]) for each in found]
    )


@routes.post("/cases/{case_id}/packs", Rule("case.pack", Permission.WRITE), status_code=201)
async def pack(
    node: NodeHere, caller: CallerHere, request: Request, case_id: CaseId, asked: PackAskedShape
) -> FileShape:
    """Make an evidence package of what one may see of a case; it is a file of the case, to be taken out by `/files`."""
    leaves = bool(
        asked.leave_claims or asked.leave_evidence or asked.leave_requests or asked.leave_title or asked.leave_kinds
    )
    redaction = None
    if leaves or asked.why:
        redaction = Redaction(
            why=asked.why,
            claims=frozenset(asked.leave_claims),
            evidence=frozenset(asked.leave_evidence),
            letters=frozenset(asked.leave_requests),
            title=asked.leave_title,
            timeline=frozenset(asked.leave_kinds),
        )
    at = unix(moment_of(asked.as_of, "as_of")) * _SECOND + _SECOND - 1 if asked.as_of else None
    wanted = PackAsked(to=asked.to, as_of=at, redaction=redaction, replaces=asked.replaces)

    def make() -> File:
        return pack_case(node, caller.identity, caller.act, case_id, wanted)

    return file_shape(await at_length(request, make))


@routes.get("/travels", Rule("travel.list", Permission.READ))
def list_travels(
    node: NodeHere,
    caller: CallerHere,
    what: Annotated[
        str, Query(max_length=64, description="Id of a claim or request; without it, what is to be told.")
    ] = "",
) -> Travels:
    """Where a claim or request went; or, without one, the ways at whose end nobody was told of a retraction."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.travels.of(what) if what else work.travels.to_tell(most=500)
    return Travels(travels=[travel_shape(each) for each in found])


@routes.post("/travels/{travel_id}/told", Rule("travel.told", Permission.WRITE))
def tell_travel(node: NodeHere, caller: CallerHere, travel_id: Annotated[Id, Path()]) -> Done:
    """Say that whoever stands at the end of a way was told that what they have was taken back."""
    with node.store.act(caller.identity, caller.act) as work:
        work.travels.told(travel_id)
    return Done()


@routes.get("/references", Rule("references.show", Permission.READ))
def show_references(node: NodeHere, caller: CallerHere) -> ReferencesShape:
    """Recipients, legal profiles and reporting clocks, dated and sourced; no legal advice."""
    node.store.record(caller.identity, caller.act)
    profiles, legal, dated = profiles_of(node), legal_profiles(), clocks()
    return ReferencesShape(
        recipients_dated=profiles.dated,
        recipients=[_plain(asdict(each)) for each in profiles.profiles],
        legal_dated=legal.dated,
        legal=[_plain(asdict(each)) for each in legal.profiles],
        clocks_dated=dated.dated,
        clocks=[_plain(asdict(each)) for each in dated.clocks],
    )


def entry_shape(entry: Entry) -> TimelineEntryShape:
    """An entry of a timeline, shaped."""
    return TimelineEntryShape.model_construct(
        id=entry.id,
        kind=entry.kind,
        ref=entry.ref,
        happened=moment(entry.happened_at),
        recorded=moment(entry.recorded_at),
        told=dict(entry.body),
        handling=HandlingShape.of(entry.handling),
    )


def evidence_shape(held: holding.Held) -> EvidenceShape:
    """A piece of evidence, shaped."""
    return EvidenceShape.model_construct(
        id=held.evidence.id,
        number=held.evidence.number,
        file=held.file.id,
        name=held.file.name,
        sha256=held.file.sha256,
        size=held.file.size,
        told=dict(held.evidence.body),
        custody=[entry.as_dict() for entry in held.log],
        handling=HandlingShape.of(held.evidence.handling),
    )


def travel_shape(travel: Any) -> TravelShape:  # noqa: ANN401 - a way of the store
    """A way, shaped."""
    return TravelShape(
        id=travel.id,
        what=travel.what,
        by=travel.by,
        carrier=travel.carrier,
        to=travel.to,
        at=moment(travel.at),
        recalled=moment(travel.recalled_at) if travel.recalled_at else "",
        told=moment(travel.told_at) if travel.told_at else "",
    )


def _deadline(each: Deadline) -> DeadlineShape:
    clock = each.clock
    return DeadlineShape(
        id=clock.id,
        name=clock.name,
        regime=clock.regime,
        applies_to=clock.applies_to,
        to=clock.to,
        due=each.due,
        earlier=each.earlier,
        verified=clock.verified,
        source=clock.source_title,
        note=clock.note,
    )


def _as_of(node: NodeHere, text: str, height: int | None, network: str) -> looking.AsOf:
    time = unix(moment_of(text, "as_of")) if text else None
    return looking.as_of(node, time=time, height=height, network=network)


def _plain(value: Any) -> Any:  # noqa: ANN401 - plain values of a dataclass
    """Tuples as lists, so that JSON has one form for both."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
