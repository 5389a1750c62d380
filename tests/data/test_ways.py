"""Paths, water, service points."""

import numpy as np
import pytest
import shapely
from scipy.sparse import csgraph, csr_array
from scipy.spatial import cKDTree

FIFTEEN_MINUTES_M = 1_125
REMOTE = "荷叶塘村"


@pytest.fixture(scope="module")
def network(paths, metric_paths):
    """Vertices (metres) and the graph between them, joined by equal degrees only."""
    degrees, metres, pairs = [], [], []
    for line, metric in zip(paths.geometry, metric_paths.geometry, strict=True):
        start = len(degrees)
        degrees += list(line.coords)
        metres += list(metric.coords)
        pairs += [(k, k + 1) for k in range(start, len(degrees) - 1)]
    _, first, number = np.unique(np.array(degrees), axis=0, return_index=True, return_inverse=True)
    metres, number, pairs = np.array(metres), number.ravel(), np.array(pairs)
    a, b = number[pairs[:, 0]], number[pairs[:, 1]]
    length = np.hypot(*(metres[pairs[:, 0]] - metres[pairs[:, 1]]).T)
    return metres[first], csr_array((length, (a, b)), shape=(len(first), len(first)))


def test_about_1500_edges_of_four_kinds(paths):
    assert 1_400 <= len(paths) <= 1_650
    assert set(paths["类型"]) == {"公路", "村道", "机耕路", "小路"}
    assert paths["编号"].is_unique
    assert paths.crs.to_epsg() == 4326


def test_network_is_one_piece(network):
    n_parts, _ = csgraph.connected_components(network[1], directed=False)
    assert n_parts == 1


def test_edges_meet_at_their_ends_only(metric_paths):
    lines = metric_paths.geometry.to_numpy()
    assert shapely.STRtree(lines).query(lines, predicate="crosses").shape[1] == 0


def test_roads_curve(metric_paths):
    long = metric_paths[metric_paths.length > 200].geometry
    ends = np.array([shapely.distance(shapely.Point(line.coords[0]), shapely.Point(line.coords[-1])) for line in long])
    assert np.median(long.length / np.maximum(ends, 1)) > 1.01
    assert np.median(shapely.get_num_coordinates(long.to_numpy())) >= 8


def test_three_bridges_and_no_other_crossing(metric_paths, river):
    bridges = metric_paths[metric_paths["桥"] == "是"]
    assert len(bridges) == 3
    assert bridges["名称"].is_unique
    assert bridges.intersects(river).all()
    assert not metric_paths[metric_paths["桥"] == "否"].intersects(river).any()


def test_no_way_runs_through_reservoir_or_ponds(metric_paths, water):
    still = water[water["类型"].isin(["水库", "水塘"])].geometry.union_all()
    assert not metric_paths.intersects(still).any()


def test_waters(water, township):
    kinds = water["类型"].value_counts()
    assert (kinds["河流"], kinds["水库"]) == (1, 1)
    assert kinds["水塘"] >= 15
    assert kinds["渠道"] >= 2
    assert water.is_valid.all()
    assert water.geometry.union_all().difference(township.buffer(1)).is_empty


def test_river_winds_from_border_to_border(river, township):
    assert river.geom_type == "Polygon"
    bank = township.boundary.intersection(river.buffer(0.5))
    assert len(shapely.get_parts(shapely.line_merge(bank) if bank.geom_type == "MultiLineString" else bank)) >= 2
    straight = river.bounds[2] - river.bounds[0]
    assert river.length / 2 > 1.15 * straight


def test_one_village_lies_beyond_fifteen_minutes(network, checkpoints, households):
    xy, graph = network
    tree = cKDTree(xy)
    service = checkpoints[checkpoints["职责"] == "服务"].geometry.get_coordinates().to_numpy()
    off, start = tree.query(service)
    tail, goal = tree.query(households.geometry.get_coordinates().to_numpy())
    metres = (csgraph.dijkstra(graph, directed=False, indices=start)[:, goal] + off[:, None]).min(axis=0) + tail
    outside = metres > FIFTEEN_MINUTES_M
    share = households.assign(outside=outside).groupby("村")["outside"].mean()
    assert share[REMOTE] > 0.95
    assert share.drop(REMOTE).max() < 0.5
    assert outside.mean() < 0.3
    assert 11 <= len(service) <= 14
