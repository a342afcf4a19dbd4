"""Every table as plain rows, whatever the engine: what a backup is made of, and what a check of every value reads.

Values that the database holds sealed are opened on the way out and sealed again on the way in, so rows go from SQLite to
PostgreSQL and back; proofs of rows stay behind, and are made anew. Whoever writes a sealed value binds it to its table, its
column's name without `_sealed`, and its row: the primary key as text or bytes, several columns of it with a colon between; a
claim and a STIX object are bound to their id.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import DatabaseError

from shieldwall.errors import BadText, Tampered
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store.credentials import rehashed
from shieldwall.store.migrate import KEY_ROW
from shieldwall.store.proving import LEFT_OUT, PROOF, hold, proven
from shieldwall.store.schema import audit_head, claims, file_parts, meta, metadata, stix_objects, tag_set_parts, tokens

if TYPE_CHECKING:
    from sqlalchemy import Row

    from shieldwall.store.engine import Store
    from shieldwall.store.work import Work

SEALED = "_sealed"
AT_ONCE = 500  # rows that are inserted at a time
_BARE = "0001"  # the form in which hashes of secrets had no key
_READ = {file_parts.name: 8, tag_set_parts.name: 8}  # rows that are read at a time, where they are large

Plain = dict[str, str | int | bool | None]
"""A row as JSON: bytes in base64."""


def tables() -> list[str]:
    """The names of all tables, each after those that it points to."""
    return [table.name for table in metadata.sorted_tables]


def dump(work: Work, *, leave_out: frozenset[str] = frozenset()) -> Iterator[tuple[str, Plain]]:
    """Every row of every table with the table's name, in the order of `tables`, from the transaction of `work`.

    Args:
        work: Of an act that may read everything: rows are given as they are, whoever asks.
        leave_out: Names of tables.

    Raises:
        Tampered: A sealed value does not open.
    """
    for table in metadata.sorted_tables:
        if table.name in leave_out:
            continue
        for row in _rows(work, table):
            if table is meta and row.name == KEY_ROW:
                continue  # that the key is the right one: every database proves it for itself
            yield table.name, {column.name: _out(work, table, column, row) for column in _columns(table)}


def load(work: Work, rows: Iterable[tuple[str, Mapping[str, Any]]], *, form: str | None = None) -> dict[str, int]:
    """Put rows of `dump` into an empty store; returns how many of each table.

    Args:
        work: An act, or `Store.upkeep`.
        rows: Each with the name of its table.
        form: The form of the database that they come from; None for the newest.

    Raises:
        BadText: A row does not fit its table.
        StoreError: The database does not take it.
    """
    counts: dict[str, int] = {}
    work.connection.execute(delete(audit_head))  # that of the empty log
    batch: list[dict[str, Any]] = []
    current: Table | None = None
    for name, plain in rows:
        table = metadata.tables.get(name)
        if table is None:
            raise BadText(
                f"there is no table {name[:40]!r}", hint="restore with the version of the program that wrote it"
            )
        if table is not current or len(batch) >= AT_ONCE:
            _insert(work, current, batch)
            current, batch = table, []
        values = _in(work, table, plain)
        if form == _BARE and table is tokens:
            values["secret_hash"] = rehashed(work.store.secrets, "token", values["secret_hash"])
        batch.append(proven(work, table, values) if table.name in LEFT_OUT else values)
        counts[name] = counts.get(name, 0) + 1
    _insert(work, current, batch)
    _count_on(work)
    return counts


def unsound(work: Work) -> Iterator[str]:
    """What is wrong with single rows, a sentence each: values that do not open, proofs that do not hold, claims that are not what
    their id says."""
    for table in metadata.sorted_tables:
        sealed = [column for column in table.columns if column.name.endswith(SEALED)]
        if not sealed and table.name not in LEFT_OUT:
            continue
        for row in _rows(work, table):
            if table.name in LEFT_OUT and not _is_proven(work, table, row):
                yield f"table {table.name}, row {_shown(_place(table, row))}: not as the node wrote it"
            for column in sealed:
                try:
                    plain = _opened(work, table, column, row)
                except Tampered:
                    yield f"table {table.name}, row {_shown(_place(table, row))}: {column.name} does not open"
                    continue
                if table is claims and plain is not None and not _is_claim(work, plain, row.id):
                    yield f"table claims, row {row.id.hex()}: the claim is not the one that its id says"


def engine_problems(store: Store) -> list[str]:
    """What the engine finds wrong with its own files, a sentence each; a file too broken to look into is one of them."""
    try:
        return store.backend.check()
    except DatabaseError as error:
        return [f"the database cannot be looked into: {str(error.orig or error).strip().splitlines()[0]}"]


def counts(work: Work) -> dict[str, int]:
    """How many rows each table has."""
    query = work.connection.execute
    return {
        table.name: int(query(select(func.count()).select_from(table)).scalar_one()) for table in metadata.sorted_tables
    }


def _rows(work: Work, table: Table) -> Iterator[Row[Any]]:
    query = select(table).order_by(*table.primary_key.columns)
    yield from work.connection.execute(query).yield_per(_READ.get(table.name, AT_ONCE))


def _place(table: Table, row: Any) -> str | bytes:  # noqa: ANN401 - a row, or a mapping behind `_Fields`
    """What a sealed value of a row is bound to; the module's docstring says the rule."""
    if table in (claims, stix_objects):
        return bytes(row.id)
    parts = [getattr(row, column.name) for column in table.primary_key.columns]
    if len(parts) == 1 and isinstance(parts[0], bytes):
        return parts[0]
    return ":".join(str(part) for part in parts)


