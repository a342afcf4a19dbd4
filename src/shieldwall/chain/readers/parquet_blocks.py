"""The table of blocks in Parquet: each row as header fields, and the headers that they make."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shieldwall.chain.proof import Header
from shieldwall.chain.readers.interface import Place
from shieldwall.chain.readers.parquet_schema import (
    NEEDED,
    OPTIONAL,
    check_schema,
    has_column,
    leaves,
    pyarrow,
    reading,
    seconds,
)
from shieldwall.chain.readers.rebuilt import FIRST_PREVIOUS, HeaderFields, find_header, rebuild_header
from shieldwall.errors import BadInput
from shieldwall.model.network import Network
from shieldwall.model.transaction import TXID, internal

MOST_HEIGHT = 0xFFFFFFFE
MOST_COINBASE_SCRIPT = 100  # bytes (Bitcoin Core, `consensus/tx_check.cpp`)

_BITS = re.compile(r"[0-9a-fA-F]{1,8}")
_BATCH = 1 << 14
_MOST32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block as its row says.

    Attributes:
        name: Hash, internal byte order.
        number: Height.
        fields: Of the header.
        previous: Hash of the block before; None where the row does not say.
        coinbase: Script of the coinbase's input.
        transactions: How many it has.
        size: Bytes without witness, 0 where the row does not say.
        place: File and row.
        header: The header that the fields make; None where no block before is known that fits.
    """

    name: bytes
    number: int
    fields: HeaderFields
    previous: bytes | None
    coinbase: bytes
    transactions: int
    size: int
    place: Place
    header: Header | None = None


def block_rows(path: Path) -> list[BlockRow]:
    """The rows of a file of blocks.

    Raises:
        BadInput: The file is damaged, a column is missing or of the wrong type, or a field is what none can be; file, row
            and column are named.
    """
    found: list[BlockRow] = []
    with reading(str(path)), pyarrow().parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        check_schema(schema, "blocks", str(path))
        names = [*NEEDED["blocks"], *(name for name in OPTIONAL["blocks"] if has_column(schema, name))]
        for batch in file.iter_batches(_BATCH, columns=leaves(file.schema, names)):
            columns = {name: _plain(batch.column(name)) for name in names}
            for row in range(len(batch)):
                found.append(_block_row({name: columns[name][row] for name in names}, path, len(found)))
    return found


def _plain(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow.Array
    """Python values; timestamps as unix seconds."""
    if pyarrow().types.is_timestamp(column.type):
        valid = column.is_valid().to_pylist()
        times = seconds(column.fill_null(0)).tolist()
        return [time if there else None for time, there in zip(times, valid, strict=True)]
    found: list[Any] = column.to_pylist()
    return found


def _block_row(row: dict[str, Any], path: Path, number: int) -> BlockRow:
    place = f"{path}, row {number}"
    return BlockRow(
        name=_hash(row, "hash", place),
        number=_integer(row, "number", place, most=MOST_HEIGHT),
        fields=HeaderFields(
            version=_integer(row, "version", place, least=-(1 << 31), most=_MOST32),
            merkle_root=_hash(row, "merkle_root", place),
            time=_integer(row, "timestamp", place, most=_MOST32),
            bits=_bits(row, place),
            nonce=_integer(row, "nonce", place, most=_MOST32),
        ),
        previous=_hash(row, "previousblockhash", place) if row.get("previousblockhash") else None,
        coinbase=_script(row, place),
        transactions=_integer(row, "transaction_count", place, least=1, most=_MOST32),
        size=_integer(row, "stripped_size", place, most=_MOST32) if row.get("stripped_size") is not None else 0,
        place=Place(place),
    )


def _fault(row: dict[str, Any], name: str, place: str, expected: str) -> BadInput:
    value = row[name]
    said = "null" if value is None else repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return BadInput(f"{place}, column {name}: expected {expected}, found {said}", hint="fetch the file again")


def _hash(row: dict[str, Any], name: str, place: str) -> bytes:
    value = row[name]
    if not isinstance(value, str) or not TXID.fullmatch(value):
        raise _fault(row, name, place, "64 hex digits")
    return internal(value)


def _integer(row: dict[str, Any], name: str, place: str, *, least: int = 0, most: int) -> int:
    value = row[name]
    if not isinstance(value, int) or not least <= value <= most:
        raise _fault(row, name, place, f"a whole number from {least} to {most}")
    return value


def _bits(row: dict[str, Any], place: str) -> bytes:
    value = row["bits"]
    if not isinstance(value, str) or not _BITS.fullmatch(value):
        raise _fault(row, "bits", place, "8 hex digits")
    return int(value, 16).to_bytes(4, "little")


def _script(row: dict[str, Any], place: str) -> bytes:
    value = row["coinbase_param"]
    try:
        script = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        script = None
    if script is None or len(script) > MOST_COINBASE_SCRIPT:
        raise _fault(row, "coinbase_param", place, f"hex of up to {MOST_COINBASE_SCRIPT} bytes")
    return script


def link_headers(rows: Iterable[BlockRow], network: Network) -> tuple[list[BlockRow], int]:
    """Each block once, by height, with its header where it can be made; and how often one was there again.

    Raises:
        BadBlock: The fields of a header do not hash to the name of their block, or carry no work.
    """
    distinct: dict[bytes, BlockRow] = {}
    by_number: dict[int, list[bytes]] = defaultdict(list)
    again = 0
    for row in rows:
        if row.name in distinct:
            again += 1
            continue
        distinct[row.name] = row
        by_number[row.number].append(row.name)
    linked = [replace(row, header=_header(row, by_number, network)) for row in distinct.values()]
    linked.sort(key=lambda row: (row.number, row.name))
    return linked, again


def _header(row: BlockRow, by_number: dict[int, list[bytes]], network: Network) -> Header | None:
    if row.previous is not None:
        return rebuild_header(row.fields, row.name, row.previous, row.place, network)
    before: Sequence[bytes] = by_number.get(row.number - 1, ())
    return find_header(row.fields, row.name, (*before, FIRST_PREVIOUS), row.place, network)
