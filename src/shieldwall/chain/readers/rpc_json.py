"""A node's JSON form of blocks, checked field by field: `getblock HASH 2` and `3` (Bitcoin Core, `rpc/blockchain.cpp`).

The header is put together from its fields, and must hash to the hash that is named; transactions come from their field
`hex`, else from their fields, and are proven by the header's merkle root when they are taken into a store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shieldwall.chain.proof import Header
from shieldwall.chain.readers.esplora_json import MOST_HEIGHT, compact_size
from shieldwall.chain.readers.interface import Place, Previous
from shieldwall.chain.readers.jsonfields import (
    amount_field,
    as_hex,
    as_items,
    as_object,
    hash_field,
    integer_field,
    list_field,
)
from shieldwall.chain.readers.rebuilt import FIRST_PREVIOUS, HeaderFields, rebuild_header
from shieldwall.errors import BadText
from shieldwall.model.network import Network

_MOST32 = (1 << 32) - 1
_COINBASE = bytes(32) + b"\xff\xff\xff\xff"  # what a coinbase's input names in place of an output


def header(body: object, place: Place, network: Network) -> tuple[Header, int]:
    """A block's header, and its height as the node says it, from `getblock` or `getblockheader`.

    Raises:
        BadText: A field is missing or wrong.
        BadBlock: The fields do not hash to the named hash, or the header does not carry its work.
    """
    where = str(place)
    fields = as_object(body, where)
    bits = as_hex(fields.get("bits"), f"{where}.bits")
    if len(bits) != 4:
        raise BadText(f"{where}.bits: expected 8 hex digits")
    parts = HeaderFields(
        version=integer_field(fields, "version", where, least=-(1 << 31), most=_MOST32),
        merkle_root=hash_field(fields, "merkleroot", where),
        time=integer_field(fields, "time", where, most=_MOST32),
        bits=bits[::-1],
        nonce=integer_field(fields, "nonce", where, most=_MOST32),
    )
    first = "previousblockhash" not in fields
    previous = FIRST_PREVIOUS if first else hash_field(fields, "previousblockhash", where)
    height = integer_field(fields, "height", where, most=MOST_HEIGHT)
    return rebuild_header(parts, hash_field(fields, "hash", where), previous, place, network), height


def transactions(body: object, place: str, network: Network) -> list[bytes]:
    """A block's transactions as bytes.

    Raises:
        BadText: A field is missing or wrong, or the answer has txids in place of transactions (verbosity 1).
    """
    found = []
    for where, fields in _transactions(body, place):
        raw = fields.get("hex")
        found.append(_rebuilt(fields, where, network) if raw is None else as_hex(raw, f"{where}.hex"))
    return found


def previous_outputs(body: object, place: str, network: Network) -> list[Previous | None] | None:
    """What each input but the coinbase's spends, in order (verbosity 3); None when the answer says it of none.

    Raises:
        BadText: A field is missing or wrong.
    """
    found: list[Previous | None] = []
    for where, entry in _spending(body, place):
        spent = entry.get("prevout")
        if spent is None:
            found.append(None)
            continue
        fields = as_object(spent, f"{where}.prevout")
        value = amount_field(fields, "value", f"{where}.prevout", most=network.max_money)
        found.append(Previous(value, _script(fields, "scriptPubKey", f"{where}.prevout")))
    return found if any(found) else None


def outpoints(body: object, place: str) -> list[tuple[bytes, int]]:
    """(internal txid, index) of the output that each input but the coinbase's spends, in order (verbosity 2 and 3).

    Raises:
        BadText: A field is missing or wrong.
    """
    return [
        (hash_field(entry, "txid", where), integer_field(entry, "vout", where, most=_MOST32))
        for where, entry in _spending(body, place)
    ]


def _transactions(body: object, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, entry in enumerate(list_field(as_object(body, place), "tx", place)):
        where = f"{place}.tx[{number}]"
        if isinstance(entry, str):
            raise BadText(
                f"{where}: a txid in place of a transaction", hint="ask the node with verbosity: getblock HASH 2"
            )
        yield where, as_object(entry, where)


def _spending(body: object, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Inputs that spend an output of the chain: no coinbase, and nothing inside Litecoin's extension block."""
    for where, fields in _transactions(body, place):
        for number, entry in enumerate(list_field(fields, "vin", where)):
            spot = f"{where}.vin[{number}]"
            spender = as_object(entry, spot)
            if "coinbase" not in spender and spender.get("ismweb") is not True:
                yield spot, spender


def _rebuilt(fields: Mapping[str, Any], place: str, network: Network) -> bytes:
    """A transaction from its fields (BIP 144)."""
    version = integer_field(fields, "version", place, least=-(1 << 31), most=_MOST32)
    inputs, witnesses = [], []
    for number, entry in enumerate(list_field(fields, "vin", place)):
        serialised, witness = _input(as_object(entry, f"{place}.vin[{number}]"), f"{place}.vin[{number}]")
        inputs.append(serialised)
        witnesses.append(witness)
    outputs = [
        _output(as_object(entry, f"{place}.vout[{number}]"), number, f"{place}.vout[{number}]", network)
        for number, entry in enumerate(list_field(fields, "vout", place))
    ]
    segwit = any(witnesses)
    parts = [(version & _MOST32).to_bytes(4, "little"), b"\0\x01" if segwit else b""]
    parts += [compact_size(len(inputs)), *inputs, compact_size(len(outputs)), *outputs]
    for witness in witnesses if segwit else ():
        parts += [compact_size(len(witness)), *(_sized(piece) for piece in witness)]
    parts.append(integer_field(fields, "locktime", place, most=_MOST32).to_bytes(4, "little"))
    return b"".join(parts)


def _input(entry: Mapping[str, Any], place: str) -> tuple[bytes, Sequence[bytes]]:
    sequence = integer_field(entry, "sequence", place, most=_MOST32).to_bytes(4, "little")
    pieces = as_items(entry.get("txinwitness") or [], f"{place}.txinwitness")
    witness = [as_hex(piece, f"{place}.txinwitness[{number}]") for number, piece in enumerate(pieces)]
    if "coinbase" in entry:
        return _COINBASE + _sized(as_hex(entry["coinbase"], f"{place}.coinbase")) + sequence, witness
    outpoint = hash_field(entry, "txid", place) + integer_field(entry, "vout", place, most=_MOST32).to_bytes(
        4, "little"
    )
    return outpoint + _sized(_script(entry, "scriptSig", place)) + sequence, witness


def _output(entry: Mapping[str, Any], number: int, place: str, network: Network) -> bytes:
    if integer_field(entry, "n", place, most=_MOST32) != number:
        raise BadText(f"{place}.n: the outputs are not in their order")
    value = amount_field(entry, "value", place, most=network.max_money)
    return value.to_bytes(8, "little") + _sized(_script(entry, "scriptPubKey", place))


def _script(fields: Mapping[str, Any], name: str, place: str) -> bytes:
    where = f"{place}.{name}"
    return as_hex(as_object(fields.get(name), where).get("hex"), f"{where}.hex")


def _sized(piece: bytes) -> bytes:
    return compact_size(len(piece)) + piece
