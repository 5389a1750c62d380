"""A unit cut in two along a line: nothing lost, and every neighbour keeps matching borders."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from gridmap.errors import InputError
from gridmap.texts import t

Floats = npt.NDArray[np.float64]
_ON_BORDER_M = 1e-6
_SMALLEST_M2 = 1.0


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a cut makes.

    Parameters
    ----------
    pieces
        The two polygons, the one whose middle lies further west (then north) first.
    corners
        New corners on the old outline, x and y; neighbours need them too (`with_corners`).
    """

    pieces: tuple[shapely.Polygon, shapely.Polygon]
    corners: Floats


def cut_polygon(polygon: shapely.Geometry, line: shapely.LineString) -> Cut:
    """Cut a polygon in two.

    Parameters
    ----------
    polygon
        A valid polygon of one part, metres; holes are allowed.
    line
        Runs from outside to outside and crosses the polygon once.

    Returns
    -------
    Cut
        The pieces; their areas add up to the polygon's.

    Raises
    ------
    InputError
        If the unit is no polygon of one part, the line crosses itself, does not cut the polygon, cuts it into more than two pieces, or cuts off less than a square
        metre.
    """
    parts = shapely.get_parts(polygon)
    if len(parts) != 1 or shapely.get_dimensions(polygon) != 2:  # noqa: PLR2004  a surface
        raise InputError(t("plan.cut_no_polygon"))
    polygon = parts[0]
    if not line.is_simple or line.length <= 0:
        raise InputError(t("plan.cut_crossed_line"))
    pieces = [piece for piece in shapely.ops.split(polygon, line).geoms if piece.geom_type == "Polygon"]
    if len(pieces) < 2:  # noqa: PLR2004  a cut makes two
        raise InputError(t("plan.cut_misses"))
    if len(pieces) > 2:  # noqa: PLR2004
        raise InputError(t("plan.cut_many", n=len(pieces)))
    if min(piece.area for piece in pieces) < _SMALLEST_M2:
        raise InputError(t("plan.cut_sliver"))
    first, second = sorted(pieces, key=lambda piece: (piece.centroid.x, -piece.centroid.y))
    old = {tuple(corner) for corner in shapely.get_coordinates(polygon)}
    fresh = {tuple(corner) for piece in pieces for corner in shapely.get_coordinates(piece)} - old
    corners = np.array(sorted(fresh), dtype=float).reshape(-1, 2)
    on_outline = shapely.distance(polygon.boundary, shapely.points(corners)) <= _ON_BORDER_M
    return Cut(pieces=(first, second), corners=corners[on_outline])


def with_corners(polygon: shapely.Geometry, corners: Floats) -> shapely.Geometry:
    """Return a polygon with those corners set into its outline that lie on it; others leave it as it is.

    A corner that is there already is not set again.
    """
    if polygon.geom_type == "MultiPolygon":
        return shapely.MultiPolygon([with_corners(part, corners) for part in shapely.get_parts(polygon)])
    near = corners[shapely.distance(polygon.boundary, shapely.points(corners)) <= _ON_BORDER_M]
    if not len(near):
        return polygon
    rings = [_with_corners(shapely.get_coordinates(ring), near) for ring in shapely.get_rings(polygon)]
    return shapely.Polygon(rings[0], rings[1:])


def _with_corners(ring: Floats, corners: Floats) -> Floats:
    for corner in corners:
        if (ring == corner).all(axis=1).any():
            continue
        edges = shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1))
        gaps = shapely.distance(edges, shapely.Point(corner))
        at = int(np.argmin(gaps))
        if gaps[at] <= _ON_BORDER_M:
            ring = np.insert(ring, at + 1, corner, axis=0)
    return ring
