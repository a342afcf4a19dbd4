"""Partners to whom something may go: who they are, in which groups, up to which marking, and by what their machines come in.

A partner is no person of this node: it reads nothing here but what was released to it. Managing partners needs the permission to
manage; `find_secret` and `get` ask for none, and their answers are for the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, delete, select

from shieldwall.errors import Conflict, NotFound, UsageError
from shieldwall.model.access import Identity, Kind, Permission
from shieldwall.model.marking import Marking
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.people import checked_name
from shieldwall.store.prepared import Prepared
from shieldwall.store.proving import change, held, one_found, one_held, proven
from shieldwall.store.schema import partner_groups, partner_members, partner_secrets, partners

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST = 1000  # partners of a node
SECRET, CERTIFICATE = "secret", "certificate"
HIGHEST = Marking.AMBER
"""TLP:AMBER+STRICT stays within the organisation, and TLP:RED with those who were in the room (TLP 2.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A partner.

    Attributes:
        id: 32 hex digits.
        name: Unique.
        highest: The highest marking that may go to it.
        groups: Ids of its groups.
        created_at: Microseconds.
        ended_at: Since when nothing goes to it, in microseconds; None while it may come.
        version: Rises with every change.
    """

    id: str
    name: str
    highest: Marking
    groups: frozenset[str]
    created_at: int
    ended_at: int | None
    version: int

    @property
    def identity(self) -> Identity:
        """As the audit log names it; it has no permission here."""
        return Identity(kind=Kind.PARTNER, person=self.id, name=self.name)


@dataclass(frozen=True, slots=True)
class PartnerGroup:
    """A group of partners: its id, its unique name, since when (microseconds)."""

    id: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSecret:
    """By what a partner comes in.

    Attributes:
        id: 32 hex digits; also what stands before the secret itself.
        partner: Id.
        kind: `SECRET` or `CERTIFICATE`.
        hash: Keyed hash of the secret, or of the certificate's SHA-256.
        created_at, expires_at: Microseconds.
        revoked_at: Microseconds; None while it holds.
    """

    id: str
    partner: str
    kind: str
    hash: bytes
    created_at: int
    expires_at: int
    revoked_at: int | None = None


_PARTNER = Prepared(select(partners).where(partners.c.id == bindparam("key")))
_MEMBERS = Prepared(select(partner_members).where(partner_members.c.partner_id == bindparam("key")))
_SECRET = Prepared(select(partner_secrets).where(partner_secrets.c.id == bindparam("key")))
_GROUPS_OF = Prepared(
    select(partner_groups)
    .join_from(partner_groups, partner_members, partner_groups.c.id == partner_members.c.group_id)
    .where(partner_members.c.partner_id == bindparam("key"))
    .order_by(partner_groups.c.name)
)


class Partners:
    """The partners, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add(self, name: str, *, highest: Marking = Marking.CLEAR) -> Partner:
        """A new partner, in no group, to whom nothing goes yet.

        Raises:
            NotAllowed: Whoever asks may not manage.
            Conflict: There is one of that name.
            UsageError: A name that cannot be one, or a marking above `HIGHEST`.
        """
        self._work.must(Permission.MANAGE)
        row = {
            "id": new_id(),
            "name": checked_name(name, "a partner"),
            "highest": int(checked_highest(highest)),
            "created_at": self._work.now,
            "ended_at": None,
            "version": 1,
        }
        added = self._work.store.backend.insert_new(self._connection, partners, [proven(self._work, partners, row)])
        if not added:
            raise Conflict("there is a partner of that name already", hint="names are unique: add country or unit")
        self._work.note(partner=row["id"])
        return self.get(str(row["id"]))

    def change(
        self, partner_id: str, version: int, *, highest: Marking | None = None, ended: bool | None = None
    ) -> Partner:
        """Change what may go to a partner, or end it for good: from then on nothing does.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such partner.
            Conflict: It was changed since `version`, or it has ended.
            UsageError: A marking above `HIGHEST`.
        """
        self._work.must(Permission.MANAGE)
        found = self.get(partner_id)
        if found.version != version or found.ended_at is not None:
            raise Conflict("that partner was changed in the meantime, or has ended", hint="look at it again")
        values: dict[str, Any] = {"version": version + 1}
        if highest is not None:
            values["highest"] = int(checked_highest(highest))
        if ended:
            values["ended_at"] = self._work.now
        chosen = (partners.c.id == searchable(partner_id), partners.c.version == version)
        if not change(self._work, partners, *chosen, values=values):
            raise Conflict("that partner was changed in the meantime", hint="look at it again")
        self._work.note(partner=partner_id)
        return self.get(partner_id)

    def get(self, partner_id: str) -> Partner:
        """The partner with an id.

        Raises:
            NotFound: None.
        """
        row = one_found(self._work, partners, _PARTNER, key=searchable(partner_id))
        if row is None:
            raise NotFound("there is no such partner")
        return self._partner(row)

    def all(self) -> list[Partner]:
        """All of them, by name; those that have ended among them."""
        rows = self._connection.execute(select(partners).order_by(partners.c.name).limit(MOST)).all()
        return [self._partner(row) for row in held(self._work, partners, rows)]

    def _partner(self, row: Row[Any]) -> Partner:
        members = held(self._work, partner_members, _MEMBERS.run(self._connection, key=row.id).all())
        return Partner(
            id=row.id,
            name=row.name,
            highest=Marking(row.highest),
            groups=frozenset(each.group_id for each in members),
            created_at=row.created_at,
            ended_at=row.ended_at,
            version=row.version,
        )

    # groups

    def add_group(self, name: str) -> PartnerGroup:
        """A new group, of nobody.

        Raises:
            NotAllowed: Whoever asks may not manage.
            Conflict: There is one of that name.
            UsageError: A name that cannot be one.
        """
        self._work.must(Permission.MANAGE)
        row = {"id": new_id(), "name": checked_name(name, "a group"), "created_at": self._work.now}
        proof = proven(self._work, partner_groups, row)
        if not self._work.store.backend.insert_new(self._connection, partner_groups, [proof]):
            raise Conflict("there is a group of that name already", hint="choose another one")
        self._work.note(group=row["id"])
        return PartnerGroup(str(row["id"]), str(row["name"]), int(str(row["created_at"])))

    def groups(self) -> list[PartnerGroup]:
        """All groups, by name."""
        rows = self._connection.execute(select(partner_groups).order_by(partner_groups.c.name)).all()
        return [PartnerGroup(row.id, row.name, row.created_at) for row in held(self._work, partner_groups, rows)]

    def groups_of(self, partner: Partner) -> list[PartnerGroup]:
        """The groups of a partner, by name."""
        rows = _GROUPS_OF.run(self._connection, key=partner.id).all()
        return [PartnerGroup(row.id, row.name, row.created_at) for row in held(self._work, partner_groups, rows)]

    def group(self, group_id: str) -> PartnerGroup:
        """The group with an id.

        Raises:
            NotFound: None.
        """
        row = one_held(self._work, partner_groups, partner_groups.c.id == searchable(group_id))
        if row is None:
            raise NotFound("there is no such group of partners")
        return PartnerGroup(row.id, row.name, row.created_at)

    def join(self, group_id: str, partner_id: str) -> None:
        """Put a partner into a group: it gets what went to the group before, too.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such partner or group.
        """
        self._work.must(Permission.MANAGE)
        self.group(group_id)
        self.get(partner_id)
        row = proven(self._work, partner_members, {"group_id": group_id, "partner_id": partner_id})
        self._work.store.backend.insert_new(self._connection, partner_members, [row])
        self._work.note(group=group_id, partner=partner_id)

    def leave(self, group_id: str, partner_id: str) -> None:
        """Take a partner out of a group: nothing of the group goes to it from then on.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: It is not in it.
        """
        self._work.must(Permission.MANAGE)
        mine = (
            partner_members.c.group_id == searchable(group_id),
            partner_members.c.partner_id == searchable(partner_id),
        )
        if not self._connection.execute(delete(partner_members).where(*mine)).rowcount:
            raise NotFound("that partner is not in that group")
        self._work.note(group=group_id, partner=partner_id)

    # secrets

    def add_secret(self, secret: PartnerSecret) -> None:
        """Let a partner in by something.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such partner.
            Conflict: Somebody comes in by that already.
            UsageError: No such kind.
        """
        self._work.must(Permission.MANAGE)
        if secret.kind not in (SECRET, CERTIFICATE):
            raise UsageError(f"{secret.kind[:40]!r} is nothing that opens a door")
        if self.get(secret.partner).ended_at is not None:
            raise Conflict("that partner has ended")
        row = {
            "id": secret.id,
            "partner_id": secret.partner,
            "kind": secret.kind,
            "secret_hash": secret.hash,
            "created_at": secret.created_at,
            "expires_at": secret.expires_at,
            "revoked_at": secret.revoked_at,
        }
        proof = proven(self._work, partner_secrets, row)
        if not self._work.store.backend.insert_new(self._connection, partner_secrets, [proof]):
            raise Conflict("somebody comes in by that already")
        self._work.note(partner=secret.partner, secret=secret.id)

    def find_secret(self, secret_id: str) -> PartnerSecret | None:
        """By what somebody comes in, by its id; None for none."""
        row = one_found(self._work, partner_secrets, _SECRET, key=searchable(secret_id))
        return None if row is None else _secret(row)

    def find_hash(self, hashed: bytes) -> PartnerSecret | None:
        """The same by the keyed hash."""
        row = one_held(self._work, partner_secrets, partner_secrets.c.secret_hash == hashed)
        return None if row is None else _secret(row)

    def secrets_of(self, partner_id: str) -> list[PartnerSecret]:
        """By what a partner comes in, those that no longer hold among it, in the order of time."""
        query = select(partner_secrets).where(partner_secrets.c.partner_id == searchable(partner_id))
        rows = self._connection.execute(query.order_by(partner_secrets.c.created_at, partner_secrets.c.id)).all()
        return [_secret(row) for row in held(self._work, partner_secrets, rows)]

    def revoke_secret(self, secret_id: str) -> None:
        """Let nobody in by something any more.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: There is none that holds.
        """
        self._work.must(Permission.MANAGE)
        chosen = (partner_secrets.c.id == searchable(secret_id), partner_secrets.c.revoked_at.is_(None))
        if not change(self._work, partner_secrets, *chosen, values={"revoked_at": self._work.now}):
            raise NotFound("there is no such key, or it was revoked already")
        self._work.note(secret=secret_id)


def checked_highest(highest: Marking) -> Marking:
    """A marking up to which something may go to a partner.

    Raises:
        UsageError: It is above `HIGHEST`.
    """
    if highest > HIGHEST:
        raise UsageError(
            f"{highest.label} goes to no other organisation",
            hint=f"a partner or collection has at most {HIGHEST.label}",
        )
    return Marking(highest)


def _secret(row: Row[Any]) -> PartnerSecret:
    return PartnerSecret(
        id=row.id,
        partner=row.partner_id,
        kind=row.kind,
        hash=bytes(row.secret_hash),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
