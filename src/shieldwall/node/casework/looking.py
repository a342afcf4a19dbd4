"""A case as its members see it, now or as it was known at a moment; and what it shares with other cases of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shieldwall.cases.clocks import Deadline, deadlines
from shieldwall.cases.finding import FINDING
from shieldwall.cases.network import Network, Said, Thing, network_of
from shieldwall.cases.redflags import Flag, red_flags
from shieldwall.cases.relation import RELATION, TYPES
from shieldwall.errors import PartialData
from shieldwall.model.access import Identity
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.network import by_name
from shieldwall.node.casework.asking import Asked, asked_in
from shieldwall.node.casework.holding import Held, held_in
from shieldwall.node.casework.opening import done_in, first_hour, incident_of
from shieldwall.node.casework.references import clocks
from shieldwall.node.casework.saying import SAID, object_of
from shieldwall.store.cases import Case
from shieldwall.store.claims import Kept
from shieldwall.store.files import File
from shieldwall.store.timeline import Entry
from shieldwall.store.travels import Travel

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_SECOND = 1_000_000
ENTRIES = 60
"""Entries of the timeline that a page shows."""

MOST_FINDINGS = 500
_MOST_FILES = 200
_MOST_REQUESTS = 200
_MOST_RELATIONS = 5000
_MOST_SHARED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """As when a case is looked at.

    Attributes:
        known_at: As it was known then, in microseconds; None for now.
        happened_by: What had happened by then, in microseconds; None for everything.
        height: The height that was asked for; None where a time was.
        network: Of the height.
    """

    known_at: int | None = None
    happened_by: int | None = None
    height: int | None = None
    network: str = ""


NOW = AsOf()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Something that a case has in common with others of whoever asks: what, its name, and the other cases (id, title)."""

    type: str
    name: str
    cases: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """What a page of a case shows.

    Attributes:
        case: The case.
        names: Names of its members, by id.
        as_of: As when.
        incident: What is told of the incident.
        first_hour: The points of the first hour, and which were done.
        deadlines: Reports that may be due, the next one first.
        findings: By layer, in the order in which they came.
        taken_back: Findings and events that were, the latest first; none where the case is seen as it was.
        evidence: With custody logs.
        requests: The newest first.
        files: Traces, packages, letters and uploads, the newest first.
        entries: A page of the timeline, the latest first.
        counts: Entries of the timeline by kind.
        more: Where the timeline goes on; None at its end.
        meetings: Names of people of other teams who work on something of this case, with the day.
        shared: What other cases of whoever asks have in common with it.
        to_tell: Ways of what was taken back, at whose end nobody has been told.
        now: The moment, in microseconds.
    """

    case: Case
    names: Mapping[str, str]
    as_of: AsOf
    incident: Mapping[str, str]
    first_hour: Sequence[tuple[int, str, bool]]
    deadlines: Sequence[Deadline]
    findings: Mapping[Layer, Sequence[Kept]]
    taken_back: Sequence[Kept]
    evidence: Sequence[Held]
    requests: Sequence[Asked]
    files: Sequence[File]
    entries: Sequence[Entry]
    counts: Mapping[str, int]
    more: tuple[int, str] | None
    meetings: Sequence[tuple[str, int]]
    shared: Sequence[Shared]
    to_tell: Sequence[Travel]
    now: int


def as_of(node: Node, *, time: int | None = None, height: int | None = None, network: str = "") -> AsOf:
    """As when to look: as it was known at a moment (Unix seconds); as the world stood at the block at a height; or both.

    A moment hides what became known later. A height hides what happened after the time of its block, whoever learnt of it when;
    what people did here (findings, evidence, requests, files) happened when they did it.

    Raises:
        PartialData: The chain store has no block at that height.
        UsageError: No such network.
    """
    known = None if time is None else time * _SECOND + _SECOND - 1
    if height is None:
        return AsOf(known_at=known)
    with node.chain(network) as chain:
        found = (chain.column("block_height") == height).nonzero()[0]
        if not len(found):
            raise PartialData(f"the chain store has no block at height {height}", hint="look at what it holds: Node")
        at = int(chain.column("block_time")[int(found[0])]) * _SECOND
        return AsOf(known_at=known, happened_by=at, height=height, network=chain.network.name)


