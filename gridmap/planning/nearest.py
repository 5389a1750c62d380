"""Single points as land: what is nearer to each than to any other, and how long the border between two of them is."""

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import Delaunay, QhullError

Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]
_SEGMENTS = 8
_POINTS_OF_A_TRIANGLE = 3
_MOST_PAIRS, _MOST_PAIRS_A_POINT = 100_000, 10


def frame_of(points: Shapes) -> shapely.Polygon:
    """Return the convex hull of points, widened by half their mean spacing."""
    hull = shapely.convex_hull(shapely.multipoints(points))
    spacing = np.sqrt(max(hull.area, 1.0) / len(points))
    return shapely.buffer(hull, spacing / 2, quad_segs=_SEGMENTS)


def land_of_shapes(shapes: Shapes) -> Shapes:
    """Return polygons as they are, and of points the land nearest to each."""
    return nearest_land(shapes) if (shapely.get_dimensions(shapes) == 0).all() else shapes


def nearest_land(points: Shapes) -> Shapes:
    """Return the Voronoi cell of each point inside the frame of all.

    Points on one spot share one cell: the first gets it, the others get the bare point.
    """
    frame = frame_of(points)
    spots, first = np.unique(shapely.get_coordinates(points), axis=0, return_index=True)
    cells = points.copy()
    if len(spots) == 1:
        cells[first] = frame
        return cells
    diagram = shapely.voronoi_polygons(shapely.multipoints(points[np.sort(first)]), extend_to=frame, ordered=True)
    land = shapely.get_parts(diagram)
    shapely.prepare(frame)
    outside = ~shapely.contains_properly(frame, land)
    land[outside] = shapely.intersection(land[outside], frame)
    cells[np.sort(first)] = land
    return cells


def seen_pairs(points: Shapes) -> tuple[Ints, Floats]:
    """Return the pairs of points that see each other and the border between their land, metres.

    The edges of the Delaunay triangles; points on one line see the next. Points on one spot (the homes of one building) see
    each other and whoever sees the spot; where that makes too many pairs, the first and the last of a spot stand for the others.
    A pair far apart along the outside may see each other although no border between them lies inside the frame: its border is
    0, as is that of all points of a spot but the first.
    """
    xy = shapely.get_coordinates(points)
    spots, spot_of = np.unique(xy, axis=0, return_inverse=True)
    spot_of = spot_of.ravel()
    order = np.argsort(spot_of, kind="stable")
    counts = np.bincount(spot_of, minlength=len(spots))
    begins = np.cumsum(counts) - counts
    edges, border_m = _triangle_edges(spots, points)
    first, second = edges.T
    seen = order[begins[edges]]
    if len(spots) == len(points):
        return seen.astype(np.intp), border_m
    one = np.concatenate([first, np.arange(len(spots))])
    other = np.concatenate([second, np.arange(len(spots))])
    if (counts[one] * counts[other]).sum() > _MOST_PAIRS + _MOST_PAIRS_A_POINT * len(points):
        ends, ends_count = np.column_stack([begins, begins + counts - 1]).ravel(), np.full(len(spots), 2)
        shared = np.vstack(
            [
                _each_with_each((one, begins, counts), (other, 2 * np.arange(len(spots)), ends_count), second=ends),
                _each_with_each((other, begins, counts), (one, 2 * np.arange(len(spots)), ends_count), second=ends),
                np.column_stack([np.arange(len(points) - 1), np.arange(1, len(points))])[
                    spot_of[order[1:]] == spot_of[order[:-1]]
                ],
            ]
        )
    else:
        shared = _each_with_each((one, begins, counts), (other, begins, counts))
    shared = order[shared[shared[:, 0] != shared[:, 1]]]
    return np.vstack([seen, shared]).astype(np.intp), np.concatenate([border_m, np.zeros(len(shared))])


def _each_with_each(
    one: tuple[Ints, Ints, Ints], other: tuple[Ints, Ints, Ints], *, second: Ints | None = None
) -> Ints:
    """Return each member of one spot with each of another: spots, and where the members of each begin and how many they are."""
    (ones, begins, counts), (others, other_begins, other_counts) = one, other
    n_pairs = counts[ones] * other_counts[others]
    at = np.repeat(np.arange(len(ones)), n_pairs)
    rank = np.arange(len(at)) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    first = begins[ones[at]] + rank // other_counts[others[at]]
    last = other_begins[others[at]] + rank % other_counts[others[at]]
    return np.column_stack([first, last if second is None else second[last]])


def _triangle_edges(spots: Floats, points: Shapes) -> tuple[Ints, Floats]:
    if len(spots) >= _POINTS_OF_A_TRIANGLE:
        try:
            triangles = Delaunay(spots - spots.mean(axis=0))
        except QhullError:  # all on one line
            pass
        else:
            return _borders(spots, triangles, frame_of(points))
    if len(spots) <= 1:
        return np.empty((0, 2), dtype=np.intp), np.empty(0)
    line = np.lexsort((spots[:, 1], spots[:, 0]))
    return np.column_stack([line[:-1], line[1:]]).astype(np.intp), np.zeros(len(line) - 1)


def _borders(spots: Floats, triangles: Delaunay, frame: shapely.Polygon) -> tuple[Ints, Floats]:
    """Return each edge of the triangles and the length of the way between the centres of the two triangles beside it."""
    corners, beside = triangles.simplices, triangles.neighbors
    centres = _circumcentres(spots[corners])
    sides = [(1, 2), (0, 2), (0, 1)]  # side i lies opposite to corner i, and to neighbour i
    edges = np.concatenate([corners[:, side] for side in sides])
    own = np.tile(np.arange(len(corners)), 3)
    other = beside.T.ravel()
    once = own > other  # an outer edge has the neighbour -1
    edges, own, other = edges[once], own[once], other[once]
    ends = centres[other]
    outer = other < 0
    along = spots[edges[outer, 1]] - spots[edges[outer, 0]]
    away = np.column_stack([along[:, 1], -along[:, 0]])
    inward = spots[corners[own[outer]]].mean(axis=1) - spots[edges[outer, 0]]
    away *= -np.sign((away * inward).sum(axis=1, keepdims=True))
    reach = np.hypot(*np.ptp(spots, axis=0)) / np.maximum(np.hypot(*away.T), 1e-12)
    ends[outer] = centres[own[outer]] + 2 * away * reach[:, None]
    ways = shapely.linestrings(np.stack([centres[own], ends], axis=1))
    shapely.prepare(frame)
    crossing = ~shapely.contains_properly(frame, ways)
    length = shapely.length(ways)
    length[crossing] = shapely.length(shapely.intersection(ways[crossing], frame))
    return np.sort(edges, axis=1).astype(np.intp), length


def _circumcentres(corners: Floats) -> Floats:
    """Return the point as far from each of the three corners; of a triangle without area its middle."""
    origin = corners[:, 0]
    b, c = corners[:, 1] - origin, corners[:, 2] - origin
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    flat = np.abs(twice) < 1e-12 * np.maximum((b**2).sum(axis=1), (c**2).sum(axis=1))
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    offset = np.column_stack([c[:, 1] * bb - b[:, 1] * cc, b[:, 0] * cc - c[:, 0] * bb])
    offset /= np.where(flat, 1.0, twice)[:, None]
    centres: Floats = np.where(flat[:, None], corners.mean(axis=1), origin + offset)
    return centres
