"""Collections: what goes to one audience, in the order in which it was added, and who decided so.

Each object of a collection has a moment of its own, in microseconds, later than every one before it: order, header, filter and
cursor of TAXII are this one number, so no page skips, repeats or loops. Moments tell nothing of what a reader may not have: of
what is added at once the more open comes first, and what follows too soon keeps a distance that nobody can reckon with.

People decide (`release`, `withdraw`), and partners who may write (`put_for_partner`); what they read is in `served`.
"""

from __future__ import annotations

import secrets
import uuid
from collections import Counter
from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, exists, func, insert, select, text, update

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Permission
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import STRICTEST, Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import ordered_id, searchable
from shieldwall.store.partners import HIGHEST, Partner, checked_highest
from shieldwall.store.people import checked_name
from shieldwall.store.prepared import Prepared
from shieldwall.store.proving import change, held, hold, one_found, one_held, proven
from shieldwall.store.schema import collection_objects, collections, former_objects, releases, stix_objects
from shieldwall.store.served import Asked
from shieldwall.store.visible import visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

RELEASE, WITHDRAW, RECALL, ADD, DELETE = "release", "withdraw", "recall", "add", "delete"
"""What is done with a collection: by people the first two, by a stricter version that comes the third, by partners who may write
the last two."""

NONE = 9
"""Above every marking: of an object in a collection no other version is newer, or older."""

