"""What the coverage page draws: the map of checkpoints by verdict, their states, the calendar."""

from functools import lru_cache

import pandas as pd
import streamlit as st

from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import MapGround, coverage_deck
from gridmap.maps.palette import LIGHT
from gridmap.reports.coverage import STATES, CoverageReport
from gridmap.reports.patrolled import PatrolledReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import charts, panels
from gridmap.ui.room import Room

TABS = ("points", "sums", "calendar", "long", "doors", "homes", "files")
_COLOURS = {
    "visited": LIGHT.good,
    "waiting": LIGHT.wait,
    "missed": "#e08a63",
    "never": LIGHT.alarm,
    "unknown": LIGHT.unknown,
}
_MAP_PX, _TABLE_PX, _KEPT = 440, 345, 8
_CALENDAR_ROW_PX, _CALENDAR_EDGE_PX = 19, 64


@lru_cache(maxsize=_KEPT)
def _deck(report: CoverageReport, passed: PatrolledReport, ground: MapGround) -> CachedDeck:
    return coverage_deck(
        ground, households=report.households, checkpoints=report.checkpoints, lanes=passed.lanes.geometry
    )


def draw_map(report: CoverageReport, passed: PatrolledReport, township: Township, room: Room) -> None:
    """Draw the map; its JSON is made once for a report."""
    height = room.tall(_MAP_PX)
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height)
    st.pydeck_chart(_deck(report, passed, ground), height=height, key="coverage_map")


def legend(passed: PatrolledReport) -> None:
    """Draw the legend of homes, lanes and checkpoints."""
    panels.legend(
        [
            ("dot", LIGHT.unknown, t("coverage.home_covered", reach=f"{settings().cover_reach_m:.0f}")),
            ("dot big", LIGHT.alarm, t("coverage.home_uncovered")),
            ("line", LIGHT.wait, t("coverage.lane_long", days=passed.long_days)),
            *panels.checkpoint_keys(list(_COLOURS)),
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


def calendar(report: CoverageReport, village: str | None, room: Room) -> None:
    """Draw made of due by grid (of a village: by checkpoint) and day or week; grey where nobody can tell."""
    visits = report.visits
    if village is None:
        cells, names = visits.grid_calendar, visits.by_grid["name"]
    else:
        cells, names = visits.checkpoint_calendar, report.checkpoints["name"]
    if cells.empty:
        st.info(t("coverage.no_calendar"))
        return
    rows = [str(area) for area in dict.fromkeys(cells["area"])]
    st.caption(t(f"coverage.calendar_per_{visits.calendar_per}"))
    with st.container(height=room.tall(_TABLE_PX), border=False):
        st.echarts_chart(
            charts.calendar_option(
                cells,
                names={str(code): str(name) for code, name in names.items()},
                words=(
                    t("coverage.n_made"),
                    t("coverage.n_due"),
                    t("coverage.n_cannot_tell"),
                    t("coverage.mark_unknown"),
                ),
            ),
            height=len(rows) * _CALENDAR_ROW_PX + _CALENDAR_EDGE_PX,
            theme=None,
            renderer="svg",
            key=f"coverage_calendar_{village}",
        )


def excluded_words(report: CoverageReport) -> str:
    """Return how many check-ins count nowhere, and why; nothing where there are none."""
    counts: pd.Series = report.visits.excluded[report.visits.excluded > 0]
    if counts.empty:
        return ""
    parts = [f"{t(f'coverage.excluded_{reason}')} {int(number)}" for reason, number in counts.items()]
    return t("coverage.excluded", parts=" · ".join(parts))
