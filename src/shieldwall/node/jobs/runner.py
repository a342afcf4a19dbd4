"""Run jobs, in threads of the server: take one, hold it, do it, write its result and its end in one act.

A job is held by a lease that a thread of its own extends, so a long step costs nobody the job; a process that was killed, or
that stood still for too long, lets it lapse, and another worker begins again. Whoever comes back late then can change nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import (
    BadInput,
    BadText,
    Conflict,
    NotAllowed,
    PartialData,
    Refused,
    ShieldwallError,
    StoreError,
    UsageError,
)
from shieldwall.model.access import Handling, Identity, Permission, may_see
from shieldwall.model.marking import Marking
from shieldwall.node.jobs.context import NODE, Cancelled, Context, JobKind, Lost, Means, Stopped
from shieldwall.node.jobs.events import Bell, Subscription
from shieldwall.node.jobs.kinds import KINDS
from shieldwall.node.jobs.parameters import is_plain
from shieldwall.store.ids import new_id
from shieldwall.store.jobs import MOST_ATTEMPTS, Job, State

if TYPE_CHECKING:
    from shieldwall.store.engine import Store

_LONGEST_KEY = 255  # characters

_log = logging.getLogger(__name__)

IdentityOf = Callable[[str], Identity]
"""Whom a job works for, by the id of the person, with the rights of now; Refused where they may not come in any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerConfig:
    """How jobs are run.

    Attributes:
        workers: Threads for jobs that end. One more is kept for those that do not.
        lease: Seconds after which a job whose worker says nothing is given to another.
        idle: Seconds between two looks for work that another process brought.
        told: Least seconds between two steps that are written down.
        settled: Seconds after which a job that never ends counts as begun well.
    """

    workers: int = 1
    lease: float = 60.0
    idle: float = 1.0
    told: float = 0.5
    settled: float = 600.0


