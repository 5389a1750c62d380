"""Density of incidents as a raster whose sum is the number of incidents.

Points are counted in cells, and the counts are smoothed by their cosine transform: mirrored at the edges, the Gaussian is one
factor a frequency, without any cut-off. What counting in cells did to each frequency is known exactly and taken back.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
from scipy import fft

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

_M2_A_KM2 = 1e6
# Up to so many, every point is shared out among the cells around it; the errors of more points cancel out.
_SHARED_OUT_UP_TO = 300_000
# Under a kernel of so many cells it is then enough to know the cell of each.
_COUNTED_FROM_CELLS = 3.0
# A narrower kernel cannot be freed of the width of the cells without ringing.
_FREED_FROM_CELLS = 1.0
_NOTHING_LEFT_FROM = 8.8
_AT_ONCE = 32_768

Floats = npt.NDArray[np.float64]
Places = Iterable[tuple[Floats, Floats]]
Counting = Callable[[Places, tuple[int, int]], Floats]
Transfer = Callable[[Floats], Floats]


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

    values: Floats
    west: float
    north: float
    cell_m: float
    crs: pyproj.CRS
    n_points: int
    n_outside: int

    @property
    def per_km2(self) -> Floats:
        """Incidents per square kilometre."""
        density: Floats = self.values * (_M2_A_KM2 / self.cell_m**2)
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
        West, south, east, north in metres, edges inside; widened to whole cells.
    cell_m
        Width of a cell, above 0. At most a third of the bandwidth keeps the error below 0.2 % of the maximum; half, below
        0.5 %.
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
        If a length is not above 0, the bounds are empty, or a geometry is no point.

    Notes
    -----
    What the kernel would put beyond the bounds is reflected back in, so no incident is lost at the edge. Rule:
    docs/kpi.md, "dispute density".
    """
    crs = require_one_metric_crs(points=points)
    return density_of_places(coordinates_of(points), bounds=bounds, cell_m=cell_m, bandwidth_m=bandwidth_m, crs=crs)


def density_of_places(
    xy: Floats, *, bounds: tuple[float, float, float, float], cell_m: float, bandwidth_m: float, crs: pyproj.CRS
) -> Density:
    """Smooth places into a surface, as `density_surface` does, without the price of a million point objects.

    Parameters
    ----------
    xy
        Easting and northing in metres, shape (n, 2); rows that are not finite are counted as outside.
    bounds, cell_m, bandwidth_m
        See `density_surface`.
    crs
        The metric CRS that the result names.

    Raises
    ------
    ValueError
        If a length is not above 0 or the bounds are empty.
    """
    if not 0 < cell_m < np.inf or not 0 < bandwidth_m < np.inf:
        raise ValueError(f"`cell_m` and `bandwidth_m` must be above 0, got {cell_m} and {bandwidth_m}.")
    west, south, east, north = bounds
    if not (east > west and north > south and np.isfinite(bounds).all()):
        raise ValueError(f"`bounds` must be west, south, east, north of an area, got {bounds}.")
    columns, rows = int(np.ceil((east - west) / cell_m)), int(np.ceil((north - south) / cell_m))
    width = bandwidth_m / cell_m
    count, kept_of = _method(len(xy), width)
    counted = count(_inside(xy, west=west, north=north, cell_m=cell_m, shape=(rows, columns)), (rows, columns))
    n_points = round(counted.sum())
    smooth = _smoothed(counted, width=width, kept_of=kept_of) if n_points else counted
    return Density(
        values=smooth * (n_points / smooth.sum()) if n_points else smooth,
        west=west,
        north=north,
        cell_m=cell_m,
        crs=crs,
        n_points=n_points,
        n_outside=len(xy) - n_points,
    )


def _method(n_points: int, width: float) -> tuple[Counting, Transfer]:
    """Return how points are put into cells, and what that leaves of each frequency (radians a cell), on the average."""
    if n_points <= _SHARED_OUT_UP_TO:
        found = _shared_out, lambda frequency: np.sinc(frequency / (2 * np.pi)) ** 4
    elif width < _COUNTED_FROM_CELLS:
        found = (
            _halved,
            lambda frequency: (
                np.sinc(frequency / (4 * np.pi)) * (0.75 * np.cos(frequency / 4) + 0.25 * np.cos(0.75 * frequency))
            ),
        )
    else:
        found = _counted, lambda frequency: np.sinc(frequency / (2 * np.pi))
    return found[0], np.ones_like if width < _FREED_FROM_CELLS else found[1]


