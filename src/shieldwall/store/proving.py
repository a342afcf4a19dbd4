"""Proofs of rows: whoever can write to the database but has not the node's key can neither make nor change a row that decides.

A proof is a keyed hash (HMAC-SHA-256) over the name of a table and every value of a row in it except those of `LEFT_OUT`, each
with its column's name and its type. It is written with the row, and held before the row decides anything: so a row that was made
elsewhere, changed, or given another row's values is refused as `Tampered`.

Where the database is authenticated as a whole (SQLite through SQLCipher, an HMAC for each page) rows have no proof and nothing is
reckoned: there, nobody writes a page without the key.

A proof says that the node wrote this row once. It does not say that the row is the newest one of its place, or that none is
missing: docs/threat-model.md says what that leaves open.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Row,
    RowMapping,
    Table,
    and_,
    bindparam,
    select,
    update,
)

from shieldwall.errors import Tampered
from shieldwall.store.envelope import Secrets

if TYPE_CHECKING:
    from shieldwall.store.prepared import Prepared
    from shieldwall.store.work import Work

PROOF = "proof"
_DOMAIN = "row proof"
_AT_ONCE = 500  # rows that are read at a time

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "people": frozenset(),
    "groups": frozenset(),
    "group_members": frozenset(),
    "passkeys": frozenset(("used_at",)),
    "recovery_codes": frozenset(),
    "oidc_subjects": frozenset(),
    "invitations": frozenset(),
    "challenges": frozenset(),
    "sessions": frozenset(),
    "tokens": frozenset(("used_at",)),
    "cases": frozenset(),
    "case_people": frozenset(),
    "case_groups": frozenset(),
    "timeline": frozenset(),
    "evidence": frozenset(),
    "requests": frozenset(),
    "request_deeds": frozenset(),
    "travels": frozenset(),
    "tag_sets": frozenset(),
    "partners": frozenset(),
    "partner_groups": frozenset(),
    "partner_members": frozenset(),
    "partner_secrets": frozenset(),
    "stix_objects": frozenset(),
    "collections": frozenset(("last_added_at",)),
    "releases": frozenset(),
    "collection_objects": frozenset(("newer", "older")),
    "release_rules": frozenset(("done_seq",)),
    "sources": frozenset(("next_at", "tried_at", "good_at", "state_sealed")),
    "files": frozenset(),
    "approvals": frozenset(),
    "jobs": frozenset(("attempt", "worker", "lease_until", "stage", "done", "total", "started_at")),
    "watches": frozenset(("seen_sealed",)),
    "alarms": frozenset(),
    "deliveries": frozenset(("attempts", "next_at", "state", "error_sealed")),
}
"""By table that has proofs, the columns that a proof leaves out: they change often, and decide nothing about who sees what.

