"""Idempotency keys: a write that is sent twice is done once, and answered alike.

A key is noted before the write begins. Where the node stops in between, nobody can say whether the write was done; a repetition
is then refused with a word to look, rather than done again.
"""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.errors import Conflict, UsageError
from shieldwall.model.access import Identity
from shieldwall.store import Store

LONGEST = 200  # characters of a key
KEPT = 24 * 3600 * 1_000_000  # microseconds that an answer is kept


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    media_type: str
    body: bytes


class Repeats:
    """The keys of one identity."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self._identity = identity

    def begin(self, key: str, asked: bytes) -> Answer | None:
        """Note a key; the earlier answer where this very request was done before.

        Args:
            key: As the caller sent it.
            asked: SHA-256 of method, address and body.

        Raises:
            UsageError: A key that is too long.
            Conflict: The key stands for another request, or for one whose end is not known.
        """
        if len(key) > LONGEST:
            raise UsageError(f"an idempotency key has at most {LONGEST} characters")
        with self._store.upkeep(self._identity) as work:
            found = work.answers.begin(self._place(key), asked, kept=KEPT)
        if found is None:
            return None
        if found.request != asked:
            raise Conflict("this idempotency key was used for another request", hint="take a new key")
        if not found.status:
            raise Conflict(
                "that request was begun before, and how it ended is not known", hint="look whether it was done"
            )
        media_type, _, body = found.body.partition(b"\n")
        return Answer(found.status, media_type.decode(), body)

    def end(self, key: str, status: int, body: bytes, media_type: str) -> None:
        """Keep the answer."""
        with self._store.upkeep(self._identity) as work:
            work.answers.end(self._place(key), status, media_type.encode() + b"\n" + body)

    def forget(self, key: str) -> None:
        """Free the key: nothing was done."""
        with self._store.upkeep(self._identity) as work:
            work.answers.forget(self._place(key))

    def _place(self, key: str) -> bytes:
        return self._store.secrets.keyed("answer", self._identity.person, self._identity.token, key)
