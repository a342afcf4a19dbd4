"""The node itself: whether it answers, how it stands, its keys; and the one box that finds anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from shieldwall import __version__
from shieldwall.model.access import Permission
from shieldwall.node.identity import rotate_keys
from shieldwall.node.search import find
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.routes.chain import chain_shape
from shieldwall.web.rules import OPEN, PEOPLE, CallerHere, NodeHere, Rule, client_of
from shieldwall.web.shapes.node import Document, Health, Hit, Hits, Status

routes = Routes("node")


@routes.get("/health", Rule("node.health", kinds=OPEN))
def health(node: NodeHere, request: Request) -> Health:
    """That the node answers."""
    node.doors.stranger(client_of(request))
    return Health(ok=True, version=__version__)


@routes.get("/status", Rule("node.status", (Permission.MANAGE, Permission.AUDIT, Permission.READ)))
def status(node: NodeHere, caller: CallerHere) -> Status:
    """How the node stands: its log, its chain stores, what fails in the background."""
    with node.store.look(caller.identity, caller.act) as work:
        head = work.audit.head()
    oversees = caller.identity.may(Permission.MANAGE) or caller.identity.may(Permission.AUDIT)
    shapes = {}
    for network in node.chains.networks():
        with node.chain(network) as chain:
            shapes[network] = chain_shape(chain)
    return Status(
        version=__version__,
        name=node.config.name,
        fingerprint=node.keys().public.spoken,
        leaves=head.frontier.size,
        last_leaf=moment(head.at),
        clock_back_seconds=max(0, head.at - node.store.clock()) // 1_000_000,
        chain=shapes.get(node.chains.first.network()),
        chains=list(shapes.values()),
        problems=sorted(f"{name}: {text}" if oversees else name for name, text in node.problems.items()),
    )


@routes.get("/keys", Rule("node-key.show"))
def show_keys(node: NodeHere, caller: CallerHere) -> Document:
    """The node's public keys, each certified by the one before (docs/spec/node-keys.md)."""
    node.store.record(caller.identity, caller.act)
    return Document(document=node.keys().identity.as_dict())


@routes.post("/keys/rotation", Rule("node-key.rotate", Permission.MANAGE, PEOPLE, confirm=True), status_code=201)
def rotate(node: NodeHere, caller: CallerHere) -> Document:
    """Put new keys in the place of those in use, certified by them."""
    rotate_keys(node.store, caller.identity, node.keys())
    return Document(document=node.keys().identity.as_dict())


@routes.get("/search", Rule("search", Permission.READ))
def search(
    node: NodeHere, caller: CallerHere, q: Annotated[str, Query(min_length=1, max_length=2000, description="Anything.")]
) -> Hits:
    """Whatever a text names that this node knows and whoever asks may see: addresses, transactions, cases, files, claims."""
    found = find(node, caller.identity, caller.act, q)
    return Hits(hits=[Hit(kind=one.kind, id=one.id, title=one.title) for one in found])
