"""The pieces of path from which a point is reached in time, cut exactly where the time is over."""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from geopandas.array import GeometryArray

from gridmap.analysis.network.attach import Attached
from gridmap.analysis.network.local import search_each
from gridmap.analysis.network.network import Flags, Floats, Ints, Network, Shapes
from gridmap.analysis.network.travel import times_to_points


def reached_pieces(network: Network, points: Attached, *, limit_s: float, is_each: bool = False) -> gpd.GeoDataFrame:
    """Return the pieces of path from which some point (or each point by itself) is reached within the limit.

    Parameters
    ----------
    network
        The paths.
    points
        Places attached to it; their way to the path counts.
    limit_s
        Seconds; above 0, finite for each point by itself.
    is_each
        One area a point, which may overlap; else the area of all points together, where every place counts once.

    Returns
    -------
    GeoDataFrame
        One row a piece: `point` (label; only with `is_each`), `edge`, `from_m` and `to_m` along it, `length_m`, and the
        line. Sorted by point and place on the edge. Pieces of an edge do not overlap.

    Raises
    ------
    ValueError
        If the limit is out of range.

    Notes
    -----
    The area of all points is the union of the areas of each. A longer limit never shortens an area.
    """
    spans = reached_spans(network, points, limit_s=limit_s, is_each=is_each)
    lines = GeometryArray(lines_between(network, spans.edge, spans.low, spans.high), crs=network.crs)
    columns = {"edge": spans.edge, "from_m": spans.low, "to_m": spans.high, "length_m": spans.high - spans.low}
    named = {"point": points.labels[spans.point], **columns} if is_each else columns
    # Nobody else holds these arrays.
    return gpd.GeoDataFrame({**named, "geometry": lines}, geometry="geometry", copy=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """Pieces of edges, sorted by point, edge and place, none overlapping another of its point.

    Parameters
    ----------
    point
        Position of the point; 0 where all points are taken together.
    edge
        The edge.
    low, high
        Metres along it.
    """

    point: Ints
    edge: Ints
    low: Floats
    high: Floats

    def take(self, which: Ints | Flags) -> "Spans":
        """Return some of the spans."""
        return Spans(**{name: value[which] for name, value in vars(self).items()})

    def sorted(self) -> "Spans":
        """Return the spans in order."""
        return self.take(np.lexsort((self.low, self.edge, self.point)))


def reached_spans(network: Network, points: Attached, *, limit_s: float, is_each: bool) -> Spans:
    """Return what `reached_pieces` does, without drawing it.

    Raises
    ------
    ValueError
        If the limit is out of range.
    """
    if not limit_s > 0 or (is_each and not np.isfinite(limit_s)):
        raise ValueError(f"`limit_s` must be above 0, and finite for each point, got {limit_s}.")
    edges = list(_reached_each(network, points, limit_s)) if is_each else [_reached_together(network, points, limit_s)]
    around = _around_points(network, points, limit_s=limit_s, is_each=is_each)
    return _with_points(network, [_spans(network, one, limit_s=limit_s) for one in edges], around)


def lines_between(network: Network, edge: Ints, from_m: Floats, to_m: Floats) -> Shapes:
    """Return the pieces of edges between two places each as lines; a whole edge is the edge's own line."""
    lines = network.lines[edge]
    cut = np.flatnonzero((from_m > 0) | (to_m < network.length_m[edge]))
    if len(cut):
        lines[cut] = _cut_lines(network, edge[cut], from_m[cut], to_m[cut])
    return lines


def _cut_lines(network: Network, edge: Ints, from_m: Floats, to_m: Floats) -> Shapes:
    ends = [network.vertex_xy[network.first_vertex[edge]], network.vertex_xy[network.first_vertex[edge + 1] - 1]]
    inside = np.flatnonzero(from_m > 0), np.flatnonzero(to_m < network.length_m[edge])
    for xy, at_m, which in zip(ends, (from_m, to_m), inside, strict=True):
        xy[which] = network.xy_at(edge[which], at_m[which])
    lines: Shapes
    if (network.first_vertex[edge + 1] - network.first_vertex[edge] == 2).all():  # noqa: PLR2004  straight ones
        lines = shapely.linestrings(np.stack(ends, axis=1))
        return lines
    size = network.first_vertex[edge + 1] - network.first_vertex[edge]
    piece = np.repeat(np.arange(len(edge)), size)
    vertex = np.arange(len(piece)) - np.repeat(np.cumsum(size) - size - network.first_vertex[edge], size)
    at_m = network.vertex_m[vertex]
    between = (at_m > from_m[piece]) & (at_m < to_m[piece])
    number = np.concatenate([np.arange(len(edge)), piece[between], np.arange(len(edge))])
    xy = np.vstack([ends[0], network.vertex_xy[vertex[between]], ends[1]])
    order = np.argsort(number, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(number))])
    lines = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, xy[order], (starts,))
    return lines


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edges:
    """Edges of which an end is reached, each once a point: seconds from its ends to the point."""

    point: Ints
    edge: Ints
    start_s: Floats
    end_s: Floats


