"""Where claims and requests went, so that a retraction follows every path that they travelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, insert, select

from shieldwall.errors import BadText, NotFound, Tampered
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.opening import opens
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import ordered_id, searchable
from shieldwall.store.placing import must_place
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import travels
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """That something went to somebody.

    Attributes:
        id: 32 hex digits.
        what: Id of the claim or request.
        by: How it went: request or pack.
        carrier: Id of that.
        to: To whom, as people read it.
        at: Microseconds.
        recalled_at: When it was taken back here, in microseconds; None while it holds.
        told_at: When they were told so; None for not yet.
        handling: Who may see this.
    """

    id: str
    what: str
    by: str
    carrier: str
    to: str
    at: int
    recalled_at: int | None
    told_at: int | None
    handling: Handling


class Travels:
    """The ways, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, what: Iterable[str], *, by: str, carrier: str, to: str, handling: Handling) -> None:
        """Note that claims or requests, by their ids, went to somebody."""
        must_place(self._work, handling)
        self._add(what, by, carrier, to, handling, self._work.now)

    def _add(self, what: Iterable[str], by: str, carrier: str, to: str, handling: Handling, at: int) -> None:
        for place, each in enumerate(dict.fromkeys(what)):
            made = ordered_id(self._work.now, place)
            body = canonical_json({"what": each, "by": by, "carrier": carrier, "to": to})
            row = {
                "id": made,
                "ref_key": self._key(each),
                "at": at,
                "body_sealed": self._work.seal(travels.name, "body", made, body),
                **columns_of(handling),
            }
            self._work.connection.execute(insert(travels).values(proven(self._work, travels, row)))

    def of(self, what: str) -> list[Travel]:
        """Where something went, as far as whoever asks may know, in order."""
        return list(self._read(travels.c.ref_key == self._key(what)))

    def to_tell(self, *, most: int) -> list[Travel]:
        """Ways of what was taken back, at whose end nobody has been told so, the oldest first."""
        return list(self._read(travels.c.recalled_at.is_not(None), travels.c.told_at.is_(None)))[:most]

    def recall(self, what: str, case_id: str) -> int:
        """Say that something of a case was taken back: on each of its ways somebody is to be told; returns how many."""
        chosen = (*self._of(what, case_id), travels.c.recalled_at.is_(None))
        return change(self._work, travels, *chosen, values={"recalled_at": self._work.now})

    def follow(self, what: str, new: str, before: Handling, after: Handling) -> None:
        """Let the ways of a claim be those of the one that took its place, when it was marked otherwise."""
        if before.case is None:
            return
        query = (
            select(travels).where(*self._of(what, before.case), travels.c.recalled_at.is_(None)).order_by(travels.c.id)
        )
        for row in self._work.connection.execute(query).all():
            way = self._travel(row, handling_of(row))
            self._add([new], way.by, way.carrier, way.to, replace(after, case=before.case), way.at)
        if not opens(before, after):
            change(self._work, travels, *self._of(what, before.case), values=columns_of(after))

    def _of(self, what: str, case_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return travels.c.ref_key == self._key(what), travels.c.case_id == searchable(case_id)

    def told(self, travel_id: str) -> None:
        """Say that whoever stands at the end of a way was told.

        Raises:
            NotFound: No such way, of something that was taken back, that whoever asks may see.
        """
        self._work.must(Permission.WRITE)
        found = [each for each in self._read(travels.c.id == searchable(travel_id)) if each.recalled_at is not None]
        if not found:
            raise NotFound("there is nothing of that sort to be told")
        change(self._work, travels, travels.c.id == searchable(travel_id), values={"told_at": self._work.now})
        self._work.note(travel=travel_id)

    def _read(self, *conditions: ColumnElement[bool]) -> Iterator[Travel]:
        query = select(travels).where(visible(self._work.identity, travels), *conditions).order_by(travels.c.id)
        for row in self._work.connection.execute(query):
            handling = handling_of(row)
            if not may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                continue
            yield self._travel(row, handling)

    def _travel(self, row: Row[Any], handling: Handling) -> Travel:
        hold(self._work, travels, row)
        raw = self._work.open(travels.name, "body", row.id, row.body_sealed)
        try:
            body: dict[str, Any] = dict(parse_json(raw, "a way"))
            return Travel(
                id=row.id, at=row.at, recalled_at=row.recalled_at, told_at=row.told_at, handling=handling, **body
            )
        except (BadText, TypeError, ValueError):
            raise Tampered("a way is not as it was written", hint="shieldwall node check") from None

    def _key(self, what: str) -> int:
        return self._work.store.secrets.keyed_number("travel", what)
