"""Databases of older programs are brought forward on a copy, or stay as they were; those of newer ones are refused."""

from __future__ import annotations

import base64
import contextlib
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from proving_support import CHIEF, fill, given, secret_of
from sqlalchemy import insert, inspect, select, update
from store_support import MARA, PAUL, SECRETS, Ticking, add, claim, subject, verify_log, who

from shieldwall.errors import StoreError, Tampered, WrongKey
from shieldwall.store import Secrets, Store, migrate
from shieldwall.store.credentials import hash_of
from shieldwall.store.dump import dump, load, unsound
from shieldwall.store.proving import LEFT_OUT
from shieldwall.store.schema import metadata

OTHERS = {"challenges", "audit_leaves", "audit_head", "sessions", "tokens", "invitations"}  # that a migration changes
LATER = {
    *("timeline", "evidence", "requests", "request_deeds", "travels"),
    *("partners", "partner_groups", "partner_members", "partner_secrets"),
    *("stix_objects", "collections", "releases", "collection_objects", "sources", "release_rules"),
}
"""Tables that the first form had not."""
HASHED = {"sessions": "session", "tokens": "token", "invitations": "invitation"}

STEP = '''"""A step of a program to come."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("claims") as batch:
        batch.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="7"))
    op.create_table("further", sa.Column("id", sa.Integer(), primary_key=True))
    {more}
'''


@pytest.fixture
def program_to_come(tmp_path, monkeypatch):
    """Makes this program know one more revision; returns a function that says what its last step does."""
    scripts = tmp_path / "scripts"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    before = migrate.newest()

    def write(more: str = "pass", number: str = "9001") -> str:
        (scripts / "versions" / f"{number}_to_come.py").write_text(STEP.format(number=number, before=before, more=more))
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        migrate.scripts.cache_clear()
        return number

    yield write
    monkeypatch.undo()
    migrate.scripts.cache_clear()


@pytest.fixture
def first_program(tmp_path, monkeypatch):
    """While this holds, the program knows the first form alone."""
    scripts = tmp_path / "first"
    (scripts / "versions").mkdir(parents=True)
    (first,) = (migrate.SCRIPTS / "versions").glob("0001_*.py")
    shutil.copy(first, scripts / "versions")

    @contextlib.contextmanager
    def holds():
        with monkeypatch.context() as patched:
            patched.setattr(migrate, "SCRIPTS", scripts)
            migrate.scripts.cache_clear()
            yield
        migrate.scripts.cache_clear()

    return holds


@pytest.fixture
def of_the_first_form(store, first_program, request, tmp_path):
    """A database as the first program left it, with the rows of `fill`, and those rows as they are in the newest form."""
    fill(store)
    if store.backend.name == "sqlite":
        place = str(tmp_path / "old.db")
    else:
        server = request.getfixturevalue("postgresql")
        place = server.url(server.database())
    with Store(place, SECRETS, Ticking()) as old, store.inside(CHIEF) as work:
        with first_program():
            migrate.to_newest(old.backend, SECRETS, 0)
            assert migrate.known() == ["0001"]
        with old.backend.engine.begin() as connection:
            old.backend.begin_write(connection)
            for table in metadata.sorted_tables:
                names = [column.name for column in table.columns if column.name != "proof"]
                for row in work.connection.execute(select(table)).mappings():
                    values = {name: row[name] for name in names}
                    if table.name in HASHED:
                        values["secret_hash"] = sha256(secret_of(row["person_id"]).encode()).digest()
                    if table.name == "meta":
                        values["value"] = old.backend.sealer.seal("meta", "value", "proof", b"shieldwall store")
                    connection.execute(insert(table).values(values))
            if old.backend.name == "postgresql":
                connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('claims', 'seq'), 100)")
        with old.backend.engine.connect() as connection:
            assert "proof" not in {column["name"] for column in inspect(connection).get_columns("people")}
        rows = [each for each in dump(work) if each[0] not in OTHERS]
    return place, rows


def revision(store):
    with store.backend.engine.connect() as connection:
        return migrate.revision(connection)


def test_the_migrations_make_exactly_the_schema(store):
    with store.backend.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_every_index_of_the_schema_is_there(store):
    found = inspect(store.backend.engine)
    for table in metadata.sorted_tables:
        assert {index.name for index in table.indexes} <= {index["name"] for index in found.get_indexes(table.name)}


def test_the_newest_is_left_alone(sqlite_store):
    assert migrate.to_newest(sqlite_store.backend, SECRETS, 0) == ""
    assert list(Path(sqlite_store.place).parent.glob("*before*")) == []


def test_an_older_database_is_brought_forward_with_a_copy_kept(store, program_to_come):
    old = revision(store)
    add(store, who(MARA), [claim(1)])
    size = verify_log(store)
    store.close()
    newest = program_to_come()
    with Store.open(store.place, SECRETS, Ticking()) as opened:
        assert revision(opened) == newest
        assert "further" in inspect(opened.backend.engine).get_table_names()
        assert verify_log(opened) == size + 1
        with opened.look(who(MARA), "claim.find") as work:
            assert [kept.claim for kept in work.claims.find(subject(1))] == [claim(1)]
    if store.backend.name == "sqlite":
        kept = Path(f"{store.place}.before-{newest}")
        assert kept.exists()
        with Store(str(kept), SECRETS, Ticking()) as copy:
            assert revision(copy) == old
            assert "further" not in inspect(copy.backend.engine).get_table_names()


