"""Attaching, ways, matrix and what-if: by hand, against all shortest ways, and as properties."""

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.matrix import reach_matrix, what_if
from gridmap.analysis.network.travel import travel
from gridmap.errors import CrsError, InfeasibleError
from tests.analysis.network.maps import METRIC, brute_ways, lines_at, network_of, points_at, random_lines

NEAR = {"limit_m": 60.0, "off_path_m_s": 1.0}
RIVER = gpd.GeoSeries([shapely.box(-50, 40, 350, 60)], crs=METRIC)


def _random_town(seed: int, *, n_homes: int = 12, n_points: int = 3):
    chance = np.random.default_rng(seed)
    lines = random_lines(seed)
    homes, points = ([tuple(place) for place in chance.uniform(0, 500, (n, 2))] for n in (n_homes, n_points))
    network = network_of(*lines, snap_m=1e-4)
    return (
        lines,
        homes,
        points,
        network,
        attach(network, points_at(*homes), **NEAR),
        attach(network, points_at(*points), **NEAR),
    )


def test_a_place_is_attached_on_the_edge_and_its_way_to_it_counts():
    network = network_of([(0, 0), (300, 0)])
    place = attach(network, points_at((100, 30)), limit_m=60, off_path_m_s=0.5)
    ends = sorted([place.to_start_s[0], place.to_end_s[0]])
    assert (place.edge[0], place.offset_m[0], place.offset_s[0], ends) == (0, 30, 60, [160, 260])


@pytest.mark.parametrize("place", [(100, 61), (400, 0)])
def test_what_is_farther_than_the_limit_is_unmatched(place):
    assert attach(network_of([(0, 0), (300, 0)]), points_at(place), **NEAR).edge.tolist() == [-1]


def test_null_and_empty_places_and_those_that_are_no_number_are_unmatched():
    with np.errstate(invalid="ignore"):
        shapes = [None, shapely.Point(), shapely.Point(np.nan, 1), shapely.Point(5, 5)]
    places = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=METRIC))
    assert attach(network_of([(0, 0), (300, 0)]), places, **NEAR).edge.tolist() == [-1, -1, -1, 0]


def test_nobody_is_attached_across_the_river_and_the_next_path_is_taken():
    network = network_of([(0, 0), (300, 0)], [(0, 100), (300, 100)])
    homes = points_at((100, 38), (100, 50), (100, 62), (200, 5))
    free = attach(network, homes, **NEAR, barriers=RIVER)
    assert network.xy_at(free.edge[[0, 2, 3]], free.along_m[[0, 2, 3]])[:, 1].tolist() == [0, 100, 0]
    assert free.edge[1] == -1  # it stands in the water
    far_bank = attach(network_of([(0, 100), (300, 100)]), points_at((100, 41 - 2)), limit_m=80, off_path_m_s=1)
    assert far_bank.edge[0] == 0
    barred = attach(network_of([(0, 100), (300, 100)]), points_at((100, 39)), **NEAR | {"limit_m": 80}, barriers=RIVER)
    assert barred.edge[0] == -1


def test_a_dry_place_on_the_same_path_is_found():
    wall = gpd.GeoSeries([shapely.LineString([(0, 10), (200, 10)])], crs=METRIC)
    network = network_of([(0, 0), (150, 0), (250, 0), (250, 30), (0, 30)])
    place = attach(network, points_at((100, 12)), limit_m=30, off_path_m_s=1, barriers=wall)
    assert network.xy_at(place.edge, place.along_m).tolist() == [[100, 30]]


def test_ways_go_over_the_only_bridge():
    paths = lines_at([(0, 0), (300, 0)], [(300, 0), (300, 100)], [(300, 100), (0, 100)], is_bridge=[0, 1, 0])
    network, _ = build_network(paths, snap_m=0.5, speed_m_s=1.0)
    homes, points = (attach(network, points_at(place), **NEAR, barriers=RIVER) for place in ((10, 5), (20, 95)))
    found = travel(network, homes, points, limit_s=900)
    assert found[["seconds", "walk_m", "status"]].to_numpy().tolist() == [[5 + 290 + 100 + 280 + 5, 680, "reached"]]
    without, _ = build_network(paths.iloc[[0, 2]], snap_m=0.5, speed_m_s=1.0)
    homes, points = (attach(without, points_at(place), **NEAR, barriers=RIVER) for place in ((10, 5), (20, 95)))
    assert travel(without, homes, points, limit_s=900)["status"].tolist() == ["unreachable"]


def test_the_way_is_measured_from_home_to_point_and_not_back():
    network = network_of([(0, 0, 0), (1000, 0, 100)])
    low, high = points_at((0, 0)), points_at((1000, 0))
    up, down = (
        travel(network, attach(network, home, **NEAR), attach(network, point, **NEAR), limit_s=1e6)["seconds"][0]
        for home, point in ((low, high), (high, low))
    )
    # Tobler (1993) at 10 % up and 10 % down, relative to the flat.
    np.testing.assert_allclose([up, down], 1000 * np.exp(3.5 * np.array([0.15, 0.05]) - 3.5 * 0.05))


