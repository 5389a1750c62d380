"""GCJ-02, the shifted coordinates of phones and web maps in China: the published forward formula.

Written here a second time, apart from the importer's own, so that the sample is an independent check on it.
"""

import numpy as np

from township.place import FloatArray

SEMI_MAJOR_AXIS_M = 6_378_245.0
ECCENTRICITY_2 = 0.006_693_421_622_965_943


def _north_shift(x: FloatArray, y: FloatArray) -> FloatArray:
    shift = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    shift = shift + (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    shift = shift + (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    return np.asarray(shift + (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3)


def _east_shift(x: FloatArray, y: FloatArray) -> FloatArray:
    shift = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    shift = shift + (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    shift = shift + (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    return np.asarray(shift + (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3)


def shifted(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """GCJ-02 longitude and latitude of points in China given in CGCS2000 degrees."""
    north, east = _north_shift(lon - 105, lat - 35), _east_shift(lon - 105, lat - 35)
    phi = np.radians(lat)
    flat = 1 - ECCENTRICITY_2 * np.sin(phi) ** 2
    per_degree_north = np.pi / 180 * SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_2) / flat**1.5
    per_degree_east = np.pi / 180 * SEMI_MAJOR_AXIS_M / np.sqrt(flat) * np.cos(phi)
    return lon + east / per_degree_east, lat + north / per_degree_north
