"""Charts of the office pages as ECharts options."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gridmap.maps.deck import FONT_FAMILY
from gridmap.maps.palette import LIGHT

# One hue a series, apart also for eyes that do not tell red from green.
SERIES = ("#c7461f", "#2a7f9e", "#b07d0a", "#6b5b95", "#1f8a63", "#9fb0bd")
# Share of what was due, from none to all: from alarm over paper to good would be a rainbow; one hue says enough.
_KEPT_RAMP = (
    (-0.5, 0.0, "#f3d9cf"),
    (0.0, 0.34, "#dcefe6"),
    (0.34, 0.67, "#a5d5bf"),
    (0.67, 0.999, "#5fb391"),
    (0.999, 1.0, "#1f8a63"),
)
_UNKNOWN_CELL, _FEW_COLUMNS = "#cfd8df", 16
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


def calendar_option(
    cells: pd.DataFrame, *, names: Mapping[str, str], words: tuple[str, str, str, str]
) -> dict[str, Any]:
    """Return squares: one row an area, one column a day or week, darker where more of what was due was made.

    Parameters
    ----------
    cells
        `area`, `first_on`, `n_due`, `n_made` (NaN: unknown), `n_cannot_tell`; a cell without dues and visits stays empty.
    names
        Name of each area.
    words
        Words for made, due, "cannot tell" (a count), and for an unknown cell.
    """
    made, due, unsure, unknown = words
    areas, days = list(dict.fromkeys(cells["area"])), sorted(set(cells["first_on"]))
    column, row = {day: at for at, day in enumerate(days)}, {area: at for at, area in enumerate(areas)}
    data = []
    columns = [cells[name].tolist() for name in ("area", "first_on", "n_due", "n_made", "n_cannot_tell")]
    for area, day, n_due, n_made, n_unsure in zip(*columns, strict=True):
        if pd.isna(n_made):
            told, share = unknown, -1.0
        elif n_due > 0 or n_made > 0:
            told = f"{made} {n_made:.0f} / {due} {n_due:.1f} / {unsure} {n_unsure:.0f}"
            share = min(n_made / n_due, 1.0) if n_due > 0 else 1.0
        else:
            continue
        name = f"{names.get(area, area)} {day:%m-%d}  {told}"
        data.append({"value": [column[day], row[area], round(share, 3)], "name": name})
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 4, "bottom": 4, "containLabel": True},
        "tooltip": {"formatter": "{b}", "textStyle": _WORDS, "confine": True},
        "xAxis": {
            "type": "category",
            "position": "top",
            "data": [f"{day:%m-%d}" for day in days],
            "axisLabel": {**_WORDS, "rotate": 90 if len(days) > _FEW_COLUMNS else 0},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "yAxis": {
            "type": "category",
            "data": [str(names.get(area, area)) for area in areas],
            "inverse": True,
            "axisLabel": {**_WORDS, "interval": 0, "width": 150, "overflow": "truncate"},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "visualMap": {
            "show": False,
            "pieces": [
                {"max": -0.5, "color": _UNKNOWN_CELL},
                *({"gt": low, "lte": high, "color": colour} for low, high, colour in _KEPT_RAMP),
            ],
        },
        "series": [{"type": "heatmap", "data": data, "itemStyle": {"borderColor": LIGHT.panel, "borderWidth": 1.5}}],
    }


def bars_option(names: Sequence[str], numbers: Sequence[int], *, colour: str) -> dict[str, Any]:
    """Return plain bars of counts.

    Parameters
    ----------
    names
        What each bar is of, from left to right.
    numbers
        As many counts.
    colour
        Of all bars.
    """
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 8, "bottom": 2, "containLabel": True},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "textStyle": _WORDS},
        "xAxis": {"type": "category", "data": list(names), "axisLabel": _WORDS, "axisTick": {"show": False}},
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": _WORDS,
            "splitLine": {"lineStyle": {"color": LIGHT.line}},
        },
        "series": [{"type": "bar", "data": list(numbers), "itemStyle": {"color": colour}, "barMaxWidth": 28}],
    }
