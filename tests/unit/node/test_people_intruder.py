"""Somebody writes in the PostgreSQL database and has not the node's key: no door opens, for nobody whom they are not."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import pyotp
import pytest
from passkey_support import Authenticator
from people_support import DAY, House
from sqlalchemy import delete, insert, select, update

from shieldwall.errors import NotSignedIn, ShieldwallError, Tampered
from shieldwall.model.access import Handling, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.store import Secrets
from shieldwall.store.credentials import hash_of
from shieldwall.store.schema import (
    case_people,
    cases,
    challenges,
    files,
    group_members,
    invitations,
    passkeys,
    people,
    recovery_codes,
    sessions,
    tokens,
)

pytestmark = [pytest.mark.needs("postgresql")]

SECRET = "k" * 43
SHUT = (NotSignedIn, Tampered)


@pytest.fixture(scope="module")
def house(postgresql, tmp_path_factory):
    name = postgresql.database()
    made = House(tmp_path_factory.mktemp("house"), database=postgresql.url(name))
    yield made
    made.store.close()
    postgresql.drop(name)


@pytest.fixture(scope="module")
def insider(house):
    """Somebody of the unit who may do little, and their way in."""
    person, authenticator, _ = house.person("Mara", Role.VIEWER, highest=Marking.GREEN)
    return person, authenticator


@pytest.fixture
def signed(house, insider):
    """The insider's session, and its secret."""
    secret, both = house.sign_in_with_secret(insider[1])
    return secret, both


@pytest.fixture
def intruder(house):
    """Runs statements in the database; the tables that it names are as they were afterwards."""
    kept = []

    def run(*statements):
        with house.store.backend.engine.begin() as connection:
            for statement in statements:
                table = statement.table
                if table not in [each for each, _ in kept]:
                    kept.append((table, [dict(row) for row in connection.execute(select(table)).mappings()]))
                assert connection.execute(statement).rowcount

    yield run
    with house.store.backend.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table, rows in kept:
            connection.execute(delete(table))
            if rows:
                connection.execute(insert(table), rows)


def rows_of(house, table, *conditions):
    with house.store.backend.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).where(*conditions)).mappings()]


def comes_in(house, secret):
    return house.doors.session(secret, house.somewhere())[1]


def hashes_without_the_key(purpose, secret):
    """What somebody could put in the place of a hash of a secret of their own."""
    bare = hashlib.sha256(secret.encode()).digest()
    return [bare, hash_of(Secrets(bytes(range(32))), purpose, secret), bytes(32)]


def test_nobody_makes_a_session(house, intruder):
    admin = house.admin[1].person
    now = house.store.now()
    row = {"person_id": admin, "created_at": now, "seen_at": now, "confirmed_at": now, "expires_at": now + DAY * 10**6}
    for hashed in hashes_without_the_key("session", SECRET):
        intruder(insert(sessions).values(secret_hash=hashed, way="passkey", **row))
        with pytest.raises(NotSignedIn):
            comes_in(house, SECRET)
    stolen = rows_of(house, sessions, sessions.c.person_id == admin)[0]
    intruder(insert(sessions).values(stolen | {"secret_hash": hashlib.sha256(b"mine").digest()}))
    with pytest.raises(NotSignedIn):
        comes_in(house, "mine")


@pytest.mark.parametrize("column", ["person_id", "created_at", "seen_at", "confirmed_at", "expires_at", "way"])
def test_ones_own_session_becomes_no_other(house, insider, signed, intruder, column):
    secret, (session, _) = signed
    value = {"person_id": house.admin[1].person, "way": "oidc"}.get(column, house.store.now() + DAY)
    assert comes_in(house, secret).person == insider[0]
    intruder(update(sessions).where(sessions.c.secret_hash == session.hash).values({column: value}))
    with pytest.raises(Tampered):
        comes_in(house, secret)


def test_two_sessions_do_not_change_places(house, signed, intruder):
    secret, (session, _) = signed
    other = rows_of(house, sessions, sessions.c.person_id == house.admin[1].person)[0]
    mine = sessions.c.secret_hash == session.hash
    intruder(update(sessions).where(mine).values(other | {"secret_hash": session.hash}))
    with pytest.raises(Tampered):
        comes_in(house, secret)


@pytest.mark.parametrize(
    "values",
    [
        {"roles": "administrator analyst approver"},
        {"highest": int(Marking.RED)},
        {"name": "Ada again"},
        {"version": 7},
        {"roles": "administrator", "proof": None},
        {"roles": "administrator", "proof": b""},
        {"roles": "administrator", "proof": bytes(32)},
    ],
)
def test_nobody_gives_themselves_a_role(house, insider, signed, intruder, values):
    secret, _ = signed
    intruder(update(people).where(people.c.id == insider[0]).values(values))
    with pytest.raises(Tampered):
        comes_in(house, secret)
    with pytest.raises(ShieldwallError) as refusal:
        house.sign_in(insider[1], house.somewhere())
    assert isinstance(refusal.value, SHUT)


