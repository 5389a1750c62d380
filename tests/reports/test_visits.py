"""Verdicts, tables, people, calendars and door-to-door shares of the day that was counted by hand (`tests/busy.py`)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.analysis.visit_classes import CLASSES, EXCLUDED
from gridmap.reports.coverage import coverage_report
from gridmap.reports.live import patrol_report
from gridmap.reports.visits import KEPT_APART, VisitReport
from gridmap.store.writing import write_rows
from tests.busy import NOW
from tests.tiny import EAST_VILLAGE, GRIDS, TOWNSHIP, WEST_VILLAGE, at, metric_point, stored

ZONE = ZoneInfo("Asia/Shanghai")
RULE = {"checkpoint_reach_m": 60, "fix_accuracy_m": 20, "patrol_max_speed_kmh": 40, "far_checkin_m": 5000}
REACHES = {"cover_reach_m": 300}


def report(engine: Engine, **changed: object) -> VisitReport:
    span = {"first_on": date(2026, 10, 1), "last_on": date(2026, 10, 15), "duty": None, "village_code": None}
    options = {"township_code": TOWNSHIP, "now": NOW, "zone": ZONE, **span, **RULE, **REACHES}
    with engine.connect() as connection:
        return coverage_report(connection, **{**options, **changed}).visits


def check_in(engine: Engine, instant: datetime, east_m: float, north_m: float, who: str = "u1", **more: object) -> None:
    row = {
        "township_code": TOWNSHIP, "staff_id": who, "kind": "外出打卡", "happened_at": instant,
        "recorded_at": more.pop("recorded_at", instant), **more,
    }  # fmt: skip
    frame = gpd.GeoDataFrame([row], geometry=stored([metric_point(east_m, north_m)]))
    with engine.begin() as connection:
        write_rows(connection, "checkin", frame, key=["staff_id", "happened_at", "kind"], append_only=True)


def track(engine: Engine, *rows: tuple[datetime, float, float], who: str = "u1") -> None:
    instants, east, north = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame(
        {
            "track_code": "t1", "township_code": TOWNSHIP, "staff_id": who, "happened_at": instants,
            "recorded_at": instants, "accuracy_m": 10.0,
        },
        geometry=stored([metric_point(*place) for place in zip(east, north, strict=True)]),
    )  # fmt: skip
    with engine.begin() as connection:
        write_rows(connection, "track_fix", frame, key=["track_code", "happened_at"], append_only=True)


def visit_homes(engine: Engine, *rows: tuple[str, datetime]) -> None:
    codes, instants = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "household_code": codes, "township_code": TOWNSHIP, "staff_id": "u1", "happened_at": instants,
            "recorded_at": instants,
        }
    )  # fmt: skip
    with engine.begin() as connection:
        write_rows(connection, "home_visit", frame, key=["household_code", "happened_at"], append_only=True)


def verdicts_of(visits: VisitReport, code: str) -> list[str]:
    return visits.periods[visits.periods["checkpoint_code"] == code]["verdict"].tolist()


def test_verdicts_by_period(busy_engine: Engine):
    """Weeks from 28 September, 5 and 12 October; u1 of the first grid left traces on the 2nd, 12th and 15th.

    C1 (once a week) was seen on the 15th, C2 (twice) on the 12th only, three days are left; in the second week nobody of
    the grid was anywhere. C3 (once a month) was seen. Nobody is posted in C4's grid, so there anybody's trace counts.
    """
    visits = report(busy_engine)
    assert verdicts_of(visits, "C1") == ["not_visited", "cannot_tell", "visited"]
    assert verdicts_of(visits, "C2") == ["not_visited", "cannot_tell", "waiting"]
    assert verdicts_of(visits, "C3") == ["visited"]
    assert verdicts_of(visits, "C4") == ["not_visited", "cannot_tell", "not_visited"]
    assert (visits.kept.numerator, visits.kept.denominator) == (2, 6)
    assert (visits.cannot_tell.numerator, visits.cannot_tell.denominator) == (3, 9)


def test_the_check_ins_of_the_day_are_counted_in_every_cut(busy_engine: Engine):
    visits = report(busy_engine)
    assert visits.by_grid["n_made"].tolist() == [2, 1, 0]
    assert visits.by_village["n_made"].to_dict() == {WEST_VILLAGE: 3, EAST_VILLAGE: 0}
    assert visits.by_duty["n_made"].to_dict() == {"fire": 1, "flood": 1, "safety": 1, "service": 0}
    assert visits.by_day["n_made"].sum() == 3
    assert visits.people["n_made"].sum() == 3
    assert visits.grid_calendar["n_made"].sum() == visits.checkpoint_calendar["n_made"].sum() == 3
    for table in (visits.by_grid, visits.by_village, visits.by_duty):
        assert table["n_due"].sum() == 2 + 4 + 0 + 11
        assert table["n_periods"].sum() == len(visits.periods)
        assert table["n_never"].sum() == 1
    assert visits.by_grid["name"].tolist() == ["西村第1网格", "西村第2网格", "东村第1网格"]


def test_days_and_cells_without_a_trace_are_unknown(busy_engine: Engine):
    visits = report(busy_engine)
    known = visits.by_day.index[visits.by_day["is_known"]].tolist()
    assert known == [date(2026, 10, 2), date(2026, 10, 12), date(2026, 10, 15)]
    assert visits.by_day["n_made"].notna().tolist() == visits.by_day["is_known"].tolist()
    cells = visits.grid_calendar.set_index(["area", "first_on"])["n_made"]
    assert cells[GRIDS[0], date(2026, 10, 12)] == 1
    assert pd.isna(cells[GRIDS[0], date(2026, 10, 13)])
    assert (visits.calendar_per, visits.by_day["n_missed"].sum()) == ("day", 3)


def test_people_are_named_with_their_own_visits_only(busy_engine: Engine):
    check_in(busy_engine, at(14, 9), 2500, 1000, who="u3")
    people = report(busy_engine).people
    assert people.loc["u1", ["name", "n_made", "n_checkpoints", "n_days"]].tolist() == ["甲", 3, 3, 3]
    assert people.loc["u2", "n_made"] == 0
    assert people.loc["u3", "n_made"] == 1
    assert not {"geometry", "happened_at", "longitude", "latitude"} & set(people.columns)


def test_early_late_foreign_and_the_rest_are_kept_apart(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(
            text("UPDATE checkpoint SET hours_from = '08:00', hours_until = '18:00' WHERE checkpoint_code = 'C1'")
        )
    before = report(busy_engine)
    check_in(busy_engine, at(13, 7), 200, 1500)
    check_in(busy_engine, at(13, 19), 200, 1500)
    check_in(busy_engine, at(13, 12), 200, 1500, who="u3")
    after = report(busy_engine)
    row = after.checkpoints.loc["C1"]
    assert row[list(KEPT_APART)].to_dict() == {
        "n_early": 1, "n_late": 1, "n_out_of_season": 0, "n_too_short": 0, "n_foreign": 1,
    }  # fmt: skip
    assert after.by_duty["n_made"].tolist() == before.by_duty["n_made"].tolist()
    assert after.by_day.loc[date(2026, 10, 13), list(KEPT_APART)].sum() == 3
    assert after.people.loc["u3", "n_foreign"] == 1


def test_check_ins_that_cannot_be_true_never_count_and_are_told(busy_engine: Engine):
    before = report(busy_engine)
    check_in(busy_engine, NOW + timedelta(hours=1), 700, 1500, recorded_at=NOW - timedelta(hours=1))
    check_in(busy_engine, NOW + timedelta(days=30), 700, 1500, recorded_at=NOW - timedelta(hours=1))
    check_in(busy_engine, at(14, 9), 40_000, 1500)
    after = report(busy_engine)
    assert after.excluded[["future", "far_away"]].tolist() == [2, 1]
    assert (before.n_excluded.value, after.n_excluded.value) == (0, 3)
    assert after.by_duty["n_made"].tolist() == before.by_duty["n_made"].tolist()
    assert verdicts_of(after, "C2")[-1] == "waiting"
    assert after.excluded.index.tolist() == list(EXCLUDED)


def test_a_track_past_a_checkpoint_is_a_visit_and_one_that_may_have_passed_is_not(busy_engine: Engine):
    """On the 8th straight past C1, C2 lies within the way of the last gap of ten minutes."""
    track(busy_engine, (at(8, 9), 100, 1500), (at(8, 9) + timedelta(minutes=2), 200, 1500),
          (at(8, 9) + timedelta(minutes=4), 300, 1500), (at(8, 9) + timedelta(minutes=14), 900, 1700))  # fmt: skip
    visits = report(busy_engine)
    assert verdicts_of(visits, "C1")[1] == "visited"
    assert visits.by_day.loc[date(2026, 10, 8), ["n_made", "n_cannot_tell"]].tolist() == [1, 1]
    # C2 needs two: one possible visit is one too few, and now that u1 was out the week is not silent any more.
    assert verdicts_of(visits, "C2")[1] == "not_visited"
    with busy_engine.begin() as connection:
        connection.execute(text("UPDATE checkpoint SET n_visits_due = 1 WHERE checkpoint_code = 'C2'"))
    assert verdicts_of(report(busy_engine), "C2")[1] == "cannot_tell"


def test_a_stranger_s_track_proves_nothing(busy_engine: Engine):
    track(busy_engine, (at(8, 9), 100, 1500), (at(8, 10), 200, 1500), (at(8, 11), 300, 1500), who="u9")
    visits = report(busy_engine)
    assert verdicts_of(visits, "C1")[1] == "cannot_tell"
    assert visits.checkpoints.loc["C1", "n_foreign"] == 1
    cells = visits.checkpoint_calendar.set_index(["area", "first_on"])["n_cannot_tell"]
    assert [cells[code, date(2026, 10, 8)] for code in ("C1", "C2")] == [0, 0]


def test_a_track_counts_on_the_wall_too(busy_engine: Engine):
    options = {"township_code": TOWNSHIP, "now": NOW, "zone": ZONE, **RULE}
    with busy_engine.connect() as connection:
        before = patrol_report(connection, **options)
    track(busy_engine, (at(15, 9), 690, 1500), (at(15, 9) + timedelta(minutes=5), 705, 1500))
    with busy_engine.connect() as connection:
        after = patrol_report(connection, **options)
    assert (before.visited.value, after.visited.value) == (1, 2)


def test_door_to_door_shares_with_numerator_and_denominator(busy_engine: Engine):
    visit_homes(busy_engine, ("H-0-0", at(1, 0)), ("H-0-0", at(9, 10)), ("H-0-1", at(15, 11)), ("H-2-0", at(3, 9)))
    visits = report(busy_engine)
    assert (visits.door_to_door.numerator, visits.door_to_door.denominator) == (3, 18)
    assert visits.doors.loc[list(GRIDS), "n_visited"].tolist() == [2, 0, 1]
    assert visits.doors.loc[list(GRIDS), "n_households"].tolist() == [3, 4, 11]
    assert visits.door_month == date(2026, 10, 1)
    assert visits.door_months["month"].nunique() == 13
    assert report(busy_engine, village_code=EAST_VILLAGE).door_to_door.denominator == 11


def test_without_any_home_visit_the_share_is_unknown(busy_engine: Engine):
    visits = report(busy_engine)
    assert visits.door_to_door.value is None
    assert visits.doors["visited_share"].isna().all()


def test_without_any_check_in_nothing_is_said(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE checkin DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM checkin"))
    visits = report(busy_engine)
    assert set(visits.periods["verdict"]) <= {"cannot_tell", "waiting"}
    assert visits.kept.value is None
    assert visits.by_day["n_made"].isna().all()
    assert visits.by_duty["n_never"].isna().all()


@pytest.mark.parametrize("only", [{"duty": "flood"}, {"village_code": EAST_VILLAGE}, {"duty": "visit"}])
def test_filters_hold_everywhere(busy_engine: Engine, only: dict):
    visits = report(busy_engine, **only)
    codes = set(visits.checkpoints.index)
    assert codes == {"flood": {"C1"}, "visit": set()}.get(only.get("duty"), {"C4"})
    assert set(visits.periods["checkpoint_code"]) == codes
    assert set(visits.checkpoint_calendar["area"]) == codes
    assert len(CLASSES) == len(KEPT_APART) + 1


def test_a_long_span_is_shown_by_week(busy_engine: Engine):
    visits = report(busy_engine, first_on=date(2026, 8, 1))
    assert visits.calendar_per == "week"
    assert {day.weekday() for day in visits.grid_calendar["first_on"]} == {0}


def test_streaks_count_every_period_that_is_known(busy_engine: Engine):
    runs = report(busy_engine).checkpoints
    assert runs.loc["C1", ["run_kept", "run_missed", "longest_missed"]].tolist() == [1, 0, 1]
    assert runs.loc["C4", ["run_kept", "run_missed"]].tolist() == [0, 2]
