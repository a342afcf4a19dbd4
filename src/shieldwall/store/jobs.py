"""Jobs: work that takes longer than an answer may, in a table of the node's own, so that it survives the process.

A worker holds a job by a lease. Whoever holds none, or one that ran out and was given to another, can neither tell how far it
is nor end it; so no job is done twice at once, and what a job makes is committed once, in the act that ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from shieldwall.errors import BadText, Conflict, NotAllowed, NotFound, Tampered, TooMany
from shieldwall.model.access import Handling, Kind, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id
from shieldwall.store.placing import must_own, must_place, older_than
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import jobs
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST_QUEUED = 100
"""How many jobs of one person may wait at once."""

MOST_ATTEMPTS = 3
"""How often a job may take the process down with it before it is not begun again."""
_LONGEST_STAGE = 100  # characters
_LONGEST_WORKER = 100
_TABLE = jobs.name


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset((State.DONE, State.FAILED, State.CANCELLED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands.

    Attributes:
        id: Its id.
        kind: What is done, such as chain.build.
        params: With what; plain JSON values.
        highest: The highest marking that whoever asked could see then: the job sees no more.
        state: Where it stands.
        attempt: How often a worker began it.
        worker: Who holds it, or held it last; "" for nobody yet.
        lease_until: Until when, in microseconds.
        stage: What it does now, in a word.
        done: How far it is, of `total`; 0 of 0 where nobody knows.
        total: See `done`.
        cancel_asked: Whether it is to stop.
        created_at: In microseconds, as the following; None for not yet.
        started_at: When it was first begun.
        ended_at: When it ended.
        outcome: What came of it, or why nothing did; plain JSON values, None before it ended.
        handling: Who may see it; after the end at least as strict as what went into its result.
    """

    id: str
    kind: str
    params: Mapping[str, Any]
    highest: Marking
    state: State
    attempt: int
    worker: str
    lease_until: int
    stage: str
    done: int
    total: int
    cancel_asked: bool
    created_at: int
    started_at: int | None
    ended_at: int | None
    outcome: Mapping[str, Any] | None
    handling: Handling

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDED

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt was cut off."""
        return self.attempt > 1

    @property
    def worn_out(self) -> bool:
        """Whether it was cut off as often as is borne; it is to be failed and not begun."""
        return self.attempt > MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Load:
    """What whoever runs the node sees of a job: its id, kind and owner, its state, how often it was begun, since when."""

    id: str
    kind: str
    owner: str
    state: State
    attempt: int
    created_at: int


class Jobs:
    """The jobs, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._secrets = work.store.secrets

    def add(self, kind: str, params: Mapping[str, Any], key: str, handling: Handling) -> tuple[Job, bool]:
        """Queue a job; the same key from the same person is the same job.

        Args:
            kind: What to do.
            params: With what; plain JSON values.
            key: Chosen by whoever asks.
            handling: Who may see the job; its owner is whoever asks.

        Returns:
            The job, and whether it is new.

        Raises:
            NotAllowed: Whoever asks may not write, or asks for a marking above what they may see.
            NotFound: No such case or group that they are a member of.
            Conflict: The key was used for another job.
            TooMany: Too many of theirs wait already.
        """
        identity = self._work.identity
        must_make(self._work, handling)
        job_id = new_id()
        body = {"params": dict(params), "highest": int(identity.highest)}
        values = {
            "id": job_id,
            "kind": kind,
            "key": self._secrets.keyed("job", identity.person, key),
            "params_sealed": self._work.seal(_TABLE, "params", job_id, canonical_json(body)),
            "state": State.QUEUED.value,
            "attempt": 0,
            "worker": "",
            "lease_until": 0,
            "stage": "",
            "done": 0,
            "total": 0,
            "cancel_asked": False,
            "created_at": self._work.now,
            **columns_of(handling),
        }
        waiting = and_(jobs.c.owner == identity.person, jobs.c.state == State.QUEUED.value)
        counted = select(func.count()).select_from(jobs).where(waiting)
        if identity.person and self._work.connection.execute(counted).scalar_one() >= MOST_QUEUED:
            raise TooMany(f"{MOST_QUEUED} jobs of yours wait already", hint="wait until some are done, or cancel some")
        if self._work.store.backend.insert_new(self._work.connection, jobs, [proven(self._work, jobs, values)]):
            return self._read(jobs.c.id == job_id), True
        there = self._read(jobs.c.key == values["key"])
        if not may_see(identity, there.handling) or there.kind != kind or dict(there.params) != dict(params):
            raise Conflict("that key stands for another job already", hint="give each job a key of its own")
        return there, False

    def get(self, job_id: str) -> Job:
        """The job with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        row = self._row(jobs.c.id == job_id, self._visible)
        if row is None or not may_see(self._work.identity, handling_of(row)):
            raise NotFound("there is no such job")
        return self._job(row)

    def page(self, *, after: str = "", most: int, kind: str = "", state: str = "") -> list[Job]:
        """Jobs with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No job `after` that whoever asks may see.
        """
        conditions = [self._visible, older_than(self._work, jobs, after, self._visible)]
        if kind:
            conditions.append(jobs.c.kind == kind)
        if state:
            conditions.append(jobs.c.state == state)
        query = select(jobs).where(*conditions).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(most)
        rows = self._work.connection.execute(query)
        return [self._job(row) for row in rows if may_see(self._work.identity, handling_of(row))]

    def count(self, state: State) -> int:
        """How many jobs of the whole node are in a state; for whoever runs it, never for an answer about cases."""
        query = select(func.count()).select_from(jobs).where(jobs.c.state == state.value)
        return int(self._work.connection.execute(query).scalar_one())

    def ask_to_cancel(self, job_id: str) -> Job:
        """Have a job stop: one that waits ends at once, one that runs at its next step.

        Whoever runs the node may stop any, by its id, without seeing what it is about.

        Raises:
            NotAllowed: Whoever asks may not write, or it is another person's.
            NotFound: None that they may see.
            Conflict: It is over.
        """
        if self._work.identity.may(Permission.MANAGE):
            job = self._read(jobs.c.id == job_id)
        else:
            self._must_write()
            job = self.get(job_id)
            must_own(self._work, job.handling)
        if job.ended:
            raise Conflict("that job is over", hint="see its outcome")
        self._update(
            and_(jobs.c.id == job_id, jobs.c.state == State.QUEUED.value),
            {"state": State.CANCELLED.value, "cancel_asked": True, "ended_at": self._work.now},
        )
        self._update(and_(jobs.c.id == job_id, jobs.c.state == State.RUNNING.value), {"cancel_asked": True})
        return self._read(jobs.c.id == job_id)

    def load(self, *, most: int) -> list[Load]:
        """The jobs that wait or run, the oldest first: whose, of which kind, how far; nothing of what they are about.

        Raises:
            NotAllowed: Whoever asks does not run the node.
        """
        self._work.must(Permission.MANAGE)
        open_ = jobs.c.state.in_((State.QUEUED.value, State.RUNNING.value))
        columns = jobs.c
        query = select(columns.id, columns.kind, columns.owner, columns.state, columns.attempt, columns.created_at)
        rows = self._work.connection.execute(query.where(open_).order_by(columns.created_at, columns.id).limit(most))
        return [Load(row.id, row.kind, row.owner, State(row.state), row.attempt, row.created_at) for row in rows]

    # workers

    def waiting(self, *, only: Collection[str] = (), never: Collection[str] = ()) -> bool:
        """Whether there is a job that `claim` would give; reads only."""
        self._must_be_node()
        query = select(jobs.c.id).where(*self._free(only, never)).limit(1)
        return self._work.connection.execute(query).first() is not None

    def cancel_asked(self, job_id: str) -> bool:
        """Whether a job is to stop; for whoever runs it."""
        self._must_be_node()
        return bool(self._work.connection.execute(select(jobs.c.cancel_asked).where(jobs.c.id == job_id)).scalar())

    def claim(self, worker: str, lease: int, *, only: Collection[str] = (), never: Collection[str] = ()) -> Job | None:
        """Take a job: the oldest that waits, or whose worker's lease ran out.

        Args:
            worker: A name that no other attempt at any job bears.
            lease: For how long, in microseconds.
            only: Kinds to take from; empty for all.
            never: Kinds that are not taken.

        Returns:
            The job, held by `worker`; None where there is none. One that is `worn_out`, or whose `cancel_asked` is set, is to be
            ended and not begun.
        """
        self._must_be_node()
        now = self._work.now
        # SQLite has one writer, who holds the database; PostgreSQL passes over rows that another worker looks at
        query = (
            select(jobs.c.id, jobs.c.attempt)
            .where(*self._free(only, never))
            .order_by(jobs.c.created_at, jobs.c.id)
            .limit(1)
        )
        row = self._work.connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
        if row is None:
            return None
        values = {
            "state": State.RUNNING.value,
            "attempt": row.attempt + 1,
            "worker": worker[:_LONGEST_WORKER],
            "lease_until": now + lease,
            "started_at": func.coalesce(jobs.c.started_at, now),
        }
        self._update(jobs.c.id == row.id, values)
        return self._read(jobs.c.id == row.id)

    def heartbeat(self, job: Job, lease: int, progress: tuple[str, int, int] | None = None) -> bool:
        """Hold a job for longer, and say how far it is.

        Args:
            job: As `claim` gave it.
            lease: For how long from now, in microseconds.
            progress: Stage, done, total; None leaves what stands there.

        Returns:
            Whether it is to be cancelled.

        Raises:
            Conflict: It is not held any more: the lease ran out and another took it, or it was ended.
        """
        values: dict[str, Any] = {"lease_until": self._work.now + lease}
        if progress is not None:
            stage, done, total = progress
            values |= {"stage": stage[:_LONGEST_STAGE], "done": _bounded(done), "total": _bounded(total)}
        self._must_hold(self._update(self._held(job), values))
        return bool(self._work.connection.execute(select(jobs.c.cancel_asked).where(jobs.c.id == job.id)).scalar_one())

    def finish(self, job: Job, state: State, outcome: Mapping[str, Any], handling: Handling | None = None) -> Job:
        """End a job that is held, in the act in which its result is written.

        Args:
            job: As `claim` gave it.
            state: done, failed or cancelled.
            outcome: What came of it; plain JSON values.
            handling: Of its result, where that is stricter than the job's own; then the job's from now on.

        Raises:
            Conflict: It is not held any more; nothing of the act is to be committed.
        """
        if state not in ENDED:
            raise ValueError(f"a job does not end as {state}")
        values: dict[str, Any] = {
            "state": state.value,
            "ended_at": self._work.now,
            "outcome_sealed": self._work.seal(_TABLE, "outcome", job.id, canonical_json(dict(outcome))),
        }
        if handling is not None:
            values |= columns_of(handling)
        self._must_hold(self._update(self._held(job), values))
        return self._read(jobs.c.id == job.id)

    def release(self, job: Job) -> None:
        """Give a job back unfinished, since its worker is to stop: it waits again, and this attempt does not count.

        Raises:
            Conflict: It is not held any more.
        """
        values = {"state": State.QUEUED.value, "attempt": jobs.c.attempt - 1, "worker": "", "lease_until": 0}
        self._must_hold(self._update(self._held(job), values))

    def settle(self, job: Job) -> Job:
        """Begin to count attempts anew, for a job that never ends and has run well for long.

        Raises:
            Conflict: It is not held any more.
        """
        self._must_hold(self._update(self._held(job), {"attempt": 1}))
        return self._read(jobs.c.id == job.id)

    # within

    @property
    def _visible(self) -> ColumnElement[bool]:
        return visible(self._work.identity, jobs)

    def _free(self, only: Collection[str], never: Collection[str]) -> list[ColumnElement[bool]]:
        """Which jobs a worker may take."""
        ran_out = and_(jobs.c.state == State.RUNNING.value, jobs.c.lease_until < self._work.now)
        conditions: list[ColumnElement[bool]] = [or_(jobs.c.state == State.QUEUED.value, ran_out)]
        if only:
            conditions.append(jobs.c.kind.in_(sorted(only)))
        if never:
            conditions.append(jobs.c.kind.not_in(sorted(never)))
        return conditions

    def _must_write(self) -> None:
        if self._work.identity.kind is not Kind.NODE:
            self._work.must(Permission.WRITE)

    def _must_be_node(self) -> None:
        if self._work.identity.kind is not Kind.NODE:
            raise NotAllowed("jobs are taken by the node alone")

    def _held(self, job: Job) -> ColumnElement[bool]:
        held = and_(jobs.c.worker == job.worker, jobs.c.attempt == job.attempt)
        return and_(jobs.c.id == job.id, jobs.c.state == State.RUNNING.value, held)

    def _must_hold(self, rows: int) -> None:
        if not rows:
            raise Conflict("the job was given to another worker, or ended, in the meantime")

    def _update(self, condition: ColumnElement[bool], values: Mapping[str, Any]) -> int:
        return change(self._work, jobs, condition, values=values)

    def _row(self, *conditions: ColumnElement[bool]) -> Row[Any] | None:
        return self._work.connection.execute(select(jobs).where(*conditions)).one_or_none()

    def _read(self, condition: ColumnElement[bool]) -> Job:
        """A job that is known to be there, without asking who may see it: for workers, and within `add`."""
        row = self._row(condition)
        if row is None:
            raise NotFound("there is no such job")
        return self._job(row)

    def _job(self, row: Row[Any]) -> Job:
        hold(self._work, jobs, row)
        body = self._plain(row, "params", row.params_sealed)
        return Job(
            id=row.id,
            kind=row.kind,
            params=body["params"],
            highest=Marking(body["highest"]),
            state=State(row.state),
            attempt=row.attempt,
            worker=row.worker,
            lease_until=row.lease_until,
            stage=row.stage,
            done=row.done,
            total=row.total,
            cancel_asked=row.cancel_asked,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=None if row.outcome_sealed is None else self._plain(row, "outcome", row.outcome_sealed),
            handling=handling_of(row),
        )

    def _plain(self, row: Row[Any], column: str, sealed: bytes) -> dict[str, Any]:
        raw = self._work.open(_TABLE, column, row.id, sealed)
        try:
            body = parse_json(raw, "job")
        except BadText as error:
            raise Tampered(f"a job in the store is none ({error.message})", hint="shieldwall node check") from None
        if not isinstance(body, dict):
            raise Tampered("a job in the store is none", hint="shieldwall node check")
        return body


def must_make(work: Work, handling: Handling) -> None:
    """Refuse a handling under which whoever asks may not make anything; the node may make what belongs to nobody.

    Raises:
        NotAllowed: They may not write, it would belong to another, or its marking is above what they may see.
        NotFound: No such case or group that they are a member of.
        Conflict: The case is closed.
    """
    identity = work.identity
    nobodys = handling.owner == "" and handling.case is None and handling.group is None
    if identity.kind is Kind.NODE and not identity.person and nobodys:
        return
    must_place(work, handling)
    if not may_see(identity, handling):
        raise NotAllowed("that marking is above what you may see", hint="choose one that you may see")


def _bounded(number: int) -> int:
    return max(0, min(int(number), (1 << 63) - 1))
