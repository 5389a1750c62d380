"""Make a network of drawn lines: joined where they meet, priced by kind and slope, with all faults of the drawing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.analysis.network.network import Flags, Floats, Ints, Network
from gridmap.analysis.network.noding import Meetings, Pieces, Strings, cut_at_nodes, find_meetings, lengths_along
from gridmap.analysis.network.prices import are_bridges, seconds_along, speeds_of
from gridmap.crs import require_one_metric_crs
from gridmap.errors import InputError

BRIDGE_KINDS = ("bridge", "桥", "桥梁")
"""Words in the column `kind` that say that a line passes over others."""
PROBLEMS = (
    "no_shape",
    "zero_length",
    "duplicate",
    "end_snapped",
    "crossing_joined",
    "end_on_bridge",
    "not_walked",
    "island",
)
"""Kinds of problems of a drawing; see `build_network`."""
_NOISE_M = 1e-6
_SAME_M = 1e-3


def build_network(
    paths: gpd.GeoDataFrame,
    *,
    snap_m: float,
    speed_m_s: float | Mapping[str, float],
    bridge_kinds: Collection[str] = BRIDGE_KINDS,
    uses_heights: bool = True,
) -> tuple[Network, gpd.GeoDataFrame]:
    """Join lines to a network of junctions and edges, and say what was odd about them.

    Lines meet where they cross or touch, and where the end of one comes within `snap_m` of another. A bridge meets others
    at its own ends only; what passes under it stays apart. A ford is a path like others, with the speed of its kind.

    Parameters
    ----------
    paths
        Lines; the index names them. Metric CRS. Column `is_bridge` (bool) and `kind` (text) are used where they are.
        Heights: z of the vertices, or columns `height_from_m` and `height_to_m` of a line's ends.
    snap_m
        Metres that an end may miss what it meets; above 0. Zigzags shorter than this can be lost.
    speed_m_s
        Metres a second on the flat; a mapping gives it by `kind`, 0: not walked (a motorway, a ford in high water).
    bridge_kinds
        Kinds that are bridges, beside those that `is_bridge` flags.
    uses_heights
        Whether a slope changes the speed (`analysis.network.slope`); without heights it is as if flat.

    Returns
    -------
    Network
        May be empty.
    GeoDataFrame
        One row a problem, `PROBLEMS` order: `kind`, `path` (label of the line), `value_m`, `geometry` (the place, null for
        `no_shape`). `no_shape`: null, empty, or a coordinate is no number; `zero_length`: no way, left out; `duplicate`: the
        same edge twice, the faster one stays (`value_m`: its length); `end_snapped`: an end was moved by `value_m`;
        `crossing_joined`: lines cross here without a common vertex, a junction was made; `end_on_bridge`: an end lies on a
        bridge and was not joined; `not_walked`: its kind has speed 0; `island`: a part that does not hang together with the
        longest one (`value_m`: metres of its paths).

    Raises
    ------
    CrsError
        If the paths are not in metres.
    InputError
        If a geometry is no line, or a kind has no speed.
    ValueError
        If `snap_m` or a speed is out of range.

    Notes
    -----
    A further path lengthens no way between two nodes. Rule: docs/kpi.md, "15-minute service circle".
    """
    crs = require_one_metric_crs(paths=paths)
    if not (np.isfinite(snap_m) and snap_m > 0):
        raise ValueError(f"`snap_m` must be above 0, got {snap_m}.")
    drawn = _drawn(paths)
    speed = speeds_of(paths, speed_m_s)[drawn.row]
    is_bridge = are_bridges(paths, bridge_kinds)[drawn.row]
    walked = speed > 0
    problems = [
        _Found("no_shape", drawn.without_shape, None, None),
        _Found("zero_length", drawn.zero_row, None, drawn.zero_xy),
        _Found("not_walked", drawn.row[~walked], None, drawn.strings.xy[drawn.strings.first[:-1]][~walked]),
    ]
    strings = _only(drawn.strings, walked, is_bridge)
    row, speed = drawn.row[walked], speed[walked]
    meetings = find_meetings(strings, snap_m=snap_m)
    problems += _meeting_problems(strings, meetings, row)
    pieces = _cleaned(cut_at_nodes(strings, meetings), snap_m=snap_m)
    twice, costs = _priced(pieces, speed[pieces.line], uses_heights=uses_heights)
    network = _network(pieces, costs, meetings.node_xy, strings.is_bridge, paths.index[row], crs=crs)
    problems += [
        _Found("duplicate", row[pieces.line[twice]], _lengths(pieces)[twice], _middles(pieces, twice)),
        *_islands(network, pd.Series(np.arange(len(paths)), index=paths.index)),
    ]
    return network, _frame(problems, paths)


@dataclass(frozen=True, eq=False)
class _Found:
    """Problems of one kind: rows of the paths, metres, places."""

    kind: str
    row: Ints
    value_m: Floats | None
    xy: Floats | None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """The lines that can be used, with the row each comes from; and the rows that cannot."""

    strings: Strings
    row: Ints
    without_shape: Ints
    zero_row: Ints
    zero_xy: Floats


def _drawn(paths: gpd.GeoDataFrame) -> _Drawn:
    shapes = paths.geometry.to_numpy()
    line_types = (
        -1,
        shapely.GeometryType.LINESTRING,
        shapely.GeometryType.MULTILINESTRING,
        shapely.GeometryType.LINEARRING,
    )
    strange = ~np.isin(shapely.get_type_id(shapes), line_types) & ~shapely.is_empty(shapes)
    if strange.any():
        raise InputError(
            f"`paths` must hold lines, got a `{shapes[strange][0].geom_type}`. Take it out, or draw its line."
        )
    xyz, at = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    is_wrong = np.zeros(len(shapes), dtype=bool)
    is_wrong[at[~np.isfinite(xyz[:, :2]).all(axis=1)]] = True
    without_shape = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes) | is_wrong)
    usable = np.setdiff1d(np.arange(len(shapes)), without_shape)
    parts, part_of = shapely.get_parts(shapes[usable], return_index=True)
    row = usable[part_of]
    xyz, line = shapely.get_coordinates(parts, include_z=True, return_index=True)
    kept = np.ones(len(line), dtype=bool)
    kept[1:] = (line[1:] != line[:-1]) | (np.abs(np.diff(xyz[:, :2], axis=0)) > _NOISE_M).any(axis=1)
    has_way = np.bincount(line[kept], minlength=len(parts)) > 1
    zero = np.flatnonzero(~has_way)
    head = np.searchsorted(line, zero)
    kept &= has_way[line]
    xyz, line = xyz[kept], (np.cumsum(has_way) - 1)[line[kept]]
    first = np.searchsorted(line, np.arange(int(has_way.sum()) + 1))
    row_of = row[has_way]
    zero_xy = shapely.get_coordinates(parts)[head] if len(zero) else np.empty((0, 2))
    strings = Strings(first=first, xy=xyz[:, :2], z=xyz[:, 2], is_bridge=np.zeros(len(row_of), dtype=bool))
    return _Drawn(
        strings=_with_heights_of_ends(strings, paths, row_of),
        row=row_of,
        without_shape=without_shape,
        zero_row=row[zero],
        zero_xy=zero_xy,
    )


def _with_heights_of_ends(strings: Strings, paths: gpd.GeoDataFrame, row: Ints) -> Strings:
    """Give vertices without z the heights between those of their line's ends, where columns tell them."""
    if not {"height_from_m", "height_to_m"} <= set(paths.columns):
        return strings
    low, high = (paths[name].to_numpy(dtype=float)[row] for name in ("height_from_m", "height_to_m"))
    size = np.diff(strings.first)
    along = lengths_along(strings.xy, strings.first)
    share = along / np.repeat(along[strings.first[1:] - 1], size)
    between = np.repeat(low, size) * (1 - share) + np.repeat(high, size) * share
    z = np.where(np.isfinite(strings.z), strings.z, between)
    return Strings(first=strings.first, xy=strings.xy, z=z, is_bridge=strings.is_bridge)


