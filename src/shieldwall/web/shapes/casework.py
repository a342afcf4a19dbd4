"""Shapes of casework: intake, findings, events, relations, evidence, requests, packages, and what a case looks like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import Digest, HandlingShape, Id, Page, PapWord, Shape, Text, Tlp

Long = Annotated[str, StringConstraints(max_length=20_000)]
Short = Annotated[str, StringConstraints(max_length=300)]
LayerWord = Literal["observation", "inference", "attribution"]
KindWord = Literal["preserve", "freeze", "disclose", "inform", "take-down"]
Ids = Annotated[list[Digest], Field(max_length=500)]


class IntakeAsked(Shape):
    """What a victim or operator told, as a case of its own."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    number: Annotated[str, StringConstraints(max_length=80)] = ""
    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    people: Annotated[list[Id], Field(max_length=1000)] = []
    answers: dict[str, Long] = {}
    first_hour: Annotated[list[int], Field(max_length=40)] = []


class IncidentAsked(Shape):
    """What is told of the incident of a case, in the place of what was told before."""

    answers: dict[str, Long]
    first_hour: Annotated[list[int], Field(max_length=40)] = []


class DeadlineShape(Shape):
    """A report that may be due; `due` is absent where there is no number or no start.

    `earlier`: it truly runs from something that nobody told, so from later; `due` is the safer day.
    """

    id: str
    name: str
    regime: str
    applies_to: str
    to: str
    due: str = ""
    earlier: bool
    verified: bool
    source: str
    note: str = ""


class IncidentShape(Shape):
    """What is told of an incident, and the reports that may be due."""

    answers: dict[str, str]
    first_hour: list[int]
    deadlines: list[DeadlineShape]
    clocks_dated: str


class FindingAsked(Shape):
    """A finding; likelihood and confidence are words of ICD 203, and never stand in one sentence."""

    layer: LayerWord
    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    basis: Annotated[str, StringConstraints(max_length=4000)] = ""
    likelihood: Short = ""
    confidence: Short = ""
    alternatives: Annotated[list[Text], Field(max_length=50)] = []
    supports: Annotated[list[Digest], Field(max_length=50)] = []


class EventAsked(Shape):
    """What happened, and when (ISO 8601, UTC)."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    when: Annotated[str, StringConstraints(min_length=4, max_length=40)]
    where: Text = ""


class ThingAsked(Shape):
    """A thing of the network of a case."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    chain: Annotated[str, StringConstraints(max_length=100)] = ""


class RelationAsked(Shape):
    """That two things belong together."""

    source: ThingAsked
    relation: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    target: ThingAsked
    layer: LayerWord = "inference"
    basis: Text = ""


class TimelineEntryShape(Shape):
    """An entry of the timeline of a case: of what, when it happened, and when that became known."""

    id: Id
    kind: str
    ref: str
    happened: str
    recorded: str
    told: dict[str, Any]
    handling: HandlingShape


class TimelineShape(Page):
    """Entries, the latest first, and how many there are of each kind."""

    entries: list[TimelineEntryShape]
    counts: dict[str, int]


class CustodyAsked(Shape):
    """What was done with a piece of evidence."""

    deed: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    why: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class AdoptAsked(Shape):
    """A file of the case that becomes evidence."""

    file: Id
    method: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    acquired: Annotated[str, StringConstraints(max_length=40)] = ""
    copy_of: Id | None = None
    working: bool = False
    why: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = "evidence of the case"


class EvidenceShape(Shape):
    """A piece of evidence and its custody log."""

    id: Id
    number: int
    file: Id
    name: str
    sha256: Digest
    size: int
    told: dict[str, Any]
    custody: list[dict[str, Any]]
    handling: HandlingShape


class EvidenceList(Shape):
    """Evidence, in the order in which it came."""

    evidence: list[EvidenceShape]


class CaseTrace(Shape):
    """A trace that is put into a case."""

    file: Id


class RequestAsked(Shape):
    """A new request: of what kind, about which end of which trace, to whom, by which law; or a whole one in `content`."""

    kind: KindWord = "freeze"
    trace: Id | None = None
    rank: Annotated[int, Field(ge=1, le=100_000)] = 1
    recipient: Annotated[str, StringConstraints(max_length=80)] = ""
    legal: Annotated[str, StringConstraints(max_length=80)] = ""
    content: dict[str, Any] | None = None


