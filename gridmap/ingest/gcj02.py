"""GCJ-02 (火星坐标) and BD-09 (Baidu) to and from CGCS2000, on arrays of degrees.

The forward formula is the one in public use since 2010; the way back is its fixed point (five rounds: below 1 mm).
Outside China nothing is shifted. CGCS2000 and WGS 84 differ by centimetres and are taken as one here.
"""

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]
SHIFTED_BOX = (72.004, 0.8293, 137.8347, 55.8271)
_AXIS_M, _ECCENTRICITY2 = 6378245.0, 0.00669342162296594323  # Krasovsky 1940
_BD_WAVE, _BD_EAST, _BD_NORTH = np.pi * 3000 / 180, 0.0065, 0.006
_ROUNDS = 6


def to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Shift CGCS2000 degrees to GCJ-02."""
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def from_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Shift GCJ-02 degrees back to CGCS2000."""
    true_lon, true_lat = lon, lat
    for _ in range(_ROUNDS):
        east, north = _shift(true_lon, true_lat)
        true_lon, true_lat = lon - east, lat - north
    return true_lon, true_lat


def to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Shift CGCS2000 degrees to BD-09."""
    gcj_lon, gcj_lat = to_gcj02(lon, lat)
    east, north = _bd_shift(gcj_lon, gcj_lat)
    return gcj_lon + east, gcj_lat + north


def from_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Shift BD-09 degrees back to CGCS2000."""
    gcj_lon, gcj_lat = lon, lat
    for _ in range(_ROUNDS):
        east, north = _bd_shift(gcj_lon, gcj_lat)
        gcj_lon, gcj_lat = lon - east, lat - north
    return from_gcj02(gcj_lon, gcj_lat)


def _shifted(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    west, south, east, north = SHIFTED_BOX
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _shift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    inside = _shifted(lon, lat)
    x, y = np.where(inside, lon - 105, 0.0), np.where(inside, lat - 35, 0.0)
    waves = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    latitude = np.radians(np.where(inside, lat, 35.0))
    bend = 1 - _ECCENTRICITY2 * np.sin(latitude) ** 2
    east_degrees = np.degrees(east * np.sqrt(bend) / (_AXIS_M * np.cos(latitude)))
    north_degrees = np.degrees(north * bend**1.5 / (_AXIS_M * (1 - _ECCENTRICITY2)))
    return np.where(inside, east_degrees, 0.0), np.where(inside, north_degrees, 0.0)


def _bd_shift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_WAVE)
    inside = _shifted(lon, lat)
    east, north = radius * np.cos(angle) + _BD_EAST - lon, radius * np.sin(angle) + _BD_NORTH - lat
    return np.where(inside, east, 0.0), np.where(inside, north, 0.0)
