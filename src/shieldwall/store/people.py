"""People, need-to-know groups, and who is in them.

Managing them needs the permission to manage. What must be known of a person before anyone is known is in `find` and
`identity_of`, which ask for no permission and whose answers are for the node, not for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import CompoundSelect, Row, delete, func, literal, select, union_all

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Identity, Kind, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.proving import change, held, hold, one_held, proven
from shieldwall.store.schema import (
    case_groups,
    case_people,
    cases,
    challenges,
    group_members,
    groups,
    invitations,
    jobs,
    people,
    sessions,
    tokens,
)

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST_AT_ONCE = 500  # people or groups of one page
_MAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,189}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who works with the node.

    Attributes:
        id: 32 hex digits.
        name: As the audit log and colleagues see it; unique.
        organisation: Where they work; "" for unsaid.
        roles: What they may do.
        highest: The highest marking that they may see.
        mail: Where alarms may be sent; "" for nowhere.
        created_at: Microseconds.
        disabled_at: Since when they are shut out, in microseconds; None while they are not.
        version: Rises with every change.
    """

    id: str
    name: str
    organisation: str
    roles: frozenset[Role]
    highest: Marking
    mail: str
    created_at: int
    disabled_at: int | None
    version: int

    @property
    def active(self) -> bool:
        """Whether they may come in at all."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class Group:
    """A need-to-know group: its id, its unique name, since when (microseconds)."""

    id: str
    name: str
    created_at: int


class People:
    """The people, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add(
        self,
        name: str,
        *,
        roles: Iterable[Role],
        organisation: str = "",
        highest: Marking = Marking.CLEAR,
        mail: str = "",
    ) -> Person:
        """A new person, who has no passkey yet.

        Raises:
            NotAllowed: Whoever asks may not manage.
            Conflict: There is one of that name.
            UsageError: A name, organisation or mail address that cannot be one.
        """
        self._work.must(Permission.MANAGE)
        person = Person(
            id=new_id(),
            name=checked_name(name),
            organisation=checked_name(organisation, "an organisation", 200) if organisation else "",
            roles=frozenset(roles),
            highest=Marking(highest),
            mail=_checked_mail(mail),
            created_at=self._work.now,
            disabled_at=None,
            version=1,
        )
        row = proven(self._work, people, _columns(person))
        if not self._work.store.backend.insert_new(self._connection, people, [row]):
            raise Conflict("there is a person of that name already", hint="names are unique: add a middle name or unit")
        self._work.note(person=person.id)
        return person

    def find(self, person_id: str) -> Person | None:
        """The person with an id; for the node itself, never for an answer."""
        row = one_held(self._work, people, people.c.id == person_id)
        if row is None:
            return None
        self._work.store.versions.hold(row.id, row.version, self._work.began)
        return _person(row)

    def get(self, person_id: str) -> Person:
        """The person with an id; oneself, or anyone for whoever may manage or audit.

        Raises:
            NotFound: None that whoever asks may know of.
        """
        identity = self._work.identity
        if person_id == identity.person or identity.may(Permission.MANAGE) or identity.may(Permission.AUDIT):
            found = self.find(person_id)
            if found is not None:
                return found
        raise NotFound("there is no such person")

    def by_name(self, name: str) -> Person:
        """The person of a name, exactly as it is written; see `get`."""
        found = self._connection.execute(select(people.c.id).where(people.c.name == name)).scalar()
        return self.get(found or "")

    def page(self, *, after: str = "", most: int) -> list[Person]:
        """The people whose id is after `after`, in the order of ids, at most `most`.

        Raises:
            NotAllowed: Whoever asks may neither manage nor audit.
        """
        if not self._work.identity.may(Permission.AUDIT):
            self._work.must(Permission.MANAGE)
        query = select(people).where(people.c.id > after).order_by(people.c.id).limit(min(most, MOST_AT_ONCE))
        return [_person(row) for row in held(self._work, people, self._connection.execute(query))]

    def called(self, names: Iterable[str]) -> dict[str, str]:
        """Ids of people by their names, for whoever opens a case to them: nothing else of them is told.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: Nobody who is active has one of the names.
        """
        self._work.must(Permission.WRITE)
        wanted = list(dict.fromkeys(names))
        query = select(people).where(people.c.name.in_(list(map(searchable, wanted))), people.c.disabled_at.is_(None))
        found = {row.name: row.id for row in held(self._work, people, self._work.connection.execute(query))}
        for name in wanted:
            if name not in found:
                raise NotFound(
                    f"nobody here is called {name[:60]!r}", hint="names are written as they stand on the page Node"
                )
        return found

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Names by id, of the ids that there are: whoever works here may know what a colleague is called."""
        query = select(people).where(people.c.id.in_(sorted(set(ids))))
        return {row.id: row.name for row in held(self._work, people, self._connection.execute(query))}

    def change(
        self,
        person_id: str,
        version: int,
        *,
        name: str | None = None,
        organisation: str | None = None,
        roles: Iterable[Role] | None = None,
        highest: Marking | None = None,
        mail: str | None = None,
    ) -> Person:
        """Change what is not None; it holds from their next request on, also for their tokens.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such person.
            Conflict: Somebody else changed it after `version`, the name is taken, or no administrator would be left.
        """
        self._work.must(Permission.MANAGE)
        person = self.get(person_id)
        wanted: dict[str, Any] = {}
        if name is not None and name != person.name:
            wanted["name"] = checked_name(name)
            if self._connection.execute(select(people.c.id).where(people.c.name == wanted["name"])).scalar():
                raise Conflict("there is a person of that name already")
        if organisation is not None:
            wanted["organisation"] = checked_name(organisation, "an organisation", 200) if organisation else ""
        if roles is not None:
            given = frozenset(roles)
            if Role.ADMINISTRATOR in person.roles - given:
                self._must_leave_an_administrator(person)
            wanted["roles"] = _words(given)
        if highest is not None:
            wanted["highest"] = int(Marking(highest))
        if mail is not None:
            wanted["mail"] = _checked_mail(mail)
        return self._update(person, version, wanted)

    def disable(self, person_id: str, version: int) -> Person:
        """Shut a person out: their sessions end, their tokens and invitations are void.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such person.
            Conflict: Changed in the meantime, or no administrator would be left.
        """
        self._work.must(Permission.MANAGE)
        person = self.get(person_id)
        if person.disabled_at is not None:
            return person
        self._must_leave_an_administrator(person)
        changed = self._update(person, version, {"disabled_at": self._work.now})
        now = self._work.now
        mine = sessions.c.person_id == person_id
        change(self._work, sessions, mine, sessions.c.expires_at > now, values={"expires_at": now}, lenient=True)
        live = (tokens.c.person_id == person_id, tokens.c.revoked_at.is_(None))
        change(self._work, tokens, *live, values={"revoked_at": now}, lenient=True)
        unused = (invitations.c.person_id == person_id, invitations.c.used_at.is_(None))
        self._connection.execute(delete(invitations).where(*unused))
        self._connection.execute(delete(challenges).where(challenges.c.person_id == person_id))
        theirs = (jobs.c.owner == person_id, jobs.c.state.in_(("queued", "running")))
        change(self._work, jobs, *theirs, values={"cancel_asked": True}, lenient=True)  # their work stops with them
        return changed

    def enable(self, person_id: str, version: int) -> Person:
        """Let a person in again, with the passkeys that they had; tokens stay revoked. See `change` for errors."""
        self._work.must(Permission.MANAGE)
        return self._update(self.get(person_id), version, {"disabled_at": None})

    def identity_of(
        self,
        person: Person,
        kind: Kind = Kind.PERSON,
        *,
        token: str = "",
        scopes: frozenset[Permission] | None = None,
        highest: Marking | None = None,
    ) -> Identity:
        """The identity that a person has when they come in now.

        Args:
            person: Who.
            kind: How they came in.
            token: Id of the token.
            scopes: What the token is limited to.
            highest: The token's highest marking; the lower of it and the person's holds.

        Raises:
            NotAllowed: They are disabled.
            Tampered: A membership is not as the node wrote it.
        """
        if not person.active:
            raise NotAllowed("that person is disabled", hint="an administrator can enable them again")
        most = person.highest if highest is None else min(highest, person.highest)
        found_groups, found_cases = self._memberships(person.id, most)
        return Identity(
            kind=kind,
            person=person.id,
            name=person.name,
            roles=person.roles,
            highest=most,
            groups=found_groups,
            cases=found_cases,
            scopes=scopes,
            token=token,
        )

    def _memberships(self, person_id: str, highest: Marking) -> tuple[frozenset[str], frozenset[str]]:
        """Ids of the groups and of the cases that someone is a member of, in two queries: this is asked at each request.

        Whoever may not see a case is no member of it: a case that is marked more strictly takes all that is in it along.
        """
        mine = select(group_members).where(group_members.c.person_id == person_id)
        rows = held(self._work, group_members, self._connection.execute(mine))
        in_groups = frozenset(row.group_id for row in rows)
        whole = self._work.store.backend.whole
        if whole:
            by_name, by_group = select(case_people.c.case_id), select(case_groups.c.case_id)
        else:  # with all that a proof is over
            none = literal("")
            by_name = select(
                case_people.c.case_id, case_people.c.person_id, none.label("group_id"), case_people.c.proof
            )
            by_group = select(
                case_groups.c.case_id, none.label("person_id"), case_groups.c.group_id, case_groups.c.proof
            )
        both = union_all(
            by_name.join(cases, cases.c.id == case_people.c.case_id).where(
                case_people.c.person_id == person_id, cases.c.marking <= int(highest)
            ),
            by_group.join(cases, cases.c.id == case_groups.c.case_id).where(
                case_groups.c.group_id.in_(sorted(in_groups)), cases.c.marking <= int(highest)
            ),
        )
        if whole:
            return in_groups, self._listed(person_id, both)
        found = self._connection.execute(both).all()
        for row in found:
            hold(self._work, case_groups if row.group_id else case_people, row)
        return in_groups, frozenset([row[0] for row in found])

    def _listed(self, person_id: str, both: CompoundSelect[Any]) -> frozenset[str]:
        """The ids that a query finds: read as one text, and the same set as last time where the text is the same."""
        ids = both.subquery()
        text = self._connection.execute(select(func.aggregate_strings(ids.c.case_id, " "))).scalar() or ""
        kept = self._work.store.cases_of_people
        known = kept.get(person_id)
        if known is None or known[0] != text:
            known = kept[person_id] = text, frozenset(text.split())
        return known[1]

    def any(self) -> bool:
        """Whether there is any person yet."""
        return self._connection.execute(select(people.c.id).limit(1)).scalar() is not None

    def add_group(self, name: str) -> Group:
        """A new group without members.

        Raises:
            NotAllowed: Whoever asks may not manage.
            Conflict: There is one of that name.
        """
        self._work.must(Permission.MANAGE)
        group = Group(new_id(), checked_name(name), self._work.now)
        row = {"id": group.id, "name": group.name, "created_at": group.created_at}
        if not self._work.store.backend.insert_new(self._connection, groups, [proven(self._work, groups, row)]):
            raise Conflict("there is a group of that name already")
        self._work.note(group=group.id)
        return group

    def rename_group(self, group_id: str, name: str) -> Group:
        """Another name for a group; see `add_group` for errors, and NotFound."""
        self._work.must(Permission.MANAGE)
        group = self.group(group_id)
        wanted = checked_name(name)
        taken = select(groups.c.id).where(groups.c.name == wanted, groups.c.id != group_id)
        if self._connection.execute(taken).scalar():
            raise Conflict("there is a group of that name already")
        change(self._work, groups, groups.c.id == group_id, values={"name": wanted})
        return Group(group_id, wanted, group.created_at)

    def group(self, group_id: str) -> Group:
        """A group; for its members, and for whoever may manage or audit.

        Raises:
            NotFound: None that whoever asks may know of.
        """
        row = one_held(self._work, groups, groups.c.id == group_id)
        if row is None or not (self._oversees() or group_id in self._work.identity.groups):
            raise NotFound("there is no such group")
        return Group(row.id, row.name, row.created_at)

    def groups(self, *, after: str = "", most: int = MOST_AT_ONCE) -> list[Group]:
        """The groups that whoever asks may know of, in the order of ids; see `group`."""
        query = select(groups).where(groups.c.id > after).order_by(groups.c.id).limit(min(most, MOST_AT_ONCE))
        if not self._oversees():
            query = query.where(groups.c.id.in_(sorted(self._work.identity.groups)))
        rows = held(self._work, groups, self._connection.execute(query))
        return [Group(row.id, row.name, row.created_at) for row in rows]

    def members(self, group_id: str) -> list[str]:
        """Ids of the members of a group; see `group`."""
        self.group(group_id)
        query = select(group_members).where(group_members.c.group_id == group_id)
        rows = held(self._work, group_members, self._connection.execute(query))
        return sorted(row.person_id for row in rows)

    def join(self, group_id: str, person_id: str) -> None:
        """Make a person a member of a group; who is one stays one.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such group or person.
        """
        self._work.must(Permission.MANAGE)
        row = {"group_id": self.group(group_id).id, "person_id": self.get(person_id).id}
        self._work.store.backend.insert_new(self._connection, group_members, [proven(self._work, group_members, row)])

    def leave(self, group_id: str, person_id: str) -> None:
        """Take a person out of a group; who is not in it stays out. See `join` for errors."""
        self._work.must(Permission.MANAGE)
        self.group(group_id)
        member = (group_members.c.group_id == group_id, group_members.c.person_id == person_id)
        self._connection.execute(delete(group_members).where(*member))

    def _oversees(self) -> bool:
        identity = self._work.identity
        return identity.may(Permission.MANAGE) or identity.may(Permission.AUDIT)

    def _update(self, person: Person, version: int, wanted: dict[str, Any]) -> Person:
        """Write, where nobody else did since `version`."""
        mine = (people.c.id == person.id, people.c.version == version)
        if change(self._work, people, *mine, values={**wanted, "version": version + 1}) != 1:
            raise Conflict("that person was changed in the meantime", hint="read it again, then change it")
        self._work.versions[person.id] = version + 1
        self._work.note(person=person.id, changed=sorted(wanted))
        found = self.find(person.id)
        assert found is not None  # noqa: S101 - it was just written
        return found

    def _must_leave_an_administrator(self, person: Person) -> None:
        """Two administrators who shut each other out at once would leave none: the lock lets one go first."""
        self._work.store.backend.lock_head(self._connection)
        others = select(people).where(people.c.disabled_at.is_(None), people.c.id != person.id)
        rows = held(self._work, people, self._connection.execute(others))
        left = any(Role.ADMINISTRATOR in _roles(row.roles) for row in rows)
        if not left and Role.ADMINISTRATOR in person.roles:
            raise Conflict("that is the last administrator", hint="make another person administrator first")


def checked_name(text: str, what: str = "a name", most: int = 100) -> str:
    """A text that can stand in a list, a log and a mail: one line of printable characters.

    Raises:
        UsageError: It is empty, too long, or has characters that cannot be shown.
    """
    if not text or len(text) > most or not text.isprintable() or text != text.strip():
        raise UsageError(f"{what} has 1 to {most} printable characters, none of them a space at its ends")
    return text


def _checked_mail(text: str) -> str:
    if text and (len(text) > 254 or not text.isascii() or not _MAIL.fullmatch(text)):
        raise UsageError("that is no mail address", hint="write name@example.org, or nothing")
    return text


def _words(roles: frozenset[Role]) -> str:
    return " ".join(sorted(role.value for role in roles))


def _roles(words: str) -> frozenset[Role]:
    return frozenset(Role(word) for word in words.split())


def _columns(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "organisation": person.organisation,
        "roles": _words(person.roles),
        "highest": int(person.highest),
        "mail": person.mail,
        "created_at": person.created_at,
        "disabled_at": person.disabled_at,
        "version": person.version,
    }


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        organisation=row.organisation,
        roles=_roles(row.roles),
        highest=Marking(row.highest),
        mail=row.mail,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        version=row.version,
    )
