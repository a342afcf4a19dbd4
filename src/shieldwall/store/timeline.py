"""Timelines of cases: what happened when, and when that became known; by both, so that a case can be seen as it was.

An entry tells of a claim, a file, a request or an act, and never stands for it: it is written in the same act, and goes when that
is taken back. Nothing is deleted, so what was known at a moment is what had been recorded by then and had not gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select

from shieldwall.errors import BadText, NotFound, Tampered
from shieldwall.model.access import Handling, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.opening import opens
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import ordered_id, searchable
from shieldwall.store.placing import must_place
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import timeline
from shieldwall.store.visible import columns_of, handling_of, inside, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

KINDS = (
    "event",
    "transfer",
    "finding",
    "incident",
    "evidence",
    "request",
    "reply",
    "trace",
    "pack",
    "note",
    "member",
    "retraction",
    "status",
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry.

    Attributes:
        id: 32 hex digits, in the order of recording: with `happened_at`, its place in the list.
        kind: One of `KINDS`.
        ref: Id of what it tells of.
        happened_at: When it happened, in microseconds.
        recorded_at: When it became known here, in microseconds.
        gone_at: Since when it no longer holds; None while it does.
        body: What it says; plain JSON values.
        handling: Who may see it.
    """

    id: str
    kind: str
    ref: str
    happened_at: int
    recorded_at: int
    gone_at: int | None
    body: Mapping[str, Any]
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to add; as `Entry`, `happened_at` of now where it is None."""

    kind: str
    ref: str
    body: Mapping[str, Any]
    happened_at: int | None = None


class Timeline:
    """The timelines, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, entries: Iterable[NewEntry], handling: Handling) -> int:
        """Add entries to the timeline of the case that `handling` names; returns how many.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case.
            Conflict: The case is closed.
        """
        must_place(self._work, handling)
        return self._add(entries, handling)

    def add_for(self, entries: Iterable[NewEntry], handling: Handling) -> int:
        """Add entries that tell of a deed on something that is there, handled as that is: whoever decides on it need not write.

        Raises:
            NotFound: Whoever asks may not see it.
            Conflict: The case is closed.
        """
        if not may_see(self._work.identity, handling) or handling.case is None:
            raise NotFound("there is no such case")
        self._work.cases.must_be_open(handling.case)
        return self._add(entries, handling)

    def tell(self, entries: Iterable[NewEntry], handling: Handling) -> int:
        """Add entries that tell of the case itself, for who has seen to it that this may be: also of one that was just closed."""
        return self._add(entries, handling)

    def _add(self, entries: Iterable[NewEntry], handling: Handling) -> int:
        now, rows = self._work.now, []
        for place, entry in enumerate(entries):
            made = ordered_id(now, place)
            body = canonical_json({"ref": entry.ref, **entry.body})
            row = {
                "id": made,
                "kind": entry.kind,
                "ref_key": self._key(entry.kind, entry.ref),
                "happened_at": now if entry.happened_at is None else entry.happened_at,
                "recorded_at": now,
                "body_sealed": self._work.seal(timeline.name, "body", made, body),
                **columns_of(handling),
            }
            rows.append(proven(self._work, timeline, row))
        for start in range(0, len(rows), _AT_ONCE):
            self._work.connection.execute(insert(timeline), rows[start : start + _AT_ONCE])
        return len(rows)

    def go(self, kind: str, ref: str, case_id: str) -> int:
        """Say that what some entries of a case tell of no longer holds; returns how many they are."""
        chosen = (*self._of(kind, ref, case_id), timeline.c.gone_at.is_(None))
        return change(self._work, timeline, *chosen, values={"gone_at": self._work.now})

    def took_back(self, kind: str, ref: str, reason: str, handling: Handling) -> None:
        """Tell that what some entries tell of was taken back, by whom and why; those go. Nothing where there are none."""
        if handling.case is not None and self.go(kind, ref, handling.case):
            body = {"what": kind, "reason": reason, "by": self._work.identity.name}
            self._add([NewEntry(kind="retraction", ref=ref, body=body)], handling)

    def follow(self, kind: str, ref: str, before: Handling, after: Handling, new_ref: str = "") -> None:
        """Handle what tells of a thing as the thing itself, which is handled otherwise from now on.

        Args:
            kind: Of the entries.
            ref: What they tell of.
            before: How it was handled.
            after: How it is handled now.
            new_ref: The id that it has now, where that is another: then it is told anew.
        """
        if before.case is None:
            return
        chosen = self._of(kind, ref, before.case)
        if new_ref or after.case != before.case:
            query = select(timeline).where(*chosen, timeline.c.gone_at.is_(None)).order_by(timeline.c.id)
            told = [self._entry(row, handling_of(row)) for row in self._work.connection.execute(query)]
            self.go(kind, ref, before.case)
            if after.case is not None:
                again = [
                    NewEntry(kind=kind, ref=new_ref or ref, body=each.body, happened_at=each.happened_at)
                    for each in told
                ]
                self._add(again, after)
            if opens(before, after):
                return  # what it was stays as hidden as it was
        change(self._work, timeline, *chosen, values=columns_of(after))

    def follow_trace(self, file_id: str, before: Handling, after: Handling) -> None:
        """The same of the transfers that a trace brought into its case, which name it."""
        chosen = (timeline.c.case_id == before.case, timeline.c.kind == "transfer")
        if before.case is None or after.case != before.case:
            return
        for row in self._work.connection.execute(select(timeline).where(*chosen)).all():
            if self._entry(row, handling_of(row)).body.get("trace") == file_id:
                change(self._work, timeline, timeline.c.id == row.id, values=columns_of(after))

    def _of(self, kind: str, ref: str, case_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return timeline.c.ref_key == self._key(kind, ref), timeline.c.case_id == searchable(case_id)

    def there(self, case_id: str, kind: str, refs: Sequence[str]) -> set[str]:
        """Which of these things the timeline of a case tells of already."""
        keys = {self._key(kind, ref): ref for ref in refs}
        query = select(timeline.c.ref_key).where(
            timeline.c.case_id == searchable(case_id), timeline.c.gone_at.is_(None)
        )
        found: set[str] = set()
        wanted = list(keys)
        for start in range(0, len(wanted), _AT_ONCE):
            part = query.where(timeline.c.ref_key.in_(wanted[start : start + _AT_ONCE]))
            found.update(keys[key] for key in self._work.connection.execute(part).scalars())
        return found

    def page(
        self,
        case_id: str,
        *,
        most: int,
        before: tuple[int, str] | None = None,
        kinds: Sequence[str] = (),
        known_at: int | None = None,
        happened_by: int | None = None,
    ) -> list[Entry]:
        """Entries of a case with the latest first, at most `most`.

        Args:
            case_id: The case.
            most: How many.
            before: `happened_at` and `id` of the last entry of the page before.
            kinds: These only; empty for all.
            known_at: As it was known at a moment, in microseconds; None for now.
            happened_by: What had happened by then, in microseconds.
        """
        columns = timeline.c
        conditions = self._conditions(case_id, kinds, known_at, happened_by)
        if before is not None:
            at, last = before
            conditions.append(or_(columns.happened_at < at, and_(columns.happened_at == at, columns.id < last)))
        query = select(timeline).where(*conditions).order_by(columns.happened_at.desc(), columns.id.desc()).limit(most)
        return list(self._read(query))

    def counts(self, case_id: str, *, known_at: int | None = None, happened_by: int | None = None) -> dict[str, int]:
        """How many entries of each kind a case has that whoever asks may see."""
        conditions = self._conditions(case_id, (), known_at, happened_by)
        query = select(timeline.c.kind, func.count()).where(*conditions).group_by(timeline.c.kind)
        return {row[0]: row[1] for row in self._work.connection.execute(query)}

    def _conditions(
        self, case_id: str, kinds: Sequence[str], known_at: int | None, happened_by: int | None
    ) -> list[ColumnElement[bool]]:
        columns = timeline.c
        seen = visible(inside(self._work.identity, [case_id]), timeline)
        conditions = [columns.case_id == searchable(case_id), seen]
        if kinds:
            conditions.append(columns.kind.in_(list(map(searchable, kinds))))
        if known_at is None:
            conditions.append(columns.gone_at.is_(None))
        else:
            conditions += [columns.recorded_at <= known_at, or_(columns.gone_at.is_(None), columns.gone_at > known_at)]
        if happened_by is not None:
            conditions.append(columns.happened_at <= happened_by)
        return conditions

    def _read(self, query: Any) -> Iterator[Entry]:  # noqa: ANN401 - a query
        for row in self._work.connection.execute(query):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._entry(row, handling)

    def _entry(self, row: Row[Any], handling: Handling) -> Entry:
        hold(self._work, timeline, row)
        raw = self._work.open(timeline.name, "body", row.id, row.body_sealed)
        try:
            body = parse_json(raw, "an entry of a timeline")
            ref = body.pop("ref")
        except (BadText, KeyError, AttributeError):
            raise Tampered("an entry of a timeline is not as it was written", hint="shieldwall node check") from None
        return Entry(
            id=row.id,
            kind=row.kind,
            ref=ref,
            happened_at=row.happened_at,
            recorded_at=row.recorded_at,
            gone_at=row.gone_at,
            body=body,
            handling=handling,
        )

    def _key(self, kind: str, ref: str) -> int:
        return self._work.store.secrets.keyed_number("timeline", kind, ref)
