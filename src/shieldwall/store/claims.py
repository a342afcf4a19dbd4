"""Claims: every version, retraction and contradiction of what anyone said, found by subject.

A claim is never changed. Who says a newer thing of the same kind about the same subject, from the same source, adds a version;
who takes something back adds a retraction. `model.standing` tells what still stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import ColumnElement, Row, Select, func, insert, literal_column, or_, select, update

from shieldwall.errors import BadText, Conflict, NotFound, Tampered
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.moment import utc
from shieldwall.model.opening import opens
from shieldwall.model.strictjson import parse_json
from shieldwall.store.envelope import framed
from shieldwall.store.ids import searchable, utf8
from shieldwall.store.placing import must_own, must_place
from shieldwall.store.schema import claims, retractions
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

AT_ONCE = 10_000  # claims that are encoded before they are inserted
LAYERS = tuple(Layer)
_NUMBER_OF = {layer: number for number, layer in enumerate(LAYERS)}
_LONGEST_KIND = 40
_SUBJECT, _THREAD = framed("subject"), framed("thread")
_NUMBERS = 1000  # claims that are asked for in one statement
_ROW_ID = 16  # bytes
_MANY = "tag"  # the kind that comes by the million


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A claim as the store keeps it.

    Attributes:
        id: The claim's id, as it came: of one that was taken back here, `claim.id` is another.
        seq: Its number in the store, in the order of arrival; never shown outside.
        claim: The claim; `retracted` is set where it was taken back here.
        handling: Who may see it.
        received_at: When it came, in microseconds.
        thread: The same for all versions of one thing said.
        retracted_at: When it was taken back here, in microseconds; None where it was not.
        reason: Why it was taken back; "" where it stands, or where the claim itself came so.
    """

    id: str
    seq: int
    claim: Claim
    handling: Handling
    received_at: int
    thread: int
    retracted_at: int | None = None
    reason: str = ""

    @property
    def standing(self) -> Kept:
        """The same as before it was taken back here: `claim.id` is `id`."""
        if self.retracted_at is None:
            return self
        return replace(self, claim=replace(self.claim, retracted=""), retracted_at=None, reason="")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of claims that were added: how many are new, and how many were there already."""

    added: int
    known: int


class _Behind:
    """Inserts batches one after the other, from the second one on behind the back of whoever encodes the next.

    The database is busy in its own code then, which lets Python go on, on another core.
    """

    def __init__(self, insert: Callable[[list[dict[str, Any]]], int]) -> None:
        self._insert = insert
        self._held: list[dict[str, Any]] = []
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: Future[int] | None = None
        self.added = 0

    def __enter__(self) -> Self:
        return self

    def put(self, batch: list[dict[str, Any]]) -> None:
        """Take the next batch; waits while the one before the last is not in."""
        if self._held:
            self._thread = self._thread or ThreadPoolExecutor(1, "intake")
            self._wait()
            self._under_way = self._thread.submit(self._insert, self._held)
        self._held = batch

    def _wait(self) -> None:
        if self._under_way is not None:
            self.added += self._under_way.result()
            self._under_way = None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._wait()
                self.added += self._insert(self._held)
        finally:
            if self._thread is not None:
                self._thread.shutdown()  # nobody else may touch the transaction before it is done


class Claims:
    """The claims, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._secrets = work.store.secrets

    def add(self, given: Iterable[Claim], *, case: str | None = None, group: str | None = None) -> Taken:
        """Add claims, owned by whoever asks; the same claim in the same place counts once.

        Args:
            given: The claims; their own marking and PAP hold. What gives them must not use this act meanwhile.
            case: Id of the case that they belong to.
            group: Id of the need-to-know group that they are for.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case or group that they are a member of.
        """
        identity = self._work.identity
        where = must_place(self._work, Handling(owner=identity.person, case=case, group=group))
        place = self._place(where)
        self._work.store.backend.lock_intake(self._work.connection)
        _ = self._work.now  # read once, before another thread has the connection
        total = 0
        batch: list[dict[str, Any]] = []
        with _Behind(self._insert) as behind:
            for claim in given:
                total += 1
                batch.append(self._row(claim, place, where))
                if len(batch) >= AT_ONCE:
                    behind.put(batch)
                    batch = []
            behind.put(batch)
        return Taken(behind.added, total - behind.added)

    def find(self, subject: Subject, *, most: int | None = None) -> list[Kept]:
        """All that is said of a subject and may be seen, in the order of arrival; versions and retractions among it.

        Args:
            subject: The subject.
            most: The first so many of them; None for all.
        """
        condition = claims.c.subject_key == self.subject_key(subject)
        return [kept for kept in self._read(self._query(condition).limit(most)) if kept.claim.subject == subject]

    def find_many(self, subjects: Sequence[Subject]) -> dict[Subject, list[Kept]]:
        """`find` for several subjects at once."""
        keys = {self.subject_key(subject): subject for subject in subjects}
        found: dict[Subject, list[Kept]] = {}
        wanted = set(subjects)
        for kept in self._read(self._query(claims.c.subject_key.in_(list(keys)))):
            if kept.claim.subject in wanted:
                found.setdefault(kept.claim.subject, []).append(kept)
        return found

    def at(self, numbers: Sequence[int]) -> list[Kept]:
        """The claims with numbers in the store that may be seen, in the order of arrival."""
        return [
            kept
            for start in range(0, len(numbers), _NUMBERS)
            for kept in self._read(self._query(claims.c.seq.in_(numbers[start : start + _NUMBERS])))
        ]

    def bodies(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, Handling, bool]]:
        """Number, canonical JSON, handling of each of these claims that may be seen, and whether it was taken back here.

        For whoever goes through very many, and holds the marking in the JSON to the handling themselves.
        """
        places: dict[tuple[str, str | None, str | None], int] = {}  # those that were reckoned
        for start in range(0, len(numbers), _NUMBERS):
            query = self._query(claims.c.seq.in_(numbers[start : start + _NUMBERS]))
            for row in self._work.connection.execute(query):
                handling = handling_of(row)
                if may_see(self._work.identity, handling):
                    if places.get(handling_key := (row.owner, row.case_id, row.group_id)) != row.place:
                        places[handling_key] = self._held_place(row, handling)
                    body = self._work.open(claims.name, "body", row.id, row.body_sealed)
                    yield row.seq, body, handling, row.retracted_at is not None

    def numbers(self, given: Sequence[Claim], *, case: str | None = None, group: str | None = None) -> list[int]:
        """The numbers of claims that whoever asks has put there, in the order of `given`.

        Raises:
            NotFound: One is not there.
        """
        place = self._place(Handling(owner=self._work.identity.person, case=case, group=group))
        rows = [self.row_id(claim.id) for claim in given]
        found: dict[bytes, int] = {}
        for start in range(0, len(rows), _NUMBERS):
            chosen = claims.c.id.in_(rows[start : start + _NUMBERS])
            query = select(claims.c.id, claims.c.seq).where(chosen, claims.c.place == place)
            found.update({row.id: row.seq for row in self._work.connection.execute(query)})
        try:
            return [found[row] for row in rows]
        except KeyError:
            raise NotFound("there is no such claim") from None

    def get(self, claim_id: str) -> Kept:
        """The claim with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for kept in self._read(self._query(claims.c.id == self.row_id(claim_id))):
            return kept
        raise NotFound("there is no such claim")

    def page(self, *, after: int = 0, most: int, kind: str = "", case: str | None = None) -> list[Kept]:
        """The claims after the one with number `after`, in the order of arrival, at most `most`."""
        conditions: list[ColumnElement[bool]] = [claims.c.seq > after]
        if kind:
            conditions += _of_kind(kind)
        if case is not None:
            conditions.append(claims.c.case_id == searchable(case))
        return list(self._read(self._query(*conditions).limit(most)))

    def of_case(self, case_id: str, kinds: Sequence[str], *, most: int, known_at: int | None = None) -> list[Kept]:
        """Claims of these kinds in a case that were not taken back, in the order of arrival, at most `most`.

        Args:
            case_id: The case.
            kinds: Of claims.
            most: How many.
            known_at: As it was known at a moment, in microseconds; None for now. What was taken back later stands as it did.
        """
        conditions = [claims.c.case_id == searchable(case_id), claims.c.kind.in_(list(map(searchable, kinds)))]
        if known_at is None:
            conditions.append(retractions.c.at.is_(None))
        else:
            conditions += [
                claims.c.received_at <= known_at,
                or_(retractions.c.at.is_(None), retractions.c.at > known_at),
            ]
        found = self._read(self._query(*conditions).limit(most))
        return [each if known_at is None else each.standing for each in found]

    def taken_back(self, case_id: str, *, most: int) -> list[Kept]:
        """Claims of a case that were taken back here, with the reason, in the order of arrival."""
        chosen = (claims.c.case_id == searchable(case_id), retractions.c.at.is_not(None))
        return list(self._read(self._query(*chosen).limit(most)))

    def newest(self, *, kind: str, most: int, within: int = 20_000) -> list[Kept]:
        """The newest claims of a kind, the newest first, at most `most`; of tags those among the last `within` that came."""
        last = select(func.max(claims.c.seq)).scalar_subquery()
        query = self._joined().where(visible(self._work.identity, claims), *_of_kind(kind))
        if kind == _MANY:
            query = query.where(claims.c.seq > last - within)
        return list(self._read(query.order_by(claims.c.seq.desc()).limit(most)))

    def stamp(self) -> tuple[int, int]:
        """Changes whenever a claim comes or is taken back; tells nothing that is not for whoever asks."""
        taken_back = select(func.count()).select_from(retractions).scalar_subquery()
        last, back = self._work.connection.execute(select(func.max(claims.c.seq), taken_back)).one()
        return int(last or 0), int(back)

    def count(self) -> int:
        """How many claims whoever asks may see."""
        query = select(func.count()).select_from(claims).where(visible(self._work.identity, claims))
        return int(self._work.connection.execute(query).scalar_one())

    def retract(self, claim_id: str, reason: str) -> Kept:
        """Take a claim back: it stays, marked as retracted with the reason.

        Raises:
            NotAllowed: Whoever asks may not write, or is neither its owner nor in its case or group.
            NotFound: None that whoever asks may see.
            Conflict: It was taken back before.
        """
        self._work.must(Permission.WRITE)
        kept = self.get(claim_id)
        must_own(self._work, kept.handling)
        if kept.claim.retracted:
            raise Conflict("that claim was taken back already")
        self._retract(kept.seq, reason)
        if kept.handling.case is not None:  # what tells of it goes with it, and whoever has it is to be told
            self._work.timeline.took_back(kept.claim.kind, kept.id, reason, kept.handling)
            self._work.note(ways=self._work.travels.recall(kept.id, kept.handling.case))
        return self.get(claim_id)

    def handlings(self, claim_id: str) -> list[Handling]:
        """How the claim with an id is handled, in each place where it is and was not taken back; not all may be seen."""
        query = select(claims).where(
            claims.c.id == self.row_id(claim_id), claims.c.seq.not_in(select(retractions.c.claim_seq))
        )
        found = []
        for row in self._work.connection.execute(query.order_by(claims.c.seq)):
            found.append(handling_of(row))
            self._held_place(row, found[-1])
        return found

    def remark(self, claim_id: str, before: Handling, after: Handling) -> None:
        """Handle a claim otherwise, for who has seen to it that this may be (`approvals`).

        One that gets another marking or PAP becomes a new claim, since these are part of it; the old one is taken back, and
        where it is stricter as hidden as the new one. Its signature goes, for its maker signed another marking. One that only
        moves stays the same.

        Raises:
            NotFound: It is not there so, or was taken back.
            Conflict: The same claim is there already.
        """
        old = self._place(before)
        query = self._joined().where(
            claims.c.id == self.row_id(claim_id), claims.c.place == old, retractions.c.at.is_(None)
        )
        row = self._work.connection.execute(query).one_or_none()
        if row is None or handling_of(row) != before:
            raise NotFound("there is no such claim")
        place = self._place(after)
        if (after.marking, after.pap) == (before.marking, before.pap):
            there = select(claims.c.seq).where(claims.c.id == row.id, claims.c.place == place)
            if self._work.connection.execute(there).first() is not None:
                raise Conflict("the same claim is there already")
            moved = update(claims).where(claims.c.seq == row.seq).values(place=place, **columns_of(after))
            self._work.connection.execute(moved)
            self._work.timeline.follow(row.kind, claim_id, before, after)
            if after.case is not None:
                self._work.cases.meet(after.case, [row.subject_key])
            return
        claim = replace(self._kept(row, before).claim, marking=after.marking, pap=after.pap, signature="")
        if not self._insert([self._row(claim, place, after)]):
            raise Conflict("the same claim is there already")
        self._retract(row.seq, f"marked {after.marking.label}, {after.pap.label} since")
        if not opens(before, after):  # who may no longer see what it became may not see what it was
            values = {"place": place, **columns_of(after)}
            self._work.connection.execute(update(claims).where(claims.c.seq == row.seq).values(values))
        self._work.timeline.follow(row.kind, claim_id, before, after, claim.id)
        self._work.travels.follow(claim_id, claim.id, before, after)
        if row.kind == "incident" and before.case is not None:
            self._work.cases.find_by(before.case, "")  # the words of it are for all members
        self._work.note(became=claim.id)

    def row_id(self, claim_id: str | bytes) -> bytes:
        """The 16 bytes by which the row of a claim is found: a keyed hash of its id."""
        raw = claim_id if isinstance(claim_id, bytes) else _raw(claim_id)
        return self._secrets.keyed("claim", raw)[:_ROW_ID]

    def subject_key(self, subject: Subject) -> int:
        """The keyed hash by which claims on a subject are found."""
        return self._secrets.keyed_number("subject", subject.type, subject.chain, subject.name)

    def _place(self, handling: Handling) -> int:
        """Keyed hash of where a claim is: the same one may be in several places, and once in each."""
        return self._secrets.keyed_number("place", handling.owner, handling.case or "", handling.group or "")

    def _held_place(self, row: Row[Any], handling: Handling) -> int:
        """Where a row says that it is; Tampered where owner, case or group are not those that it was put there with."""
        place = self._place(handling)
        if row.place != place:
            raise _changed(row.seq)
        return place

    def _retract(self, seq: int, reason: str) -> None:
        sealed = self._work.seal(retractions.name, "reason", str(seq), utf8(reason))
        values = {"claim_seq": seq, "at": self._work.now, "by": self._work.identity.person, "reason_sealed": sealed}
        self._work.connection.execute(insert(retractions).values(values))

    def _row(self, claim: Claim, place: int, handling: Handling) -> dict[str, Any]:
        if len(claim.kind) > _LONGEST_KIND or not claim.kind.isprintable():
            raise BadText(f"a kind of claim has at most {_LONGEST_KIND} characters, all of which can be seen")
        try:
            body = canonical_json(claim.as_dict())
        except TypeError as error:
            raise BadText(f"a claim that cannot be kept: {error}") from None
        row_id = self.row_id(bytes.fromhex(claim.id) if claim.signature else sha256(body).digest())
        subject = claim.subject
        about = _about(subject)
        key = self._secrets.framed_number
        return {
            "id": row_id,
            "place": place,
            "subject_key": key(_SUBJECT + about),
            "kind": claim.kind,
            "layer": _NUMBER_OF[claim.layer],
            "marking": int(claim.marking),
            "pap": int(claim.pap),
            "owner": handling.owner,
            "case_id": handling.case,
            "group_id": handling.group,
            "thread": key(_thread(claim, about)),
            "received_at": self._work.now,
            "body_sealed": self._work.seal(claims.name, "body", row_id, body),
        }

    def _insert(self, rows: list[dict[str, Any]]) -> int:
        added = self._work.store.backend.insert_new(self._work.connection, claims, rows)
        if rows and rows[0]["case_id"] is not None:
            self._work.cases.meet(rows[0]["case_id"], (row["subject_key"] for row in rows))
        return added

    def _query(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return self._joined().where(visible(self._work.identity, claims), *conditions).order_by(claims.c.seq)

    def _joined(self) -> Select[Any]:
        query = select(claims, retractions.c.at.label("retracted_at"), retractions.c.reason_sealed)
        return query.select_from(claims.outerjoin(retractions, retractions.c.claim_seq == claims.c.seq))

    def _read(self, query: Select[Any]) -> Iterator[Kept]:
        for row in self._work.connection.execute(query):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._kept(row, handling)

    def _kept(self, row: Row[Any], handling: Handling) -> Kept:
        raw = self._work.open(claims.name, "body", row.id, row.body_sealed)
        try:
            claim, claim_id = _claim_in(raw)
        except BadText as error:
            raise Tampered(f"a claim in the store is none ({error.message})", hint="shieldwall node check") from None
        # a row may be handled more strictly than its claim says: one that was marked anew is hidden as what came of it
        opened = claim.marking > handling.marking or claim.pap > handling.pap
        thread = self._secrets.framed_number(_thread(claim, _about(claim.subject)))
        if opened or row.place != self._place(handling) or row.id != self.row_id(claim_id) or row.thread != thread:
            raise _changed(row.seq)
        reason = ""
        if row.retracted_at is not None:
            reason = self._work.open(retractions.name, "reason", str(row.seq), row.reason_sealed).decode()
            claim = replace(claim, retracted=iso(row.retracted_at))
        return Kept(
            id=claim_id,
            seq=row.seq,
            claim=claim,
            handling=handling,
            received_at=row.received_at,
            thread=row.thread,
            retracted_at=row.retracted_at,
            reason=reason,
        )


def _of_kind(kind: str) -> list[ColumnElement[bool]]:
    """Claims of a kind; the second condition lets the database use the index that leaves tags out."""
    wanted: list[ColumnElement[bool]] = [claims.c.kind == searchable(kind)]
    return wanted if kind == _MANY else [*wanted, claims.c.kind != literal_column(f"'{_MANY}'")]


@lru_cache(maxsize=8192)
def _claim_in(raw: bytes) -> tuple[Claim, str]:
    """A claim and its id out of its bytes; the same bytes, which are read again and again, are the same claim.

    Raises:
        BadText: They are none.
    """
    claim = Claim.from_dict(parse_json(raw, "claim"), "claim")
    return claim, claim.id if claim.signature else sha256(raw).hexdigest()


def _about(subject: Subject) -> bytes:
    return framed(subject.type, subject.chain, subject.name)


def _thread(claim: Claim, about: bytes) -> bytes:
    """What is the same for all versions of one thing said."""
    return _THREAD + about + framed(claim.kind, claim.made_by, claim.source)


def _changed(seq: int) -> Tampered:
    return Tampered(
        f"row {seq} of the claims was changed in the database", hint="restore a backup: shieldwall node restore"
    )


def _raw(claim_id: str) -> bytes:
    try:
        return bytes.fromhex(claim_id)
    except ValueError:
        return b""


def iso(microseconds: int) -> str:
    """A time of the store as claims write it: ISO 8601 in UTC, to the second."""
    return utc(microseconds // 1_000_000)
