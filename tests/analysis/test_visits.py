"""Visits: what counts as one, what was due, who was not there, and what nobody can tell."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.visits import (
    due_today,
    match_visits,
    span_instants,
    visit_calendar,
    visit_figures,
    visits_due,
)
from gridmap.errors import CrsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
METRIC = "EPSG:4547"
MONDAY = date(2026, 10, 5)


def _checkpoints(*rows: tuple) -> gpd.GeoDataFrame:
    """Rows: code, place, n, per, and, where needed, opened and closed day."""
    filled = [(*row, *(date(2025, 1, 1), None)[len(row) - 4 :]) for row in rows]
    codes, places, times, per, opened, closed = zip(*filled, strict=True)
    return gpd.GeoDataFrame(
        {
            "name": [f"点{code}" for code in codes],
            "n_visits_due": times,
            "per": per,
            "opened_on": opened,
            "closed_on": pd.Series(closed, dtype=object).tolist(),
        },
        index=list(codes),
        geometry=gpd.GeoSeries([shapely.Point(place) for place in places], index=list(codes), crs=METRIC),
    )


def _checkins(*rows: tuple) -> gpd.GeoDataFrame:
    """Rows: place or None, Shanghai time, exception, name of the place."""
    filled = [(*row, *[None] * (4 - len(row))) for row in rows]
    places, times, exceptions, names = zip(*filled, strict=True) if rows else ((), (), (), ())
    return gpd.GeoDataFrame(
        {
            "kind": "外出打卡",
            "exception": pd.Series(exceptions, dtype=object),
            "place": pd.Series(names, dtype=object),
            "happened_at": pd.to_datetime(list(times)).tz_localize(SHANGHAI).tz_convert("UTC"),
        },
        geometry=gpd.GeoSeries([None if place is None else shapely.Point(place) for place in places], crs=METRIC),
    )


A = ("a", (0, 0), 1, "week")
B = ("b", (1000, 0), 2, "month")


def test_a_check_in_near_an_open_checkpoint_is_a_visit_and_nothing_else_is():
    checkpoints = _checkpoints(A, B, ("c", (2000, 0), 1, "week", date(2026, 10, 8), date(2026, 10, 10)))
    checkins = _checkins(
        ((30, 40), "2026-10-05 09:00"),
        ((61, 0), "2026-10-05 09:00"),
        (None, "2026-10-05 09:00"),
        ((0, 0), "2026-10-05 09:00", "未打卡"),
        ((0, 0), "2026-10-05 09:00", "地点异常"),
        ((1000, 0), "2026-10-05 09:00", "时间异常"),
        ((2000, 0), "2026-10-07 23:59"),
        ((2000, 0), "2026-10-08 00:00"),
        ((2000, 0), "2026-10-10 00:00"),
    )
    visits = match_visits(checkins, checkpoints, reach_m=60, zone=SHANGHAI)
    assert visits["reason"].tolist() == [
        "visit", "too_far", "no_position", "no_position", "place_doubted", "visit", "not_open", "visit", "not_open",
    ]  # fmt: skip
    assert visits["checkpoint_code"].dropna().tolist() == ["a", "b", "c"]
    assert visits.loc[0, "distance_m"] == 50


def test_a_successor_on_the_same_spot_takes_the_visits_after_the_change():
    """Hand: the old point closes on the 8th, the new one stands 5 m beside it from then on."""
    checkpoints = _checkpoints(
        ("old", (0, 0), 1, "week", date(2025, 1, 1), date(2026, 10, 8)),
        ("new", (5, 0), 1, "week", date(2026, 10, 8), None),
    )
    visits = match_visits(
        _checkins(((0, 0), "2026-10-07 09:00"), ((0, 0), "2026-10-08 09:00")), checkpoints, reach_m=60, zone=SHANGHAI
    )
    assert visits["checkpoint_code"].tolist() == ["old", "new"]
    assert visits["distance_m"].tolist() == [0, 5]


@given(st.floats(1, 300), st.floats(0, 300), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=12))
def test_a_longer_reach_never_makes_fewer_visits(reach_m: float, more_m: float, places: list):
    checkins = _checkins(*((place, "2026-10-05 09:00") for place in places))
    few = match_visits(checkins, _checkpoints(A, B), reach_m=reach_m, zone=SHANGHAI)
    more = match_visits(checkins, _checkpoints(A, B), reach_m=reach_m + more_m, zone=SHANGHAI)
    assert (few["reason"] == "visit").sum() <= (more["reason"] == "visit").sum()
    expected = sum(min(np.hypot(x, y), np.hypot(x - 1000, y)) <= reach_m for x, y in places)
    assert (few["reason"] == "visit").sum() == expected


def test_what_is_due_follows_the_days_on_which_a_checkpoint_is_open():
    checkpoints = _checkpoints(
        ("weekly", (0, 0), 2, "week"),
        ("monthly", (0, 0), 3, "month"),
        ("opened", (0, 0), 7, "week", date(2026, 10, 30)),
        ("closed", (0, 0), 7, "week", date(2025, 1, 1), date(2026, 10, 3)),
    )
    due = visits_due(checkpoints, first_on=date(2026, 10, 1), last_on=date(2026, 10, 31))
    np.testing.assert_allclose(due, [2 * 31 / 7, 3, 2, 2])


@given(st.integers(0, 60), st.integers(0, 60))
def test_dues_of_spans_that_meet_add_up(first_days: int, second_days: int):
    checkpoints = _checkpoints(A, B, ("c", (0, 0), 3, "month", date(2026, 1, 20), date(2026, 3, 3)))
    start, middle = date(2026, 1, 10), date(2026, 1, 10) + timedelta(days=first_days)
    end = middle + timedelta(days=1 + second_days)
    both = visits_due(checkpoints, first_on=start, last_on=end)
    parts = visits_due(checkpoints, first_on=start, last_on=middle) + visits_due(
        checkpoints, first_on=middle + timedelta(days=1), last_on=end
    )
    np.testing.assert_allclose(both, parts)


def _visits(checkpoints: gpd.GeoDataFrame, *rows: tuple) -> pd.DataFrame:
    return match_visits(_checkins(*rows), checkpoints, reach_m=60, zone=SHANGHAI)


def test_states_say_who_was_not_there_and_what_is_unknown():
    checkpoints = _checkpoints(A, B, ("late", (2000, 0), 1, "week"), ("never", (3000, 0), 1, "week"))
    visits = _visits(
        checkpoints,
        ((0, 0), "2026-10-06 09:00"),
        ((0, 0), "2026-10-06 15:00"),
        ((2000, 0), "2026-09-01 09:00"),
    )
    week = {"first_on": MONDAY, "last_on": MONDAY + timedelta(days=6)}
    past = visit_figures(checkpoints, visits, **week, today=date(2026, 10, 20))
    assert past["state"].to_dict() == {"a": "visited", "b": "visited", "late": "missed", "never": "never"}
    assert past.loc["a", ["n_due", "n_made", "n_counted"]].tolist() == [1, 1, 1]
    silent = visit_figures(
        checkpoints, visits, first_on=date(2026, 8, 3), last_on=date(2026, 8, 9), today=date(2026, 10, 20)
    )
    assert set(silent["state"]) == {"unknown"}


def test_while_a_span_goes_on_only_what_should_be_done_by_yesterday_is_missed():
    checkpoints = _checkpoints(("daily", (0, 0), 7, "week"), ("weekly", (1000, 0), 1, "week"))
    visits = _visits(checkpoints, ((0, 0), "2026-10-05 09:00"), ((1000, 0), "2026-09-28 09:00"))
    figures = visit_figures(
        checkpoints, visits, first_on=MONDAY, last_on=MONDAY + timedelta(days=6), today=MONDAY + timedelta(days=3)
    )
    assert figures["state"].to_dict() == {"daily": "missed", "weekly": "waiting"}


def test_today_lists_what_the_rhythm_still_asks_for():
    checkpoints = _checkpoints(
        ("seen", (0, 0), 1, "week"),
        ("done_before", (1000, 0), 1, "week"),
        ("waiting", (2000, 0), 1, "month"),
        ("doubtful", (3000, 0), 1, "week"),
        ("closed", (4000, 0), 1, "week", date(2025, 1, 1), date(2026, 10, 1)),
    )
    today = MONDAY + timedelta(days=2)
    visits = _visits(
        checkpoints,
        ((0, 0), "2026-10-07 00:00"),
        ((1000, 0), "2026-10-05 09:00"),
        ((2000, 0), "2026-09-30 23:59"),
        (None, "2026-10-07 08:00", None, "点doubtful"),
    )
    due = due_today(checkpoints, visits, today=today)
    assert due["state"].to_dict() == {"seen": "visited", "waiting": "waiting", "doubtful": "unknown"}


def test_a_day_without_any_check_in_is_unknown_in_the_calendar():
    checkpoints = _checkpoints(A, B)
    visits = _visits(
        checkpoints, ((0, 0), "2026-10-05 09:00"), ((0, 0), "2026-10-05 10:00"), ((500, 0), "2026-10-06 09:00")
    )
    table = visit_calendar(
        visits, pd.Series({"a": "西村", "b": "东村"}), days=[MONDAY + timedelta(days=d) for d in range(3)]
    )
    assert table.loc["西村"].tolist()[:2] == [1.0, 0.0]
    assert table.loc["东村"].tolist()[:2] == [0.0, 0.0]
    assert table.iloc[:, 2].isna().all()


def test_a_span_is_from_midnight_to_midnight_in_shanghai():
    since, until = span_instants(date(2026, 10, 31), date(2026, 10, 31), zone=SHANGHAI)
    assert (since.isoformat(), until.isoformat()) == ("2026-10-31T00:00:00+08:00", "2026-11-01T00:00:00+08:00")


def test_wrong_spans_reaches_and_degrees_are_refused():
    checkpoints = _checkpoints(A)
    with pytest.raises(ValueError, match="last_on"):
        visits_due(checkpoints, first_on=MONDAY, last_on=MONDAY - timedelta(days=1))
    with pytest.raises(ValueError, match="reach_m"):
        match_visits(_checkins(), checkpoints, reach_m=0, zone=SHANGHAI)
    with pytest.raises(CrsError):
        match_visits(_checkins(), checkpoints.to_crs("EPSG:4490"), reach_m=60, zone=SHANGHAI)
