"""The audit log: an append-only Merkle tree (RFC 6962), written in the transaction of the act that it records.

Each leaf stands beside the root of the tree that it completes. Whoever edits, removes or reorders a row without the rest is
found at that leaf; whoever writes the whole log anew, or restores an older copy, is found by a signed root that was exported.
An entry has a random salt, so that its leaf hash tells nothing where entries are sealed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from shieldwall.errors import BadText, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.merkle import EMPTY, Frontier, leaf_hash
from shieldwall.model.strictjson import parse_json
from shieldwall.store.prepared import Prepared
from shieldwall.store.schema import audit_head, audit_leaves, audit_roots

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shieldwall.store.interface import BackendOf

_AT_ONCE = 1000  # leaves that are read at a time
_TABLE = audit_leaves.name


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the log: its number from 0, its entry (plain JSON values), its hash, and the root of the tree that it ends."""

    number: int
    entry: Mapping[str, Any]
    leaf: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class RawLeaf:
    """A row of the log as it stands: nothing of it is believed yet. `entry` is None where it does not open."""

    number: int
    at: int
    entry: bytes | None
    leaf: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Root:
    """A signed root: of how many leaves, when (microseconds), the hash, the node's signature."""

    size: int
    at: int
    root: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: the right edge of its tree, and the time of its last entry in microseconds (0: none)."""

    frontier: Frontier
    at: int


_HEAD = Prepared(select(audit_head))
_ADD = Prepared(insert(audit_leaves), ("number", "at", "entry_sealed", "leaf", "root"))
_MOVE = Prepared(update(audit_head).values(size=bindparam("to"), at=bindparam("now"), frontier=bindparam("edge")))


class AuditLog:
    """The log, within one transaction."""

    def __init__(self, connection: Connection, backend: BackendOf) -> None:
        self._connection = connection
        self._backend = backend

    def head(self) -> Head:
        """Where the log stands.

        Raises:
            Tampered: Its own record of that is broken.
        """
        row = _HEAD.run(self._connection).one_or_none()
        if row is None:
            raise Tampered("the audit log has lost its head", hint="restore a backup: shieldwall node restore")
        try:
            return Head(Frontier.from_bytes(row.size, row.frontier), row.at)
        except ValueError as error:
            raise Tampered(
                f"the head of the audit log is broken ({error})", hint="shieldwall node audit verify"
            ) from None

    def begin(self) -> None:
        """Lay down the head of an empty log, in a new database."""
        self._connection.execute(insert(audit_head).values(id=1, size=0, at=0, frontier=b""))

    def append(self, identity: Identity, verb: str, outcome: str, at: int, detail: Mapping[str, Any]) -> Leaf:
        """Record an act.

        Args:
            identity: Who.
            verb: What, as in claim.find.
            outcome: done, refused or failed.
            at: When, in microseconds; an entry never bears a time before the one of the entry before it.
            detail: Which objects, how many; plain JSON values.
        """
        self._backend.lock_head(self._connection)
        head = self.head()
        number = head.frontier.size
        entry = {
            "number": number,
            "at": max(at, head.at),
            "who": {
                "kind": identity.kind.value,
                "person": identity.person,
                "name": identity.name,
                "token": identity.token,
            },
            "verb": verb,
            "outcome": outcome,
            "detail": dict(detail),
            "salt": secrets.token_hex(16),
        }
        if at < head.at:
            entry["clock_back"] = head.at - at  # microseconds: somebody set it back
        raw = canonical_json(entry)
        leaf = leaf_hash(raw)
        frontier = head.frontier.append(leaf)
        sealed = self._backend.sealer.seal(_TABLE, "entry", str(number), raw)
        row = {"number": number, "at": entry["at"], "entry_sealed": sealed, "leaf": leaf, "root": frontier.root}
        _ADD.run(self._connection, **row)
        _MOVE.run(self._connection, to=frontier.size, now=entry["at"], edge=frontier.to_bytes())
        return Leaf(number, entry, leaf, frontier.root)

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[Leaf]:
        """The leaves from `start` up to `stop`, in order.

        Raises:
            Tampered: An entry cannot be read; its number is named.
        """
        while stop is None or start < stop:
            query = select(audit_leaves).where(audit_leaves.c.number >= start).order_by(audit_leaves.c.number)
            rows = self._connection.execute(query.limit(_AT_ONCE)).all()
            for row in rows:
                if stop is not None and row.number >= stop:
                    return
                yield Leaf(row.number, self._entry(row.number, row.entry_sealed), row.leaf, row.root)
            if len(rows) < _AT_ONCE:
                return
            start = rows[-1].number + 1

    def raw_leaves(self, start: int | None = None, stop: int | None = None) -> Iterator[RawLeaf]:
        """Every row as it stands, or those from `start` up to `stop`, in the order of the numbers; for whoever verifies."""
        query = select(audit_leaves).order_by(audit_leaves.c.number)
        if start is not None:
            query = query.where(audit_leaves.c.number >= start)
        if stop is not None:
            query = query.where(audit_leaves.c.number < stop)
        for row in self._connection.execute(query).yield_per(_AT_ONCE):
            try:
                entry = self._open(row.number, row.entry_sealed)
            except Tampered:
                entry = None
            yield RawLeaf(row.number, _whole(row.at), _bytes(entry) or None, _bytes(row.leaf), _bytes(row.root))

    def hashes(self, size: int) -> list[bytes]:
        """The leaf hashes of the first `size` leaves."""
        query = select(audit_leaves.c.leaf).where(audit_leaves.c.number < size).order_by(audit_leaves.c.number)
        return [row.leaf for row in self._connection.execute(query)]

    def root_at(self, size: int) -> bytes | None:
        """The root that the log had with `size` leaves, as its own rows say; None where it has fewer."""
        if size == 0:
            return EMPTY
        return self._connection.execute(select(audit_leaves.c.root).where(audit_leaves.c.number == size - 1)).scalar()

    def count(self) -> int:
        """How many leaves there are in truth; the head says how many there should be."""
        return int(self._connection.execute(select(func.count()).select_from(audit_leaves)).scalar_one())

    def keep_root(self, root: Root) -> None:
        """Keep a signed root; one of that size that is there already stays."""
        values = {"size": root.size, "at": root.at, "root": root.root, "signature": root.signature}
        self._backend.insert_new(self._connection, audit_roots, [values])

    def roots(self) -> list[Root]:
        """The signed roots, the smallest first."""
        rows = self._connection.execute(select(audit_roots).order_by(audit_roots.c.size))
        return [Root(row.size, row.at, row.root, row.signature) for row in rows]

    def _open(self, number: int, sealed: bytes) -> bytes:
        try:
            return self._backend.sealer.open(_TABLE, "entry", str(number), sealed)
        except Tampered:
            raise Tampered(f"leaf {number} of the audit log was changed", hint="shieldwall node audit verify") from None

    def _entry(self, number: int, sealed: bytes) -> Mapping[str, Any]:
        try:
            entry = parse_json(self._open(number, sealed), f"leaf {number} of the audit log")
        except BadText as error:
            raise Tampered(error.message, hint="shieldwall node audit verify") from None
        if not isinstance(entry, dict):
            raise Tampered(f"leaf {number} of the audit log is no entry", hint="shieldwall node audit verify")
        return entry


def _bytes(value: Any) -> bytes:  # noqa: ANN401 - whatever stands in the database: SQLite takes any type in any column
    """A value that should be bytes; none where it is something else, so that it fits nothing."""
    return value if isinstance(value, bytes) else b""


def _whole(value: Any) -> int:  # noqa: ANN401 - as above
    """A value that should be a whole number; -1 where it is something else."""
    return value if type(value) is int else -1
