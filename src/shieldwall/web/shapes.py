"""The shapes of the API's questions and answers. What comes in is strict: no unknown field, no number for a truth, no float.

Amounts are satoshi, times ISO 8601 in UTC, ids as the node gave them. A field that has nothing to say is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shieldwall.errors import UsageError
from shieldwall.model.access import Handling
from shieldwall.model.marking import parse_marking, parse_pap

Text = Annotated[str, StringConstraints(max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Tlp = Literal["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
PapWord = Literal["PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"]
RoleWord = Literal["viewer", "analyst", "approver", "auditor", "administrator"]
ScopeWord = Literal["read", "write", "audit"]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Shape(BaseModel):
    """What every shape is: frozen, strict, and closed to unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Page(Shape):
    """A page of a list; `next` is the cursor to what follows, absent on the last page."""

    next: str | None = None


class Done(Shape):
    """That something was done."""

    done: Literal[True] = True


class HandlingShape(Shape):
    """Who may see an object, and what may be done with it."""

    marking: Tlp
    pap: PapWord
    owner: str = ""
    case: Id | None = None
    group: Id | None = None

    @classmethod
    def of(cls, handling: Handling) -> HandlingShape:
        """The shape of a handling."""
        return cls.model_construct(
            marking=handling.marking.label,
            pap=handling.pap.label,
            owner=handling.owner,
            case=handling.case,
            group=handling.group,
        )


class HandlingAsked(Shape):
    """The handling of something new; what is not said is the strictest."""

    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    case: Id | None = None
    group: Id | None = None

    def of(self, owner: str) -> Handling:
        """The handling, owned by whoever makes the thing."""
        return Handling(
            marking=parse_marking(self.marking), pap=parse_pap(self.pap), owner=owner, case=self.case, group=self.group
        )


# the door


class Credential(Shape):
    """What a ceremony with a passkey answers: the challenge it belongs to, and the credential as the browser gives it."""

    challenge: Id
    credential: dict[str, Any]
    name: Annotated[str, StringConstraints(max_length=100)] = ""


class Ceremony(Shape):
    """What a browser needs for a ceremony with a passkey: give `options` to `navigator.credentials`."""

    challenge: Id
    options: dict[str, Any]


class RegistrationAsked(Shape):
    """A one-time link's secret, and, where the link needs one, a code of the authenticator application."""

    secret: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: Annotated[str, StringConstraints(pattern=r"^([0-9]{6})?$")] = ""


class CodeAsked(Shape):
    """A code of the authenticator application that is being set up."""

    enrolment: Id
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class SignedIn(Shape):
    """Who is signed in, and until when."""

    person: Id
    name: str
    node: str
    roles: list[RoleWord]
    permissions: list[str]
    highest: Tlp
    groups: list[Id]
    kind: Literal["person", "token"]
    expires: str = ""
    confirmed: str = ""


class PasskeyShape(Shape):
    """A passkey of whoever asks."""

    id: str
    name: str
    created: str
    used: str = ""


class Passkeys(Shape):
    """The passkeys of whoever asks."""

    passkeys: list[PasskeyShape]


class RecoveryCode(Shape):
    """The secret for an authenticator application, shown once, in base32 and as a URI for a picture to scan."""

    enrolment: Id
    secret: str
    uri: str


class Redirect(Shape):
    """Where to go."""

    url: str


# people


class PersonAsked(Shape):
    """A new person."""

    name: Name
    organisation: Annotated[str, StringConstraints(max_length=200)] = ""
    roles: list[RoleWord]
    highest: Tlp = "TLP:GREEN"
    mail: Annotated[str, StringConstraints(max_length=254)] = ""


class PersonChange(Shape):
    """What changes of a person; what is not said stays."""

    organisation: Annotated[str, StringConstraints(max_length=200)] | None = None
    roles: list[RoleWord] | None = None
    highest: Tlp | None = None
    mail: Annotated[str, StringConstraints(max_length=254)] | None = None


