"""What a node reads off the network, and its client off a node: requests through the whole application, answers to the client."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any
from unittest import mock

import anyio.to_thread
from fuzz_folder import Target, path_of, preparing, text_of
from web_support import HERE, Caller, Site, address_of

from shieldwall.client import NodeClient, shapes
from shieldwall.client.connection import Connection, Limits
from shieldwall.client.events import read_events
from shieldwall.client.pages import shaped
from shieldwall.client.problems import error_of
from shieldwall.client.reading import Shape, plain
from shieldwall.errors import ShieldwallError
from shieldwall.model.access import Handling, Identity, Permission, Role
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.trace.follow import follow
from shieldwall.trace.targets import find_targets
from shieldwall.web.paging import open_cursor, seal_cursor
from shieldwall.web.rules import Caller as Known

NOTE = {
    "subject": {"type": "address", "chain": "BTC", "name": "x"},
    "kind": "note",
    "statement": {"text": "x"},
    "layer": "observation",
    "marking": "TLP:AMBER",
    "pap": "PAP:AMBER",
}
SAID = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--5c066053-0e94-46eb-9746-4b7d950d2000",
    "created": "2026-01-01T00:00:00Z",
    "modified": "2026-01-01T00:00:00Z",
    "valid_from": "2026-01-01T00:00:00Z",
    "pattern": "[domain-name:value = 'a.example']",
    "pattern_type": "stix",
}
ROLES = (Role.ADMINISTRATOR, Role.ANALYST, Role.APPROVER, Role.AUDITOR)


class _Here:
    """A node, someone who may do everything at it, and objects that requests can name."""

    def __init__(self) -> None:
        self.site = Site(path_of("site", "x").parent)
        atexit.register(self.site.close)
        self.person = self.site.person("Fuzz", *ROLES)
        self.caller = self.site.session(self.person)
        self.identity: Identity = self.site.identity(self.person)
        self.handling = Handling(marking=Marking.AMBER, owner=self.person)
        self.token = self.site.token(self.person, Permission.READ).headers["authorization"].partition(" ")[2]
        self.names = {
            "me": self.person,
            "person": self.site.person("Other", Role.ANALYST),
            "address": address_of("watched"),
            "trace": self.file(self.trace()),
        }
        with self.site.store.act(self.identity, "test.share") as work:
            self.names["partners"] = work.partners.add_group("Allies").id
            self.names["partner"] = work.partners.add("Ally", highest=Marking.GREEN).id
            work.partners.join(self.names["partners"], self.names["partner"])
            made = work.collections.add("Things", group=self.names["partners"], highest=Marking.GREEN)
            self.names["collection"] = made.id
            target = {"kind": "taxii", "url": "https://x.example/r/collections/x/", "allow_private": False}
            handling = Handling(owner=self.person)
            self.names["source"] = work.sources.put({**target, "marking": 4, "pap": 3}, handling, every=0).id
        self.names["stix"] = str(SAID["id"])
        with here():
            self.caller.post("/stix/objects?marking=TLP:GREEN&pap=PAP:GREEN", {"objects": [SAID]})
            for name, path, body in (
                ("case", "/cases", {"title": "A"}),
                ("job", "/jobs", {"kind": "cluster.build", "params": {}}),
                ("watch", "/watches", {"kind": "address", "target": address_of("watched")}),
                ("group", "/groups", {"name": "G"}),
                ("claim", "/claims", NOTE),
            ):
                answer = self.caller.post(path, body)
                assert answer.status < 300, (path, answer.text)
                self.names[name] = answer.json["id"]

    def file(self, content: bytes) -> str:
        """Keep bytes as the result of a trace."""
        with self.site.store.act(self.identity, "test.file") as work:
            kept = work.files.add("x.json", "application/json", [content], "trace", self.handling)
        return kept.id

    def trace(self) -> bytes:
        """The result of a trace in the node's chain."""
        with contextlib.closing(self.site.node.chain()) as chain:
            return follow(chain, find_targets(chain, [address_of("watched")]), "fifo").to_json().encode()

    def sign_in(self) -> Caller:
        """A session that holds: the last request may have ended it."""
        self.caller = self.site.session(self.person)
        return self.caller


@cache
def node() -> _Here:
    """The node."""
    shutil.rmtree(path_of("site", "node").parent)  # of an earlier try
    with preparing():
        return _Here()


@contextlib.contextmanager
def here() -> Iterator[None]:
    """Endpoints run on this thread, which is faster than a pool of threads, and can be followed."""

    async def run(function: Any, *arguments: Any, **_: Any) -> Any:
        return function(*arguments)

    with mock.patch.object(anyio.to_thread, "run_sync", run):
        yield


