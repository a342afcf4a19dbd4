"""What somebody asks for on a sheet, and what that means for the picture that they see. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.errors import BadInput, Conflict, NotFound
from shieldwall.model.transaction import TXID
from shieldwall.trace.arrangement import BOXES, COLLAPSE, EXPAND, LEAST, PIN, UNFOLD, UNPIN, Arrangement
from shieldwall.trace.layout import Box, Column

NOTE, TAG, OVERRULE, WATCH = "note", "tag", "overrule", "watch"
SAID = (NOTE, TAG, OVERRULE)
"""Steps that say something to others: each is a claim."""

STEPS = (EXPAND, COLLAPSE, PIN, UNPIN, LEAST, BOXES, *SAID, WATCH)
"""Every kind of step that one may ask for."""

AT_ONCE = 24  # boxes that one step opens
TRANSACTION, RUN = "tx:", "run:"
"""What the key of a transaction, or of a folded run, begins with; the key of a box is an outpoint or the name of a sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One step, as it is asked for.

    Attributes:
        kind: One of `STEPS`.
        key: What it is about: the key of a box in the picture, `tx:TXID`, or `run:TXID`; "" for the whole picture.
        value: Of least (satoshi) and boxes; of overrule the output that is change, None for none.
        text: Of a note; of an overrule why.
        label: Of a tag.
        category: Of a tag; "" for none.
    """

    kind: str
    key: str = ""
    value: int | None = None
    text: str = ""
    label: str = ""
    category: str = ""


def box_named(columns: Sequence[Column], key: str) -> Box:
    """The box of a picture with a key, or the one that stands for an outpoint.

    Raises:
        NotFound: None.
    """
    boxes = [box for column in columns for box in column.boxes]
    for box in boxes:
        if box.key == key:
            return box
    for box in boxes:
        if key in box.members:
            return box
    raise NotFound("there is no such box in this picture", hint="it may be folded away: look at the sheet again")


def arranging(asked: Asked, columns: Sequence[Column], arrangement: Arrangement) -> Mapping[str, Any]:
    """A step on the arrangement, with what it means for the picture that is shown.

    Raises:
        BadInput: A value is missing.
        NotFound: No such box.
        Conflict: There is nothing to open or fold there.
    """
    if asked.kind in (LEAST, BOXES):
        if asked.value is None or asked.value < 0:
            raise BadInput(f"{asked.kind} needs a value")
        return {"kind": asked.kind, "value": asked.value}
    if asked.key.startswith(RUN):
        if asked.kind != EXPAND:
            raise Conflict("a peel chain can only be opened", hint="take the step back to fold it again")
        txid = asked.key.removeprefix(RUN)
        if not any(column.run is not None and column.run.transfers[0]["txid"] == txid for column in columns):
            raise NotFound(
                "there is no such peel chain in this picture", hint="it may be open: look at the sheet again"
            )
        return _unfold(txid)
    if asked.key.startswith(TRANSACTION) and asked.kind == EXPAND:
        return _expand_column(asked.key, columns)
    box = box_named(columns, asked.key)
    if box.kind == "others" and asked.kind == PIN:
        raise Conflict("that is a sum of several", hint="open it first, and pin one of them")
    match asked.kind:
        case "expand":
            return _expand(box, columns, arrangement)
        case "collapse":
            if not any(key == box.key for column in columns for key, _ in column.incoming):
                raise Conflict("the money stays there: nothing is behind it that could be folded")
            return {"kind": COLLAPSE, "key": box.key, "keys": list(box.stands_for)}
        case _:
            return {"kind": asked.kind, "key": box.key, "keys": list(box.stands_for[:1])}


def _expand(box: Box, columns: Sequence[Column], arrangement: Arrangement) -> Mapping[str, Any]:
    closed = sorted(arrangement.closed.intersection(box.stands_for))
    if closed:
        return {"kind": EXPAND, "key": box.key, "from": closed, "keys": []}
    if box.kind == "others":
        return {"kind": EXPAND, "key": box.key, "keys": list(box.members[:AT_ONCE])}
    for column in columns:
        if any(key == box.key for key, _ in column.incoming):
            if column.run is not None:
                return _unfold(column.run.transfers[0]["txid"])
            hidden = [key for each in column.boxes if each.kind == "others" for key in each.members]
            if hidden:
                return {"kind": EXPAND, "key": box.key, "keys": hidden[:AT_ONCE]}
    raise Conflict("nothing is folded behind it", hint="money that a limit stopped is followed by a trace from there")


def _expand_column(key: str, columns: Sequence[Column]) -> Mapping[str, Any]:
    """What a transaction paid that is summed."""
    txid = key.removeprefix(TRANSACTION)
    hidden = [
        outpoint
        for column in columns
        if txid in column.txids
        for box in column.boxes
        if box.kind == "others"
        for outpoint in box.members
    ]
    if not hidden:
        raise Conflict("all that this transaction paid is shown already")
    return {"kind": EXPAND, "key": key, "keys": hidden[:AT_ONCE]}


def _unfold(txid: str) -> Mapping[str, Any]:
    return {"kind": UNFOLD, "key": RUN + txid, "keys": [txid]}


def subject_of(asked: Asked, columns: Sequence[Column]) -> tuple[str, str]:
    """What a note, tag, overrule or watch is about: type and name of a subject.

    Raises:
        NotFound: No such box.
        BadInput: A sum is no subject, or an overrule needs a transaction.
    """
    if asked.key.startswith(TRANSACTION):
        txid = asked.key.removeprefix(TRANSACTION)
        if not TXID.fullmatch(txid):
            raise NotFound("there is no such transaction")
        return "transaction", txid.lower()
    if asked.kind == OVERRULE:
        raise BadInput("change is said of a transaction", hint="choose the transaction")
    box = box_named(columns, asked.key)
    if not box.address:
        raise BadInput("that is a sum of several, not one address", hint="open it first")
    return "address", box.address
