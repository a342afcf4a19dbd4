"""Saved sheets: frozen, with their picture, and the same forever."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Path, Request, Response

from shieldwall.errors import Tampered
from shieldwall.model.access import Permission
from shieldwall.trace.coin import coin_of
from shieldwall.web.pages.door import Pages
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("saved")


@pages.get("/sheets/{sheet_id}", Rule("sheet.open", Permission.READ, PEOPLE))
def show_saved(node: NodeHere, caller: CallerHere, request: Request, sheet_id: Annotated[Id, Path()]) -> Response:
    """A saved sheet, as it was."""
    with node.store.look(caller.identity, caller.act, file=sheet_id) as work:
        found = node.frozen.open(work, sheet_id, "sheet")
    body = found.body
    if hashlib.sha256(body["picture"].encode()).hexdigest() != body["picture_sha256"]:
        raise Tampered("the picture of that sheet is not what was saved", hint="shieldwall node check")
    return page(request, "saved", caller, file=found.file, body=body, coin=coin_of(body))
