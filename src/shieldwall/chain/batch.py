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
    data: Bytes
    block_start: npt.NDArray[np.int64]
    decoded: Decoded
    txids: Bytes
    roots: Bytes  # [blocks, 32] merkle roots
    coinbase: npt.NDArray[np.bool_]  # [n]
    first_tx: npt.NDArray[np.int64]  # [blocks + 1]
    first_input: npt.NDArray[np.int64]  # [n + 1], coinbase inputs left out
    outpoint: npt.NDArray[np.int64]  # [i]


def decode_batch(blocks: Sequence[RawBlock], engine: Engine) -> Batch:
    """Take blocks apart.

    Raises:
        BadBlock: Bytes that are no transaction, or that follow the last one; the place is named.
    """
    data = np.frombuffer(b"".join(block.data for block in blocks), np.uint8)
    sizes = np.array([len(block.data) for block in blocks], np.int64)
    limit = np.cumsum(sizes)
    start = limit - sizes
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
    txids = engine.txids(data, decoded)
    first_tx = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    return Batch(
        blocks=blocks,
        data=data,
        block_start=start,
        decoded=decoded,
        txids=txids,
        roots=engine.merkle_roots(txids, first_tx),
        coinbase=coinbase,
        first_tx=first_tx,
        first_input=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts_in))),
        outpoint=decoded.outpoint[keep],
    )


def prove(batch: Batch, number: int) -> None:
    """A whole block's transactions are those of its merkle root, each once, the first a coinbase and no other.

    Raises:
        BadBlock: They are not.
    """
    ref = batch.blocks[number].ref
    first, last = int(batch.first_tx[number]), int(batch.first_tx[number + 1])
    if ref.whole and ref.header is not None:
        if batch.roots[number].tobytes() != ref.header[36:68]:
            raise BadBlock(
                f"{ref.place}: the transactions of block {display(ref.hash)} do not make its merkle root",
                hint="the bytes are damaged; copy the block again",
            )
        if not batch.coinbase[first] or batch.coinbase[first + 1 : last].any():
            raise BadBlock(f"{ref.place}: block {display(ref.hash)} must begin with its coinbase and have no other")
    if last - first > 1 and len(np.unique(np.ascontiguousarray(batch.txids[first:last]).view("V32"))) != last - first:
        raise BadBlock(f"{ref.place}: block {display(ref.hash)} has a transaction twice (CVE-2012-2459)")
