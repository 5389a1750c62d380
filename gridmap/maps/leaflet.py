"""A folium map of the township's own layers, without internet: a base that never changes, for whatever is drawn over it."""

from collections.abc import Mapping
from typing import Any

import folium
from branca.element import MacroElement
from folium.template import Template

from gridmap.maps.palette import LIGHT

LEAFLET = "/assets/leaflet/dist/leaflet"
_BASE_STYLES: Mapping[str, Mapping[str, Any]] = {
    "water": {"color": LIGHT.water, "weight": 1, "fillColor": LIGHT.water, "fillOpacity": 0.55},
    "paths": {"color": LIGHT.path, "weight": 1, "opacity": 0.55},
}


class Piece(MacroElement):
    """A piece of the map's script."""

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = name


class _Fetched(Piece):
    """A layer that the browser fetches once from the program; drawn over the units, out of the way of clicks."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.createPane("ground").style.cssText += "z-index:450;pointer-events:none";
        fetch({{ this.url|tojson }}).then(function (answer) { return answer.json(); }).then(function (shapes) {
            L.geoJSON(shapes, {
                pane: "ground", interactive: false, style: {{ this.style|tojson }},
                pointToLayer: function () { return null; }
            }).addTo({{ this._parent.get_name() }});
        });
        {% endmacro %}
    """)

    def __init__(self, url: str, style: Mapping[str, Any]) -> None:
        super().__init__("Fetched")
        self.url, self.style = url, dict(style)


class _Names(Piece):
    """The villages' names, fetched as data and set as text: nothing that a person wrote becomes a part of the page."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.createPane("names").style.cssText += "z-index:640;pointer-events:none";
        fetch({{ this.url|tojson }}).then(function (answer) { return answer.json(); }).then(function (places) {
            places.features.filter(function (one) { return one.properties.kind === "village"; }).forEach(function (one) {
                var name = document.createElement("span");
                name.textContent = one.properties.name;
                name.style.cssText = "position:absolute;transform:translate(-50%,-50%);white-space:nowrap;"
                    + "font:500 13px/1.2 'Noto Sans CJK SC','Noto Sans SC',sans-serif;color:" + {{ this.colour|tojson }}
                    + ";text-shadow:0 0 3px #fff,0 0 3px #fff,0 0 4px #fff,0 0 4px #fff";
                L.marker([one.geometry.coordinates[1], one.geometry.coordinates[0]], {
                    pane: "names", interactive: false, keyboard: false,
                    icon: L.divIcon({className: "", html: name, iconSize: [0, 0]})
                }).addTo({{ this._parent.get_name() }});
            });
        });
        {% endmacro %}
    """)

    def __init__(self, url: str) -> None:
        super().__init__("Names")
        self.url, self.colour = url, LIGHT.strong


class _Ground(Piece):
    """The colour of the map where nothing is drawn, and a scale in metres."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.getContainer().style.background = {{ this.colour|tojson }};
        L.control.scale({imperial: false}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__("Ground")
        self.colour = LIGHT.panel


def still_map(*, bounds: tuple[float, float, float, float], urls: Mapping[str, str]) -> folium.Map:
    """Return the map that stays: the base layers and the view of the whole; every script comes from the program.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.
    urls
        Address of `water`, `paths` and `labels` (names of villages); one that is missing is not drawn.
    """
    west, south, east, north = bounds
    drawn = folium.Map(
        location=((south + north) / 2, (west + east) / 2),
        tiles=None,
        attribution_control=False,
        zoom_snap=0.25,
        max_zoom=19,
    )
    drawn.add_child(_Ground())
    drawn.default_js, drawn.default_css = [("leaflet", f"{LEAFLET}.js")], [("leaflet", f"{LEAFLET}.css")]
    drawn.fit_bounds([[south, west], [north, east]], padding=(6, 6))
    for name, style in _BASE_STYLES.items():
        if name in urls:
            drawn.add_child(_Fetched(urls[name], style))
    if "labels" in urls:
        drawn.add_child(_Names(urls["labels"]))
    return drawn
