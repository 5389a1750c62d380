"""The planners' map: addresses of this program only, no words of people, borders that still match."""

import json
import re

import geopandas as gpd
import shapely

from gridmap.maps.plan_map import PlanShapes, base_map, plan_layer

WORDS = dict.fromkeys(
    ["cut", "lasso", "box", "cancel", "finish", "undo", "start", "go_on", "end", "close", "drag", "release", "crossed"],
    "</script><b>${alert(1)}",
)
BOUNDS = (114.1, 27.8, 114.3, 28.0)


def _script(*, can_draw: bool = True) -> str:
    drawn = base_map(bounds=BOUNDS, urls={"water": "/map/1/water-ab.json"}, words=WORDS, can_draw=can_draw)
    drawn.add_child(plan_layer(_shapes()))
    drawn.get_root().render()
    return drawn.get_root().script.render()


def _shapes() -> PlanShapes:
    west, east = shapely.box(114.1, 27.8, 114.2, 28.0), shapely.box(114.2, 27.8, 114.3, 28.0)
    units = gpd.GeoDataFrame(
        {"tint": ["#ffffff", "#eeeeee"], "is_chosen": [True, False]},
        index=["u1", "u2"],
        geometry=[west, east],
        crs=4490,
    )
    grids = gpd.GeoDataFrame(
        {"label": ["1 · 96", "2 · 104"], "is_locked": [False, True], "is_marked": [False, True]},
        index=["g1", "g2"],
        geometry=[west, east],
        crs=4490,
    )
    return PlanShapes(units=units, grids=grids, marked=((27.9, 114.15),))


def test_nothing_is_fetched_from_another_host():
    drawn = base_map(bounds=BOUNDS, urls={"water": "/map/1/water-ab.json"}, words=WORDS)
    links = [link for part in [drawn, *drawn._children.values()] for link in getattr(part, "default_js", [])]
    styles = [link for part in [drawn, *drawn._children.values()] for link in getattr(part, "default_css", [])]
    assert [address for _, address in links] == [
        "/assets/leaflet/dist/leaflet.js",
        "/assets/leaflet-draw/dist/leaflet.draw.js",
    ]
    assert all(address.startswith("/assets/") for _, address in styles)
    assert not re.findall(r"https?://", _script())


def test_words_stay_words():
    script = _script()
    assert "</script>" not in script
    assert "<b>" not in script


def test_a_map_to_look_at_has_no_tools():
    assert "L.Control.Draw" in _script()
    assert "L.Control.Draw" not in _script(can_draw=False)


def test_neighbours_still_share_their_border_and_numbers_stand_for_grids():
    script = _script()
    found = re.search(r"L\.geoJSON\((\{.*?\}\]\}|\{.*\}), \{style", script)
    assert found is not None
    shapes = [shapely.geometry.shape(one["geometry"]) for one in json.loads(found.group(1))["features"]]
    assert shapely.coverage_is_valid(shapes)
    assert "104" in script
