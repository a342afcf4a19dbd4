"""Rows in every table that has proofs, what the store gives of them, and somebody who writes in the database without the key."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, delete, insert, select
from store_support import ADA, CHAIN, DESK, MARA, NORA, PAUL, UNIT, claim, into, who

from shieldwall.errors import NotFound, Tampered
from shieldwall.model.access import Handling, Identity, Kind, Permission, Role
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.store import Store
from shieldwall.store.credentials import RecoveryCode, hash_of
from shieldwall.store.partners import Partner, PartnerSecret
from shieldwall.store.proving import LEFT_OUT
from shieldwall.store.schema import (
    approvals,
    cases,
    challenges,
    collections,
    deliveries,
    files,
    groups,
    invitations,
    jobs,
    metadata,
    oidc_subjects,
    partner_groups,
    partner_secrets,
    partners,
    passkeys,
    people,
    recovery_codes,
    release_rules,
    requests,
    sessions,
    sources,
    stix_objects,
    tokens,
    watches,
)
from shieldwall.store.served import Asked
from shieldwall.store.sessions import Session, Token
from shieldwall.store.stixobjects import NewObject
from shieldwall.store.timeline import NewEntry
from shieldwall.store.watches import NewAlarm

NODE = Identity(kind=Kind.NODE, person="", name="node")
CHIEF = who(NORA, Role.ADMINISTRATOR, Role.AUDITOR)
HOUR = 3600 * 1_000_000
PEOPLE = (MARA, PAUL)


def secret_of(person: str) -> str:
    """Of a session, token or invitation of a person."""
    return person[:1] * 43


def fill(store: Store) -> None:
    """Two rows at least in every table that has proofs."""
    with store.act(CHIEF, "test.fill") as work:
        for number, person in enumerate(PEOPLE):
            now, secret = work.now, secret_of(person)
            work.credentials.add_passkey(person, person.encode()[:16], b"key of " + person.encode(), 1, "laptop")
            work.credentials.keep_recovery_code(RecoveryCode(person, f"SECRET{number}", 1))
            work.credentials.link("https://id.example.org", f"subject-{number}", person)
            hashed = hash_of(store.secrets, "invitation", secret)
            work.credentials.invite(person, "first", hashed, now + HOUR * (number + 1))
            work.credentials.begin("make", person, {"challenge": f"{number}"}, 3600 * (number + 1))
            work.sessions.begin(
                Session(
                    hash=hash_of(store.secrets, "session", secret),
                    person=person,
                    created_at=now + number,
                    seen_at=now + number,
                    confirmed_at=now + number,
                    expires_at=now + HOUR + number,
                    way=("passkey", "oidc")[number],
                )
            )
            work.tokens.add(
                Token(
                    id=person,
                    person=person,
                    hash=hash_of(store.secrets, "token", secret),
                    name=f"token {number}",
                    scopes=frozenset((Permission.READ,)),
                    highest=Marking(number),
                    created_at=now + number,
                    expires_at=now + HOUR + number,
                )
            )
        work.people.join(DESK, PAUL)
    made = []
    for number, (person, group) in enumerate(((MARA, UNIT), (PAUL, DESK))):
        with store.act(who(person), "test.fill") as work:
            made.append(work.cases.add(f"Case {number}", marking=Marking(2 + number), groups=[group]).id)
        member = into(who(person), made[-1])
        handling = Handling(marking=Marking.AMBER, pap=Pap(number), owner=person, case=made[-1])
        with store.act(member, "test.fill") as work:
            work.claims.add([claim(number)], case=made[-1])
            file = work.files.add(f"note-{number}.txt", "text/plain", [b"n" * (number + 1)], "upload", handling)
            more = {"thing": "file", "id": file.id, "marking": "TLP:GREEN", "pap": "PAP:GREEN"}
            work.approvals.ask("marking", more, f"reason {number}")
            work.jobs.add("trace.run", {"number": number}, f"key {number}", handling)
            subject = Subject("address", CHAIN, f"bc1qexample{number}")
            watch = work.watches.add("address", {"address": subject.name}, {"tip": 1}, subject, handling)
            work.tagsets.add(
                f"set {number}", "1", b"{}", [b"part"], case=made[-1], lowest=Marking.GREEN, strictest=Marking.AMBER
            )
        with store.act(NODE, "test.fill") as work:
            alarm = NewAlarm(event=("received", str(number)), body={"number": number}, handling=handling)
            ways = [("mail", f"{number}@example.org")]
            assert work.watches.ring(watch, {"tip": 2}, [alarm], ways)


def fill_casework(store: Store) -> None:
    """The same of the tables that came with casework, in cases of its own."""
    for number, person in enumerate(PEOPLE):
        with store.act(who(person), "test.fill") as work:
            case = work.cases.add(f"Casework {number}", marking=Marking(2 + number), number=f"C-{number}").id
        handling = Handling(marking=Marking.AMBER, pap=Pap(number), owner=person, case=case)
        with store.act(into(who(person), case), "test.fill") as work:
            happened = (number + 1) * HOUR
            entries = [
                NewEntry(kind="event", ref=f"r{each}", body={"text": "x"}, happened_at=happened) for each in range(2)
            ]
            assert work.timeline.add(entries, handling) == 2
            work.timeline.go("event", "r1", case)
            file = work.files.add(f"piece-{number}.txt", "text/plain", [b"p" * (number + 1)], "upload", handling)
            piece = work.evidence.add(file.id, {"method": "copied"}, handling)
            work.evidence.append(piece.id, 1, {"number": 1})
            request = work.requests.add("freeze", "draft", {"kind": "freeze"}, handling)
            work.requests.append(
                request.id, 0, deed="draft", body={"digest": "d"}, state=("draft", "sent")[number], due_at=happened
            )
            work.travels.add(["a", "b"], by="request", carrier=request.id, to="somebody", handling=handling)
            work.travels.recall("a", case)
            (gone,) = [each for each in work.travels.of("a") if each.carrier == request.id]
            work.travels.told(gone.id)


def new_object(number: int, handling: Handling, *, content: str = "", version: int | None = 1) -> NewObject:
    """A STIX object, of no sense to the store."""
    raw = f'{{"number": {number}, "says": "{content}"}}'.encode()
    return NewObject(
        id=f"indicator--{number:08x}-0000-4000-8000-000000000000",
        version=version,
        type="indicator",
        spec="2.1",
        content=hashlib.sha256(raw).digest(),
        raw=raw,
        handling=handling,
    )


def fill_sharing(store: Store) -> None:
    """The same of partners, collections and what is in them."""
    for number, person in enumerate(PEOPLE):
        with store.act(CHIEF, "test.fill") as work:
            partner = work.partners.add(f"Partner {number}", highest=Marking.GREEN)
            group = work.partners.add_group(f"Group {number}")
            work.partners.join(group.id, partner.id)
            work.partners.add_secret(
                PartnerSecret(
                    id=partner.id,
                    partner=partner.id,
                    kind=("secret", "certificate")[number],
                    hash=hash_of(store.secrets, "partner", secret_of(person)),
                    created_at=work.now,
                    expires_at=work.now + HOUR,
                )
            )
        approver = who(person, Role.ANALYST, Role.APPROVER)
        with store.act(approver, "test.fill") as work:
            collection = work.collections.add(f"Collection {number}", group=group.id, highest=Marking(number + 1))
            handling = Handling(marking=Marking(number), pap=Pap(number), owner=person)
            kept = work.stix.add([new_object(2 * number + each, handling, version=7 + each) for each in range(2)])
            work.rules.add(collection.id, ["indicator"], Marking.CLEAR, f"rule {number}")
            target = {"url": f"https://{number}.example/a/collections/b/objects/"}
            work.sources.put(target, Handling(marking=Marking(number), pap=Pap(number), owner=person), every=60)
        for seq in kept.numbers:
            with store.act(approver, "test.fill") as work:
                assert work.collections.release(collection.id, [seq], "for them").added == (seq,)


def given(store: Store, table: str) -> set[str]:
    """All that the store gives of a table, whoever asks for it; what it refuses as tampered is not given."""
    found: set[str] = set()
    for one in _DOORS[table](store):
        with contextlib.suppress(Tampered, NotFound):
            facts = one()
            found |= {repr(fact) for fact in (facts if isinstance(facts, list) else [facts])}
    return found - {"None", "''"}


def _column(store: Store, column: Column[Any]) -> list[Any]:
    with store.inside(NODE) as work:
        return list(work.connection.execute(select(column)).scalars())


def _each(
    column: Column[Any], ask: Callable[[Any, Any], Any], identity: Callable[[Any], Identity] | None = None
) -> Any:
    """Doors for each value of a column; each in a transaction of its own that is undone."""

    def doors(store: Store) -> Iterator[Callable[[], Any]]:
        for value in _column(store, column):

            def door(value: Any = value) -> Any:
                with store.backend.engine.connect() as connection:
                    from shieldwall.store.work import Work

                    work = Work(store, connection, identity(value) if identity else everywhere(store), {})
                    return ask(work, value)

            yield door

    return doors


def everywhere(store: Store) -> Identity:
    """Someone who is in every case and group, and may do everything."""
    there = {"cases": _column(store, cases.c.id), "groups": _column(store, groups.c.id)}
    return who(MARA, *Role, **there)


def _membership(work: Any, person: str) -> list[Any]:
    found = work.people.find(person)
    identity = work.people.identity_of(found) if found else None
    return [(person, each) for each in (*identity.groups, *identity.cases)] if identity else []


def _members(work: Any, case: str) -> list[Any]:
    found = work.cases.get(case)
    alone = replace(found, people=frozenset(), groups=frozenset())
    return [alone, *((case, each) for each in (*found.people, *found.groups))]


def _link(work: Any, subject: str) -> list[Any]:
    person = work.credentials.linked("https://id.example.org", subject)
    return [(subject, person)] if person else []


def _memberships(work: Any, partner: str) -> list[Any]:
    found = work.partners.get(partner)
    return [replace(found, groups=frozenset()), *((partner, each) for each in found.groups)]


def _items(work: Any, collection: str) -> list[Any]:
    found = work.collections.get(collection)
    partner = Partner(
        id="9" * 32,
        name="Somebody",
        highest=Marking.AMBER,
        groups=frozenset((found.group,)),
        created_at=0,
        ended_at=None,
        version=1,
    )
    return list(work.served.items(found, partner, Asked(every=True), most=99))


_PARTNER = _each(partners.c.id, _memberships)
_PERSON = _each(people.c.id, _membership)
_CASE = _each(cases.c.id, _members)

_DOORS: dict[str, Callable[[Store], Iterator[Callable[[], Any]]]] = {
    "people": _each(people.c.id, lambda work, key: work.people.find(key)),
    "groups": _each(groups.c.id, lambda work, key: work.people.group(key)),
    "group_members": _PERSON,
    "case_people": lambda store: (door for each in (_PERSON, _CASE) for door in each(store)),
    "case_groups": lambda store: (door for each in (_PERSON, _CASE) for door in each(store)),
    "cases": _each(cases.c.id, _members),
    "passkeys": _each(passkeys.c.id, lambda work, key: work.credentials.passkey(key)),
    "recovery_codes": _each(recovery_codes.c.person_id, lambda work, key: work.credentials.recovery_code(key)),
    "oidc_subjects": _each(oidc_subjects.c.subject, _link),
    "invitations": _each(invitations.c.secret_hash, lambda work, key: work.credentials.invitation(key)),
    "challenges": _each(challenges.c.id, lambda work, key: work.credentials.take(key, "make")),
    "sessions": _each(sessions.c.secret_hash, lambda work, key: work.sessions.find(key)),
    "tokens": _each(tokens.c.id, lambda work, key: work.tokens.find(key)),
    "timeline": _each(cases.c.id, lambda work, key: work.timeline.page(key, most=99, known_at=work.now)),
    "evidence": _each(metadata.tables["evidence"].c.id, lambda work, key: work.evidence.get(key)),
    "requests": _each(requests.c.id, lambda work, key: work.requests.get(key)),
    "request_deeds": _each(requests.c.id, lambda work, key: work.requests.deeds(key)),
    "travels": _each(cases.c.id, lambda work, _: [*work.travels.of("a"), *work.travels.of("b")]),
    "tag_sets": _each(metadata.tables["tag_sets"].c.id, lambda work, _: work.tagsets.all()),
    "files": _each(files.c.id, lambda work, key: work.files.get(key)),
    "approvals": _each(approvals.c.id, lambda work, key: work.approvals.get(key)),
    "jobs": _each(jobs.c.id, lambda work, key: work.jobs.get(key)),
    "watches": _each(watches.c.id, lambda work, key: work.watches.get(key)),
    "alarms": _each(metadata.tables["alarms"].c.id, lambda work, key: work.watches.alarm(key)),
    "partners": _PARTNER,
    "partner_members": _PARTNER,
    "partner_groups": _each(partner_groups.c.id, lambda work, key: work.partners.group(key)),
    "partner_secrets": _each(partner_secrets.c.id, lambda work, key: work.partners.find_secret(key)),
    "stix_objects": _each(stix_objects.c.seq, lambda work, key: work.stix.at([key])),
    "collections": _each(collections.c.id, lambda work, key: work.collections.get(key)),
    "releases": _each(collections.c.id, lambda work, key: work.collections.decisions(key, most=99)),
    "collection_objects": _each(collections.c.id, _items),
    "release_rules": _each(release_rules.c.id, lambda work, key: work.rules.get(key)),
    "sources": _each(sources.c.id, lambda work, key: work.sources.get(key)),
    "deliveries": _each(deliveries.c.alarm_id, lambda work, key: work.watches.deliveries(key)),
}


class Intruder:
    """Writes in the database as its superuser, past foreign keys, and undoes it."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self.table: Table = metadata.tables[table]
        self.rows = [dict(row) for row in self._run(select(self.table).order_by(*self.table.primary_key)).mappings()]

    def _run(self, *statements: Any) -> Any:
        with self._store.backend.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements[:-1]:
                connection.execute(statement)
            result = connection.execute(statements[-1])
            return result.freeze()() if result.returns_rows else result

    @contextlib.contextmanager
    def writes(self, *rows: dict[str, Any]) -> Iterator[None]:
        """The table has these rows, and no others, for a while."""
        try:
            self._run(delete(self.table), *(insert(self.table).values(row) for row in rows))
            yield
        finally:
            self._run(delete(self.table), *(insert(self.table).values(row) for row in self.rows))


