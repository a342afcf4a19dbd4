"""Rows are as the node wrote them, or refused: who writes in the database without the key becomes nobody, and opens nothing."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from proving_support import (
    CHIEF,
    NODE,
    Intruder,
    everywhere,
    fill,
    fill_casework,
    fill_sharing,
    given,
    others,
    protected,
)
from sqlalchemy import func, insert, select, update
from store_support import ADA, MARA, NORA, PAUL, SECRETS, Ticking, into, who

from shieldwall.errors import NotFound, StoreError, Tampered
from shieldwall.model.access import Role
from shieldwall.store import Secrets, Store
from shieldwall.store.dump import unsound
from shieldwall.store.proving import LEFT_OUT, PROOF, change, hold, proof_of, proven
from shieldwall.store.schema import claims, jobs, metadata, people, sessions
from shieldwall.store.versions import Versions

TABLES = sorted(LEFT_OUT)
COLUMNS = [(table, column) for table in TABLES for column in protected(table)]
BEFORE: dict[str, set[str]] = {}  # what each table of `filled` gives
STRANGER = Secrets(bytes(32))
VALUES = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(max_size=8) | st.binary(max_size=8)
)


@pytest.fixture(scope="module")
def filled(postgresql, postgresql_template):
    name = postgresql.database(postgresql_template)
    with Store.open(postgresql.url(name), SECRETS, Ticking()) as store:
        fill(store)
        fill_casework(store)
        fill_sharing(store)
        yield store
    postgresql.drop(name)


def refused(store, table, *rows):
    """The table with these rows gives nothing that it did not give before."""
    if table not in BEFORE:
        BEFORE[table] = given(store, table)
    with Intruder(store, table).writes(*rows):
        assert given(store, table) <= BEFORE[table]


def test_every_table_with_proofs_says_what_they_leave_out():
    assert {table.name for table in metadata.sorted_tables if PROOF in table.c} == set(LEFT_OUT)
    for name, left_out in LEFT_OUT.items():
        columns = metadata.tables[name].c
        assert left_out < set(columns.keys())
        assert not left_out & set(metadata.tables[name].primary_key.columns.keys())


@drawn(st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1), st.data())
def test_a_proof_is_of_every_value_and_its_type(row, data):
    proof = proof_of(SECRETS, "people", row)
    assert proof == proof_of(SECRETS, "people", dict(reversed(row.items())))
    assert proof != proof_of(SECRETS, "groups", row)
    assert proof != proof_of(STRANGER, "people", row)
    name = data.draw(st.sampled_from(sorted(row)))
    value = data.draw(VALUES)
    same = type(value) is type(row[name]) and value == row[name]
    assert (proof_of(SECRETS, "people", row | {name: value}) == proof) == same
    assert proof_of(SECRETS, "people", row | {PROOF: b"x"}) == proof


def test_what_changes_often_is_left_out():
    row = {"id": "1", "used_at": 1}
    assert proof_of(SECRETS, "tokens", row) == proof_of(SECRETS, "tokens", row | {"used_at": 2})


@pytest.mark.needs("postgresql")
def test_all_that_the_node_writes_is_proven(filled):
    for table in TABLES:
        rows = Intruder(filled, table).rows
        assert len(rows) >= 2
        assert given(filled, table)
        assert all(len(row[PROOF]) == 32 for row in rows)
    with filled.inside(CHIEF) as work:
        assert list(unsound(work)) == []


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_is_refused(filled, table, column):
    first, *rest = Intruder(filled, table).rows
    for value in others(metadata.tables[table].c[column], first[column]):
        refused(filled, table, first | {column: value}, *rest)


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("table", TABLES)
def test_a_row_of_ones_own_is_refused(filled, table):
    rows = Intruder(filled, table).rows
    for column in metadata.tables[table].primary_key.columns:
        for value in others(column, rows[0][column.name])[:1]:
            made = rows[0] | {column.name: value}
            for unique in ("key", "name", "secret_hash", "event_key", "to_key", "place", "stix_key", "url_key"):
                if unique in made and column.name != unique:
                    made[unique] = {bytes: b"k" * 32, str: "another", int: 7}[type(made[unique])]
            for proof in (made[PROOF], None, b"", proof_of(STRANGER, table, made)):
                refused(filled, table, *rows, made | {PROOF: proof})


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("table", TABLES)
def test_a_row_with_anothers_values_is_refused(filled, table):
    """What a row says is put in the place of another, its proof with it, and only the proof."""
    first, second, *rest = Intruder(filled, table).rows
    keys = set(metadata.tables[table].primary_key.columns.keys())
    swapped = [
        {name: (one if name in keys else other)[name] for name in one}
        for one, other in ((first, second), (second, first))
    ]
    refused(filled, table, *swapped, *rest)
    refused(filled, table, first | {PROOF: second[PROOF]}, second | {PROOF: first[PROOF]}, *rest)
    for proof in (None, b"", bytes(32)):
        refused(filled, table, first | {PROOF: proof}, second, *rest)


@pytest.mark.needs("postgresql")
def test_a_check_names_each_row(filled):
    with contextlib.ExitStack() as undo:
        for table in TABLES:
            intruder = Intruder(filled, table)
            first, *rest = intruder.rows
            undo.enter_context(intruder.writes(first | {PROOF: bytes(32)}, *rest))
        with filled.inside(CHIEF) as work:
            told = list(unsound(work))
    assert [sentence.split()[1].rstrip(",") for sentence in sorted(told)] == TABLES
    assert all(given(filled, table) == before for table, before in BEFORE.items()), "the intruder has undone it all"
    with filled.inside(CHIEF) as work:
        assert list(unsound(work)) == []


@pytest.mark.needs("postgresql")
def test_what_a_proof_leaves_out_changes_nothing_about_who_sees_it(filled):
    intruder = Intruder(filled, "jobs")
    first, *rest = intruder.rows
    with intruder.writes(first | {"stage": "elsewhere", "done": 7}, *rest):
        with filled.look(everywhere(filled), "job.get") as work:
            assert work.jobs.get(first["id"]).done == 7
        with filled.look(who(ADA), "job.get") as work, pytest.raises(NotFound):
            work.jobs.get(first["id"])


@pytest.mark.needs("postgresql")
def test_a_claim_that_was_moved_is_given_to_nobody(filled):
    with filled.inside(NODE) as work:
        row = work.connection.execute(select(claims).order_by(claims.c.seq)).mappings().first()
        assert row is not None
    member = into(who(MARA), row["case_id"])
    with filled.look(member, "claim.find") as work:
        (kept,) = work.claims.at([row["seq"]])
    for moved in ({"case_id": None}, {"owner": PAUL, "case_id": None}):
        with filled.backend.engine.begin() as connection:
            connection.execute(update(claims).where(claims.c.seq == row["seq"]).values(moved))
        for read in (
            lambda work: work.claims.at([row["seq"]]),
            lambda work: list(work.claims.bodies([row["seq"]])),
            lambda work: work.claims.handlings(kept.claim.id),
        ):
            with pytest.raises(Tampered), filled.look(who(PAUL), "claim.find") as work:
                read(work)
        with filled.backend.engine.begin() as connection:
            connection.execute(update(claims).where(claims.c.seq == row["seq"]).values(dict(row)))
    with filled.backend.engine.begin() as connection:  # a newer version of it, as another thing said
        connection.execute(update(claims).where(claims.c.seq == row["seq"]).values(thread=row["thread"] + 1))
    with pytest.raises(Tampered), filled.look(member, "claim.find") as work:
        work.claims.at([row["seq"]])
    with filled.backend.engine.begin() as connection:
        connection.execute(update(claims).where(claims.c.seq == row["seq"]).values(dict(row)))
    with filled.look(member, "claim.find") as work:
        assert [handling.case for _, _, handling, _ in work.claims.bodies([row["seq"]])] == [row["case_id"]]


@pytest.mark.needs("postgresql")
def test_a_change_over_a_changed_row_does_not_prove_it(postgresql_store):
    with postgresql_store.backend.engine.begin() as connection:
        connection.execute(update(people).where(people.c.id == MARA).values(roles="administrator"))
    for values, lenient in (({"mail": "m@example.org"}, False), ({"mail": "m@example.org"}, True)):
        try:
            with postgresql_store.act(CHIEF, "test.change") as work:
                assert change(work, people, people.c.id == MARA, values=values, lenient=lenient) == 0
        except Tampered:
            assert not lenient
    with postgresql_store.inside(CHIEF) as work:
        row = work.connection.execute(select(people).where(people.c.id == MARA)).one()
        assert row.mail == ""
        with pytest.raises(Tampered):
            hold(work, people, row)


@pytest.mark.needs("postgresql")
def test_nobody_is_kept_in_by_a_row_that_somebody_broke(postgresql_store):
    """Whoever shuts a person out must not be stopped by a session that an intruder has put there."""
    fill(postgresql_store)
    with postgresql_store.backend.engine.begin() as connection:
        forged = {"created_at": 1, "seen_at": 1, "confirmed_at": 1, "expires_at": 1 << 60, "way": "passkey"}
        connection.execute(insert(sessions).values(secret_hash=bytes(32), person_id=MARA, **forged))
        connection.execute(update(jobs).where(jobs.c.owner == MARA).values(marking=0))
    with postgresql_store.act(CHIEF, "person.disable") as work:
        work.people.disable(MARA, 1)
    with postgresql_store.inside(CHIEF) as work:
        assert not work.people.find(MARA).active
        ends = select(func.max(sessions.c.expires_at)).where(
            sessions.c.person_id == MARA, sessions.c.proof.is_not(None)
        )
        assert work.connection.execute(ends).scalar_one() <= work.now
        assert all(token.revoked_at is not None for token in work.tokens.of(MARA))


@pytest.mark.needs("postgresql")
def test_two_who_change_one_row_leave_it_proven(postgresql_store, again):
    stores = [postgresql_store, again()]

    def step(number):
        with stores[number % 2].act(CHIEF, "test.change") as work:
            return change(work, people, people.c.id == MARA, values={"organisation": f"unit {number}"})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(step, range(12))) == [1] * 12
    with postgresql_store.inside(CHIEF) as work:
        assert work.people.find(MARA).organisation.startswith("unit")


@pytest.mark.needs("postgresql")
def test_a_person_who_was_shut_out_does_not_come_back_by_an_older_row(postgresql_store):
    with postgresql_store.inside(CHIEF) as work:
        before = dict(work.connection.execute(select(people).where(people.c.id == MARA)).mappings().one())
    with postgresql_store.act(CHIEF, "person.disable") as work:
        work.people.disable(MARA, 1)
    with postgresql_store.backend.engine.begin() as connection:
        connection.execute(update(people).where(people.c.id == MARA).values(before))
    with postgresql_store.inside(CHIEF) as work, pytest.raises(Tampered):
        work.people.find(MARA)


def test_only_what_was_committed_before_makes_a_version_old():
    versions = Versions()
    versions.committed({"a": 3})
    versions.hold("a", 2, 0.0)  # a transaction that began before may still read it
    with pytest.raises(Tampered):
        versions.hold("a", 2, float("inf"))
    versions.committed({"a": 2})  # a slower thread tells later
    with pytest.raises(Tampered):
        versions.hold("a", 2, float("inf"))
    versions.hold("a", 3, float("inf"))
    versions.hold("b", 1, float("inf"))


def test_a_change_that_was_undone_makes_nothing_old(store):
    def disable_and_fail(work):
        work.people.disable(MARA, 1)
        work.people.get("nobody")

    with pytest.raises(NotFound), store.act(CHIEF, "person.disable") as work:
        disable_and_fail(work)
    with store.inside(CHIEF) as work:
        assert work.people.find(MARA).active


def test_nothing_is_reckoned_where_the_database_is_authenticated_as_a_whole(sqlite_store):
    fill(sqlite_store)
    fill_casework(sqlite_store)
    fill_sharing(sqlite_store)
    for table in TABLES:
        with sqlite_store.inside(CHIEF) as work:
            rows = work.connection.execute(select(metadata.tables[table])).all()
        assert rows
        assert all(row.proof is None for row in rows)
    with sqlite_store.inside(CHIEF) as work:
        values = {"id": "1", "name": "one", "created_at": 1}
        assert proven(work, metadata.tables["groups"], values) == values
        assert list(unsound(work)) == []


@pytest.mark.needs("postgresql")
def test_a_form_that_was_set_back_has_nothing_proven_anew(postgresql_store):
    place = postgresql_store.place
    with postgresql_store.backend.engine.begin() as connection:
        for table in TABLES:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN proof")
        connection.exec_driver_sql("UPDATE people SET roles = 'administrator'")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Tampered, match="0001"):
        Store.open(place, SECRETS)
    with postgresql_store.backend.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    with pytest.raises(StoreError):
        Store.open(place, SECRETS)


def test_roles_are_words_that_are_known():
    """The values that the intruder writes are ones that would mean something."""
    assert {Role(word) for word in others(people.c.roles, "viewer")[1].split()} == {Role.ANALYST, Role.APPROVER}
    assert NORA in others(sessions.c.person_id, MARA)
