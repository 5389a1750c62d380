"""The funnel as an ECharts option: every grid once, exceptional ones by name, curves that stay inside the picture."""

import numpy as np
import pandas as pd

from gridmap.analysis.fair.funnel import CLASSES, limits
from gridmap.ui.funnel_chart import funnel_option

POINTS = pd.DataFrame(
    {
        "expected": [4.0, 20.0, 18.0, 0.5],
        "ratio": [1.1, 3.0, 0.2, 6.0],
        "class": ["as expected", "higher", "lower", "too few to say"],
        "name": ["a", "b", "c", "d"],
        "told": ["A", "B", "C", "D"],
    }
)


def _option(points: pd.DataFrame) -> dict:
    expected = np.linspace(0.3, 21, 50)
    curves = {name: limits(expected, np.zeros(50), share=share) for name, share in (("in", 0.95), ("out", 0.998))}
    return funnel_option(
        points, curves, expected, words=dict.fromkeys(CLASSES, "") | {one: one for one in CLASSES}, axes=("x", "y")
    )


def test_every_grid_is_drawn_once_with_what_is_told_of_it():
    scatter = [one for one in _option(POINTS)["series"] if one["type"] == "scatter"]
    drawn = [(point["name"], point["value"]) for one in scatter for point in one["data"]]
    assert sorted(drawn) == [("A", [4.0, 1.1]), ("B", [20.0, 3.0]), ("C", [18.0, 0.2]), ("D", [0.5, 6.0])]


def test_only_exceptional_grids_bear_their_name_and_each_class_its_own_shape():
    scatter = {one["name"]: one for one in _option(POINTS)["series"] if one["type"] == "scatter"}
    named = {point["label"]["formatter"] for one in scatter.values() for point in one["data"] if point["label"]["show"]}
    assert named == {"b", "c"}
    assert len({(one["symbol"], one["symbolRotate"]) for one in scatter.values()}) == 4


def test_curves_and_points_stay_inside_the_picture():
    option = _option(POINTS)
    top, most = option["yAxis"]["max"], option["xAxis"]["max"]
    assert top > 6
    for line in (one for one in option["series"] if one["type"] == "line"):
        assert all(0 < x <= most and 0 <= y <= top for x, y in line["data"])


def test_the_legend_names_what_is_there_and_nothing_else():
    option = _option(POINTS.iloc[:1])
    assert [key["name"] for key in option["legend"]["data"]] == ["in", "out", "as expected"]
