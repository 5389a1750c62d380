"""The live wall: one screen that refreshes itself, piece by piece, without a flicker."""

import logging
from datetime import UTC, datetime
from functools import lru_cache

import streamlit as st

from gridmap.errors import StoreUnavailable
from gridmap.maps.deck import CachedDeck, View, fit
from gridmap.maps.wall import wall_deck
from gridmap.reports.base_map import map_layer
from gridmap.reports.circle import circle_report
from gridmap.reports.live import (
    IncidentsReport,
    PatrolReport,
    incidents_report,
    patrol_report,
)
from gridmap.reports.patrolled import PatrolledReport, patrolled_report
from gridmap.reports.township import township_report
from gridmap.settings import settings
from gridmap.texts import language, t
from gridmap.ui import loaders, numbers, shell, theme, viewport, wall_charts, wall_markup
from gridmap.ui.versions import watch

_LAYERS = ("areas", "grids", "paths", "water")
_PULSE_S = 60
_PADDING_PX = 26
_KEPT = 16
_log = logging.getLogger("gridmap")


def draw() -> None:
    """Draw the wall and keep it fresh."""
    theme.use_wall_style()
    st.fragment(_wall, run_every=settings().wall_refresh_s)()


def _wall() -> None:
    """Draw the wall once; the edge of its fragment, where nothing may end the refreshing."""
    shell.speak_session_language()
    try:
        _screen()
    except StoreUnavailable:
        shell.store_unavailable()
    except Exception:  # noqa: BLE001  whatever broke is logged, and the next run may draw again
        _log.exception("the wall could not be drawn")
        shell.not_drawn()


def _screen() -> None:
    look = watch().current()
    if loaders.township() is None:
        shell.no_data()
    township = loaders.load_or_last(township_report)
    incidents = loaders.load_or_last(incidents_report)
    patrol = loaders.load_or_last(patrol_report)
    circle = loaders.load_or_last(circle_report, minutes=settings().service_minutes, goal="service")
    passed = loaders.load_or_last(patrolled_report)
    kept = (township, incidents, patrol, circle, passed)
    now, spoken = datetime.now(UTC), language()
    checked_at = min([look.checked_at, *(one.read_at for one in kept if not one.is_fresh)])
    newest = wall_markup.newest_event(incidents.report, now=now, seconds=_PULSE_S)
    town = township.report
    with st.container(key="wall"):
        screen = viewport.head(
            {
                "title": t("live.title", township=town.name),
                "counts": t(
                    "live.counts",
                    grids=numbers.figure(town.n_grids),
                    households=numbers.figure(town.n_households),
                    residents=numbers.figure(town.n_residents),
                ),
                "newest": t("live.newest", at=numbers.day_and_clock(incidents.report.known_at, now=now)),
                "checked_at": checked_at.timestamp() * 1000,
                "server_now": now.timestamp() * 1000,
                "words": {unit: t(f"live.age_{unit}", n="{n}") for unit in ("seconds", "minutes", "hours")},
                "language": {"zh": "zh-CN"}.get(spoken, spoken),
                "zone": str(settings().zone),
            }
        )
        view = _view(town.bounds, screen)
        with st.container(key="wall_left"):
            st.html(
                wall_markup.left_panels(incidents.report, patrol.report, circle.report.figures, passed.report, spoken)
            )
            _chart("disputes", wall_charts.disputes_option(incidents.report, screen.scale, spoken))
        with st.container(key="wall_map"):
            st.pydeck_chart(
                _deck(patrol.report, incidents.report, passed.report, _urls(), view, screen.map_scale), key="wall_deck"
            )
            pulse_at = newest.point if newest else None
            st.html(wall_markup.over_map(town, view, screen.scale, pulse_at, spoken))
        with st.container(key="wall_right"):
            newest_code = newest.incident_code if newest else None
            today = now.astimezone(settings().zone).date()
            st.html(wall_markup.right_panels(incidents.report, town, newest_code, today, spoken))
            _chart("calendar", wall_charts.calendar_option(patrol.report, screen.scale, spoken))


def _chart(name: str, option: dict[str, object]) -> None:
    st.echarts_chart(option, key=f"wall_{name}_chart", renderer="svg", theme=None, height="stretch")


def _view(bounds: tuple[float, float, float, float], screen: viewport.Viewport) -> View:
    """Return the view that fits the township above the legend; the legend's room is made by looking further south."""
    fitted = fit(
        bounds,
        width_px=screen.map_width_px,
        height_px=screen.map_height_px - screen.legend_px,
        padding_px=min(_PADDING_PX * screen.scale, screen.map_width_px / 10, screen.map_height_px / 10),
    )
    return fitted.moved(down_px=screen.legend_px / 2)


def _urls() -> tuple[tuple[str, str], ...]:
    layers = [loaders.load_or_last(map_layer, layer=name).report for name in _LAYERS]
    return tuple((layer.name, layer.url) for layer in layers if layer.n_features)


@lru_cache(maxsize=_KEPT)
def _deck(  # noqa: PLR0917  the cache counts names and places as different
    patrol: PatrolReport,
    incidents: IncidentsReport,
    passed: PatrolledReport,
    urls: tuple[tuple[str, str], ...],
    view: View,
    scale: float,
) -> CachedDeck:
    marks = [(mark.state, mark.longitude, mark.latitude) for mark in (*patrol.checkpoints, *incidents.marks)]
    return wall_deck(
        dict(urls),
        marks,
        lanes=passed.longest_lanes,
        view=view,
        scale=scale,
        near_cap_share=settings().near_cap_share,
    )
