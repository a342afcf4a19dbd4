"""The one seam of the store: what SQLite and PostgreSQL do in different words.

`sqlite` and `postgresql` have the same names: each is a module with one class `Backend`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table

from shieldwall.store.envelope import Sealer


class BackendOf(Protocol):
    """A database engine, as the store needs it."""

    engine: Engine
    name: str

    @property
    def whole(self) -> bool:
        """Whether the database is encrypted and authenticated as a whole, so that no row needs a proof of its own."""

    @property
    def sealer(self) -> Sealer:
        """Seals the columns that end in `_sealed`."""

    def turn(self) -> AbstractContextManager[None]:
        """What a writer holds while it writes, so that those of one process do not get in each other's way."""

    def begin_write(self, connection: Connection) -> None:
        """Begin a transaction that will write, and wait until no other one does, where the engine has one writer."""

    def begin_read(self, connection: Connection) -> None:
        """Begin a transaction that sees one state of the database and only reads."""

    def lock_head(self, connection: Connection) -> None:
        """Keep others from appending to the audit log until this transaction ends."""

    def lock_intake(self, connection: Connection) -> None:
        """Keep others from adding claims until this transaction ends: two that meet must see each other."""

    def insert_new(self, connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
        """Insert the rows whose key is not there yet; returns how many were."""

    def check(self) -> list[str]:
        """What the engine finds wrong with its own files, a sentence each."""

    def copy_aside(self, suffix: str) -> str:
        """Copy the database beside itself before it is changed for good; returns the copy's name, "" where it has none."""
