"""STIX objects as the bytes that came or that were made here: every version of each, and what contradicts itself.

Nothing is ever changed: another content of the same identifier and version stands beside the first one, as a conflict that people
see and nobody resolves silently. What the bytes mean is not known here; whoever adds them says it (`NewObject`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select

from shieldwall.errors import NotFound
from shieldwall.model.access import Handling, may_see
from shieldwall.store.ids import searchable
from shieldwall.store.placing import must_place
from shieldwall.store.proving import hold, proven
from shieldwall.store.schema import stix_objects, stix_values
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

AT_ONCE = 500  # objects that are inserted at a time
UNVERSIONED = -(1 << 62)
"""Stands in the column of the version where there is none: before every instant."""
_MOST_KEYS = 20_000  # identifiers whose keys are kept
_ROW_ID = 16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObject:
    """An object to be kept, and what its bytes mean.

    Attributes:
        id: Its identifier, type and UUID.
        version: Microseconds of Unix time; None for an object that has no versions.
        type: Of it.
        spec: "2.0" or "2.1".
        content: SHA-256 of what it says, whatever the order of its keys.
        raw: Its bytes.
        handling: Who may see it.
        source: Id of the partner or source that it came from; "" for people of the node.
        values: What it says of the world, kind and value of each: by these objects meet.
    """

    id: str
    version: int | None
    type: str
    spec: str
    content: bytes
    raw: bytes
    handling: Handling
    source: str = ""
    values: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptObject:
    """An object as the store keeps it.

    Attributes:
        seq: Its number, in the order of arrival; never shown outside.
        same: The same for the same identifier, version and content, whatever its handling.
        version: Microseconds; of an object without versions when it came, which never changes.
        versioned: Whether it has versions.
        type: Of it.
        spec: "2.0" or "2.1".
        raw: Its bytes.
        received_at: When it came, in microseconds.
        handling: Who may see it.
        source: As of `NewObject`.
    """

    seq: int
    same: bytes
    version: int
    versioned: bool
    type: str
    spec: str
    raw: bytes
    received_at: int
    handling: Handling
    source: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of objects that were added.

    Attributes:
        added: How many are new: objects, or versions of them.
        known: How many were there already, with this very content.
        conflicts: Identifiers of those of the new ones that contradict one with the same version.
        numbers: Of each of the given ones, in their order.
        fresh: Of those that are new.
    """

    added: int
    known: int
    conflicts: tuple[str, ...]
    numbers: tuple[int, ...]
    fresh: tuple[int, ...]


