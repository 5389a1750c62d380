"""Walking distance on the path network from each household to the nearest service point."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def walking_reach(
    households: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    paths: gpd.GeoDataFrame,
    *,
    reach_m: float,
    attach_limit_m: float,
    snap_m: float,
) -> pd.DataFrame:
    """Measure the way from each household to the nearest point, along the paths.

    Homes and points are attached to the nearest place ON a path, never to a junction; the way to the path counts.

    Parameters
    ----------
    households, points
        Points; the indexes name them. One metric CRS.
    paths
        Lines that meet at shared ends, same CRS. May be empty.
    reach_m
        Metres that still count as reached; above 0.
    attach_limit_m
        Farther from any path than this a home or point is not matched; above 0.
    snap_m
        Ends closer than this are one junction; above 0.

    Returns
    -------
    DataFrame
        On the households' index: `walk_m` (NaN when no point can be walked to), `point` (label of the nearest one, else
        null), `status`: `reached`, `beyond` (farther than the reach), `unreachable` (no way to any point), `unmatched` (too
        far from the paths). The four add up to all households.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If a length is not above 0.

    Notes
    -----
    One more point or path never lengthens a way. Rule: docs/kpi.md, "15-minute service circle".
    """
    require_one_metric_crs(households=households, points=points, paths=paths)
    if not (reach_m > 0 and attach_limit_m > 0 and snap_m > 0):
        raise ValueError(f"Lengths must be above 0, got {reach_m=}, {attach_limit_m=}, {snap_m=}.")
    network = _network(paths, snap_m=snap_m)
    homes = _attach(coordinates_of(households), network, limit_m=attach_limit_m)
    goals = _attach(coordinates_of(points), network, limit_m=attach_limit_m)
    walk_m, goal_at = _nearest_goal(network, homes, goals)
    labels = np.full(len(households), None, dtype=object)
    found = np.isfinite(walk_m)
    labels[found] = points.index.to_numpy(dtype=object)[goal_at[found]]
    matched = homes.edge >= 0
    status = np.select([~matched, ~found, walk_m <= reach_m], ["unmatched", "unreachable", "reached"], default="beyond")
    return pd.DataFrame(
        {"walk_m": np.where(found, walk_m, np.nan), "point": labels, "status": status}, index=households.index
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Network:
    """Edges as lines with the junctions at their ends and their lengths."""

    lines: npt.NDArray[np.object_]
    start: Ints
    end: Ints
    length_m: Floats
    n_junctions: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attached:
    """Where places meet the network: edge (-1: nowhere), metres along it, metres to it."""

    edge: Ints
    along_m: Floats
    offset_m: Floats


def _network(paths: gpd.GeoDataFrame, *, snap_m: float) -> _Network:
    lines = shapely.get_parts(paths.geometry.dropna().to_numpy())
    lines = lines[shapely.length(lines) > 0]
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(lines, 0)), shapely.get_coordinates(shapely.get_point(lines, -1))]
    )
    _, junction = np.unique(np.round(ends / snap_m).astype(np.int64), axis=0, return_inverse=True)
    junction = junction.ravel()
    return _Network(
        lines=lines,
        start=junction[: len(lines)],
        end=junction[len(lines) :],
        length_m=shapely.length(lines),
        n_junctions=int(junction.max(initial=-1)) + 1,
    )


def _attach(xy: Floats, network: _Network, *, limit_m: float) -> _Attached:
    edge = np.full(len(xy), -1, dtype=np.intp)
    along_m, offset_m = np.zeros(len(xy)), np.zeros(len(xy))
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if len(placed) and len(network.lines):
        places = shapely.points(xy[placed])
        (at, line_at), found_m = shapely.STRtree(network.lines).query_nearest(
            places, max_distance=limit_m, return_distance=True, all_matches=False
        )
        edge[placed[at]] = line_at
        offset_m[placed[at]] = found_m
        along_m[placed[at]] = shapely.line_locate_point(network.lines[line_at], places[at])
    return _Attached(edge=edge, along_m=along_m, offset_m=offset_m)


def _nearest_goal(network: _Network, homes: _Attached, goals: _Attached) -> tuple[Floats, Ints]:
    """Return metres to the nearest goal and its position; infinite where there is none."""
    n_homes = len(homes.edge)
    walk_m, goal_at = np.full(n_homes, np.inf), np.full(n_homes, -1, dtype=np.intp)
    live = np.flatnonzero(goals.edge >= 0)
    if not len(live) or not n_homes:
        return walk_m, goal_at
    from_m, source = _junction_distances(network, goals, live)
    at = np.flatnonzero(homes.edge >= 0)
    edge = homes.edge[at]
    for junction, rest_m in (
        (network.start[edge], homes.along_m[at]),
        (network.end[edge], network.length_m[edge] - homes.along_m[at]),
    ):
        way_m = homes.offset_m[at] + rest_m + from_m[junction]
        _take_shorter(walk_m, goal_at, at, way_m, source[junction])
    # On one edge the direct way may be shorter than any way over a junction.
    order = np.argsort(goals.edge[live], kind="stable")
    edges_of_goals = goals.edge[live][order]
    first, last = np.searchsorted(edges_of_goals, edge, "left"), np.searchsorted(edges_of_goals, edge, "right")
    for step in range(int((last - first).max(initial=0))):
        has = first + step < last
        goal = live[order[(first + step)[has]]]
        home = at[has]
        direct_m = np.abs(homes.along_m[home] - goals.along_m[goal]) + homes.offset_m[home] + goals.offset_m[goal]
        _take_shorter(walk_m, goal_at, home, direct_m, goal)
    return walk_m, goal_at


def _take_shorter(walk_m: Floats, goal_at: Ints, at: Ints, way_m: Floats, goal: Ints) -> None:
    shorter = way_m < walk_m[at]
    walk_m[at[shorter]] = way_m[shorter]
    goal_at[at[shorter]] = goal[shorter]


def _junction_distances(network: _Network, goals: _Attached, live: Ints) -> tuple[Floats, Ints]:
    """Return metres from each junction to the nearest goal, and that goal's position."""
    n, edge = network.n_junctions, goals.edge[live]
    goal_node = n + np.arange(len(live))
    rows = np.concatenate([network.start, goal_node, goal_node])
    columns = np.concatenate([network.end, network.start[edge], network.end[edge]])
    metres = np.concatenate(
        [
            network.length_m,
            goals.along_m[live] + goals.offset_m[live],
            network.length_m[edge] - goals.along_m[live] + goals.offset_m[live],
        ]
    )
    # Of two edges between the same junctions the shorter one counts; a way of 0 m would read as "no edge".
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    order = np.lexsort((metres, high, low))
    low, high, metres = low[order], high[order], np.maximum(metres[order], 1e-9)
    shortest = (low != high) & np.append(True, (np.diff(low) != 0) | (np.diff(high) != 0))
    size = n + len(live)
    graph = coo_array((metres[shortest], (low[shortest], high[shortest])), shape=(size, size)).tocsr()
    from_m, _, sources = dijkstra(graph, directed=False, indices=goal_node, min_only=True, return_predecessors=True)
    reachable = sources[:n] >= 0
    return from_m[:n], np.where(reachable, live[np.clip(sources[:n] - n, 0, len(live) - 1)], -1)
