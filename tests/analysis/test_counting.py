"""Points in areas: exact against brute force, each point at most once, the fast way equal to the plain one."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis import counting
from gridmap.analysis.counting import count_points, grids_of, locate
from gridmap.errors import CrsError

METRIC = "EPSG:4547"
SQUARES = gpd.GeoDataFrame(
    geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)], index=["west", "east"], crs=METRIC
)


def _points(*places: tuple[float, float] | None, **columns: list[int]) -> gpd.GeoDataFrame:
    shapes = [None if place is None else shapely.Point(place) for place in places]
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=METRIC))


def test_points_are_counted_with_their_weights():
    points = _points((1, 1), (2, 2), (15, 5), (99, 99), None, n_residents=[3, 4, 5, 6, 7])
    counted = count_points(points, SQUARES, weights=["n_residents"])
    assert counted.to_dict("index") == {
        "west": {"n_points": 2, "n_residents": 7},
        "east": {"n_points": 1, "n_residents": 5},
    }


def test_a_named_grid_counts_only_where_the_place_lies_in_none():
    points = _points((1, 1), (1, 1), (99, 99), None, None, None).assign(
        named_grid_code=pd.Series([None, "east", "east", "east", "closed long ago", None], dtype=object)
    )
    assert grids_of(points, SQUARES).tolist() == ["west", "west", "east", "east", None, None]
    assert grids_of(points.iloc[:0], SQUARES).tolist() == []
    assert grids_of(points, SQUARES.iloc[:0]).tolist() == [None] * 6


def test_without_a_column_of_named_grids_nothing_is_guessed():
    with pytest.raises(KeyError):
        grids_of(_points((1, 1)), SQUARES)


def test_a_point_on_a_shared_border_belongs_to_the_first_area_only():
    points = _points((10, 5), (10, 0), (0, 0))
    assert locate(points, SQUARES).tolist() == ["west", "west", "west"]
    assert locate(points, SQUARES.iloc[::-1]).tolist() == ["east", "east", "west"]
    assert count_points(points, SQUARES)["n_points"].sum() == 3


def test_nothing_is_somewhere_without_areas_and_nobody_without_points():
    assert locate(_points((1, 1)), SQUARES.iloc[:0]).isna().all()
    assert count_points(_points(), SQUARES)["n_points"].tolist() == [0, 0]


def _odd_areas(rng: np.random.Generator, n: int) -> gpd.GeoDataFrame:
    """Areas with holes, several parts and overlaps."""
    shapes = []
    for _ in range(n):
        x, y, radius = rng.uniform(0, 1000, 3) * (1, 1, 0.2) + (0, 0, 20)
        disc = shapely.Point(x, y).buffer(radius, quad_segs=int(rng.integers(1, 9)))
        hole = shapely.Point(x, y).buffer(radius / 2)
        other = shapely.box(x + radius, y, x + 2 * radius, y + radius)
        shapes.append(shapely.union_all([disc.difference(hole), other]))
    return gpd.GeoDataFrame(geometry=shapes, crs=METRIC)


def _brute_force(xy: np.ndarray, areas: gpd.GeoDataFrame) -> list[int | None]:
    points = shapely.points(xy)
    covers = np.array([shapely.covers(shape, points) for shape in areas.geometry])
    return [int(np.argmax(column)) if column.any() else None for column in covers.T]


@given(seed=st.integers(0, 10_000), n=st.integers(1, 12))
@settings(max_examples=25)
def test_both_ways_agree_with_brute_force(seed: int, n: int):
    rng = np.random.default_rng(seed)
    areas = _odd_areas(rng, n)
    vertices = shapely.get_coordinates(areas.geometry.to_numpy())
    middles = (vertices[:-1] + vertices[1:]) / 2
    xy = np.concatenate([rng.uniform(-100, 1200, (300, 2)), vertices, middles, np.full((1, 2), np.nan)])
    points = gpd.GeoDataFrame(geometry=shapely.points(xy), crs=METRIC)
    points.loc[len(xy) - 1, "geometry"] = None
    expected = _brute_force(xy[:-1], areas)
    plain = [None if label is None else int(label) for label in locate(points, areas)]
    assert plain == [*expected, None]
    _assert_no_cell_errs(areas, xy[:-1], expected, size_m=12.0)


def _assert_no_cell_errs(areas: gpd.GeoDataFrame, xy: np.ndarray, expected: list, *, size_m: float) -> None:
    answers = counting._CellTable(areas.geometry.to_numpy(), size_m=size_m).answers(xy)
    known = answers != counting._CellTable.CROSSED
    assert known.any()
    told = [None if answer < 0 else int(answer) for answer in answers[known]]
    assert told == [want for want, is_known in zip(expected, known, strict=True) if is_known]


def test_borders_that_run_along_the_edges_of_cells_are_asked_exactly():
    steps = np.arange(0, 500, 100)
    areas = gpd.GeoDataFrame(geometry=[shapely.box(x, y, x + 100, y + 100) for x in steps for y in steps], crs=METRIC)
    along = np.arange(0, 501, 5.0)
    slips = [-2e-7, 0, 2e-7]
    xy = np.array([(x + slip, y - slip) for x in along for y in along for slip in slips])
    _assert_no_cell_errs(areas, xy, _brute_force(xy, areas), size_m=10.0)


def test_many_points_go_the_fast_way_with_the_same_answer():
    rng = np.random.default_rng(1)
    areas = _odd_areas(rng, 30)
    xy = rng.uniform(0, 1000, (counting._CELLS_PAY_FROM, 2))
    points = gpd.GeoDataFrame(geometry=shapely.points(xy), crs=METRIC)
    expected = gpd.sjoin(points, areas, predicate="within").groupby(level=0)["index_right"].min()
    found = locate(points, areas).dropna().astype(int)
    assert found.to_dict() == expected.to_dict()


def test_degrees_are_refused():
    with pytest.raises(CrsError, match="not in metres"):
        count_points(_points((1, 1)).set_crs("EPSG:4490", allow_override=True), SQUARES)


def test_the_layers_are_left_as_they_were():
    points, areas = _points((1, 1), n_residents=[2]), SQUARES.copy()
    before = points.copy()
    count_points(points, areas, weights=["n_residents"])
    assert points.equals(before)
    assert areas.equals(SQUARES)
