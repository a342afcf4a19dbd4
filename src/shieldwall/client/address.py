"""Where a node is: an origin, of which only https, or http on this machine, is taken."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shieldwall.errors import UsageError

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_HINT = "as in https://node.example.org or http://localhost:8420"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where a node is.

    Attributes:
        host: Its name, or an IP address without brackets.
        port: Its port.
        tls: Whether it is asked by https.
    """

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _usual(self.tls) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin (RFC 6454, 6.2)."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"


def parse_address(url: str) -> NodeAddress:
    """The address of a node.

    Raises:
        UsageError: It is none, says more than an origin, or would go through the network in clear.

    Example:
        >>> parse_address("http://localhost:8420").authority
        'localhost:8420'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("that is no address of a node", hint=_HINT) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not url.isascii() or not (_NAME.fullmatch(host) or _is_ip(host)):
        raise UsageError("that is no address of a node", hint=_HINT)
    if parts.username is not None or parts.password is not None:
        raise UsageError("the address of a node carries no user or password", hint="give the token as token=...")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError("the address of a node ends with its host and port", hint=_HINT)
    tls = parts.scheme == "https"
    if not tls and not is_here(host):
        raise UsageError(f"{host}: what is sent in clear would be read on the way", hint="use https")
    return NodeAddress(host, _usual(tls) if port is None else port, tls)


def is_here(host: str) -> bool:
    """Whether a name or IP address means this machine by its form (RFC 6761, 6.3)."""
    if _is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _usual(tls: bool) -> int:
    return 443 if tls else 80
