"""Holders: their kinds, the links between a public key and its hash, and which outputs can never be spent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.check import Check, Tally
from shieldwall.chain.columns import NO_HOLDER, NO_TRANSACTION, UNSPENDABLE
from shieldwall.chain.manifest import UNFINISHED
from shieldwall.chain.store import ChainStore
from shieldwall.model.script import MAX_SCRIPT_SIZE, ScriptKind

_CHUNK = 1 << 20  # rows looked at together
_BEGIN = {"holder": 0, "output": 0, "input": 0}


def check_holders(store: ChainStore, first: Mapping[str, int] = _BEGIN) -> Check:
    """Kinds are kinds, and every holder that a row names is there; from the rows `first` of each table on."""
    tally = Tally("holders")
    kinds = store.column("holder_kind")
    tally.checked += len(kinds) - first["holder"]
    wrong = kinds[first["holder"] :] > max(ScriptKind)
    if wrong.any():
        tally.fault(f"holder {first['holder'] + int(np.argmax(wrong))} is of no kind")
    for name in ("output", "input"):
        column = store.column(f"{name}_holder")
        for begin in range(first[name], len(column), _CHUNK):
            part = column[begin : begin + _CHUNK]
            wrong = part >= len(kinds)
            if name == "input":
                wrong &= part != NO_HOLDER
            if wrong.any():
                tally.fault(f"{name}_holder {begin + int(np.argmax(wrong))} is not there", int(np.count_nonzero(wrong)))
    return tally.result()


def check_unspendable(store: ChainStore) -> Check:
    """Outputs that can never be spent are marked so, and no others."""
    tally = Tally("unspendable outputs")
    overwritten = overwritten_outputs(store)
    for begin in range(0, store.rows("output"), _CHUNK):
        spenders = store.column("output_spender")[begin : begin + _CHUNK]
        tally.checked += len(spenders)
        never = np.isin(np.arange(begin, begin + len(spenders)), overwritten)
        never[unspendable(store, begin, begin + len(spenders)) - begin] = True
        wrong = (spenders == UNSPENDABLE) != never
        if wrong.any():
            at = begin + int(np.argmax(wrong))
            tally.fault(
                f"output_spender: output {at} is wrongly marked unspendable, or wrongly not",
                int(np.count_nonzero(wrong)),
            )
        stray = (spenders >= store.rows("tx")) & (spenders != UNSPENDABLE) & (spenders != NO_TRANSACTION)
        if stray.any() and not _unfinished(store):
            at = begin + int(np.argmax(stray))
            tally.fault(f"output_spender: output {at} names one that is not there", int(np.count_nonzero(stray)))
    return tally.result()


def unspendable(store: ChainStore, begin: int, end: int) -> npt.NDArray[np.int64]:
    """int64[k]: the outputs from `begin` up to `end` whose script nobody can satisfy: OP_RETURN, or over 10,000 bytes."""
    kinds, ends = store.column("holder_kind"), store.column("holder_end")
    found = []
    for place in range(begin, end, _CHUNK):
        holders = store.column("output_holder")[place : min(place + _CHUNK, end)].astype(np.int64)
        first = np.where(holders > 0, ends[np.maximum(holders, 1) - 1], np.uint64(0))
        never = (kinds[holders] == ScriptKind.OP_RETURN) | (ends[holders] - first > MAX_SCRIPT_SIZE)
        found.append(np.flatnonzero(never) + place)
    return np.concatenate((np.empty(0, np.int64), *found))


def overwritten_outputs(store: ChainStore) -> npt.NDArray[np.int64]:
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
