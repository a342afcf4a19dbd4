"""The shapes of what a node answers. Written by tools/make_client.py from its OpenAPI: do not edit.

Amounts are satoshi, times ISO 8601 in UTC ("" for never), ids as the node gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shieldwall.client.reading import Shape

Pap = Literal["PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"]
"""What may be done with something (PAP)."""

RoleWord = Literal["viewer", "analyst", "approver", "auditor", "administrator"]
"""A role."""

ScopeWord = Literal["read", "write", "audit"]
"""What a machine token may do."""

Tlp = Literal["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
"""A marking of TLP 2.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressShape(Shape):
    """What the chain store holds of an address, and what is known of it. No tag means unknown, not clean."""

    next: str | None = None
    address: str
    kind: str
    same_key: str | None = None
    received: int | None = None
    by_state: Mapping[str, int]
    outputs: tuple[OutputShape, ...]
    more: int = 0
    unconfirmed_payments: tuple[Mapping[str, Any], ...] | None = None
    known: Known
    as_of_height: int | None = None
    as_of_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmShape(Shape):
    """What a watch rang for: what happened, how much, how many confirmations, what to do."""

    id: str
    watch: str
    rang: str
    event: Mapping[str, Any]
    answered: str = ""
    answered_by: str = ""
    deliveries: tuple[DeliveryShape, ...] = ()
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms(Shape):
    """Alarms, and how many that one may see nobody has answered."""

    next: str | None = None
    alarms: tuple[AlarmShape, ...]
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalShape(Shape):
    """A request that a second person decides on."""

    id: str
    kind: str
    change: Mapping[str, Any]
    before: HandlingShape
    reason: str
    asked_by: str
    asked: str
    decision: Literal["open", "approved", "refused", "withdrawn"]
    decided_by: str = ""
    decided: str = ""
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals(Shape):
    """Requests that a second person decides on."""

    next: str | None = None
    approvals: tuple[ApprovalShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShape(Shape):
    """A case."""

    id: str
    title: str
    number: str
    status: str
    silent: bool
    contact: str
    handling: HandlingShape
    people: tuple[str, ...]
    groups: tuple[str, ...]
    created: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases(Shape):
    """Cases."""

    next: str | None = None
    cases: tuple[CaseShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony(Shape):
    """What a browser needs for a ceremony with a passkey: give `options` to `navigator.credentials`."""

    challenge: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainShape(Shape):
    """What the chain store holds."""

    network: str
    tip_height: int | None = None
    tip_hash: str | None = None
    tip_time: str | None = None
    blocks: int
    transactions: int
    outputs: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Shape):
    """What a check of the audit log found; no problem means that it holds."""

    leaves: int
    root: str
    kept_roots: int
    exported_roots: int
    accepted: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimShape(Shape):
    """A claim, as the node keeps it; `claim` is the claim itself (docs/spec/claim.md)."""

    id: str
    claim: Mapping[str, Any]
    handling: HandlingShape
    received: str
    state: Literal["stands", "superseded", "retracted", "expired"] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims(Shape):
    """Claims; of one subject with what became of each, and what contradicts. `more`: there are too many to say that
    of.
    """

    next: str | None = None
    claims: tuple[ClaimShape, ...]
    disputes: tuple[DisputeShape, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionList(Shape):
    """The collections."""

    collections: tuple[CollectionShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionShape(Shape):
    """A collection."""

    id: str
    title: str
    alias: str
    group: str | None = None
    highest: Tlp
    readable: bool
    writable: bool
    objects: int
    last_added: str


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShape(Shape):
    """A decision on a collection."""

    id: str
    at: str
    by: str
    deed: str
    reason: str
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions(Shape):
    """Decisions, the newest first."""

    decisions: tuple[DecisionShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedShape(Shape):
    """Something that was done with a request."""

    number: int
    at: str
    by: str
    deed: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryShape(Shape):
    """One way out of an alarm."""

    id: str
    channel: str
    state: Literal["waiting", "sent", "withheld", "given up"]
    attempts: int
    next: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeShape(Shape):
    """Claims of one kind that stand and do not say the same: ids of the claims of each side."""

    kind: str
    sides: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Shape):
    """A document that stands for itself: the node's public keys, a proof."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Shape):
    """That something was done."""

    done: Literal[True] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DueShape(Shape):
    """Something that is due of a request."""

    what: str
    at: str
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceList(Shape):
    """Evidence, in the order in which it came."""

    evidence: tuple[EvidenceShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceShape(Shape):
    """A piece of evidence and its custody log."""

    id: str
    number: int
    file: str
    name: str
    sha256: str
    size: int
    told: Mapping[str, Any]
    custody: tuple[Mapping[str, Any], ...]
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShape(Shape):
    """A kept file."""

    id: str
    name: str
    kind: str
    media_type: str
    size: int
    sha256: str
    created: str
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(Shape):
    """Files."""

    next: str | None = None
    files: tuple[FileShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagShape(Shape):
    """A red flag: seen, not seen, or cannot be told."""

    family: str
    question: str
    answer: str
    found: tuple[str, ...]
    looked_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags(Shape):
    """Red flags of the six families, as far as the traces of a case can answer them."""

    source: str
    flags: tuple[FlagShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Shape):
    """A record of the chain store, as `shieldwall chain show` prints it."""

    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundObjects(Shape):
    """What speaks of something; the names that lead to it; what very many speak of, whose objects are not listed."""

    objects: tuple[MetShape, ...]
    names: tuple[str, ...]
    common: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShape(Shape):
    """A need-to-know group and its members."""

    id: str
    name: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups(Shape):
    """The need-to-know groups."""

    groups: tuple[GroupShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HadShape(Shape):
    """A partner who may have something, and when it fetched last."""

    partner: str
    name: str
    fetched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingAsked(Shape):
    """The handling of something new; what is not said is the strictest."""

    marking: Tlp = "TLP:RED"
    pap: Pap = "PAP:RED"
    case: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingShape(Shape):
    """Who may see an object, and what may be done with it."""

    marking: Tlp
    pap: Pap
    owner: str = ""
    case: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Shape):
    """That the node answers."""

    ok: bool
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Shape):
    """Something that a search found."""

    kind: Literal["address", "transaction", "case", "file", "claim"]
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits(Shape):
    """What a search found."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentShape(Shape):
    """What is told of an incident, and the reports that may be due."""

    answers: Mapping[str, str]
    first_hour: tuple[int, ...]
    deadlines: tuple[DeadlineShape, ...]
    clocks_dated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Shape):
    """A one-time link, shown once."""

    url: str = field(repr=False)
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobShape(Shape):
    """Background work: how far it is, and what came of it."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    attempt: int
    stage: str
    done: int
    total: int
    created: str
    started: str = ""
    ended: str = ""
    outcome: Mapping[str, Any] | None = None
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs(Shape):
    """Background work."""

    next: str | None = None
    jobs: tuple[JobShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Shape):
    """What the tag sets say of a subject: merged, counted, contradictions shown."""

    subject: SubjectShape
    tags: tuple[Mapping[str, Any], ...]
    contradictions: tuple[Mapping[str, Any], ...]
    retracted: int
    freezable_by: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackShape(Shape):
    """A field that nobody has filled in, and who asks for it: kind, recipient or law."""

    field: str
    label: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafShape(Shape):
    """A leaf of the audit log."""

    number: int
    entry: Mapping[str, Any]
    leaf: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves(Shape):
    """Leaves of the audit log, the oldest first."""

    next: str | None = None
    leaves: tuple[LeafShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShape(Shape):
    """A job as whoever runs the node sees it."""

    id: str
    kind: str
    owner: str
    state: Literal["queued", "running"]
    attempt: int
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingShape(Shape):
    """Another team of this node works on something that is in this case, too: whom to call, and since which day."""

    case: str
    contact: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meetings(Shape):
    """Where cases meet."""

    meetings: tuple[MeetingShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetShape(Shape):
    """An object that speaks of the same, and what it has in common."""

    id: str
    type: str
    in_common: tuple[str, ...]
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkShape(Shape):
    """The network of cases: things, and relations between them; how many things were left out."""

    things: tuple[Mapping[str, Any], ...]
    relations: tuple[Mapping[str, Any], ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputShape(Shape):
    """An output: where it is, and where it stands."""

    output: str
    address: str
    value: int
    state: Literal["spent", "spent_outside", "unspent", "unknown", "unspendable"]
    spent_by: str | None = None
    as_of: int | None = None
    unconfirmed_spend: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerList(Shape):
    """The partners, by name."""

    partners: tuple[PartnerShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerShape(Shape):
    """A partner, and how many objects it fetched."""

    id: str
    name: str
    highest: Tlp
    groups: tuple[str, ...]
    ended: str
    fetched: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyShape(Shape):
    """A passkey of whoever asks."""

    id: str
    name: str
    created: str
    used: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkeys(Shape):
    """The passkeys of whoever asks."""

    passkeys: tuple[PasskeyShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class People(Shape):
    """People."""

    next: str | None = None
    people: tuple[PersonShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShape(Shape):
    """A person."""

    id: str
    name: str
    organisation: str
    roles: tuple[RoleWord, ...]
    highest: Tlp
    mail: str
    created: str
    disabled: str = ""
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewShape(Shape):
    """What a partner gets of a collection: the objects as the bytes that its machine would be given; and what it does
    not.
    """

    collection: str
    objects: tuple[str, ...]
    new: int
    more: int
    withheld: tuple[WithheldShape, ...]
    withheld_more: int
    gone: int
    unseen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews(Shape):
    """What a partner gets, collection by collection."""

    collections: tuple[PreviewShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode(Shape):
    """The secret for an authenticator application, shown once, in base32 and as a URI for a picture to scan."""

    enrolment: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesShape(Shape):
    """Recipients, legal profiles and clocks that this node knows, with the day on which each list was gone through."""

    recipients_dated: str
    recipients: tuple[Mapping[str, Any], ...]
    legal_dated: str
    legal: tuple[Mapping[str, Any], ...]
    clocks_dated: str
    clocks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedShape(Shape):
    """What became of a release."""

    added: tuple[str, ...]
    known: int
    withheld: tuple[WithheldShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestList(Shape):
    """Requests, the newest first."""

    next: str | None = None
    requests: tuple[RequestRowShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRowShape(Shape):
    """A request in a list."""

    id: str
    case: str
    number: int
    kind: str
    state: str
    recipient: str
    due: str = ""
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShape(Shape):
    """A request, where it stands, and what was done with it."""

    id: str
    case: str
    number: int
    kind: str
    state: str
    version: int
    digest: str
    content: Mapping[str, Any]
    lacks: tuple[LackShape, ...]
    route: RouteShape | None = None
    due: tuple[DueShape, ...]
    outcome: str = ""
    held: int = 0
    until: str = ""
    deeds: tuple[DeedShape, ...]
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class RootShape(Shape):
    """A signed root of the audit log, as its line in the exported file (docs/spec/audit-log.md)."""

    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteShape(Shape):
    """By which way a kind of request reaches its recipient."""

    needs: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSheetShape(Shape):
    """A saved sheet: frozen, with its digest (docs/spec/sheet.md)."""

    file: FileShape
    sheet: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedList(Shape):
    """The same, the most shared first."""

    shared: tuple[SharedShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedShape(Shape):
    """What a case has in common with others of whoever asks."""

    type: str
    name: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetShape(Shape):
    """One's own sheet on a trace: its steps, what they made of the picture, and the table twin."""

    file: FileShape
    digest: str
    steps: tuple[SheetStepShape, ...]
    arrangement: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStepShape(Shape):
    """A step: what was done, and whether it was taken back."""

    number: int
    state: Literal["done", "undone", "dropped"]
    at: str
    step: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Shape):
    """Who is signed in, and until when."""

    person: str
    name: str
    node: str
    roles: tuple[RoleWord, ...]
    permissions: tuple[str, ...]
    highest: Tlp
    groups: tuple[str, ...]
    kind: Literal["person", "token"]
    expires: str = ""
    confirmed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList(Shape):
    """The sources."""

    sources: tuple[SourceShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShape(Shape):
    """A source, without its credentials: how far it was read, and how that goes."""

    id: str
    kind: str
    url: str
    every: int
    tried: str
    good: str
    reached: str
    problem: str
    objects: int
    ended: str
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Shape):
    """How the node stands; `chain` is the first chain store, where it is there, `chains` are all that are there."""

    version: str
    name: str
    fingerprint: str
    leaves: int
    last_leaf: str
    clock_back_seconds: int
    chain: ChainShape | None = None
    chains: tuple[ChainShape, ...] = ()
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StixObjects(Shape):
    """Objects, in the order in which they came."""

    next: str | None = None
    objects: tuple[StixVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StixVersion(Shape):
    """One version of an object, as the bytes that came."""

    id: str
    type: str
    version: str
    received: str
    raw: str
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class StixVersions(Shape):
    """Every version of one object, by version; of one that contradicts itself there are several of one version."""

    versions: tuple[StixVersion, ...]
    contradicted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectShape(Shape):
    """What a claim is about."""

    type: str
    chain: str = ""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSetImport(Shape):
    """What was taken in, and entries that were not, at most a hundred of each set."""

    sets: tuple[TagSetShape, ...]
    rejected: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSetList(Shape):
    """Tag sets."""

    sets: tuple[TagSetShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSetShape(Shape):
    """A version of a tag set."""

    name: str
    version: str
    tags: int
    subjects: int
    labels: int
    dated: str
    rejected: int = 0
    unchanged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenShape(Shape):
    """What became of objects that were taken in."""

    objects: int
    added: int
    known: int
    conflicts: int
    refused: tuple[str, ...]
    refusals: int
    unmarked: int
    claims: int
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingAsked(Shape):
    """A thing of the network of a case."""

    type: str
    name: str
    chain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntryShape(Shape):
    """An entry of the timeline of a case: of what, when it happened, and when that became known."""

    id: str
    kind: str
    ref: str
    happened: str
    recorded: str
    told: Mapping[str, Any]
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineShape(Shape):
    """Entries, the latest first, and how many there are of each kind."""

    next: str | None = None
    entries: tuple[TimelineEntryShape, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenShape(Shape):
    """A machine token; `token`, the secret, is shown once, when it is made."""

    id: str
    name: str
    person: str
    scopes: tuple[str, ...]
    highest: Tlp
    created: str
    expires: str
    revoked: str = ""
    used: str = ""
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Shape):
    """Machine tokens."""

    tokens: tuple[TokenShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceShape(Shape):
    """A saved trace: frozen, with its digest."""

    file: FileShape
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelShape(Shape):
    """That something went to somebody; told is when they were told that it was taken back."""

    id: str
    what: str
    by: str
    carrier: str
    to: str
    at: str
    recalled: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Travels(Shape):
    """Ways, in order."""

    travels: tuple[TravelShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchShape(Shape):
    """A watch."""

    id: str
    kind: str
    target: Mapping[str, Any]
    channels: tuple[str, ...]
    note: str
    active: bool
    seen_height: int | None = None
    created: str
    handling: HandlingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches(Shape):
    """Watches."""

    next: str | None = None
    watches: tuple[WatchShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnShape(Shape):
    """What was taken back, and who may have it; `unseen`: how many more that one may not see went as well."""

    ids: tuple[str, ...]
    unseen: int
    had: tuple[HadShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldShape(Shape):
    """An object that does not go, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Shape):
    """The jobs that wait or run."""

    work: tuple[LoadShape, ...]
