"""Evidence of cases and its custody log: kept, read, and only ever added to. What an entry says is `cases.custody`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, func, insert, select

from shieldwall.errors import BadText, Conflict, NotFound, Tampered
from shieldwall.model.access import Handling, Permission, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.placing import must_place
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import custody, evidence
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A piece of evidence.

    Attributes:
        id: 32 hex digits.
        number: In its case, from 1.
        file: Id of the file that holds it.
        entries: Of its custody log.
        created_at: Microseconds.
        body: What is known of it; plain JSON values.
        handling: Who may see it.
    """

    id: str
    number: int
    file: str
    entries: int
    created_at: int
    body: Mapping[str, Any]
    handling: Handling


class EvidenceRows:
    """The evidence, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, file_id: str, body: Mapping[str, Any], handling: Handling) -> Evidence:
        """Keep a piece of evidence of the case that `handling` names.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case or file.
            Conflict: The case is closed.
        """
        must_place(self._work, handling)
        self._work.files.get(file_id)
        self._work.store.backend.lock_intake(self._work.connection)
        last = select(func.max(evidence.c.number)).where(evidence.c.case_id == handling.case)
        number = int(self._work.connection.execute(last).scalar() or 0) + 1
        row_id = new_id()
        row = {
            "id": row_id,
            "number": number,
            "file_id": file_id,
            "entries": 0,
            "created_at": self._work.now,
            "body_sealed": self._work.seal(evidence.name, "body", row_id, canonical_json(dict(body))),
            **columns_of(handling),
        }
        self._work.connection.execute(insert(evidence).values(proven(self._work, evidence, row)))
        self._work.note(evidence=row_id)
        return self.get(row_id)

    def get(self, evidence_id: str) -> Evidence:
        """The piece with an id.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for found in self._read(evidence.c.id == searchable(evidence_id)):
            return found
        raise NotFound("there is no such evidence")

    def of_case(self, case_id: str, *, known_at: int | None = None) -> list[Evidence]:
        """The evidence of a case, in the order in which it came; as it was known at a moment, in microseconds."""
        conditions = [evidence.c.case_id == searchable(case_id)]
        if known_at is not None:
            conditions.append(evidence.c.created_at <= known_at)
        return list(self._read(*conditions))

    def follow(self, file_id: str, before: Handling, after: Handling) -> None:
        """Handle what a file is evidence in as the file itself, which is handled otherwise from now on."""
        mine = (evidence.c.file_id == searchable(file_id), evidence.c.case_id == before.case)
        found = self._work.connection.execute(select(evidence.c.id).where(*mine)).scalars().all()
        change(self._work, evidence, *mine, values={**columns_of(after), "case_id": before.case})
        for each in found:
            self._work.timeline.follow("evidence", each, before, replace(after, case=before.case))

    def append(self, evidence_id: str, number: int, entry: Mapping[str, Any]) -> None:
        """Add an entry to a custody log, as the one with this number.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such evidence.
            Conflict: The log has gone on in the meantime.
        """
        self._work.must(Permission.WRITE)
        found = self.get(evidence_id)
        if found.handling.case is not None:
            self._work.cases.must_be_open(found.handling.case)
        chosen = (evidence.c.id == evidence_id, evidence.c.entries == number - 1)
        if change(self._work, evidence, *chosen, values={"entries": number}) != 1:
            raise Conflict("the custody log has gone on in the meantime", hint="look at it again")
        sealed = self._work.seal(custody.name, "entry", f"{evidence_id}:{number}", canonical_json(dict(entry)))
        self._work.connection.execute(
            insert(custody).values(evidence_id=evidence_id, number=number, entry_sealed=sealed)
        )

    def log(self, evidence_id: str) -> list[Mapping[str, Any]]:
        """The custody log of a piece, in order; plain JSON values.

        Raises:
            NotFound: No such evidence that whoever asks may see.
        """
        return self.logs([self.get(evidence_id)])[evidence_id]

    def logs(self, found: Sequence[Evidence]) -> dict[str, list[Mapping[str, Any]]]:
        """The custody logs of several pieces that were read in this act.

        Raises:
            Tampered: One has lost entries.
            Conflict: One has gone on while it was read.
        """
        query = select(custody).where(custody.c.evidence_id.in_([each.id for each in found]))
        logs: dict[str, list[Mapping[str, Any]]] = {each.id: [] for each in found}
        for row in self._work.connection.execute(query.order_by(custody.c.evidence_id, custody.c.number)):
            place = f"{row.evidence_id}:{row.number}"
            raw = self._work.open(custody.name, "entry", place, row.entry_sealed)
            logs[row.evidence_id].append(_json(raw, "an entry of a custody log"))
        for each in found:
            if len(logs[each.id]) != each.entries:
                if self.get(each.id).entries != each.entries:
                    raise Conflict("the custody log has gone on in the meantime", hint="look at it again")
                raise Tampered("a custody log has lost entries, or has some beside", hint="shieldwall node check")
        return logs

    def _read(self, *conditions: ColumnElement[bool]) -> Iterator[Evidence]:
        query = select(evidence).where(visible(self._work.identity, evidence), *conditions)
        for row in self._work.connection.execute(query.order_by(evidence.c.case_id, evidence.c.number)):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._evidence(row, handling)

    def _evidence(self, row: Row[Any], handling: Handling) -> Evidence:
        hold(self._work, evidence, row)
        raw = self._work.open(evidence.name, "body", row.id, row.body_sealed)
        return Evidence(
            id=row.id,
            number=row.number,
            file=row.file_id,
            entries=row.entries,
            created_at=row.created_at,
            body=_json(raw, "what is known of evidence"),
            handling=handling,
        )


def _json(raw: bytes, what: str) -> dict[str, Any]:
    try:
        return dict(parse_json(raw, what))
    except (BadText, TypeError, ValueError):
        raise Tampered(f"{what} is not as it was written", hint="shieldwall node check") from None