def _chained(parts: list[Spans]) -> Spans:
    nothing = np.empty(0, dtype=np.intp)
    parts = [Spans(point=nothing, edge=nothing, low=np.empty(0), high=np.empty(0)), *parts]
    names = ("point", "edge", "low", "high")
    return Spans(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _reached_together(network: Network, points: Attached, limit_s: float) -> _Edges:
    seconds = times_to_points(network, points, limit_s=limit_s).seconds
    start_s, end_s = seconds[network.start], seconds[network.end]
    edge = np.flatnonzero(np.isfinite(start_s) | np.isfinite(end_s))
    return _Edges(point=np.zeros(len(edge), dtype=np.intp), edge=edge, start_s=start_s[edge], end_s=end_s[edge])


def _reached_each(network: Network, points: Attached, limit_s: float) -> Iterator[_Edges]:
    for found in search_each(network, points, limit_s=limit_s):
        entry, edge = _edges_of(network.starting, found.node)
        yield _Edges(
            point=found.point[entry],
            edge=edge,
            start_s=found.seconds[entry],
            end_s=found.seconds_at(entry, network.end[edge]),
        )
        # An edge whose start is reached too was given above.
        entry, edge = _edges_of(network.ending, found.node)
        only = np.flatnonzero(np.isinf(found.seconds_at(entry, network.start[edge])))
        entry, edge = entry[only], edge[only]
        yield _Edges(
            point=found.point[entry], edge=edge, start_s=np.full(len(edge), np.inf), end_s=found.seconds[entry]
        )


def _edges_of(at_nodes: tuple[Ints, Ints], node: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of an entry of `node` and an edge there."""
    first, edge = at_nodes
    n_edges = first[node + 1] - first[node]
    entry = np.repeat(np.arange(len(node)), n_edges)
    return entry, edge[np.arange(len(entry)) - np.repeat(np.cumsum(n_edges) - n_edges - first[node], n_edges)]


def _spans(network: Network, edges: _Edges, *, limit_s: float) -> Spans:
    """Return what is reached of edges over their ends: all, a piece at one end, or one at each."""
    edge, left_start_s, left_end_s = edges.edge, limit_s - edges.start_s, limit_s - edges.end_s
    low, high = np.zeros(len(edge)), network.length_m[edge]
    # Whole edges are the most; only the others need the place where the time is over.
    cut = np.flatnonzero((left_start_s < network.backward_s[edge]) & (left_end_s < network.forward_s[edge]))
    from_start, from_end = np.zeros(len(cut)), high[cut]
    at_start, at_end = np.flatnonzero(left_start_s[cut] > 0), np.flatnonzero(left_end_s[cut] > 0)
    by_start, by_end = cut[at_start], cut[at_end]
    from_start[at_start] = network.place_after(edge[by_start], left_start_s[by_start], is_forward=False)
    rest_s = network.forward_s[edge[by_end]] - left_end_s[by_end]
    from_end[at_end] = network.place_after(edge[by_end], rest_s, is_forward=True)
    # From both ends over the middle is all of it.
    apart = np.flatnonzero(from_start < from_end)
    cut, from_start, from_end = cut[apart], from_start[apart], from_end[apart]
    has_start, has_end = from_start > 0, from_end < high[cut]
    both = np.flatnonzero(has_start & has_end)
    second = Spans(point=edges.point[cut[both]], edge=edge[cut[both]], low=from_end[both], high=high[cut[both]])
    low[cut[~has_start]] = from_end[~has_start]
    high[cut[has_start]] = from_start[has_start]
    first = Spans(point=edges.point, edge=edge, low=low, high=high)
    nothing = cut[~has_start & ~has_end]
    return _chained([first.take(np.delete(np.arange(len(edge)), nothing)) if len(nothing) else first, second])


def _around_points(network: Network, points: Attached, *, limit_s: float, is_each: bool) -> Spans:
    """Return what is reached of the edge that each point lies on, straight along it."""
    live = np.flatnonzero(points.is_matched)
    live = live[points.offset_s[live] < limit_s]
    edge, along_m, left_s = points.edge[live], points.along_m[live], limit_s - points.offset_s[live]
    forward, backward = network.seconds_at(edge, along_m)
    low = network.place_after(edge, forward - left_s, is_forward=True)
    high = network.place_after(edge, backward + left_s, is_forward=False)
    return Spans(point=live if is_each else np.zeros(len(live), dtype=np.intp), edge=edge, low=low, high=high)


def _with_points(network: Network, spans: list[Spans], around: Spans) -> Spans:
    """Unite pieces over the ends of edges with those around points, which are few and may overlap them."""
    if not len(around.edge):
        return _in_order(network, _chained(spans), left_out=np.empty(0, dtype=np.intp))
    has_point = np.zeros(network.n_edges, dtype=bool)
    has_point[around.edge] = True
    together = _chained(spans)
    touched = has_point[together.edge]
    merged = _merged(_chained([together.take(np.flatnonzero(touched)), around]))
    return _in_order(network, _chained([together, merged]), left_out=np.flatnonzero(touched))


def _in_order(network: Network, spans: Spans, *, left_out: Ints) -> Spans:
    """Sort spans but some; those of one edge are in order already, and nearly all are, which a stable sort makes use of."""
    key = spans.point * network.n_edges + spans.edge
    key[left_out] = -1
    return spans.take(np.argsort(key, kind="stable")[len(left_out) :])


def _merged(pieces: Spans) -> Spans:
    """Unite pieces of the same point and edge that overlap."""
    pieces = pieces.sorted()
    key = np.concatenate([[0], np.cumsum((np.diff(pieces.point) != 0) | (np.diff(pieces.edge) != 0))])
    # Groups one above the other make one running maximum do for all.
    step = float(pieces.high.max(initial=0.0)) + 1.0
    reach = np.maximum.accumulate(pieces.high + key * step)
    begins = np.ones(len(key), dtype=bool)
    begins[1:] = (key[1:] != key[:-1]) | (pieces.low[1:] + key[1:] * step > reach[:-1])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(key)) - 1
    high = reach[last] - key[last] * step
    return Spans(point=pieces.point[first], edge=pieces.edge[first], low=pieces.low[first], high=high)
