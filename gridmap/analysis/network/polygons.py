"""The ground along reached paths as polygons: a field of distances and its contour, instead of buffers and their union."""

from dataclasses import dataclass
from typing import Any

import contourpy
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.ndimage import distance_transform_edt

from gridmap.analysis.network.network import Floats, Ints

# Of the distance that the polygons reach; half as fine costs a third more and halves the error.
_CELL_SHARE = 0.65
# Cells from a path beyond which no border runs: above 1 / 0.65, and the way from a path to the middle of its cell.
_FAR_CELLS = 3
# Above so many cells (400 MB; a square of 30 km at 25 m) a polygon is made the slow way.
_MAX_CELLS = 4_000_000


def polygons_around(pieces: gpd.GeoDataFrame, *, buffer_m: float) -> gpd.GeoSeries:
    """Return the ground within so many metres of each point's pieces of path.

    Parameters
    ----------
    pieces
        As `reached_pieces` gives them; with a column `point` one polygon is made for each, else one in all.
    buffer_m
        Metres beside the path; above 0.

    Returns
    -------
    GeoSeries
        Polygons or multipolygons by point, in the order of their first piece; without `point` one at 0. Empty without pieces.

    Raises
    ------
    ValueError
        If `buffer_m` is not above 0.

    Notes
    -----
    The border runs where the distance to the path, known exactly at places 0.65 `buffer_m` apart, passes `buffer_m`; it
    strays from the exact buffer by three to four hundredths of its ground (bench/README.md).
    """
    if not buffer_m > 0:
        raise ValueError(f"`buffer_m` must be above 0, got {buffer_m}.")
    lines = pieces.geometry.to_numpy()
    if "point" in pieces:
        number, labels = pieces["point"].factorize()
    else:
        number, labels = np.zeros(len(pieces), dtype=np.intp), [0][: min(len(pieces), 1)]
    sampled = _sampled(lines, step_m=buffer_m * _CELL_SHARE)
    owner = number[sampled.line[sampled.segment]]
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], np.arange(len(labels) + 1))
    polygons = np.empty(len(labels), dtype=object)
    for at in range(len(labels)):
        ground = _contour(sampled, order[first[at] : first[at + 1]], buffer_m)
        if ground is None:
            ground = shapely.buffer(shapely.multilinestrings(lines[number == at]), buffer_m)
        polygons[at] = ground
    return gpd.GeoSeries(polygons, index=labels, crs=pieces.crs)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sampled:
    """Straight segments and places on them, a step apart at most.

    `table` has a row a segment: where it begins, how it goes on (east and north each), the square of its length.
    """

    table: Floats
    line: Ints
    segment: Ints
    x: Floats
    y: Floats


def _sampled(lines: npt.NDArray[np.object_], *, step_m: float) -> _Sampled:
    xy, line = shapely.get_coordinates(lines, return_index=True)
    inner = np.flatnonzero(line[1:] == line[:-1])
    origin, way = xy[inner], xy[inner + 1] - xy[inner]
    n_steps = np.ceil(np.hypot(*way.T) / step_m).astype(np.intp) + 1
    segment = np.repeat(np.arange(len(inner)), n_steps)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
    share = number / np.maximum(n_steps - 1, 1)[segment]
    return _Sampled(
        table=np.column_stack([origin, way, (way**2).sum(axis=1)]),
        line=line[inner],
        segment=segment,
        x=origin[segment, 0] + share * way[segment, 0],
        y=origin[segment, 1] + share * way[segment, 1],
    )


def _contour(sampled: _Sampled, which: Ints, buffer_m: float) -> shapely.Geometry | None:
    """Return the polygon of all that is within a distance of segments; None where there would be too many cells."""
    cell_m = buffer_m * _CELL_SHARE
    rim_m = buffer_m + 2 * cell_m
    east, north = sampled.x[which], sampled.y[which]
    low_x, low_y = east.min() - rim_m, north.min() - rim_m
    n_x, n_y = (
        int(np.ceil((high + rim_m - low) / cell_m)) + 1 for high, low in ((east.max(), low_x), (north.max(), low_y))
    )
    if n_x * n_y > _MAX_CELLS:
        return None
    # Each cell knows one segment that passes it; a place asks the segment of the nearest such cell.
    column = ((east - low_x) / cell_m + 0.5).astype(np.int32)
    row = ((north - low_y) / cell_m + 0.5).astype(np.int32)
    segment = np.full((n_y, n_x), -1, dtype=np.intp)
    segment[row, column] = sampled.segment[which]
    near = distance_transform_edt(segment < 0, return_distances=False, return_indices=True)
    # Only what is near the border needs its distance; farther out any greater one does.
    off_row, off_column = near[0] - np.arange(n_y, dtype=np.int32)[:, None], near[1] - np.arange(n_x, dtype=np.int32)
    band = np.flatnonzero(off_row * off_row + off_column * off_column <= _FAR_CELLS**2)
    nearest = segment.ravel()[near[0].ravel()[band].astype(np.intp) * n_x + near[1].ravel()[band]]
    x, y = low_x + np.arange(n_x) * cell_m, low_y + np.arange(n_y) * cell_m
    distance_m = np.full((n_y, n_x), _FAR_CELLS * cell_m)
    distance_m.ravel()[band] = _distances(sampled, nearest, x[band % n_x], y[band // n_x])
    x, y = np.broadcast_arrays(x, y[:, None])
    contours = contourpy.SerialContourGenerator(
        x,
        y,
        distance_m,
        None,  # type: ignore[arg-type]  # nothing is masked
        corner_mask=False,
        line_type=contourpy.LineType.Separate,
        fill_type=contourpy.FillType.ChunkCombinedOffsetOffset,
        quad_as_tri=False,
        z_interp=contourpy.ZInterp.Linear,
        x_chunk_size=0,
        y_chunk_size=0,
    )
    made: Any = contours.filled(-1.0, buffer_m)
    (points,), (rings,), (outer,) = made
    parts = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points, (rings.astype(np.int64), outer.astype(np.int64))
    )
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _distances(sampled: _Sampled, segment: Ints, x: Floats, y: Floats) -> Floats:
    """Return the distance of each place to a segment."""
    origin_x, origin_y, way_x, way_y, way2 = np.take(sampled.table, segment, axis=0).T
    east, north = x - origin_x, y - origin_y
    share = np.minimum(np.maximum((east * way_x + north * way_y) / way2, 0.0), 1.0)
    east -= share * way_x
    north -= share * way_y
    distances: Floats = np.sqrt(east * east + north * north)
    return distances
