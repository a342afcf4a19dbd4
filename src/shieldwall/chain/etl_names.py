"""How bitcoin-etl names whom a script pays: what its node says, or a piece of the script's hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from shieldwall.chain.readers.rebuilt import CORE_TYPES
from shieldwall.model.address import encode, identity, key_hash
from shieldwall.model.network import Network
from shieldwall.model.script import Script, ScriptKind, assemble


@dataclass(frozen=True, slots=True)
class EtlForm:
    """How to write what bitcoin-etl leaves to its node.

    Attributes:
        zero_for_unknown: `input_value` and `fee` count an input of unknown value as zero, as bitcoin-etl does; a fee can
            then be negative. Otherwise both are null where an input's value is not known.
        old_node: As a node before Bitcoin Core 22 told it: `required_signatures`, and addresses of bare public keys and
            bare multisig. A later node gives neither, and bitcoin-etl calls those scripts nonstandard.
    """

    zero_for_unknown: bool = False
    old_node: bool = False


NOBODY: dict[str, Any] = {"required_signatures": None, "type": None, "addresses": []}
"""What an input says of an output that was not looked up."""


def holder_fields(script: Script, network: Network, form: EtlForm) -> dict[str, Any]:
    """How bitcoin-etl names whom a script pays: the node's type and addresses, or `nonstandard` and a piece of its hash."""
    own = encode(script, network)
    addresses = [own] if own is not None else []
    needed = 1 if addresses else None
    if form.old_node and script.kind == ScriptKind.P2PK:
        addresses, needed = [identity(key_hash(script.payload), network)], 1
    elif form.old_node and script.kind == ScriptKind.MULTISIG:
        keys = _keys(script.payload)
        addresses, needed = [identity(key_hash(key), network) for key in keys], script.payload[0] - 0x50
    if not addresses:
        name = hashlib.sha256(assemble(script)).hexdigest()[:40]
        return {"required_signatures": None, "type": "nonstandard", "addresses": [f"nonstandard{name}"]}
    return {
        "required_signatures": needed if form.old_node else None,
        "type": CORE_TYPES[script.kind],
        "addresses": addresses,
    }


def _keys(multisig: bytes) -> list[bytes]:
    """The public keys of a bare multisig script."""
    keys = []
    place = 1
    while multisig[place] in (33, 65):
        keys.append(multisig[place + 1 : place + 1 + multisig[place]])
        place += 1 + multisig[place]
    return keys
