"""Bitcoin Core's `blk*.dat`: framed blocks in any order, with stale forks, and `rev*.dat` beside them.

Frame: magic (4), size (4, little-endian), block. Files are pre-allocated, so zeros may follow the last block.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

from shieldwall.chain.proof import HEADER_SIZE, Header, claimed_height, parse_header
from shieldwall.chain.readers import undo
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.errors import BadBlock, BadInput, WrongNetwork
from shieldwall.model.network import NETWORKS, Network, by_magic
from shieldwall.model.transaction import display

FRAME = 8  # bytes before a block: magic and size
MAX_BLOCK = 4_000_000  # bytes: no block weighs more (BIP 141)
_ZEROS = bytes(1 << 16)


class BlockFileReader(Reader):
    """Reads `blk*.dat` files; `rev*.dat` of the same number gives previous outputs."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = list(files)
        self._maps: dict[int, mmap.mmap] = {}
        self._spots: list[tuple[int, int, int]] = []  # file, offset of the block, its size
        self._previous: list[bytes] = []  # hash of the block before each, for the checksum of its undo record
        self._undo: dict[int, undo.UndoFile | None] = {}

    def survey(self, progress: Progress) -> Survey:
        """Read every frame and header."""
        found = Survey()
        total = sum(path.stat().st_size for path in self._files)
        done = 0
        for number, path in enumerate(self._files):
            size = path.stat().st_size
            if size:
                network = self._survey_file(number, path, found)
                if found.network is not None and network is not None and found.network != network:
                    raise WrongNetwork(
                        f"{path}: blocks of {network.name}, after blocks of {found.network.name}",
                        hint="build one store per network",
                    )
                found.network = network or found.network
            done += size
            progress("reading headers", done, total)
        return found

    def _survey_file(self, number: int, path: Path, found: Survey) -> Network | None:
        data = self._map(number)
        place, end, network = 0, len(data), None
        while place < end:
            magic = data[place : place + 4]
            if magic[:1] == b"\0":
                place = _skip_zeros(data, place)
                continue
            if network is None:
                network = by_magic(magic)
            if network is None or magic != network.magic:
                raise BadInput(
                    f"{path}, offset {place}: {magic.hex()} begins no block of {network.name if network else 'any network'}",
                    hint="the file is damaged here, or is no block file; copy it again from the node",
                )
            size = int.from_bytes(data[place + 4 : place + 8], "little")
            start = place + FRAME
            if size < HEADER_SIZE + 61 or size > MAX_BLOCK:
                raise BadBlock(f"{path}, offset {place}: a block of {size} bytes cannot be")
            if start + size > end:
                raise BadBlock(
                    f"{path}, offset {place}: the block says {size} bytes, and {max(0, end - start)} are left",
                    hint="the file was cut off; copy it again while the node is stopped",
                )
            self._spots.append((number, start, size))
            found.blocks.append(self._ref(path, data, start, size))
            place = start + size
        return network

    def _ref(self, path: Path, data: mmap.mmap, start: int, size: int) -> BlockRef:
        place = Place(str(path), start)
        header = check_header(parse_header(data[start : start + HEADER_SIZE]), place)
        self._previous.append(header.previous)
        return BlockRef(
            hash=header.hash,
            previous=header.previous,
            height=claimed_height(header.version, coinbase_script(data[start + HEADER_SIZE : start + 400])),
            time=header.time,
            work=header.work,
            header=header.raw,
            whole=True,
            size=size,
            place=place,
            reader=self,
            key=len(self._spots) - 1,
        )

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks as they stand in the files."""
        for ref in refs:
            file, start, size = self._spots[ref.key]
            block = self._map(file)[start : start + size]
            count, width = transaction_count(block, ref.place)
            begin = HEADER_SIZE + width
            yield RawBlock(ref, count, block[begin:], str(self._files[file]), start + begin)

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """From the undo record of the block, found by its checksum."""
        file = self._spots[ref.key][0]
        if file not in self._undo:
            self._undo[file] = undo.beside(self._files[file])
        records = self._undo[file]
        return records.find(self._previous[ref.key]) if records else None

    def close(self) -> None:
        """Unmap the files."""
        for data in self._maps.values():
            data.close()
        self._maps.clear()

    def _map(self, number: int) -> mmap.mmap:
        if number not in self._maps:
            with self._files[number].open("rb") as file:
                self._maps[number] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._maps[number]


def looks_like_block_file(head: bytes) -> bool:
    """True when a file begins with a network's magic."""
    return any(head.startswith(network.magic) for network in NETWORKS.values())


def check_header(header: Header, place: Place) -> Header:
    """The header, if it carries the work that it names.

    Raises:
        BadBlock: It does not.
    """
    if not header.proves_work:
        raise BadBlock(
            f"{place}: header {display(header.hash)} does not carry the work that it names",
            hint="the bytes are damaged, or are no block",
        )
    return header


def transaction_count(block: bytes, place: Place) -> tuple[int, int]:
    """(number of transactions, bytes that the count takes) of a block's bytes.

    Raises:
        BadBlock: No count, or none that the block could hold.
    """
    after = block[HEADER_SIZE : HEADER_SIZE + 9]
    width = 1 if not after or after[0] < 0xFD else 1 + (2 << (after[0] - 0xFD))
    count = int.from_bytes(after[1:width], "little") if width > 1 else int.from_bytes(after[:1], "little")
    if len(after) < width or not 0 < count <= len(block) // 60:
        raise BadBlock(f"{place}: a block of {len(block)} bytes cannot hold {count} transactions")
    return count, width


def coinbase_script(after_header: bytes) -> bytes:
    """The input script of a block's first transaction, b"" when there is none to be read."""
    width = 1 if not after_header or after_header[0] < 0xFD else 1 + (2 << (after_header[0] - 0xFD))
    place = width + 4
    if after_header[place : place + 2] == b"\0\x01":
        place += 2
    place += 1 + 36
    size = after_header[place] if place < len(after_header) else 0
    return after_header[place + 1 : place + 1 + size]


def _skip_zeros(data: mmap.mmap, place: int) -> int:
    while data[place : place + len(_ZEROS)] == _ZEROS:
        place += len(_ZEROS)
    end = len(data)
    while place < end and data[place] == 0:
        place += 1
    return place
