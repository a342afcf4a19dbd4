"""Sheets: what one person did with a saved trace, step by step, so that each step can be taken back, and done again.

The trace itself never changes. A sheet is its person's own, and is seen as long as they see the trace. Steps that were taken back
and then left behind by another one are kept as dropped: what somebody did is not forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select, update

from shieldwall.errors import BadText, Conflict, NotFound, Tampered, TooMany
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store.schema import sheet_steps

if TYPE_CHECKING:
    from shieldwall.store.work import Work

MOST_STEPS = 10_000
"""Steps of one sheet, those taken back among them."""


class StepState(StrEnum):
    """What became of a step."""

    DONE = "done"
    UNDONE = "undone"  # it can be done again
    DROPPED = "dropped"  # something else was done after it was taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step.

    Attributes:
        number: From 1.
        state: What became of it.
        at: When it was last done, or taken back, in microseconds.
        body: What was done; plain JSON values, `kind` among them.
    """

    number: int
    state: StepState
    at: int
    body: Mapping[str, Any]


class Sheets:
    """The sheets of whoever asks, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def steps(self, file_id: str) -> list[Step]:
        """The steps of one's own sheet on a trace, in order, without those that were dropped.

        Raises:
            NotFound: No such trace that whoever asks may see.
        """
        self._must_be_trace(file_id)
        rows = self._rows(file_id, sheet_steps.c.state != StepState.DROPPED.value)
        return [self._step(row) for row in rows]

    def next_number(self, file_id: str) -> int:
        """The number of the step that is done next; no other step ever had it.

        Raises:
            NotFound: As `steps`.
        """
        self._must_be_trace(file_id)
        number = sheet_steps.c.number
        query = select(number).where(*self._own(file_id)).order_by(number.desc()).limit(1)
        return int(self._work.connection.execute(query).scalar() or 0) + 1

    def add(self, file_id: str, body: Mapping[str, Any]) -> Step:
        """Do one more step; what was taken back before it cannot be done again any more.

        Raises:
            NotFound: As `steps`.
            TooMany: The sheet is full.
        """
        number, columns = self.next_number(file_id), sheet_steps.c
        if number > MOST_STEPS:
            raise TooMany(f"that sheet has {MOST_STEPS:,} steps", hint="save it, and trace again for a new one")
        undone = columns.state == StepState.UNDONE.value
        dropped = update(sheet_steps).where(*self._own(file_id), undone).values(state=StepState.DROPPED.value)
        self._work.connection.execute(dropped)
        values = {
            "file_id": file_id,
            "person_id": self._work.identity.person,
            "number": number,
            "state": StepState.DONE.value,
            "at": self._work.now,
            "step_sealed": self._sealed(file_id, number, body),
        }
        self._work.connection.execute(insert(sheet_steps).values(values))
        self._work.note(step=number)
        return Step(number=number, state=StepState.DONE, at=self._work.now, body=dict(body))

    def last_done(self, file_id: str) -> Step:
        """The step that would be taken back next.

        Raises:
            NotFound: As `steps`.
            Conflict: None was done.
        """
        done = [step for step in self.steps(file_id) if step.state is StepState.DONE]
        if not done:
            raise Conflict("nothing is left to take back")
        return done[-1]

    def first_undone(self, file_id: str) -> Step:
        """The step that would be done again next.

        Raises:
            NotFound: As `steps`.
            Conflict: None was taken back.
        """
        undone = [step for step in self.steps(file_id) if step.state is StepState.UNDONE]
        if not undone:
            raise Conflict("nothing was taken back that could be done again")
        return undone[0]

    def mark(self, file_id: str, step: Step, state: StepState, body: Mapping[str, Any] | None = None) -> Step:
        """Say what became of a step, as it was read within this act.

        Args:
            file_id: The trace.
            step: The step.
            state: What became of it.
            body: What was done, where it is another than before.

        Raises:
            Conflict: It changed in the meantime.
        """
        after = dict(step.body if body is None else body)
        values = {"state": state.value, "at": self._work.now, "step_sealed": self._sealed(file_id, step.number, after)}
        columns = sheet_steps.c
        chosen = (*self._own(file_id), columns.number == step.number, columns.state == step.state.value)
        if self._work.connection.execute(update(sheet_steps).where(*chosen).values(values)).rowcount != 1:
            raise Conflict("that step was changed in the meantime", hint="look at the sheet again")
        self._work.note(step=step.number)
        return Step(number=step.number, state=state, at=self._work.now, body=after)

    def _must_be_trace(self, file_id: str) -> None:
        if self._work.files.get(file_id).kind != "trace":
            raise NotFound("there is no such trace")

    def _own(self, file_id: str) -> tuple[Any, Any]:
        return sheet_steps.c.file_id == file_id, sheet_steps.c.person_id == self._work.identity.person

    def _rows(self, file_id: str, *conditions: Any) -> list[Row[Any]]:  # noqa: ANN401 - conditions of a query
        query = select(sheet_steps).where(*self._own(file_id), *conditions).order_by(sheet_steps.c.number)
        return list(self._work.connection.execute(query))

    def _place(self, file_id: str, number: int) -> str:
        return f"{file_id}:{self._work.identity.person}:{number}"

    def _sealed(self, file_id: str, number: int, body: Mapping[str, Any]) -> bytes:
        plain = canonical_json(dict(body))
        return self._work.seal(sheet_steps.name, "step", self._place(file_id, number), plain)

    def _step(self, row: Row[Any]) -> Step:
        plain = self._work.open(sheet_steps.name, "step", self._place(row.file_id, row.number), row.step_sealed)
        try:
            body, state = parse_json(plain, "a step of a sheet"), StepState(row.state)
        except (BadText, ValueError):
            raise Tampered("a step of a sheet is not as it was written", hint="shieldwall node check") from None
        return Step(number=row.number, state=state, at=row.at, body=body)
