"""What the database holds of the ledgers, also against direct SQL."""

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.store.models.ledgers import APPEND_ONLY
from gridmap.store.schema import _config, schema_differences, upgrade_schema
from gridmap.store.versions import read_versions
from tests.busy import write_team
from tests.tiny import GRIDS, TOWNSHIP

RULE = (
    "INSERT INTO point_rule (township_code, rule_code, name, counts, points, valid_from, valid_until, recorded_by)"
    f" VALUES ('{TOWNSHIP}', 'visit', '巡查', 'patrol_visit', 1, '{{}}', {{}}, '甲')"
)
ENTRY = (
    "INSERT INTO point_entry (township_code, staff_id, month, rule_code, points, reason, entered_by, approved_by,"
    f" counters_entry_id, counters_key) VALUES ('{TOWNSHIP}', '{{staff}}', '2026-09-01', 'praise', {{points}}, '好',"
    " '{by}', '{approved}', {counters}, {key})"
)


def entry(*, staff="u1", points=3, by="甲", approved="乙", counters="NULL", key="NULL") -> str:
    return ENTRY.format(staff=staff, points=points, by=by, approved=approved, counters=counters, key=key)


@pytest.fixture
def team_engine(tiny_engine: Engine) -> Engine:
    with tiny_engine.begin() as connection:
        write_team(connection)
    return tiny_engine