def test_a_fast_detour_is_taken_and_its_metres_are_counted():
    paths = lines_at([(0, 0), (300, 0)], [(0, 0), (0, 200), (300, 200), (300, 0)], kind=["track", "road"])
    network, _ = build_network(paths, snap_m=0.5, speed_m_s={"track": 0.3, "road": 2.0})
    homes, points = (attach(network, points_at(place), **NEAR) for place in ((0, 0), (300, 0)))
    found = travel(network, homes, points, limit_s=900)
    np.testing.assert_allclose(found[["seconds", "walk_m"]].to_numpy(dtype=float), [[350, 700]])


def test_status_tells_beyond_from_unreachable_from_unmatched_and_the_limit_itself_is_inside():
    network = network_of([(0, 0), (1000, 0)], [(0, 500), (100, 500)])
    homes = attach(network, points_at((100, 0), (900, 0), (50, 500), (50, 250), (900.001, 0)), **NEAR)
    points = attach(network, points_at((0, 0)), **NEAR)
    for is_cut in (False, True):
        found = travel(network, homes, points, limit_s=900, is_cut=is_cut)
        assert found["status"].tolist() == ["reached", "reached", "unreachable", "unmatched", "beyond"]
        assert found["point"].tolist()[:2] == [0, 0]
        assert np.isnan(found["seconds"][4]) == is_cut


@pytest.mark.parametrize("limit_s", [0, -1, np.nan])
def test_limits_are_above_0(limit_s):
    network = network_of([(0, 0), (300, 0)])
    place = attach(network, points_at((0, 0)), **NEAR)
    with pytest.raises(ValueError, match="above 0"):
        travel(network, place, place, limit_s=limit_s)
    with pytest.raises(ValueError, match="above 0"):
        reach_matrix(network, place, place, limit_s=limit_s)
    with pytest.raises(ValueError, match="above 0"):
        attach(network, points_at((0, 0)), limit_m=limit_s, off_path_m_s=1)


def test_other_coordinate_systems_and_shapes_and_another_matrix_are_refused():
    network = network_of([(0, 0), (300, 0)])
    with pytest.raises(CrsError):
        attach(network, points_at((0, 0)).set_crs("EPSG:4490", allow_override=True), **NEAR)
    with pytest.raises(CrsError):
        attach(network, points_at((0, 0)), **NEAR, barriers=RIVER.set_crs("EPSG:4548", allow_override=True))
    with pytest.raises(ValueError, match="must hold points"):
        attach(network, lines_at([(0, 0), (1, 1)]), **NEAR)
    place = attach(network, points_at((0, 0)), **NEAR)
    two = attach(network, points_at((0, 0), (1, 1)), **NEAR)
    reach = reach_matrix(network, place, place, limit_s=9)
    with pytest.raises(ValueError, match="Make it anew"):
        what_if(network, two, reach, added=place, removed=np.empty(0, dtype=int), limit_s=9)


@pytest.mark.parametrize("what", ["paths", "points", "homes"])
def test_nothing_at_all_reaches_nobody(what):
    network = network_of(*([] if what == "paths" else [[(0, 0), (300, 0)]]))
    homes = attach(network, points_at(*([] if what == "homes" else [(5, 5)])), **NEAR)
    points = attach(network, points_at(*([] if what == "points" else [(9, 9)])), **NEAR)
    found = travel(network, homes, points, limit_s=900)
    assert found["status"].isin(["unmatched", "unreachable"]).all()
    assert len(found) == len(homes)
    assert reach_matrix(network, homes, points, limit_s=900).nnz == 0


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_seconds_metres_and_points_agree_with_all_shortest_ways(seed: int):
    lines, homes, points, network, at_home, at_point = _random_town(seed)
    ways = brute_ways(lines, homes, points, limit_m=60)
    found = travel(network, at_home, at_point, limit_s=400)
    np.testing.assert_allclose(found["seconds"].fillna(np.inf), ways.min(axis=1), atol=1e-3)
    np.testing.assert_allclose(found["walk_m"], found["seconds"], atol=1e-6)
    known = found["point"].notna()
    chosen = ways[known.to_numpy(), found["point"][known].to_numpy(dtype=int)]
    np.testing.assert_allclose(chosen, ways.min(axis=1)[known], atol=1e-3)
    matched = at_home.is_matched
    assert (found["status"] == "unmatched").to_numpy().tolist() == (~matched).tolist()
    cut = travel(network, at_home, at_point, limit_s=400, is_cut=True)
    assert cut["status"].equals(found["status"])


