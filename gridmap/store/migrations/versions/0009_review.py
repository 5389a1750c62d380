"""Monthly reviews: frozen packs, decisions and tasks with their steps, signatures; all only appended"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("review_pack", "review_task", "review_task_step", "review_signature")
TOWNSHIP, MONTH = "township_code ~ '^[0-9]{9}$'", "month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'"


def _instant(name: str) -> sa.Column:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=False)


def upgrade() -> None:
    op.create_table(
        "review_pack",
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        _instant("known_at"),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        _instant("frozen_at"),
        sa.CheckConstraint(TOWNSHIP, name=op.f("ck_review_pack_township_code_form")),
        sa.CheckConstraint(MONTH, name=op.f("ck_review_pack_month_form")),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_review_pack_digest_form")),
        sa.CheckConstraint("btrim(frozen_by) <> ''", name=op.f("ck_review_pack_frozen_by_given")),
        sa.CheckConstraint("known_at <= frozen_at", name=op.f("ck_review_pack_known_before")),
        sa.PrimaryKeyConstraint("pack_id", name=op.f("pk_review_pack")),
        sa.UniqueConstraint("township_code", "month", "digest", name=op.f("uq_review_pack_township_code_month_digest")),
    )
    op.create_table(
        "review_task",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("figure_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=False),
        _instant("entered_at"),
        sa.CheckConstraint(TOWNSHIP, name=op.f("ck_review_task_township_code_form")),
        sa.CheckConstraint(MONTH, name=op.f("ck_review_task_month_form")),
        sa.CheckConstraint("kind IN ('decision', 'task')", name=op.f("ck_review_task_kind_known")),
        sa.CheckConstraint(
            "btrim(text) <> '' AND btrim(entered_by) <> ''", name=op.f("ck_review_task_text_given")
        ),
        sa.CheckConstraint(
            "kind = 'decision' OR (btrim(who) <> '' AND until IS NOT NULL)",
            name=op.f("ck_review_task_who_and_until"),
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_review_task")),
    )
    op.create_index("ix_review_task_month", "review_task", ["township_code", "month"])
    op.create_table(
        "review_task_step",
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        _instant("done_at"),
        sa.CheckConstraint(
            "kind IN ('done', 'moved', 'reopened', 'dropped')", name=op.f("ck_review_task_step_kind_known")
        ),
        sa.CheckConstraint("(kind = 'moved') = (until IS NOT NULL)", name=op.f("ck_review_task_step_moved_until")),
        sa.CheckConstraint("btrim(done_by) <> ''", name=op.f("ck_review_task_step_done_by_given")),
        sa.ForeignKeyConstraint(["task_id"], ["review_task.task_id"], name=op.f("fk_review_task_step_task_id")),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_review_task_step")),
    )
    op.create_index("ix_review_task_step_task_id", "review_task_step", ["task_id"])
    op.create_table(
        "review_signature",
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _instant("signed_at"),
        sa.CheckConstraint(
            "role IN ('chair', 'leader', 'grid_office', 'recorder')", name=op.f("ck_review_signature_role_known")
        ),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_review_signature_name_given")),
        sa.ForeignKeyConstraint(["pack_id"], ["review_pack.pack_id"], name=op.f("fk_review_signature_pack_id")),
        sa.PrimaryKeyConstraint("pack_id", "role", name=op.f("pk_review_signature")),
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gridmap_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('reviews')"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
