"""JSON-RPC to the member's own node (Bitcoin Core and its relatives), over HTTP with a user and a password.

The node learns which blocks are asked for, and the password travels as it is: so a node beyond this machine is refused
unless the caller says that it may. No proxy is used. Credentials stand in no message, no result and no file.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from shieldwall.chain.readers.bounded import read_at_most
from shieldwall.chain.readers.esplora_http import is_here
from shieldwall.chain.readers.jsonfields import parse_json, short
from shieldwall.errors import BadInput, BadText, RemoteRefused, UsageError

SCHEMES = ("rpc", "rpcs")
TIMEOUT = 120  # seconds for one answer
_MOST_BYTES = 256 << 20  # of one answer: a block of 4 MB with what it spends, as JSON with hex, takes tens of MB
_MOST_COOKIE = 4096  # bytes
_WARMING_UP = -28  # `rpc/protocol.h`
_METHOD_UNKNOWN = -32601

Login = Callable[[], tuple[str, str] | None]
"""Gives user and password when a connection is made; a node writes a new cookie at each start."""

Post = Callable[[bytes], bytes]
"""Sends a request's body and gives the answer's; raises NodeAway or BadInput with the reason when it cannot."""

_HOW_TO_LOG_IN = (
    "give the node's cookie file, --rpc-cookie FILE (in the node's folder, `.cookie`), "
    "or set SHIELDWALL_RPC_USER and SHIELDWALL_RPC_PASSWORD"
)


class NodeAway(BadInput):
    """The node does not answer now, and may later: it is down, starting, or has too much to do."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node's answer that says why there is no result: its code (`rpc/protocol.h`) and words."""

    code: int
    message: str

    @property
    def unknown_method(self) -> bool:
        """True when the node does not have the method."""
        return self.code == _METHOD_UNKNOWN


