"""Where homes and points meet the paths: at the nearest place on an edge that is not across water."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.network.network import Flags, Floats, Ints, Network
from gridmap.crs import require_one_metric_crs


@dataclass(frozen=True, kw_only=True, eq=False)
class Attached:
    """Places on a network, one entry each, in the order of their frame.

    Parameters
    ----------
    labels
        The frame's index.
    edge
        The edge, -1: unmatched.
    along_m
        Metres along the edge.
    offset_m
        Metres from the place to the edge.
    offset_s
        Seconds for them.
    to_start_s, to_end_s
        Seconds from the place to the start and the end of its edge, with the way to the path; infinite where unmatched.
    from_start_s, from_end_s
        Seconds the other way round.
    """

    labels: pd.Index
    edge: Ints
    along_m: Floats
    offset_m: Floats
    offset_s: Floats
    to_start_s: Floats
    to_end_s: Floats
    from_start_s: Floats
    from_end_s: Floats

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.edge)

    @property
    def is_matched(self) -> Flags:
        """Whether each place is on the network."""
        return self.edge >= 0

    def take(self, which: Ints | Flags) -> "Attached":
        """Return some of the places."""
        return Attached(**{name: value[which] for name, value in vars(self).items()})


def attach(
    network: Network,
    places: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    limit_m: float,
    off_path_m_s: float,
    barriers: gpd.GeoSeries | None = None,
) -> Attached:
    """Attach places to the nearest place on an edge that they can be reached from in a straight line.

    Never to a node that is farther, and never across a barrier: then the next nearest piece of path is taken.

    Parameters
    ----------
    network
        The paths.
    places
        Points; null and empty ones stay unmatched. Same CRS.
    limit_m
        Metres; what is farther from every path stays unmatched. Above 0.
    off_path_m_s
        Metres a second on the way to the path; above 0.
    barriers
        Lines or polygons (water) that this way does not cross or touch; same CRS.

    Raises
    ------
    CrsError
        If a layer has another CRS than the network.
    ValueError
        If a place is no point, or a number is not above 0.
    """
    layers = {"places": places} if barriers is None else {"places": places, "barriers": barriers}
    require_one_metric_crs(network=gpd.GeoSeries([], crs=network.crs), **layers)
    if not (limit_m > 0 and off_path_m_s > 0):
        raise ValueError(f"`limit_m` and `off_path_m_s` must be above 0, got {limit_m} and {off_path_m_s}.")
    xy = coordinates_of(places)
    segment, offset_m = _nearest(network, xy, limit_m=limit_m)
    if barriers is not None:
        _go_round(network, xy, segment, offset_m, barriers.to_numpy(), limit_m=limit_m)
    return place_on(network, xy, segment, labels=places.index, off_path_m_s=off_path_m_s)


def place_on(network: Network, xy: Floats, segment: Ints, *, labels: pd.Index, off_path_m_s: float) -> Attached:
    """Attach places to the nearest place on a given segment of the network each; segment -1: unmatched."""
    n = len(xy)
    edge, along_m, offset_m = np.full(n, -1, dtype=np.intp), np.zeros(n), np.full(n, np.nan)
    on = np.flatnonzero(segment >= 0)
    ways = np.full((4, n), np.inf)
    if len(on):
        vertex = network.segment_vertex[segment[on]]
        foot, share = _feet(network, xy[on], vertex)
        edge[on] = network.segment_edge[segment[on]]
        step_m = network.vertex_m[vertex + 1] - network.vertex_m[vertex]
        along_m[on] = network.vertex_m[vertex] + share * step_m
        offset_m[on] = np.hypot(*(foot - xy[on]).T)
        off_s = offset_m[on] / off_path_m_s
        forward, backward = (
            table[vertex] + share * (table[vertex + 1] - table[vertex])
            for table in (network.vertex_forward_s, network.vertex_backward_s)
        )
        whole_forward, whole_backward = network.forward_s[edge[on]], network.backward_s[edge[on]]
        ways[:, on] = off_s + np.stack([backward, whole_forward - forward, forward, whole_backward - backward])
    return Attached(
        labels=labels,
        edge=edge,
        along_m=along_m,
        offset_m=offset_m,
        offset_s=offset_m / off_path_m_s,
        to_start_s=ways[0],
        to_end_s=ways[1],
        from_start_s=ways[2],
        from_end_s=ways[3],
    )


def _feet(network: Network, xy: Floats, vertex: Ints) -> tuple[Floats, Floats]:
    """Return the nearest places on segments, and the share of the segment before each."""
    origin = network.vertex_xy[vertex]
    step = network.vertex_xy[vertex + 1] - origin
    share = np.clip(((xy - origin) * step).sum(axis=1) / (step**2).sum(axis=1), 0.0, 1.0)
    return origin + share[:, None] * step, share


def _nearest(network: Network, xy: Floats, *, limit_m: float) -> tuple[Ints, Floats]:
    segment, offset_m = np.full(len(xy), -1, dtype=np.intp), np.full(len(xy), np.nan)
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if len(placed) and network.n_edges:
        (at, found), found_m = network.segment_tree.query_nearest(
            shapely.points(xy[placed]), max_distance=limit_m, return_distance=True, all_matches=False
        )
        segment[placed[at]], offset_m[placed[at]] = found, found_m
    return segment, offset_m


def _go_round(network: Network, xy: Floats, segment: Ints, offset_m: Floats, barriers: Ints, *, limit_m: float) -> None:
    """Give places whose way to the path is barred the nearest segment whose way is not; change the arrays."""
    walls = shapely.STRtree(barriers)
    found = np.flatnonzero(segment >= 0)
    foot, _ = _feet(network, xy[found], network.segment_vertex[segment[found]])
    barred = found[_is_barred(walls, xy[found], foot)]
    segment[barred], offset_m[barred] = -1, np.nan
    for place in barred:
        near = network.segment_tree.query(shapely.Point(xy[place]), predicate="dwithin", distance=limit_m)
        feet, _ = _feet(network, np.tile(xy[place], (len(near), 1)), network.segment_vertex[near])
        way_m = np.hypot(*(feet - xy[place]).T)
        order = np.argsort(way_m, kind="stable")
        free = order[~_is_barred(walls, np.tile(xy[place], (len(near), 1)), feet)[order]]
        if len(free):
            segment[place], offset_m[place] = near[free[0]], way_m[free[0]]


def _is_barred(walls: shapely.STRtree, start: Floats, end: Floats) -> Flags:
    barred = np.zeros(len(start), dtype=bool)
    if len(start):
        ways = shapely.linestrings(np.stack([start, end], axis=1))
        barred[walls.query(ways, predicate="intersects")[0]] = True
    return barred
