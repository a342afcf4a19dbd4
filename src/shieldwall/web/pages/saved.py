"""Saved sheets: frozen, with their picture, and the same forever."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Request, Response

from shieldwall.errors import NotFound, Tampered
from shieldwall.model.access import Permission
from shieldwall.node.sheets.frozen import Frozen
from shieldwall.trace.coin import coin_of
from shieldwall.web.pages.door import Pages
from shieldwall.web.pages.rendering import page
from shieldwall.web.pages.sheets import ends_of
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

pages = Pages("saved")


@pages.get("/sheets/{sheet_id}", Rule("sheet.open", Permission.READ, PEOPLE))
def show_saved(node: NodeHere, caller: CallerHere, request: Request, sheet_id: Annotated[Id, Path()]) -> Response:
    """A saved sheet, as it was."""
    with node.store.look(caller.identity, caller.act, file=sheet_id) as work:
        found = node.frozen.open(work, sheet_id, "sheet")
        body, trace = found.body, _trace_of(node, work, found)
    if hashlib.sha256(body["picture"].encode()).hexdigest() != body["picture_sha256"]:
        raise Tampered("the picture of that sheet is not what was saved", hint="shieldwall node check")
    ends = None if trace is None else ends_of(request, trace)
    return page(request, "saved", caller, file=found.file, body=body, coin=coin_of(body), ends=ends)


def _trace_of(node: Node, work: Work, sheet: Frozen) -> Frozen | None:
    """The trace that a saved sheet is of; None where whoever asks may not see it.

    Raises:
        Tampered: It is another than the one that was saved.
    """
    try:
        trace = node.frozen.open(work, sheet.body["trace"]["file"])
    except NotFound:
        return None
    if trace.file.sha256 != sheet.body["trace"]["sha256"]:
        raise Tampered("the trace of that sheet is not the one that was saved", hint="shieldwall node check")
    return trace
