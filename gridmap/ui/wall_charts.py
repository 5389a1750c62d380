"""The wall's two charts as ECharts options, sized for the screen they stand on."""

from functools import lru_cache
from typing import Any

from gridmap.maps.palette import DARK
from gridmap.reports.live import IncidentsReport, PatrolReport
from gridmap.texts import t

FONT = "'Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"
# A round of all points in one day is not what is asked for: the brightest square is well above what the rhythms need.
CALENDAR_FULL_SHARE = 0.6
CALENDAR_RAMP = ("#14283a", "#1d4a55", "#2b7a70", "#4fae8e", "#7fd1ae")
CLOSED_COLOUR = "#3f86b5"
_KEPT = 16


def _words(scale: float, *, colour: str = DARK.quiet) -> dict[str, Any]:
    return {"fontFamily": FONT, "fontSize": round(15 * scale, 1), "color": colour}


@lru_cache(maxsize=_KEPT)
def disputes_option(report: IncidentsReport, scale: float, language: str) -> dict[str, Any]:
    """Return the bars of disputes per day: closed by now below, still open above."""
    del language  # part of the key: the words differ
    days = [f"{day.day:%m-%d}".lstrip("0") for day in report.disputes]
    first_of_week = [index for index, day in enumerate(report.disputes) if (len(report.disputes) - 1 - index) % 7 == 0]
    labels = {days[index] for index in first_of_week}
    totals = [day.n_closed + day.n_open for day in report.disputes]
    highest = max(totals, default=0)
    opened: list[Any] = [day.n_open for day in report.disputes]
    if highest:
        # The last of the highest days carries its number: the bars have a measure without an axis.
        last = len(totals) - 1 - totals[::-1].index(highest)
        at_edge = "right" if last >= len(totals) - 2 else "left" if last <= 1 else "center"
        label = {**_words(scale, colour=DARK.normal), "show": True, "position": "top", "align": at_edge}
        opened[last] = {
            "value": opened[last],
            "label": {**label, "formatter": str(highest), "distance": round(3 * scale)},
        }
    series = (
        (t("live.closed_now"), [day.n_closed for day in report.disputes], CLOSED_COLOUR),
        (t("live.open_now"), opened, DARK.wait),
    )
    return {
        "animation": False,
        "grid": {"left": 2, "right": 2, "top": round(22 * scale), "bottom": round(28 * scale)},
        "xAxis": {
            "type": "category",
            "data": [day if day in labels else "" for day in days],
            "axisLine": {"lineStyle": {"color": DARK.line, "width": 2 * scale}},
            "axisTick": {"show": False},
            "axisLabel": {**_words(scale), "interval": 0, "margin": round(9 * scale), "hideOverlap": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "max": max(highest, 1),
            "splitNumber": 2,
            "axisLabel": {"show": False},
            "splitLine": {"show": False},
        },
        "series": [
            {
                "type": "bar",
                "name": name,
                "stack": "disputes",
                "data": values,
                "barCategoryGap": "26%",
                "itemStyle": {"color": colour, "borderRadius": round(1.5 * scale)},
                "silent": True,
            }
            for name, values, colour in series
        ],
    }


@lru_cache(maxsize=_KEPT)
def calendar_option(report: PatrolReport, scale: float, language: str) -> dict[str, Any]:
    """Return the squares of two weeks: one row a village, one column a day, brighter where more points were visited."""
    del language  # part of the key: the words differ
    villages = [_short(name) for name in report.villages]
    days = [str(day.day) for day in report.days]
    cells = [
        [column, row, "-" if value is None else round(value, 3)]
        for row, values in enumerate(report.calendar)
        for column, value in enumerate(values)
    ]
    return {
        "animation": False,
        "grid": {"left": round(74 * scale), "right": 0, "top": 0, "bottom": round(28 * scale)},
        "xAxis": {
            "type": "category",
            "data": days,
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {**_words(scale), "interval": 0, "margin": round(9 * scale)},
        },
        "yAxis": {
            "type": "category",
            "data": villages,
            "inverse": True,
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {
                **_words(scale, colour=DARK.normal),
                "interval": 0,
                "margin": round(10 * scale),
                "width": round(62 * scale),
                "overflow": "truncate",
            },
        },
        "visualMap": {"show": False, "min": 0, "max": CALENDAR_FULL_SHARE, "inRange": {"color": list(CALENDAR_RAMP)}},
        "series": [
            {
                "type": "heatmap",
                "data": cells,
                "itemStyle": {
                    "borderColor": DARK.panel,
                    "borderWidth": round(3 * scale, 1),
                    "borderRadius": round(4 * scale),
                },
                "silent": True,
            }
        ],
    }


def _short(village: str) -> str:
    """Return a village's name without the word for village, as people say it."""
    return village.removesuffix(t("live.village_suffix")).removesuffix(t("live.community_suffix")) or village
