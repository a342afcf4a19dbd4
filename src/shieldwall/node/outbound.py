"""The one way out: every connection that the node makes on its own goes through here.

A name is resolved once, every address of it is held against a list of what must not be reached from inside a network, and the
connection is made to the very address that was checked, so that no second answer of the name's server counts. No redirect is
followed, no proxy asked, and what comes back is bounded in size and time. Python's own `is_global` is not asked: in 3.11 it takes
64:ff9b::7f00:1, 2002:7f00:1::, 224.0.0.1 and fec0::1 for addresses of the internet.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from shieldwall.chain.readers.bounded import read_at_most
from shieldwall.errors import BadInput, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name, as texts."""

_MOST_ADDRESSES = 32  # of one name
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")

_NETWORKS_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # behind a carrier's translator (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "169.254.0.0/16",  # link-local (RFC 3927), where clouds keep their credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_INTERNET_6 = ipaddress.IPv6Network("2000::/3")  # all global unicast that was ever given out (IANA)
_NETWORKS_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them (RFC 2928, 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291, section 2.5.5.2
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_6TO4 = ipaddress.IPv6Network("2002::/16")  # RFC 3056
_OWN_4 = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_OWN_6 = tuple(map(ipaddress.IPv6Network, ("::1/128", "fc00::/7")))


class Unreachable(BadInput):
    """What is outside did not answer, or not with what counts; it may later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a connection may cost.

    Attributes:
        seconds: From connecting to the last byte of the answer.
        most_bytes: Of the answer.
    """

    seconds: float = 15.0
    most_bytes: int = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart: host, port, path with its query, and whether it is through TLS."""

    host: str
    port: int
    path: str
    tls: bool

    @property
    def name(self) -> str:
        """Host and port, for people and logs: a path may be a secret."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; headers by lower-case name, the last one of a name."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def is_internet(address: Address) -> bool:
    """Whether an address is one of the public internet, and not of any network inside.

    Example:
        >>> is_internet(ipaddress.ip_address("9.9.9.9")), is_internet(ipaddress.ip_address("64:ff9b::7f00:1"))
        (True, False)
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NETWORKS_4)
    inner = embedded(address)
    if inner is not None:
        return is_internet(inner)
    if address not in _INTERNET_6:
        return False
    return not any(address in network for network in _NETWORKS_6)


def is_own(address: Address) -> bool:
    """Whether an address is loopback or private, which may be allowed for a host; link-local never is."""
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _OWN_4)
    inner = address.ipv4_mapped
    return is_own(inner) if inner is not None else any(address in network for network in _OWN_6)


def embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address end at: mapped, NAT64 and 6to4."""
    number = int(address)
    if address in _MAPPED or address in _NAT64:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _6TO4:
        return ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
    return None


def parse_url(url: str) -> Target:
    """A URL that may be asked, as far as its text tells.

    Raises:
        UsageError: It is no http or https URL of a host, or carries a user or a fragment. The message does not repeat it.
    """
    hint = "write https://HOST/PATH"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise UsageError("that is no URL: it has characters that no URL has", hint=hint)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("that is no URL", hint=hint) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError("that is no https URL of a host", hint=hint)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UsageError("a URL to be asked carries no user, password or fragment", hint=hint)
    tls = parts.scheme == "https"
    _check_host(parts.hostname)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host=parts.hostname, port=(443 if tls else 80) if port is None else port, path=path, tls=tls)


