"""Open the store, and begin acts in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DatabaseError, OperationalError

from shieldwall.errors import AuditFailed, BadText, Refused, ShieldwallError, StoreError, Tampered, UsageError, WrongKey
from shieldwall.model.access import Identity
from shieldwall.store import migrate
from shieldwall.store.audit import AuditLog
from shieldwall.store.envelope import Secrets
from shieldwall.store.interface import BackendOf
from shieldwall.store.prepared import Prepared
from shieldwall.store.schema import audit_head, meta
from shieldwall.store.versions import Versions
from shieldwall.store.work import Work

Clock = Callable[[], int]
"""Microseconds of Unix time."""


def wall_clock() -> int:
    """The system's time in microseconds."""
    return time.time_ns() // 1000


_LAST = Prepared(select(audit_head.c.at))


class Store:
    """An open store. `create` makes a new one, `open` an existing one; close it, or leave its context.

    Args:
        place: Path of the SQLite file, or URL of a PostgreSQL database.
        secrets: The node's keys.
        clock: Tells the time in microseconds.
    """

    def __init__(self, place: str, secrets: Secrets, clock: Clock = wall_clock) -> None:
        self.place = place
        self.secrets = secrets
        self.clock = clock
        self.backend: BackendOf = _backend(place, secrets)
        self.versions = Versions()
        self.cases_of_people: dict[str, tuple[str, frozenset[str]]] = {}
        """Ids of the cases of each person, as text and as a set: for `People.identity_of` alone, which asks anew each time."""
        self.told_of_cases: dict[str, list[tuple[str, int, str]]] = {}
        """What cases are found by, opened, behind what tells that none of them changed: for `Cases.search` alone."""

    @classmethod
    def create(cls, place: str, secrets: Secrets, clock: Clock = wall_clock) -> Store:
        """A new, empty store.

        Raises:
            StoreError: There is one already, or it cannot be made.
        """
        store = cls(place, secrets, clock)
        with _closed_unless_good(store), _mapped(store):
            if store.backend.name == "sqlite" and Path(place).exists() and Path(place).stat().st_size:
                raise StoreError(f"{place}: there is a database already", hint="name another folder")
            with store.backend.engine.connect() as connection:
                if migrate.revision(connection) is not None:
                    raise StoreError("there is a node's database already", hint="name another database")
            migrate.to_newest(store.backend, secrets, store.clock())
            with store._writing() as connection:
                value = migrate.seal_form(store.backend, migrate.newest())
                connection.execute(insert(meta).values(name=migrate.KEY_ROW, value=value))
                AuditLog(connection, store.backend).begin()
        return store

    @classmethod
    def open(cls, place: str, secrets: Secrets, clock: Clock = wall_clock) -> Store:
        """The store at `place`, brought to the newest form on a copy where it is older.

        Raises:
            WrongKey: The key does not open it.
            Tampered: Its form was set back.
            StoreError: There is none, or it cannot be read.
        """
        if not place.startswith("postgres") and not Path(place).is_file():
            raise StoreError(f"{place}: there is no database", hint="make a node: shieldwall node init DIR")
        store = cls(place, secrets, clock)
        with _closed_unless_good(store), _mapped(store):
            with store._reading() as connection:  # of one state: another process may bring it forward at this moment
                found = migrate.revision(connection)
                form = None if found is None else migrate.sealed_form(connection, store.backend)
            if found is None:
                raise StoreError("that is no node's database", hint="make a node: shieldwall node init DIR")
            if form is None:
                raise WrongKey("the key does not open the node's database", hint="check passphrase or credential file")
            if form != found:
                raise Tampered(
                    f"the node's database says that it has the form {found}, and it was brought to {form}",
                    hint="restore a backup: shieldwall node restore",
                )
            migrate.to_newest(store.backend, secrets, store.clock())
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self.backend.engine.dispose()

    @contextlib.contextmanager
    def act(self, identity: Identity, verb: str, **detail: Any) -> Iterator[Work]:  # noqa: ANN401 - any JSON value
        """One act that writes: it and its audit record are committed together, or neither is.

        What fails or is refused is recorded as such, in a transaction of its own. Details can be added with `Work.note`.

        Raises:
            AuditFailed: The record could not be written; then nothing was done.
            ShieldwallError: Whatever the body raises.
        """
        noted = dict(detail)
        try:
            with _mapped(self), self._writing() as connection:
                work = Work(self, connection, identity, noted)
                yield work
                self._record(connection, identity, verb, "done", noted)
            self.versions.committed(work.versions)
        except Exception as error:
            self._record_failure(identity, verb, noted, error)
            raise

    @contextlib.contextmanager
    def look(self, identity: Identity, verb: str, **detail: Any) -> Iterator[Work]:  # noqa: ANN401 - any JSON value
        """One act that only reads; its audit record is committed before this context is left, so before any answer.

        Raises:
            AuditFailed: The record could not be written; do not answer.
            ShieldwallError: Whatever the body raises.
        """
        noted = dict(detail)
        try:
            with _mapped(self):
                with self._reading() as connection:
                    yield Work(self, connection, identity, noted)
                with self._writing() as connection:
                    self._record(connection, identity, verb, "done", noted)
        except Exception as error:
            self._record_failure(identity, verb, noted, error)
            raise

    @contextlib.contextmanager
    def upkeep(self, identity: Identity) -> Iterator[Work]:
        """A transaction that is no act: when a session was last seen, how far a job is. Never for what people ask or do."""
        with _mapped(self), self._writing() as connection:
            yield Work(self, connection, identity, {})

    @contextlib.contextmanager
    def inside(self, identity: Identity) -> Iterator[Work]:
        """A reading transaction that is no act, for what must be known before anyone is: sessions, tokens, the log itself."""
        with _mapped(self), self._reading() as connection:
            yield Work(self, connection, identity, {})

    def record(self, identity: Identity, verb: str, outcome: str = "done", **detail: Any) -> None:  # noqa: ANN401
        """Record something that is no transaction of this store: a start, a sign-in that failed.

        Raises:
            AuditFailed: The record could not be written.
        """
        with _mapped(self), self._writing() as connection:
            self._record(connection, identity, verb, outcome, detail)

    def audit_size(self) -> int:
        """How many leaves the audit log has."""
        with _mapped(self), self._reading() as connection:
            return int(connection.execute(select(audit_head.c.size)).scalar_one())

    def now(self) -> int:
        """The time in microseconds, never before the last entry of the audit log: setting the clock back wins nobody time."""
        with _mapped(self), self._reading() as connection:
            return self.time(connection)

    def time(self, connection: Connection) -> int:
        """`now`, within a transaction."""
        return max(self.clock(), int(_LAST.run(connection).scalar() or 0))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.backend.turn(), self.backend.engine.connect() as connection, connection.begin():
            self.backend.begin_write(connection)
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.backend.engine.connect() as connection, connection.begin():
            self.backend.begin_read(connection)
            yield connection

    def _record(
        self, connection: Connection, identity: Identity, verb: str, outcome: str, detail: dict[str, Any]
    ) -> None:
        try:
            AuditLog(connection, self.backend).append(identity, verb, outcome, self.clock(), detail)
        except (DatabaseError, StoreError, TypeError) as error:
            raise AuditFailed(
                f"the audit record of {verb} cannot be written, so it is not done ({_first_line(error)})",
                hint="check free space and rights of the node's folder: shieldwall node check",
            ) from error

    def _record_failure(self, identity: Identity, verb: str, detail: dict[str, Any], error: Exception) -> None:
        """Record what failed; where even that is impossible, the error that is under way says enough."""
        outcome = "refused" if isinstance(error, Refused | UsageError) else "failed"
        noted = detail | {"error": type(error).__name__}
        try:
            with _mapped(self), self._writing() as connection:
                self._record(connection, identity, verb, outcome, noted)
        except ShieldwallError as unwritten:
            if isinstance(error, StoreError):
                return  # the store itself has failed, and says so: that is no answer to anybody
            if isinstance(unwritten, AuditFailed):
                raise unwritten from error
            raise AuditFailed(
                f"the audit record of {verb} cannot be written, so there is no answer", hint=unwritten.hint
            ) from error


