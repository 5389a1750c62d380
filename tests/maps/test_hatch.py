"""Signs on the grids of a map in the browser: hatching of what is unknown, and where labels stand."""

import json

import numpy as np
import pytest
import shapely

from gridmap.maps.hatch import hatch_lines, label_places, layer_shapes

LAND = shapely.box(113.0, 28.0, 113.04, 28.03)
WITH_A_HOLE = LAND.difference(shapely.box(113.01, 28.01, 113.02, 28.02))
APART = 0.0005


def _drawn(lines) -> shapely.Geometry:
    return shapely.multilinestrings([shapely.linestrings(line) for line in lines])


@pytest.mark.parametrize("shape", [LAND, WITH_A_HOLE])
def test_lines_stay_inside_and_are_as_far_apart_as_asked(shape: shapely.Geometry):
    lines = _drawn(hatch_lines([shape], apart=APART))
    assert shapely.buffer(shape, 2e-6).covers(lines)
    # Lines of one distance have as much length a surface, whatever its form: seen without the shrinking of longitudes.
    shrink = np.cos(np.radians(shape.centroid.y))
    flat = shapely.transform(lines, lambda at: at * (shrink, 1))
    assert flat.length * APART == pytest.approx(shape.area * shrink, rel=0.03)


def test_lines_rise_at_half_a_right_angle_on_the_screen():
    line = np.array(hatch_lines([LAND], apart=APART)[20])
    (x, y), (further, higher) = line
    assert (higher - y) / ((further - x) * np.cos(np.radians(28.015))) == pytest.approx(1, rel=1e-3)


def test_over_neighbours_lines_go_on():
    west, east = shapely.box(113, 28, 113.02, 28.03), shapely.box(113.02, 28, 113.04, 28.03)
    apart = [len(hatch_lines([one], apart=APART)) for one in (west, east)]
    together = hatch_lines([west, east], apart=APART)
    assert len(together) < sum(apart)
    assert _drawn(together).length == pytest.approx(_drawn(hatch_lines([LAND], apart=APART)).length)


def test_nothing_unknown_is_nothing_hatched():
    assert hatch_lines([], apart=APART) == ()


def test_lines_on_top_of_each_other_are_refused():
    with pytest.raises(ValueError, match="apart"):
        hatch_lines([LAND], apart=0)


def test_shapes_are_those_of_the_layer_in_its_order():
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": shapely.geometry.mapping(shape)}
        for code, shape in (("2", LAND), ("1", WITH_A_HOLE))
    ]
    shapes = layer_shapes(json.dumps({"type": "FeatureCollection", "features": features}).encode())
    assert list(shapes) == ["2", "1"]
    assert shapes["1"].equals(WITH_A_HOLE)


def test_a_label_stands_inside_and_makes_way_for_a_name():
    middle = (113.02, 28.015)
    alone, beside = (label_places({"1": LAND}, taken=taken)["1"] for taken in ((), (middle,)))
    assert np.hypot(*np.subtract(alone, middle)) < 0.005
    assert np.hypot(*np.subtract(beside, middle)) > 0.005
    assert LAND.contains(shapely.points(beside))


def test_a_shape_too_thin_for_any_trial_has_its_label_inside():
    thin = shapely.Polygon([(113, 28), (113.04, 28.03), (113.04, 28.0300001)])
    assert shapely.distance(thin, shapely.points(label_places({"1": thin}, taken=())["1"])) < 1e-5