def _only(strings: Strings, kept: Flags, is_bridge: Flags) -> Strings:
    vertex = np.repeat(kept, np.diff(strings.first))
    size = np.diff(strings.first)[kept]
    first = np.concatenate([[0], np.cumsum(size)]).astype(np.intp)
    return Strings(first=first, xy=strings.xy[vertex], z=strings.z[vertex], is_bridge=is_bridge[kept])


def _meeting_problems(strings: Strings, meetings: Meetings, row: Ints) -> list[_Found]:
    line, side = np.nonzero(meetings.moved_m > _NOISE_M)
    vertex = np.where(side == 0, strings.first[line], strings.first[line + 1] - 1)
    return [
        _Found("end_snapped", row[line], meetings.moved_m[line, side], strings.xy[vertex]),
        _Found("crossing_joined", row[meetings.joined_line], None, meetings.joined_xy),
        _Found("end_on_bridge", row[meetings.on_bridge_line], None, meetings.on_bridge_xy),
    ]


def _lengths(pieces: Pieces) -> Floats:
    along = lengths_along(pieces.xy, pieces.first)
    length: Floats = along[pieces.first[1:] - 1]
    return length


def _middles(pieces: Pieces, which: Ints) -> Floats:
    """Return the places half-way along some pieces."""
    if not len(which):
        return np.empty((0, 2))
    size = np.diff(pieces.first)[which]
    last = np.cumsum(size)
    vertex = np.arange(last[-1]) - np.repeat(last - size - pieces.first[which], size)
    lines = shapely.linestrings(pieces.xy[vertex], indices=np.repeat(np.arange(len(which)), size))
    middles: Floats = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    return middles


