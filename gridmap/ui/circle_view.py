"""What the page of the 15-minute circle draws: the map, one more point tried by a click, n points suggested, the gaps."""

import time

import pandas as pd
import streamlit as st
from streamlit_folium import st_folium

from gridmap.errors import GridmapError
from gridmap.maps.circle_map import AREA, OUTSIDE, REACHED, UNMATCHED, WON, CircleShapes, circle_layer
from gridmap.maps.leaflet import still_map
from gridmap.reports.base_map import map_layer
from gridmap.reports.circle import CircleReport
from gridmap.reports.circle_points import Suggestion, Tried, fewest_points, suggest_points, try_point
from gridmap.reports.figures import formula_words
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import charts, loaders, numbers, panels
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

MINUTES = (10, 15, 20, 30)
GOALS = ("service", "any")
_MAP_PX, _TABLE_PX, _CURVE_PX = 470, 320, 170
_LAYERS = ("water", "paths", "labels")
_HEARD, _TRIED, _FOUND = "circle_heard", "circle_tried", "circle_found"
_MOST_POINTS, _SECONDS = 10, 10
_EDGE = 0.04
TABS = ("gaps", "suggest", "problems", "files")


def minutes() -> int:
    """Let a person choose how long the way may take."""
    usual = settings().service_minutes
    return st.selectbox(
        t("circle.minutes"),
        sorted({*MINUTES, usual}),
        index=sorted({*MINUTES, usual}).index(usual),
        format_func=lambda n: t("circle.n_minutes", n=n),
        key="circle_minutes",
    )


def goal() -> str:
    """Let a person choose what is to be reached: a service point, or any checkpoint."""
    chosen: str = st.selectbox(
        t("circle.goal"), GOALS, format_func=lambda name: t(f"circle.goal_{name}"), key="circle_goal"
    )
    return chosen


def _map_key(village: str | None, room: Room) -> str:
    """Return the map's key: a map of another place or size is another one, fitted anew."""
    return f"circle_map_{village}_{room.tall(_MAP_PX)}"


def hear(report: CircleReport, village: str | None, room: Room) -> None:
    """Turn a click on the map into a point that is tried, once."""
    told = (st.session_state.get(_map_key(village, room)) or {}).get("last_clicked")
    if told is None or told == st.session_state.get(_HEARD):
        return
    st.session_state[_HEARD] = told
    st.session_state[_TRIED] = (report.key, try_point(report, longitude=told["lng"], latitude=told["lat"]))
    st.session_state.pop(_FOUND, None)


def tried(report: CircleReport) -> Tried | None:
    """Return the point that is tried on this report; one that was tried on another is forgotten."""
    key, found = st.session_state.get(_TRIED, (None, None))
    return found if key == report.key else None


def suggested(report: CircleReport) -> tuple[str, Suggestion | None]:
    """Return what was said and suggested for this report."""
    key, found = st.session_state.get(_FOUND, (None, ("", None)))
    return found if key == report.key else ("", None)


def legend(report: CircleReport) -> None:
    """Draw what the colours of the map mean."""
    panels.legend(
        [
            ("step", REACHED, t("circle.legend_area", n=report.minutes)),
            ("dot big", AREA, t("circle.legend_point")),
            ("dot big", OUTSIDE, t("circle.legend_outside")),
            ("dot ring", UNMATCHED, t("circle.legend_unmatched")),
            ("dot big", WON, t("circle.legend_won")),
        ],
        title="",
    )


def draw_map(report: CircleReport, township: Township, village: str | None, room: Room) -> None:
    """Draw the map of the township or a village; what a click changes is one group of it, so it is never drawn anew."""
    one, (_, found) = tried(report), suggested(report)
    won = one.won if one is not None else found.won if found is not None else report.households.index[:0]
    places = [one.place] if one is not None else list(found.places) if found is not None else []
    homes = report.households
    outside = homes[homes["status"].isin(["beyond", "unreachable"]) & ~homes.index.isin(won)]
    st_folium(
        still_map(bounds=_bounds(report, township, village), urls=_urls()),
        key=_map_key(village, room),
        height=room.tall(_MAP_PX),
        use_container_width=True,
        feature_group_to_add=circle_layer(
            CircleShapes(
                areas=report.area,
                outside=outside.geometry,
                unmatched=homes[homes["status"] == "unmatched"].geometry,
                won=homes.loc[won].geometry,
                points=report.points.geometry,
                tried=places,
                villages=report.villages_land,
            )
        ),
        returned_objects=["last_clicked"],
    )


def _bounds(report: CircleReport, township: Township, village: str | None) -> tuple[float, float, float, float]:
    if village is None:
        return township.bounds
    west, south, east, north = report.villages_land[village].bounds
    x, y = (east - west) * _EDGE, (north - south) * _EDGE
    return west - x, south - y, east + x, north + y


def _urls() -> dict[str, str]:
    layers = [loaders.load(map_layer, layer=name) for name in _LAYERS]
    return {one.name: one.url for one in layers if one.n_features}


def tried_words(report: CircleReport) -> None:
    """Say what the clicked point would win, or how to try one."""
    one = tried(report)
    with st.container(key="circle_said", horizontal=True, vertical_alignment="center"):
        if one is None:
            st.markdown(t("circle.click_to_try"))
            return
        if not one.is_matched:
            st.markdown(t("circle.no_path_near", limit=f"{settings().path_attach_m:.0f}"))
        else:
            st.markdown(
                t(
                    "circle.would_win",
                    households=numbers.number(len(one.won)),
                    residents=numbers.number(one.n_residents),
                    left=numbers.number((report.figures.n_outside.value or 0) - len(one.won)),
                )
            )
        st.button(t("circle.forget"), key="circle_forget", on_click=_forget, type="tertiary")


