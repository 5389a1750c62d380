"""The pictures of a review: a map for each of its maps, and charts of its tables; the same report gives the same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gridmap.errors import InputError
from gridmap.exports.review_charts import charts_of
from gridmap.maps.faces import CHINESE_FACES, chinese_faces
from gridmap.maps.palette import LIGHT, ramp_bounds
from gridmap.maps.review_map import GridPicture, GridSheet, Step, class_step, nice_length, worry_colours
from gridmap.reports.review.ground import ReviewGround
from gridmap.reports.review.public import HIDDEN_BELOW
from gridmap.reports.review.shape import ReviewMap, ReviewReport
from gridmap.reports.review.words import known_words
from gridmap.texts import t

_BREAKS: Mapping[str, tuple[float, ...]] = {"share": (0.5, 0.7, 0.85, 0.95), "unit.days": (7, 14, 21, 30)}
_MEANING = {"hot": "bad", "higher": "bad", "cold": "good", "lower": "good", "too_few": "none"}
_CAP = "cap.share"
_NEAR_CAP = 0.9
_MOST_STEPS = 4


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the pack.

    Parameters
    ----------
    key
        Of the map, or of the chart: `hotspots.class`, `chart.funnel`.
    section
        The point of the agenda it belongs to.
    caption
        What stands under it.
    png
        The file.
    """

    key: str
    section: str
    caption: str
    png: bytes


def review_pictures(report: ReviewReport, ground: ReviewGround | None) -> tuple[Picture, ...]:
    """Draw every map and chart of a report.

    Parameters
    ----------
    report
        As it is to be shown: for a board the public one.
    ground
        The land; None: charts only.

    Raises
    ------
    InputError
        If no Chinese font is installed.
    """
    if not chinese_faces():
        raise InputError(t("ledgers.error_font", font=CHINESE_FACES[0]))
    found = [
        Picture(key=one.key, section=one.section, caption=one.caption, png=one.draw()) for one in charts_of(report)
    ]
    return (*_maps(report, ground), *found)


def _maps(report: ReviewReport, ground: ReviewGround | None) -> Iterator[Picture]:
    if ground is None or ground.grids.empty:
        return
    words = {name: t(f"review.map_{name}") for name in ("north", "km", "m")}
    sheet = GridSheet(grids=ground.grids, villages=ground.villages, water=ground.water, paths=ground.paths, words=words)
    for section in report.sections:
        for one in section.maps:
            shown = grid_picture(one, report, codes=list(ground.grids.index))
            yield Picture(key=one.key, section=section.key, caption=t(one.title_key), png=sheet.picture(shown))


def grid_picture(one: ReviewMap, report: ReviewReport, *, codes: Sequence[str]) -> GridPicture:
    """Return what a map shows, in words and colours: the steps of its legend, and the step and label of each grid."""
    found = one.grids["value"].to_dict()
    values = {code: found.get(code) for code in codes}
    hidden = _small(values) if one.is_public and one.kind == "count" else set()
    # Both small counts are drawn as one: neither colour nor number tells them apart.
    values |= dict.fromkeys(hidden, HIDDEN_BELOW - 1)
    if one.kind == "word":
        steps = [class_step(t(f"{one.words}{code}"), _MEANING.get(code, "plain")) for code in one.classes]
        place = {code: at for at, code in enumerate(one.classes)}
        step_of = {code: place.get(str(value), len(steps)) for code, value in values.items()}
        labels = {code: str(int(code[-3:])) for code in codes}
        note = t("review.map_note_number")
    else:
        bounds, steps = _scale(one, [value for value in values.values() if value is not None])
        step_of = {code: len(steps) if value is None else _step(value, bounds) for code, value in values.items()}
        own = one.grids["label"].to_dict()
        labels = {code: own.get(code) or _short(value, one.kind) for code, value in values.items()}
        labels |= dict.fromkeys(hidden, f"<{HIDDEN_BELOW}")
        note = t("review.map_note_households" if any(own.values()) else "review.map_note_value")
        if not one.is_bad_high:
            last = len(steps) - 1
            steps, step_of = steps[::-1], {code: last - at if at <= last else at for code, at in step_of.items()}
    if len(steps) in step_of.values():
        steps = [*steps, class_step(t("review.unknown"), "none")]
    local = known_words(report)
    return GridPicture(
        title=f"{report.township_name} · {t(one.title_key)}",
        subtitle=t("review.map_subtitle", month=report.month.month, known_at=local),
        legend_title=t(one.unit) if one.unit and one.unit != "unit.none" else t("review.map_legend"),
        steps=steps,
        step_of=step_of,
        labels=labels,
        note=note,
    )


def _scale(one: ReviewMap, told: Sequence[float]) -> tuple[tuple[float, ...], list[Step]]:
    """Return the upper bounds of the steps, all but the last, and the steps from the lowest."""
    if one.key == _CAP:
        bounds = (*ramp_bounds(_NEAR_CAP), 1.0 + 1e-9)
        return bounds, [
            Step(label=said, colour=colour) for said, colour in zip(_ranges(bounds, one), LIGHT.load, strict=True)
        ]
    bounds = _BREAKS.get(one.unit or "", _BREAKS.get(one.kind, ()))
    if not bounds:
        width = nice_length(max([*told, 1.0]) / _MOST_STEPS)
        bounds = tuple(width * at for at in range(1, _MOST_STEPS + 1))
    colours = worry_colours(len(bounds) + 1)
    colours = colours if one.is_bad_high else colours[::-1]
    steps = [Step(label=said, colour=colour) for said, colour in zip(_ranges(bounds, one), colours, strict=True)]
    return bounds, steps


def _ranges(bounds: Sequence[float], one: ReviewMap) -> list[str]:
    ends = [f"{round(bound * 100)}%" if one.kind == "share" else f"{bound:g}" for bound in bounds]
    return [
        t("review.map_below", most=ends[0]),
        *(t("review.map_between", least=least, most=most) for least, most in pairwise(ends)),
        t("review.map_over" if one.key == _CAP else "review.map_above", least=ends[-1]),
    ]


def _small(values: Mapping[str, float | None]) -> set[str]:
    return {code for code, value in values.items() if value is not None and 0 < value < HIDDEN_BELOW}


def _step(value: float, bounds: Sequence[float]) -> int:
    return sum(value >= bound for bound in bounds)


def _short(value: float | None, kind: str) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if kind == "share" else f"{value:.0f}"
