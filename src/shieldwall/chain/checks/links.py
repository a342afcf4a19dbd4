"""Links between inputs and outputs, both ways; and the indexes, which must say what the columns say."""

from __future__ import annotations

import numpy as np

from shieldwall.chain.checks.check import Check, Tally, runs
from shieldwall.chain.columns import NO_OUTPUT
from shieldwall.chain.indexes import holder_keys
from shieldwall.chain.store import ChainStore

_CHUNK = 1 << 20  # rows looked at together


def check_links(store: ChainStore) -> Check:
    """Each input's output names that input's transaction, and each spender has an input for each output that names it.

    No output is spent twice: two inputs of one output would both have to be of the transaction that it names, and within
    a transaction no output may come twice. So when as many outputs are spent as inputs are linked, the links are one to one.
    """
    tally = Tally("links")
    txs, outputs = store.rows("tx"), store.rows("output")
    spender, holder = store.column("output_spender"), store.column("output_holder")
    firsts, outside = store.column("tx_first_output"), store.column("outside_input")
    linked_inputs = 0
    for run in runs(store):
        links = store.column("input_output")[run.inputs]
        tx = run.tx_of_input + run.txs.start
        there = links != np.uint64(NO_OUTPUT)
        expected = np.flatnonzero(~there) + run.inputs.start
        rows = slice(*np.searchsorted(outside, np.array([run.inputs.start, run.inputs.stop], np.uint64)).tolist())
        if not np.array_equal(outside[rows], expected.astype(np.uint64)):
            tally.fault(f"inputs {run.inputs.start} to {run.inputs.stop}: rows of spent outputs elsewhere do not fit")
        tally.checked += len(links)
        linked_inputs += int(there.sum())
        if (links[there] >= outputs).any():
            tally.fault(f"inputs {run.inputs.start} to {run.inputs.stop}: a link to an output that is not there")
            continue
        made, by = links[there], tx[there]
        payer = np.searchsorted(firsts, made, side="right") - 1
        _note(tally, spender[made] != by, by, "transaction {} spends an output that names another spender")
        _note(tally, payer >= by, by, "transaction {} spends an output that is made later")
        _note(
            tally, holder[made] != store.column("input_holder")[run.inputs][there], by, "transaction {}: another holder"
        )
        ordered = np.sort(made)
        _note(tally, ordered[1:] == ordered[:-1], ordered[1:], "output {} is spent twice")
    spent = 0
    for begin in range(0, outputs, _CHUNK):
        spent += int(np.count_nonzero(spender[begin : begin + _CHUNK] < txs))
    if spent != linked_inputs:
        tally.fault(f"{spent} outputs name a spender, and {linked_inputs} inputs spend one", abs(spent - linked_inputs))
    return tally.result()


def check_indexes(store: ChainStore) -> Check:
    """Every transaction, holder and payment of the columns stands in the index once, in order, and nothing else does."""
    tally = Tally("indexes")
    txids = store.column("tx_txid")
    for name, table in (("txid", "tx"), ("holder", "holder")):
        keys, numbers = store.index(f"{name}_key"), store.index(f"{name}_number")
        tally.skipped += store.rows(table) - len(keys)
        own = holder_keys(store) if name == "holder" else None
        for begin in range(0, len(keys), _CHUNK):
            part, of = keys[begin : begin + _CHUNK + 1], numbers[begin : begin + _CHUNK + 1]
            tally.checked += min(len(part), _CHUNK)
            if (of >= len(keys)).any():
                tally.fault(f"{name} index: a number that is not there")
                continue
            true = own[of] if own is not None else np.ascontiguousarray(txids[of][:, :8]).view(np.uint64).reshape(-1)
            _note(tally, true != part, of, name + " index: row {} stands under another key")
            late = (part[1:] < part[:-1]) | ((part[1:] == part[:-1]) & (of[1:] <= of[:-1]))
            _note(tally, late, of[1:], name + " index: row {} is out of order, or there twice")
    _check_paid(store, tally)
    stated = store.column("stated_output")
    tally.checked += len(stated)
    _note(tally, stated[1:] <= stated[:-1], stated[1:], "statement on output {} is out of order, or there twice")
    _note(tally, stated >= store.rows("output"), stated, "statement on output {}, which is not there")
    return tally.result("rows behind the index: it is written at the end of a build" if tally.skipped else "")


def _check_paid(store: ChainStore, tally: Tally) -> None:
    first, paid = store.index("paid_first"), store.index("paid_output")
    holders = store.column("output_holder")
    tally.skipped += store.rows("output") - len(paid)
    if len(first) and (int(first[0]) or int(first[-1]) != len(paid) or (first[1:] < first[:-1]).any()):
        tally.fault("payment index: the first places do not ascend from none to all outputs")
        return
    for begin in range(0, len(paid), _CHUNK):
        part = paid[begin : begin + _CHUNK + 1]
        tally.checked += min(len(part), _CHUNK)
        if (part >= len(paid)).any():
            tally.fault("payment index: an output that is not there")
            continue
        owner = np.searchsorted(first, np.arange(begin, begin + len(part), dtype=np.uint64), side="right") - 1
        _note(tally, holders[part] != owner, part, "payment index: output {} stands under another holder")
        late = (owner[1:] == owner[:-1]) & (part[1:] <= part[:-1])
        _note(tally, late, part[1:], "payment index: output {} is out of order, or there twice")


def _note(tally: Tally, wrong: np.typing.NDArray[np.bool_], of: np.typing.NDArray[np.generic], text: str) -> None:
    if wrong.any():
        tally.fault(text.format(of[np.argmax(wrong)]), int(np.count_nonzero(wrong)))
