"""How long ago somebody passed the homes of the tiny township, counted by hand.

On 15 October C1 (200, 1500) and C2 (700, 1500) lie 500 m off the lane, too far to be on it; C3 (1500, 1500) as well. One more check-in
is written on the lane itself, at 300 m from the west, on the 10th: it passes the homes at 200, 300 and at no other within 100 m.
"""

from zoneinfo import ZoneInfo

import geopandas as gpd
import pytest
from sqlalchemy import Engine, text

from gridmap.reports.patrolled import PatrolledReport, patrolled_report
from gridmap.store.writing import write_rows
from tests.busy import NOW
from tests.tiny import GRIDS, GROUPS, TOWNSHIP, at, metric_point, stored


def _report(engine: Engine, *, reach_m: float = 100.0) -> PatrolledReport:
    with engine.connect() as connection:
        return patrolled_report(
            connection,
            township_code=TOWNSHIP,
            now=NOW,
            zone=ZoneInfo("Asia/Shanghai"),
            patrolled_days=30,
            patrol_pass_m=reach_m,
            long_unpatrolled_days=20,
            checkpoint_reach_m=60.0,
            path_attach_m=300.0,
            path_snap_m=0.5,
        )


@pytest.fixture
def walked_engine(busy_engine: Engine) -> Engine:
    frame = {
        "township_code": [TOWNSHIP],
        "staff_id": "u1",
        "kind": "外出打卡",
        "happened_at": at(10, 9),
        "recorded_at": at(10, 9),
    }
    rows = gpd.GeoDataFrame(frame, geometry=stored([metric_point(300, 1000)]))
    with busy_engine.begin() as connection:
        write_rows(connection, "checkin", rows, key=["staff_id", "happened_at", "kind"], append_only=True)
    return busy_engine


def test_homes_near_the_fix_were_passed_that_day(walked_engine: Engine):
    homes = _report(walked_engine).households
    passed = homes[homes["state"] == "passed"]
    assert passed.index.tolist() == ["H-0-1", "H-0-2"]
    assert (passed["days_since"] == 5).all()
    assert (homes[homes["state"] == "never"]["days_since"] == 30).all()


def test_sums_by_grid_and_group(walked_engine: Engine):
    report = _report(walked_engine)
    assert report.grids.loc[GRIDS[0], "household_days"] == 5 + 5 + 30
    assert report.grids.index[0] == GRIDS[2]
    assert report.groups.loc[GROUPS[0], "n_long"] == 1
    assert report.groups.loc[GROUPS[3], "n_long"] == 6
    assert (report.long_share.numerator, report.long_share.denominator) == (16, 18)
    assert report.mean_days.value == pytest.approx((5 + 5 + 16 * 30) / 18)


def test_lanes_are_those_with_homes_passed_long_ago(walked_engine: Engine):
    lanes = _report(walked_engine).lanes
    assert lanes["n_households"].tolist() == [16]
    assert lanes["days_since"].tolist() == [30]


def test_a_longer_reach_never_leaves_more_days(walked_engine: Engine):
    days = [_report(walked_engine, reach_m=reach).households["days_since"].sum() for reach in (50, 100, 300, 2000)]
    assert days == sorted(days, reverse=True)


def test_without_any_patrol_nothing_is_known(busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE checkin DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM checkin"))
    report = _report(busy_engine)
    assert report.mean_days.value is None
    assert report.long_share.value is None
    assert report.lanes.empty
