"""Drafts: their edits and history, written only while they are drafts; a saved draft leaves the wall alone"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FUNCTIONS = r"""
-- Square metres of a piece as it is drawn in degrees. On the ellipsoid a corner set into a straight border would count as
-- ground, since its two halves are other shortest ways than the whole.
CREATE FUNCTION gridmap_square_metres(piece geometry) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT ST_Area(piece) * 111319.4908 ^ 2 * cos(radians(ST_Y(ST_Centroid(piece))))
$$;

CREATE FUNCTION gridmap_guard_draft_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    current_state text;
BEGIN
    SELECT state INTO current_state FROM plan
        WHERE plan_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.plan_id ELSE NEW.plan_id END;
    IF current_state IS NOT NULL AND current_state <> 'draft' THEN
        RAISE EXCEPTION 'Only a draft is edited; this plan is %.', current_state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION gridmap_guard_plan_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT FROM plan WHERE plan_id = OLD.plan_id) THEN
        RAISE EXCEPTION 'The history of a plan is never changed.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;

-- A cut beside it may set a corner into a unit's outline; its ground stays the same.
CREATE OR REPLACE FUNCTION gridmap_guard_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM plan_unit JOIN plan USING (plan_id)
        WHERE plan_unit.unit_id = OLD.unit_id AND plan.state IN ('published', 'retired')
    ) AND (
        TG_OP = 'DELETE' OR NEW.unit_code <> OLD.unit_code
        OR (NOT ST_OrderingEquals(NEW.geom, OLD.geom)
            AND gridmap_square_metres(ST_SymDifference(NEW.geom, OLD.geom)) > 0.01)
    ) THEN
        RAISE EXCEPTION 'Unit % is part of a published plan. Retire it and add new units instead.', OLD.unit_code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER plan_edit_guard BEFORE INSERT OR UPDATE OR DELETE ON plan_edit
    FOR EACH ROW EXECUTE FUNCTION gridmap_guard_draft_part();
CREATE TRIGGER plan_event_guard BEFORE UPDATE OR DELETE ON plan_event
    FOR EACH ROW EXECUTE FUNCTION gridmap_guard_plan_event();
CREATE TRIGGER plan_edit_version AFTER INSERT OR UPDATE OR DELETE ON plan_edit
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('plans');
CREATE TRIGGER plan_event_version AFTER INSERT OR UPDATE OR DELETE ON plan_event
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('plans');
CREATE TRIGGER plan_plans_version AFTER INSERT OR UPDATE OR DELETE ON plan
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('plans');
DROP TRIGGER plan_version ON plan;
CREATE TRIGGER plan_version
    AFTER DELETE OR UPDATE OF state, valid_from, valid_until, household_cap ON plan
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('places');
"""

UNDO = r"""
DROP TRIGGER plan_version ON plan;
CREATE TRIGGER plan_version AFTER INSERT OR UPDATE OR DELETE ON plan
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('places');
DROP TRIGGER plan_plans_version ON plan;
CREATE OR REPLACE FUNCTION gridmap_guard_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM plan_unit JOIN plan USING (plan_id)
        WHERE plan_unit.unit_id = OLD.unit_id AND plan.state IN ('published', 'retired')
    ) AND (TG_OP = 'DELETE' OR NOT ST_OrderingEquals(NEW.geom, OLD.geom) OR NEW.unit_code <> OLD.unit_code) THEN
        RAISE EXCEPTION 'Unit % is part of a published plan. Retire it and add new units instead.', OLD.unit_code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""


def _measure_faults(before: str, after: str) -> None:
    """Rewrite how the function that judges plans measures overlaps and gaps."""
    bind = op.get_bind()
    source = bind.execute(
        sa.text("SELECT pg_get_functiondef('gridmap_plan_faults(integer)'::regprocedure)")
    ).scalar_one()
    for piece in ("shared", "missing"):
        source = source.replace(before.format(piece), after.format(piece))
    bind.exec_driver_sql(source.replace("%", "%%"))


def upgrade() -> None:
    op.add_column("plan", sa.Column("based_on", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_plan_based_on"), "plan", "plan", ["based_on"], ["plan_id"])
    op.create_table(
        "plan_edit",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edit", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_plan_edit_number_positive")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.plan_id"], name=op.f("fk_plan_edit_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "number", name=op.f("pk_plan_edit")),
    )
    op.create_table(
        "plan_event",
        sa.Column("plan_event_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('branched', 'saved', 'submitted', 'returned', 'published')",
            name=op.f("ck_plan_event_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.plan_id"], name=op.f("fk_plan_event_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_event_id", name=op.f("pk_plan_event")),
    )
    op.create_index(op.f("ix_plan_event_plan_id"), "plan_event", ["plan_id"])
    op.execute(FUNCTIONS)
    _measure_faults("ST_Area({}::geography)", "gridmap_square_metres({})")


def downgrade() -> None:
    op.execute(UNDO)
    _measure_faults("gridmap_square_metres({})", "ST_Area({}::geography)")
    op.execute("DROP FUNCTION gridmap_square_metres(geometry)")
    op.drop_table("plan_event")
    op.drop_table("plan_edit")
    op.execute("DROP FUNCTION gridmap_guard_plan_event()")
    op.execute("DROP FUNCTION gridmap_guard_draft_part()")
    op.drop_constraint(op.f("fk_plan_based_on"), "plan", type_="foreignkey")
    op.drop_column("plan", "based_on")