def request(data: bytes) -> None:
    """A request: `METHOD target`, headers, an empty line, a body.

    `@case@` and so on are ids of objects that there are; a path in If-Match stands for the ETag of what is there.
    """
    for name, there in node().names.items():
        data = data.replace(f"@{name}@".encode(), there.encode())
    head, _, body = data.partition(b"\n\n")
    first, *rest = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    headers = dict(line.split(": ", 1) for line in rest if ": " in line)
    headers.setdefault("content-type", "application/json")
    with here():
        if headers.get("if-match", "").startswith("/"):
            headers["if-match"] = node().caller.get(headers["if-match"]).headers.get("etag", "")
        answer = node().caller.ask(method, "//" + target.lstrip("/"), body=body, headers=headers, first_only=True)
        if answer.status == 401 and "cookie" not in headers and "authorization" not in headers:
            node().sign_in()
    assert 200 <= answer.status < 500, (answer.status, answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status >= 400:
        if answer.headers["content-type"].startswith("text/html"):
            assert "That did not work" in answer.text or 'id="words"' in answer.text
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json["detail"].strip()


def door(data: bytes) -> None:
    """What opens a door: tokens, secrets of sessions and links, challenges, codes, states. Only the one right token does."""
    text, doors = text_of(data), node().site.node.doors
    for opening in (
        lambda: doors.session(text, HERE),
        lambda: doors.begin_registration(HERE, invitation=text, code=text),
        lambda: doors.finish_registration(HERE, text, {"id": text}, text),
        lambda: doors.finish_sign_in(HERE, text, {"id": text, "response": {}}),
        lambda: doors.oidc_finish(HERE, state=text, code=text, cookie=text, issuer=text),
    ):
        with suppress(ShieldwallError):
            opening()
            raise AssertionError("somebody came in")
    text = text.replace("@token@", node().token)
    assert doors.token(text, HERE).token
    assert text == node().token


def cursor(data: bytes) -> None:
    """A cursor: only what was sealed for this caller and this list opens."""
    site = node().site
    caller = Known(node().identity, None, HERE, "claim.list")
    sealed = seal_cursor(site.node, caller, [text_of(data).encode("utf-8", "replace").decode(), 1])
    assert open_cursor(site.node, caller, sealed)[1] == 1
    for other in (replace(caller, act="job.list"), replace(caller, identity=replace(caller.identity, person="0" * 32))):
        with suppress(ShieldwallError):
            open_cursor(site.node, other, sealed)
            raise AssertionError("another list's cursor opened")
    assert open_cursor(site.node, caller, text_of(data)) is None


def watch_target(data: bytes) -> None:
    """What to watch, past the shapes of the API."""
    body = parse_json(data, "here")
    if isinstance(body, dict) and isinstance(body.get("target"), dict):
        target = {
            name: node().names["trace"]
            if value == "@trace@"
            else address_of("watched")
            if value == "@address@"
            else value
            for name, value in body["target"].items()
        }
        note = body.get("note")
        node().site.node.watcher.add(
            node().identity,
            str(body.get("kind")),
            target,
            node().handling,
            channels=[each for each in body.get("channels") or () if isinstance(each, str)],
            note=note if isinstance(note, str) else "",
        )


def trace_file(data: bytes) -> None:
    """A file that says it is the result of a trace, shown, drawn and watched; as it is, and with a digest that fits."""
    contents = [data]
    with suppress(ShieldwallError, TypeError):
        body = parse_json(data, "here")
        if isinstance(body, dict):
            body.pop("digest", None)
            contents.append(canonical_json({**body, "digest": digest(body)}))
    for content in contents:
        kept = node().file(content)
        for path in (f"/traces/{kept}", f"/traces/{kept}/picture.svg"):
            with here():
                answer = node().caller.get(path)
            assert answer.status in (200, 400, 404, 422, 503), (path, answer.text)
        with suppress(ShieldwallError):
            node().site.node.watcher.add(node().identity, "end", {"file": kept}, node().handling)


# the client


class _Said:
    """A wire on which an answer waits."""

    stands = True
    until = 0.0

    def __init__(self, data: bytes) -> None:
        self._data = data

    def send(self, *_: object) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing is open."""

    def answer(self) -> http.client.HTTPResponse:
        """What waits."""
        response = http.client.HTTPResponse(self)  # type: ignore[arg-type]
        response.begin()
        return response

    def makefile(self, _: str) -> io.BufferedReader:
        """As a socket's."""
        return io.BufferedReader(io.BytesIO(self._data))


class _Connection(Connection):
    """A connection that always finds the same answer."""

    said = b""

    def _connected(self, _: str) -> Any:
        return _Said(self.said)


def _client(data: bytes) -> NodeClient:
    connection = _Connection("http://localhost:8420", limits=Limits(tries=1, most=1 << 16, event=1 << 12))
    connection.said = data
    return NodeClient(connection=connection)


def client_answer(data: bytes) -> None:
    """All bytes that a node may answer with, from the status line on."""
    for ask in (NodeClient.status, NodeClient.find_claims, NodeClient.sign_out):
        with suppress(ShieldwallError):
            ask(_client(data))
    with suppress(ShieldwallError):
        list(_client(data).follow_job("ab"))


KINDS = tuple(
    each for each in vars(shapes).values() if isinstance(each, type) and issubclass(each, Shape) and each is not Shape
)


def client_shapes(data: bytes) -> None:
    """JSON as each shape: what is read can be written, and read again."""
    body = parse_json(data, "here")
    for kind in KINDS:
        with suppress(ShieldwallError):
            found = kind.from_json(body)
            assert kind.from_json(json.loads(json.dumps(plain(found)))) == found


def client_events(data: bytes) -> None:
    """A stream of events."""
    file = io.BytesIO(data)
    for name, text in read_events(file.readline, 1 << 12, "here"):
        assert "\n" not in name
        assert len(text) <= 1 << 12
        with suppress(ShieldwallError):
            shaped(shapes.JobShape, text, "here")


def client_problem(data: bytes) -> None:
    """The body of a problem: an error whose words a terminal can bear."""
    for status in (301, 401, 403, 404, 409, 422, 429, 500, 503):
        for media_type in ("application/problem+json", "text/html"):
            error = error_of(status, media_type, data, text_of(data[:12]), "here")
            assert str(error).replace("\n", "").isprintable()


TARGETS: dict[str, Target] = {
    "request": request,
    "door": door,
    "cursor": cursor,
    "watch_target": watch_target,
    "trace_file": trace_file,
    "client_answer": client_answer,
    "client_shapes": client_shapes,
    "client_events": client_events,
    "client_problem": client_problem,
}
"""Name -> function."""
