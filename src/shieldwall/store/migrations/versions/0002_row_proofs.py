"""Row proofs."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa
from alembic import op

from shieldwall.store.credentials import rehashed
from shieldwall.store.envelope import Secrets
from shieldwall.store.proving import each_row, prove_all

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "alarms",
    "approvals",
    "case_groups",
    "case_people",
    "cases",
    "challenges",
    "deliveries",
    "files",
    "group_members",
    "groups",
    "invitations",
    "jobs",
    "oidc_subjects",
    "passkeys",
    "people",
    "recovery_codes",
    "sessions",
    "tag_sets",
    "tokens",
    "watches",
)
HASHED = {"sessions": "session", "tokens": "token", "invitations": "invitation"}
"""Tables with the bare SHA-256 of a secret in their column `secret_hash`, and what the secret is of."""


def upgrade() -> None:
    """Forward; there is no way back but a backup.

    Nobody can tell whether the rows that are there were written by the node: they are taken as they are, and proven.
    """
    for name in TABLES:
        op.add_column(name, sa.Column("proof", sa.LargeBinary(length=32), nullable=True))
    options, connection = op.get_context().opts, op.get_bind()
    secrets: Secrets = options["secrets"]
    op.execute(
        "DELETE FROM challenges"
    )  # each names a session or invitation by the old hash: a ceremony is begun again
    for name, purpose in HASHED.items():
        table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
        each_row(connection, table, partial(_keyed, secrets, purpose))
    if not options["whole"]:
        prove_all(connection, secrets, TABLES)


def _keyed(secrets: Secrets, purpose: str, row: sa.RowMapping) -> dict[str, bytes]:
    return {"secret_hash": rehashed(secrets, purpose, row["secret_hash"])}