MOST_REASON = 2000  # characters
_DISTANCE = 1 << 16  # microseconds, at most, between what is added in too quick a succession
_AT_ONCE = 500
_STRICTER = "a newer version is marked stricter"


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
        contradicted: Numbers of those that say otherwise than one that is there with the same version, and stayed out; with the
            marking under which that one goes.
    """

    added: tuple[int, ...]
    known: tuple[int, ...]
    contradicted: Mapping[int, Marking]


@dataclass(frozen=True, slots=True)
class Lying:
    """An object in a collection: when it was added (microseconds), its number, from which marking on it goes, by what."""

    added_at: int
    seq: int
    marking: Marking
    release: str


@dataclass(frozen=True, slots=True)
class _Lying:
    """An object that lies in a collection, or is about to."""

    id: bytes
    seq: int
    marking: int
    added_at: int | None  # None for one that is about to


_COLLECTION = Prepared(select(collections).where(collections.c.id == bindparam("key")))
_FOUND = Prepared(
    select(collections)
    .where(
        func.coalesce(collections.c.group_id, text("''")) == bindparam("group"),
        (collections.c.id == bindparam("key")) | (collections.c.alias == bindparam("alias")),
    )
    .order_by(collections.c.created_at)
)
_ANY_PUBLIC = Prepared(select(exists().where(collections.c.group_id.is_(None))))


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
        row = one_found(self._work, collections, _COLLECTION, key=searchable(collection_id))
        if row is None:
            raise NotFound("there is no such collection")
        return self._collection(row)

    def find(self, group: str | None, name: str) -> Collection:
        """The collection of a group, or of the public (None), by its id, with hyphens or without, or by its alias.

        Raises:
            NotFound: None.
        """
        given = {"group": group or "", "key": searchable(name.replace("-", "").lower()), "alias": searchable(name)}
        for row in held(self._work, collections, _FOUND.run(self._connection, **given).all()):
            if row.id == given["key"] or row.alias:
                return self._collection(row)
        raise NotFound("there is no such collection")

    def any_public(self) -> bool:
        """Whether there is a collection for anybody at all."""
        return bool(_ANY_PUBLIC.run(self._connection).scalar())

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
        return self._put(collection, dict.fromkeys(numbers, Marking.CLEAR), RELEASE, checked_reason(reason))

    def put_for_partner(self, partner: Partner, collection_id: str, at_least: Mapping[int, Marking]) -> Placed:
        """`release` of what a partner adds to a collection that it may write to.

        Args:
            partner: Who adds.
            collection_id: Where.
            at_least: Numbers of the objects, with the marking from which on each goes where its own is a more open one.

        Raises:
            NotAllowed: It may not.
            NotFound: No such collection for it.
        """
        return self._put(self.must_write(partner, collection_id), at_least, ADD, "")

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

    def change(self, collection_id: str, *, highest: Marking) -> Collection:
        """Change the highest marking that a collection may hold; what lies above it goes to nobody from then on.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: No such collection.
            UsageError: A marking that cannot be.
        """
        self._work.must(Permission.APPROVE)
        collection = self.get(collection_id)
        if collection.group is None and highest > Marking.CLEAR:
            raise UsageError("what anybody may read is TLP:CLEAR")
        values = {"highest": int(checked_highest(highest))}
        change(self._work, collections, collections.c.id == collection.id, values=values)
        self._work.note(collection=collection.id, highest=highest.label)
        return self.get(collection.id)

    def withdraw(
        self,
        collection_id: str,
        stix_id: str,
        reason: str,
        *,
        version: int | None = None,
        also: Several[int] = (),
    ) -> tuple[int, ...]:
        """Take an object out of a collection: all its versions, or one; returns the numbers of what was taken out.

        Args:
            collection_id: The collection.
            stix_id: Identifier of the object.
            reason: Why, in their words.
            version: That one alone, in microseconds.
            also: Numbers of further objects that go with them.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: No such collection, or nothing of the object in it.
            UsageError: No reason.
        """
        self._work.must(Permission.APPROVE)
        collection, reason = self.lock(collection_id), checked_reason(reason)
        rows = [row for row in self._of_object(collection.id, stix_id) if version in (None, row.version)]
        if rows and also:
            moments = [at for at, seq in self._moments(collection.id) if seq in also]
            rows += self._rows_at(collection.id, sorted(set(moments) - {row.added_at for row in rows}))
        return self._take_out(collection, rows, WITHDRAW, reason=reason)

    def delete_for_partner(self, partner: Partner, collection_id: str, stix_id: str, asked: Asked) -> None:
        """`withdraw` by a partner who may write, of what it added itself.

        Raises:
            NotAllowed, NotFound: As `put_for_partner`; or there is nothing of the object in it for that partner, or somebody
                else put it there.
        """
        collection = self.lock(self.must_write(partner, collection_id).id)
        moments = set(self._work.served.moments(collection, partner, asked))
        rows = [row for row in self._of_object(collection.id, stix_id) if row.added_at in moments]
        mine = [row for row in rows if self.decision(row.release_id).by == partner.id]
        if rows and not mine:
            raise NotAllowed("somebody else put that there", hint="ask whoever answers for the collection")
        self._take_out(collection, mine, DELETE, reason="")

    def recall(self, numbers: Iterable[int]) -> dict[str, tuple[int, ...]]:
        """Take older versions of objects out of all collections where they go to more than newer ones may.

        Args:
            numbers: Of the newer versions, each with a marking of its own. One that people of the node brought, or the same
                partner or source as the older one, counts; others' word takes nothing away.

        Returns:
            By id of the collection the numbers of what was taken out.
        """
        newer, older, listed = stix_objects.alias("n"), stix_objects.alias("o"), list(numbers)
        mine, seen = collection_objects.c, dict[str, set[int]]()
        for start in range(0, len(listed), _AT_ONCE):
            same = and_(older.c.stix_key == newer.c.stix_key, older.c.version < newer.c.version)
            query = (
                select(mine.collection_id, mine.added_at)
                .join_from(newer, older, same)
                .join(collection_objects, mine.object_seq == older.c.seq)
                .where(
                    newer.c.seq.in_(listed[start : start + _AT_ONCE]),
                    newer.c.marking > mine.marking,
                    (newer.c.source == "") | (newer.c.source == older.c.source),
                )
            )
            for collection_id, added_at in self._connection.execute(query):
                seen.setdefault(collection_id, set()).add(added_at)
        gone = {}
        for collection_id in sorted(seen):
            collection = self.lock(collection_id)
            rows = self._rows_at(collection_id, sorted(seen[collection_id]))
            if rows:
                gone[collection_id] = self._take_out(collection, rows, RECALL, reason=_STRICTER)
        return gone

    def decisions(self, collection_id: str, *, most: int) -> list[Release]:
        """What was decided on a collection, the newest first."""
        query = select(releases).where(releases.c.collection_id == searchable(collection_id))
        rows = self._connection.execute(query.order_by(releases.c.id.desc()).limit(most)).all()
        return [self._release(row) for row in held(self._work, releases, rows)]

    def markings_of(self, collection_id: str, stix_ids: Iterable[str]) -> dict[str, Marking]:
        """Of those of some identifiers of which a collection has any version, the most open marking of its versions."""
        return self._markings(collection_id, stix_ids, func.min(collection_objects.c.marking))

    def _markings(
        self, collection_id: str, stix_ids: Iterable[str], level: ColumnElement[int], *conditions: ColumnElement[bool]
    ) -> dict[str, Marking]:
        by_key = {self._work.stix.key(each): each for each in stix_ids}
        keys, found, mine = list(by_key), dict[str, Marking](), collection_objects.c
        for start in range(0, len(keys), _AT_ONCE):
            query = (
                select(mine.stix_key, level)
                .join_from(collection_objects, releases, mine.release_id == releases.c.id)
                .where(
                    mine.collection_id == collection_id,
                    mine.stix_key.in_(keys[start : start + _AT_ONCE]),
                    *conditions,
                )
                .group_by(mine.stix_key)
            )
            found.update({by_key[key]: Marking(level) for key, level in self._connection.execute(query)})
        return found

    def contents(self, collection_id: str) -> list[tuple[int, Marking]]:
        """The numbers of all objects of a collection as they were added, and from which marking on each goes."""
        mine = collection_objects.c
        query = select(mine.object_seq, mine.marking).where(mine.collection_id == collection_id)
        return [(seq, Marking(level)) for seq, level in self._connection.execute(query.order_by(mine.added_at))]

    def page(self, collection_id: str, *, before: int = 1 << 62, most: int) -> list[Lying]:
        """What lies in a collection, what was added last first, from before a moment on."""
        mine = collection_objects.c
        query = select(mine.added_at, mine.object_seq, mine.marking, mine.release_id).where(
            mine.collection_id == searchable(collection_id), mine.added_at < before
        )
        rows = self._connection.execute(query.order_by(mine.added_at.desc()).limit(most))
        return [Lying(at, seq, Marking(level), release) for at, seq, level, release in rows]

    def holding(self, numbers: Iterable[int]) -> list[str]:
        """Ids of the collections in which one of some objects, by their numbers, lies."""
        found, listed = set[str](), list(numbers)
        for start in range(0, len(listed), _AT_ONCE):
            chosen = collection_objects.c.object_seq.in_(listed[start : start + _AT_ONCE])
            query = select(collection_objects.c.collection_id).where(chosen).distinct()
            found.update(self._connection.execute(query).scalars())
        return sorted(found)

    def sizes(self) -> dict[str, int]:
        """How many objects, or versions of them, that whoever asks may see lie in each collection, by its id."""
        mine = collection_objects.c.collection_id
        query = (
            select(mine, func.count())
            .join_from(collection_objects, stix_objects, collection_objects.c.object_seq == stix_objects.c.seq)
            .where(visible(self._work.identity, stix_objects))
        )
        return {row[0]: int(row[1]) for row in self._connection.execute(query.group_by(mine))}

    def decision(self, release_id: str) -> Release:
        """A decision.

        Raises:
            NotFound: None.
        """
        row = one_held(self._work, releases, releases.c.id == searchable(release_id))
        if row is None:
            raise NotFound("there is no such decision")
        return self._release(row)

    def raws(self, collection_id: str) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of all objects of a collection, whoever may see them: for what decides, never to be shown."""
        numbers = [seq for _, seq in self._moments(collection_id)]
        for start in range(0, len(numbers), _AT_ONCE):
            query = select(stix_objects).where(stix_objects.c.seq.in_(numbers[start : start + _AT_ONCE]))
            for row in self._connection.execute(query):
                kept = self._work.stix.kept(row)
                yield kept.seq, kept.raw

    def by_partner(self, partner: Partner, collection_id: str, stix_ids: Iterable[str]) -> dict[str, Marking]:
        """`markings_of` of those alone that a partner added itself, and the strictest marking of them."""
        mine = releases.c.by == partner.id
        return self._markings(collection_id, stix_ids, func.max(collection_objects.c.marking), mine)

    def lock(self, collection_id: str) -> Collection:
        """The collection of now, which nobody else changes until this act has ended: moments must not be seen out of order.

        Raises:
            NotFound: None.
        """
        query = select(collections).where(collections.c.id == searchable(collection_id)).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("there is no such collection")
        hold(self._work, collections, row)
        return self._collection(row)

    # inside

    def _put(self, collection: Collection, at_least: Mapping[int, Marking], deed: str, reason: str) -> Placed:
        work, collection = self._work, self.lock(collection.id)
        rows = self._rows_of(list(at_least))
        there = self._lying(collection.id, {row.stix_key for row in rows})
        known: list[int] = []
        opened: list[int] = []
        contradicted: dict[int, Marking] = {}
        for row in rows:
            level, place = max(row.marking, at_least[row.seq]), (row.stix_key, row.version)
            other = there.get(place)
            if other is not None and other.id != row.id:
                contradicted[row.seq] = Marking(other.marking)
                continue
            if other is not None and (other.marking <= level or (deed == ADD and other.added_at is not None)):
                known.append(row.seq)  # a partner's word opens nothing that lies there already
                continue
            if other is not None and other.added_at is None:
                known.append(other.seq)
            elif other is not None and other.added_at is not None:
                opened.append(other.added_at)  # the same, for more of them: at a moment of its own, so that they get it
            there[place] = _Lying(row.id, row.seq, level, None)
        by_seq = {row.seq: row for row in rows}
        added = sorted((each for each in there.values() if each.added_at is None), key=lambda each: each.marking)
        release = ordered_id(work.now)
        self._decide(release, collection.id, deed, {"reason": reason, "objects": [each.seq for each in added]})
        free = collection.last_added_at + 1
        moment = work.now if free <= work.now else free + secrets.randbelow(_DISTANCE)
        fresh = [
            {
                "collection_id": collection.id,
                "added_at": moment + place,
                "object_seq": each.seq,
                "release_id": release,
                "stix_key": by_seq[each.seq].stix_key,
                "version": by_seq[each.seq].version,
                "marking": each.marking,
                "newer": NONE,
                "older": NONE,
            }
            for place, each in enumerate(added)
        ]
        self._remove(collection.id, opened)
        if fresh:
            proofs = [proven(work, collection_objects, row) for row in fresh]
            if work.store.backend.insert_new(self._connection, collection_objects, proofs) != len(fresh):
                raise Conflict("somebody else put the same there", hint="try again")
            values = {"last_added_at": moment + len(fresh) - 1}
            change(work, collections, collections.c.id == collection.id, values=values)
            versions = Counter(key for key, _ in there)
            self._mark(collection.id, [key for key, number in versions.items() if number > 1])
        work.note(collection=collection.id, release=release, added=len(fresh), contradicted=len(contradicted))
        return Placed(tuple(each.seq for each in added), tuple(known), contradicted)

    def _take_out(self, collection: Collection, rows: Sequence[Row[Any]], deed: str, *, reason: str) -> tuple[int, ...]:
        if not rows:
            raise NotFound("there is nothing of that object in the collection")
        numbers = tuple(row.object_seq for row in rows)
        release = ordered_id(self._work.now)
        self._decide(release, collection.id, deed, {"reason": reason, "objects": list(numbers)})
        self._remove(collection.id, [row.added_at for row in rows])
        self._mark(collection.id, {row.stix_key for row in rows})
        self._work.note(collection=collection.id, release=release, withdrawn=len(rows))
        return numbers

    def _remove(self, collection_id: str, moments: Sequence[int]) -> None:
        """Take out what lies at some moments; that it lay there stays known."""
        for start in range(0, len(moments), _AT_ONCE):
            rows = self._rows_at(collection_id, moments[start : start + _AT_ONCE])
            former = [
                {
                    "collection_id": collection_id,
                    "added_at": row.added_at,
                    "stix_key": row.stix_key,
                    "marking": row.marking,
                    "gone_at": self._work.now,
                }
                for row in rows
            ]
            self._work.store.backend.insert_new(self._connection, former_objects, former)
            gone = collection_objects.c.added_at.in_([row.added_at for row in rows])
            self._connection.execute(
                delete(collection_objects).where(collection_objects.c.collection_id == collection_id, gone)
            )

    def _moments(self, collection_id: str) -> list[tuple[int, int]]:
        """The moments of all objects of a collection, each with the object's number."""
        mine = collection_objects.c
        query = select(mine.added_at, mine.object_seq).where(mine.collection_id == collection_id)
        return [(at, seq) for at, seq in self._connection.execute(query.order_by(mine.added_at))]

    def _rows_at(self, collection_id: str, moments: Sequence[int]) -> list[Row[Any]]:
        found: list[Row[Any]] = []
        mine = collection_objects.c
        for start in range(0, len(moments), _AT_ONCE):
            chosen = mine.added_at.in_(moments[start : start + _AT_ONCE])
            query = select(collection_objects).where(mine.collection_id == collection_id, chosen)
            found += held(self._work, collection_objects, self._connection.execute(query.order_by(mine.added_at)).all())
        return found

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

    def _lying(self, collection_id: str, keys: Iterable[int]) -> dict[tuple[int, int], _Lying]:
        """What a collection has of objects, by key and version."""
        listed, found, mine = sorted(keys), dict[tuple[int, int], _Lying](), collection_objects.c
        for start in range(0, len(listed), _AT_ONCE):
            query = (
                select(mine.stix_key, mine.version, mine.marking, mine.added_at, mine.object_seq, stix_objects.c.id)
                .join_from(collection_objects, stix_objects, mine.object_seq == stix_objects.c.seq)
                .where(mine.collection_id == collection_id, mine.stix_key.in_(listed[start : start + _AT_ONCE]))
            )
            for row in self._connection.execute(query):
                found[row.stix_key, row.version] = _Lying(bytes(row.id), row.object_seq, row.marking, row.added_at)
        return found

    def _of_object(self, collection_id: str, stix_id: str) -> list[Row[Any]]:
        mine = collection_objects.c
        query = select(collection_objects).where(
            mine.collection_id == collection_id, mine.stix_key == self._work.stix.key(stix_id)
        )
        rows = self._connection.execute(query.order_by(mine.version)).all()
        return list(held(self._work, collection_objects, rows))

    def _mark(self, collection_id: str, keys: Several[int]) -> None:
        """Say again of versions under which marking newer and older ones of their objects are in a collection."""
        mine = collection_objects.c
        listed = list(keys)
        for start in range(0, len(listed), _AT_ONCE):
            other = collection_objects.alias()
            same = and_(other.c.collection_id == mine.collection_id, other.c.stix_key == mine.stix_key)
            newer, older = (
                func.coalesce(select(func.min(other.c.marking)).where(same, way).scalar_subquery(), NONE)
                for way in (other.c.version > mine.version, other.c.version < mine.version)
            )
            chosen = and_(mine.collection_id == collection_id, mine.stix_key.in_(listed[start : start + _AT_ONCE]))
            self._connection.execute(update(collection_objects).where(chosen).values(newer=newer, older=older))

    def _collection(self, row: Row[Any]) -> Collection:
        return Collection(
            id=row.id,
            group=row.group_id,
            alias=row.alias,
            title=self._work.open(collections.name, "title", row.id, row.title_sealed).decode(),
            highest=Marking(row.highest),
            unmarked=Marking(row.unmarked),
            readable=bool(row.readable),
            writable=bool(row.writable),
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


def checked_reason(text: str) -> str:
    """Why something is done, in somebody's words.

    Raises:
        UsageError: There are none, or too many.
    """
    plain = text.strip()
    if not plain or len(plain) > MOST_REASON:
        raise UsageError(f"a decision has a reason of 1 to {MOST_REASON:,} characters", hint="say why")
    return plain
