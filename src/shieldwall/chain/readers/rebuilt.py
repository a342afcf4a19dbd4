"""Blocks put together again from tables of their fields: headers, and the scripts that addresses stand for.

Tables (Parquet, bitcoin-etl) carry every field of a header but, in some forms, the hash of the block before. A header is
believed when it hashes to the hash that the table names and carries its work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from shieldwall.chain.proof import Header, parse_header
from shieldwall.chain.readers.blockfiles import check_header
from shieldwall.chain.readers.interface import Place, Previous
from shieldwall.errors import BadBlock
from shieldwall.model.address import parse
from shieldwall.model.network import NETWORKS, Network
from shieldwall.model.script import ScriptKind, assemble
from shieldwall.model.transaction import display

FIRST_PREVIOUS = bytes(32)  # what the header of block 0 names as the block before

CORE_TYPES = {
    ScriptKind.P2PK: "pubkey",
    ScriptKind.P2PKH: "pubkeyhash",
    ScriptKind.P2SH: "scripthash",
    ScriptKind.MULTISIG: "multisig",
    ScriptKind.P2WPKH: "witness_v0_keyhash",
    ScriptKind.P2WSH: "witness_v0_scripthash",
    ScriptKind.P2TR: "witness_v1_taproot",
    ScriptKind.WITNESS: "witness_unknown",
}
"""Bitcoin Core's names of kinds of scripts (`script/solver.cpp`), of those that have addresses in some version of it."""


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """A header's fields as a table gives them, hashes in internal byte order; `bits` as in the header's bytes."""

    version: int
    merkle_root: bytes
    time: int
    bits: bytes
    nonce: int

    def bytes_after(self, previous: bytes) -> bytes:
        """The 80 bytes, with the hash of the block before."""
        return (
            (self.version & 0xFFFFFFFF).to_bytes(4, "little")
            + previous
            + self.merkle_root
            + self.time.to_bytes(4, "little")
            + self.bits
            + self.nonce.to_bytes(4, "little")
        )


def rebuild_header(fields: HeaderFields, name: bytes, previous: bytes, place: Place, network: Network) -> Header:
    """The header that these fields make.

    Raises:
        BadBlock: It does not hash to `name`, or does not carry its work.
    """
    header = parse_header(fields.bytes_after(previous))
    if header.hash != name:
        raise BadBlock(
            f"{place}: the fields of the header hash to {display(header.hash)}, and the file names {display(name)}",
            hint="a field was changed; fetch the file again",
        )
    return check_header(header, place, network)


def find_header(
    fields: HeaderFields, name: bytes, candidates: Iterable[bytes], place: Place, network: Network
) -> Header | None:
    """The header with the first of `candidates` as the block before that makes it hash to `name`; None: none does.

    Raises:
        BadBlock: It does not carry its work.
    """
    for previous in candidates:
        header = parse_header(fields.bytes_after(previous))
        if header.hash == name:
            return check_header(header, place, network)
    return None


def previous_of(value: int | None, kind: str | None, address: str | None, network: Network) -> Previous | None:
    """What a table says of a spent output: satoshi, Core's type of its script, one address.

    The script is known only where its type says that the address gives it back: tables name the address of a key's hash
    for scripts that hold the key itself. None when the table says nothing.
    """
    script = _script_of(address, kind, network.name) if address and kind else None
    if script is not None:
        return Previous(value, script)
    return None if value is None else Previous(value, b"", script_known=False)


@lru_cache(1 << 16)
def _script_of(address: str, kind: str, network: str) -> bytes | None:
    """The script of an address if it is of that type; services and change come back often."""
    script = parse(address, NETWORKS[network])
    return assemble(script) if script is not None and CORE_TYPES.get(script.kind) == kind else None
