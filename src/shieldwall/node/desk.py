"""What waits for an answer: money that moved, work that runs or failed, claims that contradict, data that has grown old.

Everything here is what one person may see. What is looked through only in part says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shieldwall.cases.tracker import State as RequestState
from shieldwall.model.access import Identity, Permission
from shieldwall.model.claim import Subject
from shieldwall.model.moment import unix, utc
from shieldwall.model.standing import standing
from shieldwall.node.casework.asking import Asked, asked_in
from shieldwall.store.claims import Kept
from shieldwall.store.jobs import Job, State
from shieldwall.store.requests import RequestRow
from shieldwall.store.watches import Alarm

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

ROWS = 8
"""Rows that each list shows; the rest is behind its count."""

MOST_CLAIMS = 400
"""Newest claims of each kind that contradictions are looked for in."""

DISPUTABLE = ("tag", "actor", "change-overrule")
"""Kinds of claim of which two that differ contradict. Two notes, or two traces, do not."""

CHAIN_OLD = 3 * 3600  # seconds behind the clock: Bitcoin goes a block in ten minutes
TAGS_OLD = 60 * 86_400
DIRECTORY_OLD = 180 * 86_400
_SECOND = 1_000_000
DUE_SOON = 3 * 86_400 * _SECOND
"""So long before something of a request is due it stands on the desk."""

MOST_TOLD = 100
_FAILED_FOR = 7 * 86_400 * _SECOND
"""How long a job that failed is told of."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Claims on one subject that stand, and do not say the same.

    Attributes:
        subject: What they are about.
        kind: Of the claims.
        sides: What each side says, in words, with who says it.
    """

    subject: Subject
    kind: str
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Old:
    """Data that has grown old.

    Attributes:
        what: chain, tags, directory, background, watches or jobs.
        name: Which of them.
        since: ISO 8601, where it ends or was made; "" where nobody knows.
        seconds: How old it is; None where nobody knows.
    """

    what: str
    name: str
    since: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits.

    Attributes:
        alarms: The newest alarms that nobody has answered.
        unanswered: How many there are.
        jobs: Jobs that wait, run, or failed lately, the newest first.
        more_jobs: There are more of them.
        contradictions: Between claims.
        searched: Claims that were looked through for them.
        partly: There are older claims that were not.
        old: Data that has grown old.
        requests: Requests that wait for a decision of whoever asks, and those of which something is due, the most urgent first.
        to_tell: How many must be told that what they have was taken back.
        at: When all this was so, in microseconds.
    """

    alarms: Sequence[Alarm]
    unanswered: int
    jobs: Sequence[Job]
    more_jobs: bool
    contradictions: Sequence[Contradiction]
    searched: int
    partly: bool
    old: Sequence[Old]
    requests: Sequence[Asked]
    to_tell: int
    at: int


def look_at_desk(node: Node, identity: Identity, act: str) -> Desk:
    """The desk of whoever asks."""
    with node.store.look(identity, act) as work:
        work.must(Permission.READ)
        alarms, unanswered = work.watches.alarms(most=ROWS, answered=False), work.watches.unanswered()
        jobs = _jobs(work)
        contradictions, searched, partly = _contradictions(node, work)
        old = stale(node, work)
        requests, to_tell = _requests(node, work), len(work.travels.to_tell(most=MOST_TOLD))
        at = work.now
    more_jobs = len(jobs) > ROWS
    return Desk(
        alarms, unanswered, jobs[:ROWS], more_jobs, contradictions, searched, partly, old, requests, to_tell, at
    )


def _requests(node: Node, work: Work) -> list[Asked]:
    """What waits for whoever asks: those that they may decide on, and those of which something is due soon."""
    identity, rows = work.identity, dict[str, RequestRow]()
    if identity.may(Permission.APPROVE):
        rows |= {row.id: row for row in work.requests.page(most=MOST_TOLD, states=[RequestState.WAITING.value])}
    rows |= {row.id: row for row in work.requests.due(by=work.now + DUE_SOON, most=MOST_TOLD)}
    found = [asked_in(node, work, row_id) for row_id in rows]
    own = [
        each
        for each in found
        if each.track.state is not RequestState.WAITING or identity.person not in each.track.writers
    ]
    return sorted(own, key=lambda each: (each.due[0].at if each.due else 0, each.row.id))


def _jobs(work: Work) -> list[Job]:
    found = [job for state in (State.RUNNING, State.QUEUED) for job in work.jobs.page(most=ROWS + 1, state=state.value)]
    failed = work.jobs.page(most=ROWS + 1, state=State.FAILED.value)
    found += [job for job in failed if (job.ended_at or 0) > work.now - _FAILED_FOR]
    return sorted(found, key=lambda job: (-job.created_at, job.id))


def _contradictions(node: Node, work: Work) -> tuple[list[Contradiction], int, bool]:
    """Those among the newest claims. Which subjects they are on is kept until a claim comes or goes; the rest is read anew."""
    identity = work.identity
    rights = (identity.person, identity.highest, identity.groups, identity.cases, identity.permissions)
    subjects, searched, partly = node.disputed.get((rights, work.claims.stamp()), lambda: disputed_in(work))
    beside = work.claims.find_many(list(subjects)) if subjects else {}
    found = [each for subject in subjects for each in _of(subject, beside.get(subject, []), work.now)]
    return found, searched, partly


def disputed_in(work: Work) -> tuple[tuple[Subject, ...], int, bool]:
    """Subjects of contradictions among the newest claims, how many claims were looked through, and whether there are more."""
    newest = [kept for kind in DISPUTABLE for kept in work.claims.newest(kind=kind, most=MOST_CLAIMS)]
    partly = any(sum(kept.claim.kind == kind for kept in newest) >= MOST_CLAIMS for kind in DISPUTABLE)
    subjects = list(dict.fromkeys(kept.claim.subject for kept in newest))
    beside = work.claims.find_many(subjects) if subjects else {}
    found = [subject for subject in subjects if _of(subject, beside.get(subject, []), work.now)]
    return tuple(found), len(newest), partly


def _of(subject: Subject, said: Sequence[Kept], now: int) -> list[Contradiction]:
    by_id = {kept.id: kept for kept in said}
    return [
        Contradiction(subject, dispute.kind, tuple(_side(by_id[ids[0]]) for ids in dispute.sides))
        for dispute in standing(said, now).disputes
        if dispute.kind in DISPUTABLE
    ]


def _side(kept: Kept) -> str:
    said: Mapping[str, object] = kept.claim.statement
    match kept.claim.kind:
        case "change-overrule":
            what = "no output is change" if said.get("none") else f"output {said.get('output')} is change"
        case _:
            what = str(said.get("label", ""))
    return f"{what} ({kept.claim.made_by or kept.claim.source})"


def stale(node: Node, work: Work) -> list[Old]:
    """Data that has grown old by the clock of now, and background work that fails."""
    now = work.now // _SECOND
    found = []
    for name, shelf in node.chains.there().items():
        with shelf.open() as chain:
            end = chain.tip_time
        if end is None or now - end > CHAIN_OLD:
            found.append(Old("chain", name, "" if end is None else utc(end), None if end is None else now - end))
    for info, came, _ in node.tag_sets(work.identity).dated_in(work):
        age = now - came // _SECOND
        if age > TAGS_OLD:
            found.append(Old("tags", info.name, utc(came // _SECOND), age))
    dated = node.directory.dated
    if now - unix(dated) > DIRECTORY_OLD:
        found.append(Old("directory", "", dated, now - unix(dated)))
    found += [Old("background", name, "", None) for name in sorted(node.problems)]
    return found
