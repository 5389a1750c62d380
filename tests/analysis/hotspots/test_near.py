"""Neighbours: by touching, by distance, over slivers, and without those left out."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.analysis.hotspots.near import touching, within_distance
from gridmap.errors import CrsError
from tests.analysis.hotspots.boards import board, township


def test_a_square_touches_its_eight_neighbours():
    near = touching(board(3, 3), tolerance_m=0)
    assert near.n_near.tolist() == [3, 5, 3, 5, 8, 5, 3, 5, 3]
    assert near.of(0).tolist() == [1, 3, 4]


def test_a_sliver_narrower_than_the_tolerance_still_touches():
    grids = board(1, 2)
    grids.loc[1, "geometry"] = shapely.affinity.translate(grids.geometry[1], 2.0)
    assert touching(grids, tolerance_m=1.9).n_near.tolist() == [0, 0]
    assert touching(grids, tolerance_m=2.1).n_near.tolist() == [1, 1]


def test_overlapping_grids_are_neighbours():
    grids = board(1, 2)
    grids.loc[1, "geometry"] = shapely.affinity.translate(grids.geometry[1], -3.0)
    assert touching(grids, tolerance_m=0).of(0).tolist() == [1]


def test_neighbours_are_those_that_shapely_calls_touching():
    grids = township(40)
    near = touching(grids, tolerance_m=0.001)
    for at, shape in enumerate(grids.geometry):
        others = [other for other, one in enumerate(grids.geometry) if other != at and one.distance(shape) <= 0.001]
        assert near.of(at).tolist() == others


def test_by_distance_the_centroids_count():
    near = within_distance(board(1, 4), distance_m=200)
    assert [near.of(at).tolist() for at in range(4)] == [[1, 2], [0, 2, 3], [0, 1, 3], [1, 2]]


def test_an_island_has_no_neighbours():
    grids = board(1, 2)
    grids.loc[1, "geometry"] = shapely.box(1000, 1000, 1100, 1100)
    assert touching(grids, tolerance_m=1).n_near.tolist() == [0, 0]
    assert within_distance(grids, distance_m=1).n_near.tolist() == [0, 0]


def test_sums_around_leave_the_grid_itself_out():
    near = touching(board(1, 3), tolerance_m=0)
    assert near.around(np.array([1.0, 10.0, 100.0])).tolist() == [10, 101, 10]


def test_a_part_keeps_who_touches_whom():
    near = touching(board(1, 4), tolerance_m=0).part(np.array([True, True, False, True]))
    assert [near.of(at).tolist() for at in range(3)] == [[1], [0], []]


@pytest.mark.parametrize("tolerance_m", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance_m: float):
    with pytest.raises(ValueError, match="tolerance_m"):
        touching(board(1, 2), tolerance_m=tolerance_m)


@pytest.mark.parametrize("distance_m", [0, -1, float("nan")])
def test_a_distance_that_is_none_is_refused(distance_m: float):
    with pytest.raises(ValueError, match="distance_m"):
        within_distance(board(1, 2), distance_m=distance_m)


def test_degrees_are_refused():
    grids = gpd.GeoSeries([shapely.box(114, 28, 114.1, 28.1)], crs="EPSG:4490")
    with pytest.raises(CrsError):
        touching(grids, tolerance_m=1)
    with pytest.raises(CrsError):
        within_distance(grids.set_crs(None, allow_override=True), distance_m=1)
