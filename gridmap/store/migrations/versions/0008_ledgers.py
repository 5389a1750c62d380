"""Ledgers: rules and entries of points, frozen months, lists, conventions, practical things, counts of people by month"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "point_entry", "point_freeze", "task_list", "task_tick", "convention", "practical_thing", "practical_step", "opinion",
    "roster_update", "people_snapshot",
)
TABLES = ("point_rule", *APPEND_ONLY)

FUNCTIONS = r"""
-- A rule is ended once, from the first day of a month on; what it was stays.
CREATE FUNCTION gridmap_guard_point_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.valid_until IS NOT NULL OR NEW.valid_until IS NULL OR NEW.ended_at IS NULL
        OR (to_jsonb(NEW) - '{valid_until,ended_by,ended_at}'::text[])
            <> (to_jsonb(OLD) - '{valid_until,ended_by,ended_at}'::text[])
    THEN
        RAISE EXCEPTION 'Rule "%" is never changed or deleted. End it with a month and add a new one.', OLD.rule_code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION gridmap_check_counter_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    countered point_entry;
BEGIN
    IF NEW.counters_entry_id IS NULL THEN RETURN NEW; END IF;
    SELECT * INTO countered FROM point_entry WHERE entry_id = NEW.counters_entry_id;
    IF num_nonnulls(countered.counters_entry_id, countered.counters_key) > 0 THEN
        RAISE EXCEPTION 'Entry % is a counter-entry itself.', NEW.counters_entry_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.township_code, NEW.staff_id, NEW.month, NEW.rule_code, -NEW.points)
        <> (countered.township_code, countered.staff_id, countered.month, countered.rule_code, countered.points)
    THEN
        RAISE EXCEPTION 'A counter-entry takes back entry % as it is: same person, month and rule, opposite points.',
            NEW.counters_entry_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER point_rule_guard BEFORE UPDATE OR DELETE ON point_rule
    FOR EACH ROW EXECUTE FUNCTION gridmap_guard_point_rule();
CREATE TRIGGER point_rule_no_truncate BEFORE TRUNCATE ON point_rule
    FOR EACH STATEMENT EXECUTE FUNCTION gridmap_refuse_change();
CREATE TRIGGER point_entry_counters BEFORE INSERT ON point_entry
    FOR EACH ROW EXECUTE FUNCTION gridmap_check_counter_entry();
