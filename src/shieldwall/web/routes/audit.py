"""The audit log: read, proven, verified; for auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request

from shieldwall.model.access import Permission
from shieldwall.model.strictjson import parse_json
from shieldwall.node.auditing import Verified, verify_log
from shieldwall.node.proofs import prove
from shieldwall.web.door import Routes
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.audit import Checked, LeafShape, Leaves, RootShape
from shieldwall.web.shapes.node import Document
from shieldwall.web.threads import at_length

routes = Routes("audit")


@routes.get("/audit", Rule("audit.read", Permission.AUDIT))
def read_audit(
    node: NodeHere,
    caller: CallerHere,
    cursor: Cursor = "",
    newest: Annotated[bool, Query(description="Begin with the last leaves instead of the first.")] = False,
    most: Most = 100,
) -> Leaves:
    """Leaves of the audit log, the oldest first."""
    first = open_cursor(node, caller, cursor)
    with node.store.look(caller.identity, caller.act) as work:
        size = work.audit.head().frontier.size
        begin = max(0, size - most) if first is None and newest else first or 0
        found = list(work.audit.leaves(begin, begin + most))
        work.note(first=begin, leaves=len(found))
    following = seal_cursor(node, caller, begin + len(found)) if begin + len(found) < size else None
    shapes = [LeafShape(number=one.number, entry=one.entry, leaf=one.leaf.hex(), root=one.root.hex()) for one in found]
    return Leaves(leaves=shapes, next=following)


@routes.get("/audit/root", Rule("audit.root", Permission.AUDIT))
def sign_root(node: NodeHere, caller: CallerHere) -> RootShape:
    """Where the log stands, signed now; keep it elsewhere, and hold the log to it later."""
    node.store.record(caller.identity, caller.act)
    root = node.home.witness.sign(caller.identity)
    return RootShape(line=parse_json(root.to_line(), "root"))


@routes.get("/audit/proof/{number}", Rule("audit.prove", Permission.AUDIT))
def prove_leaf(
    node: NodeHere, caller: CallerHere, number: Annotated[int, Path(ge=0, lt=2**62, description="Of the leaf, from 0.")]
) -> Document:
    """That a leaf stands in the log: its entry, and the hashes up to a signed root; to be verified without the node."""
    node.store.record(caller.identity, caller.act, leaf=number)
    return Document(document=prove(node.store, caller.identity, number, node.home.witness.sign(caller.identity)))


@routes.post("/audit/verification", Rule("audit.verify", Permission.AUDIT, PEOPLE))
async def verify_audit(node: NodeHere, caller: CallerHere, request: Request) -> Checked:
    """Recompute the whole log, and hold it to every signed root."""

    def verify() -> Verified:
        node.store.record(caller.identity, caller.act)
        return verify_log(node.store, caller.identity, node.keys().identity, node.home.exported)

    found = await at_length(request, verify)
    return Checked(
        leaves=found.size,
        root=found.root.hex(),
        kept_roots=found.kept,
        exported_roots=found.exported,
        accepted=list(found.accepted),
        problems=[finding.text for finding in found.findings],
    )
