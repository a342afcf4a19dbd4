"""The node's own signing keys, every generation of them: the public halves stay to verify what was signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from shieldwall.store.schema import node_keys

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A generation of the node's keys.

    Attributes:
        id: 16 hex digits.
        public: The public halves.
        secret: The secret halves.
        created_at: Microseconds.
        retired_at: Since when the next one stands in its place, in microseconds; None for the one in use.
        certified: What the generation before signed of this one; empty for the first.
    """

    id: str
    public: bytes
    secret: bytes = field(repr=False)
    created_at: int
    retired_at: int | None = None
    certified: bytes = b""


class NodeKeyRows:
    """The keys, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def all(self) -> list[KeyRow]:
        """Every generation, the first one first."""
        rows = self._work.connection.execute(select(node_keys).order_by(node_keys.c.created_at, node_keys.c.id))
        return [
            KeyRow(
                id=row.id,
                public=row.public,
                secret=self._work.open(node_keys.name, "secret", row.id, row.secret_sealed),
                created_at=row.created_at,
                retired_at=row.retired_at,
                certified=row.certified,
            )
            for row in rows
        ]

    def current(self) -> str:
        """Id of the generation in use; "" where there is none."""
        return str(
            self._work.connection.execute(select(node_keys.c.id).where(node_keys.c.retired_at.is_(None))).scalar() or ""
        )

    def add(self, row: KeyRow) -> None:
        """Add a generation; the one in use is retired at the moment when the new one was made."""
        self._work.connection.execute(
            update(node_keys).where(node_keys.c.retired_at.is_(None)).values(retired_at=row.created_at)
        )
        self._work.connection.execute(
            insert(node_keys).values(
                id=row.id,
                public=row.public,
                secret_sealed=self._work.seal(node_keys.name, "secret", row.id, row.secret),
                created_at=row.created_at,
                retired_at=row.retired_at,
                certified=row.certified,
            )
        )
