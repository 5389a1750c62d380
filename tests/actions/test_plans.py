"""Plans from branch to publication on a real database: what is saved, refused, in force, and seen by the second planner."""

from datetime import UTC, date, datetime

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.actions.plans import (
    Actor,
    StaleDraftError,
    allow_exception,
    branch_plan,
    publish_plan,
    return_plan,
    save_draft,
    submit_plan,
)
from gridmap.errors import ConflictError, InfeasibleError, InputError
from gridmap.planning.together import bring_together
from gridmap.reports.plans import Board, plan_board, plans_report
from gridmap.reports.workload import workload_report
from gridmap.store.places import read_grids
from tests.tiny import EAST_M, GRIDS, GROUPS, NORTH_M, PLAN_FROM, TOWNSHIP

LI = Actor(name="李规划", at=datetime(2026, 11, 1, 8, tzinfo=UTC))
WANG = Actor(name="王规划", at=datetime(2026, 11, 2, 8, tzinfo=UTC))
NEXT = date(2026, 12, 1)
UNITS = tuple(group + "00" for group in GROUPS)


def _open(connection: Connection, plan_id: int) -> Board:
    return plan_board(connection, township_code=TOWNSHIP, plan_id=plan_id, barrier_slip_m=0.5)


def _in_force(connection: Connection) -> int:
    return int(connection.execute(text("SELECT plan_id FROM plan WHERE state = 'published'")).scalar_one())


def _branch(connection: Connection) -> Board:
    board = _open(connection, _in_force(connection))
    return _open(connection, branch_plan(connection, board, name="冬季调整", actor=LI))


def _publish(connection: Connection, plan_id: int, day: date = NEXT) -> None:
    publish_plan(connection, township_code=TOWNSHIP, plan_id=plan_id, valid_from=day, barrier_slip_m=0.5, actor=WANG)


def _cut(east_m: float) -> shapely.LineString:
    return shapely.LineString([(EAST_M + east_m, NORTH_M - 10), (EAST_M + east_m, NORTH_M + 2010)])


def test_a_branch_begins_as_the_plan_stands(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
    assert (board.state, board.owner, board.revision) == ("draft", "李规划", 0)
    assert dict(zip(board.units.names, board.begun, strict=True)) == dict(
        zip(UNITS, (GRIDS[0], GRIDS[1], GRIDS[2], GRIDS[2]), strict=True)
    )
    assert board.units.weights.tolist() == [3, 4, 5, 6]


def test_edits_are_saved_and_replayed(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft = board.draft()
        draft.move([UNITS[0]], GRIDS[1])
        pieces = (UNITS[3][:14] + "01", UNITS[3][:14] + "02")
        draft.cut(UNITS[3], _cut(3350), pieces=pieces, homes=board.homes_of[UNITS[3]])
        assert save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI) == 1
        again = _open(connection, board.plan_id)
    assert again.draft().plan == draft.plan
    assert again.draft().log == draft.log
    assert [again.draft().unit_weight(piece) for piece in pieces] == [3, 3]


def test_the_second_planner_sees_what_the_first_saved_and_both_come_together(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
    mine, theirs = board.draft(), board.draft()
    theirs.move([UNITS[0]], GRIDS[1])
    mine.open(GRIDS[2][:12] + "002")
    mine.move([UNITS[3]], GRIDS[2][:12] + "002")
    mine.move([UNITS[0]], GRIDS[2])
    with tiny_engine.begin() as connection:
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=theirs.log, actor=WANG)
    with tiny_engine.begin() as connection, pytest.raises(StaleDraftError):
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=mine.log, actor=LI)
    with tiny_engine.begin() as connection:
        newest = _open(connection, board.plan_id)
        assert newest.draft().log == theirs.log
        both = bring_together(newest.units, newest.begun, mine=mine.log, theirs=newest.draft().log)
        assert dict(both.conflicts) == {UNITS[0]: GRIDS[2]}
        assert both.draft.plan == {**theirs.plan, UNITS[3]: GRIDS[2][:12] + "002"}
        save_draft(connection, plan_id=board.plan_id, revision=newest.revision, edits=both.draft.log, actor=LI)
        history = plans_report(connection, township_code=TOWNSHIP).history
    assert history["kind"].tolist() == ["saved", "saved", "branched"]
    assert history["done_by"].tolist() == ["李规划", "王规划", "李规划"]


