"""Managing people and groups: each an act of someone who may, and who has just confirmed it with their passkey."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from shieldwall.errors import UsageError
from shieldwall.model.access import Identity, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.node.people.sessions import SessionDoor, Signed
from shieldwall.store.people import Group, Person

if TYPE_CHECKING:
    from shieldwall.store.engine import Store
    from shieldwall.store.work import Work

_LONGEST = {"issuer": 500, "subject": 255}  # characters, of an OpenID provider's words


class Directory:
    """People and groups, for administrators; all methods raise NotAllowed for others, and ConfirmFirst (see `must_be_sure`).

    Args:
        store: Where they are.
        sessions: Says who confirmed what they do.
    """

    def __init__(self, store: Store, sessions: SessionDoor) -> None:
        self._store = store
        self._sessions = sessions

    def me(self, identity: Identity) -> Person:
        """Who asks."""
        with self._store.look(identity, "person.me") as work:
            return work.people.get(identity.person)

    def get(self, identity: Identity, person_id: str) -> Person:
        """A person; oneself, or anyone for administrators and auditors."""
        with self._store.look(identity, "person.get") as work:
            found = work.people.get(person_id)
            work.note(person=found.id)
            return found

    def named(self, identity: Identity, name: str) -> Person:
        """The person of a name, exactly as it is written; see `get`."""
        with self._store.look(identity, "person.get") as work:
            found = work.people.by_name(name)
            work.note(person=found.id)
            return found

    def page(self, identity: Identity, *, after: str = "", most: int = 100) -> list[Person]:
        """People in the order of ids, for administrators and auditors."""
        with self._store.look(identity, "person.list") as work:
            return work.people.page(after=after, most=most)

    def add(
        self,
        identity: Identity,
        name: str,
        *,
        roles: Iterable[Role],
        organisation: str = "",
        highest: Marking = Marking.CLEAR,
        mail: str = "",
        signed: Signed | None = None,
    ) -> Person:
        """A new person; invite them next. See `store.people.People.add`."""
        with self._sure(identity, signed, "person.add") as work:
            return work.people.add(name, roles=roles, organisation=organisation, highest=highest, mail=mail)

    def change(
        self,
        identity: Identity,
        person_id: str,
        version: int,
        *,
        name: str | None = None,
        organisation: str | None = None,
        roles: Iterable[Role] | None = None,
        highest: Marking | None = None,
        mail: str | None = None,
        signed: Signed | None = None,
    ) -> Person:
        """Change what is not None; see `store.people.People.change`."""
        with self._sure(identity, signed, "person.change") as work:
            given = None if roles is None else frozenset(roles)
            changed = work.people.change(
                person_id, version, name=name, organisation=organisation, roles=given, highest=highest, mail=mail
            )
            work.note(roles=sorted(changed.roles), highest=changed.highest.label)
            return changed

    def disable(self, identity: Identity, person_id: str, version: int, signed: Signed | None = None) -> Person:
        """Shut a person out; see `store.people.People.disable`."""
        with self._sure(identity, signed, "person.disable") as work:
            return work.people.disable(person_id, version)

    def enable(self, identity: Identity, person_id: str, version: int, signed: Signed | None = None) -> Person:
        """Let a person in again; see `store.people.People.enable`."""
        with self._sure(identity, signed, "person.enable") as work:
            return work.people.enable(person_id, version)

    def groups(self, identity: Identity, *, after: str = "", most: int = 100) -> list[Group]:
        """The groups that whoever asks may know of: their own, or all for administrators and auditors."""
        with self._store.look(identity, "group.list") as work:
            return work.people.groups(after=after, most=most)

    def members(self, identity: Identity, group_id: str) -> dict[str, str]:
        """Names of the members of a group by id, for its members, administrators and auditors."""
        with self._store.look(identity, "group.members") as work:
            return work.people.names(work.people.members(group_id))

    def add_group(self, identity: Identity, name: str, signed: Signed | None = None) -> Group:
        """A new group; see `store.people.People.add_group`."""
        with self._sure(identity, signed, "group.add") as work:
            return work.people.add_group(name)

    def rename_group(self, identity: Identity, group_id: str, name: str, signed: Signed | None = None) -> Group:
        """Another name; see `store.people.People.rename_group`."""
        with self._sure(identity, signed, "group.rename") as work:
            group = work.people.rename_group(group_id, name)
            work.note(group=group.id)
            return group

    def join(self, identity: Identity, group_id: str, person_id: str, signed: Signed | None = None) -> None:
        """Make a person a member of a group."""
        with self._sure(identity, signed, "group.join") as work:
            work.people.join(group_id, person_id)
            work.note(group=group_id, person=person_id)

    def leave(self, identity: Identity, group_id: str, person_id: str, signed: Signed | None = None) -> None:
        """Take a person out of a group."""
        with self._sure(identity, signed, "group.leave") as work:
            work.people.leave(group_id, person_id)
            work.note(group=group_id, person=person_id)

    def link(self, identity: Identity, person_id: str, issuer: str, subject: str, signed: Signed | None = None) -> None:
        """Let whom an OpenID provider calls `subject` come in as a person.

        Raises:
            NotFound: No such person.
            Conflict: That subject is somebody already.
            UsageError: An issuer or subject that cannot be one.
        """
        for what, text in (("issuer", issuer), ("subject", subject)):
            if not text or len(text) > _LONGEST[what] or not text.isprintable():
                raise UsageError(f"{what}: 1 to {_LONGEST[what]} printable characters")
        with self._sure(identity, signed, "oidc.link") as work:
            work.must(Permission.MANAGE)
            work.credentials.link(issuer, subject, work.people.get(person_id).id)
            work.note(person=person_id)

    def unlink(self, identity: Identity, issuer: str, subject: str, signed: Signed | None = None) -> None:
        """Undo `link`; sessions that it opened end.

        Raises:
            NotFound: There is no such link.
        """
        with self._sure(identity, signed, "oidc.unlink") as work:
            work.must(Permission.MANAGE)
            person_id = work.credentials.linked(issuer, subject)
            work.credentials.unlink(issuer, subject)
            work.note(person=person_id, ended=work.sessions.end_all(person_id))

    def links(self, identity: Identity, person_id: str) -> list[tuple[str, str]]:
        """Issuer and subject of each link of a person; oneself, or anyone for administrators and auditors."""
        with self._store.look(identity, "oidc.list") as work:
            return work.credentials.links(work.people.get(person_id).id)

    @contextlib.contextmanager
    def _sure(self, identity: Identity, signed: Signed | None, verb: str, **detail: Any) -> Iterator[Work]:  # noqa: ANN401
        with self._store.act(identity, verb, **detail) as work:
            work.must(Permission.MANAGE)
            self._sessions.must_be_sure(identity, signed[0] if signed else None)
            yield work
