"""Holders: their kinds, the links between a public key and its hash, and which outputs can never be spent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.check import Check, Tally
from shieldwall.chain.columns import NO_HOLDER, NO_TRANSACTION, UNSPENDABLE
from shieldwall.chain.manifest import UNFINISHED
from shieldwall.chain.store import ChainStore
from shieldwall.model.address import key_hash
from shieldwall.model.script import MAX_SCRIPT_SIZE, ScriptKind

_CHUNK = 1 << 20  # rows looked at together


def check_holders(store: ChainStore) -> Check:
    """Kinds are kinds, each public key is linked with its hash both ways, and nothing else is linked."""
    tally = Tally("holders")
    kinds, twins = store.column("holder_kind"), store.column("holder_twin")
    numbers = np.arange(len(kinds), dtype=np.uint32)
    tally.checked += len(kinds)
    if (kinds > max(ScriptKind)).any():
        tally.fault(f"holder {int(np.argmax(kinds > max(ScriptKind)))} is of no kind")
        return tally.result()
    linked = twins < len(kinds)
    if not _unfinished(store) and (twins[~linked] != NO_HOLDER).any():
        tally.fault("a holder is linked to one that is not there")
    keys = kinds == ScriptKind.P2PK
    if (keys & ~linked).any():
        tally.fault(f"holder {int(np.argmax(keys & ~linked))} is a public key without its hash")
    if (linked & ~keys & (kinds != ScriptKind.P2PKH)).any():
        tally.fault("a holder that is neither a public key nor the hash of one is linked to another")
    back = twins[np.where(linked, twins, 0)] if len(twins) else twins
    if (linked & keys & (back >= len(kinds))).any() or (linked & ~keys & (back != numbers)).any():
        tally.fault("a link between a public key and its hash goes one way only")
    for number in np.flatnonzero(keys & linked).tolist():
        if store.holder(int(twins[number])) != key_hash(store.holder(number).payload):
            tally.fault(f"holder {number} is linked to the hash of another key")
    return tally.result()


def check_unspendable(store: ChainStore) -> Check:
    """Outputs that can never be spent are marked so, and no others."""
    tally = Tally("unspendable outputs")
    kinds, ends = store.column("holder_kind"), store.column("holder_end")
    overwritten = _overwritten(store)
    for begin in range(0, store.rows("output"), _CHUNK):
        holders = store.column("output_holder")[begin : begin + _CHUNK].astype(np.int64)
        spenders = store.column("output_spender")[begin : begin + _CHUNK]
        tally.checked += len(holders)
        first = np.where(holders > 0, ends[np.maximum(holders, 1) - 1], 0)
        never = (kinds[holders] == ScriptKind.OP_RETURN) | (ends[holders] - first > MAX_SCRIPT_SIZE)
        never |= np.isin(np.arange(begin, begin + len(holders)), overwritten)
        wrong = (spenders == UNSPENDABLE) != never
        if wrong.any():
            at = begin + int(np.argmax(wrong))
            tally.fault(f"output {at} is marked wrongly", int(np.count_nonzero(wrong)))
        stray = (spenders >= store.rows("tx")) & (spenders != UNSPENDABLE) & (spenders != NO_TRANSACTION)
        if stray.any() and not _unfinished(store):
            at = begin + int(np.argmax(stray))
            tally.fault(f"output {at} names a spender that is not there", int(np.count_nonzero(stray)))
    return tally.result()


def _overwritten(store: ChainStore) -> npt.NDArray[np.int64]:
    """Outputs of the coinbases that a later one with the same txid overwrote (BIP 30), where both are here."""
    heights, firsts = store.column("block_height"), store.column("block_first_tx")
    found: list[int] = []
    for height, by in store.network.overwritten:
        if (heights == height).any() and (heights == by).any():
            early, late = (int(firsts[int(np.argmax(heights == place))]) for place in (height, by))
            if store.txid(early) == store.txid(late):
                found += store.output_range(early)
    return np.array(found, np.int64)


def _unfinished(store: ChainStore) -> bool:
    """A writer is at work, or was stopped: links to rows that are not committed are its own, and read as none."""
    return (store.folder / UNFINISHED).exists()
