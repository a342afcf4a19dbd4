"""Links between inputs and outputs, both ways; and the indexes, which must say what the columns say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.check import Check, Tally, runs
from shieldwall.chain.columns import NO_OUTPUT
from shieldwall.chain.indexes import holder_places
from shieldwall.chain.manifest import IndexRun
from shieldwall.chain.mapping import places_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import Engine, pick
from shieldwall.model.address import key_hash
from shieldwall.model.script import ScriptKind

_CHUNK = 1 << 20  # rows looked at together
_BYTES_EACH = 400  # of a transaction, about: what the choice of kernels is made by


def check_links(store: ChainStore, first: int = 0) -> Check:
    """Each input's output names that input's transaction, and each spender has an input for each output that names it.

    No output is spent twice: two inputs of one output would both have to be of the transaction that it names, and within
    a transaction no output may come twice. So when as many outputs are spent as inputs are linked, the links are one to one.
    From a block other than the `first` on, that count is left out.
    """
    tally = Tally("links")
    txs, outputs = store.rows("tx"), store.rows("output")
    spender, holder = store.column("output_spender"), store.column("output_holder")
    firsts, outside = store.column("tx_first_output"), store.column("outside_input")
    linked_inputs = 0
    for run in runs(store, first):
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
        payer = places_of(firsts, made, "right") - 1
        _note(tally, spender[made] != by, by, "output_spender: transaction {} spends an output that names another")
        _note(tally, payer >= by, by, "transaction {} spends an output that is made later")
        _note(
            tally, holder[made] != store.column("input_holder")[run.inputs][there], by, "transaction {}: another holder"
        )
        ordered = np.sort(made)
        _note(tally, ordered[1:] == ordered[:-1], ordered[1:], "output {} is spent twice")
    if first:
        return tally.result()
    spent = 0
    for begin in range(0, outputs, _CHUNK):
        spent += int(np.count_nonzero(spender[begin : begin + _CHUNK] < txs))
    if spent != linked_inputs:
        tally.fault(
            f"output_spender: {spent} outputs name one, and {linked_inputs} inputs spend one",
            abs(spent - linked_inputs),
        )
    return tally.result()


def check_indexes(store: ChainStore) -> Check:
    """Every transaction, holder and payment of the columns stands in the index once, in order, and nothing else does."""
    tally = Tally("indexes")
    rows = store.manifest.indexed
    tally.skipped += sum(store.rows(table) - rows[table] for table in rows)
    engine = pick(store.rows("tx") * _BYTES_EACH)
    for run in store.manifest.runs:
        txids = store.column("tx_txid")[run.first["tx"] : run.last["tx"], :8]
        keys = np.ascontiguousarray(txids).view(np.uint64).reshape(-1)
        _check_buckets(store, tally, run, "txid", keys, np.arange(run.first["tx"], run.last["tx"]))
        numbers = np.arange(run.first["holder"], run.last["holder"])
        start, end = holder_places(store, run.first["holder"], run.last["holder"])
        keys = engine.payload_keys(store.column("payload_bytes"), start, end)
        _check_buckets(store, tally, run, "holder", keys, numbers)
        public = numbers[store.column("holder_kind")[run.first["holder"] : run.last["holder"]] == ScriptKind.P2PK]
        hashes = b"".join(key_hash(store.holder(number).payload).payload for number in public.tolist())
        edges = np.arange(len(public) + 1) * 20
        keys = engine.payload_keys(np.frombuffer(hashes, np.uint8), edges[:-1], edges[1:])
        _check_buckets(store, tally, run, "key", keys, public)
        _check_paid(store, tally, run, engine)
    stated = store.column("stated_output")
    tally.checked += len(stated)
    _note(tally, stated[1:] <= stated[:-1], stated[1:], "statement on output {} is out of order, or there twice")
    _note(tally, stated >= store.rows("output"), stated, "statement on output {}, which is not there")
    return tally.result("rows behind the index: it is written at the end of a build" if tally.skipped else "")


def _check_buckets(
    store: ChainStore,
    tally: Tally,
    run: IndexRun,
    name: str,
    keys: npt.NDArray[np.uint64],
    numbers: npt.NDArray[np.int64],
) -> None:
    """Each of `numbers`, whose keys are `keys`, stands in its bucket, in order; the index is what it would be if made now."""
    heads, there = store.index(run, f"{name}_first"), store.index(run, f"{name}_number")
    tally.checked += len(numbers)
    title = f"{run.folder}/{name}"
    if len(heads) != run.buckets[name] + 1 or int(heads[0]) or int(heads[-1]) != len(there) or len(there) != len(keys):
        tally.fault(f"{title}_first does not lead to {len(keys)} rows")
        return
    if (heads[1:] < heads[:-1]).any():
        tally.fault(f"{title}_first does not ascend")
        return
    if not len(there):
        return
    places = np.minimum(np.searchsorted(numbers, there), len(numbers) - 1)
    wrong = numbers[places] != there
    _note(tally, wrong, there, title + "_number: row {} is not there")
    if wrong.any():
        return
    bucket = np.repeat(np.arange(run.buckets[name]), np.diff(heads))
    _note(
        tally,
        (keys[places] & np.uint64(run.buckets[name] - 1)) != bucket.astype(np.uint64),
        there,
        title + "_number: row {} stands under another key",
    )
    late = (bucket[1:] == bucket[:-1]) & (there[1:] <= there[:-1])
    _note(tally, late, there[1:], title + "_number: row {} is out of order, or there twice")


def _check_paid(store: ChainStore, tally: Tally, run: IndexRun, engine: Engine) -> None:
    """The payments of a run are those of its outputs."""
    holders = store.column("output_holder")[run.first["output"] : run.last["output"]]
    named, first, paid = (store.index(run, f"paid_{name}") for name in ("holder", "first", "output"))
    tally.checked += len(holders)
    if len(named):
        groups = np.searchsorted(named, holders).astype(np.uint32)
        count = len(named)
        lost = (groups >= count) | (named[np.minimum(groups, count - 1)] != holders)
        if lost.any() or (named[1:] <= named[:-1]).any():
            tally.fault(f"{run.folder}/paid_holder: other holders than the outputs pay")
            return
    else:
        groups, count = holders, len(first) - 1
        if len(groups) and int(groups.max()) >= count:
            tally.fault(f"{run.folder}/paid_first: not enough holders")
            return
    heads, order = engine.group_order(groups, count)
    if not np.array_equal(heads, np.asarray(first)):
        tally.fault(f"{run.folder}/paid_first: other numbers of payments")
    _note(
        tally,
        order + np.uint64(run.first["output"]) != np.asarray(paid),
        order,
        f"{run.folder}/paid_output: " + "output {} is not where its holder is",
    )


def _note(tally: Tally, wrong: npt.NDArray[np.bool_], of: npt.NDArray[np.generic], text: str) -> None:
    if wrong.any():
        tally.fault(text.format(of[np.argmax(wrong)]), int(np.count_nonzero(wrong)))
