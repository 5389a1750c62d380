"""Rules that the database keeps itself: append-only facts, plans that hold, versions of the data"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("checkin", "incident", "incident_step")

TOPICS = {
    "area": "places",
    "household": "households",
    "household_need": "households",
    "path": "base_map",
    "water": "base_map",
    "label": "base_map",
    "checkpoint": "checkpoints",
    "checkin": "checkins",
    "incident": "incidents",
    "incident_step": "incidents",
    "category": "incidents",
    "staff": "staff",
    "posting": "staff",
    "unit": "places",
    "grid": "places",
    "plan": "places",
    "plan_unit": "places",
    "grid_exception": "places",
    "import_record": "imports",
}

FUNCTIONS = r"""
CREATE FUNCTION gridmap_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of "%" are never changed or deleted. Append a correction instead.', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION gridmap_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    INSERT INTO data_version AS known (topic, version, changed_at) VALUES (TG_ARGV[0], 1, clock_timestamp())
        ON CONFLICT (topic) DO UPDATE SET version = known.version + 1, changed_at = clock_timestamp()
        RETURNING version INTO raised;
    PERFORM pg_notify('gridmap', TG_ARGV[0] || ' ' || raised);
    RETURN NULL;
END $$;

CREATE FUNCTION gridmap_plan_faults(checked_plan_id integer)
    RETURNS TABLE (kind text, place text, measured double precision, detail text)
    LANGUAGE sql STABLE AS $$
    WITH checked AS (
        SELECT * FROM plan WHERE plan.plan_id = checked_plan_id
    ), assigned AS (
        SELECT unit.*, plan_unit.grid_code
        FROM plan_unit JOIN unit USING (unit_id) WHERE plan_unit.plan_id = checked_plan_id
    ), covered AS (
        SELECT village_code, ST_Union(geom) AS geom FROM assigned GROUP BY village_code
    ), housed AS (
        SELECT DISTINCT ON (household.household_code) household.household_code, part.grid_code
        FROM checked JOIN household USING (township_code)
        -- The tables themselves, not the list above: only they have the spatial index.
        LEFT JOIN (unit AS ground JOIN plan_unit AS part ON part.unit_id = ground.unit_id)
            ON ST_Covers(ground.geom, household.geom) AND part.plan_id = checked.plan_id
        ORDER BY household.household_code, ground.unit_code
    ), counted AS (
        SELECT grid_code, count(*) AS n_households FROM housed WHERE grid_code IS NOT NULL GROUP BY grid_code
    )
    SELECT 'empty', township_code, 0::double precision, 'no unit is assigned'
        FROM checked WHERE NOT EXISTS (SELECT FROM assigned)
    UNION ALL
    SELECT 'crosses_village', unit_code, NULL, 'unit ' || unit_code || ' lies outside the village of grid ' || grid_code
        FROM assigned WHERE left(grid_code, 12) <> village_code
    UNION ALL
    SELECT 'foreign_unit', unit_code, NULL, 'unit ' || unit_code || ' is not of this township'
        FROM assigned, checked WHERE assigned.township_code <> checked.township_code
    UNION ALL
    SELECT 'overlap', first.unit_code, ST_Area(shared::geography),
        format('units %s and %s overlap by %s m2', first.unit_code, second.unit_code,
               round(ST_Area(shared::geography)::numeric, 2))
        FROM plan_unit AS first_part
        JOIN unit AS first ON first.unit_id = first_part.unit_id
        JOIN unit AS second ON first.unit_id < second.unit_id AND ST_Intersects(first.geom, second.geom)
        JOIN plan_unit AS second_part
            ON second_part.unit_id = second.unit_id AND second_part.plan_id = first_part.plan_id
        CROSS JOIN LATERAL ST_CollectionExtract(ST_Intersection(first.geom, second.geom), 3) AS shared
        WHERE first_part.plan_id = checked_plan_id AND ST_Relate(first.geom, second.geom, 'T********')
          AND NOT ST_IsEmpty(shared) AND ST_Area(shared::geography) > 0.01
    UNION ALL
    SELECT 'gap', village.area_code, ST_Area(missing::geography),
        format('%s m2 of village %s belong to no grid', round(ST_Area(missing::geography)::numeric, 2), village.name)
        FROM checked
        JOIN area AS village ON village.township_code = checked.township_code AND village.level = 'village'
        LEFT JOIN covered ON covered.village_code = village.area_code
        CROSS JOIN LATERAL (
            SELECT CASE WHEN covered.geom IS NULL THEN village.geom
                   ELSE ST_CollectionExtract(ST_Difference(village.geom, covered.geom), 3) END AS missing
        ) AS difference
        WHERE NOT ST_IsEmpty(missing) AND ST_Area(missing::geography) > 1
    UNION ALL
    SELECT 'household_outside', household_code, NULL, 'household ' || household_code || ' lies in no grid'
        FROM housed WHERE grid_code IS NULL
    UNION ALL
    SELECT 'over_cap', counted.grid_code, n_households,
        format('grid %s holds %s households, more than %s, without a recorded exception',
               counted.grid_code, n_households, household_cap)
        FROM counted, checked
        WHERE n_households > household_cap AND NOT EXISTS (
            SELECT FROM grid_exception AS allowed
            WHERE allowed.plan_id = checked.plan_id AND allowed.grid_code = counted.grid_code
              AND (allowed.valid_until IS NULL OR allowed.valid_until >= checked.valid_from)
        )
