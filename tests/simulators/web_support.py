"""A node with its application in one process: people of every role, their sessions and tokens, and requests without a network.

Sessions and tokens are opened as the doors open them, without a ceremony; tests of the ceremonies themselves are elsewhere.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio.to_thread
import pytest
from chain_support import build_store, write
from home_support import CHEAP, KEY, OPERATOR, START, Hand
from sqlalchemy import event

from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.model.access import Identity, Permission, Role
from shieldwall.model.address import encode
from shieldwall.model.marking import Marking
from shieldwall.model.network import LITECOIN_REGTEST, REGTEST, Network
from shieldwall.node.home import make_home, open_home
from shieldwall.node.node import Node, people_config
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.limits import DOORS
from shieldwall.node.people.sessions import SessionDoor
from shieldwall.store.attempts import BanRules
from shieldwall.web.app import ROOT, create

HOST = "localhost:8420"
ORIGIN = f"http://{HOST}"
HERE = "192.0.2.1"
NEVER = 10**9  # requests a second: no test of this room is about rates
HOUR = 3600  # seconds
PAYEES = ("payer", "watched", "first", "second")
FURTHER = ("litecoin payer", "litecoin watched")
COIN = 100_000_000


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class Wire:
    """Speaks ASGI to an application, on this thread."""

    app: Any
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        client: str = HERE,
        pieces: Iterable[bytes] | None = None,
        first_only: bool = False,
    ) -> Answer:
        """One request.

        Args:
            method: GET and so on.
            target: Path and query, percent-encoded.
            body: Of the request.
            headers: Of the request.
            client: The address that it comes from.
            pieces: The body in pieces, without a Content-Length.
            first_only: Hang up after the first bytes of the answer.
        """
        return self.loop.run_until_complete(
            self._ask(method, target, body, headers or {}, client, None if pieces is None else list(pieces), first_only)
        )

    async def _ask(
        self,
        method: str,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        client: str,
        pieces: list[bytes] | None,
        first_only: bool,
    ) -> Answer:
        path, _, query = target.partition("?")
        given = {"host": HOST} | {name.lower(): value for name, value in headers.items()}
        if pieces is None and (body or method not in ("GET", "HEAD", "DELETE")):
            given.setdefault("content-length", str(len(body)))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
            "client": (client, 40000),
            "server": ("localhost", 8420),
            "state": {},
        }
        waiting = list(pieces if pieces is not None else [body])
        hung_up = asyncio.Event()
        status, answered, parts = 0, {}, []

        async def receive() -> dict[str, Any]:
            if waiting:
                piece = waiting.pop(0)
                return {"type": "http.request", "body": piece, "more_body": bool(waiting)}
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body") or (first_only and any(parts)):
                    hung_up.set()

        await self.app(scope, receive, send)
        return Answer(status, answered, b"".join(parts))

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@dataclass(frozen=True)
class Caller:
    """Someone who asks: nobody, a session, or a token."""

    site: Site
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = HERE
    person: str = ""
    token: str = ""

    def ask(self, method: str, path: str, json_body: Any = None, **given: Any) -> Answer:
        """One request below /api/v1, or anywhere for a path that begins with two slashes."""
        headers = dict(self.headers)
        if "cookie" in headers and method not in ("GET", "HEAD"):
            headers["origin"] = ORIGIN
        if json_body is not None:
            given["body"] = json.dumps(json_body).encode()
            headers["content-type"] = "application/json"
        headers |= given.pop("headers", {})
        target = path[1:] if path.startswith("//") else ROOT + path
        return self.site.wire.ask(method, target, headers=headers, client=given.pop("client", self.client), **given)

    def get(self, path: str, **given: Any) -> Answer:
        return self.ask("GET", path, **given)

    def post(self, path: str, json_body: Any = None, **given: Any) -> Answer:
        return self.ask("POST", path, json_body, **given)

    def put(self, path: str, json_body: Any = None, **given: Any) -> Answer:
        return self.ask("PUT", path, json_body, **given)

    def patch(self, path: str, json_body: Any = None, **given: Any) -> Answer:
        return self.ask("PATCH", path, json_body, **given)

    def delete(self, path: str, **given: Any) -> Answer:
        return self.ask("DELETE", path, **given)


class Idle(Node):
    """A node without background work: tests do that themselves."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Site:
    """A new node in `folder`, with a small chain of Bitcoin, a smaller one of Litecoin, and its application.

    Args:
        folder: For the node; new or empty.
        wrap: What stands around the application, such as another middleware.
        settings: Further settings of the doors.
    """

    def __init__(self, folder: Path, wrap: Callable[[Any], Any] = lambda app: app, **settings: Any) -> None:
        template = _template()
        shutil.copytree(template / "node", folder / "node")
        self.clock = Hand(START + 10_000_000)
        home = open_home(folder / "node", lambda: KEY, identity=OPERATOR, clock=self.clock)
        hurry(home.store.backend.engine)
        self.node = Idle(home)
        self.store = home.store
        rates = {"identity_rate": NEVER, "identity_burst": NEVER, "stranger_rate": NEVER, "stranger_burst": NEVER}
        bans = settings.pop("bans", BanRules(failures=10**6))
        config = replace(people_config(home.config), **{**rates, "bans": bans, **settings})
        self.node.doors = Doors(home.store, config)
        self.app = create(self.node)
        self.wire = Wire(wrap(self.app))
        self._life = self.app.router.lifespan_context(self.app)
        self.wire.loop.run_until_complete(self._life.__aenter__())

    def close(self) -> None:
        self.wire.loop.run_until_complete(self._life.__aexit__(None, None, None))
        self.wire.close()
        self.store.close()

    @property
    def nobody(self) -> Caller:
        return Caller(self)

    def person(self, name: str, *roles: Role, highest: Marking = Marking.RED, mail: str = "") -> str:
        """Id of a new person."""
        with self.store.act(OPERATOR, "test.person") as work:
            return work.people.add(name, roles=roles, highest=highest, mail=mail).id

    def session(self, person: str, *, confirmed: bool = True, over: bool = False, client: str = HERE) -> Caller:
        """A session of a person; one that is `over` ended by its own time."""
        door = SessionDoor(
            self.store, replace(self.node.doors.config, longest=1 if over else 8 * HOUR), self.node.doors.gate
        )
        with self.store.upkeep(DOORS) as work:
            secret, _ = door.open(work, person, "passkey", confirmed=confirmed)
        if over:
            self.clock.at += 2_000_000
        return Caller(self, {"cookie": f"{self.node.cookie}={secret}"}, client, person)

    def token(
        self,
        person: str,
        *scopes: Permission,
        highest: Marking = Marking.AMBER_STRICT,
        over: bool = False,
        client: str = HERE,
        name: str = "token",
    ) -> Caller:
        """A token of a person, as the command line issues it; one that is `over` ended by its own time."""
        text, token = self.node.doors.issue_token(
            OPERATOR, name, scopes=scopes, highest=highest, seconds=1 if over else 24 * HOUR, person=person
        )
        if over:
            self.clock.at += 2_000_000
        return Caller(self, {"authorization": f"Bearer {text}"}, client, person, token.id)

    def identity(self, person: str) -> Identity:
        """Who a person is now."""
        with self.store.inside(DOORS) as work:
            found = work.people.find(person)
            assert found is not None
            return work.people.identity_of(found)

    def leaves(self, begin: int = 0) -> list[Mapping[str, Any]]:
        """Entries of the audit log."""
        with self.store.inside(OPERATOR) as work:
            return [leaf.entry for leaf in work.audit.leaves(begin)]