def _cleaned(pieces: Pieces, *, snap_m: float) -> Pieces:
    """Drop equal vertices behind each other, and the crumbs between places that became one node."""
    size = np.diff(pieces.first)
    of = np.repeat(np.arange(len(size)), size)
    kept = np.ones(len(of), dtype=bool)
    kept[1:] = (of[1:] != of[:-1]) | (np.abs(np.diff(pieces.xy, axis=0)) > _NOISE_M).any(axis=1)
    lengths = _lengths(pieces)
    stays = (np.bincount(of[kept], minlength=len(size)) > 1) & ((pieces.start != pieces.end) | (lengths > 2 * snap_m))
    # The last vertex is the node: of two equal ones at the end, that one is kept by position only.
    kept &= stays[of]
    first = np.concatenate([[0], np.cumsum(np.bincount(of[kept], minlength=len(size))[stays])]).astype(np.intp)
    return Pieces(
        line=pieces.line[stays],
        start=pieces.start[stays],
        end=pieces.end[stays],
        first=first,
        xy=pieces.xy[kept],
        z=pieces.z[kept],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Costs:
    """Seconds at the vertices of all pieces, and the pieces that are edges."""

    kept: Ints
    forward_s: Floats
    backward_s: Floats


def _priced(pieces: Pieces, speed: Floats, *, uses_heights: bool) -> tuple[Ints, _Costs]:
    """Price the pieces; also return the duplicates."""
    forward, backward = seconds_along(pieces, speed, uses_heights=uses_heights)
    last = pieces.first[1:] - 1
    twice = _duplicates(pieces, _lengths(pieces), np.maximum(forward[last], backward[last]))
    kept = np.setdiff1d(np.arange(len(last)), twice)
    return twice, _Costs(kept=kept, forward_s=forward, backward_s=backward)


def _network(
    pieces: Pieces, costs: _Costs, xy: Floats, is_bridge: Flags, path: pd.Index, *, crs: pyproj.CRS
) -> Network:
    """Return the network, nodes and edges numbered so that neighbours are near in memory."""
    kept = costs.kept
    used, ends = np.unique(np.concatenate([pieces.start[kept], pieces.end[kept]]), return_inverse=True)
    node_xy = xy[used]
    places = gpd.GeoSeries(shapely.points(node_xy), crs=crs)
    rank = np.empty(len(used), dtype=np.intp)
    by_place = np.argsort(places.hilbert_distance().to_numpy(), kind="stable") if len(used) else rank
    rank[by_place] = np.arange(len(used))
    start, end = rank[ends.ravel()[: len(kept)]], rank[ends.ravel()[len(kept) :]]
    order = np.lexsort((kept, end, start))
    edges, start, end = kept[order], start[order], end[order]
    size = np.diff(pieces.first)[edges]
    first = np.concatenate([[0], np.cumsum(size)]).astype(np.intp)
    vertex = np.arange(first[-1]) - np.repeat(first[:-1] - pieces.first[edges], size)
    return Network(
        crs=crs,
        node_xy=node_xy[by_place],
        node_component=_components(len(used), start, end, _lengths(pieces)[edges]),
        start=start,
        end=end,
        path=path[pieces.line[edges]],
        is_bridge=is_bridge[pieces.line[edges]],
        first_vertex=first,
        vertex_xy=pieces.xy[vertex],
        vertex_m=lengths_along(pieces.xy, pieces.first)[vertex],
        vertex_forward_s=costs.forward_s[vertex],
        vertex_backward_s=costs.backward_s[vertex],
    )


def _duplicates(pieces: Pieces, length: Floats, dearest: Floats) -> Ints:
    """Return the pieces that repeat another one between the same nodes on the same way; the cheapest is none."""
    low, high = np.minimum(pieces.start, pieces.end), np.maximum(pieces.start, pieces.end)
    order = np.lexsort((dearest, np.round(length, 3), high, low))
    alike = (np.diff(low[order]) == 0) & (np.diff(high[order]) == 0) & (np.abs(np.diff(length[order])) <= _SAME_M)
    order = order[np.append(alike, False) | np.append(False, alike)] if len(order) else order
    middle = _middles(pieces, order)
    twice = np.zeros(len(length), dtype=bool)
    # Neighbours in the order are compared: only some are alike, and those stand together.
    for step in range(1, 4):
        one, other = order[:-step], order[step:]
        same = (low[one] == low[other]) & (high[one] == high[other])
        same &= np.abs(length[one] - length[other]) <= _SAME_M
        same &= np.hypot(*(middle[:-step] - middle[step:]).T) <= _SAME_M
        twice[other[same & ~twice[one]]] = True
    return np.flatnonzero(twice)


def _components(n_nodes: int, start: Ints, end: Ints, length: Floats) -> Ints:
    """Return the components numbered, the one with the longest paths first."""
    links = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(n_nodes, n_nodes))
    n, label = connected_components(links, directed=False)
    total = np.bincount(label[start], weights=length, minlength=n) if n_nodes else np.empty(0)
    rank = np.empty(n, dtype=np.intp)
    rank[np.argsort(-total, kind="stable")] = np.arange(n)
    numbered: Ints = rank[label]
    return numbered


def _islands(network: Network, row_of: pd.Series) -> list[_Found]:
    """Report each part but the longest at the middle of its first edge."""
    part, first = np.unique(network.edge_component, return_index=True)
    part, first = part[1:], first[1:]
    total = np.bincount(network.edge_component, weights=network.length_m, minlength=len(part) + 1)
    rows = pd.Index(row_of.index).get_indexer_for(network.path[first]) if len(first) else np.empty(0, dtype=np.intp)
    return [_Found("island", rows, total[part].astype(float), network.xy_at(first, network.length_m[first] / 2))]


def _frame(found: list[_Found], paths: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    order = {kind: rank for rank, kind in enumerate(PROBLEMS)}
    tables = []
    for one in sorted(found, key=lambda one: order[one.kind]):
        n = len(one.row)
        places = np.full(n, None, dtype=object) if one.xy is None else shapely.points(one.xy)
        values = np.full(n, np.nan) if one.value_m is None else one.value_m
        tables.append(
            gpd.GeoDataFrame(
                {"kind": np.full(n, one.kind, dtype=object), "path": paths.index[one.row], "value_m": values},
                geometry=gpd.GeoSeries(places, crs=paths.crs),
            )
        )
    frame: gpd.GeoDataFrame = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    return frame
