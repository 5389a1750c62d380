"""Density of incidents as a raster whose sum is the number of incidents."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
from scipy import ndimage

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

_M2_A_KM2 = 1e6
_REACH_OF_KERNEL = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Density:
    """A density surface.

    Parameters
    ----------
    values
        Incidents per cell, rows from north to south; their sum is `n_points`.
    west, north
        Outer corner of the first cell, metres.
    cell_m
        Width of a cell.
    crs
        The metric CRS.
    n_points
        Incidents inside the raster.
    n_outside
        Incidents left out: outside the bounds, or without a place.
    """

    values: npt.NDArray[np.float64]
    west: float
    north: float
    cell_m: float
    crs: pyproj.CRS
    n_points: int
    n_outside: int

    @property
    def per_km2(self) -> npt.NDArray[np.float64]:
        """Incidents per square kilometre."""
        density: npt.NDArray[np.float64] = self.values * (_M2_A_KM2 / self.cell_m**2)
        return density

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the raster, metres."""
        rows, columns = self.values.shape
        return (self.west, self.north - rows * self.cell_m, self.west + columns * self.cell_m, self.north)


def density_surface(
    points: gpd.GeoDataFrame, *, bounds: tuple[float, float, float, float], cell_m: float, bandwidth_m: float
) -> Density:
    """Smooth points into a surface with a Gaussian kernel.

    Parameters
    ----------
    points
        Points; null ones are counted as outside. Metric CRS.
    bounds
        West, south, east, north in metres; widened to whole cells.
    cell_m
        Width of a cell, above 0. At most half the bandwidth keeps the error below 0.5 % of the maximum.
    bandwidth_m
        Standard deviation of the kernel, above 0.

    Returns
    -------
    Density
        The raster; its sum is the number of points inside.

    Raises
    ------
    CrsError
        If the points have no metric CRS.
    ValueError
        If a length is not above 0 or the bounds are empty.

    Notes
    -----
    What the kernel would put beyond the bounds is reflected back in, so no incident is lost at the edge. Rule:
    docs/kpi.md, "dispute density".
    """
    crs = require_one_metric_crs(points=points)
    if not cell_m > 0 or not bandwidth_m > 0:
        raise ValueError(f"`cell_m` and `bandwidth_m` must be above 0, got {cell_m} and {bandwidth_m}.")
    west, south, east, north = bounds
    if not (east > west and north > south):
        raise ValueError(f"`bounds` must be west, south, east, north of an area, got {bounds}.")
    columns, rows = int(np.ceil((east - west) / cell_m)), int(np.ceil((north - south) / cell_m))
    xy = coordinates_of(points)
    with np.errstate(invalid="ignore"):
        column = np.floor((xy[:, 0] - west) / cell_m)
        row = np.floor((north - xy[:, 1]) / cell_m)
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cells = (row[inside] * columns + column[inside]).astype(np.intp)
    counted = np.bincount(cells, minlength=rows * columns).reshape(rows, columns).astype(float)
    smooth = ndimage.gaussian_filter(counted, bandwidth_m / cell_m, mode="reflect", truncate=_REACH_OF_KERNEL)
    n_points = int(inside.sum())
    return Density(
        values=smooth * (n_points / smooth.sum()) if n_points else smooth,
        west=west,
        north=north,
        cell_m=cell_m,
        crs=crs,
        n_points=n_points,
        n_outside=len(points) - n_points,
    )
