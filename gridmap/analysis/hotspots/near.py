"""Which grids are neighbours: those that touch, or those within a distance."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from gridmap.crs import require_one_metric_crs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Near:
    """Neighbours of each grid: symmetric, nobody is their own.

    Parameters
    ----------
    starts, others
        The neighbours of grid `i` are `others[starts[i]:starts[i + 1]]`, sorted.
    """

    starts: Ints
    others: Ints

    def __len__(self) -> int:
        """Return the number of grids."""
        return len(self.starts) - 1

    @property
    def n_near(self) -> Ints:
        """Neighbours of each grid."""
        counted: Ints = np.diff(self.starts)
        return counted

    def of(self, grid: int) -> Ints:
        """Return the neighbours of one grid."""
        return self.others[self.starts[grid] : self.starts[grid + 1]]

    def around(self, values: Floats) -> Floats:
        """Sum over the neighbours of each grid; `values` one a grid, or a row a grid."""
        matrix = csr_array((np.ones(len(self.others)), self.others, self.starts), shape=(len(self), len(self)))
        summed: Floats = matrix @ values
        return summed

    def part(self, kept: npt.NDArray[np.bool_]) -> "Near":
        """Return the neighbours among the grids that are kept, numbered anew."""
        first = np.repeat(np.arange(len(self)), self.n_near)
        both = kept[first] & kept[self.others]
        number = np.cumsum(kept) - 1
        return _from_pairs(number[first[both]], number[self.others[both]], int(kept.sum()))


def touching(grids: gpd.GeoDataFrame | gpd.GeoSeries, *, tolerance_m: float) -> Near:
    """Neighbours are grids that touch, in a line or in a point ("queen").

    Parameters
    ----------
    grids
        Polygons, none null or empty. Metric CRS.
    tolerance_m
        Gaps up to this width count as touching: hand-drawn grids leave slivers. At least 0.

    Raises
    ------
    CrsError
        If there is no metric CRS.
    ValueError
        If the tolerance is negative or not finite.
    """
    require_one_metric_crs(grids=grids)
    if not 0 <= tolerance_m < np.inf:
        raise ValueError(f"`tolerance_m` must be at least 0, got {tolerance_m}.")
    shapes = grids.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=tolerance_m)
    return _from_pairs(first, second, len(shapes))


def within_distance(grids: gpd.GeoDataFrame | gpd.GeoSeries, *, distance_m: float) -> Near:
    """Neighbours are grids whose centroids lie at most a distance apart.

    Parameters
    ----------
    grids
        Polygons or points, none null or empty. Metric CRS.
    distance_m
        Above 0.

    Raises
    ------
    CrsError
        If there is no metric CRS.
    ValueError
        If the distance is not above 0.
    """
    require_one_metric_crs(grids=grids)
    if not 0 < distance_m < np.inf:
        raise ValueError(f"`distance_m` must be above 0, got {distance_m}.")
    middles = shapely.get_coordinates(shapely.centroid(grids.geometry.to_numpy()))
    pairs = cKDTree(middles).query_pairs(distance_m, output_type="ndarray") if len(middles) else np.empty((0, 2), int)
    both = np.vstack([pairs, pairs[:, ::-1]])
    return _from_pairs(both[:, 0], both[:, 1], len(middles))


def _from_pairs(first: Ints, second: Ints, n: int) -> Near:
    apart = first != second
    first, second = first[apart], second[apart]
    order = np.lexsort((second, first))
    starts = np.searchsorted(first[order], np.arange(n + 1))
    return Near(starts=starts.astype(np.intp), others=second[order].astype(np.intp))
