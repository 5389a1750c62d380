"""Gauss-Krueger coordinates in tables: zone prefix or not, 3- or 6-degree zone, which column is which.

Chinese surveyors call north X and east Y, GIS people the other way round; the ranges of the numbers tell.
"""

from dataclasses import dataclass

import numpy as np
import pyproj
from numpy.typing import NDArray

from gridmap.crs import STORED_EPSG
from gridmap.errors import CrsError
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.values import Flags
from gridmap.texts import t

Numbers = NDArray[np.float64]
_PREFIXED = (13e6, 46e6)
_PLAIN = (1e5, 9e5)
_NORTHING = (1.5e6, 6.1e6)
_MAX_DEGREES = 180.0
_SHARE = 0.9
_PREFIX = 1e6
_FIRST_6, _LAST_6, _EPSG_6_PREFIXED, _EPSG_6_PLAIN, _MERIDIAN_6 = 13, 23, 4491, 4502, 75
_FIRST_3, _LAST_3, _EPSG_3_PREFIXED = 25, 45, 4513
_TOLERANCE_DEGREES = 0.05


@dataclass(frozen=True, kw_only=True)
class Projection:
    """How a pair of columns is to be understood.

    Parameters
    ----------
    crs
        The coordinate system.
    is_north_first
        The first column holds northings.
    is_swapped
        Rows that are the other way round than the rest.
    """

    crs: pyproj.CRS
    is_north_first: bool
    is_swapped: Flags


def are_projected(first: Numbers, second: Numbers) -> bool:
    """Tell whether two columns hold metres: most pairs are beyond 180."""
    known = np.isfinite(first) & np.isfinite(second)
    return bool(known.any() and np.mean(np.maximum(np.abs(first[known]), np.abs(second[known])) > _MAX_DEGREES) > 0.5)  # noqa: PLR2004


def find_projection(
    first: Numbers, second: Numbers, *, file: str, context: TownshipContext | None, crs: pyproj.CRS | None
) -> Projection:
    """Find axes and zone of projected coordinates.

    Parameters
    ----------
    first, second
        The columns, first the one whose header says east.
    file
        Name for messages.
    context
        The township, to choose a zone where the easting carries none.
    crs
        What the person said; it is believed.

    Raises
    ------
    CrsError
        If the zone is not in the numbers and neither the township nor the person tells it.
    """
    normal = _is_easting(first) & _is_northing(second)
    turned = _is_northing(first) & _is_easting(second)
    is_north_first = bool(turned.sum() > normal.sum())
    straight, odd = (turned, normal) if is_north_first else (normal, turned)
    if straight.sum() < _SHARE * (straight.sum() + odd.sum()) or not straight.any():
        raise CrsError(t("ingest.error_mixed_axes", file=file, n=int(normal.sum()), n_turned=int(turned.sum())))
    east, north = (second, first) if is_north_first else (first, second)
    found = crs or _zone(east[straight], north[straight], file=file, context=context)
    return Projection(crs=found, is_north_first=is_north_first, is_swapped=odd)


def to_degrees(east: Numbers, north: Numbers, *, crs: pyproj.CRS) -> tuple[Numbers, Numbers]:
    """Turn coordinates of a CRS into CGCS2000 degrees; what cannot be turned becomes infinite."""
    transformer = pyproj.Transformer.from_crs(crs, pyproj.CRS.from_epsg(STORED_EPSG), always_xy=True)
    lon, lat = transformer.transform(east, north)
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)


def zone_of_prefix(prefix: int) -> int | None:
    """Return the EPSG code of a zone number in front of eastings: 13-23 six-degree, 25-45 three-degree zones.

    Examples
    --------
    >>> zone_of_prefix(38), zone_of_prefix(19), zone_of_prefix(24)
    (4526, 4497, None)
    """
    if _FIRST_6 <= prefix <= _LAST_6:
        return _EPSG_6_PREFIXED + prefix - _FIRST_6
    if _FIRST_3 <= prefix <= _LAST_3:
        return _EPSG_3_PREFIXED + prefix - _FIRST_3
    return None


def _is_easting(numbers: Numbers) -> Flags:
    return ((numbers >= _PREFIXED[0]) & (numbers < _PREFIXED[1])) | ((numbers >= _PLAIN[0]) & (numbers <= _PLAIN[1]))


def _is_northing(numbers: Numbers) -> Flags:
    return (numbers >= _NORTHING[0]) & (numbers <= _NORTHING[1])


def _zone(east: Numbers, north: Numbers, *, file: str, context: TownshipContext | None) -> pyproj.CRS:
    middle = float(np.median(east))
    if middle >= _PREFIXED[0]:
        epsg = zone_of_prefix(int(middle // _PREFIX))
        if epsg is None:
            raise CrsError(t("ingest.error_zone", file=file, prefix=int(middle // _PREFIX)))
        return pyproj.CRS.from_epsg(epsg)
    if context is None:
        raise CrsError(t("ingest.error_zone_missing", file=file))
    for epsg in _candidates(context):
        crs = pyproj.CRS.from_epsg(epsg)
        lon, lat = to_degrees(np.array([middle]), np.array([float(np.median(north))]), crs=crs)
        west, south, east_end, north_end = context.outline.bounds
        inside_lon = west - _TOLERANCE_DEGREES <= lon[0] <= east_end + _TOLERANCE_DEGREES
        if inside_lon and south - _TOLERANCE_DEGREES <= lat[0] <= north_end + _TOLERANCE_DEGREES:
            return crs
    raise CrsError(t("ingest.error_zone_missing", file=file))


def _candidates(context: TownshipContext) -> list[int]:
    """Return the plain zones that may be meant: the township's own, the six-degree one, the neighbours."""
    own = context.metric_epsg
    longitude = context.outline.centroid.x
    meridian = int(longitude // 6) * 6 + 3
    return [own, _EPSG_6_PLAIN + (meridian - _MERIDIAN_6) // 6, own - 1, own + 1]
