"""Requests of cases, and the line of deeds that each one is. What may be done when is `cases.tracker`'s to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, func, insert, select

from shieldwall.errors import BadText, Conflict, NotAllowed, NotFound, Tampered
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.opening import opens
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.placing import must_place, older_than
from shieldwall.store.proving import change, held, hold, proven
from shieldwall.store.schema import request_deeds, requests
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as it is kept.

    Attributes:
        id: 32 hex digits.
        number: In its case, from 1.
        kind: What is asked for.
        state: Where it stands.
        due_at: When something is due of it, in microseconds; None for nothing.
        created_at: Microseconds.
        version: Goes up by one with every deed.
        body: What it says; plain JSON values.
        handling: Who may see it.
    """

    id: str
    number: int
    kind: str
    state: str
    due_at: int | None
    created_at: int
    version: int
    body: Mapping[str, Any]
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRow:
    """Something that was done with a request: its number from 1, when (microseconds), by whom, what, and what goes with it."""

    number: int
    at: int
    by: str
    deed: str
    body: Mapping[str, Any]


class Requests:
    """The requests, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, kind: str, state: str, body: Mapping[str, Any], handling: Handling) -> RequestRow:
        """Keep a new request of the case that `handling` names, before anything was done with it.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case.
            Conflict: The case is closed.
        """
        must_place(self._work, handling)
        self._work.store.backend.lock_intake(self._work.connection)
        last = select(func.max(requests.c.number)).where(requests.c.case_id == handling.case)
        number = int(self._work.connection.execute(last).scalar() or 0) + 1
        row_id = new_id()
        row = {
            "id": row_id,
            "number": number,
            "kind": kind,
            "state": state,
            "due_at": None,
            "created_at": self._work.now,
            "version": 0,
            "body_sealed": self._sealed(row_id, body),
            **columns_of(handling),
        }
        self._work.connection.execute(insert(requests).values(proven(self._work, requests, row)))
        self._work.note(request=row_id)
        return self.get(row_id)

    def get(self, request_id: str) -> RequestRow:
        """The request with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for found in self._read(select(requests).where(requests.c.id == searchable(request_id))):
            return found
        raise NotFound("there is no such request")

    def page(
        self, *, after: str = "", most: int, case: str | None = None, states: Sequence[str] = ()
    ) -> list[RequestRow]:
        """Requests with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No request `after` that whoever asks may see.
        """
        seen = visible(self._work.identity, requests)
        conditions = [older_than(self._work, requests, after, seen), *self._chosen(case, states)]
        query = select(requests).where(*conditions).order_by(requests.c.created_at.desc(), requests.c.id.desc())
        return list(self._read(query.limit(most)))

    def due(self, *, by: int, most: int) -> list[RequestRow]:
        """Requests of which something is due by a moment, in microseconds, the most urgent first."""
        query = select(requests).where(requests.c.due_at <= by).order_by(requests.c.due_at, requests.c.id).limit(most)
        return list(self._read(query))

    def count(self, *, states: Sequence[str]) -> int:
        """How many requests in these states whoever asks may see."""
        seen = visible(self._work.identity, requests)
        query = select(func.count()).select_from(requests).where(seen, *self._chosen(None, states))
        return int(self._work.connection.execute(query).scalar_one())

    def deeds(self, request_id: str) -> list[DeedRow]:
        """What was done with a request, in order.

        Raises:
            NotFound: No such request that whoever asks may see.
            Tampered: Some of it is gone, or is not as it was written.
        """
        row = self.get(request_id)
        query = select(request_deeds).where(request_deeds.c.request_id == request_id).order_by(request_deeds.c.number)
        deeds = [self._deed(each) for each in held(self._work, request_deeds, self._work.connection.execute(query))]
        if [deed.number for deed in deeds] != list(range(1, row.version + 1)):
            raise Tampered("a request has lost something that was done with it", hint="shieldwall node check")
        return deeds

    def append(
        self,
        request_id: str,
        version: int,
        *,
        deed: str,
        body: Mapping[str, Any],
        state: str,
        due_at: int | None,
        content: Mapping[str, Any] | None = None,
        handling: Handling | None = None,
        needs: Permission = Permission.WRITE,
    ) -> DeedRow:
        """Add a deed, and say where the request stands then.

        Args:
            request_id: Which.
            version: The number of the last deed that the caller knows.
            deed: What was done.
            body: What goes with it.
            state: Where the request stands then.
            due_at: When something is due of it, in microseconds.
            content: What it says from then on; None for what it said before.
            handling: How it is handled from then on, where that is stricter; None for as before.
            needs: The permission that the deed needs.

        Raises:
            NotAllowed: Whoever asks has not that permission.
            NotFound: No such request that they may see.
            Conflict: Something else was done in the meantime, or the case is closed.
        """
        self._work.must(needs)
        before = self.get(request_id)
        if before.handling.case is not None:
            self._work.cases.must_be_open(before.handling.case)
        values: dict[str, Any] = {"state": state, "due_at": due_at, "version": version + 1}
        if content is not None:
            values["body_sealed"] = self._sealed(request_id, content)
        if handling is not None:
            if opens(before.handling, handling):
                raise NotAllowed("a more open marking needs a second person")
            values |= columns_of(handling)
        chosen = (requests.c.id == request_id, requests.c.version == version)
        if before.version != version or change(self._work, requests, *chosen, values=values) != 1:
            raise Conflict("something else was done with that request in the meantime", hint="look at it again")
        number = version + 1
        at, by = self._work.now, self._work.identity.person
        sealed = self._work.seal(request_deeds.name, "body", f"{request_id}:{number}", canonical_json(dict(body)))
        row = {"request_id": request_id, "number": number, "at": at, "by": by, "deed": deed, "body_sealed": sealed}
        self._work.connection.execute(insert(request_deeds).values(proven(self._work, request_deeds, row)))
        self._work.note(request=request_id, deed=deed, number=number)
        return DeedRow(number=number, at=at, by=by, deed=deed, body=dict(body))

    def _chosen(self, case: str | None, states: Sequence[str]) -> list[ColumnElement[bool]]:
        conditions = []
        if case is not None:
            conditions.append(requests.c.case_id == searchable(case))
        if states:
            conditions.append(requests.c.state.in_(list(map(searchable, states))))
        return conditions

    def _read(self, query: Any) -> Iterator[RequestRow]:  # noqa: ANN401 - a query
        for row in self._work.connection.execute(query.where(visible(self._work.identity, requests))):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._row(row, handling)

    def _row(self, row: Row[Any], handling: Handling) -> RequestRow:
        hold(self._work, requests, row)
        return RequestRow(
            id=row.id,
            number=row.number,
            kind=row.kind,
            state=row.state,
            due_at=row.due_at,
            created_at=row.created_at,
            version=row.version,
            body=_json(self._work.open(requests.name, "body", row.id, row.body_sealed)),
            handling=handling,
        )

    def _deed(self, row: Row[Any]) -> DeedRow:
        raw = self._work.open(request_deeds.name, "body", f"{row.request_id}:{row.number}", row.body_sealed)
        return DeedRow(number=row.number, at=row.at, by=row.by, deed=row.deed, body=_json(raw))

    def _sealed(self, row_id: str, body: Mapping[str, Any]) -> bytes:
        return self._work.seal(requests.name, "body", row_id, canonical_json(dict(body)))


def _json(raw: bytes) -> dict[str, Any]:
    try:
        return dict(parse_json(raw, "a request"))
    except (BadText, TypeError, ValueError):
        raise Tampered("a request is not as it was written", hint="shieldwall node check") from None
