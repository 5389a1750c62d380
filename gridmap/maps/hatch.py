"""Signs on the grids of a map in the browser: lines over what is unknown, since its library fills with one colour; places of labels."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely

Line = tuple[tuple[float, float], tuple[float, float]]
_DECIMALS = 6
_SHORTEST = 0.2
_TRIED = 25
_WIDE, _INNER = 0.35, 1.6


def layer_shapes(raw: bytes) -> dict[str, shapely.Geometry]:
    """Return the shapes of a map layer as the browser is given it, by `code`, in its order.

    Parameters
    ----------
    raw
        GeoJSON with the property `code`, degrees.
    """
    features = json.loads(raw)["features"]
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    return {str(one["properties"]["code"]): shape for one, shape in zip(features, shapes, strict=True)}


def hatch_lines(shapes: Sequence[shapely.Geometry], *, apart: float) -> tuple[Line, ...]:
    """Return lines from south-west to north-east over shapes, cut at their outlines; over neighbours they go on.

    Parameters
    ----------
    shapes
        Polygons, degrees.
    apart
        From line to line, in degrees of latitude; above 0.

    Raises
    ------
    ValueError
        If `apart` is not above 0.
    """
    if not apart > 0:
        raise ValueError(f"`apart` must be above 0, got {apart}.")
    if not len(shapes):
        return ()
    land = shapely.union_all(shapely.buffer(np.asarray(shapes, dtype=object), 0))
    # A degree of longitude is shorter than one of latitude: without this the lines would lean.
    shrink = math.cos(math.radians(float(land.centroid.y)))
    flat = shapely.transform(land, lambda at: at * (shrink, 1.0))
    west, south, east, north = flat.bounds
    # Places of the lines do not depend on which shapes are hatched.
    step = apart * math.sqrt(2)
    offsets = np.arange(math.floor((south - east) / step), math.ceil((north - west) / step) + 1) * step
    ends = np.stack([np.column_stack([np.full_like(offsets, x), x + offsets]) for x in (west, east)], axis=1)
    cut = shapely.intersection(shapely.multilinestrings(shapely.linestrings(ends)), flat)
    parts = [one for one in shapely.get_parts(cut) if one.length > apart * _SHORTEST]
    return tuple(
        tuple((round(x / shrink, _DECIMALS), round(y, _DECIMALS)) for x, y in shapely.get_coordinates(one)[[0, -1]])  # type: ignore[misc]
        for one in parts
    )


def label_places(
    shapes: Mapping[str, shapely.Geometry], *, taken: Sequence[tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return where a label stands on each shape: far from its outline and from what is written already.

    Parameters
    ----------
    shapes
        Polygons by code, degrees.
    taken
        Longitude and latitude of the middles of other words.
    """
    others = np.array(taken, dtype=float).reshape(-1, 2)
    places = {}
    for code, shape in shapes.items():
        tried = _inside(max(shapely.get_parts(shape), key=lambda part: float(part.area)))
        away = tried[:, None, :] - others[None, :, :]
        # Text is wide and low: a distance to the side counts less than one up or down.
        gaps = np.hypot(away[..., 0] * _WIDE, away[..., 1]).min(axis=1, initial=np.inf)
        inner = shapely.distance(shapely.points(tried), shapely.boundary(shape))
        x, y = tried[np.argmax(np.minimum(gaps, inner * _INNER))]
        places[code] = (round(float(x), _DECIMALS), round(float(y), _DECIMALS))
    return places


def _inside(shape: shapely.Geometry) -> npt.NDArray[np.float64]:
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.linspace(west, east, _TRIED), np.linspace(south, north, _TRIED))
    shapely.prepare(shape)
    found = np.column_stack([x.ravel(), y.ravel()])[shapely.contains_xy(shape, x.ravel(), y.ravel())]
    sure: npt.NDArray[np.float64] = shapely.get_coordinates(shapely.point_on_surface(shape))
    return found if len(found) else sure