def checked_addresses(target: Target, *, allow_private: bool = False, resolve: Resolve | None = None) -> list[Address]:
    """The addresses of a target, every one checked.

    Args:
        target: Where to.
        allow_private: Its host was declared to be inside: loopback and private addresses are taken as well.
        resolve: Asks for a name once; None for the system.

    Raises:
        UsageError: One of its addresses must not be reached, or it is not through TLS and not inside.
        Unreachable: The name has no address now.
    """
    texts = list((resolve or system_resolve)(target.host, target.port))[:_MOST_ADDRESSES]
    try:
        addresses = list(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
    except ValueError:  # with a zone, such as fe80::1%eth0
        raise UsageError(f"{target.name}: an address that must not be reached", hint="name a public host") from None
    if not addresses:
        raise Unreachable(f"{target.name}: the name has no address")
    inside = [is_own(address) for address in addresses]
    if not all(is_internet(each) or (allow_private and own) for each, own in zip(addresses, inside, strict=True)):
        raise UsageError(
            f"{target.name}: an address that must not be reached from here",
            hint="name a public host; a private or loopback one must be allowed in the node's settings (allow_private)",
        )
    if not target.tls and not all(inside):
        raise UsageError(f"{target.name}: http is for hosts inside alone", hint="use https")
    return addresses


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name.

    Raises:
        Unreachable: It has none now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise Unreachable(f"{host}: the name cannot be resolved now") from None
    return [str(entry[4][0]) for entry in found]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    limits: Limits | None = None,
    resolve: Resolve | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send a POST request, once.

    Args:
        url: Where to.
        body: What.
        headers: Beside those that HTTP itself needs.
        allow_private: See `checked_addresses`.
        limits: What it may cost.
        resolve: See `checked_addresses`.
        context: Whom TLS trusts; None for the system's authorities.

    Returns:
        An answer of 200 to 299.

    Raises:
        UsageError: It must not be asked.
        Unreachable: No answer, another one (a redirect is another one), or too much of it.
    """
    answer = exchange(
        "POST", url, body, headers, allow_private=allow_private, limits=limits, resolve=resolve, context=context
    )
    if not http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES:
        raise Unreachable(f"{parse_url(url).name}: answered {answer.status}")
    return answer


def exchange(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    limits: Limits | None = None,
    resolve: Resolve | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send a request, once, and give whatever is answered; a redirect is an answer like any other, and never followed.

    Args:
        method: GET, POST or DELETE.
        url, body, headers, allow_private, limits, resolve, context: See `post`.

    Raises:
        UsageError: It must not be asked.
        Unreachable: No answer, or too much of it.
    """
    limits = limits or Limits()
    target = parse_url(url)
    addresses = checked_addresses(target, allow_private=allow_private, resolve=resolve)
    with _mapped(target.name), _connected(target, addresses, limits) as raw, _watched(raw, limits.seconds):
        stream: socket.socket = raw
        if target.tls:
            stream = (context or ssl.create_default_context()).wrap_socket(raw, server_hostname=target.host)
        connection = http.client.HTTPConnection(target.host, target.port, timeout=limits.seconds)
        connection.sock = stream  # the address that was checked; Host and SNI are the name's
        with contextlib.closing(connection), contextlib.closing(stream):
            connection.request(method, target.path, body=body or None, headers={**headers, "Connection": "close"})
            answer = connection.getresponse()
            status, content = answer.status, read_at_most(answer, limits.most_bytes)
            given = {name.lower(): text for name, text in answer.getheaders()}
    if len(content) > limits.most_bytes:
        raise Unreachable(f"{target.name}: the answer is too long")
    return Answer(status=status, body=content, headers=given)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        host: Declared in the node's settings, so it may be inside.
        port: Its port.
        starttls: The connection must be encrypted; without that, the host must be inside.
        user: To sign in with; "" for none.
        password: Likewise.
    """

    host: str
    port: int
    starttls: bool = True
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"MailServer(host={self.host!r}, port={self.port})"


def send_mail(
    server: MailServer,
    message: EmailMessage,
    *,
    limits: Limits | None = None,
    resolve: Resolve | None = None,
    context: ssl.SSLContext | None = None,
) -> None:
    """Hand a mail in, once, to the receiver that it names.

    Args:
        server: Where.
        message: With From and To.
        limits: What it may cost.
        resolve: See `checked_addresses`.
        context: Whom TLS trusts; None for the system's authorities.

    Raises:
        UsageError: The server must not be asked.
        Unreachable: It does not take it now.
    """
    limits = limits or Limits()
    _check_host(server.host)
    target = Target(host=server.host, port=server.port, path="", tls=server.starttls)
    addresses = checked_addresses(target, allow_private=True, resolve=resolve)
    with (
        _mapped(target.name),
        _connected(target, addresses, limits) as raw,
        _watched(raw, limits.seconds),
        _Pinned(raw, server, limits) as session,
    ):
        if server.starttls:
            session.starttls(context=context or ssl.create_default_context())
        if server.user:
            session.login(server.user, server.password)
        session.send_message(message)


class _Pinned(smtplib.SMTP):
    """SMTP over a connection that was made already."""

    def __init__(self, raw: socket.socket, server: MailServer, limits: Limits) -> None:
        self._raw = raw
        super().__init__(server.host, server.port, local_hostname="localhost", timeout=limits.seconds)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:  # noqa: ANN401, ARG002 - as `smtplib.SMTP`
        return self._raw


def _check_host(host: str) -> None:
    """Refuse what is neither a name nor an address; whether it may be reached is asked of what it resolves to."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return
    if not _NAME.fullmatch(host) or ".." in host:
        raise UsageError("that is no name of a host", hint="names with other letters are written as xn--...")


@contextlib.contextmanager
def _connected(target: Target, addresses: Sequence[Address], limits: Limits) -> Iterator[socket.socket]:
    """A connection to the first address that takes one."""
    last: OSError | None = None
    for address in addresses:
        try:
            raw = socket.create_connection((str(address), target.port), timeout=limits.seconds)
        except OSError as error:
            last = error
            continue
        with raw:
            yield raw
        return
    raise Unreachable(f"{target.name}: no connection ({type(last).__name__})")


@contextlib.contextmanager
def _watched(raw: socket.socket, seconds: float) -> Iterator[None]:
    """Break the connection off after so many seconds in all: one that sends a byte now and then never times out by itself."""
    copy = raw.dup()  # TLS takes the first one's descriptor for itself
    over = threading.Event()

    def cut() -> None:
        over.set()
        with contextlib.suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if over.is_set():  # what came so far may look like all of it
            raise TimeoutError
    finally:
        timer.cancel()
        copy.close()


@contextlib.contextmanager
def _mapped(name: str) -> Iterator[None]:
    """Turn what the libraries raise into ours; their words may repeat what was sent."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{name}: its certificate is not trusted ({error.verify_message})") from None
    except smtplib.SMTPResponseException as error:
        raise Unreachable(f"{name}: the mail server answered {error.smtp_code}") from None
    except (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError) as error:
        raise Unreachable(f"{name}: the exchange failed ({type(error).__name__})") from None
