"""Where something new may be put, and how pages of what is there follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, FromClause, and_, or_, select, true

from shieldwall.errors import NotAllowed, NotFound
from shieldwall.model.access import Handling, Permission
from shieldwall.store.ids import searchable

if TYPE_CHECKING:
    from shieldwall.store.work import Work


def must_place(work: Work, handling: Handling) -> Handling:
    """Refuse to put something where whoever asks may not put it; returns the handling.

    Raises:
        NotAllowed: They may not write, or it would belong to someone else.
        NotFound: No such case or group that they are a member of.
        Conflict: The case is closed.
    """
    work.must(Permission.WRITE)
    if handling.owner != work.identity.person:
        raise NotAllowed("what you add belongs to you")
    must_belong(work, handling)
    return handling


def must_belong(work: Work, handling: Handling) -> None:
    """Refuse a case or group that whoever asks is no member of, and a case that is closed.

    Raises:
        NotFound: No such case or group that they are a member of.
        Conflict: The case is closed.
    """
    identity = work.identity
    if (handling.case is not None and handling.case not in identity.cases) or (
        handling.group is not None and handling.group not in identity.groups
    ):
        raise NotFound("no such case or group", hint="you must be a member of it")
    if handling.case is not None:
        work.cases.must_be_open(handling.case)


def must_own(work: Work, handling: Handling) -> None:
    """Refuse whoever is neither the owner of what they see nor in its case or group: what all may read, all may not undo.

    Raises:
        NotAllowed: They are not.
    """
    named = handling.case is not None or handling.group is not None  # they see it, so they are in it
    if not named and handling.owner != work.identity.person:
        raise NotAllowed("that is another person's", hint="ask its owner, or say otherwise in a claim of your own")


def older_than(
    work: Work, table: FromClause, after: str, seen: ColumnElement[bool], *, time: str = "created_at"
) -> ColumnElement[bool]:
    """The rows that follow one in a list with the newest first; all of them where `after` is "".

    Args:
        work: The act.
        table: A table with `id` and a column that tells the time.
        after: Id of the last row of the page before.
        seen: Which rows whoever asks may see: a row that they may not see is no place in their list.
        time: Name of the column by which the list is ordered.

    Raises:
        NotFound: No such row.
    """
    if not after:
        return true()
    name, when = table.c.id, table.c[time]
    row = work.connection.execute(select(when, name).where(name == searchable(after), seen)).one_or_none()
    if row is None:
        raise NotFound("there is no such place in the list", hint="begin again from the first page")
    return or_(when < row[0], and_(when == row[0], name < row[1]))
