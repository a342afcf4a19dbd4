"""Transactions that a node knows and no block holds yet: a layer apart from the chain, in a file of its own.

It lies in the store's folder as `unconfirmed.json`, is put in place whole at each look at the node, and is never part of the
store: no column, no sum and no digest includes it. It says what one node had seen at one time; another node may have seen
something else, and any of it may never be confirmed.

Example:
    >>> from pathlib import Path
    >>> read_unconfirmed(Path("no such folder")) is None
    True
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.jsonfields import as_hex, as_items, as_object, hash_field, integer_field, parse_json
from shieldwall.chain.readers.loose import outputs_of, parse_loose
from shieldwall.chain.readers.rpc_client import Refusal, RpcClient
from shieldwall.errors import BadBlock, BadInput, BadText, StoreError, UsageError
from shieldwall.kernels.arrays import MWEB_PART, WITNESS_PART, DecodeFault
from shieldwall.kernels.plain.decoding import decode
from shieldwall.model.address import identity
from shieldwall.model.moment import unix, utc
from shieldwall.model.network import Network, by_name
from shieldwall.model.script import Script, classify
from shieldwall.model.transaction import TXID, display

FILE = "unconfirmed.json"
FORMAT = "shieldwall-unconfirmed/1"
MOST = 20_000  # transactions that one layer holds
_AT_ONCE = 500  # transactions asked for at once
_MOST_BYTES = 1 << 30
_MOST_HEIGHT = 0xFFFFFFFE


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction that waits.

    Attributes:
        txid: Display form.
        raw: Its bytes, without what stands in Litecoin's extension block.
        spends: (display txid, index) of the outputs that it would spend.
        pays: (script, satoshi) of its outputs.
        first_seen: Unix seconds at which this node was first seen to know it.
    """

    txid: str
    raw: bytes
    spends: tuple[tuple[str, int], ...]
    pays: tuple[tuple[Script, int], ...]
    first_seen: int


@dataclass(frozen=True)
class Unconfirmed:
    """What one node knew at one time.

    Attributes:
        network: Its network.
        node: Its URL without credentials.
        seen_at: Unix seconds.
        tip_height: Height of its last block then.
        tip_hash: That block's hash, display form.
        transactions: By the time at which they were first seen, then by txid.
        left_out: How many more it knew; the layer holds a bounded number.
        hidden: Ids of those that stand in Litecoin's extension block alone and spend and pay nothing of the chain.
    """

    network: Network
    node: str
    seen_at: int
    tip_height: int
    tip_hash: str
    transactions: tuple[Pending, ...] = ()
    left_out: int = 0
    hidden: tuple[str, ...] = field(default=())

    @cached_property
    def _spenders(self) -> Mapping[tuple[str, int], Pending]:
        return {outpoint: pending for pending in self.transactions for outpoint in pending.spends}

    @cached_property
    def _by_txid(self) -> Mapping[str, Pending]:
        return {pending.txid: pending for pending in self.transactions}

    @cached_property
    def _payers(self) -> Mapping[Script, list[tuple[Pending, int]]]:
        found: dict[Script, list[tuple[Pending, int]]] = {}
        for pending in self.transactions:
            for index, (script, _) in enumerate(pending.pays):
                found.setdefault(script, []).append((pending, index))
        return found

    def find(self, txid: str) -> Pending | None:
        """The waiting transaction with this id (display form)."""
        return self._by_txid.get(txid)

    def spender(self, txid: str, index: int) -> Pending | None:
        """The waiting transaction that would spend this output; None when the node knew of none."""
        return self._spenders.get((txid, index))

    def paying(self, script: Script) -> list[tuple[Pending, int]]:
        """Waiting transactions that would pay to `script`, with the number of the output."""
        return self._payers.get(script, [])


def gather(
    client: RpcClient, network: Network, now: int, before: Unconfirmed | None = None, *, most: int = MOST
) -> Unconfirmed:
    """What a node knows now.

    Args:
        client: The node.
        network: Its network.
        now: Unix seconds.
        before: The layer of an earlier look: what is in it is not fetched again, and keeps the time it was first seen.
        most: Transactions that the layer may hold; the rest is counted.

    Raises:
        NodeAway: No answer now.
        BadInput: An answer that is none.
    """
    tip = as_object(client.call("getblockchaininfo"), client.name)
    txids = as_items(client.call("getrawmempool"), f"{client.name}: getrawmempool")
    if not all(isinstance(txid, str) and TXID.fullmatch(txid) for txid in txids):
        raise BadText(f"{client.name}: getrawmempool gives what is no txid")
    there = set(txids)
    kept = {pending.txid: pending for pending in (before.transactions if before else ()) if pending.txid in there}
    hidden = {txid for txid in (before.hidden if before else ()) if txid in there}
    fresh = sorted(there - kept.keys() - hidden)
    chosen = fresh[: max(0, most - len(kept))]
    for begin in range(0, len(chosen), _AT_ONCE):
        wanted = chosen[begin : begin + _AT_ONCE]
        answers = client.batch([("getrawtransaction", (txid,)) for txid in wanted])
        for txid, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, Refusal):
                continue  # confirmed or forgotten since the node listed it
            raw = without_mweb(as_hex(answer, f"{client.name}, transaction {txid}"), network)
            if raw is None:
                hidden.add(txid)
            else:
                kept[txid] = _pending(txid, raw, now, network, client.name)
    return Unconfirmed(
        network=network,
        node=client.name,
        seen_at=now,
        tip_height=integer_field(tip, "blocks", client.name, most=_MOST_HEIGHT),
        tip_hash=display(hash_field(tip, "bestblockhash", client.name)),
        transactions=_ordered(kept.values()),
        left_out=len(fresh) - len(chosen),
        hidden=tuple(sorted(hidden)),
    )


