"""The columns of the AWS public blockchain data set, v1.0, Bitcoin: what must be there, and Arrow arrays as plain ones.

Source: the data set's own documentation (aws-solutions-library-samples/guidance-for-digital-assets-on-aws) and its Glue
tables. Columns are found by name; more columns and more keys in the structs are left alone. pyarrow is an extra.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shieldwall.errors import BadInput, UsageError
from shieldwall.kernels.arrays import Offsets
from shieldwall.kernels.plain.serialising import Text

Table = Literal["blocks", "transactions"]
Kind = Literal["text", "integer", "double", "time"]

NEEDED: Mapping[Table, Mapping[str, Kind]] = {
    "blocks": {
        "hash": "text",
        "number": "integer",
        "version": "integer",
        "merkle_root": "text",
        "timestamp": "time",
        "nonce": "integer",
        "bits": "text",
        "coinbase_param": "text",
        "transaction_count": "integer",
    },
    "transactions": {
        "hash": "text",
        "version": "integer",
        "lock_time": "integer",
        "block_hash": "text",
        "index": "integer",
        "inputs.spent_transaction_hash": "text",
        "inputs.spent_output_index": "integer",
        "inputs.script_hex": "text",
        "inputs.sequence": "integer",
        "outputs.value": "double",
        "outputs.script_hex": "text",
    },
}
OPTIONAL: Mapping[Table, Mapping[str, Kind]] = {
    "blocks": {"previousblockhash": "text", "stripped_size": "integer"},
    "transactions": {"inputs.index": "integer", "outputs.index": "integer"},
}
PREVIOUS: Mapping[str, Kind] = {"inputs.value": "double", "inputs.address": "text", "inputs.type": "text"}
"""What a transaction's row says of the outputs that it spends: nothing proves it."""

_MARKS: Mapping[Table, frozenset[str]] = {
    "transactions": frozenset(("inputs", "outputs", "is_coinbase")),
    "blocks": frozenset(("merkle_root", "bits", "coinbase_param")),
}


def pyarrow() -> Any:  # noqa: ANN401 - a module of an extra
    """pyarrow with its Parquet part.

    Raises:
        UsageError: It is not installed.
    """
    try:
        importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            "Parquet files need pyarrow, which is not installed", hint="pip install 'shieldwall[parquet]'"
        ) from None
    return importlib.import_module("pyarrow")


@contextlib.contextmanager
def reading(place: str) -> Iterator[None]:
    """Map what pyarrow raises for a file that is no Parquet, or is damaged.

    Raises:
        BadInput: With the place.
    """
    arrow = pyarrow()
    try:
        yield
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadInput(f"{place}: cannot be read as Parquet ({said})", hint="fetch the file again") from None


def table_of(names: Sequence[str]) -> Table | None:
    """Which of the two tables columns of these names are, None for neither."""
    found = set(names)
    return next((table for table, marks in _MARKS.items() if found & marks), None)


def check_schema(schema: Any, table: Table, place: str) -> None:  # noqa: ANN401 - pyarrow.Schema
    """Hold a file's Arrow schema to the table's.

    Raises:
        BadInput: A needed column is missing or of another type; file and column are named.
    """
    for name, kind in NEEDED[table].items():
        found = _type_of(schema, name)
        if found is None:
            raise BadInput(
                f"{place}: no column {name}, which the table {table} must have",
                hint="is this a file of v1.0/btc of the AWS public blockchain data?",
            )
        _check_type(found, kind, f"{place}, column {name}")
    for name, kind in (*OPTIONAL[table].items(), *(PREVIOUS.items() if table == "transactions" else ())):
        found = _type_of(schema, name)
        if found is not None:
            _check_type(found, kind, f"{place}, column {name}")


def has_column(schema: Any, name: str) -> bool:  # noqa: ANN401 - pyarrow.Schema
    """True when an Arrow schema has a column, `list.key` for a key of a list's structs."""
    return _type_of(schema, name) is not None


