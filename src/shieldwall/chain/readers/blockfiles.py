"""Bitcoin Core's `blk*.dat`: framed blocks in any order, with stale forks, and `rev*.dat` beside them.

Frame: magic (4), size (4, little-endian), block. Files are pre-allocated, so zeros may follow the last block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from shieldwall.chain.openfiles import OpenFiles
from shieldwall.chain.proof import HEADER_SIZE, Header, claimed_height, parse_header
from shieldwall.chain.readers import undo
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.errors import BadBlock, BadInput, WrongNetwork
from shieldwall.model.network import MAIN, NETWORKS, Network, by_genesis, by_magic
from shieldwall.model.transaction import display

FRAME = 8  # bytes before a block: magic and size
MAX_BLOCK = 4_000_000  # bytes: no block weighs more (BIP 141)
MAX_EXTENDED = 32 << 20  # bytes, with an MWEB extension: no node reads more at once (Litecoin Core, `serialize.h`)
LEAST_TRANSACTION = 60  # bytes: version, one input, one output, lock time
_HEAD = 400  # bytes of a frame that hold header, count and the script of a coinbase
_TOGETHER = 32 << 20  # bytes of blocks read together
_PIECE = 1 << 16  # bytes of zeros looked at together


class BlockFileReader(Reader):
    """Reads `blk*.dat` files; `rev*.dat` of the same number gives previous outputs.

    Args:
        files: The files.
        network: Which one is meant where two have the same magic.
    """

    beside = True

    def __init__(self, files: Sequence[Path], network: Network | None = None) -> None:
        self._files = list(files)
        self._network = network
        self._open = OpenFiles()
        self._spots: list[tuple[int, int, int]] = []  # file, offset of the block, its size
        self._undo: dict[int, undo.UndoFile | None] = {}

    def survey(self, progress: Progress) -> Survey:
        """Read every frame and header."""
        found = Survey()
        sizes = [path.stat().st_size for path in self._files]
        done = 0
        for number, (path, size) in enumerate(zip(self._files, sizes, strict=True)):
            network = self._survey_file(number, size, found)
            if found.network is not None and network is not None and found.network != network:
                raise WrongNetwork(
                    f"{path}: blocks of {network.name}, after blocks of {found.network.name}",
                    hint="build one store per network",
                )
            found.network = network or found.network
            done += size
            progress("reading headers", done, sum(sizes))
        return found

    def _survey_file(self, number: int, end: int, found: Survey) -> Network | None:
        path = self._files[number]
        place, network = 0, None
        while place < end:
            if not any(self._open.read(path, place, 4, scrambled=False)):
                place = self._skip_zeros(path, place, end)
                continue
            head = self._open.read(path, place, _HEAD)
            magic = head[:4]
            if network is None:
                network = by_magic(magic, self._network)
            if network is None or magic != network.magic:
                of = f"block of {network.name}" if network else "block of any network"
                raise BadInput(
                    f"{path}, offset {place}: {magic.hex()} begins no {of}",
                    hint="the file is damaged here, or is no block file; copy it again from the node",
                )
            size = int.from_bytes(head[4:FRAME], "little")
            start = place + FRAME
            most = MAX_EXTENDED if network.mweb else MAX_BLOCK
            if start + 4 <= end and not HEADER_SIZE + LEAST_TRANSACTION < size <= most:
                raise BadBlock(f"{path}, offset {place}: a block of {size} bytes cannot be")
            if start + size > end or len(head) < FRAME:
                raise BadBlock(
                    f"{path}, offset {place}: the block says {size} bytes, and {max(0, end - start)} are left",
                    hint="the file was cut off; copy it again while the node is stopped",
                )
            self._spots.append((number, start, size))
            found.blocks.append(self._ref(path, head[FRAME : FRAME + size], start, size, network))
            place = start + size
        return network

    def _ref(self, path: Path, head: bytes, start: int, size: int, network: Network) -> BlockRef:
        place = Place(str(path), start)
        header = check_header(parse_header(head[:HEADER_SIZE]), place, network)
        return BlockRef(
            hash=header.hash,
            previous=header.previous,
            height=claimed_height(header.version, coinbase_script(head[HEADER_SIZE:])),
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
        """Blocks as they stand in the files; neighbours are read together, and share one piece of memory."""
        for run in self._together(refs):
            file, first, _ = self._spots[run[0].key]
            _, last, size = self._spots[run[-1].key]
            path = self._files[file]
            data = self._open.read(path, first, last + size - first)
            view = memoryview(data)
            for ref in run:
                _, start, size = self._spots[ref.key]
                block = view[start - first : start - first + size]
                if bytes(block[:HEADER_SIZE]) != ref.header:
                    raise BadBlock(
                        f"{ref.place}: the file changed while it was read", hint="stop the node, and build again"
                    )
                count, width = transaction_count(block, ref.place)
                begin = HEADER_SIZE + width
                yield RawBlock(ref, count, block[begin:], str(path.absolute()), start + begin)

    def _together(self, refs: Sequence[BlockRef]) -> Iterator[list[BlockRef]]:
        """Runs of blocks that stand one after the other in a file, of some 32 MB."""
        run: list[BlockRef] = []
        begin = end = 0
        for ref in refs:
            file, start, size = self._spots[ref.key]
            near = bool(run) and file == self._spots[run[0].key][0] and end <= start <= end + FRAME
            if run and not (near and start + size - begin <= _TOGETHER):
                yield run
                run = []
            if not run:
                begin = start
            run.append(ref)
            end = start + size
        if run:
            yield run

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """From the undo record of the block, found by its checksum."""
        file, start, _ = self._spots[ref.key]
        if file not in self._undo:
            most = (self._network or MAIN).max_money
            self._undo[file] = undo.beside(self._files[file], self._open, most)
        records = self._undo[file]
        if records is None or ref.previous is None:
            return None
        count, _ = transaction_count(self._open.read(self._files[file], start, _HEAD), ref.place, ref.size)
        return records.find(ref.previous, count)

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def _skip_zeros(self, path: Path, place: int, end: int) -> int:
        """Past the zeros of a file that its node has made longer than it needs yet."""
        while place < end:
            piece = self._open.read(path, place, _PIECE, scrambled=False)
            rest = piece.lstrip(b"\0")
            place += len(piece) - len(rest)
            if rest or not piece:
                return place
        return place


def looks_like_block_file(head: bytes) -> bool:
    """True when a file begins with a network's magic."""
    return any(head.startswith(network.magic) for network in NETWORKS.values())


