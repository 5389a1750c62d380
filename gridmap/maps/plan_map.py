"""The map that planners draw on: a base that never changes, and over it units and grids as they stand.

Nothing that a person wrote goes into this map: folium's pop-ups and labels run what they are given. Numbers and colours only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import folium
import geopandas as gpd
import shapely
from folium.plugins import Draw
from folium.template import Template

from gridmap.maps.leaflet import Piece, still_map
from gridmap.maps.palette import LIGHT, NEAR_CAP_STEP, OVER_CAP_STEP

LEAFLET_DRAW = "/assets/leaflet-draw/dist/leaflet.draw"
# Neighbouring grids differ in tint; a state's colour goes over it.
TINTS = ("#dbe9f4", "#e6f0e4", "#efe9f5", "#e2eef0", "#f1efe3")
OVER, NEAR = LIGHT.load[OVER_CAP_STEP], LIGHT.load[NEAR_CAP_STEP]
CHOSEN = "#2f6fb5"
_DECIMALS, _SIMPLE_DEGREES = 6, 4e-6
_DRAWN = {"shapeOptions": {"color": CHOSEN, "weight": 3}}


@dataclass(frozen=True, kw_only=True)
class PlanShapes:
    """Units and grids as they stand, in degrees.

    Parameters
    ----------
    units
        Index the unit; `tint` (colour), `is_chosen`.
    grids
        Index the grid; `label` (numbers only), `is_locked`, `is_marked`.
    marked
        Latitude and longitude of places to ring.
    turn
        Another number makes the browser draw anew, and forget what was drawn by hand.
    """

    units: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    marked: Sequence[tuple[float, float]] = field(default_factory=tuple)
    turn: int = 0


class _Words(Piece):
    """The words of the drawing tools; while one is in use, a click sets a point and chooses no unit."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        (function (map) {
            var held = null;
            map.on("draw:drawstart", function () {
                if (held === null) { held = map._events.click || []; map._events.click = []; }
            });
            map.on("draw:drawstop", function () {
                setTimeout(function () { if (held !== null) { map._events.click = held; held = null; } }, 400);
            });
        })({{ this._parent.get_name() }});
        (function (words) {
            var draw = L.drawLocal.draw;
            draw.toolbar.buttons.polyline = words.cut;
            draw.toolbar.buttons.polygon = words.lasso;
            draw.toolbar.buttons.rectangle = words.box;
            draw.toolbar.actions.text = draw.toolbar.actions.title = words.cancel;
            draw.toolbar.finish.text = draw.toolbar.finish.title = words.finish;
            draw.toolbar.undo.text = draw.toolbar.undo.title = words.undo;
            draw.handlers.polyline.tooltip = {start: words.start, cont: words.go_on, end: words.end};
            draw.handlers.polygon.tooltip = {start: words.start, cont: words.go_on, end: words.close};
            draw.handlers.rectangle.tooltip = {start: words.drag};
            draw.handlers.simpleshape.tooltip.end = words.release;
            draw.handlers.polyline.error = words.crossed;
        })({{ this.words|tojson }});
        {% endmacro %}
    """)

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__("Words")
        self.words = dict(words)


class _Shapes(Piece):
    """Units, borders of grids, and a number for each; whatever was drawn by hand goes when they change."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        (function (target, turn) {
            if (window.drawnItems && window.drawnItems.clearLayers) { window.drawnItems.clearLayers(); }
            var style = function (feature) { return feature.properties; };
            L.geoJSON({{ this.units|tojson }}, {style: style, smoothFactor: 0}).addTo(target);
            L.geoJSON({{ this.grids|tojson }}, {style: style, smoothFactor: 0, interactive: false}).addTo(target);
            {{ this.labels|tojson }}.forEach(function (label) {
                var mark = document.createElement("span");
                mark.textContent = label.text;
                mark.style.cssText = "position:absolute;transform:translate(-50%,-50%);white-space:nowrap;"
                    + "font:600 13px/1.2 'Noto Sans CJK SC','Noto Sans SC',sans-serif;color:" + label.colour
                    + ";text-shadow:0 0 3px #fff,0 0 3px #fff,0 0 3px #fff;pointer-events:none";
                L.marker(label.at, {
                    interactive: false, keyboard: false,
                    icon: L.divIcon({className: "", html: mark, iconSize: [0, 0]})
                }).addTo(target);
            });
            {{ this.marked|tojson }}.forEach(function (at) {
                L.circleMarker(at, {radius: 14, color: {{ this.alarm|tojson }}, weight: 4, fill: false, interactive: false})
                    .addTo(target);
            });
        })({{ this._parent.get_name() }}, {{ this.turn|tojson }});
        {% endmacro %}
    """)

    def __init__(self, shapes: PlanShapes) -> None:
        super().__init__("Shapes")
        self.turn = shapes.turn
        self.units = _collection(shapes.units, _unit_style)
        self.grids = _collection(shapes.grids, _grid_style)
        places = shapely.point_on_surface(shapes.grids.geometry.to_numpy())
        self.labels = [
            {"at": [round(place.y, _DECIMALS), round(place.x, _DECIMALS)], "text": label, "colour": LIGHT.strong}
            for place, label in zip(places, shapes.grids["label"], strict=True)
            if not place.is_empty
        ]
        self.marked = [list(place) for place in shapes.marked]
        self.alarm = LIGHT.alarm


def base_map(
    *,
    bounds: tuple[float, float, float, float],
    urls: Mapping[str, str],
    words: Mapping[str, str],
    can_draw: bool = True,
) -> folium.Map:
    """Return the map that stays: the base layers, the view of the whole, and the tools.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.
    urls
        Address of `water` and `paths`.
    words
        Of the drawing tools: `cut`, `lasso`, `box`, `cancel`, `finish`, `undo`, `start`, `go_on`, `end`, `close`, `drag`,
        `release`, `crossed`.
    can_draw
        Whether there are drawing tools.
    """
    drawn = still_map(bounds=bounds, urls=urls)
    if can_draw:
        tools = Draw(
            draw_options={
                "polyline": _DRAWN,
                "polygon": _DRAWN,
                "rectangle": _DRAWN,
                "circle": False,
                "marker": False,
                "circlemarker": False,
            },
            edit_options={"edit": False, "remove": False},
            show_geometry_on_click=False,
        )
        tools.default_js, tools.default_css = [("draw", f"{LEAFLET_DRAW}.js")], [("draw", f"{LEAFLET_DRAW}.css")]
        drawn.add_child(_Words(words))
        drawn.add_child(tools)
    return drawn


def plan_layer(shapes: PlanShapes) -> folium.FeatureGroup:
    """Return what changes with each edit."""
    group = folium.FeatureGroup(name="plan")
    group.add_child(_Shapes(shapes))
    return group


def _unit_style(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["is_chosen"]:
        return {"color": CHOSEN, "weight": 3, "fillColor": CHOSEN, "fillOpacity": 0.45}
    return {"color": "#ffffff", "weight": 1, "fillColor": row["tint"], "fillOpacity": 0.8}


def _grid_style(row: Mapping[str, Any]) -> dict[str, Any]:
    style = {"color": LIGHT.strong, "weight": 2, "fill": False}
    if row["is_marked"]:
        style |= {"color": LIGHT.alarm, "weight": 4}
    if row["is_locked"]:
        style |= {"dashArray": "2 6", "weight": 4}
    return style


def _collection(frame: gpd.GeoDataFrame, style: Any) -> dict[str, Any]:
    """Return GeoJSON with a style for properties; outlines are simplified together, so that borders still match."""
    if frame.empty:
        return {"type": "FeatureCollection", "features": []}
    simple = shapely.coverage_simplify(frame.geometry.to_numpy(), _SIMPLE_DEGREES)
    rounded = shapely.transform(simple, lambda xy: xy.round(_DECIMALS))
    rows = frame.drop(columns="geometry").to_dict("records")
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": style(row), "geometry": shapely.geometry.mapping(shape)}
            for row, shape in zip(rows, rounded, strict=True)
        ],
    }
