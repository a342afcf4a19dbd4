"""Answers to writes that carried an idempotency key, kept for a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from shieldwall.errors import Conflict
from shieldwall.store.schema import answers

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept answer: to which request, with which status (0: its end is not known), and the body."""

    request: bytes
    status: int
    body: bytes


class Answers:
    """The answers, within one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def begin(self, key: bytes, request: bytes, *, kept: int) -> Kept | None:
        """Note a key (32 bytes) for a request (SHA-256), or find what stands under it; older than `kept` microseconds is gone.

        Raises:
            Conflict: Somebody frees it at this moment.
        """
        connection, now = self._work.connection, self._work.now
        connection.execute(delete(answers).where(answers.c.at < now - kept))
        sealed = self._work.seal(answers.name, "body", key, b"")
        values = {"key": key, "request": request, "status": 0, "body_sealed": sealed, "at": now}
        if self._work.store.backend.insert_new(connection, answers, [values]):
            return None
        row = connection.execute(select(answers).where(answers.c.key == key)).one_or_none()
        if row is None:  # it was freed between the two statements
            raise Conflict("that request is under way", hint="send it again")
        return Kept(row.request, row.status, self._work.open(answers.name, "body", key, row.body_sealed))

    def end(self, key: bytes, status: int, body: bytes) -> None:
        """Keep the answer under a key."""
        sealed = self._work.seal(answers.name, "body", key, body)
        self._work.connection.execute(
            update(answers).where(answers.c.key == key).values(status=status, body_sealed=sealed)
        )

    def forget(self, key: bytes) -> None:
        """Free a key."""
        self._work.connection.execute(delete(answers).where(answers.c.key == key))
