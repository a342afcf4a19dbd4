"""What a block's own bytes prove: its work and which transactions it holds."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import scrypt, sha256

import numpy as np

from shieldwall.kernels.arrays import Bytes, Rules
from shieldwall.kernels.plain.hashing import merkle_roots
from shieldwall.model.network import Network, Work

HEADER_SIZE = 80


def sha256d(data: bytes) -> bytes:
    """SHA-256 of SHA-256: Bitcoin's hash of headers and transactions."""
    return sha256(sha256(data).digest()).digest()


@dataclass(frozen=True, slots=True)
class Header:
    """An 80-byte block header taken apart; hashes in internal byte order."""

    raw: bytes
    hash: bytes
    version: int
    previous: bytes
    merkle_root: bytes
    time: int
    target: int

    @property
    def work(self) -> int:
        """Expected hashes to find such a block: 2^256 / (target + 1)."""
        return (1 << 256) // (self.target + 1)

    @property
    def proves_work(self) -> bool:
        """True when the SHA-256d hash is below the target that the header itself names; see also `carries_work`."""
        return self._meets(self.hash)

    def carries_work(self, work: Work) -> bool:
        """True when the hash that carries a network's work is below the target that the header itself names.

        scrypt takes 0.2 ms a header (Litecoin Core, `crypto/scrypt.cpp`: N 1024, r 1, p 1, the header as password and salt).
        """
        if work == "sha256d":
            return self.proves_work
        return self._meets(scrypt(self.raw, salt=self.raw, n=1024, r=1, p=1, dklen=32))

    def _meets(self, hashed: bytes) -> bool:
        return self.target > 0 and int.from_bytes(hashed, "little") <= self.target


def rules_of(network: Network) -> Rules:
    """What a network lets its transactions be, for the kernels."""
    return Rules(network.max_money, network.mweb)


def parse_header(raw: bytes) -> Header:
    """Take 80 bytes apart; every 80 bytes are some header, `proves_work` tells a real one."""
    bits = int.from_bytes(raw[72:76], "little")
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa << (8 * (exponent - 3)) if exponent > 3 else mantissa >> (8 * (3 - exponent))
    if bits & 0x800000 or target >> 256:
        target = 0
    return Header(
        raw=raw,
        hash=sha256d(raw),
        version=int.from_bytes(raw[0:4], "little", signed=True),
        previous=raw[4:36],
        merkle_root=raw[36:68],
        time=int.from_bytes(raw[68:72], "little"),
        target=target,
    )


def merkle_root(txids: Bytes) -> bytes:
    """The merkle root over uint8[n, 32] txids in block order, n >= 1."""
    root: bytes = merkle_roots(txids, np.array([0, len(txids)]))[0].tobytes()
    return root


def claimed_height(version: int, coinbase_script: bytes) -> int | None:
    """The height that a coinbase carries (BIP 34), or None: version 1, or no such push."""
    if version < 2 or not coinbase_script:
        return None
    size = coinbase_script[0]
    if 0x51 <= size <= 0x60:
        return size - 0x50
    if not 1 <= size <= 4 or len(coinbase_script) <= size:
        return None
    pushed = coinbase_script[1 : 1 + size]
    if pushed[-1] & 0x80:
        return None
    return int.from_bytes(pushed, "little")