def _do(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_models_and_migration_agree_also_after_a_way_back_and_forth(engine: Engine):
    assert schema_differences(engine) == []
    with engine.begin() as connection:
        command.downgrade(_config(connection), "0005")
    upgrade_schema(engine)
    assert schema_differences(engine) == []


def test_two_versions_of_one_rule_never_count_in_the_same_month(tiny_engine: Engine):
    _do(tiny_engine, RULE.format("2026-01-01", "'2026-09-01'"), RULE.format("2026-09-01", "NULL"))
    with pytest.raises(DBAPIError, match="ex_point_rule_no_overlap"):
        _do(tiny_engine, RULE.format("2026-08-01", "'2026-09-01'"))


SENSELESS_RULES = [
    ("'patrol_visit', 1", "'patrol_visit', 0"),
    ("'patrol_visit', 1", "'patrol_visit', -1"),
    ("'patrol_visit', 1", "'missed_due', 1"),
    ("'patrol_visit', 1", "'home_visit_share', 1"),
    ("'patrol_visit', 1", "'hours', 1"),
    ("2026-01-01", "2026-01-02"),
]


def test_a_rule_without_sense_is_refused(tiny_engine: Engine):
    for changed, said in SENSELESS_RULES:
        with pytest.raises(DBAPIError, match="ck_point_rule"):
            _do(tiny_engine, RULE.format("2026-01-01", "NULL").replace(changed, said))


def test_a_rule_is_ended_once_and_never_changed(tiny_engine: Engine):
    _do(tiny_engine, RULE.format("2026-01-01", "NULL"))
    for change in (
        "UPDATE point_rule SET points = 9",
        "UPDATE point_rule SET valid_until = '2026-09-01'",
        "UPDATE point_rule SET valid_until = '2026-09-01', ended_by = '甲', ended_at = now(), points = 2",
        "DELETE FROM point_rule",
    ):
        with pytest.raises(DBAPIError, match="never changed"):
            _do(tiny_engine, change)
    _do(tiny_engine, "UPDATE point_rule SET valid_until = '2026-09-01', ended_by = '甲', ended_at = now()")
    with pytest.raises(DBAPIError, match="never changed"):
        _do(tiny_engine, "UPDATE point_rule SET valid_until = '2027-09-01', ended_by = '甲', ended_at = now()")


def test_who_enters_does_not_approve(team_engine: Engine):
    for by, approved in (("甲", "甲"), ("Li", " li "), ("甲", " ")):
        with pytest.raises(DBAPIError, match="ck_point_entry"):
            _do(team_engine, entry(by=by, approved=approved))
    _do(team_engine, entry())


def test_a_counter_entry_takes_back_one_entry_once_and_as_it_is(team_engine: Engine):
    _do(team_engine, entry())
    for wrong in (entry(points=-2, counters=1), entry(points=-3, staff="u2", counters=1)):
        with pytest.raises(DBAPIError, match="as it is"):
            _do(team_engine, wrong)
    _do(team_engine, entry(points=-3, counters=1))
    again = "SELECT max(entry_id) FROM point_entry WHERE counters_entry_id IS NOT NULL"
    with pytest.raises(DBAPIError, match="uq_point_entry_counters_entry_id"):
        _do(team_engine, entry(points=-3, counters=1))
    with pytest.raises(DBAPIError, match="counter-entry itself"):
        _do(team_engine, entry(points=3, counters=f"({again})"))
    _do(team_engine, entry(points=-1, key="'k'"))
    with pytest.raises(DBAPIError, match="counters_key"):
        _do(team_engine, entry(points=-1, key="'k'"))


def _fill(engine: Engine) -> None:
    town, grid = TOWNSHIP, GRIDS[0]
    _do(
        engine,
        entry(),
        "INSERT INTO point_freeze (township_code, month, number, known_at, frozen_by, digest, result)"
        f" VALUES ('{town}', '2026-09-01', 1, now(), '甲', 'd', '{{}}')",
        "INSERT INTO task_list (township_code, grid_code, month, kind, title, entered_by)"
        f" VALUES ('{town}', '{grid}', '2026-09-01', 'visit', '走访', '甲')",
        "INSERT INTO task_tick (task_id, is_done, ticked_by) SELECT task_id, true, '甲' FROM task_list",
        "INSERT INTO convention (township_code, grid_code, agreed_on, n_signed, n_households, recorded_by)"
        f" VALUES ('{town}', '{grid}', '2026-01-01', 2, 3, '甲')",
        "INSERT INTO practical_thing (township_code, grid_code, title, promised_on, due_on, recorded_by)"
        f" VALUES ('{town}', '{grid}', '路灯', '2026-01-01', '2026-06-01', '甲')",
        "INSERT INTO practical_step (thing_id, kind, happened_on, recorded_by)"
        " SELECT thing_id, 'done', '2026-05-01', '甲' FROM practical_thing",
        "INSERT INTO category (category_code, list_year, kind, name, is_private, valid_from)"
        " VALUES ('R1', 2026, 'request', '诉求', false, '2026-01-01')",
        "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, happened_at, recorded_at)"
        f" VALUES ('I1', '{town}', 'R1', 2026, 'normal', now(), now())",
        "INSERT INTO opinion (incident_code, township_code, grid_code, collected_by)"
        f" VALUES ('I1', '{town}', '{grid}', '甲')",
        "INSERT INTO roster_update (township_code, grid_code, updated_on, updated_by)"
        f" VALUES ('{town}', '{grid}', '2026-05-01', '甲')",
        "INSERT INTO people_snapshot (township_code, month, group_code, grid_code, n_households, n_residents,"
        " n_living_alone, n_left_behind, n_disabled, n_low_income, taken_by)"
        f" VALUES ('{town}', '2026-09-01', 'g', '{grid}', 3, 6, 0, 0, 0, 0, '甲')",
    )


def test_facts_of_the_ledgers_are_never_changed_deleted_or_emptied_and_raise_the_version(team_engine: Engine):
    _fill(team_engine)
    with team_engine.connect() as connection:
        assert read_versions(connection)["ledgers"] >= len(APPEND_ONLY)
    for table in APPEND_ONLY:
        for change in (f"UPDATE {table} SET recorded_at = now()", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DBAPIError, match="never changed or deleted"):
                _do(team_engine, change)


def test_a_practical_thing_ends_once_and_is_dropped_with_a_reason(team_engine: Engine):
    _fill(team_engine)
    step = (
        "INSERT INTO practical_step (thing_id, kind, happened_on, reason, recorded_by)"
        " SELECT thing_id, 'dropped', '2026-05-02', {}, '甲' FROM practical_thing"
    )
    with pytest.raises(DBAPIError, match="dropped_with_reason"):
        _do(team_engine, step.format("' '"))
    with pytest.raises(DBAPIError, match="one_end"):
        _do(team_engine, step.format("'没钱'"))
