"""What the coverage page draws: map, states, and the gaps worst first."""

from functools import lru_cache

import streamlit as st

from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import MapGround, coverage_deck
from gridmap.maps.palette import LIGHT
from gridmap.reports.coverage import STATES, CoverageReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import charts, panels
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

_COLOURS = {
    "visited": LIGHT.good,
    "waiting": LIGHT.wait,
    "missed": "#e08a63",
    "never": LIGHT.alarm,
    "unknown": LIGHT.unknown,
}
_MAP_PX, _TABLE_PX, _KEPT = 440, 345, 8


@lru_cache(maxsize=_KEPT)
def _deck(report: CoverageReport, ground: MapGround) -> CachedDeck:
    return coverage_deck(ground, households=report.households, checkpoints=report.checkpoints)


def draw_map(report: CoverageReport, township: Township, room: Room) -> None:
    """Draw the map; its JSON is made once for a report."""
    height = room.tall(_MAP_PX)
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height)
    st.pydeck_chart(_deck(report, ground), height=height, key="coverage_map")


def legend() -> None:
    """Draw the legend of homes and checkpoints."""
    panels.legend(
        [
            ("dot", LIGHT.unknown, t("coverage.home_covered", reach=f"{settings().cover_reach_m:.0f}")),
            ("dot big", LIGHT.alarm, t("coverage.home_uncovered")),
            *panels.checkpoint_keys([state for state in _COLOURS if state != "unknown"]),
        ],
        title="",
    )


def states(report: CoverageReport) -> None:
    """Draw how many checkpoints are in which state."""
    counted = report.checkpoints["state"].value_counts()
    order = [state for state in reversed(STATES) if counted.get(state, 0)]
    st.echarts_chart(
        charts.states_option([(t(f"coverage.state_{state}"), int(counted[state]), _COLOURS[state]) for state in order]),
        height=50,
        theme=None,
        renderer="svg",
        key="coverage_states",
    )


def checkpoint_table(report: CoverageReport, room: Room) -> None:
    """Draw the checkpoints, worst first."""
    rows = report.checkpoints
    shown = rows[["name", "village_name", "n_due", "n_made", "n_missing"]].assign(
        state=[t(f"coverage.mark_{state}") for state in rows["state"]],
        duty=[t(f"controls.duty_{duty}") for duty in rows["duty"]],
        last_visit_at=rows["last_visit_at"].dt.tz_convert(settings().zone).dt.strftime("%m-%d %H:%M").fillna(UNKNOWN),
    )
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    st.dataframe(
        shown[["state", "name", "village_name", "duty", "n_due", "n_made", "n_missing", "last_visit_at"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "state": text(t("coverage.state"), pinned=True),
            "name": text(t("coverage.checkpoint")),
            "village_name": text(t("controls.village")),
            "duty": text(t("controls.duty")),
            "n_due": number(t("coverage.n_due"), help=numbers.formula("coverage.formula_due")),
            "n_made": number(t("coverage.n_made"), help=numbers.formula("coverage.formula_visit")),
            "n_missing": number(t("coverage.n_missing")),
            "last_visit_at": text(t("coverage.last_visit")),
        },
        key="coverage_checkpoints",
    )


def grid_table(report: CoverageReport, room: Room) -> None:
    """Draw the grids by households without a checkpoint near, most first."""
    rows = report.grids.assign(covered_share=panels.as_percent(report.grids["covered_share"]))
    number = st.column_config.NumberColumn
    st.dataframe(
        rows[["name", "village_name", "n_uncovered", "n_residents_uncovered", "n_households", "covered_share"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "name": st.column_config.TextColumn(t("coverage.grid"), pinned=True),
            "village_name": st.column_config.TextColumn(t("controls.village")),
            "n_uncovered": number(t("coverage.n_uncovered")),
            "n_residents_uncovered": number(t("coverage.n_residents")),
            "n_households": number(t("coverage.n_households")),
            "covered_share": panels.percent_column(t("coverage.covered"), formula=numbers.formula("coverage.formula_covered")),
        },
        key="coverage_grids",
    )


def village_table(report: CoverageReport, room: Room) -> None:
    """Draw the villages by households beyond 15 minutes, most first."""
    rows = report.villages.assign(reached_share=panels.as_percent(report.villages["reached_share"]))
    number = st.column_config.NumberColumn
    st.dataframe(
        rows[["village_name", "n_outside", "n_households", "reached_share", "median_walk_m"]],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "village_name": st.column_config.TextColumn(t("controls.village"), pinned=True),
            "n_outside": number(t("coverage.outside")),
            "n_households": number(t("coverage.n_households")),
            "reached_share": panels.percent_column(t("coverage.reached"), formula=numbers.formula("coverage.formula_reached")),
            "median_walk_m": number(t("coverage.median_walk"), format="%d m"),
        },
        key="coverage_villages",
    )
