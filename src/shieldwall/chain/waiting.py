"""What waits for a block, as it is said beside the chain: never part of it, and in no sum."""

from __future__ import annotations

from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import Pending, Unconfirmed
from shieldwall.model import address
from shieldwall.model.moment import utc
from shieldwall.model.script import Script
from shieldwall.model.transaction import internal


def waiting_spend(layer: Unconfirmed | None, txid: str, index: int, *, spent: bool) -> dict[str, Any]:
    """What the node's waiting transactions would do to an output; nothing of it is part of the chain, or of a sum."""
    waiting = layer.spender(txid, index) if layer and not spent else None
    return {"unconfirmed_spend": _seen(waiting, layer)} if layer and waiting else {}


def _seen(waiting: Pending, layer: Unconfirmed) -> dict[str, Any]:
    """Which waiting transaction, and who saw it when."""
    return {
        "txid": waiting.txid,
        "first_seen": utc(waiting.first_seen),
        "seen_at": utc(layer.seen_at),
        "by_node": layer.node,
    }


def waiting_transaction(waiting: Pending, layer: Unconfirmed) -> dict[str, Any]:
    """A transaction that no block holds yet, as far as its own bytes tell."""
    return {
        **_seen(waiting, layer),
        "height": None,
        "proof": "none: no block holds it yet",
        "inputs": [{"spends": f"{txid}:{index}"} for txid, index in waiting.spends],
        "outputs": [
            {"output": f"{waiting.txid}:{index}", "address": address.identity(script, layer.network), "value": value}
            for index, (script, value) in enumerate(waiting.pays)
        ],
        "raw": waiting.raw.hex(),
    }


def waiting_payments(store: ChainStore, script: Script, layer: Unconfirmed | None) -> dict[str, Any]:
    """What waiting transactions would pay to a script; those that the store has by now are left out."""
    rows = [
        {"output": f"{waiting.txid}:{index}", "value": waiting.pays[index][1], **_seen(waiting, layer)}
        for waiting, index in (layer.paying(script) if layer else ())
        if layer and store.find_transaction(internal(waiting.txid)) is None
    ]
    return {"unconfirmed_payments": rows} if rows else {}