def test_a_published_plan_is_in_force_from_its_day_and_the_one_before_until_then(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft = board.draft()
        draft.move([UNITS[0]], GRIDS[1])
        draft.retire(GRIDS[0])
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI)
        submit_plan(connection, plan_id=board.plan_id, revision=1, actor=LI)
    with tiny_engine.begin() as connection:
        _publish(connection, board.plan_id)
    with tiny_engine.connect() as connection:
        before = read_grids(connection, township_code=TOWNSHIP, on=date(2026, 11, 30))
        after = read_grids(connection, township_code=TOWNSHIP, on=NEXT)
        closed = connection.execute(text("SELECT closed_on FROM grid WHERE grid_code = :code"), {"code": GRIDS[0]})
        assert closed.scalar() == NEXT
    assert before.index.tolist() == list(GRIDS)
    assert after.index.tolist() == list(GRIDS[1:])
    assert PLAN_FROM < NEXT


def test_a_name_given_in_a_draft_stands_from_its_publication(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft, new = board.draft(), GRIDS[2][:12] + "002"
        draft.open(new)
        draft.move([UNITS[3]], new)
        draft.relabel(new, "河东网格")
        draft.relabel(GRIDS[0], "河西网格")
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI)
        submit_plan(connection, plan_id=board.plan_id, revision=1, actor=LI)
        assert "河西网格" not in set(connection.execute(text("SELECT name FROM grid")).scalars())
        _publish(connection, board.plan_id)
        names = dict(connection.execute(text("SELECT grid_code, name FROM grid")).all())
    assert (names[new], names[GRIDS[0]], names[GRIDS[1]]) == ("河东网格", "河西网格", board.grid_names[GRIDS[1]])


def test_a_cut_becomes_two_units_whose_borders_match_to_the_last_digit(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft = board.draft()
        line = shapely.LineString([(EAST_M + 1990, NORTH_M + 700), (EAST_M + 3010, NORTH_M + 1300)])
        pieces = (UNITS[2][:14] + "01", UNITS[2][:14] + "02")
        draft.cut(UNITS[2], line, pieces=pieces, homes=board.homes_of[UNITS[2]])
        new = GRIDS[2][:12] + "002"
        draft.open(new)
        draft.move([pieces[1]], new)
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI)
        submit_plan(connection, plan_id=board.plan_id, revision=1, actor=LI)
    with tiny_engine.begin() as connection:
        _publish(connection, board.plan_id)
    with tiny_engine.connect() as connection:
        units = gpd.read_postgis(
            "SELECT unit_code, geom FROM unit WHERE retired_on IS NULL ORDER BY 1", connection, crs=4490
        )
        n_before = len(read_grids(connection, township_code=TOWNSHIP, on=PLAN_FROM))
        retired = connection.execute(text("SELECT unit_code, retired_on FROM unit WHERE retired_on IS NOT NULL")).one()
        name = connection.execute(text("SELECT name FROM grid WHERE grid_code = :code"), {"code": new}).scalar()
    assert tuple(retired) == (UNITS[2], NEXT)
    assert units["unit_code"].tolist() == sorted([UNITS[0], UNITS[1], UNITS[3], *pieces])
    assert shapely.coverage_is_valid(units.geometry.to_numpy())
    assert (n_before, name) == (3, "东村第2网格")


def test_a_plan_that_breaks_rules_is_not_published_and_nothing_changes(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft = board.draft()
        draft.move([UNITS[0]], GRIDS[2])
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI)
        submit_plan(connection, plan_id=board.plan_id, revision=1, actor=LI)
    with tiny_engine.begin() as connection, pytest.raises(InfeasibleError) as refused:
        _publish(connection, board.plan_id)
    kinds = {breach.kind for breach in refused.value.reason["violations"]}
    assert kinds == {"crosses_within", "not_contiguous"}
    with tiny_engine.begin() as connection:
        assert _in_force(connection) == board.based_on
        return_plan(connection, plan_id=board.plan_id, actor=WANG, note="跨村")
        assert _open(connection, board.plan_id).state == "draft"


