"""Charts of a review: three months side by side, the way of the month's cases, settled and open by village, the workload's funnel."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gridmap.maps.palette import LIGHT, USUAL
from gridmap.maps.review_map import DPI, picture_style, png_of
from gridmap.reports.review.shape import ReviewReport, ReviewTable
from gridmap.reports.review.words import number_words
from gridmap.texts import t

_WIDTH = 8.0
_SETTLED, _OPEN, _PAST = "#3f8f83", "#d9744a", "#b9c9d4"
_MONTHS = ("disputes.n_new", "disputes.n_settled", "disputes.n_open_after", "cases.n_new", "cases.n_settled", "cases.n_open_after")  # fmt: skip
_TREND, _VISIBLE = "disputes.by_month", 0.08
_BY_VILLAGE = ("disputes.by_village", "cases.by_village")
_STAGES = (
    ("cases.on_time", "on_time"),
    ("cases.in_grid", "in_grid"),
    ("satisfaction.asked", "asked"),
    ("satisfaction.rated_well", "rated_well"),
)
_ROW_HIGH, _EDGE = 0.34, 0.75
_WORKLOAD, _HEAD_ROOM, _LEAST_TOP = "workload.grids", 1.12, 2.5
# Shape and colour by class, as on the workload page: never colour alone.
_MARKS = {
    "higher": ("^", LIGHT.alarm, LIGHT.alarm, 70),
    "lower": ("v", LIGHT.good, LIGHT.good, 70),
    "as_expected": ("o", USUAL, USUAL, 34),
    "too_few": ("o", "none", LIGHT.unknown, 30),
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of a chart.

    Parameters
    ----------
    label
        Beside it.
    parts
        Its parts, from the left; 0 is drawn as nothing.
    said
        At its end.
    """

    label: str
    parts: tuple[float, ...]
    said: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart that a report has the figures for.

    Parameters
    ----------
    key
        `chart.funnel`.
    section
        The point of the agenda it belongs to.
    caption
        What stands under it.
    draw
        Makes the picture (PNG).
    """

    key: str
    section: str
    caption: str
    draw: Callable[[], bytes]


def charts_of(report: ReviewReport) -> Iterator[Chart]:
    """Yield the charts that a report has the figures for, in the order of the agenda; none is drawn yet."""
    months = [key for key in _MONTHS if key in report.figures and report.figures[key].value is not None]
    if months:
        said = t("review.chart_months")
        yield Chart(key="chart.months", section="disputes", caption=said, draw=partial(_months, report, months))
    trend = report.tables.get(_TREND)
    if trend is not None and trend.rows["n_cases"].notna().any():
        said = t("review.chart_trend")
        yield Chart(key="chart.trend", section="disputes", caption=said, draw=partial(_trend, report, trend))
    stages = _stages(report)
    if stages:
        said = t("review.chart_funnel")
        draw = partial(_bars, report, said, stages, colours=(_SETTLED,), legend=())
        yield Chart(key="chart.funnel", section="cases", caption=said, draw=draw)
    legend = (t("review.column_n_settled"), t("review.column_n_unsettled"))
    for key in _BY_VILLAGE:
        bars = _village_bars(report, key)
        if bars:
            section, said = key.split(".", maxsplit=1)[0], t(f"review.chart_{key.replace('.', '_')}")
            draw = partial(_bars, report, said, bars, colours=(_SETTLED, _OPEN), legend=legend)
            yield Chart(key=f"chart.{key}", section=section, caption=said, draw=draw)
    load = report.tables.get(_WORKLOAD)
    if load is not None and load.rows["expected"].notna().any():
        said = t("review.chart_workload")
        yield Chart(key="chart.workload", section="workload", caption=said, draw=partial(_funnel, report, load))


def _stages(report: ReviewReport) -> list[Bar]:
    """Return how many cases came to each stage, with the share of those it is counted among; what cannot be told is left out."""
    figures = report.figures
    settled, left = (figures.get(f"cases.{name}") for name in ("n_settled", "n_open_after"))
    if settled is None or left is None or settled.value is None or left.value is None:
        return []
    whole = settled.value + left.value
    found = [("all", whole, None), ("settled", settled.value, whole)]
    for key, name in _STAGES:
        one = figures.get(key)
        if one is not None and one.numerator is not None:
            found.append((name, one.numerator, one.denominator))
    return [
        Bar(label=t(f"review.stage_{name}"), parts=(value,), said=_of(value, among)) for name, value, among in found
    ]


def _of(value: float, among: float | None) -> str:
    said = number_words(value, "count")
    return f"{said} / {number_words(among, 'count')}   {number_words(value / among, 'share')}" if among else said


def _village_bars(report: ReviewReport, key: str) -> list[Bar]:
    table = report.tables.get(key)
    if table is None or table.rows.empty or "n_previous" not in table.rows:
        return []
    rows = table.rows.iloc[:-1] if table.has_total else table.rows
    return [
        Bar(
            label=t("review.nowhere") if row["village"] == "∅" else str(row["village"]),
            parts=(float(row["n_settled"]), float(row["n_unsettled"])),
            said=number_words(row["n_new"], "count"),
        )
        for _, row in rows.iterrows()
        if row["n_new"]
    ]


def _months(report: ReviewReport, keys: Sequence[str]) -> bytes:
    with _in_chinese():
        return _drawn_months(report, keys)


def _in_chinese() -> Any:
    return mpl.rc_context(picture_style())


def _drawn_months(report: ReviewReport, keys: Sequence[str]) -> bytes:
    figure, axes, canvas = _sheet(t("review.chart_months"), report, high=3.3)
    about = (report.last_year, report.previous, report.month)
    colours = ("#dbe4ea", _PAST, _SETTLED)
    top = 0.0
    for at, key in enumerate(keys):
        one = report.figures[key]
        pasts = (one.last_year, one.previous)
        values = [*(None if past is None else past.value for past in pasts), one.value]
        for place, value in enumerate(values):
            x = at + (place - 1) * 0.26
            axes.bar(x, value or 0, width=0.24, color=colours[place], label=about[place].month if at == 0 else None)
            said = t("review.unknown") if value is None else number_words(value, "count")
            bold = "bold" if place == len(values) - 1 else "normal"
            axes.annotate(said, (x, value or 0), (0, 2), textcoords="offset points", ha="center", fontsize=8.5, color=LIGHT.strong, weight=bold)  # fmt: skip
            top = max(top, value or 0)
    axes.set_xticks(range(len(keys)), [t(report.figures[key].title_key) for key in keys], fontsize=9)
    axes.set_xlim(-0.6, len(keys) - 0.4)
    axes.set_ylim(0, max(top, 1) * 1.16)
    for name in ("disputes", "cases"):
        inside = [at for at, key in enumerate(keys) if key.startswith(name)]
        if inside:
            middle = sum(inside) / len(inside)
            axes.text(middle, -0.17, t(f"review.section_{name}"), transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=9.5, weight="bold", color=LIGHT.normal)  # fmt: skip
    axes.set_yticks([])
    figure.legend(*axes.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.985, 0.9), ncols=3, frameon=False, fontsize=9, handlelength=1, columnspacing=1.2)  # fmt: skip
    axes.set_position((0.03, 0.2, 0.95, 0.58))
    return png_of(canvas)


def _trend(report: ReviewReport, table: ReviewTable) -> bytes:
    with _in_chinese():
        figure, axes, canvas = _sheet(t("review.chart_trend"), report, high=3.2)
        rows = table.rows
        known = [value for value in rows["n_cases"] if value is not None]
        for at, (cases, disputes) in enumerate(zip(rows["n_cases"], rows["n_disputes"], strict=True)):
            is_now = at == len(rows) - 1
            if cases is None:
                axes.text(at, 0, t("review.unknown"), ha="center", va="bottom", fontsize=8.5, color=LIGHT.quiet)
                continue
            axes.bar(at, disputes, width=0.62, color=_SETTLED if is_now else "#8fbcb4")
            axes.bar(at, cases - disputes, bottom=disputes, width=0.62, color=_PAST)
            if disputes / max(known) > _VISIBLE:
                inner = "#ffffff" if is_now else LIGHT.strong
                axes.text(at, disputes / 2, number_words(disputes, "count"), ha="center", va="center", fontsize=8.5, color=inner)  # fmt: skip
            axes.annotate(number_words(cases, "count"), (at, cases), (0, 2), textcoords="offset points", ha="center", fontsize=8.5, color=LIGHT.strong)  # fmt: skip
        axes.set_xticks(range(len(rows)), list(rows["month"]), fontsize=8.5)
        axes.set_xlim(-0.6, len(rows) - 0.4)
        axes.set_ylim(0, max(known) * 1.12)
        axes.set_yticks([])
        for colour, words in ((_SETTLED, "controls.kind_dispute"), (_PAST, "review.chart_other_kinds")):
            axes.bar(-9, 0, color=colour, label=t(words))
        figure.legend(*axes.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.985, 0.9), ncols=2, frameon=False, fontsize=9, handlelength=1, columnspacing=1.2)  # fmt: skip
        axes.set_position((0.02, 0.12, 0.965, 0.66))
        return png_of(canvas)


def _bars(
    report: ReviewReport, title: str, bars: Sequence[Bar], *, colours: Sequence[str], legend: Sequence[str]
) -> bytes:
    with _in_chinese():
        return _drawn_bars(report, title, bars, colours=colours, legend=legend)


def _drawn_bars(
    report: ReviewReport, title: str, bars: Sequence[Bar], *, colours: Sequence[str], legend: Sequence[str]
) -> bytes:
    head = _EDGE + (0.3 if legend else 0.0)
    high = head + 0.15 + _ROW_HIGH * len(bars)
    figure, axes, canvas = _sheet(title, report, high=high)
    most = max([sum(bar.parts) for bar in bars] + [1.0])
    for at, bar in enumerate(bars):
        begin = 0.0
        for part, colour in zip(bar.parts, colours, strict=True):
            axes.barh(at, part, left=begin, height=0.64, color=colour)
            begin += part
        axes.annotate(bar.said, (begin, at), (5, 0), textcoords="offset points", va="center", fontsize=9, color=LIGHT.strong)  # fmt: skip
        if len(bar.parts) > 1 and bar.parts[-1]:
            _inside(axes, begin - bar.parts[-1] / 2, at, bar.parts[-1], most)
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars], fontsize=9.5)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, most * (1.06 + 0.013 * max(len(bar.said) for bar in bars)))
    axes.set_xticks([])
    for at, words in enumerate(legend):
        axes.barh(-9, 0, color=colours[at], label=words)
    if legend:
        figure.legend(*axes.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.985, 1 - 0.5 / high), ncols=2, frameon=False, fontsize=9, handlelength=1, columnspacing=1.2)  # fmt: skip
    left = 0.03 + 0.0185 * max(sum(2 if ord(sign) > 0x2E7F else 1 for sign in bar.label) for bar in bars) / 2  # noqa: PLR2004  first CJK block
    axes.set_position((left, 0.12 / high, 0.975 - left, 1 - (head + 0.12) / high))
    return png_of(canvas)


def _inside(axes: Axes, x: float, y: float, part: float, most: float) -> None:
    if part / most > 0.012:  # noqa: PLR2004  wide enough for a digit
        axes.text(x, y, number_words(part, "count"), ha="center", va="center", fontsize=8, color="#ffffff")


def _funnel(report: ReviewReport, table: ReviewTable) -> bytes:
    """Draw each grid's cases over what was expected, among the limits that chance alone keeps 95 of 100 equal grids within."""
    rows = table.rows[table.rows["expected"].notna()].sort_values("expected", ignore_index=True)
    expected, low, high, new = (rows[name].astype(float).to_numpy() for name in ("expected", "low_95", "high_95", "n_new"))  # fmt: skip
    ratio = new / expected
    top = max(_LEAST_TOP, float(ratio.max()) * _HEAD_ROOM)
    with _in_chinese():
        figure, axes, canvas = _sheet(t("review.chart_workload"), report, high=4.4)
        axes.fill_between(expected, low, high, color="#e9eff3", linewidth=0, label=t("review.chart_limits"))
        axes.axhline(1, color=LIGHT.normal, linewidth=0.9)
        for kind, (mark, face, edge, size) in _MARKS.items():
            its = (rows["class"] == kind).to_numpy()
            if its.any():
                axes.scatter(expected[its], ratio[its], marker=mark, s=size, facecolor=face, edgecolor=edge, linewidth=1.2, zorder=3, label=t(f"review.load_{kind}"))  # fmt: skip
        for x, y, grid, kind in zip(expected, ratio, rows["grid"], rows["class"], strict=True):
            if kind in ("higher", "lower"):
                is_right = x > expected[-1] / 2
                axes.annotate(grid, (x, y), (-8 if is_right else 8, 0), textcoords="offset points", ha="right" if is_right else "left", va="center", fontsize=9, color=LIGHT.strong, bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1})  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0, float(expected[-1]) * 1.04)
        axes.set_ylim(0, top)
        axes.tick_params(labelsize=8.5)
        axes.grid(axis="y", color=LIGHT.line, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(t("review.chart_expected"), fontsize=9, color=LIGHT.normal)
        axes.text(0, 1.02, t("review.chart_ratio"), transform=axes.transAxes, fontsize=9, color=LIGHT.normal, va="bottom")  # fmt: skip
        figure.legend(*axes.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.985, 0.91), ncols=5, frameon=False, fontsize=9, handlelength=1.2, columnspacing=1.2, handletextpad=0.4)  # fmt: skip
        axes.set_position((0.05, 0.125, 0.935, 0.66))
        return png_of(canvas)


def _sheet(title: str, report: ReviewReport, *, high: float) -> tuple[Figure, Axes, Any]:
    figure = Figure(figsize=(_WIDTH, high), dpi=DPI, facecolor="#ffffff")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.15, 0.88, 0.6))
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom") and side == "bottom")
        spine.set_color(LIGHT.line)
    axes.tick_params(length=0, colors=LIGHT.strong)
    figure.text(0.02, 1 - 0.26 / high, f"{report.township_name} · {title}", fontsize=14, weight="bold", color=LIGHT.strong, va="center")  # fmt: skip
    figure.text(0.985, 1 - 0.26 / high, report.month.month, fontsize=9, color=LIGHT.normal, va="center", ha="right")
    return figure, axes, canvas
