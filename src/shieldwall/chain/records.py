"""A block, a transaction, or a holder of a store, as plain values: what `chain show` and the API show."""

from __future__ import annotations

from typing import Any

import numpy as np

from shieldwall.chain.columns import WHOLE
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import Unconfirmed
from shieldwall.chain.waiting import waiting_payments, waiting_spend, waiting_transaction
from shieldwall.errors import PartialData
from shieldwall.kernels.arrays import FINAL, LOCKED, REPLACEABLE, VERSION_MASK, VERSION_SHIFT
from shieldwall.model import address
from shieldwall.model.moment import utc
from shieldwall.model.script import from_identity
from shieldwall.model.transaction import display, internal


def block_record(store: ChainStore, height: int) -> dict[str, Any]:
    """The block at a height, with what its miner took.

    Raises:
        PartialData: The store has none at that height.
    """
    heights = store.column("block_height")
    found = [int(number) for number in (heights == height).nonzero()[0]]
    if not found:
        raise PartialData(
            f"no block at height {height} is in this store", hint="shieldwall chain info shows what it holds"
        )
    number = found[0]
    firsts = store.column("block_first_tx")
    last = int(firsts[number + 1]) if number + 1 < len(firsts) else store.rows("tx")
    whole = bool(store.column("block_flags")[number] & 1)
    return {
        "height": height,
        "hash": display(store.column("block_hash")[number].tobytes()),
        "time": utc(int(store.column("block_time")[number])),
        "whole": whole,
        "transactions": last - int(firsts[number]),
        **_fees(store, number, height),
        "txids": [store.txid(transaction) for transaction in range(int(firsts[number]), last)],
    }


def _fees(store: ChainStore, block: int, height: int) -> dict[str, int | None]:
    """What the coinbase took, and the fees that the block's inputs and outputs leave; None where that is not known."""
    first = int(store.column("block_first_tx")[block])
    firsts = store.column("block_first_tx")
    last = int(firsts[block + 1]) if block + 1 < len(firsts) else store.rows("tx")
    fees: int | None = 0 if store.column("block_flags")[block] & WHOLE else None
    coinbase = None
    for transaction in range(first, last):
        if store.is_coinbase(transaction):
            coinbase = sum(store.values(transaction))
            continue
        brought = store.links(transaction)[1]
        known = [value for value in brought if value is not None]
        if fees is not None:
            fees = fees + sum(known) - sum(store.values(transaction)) if len(known) == len(brought) else None
    return {"coinbase": coinbase, "subsidy": store.network.subsidy(height), "fees": fees}


def transaction_record(store: ChainStore, txid: str, layer: Unconfirmed | None) -> dict[str, Any]:
    """A transaction by its txid, of the store or, else, of those that wait for a block.

    Raises:
        PartialData: It is in neither.
    """
    number = store.find_transaction(internal(txid))
    waiting = layer.find(txid) if layer and number is None else None
    if layer and waiting:
        return waiting_transaction(waiting, layer)
    if number is None:
        raise PartialData(f"transaction {txid} is not in this store", hint="extend the store: shieldwall chain build")
    inputs = [
        {
            "spends": f"{entry.txid}:{entry.index}",
            "address": None if entry.holder is None else store.identity(entry.holder),
            "value": entry.value,
            "in_store": entry.output is not None,
        }
        for entry in store.inputs(number)
    ]
    paid = sum(store.values(number))
    brought = store.links(number)[1]
    fee = None if not brought or None in brought else sum(value or 0 for value in brought) - paid
    return {
        "txid": txid,
        "height": store.height_of(number),
        "block": display(store.column("block_hash")[store.block_of(number)].tobytes()),
        "time": utc(store.time_of(number)),
        "proof": store.proof_of(number),
        "coinbase": store.is_coinbase(number),
        **_form(store.flags_of(number)),
        "fee": fee,
        "inputs": inputs,
        "outputs": [_output(store, output, layer) for output in store.output_range(number)],
        "raw": store.raw(number).hex(),
    }


def _form(flags: int) -> dict[str, Any]:
    """What a transaction's own fields say, of which a store keeps bits: version, locktime, sequences."""
    return {
        "version": (flags >> VERSION_SHIFT) & VERSION_MASK or "other",
        "locktime": "set" if flags & LOCKED else "0",
        "replaceable": bool(flags & REPLACEABLE),
        "final": bool(flags & FINAL),
    }


def _output(store: ChainStore, output: int, layer: Unconfirmed | None) -> dict[str, Any]:
    spend = store.spend(output)
    spender = store.txid(spend.transaction) if spend.transaction is not None else spend.txid
    txid, index = store.outpoint(output)
    return {
        "output": f"{txid}:{index}",
        "address": store.identity(int(store.column("output_holder")[output])),
        "value": int(store.column("output_value")[output]),
        "state": spend.state.value,
        "spent_by": spender,
        "as_of": spend.as_of,
        **waiting_spend(layer, txid, index, spent=spender is not None),
    }


def holder_record(
    store: ChainStore, thing: str, layer: Unconfirmed | None, *, first: int = 0, most: int | None = None
) -> dict[str, Any]:
    """An address, or a script as KIND:HEX, with what was paid to it.

    Args:
        store: The chain store.
        thing: Address, or KIND:HEX.
        layer: What waits for a block; None for nothing.
        first: The first output to list, by its place among those of the holder.
        most: List at most so many outputs; `more` then says how many follow, and the sums are of all. None for all.

    Raises:
        UnknownAddress: It is no address of the store's network.
        UsageError: It is no KIND:HEX.
        PartialData: The store has never seen it.
    """
    script = from_identity(thing) if ":" in thing else address.decode(thing, store.network)
    number = store.find_holder(script)
    waiting = waiting_payments(store, script, layer)
    if number is None and waiting:
        identity, kind = address.identity(script, store.network), address.kind_label(script, store.network)
        return {"address": identity, "kind": kind, "received": None, "by_state": {}, "outputs": [], **waiting}
    twin = store.same_key(script)
    if number is None and twin is None:
        raise PartialData(
            f"{thing} is not in this store: unknown, which is not the same as clean",
            hint="extend the store: shieldwall chain build",
        )
    outputs = [] if number is None else store.outputs_of(number)
    listed = outputs[first:] if most is None else outputs[first : first + most]
    received, sums = _sums(store, outputs)
    more = len(outputs) - first - len(listed)
    return {
        "address": address.identity(script, store.network),
        "kind": address.kind_label(script, store.network),
        "same_key": None if twin is None else store.identity(twin),
        "received": received,
        "by_state": sums,
        "outputs": [_output(store, output, layer) for output in listed],
        **({"more": more} if most is not None else {}),
        **waiting,
    }


def _sums(store: ChainStore, outputs: list[int]) -> tuple[int, dict[str, int]]:
    """What outputs sum up to, in all and by spend state; most are spent, which a look at one column tells."""
    numbers = np.array(outputs, dtype=np.int64)
    values = store.column("output_value")[numbers].tolist()
    spent = (store.column("output_spender")[numbers] < store.rows("tx")).tolist()
    sums: dict[str, int] = {}
    for number, value, gone in zip(outputs, values, spent, strict=True):
        state = SpendState.SPENT if gone else store.spend(number).state
        sums[state.value] = sums.get(state.value, 0) + value
    return sum(values), sums
