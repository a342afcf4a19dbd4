"""A sheet as its person sees it: the frozen trace, how they arranged it, and what is said of what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import BadText
from shieldwall.model.access import Identity
from shieldwall.model.claim import Subject
from shieldwall.model.network import by_name
from shieldwall.model.standing import State, states_of
from shieldwall.model.words import ENGLISH, Words
from shieldwall.node.sheets.asking import NOTE, TAG
from shieldwall.node.sheets.frozen import Frozen
from shieldwall.store.claims import Kept
from shieldwall.store.sheets import Step, StepState
from shieldwall.trace.arrangement import Arrangement, arranged
from shieldwall.trace.change.overrule import OVERRULE
from shieldwall.trace.layout import Box, Column, lay_out
from shieldwall.trace.picture import Marks

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.watches import Watch
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, opened.

    Attributes:
        trace: The frozen trace.
        steps: What was done with it, in order; what was taken back and can be done again is among it.
        arrangement: What the steps made of the picture.
        columns: The picture, laid out.
        said: By subject, the claims on what the picture shows that stand.
        watched: By subject, the watches that look.
    """

    trace: Frozen
    steps: Sequence[Step]
    arrangement: Arrangement
    columns: Sequence[Column]
    said: Mapping[Subject, Sequence[Kept]]
    watched: Mapping[Subject, Sequence[Watch]]

    @property
    def body(self) -> dict[str, Any]:
        """What the trace says."""
        return self.trace.body

    @property
    def chain(self) -> str:
        """CAIP-2 id of the chain that was traced."""
        return chain_id(self.trace.body)

    @property
    def done(self) -> int:
        """How many steps can be taken back."""
        return sum(step.state is StepState.DONE for step in self.steps)

    @property
    def last(self) -> int:
        """Number of the step that would be taken back next; 0 for none."""
        return max((step.number for step in self.steps if step.state is StepState.DONE), default=0)

    @property
    def undone(self) -> int:
        """How many can be done again."""
        return sum(step.state is StepState.UNDONE for step in self.steps)

    def boxes(self) -> list[Box]:
        """The boxes of the picture, in its order."""
        return [box for column in self.columns for box in column.boxes]

    def marks(self) -> dict[str, Marks]:
        """By the key of a box, what is told of it beside the trace."""
        overruled = {
            subject.name
            for subject, kept in self.said.items()
            if subject.type == "transaction" and any(each.claim.kind == OVERRULE.name for each in kept)
        }
        found = {}
        for box in self.boxes():
            subject = Subject("address", self.chain, box.address)
            kinds = [each.claim.kind for each in self.said.get(subject, ())] if box.address else []
            marks = Marks(
                notes=kinds.count(NOTE),
                tags=kinds.count(TAG),
                overruled=box.key.partition(":")[0] in overruled,
                watched=bool(box.address) and subject in self.watched,
            )
            if marks != Marks():
                found[box.key] = marks
        return found


def chain_id(body: Mapping[str, Any]) -> str:
    """CAIP-2 id of the chain of a trace."""
    return by_name(body["network"]).caip2


def open_sheet(node: Node, identity: Identity, act: str, file_id: str, words: Words = ENGLISH) -> Sheet:
    """One's own sheet on a trace.

    Raises:
        NotFound: No such trace that whoever asks may see.
        BadText: The trace is of a form that this version cannot draw.
    """
    with node.store.look(identity, act, file=file_id) as work:
        return sheet_in(node, work, file_id, words)


def sheet_in(node: Node, work: Work, file_id: str, words: Words = ENGLISH, *, only: str = "") -> Sheet:
    """`open_sheet`, within an act that is under way; with a key, what is said of that one thing `only`."""
    trace = node.frozen.open(work, file_id)
    steps = work.sheets.steps(file_id) if work.identity.person else []
    arrangement = arranged(step.body for step in steps if step.state is StepState.DONE)
    columns = columns_of(node, trace, arrangement, words)
    shown = columns if not only else around(columns, only)
    subjects = subjects_in(shown, chain_id(trace.body))
    said = {subject: stand for subject, stand in said_of(work, subjects).items() if stand}
    return Sheet(trace, steps, arrangement, columns, said, work.watches.about(subjects))


def columns_of(node: Node, trace: Frozen, arrangement: Arrangement, words: Words) -> Sequence[Column]:
    """The picture of a trace, laid out; the same one for the same question.

    Raises:
        BadText: The trace is of a form that this version cannot draw.
    """

    def make() -> Sequence[Column]:
        try:
            return lay_out(trace.body, arrangement, words=words)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            raise BadText("that trace is of a form that this version cannot draw", hint="trace again") from None

    return node.pictures.get((trace.file.sha256, arrangement, words.language), make)


def around(columns: Sequence[Column], key: str) -> list[Column]:
    """Of a picture, what one thing in it is: its box alone in its column, or its transaction; nothing where it is not there."""
    for column in columns:
        if key.partition(":")[2] in column.txids:
            return [replace(column, boxes=[])]
        for box in column.boxes:
            if key == box.key or key in box.members:
                return [replace(column, boxes=[box])]
    return []


def subjects_in(columns: Sequence[Column], chain: str) -> list[Subject]:
    """What a picture shows that something may be said of: addresses, and transactions that have a column each."""
    addresses = {box.address for column in columns for box in column.boxes if box.address}
    transactions = {column.txids[0] for column in columns if len(column.txids) == 1}
    return [
        *(Subject("address", chain, name) for name in sorted(addresses)),
        *(Subject("transaction", chain, name) for name in sorted(transactions)),
    ]


def said_of(work: Work, subjects: Sequence[Subject]) -> dict[Subject, list[Kept]]:
    """By subject, the claims that stand, in the order of arrival."""
    found = work.claims.find_many(list(subjects)) if subjects else {}
    stand: dict[Subject, list[Kept]] = {}
    for subject, kept in found.items():
        states = states_of(kept, work.now)
        stand[subject] = [each for each in kept if states.get(each.id) is State.STANDS]
    return stand
