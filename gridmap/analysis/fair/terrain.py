"""How far a grid is to walk: metres of path inside it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.crs import require_one_metric_crs


def path_metres(paths: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> pd.Series:
    """Measure the paths inside each grid.

    Parameters
    ----------
    paths
        Lines; null or empty ones count nothing. Metric CRS.
    grids
        Polygons, same CRS.

    Returns
    -------
    Series
        On the grids' index, metres. A path that follows a border counts on both sides: both teams walk it.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    """
    require_one_metric_crs(paths=paths, grids=grids)
    lines, shapes = paths.geometry.to_numpy(), grids.geometry.to_numpy()
    shapely.prepare(shapes)
    grid, line = shapely.STRtree(lines).query(shapes, predicate="intersects")
    whole = shapely.covers(shapes[grid], lines[line])
    metres = shapely.length(lines[line])
    metres[~whole] = shapely.length(shapely.intersection(lines[line[~whole]], shapes[grid[~whole]]))
    return pd.Series(np.bincount(grid, weights=metres, minlength=len(shapes)), index=grids.index, name="path_m")
