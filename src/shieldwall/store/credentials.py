"""How people prove who they are: passkeys, recovery codes, subjects of an OpenID provider, invitations, challenges.

What it takes to accept one is decided in `node.people`; here it is kept, and used up. The callers see to permissions: most
of this happens before anyone is known. Of an invitation only a keyed hash of its secret is here (`hash_of`), and every row is
held to its proof before it lets anyone in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, func, insert, select

from shieldwall.errors import Conflict, NotFound, TooMany
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store.envelope import Secrets
from shieldwall.store.ids import new_id
from shieldwall.store.proving import change, held, one_held, proven
from shieldwall.store.schema import challenges, invitations, oidc_subjects, passkeys, recovery_codes

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST_CHALLENGES = 10_000  # that wait at once, of everybody
MOST_PASSKEYS = 20  # of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey of a person.

    Attributes:
        id: The credential id that the authenticator chose.
        person: Id of the person.
        name: What they call it.
        public_key: COSE key, CBOR (RFC 9052, section 7).
        sign_count: Of the last ceremony; 0 where the authenticator does not count.
        created_at: Microseconds.
        used_at: Microseconds; None for never.
    """

    id: bytes
    person: str
    name: str
    public_key: bytes = field(repr=False)
    sign_count: int
    created_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link: the hash of its secret (`hash_of`), for whom, what it is for, and until when (microseconds)."""

    hash: bytes
    person: str
    purpose: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """A ceremony that was begun: for whom ("" for not known yet), and what must be known to finish it."""

    id: str
    purpose: str
    person: str
    value: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """Of whom, the TOTP secret (base32), and the last step of which a code was taken."""

    person: str
    secret: str = field(repr=False)
    last_step: int


def hash_of(secrets: Secrets, purpose: str, secret: str) -> bytes:
    """The keyed hash by which a secret that somebody brings is found, 32 bytes.

    With a hash that has no key, whoever can write to the database could put one of a secret of their own there.

    Args:
        secrets: The node's keys.
        purpose: session, token, invitation, or another word: what one of them opens, no other does.
        secret: As it came.
    """
    return rehashed(secrets, purpose, hashlib.sha256(secret.encode("utf-8", "replace")).digest())


def rehashed(secrets: Secrets, purpose: str, bare: bytes) -> bytes:
    """`hash_of` a secret of which only the SHA-256 is known, as in databases and backups of form 0001."""
    return secrets.keyed(f"secret of {purpose}", bare)


class Credentials:
    """The credentials, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add_passkey(self, person: str, passkey_id: bytes, public_key: bytes, sign_count: int, name: str) -> Passkey:
        """Keep a new passkey.

        Raises:
            Conflict: It is there already, or the person has too many.
        """
        if len(self.passkeys(person)) >= MOST_PASSKEYS:
            raise Conflict(f"a person has at most {MOST_PASSKEYS} passkeys", hint="remove one first")
        passkey = Passkey(
            id=passkey_id,
            person=person,
            name=name,
            public_key=public_key,
            sign_count=sign_count,
            created_at=self._work.now,
            used_at=None,
        )
        row = {
            "id": passkey_id,
            "person_id": person,
            "name": name,
            "public_key": public_key,
            "sign_count": sign_count,
            "created_at": passkey.created_at,
        }
        if not self._work.store.backend.insert_new(self._connection, passkeys, [proven(self._work, passkeys, row)]):
            raise Conflict("that passkey is registered already", hint="use another authenticator, or sign in with it")
        return passkey

    def passkey(self, passkey_id: bytes) -> Passkey | None:
        """The passkey with a credential id."""
        row = one_held(self._work, passkeys, passkeys.c.id == passkey_id)
        return None if row is None else _passkey(row)

    def passkeys(self, person: str) -> list[Passkey]:
        """The passkeys of a person, the oldest first."""
        query = select(passkeys).where(passkeys.c.person_id == person).order_by(passkeys.c.created_at, passkeys.c.id)
        return [_passkey(row) for row in held(self._work, passkeys, self._connection.execute(query))]

    def use_passkey(self, passkey: Passkey, sign_count: int) -> bool:
        """Note a ceremony; False where another one was noted since the passkey was read."""
        same = (passkeys.c.id == passkey.id, passkeys.c.sign_count == passkey.sign_count)
        values = {"sign_count": sign_count, "used_at": self._work.now}
        return change(self._work, passkeys, *same, values=values) == 1

    def remove_passkey(self, person: str, passkey_id: bytes) -> None:
        """Remove a passkey of a person, never the last one.

        Raises:
            NotFound: They have none with that id.
            Conflict: It is the last one.
        """
        self._work.store.backend.lock_head(self._connection)  # two at once would remove both of two
        mine = [each.id for each in self.passkeys(person)]
        if passkey_id not in mine:
            raise NotFound("there is no such passkey")
        if len(mine) == 1:
            raise Conflict("that is your last passkey", hint="register another one first")
        self._connection.execute(delete(passkeys).where(passkeys.c.id == passkey_id))

    def remove_passkeys(self, person: str) -> int:
        """Remove all passkeys of a person, whose recovery replaces them; returns how many there were."""
        return self._connection.execute(delete(passkeys).where(passkeys.c.person_id == person)).rowcount

    def invite(self, person: str, purpose: str, secret_hash: bytes, expires_at: int) -> None:
        """Keep a new invitation; earlier ones of that person that were not used are void."""
        self.void_invitations(person)
        row = {
            "secret_hash": secret_hash,
            "person_id": person,
            "purpose": purpose,
            "created_at": self._work.now,
            "expires_at": expires_at,
        }
        self._connection.execute(insert(invitations).values(proven(self._work, invitations, row)))

    def invitation(self, secret_hash: bytes) -> Invitation | None:
        """An invitation that still holds."""
        row = one_held(self._work, invitations, invitations.c.secret_hash == secret_hash)
        if row is None or row.used_at is not None or row.expires_at <= self._work.now:
            return None
        return Invitation(row.secret_hash, row.person_id, row.purpose, row.expires_at)

    def use_invitation(self, secret_hash: bytes) -> bool:
        """Use an invitation up; False where it does not hold, or no longer."""
        now = self._work.now
        holds = (
            invitations.c.secret_hash == secret_hash,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
        return change(self._work, invitations, *holds, values={"used_at": now}) == 1

    def void_invitations(self, person: str) -> None:
        """Make void what a person was invited by and did not use."""
        unused = (invitations.c.person_id == person, invitations.c.used_at.is_(None))
        self._connection.execute(delete(invitations).where(*unused))

    def begin(self, purpose: str, person: str, value: Mapping[str, Any], seconds: int) -> Challenge:
        """Keep what a ceremony must be finished with.

        Args:
            purpose: What for; it can be finished for nothing else.
            person: Id of the person; "" where it is not known yet.
            value: Plain JSON values.
            seconds: How long it waits.

        Raises:
            TooMany: Too many wait, each for someone who is known.
        """
        now = self._work.now
        self._connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
        if self._connection.execute(select(func.count()).select_from(challenges)).scalar_one() >= MOST_CHALLENGES:
            self._make_room(seconds)
        challenge = Challenge(new_id(), purpose, person, value)
        row = {
            "id": challenge.id,
            "purpose": purpose,
            "person_id": person or None,
            "value_sealed": self._work.seal(challenges.name, "value", challenge.id, canonical_json(dict(value))),
            "expires_at": now + seconds * 1_000_000,
        }
        self._connection.execute(insert(challenges).values(proven(self._work, challenges, row)))
        return challenge

    def _make_room(self, seconds: int) -> None:
        """Let go of the oldest that are for nobody yet: strangers who begin and never finish must not keep others out."""
        strangers = select(challenges.c.id).where(challenges.c.person_id.is_(None)).order_by(challenges.c.expires_at)
        oldest = delete(challenges).where(challenges.c.id.in_(strangers.limit(1 + MOST_CHALLENGES // 100)))
        if not self._connection.execute(oldest).rowcount:
            raise TooMany("too many ceremonies are under way", hint="try again in a few minutes", seconds=seconds)

    def take(self, challenge_id: str, purpose: str) -> Challenge | None:
        """Use a challenge up, whatever becomes of the ceremony; None where there is none of that purpose in time."""
        mine = challenges.c.id == challenge_id
        row = one_held(self._work, challenges, mine)
        if row is None or self._connection.execute(delete(challenges).where(mine)).rowcount != 1:
            return None
        if row.purpose != purpose or row.expires_at <= self._work.now:
            return None
        raw = self._work.open(challenges.name, "value", row.id, row.value_sealed)
        return Challenge(row.id, row.purpose, row.person_id or "", parse_json(raw, "challenge"))

    def recovery_code(self, person: str) -> RecoveryCode | None:
        """The recovery code of a person."""
        mine = recovery_codes.c.person_id == person
        row = one_held(self._work, recovery_codes, mine)
        if row is None:
            return None
        secret = self._work.open(recovery_codes.name, "secret", person, row.secret_sealed).decode()
        return RecoveryCode(person, secret, row.last_step)

    def keep_recovery_code(self, code: RecoveryCode) -> None:
        """Keep a recovery code in the place of the one before."""
        self.remove_recovery_code(code.person)
        row = {
            "person_id": code.person,
            "secret_sealed": self._work.seal(recovery_codes.name, "secret", code.person, code.secret.encode()),
            "last_step": code.last_step,
            "created_at": self._work.now,
        }
        self._connection.execute(insert(recovery_codes).values(proven(self._work, recovery_codes, row)))

    def use_step(self, person: str, step: int) -> bool:
        """Take a step of TOTP and all before it; False where it was taken."""
        later = (recovery_codes.c.person_id == person, recovery_codes.c.last_step < step)
        return change(self._work, recovery_codes, *later, values={"last_step": step}) == 1

    def remove_recovery_code(self, person: str) -> bool:
        """Forget the recovery code of a person; whether there was one."""
        return (
            self._connection.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person)).rowcount == 1
        )

    def link(self, issuer: str, subject: str, person: str) -> None:
        """Let whom an OpenID provider calls `subject` come in as a person.

        Raises:
            Conflict: That subject is somebody already.
        """
        row = {"issuer": issuer, "subject": subject, "person_id": person}
        row = proven(self._work, oidc_subjects, row)
        if not self._work.store.backend.insert_new(self._connection, oidc_subjects, [row]):
            raise Conflict("that subject of the provider is linked to a person already")

    def unlink(self, issuer: str, subject: str) -> None:
        """Undo `link`.

        Raises:
            NotFound: There is no such link.
        """
        mine = (oidc_subjects.c.issuer == issuer, oidc_subjects.c.subject == subject)
        if self._connection.execute(delete(oidc_subjects).where(*mine)).rowcount != 1:
            raise NotFound("there is no such link")

    def linked(self, issuer: str, subject: str) -> str:
        """Id of the person whom a subject is linked to; "" for nobody."""
        mine = (oidc_subjects.c.issuer == issuer, oidc_subjects.c.subject == subject)
        row = one_held(self._work, oidc_subjects, *mine)
        return "" if row is None else str(row.person_id)

    def links(self, person: str) -> list[tuple[str, str]]:
        """Issuer and subject of each link of a person."""
        query = select(oidc_subjects).where(oidc_subjects.c.person_id == person)
        rows = held(self._work, oidc_subjects, self._connection.execute(query))
        return sorted((row.issuer, row.subject) for row in rows)


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        id=row.id,
        person=row.person_id,
        name=row.name,
        public_key=row.public_key,
        sign_count=row.sign_count,
        created_at=row.created_at,
        used_at=row.used_at,
    )
