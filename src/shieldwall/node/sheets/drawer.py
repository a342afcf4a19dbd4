"""What is said of one box or transaction of a sheet: the raw transaction and its proof, tags with their sources, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shieldwall.chain.records import transaction_record
from shieldwall.errors import NotFound, ShieldwallError
from shieldwall.intel import freezable_by, know
from shieldwall.model.access import Permission
from shieldwall.model.claim import Subject
from shieldwall.node.sheets.asking import RUN, TRANSACTION, box_named
from shieldwall.node.sheets.change import change_of, overrule_on
from shieldwall.node.sheets.sheet import Sheet, sheet_in
from shieldwall.store.claims import Kept
from shieldwall.trace.layout import Box, Column

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore
    from shieldwall.model.access import Identity
    from shieldwall.model.words import Words
    from shieldwall.node.node import Node
    from shieldwall.store.watches import Watch
    from shieldwall.store.work import Work
    from shieldwall.trace.change.decide import ChangeVerdict

MOST_MEMBERS = 200
"""Rows that a sum opens into; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    """What is known of one thing in a picture.

    Attributes:
        key: Of it.
        box: The box; None for a transaction or a run.
        column: Where it stands.
        subject: What something may be said of; None for a sum or a run.
        end: The end of the trace that the box is part of, as it was frozen; None for money that went on.
        outputs: Of that end, the outputs that the box stands for.
        transfer: The step of the trace, of a box that which made it; None for none.
        record: The transaction as the chain store holds it now; None where it does not.
        why_not: Why there is no record; "" where there is.
        change: Which of its outputs is change; None where that cannot be asked.
        known: What the tag sets say today, where they may be read; None for a transaction.
        freezers: Who can freeze, by today's tags and directory.
        said: What stands of what was said of it, in the order of arrival.
        watches: Who watches it.
        members: Of a sum, (outpoint, address, satoshi), the largest first.
        left: Of how many more, and how much they are.
    """

    key: str
    box: Box | None
    column: Column
    subject: Subject | None
    end: Mapping[str, Any] | None = None
    outputs: Sequence[Mapping[str, Any]] = ()
    transfer: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None
    why_not: str = ""
    change: ChangeVerdict | None = None
    known: Mapping[str, Any] | None = None
    freezers: Sequence[Mapping[str, Any]] = ()
    said: Sequence[Kept] = ()
    watches: Sequence[Watch] = ()
    members: Sequence[tuple[str, str, int]] = field(default_factory=tuple)
    left: tuple[int, int] = (0, 0)

    @property
    def is_sum(self) -> bool:
        """Whether it stands for several things that are not told apart."""
        return self.box is not None and self.box.kind == "others"

    @property
    def is_run(self) -> bool:
        """Whether it is a folded run."""
        return self.key.startswith(RUN)


def open_drawer(node: Node, identity: Identity, act: str, file_id: str, key: str, words: Words) -> tuple[Sheet, Drawer]:
    """A sheet, and what is said of one thing on it.

    Raises:
        NotFound: No such trace, or nothing of that key in its picture.
    """
    with node.store.look(identity, act, file=file_id) as work:
        work.must(Permission.READ)
        sheet = sheet_in(node, work, file_id, words, only=key)
        return sheet, drawer_in(node, work, sheet, key)


def drawer_in(node: Node, work: Work, sheet: Sheet, key: str) -> Drawer:
    """`open_drawer`, within an act that is under way."""
    if key.startswith((TRANSACTION, RUN)):
        return _of_transaction(node, work, sheet, key)
    box = box_named(sheet.columns, key)
    column = next(column for column in sheet.columns if box in column.boxes)
    if box.kind == "others":
        members, left = _members(sheet.body, box)
        return Drawer(key=box.key, box=box, column=column, subject=None, members=members, left=left)
    subject = Subject("address", sheet.chain, box.address) if box.address else None
    end, outputs = _end(sheet.body, box)
    txid = box.stands_for[0].partition(":")[0]
    record, why_not, change = _chain_says(node, work, sheet, txid)
    known, freezers = (None, []) if subject is None else _known(node, work, subject)
    return Drawer(
        key=box.key,
        box=box,
        column=column,
        subject=subject,
        end=end,
        outputs=outputs,
        transfer=_transfer(sheet.body, txid),
        record=record,
        why_not=why_not,
        change=change,
        known=known,
        freezers=freezers,
        said=() if subject is None else _own(sheet.said.get(subject, ())),
        watches=() if subject is None else sheet.watched.get(subject, ()),
    )


