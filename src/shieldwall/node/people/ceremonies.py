"""Ceremonies with a passkey: make one, sign in, confirm. A challenge is used up by the first answer to it, right or wrong."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from shieldwall.errors import Conflict, NotSignedIn, ShieldwallError
from shieldwall.model.access import Identity, Kind
from shieldwall.node.people import passkeys
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.limits import DOORS, Gate
from shieldwall.node.people.recovery import CODE, FIRST, RecoveryDoor
from shieldwall.node.people.sessions import SessionDoor, Signed, ended
from shieldwall.store.credentials import Challenge, Passkey, hash_of
from shieldwall.store.people import Person, checked_name
from shieldwall.store.sessions import Session

if TYPE_CHECKING:
    from shieldwall.store.engine import Store

Begun = tuple[str, dict[str, Any]]
"""Id of the challenge, and what a page gives to the browser, as JSON."""

_CHALLENGE = 32  # random bytes
_MAKE, _SIGN_IN, _CONFIRM = "make", "sign in", "confirm"


class Ceremonies:
    """See the module's docstring.

    Args:
        store: Where passkeys and challenges are.
        config: The relying party.
        gate: Limits and bans.
        sessions: Opens sessions.
        recovery: Knows invitations and codes.
    """

    def __init__(
        self, store: Store, config: PeopleConfig, gate: Gate, sessions: SessionDoor, recovery: RecoveryDoor
    ) -> None:
        self._store = store
        self._config = config
        self._gate = gate
        self._sessions = sessions
        self._recovery = recovery

    def begin_registration(
        self, client: str, *, invitation: str = "", code: str = "", signed: Signed | None = None
    ) -> Begun:
        """Begin to make a passkey: by an invitation, or as a further one by who is signed in and confirmed it just now.

        Args:
            client: Address of the client.
            invitation: Secret of a one-time link.
            code: Of TOTP, where the invitation needs one.
            signed: Whose session; None with an invitation.

        Raises:
            NotSignedIn: The invitation or code does not hold.
            ConfirmFirst: The last ceremony is too long ago.
            TooMany: Too often, or banned.
        """
        value: dict[str, Any] = {}
        if signed is not None:
            session, identity = signed
            self._gate.enter(client)
            self._sessions.must_be_sure(identity, session)
            person_id = identity.person
            value["session"] = session.hash.hex()
        else:
            found = self._recovery.invitation(client, invitation)
            if found.purpose == CODE:
                self._recovery.spend_code(client, found.person, code)
            person_id = found.person
            value |= {"invitation": found.hash.hex(), "purpose": found.purpose}
            identity = DOORS
        challenge = secrets.token_bytes(_CHALLENGE)
        with self._store.act(identity, "passkey.begin", person=person_id) as work:
            person = work.people.find(person_id)
            if person is None or not person.active:
                raise ended()
            begun = work.credentials.begin(
                _MAKE, person_id, value | {"challenge": challenge.hex()}, self._config.ceremony
            )
            existing = work.credentials.passkeys(person_id)
        return begun.id, passkeys.registration_options(self._config, person, challenge, existing)

    def finish_registration(
        self, client: str, challenge_id: str, credential: object, name: str, *, signed: Signed | None = None
    ) -> Passkey:
        """Keep the passkey that the browser answers with; a recovery puts it in the place of all earlier ones.

        Raises:
            NotSignedIn: The challenge or the invitation holds no longer.
            BadText: The answer does not fit what was asked for.
            Conflict: It is registered already, or there are too many.
            UsageError: A name that cannot be one.
        """
        self._gate.enter(client)
        checked_name(name)
        challenge = self._take(client, challenge_id, _MAKE, "passkey.add")
        value = challenge.value
        if (signed[0].hash.hex() if signed else None) != value.get("session"):
            self._gate.failed(client, "passkey.add", "another session's challenge", person=challenge.person)
            raise _late()
        try:
            made = passkeys.check_registration(self._config, credential, bytes.fromhex(value["challenge"]))
        except ShieldwallError:
            self._gate.failed(
                client, "passkey.add", "bad answer", ("person", challenge.person), person=challenge.person
            )
            raise
        identity = self._person(challenge.person)[1]
        purpose = value.get("purpose", "")
        with self._store.act(identity, "passkey.add", by=purpose or "session", passkey=_short(made.id)) as work:
            credentials = work.credentials
            if purpose:
                if not credentials.use_invitation(bytes.fromhex(value["invitation"])):
                    raise _late()
                if purpose == FIRST and credentials.passkeys(identity.person):
                    raise Conflict(
                        "there is a passkey already", hint="sign in with it, or recover: shieldwall node recover"
                    )
                work.note(
                    removed=0 if purpose == FIRST else credentials.remove_passkeys(identity.person),
                    ended=work.sessions.end_all(identity.person),
                )
            return credentials.add_passkey(identity.person, made.id, made.public_key, made.sign_count, name)

    def begin_sign_in(self, client: str) -> Begun:
        """Begin to sign in: nobody says who they are, the browser offers the passkeys that it has for this node.

        Raises:
            TooMany: Too often, or banned.
        """
        self._gate.stranger(client)
        return self._begin(_SIGN_IN, "", {}, [])

    def finish_sign_in(self, client: str, challenge_id: str, credential: object) -> tuple[str, Session, Identity]:
        """Sign in by the browser's answer.

        Returns:
            The secret of a new session, which is nowhere else; the session; who it is.

        Raises:
            NotSignedIn: The answer does not open the door.
            TooMany: Banned.
        """
        verb = "session.begin"
        self._gate.stranger(client)
        challenge = self._take(client, challenge_id, _SIGN_IN, verb)
        passkey, sign_count = self._check(client, challenge, credential, verb, person="")
        person, identity = self._person(passkey.person)
        with self._store.act(identity, verb, way="passkey", passkey=_short(passkey.id)) as work:
            if not work.credentials.use_passkey(passkey, sign_count):
                raise _late()
            secret, session = self._sessions.open(work, person.id, "passkey", confirmed=True)
        return secret, session, identity

    def begin_confirmation(self, signed: Signed) -> Begun:
        """Begin to confirm, with one of the person's own passkeys.

        Raises:
            NotAllowed: It is a token.
            Conflict: They have no passkey.
        """
        session, identity = signed
        with self._store.inside(identity) as work:
            mine = work.credentials.passkeys(identity.person) if identity.kind is Kind.PERSON else []
        if not mine:
            raise Conflict(
                "you have no passkey to confirm with", hint="ask an administrator for an invitation to make one"
            )
        return self._begin(_CONFIRM, identity.person, {"session": session.hash.hex()}, mine)

    def finish_confirmation(
        self, client: str, signed: Signed, challenge_id: str, credential: object
    ) -> tuple[str, Session, Identity]:
        """Confirm; the session goes on under a new secret, and the old one is over.

        Raises:
            NotSignedIn: The answer does not fit, or the session is over.
            TooMany: Banned.
        """
        session, identity = signed
        verb = "session.confirm"
        self._gate.enter(client)
        challenge = self._take(client, challenge_id, _CONFIRM, verb)
        if challenge.value["session"] != session.hash.hex():
            self._gate.failed(client, verb, "another session's challenge", person=identity.person)
            raise _late()
        passkey, sign_count = self._check(client, challenge, credential, verb, person=identity.person)
        secret = secrets.token_urlsafe(32)
        with self._store.act(identity, verb, passkey=_short(passkey.id)) as work:
            fresh = work.sessions.confirm(session, hash_of(self._store.secrets, "session", secret))
            if fresh is None or not work.credentials.use_passkey(passkey, sign_count):
                raise ended()
        return secret, fresh, identity

    def mine(self, identity: Identity) -> list[Passkey]:
        """The passkeys of who asks, the oldest first."""
        with self._store.look(identity, "passkey.list") as work:
            return work.credentials.passkeys(identity.person) if identity.kind is Kind.PERSON else []

    def remove(self, signed: Signed, passkey_id: bytes) -> None:
        """Remove one's own passkey; one's other sessions end, since a thief's may be among them.

        Raises:
            ConfirmFirst: The last ceremony is too long ago.
            NotFound: None of theirs.
            Conflict: It is the last one.
        """
        session, identity = signed
        with self._store.act(identity, "passkey.remove", passkey=_short(passkey_id)) as work:
            self._sessions.must_be_sure(identity, session)
            work.credentials.remove_passkey(identity.person, passkey_id)
            work.note(ended=work.sessions.end_all(identity.person, but=session))

    def _begin(self, purpose: str, person: str, value: dict[str, Any], allowed: list[Passkey]) -> Begun:
        challenge = secrets.token_bytes(_CHALLENGE)
        with self._store.upkeep(DOORS) as work:
            begun = work.credentials.begin(
                purpose, person, value | {"challenge": challenge.hex()}, self._config.ceremony
            )
        return begun.id, passkeys.sign_in_options(self._config, challenge, allowed)

    def _take(self, client: str, challenge_id: str, purpose: str, verb: str) -> Challenge:
        with self._store.upkeep(DOORS) as work:
            challenge = work.credentials.take(challenge_id, purpose)
        if challenge is None:
            self._gate.failed(client, verb, "no such challenge")
            raise _late()
        return challenge

    def _check(
        self, client: str, challenge: Challenge, credential: object, verb: str, person: str
    ) -> tuple[Passkey, int]:
        """The passkey that signed, and its counter; every way to fail is counted and recorded."""
        try:
            named = passkeys.credential_id(credential)
        except NotSignedIn:
            self._gate.failed(client, verb, "no credential")
            raise
        with self._store.inside(DOORS) as work:
            passkey = work.credentials.passkey(named)
            owner = work.people.find(passkey.person) if passkey else None
        if passkey is None or owner is None or (person and passkey.person != person):
            self._gate.failed(client, verb, "unknown passkey")
            raise NotSignedIn("that passkey does not open this door", hint="is it of this node, and of this person?")
        self._gate.enter(client, ("person", owner.id))
        why = "bad answer"
        try:
            nonce = bytes.fromhex(challenge.value["challenge"])
            sign_count = passkeys.check_assertion(self._config, credential, nonce, passkey, named=bool(person))
            why = "the counter went back" if passkeys.went_back(passkey, sign_count) else ""
            why = why or ("" if owner.active else "disabled")
        except NotSignedIn:
            pass
        else:
            if not why:
                return passkey, sign_count
        self._gate.failed(client, verb, why, ("person", owner.id), person=owner.id, passkey=_short(passkey.id))
        raise NotSignedIn("that passkey does not open this door", hint="begin again, with PIN, fingerprint or face")

    def _person(self, person_id: str) -> tuple[Person, Identity]:
        with self._store.inside(DOORS) as work:
            person = work.people.find(person_id)
            if person is None or not person.active:
                raise ended()
            return person, work.people.identity_of(person)


def _late() -> NotSignedIn:
    return NotSignedIn("that was used already, or took too long", hint="begin again")


def _short(passkey_id: bytes) -> str:
    """A name for a passkey in the log."""
    return hashlib.sha256(passkey_id).hexdigest()[:16]
