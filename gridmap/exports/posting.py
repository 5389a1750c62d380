"""The posting sheet of points (网格员积分公示): one A3 sheet for a village board, ranking beside rules, small counts hidden."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from gridmap.errors import InputError
from gridmap.exports.typesetting import typeset
from gridmap.reports.ledgers.points import SUMS, PointsReport, grade_limits, grade_words, in_order
from gridmap.settings import Settings
from gridmap.texts import language, t

_TEMPLATE = Path(__file__).with_name("posting.typ")
# More people than this stand in several columns, with their sum only.
_MOST_IN_FULL = 44
_UNKNOWN = "—"


def posting_sheet(
    report: PointsReport,
    *,
    township: str,
    settings: Settings,
    village_code: str | None = None,
    form: Literal["pdf", "png"] = "pdf",
    ppi: float = 110,
) -> bytes:
    """Return the sheet of a month.

    Parameters
    ----------
    report
        Points of the month, as settled or as they stand (the sheet says which).
    township
        Its name.
    settings
        How people are ranked and graded, and which counts are hidden.
    village_code
        Only people and grids of this village, ranked as in the whole township; None: everybody.
    form, ppi
        PDF to print, or a picture to look at.

    Raises
    ------
    InputError
        If no rule counts in the month, nobody has points there, or no Chinese font is installed.
    """
    return typeset(
        _TEMPLATE, _given(report, township=township, settings=settings, village_code=village_code), form=form, ppi=ppi
    )


def _given(report: PointsReport, *, township: str, settings: Settings, village_code: str | None) -> dict[str, Any]:
    month = f"{report.month:%Y-%m}"
    if report.rules.empty:
        raise InputError(t("ledgers.error_posting_rules", month=month))
    people, grids = report.people, report.grids
    if village_code is not None:
        people, grids = people[people["village_code"] == village_code], grids[grids["village_code"] == village_code]
    if people.empty:
        raise InputError(t("ledgers.no_people"))
    where = township if village_code is None else f"{township} {people['village_name'].iloc[0]}"
    known = f"{report.known_at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
    in_full = len(people) <= _MOST_IN_FULL
    hidden = settings.public_hidden_below
    return {
        "language": language(),
        "title": t("ledgers.posting_title", township=where),
        "month": t("ledgers.posting_of", year=report.month.year, month=report.month.month),
        "state": t("ledgers.posting_settled", number=report.freezes[-1].number, at=known)
        if report.is_reproduced is not None
        else t("ledgers.posting_draft", at=known),
        "is_settled": report.is_reproduced is not None,
        "words": {
            name: t(f"ledgers.posting_{name}")
            for name in ("people", "grids", "rules", "about", "stamp", "dates", "appeal")
        },
        "in_full": in_full,
        "head": _people_head(in_full=in_full),
        "people": [_person(row, in_full=in_full) for _, row in people.iterrows()],
        "grid_head": [
            t(f"ledgers.{name}")
            for name in ("rank", "grid", "grid_share", "n_visits", "n_homes", "posting_closed", "n_in_grid")
        ],
        "grids": [_grid(row, hidden_below=hidden) for _, row in grids.iterrows()],
        "rules": [_rule(row) for _, row in in_order(report.rules).iterrows()],
        "about": [
            t("ledgers.posting_about_rank", point_prior=settings.point_prior),
            t("ledgers.posting_about_grade", point_grades_words=grade_words(grade_limits(settings.point_grades))),
            *([t("ledgers.posting_minus_note")] if in_full else []),
            t("ledgers.posting_about_grids"),
            t("ledgers.posting_about_small", hidden=hidden, most=hidden - 1),
        ],
    }


def _people_head(*, in_full: bool) -> list[str]:
    sums = SUMS if in_full else ()
    return [t(f"ledgers.{name}") for name in ("rank", "name", "grid", "points", *sums, "share", "fair_short", "grade")]


def _person(row: pd.Series, *, in_full: bool) -> dict[str, Any]:
    told = not pd.isna(row["rank"])
    cells = [
        str(row["rank"]) if told else _UNKNOWN,
        str(row["name"]),
        _text(row["grid_name"]),
        str(row["points"]),
        *([str(row[name]) for name in SUMS] if in_full else []),
        _percent(row["share_permille"], in_full=in_full),
        _percent(row["fair_permille"], in_full=in_full),
        t(f"ledgers.grade_{row['grade']}") if told else _UNKNOWN,
    ]
    return {"cells": cells, "grade": row["grade"] if told else ""}


def _grid(row: pd.Series, *, hidden_below: int) -> list[str]:
    # Only whole per cents: from tenths, the counts that are hidden could be worked out.
    share = row["share"]
    return [
        _UNKNOWN if pd.isna(row["rank"]) else f"{row['rank']:.0f}",
        str(row["name"]),
        _UNKNOWN if pd.isna(share) else f"{share:.0%}",
        _of(row["n_visits_made"], row["n_visits_due"]),
        _of(row["n_homes_visited"], row["n_households"]),
        _hidden(int(row["n_on_time"]), hidden_below),
        _hidden(int(row["n_disputes"]), hidden_below),
    ]


def _hidden(number: int, hidden_below: int) -> str:
    return f"<{hidden_below}" if 0 < number < hidden_below else str(number)


def _of(made: Any, due: Any) -> str:
    return _UNKNOWN if pd.isna(made) else f"{int(made)}/{int(due)}"


def _percent(permille: Any, *, in_full: bool) -> str:
    if pd.isna(permille):
        return _UNKNOWN
    return f"{int(permille) / 10:.{1 if in_full else 0}f}%"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _UNKNOWN


def _rule(row: pd.Series) -> list[str]:
    points = f"{int(row['points']):+d}"
    each = (
        t("ledgers.posting_by_hand")
        if row["counts"] == "manual"
        else t("ledgers.posting_rule_once", points=points)
        if row["counts"] == "home_visit_share"
        else t("ledgers.posting_rule_points", points=points)
    )
    ceiling = row["monthly_ceiling"]
    most = "" if pd.isna(ceiling) else t("ledgers.posting_rule_ceiling", ceiling=int(ceiling))
    return [str(row["name"]), each, most]
