"""An offline key that backups are sealed to: X25519 and ML-KEM-768 together (HPKE, RFC 9180), made here and kept elsewhere."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from shieldwall.errors import BadText, WrongKey
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand
from shieldwall.node.selftest import HYBRID

ALGORITHM = "MLKEM768-X25519"
FORMAT = "shieldwall-backup-key"
_SEED = 64  # bytes of an ML-KEM-768 seed (FIPS 203, 7.1: d and z)
_X = 32
_ML = 1184  # bytes of an ML-KEM-768 public key (FIPS 203, table 3)


@dataclass(frozen=True, slots=True)
class OfflinePublic:
    """The public half: ML-KEM-768 and X25519 public keys, 1,184 and 32 bytes."""

    mlkem: bytes
    x25519: bytes

    @property
    def id(self) -> str:
        """16 hex digits over both keys."""
        return hashlib.sha256(b"shieldwall/1/backup-key" + self.mlkem + self.x25519).hexdigest()[:16]

    def seal(self, plain: bytes, info: bytes) -> bytes:
        """`plain`, for whoever holds the secret half."""
        mlkem = MLKEM768PublicKey.from_public_bytes(self.mlkem)
        key = MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(self.x25519))
        return HYBRID.encrypt(plain, key, info)

    def as_dict(self) -> dict[str, Any]:
        """The public file."""
        public = base64.b64encode(self.mlkem + self.x25519).decode()
        return {"format": FORMAT, "version": 1, "algorithm": ALGORITHM, "id": self.id, "public": public}


@dataclass(frozen=True, slots=True)
class OfflineSecret:
    """The secret half: a seed of 64 bytes and an X25519 key of 32."""

    seed: bytes = field(repr=False)
    x25519: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> OfflineSecret:
        """A new one."""
        return cls(secrets.token_bytes(_SEED), secrets.token_bytes(_X))

    @property
    def public(self) -> OfflinePublic:
        """The public half."""
        return OfflinePublic(
            MLKEM768PrivateKey.from_seed_bytes(self.seed).public_key().public_bytes_raw(),
            X25519PrivateKey.from_private_bytes(self.x25519).public_key().public_bytes_raw(),
        )

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What was sealed.

        Raises:
            WrongKey: Not to this key, or it was changed.
        """
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.seed)
        key = MLKEM768X25519PrivateKey(mlkem, X25519PrivateKey.from_private_bytes(self.x25519))
        try:
            return HYBRID.decrypt(sealed, key, info)
        except (InvalidTag, ValueError):
            raise WrongKey("the offline key does not open that", hint="take the key that it was sealed to") from None

    def as_dict(self) -> dict[str, Any]:
        """The secret file."""
        return {**self.public.as_dict(), "secret": base64.b64encode(self.seed + self.x25519).decode()}


def read_public(raw: bytes, place: str) -> OfflinePublic:
    """The public half in a file, which may be the secret one.

    Raises:
        BadText: It is none.
    """
    try:
        body = _body(raw, place)
        both = base64.b64decode(body["public"], validate=True)
        demand(len(both) == _ML + _X)
        public = OfflinePublic(both[:_ML], both[_ML:])
        demand(public.id == body["id"])
        public.seal(b"", b"")  # a public key of the right size may still be none (FIPS 203, 7.2)
    except (KeyError, TypeError, ValueError):
        raise BadText(f"{place}: no key for backups", hint="make one: shieldwall node backup-key FILE") from None
    return public


def read_secret(raw: bytes, place: str) -> OfflineSecret:
    """The secret half in a file.

    Raises:
        BadText: It is none.
    """
    try:
        both = base64.b64decode(_body(raw, place)["secret"], validate=True)
        demand(len(both) == _SEED + _X)
    except (KeyError, TypeError, ValueError):
        raise BadText(f"{place}: no secret key for backups", hint="take the file without .pub") from None
    return OfflineSecret(both[:_SEED], both[_SEED:])


def _body(raw: bytes, place: str) -> dict[str, Any]:
    demand(len(raw) <= 1 << 16)
    body = parse_json(raw, place)
    demand(isinstance(body, dict))
    demand(body["format"] == FORMAT, body["version"] == 1, body["algorithm"] == ALGORITHM)
    return dict(body)
