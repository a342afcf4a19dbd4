"""How someone comes in who has no passkey (yet, or any more): one-time links, and codes of TOTP (RFC 6238).

A link for the first passkey is an administrator's to give. To recover takes more than an administrator's word, who could else
become anyone: either the command line of the node's machine, or a link together with a code that only the person has.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

import pyotp

from shieldwall.errors import Conflict, NotAllowed, NotSignedIn
from shieldwall.model.access import Identity, Kind, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.limits import DOORS, Gate
from shieldwall.node.people.sessions import LONGEST_SECRET, SessionDoor, Signed, new_secret
from shieldwall.store.credentials import Invitation, RecoveryCode, hash_of
from shieldwall.store.people import Person

if TYPE_CHECKING:
    from shieldwall.store.engine import Store
    from shieldwall.store.work import Work

FIRST = "first"
"""Purpose of an invitation: the first passkey of someone who has none."""
CODE = "code"
"""Purpose of an invitation: a new passkey, together with a code."""
OFFLINE = "recovery"
"""Purpose of an invitation: a new passkey; it was made at the node's own command line."""

DAY = 24 * 3600  # seconds
_SECOND = 1_000_000
_STEP = 30  # seconds of a code
_AROUND = 1  # steps by which a clock may be off
_DIGITS = re.compile(r"[0-9]{6}")
_ENROL = "enrol"


def first_administrator(
    store: Store, operator: Identity, name: str, *, organisation: str = "", seconds: int = DAY
) -> str:
    """The first person of a new node, an administrator, and the secret of the link by which they make their passkey.

    Args:
        store: A new node's.
        operator: The command line.
        name: Of the person.
        organisation: Of the person.
        seconds: How long the link holds.

    Raises:
        Conflict: There are people already.
        NotAllowed: `operator` is none.
    """
    with store.act(operator, "person.first") as work:
        _must_be_operator(operator)
        if work.people.any():
            raise Conflict("there are people already", hint="to let one of them in again: shieldwall node recover NAME")
        person = work.people.add(name, roles=[Role.ADMINISTRATOR], organisation=organisation, highest=Marking.RED)
        return _invite(work, person.id, FIRST, seconds)


def begin_recovery(store: Store, operator: Identity, name: str, *, seconds: int = DAY) -> str:
    """End a person's sessions, and make the secret of a link by which they make a new passkey in the place of all others.

    Args:
        store: The node's.
        operator: The command line of its machine: whoever has the node's key.
        name: Of the person.
        seconds: How long the link holds.

    Raises:
        NotAllowed: `operator` is none.
        NotFound: Nobody has that name.
        Conflict: They are disabled.
    """
    with store.act(operator, "recovery.begin") as work:
        _must_be_operator(operator)
        person = _active(work.people.by_name(name))
        work.note(person=person.id, ended=work.sessions.end_all(person.id))
        return _invite(work, person.id, OFFLINE, seconds)