$$;

CREATE FUNCTION gridmap_refuse_faulty_plan() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    current_state text;
    faults text;
BEGIN
    SELECT state INTO current_state FROM plan WHERE plan_id = NEW.plan_id;
    IF current_state IS DISTINCT FROM 'published' THEN RETURN NULL; END IF;
    SELECT string_agg(detail, '; ') INTO faults
        FROM (SELECT detail FROM gridmap_plan_faults(NEW.plan_id) LIMIT 10) AS first_faults;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'Plan % cannot be published: %.', NEW.plan_id, faults USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION gridmap_guard_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('published', 'retired') AND (
        TG_OP = 'DELETE' OR NEW.state NOT IN ('published', 'retired') OR NEW.valid_from <> OLD.valid_from
        OR NEW.township_code <> OLD.township_code OR NEW.household_cap <> OLD.household_cap
        OR (OLD.state = 'retired' AND NEW.state = 'published')
    ) THEN
        RAISE EXCEPTION 'Plan % was published: it can be retired, not changed or deleted.', OLD.plan_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION gridmap_guard_plan_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched integer[] := ARRAY[]::integer[];
BEGIN
    IF TG_OP <> 'INSERT' THEN touched := touched || OLD.plan_id; END IF;
    IF TG_OP <> 'DELETE' THEN touched := touched || NEW.plan_id; END IF;
    IF EXISTS (SELECT FROM plan WHERE plan_id = ANY (touched) AND state IN ('published', 'retired')) THEN
        RAISE EXCEPTION 'A published plan keeps its units and exceptions for ever. Draw a new plan.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION gridmap_guard_unit() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION gridmap_guard_grid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.grid_code <> OLD.grid_code OR (OLD.closed_on IS NOT NULL AND NEW.closed_on IS NULL) THEN
        RAISE EXCEPTION 'Grid code % is never reused, renamed or deleted. Close it with a date.', OLD.grid_code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER plan_guard BEFORE UPDATE OR DELETE ON plan FOR EACH ROW EXECUTE FUNCTION gridmap_guard_plan();
CREATE TRIGGER plan_unit_guard BEFORE INSERT OR UPDATE OR DELETE ON plan_unit
    FOR EACH ROW EXECUTE FUNCTION gridmap_guard_plan_part();
CREATE TRIGGER grid_exception_guard BEFORE INSERT OR UPDATE OR DELETE ON grid_exception
    FOR EACH ROW EXECUTE FUNCTION gridmap_guard_plan_part();
CREATE TRIGGER unit_guard BEFORE UPDATE OR DELETE ON unit FOR EACH ROW EXECUTE FUNCTION gridmap_guard_unit();
CREATE TRIGGER grid_guard BEFORE UPDATE OR DELETE ON grid FOR EACH ROW EXECUTE FUNCTION gridmap_guard_grid();
CREATE CONSTRAINT TRIGGER plan_holds AFTER INSERT OR UPDATE ON plan DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION gridmap_refuse_faulty_plan();
"""

GUARDED = {
    "plan_guard": "plan",
    "plan_unit_guard": "plan_unit",
    "grid_exception_guard": "grid_exception",
    "unit_guard": "unit",
    "grid_guard": "grid",
    "plan_holds": "plan",
}
FUNCTION_NAMES = (
    "gridmap_refuse_change()",
    "gridmap_raise_version()",
    "gridmap_plan_faults(integer)",
    "gridmap_refuse_faulty_plan()",
    "gridmap_guard_plan()",
    "gridmap_guard_plan_part()",
    "gridmap_guard_unit()",
    "gridmap_guard_grid()",
)


def upgrade() -> None:
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
    for table, topic in TOPICS.items():
        op.execute(
            f"CREATE TRIGGER {table}_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION gridmap_raise_version('{topic}')"
        )
    op.execute("INSERT INTO township_team (team_code, name) VALUES ('advice', '咨询服务'), ('livelihood', '民生通道'), "
               "('mediation', '矛调处理'), ('emergency', '应急处突'), ('civic', '文明实践')")
    op.execute("INSERT INTO service_need (need_code, name) VALUES ('living_alone', '独居老人'), "
               "('left_behind', '留守儿童'), ('disabled', '残疾人'), ('low_income', '低保')")


def downgrade() -> None:
    op.execute("DELETE FROM service_need")
    op.execute("DELETE FROM township_team")
    for table in TOPICS:
        op.execute(f"DROP TRIGGER {table}_version ON {table}")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    for trigger, table in GUARDED.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for function in FUNCTION_NAMES:
        op.execute(f"DROP FUNCTION {function}")