class PersonShape(Shape):
    """A person."""

    id: Id
    name: str
    organisation: str
    roles: list[RoleWord]
    highest: Tlp
    mail: str
    created: str
    disabled: str = ""
    version: int


class People(Page):
    """People."""

    people: list[PersonShape]


class Invitation(Shape):
    """A one-time link, shown once."""

    url: str
    expires: str


class InvitationAsked(Shape):
    """Which link: for a first passkey, or for a new one with the person's recovery code."""

    with_code: bool = False


class Link(Shape):
    """Whom an OpenID provider means: its issuer, and what it calls the person."""

    issuer: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class GroupAsked(Shape):
    """A new need-to-know group."""

    name: Name


class GroupMembers(Shape):
    """All members of a group."""

    people: Annotated[list[Id], Field(max_length=1000)]


class GroupShape(Shape):
    """A need-to-know group and its members."""

    id: Id
    name: str
    people: list[Id]


class Groups(Shape):
    """The need-to-know groups."""

    groups: list[GroupShape]


class TokenAsked(Shape):
    """A new machine token, which acts for whoever asks and never for more."""

    name: Name
    scopes: list[ScopeWord]
    highest: Tlp = "TLP:GREEN"
    days: Annotated[int, Field(ge=1, le=366)] = 90


class TokenShape(Shape):
    """A machine token; `token`, the secret, is shown once, when it is made."""

    id: Id
    name: str
    person: Id
    scopes: list[str]
    highest: Tlp
    created: str
    expires: str
    revoked: str = ""
    used: str = ""
    token: str | None = None


class Tokens(Shape):
    """Machine tokens."""

    tokens: list[TokenShape]


# chain


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


class OutputShape(Shape):
    """An output: where it is, and where it stands."""

    output: str
    address: str
    value: int
    state: Literal["spent", "spent_outside", "unspent", "unknown", "unspendable"]
    spent_by: str | None = None
    as_of: int | None = None
    unconfirmed_spend: dict[str, Any] | None = None


class AddressShape(Page):
    """What the chain store holds of an address, and what is known of it. No tag means unknown, not clean."""

    address: str
    kind: str
    same_key: str | None = None
    received: int | None = None
    by_state: dict[str, int]
    outputs: list[OutputShape]
    more: int = 0
    unconfirmed_payments: list[dict[str, Any]] | None = None
    known: Known
    as_of_height: int | None = None
    as_of_hash: str | None = None


class Known(Shape):
    """What the tag sets say of a subject: merged, counted, contradictions shown."""

    subject: SubjectShape
    tags: list[dict[str, Any]]
    contradictions: list[dict[str, Any]]
    retracted: int
    freezable_by: list[dict[str, Any]]


class Found(Shape):
    """A record of the chain store, as `shieldwall chain show` prints it."""

    record: dict[str, Any]


# claims


class SubjectShape(Shape):
    """What a claim is about."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    chain: Annotated[str, StringConstraints(max_length=100)] = ""
    name: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ClaimAsked(Shape):
    """A new claim. `marking` and `pap` are the claim's own; what is not said is the strictest."""

    subject: SubjectShape
    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    statement: dict[str, Any]
    layer: Literal["observation", "inference", "attribution"]
    source: Text = ""
    at: Annotated[str, StringConstraints(max_length=40)] = ""
    confidence: Annotated[int, Field(ge=0, le=100)] | None = None
    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    evidence: Annotated[list[Digest], Field(max_length=100)] = []
    expires: Annotated[str, StringConstraints(max_length=40)] = ""
    case: Id | None = None
    group: Id | None = None


class ClaimShape(Shape):
    """A claim, as the node keeps it; `claim` is the claim itself (docs/spec/claim.md)."""

    id: Digest
    claim: dict[str, Any]
    handling: HandlingShape
    received: str
    state: Literal["stands", "superseded", "retracted", "expired"] | None = None
    reason: str | None = None