class RecoveryDoor:
    """Invitations and codes.

    Args:
        store: Where they are.
        config: How long links hold.
        gate: Limits and bans.
        sessions: Says who confirmed what they do.
    """

    def __init__(self, store: Store, config: PeopleConfig, gate: Gate, sessions: SessionDoor) -> None:
        self._store = store
        self._config = config
        self._gate = gate
        self._sessions = sessions

    def invite(self, identity: Identity, person_id: str, signed: Signed | None = None) -> str:
        """The secret of a link by which a person makes their first passkey; earlier links of theirs are void.

        Raises:
            NotAllowed: Whoever asks may not manage.
            ConfirmFirst: Their last ceremony is too long ago.
            NotFound: No such person.
            Conflict: They are disabled, or have a passkey.
        """
        with self._store.act(identity, "invitation.make", person=person_id, purpose=FIRST) as work:
            work.must(Permission.MANAGE)
            self._sessions.must_be_sure(identity, signed[0] if signed else None)
            person = _active(work.people.get(person_id))
            if work.credentials.passkeys(person.id):
                raise Conflict(
                    "that person has a passkey already",
                    hint="if it is lost: a link with their recovery code, or shieldwall node recover NAME",
                )
            return _invite(work, person.id, FIRST, self._config.invitation)

    def invite_with_code(self, identity: Identity, person_id: str, signed: Signed | None = None) -> str:
        """The secret of a link by which a person makes a new passkey, if they also have a code; see `invite` for errors.

        Raises:
            Conflict: They are disabled, or have no recovery code.
        """
        with self._store.act(identity, "invitation.make", person=person_id, purpose=CODE) as work:
            work.must(Permission.MANAGE)
            self._sessions.must_be_sure(identity, signed[0] if signed else None)
            person = _active(work.people.get(person_id))
            if work.credentials.recovery_code(person.id) is None:
                raise Conflict(
                    "that person has no recovery code", hint="at the node's machine: shieldwall node recover NAME"
                )
            return _invite(work, person.id, CODE, self._config.invitation)

    def invitation(self, client: str, secret: str) -> Invitation:
        """The invitation that a secret opens; it is not used up by that.

        Raises:
            NotSignedIn: It opens none that holds.
            TooMany: Too often, or banned.
        """
        self._gate.stranger(client)
        with self._store.inside(DOORS) as work:
            hashed = hash_of(self._store.secrets, "invitation", secret[: LONGEST_SECRET + 1])
            found = work.credentials.invitation(hashed) if len(secret) <= LONGEST_SECRET else None
        if found is None:
            self._gate.failed(client, "invitation.use", "unknown or used")
            raise NotSignedIn("that link was used already, or holds no longer", hint="ask for a new one")
        return found

    def begin_enrolment(self, signed: Signed) -> tuple[str, str, str]:
        """Begin to set up a recovery code.

        Returns:
            Id of the enrolment; the secret in base32; the same as an otpauth URI, for a picture that an app reads.

        Raises:
            ConfirmFirst: The last ceremony is too long ago.
        """
        session, identity = signed
        secret = pyotp.random_base32()
        with self._store.act(identity, "totp.begin") as work:
            self._sessions.must_be_sure(identity, session)
            begun = work.credentials.begin(_ENROL, identity.person, {"secret": secret}, self._config.ceremony)
        uri = pyotp.TOTP(secret).provisioning_uri(name=identity.name, issuer_name=self._config.node)
        return begun.id, secret, uri

    def finish_enrolment(self, client: str, signed: Signed, enrolment: str, code: str) -> None:
        """Keep a recovery code, whose app has shown that it counts as the node does; it takes the place of one before.

        Raises:
            NotSignedIn: The enrolment took too long, or the code is wrong.
            ConfirmFirst: The last ceremony is too long ago.
        """
        session, identity = signed
        name = ("code", identity.person)
        self._gate.enter(client, name)
        with self._store.upkeep(identity) as work:
            begun = work.credentials.take(enrolment, _ENROL)
            step = None
            if begun is not None and begun.person == identity.person:
                step = matching_step(begun.value["secret"], code, work.now // _SECOND)
        if begun is None or step is None:
            self._gate.failed(client, "totp.add", "wrong code or too late", name, person=identity.person)
            raise _wrong()
        with self._store.act(identity, "totp.add") as work:
            self._sessions.must_be_sure(identity, session)
            work.credentials.keep_recovery_code(RecoveryCode(identity.person, begun.value["secret"], step))

    def remove_code(self, signed: Signed) -> bool:
        """Forget one's recovery code; whether there was one.

        Raises:
            ConfirmFirst: The last ceremony is too long ago.
        """
        session, identity = signed
        with self._store.act(identity, "totp.remove") as work:
            self._sessions.must_be_sure(identity, session)
            return work.credentials.remove_recovery_code(identity.person)

    def spend_code(self, client: str, person_id: str, code: str) -> None:
        """Take a code, once: neither it nor an earlier one is taken again.

        Looking and counting are one transaction, so that nobody has more tries by trying at once.

        Raises:
            NotSignedIn: It is wrong, or was taken.
            TooMany: The address or the person is banned.
        """
        name = ("code", person_id)
        self._gate.enter(client, name)
        after = []
        with self._store.upkeep(DOORS) as work:
            self._store.backend.lock_head(work.connection)
            until, now = self._gate.banned_until(work, client, name), work.now
            known = work.credentials.recovery_code(person_id)
            step = (
                None if until or known is None else matching_step(known.secret, code, now // _SECOND, known.last_step)
            )
            taken = step is not None and work.credentials.use_step(person_id, step)
            if not taken and not until:
                after = self._gate.count(work, client, name)
        self._gate.refuse(client, until, now)
        if not taken:
            self._gate.record(client, "recovery.code", "wrong or taken", after, person=person_id)
            raise _wrong()


def matching_step(secret: str, code: str, at: int, last: int = -1) -> int | None:
    """The step of TOTP (RFC 6238) whose code this is, of those after `last` and around now; None for none.

    Args:
        secret: In base32.
        code: Six digits.
        at: Seconds of Unix time.
        last: The last step of which a code was taken: section 5.2 wants each taken once.
    """
    if not _DIGITS.fullmatch(code):
        return None
    totp = pyotp.TOTP(secret)
    now = at // _STEP
    found = None
    for step in range(max(now - _AROUND, last + 1, 0), now + _AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def _invite(work: Work, person: str, purpose: str, seconds: int) -> str:
    secret = new_secret()
    hashed = hash_of(work.store.secrets, "invitation", secret)
    work.credentials.invite(person, purpose, hashed, work.now + seconds * _SECOND)
    return secret


def _active(person: Person) -> Person:
    if not person.active:
        raise Conflict("that person is disabled", hint="enable them first")
    return person


def _must_be_operator(identity: Identity) -> None:
    if identity.kind is not Kind.OPERATOR or not identity.may(Permission.MANAGE):
        raise NotAllowed("that is done at the command line of the node's machine alone")


def _wrong() -> NotSignedIn:
    return NotSignedIn(
        "that code is wrong, was taken before, or came too late", hint="wait for the next one in your app"
    )
