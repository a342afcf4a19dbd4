"""Rules of release: what somebody who may approve decided beforehand, so that objects of a kind go by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, exists, func, select, update

from shieldwall.errors import Conflict, NotFound, UsageError
from shieldwall.model.access import Permission
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store.collections import checked_reason
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.partners import checked_highest
from shieldwall.store.proving import change, held, proven
from shieldwall.store.schema import collection_objects, former_objects, release_rules, stix_objects

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST_TYPES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRule:
    """A rule.

    Attributes:
        id: 32 hex digits.
        collection: Id of where it lets things go.
        types: Types of objects; at least one.
        highest: The highest marking of an object that it lets go.
        case: Id of the case whose objects it is about; None for those of no case.
        reason: Why, in the words of whoever made it.
        by: Id of the person whose decision it is.
        at: When it was made, in microseconds.
        ended_at: Since when it lets nothing go; None while it does.
        done: Number of the last object that it was asked of.
    """

    id: str
    collection: str
    types: tuple[str, ...]
    highest: Marking
    case: str | None
    reason: str
    by: str
    at: int
    ended_at: int | None
    done: int


class ReleaseRules:
    """The rules, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def add(
        self, collection_id: str, types: Iterable[str], highest: Marking, reason: str, *, case: str | None = None
    ) -> ReleaseRule:
        """A new rule, of whoever asks; it is about what comes from now on.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: No such collection, or case that they are a member of.
            UsageError: No type, no reason, or a marking that goes to nobody.
        """
        work = self._work
        work.must(Permission.APPROVE)
        collection = work.collections.get(collection_id)
        listed = sorted(set(types))
        if not 0 < len(listed) <= MOST_TYPES or not all(each.isprintable() and len(each) <= 250 for each in listed):
            raise UsageError(f"a rule is about 1 to {MOST_TYPES} types of objects", hint="such as indicator")
        if checked_highest(highest) > collection.highest:
            raise UsageError(f"the collection holds at most {collection.highest.label}")
        if case is not None:
            work.cases.get(case)
        made = new_id()
        body = {"types": listed, "highest": int(highest), "case": case, "reason": checked_reason(reason)}
        row = {
            "id": made,
            "collection_id": collection.id,
            "at": work.now,
            "by": work.identity.person,
            "body_sealed": work.seal(release_rules.name, "body", made, canonical_json(body)),
            "ended_at": None,
            "done_seq": self.last(),
        }
        work.store.backend.insert_new(self._connection, release_rules, [proven(work, release_rules, row)])
        work.note(rule=made, collection=collection.id)
        return self.get(made)

    def get(self, rule_id: str) -> ReleaseRule:
        """A rule.

        Raises:
            NotFound: None.
        """
        for found in self._read(release_rules.c.id == searchable(rule_id)):
            return found
        raise NotFound("there is no such rule")

    def all(self, *, collection: str | None = None) -> list[ReleaseRule]:
        """The rules, in the order in which they were made, those that have ended among them; of a collection."""
        return self._read(*([] if collection is None else [release_rules.c.collection_id == searchable(collection)]))

    def end(self, rule_id: str) -> None:
        """Let nothing go by a rule any more; what went is not taken back.

        Raises:
            NotAllowed: Whoever asks may not approve.
            NotFound: None.
            Conflict: It has ended.
        """
        self._work.must(Permission.APPROVE)
        found = self.get(rule_id)
        chosen = (release_rules.c.id == found.id, release_rules.c.ended_at.is_(None))
        if not change(self._work, release_rules, *chosen, values={"ended_at": self._work.now}):
            raise Conflict("that rule has ended already")
        self._work.note(rule=found.id)

    def last(self) -> int:
        """Number of the object that came last."""
        return int(self._connection.execute(select(func.max(stix_objects.c.seq))).scalar() or 0)

    def asked(self, rule: ReleaseRule, done: int) -> None:
        """Note up to which object a rule was asked."""
        mine = release_rules.c.id == rule.id
        self._connection.execute(update(release_rules).where(mine).values(done_seq=done))

    def waiting(self, rule: ReleaseRule) -> bool:
        """Whether anything came that a rule was not asked of."""
        query = select(exists().where(stix_objects.c.seq > rule.done))
        return bool(self._connection.execute(query).scalar())

    def taken_out(self, collection_id: str, stix_ids: Iterable[str]) -> frozenset[str]:
        """Those of some identifiers of which something was in a collection and nothing is: no rule puts them back."""
        found = set()
        for stix_id in stix_ids:
            key = self._work.stix.key(stix_id)
            once, now = (
                select(exists().where(table.c.collection_id == collection_id, table.c.stix_key == key))
                for table in (former_objects, collection_objects)
            )
            if self._connection.execute(once).scalar() and not self._connection.execute(now).scalar():
                found.add(stix_id)
        return frozenset(found)

    def _read(self, *conditions: ColumnElement[bool]) -> list[ReleaseRule]:
        query = select(release_rules).where(*conditions).order_by(release_rules.c.at, release_rules.c.id)
        return [self._rule(row) for row in held(self._work, release_rules, self._connection.execute(query).all())]

    def _rule(self, row: Row[Any]) -> ReleaseRule:
        body = parse_json(self._work.open(release_rules.name, "body", row.id, row.body_sealed), "a rule")
        return ReleaseRule(
            id=row.id,
            collection=row.collection_id,
            types=tuple(body["types"]),
            highest=Marking(body["highest"]),
            case=body["case"],
            reason=body["reason"],
            by=row.by,
            at=row.at,
            ended_at=row.ended_at,
            done=row.done_seq,
        )
