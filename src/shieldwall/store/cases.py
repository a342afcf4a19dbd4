"""Cases: who works on what, and where two teams of one node meet without being told on what.

A case is for its members alone. When something in one case is about a subject that another case has too, both are told that they
meet, and whom to call: never the subject, the title, or how often (local deconfliction). A silent case hears of others and is
never heard of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, String, Table, cast, delete, func, insert, select, update

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id, searchable, utf8
from shieldwall.store.placing import older_than
from shieldwall.store.proving import change, held, hold, proven
from shieldwall.store.schema import (
    case_about,
    case_groups,
    case_marks,
    case_people,
    cases,
    claims,
    group_members,
    groups,
    meetings,
    people,
    watches,
)
from shieldwall.store.timeline import NewEntry
from shieldwall.store.visible import among, handling_of, inside, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

OPEN, CLOSED = "open", "closed"
STATUSES = (OPEN, CLOSED)
LONGEST_TITLE = 200  # characters

LONGEST_NUMBER = 80  # characters
_LONGEST_WORDS = 2000  # characters
_MOST_WORDS = 12  # of a search
_LATELY = 8  # people, or states of their cases, of whom what is searched stays opened
_AT_ONCE = 5000  # subjects that are asked for in one statement
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case.

    Attributes:
        id: 32 hex digits.
        title: What its members call it.
        number: What the agency calls it; "" for nothing.
        status: One of `STATUSES`.
        silent: Whether other teams are never told that they meet it.
        contact: Id of the member whom other teams are told to call.
        handling: Who may see it: its members, as far as its marking allows.
        people: Ids of the members by name.
        groups: Ids of the groups whose members are members.
        created_at: Microseconds of Unix time.
        version: Goes up by one with every change.
    """

    id: str
    title: str
    number: str
    status: str
    silent: bool
    contact: str
    handling: Handling
    people: frozenset[str]
    groups: frozenset[str]
    created_at: int
    version: int


@dataclass(frozen=True, slots=True, order=True)
class Meeting:
    """That another team of this node works on something in a case of whoever asks.

    Attributes:
        case: Id of their own case.
        contact: Name of the person to call.
        day: Of the first time, as midnight in UTC, in microseconds: the moment would tell which claim it was.
    """

    case: str
    contact: str
    day: int