def leaves(schema: Any, names: Sequence[str]) -> list[str]:  # noqa: ANN401 - pyarrow.parquet.ParquetSchema
    """The Parquet paths of columns; what stands between a list and its key (`list.element`) is the writer's choice."""
    wanted = {tuple(name.split(".")) for name in names}
    found = []
    for number in range(len(schema)):
        path = str(schema.column(number).path)
        parts = path.split(".")
        if (parts[0], parts[-1])[: len(parts)] in wanted:
            found.append(path)
    return found


def _type_of(schema: Any, name: str) -> Any:  # noqa: ANN401 - pyarrow.DataType
    """The type of a column, None when it is not there once, or a key when what holds it is no list of structs."""
    types = pyarrow().types
    column, _, key = name.partition(".")
    place = schema.get_field_index(column)
    if place < 0:
        return None
    found = schema.field(place).type
    if not key:
        return found
    if not (types.is_list(found) or types.is_large_list(found)) or not types.is_struct(found.value_type):
        return None
    inner = found.value_type.get_field_index(key)
    return None if inner < 0 else found.value_type.field(inner).type


def _check_type(found: Any, kind: Kind, place: str) -> None:  # noqa: ANN401 - pyarrow.DataType
    types = pyarrow().types
    plain = found.value_type if types.is_dictionary(found) else found
    fits = {
        "text": types.is_string(plain) or types.is_large_string(plain),
        "integer": types.is_integer(found),
        "double": types.is_float64(found),
        "time": types.is_timestamp(found),
    }[kind]
    if not fits:
        raise BadInput(f"{place}: expected {kind}, found {found}")


class NullFound(Exception):
    """A null where none may be: in which entry of the array."""

    def __init__(self, entry: int) -> None:
        super().__init__(f"entry {entry} is null")
        self.entry = entry


def refuse_nulls(array: Any) -> None:  # noqa: ANN401 - pyarrow.Array
    """Raise for the first null.

    Raises:
        NullFound: There is one.
    """
    if array.null_count:
        raise NullFound(int(np.argmin(array.is_valid().to_numpy(zero_copy_only=False))))


def texts(array: Any) -> Text:  # noqa: ANN401 - pyarrow.Array of text
    """The texts' own bytes, without a copy where they lie together.

    Raises:
        NullFound: One is null.
    """
    types = pyarrow().types
    refuse_nulls(array)
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
        refuse_nulls(array)
    width = np.int64 if types.is_large_string(array.type) else np.int32
    _, offsets, data = array.buffers()
    if not len(array):
        return Text(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    edges = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    found = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return Text(found, edges)


def integers(array: Any) -> Offsets:  # noqa: ANN401 - pyarrow.Array of integers
    """int64 of the same length.

    Raises:
        NullFound: One is null.
        pyarrow.ArrowInvalid: One does not fit.
    """
    refuse_nulls(array)
    found: Offsets = array.cast(pyarrow().int64()).to_numpy(zero_copy_only=False)
    return found


def doubles(array: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401 - pyarrow.Array of doubles
    """float64 of the same length.

    Raises:
        NullFound: One is null.
    """
    refuse_nulls(array)
    found: npt.NDArray[np.float64] = array.to_numpy(zero_copy_only=False)
    return found


def seconds(array: Any) -> Offsets:  # noqa: ANN401 - pyarrow.Array of timestamps
    """int64 unix seconds of timestamps of any unit, rounded down.

    Raises:
        NullFound: One is null.
    """
    refuse_nulls(array)
    ticks: Offsets = array.cast(pyarrow().int64()).to_numpy(zero_copy_only=False)
    return ticks // {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]


def structs(array: Any) -> tuple[Any, Offsets]:  # noqa: ANN401 - pyarrow.ListArray of structs
    """The structs of n lists one after the other, and int64[n + 1] where each list begins; a null list is empty.

    Raises:
        NullFound: A struct is null; the entry is its number.
    """
    counts = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    values = array.flatten()
    refuse_nulls(values)
    return values, np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
