"""What tests of jobs and watches share: a store with people, and whom jobs work for."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import event
from store_support import SECRETS, Ticking, populate, who

from shieldwall.model.access import Identity
from shieldwall.store import Store


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="shieldwall-work-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Store.create(str(folder / "node.db"), SECRETS, Ticking()) as store:
        populate(store)
        with store.backend.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "node.db"


def fresh_store(folder: Path, clock=None) -> Store:
    """A new store in `folder`, with the people of `store_support`."""
    shutil.copyfile(_template(), folder / "node.db")
    return open_store(folder, clock)


def open_store(folder: Path, clock=None) -> Store:
    """The same once more, as another process would open it."""
    store = Store.open(str(folder / "node.db"), SECRETS, clock or Ticking())
    store.backend.engine.dispose()
    event.listen(store.backend.engine, "connect", _without_waiting)
    return store


def _without_waiting(connection, _) -> None:
    """No test here cuts the power, so none needs to wait for the disk."""
    connection.execute("PRAGMA synchronous = OFF")


def identity_of(person: str) -> Identity:
    """Whom a job works for: an analyst who may see everything."""
    return who(person)