def _ordered(transactions: Iterable[Pending]) -> tuple[Pending, ...]:
    return tuple(sorted(transactions, key=lambda pending: (pending.first_seen, pending.txid)))


def _pending(txid: str, raw: bytes, first_seen: int, network: Network, place: str) -> Pending:
    """A transaction taken apart.

    Raises:
        BadBlock: The bytes are no transaction, or another than `txid` names.
    """
    where = f"{place}, transaction {txid}"
    loose = parse_loose(raw, (), where, rules_of(network))
    if display(loose.txid) != txid:
        raise BadBlock(f"{where}: the bytes are those of {display(loose.txid)}")
    return Pending(
        txid=txid,
        raw=raw,
        spends=_outpoints(raw, network),
        pays=tuple((classify(script), value) for value, script in outputs_of(raw, where, rules_of(network))),
        first_seen=first_seen,
    )


def _outpoints(raw: bytes, network: Network) -> tuple[tuple[str, int], ...]:
    one = np.array([len(raw)])
    decoded = decode(np.frombuffer(raw, np.uint8), np.array([0]), np.array([1]), one, rules_of(network))
    return tuple(
        (display(raw[at : at + 32]), int.from_bytes(raw[at + 32 : at + 36], "little"))
        for at in decoded.outpoint.tolist()
    )


def without_mweb(raw: bytes, network: Network) -> bytes | None:
    """A waiting transaction without its part for Litecoin's extension block; None when nothing else is left of it.

    A block holds such a transaction without that part, and the txid leaves it out (LIP 3).

    Raises:
        BadBlock: The bytes are no transaction.
    """
    if not network.mweb or raw[4:5] != b"\0" or not raw[5:6] or not raw[5] & MWEB_PART:
        return raw
    if raw[6:7] == b"\0":
        return None  # no inputs: what it spends is hidden
    plain = raw[:4] + (b"\0\x01" if raw[5] & WITNESS_PART else b"") + raw[6:]
    try:
        decoded = decode(
            np.frombuffer(plain, np.uint8), np.array([0]), np.array([1]), np.array([len(plain)]), rules_of(network)
        )
    except DecodeFault as fault:
        raise BadBlock(f"a waiting transaction {fault} (byte {fault.offset})") from None
    return plain[: int(decoded.end[0]) - 4] + raw[-4:]


def write_unconfirmed(folder: Path, layer: Unconfirmed) -> None:
    """Put the layer into the store's folder, in place of the one before."""
    draft = folder / f"{FILE}.draft"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(_as_dict(layer), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def _as_dict(layer: Unconfirmed) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "network": layer.network.name,
        "node": layer.node,
        "seen_at": utc(layer.seen_at),
        "tip_height": layer.tip_height,
        "tip_hash": layer.tip_hash,
        "left_out": layer.left_out,
        "hidden": list(layer.hidden),
        "transactions": [
            {
                "txid": pending.txid,
                "first_seen": utc(pending.first_seen),
                "spends": [f"{txid}:{index}" for txid, index in pending.spends],
                "pays": [{"to": identity(script, layer.network), "value": value} for script, value in pending.pays],
                "raw": pending.raw.hex(),
            }
            for pending in layer.transactions
        ],
    }


def read_unconfirmed(folder: Path) -> Unconfirmed | None:
    """The layer in a store's folder, None when there is none; what is spent and paid is taken from the raw bytes.

    Raises:
        StoreError: The file is not what `write_unconfirmed` writes.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return _from_dict(as_object(parse_json(raw.decode("utf-8", "replace"), str(path)), str(path)), str(path))
    except (BadInput, UsageError, ValueError, OverflowError, OSError) as error:
        words = error.message if isinstance(error, BadInput | UsageError) else str(error)
        raise StoreError(
            f"{path}: damaged ({words})", hint="remove it, or write it anew: shieldwall chain follow RPC_URL --once"
        ) from None


def _from_dict(body: Mapping[str, Any], place: str) -> Unconfirmed:
    if body.get("format") != FORMAT or not isinstance(body.get("node"), str):
        raise ValueError(f"it is no {FORMAT}")
    network = by_name(str(body.get("network")))
    found = []
    for number, entry in enumerate(as_items(body.get("transactions"), f"{place}.transactions")):
        where = f"{place}.transactions[{number}]"
        fields = as_object(entry, where)
        txid = display(hash_field(fields, "txid", where))
        raw, first_seen = as_hex(fields.get("raw"), where), unix(str(fields.get("first_seen")))
        found.append(_pending(txid, raw, first_seen, network, where))
    return Unconfirmed(
        network=network,
        node=body["node"],
        seen_at=unix(str(body.get("seen_at"))),
        tip_height=integer_field(body, "tip_height", place, most=_MOST_HEIGHT),
        tip_hash=display(hash_field(body, "tip_hash", place)),
        transactions=_ordered(found),
        left_out=integer_field(body, "left_out", place, most=1 << 40),
        hidden=tuple(str(txid) for txid in as_items(body.get("hidden"), f"{place}.hidden")),
    )
