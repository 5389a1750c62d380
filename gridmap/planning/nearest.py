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

    The edges of the Delaunay triangles; points on one spot see each other, points on one line the next. A pair far apart
    along the outside may see each other although no border between them lies inside the frame: its border is 0.
    """
    xy = shapely.get_coordinates(points)
    spots, spot_of = np.unique(xy, axis=0, return_inverse=True)
    spot_of = spot_of.ravel()
    order = np.argsort(spot_of, kind="stable")
    same = spot_of[order[1:]] == spot_of[order[:-1]]
    on_one_spot = np.column_stack([order[:-1], order[1:]])[same]
    keeper = order[np.concatenate([[True], ~same])] if len(order) else order
    edges, border_m = _triangle_edges(spots, points)
    pairs = np.vstack([keeper[edges], on_one_spot]).astype(np.intp)
    return pairs, np.concatenate([border_m, np.zeros(len(on_one_spot))])


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