def test_nobody_is_an_administrator_by_their_row(house, insider, signed, intruder):
    """All that the administrator's row says, its proof with it, under one's own id."""
    (admin,) = rows_of(house, people, people.c.id == house.admin[1].person)
    intruder(update(people).where(people.c.id == insider[0]).values(admin | {"id": insider[0], "name": "Mara II"}))
    with pytest.raises(Tampered):
        comes_in(house, signed[0])


def test_who_was_shut_out_stays_out(house, intruder):
    person, authenticator, _ = house.person("Olaf")
    before = rows_of(house, people, people.c.id == person)[0]
    admin = house.sign_in(house.ada)
    house.doors.people.disable(admin[1], person, before["version"], signed=admin)
    intruder(update(people).where(people.c.id == person).values(disabled_at=None))
    with pytest.raises(Tampered):
        house.sign_in(authenticator, house.somewhere())
    intruder(update(people).where(people.c.id == person).values(before))  # as it stood there once
    with pytest.raises(Tampered):
        house.sign_in(authenticator, house.somewhere())


def test_nobody_puts_a_passkey_of_their_own_beside_anothers(house, intruder):
    admin = house.admin[1].person
    own = Authenticator()
    link = invited(house, "Nils")
    challenge, options = house.doors.begin_registration(house.somewhere(), invitation=link)
    mine = house.doors.finish_registration(house.somewhere(), challenge, own.register(options))
    for key in own.keys:
        key.user = bytes.fromhex(admin)  # an authenticator says what its owner wants
    intruder(update(passkeys).where(passkeys.c.id == mine.id).values(person_id=admin))
    with pytest.raises(Tampered):
        house.sign_in(own, house.somewhere())
    (theirs,) = rows_of(house, passkeys, passkeys.c.person_id == admin, passkeys.c.id != mine.id)
    intruder(update(passkeys).where(passkeys.c.id == theirs["id"]).values(public_key=mine.public_key))
    with pytest.raises(Tampered):
        house.sign_in(house.ada, house.somewhere())


def invited(house, name):
    admin = house.sign_in(house.ada)
    person = house.doors.people.add(admin[1], name, roles=[], signed=admin)
    return house.doors.invite(admin[1], person.id, admin)


def test_a_link_is_for_whom_it_was_made_and_once(house, intruder):
    link = invited(house, "Pia")
    hashed = hash_of(house.store.secrets, "invitation", link)
    row = invitations.c.secret_hash == hashed
    for values in ({"person_id": house.admin[1].person}, {"purpose": "recovery"}, {"expires_at": 1 << 60}):
        before = rows_of(house, invitations, row)[0]
        intruder(update(invitations).where(row).values(values))
        with pytest.raises(Tampered):
            house.doors.begin_registration(house.somewhere(), invitation=link)
        intruder(update(invitations).where(row).values(before))
    house.use(link, Authenticator(), client=house.somewhere())
    intruder(update(invitations).where(row).values(used_at=None))
    with pytest.raises(Tampered):
        house.doors.begin_registration(house.somewhere(), invitation=link)
    made = {"person_id": house.admin[1].person, "purpose": "recovery", "created_at": 1, "expires_at": 1 << 60}
    for other in hashes_without_the_key("invitation", SECRET):
        intruder(insert(invitations).values(secret_hash=other, **made))
        with pytest.raises(NotSignedIn):
            house.doors.begin_registration(house.somewhere(), invitation=SECRET)


def test_a_ceremony_is_for_whom_it_was_begun(house, intruder):
    admin = house.admin[1].person
    link = invited(house, "Rasmus")
    own = Authenticator()
    challenge, options = house.doors.begin_registration(house.somewhere(), invitation=link)
    answer = own.register(options)
    for values in ({"person_id": admin}, {"expires_at": 1 << 60}, {"purpose": "sign in"}):
        before = rows_of(house, challenges, challenges.c.id == challenge)[0]
        intruder(update(challenges).where(challenges.c.id == challenge).values(values))
        with pytest.raises(ShieldwallError) as refusal:
            house.doors.finish_registration(house.somewhere(), challenge, answer)
        assert isinstance(refusal.value, SHUT)
        if rows_of(house, challenges, challenges.c.id == challenge):
            intruder(update(challenges).where(challenges.c.id == challenge).values(before))
    assert len(rows_of(house, passkeys, passkeys.c.person_id == admin)) == 1


