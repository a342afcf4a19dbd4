"""An authenticator and the browser before it: turns a server's JSON options into the JSON answer that a browser would send.

ES256, EdDSA and ML-DSA-65. What a real one never does can be set: no user verification, another origin, another challenge.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256

ES256, EDDSA, ML_DSA_65 = -7, -8, -49
ALGORITHMS = (ES256, EDDSA, ML_DSA_65)
_PRESENT, _VERIFIED, _ATTESTED = 1, 4, 64


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "===")


@dataclass
class Key:
    """A key pair and where it is used."""

    id: bytes
    rp_id: str
    user: bytes
    algorithm: int
    private: Any
    count: int = 0

    def cose(self) -> bytes:
        public = self.private.public_key()
        if self.algorithm == ES256:
            numbers = public.public_numbers()
            x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
            return cbor2.dumps({1: 2, 3: ES256, -1: 1, -2: x, -3: y})
        if self.algorithm == EDDSA:
            return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()})
        return cbor2.dumps({1: 7, 3: ML_DSA_65, -1: public.public_bytes_raw()})

    def sign(self, data: bytes) -> bytes:
        if self.algorithm == ES256:
            return self.private.sign(data, ec.ECDSA(SHA256()))
        return self.private.sign(data)


@dataclass
class Authenticator:
    """One that remembers its keys, in a browser that shows pages of `origin`.

    Attributes:
        origin: Of the page.
        algorithm: That it makes keys for, if the server allows it.
        verifies: Whether it asks for PIN or finger.
        counts: Whether it has a signature counter; synced passkeys have none.
        cross_origin: Whether the page is in another site's frame.
        challenge: Instead of the server's.
        rp_id: Instead of the server's.
        shows_user: Whether it says whose key it is.
        fmt: Attestation format that it claims.
        certificates: That it shows with it.
    """

    origin: str = "http://localhost:8420"
    algorithm: int = ES256
    verifies: bool = True
    counts: bool = True
    cross_origin: bool = False
    challenge: bytes | None = None
    rp_id: str | None = None
    shows_user: bool = True
    fmt: str = "none"
    certificates: list[bytes] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        """`navigator.credentials.create`."""
        options = options.get("publicKey", options)
        allowed = [each["alg"] for each in options["pubKeyCredParams"]]
        algorithm = self.algorithm if self.algorithm in allowed or self.challenge else allowed[0]
        made = {
            ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
            EDDSA: ed25519.Ed25519PrivateKey.generate,
            ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
        }[algorithm]()
        key = Key(os.urandom(32), options["rp"]["id"], unb64(options["user"]["id"]), algorithm, made)
        if any(unb64(each["id"]) in {known.id for known in self.keys} for each in options["excludeCredentials"]):
            raise ValueError("InvalidStateError: this authenticator has a passkey of that person already")
        self.keys.append(key)
        attested = bytes(16) + len(key.id).to_bytes(2, "big") + key.id + key.cose()
        data = self._data(key, _ATTESTED) + attested
        client_data = self._client_data("webauthn.create", options["challenge"])
        statement: dict[str, Any] = {}
        if self.fmt == "packed":  # its own word: signed by the new key itself
            statement = {"alg": algorithm, "sig": key.sign(data + hashlib.sha256(client_data).digest())}
            statement |= {"x5c": self.certificates} if self.certificates else {}
        body = cbor2.dumps({"fmt": self.fmt, "attStmt": statement, "authData": data})
        response = {
            "clientDataJSON": b64(client_data),
            "attestationObject": b64(body),
            "transports": ["internal"],
        }
        return self._credential(key, response)

    def sign_in(self, options: dict[str, Any]) -> dict[str, Any]:
        """`navigator.credentials.get`, with the newest key that fits."""
        options = options.get("publicKey", options)
        allowed = {unb64(each["id"]) for each in options.get("allowCredentials", ())}
        fitting = [key for key in self.keys if key.rp_id == options["rpId"] and (not allowed or key.id in allowed)]
        if not fitting:
            raise ValueError("NotAllowedError: no passkey for that")
        key = fitting[-1]
        key.count += self.counts
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._data(key, 0)
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(key.sign(data + hashlib.sha256(client_data).digest())),
        }
        if self.shows_user:
            response["userHandle"] = b64(key.user)
        return self._credential(key, response)

    def _data(self, key: Key, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        rp_id = self.rp_id or key.rp_id
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + key.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        asked = challenge if self.challenge is None else b64(self.challenge)
        body = {"type": kind, "challenge": asked, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(body, separators=(",", ":")).encode()

    def _credential(self, key: Key, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": b64(key.id),
            "rawId": b64(key.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