class DisputeShape(Shape):
    """Claims of one kind that stand and do not say the same: ids of the claims of each side."""

    kind: str
    sides: list[list[Digest]]


class Claims(Page):
    """Claims; of one subject with what became of each, and what contradicts. `more`: there are too many to say that of."""

    claims: list[ClaimShape]
    disputes: list[DisputeShape] = []
    more: bool = False


class Reason(Shape):
    """Why."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


# tags


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


class TagSetList(Shape):
    """Tag sets."""

    sets: list[TagSetShape]


class TagSetImport(TagSetList):
    """What was taken in, and entries that were not, at most a hundred of each set."""

    rejected: list[dict[str, Any]]


# cases


class CaseAsked(Shape):
    """A new case; whoever asks becomes a member and its contact."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    silent: bool = False
    people: Annotated[list[Id], Field(max_length=1000)] = []
    groups: Annotated[list[Id], Field(max_length=1000)] = []


class CaseChange(Shape):
    """What changes of a case; what is not said stays."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    status: Literal["open", "closed"] | None = None
    silent: bool | None = None
    contact: Id | None = None
    marking: Tlp | None = None
    pap: PapWord | None = None


class CaseMembers(Shape):
    """All members of a case, by name and by group."""

    people: Annotated[list[Id], Field(max_length=1000)]
    groups: Annotated[list[Id], Field(max_length=1000)] = []


class CaseShape(Shape):
    """A case."""

    id: Id
    title: str
    status: str
    silent: bool
    contact: Id
    handling: HandlingShape
    people: list[Id]
    groups: list[Id]
    created: str
    version: int


class Cases(Page):
    """Cases."""

    cases: list[CaseShape]


class MeetingShape(Shape):
    """Another team of this node works on something that is in this case, too: whom to call, and since which day."""

    case: Id
    contact: str
    since: str


class Meetings(Shape):
    """Where cases meet."""

    meetings: list[MeetingShape]


# files and traces


class FileShape(Shape):
    """A kept file."""

    id: Id
    name: str
    kind: str
    media_type: str
    size: int
    sha256: Digest
    created: str
    handling: HandlingShape


class Files(Page):
    """Files."""

    files: list[FileShape]


class TraceShape(Shape):
    """A saved trace: frozen, with its digest."""

    file: FileShape
    result: dict[str, Any]


# work


class TraceAsked(Shape):
    """A trace to be made: as `shieldwall trace` takes it."""

    targets: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=5000)]], Field(min_length=1, max_length=1000)
    ]
    method: Literal["poison", "haircut", "fifo", "lifo", "tiho", "all"] = "fifo"
    backward: bool = False
    tags: Annotated[list[Name], Field(max_length=100)] | None = None
    cluster: Annotated[str, StringConstraints(max_length=64)] = ""
    hops: Annotated[int, Field(ge=0, le=10_000)] | None = None
    least: Annotated[int, Field(ge=0, lt=2**63)] = 0
    until_height: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    max_transactions: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    handling: HandlingAsked = HandlingAsked()


class JobAsked(Shape):
    """Background work of another kind: chain.build, chain.follow, screening, cluster.build."""

    kind: Literal["chain.build", "chain.follow", "screening", "cluster.build"]
    params: dict[str, Any]
    handling: HandlingAsked = HandlingAsked()


class JobShape(Shape):
    """Background work: how far it is, and what came of it."""

    id: Id
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    attempt: int
    stage: str
    done: int
    total: int
    created: str
    started: str = ""
    ended: str = ""
    outcome: dict[str, Any] | None = None
    handling: HandlingShape


class Jobs(Page):
    """Background work."""

    jobs: list[JobShape]


class LoadShape(Shape):
    """A job as whoever runs the node sees it."""

    id: Id
    kind: str
    owner: str
    state: Literal["queued", "running"]
    attempt: int
    created: str


class Work(Shape):
    """The jobs that wait or run."""

    work: list[LoadShape]


class WatchAsked(Shape):
    """Something to watch: an address, the cluster of an address, or the ends of a saved trace (id of its file)."""

    kind: Literal["address", "cluster", "end"]
    target: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    clustering: Annotated[str, StringConstraints(max_length=64)] = "co-spend"
    channels: Annotated[list[Literal["webhook", "mail"]], Field(max_length=2)] = []
    note: Annotated[str, StringConstraints(max_length=200)] = ""
    handling: HandlingAsked = HandlingAsked()


class WatchShape(Shape):
    """A watch."""

    id: Id
    kind: str
    target: dict[str, Any]
    channels: list[str]
    note: str
    active: bool
    seen_height: int | None = None
    created: str
    handling: HandlingShape


class Watches(Page):
    """Watches."""

    watches: list[WatchShape]


class DeliveryShape(Shape):
    """One way out of an alarm."""

    id: Id
    channel: str
    state: Literal["waiting", "sent", "withheld", "given up"]
    attempts: int
    next: str
    error: str


class AlarmShape(Shape):
    """What a watch rang for: what happened, how much, how many confirmations, what to do."""

    id: Id
    watch: Id
    rang: str
    event: dict[str, Any]
    answered: str = ""
    answered_by: str = ""
    deliveries: list[DeliveryShape] = []
    handling: HandlingShape


class Alarms(Page):
    """Alarms, and how many that one may see nobody has answered."""

    alarms: list[AlarmShape]
    unanswered: int = 0


# approvals


class RemarkAsked(Shape):
    """Another handling for a claim, file or case."""

    thing: Literal["claim", "file", "case"]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}([0-9a-f]{32})?$")]
    marking: Tlp
    pap: PapWord
    case: Id | None = None
    group: Id | None = None


class ApprovalAsked(RemarkAsked):
    """A more open handling, which a second person must approve; `seen_by`: who may see the request, where not as the thing."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    seen_by: HandlingAsked | None = None


