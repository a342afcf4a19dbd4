"""Serve an application: on this machine in clear, beyond it by TLS 1.3 alone, and only once for each SQLite node."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import ipaddress
import logging
import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, Self

from shieldwall.errors import StoreError, UsageError
from shieldwall.node.nodeconfig import NodeConfig, TaxiiConfig, is_server

if TYPE_CHECKING:
    import uvicorn

LOCK = "serve.lock"
_MOST_AT_ONCE = 256  # connections; more are answered with 503
_HEAD = 32 << 10  # bytes of a request's head
_KEEP = 20  # seconds that an idle connection stays
_MOMENT = 0.02  # seconds between two looks whether a server has begun
_FAREWELL = 5  # seconds that answers under way have when the node stops


@dataclass(frozen=True, slots=True)
class Door:
    """Where to listen: address, port, and TLS (None for none).

    Attributes:
        address: An IP address.
        port: The port.
        tls: Server side, TLS 1.3 only.
        alone: No other process may serve this node.
    """

    address: str
    port: int
    tls: ssl.SSLContext | None
    alone: bool

    @classmethod
    def of(cls, config: NodeConfig) -> Self:
        """The door that a node's settings describe.

        Raises:
            UsageError: It would be open in clear beyond this machine, or certificate and key do not fit.
        """
        address = "127.0.0.1" if config.listen == "localhost" else config.listen
        try:
            loopback = ipaddress.ip_address(address).is_loopback
        except ValueError:
            raise UsageError(
                f"{address!r} is no address to listen on", hint="write an IP address, such as 127.0.0.1"
            ) from None
        if (config.tls_certificate is None) != (config.tls_key is None):
            raise UsageError(
                "TLS needs both a certificate and its key", hint="name tls_certificate and tls_key in node.toml"
            )
        tls = None if config.tls_certificate is None else _tls(config.tls_certificate, config.tls_key)
        if tls is None and not loopback:
            raise UsageError(
                f"the node will not listen on {address} without TLS: sessions would cross the network in clear",
                hint="name tls_certificate and tls_key in node.toml, or listen on 127.0.0.1",
            )
        return cls(address, config.port, tls, alone=not is_server(config.database))

    @classmethod
    def of_partners(cls, config: TaxiiConfig) -> Self:
        """The door of partners, which is never without TLS.

        Raises:
            UsageError: Certificate, key or authorities do not serve.
        """
        try:
            ipaddress.ip_address(config.listen)
        except ValueError:
            raise UsageError(f"[taxii] listen: {config.listen!r} is no address", hint="write an IP address") from None
        tls = _tls(config.tls_certificate, config.tls_key)
        # TAXII 2.1 (8.1.1) wants TLS 1.2, which some clients have alone; with these ciphers none is left that RFC 7540 forbids
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        if config.client_ca is not None:
            try:
                tls.load_verify_locations(config.client_ca)
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"{config.client_ca}: no authorities can be read there ({error})", hint="PEM, one or several"
                ) from None
            tls.verify_mode = ssl.CERT_OPTIONAL
        return cls(config.listen, config.port, tls, alone=False)


def serve_app(app: Any, door: Door, folder: Path, partners: tuple[Any, Door] | None = None) -> None:  # noqa: ANN401 - ASGI
    """Serve until the process is told to stop.

    Args:
        app: An ASGI application, whose lifespan starts and stops the node.
        door: Where to listen.
        folder: The node's folder, locked against a second server.
        partners: The application behind the door of partners, and that door; None for none.

    Raises:
        StoreError: Another process serves it.
        UsageError: Nobody may listen there, or somebody does.
    """
    import uvicorn  # noqa: PLC0415 - only here

    from shieldwall.node.connections import PartnerProtocol, PatientProtocol  # noqa: PLC0415 - as above

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    beside = None if partners is None else uvicorn.Server(_settings(*partners, PartnerProtocol, lifespan="off"))

    class Server(uvicorn.Server):
        """Lets the door of partners close first, as the node stops with the application behind this one."""

        async def shutdown(self, sockets: list[Any] | None = None) -> None:
            if beside is not None:
                beside.should_exit = True
                await asyncio.to_thread(aside.join, _FAREWELL + 5)
            await super().shutdown(sockets)

    server = Server(_settings(app, door, PatientProtocol, lifespan="on"))
    aside = threading.Thread(target=_serve_aside, args=(beside,), name="partners", daemon=True)
    # uvicorn passes on the signal that stopped it when all is done: a stop that was asked for is no failure
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _asked_to_stop)
    with _alone(folder) if door.alone else contextlib.nullcontext():
        if beside is not None and partners is not None:
            aside.start()
            while not beside.started:
                if not aside.is_alive():
                    place = f"{partners[1].address}:{partners[1].port}"
                    raise UsageError(f"the node cannot serve partners at {place}", hint="see the lines above")
                time.sleep(_MOMENT)
        try:
            server.run()
        except SystemExit:
            raise UsageError(
                f"the node cannot serve at {door.address}:{door.port}", hint="see the lines above"
            ) from None


def _settings(app: Any, door: Door, protocol: type[Any], *, lifespan: Literal["on", "off"]) -> uvicorn.Config:  # noqa: ANN401
    import uvicorn  # noqa: PLC0415 - only here

    config = uvicorn.Config(
        app,
        host=door.address,
        port=door.port,
        http=protocol,
        loop="shieldwall.node.connections:PatientLoop",
        ws="none",
        log_config=None,
        access_log=False,  # an address that someone looks up stands in the path
        server_header=False,
        proxy_headers=False,  # whoever sends X-Forwarded-For would choose whom a ban hits
        lifespan=lifespan,
        limit_concurrency=_MOST_AT_ONCE,
        h11_max_incomplete_event_size=_HEAD,
        timeout_keep_alive=_KEEP,
        timeout_graceful_shutdown=_FAREWELL,
    )
    if door.tls is not None:
        config.load()
        config.ssl = door.tls
    return config


def _serve_aside(server: uvicorn.Server | None) -> None:
    if server is not None:
        with contextlib.suppress(SystemExit):  # it has said why
            server.run()


def _asked_to_stop(_number: int, _frame: FrameType | None) -> None:
    """Nothing: the server has stopped."""


def _tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_COMPRESSION
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageError(
            f"{certificate}: the certificate and its key do not serve ({error})",
            hint="PEM files, the key without a passphrase",
        ) from None
    return context


def _no_password() -> str:
    """A server that starts by itself has nobody to ask."""
    raise ValueError("the key has a passphrase")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"{folder}: another process serves this node", hint="stop it first") from None
        yield
    finally:
        os.close(handle)
