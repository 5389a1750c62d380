"""Who touches whom: by hand, and against a plain pairwise look."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from gridmap.errors import CrsError
from gridmap.planning.neighbours import Barriers, neighbours_of
from tests.planning.conftest import METRIC, make_board


def _pairs(units: gpd.GeoSeries, **options: object) -> set[tuple[int, int]]:
    found = neighbours_of(units, **options)
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def _barriers(walls: list, bridges: list) -> Barriers:
    return Barriers(walls=gpd.GeoSeries(walls, crs=METRIC), bridges=gpd.GeoSeries(bridges, crs=METRIC), slip_m=0.5)


def test_a_border_joins_and_a_corner_does_not():
    """Two rows of two: 0 1 / 2 3."""
    found = neighbours_of(make_board([[1, 1], [1, 1]]).geometry)
    assert set(zip(found.first, found.second, strict=True)) == {(0, 1), (0, 2), (1, 3), (2, 3)}
    assert found.border_m.tolist() == [100.0] * 4
    assert [found.of(unit).tolist() for unit in range(4)] == [[1, 2], [0, 3], [0, 3], [1, 2]]


def test_borders_whose_corners_do_not_match_join_all_the_same():
    """A T-junction: two units north of one, their common corner off the southern border by a rounding."""
    south = shapely.Polygon([(0, 0), (300, 0), (300, 100), (0, 0 + 100)])
    west = shapely.Polygon([(0, 100), (100 / 3, 100 + 1e-10), (100 / 3, 200), (0, 200)])
    east = shapely.Polygon([(100 / 3, 100 + 1e-10), (300, 100), (300, 200), (100 / 3, 200)])
    assert _pairs(gpd.GeoSeries([south, west, east], crs=METRIC)) == {(0, 1), (0, 2), (1, 2)}


def test_a_river_parts_its_banks_but_for_its_bridge():
    """2 × 3 units; a river runs along the border of the two rows and a bridge stands in the middle column."""
    units = make_board([[1, 1, 1], [1, 1, 1]]).geometry
    river = shapely.LineString([(-10, 100.2), (310, 99.8)])
    bridge = shapely.LineString([(150, 120), (150, 80)])
    across = {(0, 3), (1, 4), (2, 5)}
    along = {(0, 1), (1, 2), (3, 4), (4, 5)}
    assert _pairs(units) == across | along
    assert _pairs(units, barriers=_barriers([river], [])) == along
    assert _pairs(units, barriers=_barriers([river], [bridge])) == along | {(1, 4)}


def test_a_gap_in_the_wall_joins():
    units = make_board([[1, 1, 1], [1, 1, 1]]).geometry
    banks = [shapely.LineString([(-10, 100), (140, 100)]), shapely.LineString([(150, 100), (310, 100)])]
    assert (1, 4) in _pairs(units, barriers=_barriers(banks, []))
    assert (0, 3) not in _pairs(units, barriers=_barriers(banks, []))


def test_a_broad_river_between_two_banks_is_bridged_by_its_ends():
    units = gpd.GeoSeries([shapely.box(0, 0, 100, 100), shapely.box(0, 140, 100, 240)], crs=METRIC)
    bridge = shapely.LineString([(50, 95), (50, 145)])
    assert _pairs(units) == set()
    assert _pairs(units, barriers=_barriers([shapely.box(0, 100, 100, 140)], [bridge])) == {(0, 1)}


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40))
def test_points_hang_together_and_none_sees_across_a_wall(seed: int, n: int):
    xy = np.random.default_rng(seed).integers(0, 12, (n, 2)).astype(float)
    points = gpd.GeoSeries(shapely.points(xy), crs=METRIC)
    assert neighbours_of(points).parts(np.zeros(n, dtype=np.intp)).max() == 0
    wall = shapely.LineString([(5.5, -5), (5.5, 20)])
    parted = neighbours_of(points, barriers=_barriers([wall], []))
    is_west = xy[:, 0] < 5.5
    assert (is_west[parted.first] == is_west[parted.second]).all()


def test_points_on_one_spot_and_on_one_line_hang_together():
    points = gpd.GeoSeries(shapely.points([(0, 0), (0, 0), (10, 0), (20, 0), (0, 0)]), crs=METRIC)
    assert neighbours_of(points).parts(np.zeros(5, dtype=np.intp)).tolist() == [0] * 5


@pytest.mark.parametrize("n_homes", [3, 40, 400])
def test_homes_of_two_buildings_that_see_each_other_need_no_particular_home_for_it(n_homes: int):
    xy = [(0, 0), (10, 0), (5, 8)]
    points = gpd.GeoSeries(shapely.points(np.repeat(xy, n_homes, axis=0)), crs=METRIC)
    near = neighbours_of(points)
    assert (near.first < near.second).all()
    # The later half of each building, and the earlier one: each is one piece over all three.
    halves = (np.arange(3 * n_homes) % n_homes >= n_homes // 2).astype(np.intp)
    assert len(np.unique(near.parts(halves))) == 2
    if n_homes <= 40:
        middles = (np.arange(3 * n_homes) % n_homes == n_homes // 2).astype(np.intp)
        assert len(np.unique(near.parts(middles)[middles == 1])) == 1
    assert (near.border_m > 0).sum() == 3


@given(seed=st.integers(0, 10_000))
@example(seed=512)  # two cells share half a millimetre
def test_a_coverage_agrees_with_a_pairwise_look(seed: int):
    seeds = shapely.points(np.random.default_rng(seed).uniform(0, 1000, (25, 2)))
    frame = shapely.box(0, 0, 1000, 1000)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds))), frame)
    expected = {
        (one, other)
        for one in range(len(cells))
        for other in range(one + 1, len(cells))
        if shapely.length(shapely.intersection(cells[one], cells[other])) > 1e-3
    }
    assert _pairs(gpd.GeoSeries(cells, crs=METRIC)) == expected


def test_degrees_and_mixtures_are_refused():
    with pytest.raises(CrsError):
        neighbours_of(gpd.GeoSeries([shapely.Point(114, 28)], crs="EPSG:4490"))
    with pytest.raises(ValueError, match="全部是面"):
        neighbours_of(gpd.GeoSeries([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)], crs=METRIC))
