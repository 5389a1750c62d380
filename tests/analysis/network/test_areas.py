"""Reached pieces and polygons: by hand, against places asked one by one, against exact buffers, additivity."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.network.areas import reached_pieces
from gridmap.analysis.network.attach import attach
from gridmap.analysis.network.polygons import polygons_around
from gridmap.analysis.network.travel import travel
from tests.analysis.network.maps import network_of, points_at, random_lines

NEAR = {"limit_m": 60.0, "off_path_m_s": 1.0}


def test_edges_are_cut_where_the_time_is_over():
    network = network_of([(0, 0), (300, 0)], [(300, 0), (300, 400)])
    pieces = reached_pieces(network, attach(network, points_at((250, 10)), **NEAR), limit_s=100)
    # 90 m are left on the path: 90 to the west, 50 to the corner and 40 up.
    assert pieces["length_m"].sum() == pytest.approx(180)
    assert shapely.union_all(pieces.geometry.to_numpy()).equals(shapely.LineString([(160, 0), (300, 0), (300, 40)]))


def test_a_point_in_the_middle_of_an_edge_reaches_no_node_and_still_its_surroundings():
    network = network_of([(0, 0), (300, 0)])
    for is_each in (True, False):
        pieces = reached_pieces(network, attach(network, points_at((150, 0)), **NEAR), limit_s=20, is_each=is_each)
        assert pieces["length_m"].tolist() == [40]


def test_uphill_the_area_ends_sooner():
    network = network_of([(0, 0, 0), (500, 0, 0), (1000, 0, 100)])
    point = attach(network, points_at((500, 0)), **NEAR)
    (piece,) = reached_pieces(network, point, limit_s=100).geometry
    # Homes above walk down 20 %, those on the flat walk at 1 m/s.
    downhill = np.exp(-3.5 * 0.15) / np.exp(-3.5 * 0.05)
    assert [piece.bounds[0], piece.bounds[2]] == pytest.approx([400, 500 + 100 * downhill])


def test_a_point_whose_way_to_the_path_takes_all_the_time_reaches_nothing():
    network = network_of([(0, 0), (300, 0)])
    point = attach(network, points_at((150, 50)), **NEAR)
    assert len(reached_pieces(network, point, limit_s=50)) == 0
    assert polygons_around(reached_pieces(network, point, limit_s=50), buffer_m=25).empty


@pytest.mark.parametrize("limit_s", [0, np.nan])
def test_limits_and_buffers_are_above_0(limit_s: float):
    network = network_of([(0, 0), (300, 0)])
    point = attach(network, points_at((150, 0)), **NEAR)
    with pytest.raises(ValueError, match="above 0"):
        reached_pieces(network, point, limit_s=limit_s)
    with pytest.raises(ValueError, match="finite for each"):
        reached_pieces(network, point, limit_s=np.inf, is_each=True)
    with pytest.raises(ValueError, match="above 0"):
        polygons_around(reached_pieces(network, point, limit_s=9), buffer_m=limit_s)


@given(st.integers(0, 100_000))
@settings(max_examples=30)
def test_a_place_is_on_a_piece_exactly_where_its_own_way_is_within_the_limit(seed: int):
    """The other answer to the same question: homes are put on the paths and asked one by one."""
    chance = np.random.default_rng(seed)
    network = network_of(*random_lines(seed), snap_m=1e-4)
    points = attach(network, points_at(*map(tuple, chance.uniform(0, 500, (3, 2)))), **NEAR)
    limit_s = float(chance.uniform(20, 400))
    pieces = reached_pieces(network, points, limit_s=limit_s)
    edge = chance.integers(0, network.n_edges, 200)
    along_m = chance.uniform(0, 1, 200) * network.length_m[edge]
    xy = network.xy_at(edge, along_m)
    homes = attach(network, points_at(*map(tuple, xy)), **NEAR)
    reached = (travel(network, homes, points, limit_s=limit_s)["status"] == "reached").to_numpy()
    held = np.zeros(200, dtype=bool)
    for piece in pieces.itertuples():
        held |= (
            (homes.edge == piece.edge) & (homes.along_m >= piece.from_m - 1e-5) & (homes.along_m <= piece.to_m + 1e-5)
        )
    assert (held == reached).all()
    np.testing.assert_allclose(shapely.length(pieces.geometry), pieces["length_m"], atol=1e-6)


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_the_area_of_all_is_the_union_of_the_areas_of_each_and_grows_with_the_limit(seed: int):
    chance = np.random.default_rng(seed)
    network = network_of(*random_lines(seed), snap_m=1e-4)
    points = attach(network, points_at(*map(tuple, chance.uniform(0, 500, (4, 2)))), **NEAR)
    each = reached_pieces(network, points, limit_s=150, is_each=True)
    together = reached_pieces(network, points, limit_s=150)
    spans = each.assign(group=each["edge"]).sort_values(["group", "from_m"])
    total = 0.0
    for _, rows in spans.groupby("group"):
        end = 0.0
        for low, high in zip(rows["from_m"], rows["to_m"], strict=True):
            total += max(0.0, high - max(low, end))
            end = max(end, high)
    assert together["length_m"].sum() == pytest.approx(total, abs=1e-6)
    longer = reached_pieces(network, points, limit_s=160, is_each=True)
    sums, longer_sums = (frame.groupby("point")["length_m"].sum() for frame in (each, longer))
    assert (longer_sums.reindex(sums.index) >= sums - 1e-9).all()
    for label in each["point"].unique():
        alone = reached_pieces(network, points.take(points.labels == label), limit_s=150)
        assert alone["length_m"].sum() == pytest.approx(sums[label])


@given(st.integers(0, 100_000))
@settings(max_examples=15)
def test_polygons_agree_with_buffers_to_a_few_hundredths(seed: int):
    chance = np.random.default_rng(seed)
    network = network_of(*random_lines(seed, n=20, side_m=1500), snap_m=1e-4)
    points = attach(network, points_at(*map(tuple, chance.uniform(0, 1500, (3, 2)))), **NEAR)
    pieces = reached_pieces(network, points, limit_s=500, is_each=True)
    grounds = polygons_around(pieces, buffer_m=25)
    assert grounds.index.tolist() == pieces["point"].unique().tolist()
    assert grounds.is_valid.all()
    for label, ground in grounds.items():
        lines = pieces.geometry[pieces["point"] == label].to_numpy()
        exact = shapely.union_all(shapely.buffer(lines, 25))
        assert ground.symmetric_difference(exact).area <= 0.05 * exact.area


def test_a_polygon_too_wide_for_its_cells_is_made_by_buffers():
    network = network_of([(0, 0), (100_000, 100_000)])
    point = attach(network, points_at((50_000, 50_000)), **NEAR)
    pieces = reached_pieces(network, point, limit_s=60_000)
    (ground,) = polygons_around(pieces, buffer_m=10)
    assert ground.area == pytest.approx(pieces.geometry.buffer(10).area.sum(), rel=1e-6)
    assert isinstance(pieces.index, pd.RangeIndex)
