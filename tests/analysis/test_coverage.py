"""Checkpoint cover: by hand, monotone, against brute force."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.coverage import checkpoint_cover, cover_by_grid
from gridmap.errors import CrsError

METRIC = "EPSG:4547"
PLACES = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=20)


def _points(places: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.Point(place) for place in places], crs=METRIC))


def test_the_nearest_checkpoint_within_reach_covers():
    homes, checkpoints = _points([(0, 0), (100, 0), (301, 0)]), _points([(0, 300), (100, 50)])
    cover = checkpoint_cover(homes, checkpoints, reach_m=200)
    assert cover["nearest_checkpoint"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(cover["distance_m"], [np.hypot(100, 50), 50, np.hypot(201, 50)])
    assert cover["is_covered"].tolist() == [True, True, False]


def test_without_checkpoints_distances_are_unknown():
    cover = checkpoint_cover(_points([(0, 0)]), _points([]), reach_m=200)
    assert cover["distance_m"].isna().all()
    assert not cover["is_covered"].any()


@given(PLACES, PLACES, st.floats(1, 500), st.floats(0, 500))
def test_a_longer_reach_or_one_more_checkpoint_never_covers_fewer(homes, checkpoints, reach_m: float, more_m: float):
    base = checkpoint_cover(_points(homes), _points(checkpoints), reach_m=reach_m)["is_covered"].sum()
    longer = checkpoint_cover(_points(homes), _points(checkpoints), reach_m=reach_m + more_m)["is_covered"].sum()
    denser = checkpoint_cover(_points(homes), _points([*checkpoints, (500, 500)]), reach_m=reach_m)["is_covered"].sum()
    assert base <= longer
    assert base <= denser


@given(PLACES, PLACES)
def test_distances_agree_with_brute_force(homes, checkpoints):
    cover = checkpoint_cover(_points(homes), _points(checkpoints), reach_m=100)
    expected = [min(np.hypot(x - a, y - b) for a, b in checkpoints) for x, y in homes]
    np.testing.assert_allclose(cover["distance_m"], expected)


def test_grids_come_worst_first_and_add_up():
    cover = pd.DataFrame({"is_covered": [True, False, False, True, False]})
    by_grid = cover_by_grid(
        cover, grid_codes=pd.Series(["a", "a", "b", "b", None]), n_residents=pd.Series([1, 2, 4, 8, 16])
    )
    assert by_grid["n_households"].sum() == 4
    assert by_grid.loc["a"].to_dict() == {
        "n_households": 2, "n_covered": 1, "n_residents_uncovered": 2, "n_uncovered": 1, "covered_share": 0.5
    }  # fmt: skip
    assert by_grid["n_uncovered"].is_monotonic_decreasing


def test_a_reach_of_0_and_degrees_are_refused():
    with pytest.raises(ValueError, match="reach_m"):
        checkpoint_cover(_points([(0, 0)]), _points([(0, 0)]), reach_m=0)
    with pytest.raises(CrsError):
        checkpoint_cover(_points([(0, 0)]).set_crs("EPSG:4490", allow_override=True), _points([(0, 0)]), reach_m=1)