def _backend(place: str, secrets: Secrets) -> BackendOf:
    from shieldwall.store import postgresql, sqlite  # noqa: PLC0415 - one of them is used

    return (
        postgresql.Backend(place, secrets) if place.startswith(postgresql.PREFIXES) else sqlite.Backend(place, secrets)
    )


@contextlib.contextmanager
def _closed_unless_good(store: Store) -> Iterator[None]:
    """Let go of the connections of a store that nobody will get."""
    with contextlib.ExitStack() as undo:
        undo.callback(store.close)
        yield
        undo.pop_all()


@contextlib.contextmanager
def _mapped(store: Store) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except DatabaseError as error:
        text = _first_line(error)
        if "not a database" in text or "malformed" in text or "disk image" in text or "hmac check failed" in text:
            raise _broken(store, text) from error
        hint = "check free space and rights of the node's folder: shieldwall node check"
        if isinstance(error, OperationalError) and store.backend.name != "sqlite":
            hint = "is the database server running, and may the node reach it?"
        raise StoreError(f"the node's database: {text}", hint=hint) from error
    except UnicodeEncodeError:  # as a command line gives bytes that are no UTF-8
        raise BadText("a text with half a surrogate pair can be neither kept nor looked for") from None


def _broken(store: Store, text: str) -> StoreError:
    """A wrong key and a damaged file look alike to SQLCipher: the first page tells them apart."""
    if "not a database" in text:
        return WrongKey(
            f"{store.place}: the key does not open it, or its first page is damaged",
            hint="check passphrase or credential file; if they are right: shieldwall node restore",
        )
    return Tampered(
        f"{store.place}: damaged ({text})", hint="shieldwall node check names the pages; then restore a backup"
    )


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
