"""Sharing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
    op.create_table(
        "partner_groups",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_partner_groups_name")),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("highest", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("name", name=op.f("uq_partners_name")),
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=True),
        sa.Column("alias", sa.String(length=100), nullable=False),
        sa.Column("title_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("highest", sa.SmallInteger(), nullable=False),
        sa.Column("unmarked", sa.SmallInteger(), nullable=False),
        sa.Column("readable", sa.Boolean(), nullable=False),
        sa.Column("writable", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_added_at", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["partner_groups.id"], name=op.f("fk_collections_group_id")),
        sa.ForeignKeyConstraint(["owner"], ["people.id"], name=op.f("fk_collections_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    with op.batch_alter_table("collections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collections_group_id"), ["group_id"], unique=False)

    op.create_table(
        "partner_members",
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["partner_groups.id"], name=op.f("fk_partner_members_group_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_members_partner_id")),
        sa.PrimaryKeyConstraint("group_id", "partner_id", name=op.f("pk_partner_members")),
    )
    with op.batch_alter_table("partner_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_members_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "partner_secrets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_secrets_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_secrets")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_partner_secrets_secret_hash")),
    )
    with op.batch_alter_table("partner_secrets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_secrets_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "statuses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_statuses_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statuses")),
    )
    with op.batch_alter_table("statuses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statuses_at"), ["at"], unique=False)

    op.create_table(
        "fetches",
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("first_added", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_added", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_fetches_collection_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_fetches_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "collection_id", "first_added", name=op.f("pk_fetches")),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("deed", sa.String(length=20), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_releases_collection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_releases_collection_id"), ["collection_id"], unique=False)

    op.create_table(
        "stix_objects",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("stix_key", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=250), nullable=False),
        sa.Column("spec", sa.String(length=3), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("raw_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("marking", sa.SmallInteger(), nullable=False),
        sa.Column("pap", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("group_id", sa.String(length=32), nullable=True),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_stix_objects_case_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_stix_objects_group_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_stix_objects")),
        sa.UniqueConstraint("id", "place", name=op.f("uq_stix_objects_id_place")),
    )
    with op.batch_alter_table("stix_objects", schema=None) as batch_op:
        batch_op.create_index("ix_stix_objects_stix_key_version", ["stix_key", "version"], unique=False)

    op.create_table(
        "collection_objects",
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("release_id", sa.String(length=32), nullable=False),
        sa.Column("stix_key", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("oldest", sa.Boolean(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_collection_objects_collection_id")
        ),
        sa.ForeignKeyConstraint(["object_seq"], ["stix_objects.seq"], name=op.f("fk_collection_objects_object_seq")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_collection_objects_release_id")),
        sa.PrimaryKeyConstraint("collection_id", "added_at", name=op.f("pk_collection_objects")),
        sa.UniqueConstraint(
            "collection_id", "stix_key", "version", name=op.f("uq_collection_objects_collection_id_stix_key_version")
        ),
    )
    with op.batch_alter_table("collection_objects", schema=None) as batch_op:
        batch_op.create_index("ix_collection_objects_newest", ["collection_id", "newest", "added_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_collection_objects_object_seq"), ["object_seq"], unique=False)
