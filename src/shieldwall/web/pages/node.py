"""Node: its chain stores, tag sets, people, keys, jobs, audit log and health; what is old says so."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Permission
from shieldwall.node.desk import CHAIN_OLD, TAGS_OLD
from shieldwall.node.node import Node
from shieldwall.web.pages.door import Pages
from shieldwall.web.pages.rendering import page
from shieldwall.web.routes.files import file_answer
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Digest, Id

pages = Pages("node")

MOST = 100
_SECOND = 1_000_000


@pages.get("/node", Rule("node.status", kinds=PEOPLE))
def show_node(node: NodeHere, caller: CallerHere, request: Request) -> Response:
    """How the node stands, as far as whoever asks may know."""
    identity = caller.identity
    with node.store.look(identity, caller.act) as work:
        head, roots, now = work.audit.head(), work.audit.roots(), work.now
        oversees = identity.may(Permission.MANAGE) or identity.may(Permission.AUDIT)
        people = sorted(work.people.page(most=MOST), key=lambda one: one.name.casefold()) if oversees else []
        groups = work.people.groups()
        load = work.jobs.load(most=MOST) if identity.may(Permission.MANAGE) else []
        names = work.people.names(one.owner for one in load)
        reads = identity.may(Permission.READ)
        sets = node.tag_sets(identity).dated_in(work) if reads else ()
    return page(
        request,
        "node",
        caller,
        oversees=oversees,
        reads=reads,
        audits=identity.may(Permission.AUDIT),
        manages=identity.may(Permission.MANAGE),
        chains=chains_of(node, now // _SECOND),
        sets=[(info, came, handling, (now - came) // _SECOND) for info, came, handling in sets],
        tags_old=TAGS_OLD,
        chain_old=CHAIN_OLD,
        people=people,
        groups=groups,
        load=load,
        names=names,
        head=head,
        root=roots[-1] if roots else None,
        problems=dict(node.problems),
        keys_document=node.keys().identity.as_dict(),
        fingerprint=node.keys().public.spoken,
        clock_back=max(0, head.at - node.store.clock()) // _SECOND,
        directory=node.directory.dated,
        now=now,
    )


def chains_of(node: Node, now: int) -> list[dict[str, Any]]:
    """The chain stores, and how far behind the clock each ends."""
    found = []
    for name, shelf in node.chains.there().items():
        with shelf.open() as chain:
            layer = shelf.layer()
            found.append(
                {
                    "network": name,
                    "coin": chain.network.coin,
                    "tip_height": chain.tip_height,
                    "tip_hash": chain.tip_hash,
                    "tip_time": chain.tip_time,
                    "blocks": chain.rows("block"),
                    "transactions": chain.rows("tx"),
                    "outputs": chain.rows("output"),
                    "digest": chain.digest,
                    "age": None if chain.tip_time is None else now - chain.tip_time,
                    "waiting": None if layer is None else len(layer.transactions),
                }
            )
    return found


@pages.get("/node/audit", Rule("audit.read", Permission.AUDIT, PEOPLE))
def show_audit(
    node: NodeHere, caller: CallerHere, request: Request, before: Annotated[int, Query(ge=0, lt=1 << 60)] = 0
) -> Response:
    """The audit log, the newest entry first."""
    with node.store.look(caller.identity, caller.act) as work:
        size = work.audit.head().frontier.size
        stop = min(before or size, size)
        start = max(0, stop - MOST)
        leaves = list(work.audit.leaves(start, stop))[::-1]
    return page(request, "audit", caller, leaves=leaves, size=size, start=start)


@pages.get("/claims", Rule("claim.find", Permission.READ, PEOPLE))
def list_claims(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    kind: Annotated[str, Query(max_length=40)] = "note",
) -> Response:
    """The newest claims of a kind."""
    from shieldwall.node.kinds import kinds  # noqa: PLC0415

    with node.store.look(caller.identity, caller.act) as work:
        found = work.claims.newest(kind=kind, most=MOST)
    return page(request, "claims", caller, claims=found, chosen=kind, kinds=sorted(kinds()), most=MOST)


@pages.get("/claims/{claim_id}", Rule("claim.show", Permission.READ, PEOPLE))
def show_claim(node: NodeHere, caller: CallerHere, request: Request, claim_id: Annotated[Digest, Path()]) -> Response:
    """One claim, whole."""
    with node.store.look(caller.identity, caller.act, claim=claim_id) as work:
        kept = work.claims.get(claim_id)
    return page(request, "claim", caller, kept=kept)


@pages.get("/files/{file_id}", Rule("file.show", Permission.READ, PEOPLE))
def show_file(node: NodeHere, caller: CallerHere, request: Request, file_id: Annotated[Id, Path()]) -> Response:
    """What is known of a file."""
    with node.store.look(caller.identity, caller.act, file=file_id) as work:
        file = work.files.get(file_id)
        case = None if file.handling.case is None else work.cases.get(file.handling.case)
    return page(request, "file", caller, file=file, case=case)


@pages.get("/files/{file_id}/content", Rule("file.export", Permission.READ, PEOPLE, confirm=True))
def save_file(node: NodeHere, caller: CallerHere, file_id: Annotated[Id, Path()]) -> Response:
    """A file, to be saved under its name: it is never shown in a page of this node."""
    return file_answer(node, caller, file_id)
