"""The application itself: bytes of HTTP to a `Request`, an `Answer` to bytes; nothing is decided here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from shieldwall.errors import ShieldwallError
from shieldwall.node.node import Node
from shieldwall.web.taxii.answers import MEDIA_TYPE, Answer, Refusal, error, of_error
from shieldwall.web.taxii.asked import Request
from shieldwall.web.taxii.endpoints import MOST_CONTENT, answer

_Found = TypeVar("_Found")
_log = logging.getLogger(__name__)
_LONGEST_PATH = 2048  # characters
_HEADERS = (
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Taxii:
    """The ASGI application of a node's TAXII server.

    Args:
        node: The node, which somebody else starts and stops.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await _alive(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            found = await to_thread.run_sync(partial(_answered, partial(answer, self._node, _request(scope))))
            if not isinstance(found, Answer):
                content = await _content(receive)
                if content is None:
                    return  # whoever sent it is gone: nothing of it stays
                found = await to_thread.run_sync(partial(_answered, partial(found, content)))
        except Refusal as refusal:
            found = refusal.answer
        await _send(send, found, with_body=scope["method"] != "HEAD")


def _answered(asked: Callable[[], _Found]) -> _Found | Answer:
    try:
        return asked()
    except Refusal as refusal:
        return refusal.answer
    except ShieldwallError as raised:
        return of_error(raised)
    except Exception as fault:  # noqa: BLE001 - its words may hold what nobody here may see
        _log.error("a TAXII request failed by a fault of the program: %s", type(fault).__name__)
        return error(500, "the node failed at this; its log says where", "tell its administrator")


async def _content(receive: Receive) -> bytes | None:
    """The body of a request, whole; None where the client went before its end.

    Raises:
        Refusal: It is larger than it may be.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_CONTENT:
            raise Refusal(413, f"at most {MOST_CONTENT:,} bytes are taken at once", "send it in several envelopes")
        if not message.get("more_body", False):
            return b"".join(parts)


def _request(scope: Scope) -> Request:
    """The request without its body.

    Raises:
        Refusal: It is larger than it may be.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if len(scope["path"]) > _LONGEST_PATH:
        raise Refusal(414, f"a path here has at most {_LONGEST_PATH:,} characters")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "packed bodies are not taken", "send it as it is, without Content-Encoding")
    length = headers.get("content-length", "0")
    if not length.isdigit() or len(length) > 15 or int(length) > MOST_CONTENT:
        raise Refusal(413, f"at most {MOST_CONTENT:,} bytes are taken at once", "send it in several envelopes")
    base = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
    tls = scope.get("extensions", {}).get("tls") or {}
    return Request(
        method=scope["method"],
        path=tuple(part for part in scope["path"].strip("/").split("/")),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers,
        client=scope["client"][0] if scope.get("client") else "",
        base=base,
        certificate=str(tls.get("client_cert_sha256", "")),
    )


async def _send(send: Send, found: Answer, *, with_body: bool) -> None:
    headers = [*_HEADERS, (b"content-length", str(len(found.body)).encode())]
    headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in found.headers]
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    await send({"type": "http.response.body", "body": found.body if with_body else b""})


async def _alive(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def create_taxii(node: Node) -> ASGIApp:
    """The TAXII server of a node that runs."""
    return Taxii(node)
