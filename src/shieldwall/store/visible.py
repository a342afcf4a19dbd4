"""`may_see` as a condition of a query, so that what must stay hidden is never read, counted, or paged over.

The exits ask `model.access.may_see` again, of every object. A property test holds the two to each other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, and_, false, literal, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shieldwall.errors import Tampered
from shieldwall.model.access import Handling, Identity, Permission
from shieldwall.model.marking import Marking, Pap

_FEW = 100


def visible(identity: Identity, table: FromClause, case: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """The rows of a guarded table that an identity may see.

    Args:
        identity: Whoever asks.
        table: A table, or an alias of one, with the columns of `Handling`.
        case: The column that names the case, where it is not `case_id`: a case belongs to itself.
    """
    if not identity.may(Permission.READ):
        return false()
    columns = table.c
    in_case = columns.case_id if case is None else case
    group = columns.group_id if case is None else None
    conditions: list[ColumnElement[bool]] = [columns.marking <= int(identity.highest)]
    conditions.append(or_(in_case.is_(None), among(in_case, identity.cases)))
    named: list[ColumnElement[bool]] = [columns.marking < int(Marking.RED), in_case.is_not(None)]
    if group is not None:
        conditions.append(or_(group.is_(None), group.in_(sorted(identity.groups))))
        named.append(group.is_not(None))
    if identity.person:
        named.append(columns.owner == identity.person)
    conditions.append(or_(*named))
    return and_(true(), *conditions)


def inside(identity: Identity, cases: Iterable[str]) -> Identity:
    """The same one as a member of no cases but some of theirs: for a query that is about those alone."""
    return replace(identity, cases=identity.cases & frozenset(cases))


def among(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """That a column is one of some ids. Thousands of them go as one value, for a statement with thousands is slow to make."""
    if len(values) <= _FEW:
        return column.in_(sorted(values))
    rows = _Texts(literal(_listed(frozenset(values)))).table_valued("value")
    return column.in_(select(rows.c.value))


@lru_cache(maxsize=32)
def _listed(values: frozenset[str]) -> str:
    return json.dumps(sorted(values))


class _Texts(FunctionElement[Any]):
    """The texts of a list that is one value, as rows."""

    name = "texts"
    inherit_cache = True


@compiles(_Texts, "sqlite")
def _of_sqlite(element: _Texts, compiler: Any, **kept: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own, as below
    return f"json_each({compiler.process(element.clauses, **kept)})"


@compiles(_Texts, "postgresql")
def _of_postgresql(element: _Texts, compiler: Any, **kept: Any) -> str:  # noqa: ANN401
    return f"jsonb_array_elements_text(CAST({compiler.process(element.clauses, **kept)} AS JSONB))"


def handling_of(row: Row[Any], case: str | None = None) -> Handling:
    """The handling in a row of a guarded table; `case` where the row is the case itself.

    Raises:
        Tampered: It has a marking that there is not.
    """
    try:
        marking, pap = Marking(row.marking), Pap(row.pap)
    except ValueError:
        raise Tampered("a row of the database has a marking that there is not", hint="shieldwall node check") from None
    if case is not None:
        return Handling(marking=marking, pap=pap, owner=row.owner, case=case)
    return Handling(marking=marking, pap=pap, owner=row.owner, case=row.case_id, group=row.group_id)


def columns_of(handling: Handling) -> dict[str, Any]:
    """A handling as the columns of a guarded table."""
    return {
        "marking": int(handling.marking),
        "pap": int(handling.pap),
        "owner": handling.owner,
        "case_id": handling.case,
        "group_id": handling.group,
    }
