"""Sources and former objects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shieldwall.store.proving import prove_all

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.create_table(
        "former_objects",
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stix_key", sa.BigInteger(), nullable=False),
        sa.Column("marking", sa.SmallInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_former_objects_collection_id")),
        sa.PrimaryKeyConstraint("collection_id", "added_at", name=op.f("pk_former_objects")),
    )
    with op.batch_alter_table("former_objects", schema=None) as batch_op:
        batch_op.create_index("ix_former_objects_stix_key", ["collection_id", "stix_key"], unique=False)

    op.create_table(
        "sources",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("url_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("target_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("good_at", sa.BigInteger(), nullable=True),
        sa.Column("state_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("marking", sa.SmallInteger(), nullable=False),
        sa.Column("pap", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("group_id", sa.String(length=32), nullable=True),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_sources_case_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_sources_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("url_key", name=op.f("uq_sources_url_key")),
    )
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sources_case_id"), ["case_id"], unique=False)

    op.create_table(
        "stix_values",
        sa.Column("value_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "object_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(["object_seq"], ["stix_objects.seq"], name=op.f("fk_stix_values_object_seq")),
        sa.PrimaryKeyConstraint("value_key", "object_seq", name=op.f("pk_stix_values")),
    )
    op.create_table(
        "release_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("done_seq", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_release_rules_by")),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_release_rules_collection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_rules")),
    )
    with op.batch_alter_table("release_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_rules_collection_id"), ["collection_id"], unique=False)

    _stix_objects()
    _collection_objects()
    _fetches()
    options = op.get_context().opts
    if not options["whole"]:
        prove_all(op.get_bind(), options["secrets"], ("stix_objects", "collection_objects"))


def _stix_objects() -> None:
    with op.batch_alter_table("stix_objects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=32), nullable=True))
    op.execute("UPDATE stix_objects SET source = ''")
    with op.batch_alter_table("stix_objects", schema=None) as batch_op:
        batch_op.alter_column("source", existing_type=sa.String(length=32), nullable=False)


def _collection_objects() -> None:
    new = ("marking", "newer", "older")
    with op.batch_alter_table("collection_objects", schema=None) as batch_op:
        for name in new:
            batch_op.add_column(sa.Column(name, sa.SmallInteger(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_collection_objects_newest"))
        batch_op.drop_column("oldest")
        batch_op.drop_column("newest")
    op.execute(
        "UPDATE collection_objects SET marking = "
        "(SELECT o.marking FROM stix_objects o WHERE o.seq = collection_objects.object_seq)"
    )
    for name, sign in (("newer", ">"), ("older", "<")):
        op.execute(
            f"UPDATE collection_objects SET {name} = COALESCE((SELECT MIN(o.marking) FROM collection_objects o "  # noqa: S608 - our own words
            "WHERE o.collection_id = collection_objects.collection_id AND o.stix_key = collection_objects.stix_key "
            f"AND o.version {sign} collection_objects.version), 9)"
        )
    with op.batch_alter_table("collection_objects", schema=None) as batch_op:
        for name in new:
            batch_op.alter_column(name, existing_type=sa.SmallInteger(), nullable=False)
        for ceiling in range(3):
            chosen = sa.text(f"marking <= {ceiling} AND newer > {ceiling}")
            batch_op.create_index(
                f"ix_collection_objects_newest_{ceiling}",
                ["collection_id", "added_at"],
                unique=False,
                sqlite_where=chosen,
                postgresql_where=chosen,
            )


def _fetches() -> None:
    """Made anew: its key has more columns. What went until now may have had any marking."""
    names = ("partner_id", "collection_id", "first_added", "last_added", "at")
    before = sa.table("fetches", *[sa.column(name) for name in names])
    rows = op.get_bind().execute(sa.select(before)).mappings().all()
    op.drop_table("fetches")
    made = op.create_table(
        "fetches",
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("first_added", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_added", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ceiling", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_fetches_collection_id"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="fk_fetches_partner_id"),
        sa.PrimaryKeyConstraint(
            "partner_id", "collection_id", "first_added", "last_added", "ceiling", name="pk_fetches"
        ),
    )
    if rows:
        op.bulk_insert(made, [{**row, "ceiling": 2, "first_at": 0} for row in rows])
