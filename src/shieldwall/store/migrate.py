"""Bring a database to the newest form, forward only, on a copy: a stop leaves the old one as it was."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, update

from shieldwall.errors import StoreError, Tampered
from shieldwall.model.access import Identity, Kind
from shieldwall.store.audit import AuditLog
from shieldwall.store.envelope import Secrets
from shieldwall.store.interface import BackendOf
from shieldwall.store.schema import meta, metadata

SCRIPTS = Path(__file__).parent / "migrations"
KEY_ROW = "proof"  # of `meta`; only the right key opens its value
_FIRST = "0001"
_OPENED = "shieldwall store"  # what it says, with the form of the database behind it from the second form on


MIGRATED, RESTORED = "store.migrate", "node.restore"
"""Verbs of acts whose entry in the audit log says which form the database had then."""

_NODE = Identity(kind=Kind.NODE, person="", name="node")


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


def seal_form(backend: BackendOf, form: str) -> bytes:
    """The value by which a database is known to be opened by the right key, and to have the form that it says.

    A form that could be set back would have the node bring the database forward again, and so prove whatever rows are in it.
    """
    return backend.sealer.seal(meta.name, "value", KEY_ROW, f"{_OPENED} {form}".encode())


def sealed_form(connection: Connection, backend: BackendOf) -> str | None:
    """The form that the key's own value says; None where the key is another one."""
    value = connection.execute(select(meta.c.value).where(meta.c.name == KEY_ROW)).scalar()
    try:
        opened = backend.sealer.open(meta.name, "value", KEY_ROW, value or b"").decode("ascii", "replace")
    except Tampered:
        return None
    if opened == _OPENED:
        return _FIRST
    return opened.removeprefix(_OPENED + " ") if opened.startswith(_OPENED + " ") else None


def to_newest(backend: BackendOf, secrets: Secrets, at: int) -> str:
    """Bring a database to the newest form, in one transaction; an older SQLite file is kept beside it first.

    Args:
        backend: The database.
        secrets: The node's keys, for steps that hash or prove rows anew; they find them in the options of their context.
        at: When, in microseconds, for the audit log: a database that was brought forward is never brought there again.

    Returns:
        The name of the copy of the older one; "" where there was nothing to do, or nothing to copy.

    Raises:
        StoreError: It is of a newer program, or a step failed; then it is as it was.
        Tampered: It was in a newer form before, as its audit log says.
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
        if found is not None:
            _must_be_first_time(connection, backend, found)
        steps = {"fn": lambda at, _: scripts()._upgrade_revs("head", at)}  # as alembic's own commands do
        options = {**steps, "target_metadata": metadata, "secrets": secrets, "whole": backend.whole}
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            context.run_migrations()
        sealed = seal_form(backend, newest())
        connection.execute(update(meta).where(meta.c.name == KEY_ROW).values(value=sealed))
        if found is not None:
            AuditLog(connection, backend).append(_NODE, MIGRATED, "done", at, {"before": found, "form": newest()})
    return kept


def _must_be_first_time(connection: Connection, backend: BackendOf, found: str) -> None:
    """Refuse a database whose form was set back, and its sealed form too: a step that proves rows would prove forged ones."""
    if backend.whole:
        return
    for leaf in AuditLog(connection, backend).leaves():
        form = leaf.entry["detail"].get("form", "") if leaf.entry["verb"] in (MIGRATED, RESTORED) else ""
        if form > found:
            raise Tampered(
                f"the node's database says that it has the form {found}, and leaf {leaf.number} of its audit log {form}",
                hint="restore a backup: shieldwall node restore",
            )
