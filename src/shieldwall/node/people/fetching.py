"""Ask an OpenID provider over HTTP: no redirect, no proxy, bounded in size and time."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shieldwall.chain.readers.bounded import read_at_most
from shieldwall.errors import BadInput
from shieldwall.node.people.config import check_url

SECONDS = 10  # for one answer, from beginning to end
MOST_BYTES = 1 << 20  # of one answer


@dataclass(frozen=True, slots=True)
class Question:
    """A request: GET without a body, POST with one."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


Fetch = Callable[[Question], bytes]
"""Answers a question with the body of a 200; raises BadInput where there is none."""


def fetch(question: Question) -> bytes:
    """The body of the answer.

    Raises:
        BadInput: No answer in time, another status than 200, or too much.
        UsageError: A URL that is neither https nor of this machine.
    """
    parts = check_url(question.url, "an address of the OpenID provider")
    host = parts.hostname or ""
    connection = http.client.HTTPConnection(host, parts.port, timeout=SECONDS)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=SECONDS, context=ssl.create_default_context()
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    alarm = threading.Timer(SECONDS, _hang_up, (connection,))  # a socket's own limit is for each piece, however small
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("GET" if question.body is None else "POST", path, question.body, dict(question.headers))
        answer = connection.getresponse()
        status, body, rest = answer.status, read_at_most(answer, MOST_BYTES), answer.length
    except (
        OSError,
        http.client.HTTPException,
        ValueError,
        AttributeError,
    ) as error:  # the last: hung up while it is read
        raise BadInput(
            f"the OpenID provider does not answer ({type(error).__name__})", hint="try again later"
        ) from None
    finally:
        alarm.cancel()
        connection.close()
    if status != http.client.OK:
        raise BadInput(f"the OpenID provider answered {status}")
    if rest or len(body) > MOST_BYTES:
        raise BadInput("the OpenID provider's answer is too long, or was cut off")
    return body


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """End a connection under the hands of who reads it."""
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
