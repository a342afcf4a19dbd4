"""Keys of the store, and the envelope around single values where the database is not encrypted as a whole.

An envelope is one byte that names the algorithm (1: AES-256-GCM), a nonce of 12 bytes, and the sealed value with its tag. It is
bound to table, column and row: a value that was moved elsewhere does not open.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shieldwall.errors import Tampered

KEY = 32  # bytes
_AES_GCM = b"\x01"
_NONCE = 12


@dataclass(frozen=True)
class Secrets:
    """The keys that come from a node's master key, one for each purpose (HKDF-SHA256, RFC 5869).

    Attributes:
        master: 32 bytes.
    """

    master: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.master) != KEY:
            raise ValueError("a master key has 32 bytes")

    def derive(self, purpose: str) -> bytes:
        """The key of 32 bytes for a purpose."""
        return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=b"shieldwall/1/" + purpose.encode()).derive(
            self.master
        )

    @cached_property
    def database(self) -> bytes:
        """The key of the SQLite database."""
        return self.derive("database")

    @cached_property
    def index(self) -> bytes:
        """The key of the hashes by which secret values are found."""
        return self.derive("index")

    @cached_property
    def envelope(self) -> Envelope:
        """Seals values of a database that is not encrypted as a whole, and what leaves the node and comes back."""
        return Envelope(self.derive("envelope"))

    def keyed(self, *parts: str | bytes) -> bytes:
        """HMAC-SHA256 over parts, each with its length before it: finds what may not be read."""
        return hmac.digest(self.index, framed(*parts), "sha256")

    def keyed_number(self, *parts: str | bytes) -> int:
        """The first 64 bits of `keyed`, as a signed number: two things may share one, so look at the thing itself."""
        return self.framed_number(framed(*parts))

    def framed_number(self, frame: bytes) -> int:
        """`keyed_number` of parts that are `framed` already, for whoever has very many that begin alike."""
        return int.from_bytes(hmac.digest(self.index, frame, "sha256")[:8], "big", signed=True)


def framed(*parts: str | bytes) -> bytes:
    """Parts, each with its length before it, so that none runs into the next."""
    raw = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]
    return b"".join([len(part).to_bytes(8, "big") + part for part in raw])


class Sealer(Protocol):
    """Seals single values of a table."""

    def seal(self, table: str, column: str, row: str | bytes, plain: bytes) -> bytes:
        """The value as it stands in the database."""

    def open(self, table: str, column: str, row: str | bytes, sealed: bytes) -> bytes:
        """The value again; Tampered when it is not what was sealed there."""


class Envelope:
    """AES-256-GCM around single values, bound to their place."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, table: str, column: str, row: str | bytes, plain: bytes) -> bytes:
        """See `Sealer`."""
        nonce = secrets.token_bytes(_NONCE)
        return _AES_GCM + nonce + self._cipher.encrypt(nonce, plain, _place(table, column, row))

    def open(self, table: str, column: str, row: str | bytes, sealed: bytes) -> bytes:
        """See `Sealer`.

        Raises:
            Tampered: It was changed, or belongs to another place.
        """
        try:
            nonce, text = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
            plain = self._cipher.decrypt(nonce, text, _place(table, column, row)) if sealed[:1] == _AES_GCM else None
        except (InvalidTag, ValueError):
            plain = None
        if plain is None:
            raise Tampered(
                f"table {table}, column {column}: a value is not what was written there",
                hint="restore a backup: shieldwall node restore",
            )
        return plain


class Whole:
    """Leaves values as they are, in a database that is encrypted as a whole."""

    def seal(self, table: str, column: str, row: str | bytes, plain: bytes) -> bytes:  # noqa: ARG002 - as `Sealer`
        """The value."""
        return plain

    def open(self, table: str, column: str, row: str | bytes, sealed: bytes) -> bytes:  # noqa: ARG002 - as `Sealer`
        """The value."""
        return sealed


def _place(table: str, column: str, row: str | bytes) -> bytes:
    name = row.encode() if isinstance(row, str) else row
    return f"{table}.{column}.".encode() + name
