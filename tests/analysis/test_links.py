"""Incidents found at checkpoints: by the same person that day, at the time of a visit, and never far away."""

from datetime import UTC, datetime, timedelta, timezone

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.links import linked_incidents
from gridmap.errors import CrsError

ZONE = timezone(timedelta(hours=8))
METRIC = "EPSG:4547"
NOON = datetime(2026, 9, 7, 4, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)


def incidents(*rows: tuple) -> gpd.GeoDataFrame:
    codes, at, reporters, points = zip(*rows, strict=True) if rows else ((), (), (), ())
    return gpd.GeoDataFrame(
        {"happened_at": pd.to_datetime(list(at), utc=True), "reporter": list(reporters)},
        index=pd.Index(codes, name="incident_code", dtype=object),
        geometry=[None if xy is None else shapely.Point(xy) for xy in points],
        crs=METRIC,
    )


def visits(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["place_code", "staff_id", "happened_at", "reason"])
    table["happened_at"] = pd.to_datetime(table["happened_at"], utc=True)
    return table.assign(day=[at.tz_convert(ZONE).date() for at in table["happened_at"]])


CHECKPOINTS = gpd.GeoDataFrame(
    index=pd.Index(["C1", "C2"], dtype=object), geometry=[shapely.Point(0, 0), shapely.Point(100, 0)], crs=METRIC
)


def links(found: gpd.GeoDataFrame, made: pd.DataFrame, *, reach_m: float = 60, points: gpd.GeoDataFrame = CHECKPOINTS):
    return linked_incidents(found, made, points, reach_m=reach_m, within=TWO_HOURS, zone=ZONE)


def test_each_way_by_hand():
    found = incidents(
        ("same person", NOON, "u1", (10, 0)),
        ("same time", NOON + timedelta(hours=2), "u2", (0, 20)),
        ("too late", NOON + timedelta(hours=2, seconds=1), "u2", (0, 20)),
        ("too far", NOON, "u1", (0, 61)),
        ("nowhere", NOON, "u1", None),
        ("nobody said who", NOON, None, (99, 0)),
    )
    made = visits(("C1", "u1", NOON, "visit"), ("C2", "u1", NOON - timedelta(hours=5), "late"))
    table = links(found, made)
    assert table["how"].to_dict() == {"same person": "same_person", "same time": "same_time"}
    assert table["checkpoint_code"].tolist() == ["C1", "C1"]
    assert table["distance_m"].tolist() == [10, 20]


def test_the_nearest_that_was_visited_counts_and_a_day_ends_at_the_townships_midnight():
    evening = datetime(2026, 9, 7, 15, 59, tzinfo=UTC)
    found = incidents(("I", evening, "u1", (48, 0)))
    both = visits(("C1", "u1", NOON, "visit"), ("C2", "u1", NOON, "visit"))
    assert links(found, both)["checkpoint_code"].tolist() == ["C1"]
    assert links(found, both.iloc[1:])["checkpoint_code"].tolist() == ["C2"]
    next_day = incidents(("I", evening + timedelta(minutes=2), "u1", (48, 0)))
    assert links(next_day, both).empty


def test_what_is_no_visit_links_nothing():
    found = incidents(("I", NOON, "u1", (0, 0)))
    assert links(found, visits((None, "u1", NOON, "too_far"))).empty
    assert links(found, visits(("C1", "u1", NOON, "future"))).empty
    assert links(incidents(), visits(("C1", "u1", NOON, "visit"))).empty
    assert links(found, visits(("C1", "u1", NOON, "visit")), points=CHECKPOINTS.iloc[:0]).empty


DRAWN = st.lists(
    st.tuples(st.integers(-150, 250), st.integers(0, 12), st.sampled_from(["u1", "u2", None])), min_size=1, max_size=8
)


@given(DRAWN, DRAWN, st.integers(1, 120), st.integers(1, 120))
def test_as_a_plain_loop_says_and_a_longer_reach_never_links_fewer(found, made, one, other):
    table = incidents(*((f"I{k}", NOON + timedelta(hours=h), who, (x, 0)) for k, (x, h, who) in enumerate(found)))
    rounds = visits(*(("C1" if x < 50 else "C2", who, NOON + timedelta(hours=h), "visit") for x, h, who in made))
    near, far = sorted((one, other))
    answer = links(table, rounds, reach_m=near)
    for code, row in table.iterrows():
        fits = []
        for place, at in (("C1", 0), ("C2", 100)):
            mine = rounds[rounds["place_code"] == place]
            day = row["happened_at"].tz_convert(ZONE).date()
            same = ((mine["staff_id"] == row["reporter"]) & (mine["day"] == day)).any() and row["reporter"] is not None
            timely = (abs(mine["happened_at"] - row["happened_at"]) <= TWO_HOURS).any()
            gap = abs(row.geometry.x - at)
            if gap <= near and (same or timely):
                fits.append((gap, place))
        assert (code in answer.index) == bool(fits)
        if fits:
            assert answer.loc[code, "checkpoint_code"] == min(fits)[1]
    assert set(answer.index) <= set(links(table, rounds, reach_m=far).index)


def test_impossible_questions_are_refused():
    found = incidents(("I", NOON, "u1", (0, 0)))
    with pytest.raises(ValueError, match="reach_m"):
        links(found, visits(("C1", "u1", NOON, "visit")), reach_m=0)
    with pytest.raises(CrsError):
        links(found.to_crs("EPSG:4490"), visits(("C1", "u1", NOON, "visit")))
    assert not np.isnan(links(found, visits(("C1", "u1", NOON, "visit")))["distance_m"]).any()
