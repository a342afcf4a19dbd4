"""Blocks taken apart: one array for each field, and what their own bytes prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shieldwall.chain.readers.interface import RawBlock
from shieldwall.errors import BadBlock
from shieldwall.kernels.arrays import COINBASE, Bytes, Decoded, DecodeFault
from shieldwall.kernels.engine import Engine
from shieldwall.model.transaction import display


@dataclass(slots=True)
class Batch:
    """Blocks taken apart, on their way to rows. n transactions, i inputs without coinbases, o outputs."""

    blocks: Sequence[RawBlock]
    data: Bytes  # the blocks' bytes, and what stands between them in their file
    block_start: npt.NDArray[np.int64]
    block_end: npt.NDArray[np.int64]
    decoded: Decoded
    txids: Bytes
    roots: Bytes | None  # [blocks, 32] merkle roots; None when no block is whole
    kinds: Bytes  # [o] kinds of the locking scripts
    payload_start: npt.NDArray[np.int64]  # [o]
    payload_end: npt.NDArray[np.int64]  # [o]
    coinbase: npt.NDArray[np.bool_]  # [n]
    first_tx: npt.NDArray[np.int64]  # [blocks + 1]
    first_input: npt.NDArray[np.int64]  # [n + 1], coinbase inputs left out
    outpoint: npt.NDArray[np.int64]  # [i]


def decode_batch(blocks: Sequence[RawBlock], engine: Engine) -> Batch:
    """Take blocks apart, and prove of each what its own bytes prove.

    Raises:
        BadBlock: Bytes that are no transaction, or that follow the last one; the place is named. Or a block that its own
            bytes refute.
    """
    data, start = _united(blocks)
    limit = start + np.array([len(block.data) for block in blocks], np.int64)
    counts = np.array([block.count for block in blocks], np.int64)
    try:
        decoded = engine.decode(data, start, counts, limit)
    except DecodeFault as fault:
        ref = blocks[fault.block].ref
        at = fault.offset - int(start[fault.block])
        raise BadBlock(
            f"{ref.place}: transaction {fault.transaction} of block {display(ref.hash)} {fault} "
            f"({at} bytes after the first transaction)"
        ) from None
    for number, block in enumerate(blocks):
        over = int(limit[number] - decoded.block_end[number])
        if over:
            raise BadBlock(f"{block.ref.place}: {over} bytes follow the last transaction of the block")
    coinbase = (decoded.flags & COINBASE) != 0
    counts_in = np.diff(decoded.first_input)
    counts_in[coinbase] = 0
    keep = np.repeat(~coinbase, np.diff(decoded.first_input))
    txids = _txids(blocks, engine, data, decoded, counts)
    first_tx = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    kinds, payload_start, payload_end = engine.classify(data, decoded.script_start, decoded.script_end)
    batch = Batch(
        blocks=blocks,
        data=data,
        block_start=start,
        block_end=limit,
        decoded=decoded,
        txids=txids,
        roots=engine.merkle_roots(txids, first_tx) if any(block.ref.whole for block in blocks) else None,
        kinds=kinds,
        payload_start=payload_start,
        payload_end=payload_end,
        coinbase=coinbase,
        first_tx=first_tx,
        first_input=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts_in))),
        outpoint=decoded.outpoint[keep],
    )
    for number in range(len(blocks)):
        _prove(batch, number)
    return batch


def _united(blocks: Sequence[RawBlock]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """The bytes of the blocks in one array, and where each begins; without a copy where they were read together."""
    views = [np.frombuffer(block.data, np.uint8) for block in blocks]
    owners = [block.data.obj if isinstance(block.data, memoryview) else None for block in blocks]
    if isinstance(owners[0], bytes) and all(owner is owners[0] for owner in owners):
        whole = np.frombuffer(owners[0], np.uint8)
        return whole, np.array([view.ctypes.data - whole.ctypes.data for view in views], np.int64)
    sizes = np.array([len(view) for view in views], np.int64)
    return np.concatenate(views), np.cumsum(sizes) - sizes


def _txids(
    blocks: Sequence[RawBlock], engine: Engine, data: Bytes, decoded: Decoded, counts: npt.NDArray[np.int64]
) -> Bytes:
    """Txids from the bytes, but for blocks whose source's own word is to be taken."""
    given = [block.txids for block in blocks]
    if all(named is not None for named in given):
        txids = np.empty((len(decoded.start), 32), np.uint8)
    else:
        txids = engine.txids(data, decoded)
    edges = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    for number, named in enumerate(given):
        if named is not None:
            txids[edges[number] : edges[number + 1]] = named
    return txids


def _prove(batch: Batch, number: int) -> None:
    """A whole block's transactions are those of its merkle root, each once, the first a coinbase and no other.

    Raises:
        BadBlock: They are not.
    """
    ref = batch.blocks[number].ref
    first, last = int(batch.first_tx[number]), int(batch.first_tx[number + 1])
    if ref.whole and ref.header is not None and batch.roots is not None:
        if batch.roots[number].tobytes() != ref.header[36:68]:
            raise BadBlock(
                f"{ref.place}: the transactions of block {display(ref.hash)} do not make its merkle root",
                hint="the bytes are damaged; copy the block again",
            )
        if not batch.coinbase[first] or batch.coinbase[first + 1 : last].any():
            raise BadBlock(f"{ref.place}: block {display(ref.hash)} must begin with its coinbase and have no other")
    keys = np.sort(np.ascontiguousarray(batch.txids[first:last, :8]).view(np.uint64).reshape(-1))
    if (keys[1:] == keys[:-1]).any() and len({txid.tobytes() for txid in batch.txids[first:last]}) != last - first:
        raise BadBlock(f"{ref.place}: block {display(ref.hash)} has a transaction twice (CVE-2012-2459)")
