"""Divisions: always whole, connected and under the cap; as few grids as proven possible where homes are single."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.planning.certificate import certify
from gridmap.planning.compactness import polsby_popper
from gridmap.planning.nearest import nearest_land, seen_pairs
from gridmap.planning.neighbours import Barriers
from gridmap.planning.partition import Partition, partition
from gridmap.planning.units import Units, make_units
from tests.planning.conftest import METRIC, make_board


def _homes(n: int, seed: int, *, barriers: Barriers | None = None) -> Units:
    xy = np.random.default_rng(seed).uniform(0, 1000, (n, 2))
    frame = gpd.GeoDataFrame({"n": np.ones(n)}, geometry=shapely.points(xy), crs=METRIC)
    return make_units(frame, weight="n", barriers=barriers)


def _blocks(n: int, seed: int, *, most: int) -> Units:
    chance = np.random.default_rng(seed)
    frame = shapely.box(0, 0, 1000, 1000)
    seeds = shapely.multipoints(chance.uniform(0, 1000, (n, 2)))
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame)), frame)
    weights = chance.integers(0, most, n).astype(float)
    return make_units(gpd.GeoDataFrame({"n": weights}, geometry=cells, crs=METRIC), weight="n")


def _river() -> Barriers:
    walls = [shapely.LineString([(480, -50), (520, 1050)])]
    bridges = [shapely.LineString([(470, 300), (530, 300)])]
    return Barriers(walls=gpd.GeoSeries(walls, crs=METRIC), bridges=gpd.GeoSeries(bridges, crs=METRIC), slip_m=0.5)


def _breaches(units: Units, found: Partition, *, cap: float) -> set[str]:
    judged = certify(units, pd.Series(found.grids), cap=cap)
    assert judged.n_grids == found.n_grids >= found.lower_bound >= judged.bound.n_grids
    return {breach.kind for breach in judged.violations}


@pytest.mark.parametrize("n", [1, 2, 99, 100, 101, 200, 400, 1000])
def test_single_homes_fill_the_fewest_grids_without_any_slack(n: int):
    units = _homes(n, seed=n)
    found = partition(units, cap=100)
    assert (found.is_optimal, found.n_grids) == (True, -(-n // 100))
    assert _breaches(units, found, cap=100) == set()


@given(seed=st.integers(0, 100_000), n=st.integers(2, 120), cap=st.integers(3, 30))
@settings(max_examples=30)
def test_homes_on_both_sides_of_a_river_are_joined_by_its_bridge_only(seed: int, n: int, cap: int):
    units = _homes(n, seed, barriers=_river())
    assert _breaches(units, partition(units, cap=cap), cap=cap) == set()


@given(seed=st.integers(0, 100_000), n=st.integers(1, 60), most=st.integers(2, 45))
@settings(max_examples=30)
def test_blocks_are_whole_connected_and_under_the_cap(seed: int, n: int, most: int):
    units = _blocks(n, seed, most=most)
    assert _breaches(units, partition(units, cap=40), cap=40) <= {"unit_over_cap"}


def _fewest_by_hand(units: Units, *, cap: float) -> int:
    """Try every way to give each unit to a grid, the next grid or a new one."""

    def ways(grids: list[int]) -> Iterator[list[int]]:
        if len(grids) == len(units):
            yield grids
            return
        for grid in range(max(grids, default=-1) + 2):
            yield from ways([*grids, grid])

    good = (max(way) + 1 for way in ways([]) if certify(units, pd.Series(way), cap=cap).is_ok)
    return min(good)


@given(weights=st.lists(st.integers(0, 30), min_size=6, max_size=6))
@settings(max_examples=12)
def test_small_villages_have_the_fewest_grids_there_can_be(weights: list[int]):
    units = make_units(make_board([weights[:3], weights[3:]]), weight="n_households")
    found = partition(units, cap=40)
    assert (found.n_grids, found.is_optimal) == (_fewest_by_hand(units, cap=40), True)


def test_a_village_too_large_for_a_list_of_sets_is_divided_under_a_narrow_cap():
    units = _blocks(90, 11, most=30)
    cap = float(np.ceil(units.weights.sum() / 12 * 1.02))
    found = partition(units, cap=cap)
    assert (found.n_grids, found.is_optimal) == (12, True)
    assert _breaches(units, found, cap=cap) == set()


def test_a_block_over_the_cap_is_a_grid_of_its_own_and_the_rest_is_divided():
    units = make_units(make_board([[30, 120, 40], [10, 10, 10]]), weight="n_households")
    found = partition(units, cap=100)
    assert found.oversized.tolist() == [1]
    assert (found.grids == found.grids[1]).sum() == 1
    assert found.is_optimal


@pytest.mark.parametrize(("n_buildings", "n_homes", "cap"), [(20, 12, 30), (1, 90, 30), (7, 30, 21)])
def test_homes_of_buildings_fill_the_fewest_grids_without_any_slack(n_buildings: int, n_homes: int, cap: int):
    xy = np.random.default_rng(n_buildings).uniform(0, 1000, (n_buildings, 2)).repeat(n_homes, axis=0)
    frame = gpd.GeoDataFrame({"n": np.ones(len(xy))}, geometry=shapely.points(xy), crs=METRIC)
    units = make_units(frame, weight="n")
    found = partition(units, cap=cap)
    assert found.n_grids == n_buildings * n_homes / cap
    assert _breaches(units, found, cap=cap) == set()
    assert polsby_popper(units.shapes, pd.Series(found.grids, index=units.shapes.index)).dropna().between(0, 1).all()


def test_groups_stay_together_where_they_fit():
    board = make_board([[30, 30, 30, 30], [30, 30, 30, 30]])
    units = make_units(board, weight="n_households")
    groups = pd.Series(["a", "b", "b", "a", "c", "c", "c", "c"], index=board.index)
    found = partition(units, cap=100, groups=groups)
    assert _breaches(units, found, cap=100) == set()
    assert found.grids[1] == found.grids[2]  # b fits; c has 120 households and is divided; the parts of a do not touch
    assert found.n_grids == found.lower_bound == 3


def test_grids_stay_in_their_village():
    units = make_units(make_board([[10, 10, 10, 10]]), weight="n_households", within="village")
    found = partition(units, cap=100)
    assert found.n_grids == 2
    assert found.grids[0] == found.grids[1] != found.grids[2] == found.grids[3]


def test_without_time_the_division_is_whole_all_the_same():
    units = _blocks(80, 5, most=30)
    found = partition(units, cap=40, has_time=lambda: False)
    assert not found.is_complete
    assert _breaches(units, found, cap=40) == set()


def test_the_same_seed_gives_the_same_division():
    units = _blocks(60, 7, most=30)
    assert partition(units, cap=40, seed=3).grids.tolist() == partition(units, cap=40, seed=3).grids.tolist()


def test_villages_without_households_are_one_grid():
    units = make_units(make_board([[0, 0], [0, 0]]), weight="n_households")
    found = partition(units, cap=100)
    assert (found.n_grids, found.is_optimal) == (1, True)


def test_compactness_of_a_square_and_of_a_strip():
    board = make_board([[1, 1, 1, 1], [1, 1, 1, 1]])
    grids = pd.Series(["square", "square", "strip", "strip"] * 2, index=board.index)
    grids.iloc[[2, 3, 6, 7]] = ["strip", "x", "strip", "y"]
    found = polsby_popper(board.geometry, grids)
    assert found["square"] == pytest.approx(np.pi / 4)
    assert found["strip"] == pytest.approx(4 * np.pi * 2 / 6**2)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40))
@settings(max_examples=30)
def test_the_land_of_points_adds_up(seed: int, n: int):
    xy = np.random.default_rng(seed).integers(0, 20, (n, 2)).astype(float)
    cells = nearest_land(shapely.points(xy))
    surfaces = [cell for cell in cells if cell.area > 0]
    assert len(surfaces) == len(np.unique(xy, axis=0))
    assert sum(cell.area for cell in surfaces) == pytest.approx(shapely.union_all(surfaces).area)
    assert all(cell.intersects(point) for cell, point in zip(cells, shapely.points(xy), strict=True))


@given(seed=st.integers(0, 10_000), n=st.integers(4, 60))
@settings(max_examples=30)
def test_borders_of_points_are_those_of_their_land(seed: int, n: int):
    points = shapely.points(np.random.default_rng(seed).uniform(0, 100, (n, 2)))
    cells = nearest_land(points)
    pairs, border_m = seen_pairs(points)
    measured = shapely.length(shapely.intersection(cells[pairs[:, 0]], cells[pairs[:, 1]]))
    assert border_m == pytest.approx(measured, abs=1e-6)
