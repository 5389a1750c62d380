"""What every deck shares: one serialisation, layers fetched by address, the view that fits a township."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Bounds = tuple[float, float, float, float]

FONT_FAMILY = "'Noto Sans SC', 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"
_TILE_PX = 512
_MAX_LATITUDE = 85.05
_ZOOM_STEP = 0.01


@dataclass(frozen=True)
class CachedDeck:
    """A deck whose JSON was made once; `st.pydeck_chart` takes it like a `pydeck.Deck`.

    Parameters
    ----------
    json
        Compact deck.gl JSON.
    """

    json: str

    def to_json(self) -> str:
        """Return the JSON."""
        return self.json


@dataclass(frozen=True)
class View:
    """A flat view from above.

    Parameters
    ----------
    longitude, latitude
        Centre, degrees.
    zoom
        deck.gl zoom: the world is 512 · 2^zoom pixels wide.
    """

    longitude: float
    latitude: float
    zoom: float

    def offset_px(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return how many pixels right of and below the centre a place is drawn."""
        size = _TILE_PX * 2**self.zoom
        return (
            (longitude - self.longitude) / 360 * size,
            (_mercator_y(latitude) - _mercator_y(self.latitude)) * size,
        )

    def moved(self, *, down_px: float) -> "View":
        """Return the view whose centre lies so many pixels further south, so that everything is drawn higher."""
        y = _mercator_y(self.latitude) + down_px / (_TILE_PX * 2**self.zoom)
        return View(longitude=self.longitude, latitude=round(_latitude(y), 7), zoom=self.zoom)

    def metres_per_px(self) -> float:
        """Return the ground metres of one pixel at the centre."""
        return 40_075_016.686 * math.cos(math.radians(self.latitude)) / (_TILE_PX * 2**self.zoom)


def _mercator_y(latitude: float) -> float:
    """Return 0 at the north edge of the Web Mercator world, 1 at the south edge."""
    bounded = max(-_MAX_LATITUDE, min(_MAX_LATITUDE, latitude))
    return (1 - math.asinh(math.tan(math.radians(bounded))) / math.pi) / 2


def _latitude(y: float) -> float:
    """Return the latitude of a height in the Web Mercator world, the inverse of `_mercator_y`."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))


def fit(bounds: Bounds, *, width_px: float, height_px: float, padding_px: float) -> View:
    """Return the view that shows bounds as large as a box allows.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.
    width_px, height_px
        The box.
    padding_px
        Free pixels at each side.

    Raises
    ------
    ValueError
        If the box has no room inside its padding.
    """
    west, south, east, north = bounds
    room_x, room_y = width_px - 2 * padding_px, height_px - 2 * padding_px
    if room_x <= 0 or room_y <= 0:
        raise ValueError(f"`padding_px` leaves no room in {width_px} x {height_px} px, got {padding_px}.")
    top, bottom = _mercator_y(north), _mercator_y(south)
    size = min(room_x / max((east - west) / 360, 1e-9), room_y / max(bottom - top, 1e-9))
    zoom = math.floor(math.log2(size / _TILE_PX) / _ZOOM_STEP) * _ZOOM_STEP
    return View(
        longitude=round((west + east) / 2, 7), latitude=round(_latitude((top + bottom) / 2), 7), zoom=round(zoom, 2)
    )


def deck(layers: Sequence[Mapping[str, Any]], *, view: View, is_fixed: bool = False) -> CachedDeck:
    """Return a deck without any base map of others: nothing but the given layers is fetched or drawn.

    Parameters
    ----------
    layers
        deck.gl layers as JSON, made with `layer`.
    view
        Where to look first.
    is_fixed
        Whether the view stands still (the wall), or can be moved.
    """
    content: dict[str, Any] = {
        "initialViewState": {
            "longitude": view.longitude,
            "latitude": view.latitude,
            "zoom": view.zoom,
            "minZoom": view.zoom - 1,
            "maxZoom": 20,
            "pitch": 0,
            "bearing": 0,
        },
        "layers": list(layers),
        # Streamlit fetches Carto's map unless the style is this word, which it takes as "none was given".
        "mapStyle": "__MAP_STYLE__",
        "mapProvider": None,
        "views": [{"@@type": "MapView", "id": "map", "controller": not is_fixed, "repeat": False}],
    }
    return CachedDeck(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def layer(kind: str, identity: str, data: str | Sequence[Mapping[str, Any]], **properties: Any) -> dict[str, Any]:
    """Return one deck.gl layer.

    Parameters
    ----------
    kind
        deck.gl class, `GeoJsonLayer` for example.
    identity
        Its id: the same id at the next run is the same layer, so nothing flickers.
    data
        Address that the browser fetches, or rows.
    properties
        deck.gl properties by their own names (`getFillColor`); an accessor is a string `@@=…`.
    """
    return {"@@type": kind, "id": identity, "data": data, "pickable": False, **properties}


def by_property(name: str, values: Mapping[Any, Any], otherwise: Any) -> str:
    """Return an accessor that chooses by a property of a GeoJSON feature.

    Examples
    --------
    >>> by_property("kind", {"road": 3, "lane": 2}, 1)
    '@@=properties.kind == "road" ? 3 : properties.kind == "lane" ? 2 : 1'
    """
    cases = (f"properties.{name} == {json.dumps(key)} ? {json.dumps(value)}" for key, value in values.items())
    return f"@@={' : '.join((*cases, json.dumps(otherwise)))}"
