"""Stores for the tests of this room: `store` is of either kind, and each test that takes it runs once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_support import SECRETS, Ticking, copy_of, populate

from shieldwall.store import Store

BACKENDS = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.needs("postgresql")])]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A new SQLite store with people in it, to be copied: making one anew takes longer than a test."""
    place = tmp_path_factory.mktemp("template") / "node.db"
    with Store.create(str(place), SECRETS, Ticking()) as store:
        populate(store)
        with store.backend.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return place


@pytest.fixture(scope="session")
def postgresql_template(postgresql) -> str:
    """The same as a database of PostgreSQL."""
    name = postgresql.database()
    with Store.create(postgresql.url(name), SECRETS, Ticking()) as store:
        populate(store)
    return str(name)


@pytest.fixture
def sqlite_store(sqlite_template, tmp_path) -> Iterator[Store]:
    """A store on SQLite."""
    with copy_of(sqlite_template, tmp_path) as store:
        yield store


@pytest.fixture
def postgresql_store(postgresql, postgresql_template) -> Iterator[Store]:
    """A store on PostgreSQL."""
    name = postgresql.database(postgresql_template)
    with Store.open(postgresql.url(name), SECRETS, Ticking()) as store:
        yield store
    postgresql.drop(name)


@pytest.fixture(params=BACKENDS)
def store(request) -> Store:
    """A store of either kind."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def again(store) -> Iterator[Callable[[], Store]]:
    """Opens the same store once more, as another process would."""
    opened = []

    def once_more() -> Store:
        opened.append(Store.open(store.place, SECRETS, Ticking()))
        return opened[-1]

    yield once_more
    for each in opened:
        each.close()


@pytest.fixture(scope="module", params=BACKENDS)
def module_store(request, tmp_path_factory) -> Iterator[Store]:
    """A store of either kind that the tests of one file share."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        with copy_of(template, tmp_path_factory.mktemp("shared")) as store:
            yield store
        return
    server = request.getfixturevalue("postgresql")
    name = server.database(request.getfixturevalue("postgresql_template"))
    with Store.open(server.url(name), SECRETS, Ticking()) as store:
        yield store
    server.drop(name)
