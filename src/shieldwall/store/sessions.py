"""Sessions of people, and tokens of machines: by which secret somebody comes in, and until when.

Only a keyed hash of a secret is here (`credentials.hash_of`), and every row is held to its proof before it lets anyone in. What
ended stays for a day, so that an old cookie is told from a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, insert, select

from shieldwall.model.access import Permission
from shieldwall.model.marking import Marking
from shieldwall.store.proving import change, held, one_held, proven
from shieldwall.store.schema import sessions, tokens

if TYPE_CHECKING:
    from shieldwall.store.work import Work

_TOUCH = 60_000_000  # microseconds between two notes of when someone was seen
_KEEP = 86_400_000_000  # microseconds that an ended session stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a person; times in microseconds.

    Attributes:
        hash: `hash_of` its secret.
        person: Id of the person.
        created_at: When it began.
        seen_at: When it was last used, to the minute.
        confirmed_at: The last ceremony with user verification; 0 for none.
        expires_at: When it ends at the latest.
        way: How it was opened: passkey or oidc.
    """

    hash: bytes = field(repr=False)
    person: str
    created_at: int
    seen_at: int
    confirmed_at: int
    expires_at: int
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of a machine, which acts for a person; times in microseconds.

    Attributes:
        id: 32 hex digits; the part of the token that is no secret.
        person: Id of the person whom it acts for.
        hash: `hash_of` its secret.
        name: What it is called.
        scopes: What it is limited to.
        highest: The highest marking that it may see.
        created_at: When it was issued.
        expires_at: When it ends.
        revoked_at: When it was revoked; None while it is not.
        used_at: When it was last used, to the minute; None for never.
    """

    id: str
    person: str
    hash: bytes = field(repr=False)
    name: str
    scopes: frozenset[Permission]
    highest: Marking
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    used_at: int | None = None


class Sessions:
    """The sessions, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def begin(self, session: Session) -> None:
        """Keep a new session; what ended long ago goes."""
        self._connection.execute(delete(sessions).where(sessions.c.expires_at < self._work.now - _KEEP))
        row = {
            "secret_hash": session.hash,
            "person_id": session.person,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "confirmed_at": session.confirmed_at,
            "expires_at": session.expires_at,
            "way": session.way,
        }
        self._connection.execute(insert(sessions).values(proven(self._work, sessions, row)))

    def find(self, secret_hash: bytes) -> Session | None:
        """The session with the hash of a secret, also one that is over."""
        row = one_held(self._work, sessions, sessions.c.secret_hash == secret_hash)
        return None if row is None else _session(row)

    def of(self, person: str) -> list[Session]:
        """The sessions of a person that are not over by their latest end."""
        query = select(sessions).where(sessions.c.person_id == person, sessions.c.expires_at > self._work.now)
        rows = self._connection.execute(query.order_by(sessions.c.created_at))
        return [_session(row) for row in held(self._work, sessions, rows)]

    def touch(self, session: Session) -> None:
        """Note that it was used now; one that ended in the meantime stays ended."""
        live = (sessions.c.secret_hash == session.hash, sessions.c.expires_at > self._work.now)
        change(self._work, sessions, *live, values={"seen_at": self._work.now})

    def confirm(self, session: Session, secret_hash: bytes) -> Session | None:
        """Go on under a new secret after a ceremony with user verification; None where the session is over.

        The old secret is over then, as one that ended is.
        """
        if not self._end(sessions.c.secret_hash == session.hash):
            return None
        now = self._work.now
        fresh = replace(session, hash=secret_hash, confirmed_at=now, seen_at=now)
        self.begin(fresh)
        return fresh

    def end(self, session: Session) -> None:
        """End one."""
        self._end(sessions.c.secret_hash == session.hash)

    def end_all(self, person: str, *, but: Session | None = None) -> int:
        """End those of a person, except `but`; returns how many were not over."""
        conditions = [sessions.c.person_id == person]
        if but is not None:
            conditions.append(sessions.c.secret_hash != but.hash)
        return self._end(*conditions)

    def _end(self, *conditions: Any) -> int:  # noqa: ANN401 - conditions of a query
        now = self._work.now
        live = sessions.c.expires_at > now
        return change(self._work, sessions, *conditions, live, values={"expires_at": now}, lenient=True)


class Tokens:
    """The tokens, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add(self, token: Token) -> None:
        """Keep a new token."""
        row = {
            "id": token.id,
            "person_id": token.person,
            "secret_hash": token.hash,
            "name": token.name,
            "scopes": " ".join(sorted(scope.value for scope in token.scopes)),
            "highest": int(token.highest),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        self._connection.execute(insert(tokens).values(proven(self._work, tokens, row)))

    def find(self, token_id: str) -> Token | None:
        """The token with an id, also one that is over."""
        row = one_held(self._work, tokens, tokens.c.id == token_id)
        return None if row is None else _token(row)

    def of(self, person: str | None) -> list[Token]:
        """The tokens of a person, the oldest first; of everybody for None."""
        query = select(tokens).order_by(tokens.c.created_at, tokens.c.id)
        if person is not None:
            query = query.where(tokens.c.person_id == person)
        return [_token(row) for row in held(self._work, tokens, self._connection.execute(query))]

    def touch(self, token: Token) -> None:
        """Note that it was used now."""
        change(self._work, tokens, tokens.c.id == token.id, values={"used_at": self._work.now})

    def revoke(self, token: Token) -> None:
        """End it for good; one that was revoked before keeps that time."""
        live = (tokens.c.id == token.id, tokens.c.revoked_at.is_(None))
        change(self._work, tokens, *live, values={"revoked_at": self._work.now})


def due(seen_at: int | None, now: int) -> bool:
    """Whether it is time again to note that someone was seen: once a minute at most."""
    return seen_at is None or now - seen_at >= _TOUCH


def _session(row: Row[Any]) -> Session:
    return Session(
        hash=row.secret_hash,
        person=row.person_id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        confirmed_at=row.confirmed_at,
        expires_at=row.expires_at,
        way=row.way,
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        person=row.person_id,
        hash=row.secret_hash,
        name=row.name,
        scopes=frozenset(Permission(word) for word in row.scopes.split()),
        highest=Marking(row.highest),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
