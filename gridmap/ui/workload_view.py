"""What the workload page draws: map, tables, downloads."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from gridmap.exports.tables import Column, Sheet, comma_separated, workbook
from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import MapGround, load_deck, measure_steps
from gridmap.maps.palette import LIGHT, OVER_CAP_STEP, ramp_bounds
from gridmap.reports.fair import FairReport
from gridmap.reports.workload import WorkloadReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import charts, fair_view, panels
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

MEASURES = (
    "n_households",
    "n_residents",
    "households_per_member",
    "n_new",
    "n_open",
    "n_overdue",
    "incidents_per_100_households",
    "made_share",
)
BY_TODAY = "workload_by_today"
TOUCHED = "workload_touched"
_N_STEPS, _KEPT = 5, 16
_MAP_PX, _TABLE_PX = 430, 360
_CAP_HEAD_PX, _CAP_ROW_PX = 56, 22
_KINDS = {
    "cap_share": "share",
    "made_share": "share",
    "households_per_member": "decimal",
    "incidents_per_100_households": "decimal",
}
_TEXTS = ("name", "village_name", "chief", "exception_reason")
_GRID_COLUMNS = (
    "name",
    "village_name",
    "n_households",
    "cap_share",
    "n_residents",
    "team_size",
    "households_per_member",
    "n_new",
    "n_open",
    "n_overdue",
    "n_due",
    "n_made",
    "made_share",
    "incidents_per_100_households",
    "chief",
    "exception_reason",
)
_VILLAGE_COLUMNS = (
    "village_name",
    "n_grids",
    "n_over_cap",
    "n_households",
    "n_residents",
    "team_size",
    "households_per_member",
    "n_new",
    "n_open",
    "n_overdue",
    "made_share",
)


def scale(report: WorkloadReport, measure: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the rising bounds of a measure's steps and a colour for each step.

    Households have the steps of the cap; everything else five even steps from 0 to the largest value.
    """
    if measure == "n_households" and report.household_cap:
        near = settings().near_cap_share
        cap = report.household_cap
        bounds = (*(share * cap for share in ramp_bounds(near)), cap + 0.5)
        return bounds, LIGHT.load
    known = report.grids[measure].dropna().astype(float)
    highest = float(known.max()) if len(known) and known.max() > 0 else 1.0
    return tuple(np.linspace(0, highest, _N_STEPS + 1)[1:-1]), LIGHT.load[:_N_STEPS]


@lru_cache(maxsize=_KEPT)
def _deck(report: WorkloadReport, measure: str, chosen: str | None, ground: MapGround) -> CachedDeck:
    bounds, colours = scale(report, measure)
    steps = measure_steps(report.grids[measure].astype(float), bounds=bounds)
    return load_deck(ground, steps=steps, colours=colours, chosen=chosen)


def draw_map(report: WorkloadReport, township: Township, measure: str, chosen: str | None, room: Room) -> None:
    """Draw the map; its JSON is made once for a report, a measure and a chosen grid."""
    height = room.tall(_MAP_PX)
    past = report.plan_on if report.is_past_plan else None
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height, grids_on=past)
    st.pydeck_chart(_deck(report, measure, chosen, ground), height=height, key="workload_map")


def plan_in_use(report: WorkloadReport) -> None:
    """Say by which plan a past span is counted, and let a person choose today's."""
    if report.is_past_plan or st.session_state.get(BY_TODAY):
        st.toggle(
            t("workload.by_todays_plan", plan=report.plan_name or "—"),
            key=BY_TODAY,
            help=t("workload.by_todays_plan_help"),
        )


def legend(report: WorkloadReport, measure: str) -> None:
    """Draw the legend of a measure."""
    bounds, colours = scale(report, measure)
    is_share = measure in _KINDS and _KINDS[measure] == "share"
    words = [f"{bound:.0%}" if is_share else f"{bound:.0f}" if bound >= 10 else f"{bound:.1f}" for bound in bounds]  # noqa: PLR2004  digits that matter
    keys = [("step", colours[0], t("workload.below", bound=words[0]))]
    for at, colour in enumerate(colours[1:], start=1):
        is_over = measure == "n_households" and at == OVER_CAP_STEP
        said = t("workload.over", bound=report.household_cap) if is_over else t("workload.from", bound=words[at - 1])
        keys.append(("step", colour, said))
    panels.legend(keys, title=t(f"workload.{measure}_unit"))