def look_at_case(
    node: Node,
    identity: Identity,
    act: str,
    case_id: str,
    *,
    at: AsOf = NOW,
    before: tuple[int, str] | None = None,
    kinds: Sequence[str] = (),
    most: int = ENTRIES,
) -> CaseView:
    """A case.

    Args:
        node: The node.
        identity: Whoever asks.
        act: As the audit log calls it.
        case_id: Which.
        at: As when.
        before: Where the timeline goes on.
        kinds: Entries of the timeline of these kinds only.
        most: How many of them.

    Raises:
        NotFound: No such case that whoever asks may see.
        Tampered: Something of it is not what was kept.
    """
    with node.store.look(identity, act, case=case_id) as work:
        return case_in(node, work, case_id, at=at, before=before, kinds=kinds, most=most)


def case_in(
    node: Node,
    work: Work,
    case_id: str,
    *,
    at: AsOf = NOW,
    before: tuple[int, str] | None = None,
    kinds: Sequence[str] = (),
    most: int = ENTRIES,
) -> CaseView:
    """The same within an act."""
    case = work.cases.get(case_id)
    known = at.known_at
    cut = min((moment for moment in (known, at.happened_by) if moment is not None), default=None)
    incident, incident_id = incident_of(work, case_id, known_at=known)
    entries = work.timeline.page(
        case_id, most=most + 1, before=before, kinds=kinds, known_at=known, happened_by=at.happened_by
    )
    findings: dict[Layer, list[Kept]] = {layer: [] for layer in Layer}
    for kept in work.claims.of_case(case_id, [FINDING.name], most=MOST_FINDINGS, known_at=cut):
        findings[kept.claim.layer].append(kept)
    rows = work.requests.page(most=_MOST_REQUESTS, case=case_id)
    files = work.files.page(most=_MOST_FILES, case=case_id)
    if cut is not None:
        rows = [row for row in rows if row.created_at <= cut]
        files = [file for file in files if file.created_at <= cut]
    done = done_in(work, case_id, incident_id, known_at=known)
    country = incident.get("country", "")
    return CaseView(
        case=case,
        names=work.people.names(case.people),
        as_of=at,
        incident=incident,
        first_hour=first_hour(done) if incident else (),
        deadlines=deadlines(clocks().of(country), incident, (known or work.now) // _SECOND) if country else (),
        findings=findings,
        taken_back=() if cut else _taken_back(work, case_id),
        evidence=held_in(work, case_id, known_at=cut),
        requests=[asked_in(node, work, row.id, known_at=cut) for row in rows],
        files=files,
        entries=entries[:most],
        counts=work.timeline.counts(case_id, known_at=known, happened_by=at.happened_by),
        more=(entries[most - 1].happened_at, entries[most - 1].id) if len(entries) > most else None,
        meetings=() if cut else [(one.contact, one.day) for one in work.cases.meetings() if one.case == case_id],
        shared=() if cut else shared_in(work, case_id),
        to_tell=() if cut else [way for way in work.travels.to_tell(most=200) if way.handling.case == case_id],
        now=work.now,
    )


def _taken_back(work: Work, case_id: str) -> list[Kept]:
    found = [each for each in work.claims.taken_back(case_id, most=MOST_FINDINGS) if each.claim.kind in SAID]
    return sorted(found, key=lambda each: -(each.retracted_at or 0))


def shared_in(work: Work, case_id: str) -> list[Shared]:
    """What other cases of whoever asks have in common with one, by subject: addresses, transactions, clusters, groups."""
    keys = work.cases.marks(case_id)
    found = work.cases.shared(case_id, keys)
    if not found:
        return []
    titles = {each: work.cases.get(each).title for each in {case for cases in found.values() for case in cases}}
    named = _named(work, case_id, set(found))
    rows = [
        Shared(type=kind, name=name, cases=[(case, titles[case]) for case in sorted(found[key])])
        for key, (kind, name) in named.items()
    ]
    unnamed = len(found) - len(rows)
    rows.sort(key=lambda each: (-len(each.cases), each.type, each.name))
    rest = rows[_MOST_SHARED:]
    if rest or unnamed:
        rows = rows[:_MOST_SHARED]
        rows.append(Shared(type="others", name=str(len(rest) + unnamed), cases=()))
    return rows


def network_in(node: Node, identity: Identity, act: str, case_ids: Sequence[str]) -> tuple[Network, dict[str, str]]:
    """The network of cases, and their titles.

    Raises:
        NotFound: One of them is none that whoever asks may see.
    """
    with node.store.look(identity, act, cases=sorted(case_ids)) as work:
        said: list[Said] = []
        titles = {}
        for case_id in case_ids:
            case = work.cases.get(case_id)
            titles[case_id] = case.title
            said += _relations(work, case_id)
            said += _money(node, work, case_id)
    return network_of(said), titles


def flags_in(node: Node, identity: Identity, act: str, case_id: str) -> list[Flag]:
    """The red flags that the traces of a case can answer.

    Raises:
        NotFound: No such case that whoever asks may see.
    """
    with node.store.look(identity, act, case=case_id) as work:
        work.cases.get(case_id)
        traces = work.files.page(most=50, case=case_id, kind="trace")
        return red_flags([node.frozen.open(work, file.id).body for file in traces])


def _relations(work: Work, case_id: str) -> list[Said]:
    found = []
    for kept in work.claims.of_case(case_id, [RELATION.name], most=_MOST_RELATIONS):
        claim, said = kept.claim, kept.claim.statement
        if claim.subject.type in TYPES and said["object_type"] in TYPES:
            found.append(
                Said(
                    source=Thing(claim.subject.type, claim.subject.name, claim.subject.chain),
                    target=Thing(str(said["object_type"]), str(said["object"]), str(said.get("chain", ""))),
                    relation=str(said["relation"]),
                    layer=claim.layer.value,
                    said_by=claim.made_by,
                    case=case_id,
                    basis=str(said.get("basis", "")),
                )
            )
    return found


def _money(node: Node, work: Work, case_id: str) -> list[Said]:
    """Whom the traces of a case lead to: what they started from, and the services that they reached."""
    found = []
    for file in work.files.page(most=20, case=case_id, kind="trace"):
        body = node.frozen.open(work, file.id).body
        chain = by_name(body["network"]).caip2
        starts = [each["identity"] for each in body["targets"] if each["found"] and each["kind"] == "address"]
        for end in body["ends"][:20]:
            if end["kind"] == "service" and end["service"] and body["direction"] == "forward":
                found += [
                    Said(
                        source=Thing("address", start, chain),
                        target=Thing("service", str(end["service"])),
                        relation="sent to",
                        layer="inference",
                        said_by=f"trace {body['digest'][:12]}, {body['method']}",
                        case=case_id,
                    )
                    for start in starts
                ]
    return found


def _named(work: Work, case_id: str, keys: set[int]) -> dict[int, tuple[str, str]]:
    """What the keys of subjects stand for, out of what this case itself says and shows."""
    found: dict[int, tuple[str, str]] = {}
    for kept in work.claims.of_case(case_id, [RELATION.name, "tag", "note", "trace", "hop"], most=_MOST_RELATIONS):
        subjects = [kept.claim.subject]
        if kept.claim.kind == RELATION.name:
            subjects.append(object_of(kept.claim))
        for subject in subjects:
            found.setdefault(work.claims.subject_key(subject), (subject.type, subject.name))
    for entry in work.timeline.page(case_id, most=2000, kinds=["transfer"]):
        found |= _of_transfer(work, entry.body)
    return {key: name for key, name in found.items() if key in keys}


def _of_transfer(work: Work, body: Mapping[str, object]) -> dict[int, tuple[str, str]]:
    chain = str(body.get("chain", ""))
    pairs = (("transaction", str(body["txid"])), ("address", str(body["address"])))
    return {work.claims.subject_key(Subject(kind, chain, name)): (kind, name) for kind, name in pairs if name}
