"""Intake: who may send, what was answered to which key, photos, and the grid that a report names"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)
SHA256 = "^[0-9a-f]{64}$"
APPEND_ONLY = ("intake_receipt", "incident_photo")


def upgrade() -> None:
    op.add_column("incident", sa.Column("grid_code", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_incident_grid_code"), "incident", "grid", ["grid_code"], ["grid_code"])
    op.create_index(
        "ix_incident_number", "incident", ["incident_code"], postgresql_ops={"incident_code": "text_pattern_ops"}
    )
    op.create_table(
        "intake_source",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=True),
        sa.Column("token_sha256", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('member', 'system', 'resident')", name=op.f("ck_intake_source_kind_known")),
        sa.CheckConstraint(f"token_sha256 ~ '{SHA256}'", name=op.f("ck_intake_source_token_sha256_form")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_intake_source_name_given")),
        sa.CheckConstraint(
            "kind <> 'member' OR staff_id IS NOT NULL", name=op.f("ck_intake_source_member_is_somebody")
        ),
        sa.CheckConstraint(
            "kind <> 'resident' OR num_nonnulls(token_sha256, staff_id) = 0",
            name=op.f("ck_intake_source_resident_is_nobody"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_intake_source_staff_id")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_intake_source")),
        sa.UniqueConstraint("name", name=op.f("uq_intake_source_name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_intake_source_token_sha256")),
    )
    op.create_table(
        "intake_receipt",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("incident_code", sa.Text(), nullable=True),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint(f"body_sha256 ~ '{SHA256}'", name=op.f("ck_intake_receipt_body_sha256_form")),
        sa.CheckConstraint("char_length(key) BETWEEN 8 AND 200", name=op.f("ck_intake_receipt_key_length")),
        sa.ForeignKeyConstraint(["source_id"], ["intake_source.source_id"], name=op.f("fk_intake_receipt_source_id")),
        sa.ForeignKeyConstraint(
            ["incident_code"], ["incident.incident_code"], name=op.f("fk_intake_receipt_incident_code")
        ),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_intake_receipt")),
    )
    op.create_index("ix_intake_receipt_incident_code", "intake_receipt", ["incident_code"])
    op.create_table(
        "incident_photo",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("incident_code", sa.Text(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint(f"sha256 ~ '{SHA256}'", name=op.f("ck_incident_photo_sha256_form")),
        sa.CheckConstraint("width_px > 0 AND height_px > 0", name=op.f("ck_incident_photo_size_positive")),
        sa.CheckConstraint("octet_length(content) > 0", name=op.f("ck_incident_photo_content_given")),
        sa.ForeignKeyConstraint(
            ["incident_code"], ["incident.incident_code"], name=op.f("fk_incident_photo_incident_code")
        ),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_incident_photo")),
        sa.UniqueConstraint("incident_code", "sha256", name=op.f("uq_incident_photo_incident_code_sha256")),
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gridmap_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER incident_photo_version AFTER INSERT OR UPDATE OR DELETE ON incident_photo "
        "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('incidents')"
    )
    op.execute("INSERT INTO intake_source (name, kind, created_at) VALUES ('resident', 'resident', now())")


def downgrade() -> None:
    op.drop_table("incident_photo")
    op.drop_table("intake_receipt")
    op.drop_table("intake_source")
    op.drop_index("ix_incident_number", table_name="incident")
    op.drop_constraint(op.f("fk_incident_grid_code"), "incident", type_="foreignkey")
    op.drop_column("incident", "grid_code")