class Decision(Shape):
    """What a second person decides."""

    approve: bool


class ApprovalShape(Shape):
    """A request that a second person decides on."""

    id: Id
    kind: str
    change: dict[str, Any]
    before: HandlingShape
    reason: str
    asked_by: Id
    asked: str
    decision: Literal["open", "approved", "refused", "withdrawn"]
    decided_by: str = ""
    decided: str = ""
    handling: HandlingShape


class Approvals(Page):
    """Requests that a second person decides on."""

    approvals: list[ApprovalShape]


# the node


class Hit(Shape):
    """Something that a search found."""

    kind: Literal["address", "transaction", "case", "file", "claim"]
    id: str
    title: str


class Hits(Shape):
    """What a search found."""

    hits: list[Hit]


class LeafShape(Shape):
    """A leaf of the audit log."""

    number: int
    entry: Mapping[str, Any]
    leaf: Digest
    root: Digest


class Leaves(Page):
    """Leaves of the audit log, the oldest first."""

    leaves: list[LeafShape]


class RootShape(Shape):
    """A signed root of the audit log, as its line in the exported file (docs/spec/audit-log.md)."""

    line: dict[str, Any]


class Checked(Shape):
    """What a check of the audit log found; no problem means that it holds."""

    leaves: int
    root: Digest
    kept_roots: int
    exported_roots: int
    accepted: list[str]
    problems: list[str]


class Document(Shape):
    """A document that stands for itself: the node's public keys, a proof."""

    document: dict[str, Any]


class Health(Shape):
    """That the node answers."""

    ok: bool
    version: str


class Status(Shape):
    """How the node stands."""

    version: str
    name: str
    fingerprint: str
    leaves: int
    last_leaf: str
    clock_back_seconds: int
    chain: ChainShape | None = None
    problems: list[str]


AddressShape.model_rebuild()
Known.model_rebuild()


def parse_error(what: str) -> UsageError:
    """The error of a parameter that does not fit."""
    return UsageError(f"{what} does not fit", hint="see /api/v1/openapi.json")
