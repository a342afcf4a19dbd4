"""Bring a database to the newest form, forward only, on a copy: a stop leaves the old one as it was."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from shieldwall.errors import StoreError
from shieldwall.store.interface import BackendOf
from shieldwall.store.schema import metadata

SCRIPTS = Path(__file__).parent / "migrations"


@cache
def scripts() -> ScriptDirectory:
    """The migrations, as alembic knows them; forget them (`scripts.cache_clear`) when `SCRIPTS` is another folder."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return ScriptDirectory.from_config(config)


def known() -> list[str]:
    """The revisions that this program knows, the newest first."""
    return [script.revision for script in scripts().walk_revisions()]


def newest() -> str:
    """The newest revision that this program knows."""
    return known()[0]


def revision(connection: Connection) -> str | None:
    """The revision of a database; None where it is no node's."""
    return MigrationContext.configure(connection).get_current_revision()


def to_newest(backend: BackendOf) -> str:
    """Bring a database to the newest form, in one transaction; an older SQLite file is kept beside it first.

    Returns:
        The name of the copy of the older one; "" where there was nothing to do, or nothing to copy.

    Raises:
        StoreError: It is of a newer program, or a step failed; then it is as it was.
    """
    with backend.engine.connect() as connection, connection.begin():
        found = revision(connection)
    if found == newest():
        return ""
    if found is not None and found not in known():
        raise StoreError(
            f"the node's database has the form {found}, and this program knows none newer than {newest()}",
            hint="install the version of the program that wrote it, or a later one",
        )
    kept = backend.copy_aside(f"before-{newest()}") if found is not None else ""
    with backend.engine.connect() as connection, connection.begin():
        backend.begin_write(connection)
        steps = {"fn": lambda at, _: scripts()._upgrade_revs("head", at)}  # as alembic's own commands do
        context = MigrationContext.configure(connection, opts={**steps, "target_metadata": metadata})
        with Operations.context(context):
            context.run_migrations()
    return kept
