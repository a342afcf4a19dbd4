"""PostgreSQL for teams. The server is not trusted with what must not be read: those columns are sealed one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from shieldwall.errors import UsageError
from shieldwall.store.envelope import Secrets

PREFIXES = ("postgresql://", "postgres://")
_FEW = 100  # rows that go in one statement; more go through COPY
_LOG_LOCK = 0x5348494C  # of the audit log, among the advisory locks of the database
_INTAKE_LOCK = 0x5348494D


class Backend:
    """A database on a PostgreSQL server.

    Args:
        place: Its URL, as libpq writes it.
        secrets: Whence the key of the envelopes.

    Raises:
        UsageError: The extra `postgresql` is not installed, or the URL is none.
    """

    name = "postgresql"
    whole = False  # so what must not be read is sealed, and what decides is proven, row by row

    def __init__(self, place: str, secrets: Secrets) -> None:
        self.sealer = secrets.envelope
        url = "postgresql+psycopg://" + place.split("://", 1)[1]
        try:
            self.engine: Engine = create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True)
        except (ImportError, NoSuchModuleError):
            raise UsageError("PostgreSQL needs its driver", hint="pip install 'shieldwall[postgresql]'") from None
        except (ArgumentError, ValueError):
            raise UsageError(
                "that is no URL of a PostgreSQL database", hint="write postgresql://USER@HOST/NAME"
            ) from None

    def turn(self) -> contextlib.AbstractContextManager[None]:
        """See `BackendOf`; the server has many writers."""
        return contextlib.nullcontext()

    def begin_write(self, connection: Connection) -> None:
        """Nothing: the transaction began with the connection's first statement."""

    def begin_read(self, connection: Connection) -> None:
        """See `BackendOf`."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def lock_head(self, connection: Connection) -> None:
        """See `BackendOf`; the lock ends with the transaction."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOG_LOCK,))

    def lock_intake(self, connection: Connection) -> None:
        """See `BackendOf`; the lock ends with the transaction."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_INTAKE_LOCK,))

    def insert_new(self, connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
        """See `BackendOf`."""
        listed = list(rows)
        if len(listed) > _FEW:
            return self._copy_new(connection, table, listed)
        if not listed:
            return 0
        first = next(iter(table.primary_key))
        statement = insert(table).values(listed).on_conflict_do_nothing().returning(first)
        return len(connection.execute(statement).all())

    def _copy_new(self, connection: Connection, table: Table, rows: list[Mapping[str, Any]]) -> int:
        """Many rows through COPY, beside the table first: COPY itself knows no conflict."""
        beside, names = f"new_{table.name}", tuple(rows[0])
        columns = ", ".join(names)
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {beside} (LIKE {table.name}) ON COMMIT DROP")
        for column in table.columns:
            if column.name not in names:
                connection.exec_driver_sql(f"ALTER TABLE {beside} ALTER COLUMN {column.name} DROP NOT NULL")
        driver: Any = connection.connection.driver_connection
        copying = f"COPY {beside} ({columns}) FROM STDIN"
        try:
            with driver.cursor() as cursor, cursor.copy(copying) as copy:
                for row in rows:
                    copy.write_row(tuple(row.values()))
        except _driver_error() as error:
            raise OperationalError(copying, None, error) from error  # as SQLAlchemy would have said it
        moving = f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {beside} ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
        count = connection.exec_driver_sql(moving).rowcount
        connection.exec_driver_sql(f"TRUNCATE {beside}")
        return count

    def check(self) -> list[str]:
        """Nothing: the server keeps its own checksums, and each envelope is checked when it is opened."""
        return []

    def copy_aside(self, suffix: str) -> str:  # noqa: ARG002 - as `BackendOf`
        """None: a migration is one transaction there."""
        return ""


def _driver_error() -> type[Exception]:
    """What the driver raises; it is there by now."""
    import psycopg  # noqa: PLC0415 - an extra

    return psycopg.Error
