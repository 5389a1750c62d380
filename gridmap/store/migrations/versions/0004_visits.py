"""Visits: hours, season and least stay of checkpoints, GPS tracks of patrols, door-to-door visits"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TOPICS = {"track_fix": "tracks", "home_visit": "home_visits"}

SEASON_DAY = "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
CHECKPOINT_CHECKS = {
    "hours_from_until": (
        "num_nonnulls(hours_from, hours_until) <> 1 AND (hours_from IS NULL OR hours_from <> hours_until)"
    ),
    "season_from_until": "num_nonnulls(season_from, season_until) <> 1",
    "season_from_form": f"season_from ~ '{SEASON_DAY}'",
    "season_until_form": f"season_until ~ '{SEASON_DAY}'",
    "least_stay_plausible": "least_stay_minutes BETWEEN 1 AND 1440",
}
COLUMNS = {
    "hours_from": sa.Time(),
    "hours_until": sa.Time(),
    "season_from": sa.Text(),
    "season_until": sa.Text(),
    "least_stay_minutes": sa.Integer(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("checkpoint", sa.Column(name, kind, nullable=True))
    for name, rule in CHECKPOINT_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_checkpoint_{name}"), "checkpoint", rule)
    op.create_geospatial_table(
        "track_fix",
        sa.Column("track_code", sa.Text(), nullable=False),
        sa.Column("happened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT", srid=4490, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT",
                name="geometry", nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f("ck_track_fix_township_code_form")),
        sa.CheckConstraint("btrim(track_code) <> ''", name=op.f("ck_track_fix_track_code_given")),
        sa.CheckConstraint("accuracy_m IS NULL OR accuracy_m >= 0", name=op.f("ck_track_fix_accuracy_not_negative")),
        sa.CheckConstraint(
            "ST_IsValid(geom) AND NOT ST_IsEmpty(geom) AND ST_XMin(geom) >= 73 AND ST_XMax(geom) <= 136"
            " AND ST_YMin(geom) >= 3 AND ST_YMax(geom) <= 54",
            name=op.f("ck_track_fix_geom_sound"),
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import_record.import_id"], name=op.f("fk_track_fix_import_id")),
        sa.PrimaryKeyConstraint("track_code", "happened_at", name=op.f("pk_track_fix")),
    )
    op.create_geospatial_index(
        "idx_track_fix_geom", "track_fix", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_track_fix_import_id"), "track_fix", ["import_id"])
    op.create_index("ix_track_fix_when", "track_fix", ["township_code", "happened_at"])
    op.create_table(
        "home_visit",
        sa.Column("household_code", sa.Text(), nullable=False),
        sa.Column("happened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f("ck_home_visit_township_code_form")),
        sa.ForeignKeyConstraint(
            ["household_code"], ["household.household_code"], name=op.f("fk_home_visit_household_code")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import_record.import_id"], name=op.f("fk_home_visit_import_id")),
        sa.PrimaryKeyConstraint("household_code", "happened_at", name=op.f("pk_home_visit")),
    )
    op.create_index(op.f("ix_home_visit_import_id"), "home_visit", ["import_id"])
    op.create_index("ix_home_visit_when", "home_visit", ["township_code", "happened_at"])
    for table, topic in TOPICS.items():
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
            f"FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('{topic}')"
        )


def downgrade() -> None:
    op.drop_table("home_visit")
    op.drop_geospatial_table("track_fix")
    for name in CHECKPOINT_CHECKS:
        op.drop_constraint(op.f(f"ck_checkpoint_{name}"), "checkpoint", type_="check")
    for name in COLUMNS:
        op.drop_column("checkpoint", name)
