"""Each visit has one class: it counts, or why not."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.analysis.visit_classes import CLASSES, EXCLUDED, judge_visits, of_team
from gridmap.analysis.visits import match_visits, possible_visits
from gridmap.errors import CrsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
METRIC = "EPSG:4547"
EAST, NORTH = 500_000.0, 3_090_000.0
GRID, VILLAGE, OTHER = "439901999201001", "439901999201", "439901999202001"
NOW = datetime(2026, 10, 31, 12, tzinfo=SHANGHAI)


def checkpoints(**changes: object) -> gpd.GeoDataFrame:
    row = {
        "name": "塘坝", "opened_on": date(2025, 1, 1), "closed_on": None, "grid_code": GRID, "hours_from": time(8),
        "hours_until": time(18), "season_from": "04-01", "season_until": "10-31", "least_stay_minutes": 10,
    } | changes  # fmt: skip
    return gpd.GeoDataFrame([row], index=["c"], geometry=[shapely.Point(EAST, NORTH)], crs=METRIC)


def checkins(*rows: tuple) -> gpd.GeoDataFrame:
    """Rows: metres east of the checkpoint or None, Shanghai time, account, more columns."""
    more = [row[3] if len(row) > 3 else {} for row in rows]
    return gpd.GeoDataFrame(
        {
            "kind": "外出打卡",
            "exception": pd.Series([one.get("exception") for one in more], dtype=object),
            "place": pd.Series([one.get("place") for one in more], dtype=object),
            "accuracy_m": pd.Series([one.get("accuracy_m") for one in more], dtype=float),
            "staff_id": pd.Series([row[2] for row in rows], dtype=object),
            "happened_at": pd.to_datetime([row[1] for row in rows]).tz_localize(SHANGHAI).tz_convert("UTC"),
        },
        geometry=[None if row[0] is None else shapely.Point(EAST + row[0], NORTH) for row in rows],
        crs=METRIC,
    )


POSTINGS = pd.DataFrame(
    [
        ("member", GRID, date(2026, 1, 1), None),
        ("gone", GRID, date(2026, 1, 1), date(2026, 10, 1)),
        ("village", VILLAGE, date(2026, 1, 1), None),
        ("team", None, date(2026, 1, 1), None),
        ("stranger", OTHER, date(2026, 1, 1), None),
    ],
    columns=["staff_id", "grid_code", "valid_from", "valid_until"],
)


def judge(rows: gpd.GeoDataFrame, points: gpd.GeoDataFrame, postings: pd.DataFrame = POSTINGS) -> pd.DataFrame:
    matched = match_visits(rows, points, reach_m=60, zone=SHANGHAI)
    return judge_visits(matched, points, postings, now=NOW, zone=SHANGHAI, far_m=5000)


def test_every_check_in_has_exactly_one_class():
    judged = judge(
        checkins(
            (10, "2026-10-05 09:00", "member"),
            (10, "2026-10-05 07:00", "member"),
            (10, "2026-10-05 19:00", "member"),
            (10, "2026-02-05 09:00", "member"),
            (10, "2026-10-05 09:00", "stranger"),
            (10, "2026-02-05 07:00", "stranger"),
            (10, "2026-10-05 09:00", "village"),
            (10, "2026-10-05 09:00", "team"),
            (10, "2026-09-30 09:00", "gone"),
            (10, "2026-10-01 09:00", "gone"),
            (10, "2026-10-31 12:01", "member"),
            (40_000, "2026-10-05 09:00", "member"),
            (400, "2026-10-05 09:00", "member"),
            (10, "2026-10-05 09:00", "member", {"accuracy_m": 61}),
            (10, "2026-10-05 09:00", "member", {"accuracy_m": 60}),
        ),
        checkpoints(),
    )
    assert judged["reason"].tolist() == [
        "visit", "early", "late", "out_of_season", "foreign", "foreign", "visit", "visit", "visit", "foreign", "future",
        "far_away", "too_far", "inaccurate", "visit",
    ]  # fmt: skip
    assert judged["checkpoint_code"].notna().tolist() == (judged["reason"] == "visit").tolist()
    assert set(judged["reason"]) <= {*CLASSES, *EXCLUDED}


def test_a_check_in_at_zero_degrees_never_counts():
    zero = gpd.GeoSeries([shapely.Point(0, 0)], crs="EPSG:4490").to_crs(METRIC)
    rows = checkins((10, "2026-10-05 09:00", "member")).set_geometry(zero)
    assert judge(rows, checkpoints())["reason"].iloc[0] in {"far_away", "no_position"}


def test_the_stay_of_a_single_check_in_is_unknown_and_not_too_short():
    assert judge(checkins((0, "2026-10-05 09:00", "member")), checkpoints(least_stay_minutes=600))[
        "reason"
    ].tolist() == ["visit"]


def test_a_track_that_cannot_have_stayed_long_enough_is_too_short():
    visits = match_visits(checkins((0, "2026-10-05 09:00", "member")), checkpoints(), reach_m=60, zone=SHANGHAI)
    for most_s, reason in ((599.0, "too_short"), (600.0, "visit"), (np.inf, "visit")):
        judged = judge_visits(
            visits.assign(stay_most_s=most_s), checkpoints(), POSTINGS, now=NOW, zone=SHANGHAI, far_m=5000
        )
        assert judged["reason"].tolist() == [reason]


def test_after_midnight_a_visit_belongs_to_the_evening_before():
    points = checkpoints(hours_from=time(20), hours_until=time(2), season_until="10-05")
    judged = judge(checkins((0, "2026-10-06 01:00", "member"), (0, "2026-10-06 21:00", "member")), points)
    assert judged["day"].tolist() == [date(2026, 10, 5), date(2026, 10, 6)]
    assert judged["reason"].tolist() == ["visit", "out_of_season"]


@pytest.mark.parametrize(
    ("grid_code", "postings"), [(None, POSTINGS), ("439901999201002", POSTINGS), (GRID, POSTINGS.iloc[:0])]
)
def test_where_nobody_is_posted_nobody_is_a_stranger(grid_code, postings):
    rows = pd.DataFrame({"staff_id": ["stranger"], "grid_code": [grid_code], "day": [date(2026, 10, 5)]})
    assert of_team(rows, postings).tolist() == [True]


def test_what_may_have_been_a_visit_is_found_and_nothing_else():
    rows = checkins(
        (None, "2026-10-05 09:00", "a", {"place": "塘坝"}),
        (None, "2026-10-05 09:00", "b", {"place": "塘坝 青石乡塘坝"}),
        (None, "2026-10-05 09:00", "c", {"place": "别处"}),
        (None, "2026-10-05 09:00", "k", {"place": "塘坝", "exception": "未打卡"}),
        (30, "2026-10-05 09:00", "d", {"exception": "地点异常"}),
        (300, "2026-10-05 09:00", "e", {"exception": "地点异常"}),
        (100, "2026-10-05 09:00", "f", {"accuracy_m": 50}),
        (120, "2026-10-05 09:00", "g", {"accuracy_m": 50}),
        (500, "2026-10-05 09:00", "h", {"accuracy_m": 450}),
        (100, "2026-10-05 09:00", "i"),
        (10, "2026-10-05 09:00", "j", {"accuracy_m": 20}),
    )
    matched = match_visits(rows, checkpoints(), reach_m=60, zone=SHANGHAI)
    possible = possible_visits(rows, matched, checkpoints(), reach_m=60)
    assert dict(zip(possible["staff_id"], possible["why"], strict=True)) == {
        "a": "named", "b": "named", "d": "doubted", "f": "accuracy", "h": "accuracy",
    }  # fmt: skip
    assert set(possible["place_code"]) == {"c"}


def test_places_in_degrees_are_refused():
    rows, points = checkins((10, "2026-10-05 09:00", "a")), checkpoints()
    matched = match_visits(rows, points, reach_m=60, zone=SHANGHAI)
    with pytest.raises(CrsError):
        possible_visits(rows.to_crs("EPSG:4490"), matched, points, reach_m=60)


def test_inputs_stay_as_they_were():
    rows, points = checkins((10, "2026-10-05 07:00", "member")), checkpoints()
    matched = match_visits(rows, points, reach_m=60, zone=SHANGHAI)
    before = matched.copy()
    judge_visits(matched, points, POSTINGS, now=NOW, zone=SHANGHAI, far_m=5000)
    pd.testing.assert_frame_equal(matched, before)
