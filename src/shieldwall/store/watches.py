"""Watches, the alarms that they ring, and the way of each alarm out of the node.

What a watch has seen, the alarms that this made, and the deliveries of these are written in one act: a node that is killed in
between looks again from where it was. An event has a key, so it rings once however often it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from shieldwall.errors import BadText, Conflict, NotAllowed, NotFound, Tampered
from shieldwall.model.access import Handling, Kind, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Subject
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id
from shieldwall.store.jobs import must_make
from shieldwall.store.placing import must_own, older_than
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import alarms, deliveries, watches
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

CHANNELS = ("webhook", "mail")
_SECOND = 1_000_000  # microseconds
FIRST_WAIT = 60 * _SECOND
"""How long after the first attempt at a delivery the second is made; each further wait is twice as long,"""
LONGEST_WAIT = 6 * 3600 * _SECOND
"""up to this,"""
GIVEN_UP_AFTER = 3 * 24 * 3600 * _SECOND
"""and after so long from the alarm on there is no further one."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENT = "sent"
    WITHHELD = "withheld"  # sent, but only that a watch rang: the channel may not carry more
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A watch.

    Attributes:
        id: Its id.
        kind: address, cluster or end.
        target: What is watched, on which channels it rings, and what people call it; plain JSON values.
        seen: How far the chain was looked at, and what stood there; plain JSON values.
        active: False once it was stopped.
        created_at: In microseconds.
        handling: Who may see it.
    """

    id: str
    kind: str
    target: Mapping[str, Any]
    seen: Mapping[str, Any]
    active: bool
    created_at: int
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlarm:
    """An alarm that is to ring.

    Attributes:
        event: What happened, so that it rings once.
        body: What to tell; plain JSON values.
        handling: Who may see it.
    """

    event: tuple[str, ...]
    body: Mapping[str, Any]
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that rang.

    Attributes:
        id: Its id.
        watch: Id of the watch.
        body: What it tells; plain JSON values.
        rang_at: In microseconds.
        answered_at: When someone said that they have seen to it; None: nobody yet.
        answered_by: Id of that person.
        handling: Who may see it.
    """

    id: str
    watch: str
    body: Mapping[str, Any]
    rang_at: int
    answered_at: int | None
    answered_by: str | None
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One way out of an alarm.

    Attributes:
        id: Stays the same over all attempts, so that a receiver can tell repeats.
        alarm: The alarm's id.
        channel: webhook or mail.
        to: The URL, or the id of the person.
        attempts: How often it was tried.
        next_at: When it is tried next, in microseconds.
        state: Where it stands.
        error: Why the last attempt failed; "" where it did not.
    """

    id: str
    alarm: str
    channel: str
    to: str
    attempts: int
    next_at: int
    state: DeliveryState
    error: str


def wait_after(attempts: int) -> int:
    """Microseconds from an attempt to the next, after so many.

    Example:
        >>> [wait_after(attempts) // 60_000_000 for attempts in (1, 2, 3, 9, 10, 50)]
        [1, 2, 4, 256, 360, 360]
    """
    return min(FIRST_WAIT << min(max(attempts, 1) - 1, 20), LONGEST_WAIT)


class Watches:
    """The watches, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._secrets = work.store.secrets

    # for those who ask

    def add(
        self, kind: str, target: Mapping[str, Any], seen: Mapping[str, Any], subject: Subject, handling: Handling
    ) -> Watch:
        """Set a watch.

        Args:
            kind: address, cluster or end.
            target: See `Watch`.
            seen: See `Watch`: what stood there when it was set does not ring.
            subject: What it is about, for the meeting of cases.
            handling: Who may see it; its owner is whoever asks.

        Raises:
            NotAllowed: Whoever asks may not write, or asks for a marking above what they may see.
            NotFound: No such case or group that they are a member of.
            Conflict: The case is closed.
        """
        must_make(self._work, handling)
        watch_id, key = new_id(), self._work.claims.subject_key(subject)
        values = {
            "id": watch_id,
            "kind": kind,
            "subject_key": key,
            "target_sealed": self._seal(watches.name, "target", watch_id, target),
            "active": True,
            "seen_sealed": self._seal(watches.name, "seen", watch_id, seen),
            "created_at": self._work.now,
            **columns_of(handling),
        }
        row = proven(self._work, watches, values)
        self._work.store.backend.insert_new(self._work.connection, watches, [row])
        if handling.case is not None:
            self._work.cases.meet(handling.case, [key])
        self._work.note(watch=watch_id)
        return self._watch(self._rows(select(watches).where(watches.c.id == watch_id))[0])

    def get(self, watch_id: str) -> Watch:
        """The watch with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for row in self._rows(select(watches).where(watches.c.id == watch_id, self._may_see(watches))):
            if may_see(self._work.identity, handling_of(row)):
                return self._watch(row)
        raise NotFound("there is no such watch")

    def page(self, *, after: str = "", most: int, active: bool | None = None) -> list[Watch]:
        """Watches with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No watch `after` that whoever asks may see.
        """
        conditions = [self._may_see(watches), older_than(self._work, watches, after, self._may_see(watches))]
        if active is not None:
            conditions.append(watches.c.active.is_(active))
        query = select(watches).where(*conditions).order_by(watches.c.created_at.desc(), watches.c.id.desc())
        rows = self._rows(query.limit(most))
        return [self._watch(row) for row in rows if may_see(self._work.identity, handling_of(row))]

    def about(self, subjects: Iterable[Subject]) -> dict[Subject, list[Watch]]:
        """The watches that look and may be seen, of several subjects at once."""
        keys = {self._work.claims.subject_key(subject): subject for subject in subjects}
        if not keys:
            return {}
        conditions = (self._may_see(watches), watches.c.active.is_(True), watches.c.subject_key.in_(list(keys)))
        found: dict[Subject, list[Watch]] = {}
        for row in self._rows(select(watches).where(*conditions).order_by(watches.c.created_at)):
            if may_see(self._work.identity, handling_of(row)):
                found.setdefault(keys[row.subject_key], []).append(self._watch(row))
        return found

    def stop(self, watch_id: str) -> Watch:
        """Stop a watch; its alarms stay.

        Raises:
            NotAllowed: Whoever asks may not write, or it is another person's.
            NotFound: None that they may see.
            Conflict: It was stopped before.
        """
        self._work.must(Permission.WRITE)
        watch = self.get(watch_id)
        must_own(self._work, watch.handling)
        if not watch.active:
            raise Conflict("that watch was stopped already")
        change(self._work, watches, watches.c.id == watch_id, values={"active": False})
        return self.get(watch_id)

    def alarm(self, alarm_id: str) -> Alarm:
        """The alarm with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for row in self._rows(select(alarms).where(alarms.c.id == alarm_id, self._may_see(alarms))):
            if may_see(self._work.identity, handling_of(row)):
                return self._alarm(row)
        raise NotFound("there is no such alarm")

    def alarms(self, *, after: str = "", most: int, watch: str = "", answered: bool | None = None) -> list[Alarm]:
        """Alarms with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No alarm `after` that whoever asks may see.
        """
        conditions: list[ColumnElement[bool]] = [self._may_see(alarms)]
        if after:
            last = self.alarm(after)
            earlier = and_(alarms.c.rang_at == last.rang_at, alarms.c.id < last.id)
            conditions.append(or_(alarms.c.rang_at < last.rang_at, earlier))
        if watch:
            conditions.append(alarms.c.watch_id == watch)
        if answered is not None:
            conditions.append(alarms.c.answered_at.is_not(None) if answered else alarms.c.answered_at.is_(None))
        query = select(alarms).where(*conditions).order_by(alarms.c.rang_at.desc(), alarms.c.id.desc()).limit(most)
        rows = self._rows(query)
        return [self._alarm(row) for row in rows if may_see(self._work.identity, handling_of(row))]

    def unanswered(self) -> int:
        """How many alarms that whoever asks may see nobody has answered."""
        query = select(func.count()).select_from(alarms).where(alarms.c.answered_at.is_(None), self._may_see(alarms))
        return int(self._work.connection.execute(query).scalar_one())

    def answer(self, alarm_id: str) -> Alarm:
        """Say that one has seen to an alarm.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: None that they may see.
            Conflict: Someone did before.
        """
        self._work.must(Permission.WRITE)
        self.alarm(alarm_id)
        chosen = and_(alarms.c.id == alarm_id, alarms.c.answered_at.is_(None))
        values = {"answered_at": self._work.now, "answered_by": self._work.identity.person}
        if not change(self._work, alarms, chosen, values=values):
            raise Conflict("that alarm was answered already")
        return self.alarm(alarm_id)

    def deliveries(self, alarm_id: str) -> list[Delivery]:
        """The ways out of an alarm, and where they stand.

        Raises:
            NotFound: No alarm that whoever asks may see.
        """
        self.alarm(alarm_id)
        query = select(deliveries).where(deliveries.c.alarm_id == alarm_id)
        return [self._delivery(row) for row in self._rows(query.order_by(deliveries.c.channel, deliveries.c.id))]

    # for the node

    def active(self) -> list[Watch]:
        """Every watch that is to be looked at."""
        self._must_be_node()
        return [
            self._watch(row)
            for row in self._rows(select(watches).where(watches.c.active.is_(True)).order_by(watches.c.id))
        ]

    def ring(
        self, watch: Watch, seen: Mapping[str, Any], new: Sequence[NewAlarm], ways: Iterable[tuple[str, str]]
    ) -> list[Alarm]:
        """Ring for what happened, and remember that it was seen; what rang before does not ring again.

        Args:
            watch: As it was read before looking.
            seen: What it has seen now.
            new: What happened.
            ways: Channel and receiver of each delivery of each alarm.

        Raises:
            Conflict: Another process looked in the meantime, or the watch was stopped; look again.
        """
        self.see(watch, seen)
        backend, connection = self._work.store.backend, self._work.connection
        out, rang = list(ways), []
        for one in new:
            alarm_id = new_id()
            values = {
                "id": alarm_id,
                "watch_id": watch.id,
                "event_key": self._secrets.keyed("event", watch.id, *one.event),
                "body_sealed": self._seal(alarms.name, "body", alarm_id, one.body),
                "rang_at": self._work.now,
                **columns_of(one.handling),
            }
            if backend.insert_new(connection, alarms, [proven(self._work, alarms, values)]):
                rang.append(self._alarm(self._rows(select(alarms).where(alarms.c.id == alarm_id))[0]))
                backend.insert_new(connection, deliveries, [self._way(alarm_id, *way) for way in out])
        self._work.note(alarms=[alarm.id for alarm in rang])
        return rang

    def see(self, watch: Watch, seen: Mapping[str, Any]) -> None:
        """Remember what a watch has seen, where nothing rang.

        Raises:
            Conflict: As `ring`.
        """
        self._must_be_node()
        query = select(watches).where(watches.c.id == watch.id, watches.c.active.is_(True)).with_for_update()
        rows = self._rows(query)
        if not rows or canonical_json(self._watch(rows[0]).seen) != canonical_json(dict(watch.seen)):
            raise Conflict("another process looked at that watch in the meantime")
        sealed = self._seal(watches.name, "seen", watch.id, seen)
        change(self._work, watches, watches.c.id == watch.id, values={"seen_sealed": sealed})

    def due(self, most: int) -> list[tuple[Delivery, Alarm]]:
        """Deliveries whose time has come, the oldest first, each with its alarm."""
        self._must_be_node()
        waits = and_(deliveries.c.state == DeliveryState.WAITING.value, deliveries.c.next_at <= self._work.now)
        rows = self._rows(select(deliveries).where(waits).order_by(deliveries.c.next_at, deliveries.c.id).limit(most))
        found = []
        for row in rows:
            (alarm,) = self._rows(select(alarms).where(alarms.c.id == row.alarm_id))
            found.append((self._delivery(row), self._alarm(alarm)))
        return found

    def attempt(self, delivery: Delivery) -> Delivery:
        """Take a delivery for one attempt; it is next due when this one has failed without a word.

        Raises:
            Conflict: Another process took it.
        """
        self._must_be_node()
        attempts = delivery.attempts + 1
        values = {"attempts": attempts, "next_at": self._work.now + wait_after(attempts)}
        if not self._settle(delivery, values):
            raise Conflict("another process makes that delivery")
        return self._again(delivery)

    def sent(self, delivery: Delivery, *, withheld: bool) -> None:
        """An attempt went well.

        Args:
            delivery: As `attempt` gave it.
            withheld: Only that a watch rang was told.
        """
        self._must_be_node()
        state = DeliveryState.WITHHELD if withheld else DeliveryState.SENT
        self._settle(delivery, {"state": state.value, "error_sealed": None})

    def failed(self, delivery: Delivery, alarm: Alarm, error: str) -> DeliveryState:
        """An attempt failed: it is made again later, or given up; returns where the delivery stands."""
        self._must_be_node()
        over = delivery.next_at > alarm.rang_at + GIVEN_UP_AFTER
        state = DeliveryState.GIVEN_UP if over else DeliveryState.WAITING
        sealed = self._work.seal(deliveries.name, "error", delivery.id, error.encode("utf-8", "replace"))
        self._settle(delivery, {"state": state.value, "error_sealed": sealed})
        return state

    # within

    def _must_be_node(self) -> None:
        if self._work.identity.kind is not Kind.NODE:
            raise NotAllowed("that is for the node alone")

    def _may_see(self, table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a Table
        return visible(self._work.identity, table)

    def _rows(self, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - a Select
        rows: Sequence[Row[Any]] = self._work.connection.execute(query).all()
        return rows

    def _settle(self, delivery: Delivery, values: Mapping[str, Any]) -> int:
        same = and_(deliveries.c.id == delivery.id, deliveries.c.attempts == delivery.attempts)
        chosen = and_(same, deliveries.c.state == DeliveryState.WAITING.value)
        return change(self._work, deliveries, chosen, values=values)

    def _again(self, delivery: Delivery) -> Delivery:
        return self._delivery(self._rows(select(deliveries).where(deliveries.c.id == delivery.id))[0])

    def _way(self, alarm_id: str, channel: str, to: str) -> dict[str, Any]:
        delivery_id = new_id()
        row = {
            "id": delivery_id,
            "alarm_id": alarm_id,
            "channel": channel,
            "to_key": self._secrets.keyed("delivery", channel, to),
            "to_sealed": self._work.seal(deliveries.name, "to", delivery_id, to.encode()),
            "attempts": 0,
            "next_at": self._work.now,
            "state": DeliveryState.WAITING.value,
        }
        return proven(self._work, deliveries, row)

    def _seal(self, table: str, column: str, row: str, plain: Mapping[str, Any]) -> bytes:
        return self._work.seal(table, column, row, canonical_json(dict(plain)))

    def _plain(self, table: str, column: str, row: str, sealed: bytes) -> dict[str, Any]:
        try:
            body = parse_json(self._work.open(table, column, row, sealed), table)
        except BadText as error:
            raise Tampered(f"table {table}: a value is none ({error.message})", hint="shieldwall node check") from None
        if not isinstance(body, dict):
            raise Tampered(f"table {table}: a value is none", hint="shieldwall node check")
        return body

    def _watch(self, row: Row[Any]) -> Watch:
        hold(self._work, watches, row)
        return Watch(
            id=row.id,
            kind=row.kind,
            target=self._plain(watches.name, "target", row.id, row.target_sealed),
            seen=self._plain(watches.name, "seen", row.id, row.seen_sealed),
            active=row.active,
            created_at=row.created_at,
            handling=handling_of(row),
        )

    def _alarm(self, row: Row[Any]) -> Alarm:
        hold(self._work, alarms, row)
        return Alarm(
            id=row.id,
            watch=row.watch_id,
            body=self._plain(alarms.name, "body", row.id, row.body_sealed),
            rang_at=row.rang_at,
            answered_at=row.answered_at,
            answered_by=row.answered_by,
            handling=handling_of(row),
        )

    def _delivery(self, row: Row[Any]) -> Delivery:
        hold(self._work, deliveries, row)
        error = b""
        if row.error_sealed is not None:
            error = self._work.open(deliveries.name, "error", row.id, row.error_sealed)
        return Delivery(
            id=row.id,
            alarm=row.alarm_id,
            channel=row.channel,
            to=self._work.open(deliveries.name, "to", row.id, row.to_sealed).decode(),
            attempts=row.attempts,
            next_at=row.next_at,
            state=DeliveryState(row.state),
            error=error.decode(),
        )
