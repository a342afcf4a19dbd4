"""Blocks one after the other: transactions, merkle root, header with its work; and the `blk*.dat` that they are written to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import numpy as np

from shieldwall.chain.proof import parse_header, sha256d
from shieldwall.chain.regtest import GENESIS, frame, seal
from shieldwall.kernels.arrays import Bytes, Offsets
from simulator.plan import Plan

FILE_SIZE = 128 << 20  # bytes of a `blk*.dat` at most, as Bitcoin Core has it
START = 1_600_000_000  # unix seconds of block 1
_VERSION = 0x20000000
_BUFFER = 4 << 20  # bytes; no block weighs more (BIP 141)
_SPARE = 2 << 20  # bytes for the longest transaction


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """A block with the places of what is in it. Arrays are valid until the next block is made.

    Attributes:
        height: Of the block.
        header: Its 80 bytes.
        hash: Internal byte order.
        time: Unix seconds.
        first: Number of its first transaction.
        last: One past its last.
        data: uint8, its transactions one after the other.
        places: int64[m, 3]: first byte of each transaction in `data`, of its witness (0: none), one past its last byte.
        unlock: int64[i, 2]: first byte and one past the last of each unlocking script, coinbase's not counted.
        script: int64[o, 2]: likewise of each locking script.
        txids: uint8[n, 32], of all transactions of the chain so far; internal byte order.
        wtxids: uint8[m, 32] of this block's; empty where not asked for.
    """

    height: int
    header: bytes
    hash: bytes
    time: int
    first: int
    last: int
    data: Bytes
    places: Offsets
    unlock: Offsets
    script: Offsets
    txids: Bytes
    wtxids: Bytes

    @property
    def raw(self) -> bytes:
        """The whole block."""
        return self.header + _compact(self.last - self.first) + self.data.tobytes()


class Form(Protocol):
    """Something that writes blocks in one form."""

    def take(self, block: MadeBlock) -> None:
        """Write the next block."""

    def close(self) -> None:
        """Write what is left."""


def _compact(count: int) -> bytes:
    return bytes([count]) if count < 0xFD else b"\xfd" + count.to_bytes(2, "little")


def block_time(height: int, seed: int, previous: int) -> int:
    """Unix seconds: about ten minutes after the block before, never less than one."""
    if height == 0:
        return parse_header(GENESIS[:80]).time
    if height == 1:
        return START
    return previous + 300 + (sha256(f"{seed} {height}".encode()).digest()[0] * 600) // 255


def make_blocks(plan: Plan, *, wtxids: bool = False) -> Iterator[MadeBlock]:
    """The blocks of a plan in order, block 0 first; its memory besides the plan's is 36 bytes a transaction and output.

    Args:
        plan: The story.
        wtxids: Also compute the hash of each transaction with its witness.
    """
    from shieldwall.kernels.compiled.hashing import merkle_roots  # noqa: PLC0415 - compiles
    from simulator.serialise import write_block  # noqa: PLC0415 - compiles

    txids = np.zeros((plan.transactions, 32), np.uint8)
    owner = np.zeros(plan.outputs, np.int32)
    data, scratch = np.zeros(_BUFFER, np.uint8), np.zeros(_SPARE, np.uint8)
    first_input, first_output = plan.offsets("first_input"), plan.offsets("first_output")
    yield (genesis := _genesis(txids))
    previous, time = genesis.hash, genesis.time
    for height in range(1, plan.blocks):
        first, last = int(plan.first_tx[height]), int(plan.first_tx[height + 1])
        places = np.zeros((last - first, 3), np.int64)
        unlock = np.zeros((int(first_input[last] - first_input[first]), 2), np.int64)
        script = np.zeros((int(first_output[last] - first_output[first]), 2), np.int64)
        whole = np.zeros((last - first if wtxids else 0, 32), np.uint8)
        end = write_block(
            plan.state, first, last, height, owner, txids, whole, np.uint64(plan.seed), data, 0, places, unlock, script, scratch
        )  # fmt: skip
        root = merkle_roots(txids[first:last], np.array([0, last - first]))[0].tobytes()
        time = block_time(height, plan.seed, time)
        header = seal(_VERSION.to_bytes(4, "little") + previous + root + time.to_bytes(4, "little"))
        previous = sha256d(header)
        yield MadeBlock(height, header, previous, time, first, last, data[:end], places, unlock, script, txids, whole)


def _genesis(txids: Bytes) -> MadeBlock:
    """Block 0 of regtest with its places."""
    data = np.frombuffer(GENESIS[81:], np.uint8)
    txids[0] = np.frombuffer(sha256d(GENESIS[81:]), np.uint8)
    header = parse_header(GENESIS[:80])
    size = len(data)
    return MadeBlock(
        height=0, header=GENESIS[:80], hash=header.hash, time=header.time, first=0, last=1, data=data,
        places=np.array([[0, 0, size]]), unlock=np.zeros((0, 2), np.int64), script=np.array([[size - 71, size - 4]]),
        txids=txids, wtxids=txids[:1],
    )  # fmt: skip


class BlockFiles:
    """Writes `blk00000.dat` and so on into a folder, and takes their digest.

    Attributes:
        size: Bytes written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file: BinaryIO | None = None
        self._room = 0
        self._files = 0
        self._digest = sha256()
        self.size = 0

    def take(self, block: MadeBlock) -> None:
        """Write the next block, into the next file where this one is full."""
        raw = frame(block.raw)
        if self._file is None or len(raw) > self._room:
            self.close()
            self._file = (self._folder / f"blk{self._files:05d}.dat").open("wb")
            self._files += 1
            self._room = FILE_SIZE
        self._file.write(raw)
        self._digest.update(raw)
        self._room -= len(raw)
        self.size += len(raw)

    def close(self) -> None:
        """Close the last file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def digest(self) -> str:
        """SHA-256 over all files, one after the other."""
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