def is_rpc_url(text: str) -> bool:
    """True for `rpc://...` and `rpcs://...`."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def login_of(cookie: Path | None, environ: Mapping[str, str]) -> Login:
    """Where credentials come from: a cookie file, else SHIELDWALL_RPC_COOKIE, else SHIELDWALL_RPC_USER and _PASSWORD."""
    path = cookie or (Path(environ["SHIELDWALL_RPC_COOKIE"]) if environ.get("SHIELDWALL_RPC_COOKIE") else None)
    if path is not None:
        return lambda: _read_cookie(path)
    user = environ.get("SHIELDWALL_RPC_USER")
    return lambda: None if user is None else (user, environ.get("SHIELDWALL_RPC_PASSWORD", ""))


def _read_cookie(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_COOKIE).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        raise NodeAway(
            f"{path}: no such file", hint="a node writes its cookie when it starts; is it running, with this folder?"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: not readable ({error.strerror})", hint=_HOW_TO_LOG_IN) from None
    user, colon, password = text.partition(":")
    if not colon:
        raise UsageError(f"{path} is no cookie file: it holds no USER:PASSWORD", hint=_HOW_TO_LOG_IN)
    return user, password


class RpcClient:
    """Asks one node; keeps one connection open.

    Args:
        url: `rpc://127.0.0.1:8332`, or `rpcs://...` through TLS; may carry `USER:PASSWORD@`, better not: others on the
            machine can read a command line.
        login: Credentials where the URL carries none.
        port: Where the URL names none.
        allow_remote: Ask a node beyond this machine.
        post: The transport; None for HTTP.

    Raises:
        UsageError: No such URL.
        RemoteRefused: The node is beyond this machine, and nobody said that it may be.
    """

    def __init__(
        self,
        url: str,
        *,
        login: Login | None = None,
        port: int = 8332,
        allow_remote: bool = False,
        post: Post | None = None,
    ) -> None:
        node = _node_of(url, port)
        self.name = node.name
        if not allow_remote and not is_here(url):
            raise RemoteRefused(
                f"{node.host} is not this machine: it would learn which blocks you ask for, and the password goes to it",
                hint="ask your own node on this machine, or say --allow-remote if that node may know",
            )
        self._http = _Http(node, login or (lambda: None))
        self._post = post or self._http.post

    def call(self, method: str, *params: object) -> Any:  # noqa: ANN401
        """The result of one call.

        Raises:
            NodeAway: No answer now.
            BadInput: The node refuses, or its answer is none.
        """
        answer = self.batch([(method, params)])[0]
        if isinstance(answer, Refusal):
            raise self.refused(method, answer)
        return answer

    def refused(self, method: str, refusal: Refusal) -> BadInput:
        """The error that a refusal is where a result was needed."""
        return BadInput(f"{self.name}: {method} was refused: {refusal.message} (code {refusal.code})")

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | Refusal]:
        """The results of several calls in one request, in order, a refusal where there is none.

        Raises:
            NodeAway: No answer now, or the node is starting.
            BadInput: The answer is none.
        """
        if not calls:
            return []
        body = [
            {"jsonrpc": "1.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        answers = parse_json(self._post(json.dumps(body).encode()), self.name)
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise self._broken(answers)
        found: dict[int, Any] = {}
        for answer in answers:
            if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
                raise self._broken(answer)
            found[answer["id"]] = self._result(answer)
        if sorted(found) != list(range(len(calls))):
            raise BadText(f"{self.name}: the node answered other questions than were asked")
        return [found[number] for number in range(len(calls))]

    def _result(self, answer: Mapping[str, Any]) -> Any:  # noqa: ANN401
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        if not isinstance(error, dict) or not isinstance(error.get("code"), int):
            raise self._broken(error)
        refusal = Refusal(error["code"], short(str(error.get("message")))[1:-1])
        if refusal.code == _WARMING_UP:
            raise NodeAway(f"{self.name}: the node is starting ({refusal.message})", hint="wait, and ask again")
        return refusal

    def _broken(self, answer: object) -> BadText:
        return BadText(f"{self.name}: {short(answer)} is no JSON-RPC answer", hint="is this the port of a node's RPC?")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


@dataclass(frozen=True, slots=True)
class _Node:
    host: str
    port: int
    secure: bool
    login: tuple[str, str] | None

    @property
    def name(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rpcs' if self.secure else 'rpc'}://{host}:{self.port}"


def _node_of(url: str, port: int) -> _Node:
    """The parts of a URL; no message repeats it, since it may carry a password."""
    hint = "write rpc://127.0.0.1:8332"
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError:
        raise UsageError("that is no URL of a node", hint=hint) from None
    ends = parts.path.rstrip("/") or parts.query or parts.fragment
    if parts.scheme not in SCHEMES or not parts.hostname or ends or not url.isascii() or not url.isprintable():
        raise UsageError("that is no URL of a node: it has a scheme, a host and a port, and nothing else", hint=hint)
    login = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return _Node(parts.hostname, port if number is None else number, parts.scheme == "rpcs", login)


class _Http:
    """The transport: one connection, made again where the node has closed it."""

    def __init__(self, node: _Node, login: Login) -> None:
        self._node = node
        self._login = login
        self._connection: http.client.HTTPConnection | None = None
        self._header = ""

    def post(self, body: bytes) -> bytes:
        fresh = self._connection is None
        try:
            try:
                status, answer = self._exchange(body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if fresh:
                    raise
                self.close()  # the node had closed a connection that was idle
                fresh = True
                status, answer = self._exchange(body)
            if status == http.client.UNAUTHORIZED and not fresh:
                self.close()  # the node was started again, and has a new cookie
                status, answer = self._exchange(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NodeAway(
                f"{self._node.name}: no answer ({_words(error)})", hint="is the node running, and is this its RPC port?"
            ) from None
        return self._checked(status, answer)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._node.secure else http.client.HTTPConnection
            login = self._node.login or self._login()
            if login is not None:
                self._header = "Basic " + base64.b64encode(":".join(login).encode()).decode()
            self._connection = kind(self._node.host, self._node.port, timeout=TIMEOUT)
        headers = {"Content-Type": "application/json"} | ({"Authorization": self._header} if self._header else {})
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        answer = read_at_most(response, _MOST_BYTES)
        if response.length and len(answer) <= _MOST_BYTES:
            raise http.client.IncompleteRead(answer[:0], response.length)
        if len(answer) > _MOST_BYTES or response.will_close:
            self.close()
        return response.status, answer

    def _checked(self, status: int, answer: bytes) -> bytes:
        name = self._node.name
        if len(answer) > _MOST_BYTES:
            raise BadInput(f"{name}: an answer of more than {_MOST_BYTES} bytes")
        if status == http.client.UNAUTHORIZED:
            raise UsageError(f"{name}: the node does not take these credentials, or wants some", hint=_HOW_TO_LOG_IN)
        if status == http.client.FORBIDDEN:
            raise UsageError(
                f"{name}: the node does not let this machine or user ask",
                hint="allow it in the node's settings: rpcallowip, rpcwhitelist",
            )
        if status == http.client.SERVICE_UNAVAILABLE:
            raise NodeAway(f"{name}: the node has too much to do", hint="wait, and ask again")
        if status not in (http.client.OK, http.client.INTERNAL_SERVER_ERROR):
            raise BadInput(f"{name}: the server answered {status}", hint="is this the port of a node's RPC?")
        return answer

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _words(error: Exception) -> str:
    """What went wrong, without what was sent."""
    if isinstance(error, TimeoutError):
        return f"nothing for {TIMEOUT} seconds"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__
