"""What stands behind the figures of a point of the review: its map, its tables, and the rows."""

import html
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gridmap.exports.review_paper import told_columns, wide_signs
from gridmap.exports.review_pictures import grid_picture
from gridmap.maps.deck import CachedDeck
from gridmap.maps.hatch import Line, hatch_lines, label_places, layer_shapes
from gridmap.maps.office import MapGround, load_deck
from gridmap.reports.base_map import MapLayer, map_layer
from gridmap.reports.review.shape import ReviewMap, ReviewReport, ReviewTable, Section
from gridmap.reports.review.words import CHANCES, cell_words, column_title, formula_of
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, numbers, panels
from gridmap.ui.review_agenda import AGENDA, CONTENT, is_presenting, scale
from gridmap.ui.room import Room
from gridmap.ui.theme import Markup

_CONTENT_SHARE = CONTENT / (AGENDA + CONTENT)
_MAP_PX, _TABLE_PX, _ROW_PX, _KEPT = 400, 400, 35, 32
_PRESENTED_PX, _LEAST_PX = 175, 320
_MARGINS_PX, _GAP_PX = 56, 16
_SIGN_PX, _PAD_PX = 7.5, 18
_HATCH_PX, _DEGREE_M = 7, 111_320.0
_ROOM_FOR_LABELS_PX = 480


def beside_map(section: Section) -> tuple[DeltaGenerator, DeltaGenerator | None]:
    """Return the places of a point's figures and of its map: side by side on a projector, where nobody scrolls."""
    if is_presenting() and _maps(section):
        left, right = st.columns(2)
        return left, right
    return st.container(), None


def body(section: Section, report: ReviewReport, township: Township, room: Room, place: DeltaGenerator | None) -> None:
    """Draw a point's map and tables: the map in its place beside the figures, or beside the tables.

    What is drawn first here stands where the page has come to: under the figures.
    """
    maps = _maps(section)
    if place is not None:
        _tables(section, report, room)
        with place:
            _map(maps, section, report, township, room)
    elif maps:
        left, right = st.columns(2)
        with left:
            _map(maps, section, report, township, room)
        with right:
            _tables(section, report, room)
    else:
        _tables(section, report, room)


def _maps(section: Section) -> list[ReviewMap]:
    return [one for one in section.maps if len(one.grids)]


def _choice(label: str, titles: dict[str, str], key: str) -> str:
    """Let a person choose one of several; one alone is only named."""
    if len(titles) == 1:
        st.html(Markup(f'<p class="review-what">{html.escape(next(iter(titles.values())))}</p>'))
        return next(iter(titles))
    chosen: str = st.selectbox(
        label, list(titles), format_func=titles.__getitem__, key=key, label_visibility="collapsed"
    )
    return chosen


def _tables(section: Section, report: ReviewReport, room: Room) -> None:
    if not section.tables:
        return
    filled = {one.key: one for one in sorted(section.tables, key=lambda one: one.is_behind) if len(one.rows)}
    if not filled:
        st.info(t("meeting.no_rows"))
        return
    titles = {key: t(one.title_key) for key, one in filled.items()}
    titles |= {key: t("meeting.rows", table=titles[key]) for key, one in filled.items() if one.is_behind}
    chosen = _choice(t("meeting.table"), titles, f"review_table_{section.key}")
    shown, config = _told(filled[chosen], report, larger=scale(room))
    row_px = round(_ROW_PX * scale(room))
    st.dataframe(
        shown,
        column_config=config,
        hide_index=True,
        height=min(room.tall(_TABLE_PX), row_px * (len(shown) + 1) + 3),
        row_height=row_px,
        placeholder=numbers.UNKNOWN,
        # A grid measures its letters once, when it is made.
        key=f"review_rows_{chosen}_{row_px}",
    )


