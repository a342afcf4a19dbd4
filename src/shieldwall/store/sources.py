"""Sources: collections of other servers that somebody pulls, how far each was read, and how that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, func, select, update

from shieldwall.errors import Conflict, NotFound
from shieldwall.model.access import Handling, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.placing import must_own, must_place
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import sources, stix_objects
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

_SECOND = 1_000_000  # microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source.

    Attributes:
        id: 32 hex digits.
        target: Where it is, how to come in, how what comes is handled; plain JSON values, `url` among them.
        every: Seconds between pulls; 0: only when somebody asks.
        created_at: Microseconds.
        ended_at: Since when it is pulled no more; None while it is.
        tried_at: When it was asked last; None for never.
        good_at: When last all was taken that there was; None for never.
        state: How far it was read, what came, what went wrong; plain JSON values.
        handling: Whose it is, and the case or group that it goes into.
    """

    id: str
    target: Mapping[str, Any]
    every: int
    created_at: int
    ended_at: int | None
    tried_at: int | None
    good_at: int | None
    state: Mapping[str, Any]
    handling: Handling


class Sources:
    """The sources, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def put(self, target: Mapping[str, Any], handling: Handling, *, every: int) -> Source:
        """A source of whoever asks: a new one, or theirs at this URL in that place, which is then as it is said now.

        Args:
            target: See `Source`.
            handling: See `Source`.
            every: Seconds between pulls; 0: only when somebody asks.

        Raises:
            NotAllowed: Whoever asks may not write, or it would belong to somebody else.
            NotFound: No such case or group that they are a member of.
            Conflict: The case is closed.
        """
        must_place(self._work, handling)
        place = (handling.owner, str(target["url"]), handling.case or "", handling.group or "")
        key = self._work.store.secrets.keyed("source", *place)
        found = self._connection.execute(select(sources).where(sources.c.url_key == key)).one_or_none()
        if found is None:
            row = {
                "id": new_id(),
                "url_key": key,
                "every": every,
                "created_at": self._work.now,
                "ended_at": None,
                "next_at": self._work.now,
                **columns_of(handling),
            }
            row["target_sealed"] = self._seal("target", str(row["id"]), target)
            row["state_sealed"] = self._seal("state", str(row["id"]), {})
            self._work.store.backend.insert_new(self._connection, sources, [proven(self._work, sources, row)])
            self._work.note(source=row["id"])
            return self.get(str(row["id"]))
        sealed = self._seal("target", found.id, target)
        values = {"target_sealed": sealed, "every": every, "ended_at": None, **columns_of(handling)}
        change(self._work, sources, sources.c.id == found.id, values=values)
        self._connection.execute(update(sources).where(sources.c.id == found.id).values(next_at=self._work.now))
        self._work.note(source=found.id)
        return self.get(found.id)

    def get(self, source_id: str) -> Source:
        """A source.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for found in self._read(sources.c.id == searchable(source_id)):
            return found
        raise NotFound("there is no such source")

    def all(self) -> list[Source]:
        """All sources that may be seen, in the order in which they were made; those that have ended among them."""
        return self._read()

    def due(self) -> list[tuple[str, str]]:
        """Id and owner of those whose time has come, the longest overdue first; for the node itself."""
        waiting = (sources.c.every > 0, sources.c.ended_at.is_(None), sources.c.next_at <= self._work.now)
        rows = self._connection.execute(select(sources).where(*waiting).order_by(sources.c.next_at)).all()
        for row in rows:
            hold(self._work, sources, row)
        return [(row.id, row.owner) for row in rows]

    def went(self, source: Source, state: Mapping[str, Any], *, good: bool) -> None:
        """Note how a pull went.

        Args:
            source: The source.
            state: See `Source`.
            good: All was taken that there was.
        """
        values: dict[str, Any] = {
            "state_sealed": self._seal("state", source.id, state),
            "tried_at": self._work.now,
            "next_at": self._work.now + source.every * _SECOND,
        }
        if good:
            values["good_at"] = self._work.now
        self._connection.execute(update(sources).where(sources.c.id == source.id).values(**values))

    def failed(self, source_id: str, problem: str) -> None:
        """Note that a source could not even be asked; for the node itself."""
        query = select(sources).where(sources.c.id == searchable(source_id))
        for source in map(self._source, self._connection.execute(query).all()):
            self.went(source, {**source.state, "problem": problem}, good=False)

    def end(self, source_id: str) -> None:
        """Pull a source no more; what came from it stays.

        Raises:
            NotAllowed: It is another person's.
            NotFound: None that whoever asks may see.
            Conflict: It has ended.
        """
        found = self.get(source_id)
        must_own(self._work, found.handling)
        if not change(
            self._work,
            sources,
            sources.c.id == found.id,
            sources.c.ended_at.is_(None),
            values={"ended_at": self._work.now},
        ):
            raise Conflict("that source has ended already")
        self._work.note(source=found.id)

    def objects_of(self, source_id: str) -> int:
        """How many objects, or versions of them, came from a source first, as far as they may be seen."""
        mine = (stix_objects.c.source == searchable(source_id), visible(self._work.identity, stix_objects))
        return int(self._connection.execute(select(func.count()).select_from(stix_objects).where(*mine)).scalar_one())

    def _read(self, *conditions: ColumnElement[bool]) -> list[Source]:
        query = select(sources).where(visible(self._work.identity, sources), *conditions)
        rows = self._connection.execute(query.order_by(sources.c.created_at, sources.c.id)).all()
        found = [self._source(row) for row in rows]
        return [each for each in found if may_see(self._work.identity, each.handling)]

    def _source(self, row: Row[Any]) -> Source:
        hold(self._work, sources, row)
        return Source(
            id=row.id,
            target=self._open("target", row.id, row.target_sealed),
            every=row.every,
            created_at=row.created_at,
            ended_at=row.ended_at,
            tried_at=row.tried_at,
            good_at=row.good_at,
            state=self._open("state", row.id, row.state_sealed),
            handling=handling_of(row),
        )

    def _seal(self, column: str, source_id: str, value: Mapping[str, Any]) -> bytes:
        return self._work.seal(sources.name, column, source_id, canonical_json(dict(value)))

    def _open(self, column: str, source_id: str, sealed: bytes) -> dict[str, Any]:
        return dict(parse_json(self._work.open(sources.name, column, source_id, sealed), "a source"))
