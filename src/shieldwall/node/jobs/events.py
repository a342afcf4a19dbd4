"""Tell those who look at a job how it goes, as it goes: for server-sent events.

What a listener is given is always read from the table, with their own rights: a job in another process is seen as well as one
in this one, only up to a second later, and who may no longer see a job hears no more of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from shieldwall.errors import Refused

if TYPE_CHECKING:
    from shieldwall.model.access import Identity
    from shieldwall.store.engine import Store
    from shieldwall.store.jobs import Job

EVERY = 1.0  # seconds between two looks at the table, where nobody in this process says that there is news


class Bell:
    """Wakes those who wait for news, in this process."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        """How often it rang; to be read before looking, and given to `wait` after."""
        with self._condition:
            return self._rung

    def ring(self) -> None:
        """There is news."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, since: int, seconds: float) -> None:
        """Wait until it has rung since, at most so many seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != since, timeout=seconds)


class Subscription:
    """One who looks at one job.

    Args:
        store: The store.
        identity: Tells who looks, with the rights of now; Refused where they may not come in any more. Their first look is to
            be an act of its own.
        job_id: At what.
        bell: Rung when a job of this process moves.
        every: Seconds between two looks at the table.
    """

    def __init__(
        self, store: Store, identity: Callable[[], Identity], job_id: str, bell: Bell, every: float = EVERY
    ) -> None:
        self._store = store
        self._identity = identity
        self._job_id = job_id
        self._bell = bell
        self._every = every
        self._last: Job | None = None
        self.over = False

    def next(self, seconds: float) -> Job | None:
        """The job as it stands, at once the first time, then as soon as anything of it has changed.

        Args:
            seconds: How long to wait for a change.

        Returns:
            The job; None where nothing changed, or where `over`: the job ended, or may not be seen any more.
        """
        end = time.monotonic() + seconds
        while not self.over:
            rung = self._bell.rung
            job = self._look()
            if job is not None:
                self.over = job.ended
                return job
            left = end - time.monotonic()
            if left <= 0 or self.over:
                return None
            self._bell.wait(rung, min(left, self._every))
        return None

    def close(self) -> None:
        """Hear no more."""
        self.over = True
        self._bell.ring()

    def _look(self) -> Job | None:
        """The job where a listener would see a difference."""
        try:
            with self._store.inside(self._identity()) as work:
                job = work.jobs.get(self._job_id)
        except Refused:
            self.over = True
            return None
        last, self._last = self._last, job
        return None if last is not None and _shown(last) == _shown(job) else job


def _shown(job: Job) -> tuple[object, ...]:
    return job.state, job.stage, job.done, job.total, job.attempt, job.cancel_asked, job.handling