class Cases:
    """The cases, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._met: set[str] = set()

    def add(
        self,
        title: str,
        *,
        number: str = "",
        marking: Marking = STRICTEST,
        pap: Pap = STRICTEST_PAP,
        silent: bool = False,
        people: Iterable[str] = (),
        groups: Iterable[str] = (),
    ) -> Case:
        """Open a case. Whoever asks becomes a member and its contact; an identity made before does not know of it.

        Raises:
            NotAllowed: Whoever asks may not write, or is nobody who could be called.
            NotFound: No such person or group.
            UsageError: No title, or too long a one.
        """
        self._work.must(Permission.WRITE)
        maker = self._work.identity.person
        if not maker:
            raise NotAllowed("a case needs a person who can be called", hint="let a person open it")
        case_id, now = new_id(), self._work.now
        row = {
            "id": case_id,
            "title_sealed": self._sealed_title(case_id, title),
            "status": OPEN,
            "silent": silent,
            "contact": maker,
            "marking": int(marking),
            "pap": int(pap),
            "owner": maker,
            "created_at": now,
            "version": 1,
        }
        self._work.connection.execute(insert(cases).values(proven(self._work, cases, row)))
        if number:
            self._put_about(case_id, _plain_number(number), "")
        self._put_members(case_id, {maker, *people}, set(groups))
        self._work.note(case=case_id)
        return self._whole(case_id)

    def get(self, case_id: str) -> Case:
        """The case with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for case in self._read_these([searchable(case_id)]):
            return case
        raise NotFound("there is no such case")

    def page(self, *, after: str = "", most: int, status: str = "") -> list[Case]:
        """Cases with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No case `after` that whoever asks may see.
        """
        conditions = [older_than(self._work, cases, after, self._seen())]
        if status:
            conditions.append(cases.c.status == searchable(status))
        return list(self._read(*conditions, most=most))

    def change(
        self,
        case_id: str,
        version: int,
        *,
        title: str | None = None,
        number: str | None = None,
        status: str | None = None,
        silent: bool | None = None,
        contact: str | None = None,
        marking: Marking | None = None,
        pap: Pap | None = None,
    ) -> Case:
        """Change a case; what is None stays.

        Args:
            case_id: Which.
            version: The one that the change was made from.
            title: A new title.
            number: What the agency calls it.
            status: One of `STATUSES`.
            silent: Whether other teams are told of it.
            contact: Another member.
            marking: A stricter one: a more open one needs an approval.
            pap: A stricter one: as `marking`.

        Raises:
            NotAllowed: Whoever asks may not write, or it would be more open.
            NotFound: No case that whoever asks may see, or the contact is no member.
            Conflict: It was changed in the meantime.
            UsageError: No such status, or a title that cannot be.
        """
        self._work.must(Permission.WRITE)
        case = self.get(case_id)
        handling = case.handling
        if (marking is not None and marking < handling.marking) or (pap is not None and pap < handling.pap):
            raise NotAllowed("a more open marking needs a second person", hint="ask for an approval")
        after = replace(handling, marking=marking or handling.marking, pap=pap or handling.pap)
        if not may_see(self._work.identity, after):
            raise NotAllowed("you would not see the case any more", hint="ask a member who may see that marking")
        if status is not None and status not in STATUSES:
            raise UsageError(f"{status[:40]!r} is no status of a case", hint=f"use one of {', '.join(STATUSES)}")
        if OPEN not in (case.status, status) and (title, number, silent, contact) != (None, None, None, None):
            raise Conflict("the case is closed", hint="open it again first")
        if contact is not None and contact not in self._everyone(case.people, case.groups):
            raise NotFound("no such member", hint="the contact of a case is one of its members")
        values: dict[str, Any] = {"status": status, "silent": silent, "contact": contact}
        values |= {"marking": None if marking is None else int(marking), "pap": None if pap is None else int(pap)}
        if title is not None:
            values["title_sealed"] = self._sealed_title(case_id, title)
        if number is not None:
            self._put_about(case_id, _plain_number(number), self._about(case_id)[1])
        self._step(case_id, version, {name: value for name, value in values.items() if value is not None})
        if status is not None and status != case.status:
            told = NewEntry(kind="status", ref=case_id, body={"status": status, "by": self._work.identity.name})
            self._work.timeline.tell([told], after)
        return self._whole(case_id)

    def set_members(self, case_id: str, version: int, *, people: Iterable[str], groups: Iterable[str]) -> Case:
        """Say who the members are: all of them, by name and by group. The contact must stay one.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No case that whoever asks may see, or no such person or group.
            Conflict: It was changed in the meantime, or its contact would be no member.
        """
        self._work.must(Permission.WRITE)
        case = self.get(case_id)
        named, grouped = set(people), set(groups)
        if case.contact not in self._everyone(named, grouped):
            raise Conflict("the contact of a case must stay a member", hint="name another contact first")
        self._step(case_id, version, {})
        for table in (case_people, case_groups):
            self._work.connection.execute(delete(table).where(table.c.case_id == case_id))
        self._put_members(case_id, named, grouped)
        return self._whole(case_id)

    def close(self, case_id: str, version: int) -> Case:
        """Close a case: nothing more is put into it, and other teams are no longer told of it.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No case that whoever asks may see.
            Conflict: It was changed in the meantime.
        """
        return self.change(case_id, version, status=CLOSED)

    def find_by(self, case_id: str, words: str) -> None:
        """Say by which words a case is found beside its title and number; in the act of what they are out of.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case.
        """
        self._work.must(Permission.WRITE)
        number, before = self._about(self.get(case_id).id)
        plain = " ".join(words.split())[:_LONGEST_WORDS]
        if plain != before:
            self._put_about(case_id, number, plain)

    def search(self, text: str, *, most: int) -> list[Case]:
        """Cases in whose title, number or words all words of a text are found, the newest first, at most `most`."""
        wanted = text.casefold().split()[:_MOST_WORDS]
        if not wanted:
            return []
        beside = cases.outerjoin(case_about, case_about.c.case_id == cases.c.id)
        # while no case of theirs has another version, nothing is read again
        versions = (cases.c.version, func.coalesce(case_about.c.version, 0))
        each = cases.c.id + "." + cast(versions[0], String) + "." + cast(versions[1], String) + " "
        seen = select(each.label("mark")).select_from(beside).where(self._seen()).order_by(cases.c.id).subquery()
        mark = self._work.connection.execute(select(func.aggregate_strings(seen.c.mark, ""))).scalar() or ""
        kept = self._work.store.told_of_cases
        told = kept.get(mark)
        if told is None:
            told = self._told()
            for old in list(kept)[: max(0, len(kept) - _LATELY)]:
                kept.pop(old, None)
            kept[mark] = told
        found = sorted((entry[1:] for entry in told if _has_all(entry[0], wanted)), reverse=True)[:most]
        order = {case_id: place for place, (_, case_id) in enumerate(found)}
        return sorted(self._read_these(order), key=lambda case: order[case.id])

    def _told(self) -> list[tuple[str, int, str]]:
        """What each case of whoever asks is found by, in small letters, with when it was opened, and its id."""
        beside = cases.outerjoin(case_about, case_about.c.case_id == cases.c.id)
        columns = (cases.c.id, cases.c.created_at, cases.c.title_sealed, case_about.c.about_sealed)
        told = []
        for row in self._work.connection.execute(select(*columns).select_from(beside).where(self._seen())):
            text = self._work.open(cases.name, "title", row.id, row.title_sealed).decode()
            if row.about_sealed is not None:
                text = f"{text} {' '.join(self._opened_about(row.id, row.about_sealed))}"
            told.append((text.casefold(), row.created_at, row.id))
        return told

    def shared(self, case_id: str, keys: Iterable[int]) -> dict[int, set[str]]:
        """Which other cases of whoever asks have something about these subjects, by `Claims.subject_key`.

        Only cases that they are a member of are looked at: of the others `meetings` tells, and less.
        """
        own = sorted(self._work.identity.cases - {case_id})
        wanted, found = sorted(set(keys)), dict[int, set[str]]()
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            for table in (claims, watches, case_marks):
                columns = table.c
                query = select(columns.subject_key, columns.case_id).distinct()
                seen_there = self._marked() if table is case_marks else visible(self._work.identity, table)
                for row in self._work.connection.execute(
                    query.where(columns.subject_key.in_(part), columns.case_id.in_(own), seen_there)
                ):
                    found.setdefault(row.subject_key, set()).add(row.case_id)
        seen = {
            case.id for case in self._read(cases.c.id.in_(sorted({each for some in found.values() for each in some})))
        }
        return {key: some & seen for key, some in found.items() if some & seen}

    def mark(self, case_id: str, subject_keys: Iterable[int], marking: Marking) -> None:
        """Note what a case touches beside the subjects of its claims, and look whether it meets others there.

        Args:
            case_id: The case.
            subject_keys: `Claims.subject_key` of what it touches.
            marking: Of that from which this is known; who may not see it learns of other cases nothing by it.

        Raises:
            NotFound: No such case that whoever asks may see.
        """
        self.get(case_id)
        keys = sorted(set(subject_keys))
        rows = [{"case_id": case_id, "subject_key": key, "marking": int(marking)} for key in keys]
        for start in range(0, len(rows), _AT_ONCE):
            self._work.store.backend.insert_new(self._work.connection, case_marks, rows[start : start + _AT_ONCE])
        if keys:
            self.meet(case_id, keys)

    def marks(self, case_id: str) -> set[int]:
        """The keys of what a case touches: subjects of its claims that whoever asks may see, and its marks.

        Raises:
            NotFound: No such case that whoever asks may see.
        """
        self.get(case_id)
        found = set(
            self._work.connection.execute(
                select(claims.c.subject_key)
                .distinct()
                .where(claims.c.case_id == case_id, visible(self._work.identity, claims))
            ).scalars()
        )
        query = select(case_marks.c.subject_key).where(case_marks.c.case_id == case_id, self._marked())
        return found | set(self._work.connection.execute(query).scalars())

    def must_be_open(self, case_id: str) -> None:
        """Refuse to put something into a case that is closed.

        Raises:
            NotFound: There is no such case.
            Conflict: It is closed.
        """
        # kept from being closed until this act ends
        query = select(cases).where(cases.c.id == searchable(case_id)).with_for_update(read=True)
        row = self._work.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("there is no such case")
        hold(self._work, cases, row)
        if row.status != OPEN:
            raise Conflict("the case is closed", hint="open it again first")

    def meet(self, case_id: str, subject_keys: Iterable[int]) -> None:
        """Look whether a case meets others, after something about these subjects came into it; both sides are kept.

        To be called in the act that puts it there. The audit record of that act tells which cases meet, by their ids.

        Args:
            case_id: Where it was put.
            subject_keys: `Claims.subject_key` of what it is about.
        """
        self._work.store.backend.lock_intake(self._work.connection)
        keys = sorted(set(subject_keys))
        others: set[str] = set()
        for start in range(0, len(keys), _AT_ONCE):
            for table in (claims, watches, case_marks):
                columns = table.c
                found = (
                    select(columns.case_id)
                    .distinct()
                    .where(
                        columns.subject_key.in_(keys[start : start + _AT_ONCE]),
                        columns.case_id.is_not(None),
                        columns.case_id != case_id,
                    )
                )
                others.update(self._work.connection.execute(found).scalars())
        if not others:
            return
        pairs = [pair for other in sorted(others) for pair in ((case_id, other), (other, case_id))]
        rows = [{"case_id": one, "other_id": two, "found_at": self._work.now} for one, two in pairs]
        if self._work.store.backend.insert_new(self._work.connection, meetings, rows):
            self._met |= others
            self._work.note(met=sorted(self._met))

    def meetings(self) -> list[Meeting]:
        """What whoever asks is told of other teams: for each open case of theirs whom to call, and since which day.

        Nothing of a silent or closed case is told, and nothing to someone who is in both.
        """
        if self._work.connection.execute(select(meetings.c.case_id).limit(1)).first() is None:
            return []  # as on most nodes: nothing is asked about all cases of whoever asks
        other, own = cases.alias("other"), cases
        query = (
            select(other, own.c.id.label("own_id"), meetings.c.found_at)
            .select_from(
                meetings.join(own, own.c.id == meetings.c.case_id).join(other, other.c.id == meetings.c.other_id)
            )
            .where(self._seen(), own.c.status == OPEN, other.c.status == OPEN, other.c.silent.is_(False))
            .where(*self._of_others(other.c.id))
        )
        first: dict[tuple[str, str], int] = {}
        rows = list(held(self._work, cases, self._work.connection.execute(query)))
        mine = {case.id for case in self._read_these(row.own_id for row in rows)}
        for row in rows:
            if row.own_id in mine:
                met = (row.own_id, row.contact)
                first[met] = min(row.found_at, first.get(met, row.found_at))
        names = self._work.people.names(contact for _, contact in first)
        by_name: dict[tuple[str, str], int] = {}
        for (case, contact), at in first.items():
            named = (case, names[contact])
            by_name[named] = min(at, by_name.get(named, at))
        return sorted(Meeting(case, name, at - at % _DAY) for (case, name), at in by_name.items())

    def _of_others(self, case_id: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """That whoever asks is named in a case neither alone nor by a group, whether they may see it or not."""
        identity = self._work.identity
        alone = select(case_people.c.case_id).where(case_people.c.person_id == identity.person)
        grouped = select(case_groups.c.case_id).where(case_groups.c.group_id.in_(sorted(identity.groups)))
        return [case_id.not_in(alone), case_id.not_in(grouped), ~among(case_id, identity.cases)]

    def _marked(self) -> ColumnElement[bool]:
        return case_marks.c.marking <= int(self._work.identity.highest)

    def _seen(self) -> ColumnElement[bool]:
        return visible(self._work.identity, cases, cases.c.id)

    def _read_these(self, ids: Iterable[str]) -> Iterator[Case]:
        """Those of some cases that whoever asks may see: nothing is asked about all of theirs."""
        own = inside(self._work.identity, ids)
        return self._read(cases.c.id.in_(sorted(own.cases)), seen=visible(own, cases, cases.c.id))

    def _read(
        self, *conditions: ColumnElement[bool], most: int | None = None, seen: ColumnElement[bool] | None = None
    ) -> Iterator[Case]:
        query = select(cases).where(self._seen() if seen is None else seen, *conditions)
        query = query.order_by(cases.c.created_at.desc(), cases.c.id.desc()).limit(most)
        for case in self._cases(self._work.connection.execute(query).all()):
            if may_see(self._work.identity, case.handling):  # asked again: the query is one exit, this is another
                yield case

    def _whole(self, case_id: str) -> Case:
        """A case that whoever asks has just made or changed, though they may not see it any more."""
        (case,) = self._cases(self._work.connection.execute(select(cases).where(cases.c.id == case_id)).all())
        return case

    def _cases(self, rows: Sequence[Any]) -> list[Case]:
        """Cases of their rows; what else belongs to them is read of all at once."""
        ids = [row.id for row in rows]
        people_of, groups_of = self._members(case_people, "person_id", ids), self._members(case_groups, "group_id", ids)
        about = select(case_about).where(case_about.c.case_id.in_(ids))
        numbers = {
            row.case_id: self._opened_about(row.case_id, row.about_sealed)[0]
            for row in (self._work.connection.execute(about) if ids else ())
        }
        found = []
        for row in rows:
            hold(self._work, cases, row)
            found.append(
                Case(
                    id=row.id,
                    title=self._work.open(cases.name, "title", row.id, row.title_sealed).decode(),
                    number=numbers.get(row.id, ""),
                    status=row.status,
                    silent=row.silent,
                    contact=row.contact,
                    handling=handling_of(row, row.id),
                    people=frozenset(people_of.get(row.id, ())),
                    groups=frozenset(groups_of.get(row.id, ())),
                    created_at=row.created_at,
                    version=row.version,
                )
            )
        return found

    def _about(self, case_id: str) -> tuple[str, str]:
        """Its number, and the words that it is found by."""
        query = select(case_about.c.about_sealed).where(case_about.c.case_id == case_id)
        sealed = self._work.connection.execute(query).scalar()
        return ("", "") if sealed is None else self._opened_about(case_id, sealed)

    def _opened_about(self, case_id: str, sealed: bytes) -> tuple[str, str]:
        body = parse_json(self._work.open(case_about.name, "about", case_id, sealed), "a case")
        return str(body["number"]), str(body["words"])

    def _put_about(self, case_id: str, number: str, words: str) -> None:
        plain = canonical_json({"number": number, "words": words})
        values = {"about_sealed": self._work.seal(case_about.name, "about", case_id, plain)}
        there = case_about.c.case_id == case_id
        following = {**values, "version": case_about.c.version + 1}
        if self._work.connection.execute(update(case_about).where(there).values(following)).rowcount == 0:
            self._work.connection.execute(insert(case_about).values(case_id=case_id, version=1, **values))

    def _members(self, table: Table, column: str, case_ids: Sequence[str]) -> dict[str, set[str]]:
        """Ids of people or groups that are named in cases, by case."""
        found: dict[str, set[str]] = {}
        if case_ids:
            rows = self._work.connection.execute(select(table).where(table.c.case_id.in_(case_ids)))
            for row in held(self._work, table, rows):
                found.setdefault(row.case_id, set()).add(getattr(row, column))
        return found

    def _everyone(self, named: Iterable[str], grouped: Iterable[str]) -> set[str]:
        """Ids of all members, those of groups among them."""
        query = select(group_members).where(group_members.c.group_id.in_(sorted(map(searchable, grouped))))
        rows = held(self._work, group_members, self._work.connection.execute(query))
        return {*named, *(row.person_id for row in rows)}

    def _put_members(self, case_id: str, named: set[str], grouped: set[str]) -> None:
        named, grouped = set(map(searchable, named)), set(map(searchable, grouped))
        for table, column, ids in ((people, "person_id", named), (groups, "group_id", grouped)):
            target = case_people if table is people else case_groups
            there = set(self._work.connection.execute(select(table.c.id).where(table.c.id.in_(sorted(ids)))).scalars())
            if there != ids:
                raise NotFound("no such person or group")
            if ids:
                rows = [proven(self._work, target, {"case_id": case_id, column: one}) for one in sorted(ids)]
                self._work.connection.execute(insert(target), rows)

    def _step(self, case_id: str, version: int, values: dict[str, Any]) -> None:
        """Write the next version, where the one that the change was made from is still the last."""
        last = (cases.c.id == case_id, cases.c.version == version)
        if change(self._work, cases, *last, values={"version": version + 1, **values}) != 1:
            raise Conflict("the case was changed in the meantime", hint="read it again, and repeat your change")
        self._work.note(case=case_id, version=version + 1, changed=sorted(values))

    def _sealed_title(self, case_id: str, title: str) -> bytes:
        plain = " ".join(title.split())
        if not plain or len(plain) > LONGEST_TITLE:
            raise UsageError(f"a case needs a title of at most {LONGEST_TITLE} characters")
        return self._work.seal(cases.name, "title", case_id, utf8(plain))


def _has_all(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _plain_number(number: str) -> str:
    utf8(number)
    plain = " ".join(number.split())
    if len(plain) > LONGEST_NUMBER:
        raise UsageError(f"the number of a case has at most {LONGEST_NUMBER} characters")
    return plain
