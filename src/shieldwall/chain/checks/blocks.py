"""Headers, their links and work; merkle roots; digests."""

from __future__ import annotations

import numpy as np

from shieldwall.chain.checks.check import Check, Tally, runs
from shieldwall.chain.columns import HEADER, NO_HEIGHT, WHOLE
from shieldwall.chain.digests import EMPTY, block_digest, digest_of, given_of
from shieldwall.chain.proof import parse_header
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import pick
from shieldwall.model.transaction import display

_BYTES_EACH = 12  # bytes of a transaction for each byte of its txid, about: what the choice of kernels is made by


def check_headers(store: ChainStore, first: int = 0) -> Check:
    """Each stored header hashes to its block's hash, carries its work and time, and follows the block below it."""
    tally = Tally("headers")
    flags, heights, times = (store.column(f"block_{name}").tolist() for name in ("flags", "height", "time"))
    headers, hashes = store.column("block_header"), store.column("block_hash")
    highest = -1 if not first or heights[first - 1] == NO_HEIGHT else heights[first - 1]
    for number in range(first, store.rows("block")):
        height = heights[number]
        if height != NO_HEIGHT:
            if height <= highest:
                tally.fault(f"block {number} is of height {height}, after one of height {highest}")
            highest = height
        if not flags[number] & HEADER:
            tally.skipped += 1
            continue
        tally.checked += 1
        header = parse_header(headers[number].tobytes())
        own = hashes[number].tobytes()
        if header.hash != own:
            tally.fault(
                f"block {number}: the header hashes to {display(header.hash)}, and the store says {display(own)}"
            )
        elif not header.carries_work(store.network.work):
            tally.fault(f"block {number}: the header does not carry the work that it names")
        elif header.time != times[number]:
            tally.fault(f"block {number}: the header's time is {header.time}, and the store says {times[number]}")
        elif _adjacent(heights, number) and header.previous != hashes[number - 1].tobytes():
            tally.fault(f"block {number} at height {height} does not follow the block below it")
    return tally.result("blocks without a header: what their source said" if tally.skipped else "")


def _adjacent(heights: list[int], number: int) -> bool:
    return bool(number) and heights[number] != NO_HEIGHT and heights[number - 1] == heights[number] - 1


def check_merkle_roots(store: ChainStore, first: int = 0) -> Check:
    """The stored txids of every whole block make the root in its header."""
    tally = Tally("merkle roots")
    flags, headers, txids = (store.column(name) for name in ("block_flags", "block_header", "tx_txid"))
    engine = pick(txids.nbytes * _BYTES_EACH)
    for run in runs(store, first):
        roots = engine.merkle_roots(txids[run.txs], run.first_tx)
        for number, root in zip(range(run.blocks.start, run.blocks.stop), roots, strict=True):
            if flags[number] & (WHOLE | HEADER) != WHOLE | HEADER:
                tally.skipped += 1
                continue
            tally.checked += 1
            if root.tobytes() != headers[number][36:68].tobytes():
                tally.fault(f"block {number} ({display(store.column('block_hash')[number].tobytes())}): another root")
    return tally.result("blocks of which only some transactions are here" if tally.skipped else "")


def check_digests(store: ChainStore) -> Check:
    """The running digest of every block and the digest of the whole store, computed again."""
    tally = Tally("digests")
    _running_digests(store, 0, tally)
    tally.checked += 1
    if digest_of(store) != store.digest:
        tally.fault("the digest of the whole store is another than the manifest's")
    return tally.result()


def check_running_digests(store: ChainStore, first: int) -> Check:
    """The running digest of every block from `first` on, computed again."""
    tally = Tally("running digests")
    _running_digests(store, first, tally)
    return tally.result()


def _running_digests(store: ChainStore, first: int, tally: Tally) -> None:
    running = store.column("block_digest")[first - 1].tobytes() if first else EMPTY
    flags, heights, times = (store.column(f"block_{name}").tolist() for name in ("flags", "height", "time"))
    headers, hashes, digests = (store.column(f"block_{name}") for name in ("header", "hash", "digest"))
    txids, outside = store.column("tx_txid"), store.column("outside_input")
    for run in runs(store, first):
        edges = run.inputs.start + run.first_input[run.first_tx]
        cuts = np.searchsorted(outside, edges.astype(np.uint64)).tolist()
        given = given_of(store, cuts[0], cuts[-1])
        for place, number in enumerate(range(run.blocks.start, run.blocks.stop)):
            begin, end = (run.txs.start + int(edge) for edge in run.first_tx[place : place + 2])
            running = block_digest(
                running,
                headers[number].tobytes() if flags[number] & HEADER else hashes[number].tobytes(),
                height=None if heights[number] == NO_HEIGHT else heights[number],
                time=times[number],
                whole=bool(flags[number] & WHOLE),
                txids=txids[begin:end],
                given=given.part(cuts[place] - cuts[0], cuts[place + 1] - cuts[0]),
            )
            tally.checked += 1
            if running != digests[number].tobytes():
                tally.fault(f"block {number}: another digest than the stored one")
                running = digests[number].tobytes()
