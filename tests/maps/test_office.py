"""Office maps: what the deck carries, and pictures without a rainbow."""

import base64
import io
import json

import geopandas as gpd
import numpy as np
import shapely
from PIL import Image

from gridmap.maps.deck import View
from gridmap.maps.heat import corners_of, heat_image
from gridmap.maps.office import MapGround, class_deck, coverage_deck, heat_deck, load_deck

GROUND = MapGround(
    urls=(("areas", "/map/1/areas-a.json"), ("grids", "/map/1/grids-b.json")),
    names=(('村"<b>', 114.2, 27.9),),
    view=View(114.2, 27.9, 11.0),
)


def _layers(deck) -> dict[str, dict]:
    return {layer["id"]: layer for layer in json.loads(deck.to_json())["layers"]}


def test_a_measure_is_sent_as_signs_and_the_shapes_by_address():
    layers = _layers(load_deck(GROUND, steps="01-", colours=["#000000", "#ffffff"], chosen="123"))
    assert layers["grids"]["data"] == "/map/1/grids-b.json"
    assert '("01-")[properties.position]' in layers["grids"]["getFillColor"]
    assert '"123"' in layers["chosen-123"]["getLineColor"]
    assert "chosen-123" not in _layers(load_deck(GROUND, steps="", colours=[], chosen=None))


def test_classes_have_a_colour_and_a_sign_but_for_the_usual():
    classes = ["hot", "not significant", None, "cold", "too few to say"]
    layers = _layers(class_deck(GROUND, classes=classes, places=[(114.2, 27.9)] * 5, chosen="123"))
    assert '("03-12")[properties.position]' in layers["grids"]["getFillColor"]
    assert [row["sign"] for row in layers["signs"]["data"]] == ["hot", "cold", "too few to say"]
    assert set(layers["signs"]["iconMapping"]) == {"hot", "cold", "too few to say"}
    assert '"123"' in layers["chosen-123"]["getLineColor"]


def test_names_are_data_never_markup():
    assert _layers(load_deck(GROUND, steps="", colours=[], chosen=None))["names"]["data"][0]["text"] == '村"<b>'


def test_a_township_without_names_draws_no_layer_of_names():
    ground = MapGround(urls=GROUND.urls, names=(), view=GROUND.view)
    assert "names" not in _layers(load_deck(ground, steps="", colours=[], chosen=None))


def _pixels(image: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.split(",", 1)[1]))))


def test_heat_is_clear_where_nothing_is_and_stronger_where_more_is():
    values = np.zeros((20, 30))
    values[5:15, 5:15], values[5:15, 20:25] = 1.0, 0.5
    pixels = _pixels(heat_image(values, highest=1.0))
    assert pixels.shape == (60, 90, 4)
    assert pixels[0, 0, 3] == 0
    strong, weak = pixels[30, 30], pixels[30, 67]
    assert strong[3] > 200
    # One ramp from light to dark: more is darker, in every channel.
    assert (strong[:3] <= weak[:3]).all()
    assert _pixels(heat_image(np.zeros((4, 4)), highest=0.0))[..., 3].max() == 0


def test_the_heat_picture_lies_where_its_raster_lies():
    corners = corners_of((520_000, 3_090_000, 524_000, 3_093_000), "EPSG:4547")
    back = gpd.GeoSeries(shapely.points(corners), crs="EPSG:4490").to_crs("EPSG:4547")
    np.testing.assert_allclose(
        shapely.get_coordinates(back.to_numpy()),
        [(520_000, 3_090_000), (520_000, 3_093_000), (524_000, 3_093_000), (524_000, 3_090_000)],
        atol=0.02,
    )
    assert _layers(heat_deck(GROUND, image="data:x", corners=corners))["heat"]["bounds"] == corners


def test_homes_and_checkpoints_are_drawn_by_state():
    point = shapely.Point(114.2, 27.9)
    homes = gpd.GeoDataFrame({"is_covered": [True, False, False]}, geometry=[point] * 3, crs="EPSG:4490")
    checkpoints = gpd.GeoDataFrame({"state": ["never", "visited"]}, geometry=[point] * 2, crs="EPSG:4490")
    lanes = gpd.GeoSeries([shapely.LineString([(114.2, 27.9), (114.21, 27.91)])], crs="EPSG:4490")
    layers = _layers(coverage_deck(GROUND, households=homes, checkpoints=checkpoints, lanes=lanes))
    assert layers["lanes"]["data"] == [{"way": [[114.2, 27.9], [114.21, 27.91]]}]
    assert len(layers["covered"]["data"]) == 1
    assert len(layers["uncovered"]["data"]) == 2
    # The worst is drawn last, on top.
    assert [mark["state"] for mark in layers["checkpoints"]["data"]] == ["visited", "never"]
