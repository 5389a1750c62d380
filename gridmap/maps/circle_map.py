"""The map of the 15-minute circle: the land that is reached, the homes outside, service points, and one more point tried.

It is folium, since only that tells where on open ground somebody clicked. Numbers and colours only, no text of a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import shapely
from folium.template import Template

from gridmap.maps.leaflet import Piece
from gridmap.maps.palette import LIGHT

OUTSIDE, UNMATCHED, WON, AREA = LIGHT.alarm, LIGHT.unknown, "#2f6fb5", LIGHT.good
# The area as it looks where it is filled over the ground.
REACHED = "#cfe6dc"
_DECIMALS = 6
_SIMPLE_DEGREES = 5e-6

Place = tuple[float, float]
"""Latitude and longitude."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CircleShapes:
    """What is drawn over the base map, in degrees (EPSG:4490).

    Parameters
    ----------
    areas
        Land within reach.
    outside, unmatched, won
        Homes: beyond the reach; too far from any path to tell; brought in by the points that are tried.
    points
        Service points that there are.
    tried
        Points that are tried, in their order: each is drawn with its number.
    villages
        Borders.
    """

    areas: gpd.GeoSeries
    outside: gpd.GeoSeries
    unmatched: gpd.GeoSeries
    won: gpd.GeoSeries
    points: gpd.GeoSeries
    tried: Sequence[Place]
    villages: gpd.GeoSeries


class _Shapes(Piece):
    """Everything that a click changes; clicks go through it to the map."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        (function (target) {
            var still = {interactive: false, smoothFactor: 0.5}, canvas = L.canvas({padding: 0.3});
            L.geoJSON({{ this.areas|tojson }}, Object.assign({style: {
                color: {{ this.area|tojson }}, weight: 1.5, fillColor: {{ this.area|tojson }}, fillOpacity: 0.16
            }}, still)).addTo(target);
            L.geoJSON({{ this.villages|tojson }}, Object.assign({style: {
                color: {{ this.border|tojson }}, weight: 1.6, fill: false, opacity: 0.85
            }}, still)).addTo(target);
            {{ this.homes|tojson }}.forEach(function (group) {
                group.at.forEach(function (at) {
                    L.circleMarker(at, {
                        renderer: canvas, interactive: false, radius: group.radius, stroke: group.is_hollow,
                        weight: 1.4, color: group.colour, fill: !group.is_hollow, fillColor: group.colour, fillOpacity: 0.95
                    }).addTo(target);
                });
            });
            var mark = function (at, text, colour, size) {
                var box = document.createElement("span");
                box.textContent = text;
                box.style.cssText = "position:absolute;transform:translate(-50%,-50%);display:grid;place-items:center;"
                    + "width:" + size + "px;height:" + size + "px;border-radius:50%;border:2px solid #fff;color:#fff;"
                    + "box-shadow:0 1px 4px #0006;font:700 13px/1 'Noto Sans CJK SC','Noto Sans SC',sans-serif;background:" + colour;
                L.marker(at, {interactive: false, keyboard: false, icon: L.divIcon({className: "", html: box, iconSize: [0, 0]})})
                    .addTo(target);
            };
            {{ this.points|tojson }}.forEach(function (at) { mark(at, "", {{ this.area|tojson }}, 14); });
            {{ this.tried|tojson }}.forEach(function (at, number) { mark(at, String(number + 1), {{ this.won|tojson }}, 24); });
        })({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self, shapes: CircleShapes) -> None:
        super().__init__("CircleShapes")
        self.area, self.border, self.won = AREA, "#5b7083", WON
        self.areas, self.villages = _geojson(shapes.areas), _geojson(shapes.villages)
        self.homes = [
            {"at": _places(shapes.unmatched), "colour": UNMATCHED, "radius": 3, "is_hollow": True},
            {"at": _places(shapes.outside), "colour": OUTSIDE, "radius": 2.4, "is_hollow": False},
            {"at": _places(shapes.won), "colour": WON, "radius": 3, "is_hollow": False},
        ]
        self.points = _places(shapes.points)
        self.tried = [[round(latitude, _DECIMALS), round(longitude, _DECIMALS)] for latitude, longitude in shapes.tried]


def circle_layer(shapes: CircleShapes) -> folium.FeatureGroup:
    """Return what changes when a point is tried."""
    group = folium.FeatureGroup(name="circle")
    group.add_child(_Shapes(shapes))
    return group


def _places(points: gpd.GeoSeries) -> list[list[float]]:
    """Return latitude and longitude of each point, as Leaflet wants them."""
    return np.round(np.column_stack([points.y, points.x]), _DECIMALS).tolist() if len(points) else []


def _geojson(shapes: gpd.GeoSeries) -> dict[str, Any]:
    simple = shapely.transform(shapely.simplify(shapes.to_numpy(), _SIMPLE_DEGREES), lambda xy: xy.round(_DECIMALS))
    return {
        "type": "GeometryCollection",
        "geometries": [shapely.geometry.mapping(shape) for shape in simple if not shape.is_empty],
    }
