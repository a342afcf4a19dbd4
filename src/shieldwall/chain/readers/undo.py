"""Outputs that blocks spent: Bitcoin Core's `rev*.dat` and plain `*-undo.raw` files.

A record of `rev*.dat`: magic (4), size (4), data, and SHA256d(hash of the block before + data). Data: for each
transaction but the coinbase, for each input: VARINT code (2 * height + coinbase), VARINT 0 when height > 0, then the
output with amount and script compressed (Bitcoin Core, `undo.h`, `compressor.cpp`); tried on the files of a real node by
`tests/e2e/test_litecoind_chain.py`. Plain undo (bcoin's test data): repeated (int64 value, CompactSize, script).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shieldwall.chain.openfiles import OpenFiles
from shieldwall.chain.proof import sha256d
from shieldwall.chain.readers.interface import Previous
from shieldwall.errors import BadInput
from shieldwall.model.network import MAX_MONEY, NETWORKS
from shieldwall.model.script import MAX_SCRIPT_SIZE, Script, ScriptKind, assemble

_PRIME = 2**256 - 2**32 - 977  # of the field of secp256k1
_FRAME = 8  # bytes before a record's data: magic and size
_CHECKSUM = 32  # bytes behind it
_SPECIAL = 6  # script "sizes" below this are compressed templates


class UndoFile:
    """The records of one `rev*.dat`."""

    def __init__(self, path: Path, files: OpenFiles, most: int = MAX_MONEY) -> None:
        self._path = path
        self._files = files
        self._most = most
        self._records = list(self._scan())
        self._next = 0

    def find(self, previous: bytes, transactions: int) -> list[Previous | None] | None:
        """The previous outputs of the block that follows `previous`, by the record's checksum; None for no record."""
        total = len(self._records)
        for step in range(total):  # records mostly follow the blocks' own order: begin where the last one was found
            place, size, count = self._records[(self._next + step) % total]
            if count != transactions - 1:
                continue
            record = self._files.read(self._path, place, size + _CHECKSUM)
            if sha256d(previous + record[:size]) == record[size:]:
                self._next = (self._next + step + 1) % total
                return parse_undo(record[:size], f"{self._path}, offset {place}", self._most)
        return None

    def _scan(self) -> Iterator[tuple[int, int, int]]:
        """(place of the data, its size, transactions in it) of every record."""
        end, place = self._path.stat().st_size, 0
        magics = {network.magic for network in NETWORKS.values()}
        while place + _FRAME <= end and any(self._files.read(self._path, place, 4, scrambled=False)):
            head = self._files.read(self._path, place, _FRAME + 9)
            size = int.from_bytes(head[4:_FRAME], "little")
            if head[:4] not in magics or place + _FRAME + size + _CHECKSUM > end:
                raise BadInput(
                    f"{self._path}, offset {place}: no undo record, or one that is cut off",
                    hint="copy the rev file again, or leave it out: inputs then stay unresolved",
                )
            count = _Cursor(head[_FRAME:] + bytes(9), str(self._path)).compact_size()
            yield place + _FRAME, size, count
            place += _FRAME + size + _CHECKSUM


def beside(block_file: Path, files: OpenFiles, most: int = MAX_MONEY) -> UndoFile | None:
    """The `rev*.dat` that belongs to a `blk*.dat`, when it lies beside it; `most` satoshi are in one output."""
    path = block_file.with_name(block_file.name.replace("blk", "rev", 1))
    return UndoFile(path, files, most) if path != block_file and path.is_file() else None


def parse_undo(data: bytes, place: str, most: int = MAX_MONEY) -> list[Previous | None]:
    """The previous outputs in one record's data, in input order; none holds more than `most` satoshi.

    Raises:
        BadInput: The data does not follow the schema; `place` is named.
    """
    cursor = _Cursor(data, place)
    found: list[Previous | None] = []
    for _ in range(cursor.compact_size()):
        for _ in range(cursor.compact_size()):
            if cursor.varint() > 1:
                cursor.varint()  # the version that older nodes wrote
            value = _amount(cursor.varint())
            if value > most:
                raise BadInput(f"{place}: an output of {value} satoshi cannot be")
            found.append(Previous(value, _script(cursor)))
    cursor.finish()
    return found


def parse_plain_undo(data: bytes, place: str, most: int = MAX_MONEY) -> list[Previous | None]:
    """The previous outputs of a `*-undo.raw` file, in input order; none holds more than `most` satoshi.

    Raises:
        BadInput: The file ends in the middle of an output, or an amount cannot be.
    """
    cursor = _Cursor(data, place)
    found: list[Previous | None] = []
    while not cursor.done:
        value = int.from_bytes(cursor.take(8), "little", signed=True)
        if not 0 <= value <= most:
            raise BadInput(f"{place}, offset {cursor.place - 8}: an output of {value} satoshi cannot be")
        found.append(Previous(value, cursor.take(cursor.compact_size())))
    return found


class _Cursor:
    def __init__(self, data: bytes, where: str) -> None:
        self.data = data
        self.where = where
        self.place = 0

    @property
    def done(self) -> bool:
        return self.place >= len(self.data)

    def take(self, size: int) -> bytes:
        piece = self.data[self.place : self.place + size]
        if len(piece) != size:
            raise BadInput(f"{self.where}, offset {self.place}: ends in the middle of a spent output")
        self.place += size
        return piece

    def compact_size(self) -> int:
        first = self.take(1)[0]
        return first if first < 0xFD else int.from_bytes(self.take(2 << (first - 0xFD)), "little")

    def varint(self) -> int:
        """Bitcoin Core's VARINT: base 128, one added for each continued byte (`serialize.h`)."""
        number = 0
        while True:
            byte = self.take(1)[0]
            number = number << 7 | byte & 0x7F
            if number >> 64:
                raise BadInput(f"{self.where}, offset {self.place}: a number of more than 64 bits")
            if not byte & 0x80:
                return number
            number += 1

    def finish(self) -> None:
        if not self.done:
            raise BadInput(f"{self.where}: {len(self.data) - self.place} bytes too many")


def _amount(packed: int) -> int:
    """DecompressAmount of `compressor.cpp`."""
    if packed == 0:
        return 0
    packed, exponent = divmod(packed - 1, 10)
    if exponent < 9:
        packed, digit = divmod(packed, 9)
        number = packed * 10 + digit + 1
    else:
        number = packed + 1
    return int(number * 10**exponent)


def _script(cursor: _Cursor) -> bytes:
    """DecompressScript of `compressor.cpp`."""
    form = cursor.varint()
    if form >= _SPECIAL:
        size = form - _SPECIAL
        if size > MAX_SCRIPT_SIZE:
            cursor.take(size)
            return b"\x6a"  # the node itself replaces what can never be spent
        return cursor.take(size)
    if form < 2:
        kind = (ScriptKind.P2PKH, ScriptKind.P2SH)[form]
        return assemble(Script(kind, cursor.take(20)))
    x = cursor.take(32)
    if form < 4:
        return assemble(Script(ScriptKind.P2PK, bytes([form]) + x))
    number = int.from_bytes(x, "big")
    y = pow(number**3 + 7, (_PRIME + 1) // 4, _PRIME)
    if y & 1 != form & 1:
        y = _PRIME - y
    return assemble(Script(ScriptKind.P2PK, b"\x04" + x + y.to_bytes(32, "big")))
