"""A node behind a real server on loopback, and a server that answers what a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import uvicorn
from home_support import KEY, OPERATOR
from passkey_support import Authenticator

from shieldwall.client import NodeClient
from shieldwall.node.home import make_home
from shieldwall.node.node import Node
from shieldwall.node.people.recovery import first_administrator
from shieldwall.web.app import create

JSON = "application/json"


@dataclass
class Served:
    """A node that is served: where, and what its first administrator's link says."""

    url: str
    node: Node
    secret: str
    authenticator: Authenticator

    def client(self, **options: Any) -> NodeClient:
        return NodeClient(self.url, **options)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A new node, served until the end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        home = make_home(folder / "node", KEY, identity=OPERATOR, settings={"port": port})
        secret = first_administrator(home.store, OPERATOR, "Admin")
        node = Node(home)
        server = uvicorn.Server(uvicorn.Config(create(node), log_config=None, access_log=False, lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield Served(home.config.origin, node, secret, Authenticator(origin=home.config.origin))
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def answer(
    body: bytes | str = b"{}", status: int = 200, media_type: str = JSON, *headers: str, length: int | None = None
) -> bytes:
    """An answer as it goes over the wire."""
    raw = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status} Word", f"Content-Type: {media_type}"]
    head.append(f"Content-Length: {len(raw) if length is None else length}")
    return "\r\n".join([*head, *headers, "", ""]).encode() + raw


@dataclass
class Script:
    """A server that gives the next of some answers to each request; `None` hangs up. It keeps what it was sent."""

    answers: Sequence[bytes | None]
    tls: ssl.SSLContext | None = None
    heard: list[str] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if self.tls else 'http'}://localhost:{self._listening.getsockname()[1]}"
        self._left = list(self.answers)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.clear()
        with contextlib.suppress(OSError):  # wakes `accept`
            socket.create_connection(self._listening.getsockname(), timeout=1).close()
        self._thread.join(timeout=5)
        self._listening.close()

    def _serve(self) -> None:
        while self._left:
            taken, _ = self._listening.accept()
            threading.Thread(target=self._take, args=(taken,), daemon=True).start()

    def _take(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError), taken:
            taken.settimeout(5)
            self._talk(taken)

    def _talk(self, taken: socket.socket) -> None:
        raw = self.tls.wrap_socket(taken, server_side=True) if self.tls else taken
        with raw, raw.makefile("rb") as file:
            while self._left and (request := self._request(file)):
                self.heard.append(request)
                said = self._left.pop(0)
                if said is None:
                    return
                raw.sendall(said)

    @staticmethod
    def _request(file: Any) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = file.readline()
            if not line:
                return ""
            head += line
        words = head.decode().lower()
        length = int(words.split("content-length: ")[1].split("\r\n")[0]) if "content-length: " in words else 0
        return head.decode() + file.read(length).decode()
