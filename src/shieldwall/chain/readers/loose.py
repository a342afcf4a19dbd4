"""Transactions without their whole block: gathered from a source that knows where each was confirmed.

The base of the readers whose sources give transactions one by one (Esplora, our own fact files, a store that is rebuilt).
Transactions wait in an unnamed temporary file; memory holds their txids, blocks and places.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.errors import BadBlock, BadInput
from shieldwall.kernels.arrays import BITCOIN, COINBASE, MWEB_PART, Bytes, Decoded, DecodeFault, Rules
from shieldwall.kernels.plain.decoding import decode
from shieldwall.kernels.plain.hashing import txids
from shieldwall.model.network import MAX_LITECOIN
from shieldwall.model.transaction import display

_NOT_KNOWN = (1 << 64) - 1
_TAKEN = Rules(MAX_LITECOIN, mweb=True)  # what waits here was held to its own network's rules when it came


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The block that a source says a transaction is in; hash in internal byte order."""

    height: int
    hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class LooseTransaction:
    """A transaction as bytes, with what it spends: one entry per input, None where the source does not know."""

    raw: bytes
    txid: bytes
    spends: tuple[bytes, ...]
    previous: tuple[Previous | None, ...]


def parse_loose(
    raw: bytes, previous: Sequence[Previous | None], place: str, rules: Rules = BITCOIN
) -> LooseTransaction:
    """A transaction from its bytes; `previous` has one entry per input, or none at all (all unknown).

    Raises:
        BadBlock: The bytes are no transaction, or `previous` has another number of entries.
    """
    data = np.frombuffer(raw, np.uint8)
    decoded = _decode_one(data, place, rules)
    coinbase = bool(decoded.flags[0] & COINBASE)
    spends = tuple(raw[at : at + 32] for at in decoded.outpoint.tolist()) if not coinbase else ()
    entries = tuple(previous) if previous and not coinbase else (None,) * len(spends)
    if len(entries) != len(spends):
        raise BadBlock(f"{place}: {len(entries)} previous outputs for {len(spends)} inputs")
    return LooseTransaction(raw, txids(data, decoded)[0].tobytes(), spends, entries)


def outputs_of(raw: bytes, place: str, rules: Rules = BITCOIN) -> list[tuple[int, bytes]]:
    """(satoshi, locking script) of each output of a transaction.

    Raises:
        BadBlock: The bytes are no transaction.
    """
    decoded = _decode_one(np.frombuffer(raw, np.uint8), place, rules)
    spans = zip(decoded.script_start.tolist(), decoded.script_end.tolist(), strict=True)
    return [(value, raw[a:b]) for value, (a, b) in zip(decoded.value.tolist(), spans, strict=True)]


def _decode_one(data: Bytes, place: str, rules: Rules) -> Decoded:
    try:
        decoded = decode(data, np.array([0]), np.array([1]), np.array([len(data)]), rules)
    except DecodeFault as fault:
        raise BadBlock(f"{place}: the transaction {fault} (byte {fault.offset})") from None
    if decoded.end[0] != len(data):
        raise BadBlock(f"{place}: {len(data) - int(decoded.end[0])} bytes after the transaction")
    return decoded


@dataclass(slots=True)
class _Block:
    confirmed: Confirmed
    header: bytes | None = None
    transactions: list[tuple[int, int]] = field(default_factory=list)  # place and size in the spool
    txids: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # with place and size in the spool
    size: int = 0


