"""Charts of the office pages as ECharts options."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gridmap.maps.deck import FONT_FAMILY
from gridmap.maps.palette import LIGHT

# One hue a series, apart also for eyes that do not tell red from green.
SERIES = ("#c7461f", "#2a7f9e", "#b07d0a", "#6b5b95", "#1f8a63", "#9fb0bd")
_WORDS = {"fontFamily": FONT_FAMILY, "fontSize": 12, "color": LIGHT.normal}


def monthly_option(monthly: pd.DataFrame, *, others: str, most: int = 5) -> dict[str, Any]:
    """Return stacked bars of incidents per month: the largest series by name, the rest together.

    Parameters
    ----------
    monthly
        Index the month, one column a series.
    others
        Word for the rest.
    most
        How many series keep their name.
    """
    largest = monthly.sum().sort_values(ascending=False, kind="stable").index[:most]
    shown = monthly[largest]
    if monthly.shape[1] > most:
        shown = shown.assign(**{others: monthly.drop(columns=largest).sum(axis=1)})
    return {
        "animation": False,
        "color": [*SERIES[:most], SERIES[-1]],
        "grid": {"left": 4, "right": 8, "top": 34, "bottom": 2, "containLabel": True},
        "legend": {"type": "scroll", "top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": _WORDS},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "textStyle": _WORDS},
        "xAxis": {
            "type": "category",
            "data": [str(month)[2:] for month in shown.index],
            "axisLabel": _WORDS,
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": LIGHT.line}},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": _WORDS,
            "splitLine": {"lineStyle": {"color": LIGHT.line}},
        },
        "series": [
            {
                "type": "bar",
                "name": str(name),
                "stack": "incidents",
                "barMaxWidth": 34,
                "data": [int(value) for value in shown[name]],
            }
            for name in shown.columns
        ],
    }


def cap_option(households: pd.Series, *, cap: int, words: tuple[str, str, str]) -> dict[str, Any]:
    """Return one bar a grid, what lies above the cap in another colour, and the line of the cap.

    Parameters
    ----------
    households
        Households by the grid's name, in the order of the bars from top to bottom.
    cap
        Households that a grid may hold.
    words
        Words for "up to the cap", "above the cap" and the line.
    """
    within, above, line = words
    parts = (
        (within, households.clip(upper=cap), LIGHT.load[2]),
        (above, (households - cap).clip(lower=0), LIGHT.alarm),
    )
    series: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": name,
            "stack": "households",
            "barWidth": 10,
            "itemStyle": {"color": colour},
            "data": [int(value) for value in values],
        }
        for name, values, colour in parts
    ]
    series[0]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": LIGHT.strong, "type": "solid", "width": 1.5},
        "label": {**_WORDS, "formatter": line, "position": "start"},
        "data": [{"xAxis": cap}],
    }
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 30, "bottom": 20, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": _WORDS},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "textStyle": _WORDS},
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "splitLine": {"show": False}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [str(name) for name in households.index],
            "axisLabel": {**_WORDS, "interval": 0},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "series": series,
    }


def states_option(counts: Sequence[tuple[str, int, str]]) -> dict[str, Any]:
    """Return one bar made of states.

    Parameters
    ----------
    counts
        Words, number and colour of each state, in order.
    """
    return {
        "animation": False,
        "grid": {"left": 0, "right": 0, "top": 26, "bottom": 0},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": _WORDS},
        "tooltip": {"textStyle": _WORDS},
        "xAxis": {"type": "value", "show": False, "max": sum(number for _, number, _ in counts) or 1},
        "yAxis": {"type": "category", "show": False, "data": [""]},
        "series": [
            {
                "type": "bar",
                "name": f"{words} {number}",
                "stack": "states",
                "barWidth": 16,
                "data": [number],
                "itemStyle": {"color": colour},
            }
            for words, number, colour in counts
            if number
        ],
    }


def curve_option(steps: Sequence[tuple[int, float, float]], *, words: tuple[str, str, str]) -> dict[str, Any]:
    """Return what each further point buys: a line of what is reached, and above it what no choice can pass.

    Parameters
    ----------
    steps
        Number of points, what they reach, and the bound.
    words
        Words for the line, the bound, and for the points that are there.
    """
    reached, bound, now = words
    is_open = [above > got for _, got, above in steps]
    lines: list[dict[str, Any]] = [
        {
            "type": "line",
            "name": reached,
            "data": [round(got) for _, got, _ in steps],
            "symbol": "circle",
            "symbolSize": 7,
            "itemStyle": {"color": LIGHT.good},
            "lineStyle": {"width": 2.5},
            "label": {"show": True, "position": "bottom", **_WORDS},
        }
    ]
    if any(is_open):
        lines.append(
            {
                "type": "line",
                "name": bound,
                "data": [round(above) for _, _, above in steps],
                "symbol": "none",
                "itemStyle": {"color": LIGHT.unknown},
                "lineStyle": {"type": "dashed", "width": 1.5},
            }
        )
    return {
        "animation": False,
        "grid": {"left": 4, "right": 24, "top": 30, "bottom": 2, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": _WORDS},
        "tooltip": {"trigger": "axis", "textStyle": _WORDS},
        "xAxis": {
            "type": "category",
            "data": [f"+{number}" if number else now for number, _, _ in steps],
            "axisLabel": _WORDS,
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": LIGHT.line}},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {"show": False},
            "splitLine": {"lineStyle": {"color": LIGHT.line}},
        },
        "series": lines,
    }