"""


def upgrade() -> None:
    op.create_table('people_snapshot',
        sa.Column('snapshot_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('month', sa.Date(), nullable=False),
        sa.Column('group_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=True),
        sa.Column('n_households', sa.Integer(), nullable=False),
        sa.Column('n_residents', sa.Integer(), nullable=False),
        sa.Column('n_living_alone', sa.Integer(), nullable=False),
        sa.Column('n_left_behind', sa.Integer(), nullable=False),
        sa.Column('n_disabled', sa.Integer(), nullable=False),
        sa.Column('n_low_income', sa.Integer(), nullable=False),
        sa.Column('newest_on', sa.Date(), nullable=True),
        sa.Column('oldest_on', sa.Date(), nullable=True),
        sa.Column('taken_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(taken_by) <> ''", name=op.f('ck_people_snapshot_taken_by_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_people_snapshot_township_code_form')),
        sa.CheckConstraint('extract(day FROM month) = 1', name=op.f('ck_people_snapshot_month_first_day')),
        sa.CheckConstraint('least(n_households, n_residents, n_living_alone, n_left_behind, n_disabled, n_low_income) >= 0', name=op.f('ck_people_snapshot_counts_not_negative')),
        sa.PrimaryKeyConstraint('snapshot_id', name=op.f('pk_people_snapshot')),
        sa.UniqueConstraint('township_code', 'month', 'group_code', 'grid_code', name=op.f('uq_people_snapshot_township_code_month_group_code_grid_code'), postgresql_nulls_not_distinct=True),
    )
    op.create_table('point_freeze',
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('month', sa.Date(), nullable=False),
        sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('known_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('frozen_by', sa.Text(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(frozen_by) <> ''", name=op.f('ck_point_freeze_frozen_by_given')),
        sa.CheckConstraint("number = 1 OR btrim(coalesce(reason, '')) <> ''", name=op.f('ck_point_freeze_again_with_reason')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_point_freeze_township_code_form')),
        sa.CheckConstraint('extract(day FROM month) = 1', name=op.f('ck_point_freeze_month_first_day')),
        sa.CheckConstraint('number > 0', name=op.f('ck_point_freeze_number_positive')),
        sa.PrimaryKeyConstraint('township_code', 'month', 'number', name=op.f('pk_point_freeze')),
    )
    op.create_table('point_rule',
        sa.Column('rule_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('rule_code', sa.Text(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('counts', sa.Text(), nullable=False),
        sa.Column('points', sa.Integer(), nullable=False),
        sa.Column('monthly_ceiling', sa.Integer(), nullable=True),
        sa.Column('threshold_percent', sa.Integer(), nullable=True),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('valid_until', sa.Date(), nullable=True),
        sa.Column('recorded_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('ended_by', sa.Text(), nullable=True),
        sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint((sa.literal_column('township_code'), '='), (sa.literal_column('rule_code'), '='), (sa.text('daterange(valid_from, valid_until)'), '&&'), using='gist', name='ex_point_rule_no_overlap'),
        sa.CheckConstraint("(counts = 'home_visit_share') = (threshold_percent IS NOT NULL)", name=op.f('ck_point_rule_threshold_of_share')),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f('ck_point_rule_name_given')),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f('ck_point_rule_recorded_by_given')),
        sa.CheckConstraint("counts = 'manual' OR (points < 0) = (counts IN ('closed_late', 'missed_due'))", name=op.f('ck_point_rule_points_sign')),
        sa.CheckConstraint("counts IN ('patrol_visit', 'home_visit', 'home_visit_share', 'report_accepted', 'closed_on_time', 'closed_late', 'dispute_in_grid', 'satisfied', 'missed_due', 'manual')", name=op.f('ck_point_rule_counts_known')),
        sa.CheckConstraint("rule_code ~ '^[a-z][a-z0-9_]{0,39}$'", name=op.f('ck_point_rule_rule_code_form')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_point_rule_township_code_form')),
        sa.CheckConstraint('ended_at IS NULL OR valid_until IS NOT NULL', name=op.f('ck_point_rule_ended_until')),
        sa.CheckConstraint('extract(day FROM valid_from) = 1', name=op.f('ck_point_rule_valid_from_first_day')),
        sa.CheckConstraint('extract(day FROM valid_until) = 1', name=op.f('ck_point_rule_valid_until_first_day')),
        sa.CheckConstraint('monthly_ceiling > 0', name=op.f('ck_point_rule_ceiling_positive')),
        sa.CheckConstraint('num_nonnulls(ended_by, ended_at) <> 1', name=op.f('ck_point_rule_ended_by_at')),
        sa.CheckConstraint('points BETWEEN -1000 AND 1000 AND points <> 0', name=op.f('ck_point_rule_points_plausible')),
        sa.CheckConstraint('threshold_percent BETWEEN 1 AND 100', name=op.f('ck_point_rule_threshold_plausible')),
        sa.CheckConstraint('valid_until IS NULL OR valid_until > valid_from', name=op.f('ck_point_rule_period')),
        sa.PrimaryKeyConstraint('rule_id', name=op.f('pk_point_rule')),
    )
    op.create_table('convention',
        sa.Column('convention_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=False),
        sa.Column('agreed_on', sa.Date(), nullable=False),
        sa.Column('n_signed', sa.Integer(), nullable=False),
        sa.Column('n_households', sa.Integer(), nullable=False),
        sa.Column('recorded_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f('ck_convention_recorded_by_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_convention_township_code_form')),
        sa.CheckConstraint('n_households > 0 AND n_signed BETWEEN 0 AND n_households', name=op.f('ck_convention_signed_of_households')),
        sa.ForeignKeyConstraint(['grid_code'], ['grid.grid_code'], name=op.f('fk_convention_grid_code')),
        sa.PrimaryKeyConstraint('convention_id', name=op.f('pk_convention')),
    )
    op.create_index(op.f('ix_convention_township_code'), 'convention', ['township_code'], unique=False)
    op.create_table('practical_thing',
        sa.Column('thing_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('promised_on', sa.Date(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('recorded_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f('ck_practical_thing_recorded_by_given')),
        sa.CheckConstraint("btrim(title) <> ''", name=op.f('ck_practical_thing_title_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_practical_thing_township_code_form')),
        sa.CheckConstraint('due_on >= promised_on', name=op.f('ck_practical_thing_due_after_promise')),
        sa.ForeignKeyConstraint(['grid_code'], ['grid.grid_code'], name=op.f('fk_practical_thing_grid_code')),
        sa.PrimaryKeyConstraint('thing_id', name=op.f('pk_practical_thing')),
    )
    op.create_index(op.f('ix_practical_thing_township_code'), 'practical_thing', ['township_code'], unique=False)
    op.create_table('roster_update',
        sa.Column('update_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=False),
        sa.Column('updated_on', sa.Date(), nullable=False),
        sa.Column('updated_by', sa.Text(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(updated_by) <> ''", name=op.f('ck_roster_update_updated_by_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_roster_update_township_code_form')),
        sa.ForeignKeyConstraint(['grid_code'], ['grid.grid_code'], name=op.f('fk_roster_update_grid_code')),
        sa.PrimaryKeyConstraint('update_id', name=op.f('pk_roster_update')),
    )
    op.create_index(op.f('ix_roster_update_township_code'), 'roster_update', ['township_code'], unique=False)
    op.create_table('task_list',
        sa.Column('task_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=False),
        sa.Column('month', sa.Date(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('entered_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(entered_by) <> ''", name=op.f('ck_task_list_entered_by_given')),
        sa.CheckConstraint("btrim(title) <> ''", name=op.f('ck_task_list_title_given')),
        sa.CheckConstraint("kind IN ('publicity', 'visit')", name=op.f('ck_task_list_kind_known')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_task_list_township_code_form')),
        sa.CheckConstraint('extract(day FROM month) = 1', name=op.f('ck_task_list_month_first_day')),
        sa.ForeignKeyConstraint(['grid_code'], ['grid.grid_code'], name=op.f('fk_task_list_grid_code')),
        sa.PrimaryKeyConstraint('task_id', name=op.f('pk_task_list')),
        sa.UniqueConstraint('grid_code', 'month', 'kind', 'title', name=op.f('uq_task_list_grid_code_month_kind_title')),
    )
    op.create_index('ix_task_list_month', 'task_list', ['township_code', 'month'], unique=False)
    op.create_table('point_entry',
        sa.Column('entry_id', sa.Integer(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('staff_id', sa.Text(), nullable=False),
        sa.Column('month', sa.Date(), nullable=False),
        sa.Column('rule_code', sa.Text(), nullable=False),
        sa.Column('points', sa.Integer(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('entered_by', sa.Text(), nullable=False),
        sa.Column('approved_by', sa.Text(), nullable=False),
        sa.Column('counters_entry_id', sa.Integer(), nullable=True),
        sa.Column('counters_key', sa.Text(), nullable=True),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(approved_by) <> ''", name=op.f('ck_point_entry_approved_by_given')),
        sa.CheckConstraint("btrim(entered_by) <> ''", name=op.f('ck_point_entry_entered_by_given')),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f('ck_point_entry_reason_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_point_entry_township_code_form')),
        sa.CheckConstraint('extract(day FROM month) = 1', name=op.f('ck_point_entry_month_first_day')),
        sa.CheckConstraint('lower(btrim(entered_by)) <> lower(btrim(approved_by))', name=op.f('ck_point_entry_approved_by_another')),
        sa.CheckConstraint('num_nonnulls(counters_entry_id, counters_key) <= 1', name=op.f('ck_point_entry_counters_one')),
        sa.CheckConstraint('points BETWEEN -1000 AND 1000 AND points <> 0', name=op.f('ck_point_entry_points_plausible')),
        sa.ForeignKeyConstraint(['counters_entry_id'], ['point_entry.entry_id'], name=op.f('fk_point_entry_counters_entry_id')),
        sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_point_entry_staff_id')),
        sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_point_entry')),
        sa.UniqueConstraint('counters_entry_id', name=op.f('uq_point_entry_counters_entry_id')),
        sa.UniqueConstraint('township_code', 'counters_key', name=op.f('uq_point_entry_township_code_counters_key')),
    )
    op.create_index('ix_point_entry_month', 'point_entry', ['township_code', 'month'], unique=False)
    op.create_table('practical_step',
        sa.Column('step_id', sa.Integer(), nullable=False),
        sa.Column('thing_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('happened_on', sa.Date(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('recorded_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f('ck_practical_step_recorded_by_given')),
        sa.CheckConstraint("kind <> 'dropped' OR btrim(coalesce(reason, '')) <> ''", name=op.f('ck_practical_step_dropped_with_reason')),
        sa.CheckConstraint("kind IN ('begun', 'done', 'dropped')", name=op.f('ck_practical_step_kind_known')),
        sa.ForeignKeyConstraint(['thing_id'], ['practical_thing.thing_id'], name=op.f('fk_practical_step_thing_id')),
        sa.PrimaryKeyConstraint('step_id', name=op.f('pk_practical_step')),
        sa.UniqueConstraint('thing_id', 'kind', name=op.f('uq_practical_step_thing_id_kind')),
    )
    op.create_index('uq_practical_step_one_end', 'practical_step', ['thing_id'], unique=True, postgresql_where=sa.text("kind IN ('done', 'dropped')"))
    op.create_table('task_tick',
        sa.Column('tick_id', sa.Integer(), nullable=False),
        sa.Column('task_id', sa.Integer(), nullable=False),
        sa.Column('is_done', sa.Boolean(), nullable=False),
        sa.Column('ticked_by', sa.Text(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(ticked_by) <> ''", name=op.f('ck_task_tick_ticked_by_given')),
        sa.ForeignKeyConstraint(['task_id'], ['task_list.task_id'], name=op.f('fk_task_tick_task_id')),
        sa.PrimaryKeyConstraint('tick_id', name=op.f('pk_task_tick')),
    )
    op.create_index(op.f('ix_task_tick_task_id'), 'task_tick', ['task_id'], unique=False)
    op.create_table('opinion',
        sa.Column('incident_code', sa.Text(), nullable=False),
        sa.Column('township_code', sa.Text(), nullable=False),
        sa.Column('grid_code', sa.Text(), nullable=False),
        sa.Column('collected_by', sa.Text(), nullable=False),
        sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("btrim(collected_by) <> ''", name=op.f('ck_opinion_collected_by_given')),
        sa.CheckConstraint("township_code ~ '^[0-9]{9}$'", name=op.f('ck_opinion_township_code_form')),
        sa.ForeignKeyConstraint(['grid_code'], ['grid.grid_code'], name=op.f('fk_opinion_grid_code')),
        sa.ForeignKeyConstraint(['incident_code'], ['incident.incident_code'], name=op.f('fk_opinion_incident_code')),
        sa.PrimaryKeyConstraint('incident_code', name=op.f('pk_opinion')),
    )
    op.create_index(op.f('ix_opinion_township_code'), 'opinion', ['township_code'], unique=False)

    op.execute(FUNCTIONS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gridmap_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_refuse_change()"
        )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('ledgers')"
        )


def downgrade() -> None:
    for table in ("task_tick", "practical_step", *(t for t in TABLES if t not in ("task_tick", "practical_step"))):
        op.drop_table(table)
    op.execute("DROP FUNCTION gridmap_guard_point_rule()")
    op.execute("DROP FUNCTION gridmap_check_counter_entry()")
