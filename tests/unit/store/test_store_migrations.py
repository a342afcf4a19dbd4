"""Databases of older programs are brought forward on a copy, or stay as they were; those of newer ones are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from store_support import MARA, SECRETS, Ticking, add, claim, subject, verify_log, who

from shieldwall.errors import StoreError
from shieldwall.store import Store, migrate
from shieldwall.store.schema import metadata

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
    assert migrate.to_newest(sqlite_store.backend) == ""
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
        assert verify_log(opened) == size
        with opened.look(who(MARA), "claim.find") as work:
            assert [kept.claim for kept in work.claims.find(subject(1))] == [claim(1)]
    if store.backend.name == "sqlite":
        kept = Path(f"{store.place}.before-{newest}")
        assert kept.exists()
        with Store(str(kept), SECRETS, Ticking()) as copy:
            assert revision(copy) == old
            assert "further" not in inspect(copy.backend.engine).get_table_names()


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