def _opened(work: Work, table: Table, column: Column[Any], row: Any) -> bytes | None:  # noqa: ANN401
    value = getattr(row, column.name)
    if value is None:
        return None
    return work.open(table.name, column.name.removesuffix(SEALED), _place(table, row), value)


def _out(work: Work, table: Table, column: Column[Any], row: Any) -> str | int | bool | None:  # noqa: ANN401
    value = _opened(work, table, column, row) if column.name.endswith(SEALED) else getattr(row, column.name)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


class _Fields:
    """A mapping's values as attributes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _in(work: Work, table: Table, plain: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the database takes it."""
    columns = {column.name: column for column in _columns(table)}
    if set(plain) != set(columns):
        raise BadText(f"a row of table {table.name} has other columns than the table")
    values = {name: _fitting(table, column, plain[name]) for name, column in columns.items()}
    place = _place(table, _Fields(values))
    for name in columns:
        if name.endswith(SEALED) and values[name] is not None:
            values[name] = work.seal(table.name, name.removesuffix(SEALED), place, values[name])
    return values


def _fitting(table: Table, column: Column[Any], value: Any) -> Any:  # noqa: ANN401 - of the column's type
    kind: type[Any] = next(kind for sql, kind in _KINDS if isinstance(column.type, sql))
    if value is None and column.nullable:
        return None
    if type(value) is not kind:
        raise BadText(f"table {table.name}, column {column.name}: a value of another type")
    if isinstance(column.type, LargeBinary):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise BadText(f"table {table.name}, column {column.name}: not base64") from None
    if kind is int and not -(1 << 63) <= value < 1 << 63:
        raise BadText(f"table {table.name}, column {column.name}: a number beyond 64 bits")
    return value


_KINDS: tuple[tuple[type[Any] | tuple[type[Any], ...], type[Any]], ...] = (
    (Boolean, bool),
    ((BigInteger, Integer, SmallInteger), int),
    ((String, LargeBinary), str),
)


def _insert(work: Work, table: Table | None, batch: list[dict[str, Any]]) -> None:
    if table is not None and batch:
        work.connection.execute(insert(table), batch)


def _count_on(work: Work) -> None:
    """Let the server number new claims after those that came with their numbers; SQLite does so by itself."""
    if work.store.backend.name == "sqlite":
        return
    last = work.connection.execute(select(func.max(claims.c.seq))).scalar()
    sequence = func.pg_get_serial_sequence(claims.name, claims.c.seq.name)
    work.connection.execute(select(func.setval(sequence, max(1, int(last or 1)), last is not None)))


def _columns(table: Table) -> list[Column[Any]]:
    """Those that leave the store."""
    return [column for column in table.columns if column.name != PROOF]


def _is_proven(work: Work, table: Table, row: Row[Any]) -> bool:
    try:
        hold(work, table, row)
    except Tampered:
        return False
    return True


def _is_claim(work: Work, raw: bytes, row_id: bytes) -> bool:
    """Whether a claim's body has the id of which a keyed hash stands beside it."""
    try:
        body = parse_json(raw, "claim")
    except BadText:
        return False
    if not isinstance(body, dict):
        return False
    body.pop("signature", None)
    return work.claims.row_id(sha256(canonical_json(body)).digest()) == row_id


def _shown(place: str | bytes) -> str:
    return place.hex() if isinstance(place, bytes) else place
