"""Esplora's JSON forms, checked field by field (Blockstream/esplora, API.md): transactions, outspends, address counts.

A transaction is written as bytes again, and its txid recomputed from them: what Esplora says of inputs, outputs and
lock time is proven by the id. The block it names is said, not proven: an answer carries no header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.interface import Previous, Statement
from shieldwall.chain.readers.jsonfields import (
    as_hex,
    as_items,
    as_object,
    hash_field,
    integer_field,
    list_field,
    short,
)
from shieldwall.chain.readers.loose import Confirmed, LooseTransaction, parse_loose
from shieldwall.errors import BadBlock, BadText, WrongNetwork
from shieldwall.model.address import encode
from shieldwall.model.network import Network
from shieldwall.model.script import classify
from shieldwall.model.transaction import display

MOST_HEIGHT = 0xFFFFFFFE
_BASE58_STARTS = {
    "main": "13", "testnet3": "mn2", "testnet4": "mn2", "signet": "mn2", "regtest": "mn2",
    "litecoin": "LM3", "litecoin-testnet": "mnQ2", "litecoin-regtest": "mnQ2",
}  # fmt: skip


def transaction(body: object, network: Network, place: str) -> tuple[LooseTransaction, Confirmed | None]:
    """A transaction and its block; no block when it is not confirmed.

    Raises:
        BadText: A field is missing, of the wrong type, or out of range; `place` and the field are named.
        BadBlock: The fields do not hash to the txid that the answer names.
        WrongNetwork: An address of another network.
    """
    fields = as_object(body, place)
    named = hash_field(fields, "txid", place)
    inputs = [_input(entry, f"{place}.vin[{i}]", network) for i, entry in enumerate(list_field(fields, "vin", place))]
    outputs = [
        _output(entry, f"{place}.vout[{i}]", network) for i, entry in enumerate(list_field(fields, "vout", place))
    ]
    version = integer_field(fields, "version", place, least=-(1 << 31), most=(1 << 32) - 1)
    locktime = integer_field(fields, "locktime", place, most=(1 << 32) - 1)
    raw = _serialise(version, inputs, outputs, locktime)
    previous = [entry.previous for entry in inputs if entry.spends]
    loose = parse_loose(raw, previous, place, rules_of(network))
    if loose.txid != named:
        raise BadBlock(
            f"{place}: the fields hash to {display(loose.txid)}, and the answer names {display(named)}",
            hint="the answer was changed or is not complete; fetch it again",
        )
    _check_fee(fields, previous, sum(value for value, _ in outputs), network.max_money, place)
    status = as_object(fields.get("status", {}), f"{place}.status")
    if not status.get("confirmed"):
        return loose, None
    where = f"{place}.status"
    return loose, Confirmed(
        height=integer_field(status, "block_height", where, most=MOST_HEIGHT),
        hash=hash_field(status, "block_hash", where),
        time=integer_field(status, "block_time", where, most=(1 << 32) - 1),
    )


def _check_fee(
    fields: Mapping[str, Any], previous: Sequence[Previous | None], paid: int, most: int, place: str
) -> None:
    """What the answer says its inputs brought is not proven by the txid; it must at least agree with itself."""
    values = [entry.value for entry in previous if entry is not None and entry.value is not None]
    if not previous or len(values) != len(previous):
        return
    fee = sum(values) - paid
    if fee < 0:
        raise BadText(f"{place}: the inputs bring {sum(values)} satoshi, and the outputs take {paid}")
    if "fee" in fields and integer_field(fields, "fee", place, most=most) != fee:
        raise BadText(
            f"{place}.fee: the answer says {fields['fee']} satoshi, and its inputs and outputs leave {fee}",
            hint="the answer was changed; fetch it again",
        )


def outspends(body: object, txid: bytes, height: int, place: str) -> list[Statement]:
    """What an outspends answer says of each output of `txid` as of `height`; a spend that waits counts as none.

    Raises:
        BadText: The answer does not follow the form.
    """
    if not isinstance(body, list):
        raise BadText(f"{place}: an outspends answer is a list")
    found = []
    for index, entry in enumerate(body):
        where = f"{place}[{index}]"
        fields = as_object(entry, where)
        if not isinstance(fields.get("spent"), bool):
            raise BadText(f"{where}: 'spent' must be true or false")
        status = fields.get("status")
        confirmed = fields["spent"] and (not isinstance(status, dict) or bool(status.get("confirmed", True)))
        spender = hash_field(fields, "txid", where) if confirmed else None
        found.append(Statement(txid, index, height, spender))
    return found


@dataclass(frozen=True, slots=True)
class AddressCounts:
    """Esplora's counts for one address: confirmed transactions, outputs paid to it, outputs of it spent."""

    address: str
    transactions: int
    funded: int
    spent: int


