"""The planning page's map: units by grid, counts before saving, what is chosen, locked, and wrong."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from streamlit_folium import st_folium

from gridmap.codes import VILLAGE_DIGITS
from gridmap.crs import STORED_CRS
from gridmap.maps.plan_map import NEAR, OVER, TINTS, PlanShapes, base_map, plan_layer
from gridmap.planning.draft import Draft
from gridmap.reports.base_map import map_layer
from gridmap.reports.desk import Desk
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders

_LAYERS = ("water", "paths")
_WORDS = (
    "cut",
    "lasso",
    "box",
    "cancel",
    "finish",
    "undo",
    "start",
    "go_on",
    "end",
    "close",
    "drag",
    "release",
    "crossed",
)
_CLOSE = 15
_TOLD = ("last_clicked", "last_active_drawing")
_EDGE = 0.04

Bounds = tuple[float, float, float, float]


def _base(bounds: Bounds, *, can_draw: bool) -> Any:
    """Return the base map, made anew each time: the component changes what it is given, but draws the same script once."""
    layers = [loaders.load(map_layer, layer=name) for name in _LAYERS]
    urls = {one.name: one.url for one in layers if one.n_features}
    words = {name: t(f"planning.draw_{name}") for name in _WORDS}
    return base_map(bounds=bounds, urls=urls, words=words, can_draw=can_draw)


def map_key(desk: Desk, village: str | None) -> str:
    """Return under which key the map tells what was done on it."""
    return f"plan_map_{desk.board.plan_id}_{village}"


def draw(
    desk: Desk, *, village: str | None, height_px: int, turn: int, look_at: tuple[float, float] | None = None
) -> None:
    """Draw the desk; `look_at` is a place in metres to zoom to and to ring, `turn` counts what was drawn by hand."""
    marked = _degrees(desk, [look_at] if look_at else [])
    st_folium(
        _base(_bounds(desk, village), can_draw=desk.board.state == "draft"),
        key=map_key(desk, village),
        height=height_px,
        use_container_width=True,
        feature_group_to_add=plan_layer(shapes(desk, desk.draft, village=village, marked=marked, turn=turn)),
        returned_objects=list(_TOLD),
        center=marked[0] if marked else None,
        zoom=_CLOSE if marked else None,
    )


def draw_still(desk: Desk, draft: Draft, *, village: str | None, height_px: int, key: str, chosen: set[str]) -> None:
    """Draw a plan that is only looked at; `chosen` are the units to be seen first."""
    drawn = shapes(desk, draft, village=village, chosen=chosen)
    st_folium(
        _base(_bounds(desk, village), can_draw=False),
        key=key,
        height=height_px,
        use_container_width=True,
        feature_group_to_add=plan_layer(drawn),
        returned_objects=[],
    )


def shapes(
    desk: Desk,
    draft: Draft,
    *,
    village: str | None,
    chosen: set[str] | None = None,
    marked: Sequence[tuple[float, float]] = (),
    turn: int = 0,
) -> PlanShapes:
    """Return what is drawn of a draft."""
    plan = {str(unit): grid for unit, grid in draft.plan.items() if village is None or str(unit).startswith(village)}
    frame = gpd.GeoDataFrame(
        {"grid": [None if grid is None else str(grid) for grid in plan.values()]},
        index=list(plan),
        geometry=[draft.shape(unit) for unit in plan],
        crs=desk.board.township.metric_epsg,
    ).to_crs(STORED_CRS)
    tints = _tints(desk, draft, plan)
    marks = desk.chosen if chosen is None else chosen
    units = frame.assign(
        tint=[tints.get(grid, "#ffffff") for grid in frame["grid"]], is_chosen=[unit in marks for unit in frame.index]
    ).drop(columns="grid")
    borders = frame.dropna(subset=["grid"]).dissolve("grid")
    states = {code: draft.state(code) for code in borders.index}
    grids = borders[["geometry"]].assign(
        label=[label(code, int(states[code].weight), is_locked=code in desk.locked) for code in borders.index],
        is_locked=[code in desk.locked for code in borders.index],
        is_marked=[
            state.weight > desk.board.household_cap or state.n_parts > 1 or state.n_areas > 1
            for state in states.values()
        ],
    )
    return PlanShapes(units=units, grids=grids, marked=marked, turn=turn)


def label(code: str, n_households: int, *, is_locked: bool) -> str:
    """Return the short mark of a grid: its number and its households.

    Examples
    --------
    >>> label("439901101201003", 96, is_locked=False)
    '3 · 96'
    """
    text = f"{int(code[VILLAGE_DIGITS:])} · {n_households}"
    return f"{text} {t('planning.locked_mark')}" if is_locked else text


def _tints(desk: Desk, draft: Draft, plan: dict[str, Any]) -> dict[str | None, str]:
    """Return a colour for each grid: of its state, else one that its neighbours do not have."""
    cap, near = desk.board.household_cap, settings().near_cap_share
    beside: dict[str, set[str]] = {}
    for unit, grid in plan.items():
        if grid is not None:
            others = {str(draft.plan_of(other)) for other in draft.neighbours(unit)}
            beside.setdefault(str(grid), set()).update(others - {str(grid)})
    tint_of: dict[str | None, str] = {}
    for grid in sorted(beside):
        taken = {tint_of[other] for other in beside[grid] if other in tint_of}
        tint_of[grid] = next((tint for tint in TINTS if tint not in taken), TINTS[0])
    for grid in sorted(beside):
        weight = draft.state(grid).weight
        if weight > cap:
            tint_of[grid] = OVER
        elif weight >= near * cap:
            tint_of[grid] = NEAR
    return tint_of


def _bounds(desk: Desk, village: str | None) -> Bounds:
    if village is None:
        return desk.board.township.bounds
    units = desk.board.units
    held = units.shapes[units.areas == units.area_names.index(village)]
    west, south, east, north = (float(edge) for edge in held.to_crs(STORED_CRS).total_bounds)
    x, y = (east - west) * _EDGE, (north - south) * _EDGE
    return west - x, south - y, east + x, north + y


def _degrees(desk: Desk, places: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    if not places:
        return ()
    points = gpd.GeoSeries(shapely.points(list(places)), crs=desk.board.township.metric_epsg).to_crs(STORED_CRS)
    return tuple((float(point.y), float(point.x)) for point in points)


def grid_table(desk: Desk, village: str | None) -> pd.DataFrame:
    """Return the grids as they stand beside how they were opened: `name`, `before`, `now`, `n_units`, `state`."""
    before = desk.difference(desk.board.draft()).grids
    rows = []
    for grid in sorted(str(grid) for grid in desk.draft.grids):
        if village is not None and not grid.startswith(village):
            continue
        state = desk.draft.state(grid)
        rows.append(
            {
                "grid_code": grid,
                "before": int(before["before"].get(grid, 0)),
                "now": int(state.weight),
                "n_units": state.n_units,
                "state": _state(desk, grid),
            }
        )
    return pd.DataFrame(rows, columns=["grid_code", "before", "now", "n_units", "state"]).set_index("grid_code")


def _state(desk: Desk, grid: str) -> str:
    state, cap = desk.draft.state(grid), desk.board.household_cap
    if not state.n_units:
        return "empty"
    if state.n_areas > 1:
        return "crosses"
    if state.n_parts > 1:
        return "apart"
    if state.weight > cap:
        return "over"
    return "near" if state.weight >= settings().near_cap_share * cap else "fine"
