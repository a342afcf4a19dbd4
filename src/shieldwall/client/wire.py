"""HTTP over one socket that is read and written before a moment, however slowly the other side drips."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from shieldwall.client.address import NodeAddress
from shieldwall.errors import UsageError


class Wire:
    """A connection to a node.

    Args:
        address: Where the node is.
        tls: How it proves who it is; None for http on this machine.
        connect_within: Seconds until the connection stands.
        clock: Seconds, never going back.

    Attributes:
        until: The moment of `clock` before which all must be done; TimeoutError after it.
    """

    def __init__(
        self, address: NodeAddress, tls: ssl.SSLContext | None, connect_within: float, clock: Callable[[], float]
    ) -> None:
        self.until = 0.0
        self._address = address
        self._tls = tls
        self._connect_within = connect_within
        self._clock = clock
        self._http = http.client.HTTPConnection(address.host, address.port)
        self._http.auto_open = 0  # it would connect again by itself, and in clear

    @property
    def stands(self) -> bool:
        """Whether the node has not hung up, as far as is known."""
        return self._http.sock is not None

    def connect(self) -> None:
        """Connect, and have the node prove who it is.

        Raises:
            OSError: It cannot.
            UsageError: A name that should mean this machine means another one.
        """
        raw = socket.create_connection((self._address.host, self._address.port), timeout=self._connect_within)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made = self._proven(raw)
        except BaseException:
            raw.close()
            raise
        self._http.sock = _Timed(made, self._left)

    def send(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request. Where the node hangs up meanwhile, its answer may be there all the same."""
        self._http.putrequest(method, target, skip_host=True)
        self._http.putheader("Host", self._address.authority)
        for name, value in headers.items():
            self._http.putheader(name, value)
        if body is not None or method != "GET":
            self._http.putheader("Content-Length", str(len(body or b"")))
        self._http.endheaders()
        if body:
            try:
                self._http.send(body)
            except (BrokenPipeError, ConnectionResetError):
                return  # a body that is too large is refused by its length alone

    def answer(self) -> http.client.HTTPResponse:
        """The head of the answer; its body is read from it."""
        return self._http.getresponse()

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _proven(self, raw: socket.socket) -> socket.socket:
        """The socket, once it is known whom it leads to."""
        if self._tls is not None:
            return self._tls.wrap_socket(raw, server_hostname=self._address.host)
        if not ipaddress.ip_address(raw.getpeername()[0]).is_loopback:
            raise UsageError(f"{self._address.host} is another machine here", hint="use https")
        return raw

    def _left(self) -> float:
        left = self.until - self._clock()
        if left <= 0:
            raise TimeoutError
        return left


class _Timed:
    """As much of a socket as `http.client` uses."""

    def __init__(self, raw: socket.socket, left: Callable[[], float]) -> None:
        self._raw = raw
        self._left = left

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(self._left())  # of the whole, not of each piece
        self._raw.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._raw, self._left))

    def close(self) -> None:
        self._raw.close()


class _Reader(io.RawIOBase):
    """The bytes that come."""

    def __init__(self, raw: socket.socket, left: Callable[[], float]) -> None:
        super().__init__()
        self._raw = raw
        self._left = left
        self._file = raw.makefile("rb", buffering=0)  # keeps the socket open while an answer is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        self._raw.settimeout(self._left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
