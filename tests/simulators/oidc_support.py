"""A small OpenID provider: in this process as a transport, or over HTTP on loopback. What a sound one never does can be set."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from shieldwall.errors import BadInput
from shieldwall.node.people.fetching import Question


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, size: int = 0) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class SigningKey:
    """A key of the provider; `algorithm` is RS256, ES256 or EdDSA."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.kid = secrets.token_hex(4)
        self.private: Any = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[algorithm]()

    def public(self) -> dict[str, str]:
        key = self.private.public_key()
        body = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            numbers = key.public_numbers()
            return body | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if self.algorithm == "ES256":
            numbers = key.public_numbers()
            return body | {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        return body | {"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_bytes_raw())}

    def sign(self, data: bytes) -> bytes:
        if self.algorithm == "RS256":
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(data)


@dataclass
class Provider:
    """A provider that signs in whoever `subject` says.

    Attributes:
        clock: Microseconds.
        issuer: Its URL.
        subject: Whom it signs in.
        algorithm: Of its key.
        client: What it calls the node, and its secret.
        claims: Instead of those that belong in an ID token; None leaves one out.
        header: Instead of what belongs in its header.
        sign: Instead of its key's signature.
        discovery: Instead of what it says of itself.
        asked: Paths that were asked for.
    """

    clock: Callable[[], int] = lambda: time.time_ns() // 1000
    issuer: str = "https://login.example.org"
    subject: str = "mara-7"
    algorithm: str = "ES256"
    client: tuple[str, str] = ("node", "s3cret&+ü")
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[bytes], bytes] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = SigningKey(self.algorithm)

    def authorize(self, url: str) -> tuple[str, str]:
        """What its page does with the browser that was sent to it: state and code to go back with."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert query["response_type"] == "code"
        assert query["scope"] == "openid"
        assert query["client_id"] == self.client[0]
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return query["state"], code

    def fetch(self, question: Question) -> bytes:
        """A transport that ends here."""
        path = question.url.removeprefix(self.issuer)
        self.asked.append(path)
        status, body = self._answer(
            path, {key.lower(): value for key, value in question.headers.items()}, question.body
        )
        if status != 200:
            raise BadInput(f"the OpenID provider answered {status}")
        return body

    def _answer(self, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
        if path == "/.well-known/openid-configuration":
            about = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
            return 200, json.dumps(about | self.discovery).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [{"kty": "strange"}, "no key", self.key.public()]}).encode()
        if path == "/token" and body is not None:
            return self._token(headers, body)
        return 404, b""

    def _token(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        name, secret = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode().split(":")
        if (unquote_plus(name), unquote_plus(secret)) != self.client:
            return 401, b"{}"
        asked = self._codes.pop(form["code"], None)
        proof = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or asked["code_challenge"] != proof or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        now = self.clock() // 1_000_000
        claims: dict[str, Any] = {
            "iss": self.issuer, "sub": self.subject, "aud": self.client[0], "nonce": asked["nonce"],
            "iat": now, "exp": now + 300,
        }  # fmt: skip
        claims = {key: value for key, value in (claims | self.claims).items() if value is not None}
        return 200, json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": self.token(claims)}).encode()

    def token(self, claims: dict[str, Any]) -> str:
        header = {"typ": "JWT", "alg": self.key.algorithm, "kid": self.key.kid} | self.header
        header = {key: value for key, value in header.items() if value is not None}
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{signed}.{b64((self.sign or self.key.sign)(signed.encode()))}"

    @contextlib.contextmanager
    def serve(self) -> Iterator[None]:
        """Answer over HTTP on loopback; `issuer` is set to where."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if self.command == "POST" else None
                provider.asked.append(self.path)
                if self.path == "/drip":
                    with contextlib.suppress(OSError):
                        for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40:
                            self.wfile.write(bytes([letter]))
                            time.sleep(0.05)
                    self.close_connection = True
                    return
                if self.path == "/elsewhere":
                    status, answer = 302, b""
                elif self.path == "/endless":
                    status, answer = 200, b" " * (2 << 20)
                else:
                    headers = {key.lower(): value for key, value in self.headers.items()}
                    status, answer = provider._answer(self.path, headers, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Location", f"{provider.issuer}/keys")
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