def address_counts(body: object, place: str) -> AddressCounts:
    """The counts in an address answer.

    Raises:
        BadText: The answer does not follow the form.
    """
    fields = as_object(body, place)
    stats = as_object(fields.get("chain_stats"), f"{place}.chain_stats")
    if not isinstance(fields.get("address"), str):
        raise BadText(f"{place}: 'address' must be text")
    where = f"{place}.chain_stats"
    return AddressCounts(
        fields["address"],
        integer_field(stats, "tx_count", where, most=1 << 40),
        integer_field(stats, "funded_txo_count", where, most=1 << 40),
        integer_field(stats, "spent_txo_count", where, most=1 << 40),
    )


@dataclass(frozen=True, slots=True)
class _Input:
    spends: bool
    outpoint: bytes
    script: bytes
    sequence: int
    witness: tuple[bytes, ...]
    previous: Previous | None


def _input(body: object, place: str, network: Network) -> _Input:
    fields = as_object(body, place)
    coinbase = fields.get("is_coinbase", False) is True
    index = integer_field(fields, "vout", place, most=0xFFFFFFFF)
    previous = None
    if fields.get("prevout") is not None:
        value, script = _output(fields["prevout"], f"{place}.prevout", network)
        previous = Previous(value, script)
    witness = tuple(
        as_hex(piece, f"{place}.witness") for piece in as_items(fields.get("witness") or [], f"{place}.witness")
    )
    return _Input(
        spends=not coinbase,
        outpoint=hash_field(fields, "txid", place) + index.to_bytes(4, "little"),
        script=as_hex(fields.get("scriptsig", ""), f"{place}.scriptsig"),
        sequence=integer_field(fields, "sequence", place, most=0xFFFFFFFF),
        witness=witness,
        previous=None if coinbase else previous,
    )


def _output(body: object, place: str, network: Network) -> tuple[int, bytes]:
    fields = as_object(body, place)
    value = integer_field(fields, "value", place, most=network.max_money)
    script = as_hex(fields.get("scriptpubkey"), f"{place}.scriptpubkey")
    named = fields.get("scriptpubkey_address")
    if isinstance(named, str) and named:
        of_network = named.lower().startswith(network.hrp + "1") or named[0] in _BASE58_STARTS[network.name]
        if not of_network:
            raise WrongNetwork(
                f"{place}: {short(named)} is no address of {network.name}",
                hint="give the right --network, one store each",
            )
        own = encode(classify(script), network)
        if own is not None and own != named.lower() and own != named:
            raise BadText(f"{place}.scriptpubkey_address: {short(named)} is not the script's address, {own}")
    return value, script


def _serialise(version: int, inputs: Sequence[_Input], outputs: Sequence[tuple[int, bytes]], locktime: int) -> bytes:
    """BIP 144; without witness data the form is the old one."""
    segwit = any(entry.witness for entry in inputs)
    parts = [(version & 0xFFFFFFFF).to_bytes(4, "little"), b"\0\x01" if segwit else b"", compact_size(len(inputs))]
    for entry in inputs:
        sequence = entry.sequence.to_bytes(4, "little")
        parts += [entry.outpoint, compact_size(len(entry.script)), entry.script, sequence]
    parts.append(compact_size(len(outputs)))
    for value, script in outputs:
        parts += [value.to_bytes(8, "little"), compact_size(len(script)), script]
    if segwit:
        for entry in inputs:
            parts.append(compact_size(len(entry.witness)))
            for piece in entry.witness:
                parts += [compact_size(len(piece)), piece]
    parts.append(locktime.to_bytes(4, "little"))
    return b"".join(parts)


def compact_size(number: int) -> bytes:
    """CompactSize: 1, 3, 5 or 9 bytes."""
    if number < 0xFD:
        return bytes([number])
    for mark, size in ((0xFD, 2), (0xFE, 4)):
        if number < 1 << (8 * size):
            return bytes([mark]) + number.to_bytes(size, "little")
    return b"\xff" + number.to_bytes(8, "little")
