"""Sessions: who is there by a secret in a cookie, until when, and whether their last ceremony is recent enough."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shieldwall.errors import ConfirmFirst, NotAllowed, NotSignedIn
from shieldwall.model.access import Identity, Kind
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.limits import DOORS, Gate
from shieldwall.store.credentials import hash_of
from shieldwall.store.sessions import Session, due

if TYPE_CHECKING:
    from shieldwall.store.engine import Store
    from shieldwall.store.work import Work

_SECOND = 1_000_000
SECRET = 32  # random bytes of a secret
LONGEST_SECRET = 200  # characters that are looked at

Signed = tuple[Session, Identity]
"""A session, and who it is."""


def new_secret() -> str:
    """256 random bits, in 43 letters, digits, - and _."""
    return secrets.token_urlsafe(SECRET)


def ended() -> NotSignedIn:
    """The one answer to a session that is unknown, over, or of someone who was shut out."""
    return NotSignedIn("you are not signed in, or no longer", hint="sign in with your passkey")


class SessionDoor:
    """Sessions of people.

    Args:
        store: Where they are.
        config: How long they last.
        gate: Limits and bans.
    """

    def __init__(self, store: Store, config: PeopleConfig, gate: Gate) -> None:
        self._store = store
        self._config = config
        self._gate = gate

    def find(self, secret: str, client: str) -> Signed:
        """The session that a secret opens, and who that is now.

        Raises:
            NotSignedIn: It opens none, or one that is over.
            TooMany: They ask too often, or the address is banned.
        """
        self._gate.look(client)
        session = identity = None
        with self._store.inside(DOORS) as work:
            until, now = self._gate.banned_until(work, client), work.now
            if not until and len(secret) <= LONGEST_SECRET:
                session = work.sessions.find(hash_of(self._store.secrets, "session", secret))
                if session is not None and not self._over(session, now):
                    person = work.people.find(session.person)
                    identity = work.people.identity_of(person) if person is not None and person.active else None
        self._gate.refuse(client, until, now)
        if session is None:
            self._gate.failed(client, "session.use", "unknown secret")
            raise ended()
        if identity is None:
            self._gate.stranger(client)
            raise ended()
        self._gate.known(identity, client)
        if due(session.seen_at, now):
            with self._store.upkeep(identity) as work:
                work.sessions.touch(session)
        return session, identity

    def still(self, session: Session) -> Identity:
        """Who a session that was open is now; looking so does not keep it open.

        Raises:
            NotSignedIn: It is over, or the person is shut out.
        """
        with self._store.inside(DOORS) as work:
            kept = work.sessions.find(session.hash)
            person = None if kept is None or self._over(kept, work.now) else work.people.find(kept.person)
            if person is None or not person.active:
                raise ended()
            return work.people.identity_of(person)

    def open(self, work: Work, person: str, way: str, *, confirmed: bool) -> tuple[str, Session]:
        """Begin a session within an act, always under a secret that nobody had before."""
        secret = new_secret()
        session = Session(
            hash=hash_of(self._store.secrets, "session", secret),
            person=person,
            created_at=work.now,
            seen_at=work.now,
            confirmed_at=work.now if confirmed else 0,
            expires_at=work.now + self._config.longest * _SECOND,
            way=way,
        )
        work.sessions.begin(session)
        return secret, session

    def end(self, signed: Signed) -> None:
        """Sign out."""
        session, identity = signed
        with self._store.act(identity, "session.end") as work:
            work.sessions.end(session)

    def end_all(self, signed: Signed) -> int:
        """Sign out everywhere, here as well; returns how many sessions ended."""
        _, identity = signed
        with self._store.act(identity, "session.end_all") as work:
            count = work.sessions.end_all(identity.person)
            work.note(ended=count)
        return count

    def must_confirm(self, session: Session | None, within: int | None = None) -> None:
        """Refuse whose last ceremony with their passkey is too long ago for approval, export, key and role changes.

        Args:
            session: Theirs; None for a token, which never can.
            within: Seconds; None for what the settings say.

        Raises:
            ConfirmFirst: It is too long ago, or was none.
            NotAllowed: It is a token.
        """
        if session is None:
            raise NotAllowed("no token may do that", hint="a person does it, with their passkey")
        longest = self._config.confirm_within if within is None else within
        if not session.confirmed_at or self._store.now() - session.confirmed_at > longest * _SECOND:
            raise ConfirmFirst("that needs your passkey again", hint="confirm with it, then repeat what you did")

    def must_be_sure(self, identity: Identity, session: Session | None) -> None:
        """As `must_confirm`; whoever holds the node's key at its command line needs no passkey.

        Raises:
            ConfirmFirst: Their last ceremony is too long ago.
            NotAllowed: It is a token, or another person's session.
        """
        if identity.kind is Kind.OPERATOR:
            return
        if identity.kind is not Kind.PERSON or (session is not None and session.person != identity.person):
            raise NotAllowed("only a person may do that", hint="sign in with your passkey")
        self.must_confirm(session)

    def _over(self, session: Session, now: int) -> bool:
        return now >= session.expires_at or now - session.seen_at >= self._config.idle * _SECOND
