"""Ground that was cut in metres goes back to degrees without moving what was there before."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
_ON_A_BORDER_M = 1e-3


def in_stored_degrees(
    shapes: Mapping[str, shapely.Geometry], base: gpd.GeoSeries, *, metric_epsg: int
) -> dict[str, shapely.Geometry]:
    """Return shapes made from others in a metric system in the system of those, as multipolygons.

    A corner that was there gets the coordinates it had, to the last digit. A new corner on a border that was there lies on it
    in degrees as well: at the same share of its length, since a straight line in metres is none in degrees.

    Parameters
    ----------
    shapes
        Polygons, metric.
    base
        The polygons they were made from, in degrees.
    metric_epsg
        Of the shapes.
    """
    degrees, metres = _segments(base.to_numpy()), _segments(base.to_crs(metric_epsg).to_numpy())
    turned = gpd.GeoSeries(list(shapes.values()), crs=metric_epsg)
    corners = shapely.get_coordinates(turned.to_numpy())
    plain = turned.to_crs(base.crs).to_numpy()
    stored = shapely.get_coordinates(plain)
    lines = shapely.linestrings(metres)
    points = shapely.points(corners)
    at, near = shapely.STRtree(lines).query(points, predicate="dwithin", distance=_ON_A_BORDER_M)
    begins, ends = metres[near, 0], metres[near, 1]
    along = ends - begins
    share = ((corners[at] - begins) * along).sum(axis=1) / (along**2).sum(axis=1)
    is_begin, is_end = (corners[at] == begins).all(axis=1), (corners[at] == ends).all(axis=1)
    share = np.clip(np.where(is_begin, 0.0, np.where(is_end, 1.0, share)), 0.0, 1.0)
    # Both sides of a border list it, in opposite directions: one and the same of them is asked, and a true corner first.
    order = np.lexsort((near, ~(is_begin | is_end), at))
    first = order[np.unique(at[order], return_index=True)[1]]
    pair = degrees[near[first]]
    weight = share[first][:, None]
    on_border = pair[:, 0] * (1 - weight) + pair[:, 1] * weight
    on_border = np.where(weight == 0, pair[:, 0], np.where(weight == 1, pair[:, 1], on_border))
    stored[at[first]] = on_border
    whole = shapely.set_coordinates(plain, stored)
    return {
        name: shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
        for name, shape in zip(shapes, whole, strict=True)
    }


def _segments(shapes: npt.NDArray[np.object_]) -> Floats:
    """Return every edge of every ring: n × two ends × two coordinates."""
    rings = shapely.get_rings(shapely.get_parts(shapes))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    return np.stack([coordinates[:-1][inside], coordinates[1:][inside]], axis=1)
