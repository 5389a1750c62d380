"""Where lines meet: crossings, ends that touch, ends that nearly touch; and the lines cut there into edges."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
_NOISE_M = 1e-6
_OWN_LINE = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Strings:
    """Lines as arrays: no null, no two equal vertices behind each other, at least two vertices each.

    Parameters
    ----------
    first
        Line `i` has the vertices `first[i]` to `first[i + 1] - 1`.
    xy, z
        East and north, height (NaN: unknown) of each vertex.
    is_bridge
        Of each line.
    """

    first: Ints
    xy: Floats
    z: Floats
    is_bridge: Flags

    @property
    def line_of_vertex(self) -> Ints:
        """The line of each vertex."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def along_m(self) -> Floats:
        """Metres from the line's first vertex to each vertex."""
        return lengths_along(self.xy, self.first)


@dataclass(frozen=True, kw_only=True, eq=False)
class Meetings:
    """Places where lines are cut or end, each with the node it belongs to.

    Parameters
    ----------
    line, along_m
        The line and the metres along it.
    node
        Number of the node.
    node_xy
        East and north of each node.
    moved_m
        Metres from each line's ends to the nodes they went to, shape (n_lines, 2).
    joined_xy
        Places where two lines crossed without a common vertex and a node was made.
    joined_line
        One of the two lines there.
    on_bridge_xy, on_bridge_line
        Ends that lie on the deck of a bridge and were not joined to it, and their lines.
    """

    line: Ints
    along_m: Floats
    node: Ints
    node_xy: Floats
    moved_m: Floats
    joined_xy: Floats
    joined_line: Ints
    on_bridge_xy: Floats
    on_bridge_line: Ints


def lengths_along(xy: Floats, first: Ints) -> Floats:
    """Return the metres from the first vertex of its line to each vertex."""
    step = np.zeros(len(xy))
    step[1:] = np.hypot(*np.diff(xy, axis=0).T) if len(xy) > 1 else 0.0
    step[first[:-1]] = 0.0
    total = np.cumsum(step)
    along: Floats = total - np.repeat(total[first[:-1]], np.diff(first))
    return along


def _totals(strings: Strings) -> Floats:
    """Return the metres of each line."""
    return strings.along_m()[strings.first[1:] - 1]


