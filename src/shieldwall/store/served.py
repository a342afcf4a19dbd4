"""What partners read of collections, what became of what they added, and who has what.

A partner reads what is for it and no more, whatever the collection holds: the marking of each object is asked again. Which
version is the newest is asked for each ceiling apart, so nobody learns of a version that they may not have by what they get. A
page is one scan of one range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Integer,
    Row,
    Select,
    SmallInteger,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
)

from shieldwall.errors import NotFound, Tampered
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import searchable
from shieldwall.store.prepared import Prepared
from shieldwall.store.proving import hold
from shieldwall.store.schema import collection_objects, fetches, former_objects, statuses, stix_objects
from shieldwall.store.stixobjects import UNVERSIONED
from shieldwall.store.visible import visible

if TYPE_CHECKING:
    from shieldwall.store.collections import Collection
    from shieldwall.store.partners import Partner
    from shieldwall.store.work import Work

MOST_BYTES = 16 << 20
"""Of the objects of one page."""

_STATUS_DAYS = 7
_DAY = 86_400_000_000  # microseconds
_ROWS = 32  # that are held at once: an object may have some MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a collection: each condition must hold; one with several values wants one of them.

    Attributes:
        after: Only what was added later than this moment, in microseconds.
        ids: Identifiers; empty for all.
        types: Of objects; empty for all.
        specs: "2.0" or "2.1"; empty for all.
        versions: Instants in microseconds.
        newest, oldest, every: Whether the newest, the oldest, all versions are wanted, beside `versions`.
    """

    after: int = -1
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    newest: bool = True
    oldest: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An object of a collection: when it was added, its version (both microseconds), its specification and its bytes."""

    added_at: int
    version: int
    spec: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Had:
    """That a partner has fetched something, or may have: its id, and when last (microseconds)."""

    partner: str
    at: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a partner fetched of a collection.

    Attributes:
        collection: Id.
        objects: How many objects, or versions of them, went to it that are still there.
        gone: How many went to it that were taken out since.
        at: When last, in microseconds.
    """

    collection: str
    objects: int
    gone: int
    at: int


_PLAIN = Asked()
_FETCHED = Prepared(
    text(
        "INSERT INTO fetches (partner_id, collection_id, first_added, last_added, ceiling, first_at, at) "
        "VALUES (:partner_id, :collection_id, :first_added, :last_added, :ceiling, :first_at, :at) "
        "ON CONFLICT (partner_id, collection_id, first_added, last_added, ceiling) DO UPDATE SET at = excluded.at"
    )
)


@cache
def _page(whole: bool) -> Select[Any]:
    """A page of items, whatever is asked for."""
    theirs = (stix_objects.c.received_at, stix_objects.c.spec, stix_objects.c.raw_sealed, stix_objects.c.marking)
    columns: list[ColumnElement[Any]] = [collection_objects.c.added_at, collection_objects.c.version]
    columns += theirs if whole else [column.label(f"o_{column.name}") for column in stix_objects.c]
    return (
        select(*columns, *([] if whole else [collection_objects]))
        .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
        .order_by(collection_objects.c.added_at)
    )


@cache
def _plain_page(whole: bool, ceiling: Marking) -> Prepared:
    """The newest versions behind a moment, for a ceiling: a range of the index of that ceiling."""
    mine, level = collection_objects.c, literal_column(str(int(ceiling)), SmallInteger)
    chosen = (mine.collection_id == bindparam("of"), mine.added_at > bindparam("after"))
    query = _page(whole).where(*chosen, mine.marking <= level, mine.newer > level)
    return Prepared(query.limit(bindparam("most", type_=Integer)))