Whoever changes this, or adds a column to one of these tables, adds a migration that calls `prove_all` for it.
"""


def proof_of(secrets: Secrets, table: str, values: Mapping[str, Any]) -> bytes:
    """The proof of a row, 32 bytes.

    Args:
        secrets: The node's keys.
        table: Its name.
        values: By column, as the database gives them; what `LEFT_OUT` names is passed over.
    """
    left_out = LEFT_OUT[table]
    parts: list[str | bytes] = [_DOMAIN, table]
    for name in sorted(values):
        if name != PROOF and name not in left_out:
            parts += (name, _plain(values[name]))
    return secrets.keyed(*parts)


def proven(work: Work, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """A new row with its proof, for an insert; columns that are not named are null."""
    if work.store.backend.whole:
        return dict(values)
    row = {column.name: values.get(column.name) for column in table.columns}
    return {**values, PROOF: proof_of(work.store.secrets, table.name, row)}


def hold(work: Work, table: Table, row: Row[Any] | Mapping[str, Any]) -> None:
    """Refuse a row that is not as the node wrote it.

    Args:
        work: The act.
        table: Where the row is from.
        row: All of its columns; others beside them, as of a join, are passed over.

    Raises:
        Tampered: It was made or changed by somebody else.
    """
    if work.store.backend.whole:
        return
    there = row if isinstance(row, Mapping) else row._mapping
    values = {column.name: there[column.name] for column in table.columns}
    if not hmac.compare_digest(proof_of(work.store.secrets, table.name, values), values[PROOF] or b""):
        raise _tampered(table, values)


def held(work: Work, table: Table, rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    """Rows of a table, each held to its proof before it is given.

    Raises:
        Tampered: See `hold`.
    """
    for row in rows:
        hold(work, table, row)
        yield row


def one_held(work: Work, table: Table, *conditions: ColumnElement[bool]) -> Row[Any] | None:
    """The one row of a table that fits, held to its proof; None for none.

    Raises:
        Tampered: See `hold`.
    """
    row = work.connection.execute(select(table).where(*conditions)).one_or_none()
    if row is not None:
        hold(work, table, row)
    return row


def one_found(work: Work, table: Table, query: Prepared, **values: object) -> Row[Any] | None:
    """`one_held` by a statement that was made once; `values` are its parameters."""
    row = query.run(work.connection, **values).one_or_none()
    if row is not None:
        hold(work, table, row)
    return row


def change(
    work: Work, table: Table, *conditions: ColumnElement[bool], values: Mapping[str, Any], lenient: bool = False
) -> int:
    """Change rows, each of which is held to its proof before and proven anew; returns how many.

    Args:
        work: The act.
        table: Where.
        conditions: Which rows.
        values: By column: what is written; no expressions in columns that a proof has.
        lenient: Pass over rows that are not as the node wrote them. For the end of sessions and the like, which must not be kept
            from happening by such a row: it opens nothing, ended or not.

    Raises:
        Tampered: One of them is not as the node wrote it; nothing is changed.
    """
    execute = work.connection.execute
    if work.store.backend.whole or not values.keys() - LEFT_OUT[table.name]:
        return execute(update(table).where(*conditions).values(dict(values))).rowcount
    keys = list(table.primary_key.columns)
    # locked in one order, so that two who change the same rows wait for each other, and the second finds what the first wrote
    rows = execute(select(table).where(*conditions).order_by(*keys).with_for_update()).all()
    changed = 0
    for row in rows:
        try:
            hold(work, table, row)
        except Tampered:
            if lenient:
                continue
            raise
        changed += 1
        after = {**row._mapping, **{name: value for name, value in values.items() if name not in LEFT_OUT[table.name]}}
        proof = proof_of(work.store.secrets, table.name, after)
        mine = and_(*[key == row._mapping[key.name] for key in keys])
        execute(update(table).where(mine).values({**values, PROOF: proof}))
    return changed


def prove_all(connection: Connection, secrets: Secrets, names: Iterable[str]) -> None:
    """Prove all rows of tables as they are now: for a migration, which must trust what it finds.

    Args:
        connection: Within the migration's transaction; its tables may have fewer columns than those of `schema`.
        secrets: The node's keys.
        names: Of tables of `LEFT_OUT`.
    """
    for name in names:
        table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        each_row(connection, table, partial(_proof_alone, secrets, name))


def each_row(connection: Connection, table: Table, changed: Callable[[RowMapping], Mapping[str, Any]]) -> None:
    """Change every row of a table by its own values: for a migration.

    Args:
        connection: Within the migration's transaction.
        table: As it is there (reflected).
        changed: Gives the new values of some columns, the same ones for every row.
    """
    keys = list(table.primary_key.columns)
    mine = and_(*[key == bindparam(f"old_{key.name}", type_=key.type) for key in keys])
    rows = connection.execute(select(table).order_by(*keys)).mappings().all()
    for start in range(0, len(rows), _AT_ONCE):
        after = [(row, changed(row)) for row in rows[start : start + _AT_ONCE]]
        new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in after[0][1]}
        values = [
            {f"old_{key.name}": row[key.name] for key in keys} | {f"new_{name}": each for name, each in now.items()}
            for row, now in after
        ]
        connection.execute(update(table).where(mine).values(new), values)


def _proof_alone(secrets: Secrets, table: str, row: RowMapping) -> dict[str, bytes]:
    return {PROOF: proof_of(secrets, table, {str(name): value for name, value in row.items()})}


def _plain(value: Any) -> bytes:  # noqa: ANN401 - whatever a column holds
    """A value with its type, so that no two are alike: null, a truth, a number, a text, bytes."""
    match value:
        case None:
            return b"n"
        case bool():
            return b"t1" if value else b"t0"
        case int():
            return b"i%d" % value
        case str():
            return b"s" + value.encode("utf-8", "surrogatepass")
        case bytes():
            return b"b" + value
        case _:
            raise TypeError(f"a proof knows no {type(value).__name__}")


def _tampered(table: Table, row: Mapping[str, Any]) -> Tampered:
    names = [row[key.name] for key in table.primary_key.columns]
    shown = ":".join(name.hex()[:32] if isinstance(name, bytes) else str(name)[:100] for name in names)
    return Tampered(
        f"table {table.name}, row {shown}: not as the node wrote it",
        hint="somebody else writes in the database: shieldwall node check, then restore a backup",
    )
