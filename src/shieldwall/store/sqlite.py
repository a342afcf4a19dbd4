"""SQLite through SQLCipher: one file, encrypted whole, written ahead and synced at every commit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from shieldwall.errors import StoreError
from shieldwall.store.envelope import Secrets, Whole

_CACHE = 64 << 20  # bytes of pages that a connection keeps
_LARGE_CACHE = 512 << 20  # the same while it takes in very much: the indexes of some ten million claims
_MANY = 5000  # rows that are very many
_BUSY = 15_000  # milliseconds that a writer waits for another one
_ROWS = 500  # of one statement, where there are many
_LARGE = "large cache"  # what is noted of such a connection
_POOL = 8  # connections that stay


class Backend:
    """A SQLCipher database in one file.

    Args:
        place: The file's path.
        secrets: Whence its key.

    Raises:
        StoreError: It cannot be opened at all; a wrong key shows when it is first read.
    """

    name = "sqlite"
    whole = True  # SQLCipher holds every page to an HMAC

    def __init__(self, place: str, secrets: Secrets) -> None:
        self.path = Path(place)
        self.sealer = Whole()
        self._key = secrets.database.hex()
        self.engine: Engine = create_engine(
            "sqlite://",
            module=dbapi2,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=_POOL,
            max_overflow=24,
            pool_use_lifo=True,  # the one that knows the pages best comes first
        )
        event.listen(self.engine, "begin", _no_begin)
        self._turn = Lock()

    def _connect(self) -> dbapi2.Connection:
        try:
            connection = dbapi2.connect(str(self.path), isolation_level=None, check_same_thread=False)
        except dbapi2.Error as error:
            raise StoreError(f"{self.path}: cannot be opened ({error})", hint="check the folder's rights") from None
        connection.execute(f"PRAGMA key = \"x'{self._key}'\"")
        connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to standard error by itself
        connection.execute(f"PRAGMA busy_timeout = {_BUSY}")
        connection.execute(f"PRAGMA cache_size = {-_CACHE // 1024}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # nothing of it in a clear file
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """See `BackendOf`: SQLite has one writer, and lets the others sleep and try again, some of them for long.

        Within this process they wait for each other here instead; who has waited for as long as SQLite would goes on to be
        refused by it.
        """
        mine = self._turn.acquire(timeout=_BUSY / 1000)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def begin_write(self, connection: Connection) -> None:
        """See `BackendOf`; SQLite has one writer."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_read(self, connection: Connection) -> None:
        """See `BackendOf`."""
        if connection.info.pop(_LARGE, False):
            connection.exec_driver_sql(f"PRAGMA cache_size = {-_CACHE // 1024}")
        connection.exec_driver_sql("BEGIN")

    def lock_head(self, connection: Connection) -> None:
        """Nothing: the one writer has the log as well."""

    def lock_intake(self, connection: Connection) -> None:
        """Nothing: there is one writer."""

    def insert_new(self, connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
        """See `BackendOf`."""
        listed = list(rows)
        if not listed:
            return 0
        if len(listed) >= _MANY and not connection.info.get(_LARGE):
            connection.info[_LARGE] = True  # until it reads again
            connection.exec_driver_sql(f"PRAGMA cache_size = {-_LARGE_CACHE // 1024}")
        # The driver itself: SQLAlchemy's own way takes as long again as SQLite. Many rows in one statement: while it runs,
        # another thread of Python may do so too.
        names = tuple(listed[0])
        one = f"({', '.join('?' * len(names))})"
        start = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES "  # noqa: S608 - our own names
        before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
        for first in range(0, len(listed), _ROWS):
            rows_now = [tuple(row.values()) for row in listed[first : first + _ROWS]]
            if len(rows_now) == _ROWS:
                statement = f"{start}{', '.join([one] * _ROWS)} ON CONFLICT DO NOTHING"
                connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows_now)))
            else:
                connection.exec_driver_sql(f"{start}{one} ON CONFLICT DO NOTHING", rows_now)
        return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before)

    def check(self) -> list[str]:
        """Every page against its HMAC, and the B-trees; see `BackendOf`."""
        found: list[str] = []
        with self.engine.connect() as connection:
            for pragma in ("cipher_integrity_check", "integrity_check", "foreign_key_check"):
                try:
                    rows = connection.exec_driver_sql(f"PRAGMA {pragma}").all()
                except DatabaseError as error:  # what the checks before it found must not be lost by it
                    found.append(f"{pragma} cannot go on ({error.orig})")
                    break
                if pragma == "foreign_key_check":
                    found += [f"table {row[0]}: row {row[1]} points nowhere" for row in rows]
                else:
                    found += [row[0] for row in rows if row[0] != "ok"]
        return [f"{self.path}: {text}" for text in found]

    def copy_aside(self, suffix: str) -> str:
        """See `BackendOf`; the copy has the same key."""
        target = self.path.with_name(f"{self.path.name}.{suffix}")
        target.unlink(missing_ok=True)
        with self.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
        return str(target)


def _no_begin(_: Connection) -> None:
    """SQLAlchemy's own beginning says nothing: `begin_write` and `begin_read` say which of the two is meant."""