def _forget() -> None:
    st.session_state.pop(_TRIED, None)
    st.session_state.pop(_FOUND, None)


def gaps(report: CircleReport, village: str | None, room: Room) -> None:
    """Draw the grids by households outside, most first."""
    rows = report.grids if village is None else report.grids[report.grids["village_code"] == village]
    shown = rows.assign(reached_share=panels.as_percent(rows["reached_share"]))
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    st.dataframe(
        shown[
            [
                "name",
                "n_outside",
                "n_residents_outside",
                "missing_m",
                "n_unmatched",
                "n_households",
                "reached_share",
            ]
        ],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "name": text(t("circle.grid"), pinned=True),
            "n_outside": number(t("circle.n_outside"), help=formula_words("circle.formula_outside")),
            "n_residents_outside": number(t("circle.n_residents_outside")),
            "missing_m": number(t("circle.missing_m"), help=formula_words("circle.formula_missing"), format="%d"),
            "n_unmatched": number(t("circle.n_unmatched"), help=formula_words("circle.formula_unmatched")),
            "n_households": number(t("circle.n_households")),
            "reached_share": panels.percent_column(
                t("circle.reached"), formula=formula_words("circle.formula_reached")
            ),
        },
        key="circle_grids",
    )


def suggestion(report: CircleReport) -> None:
    """Let a person ask where n more points help most, and show the proof and what the next one buys."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_points = st.number_input(
            t("circle.n_points"), min_value=1, max_value=_MOST_POINTS, value=3, step=1, key="circle_n", width=150
        )
        if st.button(t("circle.suggest"), key="circle_suggest", type="primary"):
            _suggest(report, int(n_points), said="")
        percent = st.number_input(
            t("circle.wanted_share"), min_value=1, max_value=100, value=95, step=1, key="circle_share", width=150
        )
        if st.button(t("circle.fewest"), key="circle_fewest"):
            _suggest_for_share(report, percent / 100)
    said, found = suggested(report)
    if found is None:
        st.caption(said or t("circle.suggest_help"))
        return
    st.markdown(f"{said} {_proof(report, found)}")
    st.echarts_chart(
        charts.curve_option(
            [(step.n_sites, step.covered, step.bound) for step in found.siting.curve],
            words=(t("circle.curve_covered"), t("circle.curve_bound"), t("circle.curve_now")),
        ),
        height=_CURVE_PX,
        theme=None,
        renderer="svg",
        key="circle_curve",
    )
    _places(found)


def _suggest_for_share(report: CircleReport, share: float) -> None:
    """Find how few points reach the share, and the best places for so many."""
    end = time.monotonic() + _SECONDS
    with st.spinner(t("circle.thinking")):
        try:
            fewest = fewest_points(report, share=share, seconds_left=lambda: end - time.monotonic())
        except GridmapError as error:
            st.error(str(error))
            return
    words = {"share": f"{share:.0%}", "n": len(fewest.sites), "bound": fewest.bound}
    most = numbers.percent(fewest.covered / fewest.total if fewest.total else None)
    if not fewest.is_possible or not len(fewest.sites):
        key = "circle.share_reached" if fewest.is_possible else "circle.share_impossible"
        st.session_state[_FOUND] = (report.key, (t(key, most=most, **words), None))
        st.rerun()
    said = t("circle.fewest_proven" if fewest.is_optimal else "circle.fewest_bounded", **words)
    _suggest(report, len(fewest.sites), said=said)


def _suggest(report: CircleReport, n_points: int, *, said: str) -> None:
    end = time.monotonic() + _SECONDS
    with st.spinner(t("circle.thinking")):
        try:
            found = suggest_points(report, n_points=n_points, seconds_left=lambda: end - time.monotonic())
        except GridmapError as error:
            st.error(str(error))
            return
    st.session_state[_FOUND] = (report.key, (said, found))
    st.session_state.pop(_TRIED, None)
    st.rerun()


def _proof(report: CircleReport, found: Suggestion) -> str:
    n_known = report.n_known
    said = t(
        "circle.suggested",
        n=len(found.places),
        households=numbers.number(found.n_won),
        residents=numbers.number(found.n_residents),
        share=numbers.percent(found.siting.covered / n_known if n_known else None),
    )
    proof = (
        t("circle.proven")
        if found.siting.is_optimal
        else t("circle.bounded", bound=numbers.number(found.siting.bound), gap=f"{found.siting.gap:.2%}")
    )
    return f"{said} {proof}"


def _places(found: Suggestion) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        found.table,
        hide_index=True,
        height="content",
        column_config={
            "number": number(t("circle.number"), width=40),
            "place": t("circle.place"),
            "gain": number(t("circle.gain"), help=formula_words("circle.formula_gain")),
            "covered": number(t("circle.covered")),
        },
        key="circle_places",
    )


def problems(report: CircleReport, room: Room) -> None:
    """Draw what was odd about the paths."""
    found = report.problems
    if found.empty:
        st.success(t("circle.no_problems"))
        return
    shown = pd.DataFrame(
        {
            "problem": [t(f"circle.problem_{kind}") for kind in found["kind"]],
            "path": found["path"].astype(str),
            "value": found["value_m"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config={
            "problem": t("circle.problem"),
            "path": t("circle.problem_path"),
            "value": st.column_config.NumberColumn(t("circle.problem_value"), format="%.1f"),
        },
        key="circle_problems",
    )
