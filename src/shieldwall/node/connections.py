"""Connections that are held to a clock: whoever sends nothing, or lets a request drip in, makes room for others.

The server limits how many connections there are; without this, a few hundred that stay silent would lock everybody out.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HANDSHAKE_SECONDS = 10.0
"""How long a connection may take to agree on TLS."""

HEAD_SECONDS = 10.0
"""How long a connection may take until the head of a request is there."""

BODY_SECONDS = 120.0
"""How long its body may take then."""

MOST_OF_ONE = 96
"""Connections of one address at once."""


class PatientLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, with a limit on the time of each connection's TLS handshake, which no protocol sees yet."""

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        *args: Any,  # noqa: ANN401 - those of asyncio
        ssl: ssl.SSLContext | None = None,
        **given: Any,  # noqa: ANN401 - as above
    ) -> asyncio.Server:
        """As asyncio has it."""
        more = given if ssl is None else {"ssl_handshake_timeout": HANDSHAKE_SECONDS, **given}
        return await super().create_server(protocol_factory, *args, ssl=ssl, **more)


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a limit on the time of each request's arrival, and on the connections of each address."""

    _clock: asyncio.TimerHandle | None = None
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        others = (cast("H11Protocol", each).client for each in self.connections)
        if sum(1 for client in others if client and client[0] == host) > MOST_OF_ONE:
            transport.abort()
            return
        self._start(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Something has come; the clock runs on until it is a whole request."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if not self._in_body:
                self._in_body = True
                self._start(BODY_SECONDS)
        elif state is h11.IDLE:  # a part of a head, or nothing yet
            if self._clock is None:
                self._start(HEAD_SECONDS)
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop()
        super().connection_lost(exc)

    def _start(self, seconds: float) -> None:
        self._stop()
        self._clock = self.loop.call_later(seconds, self._give_up)
        self._in_body = seconds == BODY_SECONDS

    def _stop(self) -> None:
        self._in_body = False
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


class PartnerProtocol(PatientProtocol):
    """The same for the door of partners: tells the application by which certificate a client came in, once TLS has checked it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        tls = transport.get_extra_info("ssl_object")
        given = tls.getpeercert(binary_form=True) if tls is not None else None
        if given:
            inner, shown = self.app, {"client_cert_sha256": hashlib.sha256(given).hexdigest()}

            async def with_certificate(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - of ASGI
                await inner({**scope, "extensions": {**scope.get("extensions", {}), "tls": shown}}, receive, send)

            self.app = with_certificate
        super().connection_made(transport)