@pytest.mark.parametrize("column", ["person_id", "scopes", "highest", "expires_at", "revoked_at", "secret_hash"])
def test_a_token_is_no_more_than_it_was(house, intruder, column):
    _, _, issued = house.person(f"Machine {column}", Role.ANALYST, highest=Marking.AMBER)
    text, token = house.doors.issue_token(
        issued[1], "feed", scopes=[Permission.READ], highest=Marking.GREEN, seconds=DAY, signed=issued
    )
    assert house.doors.token(text, house.somewhere()).token == token.id
    values = {
        "person_id": house.admin[1].person,
        "scopes": "read write",
        "highest": int(Marking.AMBER_STRICT),
        "expires_at": 1 << 60,
        "revoked_at": None,
        "secret_hash": hashlib.sha256(b"0" * 64).digest(),
    }
    if column == "revoked_at":
        house.doors.revoke_token(issued[1], token.id)
    elif column == "secret_hash":
        text = f"sw_{token.id}_{'0' * 64}"
    intruder(update(tokens).where(tokens.c.id == token.id).values({column: values[column]}))
    with pytest.raises(Tampered):
        house.doors.token(text, house.somewhere())


def test_a_code_is_taken_once(house, intruder):
    person, _, own = house.person("Rune")
    enrolment, secret, _ = house.doors.begin_code(own)
    code = pyotp.TOTP(secret).at(house.clock.now // 1_000_000)
    house.doors.finish_code(house.somewhere(), own, enrolment, code)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    intruder(update(recovery_codes).where(recovery_codes.c.person_id == person).values(last_step=0))
    with pytest.raises(Tampered):
        house.doors.begin_registration(house.somewhere(), invitation=link, code=code)


def test_nobody_joins_a_group_or_case_by_a_row(house, insider, signed, intruder):
    _, _, analyst = house.person("Signe", Role.ANALYST)
    admin = house.sign_in(house.ada)
    group = house.doors.people.add_group(admin[1], "need to know", signed=admin)
    house.doors.people.join(admin[1], group.id, analyst[1].person, admin)
    with house.store.act(analyst[1], "case.add") as work:
        case = work.cases.add("The case", marking=Marking.CLEAR)
    secret, _ = signed
    for statement in (
        insert(group_members).values(group_id=group.id, person_id=insider[0]),
        insert(case_people).values(case_id=case.id, person_id=insider[0]),
        insert(case_people).values(rows_of(house, case_people)[0] | {"case_id": case.id, "person_id": insider[0]}),
        update(case_people).where(case_people.c.case_id == case.id).values(person_id=insider[0]),
        update(group_members).where(group_members.c.group_id == group.id).values(person_id=insider[0]),
    ):
        with undone(house, statement), pytest.raises(Tampered):
            comes_in(house, secret)
    with house.store.look(comes_in(house, secret), "case.page") as work:
        assert work.cases.page(most=10) == []


@contextlib.contextmanager
def undone(house, statement):
    table, before = statement.table, rows_of(house, statement.table)
    with house.store.backend.engine.begin() as connection:
        connection.execute(statement)
    yield
    with house.store.backend.engine.begin() as connection:
        connection.execute(delete(table))
        connection.execute(insert(table), before)


def test_nothing_is_opened_by_its_row(house, signed, intruder):
    _, _, analyst = house.person("Torben", Role.ANALYST)
    with house.store.act(analyst[1], "case.add") as work:
        case = work.cases.add("Their case", marking=Marking.RED)
    member = replace(analyst[1], cases=frozenset((case.id,)))
    with house.store.act(member, "file.add") as work:
        handling = Handling(marking=Marking.RED, owner=member.person, case=case.id)
        file = work.files.add("names.txt", "text/plain", [b"secret"], "upload", handling)
    reader = comes_in(house, signed[0])
    opened = {"marking": 0, "pap": 0, "case_id": None, "group_id": None, "owner": reader.person}
    intruder(update(files).where(files.c.id == file.id).values(opened))
    for read in (lambda work: work.files.read(file.id), lambda work: work.files.page(most=5)):
        with pytest.raises(Tampered), house.store.look(reader, "file.read") as work:
            read(work)
    intruder(update(cases).where(cases.c.id == case.id).values(marking=0))
    with pytest.raises(Tampered), house.store.look(member, "case.get") as work:
        work.cases.get(case.id)


def test_all_of_it_was_undone_and_all_doors_open_as_before(house, insider, signed):
    assert comes_in(house, signed[0]).person == insider[0]
    admin = house.sign_in(house.ada)
    assert house.doors.people.get(admin[1], insider[0]).roles == {Role.VIEWER}
