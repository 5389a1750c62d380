"""Small maps for the tests of the path network."""

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely

from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.network import Network

METRIC = "EPSG:4547"
Place = tuple[float, ...]


def points_at(*places: Place) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.Point(place) for place in places], crs=METRIC))


def lines_at(*lines: Sequence[Place], **columns: object) -> gpd.GeoDataFrame:
    shapes = gpd.GeoSeries([shapely.LineString(line) for line in lines], crs=METRIC)
    return gpd.GeoDataFrame(columns, geometry=shapes, index=shapes.index)


def network_of(*lines: Sequence[Place], snap_m: float = 0.5, speed_m_s: float = 1.0, **columns: object) -> Network:
    return build_network(lines_at(*lines, **columns), snap_m=snap_m, speed_m_s=speed_m_s)[0]


def random_lines(seed: int, *, n: int = 8, side_m: float = 500) -> list[list[Place]]:
    """Lines of two to four vertices; many cross."""
    chance = np.random.default_rng(seed)
    return [[tuple(place) for place in chance.uniform(0, side_m, (int(chance.integers(2, 5)), 2))] for _ in range(n)]


def edge_set(network: Network) -> set[tuple[tuple[float, float], tuple[float, float], float]]:
    """The edges as pairs of places, sorted, with their metres: independent of numbering and direction."""
    ends = np.round(network.node_xy, 3)
    found = set()
    for start, end, length in zip(network.start, network.end, network.length_m, strict=True):
        low, high = sorted([tuple(map(float, ends[start])), tuple(map(float, ends[end]))])
        found.add((low, high, round(float(length), 3)))
    return found


def brute_ways(lines: list[list[Place]], homes: list[Place], points: list[Place], *, limit_m: float) -> np.ndarray:
    """Metres from each home to each point, at 1 m/s: GEOS's noding, places split in, all shortest ways of all nodes."""
    pieces = shapely.get_parts(shapely.union_all(lines_at(*lines).geometry.to_numpy()))
    on_piece = {at: [(0.0, piece.coords[0]), (piece.length, piece.coords[-1])] for at, piece in enumerate(pieces)}
    offsets = []
    for number, place in enumerate([*homes, *points]):
        gaps = shapely.distance(pieces, shapely.Point(place))
        at = int(np.argmin(gaps))
        offsets.append(float(gaps[at]) if gaps[at] <= limit_m else np.inf)
        on_piece[at].append((shapely.line_locate_point(pieces[at], shapely.Point(place)), ("place", number)))
    names: dict[object, int] = {}

    def node(name: object) -> int:
        key = name if name[0] == "place" else (round(name[0], 4), round(name[1], 4))
        return names.setdefault(key, len(names))

    edges = []
    for stops in on_piece.values():
        row = sorted(stops, key=lambda stop: stop[0])
        edges += [(node(a[1]), node(b[1]), b[0] - a[0]) for a, b in pairwise(row)]
    n = len(names)
    ways = np.full((n, n), np.inf)
    np.fill_diagonal(ways, 0)
    for a, b, length in edges:
        ways[a, b] = ways[b, a] = min(ways[a, b], length)
    for via in range(n):
        ways = np.minimum(ways, ways[:, [via]] + ways[[via], :])
    at_home = [names["place", number] for number in range(len(homes))]
    at_point = [names["place", len(homes) + number] for number in range(len(points))]
    off = np.array(offsets)
    return ways[np.ix_(at_home, at_point)] + off[: len(homes), None] + off[None, len(homes) :]
