"""Grid load: counted by hand, classes at the cap's borders, totals kept."""

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.households import grid_load

METRIC = "EPSG:4547"
GRIDS = gpd.GeoDataFrame(
    geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)], index=["g1", "g2"], crs=METRIC
)


def _homes(n_west: int, n_east: int) -> gpd.GeoDataFrame:
    places = [(1 + i * 0.01, 5) for i in range(n_west)] + [(11 + i * 0.01, 5) for i in range(n_east)]
    n = n_west + n_east
    return gpd.GeoDataFrame(
        {"n_residents": [3] * n, "n_living_alone": [1] * n},
        geometry=gpd.GeoSeries([shapely.Point(place) for place in places], crs=METRIC),
    )


def test_households_residents_and_needs_are_added_up():
    load = grid_load(_homes(4, 6), GRIDS, household_cap=10, near_cap_share=0.9)
    assert load["n_households"].tolist() == [4, 6]
    assert load["n_residents"].tolist() == [12, 18]
    assert load["n_living_alone"].tolist() == [4, 6]
    assert load["cap_share"].tolist() == [0.4, 0.6]


@pytest.mark.parametrize(
    ("n", "named"), [(0, "low"), (4, "low"), (5, "medium"), (8, "medium"), (9, "near"), (10, "near"), (11, "over")]
)
def test_a_class_begins_where_the_cap_says(n: int, named: str):
    assert grid_load(_homes(n, 0), GRIDS, household_cap=10, near_cap_share=0.9).loc["g1", "load_class"] == named


@given(st.integers(0, 30), st.integers(0, 30))
def test_no_household_is_lost_or_counted_twice(n_west: int, n_east: int):
    load = grid_load(_homes(n_west, n_east), GRIDS, household_cap=10, near_cap_share=0.9)
    assert load["n_households"].sum() == n_west + n_east


@pytest.mark.parametrize(("cap", "near"), [(0, 0.9), (-1, 0.9), (10, 0.0), (10, 1.1)])
def test_a_cap_out_of_range_is_refused(cap: int, near: float):
    with pytest.raises(ValueError, match="must be above 0"):
        grid_load(_homes(1, 1), GRIDS, household_cap=cap, near_cap_share=near)