def grid_table(report: WorkloadReport, village: str | None, room: Room) -> str | None:
    """Draw the table per grid and return the code of the row that is chosen."""
    rows = _of_village(report, village)
    event = st.dataframe(
        _shown(rows, _GRID_COLUMNS),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config=_config(_GRID_COLUMNS, most_share=float(rows["cap_share"].max())),
        on_select=lambda: st.session_state.update({TOUCHED: "grids"}),
        selection_mode="single-row",
        key=f"workload_grids_{village}",
    )
    chosen = event.selection.rows
    return str(rows.index[chosen[0]]) if chosen and chosen[0] < len(rows) else None


def touched_last(in_grids: str | None, in_ranking: str | None) -> str | None:
    """Return the grid chosen in the table that was touched last; in the other, where that one has none."""
    is_grids = st.session_state.get(TOUCHED, "grids") == "grids"
    return (in_grids or in_ranking) if is_grids else (in_ranking or in_grids)


def cap_chart(report: WorkloadReport, village: str | None, room: Room) -> None:
    """Draw the households of every grid against the line of the cap, fullest first."""
    rows = _of_village(report, village).dropna(subset="n_households")
    if rows.empty:
        st.info(t("workload.no_households"))
        return
    words = (t("workload.within_cap"), t("workload.above_cap"), t("workload.cap_line", cap=report.household_cap))
    with st.container(height=room.tall(_TABLE_PX), border=False):
        st.echarts_chart(
            charts.cap_option(rows.set_index("name")["n_households"], cap=report.household_cap or 0, words=words),
            height=_CAP_HEAD_PX + _CAP_ROW_PX * len(rows),
            theme=None,
            renderer="svg",
            key=f"workload_cap_{village}",
        )


def village_table(report: WorkloadReport, room: Room) -> None:
    """Draw the table per village."""
    st.dataframe(
        _shown(report.villages, _VILLAGE_COLUMNS),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config=_config(_VILLAGE_COLUMNS, most_share=1.0),
        key="workload_villages",
    )


def downloads(report: WorkloadReport, fair: FairReport, township: Township, village: str | None) -> None:
    """Offer the table per grid as Excel and as CSV; the files are made when they are asked for."""
    compared, fair_columns = fair_view.exported(fair)
    rows = _of_village(report, village).join(compared)
    columns = [*export_columns(), *fair_columns]
    about = {
        t("controls.table"): f"{township.name} {t('shell.workload')}",
        t("controls.period"): f"{report.first_on} – {report.last_on}",
        t("controls.known_until"): f"{report.known_at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
        if report.known_at
        else UNKNOWN,
    }
    name = f"{township.name}-{t('shell.workload')}-{report.last_on}"

    def excel() -> bytes:
        return workbook(
            [Sheet(name=t("shell.workload"), rows=rows, columns=columns)], about_sheet=t("controls.about"), about=about
        )

    row = st.container(horizontal=True)
    row.download_button(t("controls.excel"), excel, f"{name}.xlsx", key="excel", on_click="ignore")
    row.download_button(
        t("controls.csv"), lambda: comma_separated(rows, columns), f"{name}.csv", key="csv", on_click="ignore"
    )


def export_columns() -> list[Column]:
    """Return the columns of the exported table, each with the words for how it is computed."""
    return [
        Column(
            name=name,
            header=t(f"workload.{name}"),
            kind="text" if name in _TEXTS else _KINDS.get(name, "count"),
            formula=t(f"workload.{name}_formula") if name not in _TEXTS else "",
        )
        for name in _GRID_COLUMNS
    ]


def _of_village(report: WorkloadReport, village: str | None) -> pd.DataFrame:
    rows = report.grids if village is None else report.grids[report.grids["village_code"] == village]
    return rows.sort_values("cap_share", ascending=False, kind="stable")


def _shown(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    shares = {name: panels.as_percent(rows[name]) for name in columns if _KINDS.get(name) == "share"}
    shown = pd.DataFrame(rows[list(columns)]).assign(**shares)
    return shown.where(shown.notna(), None)


def _config(columns: Sequence[str], *, most_share: float) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name in columns:
        label = t(f"workload.{name}")
        if name in _TEXTS:
            config[name] = st.column_config.TextColumn(label, pinned=name == columns[0])
            continue
        formula = t(f"workload.{name}_formula")
        if _KINDS.get(name) == "share":
            most = most_share if name == "cap_share" else 1.0
            config[name] = panels.percent_column(label, formula=formula, most=most)
        else:
            form = "%.1f" if _KINDS.get(name) == "decimal" else "%d"
            config[name] = st.column_config.NumberColumn(label, help=formula, format=form)
    return config
