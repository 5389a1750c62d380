"""Coordinates of points as arrays, with "nowhere" said as NaN."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely


def coordinates_of(points: gpd.GeoDataFrame | gpd.GeoSeries) -> npt.NDArray[np.float64]:
    """Return easting and northing of each point, NaN for null and empty ones.

    Raises
    ------
    ValueError
        If a geometry is no point.
    """
    shapes = points.geometry.to_numpy()
    strange = ~np.isin(shapely.get_type_id(shapes), (-1, shapely.GeometryType.POINT))
    if strange.any():
        raise ValueError(f"`points` must hold points, got `{shapes[strange][0].geom_type}`.")
    # Some versions of GEOS refuse to say where an empty point is.
    shapes = np.where(shapely.is_empty(shapes), None, shapes)
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