def protected(table: str) -> list[str]:
    """The columns that a proof of a table has."""
    return [column.name for column in metadata.tables[table].columns if column.name not in {*LEFT_OUT[table], "proof"}]


def others(column: Column[Any], value: Any) -> list[Any]:
    """Other values that a column could hold."""
    if isinstance(column.type, Boolean):
        found: list[Any] = [not value]
    elif isinstance(column.type, LargeBinary):
        found = [bytes(32), (value or b"") + b"\0"]
    elif isinstance(column.type, String):
        longest = column.type.length or 10
        words = {
            "roles": ["administrator", "analyst approver"],
            "scopes": ["read write"],
            "state": ["done"],
            "purpose": ["sign in", "recovery"],
            "decision": ["approved"],
        }
        found = words.get(column.name, ["9" * 32] if column.name == "id" else [ADA, NORA])
        found = [text[:longest] for text in found]
    elif column.primary_key:
        found = [value + 1000, value + 2000]  # no other row has it
    else:
        found = [0, 1] if value is None else [value + 1, max(value - 1, 0), 4]
    if column.nullable and not column.primary_key:
        found.append(None)
    return [each for each in found if each != value]


__all__ = ["CHIEF", "NODE", "PEOPLE", "Intruder", "everywhere", "fill", "given", "others", "protected"]
