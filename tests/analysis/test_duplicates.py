"""Likely duplicates: by hand, against a plain loop, greater limits never lose one."""

from datetime import datetime, timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.duplicates import likely_duplicates
from gridmap.errors import CrsError
from tests.tiny import METRIC, at

NOON = at(15, 12)
HERE = shapely.Point(0, 0)


def _others(*rows: tuple[str, str, str, str | None, float, tuple[float, float] | None]) -> gpd.GeoDataFrame:
    """Rows of number, category code, category name, grid, hours before noon, place."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    shapes = [None if place is None else shapely.Point(place) for place in columns[5]]
    return gpd.GeoDataFrame(
        {
            "category_code": list(columns[1]),
            "category_name": list(columns[2]),
            "grid_code": pd.Series(list(columns[3]), dtype=object, index=list(columns[0])),
            "happened_at": pd.to_datetime([NOON - timedelta(hours=hours) for hours in columns[4]], utc=True),
        },
        geometry=gpd.GeoSeries(shapes, index=list(columns[0]), crs=METRIC),
        index=list(columns[0]),
    )


def _found(others: gpd.GeoDataFrame, **changed) -> pd.DataFrame:
    asked = {
        "category_code": "D1", "category_name": "邻里", "happened_at": NOON, "point": HERE, "grid_code": "g1", "within_m": 200.0,
        "within_hours": 72.0, "most": 5,
    }  # fmt: skip
    return likely_duplicates(others, **asked | changed)


OTHERS = _others(
    ("near", "D1", "邻里", "g1", 20, (30, 40)),
    ("at the limits", "D1", "邻里", "g1", 72, (200, 0)),
    ("too far", "D1", "邻里", "g1", 1, (200.1, 0)),
    ("too old", "D1", "邻里", "g1", 72.1, (0, 0)),
    ("later", "D1", "邻里", "g1", -5, (0, 60)),
    ("another matter", "Z1", "消防隐患", "g1", 1, (0, 0)),
    ("the name of last year's list", "X9", "邻里", "g1", 1, (0, 100)),
    ("without a place, same grid", "D1", "邻里", "g1", 2, None),
    ("without a place, other grid", "D1", "邻里", "g2", 2, None),
    ("without a place or grid", "D1", "邻里", None, 2, None),
)


def test_near_and_recent_reports_of_the_category_are_suggested_nearest_first():
    found = _found(OTHERS)
    assert found["distance_m"].fillna(-1).to_dict() == {
        "near": 50, "later": 60, "the name of last year's list": 100, "at the limits": 200, "without a place, same grid": -1,
    }  # fmt: skip
    assert found.loc["near", "hours"] == 20
    assert found.loc["later", "hours"] == 5


def test_without_a_place_those_of_the_grid_are_suggested_latest_first():
    found = _found(OTHERS, point=None)
    assert found["hours"].is_monotonic_increasing
    assert set(found.index) == {
        "too far", "the name of last year's list", "without a place, same grid", "later", "near",
    }  # fmt: skip
    assert found["distance_m"].isna().all()
    assert _found(OTHERS, point=None, grid_code=None).empty


def test_no_more_than_asked_for_are_suggested_and_the_input_stays():
    before = OTHERS.copy()
    assert _found(OTHERS, most=2).index.tolist() == ["near", "later"]
    assert OTHERS.equals(before)
    assert _found(_others()).empty


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["D1", "Z1"]),
        st.sampled_from(["g1", "g2", None]),
        st.floats(-100, 100),
        st.one_of(st.none(), st.tuples(st.integers(-300, 300), st.integers(-300, 300))),
    ),
    max_size=12,
)


@given(_ROWS, st.booleans(), st.floats(0, 400), st.floats(0, 150))
def test_what_is_suggested_is_what_a_plain_loop_finds(rows, has_place: bool, within_m: float, within_hours: float):
    others = _others(*[(str(n), code, code, *rest) for n, (code, *rest) in enumerate(rows)])
    point = HERE if has_place else None
    found = _found(others, category_name="D1", point=point, within_m=within_m, within_hours=within_hours, most=99)
    wanted = set()
    for number, row in others.iterrows():
        hours = abs((row["happened_at"].to_pydatetime() - NOON) / timedelta(hours=1))
        placed = row.geometry is not None
        near = row.geometry.distance(HERE) <= within_m if has_place and placed else row["grid_code"] == "g1"
        if row["category_code"] == "D1" and near and hours <= within_hours:
            wanted.add(number)
    assert set(found.index) == wanted
    wider = _found(
        others, category_name="D1", point=point, within_m=within_m + 50, within_hours=within_hours + 9, most=99
    )
    assert wanted <= set(wider.index)


def test_degrees_are_refused():
    with pytest.raises(CrsError, match="not in metres"):
        _found(OTHERS.to_crs("EPSG:4490"))


@pytest.mark.parametrize("limit", [{"within_m": -1.0}, {"within_hours": float("nan")}])
def test_a_limit_below_nothing_is_refused(limit: dict[str, float]):
    with pytest.raises(ValueError, match="0 or more"):
        _found(OTHERS, **limit)


def test_a_missing_column_is_told():
    with pytest.raises(KeyError):
        _found(OTHERS.drop(columns="category_name"), happened_at=datetime(2026, 1, 1, tzinfo=NOON.tzinfo))
