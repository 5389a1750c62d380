"""Walking reach: by hand on small networks, and against all shortest ways on random ones."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.reach import walking_reach
from gridmap.errors import CrsError

METRIC = "EPSG:4547"
LENGTHS = {"reach_m": 500.0, "attach_limit_m": 60.0, "snap_m": 0.5}


def _points(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.Point(place) for place in places], crs=METRIC))


def _paths(*lines: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.LineString(line) for line in lines], crs=METRIC))


def test_the_way_goes_along_the_path_and_to_it():
    paths = _paths([(0, 0), (300, 0)], [(300, 0), (300, 400)])
    reach = walking_reach(_points((10, 20), (310, 390)), _points((50, -5)), paths, **LENGTHS)
    np.testing.assert_allclose(reach["walk_m"], [20 + 40 + 5, 10 + 390 + 250 + 5])
    assert reach["status"].tolist() == ["reached", "beyond"]
    assert reach["point"].tolist() == [0, 0]


def test_neighbours_on_one_edge_do_not_walk_to_a_junction_and_never_0():
    reach = walking_reach(_points((100, 10)), _points((100, 10), (140, 0)), _paths([(0, 0), (1000, 0)]), **LENGTHS)
    np.testing.assert_allclose(reach["walk_m"], [20])


def test_a_river_without_a_bridge_is_not_crossed():
    paths = _paths([(0, 0), (300, 0)], [(0, 100), (300, 100)])
    reach = walking_reach(_points((10, 5), (10, 95)), _points((50, 0)), paths, **LENGTHS)
    assert reach["status"].tolist() == ["reached", "unreachable"]


def test_a_home_with_water_before_the_path_is_unmatched_where_the_water_is_given():
    water = gpd.GeoSeries([shapely.box(0, 5, 300, 15)], crs=METRIC)
    reach = walking_reach(_points((10, 20)), _points((50, 0)), _paths([(0, 0), (300, 0)]), **LENGTHS, barriers=water)
    assert reach["status"].tolist() == ["unmatched"]


def test_a_home_far_from_any_path_is_unmatched():
    reach = walking_reach(_points((10, 500)), _points((50, 0)), _paths([(0, 0), (300, 0)]), **LENGTHS)
    assert reach["status"].tolist() == ["unmatched"]
    assert reach["walk_m"].isna().all()


@pytest.mark.parametrize("missing", ["points", "paths"])
def test_without_points_or_paths_nobody_is_reached(missing: str):
    points = _points() if missing == "points" else _points((50, 0))
    paths = _paths() if missing == "paths" else _paths([(0, 0), (300, 0)])
    reach = walking_reach(_points((10, 0)), points, paths, **LENGTHS)
    assert reach["status"].isin(["unmatched", "unreachable"]).all()


def _floyd_warshall(n: int, edges: list[tuple[int, int, float]]) -> np.ndarray:
    ways = np.full((n, n), np.inf)
    np.fill_diagonal(ways, 0)
    for a, b, length in edges:
        ways[a, b] = ways[b, a] = min(ways[a, b], length)
    for via in range(n):
        ways = np.minimum(ways, ways[:, [via]] + ways[[via], :])
    return ways


@given(st.integers(0, 100_000))
@settings(max_examples=40)
def test_ways_agree_with_all_shortest_ways(seed: int):
    """Homes and points stand on junctions here, so that every way is one of the oracle's."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    places = rng.choice(400, size=(n, 2), replace=False).astype(float) * 10
    pairs = {tuple(sorted(rng.choice(n, 2, replace=False))) for _ in range(2 * n)}
    edges = [(int(a), int(b), float(np.hypot(*(places[a] - places[b])))) for a, b in pairs]
    # Bridges meet at their ends only, and so does this oracle.
    paths = _paths(*([tuple(places[a]), tuple(places[b])] for a, b, _ in edges)).assign(is_bridge=True)
    on_network = sorted({end for edge in edges for end in edge[:2]})
    goals = list(rng.choice(on_network, size=min(2, len(on_network)), replace=False))
    reach = walking_reach(
        _points(*(tuple(places[node]) for node in on_network)),
        _points(*(tuple(places[goal]) for goal in goals)),
        paths,
        reach_m=1e9,
        attach_limit_m=1e-3,
        snap_m=0.5,
    )
    ways = _floyd_warshall(n, edges)
    expected = np.array([min(ways[node, goal] for goal in goals) for node in on_network])
    # A junction may also lie on another line that passes over it; then the way may only be shorter.
    assert (reach["walk_m"].fillna(np.inf).to_numpy() <= expected + 1e-6).all()
    crossing = any(
        shapely.distance(shapely.Point(places[node]), line) < 1e-3 and node not in edge[:2]
        for node in on_network
        for edge, line in zip(edges, paths.geometry, strict=True)
    )
    if not crossing:
        np.testing.assert_allclose(reach["walk_m"].fillna(np.inf), expected, atol=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_all_homes_have_one_status_and_one_more_point_lengthens_no_way(seed: int):
    rng = np.random.default_rng(seed)
    paths = _paths(*[[tuple(rng.uniform(0, 500, 2)), tuple(rng.uniform(0, 500, 2))] for _ in range(8)])
    homes = _points(*map(tuple, rng.uniform(0, 500, (20, 2))))
    points = [tuple(place) for place in rng.uniform(0, 500, (3, 2))]
    few = walking_reach(homes, _points(*points[:2]), paths, **LENGTHS)
    more = walking_reach(homes, _points(*points), paths, **LENGTHS)
    assert few["status"].isin(["reached", "beyond", "unreachable", "unmatched"]).all()
    assert (more["walk_m"].fillna(np.inf) <= few["walk_m"].fillna(np.inf) + 1e-9).all()


def test_lengths_and_degrees_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        walking_reach(_points((0, 0)), _points((0, 0)), _paths([(0, 0), (1, 0)]), reach_m=0, attach_limit_m=1, snap_m=1)
    with pytest.raises(CrsError):
        walking_reach(
            _points((0, 0)).set_crs("EPSG:4490", allow_override=True),
            _points((0, 0)),
            _paths([(0, 0), (1, 0)]),
            **LENGTHS,
        )