def test_a_grid_over_the_cap_needs_an_exception(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        connection.execute(text("UPDATE plan SET household_cap = 8 WHERE plan_id = :id"), {"id": board.plan_id})
        submit_plan(connection, plan_id=board.plan_id, revision=0, actor=LI)
        board = _open(connection, board.plan_id)
    with tiny_engine.begin() as connection, pytest.raises(InfeasibleError):
        _publish(connection, board.plan_id)
    with tiny_engine.begin() as connection, pytest.raises(InputError):
        allow_exception(connection, board, grid_code=GRIDS[2], reason=" ", valid_until=None, actor=WANG)
    with tiny_engine.begin() as connection:
        allow_exception(
            connection, board, grid_code=GRIDS[2], reason="山地分散", valid_until=date(2026, 11, 30), actor=WANG
        )
    with tiny_engine.begin() as connection, pytest.raises(InfeasibleError):  # over before the plan begins
        _publish(connection, board.plan_id)
    with tiny_engine.begin() as connection:
        allow_exception(connection, board, grid_code=GRIDS[2], reason="山地分散", valid_until=None, actor=WANG)
        _publish(connection, board.plan_id)
        assert _in_force(connection) == board.plan_id


def test_a_submitted_plan_is_edited_no_more_also_by_direct_sql(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        submit_plan(connection, plan_id=board.plan_id, revision=0, actor=LI)
    with tiny_engine.begin() as connection, pytest.raises(StaleDraftError):
        save_draft(connection, plan_id=board.plan_id, revision=1, edits=(), actor=LI)
    statement = text("INSERT INTO plan_edit (plan_id, number, edit) VALUES (:id, 1, '{}')")
    with pytest.raises(DBAPIError, match="Only a draft is edited"), tiny_engine.begin() as connection:
        connection.execute(statement, {"id": board.plan_id})
    with pytest.raises(DBAPIError, match="never changed"), tiny_engine.begin() as connection:
        connection.execute(text("DELETE FROM plan_event"))


def test_a_plan_begun_before_another_came_into_force_is_refused(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        first, second = _branch(connection), _branch(connection)
        for board in (first, second):
            submit_plan(connection, plan_id=board.plan_id, revision=0, actor=LI)
    with tiny_engine.begin() as connection:
        _publish(connection, first.plan_id)
    with tiny_engine.begin() as connection, pytest.raises(ConflictError):
        _publish(connection, second.plan_id, date(2027, 1, 1))


def test_a_first_day_before_the_plan_in_force_is_refused(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        submit_plan(connection, plan_id=board.plan_id, revision=0, actor=LI)
    with tiny_engine.begin() as connection, pytest.raises(ConflictError):
        _publish(connection, board.plan_id, PLAN_FROM)


def test_a_draft_saved_leaves_the_map_of_the_wall_alone(tiny_engine: Engine):
    def version(topic: str) -> int:
        with tiny_engine.connect() as connection:
            found = connection.execute(text("SELECT version FROM data_version WHERE topic = :topic"), {"topic": topic})
            return int(found.scalar() or 0)

    places, plans = version("places"), version("plans")
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=(), actor=LI)
    assert version("places") == places
    assert version("plans") > plans
    assert pd.notna(plans)


def test_a_past_span_is_counted_by_the_grids_of_its_time_and_on_demand_by_todays(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        board = _branch(connection)
        draft = board.draft()
        draft.move([UNITS[0]], GRIDS[1])
        draft.retire(GRIDS[0])
        save_draft(connection, plan_id=board.plan_id, revision=0, edits=draft.log, actor=LI)
        submit_plan(connection, plan_id=board.plan_id, revision=1, actor=LI)
        _publish(connection, board.plan_id)

    def households(last_on: date, *, by_todays_plan: bool) -> dict[str, int]:
        with tiny_engine.connect() as connection:
            report = workload_report(
                connection,
                township_code=TOWNSHIP,
                first_on=last_on.replace(day=1),
                last_on=last_on,
                now=datetime(2026, 12, 20, tzinfo=UTC),
                zone=UTC,
                household_cap=100,
                near_cap_share=0.9,
                checkpoint_reach_m=50,
                fix_accuracy_m=20,
                patrol_max_speed_kmh=40,
                far_checkin_m=5000,
                due_soon_hours=24,
                by_todays_plan=by_todays_plan,
            )
        assert report.is_past_plan == (last_on < NEXT and not by_todays_plan)
        return {str(code): int(n) for code, n in report.grids["n_households"].items()}

    november, december = date(2026, 11, 30), date(2026, 12, 19)
    assert households(november, by_todays_plan=False) == dict(zip(GRIDS, (3, 4, 11), strict=True))
    todays = {GRIDS[1]: 7, GRIDS[2]: 11}
    assert households(november, by_todays_plan=True) == todays
    assert households(december, by_todays_plan=False) == todays