def network_of_frame(head: bytes, wanted: Network | None = None) -> Network | None:
    """The network that the start of a block file names: by its first block where that is a block 0, else by its magic.

    Args:
        head: The first bytes of the file.
        wanted: Which one is meant where two have the same magic.
    """
    first = by_genesis(display(parse_header(head[FRAME : FRAME + HEADER_SIZE]).hash))
    return first if first is not None and head.startswith(first.magic) else by_magic(head[:4], wanted)


def check_header(header: Header, place: Place, network: Network) -> Header:
    """The header, if it carries the work that it names, by the hash that this network works on.

    Raises:
        BadBlock: It does not.
    """
    if not header.carries_work(network.work):
        others = [
            each.name for each in NETWORKS.values() if each.work != network.work and header.carries_work(each.work)
        ]
        raise BadBlock(
            f"{place}: header {display(header.hash)} does not carry the work that it names, as {network.name} counts it",
            hint=f"it does as {' or '.join(others)} counts it: say --network"
            if others
            else "the bytes are damaged, or are no block",
        )
    return header


def transaction_count(block: bytes | memoryview, place: Place, size: int | None = None) -> tuple[int, int]:
    """(number of transactions, bytes that the count takes) of a block's bytes, or of its beginning and its `size`.

    Raises:
        BadBlock: No count, or none that the block could hold.
    """
    size = len(block) if size is None else size
    after = block[HEADER_SIZE : HEADER_SIZE + 9]
    width = 1 if not after or after[0] < 0xFD else 1 + (2 << (after[0] - 0xFD))
    count = int.from_bytes(after[1:width], "little") if width > 1 else int.from_bytes(after[:1], "little")
    if len(after) < width or not 0 < count <= size // LEAST_TRANSACTION:
        raise BadBlock(f"{place}: a block of {size} bytes cannot hold {count} transactions")
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