class StixObjects:
    """The objects, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._places: dict[Handling, int] = {}
        self._keys: dict[str, int] = {}

    def add(self, given: Iterable[NewObject]) -> TakenIn:
        """Keep objects; one that is there in the same place with the same content counts once.

        Raises:
            NotAllowed: Whoever asks may not write, or it would belong to somebody else.
            NotFound: No such case or group that they are a member of.
        """
        return self._add(given, placed=True)

    def add_for_partner(self, given: Iterable[NewObject]) -> TakenIn:
        """`add` of what a partner sends, whom `partners` has let in: it belongs to whoever answers for the collection."""
        return self._add(given, placed=False)

    def _add(self, given: Iterable[NewObject], *, placed: bool) -> TakenIn:
        work, seen = self._work, set[Handling]()
        work.store.backend.lock_intake(work.connection)
        total, numbers, fresh, conflicts = 0, list[int](), list[int](), list[str]()
        batch: list[NewObject] = []

        def put() -> None:
            new, found = self._insert(batch)
            fresh.extend(new)
            numbers.extend(found)
            conflicts.extend(self._contradicted(batch))
            batch.clear()

        for each in given:
            if placed and each.handling not in seen:
                must_place(work, each.handling)
                seen.add(each.handling)
            total += 1
            batch.append(each)
            if len(batch) >= AT_ONCE:
                put()
        put()
        added = len(fresh)
        work.note(objects=total, added=added, conflicts=len(conflicts))
        return TakenIn(added, total - added, tuple(dict.fromkeys(conflicts)), tuple(numbers), tuple(fresh))

    def versions(self, stix_id: str) -> list[KeptObject]:
        """All that is kept of an identifier and may be seen, by version and then in the order of arrival."""
        query = self._query(stix_objects.c.stix_key == self.key(stix_id))
        return list(self._read(query.order_by(stix_objects.c.version, stix_objects.c.seq)))

    def get(self, stix_id: str) -> KeptObject:
        """The newest version of an object; of several contents of it the one that came first.

        Raises:
            NotFound: None that whoever asks may see.
        """
        query = self._query(stix_objects.c.stix_key == self.key(stix_id))
        for kept in self._read(query.order_by(stix_objects.c.version.desc(), stix_objects.c.seq).limit(1)):
            return kept
        raise NotFound("there is no such object")

    def newest(self, stix_id: str, *, every: bool = False) -> list[KeptObject]:
        """The newest version of an object, or every one: of several contents the first, and of it the least marked one.

        Empty where there is none that whoever asks may see.
        """
        best: dict[int, KeptObject] = {}
        for kept in self.versions(stix_id):  # within a version in the order of arrival
            other = best.get(kept.version)
            if other is None or (kept.same == other.same and _openness(kept) < _openness(other)):
                best[kept.version] = kept
        found = [best[version] for version in sorted(best)]
        return found if every else found[-1:]

    def at(self, numbers: Sequence[int]) -> list[KeptObject]:
        """Objects by their numbers, as far as they may be seen, in the order of arrival."""
        found: list[KeptObject] = []
        for start in range(0, len(numbers), AT_ONCE):
            query = self._query(stix_objects.c.seq.in_(numbers[start : start + AT_ONCE]))
            found += self._read(query.order_by(stix_objects.c.seq))
        return found

    def page(self, *, after: int = 0, most: int, kind: str = "", case: str | None = None) -> list[KeptObject]:
        """Objects after the one with number `after`, in the order of arrival, at most `most`; of a type, of a case."""
        conditions: list[ColumnElement[bool]] = [stix_objects.c.seq > after]
        if kind:
            conditions.append(stix_objects.c.type == searchable(kind))
        if case is not None:
            conditions.append(stix_objects.c.case_id == searchable(case))
        return list(self._read(self._query(*conditions).order_by(stix_objects.c.seq).limit(most)))

    def conflicts(self, *, after: int = 0, most: int) -> list[KeptObject]:
        """Objects that another one with the same identifier and version contradicts, both of which may be seen."""
        other = stix_objects.alias()
        same = and_(
            other.c.stix_key == stix_objects.c.stix_key,
            other.c.version == stix_objects.c.version,
            other.c.id != stix_objects.c.id,
            visible(self._work.identity, other),
        )
        query = self._query(stix_objects.c.seq > after, exists().where(same))
        return list(self._read(query.order_by(stix_objects.c.seq).limit(most)))

    def meeting(self, values: Iterable[tuple[str, str]], *, most: int) -> dict[tuple[str, str], tuple[list[int], bool]]:
        """The numbers of the objects that say the same and may be seen, value by value, and whether more than `most` say it.

        What people of the node brought and what came from elsewhere are counted apart, so that nobody else's flood hides ours.
        """
        found: dict[tuple[str, str], tuple[list[int], bool]] = {}
        for value in values:
            listed: list[int] = []
            many = False
            for ours in (stix_objects.c.source == "", stix_objects.c.source != ""):
                query = (
                    select(stix_values.c.object_seq)
                    .join_from(stix_values, stix_objects, stix_values.c.object_seq == stix_objects.c.seq)
                    .where(
                        stix_values.c.value_key == self.value_key(*value),
                        ours,
                        visible(self._work.identity, stix_objects),
                    )
                    .order_by(stix_values.c.object_seq.desc())
                    .limit(most + 1)
                )
                numbers = list(self._work.connection.execute(query).scalars())
                many = many or len(numbers) > most
                listed += numbers if len(numbers) <= most else []
            found[value] = (listed, many)
        return found

    def trusted(self, stix_id: str, source: str) -> list[KeptObject]:
        """Every version of an object that people of the node brought, or this source: for a marking that decides about others.

        Whoever asks may see them or not, so it is for what makes handling stricter, never to be shown.
        """
        of = stix_objects.c.source.in_(("", source))
        query = select(stix_objects).where(stix_objects.c.stix_key == self.key(stix_id), of)
        return [self.kept(row) for row in self._work.connection.execute(query)]

    def kept_by_anyone(self, stix_ids: Iterable[str]) -> frozenset[str]:
        """Those of some identifiers that are kept here, by whomever; for what must not name them, never to be shown."""
        by_key = {self.key(each): each for each in stix_ids}
        keys, found = list(by_key), set[str]()
        for start in range(0, len(keys), AT_ONCE):
            query = select(stix_objects.c.stix_key).where(stix_objects.c.stix_key.in_(keys[start : start + AT_ONCE]))
            found.update(by_key[key] for key in self._work.connection.execute(query.distinct()).scalars())
        return frozenset(found)

    def count(self) -> tuple[int, int]:
        """How many identifiers and how many versions of them whoever asks may see."""
        names = func.count(stix_objects.c.stix_key.distinct())
        query = select(names, func.count()).where(visible(self._work.identity, stix_objects))
        row = self._work.connection.execute(query).one()
        return int(row[0]), int(row[1])

    def key(self, stix_id: str) -> int:
        """By what an identifier is found."""
        found = self._keys.get(stix_id)
        if found is None:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            found = self._keys[stix_id] = self._work.store.secrets.keyed_number("stix", stix_id.lower())
        return found

    def value_key(self, kind: str, value: str) -> int:
        """By what objects meet that say the same."""
        return self._work.store.secrets.keyed_number("stix value", kind, value)

    def place(self, handling: Handling) -> int:
        """The same for the same handling: the same bytes may be known under several markings, each in a row of its own."""
        found = self._places.get(handling)
        if found is None:
            level = f"{int(handling.marking)} {int(handling.pap)}"
            parts = (handling.owner, handling.case or "", handling.group or "", level)
            found = self._places[handling] = self._work.store.secrets.keyed_number("stix place", *parts)
        return found

    def _row_id(self, new: NewObject) -> bytes:
        version = "" if new.version is None else str(new.version)
        return self._work.store.secrets.keyed("stix object", new.id.lower(), version, new.content)[:_ROW_ID]

    def _insert(self, batch: Sequence[NewObject]) -> tuple[list[int], list[int]]:
        """The numbers of those that are new, and of all."""
        if not batch:
            return [], []
        work, now = self._work, self._work.now
        keys = [(self._row_id(new), self.place(new.handling)) for new in batch]
        found = self._numbers(keys)
        fresh, values = [], []
        for key, new in zip(keys, batch, strict=True):
            if key not in found:
                self._last += 1
                found[key] = self._last
                fresh.append(self._row(new, self._last, *key, now))
                values += [{"value_key": self.value_key(*each), "object_seq": self._last} for each in new.values]
        work.store.backend.insert_new(work.connection, stix_objects, fresh)
        work.store.backend.insert_new(work.connection, stix_values, values)
        return [row["seq"] for row in fresh], [found[key] for key in keys]

    @cached_property
    def _last(self) -> int:
        """The number of the object that came last; nobody else adds one until this act has ended (`lock_intake`)."""
        return int(self._work.connection.execute(select(func.max(stix_objects.c.seq))).scalar() or 0)

    def _numbers(self, keys: Iterable[tuple[bytes, int]]) -> dict[tuple[bytes, int], int]:
        wanted = {row_id for row_id, _ in keys}
        query = select(stix_objects.c.id, stix_objects.c.place, stix_objects.c.seq).where(stix_objects.c.id.in_(wanted))
        return {(bytes(row.id), row.place): row.seq for row in self._work.connection.execute(query)}

    def _row(self, new: NewObject, seq: int, row_id: bytes, place: int, now: int) -> dict[str, Any]:
        row = {
            "seq": seq,
            "id": row_id,
            "place": place,
            "stix_key": self.key(new.id),
            "version": UNVERSIONED if new.version is None else new.version,
            "type": new.type,
            "spec": new.spec,
            "source": new.source,
            "received_at": now,
            "raw_sealed": self._work.seal(stix_objects.name, "raw", row_id, new.raw),
            **columns_of(new.handling),
        }
        return proven(self._work, stix_objects, row)

    def _contradicted(self, batch: Sequence[NewObject]) -> list[str]:
        """Identifiers of a batch of which there is another content of the same version, in a place that may be seen."""
        if not batch:
            return []
        by_key = {(self.key(new.id), UNVERSIONED if new.version is None else new.version): new.id for new in batch}
        query = (
            select(stix_objects.c.stix_key, stix_objects.c.version)
            .where(stix_objects.c.stix_key.in_({key for key, _ in by_key}), visible(self._work.identity, stix_objects))
            .group_by(stix_objects.c.stix_key, stix_objects.c.version)
            .having(func.count(stix_objects.c.id.distinct()) > 1)
        )
        rows = self._work.connection.execute(query)
        return [by_key[found] for row in rows if (found := (row.stix_key, row.version)) in by_key]

    def _query(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return select(stix_objects).where(visible(self._work.identity, stix_objects), *conditions)

    def _read(self, query: Select[Any]) -> Iterator[KeptObject]:
        for row in self._work.connection.execute(query):
            kept = self.kept(row)
            if may_see(self._work.identity, kept.handling):  # asked again: the query is one exit, this is another
                yield kept

    def kept(self, row: Any) -> KeptObject:  # noqa: ANN401 - a row, or what looks like one
        """An object of a row that has all columns of the table, held to its proof; whoever may see it or not."""
        hold(self._work, stix_objects, row)
        handling = handling_of(row)
        return KeptObject(
            seq=row.seq,
            same=bytes(row.id),
            version=row.received_at if row.version == UNVERSIONED else row.version,
            versioned=row.version != UNVERSIONED,
            type=row.type,
            spec=row.spec,
            raw=self._work.open(stix_objects.name, "raw", row.id, row.raw_sealed),
            received_at=row.received_at,
            handling=handling,
            source=row.source,
        )


def _openness(kept: KeptObject) -> tuple[int, int]:
    """The less, the more open."""
    return int(kept.handling.marking), int(kept.handling.pap)
