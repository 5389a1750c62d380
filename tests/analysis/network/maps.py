"""Small maps for the tests of the path network."""

from collections.abc import Sequence

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
