"""What the node notes about itself, by name: single values that are not worth a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from shieldwall.store.schema import meta

if TYPE_CHECKING:
    from shieldwall.store.work import Work


class Notes:
    """The notes, within one act. Not for what must not be read in a database."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, name: str) -> str:
        """A note; "" where there is none."""
        found = self._work.connection.execute(select(meta.c.value).where(meta.c.name == _key(name))).scalar()
        return found.decode() if found else ""

    def put(self, name: str, value: str) -> None:
        """Note something in the place of what was noted before."""
        self._work.connection.execute(delete(meta).where(meta.c.name == _key(name)))
        self._work.connection.execute(insert(meta).values(name=_key(name), value=value.encode()))


def _key(name: str) -> str:
    return f"note: {name}"
