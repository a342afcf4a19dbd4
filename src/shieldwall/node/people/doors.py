"""All doors in one place: what the API and the pages call, whoever comes and however."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shieldwall.model.access import Identity, Permission
from shieldwall.model.marking import Marking
from shieldwall.node.people.ceremonies import Begun, Ceremonies
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.directory import Directory
from shieldwall.node.people.fetching import Fetch, fetch
from shieldwall.node.people.limits import Gate
from shieldwall.node.people.oidc import OidcDoor
from shieldwall.node.people.recovery import RecoveryDoor
from shieldwall.node.people.sessions import SessionDoor, Signed
from shieldwall.node.people.tokens import TokenDoor
from shieldwall.store.credentials import Passkey
from shieldwall.store.sessions import Session, Token

if TYPE_CHECKING:
    from shieldwall.store.engine import Clock, Store


class Doors:
    """How people and machines come in.

    Args:
        store: The node's store.
        config: Settings.
        clock: Microseconds, for rates; None for the store's. What the store dates has the store's own.
        fetch: Asks the OpenID provider.

    Attributes:
        people: Managing people and groups.
        gate: Limits and bans.

    Every `client` is the address that the request came from; `signed` is what `session` gave. Errors are those of
    `errors.Refused`, and say the same whether something is wrong, unknown or over; the audit log says which.
    """

    def __init__(self, store: Store, config: PeopleConfig, clock: Clock | None = None, *, fetch: Fetch = fetch) -> None:
        self.config = config
        self.gate = Gate(store, config, clock or store.clock)
        self._sessions = SessionDoor(store, config, self.gate)
        self._tokens = TokenDoor(store, config, self.gate, self._sessions)
        self._recovery = RecoveryDoor(store, config, self.gate, self._sessions)
        self._ceremonies = Ceremonies(store, config, self.gate, self._sessions, self._recovery)
        self._oidc = OidcDoor(store, config, self.gate, self._sessions, fetch)
        self.people = Directory(store, self._sessions)

    # who is there

    def session(self, secret: str, client: str) -> Signed:
        """See `SessionDoor.find`."""
        return self._sessions.find(secret, client)

    def still(self, session: Session) -> Identity:
        """See `SessionDoor.still`."""
        return self._sessions.still(session)

    def token(self, text: str, client: str) -> Identity:
        """See `TokenDoor.find`."""
        return self._tokens.find(text, client)

    def stranger(self, client: str) -> None:
        """Let a request of nobody known in, to what is open to all; see `Gate.stranger`."""
        self.gate.stranger(client)

    def must_confirm(self, session: Session | None, within: int | None = None) -> None:
        """See `SessionDoor.must_confirm`; call it within the act, so that its refusal is recorded."""
        self._sessions.must_confirm(session, within)

    # passkeys

    def begin_registration(
        self, client: str, *, invitation: str = "", code: str = "", signed: Signed | None = None
    ) -> Begun:
        """See `Ceremonies.begin_registration`."""
        return self._ceremonies.begin_registration(client, invitation=invitation, code=code, signed=signed)

    def finish_registration(
        self, client: str, challenge: str, credential: object, name: str = "passkey", *, signed: Signed | None = None
    ) -> Passkey:
        """See `Ceremonies.finish_registration`."""
        return self._ceremonies.finish_registration(client, challenge, credential, name, signed=signed)

    def begin_sign_in(self, client: str) -> Begun:
        """See `Ceremonies.begin_sign_in`."""
        return self._ceremonies.begin_sign_in(client)

    def finish_sign_in(self, client: str, challenge: str, credential: object) -> tuple[str, Session, Identity]:
        """See `Ceremonies.finish_sign_in`."""
        return self._ceremonies.finish_sign_in(client, challenge, credential)

    def begin_confirmation(self, signed: Signed) -> Begun:
        """See `Ceremonies.begin_confirmation`."""
        return self._ceremonies.begin_confirmation(signed)

    def finish_confirmation(
        self, client: str, signed: Signed, challenge: str, credential: object
    ) -> tuple[str, Session, Identity]:
        """See `Ceremonies.finish_confirmation`: the session has a new secret after it."""
        return self._ceremonies.finish_confirmation(client, signed, challenge, credential)

    def passkeys(self, identity: Identity) -> list[Passkey]:
        """See `Ceremonies.mine`."""
        return self._ceremonies.mine(identity)

    def remove_passkey(self, signed: Signed, passkey_id: bytes) -> None:
        """See `Ceremonies.remove`."""
        self._ceremonies.remove(signed, passkey_id)

    # sessions

    def sign_out(self, signed: Signed) -> None:
        """See `SessionDoor.end`."""
        self._sessions.end(signed)

    def sign_out_everywhere(self, signed: Signed) -> int:
        """See `SessionDoor.end_all`."""
        return self._sessions.end_all(signed)

    # tokens

    def issue_token(
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
        """See `TokenDoor.issue`."""
        return self._tokens.issue(
            identity, name, scopes=scopes, highest=highest, seconds=seconds, person=person, signed=signed
        )

    def list_tokens(self, identity: Identity, *, everybody: bool = False) -> list[Token]:
        """See `TokenDoor.list`."""
        return self._tokens.list(identity, everybody=everybody)

    def revoke_token(self, identity: Identity, token_id: str) -> None:
        """See `TokenDoor.revoke`."""
        self._tokens.revoke(identity, token_id)

    # invitations and recovery

    def invite(self, identity: Identity, person_id: str, signed: Signed | None = None) -> str:
        """See `RecoveryDoor.invite`."""
        return self._recovery.invite(identity, person_id, signed)

    def invite_with_code(self, identity: Identity, person_id: str, signed: Signed | None = None) -> str:
        """See `RecoveryDoor.invite_with_code`."""
        return self._recovery.invite_with_code(identity, person_id, signed)

    def begin_code(self, signed: Signed) -> tuple[str, str, str]:
        """See `RecoveryDoor.begin_enrolment`."""
        return self._recovery.begin_enrolment(signed)

    def finish_code(self, client: str, signed: Signed, enrolment: str, code: str) -> None:
        """See `RecoveryDoor.finish_enrolment`."""
        self._recovery.finish_enrolment(client, signed, enrolment, code)

    def remove_code(self, signed: Signed) -> bool:
        """See `RecoveryDoor.remove_code`."""
        return self._recovery.remove_code(signed)

    # an OpenID provider

    def oidc_begin(self, client: str) -> tuple[str, str]:
        """See `OidcDoor.begin`."""
        return self._oidc.begin(client)

    def oidc_finish(
        self, client: str, *, state: str, code: str, cookie: str, issuer: str | None = None
    ) -> tuple[str, Session, Identity]:
        """See `OidcDoor.finish`."""
        return self._oidc.finish(client, state=state, code=code, cookie=cookie, issuer=issuer)