def find_meetings(strings: Strings, *, snap_m: float) -> Meetings:
    """Find the nodes of a set of lines.

    A bridge is not joined to what passes under it: only its own ends meet other lines.

    Parameters
    ----------
    strings
        The lines.
    snap_m
        Ends this near to each other, or to another line, meet.
    """
    n_lines = len(strings.first) - 1
    along = strings.along_m()
    head, tail = strings.first[:-1], strings.first[1:] - 1
    segments = _Segments.of(strings, along)
    crossed = _crossings(strings, segments)
    touched = _touches(strings, segments, snap_m=snap_m)
    # In this order: a node lies where the first of its places lies, so crossings stay and ends move to them.
    line = np.concatenate([crossed.line, touched.line, np.arange(n_lines), np.arange(n_lines)])
    at_m = np.concatenate([crossed.along_m, touched.along_m, np.zeros(n_lines), along[tail]])
    xy = np.concatenate([crossed.xy, touched.xy, strings.xy[head], strings.xy[tail]])
    first_end = len(crossed.line) + len(touched.line)
    node, node_xy = _grouped(xy, within_m=snap_m)
    moved_m = np.hypot(*(node_xy[node[first_end:]] - xy[first_end:]).T).reshape(2, n_lines).T
    return Meetings(
        line=line,
        along_m=at_m,
        node=node,
        node_xy=node_xy,
        moved_m=moved_m,
        joined_xy=crossed.new_xy,
        joined_line=crossed.new_line,
        on_bridge_xy=touched.on_bridge_xy,
        on_bridge_line=touched.on_bridge_line,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Segments:
    """The straight pieces of all lines."""

    line: Ints
    vertex: Ints
    along_m: Floats
    length_m: Floats
    shapes: npt.NDArray[np.object_]
    tree: shapely.STRtree

    @classmethod
    def of(cls, strings: Strings, along: Floats) -> "_Segments":
        is_last = np.zeros(len(along), dtype=bool)
        is_last[strings.first[1:] - 1] = True
        vertex = np.flatnonzero(~is_last)
        shapes = shapely.linestrings(np.stack([strings.xy[vertex], strings.xy[vertex + 1]], axis=1))
        return cls(
            line=strings.line_of_vertex[vertex],
            vertex=vertex,
            along_m=along[vertex],
            length_m=along[vertex + 1] - along[vertex],
            shapes=shapes,
            tree=shapely.STRtree(shapes),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Crossings:
    """Places of crossings, one entry for each line there; and those where no common vertex was."""

    line: Ints
    along_m: Floats
    xy: Floats
    new_xy: Floats
    new_line: Ints


def _crossings(strings: Strings, segments: _Segments) -> _Crossings:
    one, other = segments.tree.query(segments.shapes, predicate="intersects")
    is_bridge = strings.is_bridge[segments.line]
    next_to = (segments.line[one] == segments.line[other]) & (other == one + 1)
    kept = (one < other) & ~next_to & ~is_bridge[one] & ~is_bridge[other]
    one, other = one[kept], other[kept]
    only_ends = _meet_at_ends_only(strings, segments, one, other)
    one, other = one[~only_ends], other[~only_ends]
    places = shapely.intersection(segments.shapes[one], segments.shapes[other])
    # Segments on top of each other share a piece: both its ends are crossings.
    xy, at = shapely.get_coordinates(places, return_index=True)
    one, other = one[at], other[at]
    along_one, inner_one = _along(strings, segments, one, xy)
    along_other, inner_other = _along(strings, segments, other, xy)
    last_m = _totals(strings)
    middle = [
        (along > _NOISE_M) & (along < last_m[segments.line[which]] - _NOISE_M)
        for along, which in ((along_one, one), (along_other, other))
    ]
    # Where both lines end, their ends meet anyway.
    useful = middle[0] | middle[1]
    is_new = middle[0] & middle[1] & (inner_one | inner_other)
    line = np.concatenate([segments.line[one][useful], segments.line[other][useful]])
    along = np.concatenate([along_one[useful], along_other[useful]])
    both_xy = np.vstack([xy[useful], xy[useful]])
    # A common vertex is met by all four segments there: one entry a line is enough.
    kept = _distinct(line, along)
    new = np.flatnonzero(is_new)
    new = new[np.unique(np.round(xy[new] / _NOISE_M), axis=0, return_index=True)[1]]
    return _Crossings(
        line=line[kept],
        along_m=along[kept],
        xy=both_xy[kept],
        new_xy=xy[new],
        new_line=segments.line[one][new],
    )


def _meet_at_ends_only(strings: Strings, segments: _Segments, one: Ints, other: Ints) -> Flags:
    """Tell which pairs of segments share nothing but an end of both their lines: the commonest case needs no geometry."""
    is_end = np.zeros(len(strings.xy), dtype=bool)
    is_end[strings.first[:-1]] = is_end[strings.first[1:] - 1] = True
    only = np.zeros(len(one), dtype=bool)
    for side_one in (0, 1):
        for side_other in (0, 1):
            vertex, far = segments.vertex[one] + side_one, segments.vertex[one] + 1 - side_one
            vertex_other, far_other = segments.vertex[other] + side_other, segments.vertex[other] + 1 - side_other
            shared = (strings.xy[vertex] == strings.xy[vertex_other]).all(axis=1)
            away, away_other = strings.xy[far] - strings.xy[vertex], strings.xy[far_other] - strings.xy[vertex]
            apart = np.abs(away[:, 0] * away_other[:, 1] - away[:, 1] * away_other[:, 0])
            spread = np.hypot(*away.T) * np.hypot(*away_other.T)
            # Pieces that leave in one direction lie on each other, those in opposite directions do not.
            splits = (apart > _NOISE_M * spread) | ((away * away_other).sum(axis=1) < 0)
            only |= shared & splits & is_end[vertex] & is_end[vertex_other]
    return only


def _distinct(line: Ints, along: Floats) -> Ints:
    """Return the positions of the first of places on the same line a hair apart, in their order."""
    order = np.lexsort((along, line))
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (np.diff(line[order]) != 0) | (np.diff(along[order]) > _NOISE_M)
    return np.sort(order[is_first])


def _grouped(xy: Floats, *, within_m: float) -> tuple[Ints, Floats]:
    """Return the group of each place (those that near ones join) and where each group's first place is."""
    if not len(xy):
        return np.empty(0, dtype=np.intp), np.empty((0, 2))
    # Many places are the same; all pairs of them would be too many.
    _, chosen, place = np.unique(np.round(xy / _NOISE_M), axis=0, return_index=True, return_inverse=True)
    pairs = cKDTree(xy[chosen]).query_pairs(within_m + _NOISE_M, output_type="ndarray")
    links = (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1]))
    _, label = connected_components(coo_array(links, shape=(len(chosen), len(chosen))), directed=False)
    group = label[place.ravel()]
    _, leader, number = np.unique(group, return_index=True, return_inverse=True)
    return number.ravel().astype(np.intp), xy[leader]


def _along(strings: Strings, segments: _Segments, which: Ints, xy: Floats) -> tuple[Floats, Flags]:
    """Return the metres along the line of places on segments, and whether they lie between the segment's ends."""
    way_m = np.hypot(*(xy - strings.xy[segments.vertex[which]]).T)
    way_m = np.minimum(way_m, segments.length_m[which])
    inner = (way_m > _NOISE_M) & (way_m < segments.length_m[which] - _NOISE_M)
    return segments.along_m[which] + way_m, inner


@dataclass(frozen=True, kw_only=True, eq=False)
class _Touches:
    """Ends near another line: the place on that line, and which end (all first ends, then all last ones)."""

    line: Ints
    along_m: Floats
    xy: Floats
    end: Ints
    on_bridge_xy: Floats
    on_bridge_line: Ints


