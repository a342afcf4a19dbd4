"""One HTTP connection to a node: who one is, what is sent along, and limits to what is taken.

No redirect and no proxy is followed, certificates are always verified, and http goes to this machine alone.
"""

from __future__ import annotations

import http.client
import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.client.address import parse_address
from shieldwall.client.events import read_events
from shieldwall.client.failures import LOOK, Mapped, Unreachable
from shieldwall.client.problems import error_of
from shieldwall.client.question import json_of, target_of
from shieldwall.client.wire import Wire
from shieldwall.errors import BadText, UsageError
from shieldwall.model.strictjson import parse_json

JSON = "application/json"
EVENTS = "text/event-stream"
BYTES = "application/octet-stream"

_COOKIES = ("shieldwall", "__Host-shieldwall")
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]{1,500}", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"', re.ASCII)
_PIECE = 1 << 16  # bytes read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to wait, and how much to take.

    Attributes:
        connect: Seconds until a connection stands.
        answer: Seconds until an answer is there, to its last byte; a repetition counts in.
        silence: Seconds without a word on a stream of events; a node says every 15 that it is still there.
        most: Bytes of an answer.
        event: Bytes of one event.
        tries: How often a request is sent that a broken connection swallowed.
    """

    connect: float = 10.0
    answer: float = 120.0
    silence: float = 60.0
    most: int = 256 << 20
    event: int = 1 << 20
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered.

    Attributes:
        body: Its bytes.
        etag: Which version it is; "" for none.
        place: What was asked, for errors.
    """

    body: bytes
    etag: str
    place: str

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON.

        Raises:
            BadText: It is none.
        """
        return parse_json(self.body, self.place)


class Connection:
    """Asks one node, by a token or by a session, one thing after the other; each thread needs a connection of its own.

    Args:
        url: Where the node is, as in https://node.example.org or http://localhost:8420.
        token: A machine token; "" for none. It goes into a header, never into a URL or an error's text.
        authority: File of certificates (PEM) to trust instead of this machine's, for a unit with a CA of its own.
        limits: How long to wait, and how much to take.
        clock: Seconds, never going back.
        new_key: Makes idempotency keys.
        sleep: Waits some seconds between two tries.

    Raises:
        UsageError: The address is none that a token may be sent to, or the token or file does not fit.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        authority: Path | str | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        new_key: Callable[[], str] = secrets.token_hex,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = parse_address(url)
        if token and not _TOKEN.fullmatch(token):
            raise UsageError("that is no token: it has spaces or other signs", hint="give the text as it was shown")
        self._token = token
        self._cookie: tuple[str, str] | None = None
        self._limits = limits or Limits()
        self._clock = clock
        self._new_key = new_key
        self._sleep = sleep
        self._tls = _trust(authority) if self.address.tls else None
        self._wire: Wire | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self.address.origin}>"  # no token, no cookie

    @property
    def has_token(self) -> bool:
        """Whether it comes by a machine token."""
        return bool(self._token)

    @property
    def has_session(self) -> bool:
        """Whether it holds a session's cookie."""
        return self._cookie is not None

    def close(self) -> None:
        """Hang up. The session stays with the node until it is signed out or over."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def rest(self, tries: int) -> None:
        """Wait before the next try, the longer the more there were."""
        self._sleep(0.2 * tries)

    def ask(
        self,
        place: str,
        method: str,
        path: str,
        *,
        takes: str = JSON,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        content: bytes | None = None,
        etag: str | None = None,
        repeat: bool = True,
    ) -> Answer:
        """Ask for something, and wait for the whole answer.

        Args:
            place: Name of the call, for errors: a path may name what nobody else is to know.
            method: GET, POST, ...
            path: Below the node's address, with its parts already quoted.
            takes: Media type that the answer must have.
            query: Parameters; those that are None are left out.
            body: Fields of a JSON body; those that are None are left out.
            content: Bytes of a body.
            etag: The version that a change was made from.
            repeat: Send it again where the connection breaks; a write has the same idempotency key each time.

        Raises:
            ShieldwallError: What the node answered instead; `Unreachable` where it did not.
            BadText: The answer is not what was asked for.
            UsageError: The words of the question cannot be sent.
        """
        raw = content if body is None else json_of(body, place)
        headers = self._headers(method, takes, etag, place)
        if raw is not None:
            headers["Content-Type"] = JSON if body is not None else BYTES
        target = target_of(path, query)
        end = self._clock() + self._limits.answer
        if not repeat:
            self.close()  # one that was idle may be gone, and this may be sent only once
        tries = max(1, self._limits.tries) if repeat else 1
        for attempt in range(tries):
            try:
                return self._answer(place, method, target, raw, headers, takes, end)
            except Unreachable:
                self.close()
                if attempt + 1 == tries or self._clock() >= end:
                    raise
                self.rest(attempt)  # at once the first time: an idle connection is often gone
            except BaseException:
                self.close()  # whatever stands on the wire is no answer to the next question
                raise
        raise AssertionError  # not reached: the last try answers or raises

    def follow(self, place: str, path: str) -> Iterator[tuple[str, str]]:
        """Name and data of each server-sent event of a path, on a connection of its own.

        Raises:
            ShieldwallError: As for `ask`; `Unreachable` where nothing comes for too long, or the stream breaks.
        """
        with closing(self._connected(place)) as wire:
            wire.until = self._clock() + self._limits.answer
            with self._mapped(place):
                wire.send("GET", path, None, self._headers("GET", EVENTS, None, place))
                response = wire.answer()
            self._check(response, place, EVENTS)

            def line(most: int) -> bytes:
                wire.until = self._clock() + self._limits.silence
                with self._mapped(place):
                    return response.readline(most)

            yield from read_events(line, self._limits.event, place)

    # who one is

    def _headers(self, method: str, takes: str, etag: str | None, place: str) -> dict[str, str]:
        headers = {"Accept": f"{takes}, application/problem+json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._cookie is not None:
            headers["Cookie"] = "=".join(self._cookie)
        if method != "GET":
            headers["Origin"] = self.address.origin  # a session's write must say that no other page sends it
            headers["Idempotency-Key"] = self._new_key()
        if etag is not None:
            if not _ETAG.fullmatch(etag):
                raise UsageError(
                    f"{place}: that is no ETag", hint="give `.etag` of what you read by its id just before"
                )
            headers["If-Match"] = etag
        return headers

    def _take_cookies(self, response: http.client.HTTPResponse) -> None:
        """Keep a session's cookie, or forget it; no other cookie, and none with a token."""
        for header in response.headers.get_all("set-cookie") or ():
            pair, *attributes = header.split(";")
            name, _, value = pair.strip().partition("=")
            if name not in _COOKIES or (name.startswith("__Host-") and not self.address.tls):
                continue
            over = any(attribute.strip().lower() == "max-age=0" for attribute in attributes)
            if over or value in ("", '""'):
                self._cookie = None
            elif _COOKIE_VALUE.fullmatch(value) and not self._token:
                self._cookie = (name, value)

    # one exchange

    def _answer(
        self,
        place: str,
        method: str,
        target: str,
        raw: bytes | None,
        headers: Mapping[str, str],
        takes: str,
        end: float,
    ) -> Answer:
        if self._wire is None or not self._wire.stands:
            self._wire = self._connected(place)
        self._wire.until = end
        with self._mapped(place):
            self._wire.send(method, target, raw, headers)
            response = self._wire.answer()
        self._take_cookies(response)
        self._check(response, place, takes)
        body = self._body(response, place, self._limits.most)
        etag = response.headers.get("etag", "")
        return Answer(body, etag if _ETAG.fullmatch(etag) else "", place)

    def _check(self, response: http.client.HTTPResponse, place: str, takes: str) -> None:
        """Hold the head of an answer to what was asked for.

        Raises:
            ShieldwallError: What the node answered instead.
        """
        found = response.headers.get_content_type() if "content-type" in response.headers else ""
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadText(f"{place}: the answer is packed, which was not asked for")
        if not 200 <= response.status < 300:
            body = self._body(response, place, _PIECE)
            raise error_of(response.status, found, body, response.headers.get("retry-after", ""), place)
        if found != takes:
            raise BadText(f"{place}: the answer is not {takes}", hint="is that the address of a Shieldwall node?")

    def _body(self, response: http.client.HTTPResponse, place: str, most: int) -> bytes:
        """The body of an answer.

        Raises:
            BadText: It is too long, or does not say how long it is.
            Unreachable: It is cut off.
        """
        if response.length is None and not response.chunked:
            raise BadText(f"{place}: the answer does not say how long it is")
        if (response.length or 0) > most:
            raise _too_long(place, most)
        body, buffer = bytearray(), memoryview(bytearray(_PIECE))
        with self._mapped(place):
            while size := response.readinto(buffer):  # `read` has no bound where a chunk has a negative size
                body += buffer[:size]
                if len(body) > most:
                    raise _too_long(place, most)
        if response.length:  # `read` does not tell
            raise Unreachable(f"{place}: the answer was cut off", hint=LOOK)
        return bytes(body)

    def _connected(self, place: str) -> Wire:
        wire = Wire(self.address, self._tls, self._limits.connect, self._clock)
        with self._mapped(place):
            wire.connect()
        return wire

    def _mapped(self, place: str) -> Mapped:
        return Mapped(place, self.address)


def _trust(authority: Path | str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ValueError) as error:
        raise UsageError(f"{authority}: no certificates there ({error})", hint="a file of certificates, PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # as the node's own
    return context


def _too_long(place: str, most: int) -> BadText:
    return BadText(f"{place}: the answer has more than {most:,} bytes", hint="ask for less, or raise Limits.most")
