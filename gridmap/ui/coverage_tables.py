"""The tables of the coverage page: checkpoints, sums, lanes passed long ago, door-to-door visits, homes without a checkpoint."""

from typing import Any

import pandas as pd
import streamlit as st

from gridmap.analysis.visit_classes import CLASSES
from gridmap.reports.coverage import CoverageReport
from gridmap.reports.figures import formula_words
from gridmap.reports.patrolled import PatrolledReport
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import panels
from gridmap.ui.coverage_view import excluded_words
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

_TABLE_PX = 345
_APART = tuple(f"n_{name}" for name in CLASSES[1:])
SUMS = ("grid", "village", "duty", "person", "day")
_LONG_BY = ("grid", "group")


def _number(name: str) -> Any:
    return st.column_config.NumberColumn(t(f"coverage.{name}"), help=formula_words(f"coverage.{name}_formula"))


def _apart() -> dict[str, Any]:
    return {name: _number(name) for name in _APART}


def checkpoints(report: CoverageReport, room: Room) -> None:
    """Draw the checkpoints, worst first, with their runs and what was kept apart."""
    rows = report.checkpoints
    shown = pd.DataFrame(rows.drop(columns="geometry")).assign(
        state=[t(f"coverage.mark_{state}") for state in rows["state"]],
        duty=[t(f"controls.duty_{duty}") for duty in rows["duty"]],
        last_visit_at=rows["last_visit_at"].dt.tz_convert(settings().zone).dt.strftime("%m-%d %H:%M").fillna(UNKNOWN),
        n_apart=rows[list(_APART)].sum(axis=1),
    )
    columns = ("n_due", "n_made", "n_missing", "n_cannot_tell", "run_missed", "longest_kept", "n_apart")
    text = st.column_config.TextColumn
    st.dataframe(
        shown[["state", "name", "duty", *columns, "last_visit_at", "village_name"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "state": text(t("coverage.state"), pinned=True),
            "name": text(t("coverage.checkpoint"), pinned=True),
            "duty": text(t("controls.duty")),
            **{name: _number(name) for name in columns},
            "last_visit_at": text(t("coverage.last_visit")),
            "village_name": text(t("controls.village")),
        },
        key="coverage_checkpoints",
    )
    st.caption(excluded_words(report))


def sums(report: CoverageReport, room: Room) -> None:
    """Draw due, made and missed by grid, village, duty, person or day, whichever is chosen."""
    by = st.segmented_control(
        t("coverage.sums_by"),
        SUMS,
        default=SUMS[0],
        format_func=lambda name: t(f"coverage.by_{name}"),
        key="coverage_sums_by",
        label_visibility="collapsed",
    )
    rows, columns = _sums(report, by or SUMS[0])
    percent = {
        "made_share": panels.percent_column(t("coverage.visited"), formula=formula_words("coverage.formula_visited"))
    }
    st.dataframe(
        rows[["name", *columns]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX - 40),
        column_config={
            "name": st.column_config.TextColumn(t(f"coverage.by_{by or SUMS[0]}"), pinned=True),
            "grid_name": st.column_config.TextColumn(t("coverage.grid")),
            **{name: _number(name) for name in columns if name not in ("made_share", "grid_name")},
            **percent,
        },
        key=f"coverage_sums_{by}",
    )


def _sums(report: CoverageReport, by: str) -> tuple[pd.DataFrame, list[str]]:
    visits = report.visits
    if by == "person":
        return visits.people, ["grid_name", "n_made", "n_checkpoints", "n_days", *_APART]
    if by == "day":
        days = visits.by_day.iloc[::-1]
        return days.assign(name=[f"{day:%m-%d}" for day in days.index]), [
            "n_due",
            "n_made",
            "n_cannot_tell",
            "n_missed",
            *_APART,
        ]
    tables = {"grid": visits.by_grid, "village": visits.by_village, "duty": visits.by_duty}
    rows = tables[by]
    if by == "duty":
        rows = rows.assign(name=[t(f"controls.duty_{duty}") for duty in rows.index])
    ordered = rows.sort_values("made_share", kind="stable", na_position="last")
    shown = ordered.assign(made_share=panels.as_percent(ordered["made_share"]))
    return shown, ["made_share", "n_due", "n_made", "n_missing", "n_cannot_tell", "n_never", "n_checkpoints", *_APART]


def passed_long_ago(passed: PatrolledReport, village: str | None, room: Room) -> None:
    """Draw grids by their household-days, or village groups by homes that nobody passed for long."""
    by = st.segmented_control(
        t("coverage.sums_by"),
        _LONG_BY,
        default=_LONG_BY[0],
        format_func=lambda name: t(f"coverage.by_{name}"),
        key="coverage_long_by",
        label_visibility="collapsed",
    )
    rows, columns = (
        (passed.grids, ["household_days", "mean_days_since", "n_never", "n_households"])
        if (by or _LONG_BY[0]) == "grid"
        else (_named_by_village(passed.groups), ["n_long", "days_since", "n_households"])
    )
    if village is not None:
        rows = rows[rows.index.str.startswith(village)]
    number = st.column_config.NumberColumn
    st.dataframe(
        rows[["name", *columns]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX - 40),
        column_config={
            "name": st.column_config.TextColumn(t(f"coverage.by_{by or _LONG_BY[0]}"), pinned=True),
            "household_days": number(
                t("coverage.household_days"), help=formula_words("coverage.formula_household_days"), format="%d"
            ),
            "mean_days_since": number(
                t("coverage.mean_days"), help=formula_words("coverage.formula_mean_days"), format="%.1f"
            ),
            "n_never": number(t("coverage.n_unpassed"), help=formula_words("coverage.formula_n_unpassed")),
            "n_long": number(t("coverage.n_long", days=passed.long_days), help=formula_words("coverage.formula_long")),
            "n_households": number(t("coverage.n_households")),
            "days_since": number(t("coverage.days_since"), help=formula_words("coverage.formula_days_since")),
        },
        key=f"coverage_long_{by}",
    )


def _named_by_village(groups: pd.DataFrame) -> pd.DataFrame:
    return groups.assign(name=groups["village_name"].fillna("") + " " + groups["name"].fillna(""))


def doors(report: CoverageReport, room: Room) -> None:
    """Draw the share of each grid's households visited door to door in the month, lowest first."""
    visits = report.visits
    st.caption(t("coverage.doors_of", month=f"{visits.door_month:%Y-%m}"))
    rows = visits.doors.assign(visited_share=panels.as_percent(visits.doors["visited_share"]))
    number = st.column_config.NumberColumn
    st.dataframe(
        rows[["name", "visited_share", "n_visited", "n_households"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX - 30),
        column_config={
            "name": st.column_config.TextColumn(t("coverage.grid"), pinned=True),
            "visited_share": panels.percent_column(t("coverage.door"), formula=formula_words("coverage.formula_door")),
            "n_visited": number(t("coverage.n_visited")),
            "n_households": number(t("coverage.n_households")),
        },
        key="coverage_doors",
    )


def uncovered(report: CoverageReport, room: Room) -> None:
    """Draw the grids by households without a checkpoint near, most first."""
    rows = report.grids.assign(covered_share=panels.as_percent(report.grids["covered_share"]))
    number = st.column_config.NumberColumn
    st.dataframe(
        rows[["name", "n_uncovered", "n_residents_uncovered", "n_households", "covered_share"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "name": st.column_config.TextColumn(t("coverage.grid"), pinned=True),
            "n_uncovered": number(t("coverage.n_uncovered")),
            "n_residents_uncovered": number(t("coverage.n_residents")),
            "n_households": number(t("coverage.n_households")),
            "covered_share": panels.percent_column(
                t("coverage.covered"), formula=formula_words("coverage.formula_covered")
            ),
        },
        key="coverage_grids",
    )