class Served:
    """What goes out, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def items(
        self, collection: Collection, partner: Partner | None, asked: Asked, *, most: int, most_bytes: int = MOST_BYTES
    ) -> list[Item]:
        """Objects of a collection that go to a partner (None: to anybody), by the moment at which they were added.

        Args:
            collection: One that `Collection.is_for` the partner.
            partner: Whom for.
            asked: Which.
            most: How many.
            most_bytes: Of all of them; the one that goes beyond is the last.
        """
        if not collection.is_for(partner) or not collection.readable:
            return []
        ceiling, found, size = collection.ceiling(partner), list[Item](), 0
        for item, marking in self._read_items(collection, ceiling, asked, most):
            if marking <= ceiling:  # asked again: the query is one exit, this is another
                found.append(item)
                size += len(item.raw)
            if size > most_bytes:
                break
        return found

    def _read_items(
        self, collection: Collection, ceiling: Marking, asked: Asked, most: int
    ) -> Iterator[tuple[Item, int]]:
        """Items with their markings; where rows have proofs, each row of both tables is held to its own."""
        whole = self._work.store.backend.whole
        rows: CursorResult[Any]
        if replace(asked, after=-1) == _PLAIN:  # what clients ask for, over and over
            rows = _plain_page(whole, ceiling).run(self._connection, of=collection.id, after=asked.after, most=most)
        else:
            conditions = self._conditions(collection, ceiling, asked)
            rows = self._connection.execute(_page(whole).where(*conditions).limit(most))
        if whole:  # the database is authenticated as a whole, and nothing in it is sealed again
            for part in rows.partitions(_ROWS):
                for row in part:
                    added_at, version, received_at, spec, raw, marking = tuple(row)
                    yield Item(added_at, received_at if version == UNVERSIONED else version, spec, raw), marking
            return
        for row in rows.yield_per(_ROWS):
            hold(self._work, collection_objects, row)
            if (row.o_stix_key, row.o_version) != (row.stix_key, row.version):
                raise Tampered("a collection has another object than was put there", hint="shieldwall node check")
            kept = self._work.stix.kept(_Labelled(row))
            marking = max(int(kept.handling.marking), row.marking)
            yield Item(row.added_at, kept.version, kept.spec, kept.raw), marking

    def moments(self, collection: Collection, partner: Partner | None, asked: Asked) -> list[int]:
        """The moments of all that `items` would give, page after page."""
        if not collection.is_for(partner) or not collection.readable:
            return []
        query = (
            select(collection_objects.c.added_at)
            .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
            .where(*self._conditions(collection, collection.ceiling(partner), asked))
        )
        return list(self._connection.execute(query.order_by(collection_objects.c.added_at)).scalars())

    def _conditions(self, collection: Collection, ceiling: Marking, asked: Asked) -> Iterator[ColumnElement[bool]]:
        mine = collection_objects.c
        yield mine.collection_id == collection.id
        yield mine.added_at > asked.after
        # In figures, not as parameters: so that the index of this ceiling is found to hold exactly these rows.
        level = literal_column(str(int(ceiling)), SmallInteger)
        yield mine.marking <= level
        if asked.ids:
            yield mine.stix_key.in_({self._work.stix.key(each) for each in asked.ids})
        if asked.types:
            yield stix_objects.c.type.in_([searchable(each) for each in asked.types])
        if asked.specs:
            yield stix_objects.c.spec.in_([searchable(each) for each in asked.specs])
        if not asked.every:
            wanted: list[ColumnElement[bool]] = []
            if asked.newest:
                wanted.append(mine.newer > level)
            if asked.oldest:
                wanted.append(mine.older > level)
            if asked.versions:
                # of an object without versions it is the moment at which it came
                wanted.append(mine.version.in_(asked.versions))
                unversioned = mine.version == UNVERSIONED
                wanted.append(and_(unversioned, stix_objects.c.received_at.in_(asked.versions)))
            yield wanted[0] if len(wanted) == 1 else or_(*wanted)

    # who has what

    def fetched(
        self, partner: Partner, collection: Collection, first: int, last: int, *, read_at: int | None = None
    ) -> None:
        """Note that a stretch of a collection went to a partner, as far as it may have it.

        Args:
            partner: Whom to.
            collection: Of what.
            first, last: The moments of its first and last object.
            read_at: When it was read, in microseconds, where that was before now: what was taken out since went with it.
        """
        row = {
            "partner_id": partner.id,
            "collection_id": collection.id,
            "first_added": first,
            "last_added": last,
            "ceiling": int(collection.ceiling(partner)),
            "first_at": self._work.now if read_at is None else read_at,
            "at": self._work.now,
        }
        _FETCHED.run(self._connection, **row)

    def who_has(self, collection_id: str, stix_id: str) -> list[Had]:
        """Partners to whom a stretch of a collection went in which an object lay then, under a marking that they may have."""
        key = self._work.stix.key(stix_id)
        query = select(fetches.c.partner_id, func.max(fetches.c.at)).where(
            fetches.c.collection_id == searchable(collection_id),
            or_(
                *[
                    exists().where(table.c.stix_key == key, *_went(table)).correlate(fetches)
                    for table in (collection_objects, former_objects)
                ]
            ),
        )
        rows = self._connection.execute(query.group_by(fetches.c.partner_id))
        return sorted((Had(partner, at) for partner, at in rows), key=lambda had: had.partner)

    def seen(self, collection: Collection) -> frozenset[int]:
        """The moments of the objects of a collection that whoever asks may see."""
        query = (
            select(collection_objects.c.added_at)
            .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
            .where(collection_objects.c.collection_id == collection.id, visible(self._work.identity, stix_objects))
        )
        return frozenset(self._connection.execute(query).scalars())

    def holdings(self, partner_id: str, *, seen: bool = False) -> list[Held]:
        """What a partner fetched, collection by collection: for whoever narrows what it gets, and asks what it has already.

        Args:
            partner_id: The partner.
            seen: Count only what whoever asks may see.
        """
        mine = fetches.c.partner_id == searchable(partner_id)
        query = select(fetches.c.collection_id, func.max(fetches.c.at)).where(mine).group_by(fetches.c.collection_id)
        found = []
        for collection_id, at in self._connection.execute(query).all():
            there, gone = (
                self._count(table, partner_id, collection_id, seen=seen)
                for table in (collection_objects, former_objects)
            )
            found.append(Held(collection_id, there, gone, at))
        return sorted(found, key=lambda held: held.collection)

    def has(self, partner_id: str, collection_id: str) -> frozenset[int]:
        """The moments of a collection's objects of now that went to a partner."""
        went = exists().where(fetches.c.partner_id == searchable(partner_id), *_went(collection_objects))
        query = select(collection_objects.c.added_at).where(
            collection_objects.c.collection_id == searchable(collection_id), went.correlate(collection_objects)
        )
        return frozenset(self._connection.execute(query).scalars())

    def _count(self, table: Table, partner_id: str, collection_id: str, *, seen: bool) -> int:
        went = exists().where(fetches.c.partner_id == searchable(partner_id), *_went(table)).correlate(table)
        query = select(func.count()).select_from(table).where(table.c.collection_id == collection_id, went)
        if seen:
            mine = stix_objects.c.stix_key == table.c.stix_key
            query = query.where(exists().where(mine, visible(self._work.identity, stix_objects)).correlate(table))
        return int(self._connection.execute(query).scalar_one())

    # statuses

    def keep_status(self, partner: Partner, status_id: str, body: dict[str, Any]) -> None:
        """Keep for some days what became of what a partner added."""
        work = self._work
        self._connection.execute(delete(statuses).where(statuses.c.at < work.now - _STATUS_DAYS * _DAY))
        sealed = work.seal(statuses.name, "body", status_id, canonical_json(body))
        row = {"id": status_id, "partner_id": partner.id, "at": work.now, "body_sealed": sealed}
        self._connection.execute(insert(statuses).values(row))

    def status(self, partner: Partner, status_id: str) -> dict[str, Any]:
        """What became of what this partner added.

        Raises:
            NotFound: No such status of theirs, or no longer.
        """
        mine = (statuses.c.id == searchable(status_id), statuses.c.partner_id == partner.id)
        row = self._connection.execute(select(statuses).where(*mine)).one_or_none()
        if row is None:
            raise NotFound("there is no such status")
        raw = self._work.open(statuses.name, "body", row.id, row.body_sealed)
        return dict(parse_json(raw, "a status"))


def _went(table: Table) -> list[ColumnElement[bool]]:
    """That a row of what is, or was, in a collection lies in a stretch that went out, and might have gone with it."""
    conditions = [
        table.c.collection_id == fetches.c.collection_id,
        table.c.added_at.between(fetches.c.first_added, fetches.c.last_added),
        table.c.marking <= fetches.c.ceiling,
    ]
    return conditions + ([fetches.c.first_at <= table.c.gone_at] if "gone_at" in table.c else [])


class _Labelled:
    """A row of `stix_objects` out of a join, whose columns begin with ``o_``."""

    def __init__(self, row: Row[Any]) -> None:
        self._mapping = {name[2:]: value for name, value in row._mapping.items() if name.startswith("o_")}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a column holds
        try:
            return self._mapping[name]
        except KeyError:
            raise AttributeError(name) from None
