"""How compact grids are: Polsby-Popper, 1 for a circle, near 0 for a thread."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.planning.nearest import land_of_shapes


def polsby_popper(shapes: gpd.GeoSeries, grids: pd.Series) -> pd.Series:
    """Return 4 π area ÷ outline² of each grid.

    Parameters
    ----------
    shapes
        Polygons, or points: each point then stands for the land nearer to it than to any other, within the distance
        that lies between neighbours of the whole set. Metric CRS.
    grids
        Grid of each, the same index; null ones are left out.

    Returns
    -------
    Series
        Index the grids, 0 to 1; null for a grid whose points all lie on spots that the land of others holds.
    """
    cells = land_of_shapes(shapes.to_numpy())
    held = grids.notna().to_numpy()
    land = (
        pd.Series(cells[held])
        .groupby(grids[held].to_numpy())
        .agg(lambda members: shapely.union_all(members.to_numpy()))
    )
    outline = shapely.length(land.to_numpy())
    outline[outline == 0] = np.nan
    return pd.Series(4 * np.pi * shapely.area(land.to_numpy()) / np.square(outline), index=land.index)