def _of_transaction(node: Node, work: Work, sheet: Sheet, key: str) -> Drawer:
    txid = key.partition(":")[2]
    column = next((column for column in sheet.columns if txid in column.txids), None)
    if column is None:
        raise NotFound("there is no such transaction in this picture")
    record, why_not, change = _chain_says(node, work, sheet, txid)
    subject = None if key.startswith(RUN) else Subject("transaction", sheet.chain, txid)
    return Drawer(
        key=key,
        box=None,
        column=column,
        subject=subject,
        transfer=_transfer(sheet.body, txid),
        record=record,
        why_not=why_not,
        change=change,
        said=() if subject is None else _own(sheet.said.get(subject, ())),
    )


def _own(said: Sequence[Kept]) -> list[Kept]:
    """What people said, without tags, which `known` tells merged, and without the traces themselves."""
    return [kept for kept in said if kept.claim.kind not in ("tag", "trace", "sheet")]


def _transfer(body: Mapping[str, Any], txid: str) -> Mapping[str, Any] | None:
    return next((transfer for transfer in body["transfers"] if transfer["txid"] == txid), None)


def _end(body: Mapping[str, Any], box: Box) -> tuple[Mapping[str, Any] | None, list[Mapping[str, Any]]]:
    """The end that a box is part of, and which of its outputs it stands for."""
    own = set(box.stands_for)
    for end in body["ends"]:
        outputs = [each for each in end["outputs"] if f"{each['txid']}:{each['index']}" in own]
        if outputs:
            return end, outputs
    return None, []


def _members(body: Mapping[str, Any], box: Box) -> tuple[list[tuple[str, str, int]], tuple[int, int]]:
    told = {
        f"{transfer['txid']}:{entry['index']}": (entry["address"] or "", entry["amount"])
        for transfer in body["transfers"]
        for entry in transfer["outputs"]
    }
    for end in body["ends"]:
        for output in end["outputs"]:
            told[f"{output['txid']}:{output['index']}"] = (end["address"] or "", output["amount"])
    rows = [(key, *told.get(key, ("", 0))) for key in box.members]
    shown, rest = rows[:MOST_MEMBERS], rows[MOST_MEMBERS:]
    return shown, (len(rest), box.amount - sum(amount for _, _, amount in shown))


def _chain_says(
    node: Node, work: Work, sheet: Sheet, txid: str
) -> tuple[Mapping[str, Any] | None, str, ChangeVerdict | None]:
    network = str(sheet.body["network"])
    try:
        shelf = node.chains.shelf(network)
        stamp = (network, shelf.stamp(), shelf.layer_stamp(), txid)
        with shelf.open() as chain:
            record = node.records.get(stamp, lambda: transaction_record(chain, txid, shelf.layer()))
            return record, "", _change(node, work, chain, stamp, txid)
    except ShieldwallError as error:
        return None, error.message, None


def _change(node: Node, work: Work, chain: ChainStore, stamp: object, txid: str) -> ChangeVerdict | None:
    overruled = overrule_on(work, chain, txid)
    try:
        question = (stamp, overruled.claim.id if overruled else "")
        return node.changes.get(question, lambda: change_of(chain, txid, overruled))
    except ShieldwallError:  # a transaction that no rule fits, or an overrule of an output that there is not
        return None


def _known(node: Node, work: Work, subject: Subject) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    found = node.known_tags(work.identity).lookup([subject])
    known = know(subject, found.get(subject, ()))
    freezers = freezable_by(known.tags, node.directory).freezers
    return known.as_dict(), [freezer.as_dict() for freezer in freezers]