@contextlib.contextmanager
def site_in(folder: Path, **settings: Any) -> Iterator[Site]:
    """A site whose endpoints run on the thread of the test, which is faster than a pool of threads, and easier to follow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anyio.to_thread, "run_sync", _here)
        site = Site(folder, **settings)
        try:
            yield site
        finally:
            site.close()


def hurry(engine: Any) -> None:
    """No test here pulls the plug, so nothing waits for the disk."""
    engine.dispose()

    def faster(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(engine, "connect", faster)


def address_of(name: str, network: Network = REGTEST) -> str:
    """The address of a payee of the small chains."""
    return encode(p2wpkh(name), network) or ""


async def _here(function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:
    return function(*arguments)


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="shieldwall-web-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    maker = BlockMaker(time=1_600_000_000)
    coin = maker.mine(p2wpkh("payer"))
    for name in PAYEES[1:]:
        _, coin = maker.pay([coin], [(p2wpkh(name), COIN), (p2wpkh("payer"), coin.value - COIN)])
    maker.mine(p2wpkh("miner"))
    build_store(folder / "chain", write(folder / "blk00000.dat", maker.blocks))
    further = BlockMaker(time=1_600_000_000, network=LITECOIN_REGTEST)
    coin = further.mine(p2wpkh(FURTHER[0]))
    further.pay([coin], [(p2wpkh(FURTHER[1]), COIN), (p2wpkh(FURTHER[0]), coin.value - COIN)])
    further.mine(p2wpkh("litecoin miner"))
    (folder / "litecoin").mkdir()
    source = write(folder / "litecoin" / "blk00000.dat", further.blocks)
    build_store(folder / "further", source, network=LITECOIN_REGTEST)
    settings = {"chain": str(folder / "chain"), "further_chains": [str(folder / "further")]}
    home = make_home(folder / "node", KEY, identity=OPERATOR, settings=settings, clock=Hand(), cost=CHEAP)
    with home.store.backend.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    home.close()
    return folder
