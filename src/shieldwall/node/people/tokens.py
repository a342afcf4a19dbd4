"""Tokens of machines: they act for a person, within a scope, up to a marking, until a day; never for more than the person may.

A token is `sw_`, its id, `_`, and 256 random bits, so that whoever finds one in a file knows what it is, and which.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shieldwall.errors import NotAllowed, NotFound, NotSignedIn, UsageError
from shieldwall.model.access import Identity, Kind, Permission
from shieldwall.model.marking import Marking
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.limits import DOORS, Gate
from shieldwall.node.people.sessions import SessionDoor, Signed
from shieldwall.store.credentials import hash_of
from shieldwall.store.ids import new_id
from shieldwall.store.people import checked_name
from shieldwall.store.sessions import Token, due

if TYPE_CHECKING:
    from shieldwall.store.engine import Store

SCOPES = frozenset((Permission.READ, Permission.WRITE, Permission.AUDIT))
"""What a token can be for. Nobody approves or manages by one."""

HIGHEST = Marking.AMBER_STRICT
"""TLP:RED is for the eyes of those who are named, and a machine has none."""

_SECOND = 1_000_000
_FORM = re.compile(r"sw_([0-9a-f]{32})_([0-9a-f]{64})")


class TokenDoor:
    """Tokens.

    Args:
        store: Where they are.
        config: How long they may last.
        gate: Limits and bans.
        sessions: Says who confirmed what they do.
    """

    def __init__(self, store: Store, config: PeopleConfig, gate: Gate, sessions: SessionDoor) -> None:
        self._store = store
        self._config = config
        self._gate = gate
        self._sessions = sessions

    def issue(
        self,
        identity: Identity,
        name: str,
        *,
        scopes: Iterable[Permission],
        highest: Marking,
        seconds: int,
        person: str = "",
        signed: Signed | None = None,
    ) -> tuple[str, Token]:
        """Issue a token.

        Args:
            identity: Whoever asks, for themselves; the command line for anyone.
            name: What it is called.
            scopes: Out of `SCOPES`, and of what the person may do.
            highest: The highest marking that it may see, at most `HIGHEST` and what the person may see.
            seconds: How long it holds.
            person: Id of the person whom it acts for; "" for whoever asks.
            signed: Their session; None for the command line.

        Returns:
            Its text, which is shown this once, and what is kept of it.

        Raises:
            NotAllowed: A token asks, or for somebody else, or for more than the person may.
            ConfirmFirst: The last ceremony is too long ago.
            NotFound: No such person.
            UsageError: Scopes, marking, time or name that cannot be.
        """
        wanted = frozenset(scopes)
        secret = secrets.token_hex(32)
        with self._store.act(identity, "token.issue") as work:
            self._sessions.must_be_sure(identity, signed[0] if signed else None)
            owner = person or identity.person
            if owner != identity.person and identity.kind is not Kind.OPERATOR:
                raise NotAllowed("a token acts for whoever asks for it", hint="they ask for it themselves")
            found = work.people.find(owner)
            if found is None or not found.active:
                raise NotFound("there is no such person")
            if not wanted or wanted - SCOPES:
                raise UsageError(f"a token has scopes out of {', '.join(sorted(SCOPES))}")
            if wanted - work.people.identity_of(found).permissions:
                raise NotAllowed("that is more than the person may do")
            if highest > min(HIGHEST, found.highest):
                raise UsageError(
                    f"a token for that person sees at most {min(HIGHEST, found.highest).label}",
                    hint="what is TLP:RED is for people",
                )
            if not 0 < seconds <= self._config.longest_token:
                raise UsageError(f"a token ends within {self._config.longest_token // 86_400} days")
            token = Token(
                id=new_id(),
                person=found.id,
                hash=hash_of(self._store.secrets, "token", secret),
                name=checked_name(name),
                scopes=wanted,
                highest=Marking(highest),
                created_at=work.now,
                expires_at=work.now + seconds * _SECOND,
            )
            work.tokens.add(token)
            work.note(token=token.id, person=found.id, scopes=sorted(wanted), highest=token.highest.label)
        return f"sw_{token.id}_{secret}", token

    def find(self, text: str, client: str) -> Identity:
        """Who a token acts as, now.

        Raises:
            NotSignedIn: It is none, or over, or the person is shut out.
            TooMany: Too often, or the address or the token is banned.
        """
        self._gate.look(client)
        form = _FORM.fullmatch(text)
        token_id, secret = form.groups() if form else ("", "")
        named = ("token", token_id)
        names = (named,) if form else ()
        identity = None
        with self._store.inside(DOORS) as work:
            until, now = self._gate.banned_until(work, client, *names), work.now
            token = work.tokens.find(token_id)
            brought = hash_of(self._store.secrets, "token", secret)
            right = hmac.compare_digest(brought, token.hash if token else bytes(len(brought))) and token is not None
            if token is not None and right and token.revoked_at is None and now < token.expires_at:
                person = work.people.find(token.person)
                if person is not None and person.active:
                    highest = min(token.highest, HIGHEST)
                    identity = work.people.identity_of(
                        person, Kind.TOKEN, token=token.id, scopes=token.scopes & SCOPES, highest=highest
                    )
        self._gate.refuse(client, until, now)
        if token is None or not right:
            self._gate.failed(client, "token.use", "wrong", *names, token=token_id)
            raise _no()
        if identity is None:
            # A forgotten script must not shut out a whole office: the token alone is counted, and slows the script down.
            self._gate.over(client, "token.use", "over", named, token=token_id)
            raise _no()
        self._gate.known(identity, client)
        if due(token.used_at, now):
            with self._store.upkeep(identity) as work:
                work.tokens.touch(token)
        return identity

    def list(self, identity: Identity, *, everybody: bool = False) -> list[Token]:
        """The tokens of whoever asks; with `everybody`, all, for whoever may manage. Those that are over among them.

        Raises:
            NotAllowed: They may not.
        """
        with self._store.look(identity, "token.list") as work:
            if everybody:
                work.must(Permission.MANAGE)
            return work.tokens.of(None if everybody else identity.person)

    def revoke(self, identity: Identity, token_id: str) -> None:
        """End a token for good: one's own, or anybody's for whoever may manage. That never waits for a ceremony.

        Raises:
            NotFound: None that whoever asks may revoke.
        """
        with self._store.act(identity, "token.revoke", token=token_id if _is_id(token_id) else "") as work:
            token = work.tokens.find(token_id)
            mine = token is not None and bool(identity.person) and token.person == identity.person
            own = mine and (identity.kind is not Kind.TOKEN or identity.token == token_id)
            if token is None or not (own or identity.may(Permission.MANAGE)):
                raise NotFound("there is no such token")
            work.tokens.revoke(token)


def _is_id(text: str) -> bool:
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def _no() -> NotSignedIn:
    return NotSignedIn("that token opens nothing, or no longer", hint="make a new one: shieldwall node token create")