def _told(table: ReviewTable, report: ReviewReport, *, larger: float) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a table as it is read, with what its columns are called and how they are computed."""
    told: dict[str, pd.Series[Any]] = {}
    config: dict[str, Any] = {}
    is_named = False
    for one in told_columns(table):
        formula = None if one.formula_key is None else formula_of(one.formula_key, report.settings)
        values = table.rows[one.key]
        if one.kind in ("count", "decimal", "share"):
            factor = 100.0 if one.kind == "share" else 1.0
            told[one.key] = pd.to_numeric(values, errors="coerce").astype(float) * factor
            form = "%.3f" if one.key in CHANCES else {"count": "%d", "decimal": "%.2f", "share": "%.1f%%"}[one.kind]
            config[one.key] = st.column_config.NumberColumn(column_title(one), help=formula, format=form)
        else:
            told[one.key] = pd.Series([cell_words(one, value) for value in values], index=values.index, dtype=object)
            is_name = one.kind == "text" and not is_named
            is_named = is_named or is_name
            width = None
            if one.kind == "word":
                # What a grid measures itself is too narrow for words that the projector makes larger.
                widest = max(wide_signs(said) for said in (column_title(one), *told[one.key]))
                width = round((widest * _SIGN_PX + _PAD_PX) * larger)
            config[one.key] = st.column_config.TextColumn(column_title(one), help=formula, pinned=is_name, width=width)
    return pd.DataFrame(told), config


def _map(maps: Sequence[ReviewMap], section: Section, report: ReviewReport, township: Township, room: Room) -> None:
    by_key = {one.key: one for one in maps}
    key = _choice(
        t("meeting.map"), {name: t(one.title_key) for name, one in by_key.items()}, f"review_map_{section.key}"
    )
    width, height = _map_size(room)
    on = None if report.month.last_on >= loaders.today() else report.month.last_on
    larger = scale(room)
    ground = panels.map_ground(township, width_px=width, height_px=height, grids_on=on, scale=larger)
    drawn = loaders.load(map_layer, layer="grids") if on is None else loaders.load(map_layer, layer="grids", on=on)
    shapes = _land(drawn)
    # The classes and colours of the picture in the pack: the meeting sees on the screen what it takes home.
    shown = grid_picture(by_key[key], report, codes=list(shapes))
    is_told = min(width, height) >= _ROOM_FOR_LABELS_PX
    legend = [
        ("step hatched" if step.is_hatched else "step", step.colour, f"{step.mark if is_told else ''}{step.label}")
        for step in shown.steps
    ]
    panels.legend(legend, title=shown.legend_title)
    unknown = tuple(code for code in shapes if shown.steps[shown.step_of[code]].is_hatched)
    places = _places(drawn, tuple((x, y) for _, x, y in ground.names)) if is_told else {}
    labels = [
        (f"{shown.steps[shown.step_of[code]].mark}{shown.labels.get(code, '')}".strip(), *places[code])
        for code in places
    ]
    deck = _deck(
        "".join(str(shown.step_of[code]) for code in shapes),
        tuple(step.colour for step in shown.steps),
        ground,
        _hatch(drawn, unknown, round(ground.view.metres_per_px() * _HATCH_PX * larger, 1)),
        tuple(one for one in labels if one[0]),
    )
    st.pydeck_chart(deck, height=height, key=f"review_deck_{key}")


def _map_size(room: Room) -> tuple[float, int]:
    if not is_presenting():
        share = 1.0 if room.is_stacked else _CONTENT_SHARE
        return room.half_px * share, room.tall(_MAP_PX) - 40
    larger = scale(room)
    content = (room.width_px - _MARGINS_PX * larger) * (1.0 if room.is_stacked else _CONTENT_SHARE)
    width = content if room.is_stacked else (content - _GAP_PX * larger) / 2
    return width, max(round(room.height_px - _PRESENTED_PX * larger), _LEAST_PX)


@lru_cache(maxsize=_KEPT)
def _land(drawn: MapLayer) -> dict[str, Any]:
    """Return the grids as the browser is given them."""
    return layer_shapes(drawn.raw())


@lru_cache(maxsize=_KEPT)
def _places(drawn: MapLayer, taken: tuple[tuple[float, float], ...]) -> dict[str, tuple[float, float]]:
    return label_places(_land(drawn), taken=taken)


@lru_cache(maxsize=_KEPT)
def _hatch(drawn: MapLayer, unknown: tuple[str, ...], apart_m: float) -> tuple[Line, ...]:
    shapes = _land(drawn)
    return hatch_lines([shapes[code] for code in unknown], apart=apart_m / _DEGREE_M)


@lru_cache(maxsize=_KEPT)
def _deck(
    steps: str,
    colours: tuple[str, ...],
    ground: MapGround,
    hatch: tuple[Line, ...],
    labels: tuple[tuple[str, float, float], ...],
) -> CachedDeck:
    return load_deck(ground, steps=steps, colours=colours, chosen=None, hatch=hatch, labels=labels)
