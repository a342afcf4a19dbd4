"""Collections: what goes to one audience, in the order in which it was added, and who decided so.

Each object of a collection has a moment of its own, in microseconds, later than every one before it: order, header, filter and
cursor of TAXII are this one number, so no page skips, repeats or loops. A page is one scan of one range.

People decide (`release`, `withdraw`); partners read what is for them (`page`) and no more, whatever the collection holds: the
marking of each object is asked again.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, func, insert, or_, select, true, update

from shieldwall.errors import Conflict, NotAllowed, NotFound, Tampered, UsageError
from shieldwall.model.access import Permission
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import STRICTEST, Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import ordered_id, searchable
from shieldwall.store.partners import HIGHEST, Partner, checked_highest
from shieldwall.store.people import checked_name
from shieldwall.store.proving import change, held, hold, one_held, proven
from shieldwall.store.schema import collection_objects, collections, fetches, releases, statuses, stix_objects
from shieldwall.store.stixobjects import UNVERSIONED

if TYPE_CHECKING:
    from shieldwall.store.work import Work

RELEASE, WITHDRAW, ADD, DELETE = "release", "withdraw", "add", "delete"
"""What is done with a collection: by people the first two, by partners who may write the last two."""

MOST_BYTES = 16 << 20
"""Of the objects of one page."""

MOST_REASON = 2000  # characters
_STATUS_DAYS = 7
_DAY = 86_400_000_000  # microseconds
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection.

    Attributes:
        id: 32 hex digits, of a random UUID.
        group: Id of the group of partners that it is for; None for anybody at all.
        alias: A short name in addresses; "" for none.
        title: Its name for people.
        highest: The highest marking that it may hold.
        unmarked: The marking of what partners add without one.
        readable: Whether its partners may look into it.
        writable: Whether its partners may add to it.
        owner: Id of the person who answers for what they add.
        created_at: Microseconds.
        last_added_at: The moment of the newest object that it ever had; 0 for none.
    """

    id: str
    group: str | None
    alias: str
    title: str
    highest: Marking
    unmarked: Marking
    readable: bool
    writable: bool
    owner: str
    created_at: int
    last_added_at: int

    def is_for(self, partner: Partner | None) -> bool:
        """Whether a partner, or anybody at all (None), may look into it."""
        if self.group is None:
            return True
        return partner is not None and partner.ended_at is None and self.group in partner.groups

    def ceiling(self, partner: Partner | None) -> Marking:
        """Up to which marking its objects go to a partner: anybody at all gets what is TLP:CLEAR."""
        return Marking.CLEAR if partner is None else min(self.highest, partner.highest, HIGHEST)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A decision on a collection.

    Attributes:
        id: 32 hex digits.
        collection: Id.
        at: Microseconds.
        by: Id of the person, or of the partner who added.
        deed: One of `RELEASE`, `WITHDRAW`, `ADD`, `DELETE`.
        reason: In their words.
        objects: Numbers of the objects that it was about.
    """

    id: str
    collection: str
    at: int
    by: str
    deed: str
    reason: str
    objects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of objects that were to go into a collection.

    Attributes:
        added: Numbers of those that are new there.
        known: Numbers of those that were there already.
        contradicted: Numbers of those that say otherwise than one that is there with the same version, and stayed out.
    """

    added: tuple[int, ...] = ()
    known: tuple[int, ...] = ()
    contradicted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Had:
    """That a partner has, or may have, fetched something: its id, and when last (microseconds)."""

    partner: str
    at: int


