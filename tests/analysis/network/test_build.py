"""Building a network: by hand on small drawings, and against the planar union of the lines."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis.network.build import PROBLEMS, build_network
from gridmap.analysis.network.slope import slope_factor
from gridmap.errors import CrsError, InputError
from tests.analysis.network.maps import METRIC, edge_set, lines_at, network_of, random_lines

CROSS = ([(0, 0), (100, 0)], [(50, -50), (50, 50)])


def _problems(*lines, snap_m=0.5, speed_m_s=1.0, **columns) -> dict[str, list[tuple[object, float]]]:
    _, found = build_network(lines_at(*lines, **columns), snap_m=snap_m, speed_m_s=speed_m_s)
    return {
        kind: [(row.path, round(row.value_m, 3)) for row in rows.itertuples()]
        for kind, rows in found.groupby("kind", sort=False)
    }


def test_lines_that_cross_are_joined_and_said():
    network, problems = build_network(lines_at(*CROSS), snap_m=0.5, speed_m_s=1)
    assert (network.n_nodes, network.n_edges, network.n_components) == (5, 4, 1)
    assert problems["kind"].tolist() == ["crossing_joined"]
    assert problems.geometry[0].equals(shapely.Point(50, 0))


def test_a_bridge_is_joined_at_its_ends_only():
    over = ([(0, 0), (50, 0)], [(50, 0), (150, 0)], [(150, 0), (200, 0)], [(100, -50), (100, 50)])
    network = network_of(*over, is_bridge=[False, True, False, False])
    assert (network.n_edges, network.n_components) == (4, 2)
    assert network.is_bridge.sum() == 1
    assert network_of(*over, kind=["lane", "bridge", "lane", "lane"]).n_components == 2
    assert network_of(*over, kind=["lane", "ford", "lane", "lane"]).n_components == 1


def test_a_line_that_passes_under_the_end_of_a_bridge_is_joined_there():
    network = network_of([(0, 0), (100, 0)], [(100, -50), (100, 50)], is_bridge=[True, False])
    assert (network.n_edges, network.n_components) == (3, 1)


def test_an_end_on_the_deck_of_a_bridge_is_said_and_not_joined():
    problems = _problems([(0, 0), (100, 0)], [(50, 0), (50, 50)], is_bridge=[True, False])
    assert problems == {"end_on_bridge": [(1, pytest.approx(np.nan, nan_ok=True))], "island": [(1, 50.0)]}


@pytest.mark.parametrize(("gap", "n_components"), [(0.0, 1), (0.4, 1), (0.6, 2)])
@pytest.mark.parametrize("where", ["end", "middle"])
def test_ends_within_the_tolerance_meet_and_others_do_not(gap: float, n_components: int, where: str):
    foot = (100 + gap, 0) if where == "end" else (50, gap)
    network = network_of([(0, 0), (100, 0)], [foot, (60, 80)])
    assert network.n_components == n_components
    assert network.n_edges == 2 + (where == "middle" and n_components == 1)


def test_an_end_moves_to_the_line_and_not_the_line_to_the_end():
    network = network_of([(0, 0), (100, 0)], [(50, 0.4), (50, 80)])
    assert edge_set(network) == {((0, 0), (50, 0), 50), ((50, 0), (100, 0), 50), ((50, 0), (50, 80), 80)}
    assert _problems([(0, 0), (100, 0)], [(50, 0.4), (50, 80)]) == {"end_snapped": [(1, 0.4)]}


def test_a_line_that_meets_itself_is_joined_with_itself():
    assert network_of([(0, 0), (100, 0), (100, 50), (50, 50), (50, 0.3)]).n_edges == 2
    assert network_of([(0, 0), (100, 0), (100, 50), (50, 50), (50, -20)]).n_edges == 3
    ring = network_of([(0, 0), (100, 0), (100, 100), (0, 0)])
    assert (ring.n_nodes, ring.n_edges, ring.start[0] == ring.end[0]) == (1, 1, True)


def test_drawings_on_top_of_each_other_count_once_and_the_faster_stays():
    paths = lines_at([(0, 0), (100, 0)], [(100, 0), (0, 0)], kind=["lane", "road"])
    network, problems = build_network(paths, snap_m=0.5, speed_m_s={"lane": 1.0, "road": 2.0})
    assert network.forward_s.tolist() == [50.0]
    assert problems[["kind", "path", "value_m"]].to_numpy().tolist() == [["duplicate", 0, 100.0]]
    partly = network_of([(0, 0), (100, 0)], [(50, 0), (150, 0)])
    assert edge_set(partly) == {((0, 0), (50, 0), 50), ((50, 0), (100, 0), 50), ((100, 0), (150, 0), 50)}


def test_two_ways_of_equal_length_are_no_duplicates():
    assert network_of([(0, 0), (50, 50), (100, 0)], [(0, 0), (50, -50), (100, 0)]).n_edges == 2


def test_what_cannot_be_used_is_said_with_its_line():
    with np.errstate(invalid="ignore"):  # GEOS raises the flag while it makes one
        lost = shapely.LineString([(0, 0), (np.nan, 5)])
    shapes = [None, shapely.LineString(), lost, shapely.LineString([(7, 7), (7, 7)])]
    paths = gpd.GeoDataFrame(geometry=gpd.GeoSeries([*shapes, shapely.LineString([(0, 0), (9, 0)])], crs=METRIC))
    network, problems = build_network(paths, snap_m=0.5, speed_m_s=1)
    assert network.n_edges == 1
    assert problems[["kind", "path"]].to_numpy().tolist() == [
        *([["no_shape", at] for at in range(3)]),
        ["zero_length", 3],
    ]
    assert problems.geometry[3].equals(shapely.Point(7, 7))
    assert set(problems["kind"]) <= set(PROBLEMS)


def test_islands_are_said_with_their_length():
    assert _problems(*CROSS, [(500, 0), (500, 30)])["island"] == [(2, 30.0)]


def test_an_empty_drawing_is_an_empty_network():
    network, problems = build_network(lines_at(), snap_m=0.5, speed_m_s=1)
    assert (network.n_nodes, network.n_edges, network.n_components, len(problems)) == (0, 0, 0, 0)


def test_a_kind_of_speed_0_is_not_walked():
    paths = lines_at(*CROSS, kind=["lane", "ford"])
    network, problems = build_network(paths, snap_m=0.5, speed_m_s={"lane": 1.25, "ford": 0})
    assert (network.n_edges, network.forward_s.tolist()) == (1, [80.0])
    assert problems[["kind", "path"]].to_numpy().tolist() == [["not_walked", 1]]


def test_parts_of_a_multiline_are_lines_of_one_path():
    shape = shapely.MultiLineString([[(0, 0), (10, 0)], [(10, 0), (10, 10)]])
    paths = gpd.GeoDataFrame(geometry=gpd.GeoSeries([shape], index=["a"], crs=METRIC))
    assert build_network(paths, snap_m=0.5, speed_m_s=1)[0].path.tolist() == ["a", "a"]


def test_up_is_slower_than_down_and_down_a_little_the_fastest():
    network = network_of([(0, 0, 0), (100, 0, 10)], speed_m_s=1.4)
    # Tobler (1993): 6 exp(-3.5 |s + 0.05|) km/h, scaled to 1.4 m/s on the flat.
    flat, up, down = np.exp(-3.5 * 0.05), np.exp(-3.5 * 0.15), np.exp(-3.5 * 0.05)
    start_is_low = network.vertex_xy[0, 0] == 0
    there, back = network.forward_s[0], network.backward_s[0]
    up_s, down_s = (there, back) if start_is_low else (back, there)
    np.testing.assert_allclose([up_s, down_s], [100 / 1.4 * flat / up, 100 / 1.4 * flat / down])
    assert slope_factor(np.array([-5.0]), np.array([100.0]))[0] > 1


def test_heights_of_ends_are_used_where_vertices_have_none():
    columns = {"height_from_m": [0.0], "height_to_m": [10.0]}
    by_columns = network_of([(0, 0), (40, 0), (100, 0)], **columns)
    by_z = network_of([(0, 0, 0), (40, 0, 4), (100, 0, 10)])
    np.testing.assert_allclose(by_columns.forward_s, by_z.forward_s)
    flat, _ = build_network(lines_at([(0, 0), (100, 0)], **columns), snap_m=0.5, speed_m_s=1, uses_heights=False)
    assert flat.forward_s.tolist() == [100.0]


def test_a_line_cut_by_another_keeps_its_time():
    whole = network_of([(0, 0, 0), (60, 0, 12), (100, 0, 0)])
    cut = network_of([(0, 0, 0), (60, 0, 12), (100, 0, 0)], [(30, -10), (30, 10)])
    on_line = np.abs(cut.node_xy[cut.start, 1]) + np.abs(cut.node_xy[cut.end, 1]) == 0
    both = [whole.forward_s.sum() + whole.backward_s.sum(), (cut.forward_s + cut.backward_s)[on_line].sum()]
    np.testing.assert_allclose(both[0], both[1])


@given(st.integers(0, 100_000))
@settings(max_examples=30)
def test_nodes_and_edges_agree_with_the_planar_union(seed: int):
    """The oracle: GEOS's own noding of all lines, joined at places where only two pieces meet."""
    lines = random_lines(seed)
    network = network_of(*lines, snap_m=1e-4)
    pieces = shapely.get_parts(shapely.union_all(lines_at(*lines).geometry.to_numpy()))
    pieces = shapely.get_parts(shapely.line_merge(shapely.union_all(pieces)))
    np.testing.assert_allclose(network.length_m.sum(), shapely.length(pieces).sum(), rtol=1e-9)
    degree = np.bincount(np.concatenate([network.start, network.end]))
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(pieces, at)) for at in (0, -1)])
    _, times = np.unique(np.round(ends, 3), axis=0, return_counts=True)
    # Where two lines merely touch end to end the merge passes through; no random drawing does.
    assert sorted(degree[degree != 2].tolist()) == sorted(times[times != 2].tolist())
    assert (network.length_m > 0).all()
    np.testing.assert_allclose(network.length_m, shapely.length(network.lines))


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_order_and_direction_of_the_lines_change_nothing_and_the_frame_stays(seed: int):
    lines = random_lines(seed)
    chance = np.random.default_rng(seed)
    turned = [lines[at][:: chance.choice([-1, 1])] for at in chance.permutation(len(lines))]
    paths = lines_at(*lines)
    before = paths.copy()
    network, _ = build_network(paths, snap_m=1e-4, speed_m_s=1)
    assert edge_set(network) == edge_set(network_of(*turned, snap_m=1e-4))
    assert before.equals(paths)


def test_degrees_wrong_shapes_and_numbers_are_refused():
    with pytest.raises(CrsError):
        build_network(lines_at(*CROSS).set_crs("EPSG:4490", allow_override=True), snap_m=1, speed_m_s=1)
    with pytest.raises(InputError, match="must hold lines"):
        build_network(gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=METRIC), snap_m=1, speed_m_s=1)
    with pytest.raises(InputError, match="no speed for the kinds"):
        build_network(lines_at(*CROSS, kind=["lane", "stairs"]), snap_m=1, speed_m_s={"lane": 1.0})
    with pytest.raises(InputError, match="no column `kind`"):
        build_network(lines_at(*CROSS), snap_m=1, speed_m_s={"lane": 1.0})
    for snap_m, speed in ((0, 1), (np.nan, 1), (1, 0), (1, np.inf), (1, -1)):
        with pytest.raises(ValueError, match="above 0"):
            build_network(lines_at(*CROSS), snap_m=snap_m, speed_m_s=speed)
