"""A density surface as a picture, and where its corners lie."""

import base64
import io
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image

from gridmap.crs import STORED_CRS
from gridmap.maps.palette import rgba

HEAT_RAMP = ("#fbe3bd", "#f6bf7c", "#e9904f", "#d0602f", "#a63c1d")
_HEAT_FROM_SHARE, _HEAT_ALPHA = 0.06, 0.88


def heat_image(values: npt.NDArray[np.float64], *, highest: float) -> str:
    """Return a density surface as a PNG in a data address: transparent where little is, one ramp, no rainbow.

    Parameters
    ----------
    values
        Rows from north to south, not negative.
    highest
        The value that gets the strongest colour; the same for pictures that are to be compared.
    """
    share = np.clip(values / highest, 0, 1) if highest > 0 else np.zeros_like(values)
    ramp = np.array([rgba(colour, 1.0)[:3] for colour in HEAT_RAMP], dtype=float)
    at = np.linspace(0, 1, len(ramp))
    pixels = np.zeros((*share.shape, 4), dtype=np.uint8)
    for channel in range(3):
        pixels[..., channel] = np.interp(share, at, ramp[:, channel]).round()
    visible = np.clip((share - _HEAT_FROM_SHARE) / (0.35 - _HEAT_FROM_SHARE), 0, 1)
    pixels[..., 3] = (255 * _HEAT_ALPHA * visible).round()
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").resize((share.shape[1] * 3, share.shape[0] * 3), Image.Resampling.BICUBIC).save(
        file, "PNG"
    )
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def corners_of(bounds: tuple[float, float, float, float], crs: Any) -> list[list[float]]:
    """Return the corners of metric bounds in degrees: south-west, north-west, north-east, south-east."""
    west, south, east, north = bounds
    ring = [(west, south), (west, north), (east, north), (east, south)]
    points = gpd.GeoSeries(shapely.points(ring), crs=crs).to_crs(STORED_CRS)
    return [[round(point.x, 7), round(point.y, 7)] for point in points]
