"""A node with doors, people and their authenticators, with a clock that tests set."""

from __future__ import annotations

import itertools
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from oidc_support import Provider
from passkey_support import Authenticator
from sqlalchemy import event

from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.marking import Marking
from shieldwall.node.people.config import OidcConfig, PeopleConfig
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.recovery import first_administrator
from shieldwall.node.people.sessions import Signed
from shieldwall.store import Secrets, Store
from shieldwall.store.sessions import Session

OPERATOR = Identity(
    kind=Kind.OPERATOR, person="", name="operator: test", roles=frozenset((Role.ADMINISTRATOR, Role.AUDITOR))
)
HERE = "192.0.2.1"
MINUTE, HOUR, DAY = 60, 3600, 86_400


class Clock:
    """Tells the microsecond that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


def _hurry(connection: Any, _: object) -> None:
    """No test here pulls the plug, so nothing waits for the disk."""
    connection.execute("PRAGMA synchronous = OFF")


@cache
def _template() -> tuple[bytes, str]:
    """A new node's database, made once, and the link for its first administrator."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "node.db"
        with Store.create(str(database), Secrets(bytes(32)), Clock()) as store:
            link = first_administrator(store, OPERATOR, "Ada")
        return database.read_bytes(), link


class House:
    """A new node whose first administrator is signed in."""

    def __init__(self, folder: Path, *, database: str = "", **settings: Any) -> None:
        self.clock = Clock()
        if database:
            self.store = Store.create(database, Secrets(bytes(32)), self.clock)
            link = first_administrator(self.store, OPERATOR, "Ada")
        else:
            template, link = _template()
            (folder / "node.db").write_bytes(template)
            self.store = Store.open(str(folder / "node.db"), Secrets(bytes(32)), self.clock)
            event.listen(self.store.backend.engine, "connect", _hurry)
            self.store.backend.engine.dispose()
        self.config = PeopleConfig(**({"stranger_rate": 1000.0, "stranger_burst": 1000} | settings))
        self.fetch: Any = None
        self.doors = Doors(self.store, self.config, self.clock, fetch=self._fetch)
        self.addresses = (f"198.51.{high}.{low}" for high, low in itertools.product(range(256), range(256)))
        self.ada = Authenticator()
        self.use(link, self.ada)
        self.admin = self.sign_in(self.ada)

    def use(self, link: str, authenticator: Authenticator, code: str = "", client: str = HERE) -> None:
        """Make a passkey by an invitation."""
        challenge, options = self.doors.begin_registration(client, invitation=link, code=code)
        self.doors.finish_registration(client, challenge, authenticator.register(options))

    def sign_in_with_secret(self, authenticator: Authenticator, client: str = HERE) -> tuple[str, Signed]:
        challenge, options = self.doors.begin_sign_in(client)
        secret, session, identity = self.doors.finish_sign_in(client, challenge, authenticator.sign_in(options))
        return secret, (session, identity)

    def sign_in(self, authenticator: Authenticator, client: str = HERE) -> Signed:
        return self.sign_in_with_secret(authenticator, client)[1]

    def confirm(self, signed: Signed, authenticator: Authenticator, client: str = HERE) -> Signed:
        challenge, options = self.doors.begin_confirmation(signed)
        _, session, identity = self.doors.finish_confirmation(client, signed, challenge, authenticator.sign_in(options))
        return session, identity

    def person(
        self, name: str, *roles: Role, highest: Marking = Marking.RED, **given: Any
    ) -> tuple[str, Authenticator, Signed]:
        """A new person with a passkey, signed in."""
        authenticator = Authenticator(**given)
        admin = self.sign_in(self.ada)
        person = self.doors.people.add(admin[1], name, roles=roles or (Role.ANALYST,), highest=highest, signed=admin)
        self.use(self.doors.invite(admin[1], person.id, admin), authenticator)
        return person.id, authenticator, self.sign_in(authenticator)

    def leaves(self, verb: str = "") -> list[Any]:
        """Entries of the audit log."""
        with self.store.inside(OPERATOR) as work:
            return [leaf.entry for leaf in work.audit.leaves() if not verb or leaf.entry["verb"] == verb]

    def _fetch(self, question: Any) -> bytes:
        answer: bytes = self.fetch(question)
        return answer

    def somewhere(self) -> str:
        """An address from which nobody came yet."""
        return next(self.addresses)


def oidc_config(provider: Provider, **given: Any) -> OidcConfig:
    settings: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": provider.client[0],
        "client_secret": provider.client[1],
    }
    return OidcConfig(**({"redirect": "https://node.example.org/oidc"} | settings | given))


class LinkedHouse(House):
    """A house whose OpenID provider knows Mara."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.provider = Provider(**given)
        super().__init__(folder, oidc=oidc_config(self.provider))
        self.provider.clock = self.clock
        self.fetch = self.provider.fetch
        self.mara, self.key, _ = self.person("Mara", Role.ANALYST)
        admin = self.sign_in(self.ada)
        self.doors.people.link(admin[1], self.mara, self.provider.issuer, "mara-7", admin)

    def come(self, client: str = HERE) -> tuple[str, Session, Identity]:
        url, cookie = self.doors.oidc_begin(client)
        state, code = self.provider.authorize(url)
        return self.doors.oidc_finish(client, state=state, code=code, cookie=cookie)