class RequestChange(Shape):
    """What a draft says from then on, and the number of the last deed that whoever changes it knows."""

    version: Annotated[int, Field(ge=0)]
    content: dict[str, Any]


class DeedAsked(Shape):
    """What is done with a request, and what goes with it."""

    deed: Literal["submit", "withdraw", "send", "acknowledge", "answer", "renew", "retract"]
    version: Annotated[int, Field(ge=0)]
    reason: Text = ""
    outcome: Short = ""
    amount: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    until: Annotated[str, StringConstraints(max_length=40)] = ""
    contact: Short = ""
    reference: Short = ""
    words: Text = ""


class RequestDecision(Shape):
    """The decision of a second person on what they looked at: its digest."""

    approve: bool
    digest: Digest
    reason: Text = ""


class LackShape(Shape):
    """A field that nobody has filled in, and who asks for it: kind, recipient or law."""

    field: str
    label: str
    by: str


class DueShape(Shape):
    """Something that is due of a request."""

    what: str
    at: str
    over: bool


class DeedShape(Shape):
    """Something that was done with a request."""

    number: int
    at: str
    by: str
    deed: str
    told: dict[str, Any]


class RouteShape(Shape):
    """By which way a kind of request reaches its recipient."""

    needs: str
    words: str


class RequestShape(Shape):
    """A request, where it stands, and what was done with it."""

    id: Id
    case: Id
    number: int
    kind: str
    state: str
    version: int
    digest: Digest
    content: dict[str, Any]
    lacks: list[LackShape]
    route: RouteShape | None = None
    due: list[DueShape]
    outcome: str = ""
    held: int = 0
    until: str = ""
    deeds: list[DeedShape]
    handling: HandlingShape


class RequestRowShape(Shape):
    """A request in a list."""

    id: Id
    case: Id
    number: int
    kind: str
    state: str
    recipient: str
    due: str = ""
    created: str


class RequestList(Page):
    """Requests, the newest first."""

    requests: list[RequestRowShape]


class PackAskedShape(Shape):
    """A package: for whom, as of when, and what to leave out."""

    to: Short = ""
    as_of: Annotated[str, StringConstraints(max_length=40)] = ""
    why: Text = ""
    leave_claims: Ids = []
    leave_evidence: Annotated[list[Id], Field(max_length=500)] = []
    leave_requests: Annotated[list[Id], Field(max_length=500)] = []
    leave_title: bool = False
    leave_kinds: Annotated[list[Short], Field(max_length=20)] = []
    replaces: Annotated[str, StringConstraints(max_length=36)] = ""


class NetworkShape(Shape):
    """The network of cases: things, and relations between them; how many things were left out."""

    things: list[dict[str, Any]]
    relations: list[dict[str, Any]]
    left_out: int


class FlagShape(Shape):
    """A red flag: seen, not seen, or cannot be told."""

    family: str
    question: str
    answer: str
    found: list[str]
    looked_at: str


class Flags(Shape):
    """Red flags of the six families, as far as the traces of a case can answer them."""

    source: str
    flags: list[FlagShape]


class SharedShape(Shape):
    """What a case has in common with others of whoever asks."""

    type: str
    name: str
    cases: list[Id]


class SharedList(Shape):
    """The same, the most shared first."""

    shared: list[SharedShape]


class TravelShape(Shape):
    """That something went to somebody; told is when they were told that it was taken back."""

    id: Id
    what: str
    by: str
    carrier: str
    to: str
    at: str
    recalled: str = ""
    told: str = ""


class Travels(Shape):
    """Ways, in order."""

    travels: list[TravelShape]


class ReferencesShape(Shape):
    """Recipients, legal profiles and clocks that this node knows, with the day on which each list was gone through."""

    recipients_dated: str
    recipients: list[dict[str, Any]]
    legal_dated: str
    legal: list[dict[str, Any]]
    clocks_dated: str
    clocks: list[dict[str, Any]]