def _touches(strings: Strings, segments: _Segments, *, snap_m: float) -> _Touches:
    n_lines = len(strings.first) - 1
    ends_xy = np.concatenate([strings.xy[strings.first[:-1]], strings.xy[strings.first[1:] - 1]])
    line_of_end = np.tile(np.arange(n_lines), 2)
    ends = shapely.points(ends_xy)
    end, segment = segments.tree.query(ends, predicate="dwithin", distance=snap_m)
    other = segments.line[segment]
    origin = strings.xy[segments.vertex[segment]]
    step = strings.xy[segments.vertex[segment] + 1] - origin
    share = np.clip(((ends_xy[end] - origin) * step).sum(axis=1) / (step**2).sum(axis=1), 0.0, 1.0)
    along = segments.along_m[segment] + share * segments.length_m[segment]
    # Of its own line an end meets only what lies farther along than it could be snapped.
    own_m = np.concatenate([np.zeros(n_lines), _totals(strings)])[end]
    foreign = (other != line_of_end[end]) | (np.abs(along - own_m) > _OWN_LINE * snap_m)
    end, segment, other, along = end[foreign], segment[foreign], other[foreign], along[foreign]
    foot = (origin + share[:, None] * step)[foreign]
    gap_m = np.hypot(*(foot - ends_xy[end]).T)
    # One touch for each end and line: the nearest place.
    order = np.lexsort((gap_m, other, end))
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (end[order][1:] != end[order][:-1]) | (other[order][1:] != other[order][:-1])
    best = order[is_first]
    end, other, foot, along = end[best], other[best], foot[best], along[best]
    line_ends = np.stack([strings.xy[strings.first[:-1]], strings.xy[strings.first[1:] - 1]], axis=1)[other]
    from_line_end_m = np.hypot(*(line_ends - ends_xy[end][:, None, :]).transpose(2, 0, 1)).min(axis=1)
    on_deck = strings.is_bridge[other] & (from_line_end_m > snap_m)
    used = ~strings.is_bridge[other]
    return _Touches(
        line=other[used],
        along_m=along[used],
        xy=foot[used],
        end=end[used],
        on_bridge_xy=ends_xy[end[on_deck]],
        on_bridge_line=line_of_end[end[on_deck]],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Lines cut at their nodes: line, nodes and vertices of each piece (`first` as in `Strings`)."""

    line: Ints
    start: Ints
    end: Ints
    first: Ints
    xy: Floats
    z: Floats


def cut_at_nodes(strings: Strings, meetings: Meetings) -> Pieces:
    """Cut lines where they meet; the ends of the pieces lie on their nodes."""
    along = strings.along_m()
    z_at = _heights(strings, along, meetings.line, meetings.along_m)
    line = np.concatenate([strings.line_of_vertex, meetings.line])
    at_m = np.concatenate([along, meetings.along_m])
    xy = np.vstack([strings.xy, meetings.node_xy[meetings.node]])
    z = np.concatenate([strings.z, z_at])
    node = np.concatenate([np.full(len(along), -1), meetings.node])
    # A vertex where a node is gives way to the node.
    order = np.lexsort((node < 0, at_m, line))
    line, at_m, xy, z, node = line[order], at_m[order], xy[order], z[order], node[order]
    covered = np.zeros(len(line), dtype=bool)
    near = (line[1:] == line[:-1]) & (at_m[1:] - at_m[:-1] <= _NOISE_M)
    covered[1:] |= near & (node[1:] < 0) & (node[:-1] >= 0)
    covered[:-1] |= near & (node[:-1] < 0) & (node[1:] >= 0)
    line, xy, z, node = line[~covered], xy[~covered], z[~covered], node[~covered]
    cuts = np.flatnonzero(node >= 0)
    together = line[cuts[1:]] == line[cuts[:-1]]
    low, high = cuts[:-1][together], cuts[1:][together]
    size = high - low + 1
    first = np.concatenate([[0], np.cumsum(size)]).astype(np.intp)
    vertex = np.arange(first[-1]) - np.repeat(first[:-1] - low, size)
    return Pieces(line=line[low], start=node[low], end=node[high], first=first, xy=xy[vertex], z=z[vertex])


def _heights(strings: Strings, along: Floats, line: Ints, at_m: Floats) -> Floats:
    """Return the heights of places on lines, between those of the vertices."""
    if not len(line):
        return np.empty(0)
    last = along[strings.first[1:] - 1]
    before = np.concatenate([[0.0], np.cumsum(last)[:-1]])
    in_a_row = along + np.repeat(before, np.diff(strings.first))
    low, high = strings.first[line], strings.first[line + 1] - 2
    vertex = np.clip(np.searchsorted(in_a_row, before[line] + at_m, side="right") - 1, low, high)
    share = np.clip((at_m - along[vertex]) / (along[vertex + 1] - along[vertex]), 0.0, 1.0)
    heights: Floats = strings.z[vertex] + share * (strings.z[vertex + 1] - strings.z[vertex])
    return heights