def _inside(
    xy: Floats, *, west: float, north: float, cell_m: float, shape: tuple[int, int]
) -> Iterator[tuple[Floats, Floats]]:
    """Yield column and row, with fractions, of the places inside; so many at a time that they stay near the processor."""
    rows, columns = shape
    for begin in range(0, len(xy), _AT_ONCE):
        part = xy[begin : begin + _AT_ONCE]
        column, row = part[:, 0] - west, north - part[:, 1]
        column *= 1 / cell_m
        row *= 1 / cell_m
        # Written so that NaN is not inside; the far edges belong to the raster.
        if not (column.min() >= 0 and column.max() < columns and row.min() >= 0 and row.max() < rows):
            inside = (column >= 0) & (column <= columns) & (row >= 0) & (row <= rows)
            column = np.minimum(column[inside], np.nextafter(columns, 0))
            row = np.minimum(row[inside], np.nextafter(rows, 0))
        yield column, row


def _counted(places: Places, shape: tuple[int, int]) -> Floats:
    """Count each point in the cell that holds it."""
    cells = [_cells_of(column, row, shape[1]) for column, row in places]
    found = np.concatenate(cells) if cells else np.empty(0, dtype=np.intp)
    return np.bincount(found, minlength=shape[0] * shape[1]).reshape(shape).astype(float)


def _cells_of(column: Floats, row: Floats, columns: int) -> npt.NDArray[np.intp]:
    cells = row.astype(np.int32)
    cells *= columns
    cells += column.astype(np.int32)
    return cells.astype(np.intp)


def _halved(places: Places, shape: tuple[int, int]) -> Floats:
    """Count points in cells of half the width, and share those out: three quarters stay in the cell that they lie in."""
    counted = _counted(((column * 2, row * 2) for column, row in places), (shape[0] * 2, shape[1] * 2))
    for _ in range(2):
        before, after = counted[0::2], counted[1::2]
        counted = 0.75 * (before + after)
        counted[:-1] += 0.25 * before[1:]
        counted[1:] += 0.25 * after[:-1]
        counted[0] += 0.25 * before[0]
        counted[-1] += 0.25 * after[-1]
        counted = counted.T
    return counted


def _shared_out(places: Places, shape: tuple[int, int]) -> Floats:
    """Share each point out among the 16 cells around it by cubic B-splines, so that its place is kept."""
    counted = np.zeros(shape[0] * shape[1])
    for column, row in places:
        for at_row, row_share in _shares(row, shape[0]):
            for at_column, column_share in _shares(column, shape[1]):
                cells = at_row * shape[1] + at_column
                counted += np.bincount(cells, weights=row_share * column_share, minlength=len(counted))
    return counted.reshape(shape)


def _shares(place: Floats, n: int) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    """Return the four cells around each place, mirrored at the edges as by the kernel, and the share of each."""
    first = np.floor(place - 0.5)
    beyond = place - 0.5 - first
    before = 1 - beyond
    shares = (
        before**3 / 6,
        2 / 3 - beyond**2 + beyond**3 / 2,
        2 / 3 - before**2 + before**3 / 2,
        beyond**3 / 6,
    )
    cells = [(first.astype(np.intp) + step) % (2 * n) for step in (-1, 0, 1, 2)]
    return [(np.where(at < n, at, 2 * n - 1 - at), share) for at, share in zip(cells, shares, strict=True)]


def _smoothed(counted: Floats, *, width: float, kept_of: Transfer) -> Floats:
    """Smooth counts, mirrored at the edges, with a Gaussian of `width` cells, freed of what counting did."""

    def factors(n: int) -> Floats:
        frequency = np.pi * np.arange(n) / n
        # Beyond, the kernel leaves less than the last digit of anything.
        frequency = frequency[frequency * width < _NOTHING_LEFT_FROM]
        factor: Floats = np.exp(-0.5 * (frequency * width) ** 2) / kept_of(frequency)
        return factor

    (n_rows, n_columns), down, along = counted.shape, factors(counted.shape[0]), factors(counted.shape[1])
    spectrum = fft.dct(fft.dct(counted, axis=0)[: len(down)], axis=1)[:, : len(along)]
    spectrum = spectrum * down[:, None] * along
    smooth: Floats = fft.idct(fft.idct(spectrum, n=n_columns, axis=1), n=n_rows, axis=0, overwrite_x=True)
    return np.maximum(smooth, 0, out=smooth)
