"""The one coordinate system inside, and the metric one of a township.

Stored is EPSG:4490 (CGCS2000, degrees). Everything is measured in the township's own 3-degree Gauss-Krueger zone
without zone prefix, EPSG:4534 (75 E) to EPSG:4554 (135 E). Axes are always east, north.
"""

from typing import Any

import geopandas as gpd
import pyproj

from gridmap.errors import CrsError

STORED_EPSG = 4490
STORED_CRS = f"EPSG:{STORED_EPSG}"
CHINA_BOX = (73.0, 3.0, 136.0, 54.0)
_FIRST_ZONE_EPSG, _FIRST_MERIDIAN, _LAST_MERIDIAN, _ZONE_DEGREES = 4534, 75, 135, 3


def metric_epsg(longitude: float) -> int:
    """Return the EPSG code of the 3-degree Gauss-Krueger zone (no prefix) around a longitude.

    Raises
    ------
    CrsError
        If the longitude lies outside China's zones.

    Examples
    --------
    >>> metric_epsg(114.2)
    4547
    """
    meridian = round(longitude / _ZONE_DEGREES) * _ZONE_DEGREES
    if not _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN:
        raise CrsError(f"`longitude` must lie between 73.5 and 136.5 degrees east, got {longitude}.")
    return _FIRST_ZONE_EPSG + (meridian - _FIRST_MERIDIAN) // _ZONE_DEGREES


def require_one_metric_crs(**layers: gpd.GeoDataFrame | gpd.GeoSeries) -> pyproj.CRS:
    """Return the projected CRS in metres that all layers share.

    Raises
    ------
    CrsError
        If a layer has no CRS, one in degrees, or another one than the first layer.
    """
    shared: pyproj.CRS | None = None
    for name, layer in layers.items():
        crs: Any = layer.crs
        if crs is None:
            raise CrsError(f"`{name}` has no coordinate system. Set one before measuring.")
        if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
            raise CrsError(f"`{name}` is in `{crs.to_string()}`, not in metres. Project it (`to_crs`) first.")
        if shared is not None and crs != shared:
            raise CrsError(f"`{name}` is in `{crs.to_string()}`, the layers before it in `{shared.to_string()}`.")
        shared = crs
    if shared is None:
        raise CrsError("`layers` is empty: give at least one layer.")
    return shared
