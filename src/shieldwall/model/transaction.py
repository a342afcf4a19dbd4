"""Names of chain things as people write them: txids (byte-reversed hex), outpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass

TXID = re.compile(r"[0-9a-fA-F]{64}")


def display(internal: bytes) -> str:
    """A txid or block hash as people write it: the internal bytes reversed, in hex."""
    return internal[::-1].hex()


def internal(text: str) -> bytes:
    """The 32 internal bytes of a displayed txid or block hash (64 hex digits)."""
    return bytes.fromhex(text)[::-1]


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """An output by the txid that made it (display form) and its index."""

    txid: str
    index: int

    def __str__(self) -> str:
        return f"{self.txid}:{self.index}"