def test_the_first_form_is_brought_forward_with_all_rows_proven(of_the_first_form):
    place, rows = of_the_first_form
    with Store.open(place, SECRETS, Ticking()) as opened:
        assert revision(opened) == migrate.newest() > "0001"
        with opened.inside(CHIEF) as work:
            assert list(unsound(work)) == []
            assert [each for each in dump(work) if each[0] not in OTHERS] == rows
            for person in (MARA, PAUL):
                hashed = {name: hash_of(SECRETS, purpose, secret_of(person)) for name, purpose in HASHED.items()}
                assert work.sessions.find(hashed["sessions"]).person == person
                assert work.tokens.find(person).hash == hashed["tokens"]
                assert work.credentials.invitation(hashed["invitations"]).person == person
            for table in LEFT_OUT:
                found = work.connection.execute(select(metadata.tables[table].c.proof)).scalars().all()
                assert all(proof is None if opened.backend.whole else len(proof) == 32 for proof in found)
                assert found or table == "challenges" or table in LATER
        for table in LEFT_OUT:
            assert given(opened, table) or table == "challenges" or table in LATER
        with opened.act(CHIEF, "person.disable") as work:  # and it goes on
            work.people.disable(MARA, 1)
        verify_log(opened)
    with Store.open(place, SECRETS, Ticking()) as opened, opened.inside(CHIEF) as work:
        assert not work.people.find(MARA).active
    if not place.startswith("postgres"):
        with Store(f"{place}.before-{migrate.newest()}", SECRETS, Ticking()) as kept:
            assert revision(kept) == "0001"


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_who_kept_the_first_form_does_not_have_rows_proven_again(of_the_first_form):
    """They set back all that says which form it is; the audit log they cannot, without being found by its exported roots."""
    place, _ = of_the_first_form
    with Store(place, SECRETS, Ticking()) as old, old.backend.engine.connect() as connection:
        kept = connection.execute(select(metadata.tables["meta"].c.value)).scalar_one()
    with Store.open(place, SECRETS, Ticking()) as opened, opened.backend.engine.begin() as connection:
        with opened.inside(CHIEF) as work:
            last = list(work.audit.leaves())[-1].entry
            assert (last["verb"], last["detail"]) == ("store.migrate", {"before": "0001", "form": migrate.newest()})
        for table in LEFT_OUT:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN proof")
        connection.exec_driver_sql("UPDATE people SET roles = 'administrator'")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        connection.execute(update(metadata.tables["meta"]).values(value=kept))
    with pytest.raises(Tampered, match="leaf"):
        Store.open(place, SECRETS, Ticking())


def test_the_first_form_does_not_open_by_another_key(of_the_first_form):
    place, _ = of_the_first_form
    with pytest.raises(WrongKey):
        Store.open(place, Secrets(bytes(32)), Ticking())
    with Store(place, SECRETS, Ticking()) as old:
        assert revision(old) == "0001"


def test_a_backup_of_the_first_form_is_loaded(tmp_path):
    bare = sha256(b"secret").digest()
    values = {"person_id": MARA, "name": "feed", "scopes": "read", "highest": 1, "created_at": 1, "expires_at": 1 << 60}
    token = {"id": MARA, "secret_hash": base64.b64encode(bare).decode(), "revoked_at": None, "used_at": None, **values}
    person = {"id": MARA, "name": "Mara", "organisation": "", "roles": "", "highest": 1, "mail": "", "created_at": 1}
    rows = [("people", {**person, "disabled_at": None, "version": 1}), ("tokens", token)]
    for form, hashed in (("0001", hash_of(SECRETS, "token", "secret")), (None, bare)):
        with Store.create(str(tmp_path / f"{form}.db"), SECRETS, Ticking()) as empty, empty.upkeep(CHIEF) as work:
            load(work, rows, form=form)
            assert work.tokens.find(MARA).hash == hashed


def test_a_step_that_fails_leaves_the_old_one_as_it_was(store, program_to_come):
    old = revision(store)
    add(store, who(MARA), [claim(1)])
    store.close()
    program_to_come("op.execute('INSERT INTO nowhere VALUES (1)')")
    with pytest.raises(StoreError):
        Store.open(store.place, SECRETS, Ticking())
    assert revision(store) == old
    assert "further" not in inspect(store.backend.engine).get_table_names()
    assert "weight" not in {column["name"] for column in inspect(store.backend.engine).get_columns("claims")}
    with store.look(who(MARA), "claim.find") as work:
        assert len(work.claims.find(subject(1))) == 1


def test_a_database_of_a_newer_program_is_refused(store, program_to_come, monkeypatch):
    newest = program_to_come()
    Store.open(store.place, SECRETS, Ticking()).close()
    monkeypatch.undo()
    migrate.scripts.cache_clear()
    with pytest.raises(StoreError, match=newest):
        Store.open(store.place, SECRETS, Ticking())
    assert revision(store) == newest


@pytest.mark.needs("postgresql")
def test_a_database_of_something_else_is_refused(postgresql, tmp_path):
    name = postgresql.database()
    with pytest.raises(StoreError):
        Store.open(postgresql.url(name), SECRETS)
    postgresql.drop(name)
    with pytest.raises(StoreError):
        Store.open(str(tmp_path / "none.db"), SECRETS)


def test_one_that_is_there_is_not_made_anew(store):
    with pytest.raises(StoreError):
        Store.create(store.place, SECRETS)