class Collections:
    """The collections, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add(
        self,
        title: str,
        *,
        group: str | None,
        highest: Marking,
        alias: str = "",
        unmarked: Marking = STRICTEST,
        readable: bool = True,
        writable: bool = False,
    ) -> Collection:
        """A new, empty collection, for which whoever asks answers.

        Args:
            title: Its name for people.
            group: Id of the group of partners that it is for; None for anybody at all.
            highest: The highest marking that it may hold.
            alias: A short name in addresses.
            unmarked: The marking of what partners add without one.
            readable: Whether its partners may look into it.
            writable: Whether they may add to it.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: No such group of partners.
            Conflict: Another collection for them has that alias.
            UsageError: A title, alias or marking that cannot be.
        """
        work = self._work
        work.must(Permission.APPROVE)
        if group is not None:
            work.partners.group(group)
        elif checked_highest(highest) > Marking.CLEAR or writable or not readable:
            raise UsageError("what anybody may read is TLP:CLEAR, and nobody adds to it", hint="name a group")
        if alias and (not alias.isascii() or not alias.replace("-", "").isalnum() or len(alias) > 60):
            raise UsageError("an alias has letters, digits and hyphens", hint="such as high-value")
        if alias and any(each.alias == alias and each.group == group for each in self.all()):
            raise Conflict("another collection has that alias", hint="choose another one")
        made = uuid.uuid4().hex  # TAXII (5.2.1) wants one of version 4
        row = {
            "id": made,
            "group_id": group,
            "alias": alias,
            "title_sealed": work.seal(collections.name, "title", made, checked_name(title, "a title", 200).encode()),
            "highest": int(checked_highest(highest)),
            "unmarked": int(Marking(unmarked)),
            "readable": readable,
            "writable": writable,
            "owner": work.identity.person,
            "created_at": work.now,
            "last_added_at": 0,
        }
        self._connection.execute(insert(collections).values(proven(work, collections, row)))
        work.note(collection=made)
        return self.get(made)

    def all(self) -> list[Collection]:
        """All collections, in the order in which they were made."""
        rows = self._connection.execute(select(collections).order_by(collections.c.created_at, collections.c.id)).all()
        return [self._collection(row) for row in held(self._work, collections, rows)]

    def get(self, collection_id: str) -> Collection:
        """The collection with an id.

        Raises:
            NotFound: None.
        """
        row = one_held(self._work, collections, collections.c.id == searchable(collection_id))
        if row is None:
            raise NotFound("there is no such collection")
        return self._collection(row)

    # what people and partners do

    def release(self, collection_id: str, numbers: Sequence[int], reason: str) -> Placed:
        """Let objects go to the audience of a collection.

        Args:
            collection_id: The collection.
            numbers: Of objects, that whoever asks may see.
            reason: Why, in their words.

        Raises:
            NotAllowed: Whoever asks may not approve; or an object is marked above what the collection may hold.
            NotFound: No such collection, or an object that they may not see.
            UsageError: No reason.
        """
        work = self._work
        work.must(Permission.APPROVE)
        collection = self.get(collection_id)
        objects = work.stix.at(list(dict.fromkeys(numbers)))
        if len(objects) < len(set(numbers)):
            raise NotFound("there is no such object")
        above = [each for each in objects if each.handling.marking > min(collection.highest, HIGHEST)]
        if above:
            raise NotAllowed(
                f"{len(above)} of {len(objects)} objects are marked above {collection.highest.label}",
                hint="release them to a collection that may hold them, or leave them out",
            )
        return self._put(collection, list(dict.fromkeys(numbers)), RELEASE, reason)

    def put_for_partner(self, partner: Partner, collection_id: str, numbers: Sequence[int]) -> Placed:
        """`release` of what a partner adds to a collection that it may write to.

        Raises:
            NotAllowed: It may not.
            NotFound: No such collection for it.
        """
        return self._put(self.must_write(partner, collection_id), numbers, ADD, "")

    def must_write(self, partner: Partner, collection_id: str) -> Collection:
        """The collection, where a partner may add to it.

        Raises:
            NotAllowed, NotFound: As `put_for_partner`.
        """
        collection = self.get(collection_id)
        if not collection.is_for(partner):
            raise NotFound("there is no such collection")
        if not collection.writable or partner.ended_at is not None:
            raise NotAllowed("nobody adds to that collection")
        return collection

    def withdraw(self, collection_id: str, stix_id: str, reason: str, *, version: int | None = None) -> list[Had]:
        """Take an object out of a collection: all its versions, or one; returns who may have it already.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: No such collection, or nothing of the object in it.
            UsageError: No reason.
        """
        self._work.must(Permission.APPROVE)
        return self._take_out(
            self.get(collection_id), stix_id, WITHDRAW, reason, None if version is None else [version]
        )

    def delete_for_partner(self, partner: Partner, collection_id: str, stix_id: str, asked: Asked) -> None:
        """`withdraw` by a partner who may write.

        Raises:
            NotAllowed, NotFound: As `put_for_partner`; or there is nothing of the object in it for that partner.
        """
        collection = self.must_write(partner, collection_id)
        found = self.items(collection, partner, asked, most=10_000)
        if not found:
            raise NotFound("there is no such object")
        moments = {item.added_at for item in found}
        rows = [row.version for row in self._of_object(collection.id, stix_id) if row.added_at in moments]
        self._take_out(collection, stix_id, DELETE, "", rows)

    def decisions(self, collection_id: str, *, most: int) -> list[Release]:
        """What was decided on a collection, the newest first."""
        query = select(releases).where(releases.c.collection_id == searchable(collection_id))
        rows = self._connection.execute(query.order_by(releases.c.id.desc()).limit(most)).all()
        return [self._release(row) for row in held(self._work, releases, rows)]

    # what partners read

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
        for item, marking in self._read_items(self._conditions(collection, partner, asked), most):
            if marking <= ceiling:  # asked again: the query is one exit, this is another
                found.append(item)
                size += len(item.raw)
            if size > most_bytes:
                break
        return found

    def _read_items(self, conditions: Iterable[ColumnElement[bool]], most: int) -> Iterator[tuple[Item, int]]:
        """Items with their markings; where rows have proofs, each row of both tables is held to its own."""
        whole = self._work.store.backend.whole
        theirs = (stix_objects.c.received_at, stix_objects.c.spec, stix_objects.c.raw_sealed, stix_objects.c.marking)
        columns: list[ColumnElement[Any]] = [collection_objects.c.added_at, collection_objects.c.version]
        columns += theirs if whole else [column.label(f"o_{column.name}") for column in stix_objects.c]
        query = (
            select(*columns, *([] if whole else [collection_objects]))
            .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
            .where(*conditions)
            .order_by(collection_objects.c.added_at)
            .limit(most)
        )
        for row in self._connection.execute(query).yield_per(_AT_ONCE):
            if whole:  # the database is authenticated as a whole, and nothing in it is sealed again
                added_at, version, received_at, spec, raw, marking = row
                yield Item(added_at, received_at if version == UNVERSIONED else version, spec, raw), marking
                continue
            hold(self._work, collection_objects, row)
            if (row.o_stix_key, row.o_version) != (row.stix_key, row.version):
                raise Tampered("a collection has another object than was put there", hint="shieldwall node check")
            kept = self._work.stix.kept(_Labelled(row))
            yield Item(row.added_at, kept.version, kept.spec, kept.raw), int(kept.handling.marking)

    def fetched(self, partner: Partner, collection: Collection, first: int, last: int) -> None:
        """Note that a stretch of a collection went to a partner."""
        row = {
            "partner_id": partner.id,
            "collection_id": collection.id,
            "first_added": first,
            "last_added": last,
            "at": self._work.now,
        }
        if self._work.store.backend.insert_new(self._connection, fetches, [row]):
            return
        mine = [fetches.c[name] == row[name] for name in ("partner_id", "collection_id", "first_added")]
        further = case((fetches.c.last_added > last, fetches.c.last_added), else_=last)
        self._connection.execute(update(fetches).where(*mine).values(last_added=further, at=self._work.now))

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

    def who_has(self, collection_id: str, moments: Several[int]) -> list[Had]:
        """Partners to whom a stretch of a collection went in which one of some moments lies."""
        query = select(fetches).where(
            fetches.c.collection_id == searchable(collection_id),
            or_(*[and_(fetches.c.first_added <= at, fetches.c.last_added >= at) for at in moments]),
        )
        found: dict[str, int] = {}
        for row in self._connection.execute(query) if moments else ():
            found[row.partner_id] = max(found.get(row.partner_id, 0), row.at)
        return [Had(partner, at) for partner, at in sorted(found.items())]

    def markings_of(self, collection_id: str, stix_ids: Iterable[str]) -> dict[str, Marking]:
        """Of those of some identifiers of which a collection has any version, the most open marking of its versions."""
        by_key = {self._work.stix.key(each): each for each in stix_ids}
        keys, found = list(by_key), dict[str, Marking]()
        for start in range(0, len(keys), _AT_ONCE):
            query = (
                select(collection_objects.c.stix_key, func.min(stix_objects.c.marking))
                .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
                .where(
                    collection_objects.c.collection_id == collection_id,
                    collection_objects.c.stix_key.in_(keys[start : start + _AT_ONCE]),
                )
                .group_by(collection_objects.c.stix_key)
            )
            found.update({by_key[key]: Marking(level) for key, level in self._connection.execute(query)})
        return found

    def numbers_in(self, collection_id: str) -> list[int]:
        """The numbers of all objects of a collection, in the order in which they were added."""
        query = select(collection_objects.c.object_seq).where(collection_objects.c.collection_id == collection_id)
        return list(self._connection.execute(query.order_by(collection_objects.c.added_at)).scalars())

    # inside

    def _conditions(
        self, collection: Collection, partner: Partner | None, asked: Asked
    ) -> Iterator[ColumnElement[bool]]:
        mine = collection_objects.c
        yield mine.collection_id == collection.id
        yield mine.added_at > asked.after
        yield stix_objects.c.marking <= int(collection.ceiling(partner))
        if asked.ids:
            yield mine.stix_key.in_({self._work.stix.key(each) for each in asked.ids})
        if asked.types:
            yield stix_objects.c.type.in_([searchable(each) for each in asked.types])
        if asked.specs:
            yield stix_objects.c.spec.in_([searchable(each) for each in asked.specs])
        if not asked.every:
            wanted: list[ColumnElement[bool]] = []
            if asked.newest:
                wanted.append(mine.newest == true())
            if asked.oldest:
                wanted.append(mine.oldest == true())
            if asked.versions:
                # of an object without versions it is the moment at which it came
                wanted.append(mine.version.in_(asked.versions))
                unversioned = mine.version == UNVERSIONED
                wanted.append(and_(unversioned, stix_objects.c.received_at.in_(asked.versions)))
            yield or_(*wanted)

    def _locked(self, collection_id: str) -> Collection:
        """The collection of now, which nobody else changes until this act has ended: moments must not be seen out of order."""
        query = select(collections).where(collections.c.id == collection_id).with_for_update()
        row = self._connection.execute(query).one()
        hold(self._work, collections, row)
        return self._collection(row)

    def _put(self, collection: Collection, numbers: Sequence[int], deed: str, reason: str) -> Placed:
        work, collection = self._work, self._locked(collection.id)
        release = ordered_id(work.now)
        rows = self._rows_of(numbers)
        added: list[Any] = []
        known: list[int] = []
        opened: list[int] = []
        contradicted: list[int] = []
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            there = self._versions(collection.id, {row.stix_key for row in part})
            for row in part:
                versions = there.setdefault(row.stix_key, {})
                other = versions.get(row.version)
                if other is None:
                    versions[row.version] = row
                    added.append(row)
                elif other.id != row.id:
                    contradicted.append(row.seq)
                elif (
                    row.marking < other.marking
                ):  # the same, for more of them: at a moment of its own, so that they get it
                    versions[row.version] = row
                    added.append(row)
                    opened.append(other.seq)
                else:
                    known.append(row.seq)
        moment = max(work.now, collection.last_added_at + 1)
        body = {"reason": checked_reason(reason) if deed == RELEASE else "", "objects": [row.seq for row in added]}
        self._decide(release, collection.id, deed, body)
        fresh = [
            {
                "collection_id": collection.id,
                "added_at": moment + place,
                "object_seq": row.seq,
                "release_id": release,
                "stix_key": row.stix_key,
                "version": row.version,
                "newest": False,
                "oldest": False,
            }
            for place, row in enumerate(added)
        ]
        if opened:
            gone = (collection_objects.c.collection_id == collection.id, collection_objects.c.object_seq.in_(opened))
            self._connection.execute(delete(collection_objects).where(*gone))
        if fresh:
            proofs = [proven(work, collection_objects, row) for row in fresh]
            work.store.backend.insert_new(self._connection, collection_objects, proofs)
            values = {"last_added_at": moment + len(fresh) - 1}
            change(work, collections, collections.c.id == collection.id, values=values)
            self._mark(collection.id, {row.stix_key for row in added})
        work.note(collection=collection.id, release=release, added=len(fresh), contradicted=len(contradicted))
        return Placed(tuple(row.seq for row in added), tuple(known), tuple(contradicted))

    def _take_out(
        self, collection: Collection, stix_id: str, deed: str, reason: str, versions: Sequence[int] | None
    ) -> list[Had]:
        collection = self._locked(collection.id)
        rows = [row for row in self._of_object(collection.id, stix_id) if versions is None or row.version in versions]
        if not rows:
            raise NotFound("there is nothing of that object in the collection")
        text = checked_reason(reason) if deed == WITHDRAW else ""
        release = ordered_id(self._work.now)
        self._decide(release, collection.id, deed, {"reason": text, "objects": [row.object_seq for row in rows]})
        moments = [row.added_at for row in rows]
        mine = (collection_objects.c.collection_id == collection.id, collection_objects.c.added_at.in_(moments))
        self._connection.execute(delete(collection_objects).where(*mine))
        self._mark(collection.id, {rows[0].stix_key})
        self._work.note(collection=collection.id, release=release, withdrawn=len(rows))
        return self.who_has(collection.id, moments)

    def _decide(self, release: str, collection_id: str, deed: str, body: dict[str, Any]) -> None:
        row = {
            "id": release,
            "collection_id": collection_id,
            "at": self._work.now,
            "by": self._work.identity.person,
            "deed": deed,
            "body_sealed": self._work.seal(releases.name, "body", release, canonical_json(body)),
        }
        self._connection.execute(insert(releases).values(proven(self._work, releases, row)))

    def _rows_of(self, numbers: Sequence[int]) -> list[Any]:
        """Number, id, key, version and marking of objects, in the order of their numbers as given."""
        found: list[Any] = []
        columns = [stix_objects.c[name] for name in ("seq", "id", "stix_key", "version", "marking")]
        for start in range(0, len(numbers), _AT_ONCE):
            query = select(*columns).where(stix_objects.c.seq.in_(numbers[start : start + _AT_ONCE]))
            by_seq = {row.seq: row for row in self._connection.execute(query)}
            found += [by_seq[each] for each in dict.fromkeys(numbers[start : start + _AT_ONCE])]
        return found

    def _versions(self, collection_id: str, keys: Iterable[int]) -> dict[int, dict[int, Any]]:
        """What a collection has of objects: by key and version, number, id and marking of each."""
        columns = [stix_objects.c[name] for name in ("seq", "id", "marking")]
        query = (
            select(collection_objects.c.stix_key, collection_objects.c.version, *columns)
            .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
            .where(collection_objects.c.collection_id == collection_id, collection_objects.c.stix_key.in_(set(keys)))
        )
        found: dict[int, dict[int, Any]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.stix_key, {})[row.version] = row
        return found

    def _of_object(self, collection_id: str, stix_id: str) -> list[Row[Any]]:
        query = select(collection_objects).where(
            collection_objects.c.collection_id == collection_id,
            collection_objects.c.stix_key == self._work.stix.key(stix_id),
        )
        rows = self._connection.execute(query.order_by(collection_objects.c.version)).all()
        return list(held(self._work, collection_objects, rows))

    def _mark(self, collection_id: str, keys: Several[int]) -> None:
        """Say again which versions are the newest and the oldest of their objects in a collection."""
        mine = collection_objects.c
        listed = list(keys)
        for start in range(0, len(listed), _AT_ONCE):
            part = listed[start : start + _AT_ONCE]
            other = collection_objects.alias()
            same = and_(other.c.collection_id == mine.collection_id, other.c.stix_key == mine.stix_key)
            newer = select(other.c.version).where(same, other.c.version > mine.version).exists()
            older = select(other.c.version).where(same, other.c.version < mine.version).exists()
            chosen = and_(mine.collection_id == collection_id, mine.stix_key.in_(part))
            self._connection.execute(update(collection_objects).where(chosen).values(newest=~newer, oldest=~older))

    def _collection(self, row: Row[Any]) -> Collection:
        return Collection(
            id=row.id,
            group=row.group_id,
            alias=row.alias,
            title=self._work.open(collections.name, "title", row.id, row.title_sealed).decode(),
            highest=Marking(row.highest),
            unmarked=Marking(row.unmarked),
            readable=row.readable,
            writable=row.writable,
            owner=row.owner,
            created_at=row.created_at,
            last_added_at=row.last_added_at,
        )

    def _release(self, row: Row[Any]) -> Release:
        body = parse_json(self._work.open(releases.name, "body", row.id, row.body_sealed), "a release")
        return Release(
            id=row.id,
            collection=row.collection_id,
            at=row.at,
            by=row.by,
            deed=row.deed,
            reason=body["reason"],
            objects=tuple(body["objects"]),
        )


class _Labelled:
    """A row of `stix_objects` out of a join, whose columns begin with ``o_``."""

    def __init__(self, row: Row[Any]) -> None:
        self._mapping = {name[2:]: value for name, value in row._mapping.items() if name.startswith("o_")}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a column holds
        try:
            return self._mapping[name]
        except KeyError:
            raise AttributeError(name) from None


def checked_reason(text: str) -> str:
    """Why something is done, in somebody's words.

    Raises:
        UsageError: There are none, or too many.
    """
    plain = text.strip()
    if not plain or len(plain) > MOST_REASON:
        raise UsageError(f"a decision has a reason of 1 to {MOST_REASON:,} characters", hint="say why")
    return plain