class Runner:
    """Runs the node's jobs.

    Args:
        means: What every job is given.
        identity_of: Tells whom a job works for.
        config: How they are run.
        kinds: What can be done.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        means: Means,
        identity_of: IdentityOf,
        config: RunnerConfig | None = None,
        *,
        kinds: Mapping[str, type[JobKind]] = KINDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._means = means
        self._store: Store = means.store
        self._identity_of = identity_of
        self._config = config or RunnerConfig()
        self._kinds = kinds
        self._endless = sorted(name for name, kind in kinds.items() if kind.endless)
        self._monotonic = monotonic
        self._bell = Bell()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._holds: dict[str, _Hold] = {}
        self._lock = threading.Lock()

    # for those who ask

    def add(
        self, identity: Identity, kind: str, params: Mapping[str, Any], key: str, handling: Handling
    ) -> tuple[Job, bool]:
        """Queue a job; the same key from the same person is the same job.

        Returns:
            The job, and whether it is new.

        Raises:
            UsageError: No such kind.
            BadText: The parameters or the key do not fit.
            Refused: As `store.jobs.Jobs.add` says.
        """
        if kind not in self._kinds:
            raise UsageError(f"no job is called {kind[:40]!r}", hint=f"use one of {', '.join(sorted(self._kinds))}")
        if not (key and len(key) <= _LONGEST_KEY and is_plain(key)):
            raise BadText(f"the key of a job is a text of at most {_LONGEST_KEY} characters")
        self._kinds[kind].parse(params)
        with self._store.act(identity, "job.add", kind=kind) as work:
            job, new = work.jobs.add(kind, params, key, handling)
            work.note(job=job.id, new=new)
        self._bell.ring()
        return job, new

    def cancel(self, identity: Identity, job_id: str) -> Job:
        """Have a job stop.

        Raises:
            Refused: As `store.jobs.Jobs.ask_to_cancel` says.
        """
        with self._store.act(identity, "job.cancel", job=job_id) as work:
            job = work.jobs.ask_to_cancel(job_id)
        with self._lock:
            hold = self._holds.get(job_id)
        if hold is not None:
            hold.cancel()
        self._bell.ring()
        return job

    def subscribe(self, identity: Identity, job_id: str, again: Callable[[], Identity] | None = None) -> Subscription:
        """Hear how a job goes.

        Args:
            identity: Who asks.
            job_id: Which job.
            again: Who that is now, asked at every look: rights may end while they listen.

        Raises:
            NotFound: None that whoever asks may see.
        """
        with self._store.look(identity, "job.follow", job=job_id) as work:
            work.jobs.get(job_id)
        return Subscription(self._store, again or (lambda: identity), job_id, self._bell)

    # running

    def start(self) -> None:
        """Begin to run jobs, in threads of this process."""
        self._stopping.clear()
        loops: list[tuple[str, Callable[[], None]]] = [("job-keeper", self._keep)]
        loops += [(f"job-{number}", lambda: self._work(endless=False)) for number in range(self._config.workers)]
        loops += [("job-endless", lambda: self._work(endless=True))] if self._endless else []
        self._threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30.0) -> bool:
        """Have all jobs stop at their next step, to go on later.

        Returns:
            Whether all did within so many seconds; what did not is gone on with when its lease has run out.
        """
        self._stopping.set()
        self._bell.ring()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        alive = any(thread.is_alive() for thread in self._threads)
        self._threads = []
        return not alive

    def run_one(self, *, endless: bool = False) -> bool:
        """Run one job, here and now, where there is one; for a single process that does nothing else.

        Args:
            endless: One of those that do not end, or one of those that do.
        """
        job = self._claim(endless=endless)
        if job is None:
            return False
        self._bell.ring()
        self._run(job)
        self._bell.ring()
        return True

    def _work(self, *, endless: bool) -> None:
        while not self._stopping.is_set():
            rung = self._bell.rung
            ran = False
            try:
                ran = self.run_one(endless=endless)
            except Exception as error:  # noqa: BLE001 - the store is away or full: try again later, this thread must live
                _log.warning("jobs cannot be run now (%s)", type(error).__name__)
            if not ran and not self._stopping.is_set():
                self._bell.wait(rung, self._config.idle)

    def _keep(self) -> None:
        while not self._stopping.wait(self._config.lease / 4):
            with self._lock:
                holds = list(self._holds.values())
            for hold in holds:
                try:
                    hold.beat()
                except Exception as error:  # noqa: BLE001 - the next beat may reach the store: this thread must live
                    _log.warning("a job's lease cannot be extended now (%s)", type(error).__name__)

    def _claim(self, *, endless: bool) -> Job | None:
        chosen: dict[str, Sequence[str]] = {"only" if endless else "never": self._endless}
        with self._store.inside(NODE) as work:
            if not work.jobs.waiting(**chosen):  # a look costs nobody the one writer's place
                return None
        worker = f"{os.getpid()}:{threading.current_thread().name}:{new_id()}"
        with self._store.upkeep(NODE) as work:
            return work.jobs.claim(worker, int(self._config.lease * 1_000_000), **chosen)

    def _run(self, job: Job) -> None:
        hold = _Hold(self._store, job, self._config, self._stopping, self._bell, self._monotonic)
        with self._lock:
            self._holds[job.id] = hold
        context: Context | None = None
        try:
            kind = self._kind(job)
            hold.endless = kind.endless
            context = Context(self._means, job, self._identity(job), hold)
            finish = kind.parse(job.params).run(context)
            hold.check()
            identity = self._identity(job)  # they may have lost rights while it ran
            handling = context.handling
            with self._store.act(
                identity, "job.finish", job=job.id, state=State.DONE.value, attempt=job.attempt
            ) as work:
                work.jobs.finish(hold.job, State.DONE, finish(work), handling)
        except Lost:
            pass
        except Stopped:
            with contextlib.suppress(Conflict), self._store.upkeep(NODE) as work:
                work.jobs.release(hold.job)
        except Cancelled:
            self._end(hold.job, State.CANCELLED, {}, context)
        except ShieldwallError as error:
            self._end(hold.job, State.FAILED, _why(error, job.handling), context)
        except Exception as error:  # noqa: BLE001 - a fault of one job must not end the node; it is told without its words
            _log.error("job %s failed by a fault of the program: %s", job.id, type(error).__name__)
            self._end(hold.job, State.FAILED, _fault(error), context)
        finally:
            with self._lock:
                self._holds.pop(job.id, None)

    def _kind(self, job: Job) -> type[JobKind]:
        """What is to be done for a job; raises where nothing is."""
        if job.cancel_asked:
            raise Cancelled
        if job.worn_out:
            raise StoreError(
                f"this job was cut off {MOST_ATTEMPTS} times: the process ended while it ran, so it is not begun again",
                hint="see the system's log for why (memory, disk?), and ask for less at once",
            )
        kind = self._kinds.get(job.kind)
        if kind is None:
            raise UsageError(f"this version does not know jobs called {job.kind!r}")
        return kind

    def _identity(self, job: Job) -> Identity:
        """Whom a job works for, with the rights of now, and none beyond what whoever asked could see then.

        Raises:
            Refused: They may not come in any more, or may not do or see this.
        """
        if not job.handling.owner:
            return NODE
        found = self._identity_of(job.handling.owner)
        identity = replace(found, kind=NODE.kind, highest=min(found.highest, job.highest))
        if not identity.may(Permission.WRITE) or not may_see(identity, job.handling):
            raise NotAllowed("the person who asked for this job may no longer do that")
        return identity

    def _end(self, job: Job, state: State, outcome: Mapping[str, Any], context: Context | None) -> None:
        """End a job without a result; where another worker holds it now, it is theirs to end."""
        handling = None if context is None else context.handling
        about = {"job": job.id, "state": state.value, "attempt": job.attempt}
        with contextlib.suppress(Conflict), self._store.act(NODE, "job.finish", **about) as work:
            work.jobs.finish(job, state, outcome, handling)


class _Hold:
    """Holds one job: extends its lease, writes down how far it is, and hears that it is to stop."""

    def __init__(
        self,
        store: Store,
        job: Job,
        config: RunnerConfig,
        stopping: threading.Event,
        bell: Bell,
        monotonic: Callable[[], float],
    ) -> None:
        self.job = job
        self.endless = False
        self._store = store
        self._config = config
        self._stopping = stopping
        self._bell = bell
        self._monotonic = monotonic
        self._began = self._told = monotonic()
        self._settled = False
        self._cancelled = False
        self._lost = False
        self._lock = threading.RLock()

    def cancel(self) -> None:
        """It is to stop."""
        self._cancelled = True

    def step(self, stage: str, done: int, total: int) -> None:
        """See `Hold`."""
        self.check()
        now = self._monotonic()
        with self._lock:
            due = now - self._told >= self._config.told
            if due:
                self._told = now
        if due:
            self.beat((stage, done, total))
            self.check()

    def check(self) -> None:
        """Raise what says that it is to stop."""
        if self._lost:
            raise Lost
        if self._cancelled:
            raise Cancelled
        if self._stopping.is_set():
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """See `Hold`."""
        end = time.monotonic() + seconds
        while not (self._lost or self._cancelled):
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._stopping.wait(min(left, self._config.idle)):
                return True
            self._look()
        return True

    def beat(self, progress: tuple[str, int, int] | None = None) -> None:
        """Hold the job for longer. What keeps the store from writing that now may be over before the lease is."""
        with self._lock, contextlib.suppress(StoreError):
            try:
                with self._store.upkeep(NODE) as work:
                    lease = int(self._config.lease * 1_000_000)
                    self._cancelled |= work.jobs.heartbeat(self.job, lease, progress)
                    if self.endless and not self._settled and self._monotonic() - self._began >= self._config.settled:
                        self.job, self._settled = work.jobs.settle(self.job), True
            except Conflict:
                self._lost = True
        self._bell.ring()

    def _look(self) -> None:
        """Whether another process asked it to stop."""
        with contextlib.suppress(StoreError, Refused), self._store.inside(NODE) as work:
            self._cancelled |= work.jobs.cancel_asked(self.job.id)


def _why(error: ShieldwallError, handling: Handling) -> dict[str, Any]:
    """Why a job failed. What was asked for wrongly, its owner alone is told: the words may name sets of tags that others must not
    know of.
    """
    private = handling.marking == Marking.RED and handling.case is None and handling.group is None
    if private or isinstance(error, BadInput | PartialData | StoreError):
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    return {
        "error": type(error).__name__,
        "message": "what was asked for does not fit what is there",
        "hint": "its owner can ask again with TLP:RED to read why",
    }


def _fault(error: Exception) -> dict[str, Any]:
    if isinstance(error, MemoryError):
        return {"error": "StoreError", "message": "the memory of this machine does not suffice", "hint": "ask for less"}
    return {
        "error": type(error).__name__,
        "message": "a fault of the program ended this job",
        "hint": "tell its makers which kind of job, with which parameters",
    }
