"""Idempotency keys: a write that is sent twice is done once, and answered alike.

A key is noted before the write begins. Where the node stops in between, nobody can say whether the write was done; a repetition
is then refused with a word to look, rather than done again. An answer is kept for a day, and given again only to whom it was
given, with the rights that they had; one that holds a secret is not kept at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.errors import Conflict, UsageError
from shieldwall.model.access import Identity
from shieldwall.model.canonical import digest
from shieldwall.store import Store

LONGEST = 200  # characters of a key
KEPT = 24 * 3600 * 1_000_000  # microseconds that an answer is kept
_SECRET = -1  # status of an answer that was not kept


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    media_type: str
    body: bytes


class Repeats:
    """The keys of one identity, for one act.

    Args:
        store: Where they are kept.
        identity: Whose.
        act: As the audit log calls what is asked for.
    """

    def __init__(self, store: Store, identity: Identity, act: str) -> None:
        self._store = store
        self._identity = identity
        self._act = act

    def begin(self, key: str, asked: bytes) -> Answer | None:
        """Note a key; the earlier answer where this very request was done before, with a record that it was given again.

        Args:
            key: As the caller sent it.
            asked: SHA-256 of everything in the request that decides.

        Raises:
            UsageError: A key that is too long.
            Conflict: The key stands for another request, for one whose end is not known or whose answer was a secret, or the
                caller has other rights than then.
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
        if found.status == _SECRET:
            raise Conflict(
                "that was done; its answer held a secret, which is shown once", hint="end it, and make another"
            )
        rights, _, rest = found.body.partition(b"\n")
        if rights.decode() != self._rights:
            raise Conflict("that was done; your rights have changed since", hint="look at what you may see of it now")
        media_type, _, body = rest.partition(b"\n")
        self._store.record(self._identity, self._act, again=True)
        return Answer(found.status, media_type.decode(), body)

    def end(self, key: str, answer: Answer, *, secret: bool) -> None:
        """Keep the answer, or only that there was one."""
        body = b"" if secret else b"\n".join((self._rights.encode(), answer.media_type.encode(), answer.body))
        with self._store.upkeep(self._identity) as work:
            work.answers.end(self._place(key), _SECRET if secret else answer.status, body)

    def forget(self, key: str) -> None:
        """Free the key: nothing was done."""
        with self._store.upkeep(self._identity) as work:
            work.answers.forget(self._place(key))

    @property
    def _rights(self) -> str:
        who = self._identity
        sets = (who.groups, who.cases, who.permissions)
        return digest([who.highest.label, *(sorted(str(each) for each in one) for one in sets)])

    def _place(self, key: str) -> bytes:
        return self._store.secrets.keyed("answer", self._identity.person, self._identity.token, key)
