"""Hand-drawn grids become units: within a tolerance exactly, beyond it not at all."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.errors import CrsError, InfeasibleError
from gridmap.planning.drawn import grids_of_units, sliver_widths

METRIC = "EPSG:4547"
UNITS = gpd.GeoDataFrame(
    geometry=[shapely.box(100 * i, 0, 100 * i + 100, 100) for i in range(4)], index=list("abcd"), crs=METRIC
)


def _drawn(border_m: float) -> gpd.GeoDataFrame:
    shapes = [shapely.box(0, 0, border_m, 100), shapely.box(border_m, 0, 400, 100)]
    return gpd.GeoDataFrame(geometry=shapes, index=["west", "east"], crs=METRIC)


def test_a_slip_of_the_hand_follows_the_units():
    found = grids_of_units(UNITS, _drawn(201.5), tolerance_m=2.0)
    assert found.grid_of_unit.to_dict() == {"a": "west", "b": "west", "c": "east", "d": "east"}
    assert found.differences.loc["west", "n_units"] == 2
    assert found.differences["area_m2"].tolist() == [20_000.0, 20_000.0]
    np.testing.assert_allclose(found.differences["moved_m2"], 150.0)
    np.testing.assert_allclose(found.differences["offset_m"], 1.5, atol=0.06)


def test_a_border_through_a_unit_is_refused_with_its_name():
    with pytest.raises(InfeasibleError, match="`c`") as caught:
        grids_of_units(UNITS, _drawn(210.0), tolerance_m=2.0)
    assert caught.value.reason["units"] == ["c"]


def test_a_unit_without_grid_is_refused():
    with pytest.raises(InfeasibleError, match="不在任何所绘网格内"):
        grids_of_units(UNITS, _drawn(200.0).loc[["west"]], tolerance_m=2.0)


def test_degrees_are_refused():
    with pytest.raises(CrsError):
        grids_of_units(UNITS.to_crs("EPSG:4490"), _drawn(200.0), tolerance_m=2.0)


@given(st.floats(min_value=0.1, max_value=7.0), st.floats(min_value=10, max_value=500))
def test_the_width_of_a_strip_is_its_short_side(width_m: float, length_m: float):
    (found,) = sliver_widths(np.array([shapely.box(0, 0, width_m, length_m)]), ceiling_m=16.0)
    assert abs(found - width_m) <= 0.06
