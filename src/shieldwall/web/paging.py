"""Cursors: where a list goes on, sealed, so that a place in it tells nothing of what lies between."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Query

from shieldwall.errors import BadInput, ShieldwallError
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.node.node import Node
from shieldwall.web.rules import Caller

MOST = 200
"""Entries of one page."""

_LONGEST = 1000  # characters of a cursor

Cursor = Annotated[str, Query(max_length=_LONGEST, description="Where to go on: `next` of the page before.")]
Most = Annotated[int, Query(ge=1, le=MOST, description="At most so many entries.")]


def seal_cursor(node: Node, caller: Caller, place: Any) -> str:  # noqa: ANN401 - any JSON value
    """The cursor to a place in the list of this act, for this caller only."""
    sealed = node.store.secrets.envelope.seal("cursor", caller.act, caller.identity.person, canonical_json(place))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_cursor(node: Node, caller: Caller, cursor: str) -> Any:  # noqa: ANN401 - any JSON value
    """The place that a cursor names; None for "", the beginning.

    Raises:
        BadInput: It is none of this node's for this caller and this list.
    """
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor[:_LONGEST].encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
        return parse_json(node.store.secrets.envelope.open("cursor", caller.act, caller.identity.person, raw), "cursor")
    except (ValueError, ShieldwallError):
        raise BadInput("that cursor is none of this list", hint="begin without one, and go on with `next`") from None
