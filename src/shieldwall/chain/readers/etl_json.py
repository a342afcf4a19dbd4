"""bitcoin-etl's JSON lines (1.5.2, `export_blocks_and_transactions`, `enrich_transactions`, `stream`), plain or gzipped.

Transactions are written as bytes again, and must hash to the txid that the line names. What the form leaves out: witnesses;
the hash of the block before (found among the other blocks, and proven by the header's hash); a coinbase's input but for its
script (`coinbase_param`; the txid settles the sequence). An input's value of zero or null is unknown: the form does not
tell a spent output of zero satoshi from one that nobody looked up.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from shieldwall.chain.proof import Header, rules_of
from shieldwall.chain.readers.esplora_json import MOST_HEIGHT, compact_size
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, Survey
from shieldwall.chain.readers.jsonfields import (
    as_hex,
    as_object,
    hash_field,
    integer_field,
    list_field,
    parse_json,
    short,
)
from shieldwall.chain.readers.loose import Confirmed, LooseReader, LooseTransaction, parse_loose
from shieldwall.chain.readers.parquet_coinbase import SEQUENCES, Coinbase, by_hash, candidates
from shieldwall.chain.readers.rebuilt import FIRST_PREVIOUS, HeaderFields, find_header, previous_of
from shieldwall.errors import BadBlock, BadText
from shieldwall.model.network import MAIN, Network
from shieldwall.model.transaction import display, internal

_MOST_LINE = 256 << 20  # bytes: a transaction of a whole block, as hex and once more as assembly
_MOST_COINBASE_SCRIPT = 100  # bytes (Bitcoin Core, `consensus/tx_check.cpp`)
_MOST32 = 0xFFFFFFFF
_COINBASE_OUTPOINT = bytes(32) + b"\xff\xff\xff\xff"
_GZIP = b"\x1f\x8b"
_MARKS = (b'"coinbase_param"', b'"merkle_root"', b'"block_hash"', b'"lock_time"')


@dataclass(frozen=True, slots=True)
class _BlockLine:
    name: bytes
    number: int
    time: int
    fields: HeaderFields
    coinbase: bytes
    count: int
    place: str


class EtlReader(LooseReader):
    """Reads files of blocks and of transactions, in any order, also mixed as `stream` writes them."""

    def __init__(self, files: Sequence[Path], network: Network | None = None) -> None:
        super().__init__()
        self._files = list(files)
        self._network = network or MAIN
        self._lines: dict[bytes, _BlockLine] = {}
        self._waiting: list[tuple[str, Mapping[str, Any]]] = []  # coinbases, until every block is known
        self._indexes: dict[bytes, int | None] = {}  # of each transaction in its block
        self._places: dict[bytes, list[int | None]] = defaultdict(list)  # the same, block by block
        self._bare: dict[bytes, set[int]] = {}  # inputs of which only the value is known

    @property
    def source(self) -> str:
        """The files' names."""
        return ", ".join(path.name for path in self._files)

    def gather(self, found: Survey, progress: Progress) -> None:
        """Read every line, then the coinbases."""
        for number, path in enumerate(self._files):
            for place, body in _lines(path):
                if "merkle_root" in body:
                    self._block(body, place, found)
                elif "block_hash" in body:
                    self._transaction(body, place, found)
                else:
                    raise BadText(f"{place}: neither a block nor a transaction of bitcoin-etl")
            progress("reading JSON lines", number + 1, len(self._files))
        alone = 0
        for place, body in self._waiting:
            line = self._lines.get(hash_field(body, "block_hash", place))
            if line is None:
                alone += 1
            else:
                self._keep(self._coinbase(body, place, line), body, place, found)
        self._waiting.clear()
        if alone:
            found.notes.append(
                f"{alone} coinbases are left aside: their blocks' lines, which have their scripts, are missing"
            )

    def _block(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        bits = as_hex(body.get("bits"), f"{place}.bits")
        if len(bits) != 4:
            raise BadText(f"{place}.bits: expected 8 hex digits")
        script = as_hex(body.get("coinbase_param"), f"{place}.coinbase_param")
        if len(script) > _MOST_COINBASE_SCRIPT:
            raise BadText(f"{place}.coinbase_param: more than {_MOST_COINBASE_SCRIPT} bytes")
        time = integer_field(body, "timestamp", place, most=_MOST32)
        line = _BlockLine(
            name=hash_field(body, "hash", place),
            number=integer_field(body, "number", place, most=MOST_HEIGHT),
            time=time,
            fields=HeaderFields(
                version=integer_field(body, "version", place, least=-(1 << 31), most=_MOST32),
                merkle_root=hash_field(body, "merkle_root", place),
                time=time,
                bits=bits[::-1],
                nonce=_nonce(body, place),
            ),
            coinbase=script,
            count=integer_field(body, "transaction_count", place, least=1, most=_MOST32),
            place=place,
        )
        before = self._lines.setdefault(line.name, line)
        if before is not line:
            found.duplicates += 1
            if replace(before, place=place) != line:
                raise BadText(f"{place}: block {display(line.name)} differs from {before.place}")

    def _transaction(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        inputs = list_field(body, "inputs", place)
        if not inputs:
            self._waiting.append((place, body))
            return
        parts = []
        previous: list[Previous | None] = []
        for number, entry in enumerate(inputs):
            where = f"{place}.inputs[{number}]"
            fields = as_object(entry, where)
            script = as_hex(fields.get("script_hex"), f"{where}.script_hex")
            parts.append(
                hash_field(fields, "spent_transaction_hash", where)
                + integer_field(fields, "spent_output_index", where, most=_MOST32).to_bytes(4, "little")
                + compact_size(len(script))
                + script
                + integer_field(fields, "sequence", where, most=_MOST32).to_bytes(4, "little")
            )
            previous.append(self._previous(fields, where))
        raw = self._bytes(body, compact_size(len(parts)) + b"".join(parts), place)
        # what waits with the transactions has a script, if an empty one; `transactions` tells them apart again
        kept = [replace(entry, script_known=True) if entry is not None else None for entry in previous]
        loose = parse_loose(raw, kept, place, rules_of(self._network))
        if loose.txid != hash_field(body, "hash", place):
            raise BadBlock(
                f"{place}: the fields hash to {display(loose.txid)}, and the line names {body['hash']}",
                hint="a field was changed, or the line is not of bitcoin-etl 1.5; export the block again",
            )
        bare = {number for number, entry in enumerate(previous) if entry is not None and not entry.script_known}
        if bare:
            self._bare[loose.txid] = bare
        self._keep(loose, body, place, found)

    def _previous(self, fields: Mapping[str, Any], place: str) -> Previous | None:
        value = fields.get("value")
        if value is not None:
            value = integer_field(fields, "value", place, most=self._network.max_money) or None
        addresses = fields.get("addresses") or []
        kind = fields.get("type")
        if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
            raise BadText(f"{place}.addresses: expected a list of texts, found {short(addresses)}")
        address = addresses[0] if len(addresses) == 1 else None
        return previous_of(value, kind if isinstance(kind, str) else None, address, self._network)

    def _bytes(self, body: Mapping[str, Any], inputs: bytes, place: str) -> bytes:
        """The transaction's bytes from its fields and its inputs' bytes."""
        outputs = list_field(body, "outputs", place)
        parts = []
        for number, entry in enumerate(outputs):
            where = f"{place}.outputs[{number}]"
            fields = as_object(entry, where)
            value = integer_field(fields, "value", where, most=self._network.max_money)
            script = as_hex(fields.get("script_hex"), f"{where}.script_hex")
            parts.append(value.to_bytes(8, "little") + compact_size(len(script)) + script)
        version = integer_field(body, "version", place, least=-(1 << 31), most=_MOST32) & _MOST32
        lock_time = integer_field(body, "lock_time", place, most=_MOST32)
        body_bytes = inputs + compact_size(len(parts)) + b"".join(parts)
        return version.to_bytes(4, "little") + body_bytes + lock_time.to_bytes(4, "little")

    def _coinbase(self, body: Mapping[str, Any], place: str, line: _BlockLine) -> LooseTransaction:
        script = compact_size(len(line.coinbase)) + line.coinbase
        raw = self._bytes(body, b"\x01" + _COINBASE_OUTPOINT + script + b"\xff\xff\xff\xff", place)
        settled = by_hash(candidates(raw, line.coinbase), hash_field(body, "hash", place))
        if settled is None or settled[1] is not Coinbase.TXID:
            raise BadBlock(
                f"{place}: the coinbase's fields do not hash to the txid that the line names, with no sequence of "
                + ", ".join(f"{sequence:#x}" for sequence in SEQUENCES),
                hint="take this block from a node's block file",
            )
        return parse_loose(settled[0], (), place, rules_of(self._network))

    def _keep(self, loose: LooseTransaction, body: Mapping[str, Any], place: str, found: Survey) -> None:
        confirmed = Confirmed(
            height=integer_field(body, "block_number", place, most=MOST_HEIGHT),
            hash=hash_field(body, "block_hash", place),
            time=integer_field(body, "block_timestamp", place, most=_MOST32),
        )
        line = self._lines.get(confirmed.hash)
        if line is not None and (line.number, line.time) != (confirmed.height, confirmed.time):
            raise BadText(f"{place}: block_number and block_timestamp are not those of {line.place}")
        index = None if body.get("index") is None else integer_field(body, "index", place, most=_MOST32)
        if self.add(loose, confirmed, place):
            self._indexes[loose.txid] = index
            self._places[confirmed.hash].append(index)
        else:
            found.duplicates += 1

    def survey(self, progress: Progress) -> Survey:
        """Gather everything, then see which blocks are whole and which headers can be made."""
        found = super().survey(progress)
        headers = self._headers()
        seen = {ref.hash for ref in found.blocks}
        empty = sum(name not in seen for name in self._lines)
        found.blocks = [self._with_header(ref, headers.get(ref.hash)) for ref in found.blocks]
        headless = sum(ref.header is None for ref in found.blocks)
        if empty:
            found.notes.append(f"{empty} blocks have no transactions in these files")
        if headless:
            found.notes.append(
                f"{headless} blocks have no header, since the block before them is not in these files: inclusion is not proven"
            )
        return found

    def _headers(self) -> dict[bytes, Header]:
        by_number: dict[int, list[bytes]] = defaultdict(list)
        for line in self._lines.values():
            by_number[line.number].append(line.name)
        if internal(self._network.genesis) not in by_number[0]:
            by_number[0].append(internal(self._network.genesis))
        headers = {}
        for line in self._lines.values():
            before = [FIRST_PREVIOUS] if line.number == 0 else by_number.get(line.number - 1, [])
            header = find_header(line.fields, line.name, before, Place(line.place), self._network)
            if header is not None:
                headers[line.name] = header
        return headers

    def _with_header(self, ref: BlockRef, header: Header | None) -> BlockRef:
        line = self._lines.get(ref.hash)
        if line is None or header is None:
            return ref
        places = self._places[ref.hash]
        whole = len(places) == line.count and set(places) == set(range(line.count))
        return replace(
            ref,
            header=header.raw,
            previous=header.previous,
            work=header.work,
            whole=whole,
            place=Place(line.place),
        )

    def transactions(self, ref: BlockRef) -> list[LooseTransaction]:
        """The transactions of a block: in its order where every place is known, else those that spend after those that pay."""
        found = [self._unpacked(transaction) for transaction in super().transactions(ref)]
        if any(self._indexes[transaction.txid] is None for transaction in found):
            return found
        return sorted(found, key=lambda transaction: self._indexes[transaction.txid] or 0)

    def _unpacked(self, transaction: LooseTransaction) -> LooseTransaction:
        bare = self._bare.get(transaction.txid, ())
        if not bare:
            return transaction
        previous = [
            replace(entry, script_known=False) if entry is not None and number in bare else entry
            for number, entry in enumerate(transaction.previous)
        ]
        return replace(transaction, previous=tuple(previous))


def looks_like_etl(head: bytes) -> bool:
    """True when a file's first bytes, also gzipped, could be lines of bitcoin-etl."""
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
        except zlib.error:
            return False
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    blocks, transactions = _MARKS[:2], _MARKS[2:]
    return text.startswith(b"{") and (
        all(mark in text for mark in blocks) or all(mark in text for mark in transactions)
    )


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open("rb") as plain:
        zipped = plain.read(2) == _GZIP
        plain.seek(0)
        file: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=plain) if zipped else plain
        for number in itertools.count(1):
            place = f"{path}, line {number}"
            try:
                line = file.readline(_MOST_LINE)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise BadText(f"{place}: the gzip stream is damaged or cut off ({error})") from None
            if not line:
                return
            if len(line) == _MOST_LINE:
                raise BadText(f"{place}: more than {_MOST_LINE} bytes")
            if line.strip():
                yield place, as_object(parse_json(line.decode("utf-8", "replace"), place), place)


def _nonce(body: Mapping[str, Any], place: str) -> int:
    """bitcoin-etl writes it as hex without leading zeros."""
    value = body.get("nonce")
    if isinstance(value, str):
        try:
            number = int(value, 16)
        except ValueError:
            number = -1
        if 0 <= number <= _MOST32 and value.isalnum():
            return number
    raise BadText(f"{place}.nonce: expected up to 8 hex digits, found {short(value)}")
