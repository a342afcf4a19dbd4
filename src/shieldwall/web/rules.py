"""What each route asks of whoever comes: the rule, and the one place where it is enforced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from shieldwall.errors import NotAllowed, NotSignedIn, Refused
from shieldwall.model.access import Identity, Kind, Permission
from shieldwall.node.node import Node
from shieldwall.store.sessions import Session

PEOPLE = frozenset((Kind.PERSON,))
ALL = frozenset((Kind.PERSON, Kind.TOKEN))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks of whoever comes.

    Attributes:
        act: What the audit log calls it, as in claim.find.
        needs: The permission, or several of which one is enough; None where being signed in is enough.
        kinds: Who may come: people, and tokens where a machine has business there. Empty for anyone at all, signed in or not.
        confirm: A person must have shown a passkey within the last minutes.
        secret: The answer holds a secret that is shown once, so it is not kept for a repetition.
    """

    act: str
    needs: Permission | tuple[Permission, ...] | None = None
    kinds: frozenset[Kind] = ALL
    confirm: bool = False
    secret: bool = False

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """The permissions of which one is enough; none where being signed in is."""
        needs = self.needs
        return () if needs is None else (needs,) if isinstance(needs, Permission) else needs

    def admits(self, identity: Identity) -> bool:
        """Whether someone may come in here, apart from showing a passkey again."""
        wanted = self.permissions
        return identity.kind in self.kinds and (not wanted or any(identity.may(one) for one in wanted))

    @property
    def words(self) -> str:
        """The rule in a line, for the table of all routes."""
        if not self.kinds:
            return "open"
        need = " or ".join(permission.value for permission in self.permissions) or "signed in"
        return f"{need}; {', '.join(sorted(self.kinds))}" + ("; passkey again" if self.confirm else "")


OPEN = frozenset[Kind]()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever came through the door: who, by which session (None: by a token), from where, for which act."""

    identity: Identity
    session: Session | None
    client: str
    act: str


RULES: dict[Callable[..., Any], Rule] = {}
"""The rule of every endpoint that `Routes` has made a route of; a `DoorRoute` of any other does not come into being."""


def node_of(request: Request) -> Node:
    """The node that a request came to."""
    node: Node = request.app.state.node
    return node


def client_of(request: Request) -> str:
    """The address of whoever sent a request, as the server saw it."""
    return request.client.host if request.client else ""


def caller_of(request: Request) -> Caller:
    """Whoever came through the door of this route.

    Raises:
        NotSignedIn: The route is open, and nobody did.
    """
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise NotSignedIn("nobody is signed in", hint="sign in first")
    return caller


def guard(request: Request, rule: Rule) -> None:
    """Let a request through a route with a rule, or not; whoever came is then known to `caller_of`.

    Raises:
        Refused: Of any kind; recorded in the audit log where it is known who came.
    """
    node, client = node_of(request), client_of(request)
    if not rule.kinds:
        node.doors.gate.look(client)  # before the body is read; the ceremonies behind open routes count by themselves
        return
    identity, session = _who(request, node, client)
    _must(node, rule, identity, session)
    request.state.caller = Caller(identity, session, client, rule.act)


def again_of(request: Request) -> Callable[[], Identity]:
    """Tells who came with a request, with the rights of now; for answers that go on for longer than a moment."""
    node, caller = node_of(request), caller_of(request)
    session = caller.session
    if session is not None:
        return lambda: node.doors.still(session)
    text = request.headers.get("authorization", "").partition(" ")[2].strip()
    return lambda: node.doors.token(text, client=caller.client)


def _who(request: Request, node: Node, client: str) -> tuple[Identity, Session | None]:
    authorization = request.headers.get("authorization", "")
    if authorization:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("only bearer tokens are taken", hint="send Authorization: Bearer TOKEN")
        return node.doors.token(text.strip(), client=client), None
    secret = request.cookies.get(node.cookie)
    if not secret:
        raise NotSignedIn("nobody is signed in", hint="sign in, or send a token: Authorization: Bearer TOKEN")
    _same_origin(request, node)
    session, identity = node.doors.session(secret, client=client)
    return identity, session


def _same_origin(request: Request, node: Node) -> None:
    """A browser sends a session along whichever page asks; so a write must say that it comes from one of ours.

    Raises:
        NotAllowed: It comes from elsewhere, or does not say.
    """
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin")
    if origin is None and request.headers.get("sec-fetch-site") == "same-origin":
        return
    if origin not in node.origins:
        raise NotAllowed("a write with a session must come from this node's own pages", hint="send the header Origin")


def _must(node: Node, rule: Rule, identity: Identity, session: Session | None) -> None:
    """Hold whoever came to the rule, and record a refusal.

    Raises:
        NotAllowed: They may not.
        ConfirmFirst: They may, after a ceremony with a passkey.
    """
    try:
        if identity.kind not in rule.kinds:
            raise NotAllowed("that is not for machines: a person must sign in")
        if not rule.admits(identity):
            raise NotAllowed(f"that needs the permission to {' or '.join(rule.permissions)}")
        if rule.confirm and session is not None:
            node.doors.must_confirm(session)
    except Refused as error:
        node.store.record(identity, rule.act, "refused", error=type(error).__name__)
        raise


# these two look up what is there already: as coroutines they cost no turn of a thread
async def known_caller(request: Request) -> Caller:
    """Dependency: the caller."""
    return caller_of(request)


async def known_node(request: Request) -> Node:
    """Dependency: the node."""
    return node_of(request)


CallerHere = Annotated[Caller, Depends(known_caller)]
NodeHere = Annotated[Node, Depends(known_node)]