@given(st.integers(0, 100_000))
@settings(max_examples=25)
def test_the_matrix_agrees_with_all_shortest_ways(seed: int):
    lines, homes, points, network, at_home, at_point = _random_town(seed, n_points=5)
    ways = brute_ways(lines, homes, points, limit_m=60)
    reach = reach_matrix(network, at_home, at_point, limit_s=300)
    expected = np.where(ways <= 300, ways, np.inf)
    dense = np.full(reach.shape, np.inf)
    rows = np.repeat(np.arange(len(homes)), np.diff(reach.indptr))
    dense[rows, reach.indices] = reach.data
    np.testing.assert_allclose(dense, expected, atol=1e-3)
    for site in range(5):
        alone = travel(network, at_home, at_point.take(np.array([site])), limit_s=300)
        assert ((alone["status"] == "reached").to_numpy() == np.isfinite(dense[:, site])).all()
    just = reach_matrix(network, at_home, at_point, limit_s=300, most_pairs=reach.nnz)
    assert (just != reach).nnz == 0
    if reach.nnz:
        with pytest.raises(InfeasibleError, match=f"More than {reach.nnz - 1} pairs"):
            reach_matrix(network, at_home, at_point, limit_s=300, most_pairs=reach.nnz - 1)


@given(st.integers(0, 100_000))
@settings(max_examples=25)
def test_what_if_agrees_with_doing_it(seed: int):
    *_, network, at_home, at_point = _random_town(seed, n_points=5)
    old, new, moved = at_point.take(np.arange(4)), at_point.take(np.array([4])), np.array([seed % 4])
    reach = reach_matrix(network, at_home, old, limit_s=200)
    change = what_if(network, at_home, reach, added=new, removed=moved, limit_s=200)
    after = at_point.take(np.setdiff1d(np.arange(5), moved))
    before, then = (
        (travel(network, at_home, these, limit_s=200)["status"] == "reached").to_numpy() for these in (old, after)
    )
    assert change.won.tolist() == np.flatnonzero(then & ~before).tolist()
    assert change.lost.tolist() == np.flatnonzero(before & ~then).tolist()


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_one_more_point_path_or_minute_takes_nobody_out(seed: int):
    lines, homes, _, network, at_home, at_point = _random_town(seed)
    fewer = travel(network, at_home, at_point.take(np.arange(2)), limit_s=200)
    more = travel(network, at_home, at_point, limit_s=200)
    longer = travel(network, at_home, at_point, limit_s=250)
    assert (more["seconds"].fillna(np.inf) <= fewer["seconds"].fillna(np.inf)).all()
    assert ((more["status"] != "reached") | (longer["status"] == "reached")).all()
    assert more["status"].isin(["reached", "beyond", "unreachable", "unmatched"]).all()
    without = network_of(*lines[1:], snap_m=1e-4)
    matched = attach(without, points_at(*homes), **NEAR).is_matched
    assert (at_home.is_matched | ~matched).all()


def test_a_place_twice_and_a_point_at_the_very_home_are_0_seconds_and_no_error():
    network = network_of([(0, 0), (300, 0)])
    homes = attach(network, points_at((0, 0), (100, 0), (100, 0)), **NEAR)
    found = travel(network, homes, attach(network, points_at((0, 0), (0, 0), (100, 0)), **NEAR), limit_s=10)
    assert found["seconds"].tolist() == [0, 0, 0]
    reach = reach_matrix(network, homes, homes, limit_s=10)
    assert reach.toarray().tolist() == np.zeros((3, 3)).tolist()
    assert np.diff(reach.indptr).tolist() == [1, 2, 2]


def test_more_points_than_there_is_room_for_are_searched_all():
    network = network_of([(0, 0), (1000, 0)], [(0, 0), (0, 1000)])
    homes = attach(network, points_at((999.5, 0), (0, 999.5)), **NEAR)
    points = attach(network, points_at(*((float(east), 0.0) for east in range(0, 1000, 2))), **NEAR)
    found = travel(network, homes, points, limit_s=900)
    assert found["point"].tolist() == [499, 0]
    assert found["seconds"].tolist() == [1.5, 999.5]
    assert travel(network, homes, points.take(np.array([0])), limit_s=900)["seconds"].tolist() == [999.5, 999.5]


def test_searches_at_the_same_time_do_not_mix():
    network = network_of(*random_lines(3, n=30))
    chance = np.random.default_rng(3)
    sets = [attach(network, points_at(*map(tuple, chance.uniform(0, 500, (5, 2)))), **NEAR) for _ in range(8)]
    homes = attach(network, points_at(*map(tuple, chance.uniform(0, 500, (50, 2)))), **NEAR)

    def ask(points: Attached) -> tuple[list[str], list[float]]:
        ways = travel(network, homes, points, limit_s=200)
        return ways["status"].tolist(), reach_matrix(network, homes, points, limit_s=200).data.tolist()

    alone = [ask(points) for points in sets]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, sets * 4)) == alone * 4