class LooseReader(Reader):
    """Gathers loose transactions by block; a subclass says where they come from."""

    def __init__(self) -> None:
        self._opened: BinaryIO | None = None
        self._blocks: list[_Block] = []
        self._by_hash: dict[bytes, int] = {}
        self._where: dict[bytes, int] = {}  # txid -> block

    @property
    def _spool(self) -> BinaryIO:
        """Where transactions wait; made when the first one comes, closed with the reader."""
        if self._opened is None:
            self._opened = tempfile.TemporaryFile()  # noqa: SIM115
        return self._opened

    @abstractmethod
    def gather(self, found: Survey, progress: Progress) -> None:
        """Read the source: call `add` for every confirmed transaction, and fill in the rest of `found`."""

    @property
    def source(self) -> str:
        """What the source is called in messages."""
        return type(self).__name__

    def add(self, transaction: LooseTransaction, confirmed: Confirmed, place: str, header: bytes | None = None) -> bool:
        """Keep a transaction; False when it is here already.

        Raises:
            BadInput: The same transaction in two blocks, or two heights for one block.
        """
        number = self._by_hash.setdefault(confirmed.hash, len(self._blocks))
        if number == len(self._blocks):
            self._blocks.append(_Block(confirmed, header))
        block = self._blocks[number]
        if block.confirmed != confirmed:
            raise BadInput(f"{place}: block {display(confirmed.hash)} has two heights or two times in this source")
        before = self._where.setdefault(transaction.txid, number)
        if before != number:
            raise BadInput(
                f"{place}: transaction {display(transaction.txid)} is confirmed in two blocks, at heights "
                f"{self._blocks[before].confirmed.height} and {confirmed.height}",
                hint="one of the files was recorded before a reorganisation; leave it out",
            )
        record = _pack(transaction)
        known = block.txids.get(transaction.txid)
        if known is not None:
            self._compare(transaction, *known, place)
            return False
        self._spool.seek(0, 2)
        where = self._spool.tell()
        block.transactions.append((where, len(record)))
        self._spool.write(record)
        block.size += len(transaction.raw)
        block.txids[transaction.txid] = (where, len(record))
        return True

    def _compare(self, transaction: LooseTransaction, where: int, size: int, place: str) -> None:
        """What two answers give for the same input must agree; no txid proves it.

        Raises:
            BadInput: It does not.
        """
        self._spool.seek(where)
        before = _unpack(self._spool.read(size), place).previous
        for number, (one, other) in enumerate(zip(before, transaction.previous, strict=False)):
            if one is not None and other is not None and one != other:
                raise BadInput(
                    f"{place}: input {number} of {display(transaction.txid)} brought {other.value} satoshi, and another "
                    f"answer says {one.value}",
                    hint="one of the answers was changed; fetch both again",
                )

    def survey(self, progress: Progress) -> Survey:
        """Gather everything, then list the blocks."""
        found = Survey()
        self.gather(found, progress)
        for number, block in enumerate(self._blocks):
            ref = BlockRef(
                hash=block.confirmed.hash,
                previous=block.header[4:36] if block.header else None,
                height=block.confirmed.height,
                time=block.confirmed.time,
                work=0,
                header=block.header,
                whole=False,
                size=block.size,
                place=Place(self.source),
                reader=self,
                key=number,
            )
            found.blocks.append(ref)
        return found

    def transactions(self, ref: BlockRef) -> list[LooseTransaction]:
        """The transactions of a block, those that spend after those that pay."""
        found = []
        for place, size in self._blocks[ref.key].transactions:
            self._spool.seek(place)
            found.append(_unpack(self._spool.read(size), self.source))
        return in_order(found)

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks with the transactions that are known."""
        for ref in refs:
            yield raw_block(ref, self.transactions(ref))

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """As the source gave them with each transaction."""
        return [entry for transaction in self.transactions(ref) for entry in transaction.previous]

    def close(self) -> None:
        """Drop the spool."""
        if self._opened is not None:
            self._opened.close()


def raw_block(ref: BlockRef, transactions: Sequence[LooseTransaction]) -> RawBlock:
    """The transactions as one block's bytes."""
    return RawBlock(ref, len(transactions), b"".join(transaction.raw for transaction in transactions))


def in_order(transactions: Sequence[LooseTransaction]) -> list[LooseTransaction]:
    """Transactions of one block in an order that a block could have: payer before spender, else by txid.

    The source does not tell the places in the block, so the order is a rule, not a fact; but one with an MWEB part is
    always the last of its block.
    """
    chosen = sorted(transactions, key=lambda t: (t.raw[4] == 0 and t.raw[5] & MWEB_PART, t.txid[::-1]))
    waiting = {transaction.txid: transaction for transaction in chosen}
    ordered: list[LooseTransaction] = []
    done: set[bytes] = set()
    stack: list[bytes] = []
    for txid in waiting:
        stack.append(txid)
        while stack:
            top = stack[-1]
            before = [spent for spent in waiting[top].spends if spent in waiting and spent not in done]
            if top in done:
                stack.pop()
            elif before and before[0] not in stack:
                stack.append(before[0])
            else:
                done.add(top)
                ordered.append(waiting[top])
                stack.pop()
    return ordered


def _pack(transaction: LooseTransaction) -> bytes:
    parts = [len(transaction.raw).to_bytes(4, "little"), transaction.raw]
    for entry in transaction.previous:
        value = _NOT_KNOWN if entry is None or entry.value is None else entry.value
        script = b"" if entry is None else entry.script
        parts += [bytes([entry is not None]), value.to_bytes(8, "little"), len(script).to_bytes(4, "little"), script]
    return b"".join(parts)


def _unpack(record: bytes, source: str) -> LooseTransaction:
    size = int.from_bytes(record[:4], "little")
    previous: list[Previous | None] = []
    place = 4 + size
    while place < len(record):
        value = int.from_bytes(record[place + 1 : place + 9], "little")
        length = int.from_bytes(record[place + 9 : place + 13], "little")
        script = record[place + 13 : place + 13 + length]
        entry = Previous(None if value == _NOT_KNOWN else value, script) if record[place] else None
        previous.append(entry)
        place += 13 + length
    return parse_loose(record[4 : 4 + size], previous, source, _TAKEN)
