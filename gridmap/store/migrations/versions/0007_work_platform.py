"""Work platform: its grids beside ours, its orders beside incidents, and how far each list has been pulled"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("work_platform_grid", "work_platform_order", "work_platform_pull")
# The pulls themselves raise no version: a pull that brings nothing new changes no page.
TOPIC = "work_platform"
TOWNSHIP = "township_code ~ '^[0-9]{9}$'"


def upgrade() -> None:
    op.create_table(
        "work_platform_grid",
        sa.Column("grid_id", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("admins", postgresql.JSONB(), nullable=False),
        sa.Column("members", postgresql.JSONB(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(TOWNSHIP, name=op.f("ck_work_platform_grid_township_code_form")),
        sa.CheckConstraint("btrim(grid_id) <> ''", name=op.f("ck_work_platform_grid_grid_id_given")),
        sa.ForeignKeyConstraint(["grid_code"], ["grid.grid_code"], name=op.f("fk_work_platform_grid_grid_code")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_record.import_id"], name=op.f("fk_work_platform_grid_import_id")
        ),
        sa.PrimaryKeyConstraint("grid_id", name=op.f("pk_work_platform_grid")),
    )
    op.create_index(op.f("ix_work_platform_grid_township_code"), "work_platform_grid", ["township_code"])
    op.create_index(op.f("ix_work_platform_grid_grid_code"), "work_platform_grid", ["grid_code"])
    op.create_table(
        "work_platform_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("incident_code", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("urge_type", sa.Integer(), nullable=True),
        sa.Column("platform_grid_id", sa.Text(), nullable=True),
        sa.Column("platform_grid_name", sa.Text(), nullable=True),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("family IN ('patrol', 'resident')", name=op.f("ck_work_platform_order_family_known")),
        sa.CheckConstraint(TOWNSHIP, name=op.f("ck_work_platform_order_township_code_form")),
        sa.ForeignKeyConstraint(["grid_code"], ["grid.grid_code"], name=op.f("fk_work_platform_order_grid_code")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_record.import_id"], name=op.f("fk_work_platform_order_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_code"], ["incident.incident_code"], name=op.f("fk_work_platform_order_incident_code")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_work_platform_order")),
        sa.UniqueConstraint("incident_code", name=op.f("uq_work_platform_order_incident_code")),
    )
    for column in ("township_code", "grid_code", "import_id"):
        op.create_index(op.f(f"ix_work_platform_order_{column}"), "work_platform_order", [column])
    op.create_table(
        "work_platform_pull",
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("begun_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("modified_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("next_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("n_orders", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pulled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "family IN ('patrol', 'resident', 'grids')", name=op.f("ck_work_platform_pull_family_known")
        ),
        sa.CheckConstraint(TOWNSHIP, name=op.f("ck_work_platform_pull_township_code_form")),
        sa.CheckConstraint(
            "cursor IS NULL OR begun_at IS NOT NULL", name=op.f("ck_work_platform_pull_cursor_of_a_run")
        ),
        sa.PrimaryKeyConstraint("township_code", "family", name=op.f("pk_work_platform_pull")),
    )
    op.execute(
        "CREATE TRIGGER work_platform_order_append_only BEFORE UPDATE OR DELETE ON work_platform_order "
        "FOR EACH ROW EXECUTE FUNCTION gridmap_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER work_platform_order_no_truncate BEFORE TRUNCATE ON work_platform_order "
        "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_refuse_change()"
    )
    for table in ("work_platform_grid", "work_platform_order"):
        op.execute(
            f"CREATE TRIGGER {table}_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('{TOPIC}')"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
