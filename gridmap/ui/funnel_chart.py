"""The funnel: actual over expected of every grid, and how far chance alone takes it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.maps.deck import FONT_FAMILY
from gridmap.maps.palette import LIGHT, USUAL

_WORDS = {"fontFamily": FONT_FAMILY, "fontSize": 12, "color": LIGHT.normal}
_LINES = ("path://M0,3h6v2h-6zM10,3h6v2h-6z", "path://M0,3h16v2h-16z")
_HEAD_ROOM, _LEAST_TOP = 1.12, 2.5
# Shape and colour by class: never colour alone.
_MARKS = {
    "higher": ("triangle", LIGHT.alarm, 13, 0),
    "lower": ("triangle", LIGHT.good, 13, 180),
    "as expected": ("circle", USUAL, 8, 0),
    "too few to say": ("emptyCircle", LIGHT.unknown, 7, 0),
}

Floats = npt.NDArray[np.float64]


def funnel_option(
    points: pd.DataFrame,
    curves: Mapping[str, tuple[Floats, Floats]],
    expected: Floats,
    *,
    words: Mapping[str, str],
    axes: tuple[str, str],
) -> dict[str, Any]:
    """Return the points of all grids, and lines for each pair of limits.

    Parameters
    ----------
    points
        `expected`, `ratio`, `class`, `name` (shown beside those that are higher or lower), `told` (shown when pointed at).
    curves
        By their words, the inner first: low and high limit at each of `expected`.
    expected
        Where the limits are drawn, rising.
    words
        Of each class.
    axes
        Words for the two axes.
    """
    top = max(_LEAST_TOP, float(points["ratio"].max()) * _HEAD_ROOM)
    series: list[dict[str, Any]] = []
    keys = [{"name": name, "icon": icon} for name, icon in zip(curves, _LINES, strict=False)]
    for at, (name, pair) in enumerate(curves.items()):
        for limit in pair:
            inside = limit <= top
            series.append(
                {
                    "type": "line",
                    "name": name,
                    "data": np.column_stack([expected[inside], limit[inside]]).round(3).tolist(),
                    "symbol": "none",
                    "silent": True,
                    "tooltip": {"show": False},
                    "itemStyle": {"color": LIGHT.normal},
                    "lineStyle": {"color": LIGHT.normal, "width": 1.2, "type": "solid" if at else "dashed"},
                }
            )
    for kind, (symbol, colour, size, turned) in _MARKS.items():
        rows = points[points["class"] == kind]
        if rows.empty:
            continue
        keys.append({"name": words[kind]})
        is_named = kind in {"higher", "lower"}
        series.append(
            {
                "type": "scatter",
                "name": words[kind],
                "symbol": symbol,
                "symbolSize": size,
                "symbolRotate": turned,
                "z": 4 if is_named else 3,
                "itemStyle": {"color": colour},
                "data": [
                    {
                        "value": [round(float(x), 2), round(float(y), 3)],
                        "name": told,
                        "label": {
                            **_WORDS,
                            "show": is_named,
                            "formatter": name,
                            "position": "left" if x > float(expected[-1]) / 2 else "right",
                        },
                    }
                    for x, y, name, told in zip(
                        rows["expected"], rows["ratio"], rows["name"], rows["told"], strict=True
                    )
                ],
            }
        )
    axis = {
        "type": "value",
        "nameTextStyle": _WORDS,
        "axisLabel": _WORDS,
        "splitLine": {"lineStyle": {"color": LIGHT.line}},
        "axisLine": {"show": False},
    }
    return {
        "animation": False,
        "grid": {"left": 4, "right": 12, "top": 56, "bottom": 22, "containLabel": True},
        "legend": {
            "data": keys,
            "top": 0, "left": 0, "itemWidth": 16, "itemHeight": 8, "itemGap": 12, "textStyle": _WORDS,
            "selectedMode": False,
        },
        "tooltip": {
            "trigger": "item", "formatter": "{b}", "textStyle": _WORDS, "confine": True,
            "extraCssText": "white-space:normal;max-width:320px",
        },
        "xAxis": {
            **axis, "name": axes[0], "nameLocation": "middle", "nameGap": 24, "min": 0,
            "max": float(np.ceil(expected[-1])), "splitLine": {"show": False},
        },
        "yAxis": {
            **axis, "axisLabel": {**_WORDS, "showMaxLabel": False}, "name": axes[1], "nameTextStyle": {**_WORDS, "align": "left"}, "min": 0, "max": round(top, 1)},
        "series": series,
    }  # fmt: skip
