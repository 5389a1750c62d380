"""Which area holds which point: exact, by array operations that hold up at a million points.

Few points are asked from a tree of the points. Many points go through a table of square cells first: a cell that lies
inside one area answers for all its points at once; only points in cells that a border crosses are asked exactly.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

_CELLS_PAY_FROM = 50_000
_CELLS_A_POINT = 2.0
_MOST_CELLS = 4_000_000
# A border crosses so many cells on a way of one cell's width, whatever its direction: 4 / pi.
_CROSSED_A_WIDTH = 1.27
_MOST_CROSSED_SHARE = 0.4
# Rounding of coordinates must not hide that a border touches a cell.
_SLIP_M = 1e-6
_NOWHERE = -1

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]


def locate(points: gpd.GeoDataFrame | gpd.GeoSeries, areas: gpd.GeoDataFrame) -> pd.Series:
    """Return the area that covers each point.

    Parameters
    ----------
    points
        Points; null or empty ones lie nowhere. Metric CRS.
    areas
        Polygons, same CRS; the index names them.

    Returns
    -------
    Series
        On the points' index: the label of the area, null where none covers the point. A point on a shared border, or in
        an overlap, belongs to the first of the areas by position, and so to exactly one.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    """
    require_one_metric_crs(points=points, areas=areas)
    found = _positions(points.geometry.to_numpy(), coordinates_of(points), areas.geometry.to_numpy())
    labels = areas.index.to_numpy(dtype=object)
    named = np.full(len(found), None, dtype=object)
    named[found != _NOWHERE] = labels[found[found != _NOWHERE]]
    return pd.Series(named, index=points.index, name=areas.index.name or "area")


def grids_of(incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> pd.Series:
    """Return the grid of each incident: the one its place lies in, else the one that was named.

    Parameters
    ----------
    incidents
        Points (null without a place) with `named_grid_code` (null where none was named). Metric CRS.
    grids
        Polygons, same CRS, index the grid codes.

    Returns
    -------
    Series
        On the incidents' index: the grid code, null where the place lies in none of the grids and none of them was named.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    KeyError
        If a column is missing.

    Notes
    -----
    A place is the better witness: a wrong name beside it is overruled. A grid that is not of this plan counts for nothing.
    """
    located = locate(incidents, grids)
    named = incidents["named_grid_code"].where(incidents["named_grid_code"].isin(grids.index))
    return located.where(located.notna(), named.astype(object)).astype(object).where(lambda codes: codes.notna(), None)


def count_points(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, weights: Sequence[str] = ()) -> pd.DataFrame:
    """Count the points in each area and add up their weights.

    Parameters
    ----------
    points
        Points with the weight columns. Metric CRS.
    areas
        Polygons, same CRS; the index names them.
    weights
        Columns to be added up, integers.

    Returns
    -------
    DataFrame
        On the areas' index, every area: `n_points` and one column a weight (int). A point counts at most once.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    KeyError
        If a weight column is missing.
    """
    require_one_metric_crs(points=points, areas=areas)
    found = _positions(points.geometry.to_numpy(), coordinates_of(points), areas.geometry.to_numpy())
    inside = found != _NOWHERE
    counts = {"n_points": np.bincount(found[inside], minlength=len(areas))}
    for name in weights:
        values = points[name].to_numpy()[inside]
        counts[name] = np.bincount(found[inside], weights=values, minlength=len(areas)).round().astype(np.int64)
    return pd.DataFrame(counts, index=areas.index)


def _positions(points: Shapes, xy: Floats, shapes: Shapes) -> Ints:
    """Return the position of the first area that covers each point, -1 for none."""
    found = np.full(len(points), _NOWHERE, dtype=np.intp)
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(known) or not len(shapes):
        return found
    size_m = _paying_cell_m(shapes, n_points=len(known))
    if size_m is not None:
        found[known] = _CellTable(shapes, size_m=size_m).answers(xy[known])
        known = np.flatnonzero(found == _CellTable.CROSSED)
    found[known] = _ask_exactly(points[known], shapes)
    return found


def _paying_cell_m(shapes: Shapes, *, n_points: int) -> float | None:
    """Return the width of cells that are worth their making, None where borders would cross too many of them."""
    west, south, east, north = shapely.total_bounds(shapes)
    extent_m2 = (east - west) * (north - south)
    if n_points < _CELLS_PAY_FROM or not extent_m2 > 0:
        return None
    n_cells = min(_MOST_CELLS, n_points * _CELLS_A_POINT)
    size_m = float(np.sqrt(extent_m2 / n_cells))
    # Neighbours share their borders: half the length of all of them.
    n_crossed = shapely.length(shapes).sum() / 2 / size_m * _CROSSED_A_WIDTH
    return size_m if n_crossed < n_cells * _MOST_CROSSED_SHARE else None


def _ask_exactly(points: Shapes, shapes: Shapes) -> Ints:
    found = np.full(len(points), _NOWHERE, dtype=np.intp)
    # The tree stands over the points, so that each area is prepared once and asked about many.
    area_at, point_at = shapely.STRtree(points).query(shapes, predicate="covers")
    order = np.argsort(area_at, kind="stable")[::-1]
    found[point_at[order]] = area_at[order]
    return found


class _CellTable:
    """Square cells over the areas: which area holds a cell whole, and which cells a border crosses."""

    CROSSED = -2

    def __init__(self, shapes: Shapes, *, size_m: float) -> None:
        west, south, east, north = shapely.total_bounds(shapes)
        self.size = size_m
        self.west, self.south = west, south
        self.n_x = int((east - west) // self.size) + 1
        self.n_y = int((north - south) // self.size) + 1
        self.holder = self._fill(shapes, self._crossed(shapes))

    def answers(self, xy: Floats) -> Ints:
        """Return the area of each point, -1 for none, `CROSSED` where only an exact question can tell."""
        x = np.floor((xy[:, 0] - self.west) / self.size)
        y = np.floor((xy[:, 1] - self.south) / self.size)
        inside = (x >= 0) & (x < self.n_x) & (y >= 0) & (y < self.n_y)
        cell = np.where(inside, y * self.n_x + x, 0).astype(np.intp)
        return np.where(inside, self.holder[cell], _NOWHERE)

    def _crossed(self, shapes: Shapes) -> npt.NDArray[np.bool_]:
        """Return, as an image of the cells, those that a border runs through."""
        # Pieces of at most half a cell never skip one; where a piece goes over a corner, both cells beside it are taken.
        xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(shapes), self.size / 2))
        at = (xy - (self.west, self.south)) / self.size
        crossed = np.zeros((self.n_y + 4, self.n_x + 4), dtype=bool)
        cells = crossed.ravel()
        width = self.n_x + 4
        column, row = np.clip(np.floor(at).astype(np.intp) + 2, 1, (self.n_x + 2, self.n_y + 2)).T
        cells[row * width + column] = True
        turns = np.flatnonzero((column[1:] != column[:-1]) & (row[1:] != row[:-1]))
        cells[row[turns + 1] * width + column[turns]] = True
        cells[row[turns] * width + column[turns + 1]] = True
        # A place on the edge of its cell may belong to any cell around it.
        doubtful = np.flatnonzero((np.abs(at - np.rint(at)) * self.size < _SLIP_M).any(axis=1))
        for up in (-1, 0, 1):
            for right in (-1, 0, 1):
                cells[(row[doubtful] + up) * width + column[doubtful] + right] = True
        return crossed[2:-2, 2:-2]

    def _fill(self, shapes: Shapes, crossed: npt.NDArray[np.bool_]) -> Ints:
        """Give every cell that no border crosses its area: cells that hang together share it, so one of them is asked."""
        pieces, n_pieces = ndimage.label(~crossed)
        pieces = pieces.ravel()
        first = np.zeros(n_pieces + 1, dtype=np.intp)
        first[pieces[::-1]] = np.arange(len(pieces))[::-1]
        middles = np.column_stack(
            [
                self.west + (first % self.n_x + 0.5) * self.size,
                self.south + (first // self.n_x + 0.5) * self.size,
            ]
        )
        holder = _ask_exactly(shapely.points(middles), shapes)
        holder[0] = self.CROSSED
        held: Ints = holder[pieces]
        return held
