"""Where a node listens: never in clear beyond this machine, by TLS 1.3 alone, and once for each SQLite node."""

from __future__ import annotations

import fcntl
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from shieldwall.errors import StoreError, UsageError
from shieldwall.node.nodeconfig import NodeConfig
from shieldwall.node.serving import LOCK, Door, serve_app


def certificate(folder, *, passphrase=None):
    """A self-signed certificate for localhost and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    return folder / "cert.pem", folder / "key.pem"


def with_tls(folder, **changes):
    cert, key = certificate(folder)
    return replace(NodeConfig(), tls_certificate=cert, tls_key=key, **changes)


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_this_machine_may_be_in_clear(listen):
    assert Door.of(NodeConfig(listen=listen)).tls is None


@pytest.mark.parametrize("listen", ["0.0.0.0", "192.0.2.7", "::", "::ffff:192.0.2.7", "169.254.1.1"])  # noqa: S104 - to be refused
def test_beyond_this_machine_needs_tls(listen, tmp_path):
    with pytest.raises(UsageError, match="without TLS"):
        Door.of(NodeConfig(listen=listen))
    assert Door.of(with_tls(tmp_path, listen=listen)).tls is not None


@pytest.mark.parametrize("listen", ["", "node.example", "127.0.0.1:80", "0", "*"])
def test_what_is_no_address_is_refused(listen):
    with pytest.raises(UsageError, match="no address"):
        Door.of(NodeConfig(listen=listen))


def test_half_of_tls_is_refused(tmp_path):
    cert, key = certificate(tmp_path)
    for half in ({"tls_certificate": cert}, {"tls_key": key}):
        with pytest.raises(UsageError, match="both"):
            Door.of(NodeConfig(**half))


def test_a_certificate_that_does_not_serve_is_refused(tmp_path):
    cert, key = certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, strange = certificate(other)
    locked = tmp_path / "locked"
    locked.mkdir()
    for pair in ((cert, strange), (key, cert), (tmp_path / "none.pem", key), certificate(locked, passphrase=b"secret")):
        with pytest.raises(UsageError, match="do not serve"):
            Door.of(NodeConfig(tls_certificate=pair[0], tls_key=pair[1]))


def test_tls_is_1_3_alone(tmp_path):
    door = Door.of(with_tls(tmp_path))
    for most, lets_in in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        client = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        client.minimum_version = ssl.TLSVersion.TLSv1_2
        client.maximum_version = most
        assert shakes_hands(door.tls, client) is lets_in


def shakes_hands(server, client):
    """Whether two sides come to terms, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    done = [False, False]
    try:
        for _ in range(6):
            for number, side in enumerate(sides):
                try:
                    side.do_handshake()
                    done[number] = True
                except ssl.SSLWantReadError:
                    pass
    except ssl.SSLError:
        return False
    return all(done)


async def app(scope, receive, send):
    """An application that is never asked."""


def test_a_second_server_of_one_node_is_refused(tmp_path):
    with (tmp_path / LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process"):
            serve_app(app, Door.of(NodeConfig()), tmp_path)


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        door = Door.of(NodeConfig(port=taken.getsockname()[1]))
        with pytest.raises(UsageError, match="cannot serve"):
            serve_app(app, door, tmp_path)
