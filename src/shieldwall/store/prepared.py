"""Statements that are made once and given to the driver as they are: for what is asked at every request.

To build a statement, to find it in SQLAlchemy's cache and to set up its result takes several times as long as SQLite does for a
row. Values go in and come out as the driver has them, so only columns whose values are the same on both engines may be in one:
no times or JSON, and truth values as 0 and 1.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql.elements import CompilerElement


class Prepared:
    """A statement with named parameters.

    Args:
        statement: With a `bindparam` for each value; an insert takes its columns by their names.
        columns: Of an insert: the columns that are given.
    """

    def __init__(self, statement: CompilerElement, columns: tuple[str, ...] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._made: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def run(self, connection: Connection, **values: Any) -> CursorResult[Any]:  # noqa: ANN401 - as the driver takes them
        """Run it; rows have the names of their columns."""
        sql, order, fixed = self._made.get(connection.dialect.name) or self._make(connection)
        if order is None:
            return connection.exec_driver_sql(sql, {**fixed, **values})
        return connection.exec_driver_sql(
            sql, tuple([values[name] if name in values else fixed[name] for name in order])
        )

    def _make(self, connection: Connection) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        names = None if self._columns is None else list(self._columns)
        compiled: Any = self._statement.compile(dialect=connection.dialect, column_keys=names)
        order = tuple(compiled.positiontup) if compiled.positional else None
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        made = self._made[connection.dialect.name] = (str(compiled), order, fixed)
        return made
