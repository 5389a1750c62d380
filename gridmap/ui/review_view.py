"""What the review page draws: the months, the agenda with its keys, figures with what they were made of, map and tables."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from gridmap.exports.review_pictures import grid_picture
from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import MapGround, load_deck
from gridmap.reports.figures import depends_on
from gridmap.reports.review.frozen import FrozenReview, frozen_review, packs_report
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import Past, ReviewFigure, ReviewMap, ReviewReport, ReviewTable, Section
from gridmap.reports.review.words import cell_words, column_title, figure_words, formula_of, note_words
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, numbers, panels, theme
from gridmap.ui.roles import handles_matters
from gridmap.ui.room import Room
from gridmap.ui.theme import Markup

_MONTHS_BACK = 24
AGENDA, CONTENT = 1, 5
"""Widths of the agenda and of what is beside it, in parts."""
_CONTENT_SHARE = CONTENT / (AGENDA + CONTENT)
_NOW = 0
_AT, _PRESENTING = "review_at", "review_presenting"
_MAP_PX, _TABLE_PX, _ROW_PX, _KEPT = 400, 400, 36, 32


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the page shows: the month as known now (or on the chosen day), or a pack as it was frozen.

    Parameters
    ----------
    whole
        All of it, for packs.
    report
        What this session may see of it.
    pack
        The frozen pack; None: as known now.
    """

    whole: ReviewReport
    report: ReviewReport
    pack: FrozenReview | None


@depends_on(*vars(review_report)["topics"])
def _month_report(connection: Connection, *, township_code: str, month: str, now: datetime) -> ReviewReport:
    return review_report(
        connection,
        township_code=township_code,
        month=month,
        known_at=now,
        zone=settings().zone,
        rules=rules_of(settings()),
    )


def dress() -> None:
    """Add the review's own style, larger where it is presented."""
    theme.use_review_style(presenting=bool(st.session_state.get(_PRESENTING)))


def presenting() -> None:
    """Let a person make everything larger, for a projector."""
    st.toggle(t("meeting.presenting"), key=_PRESENTING, help=t("meeting.keys"))


def month() -> str:
    """Let a person choose the month; the one before this comes first, as the meeting looks at it."""
    first = loaders.today().replace(day=1)
    months: list[str] = []
    while len(months) < _MONTHS_BACK:
        months.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    chosen: str = st.selectbox(t("meeting.month"), months, index=1, key="review_month")
    return chosen


def version(chosen_month: str) -> Shown:
    """Let a person choose between what is known now and the packs of the month, the newest pack first."""
    packs = loaders.load(packs_report)
    packs = packs[packs["month"] == chosen_month]
    words = {int(str(pack_id)): _pack_words(row) for pack_id, row in packs.iterrows()}
    options = [*words, _NOW]
    chosen: int = st.selectbox(
        t("meeting.version"),
        options,
        format_func=lambda one: words.get(one, t("meeting.as_known_now")),
        key=f"review_version_{chosen_month}_{len(words)}",
    )
    if chosen == _NOW:
        now = loaders.load(_month_report, month=chosen_month)
        return Shown(whole=now, report=_as_may_be_seen(now), pack=None)
    pack = loaders.load(frozen_review, pack_id=chosen)
    return Shown(whole=pack.report, report=_as_may_be_seen(pack.report), pack=pack)


def _as_may_be_seen(report: ReviewReport) -> ReviewReport:
    """Return the whole report to those who handle matters; to others what may hang on a board."""
    return report if handles_matters() else public_report(report)


def _pack_words(row: "pd.Series[Any]") -> str:
    return t("meeting.pack", at=f"{row['known_at'].tz_convert(settings().zone):%m-%d %H:%M}", digest=row["digest"][:8])


def age(shown: Shown) -> None:
    """Say until when the data go; of a pack, that it is frozen."""
    if shown.pack is None:
        panels.data_age(shown.report.newest_at)
    else:
        said = t("meeting.frozen_at", at=_local(shown.pack.frozen_at), digest=shown.pack.digest[:16])
        st.html(Markup(f'<p class="age" data-state="good"><span>{html.escape(said)}</span></p>'))


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(settings().zone):%Y-%m-%d %H:%M}"


def agenda(report: ReviewReport, *, last: str) -> str:
    """Draw the agenda and return the point that is shown; Page Up and Page Down, as a presenter sends them, turn it.

    Arrow keys would turn the page under the hands of who writes down a decision.
    """
    keys = [*(one.key for one in report.sections), last]
    titles = {one.key: t(one.title_key) for one in report.sections} | {last: t(f"meeting.{last}")}
    st.session_state[_AT] = st.session_state.get(_AT) if st.session_state.get(_AT) in keys else keys[0]
    chosen: str = st.radio(
        t("meeting.agenda"),
        keys,
        format_func=lambda key: f"{keys.index(key) + 1}　{titles[key]}",
        key=_AT,
        label_visibility="collapsed",
    )
    at = keys.index(chosen)
    with st.container(key="review_turn", horizontal=True):
        for name, step, shortcut in (("back", -1, "PageUp"), ("next", 1, "PageDown")):
            target = keys[min(max(at + step, 0), len(keys) - 1)]
            st.button(
                t(f"meeting.{name}"),
                key=f"review_{name}",
                shortcut=shortcut,
                disabled=target == chosen,
                on_click=_go,
                args=[target],
                type="primary" if step > 0 else "secondary",
            )
    return chosen


def _go(key: str) -> None:
    st.session_state[_AT] = key


def about(shown: Shown) -> None:
    """Say what must be known to read anything of it: an unfinished month, a month without data, a pack that is not whole."""
    report = shown.report
    if shown.pack is not None and not shown.pack.is_intact:
        st.error(t("meeting.not_intact"))
    if not report.is_over:
        st.warning(t("meeting.not_over", month=report.month.month, last=report.month.last_on))
    if not report.is_known:
        st.info(t("meeting.unknown", month=report.month.month))


def figures(section: Section, report: ReviewReport) -> None:
    """Draw the figures of a point: value, what it was made of, the months before, and the formula on demand."""
    cards = "".join(_card(one, report) for one in section.figures)
    notes = "".join(f"<li>{html.escape(note_words(note))}</li>" for note in section.notes)
    listed = f'<ul class="review-notes">{notes}</ul>' if notes else ""
    st.html(
        Markup(
            f'<h2 class="review-title">{html.escape(t(section.title_key))}</h2><div class="review-cards">{cards}</div>{listed}'
        )
    )


def _card(one: ReviewFigure, report: ReviewReport) -> str:
    lines = []
    if one.numerator is not None and one.denominator is not None:
        lines.append(f"{numbers.number(one.numerator)} ÷ {numbers.number(one.denominator)}")
    lines += [
        _past_words(past, one.unit, month.month, name)
        for name, past, month in (
            ("previous", one.previous, report.previous),
            ("last_year", one.last_year, report.last_year),
        )
        if past is not None
    ]
    told = "".join(f"<span>{html.escape(line)}</span>" for line in lines)
    formula = html.escape(formula_of(one.formula_key, report.settings))
    rows = report.tables.get(one.rows_key or "")
    behind = f"<p>{html.escape(t('meeting.rows_in', table=t(rows.title_key)))}</p>" if rows is not None else ""
    state = ' data-state="unknown"' if one.value is None else ""
    return (
        f'<div class="review-card"{state}><h3>{html.escape(t(one.title_key))}</h3>'
        f"<b>{html.escape(figure_words(one.value, one.unit))}</b>{told}"
        f"<details><summary>{html.escape(t('meeting.formula'))}</summary><p>{formula}</p>{behind}</details></div>"
    )


def _past_words(past: Past, unit: str, which: str, name: str) -> str:
    said = t(f"meeting.{name}", month=which, value=figure_words(past.value, unit))
    if past.adjusted is None or past.adjusted == past.value:
        return said
    return said + t("meeting.adjusted", value=f"{past.adjusted:,.1f}")


def body(section: Section, report: ReviewReport, township: Township, room: Room) -> None:
    """Draw a point's map beside its tables; rows behind figures are tables to be chosen, too."""
    if not section.tables:
        return
    maps = [one for one in section.maps if len(one.grids)]
    if not maps:
        _tables(section, report, room)
        return
    left, right = st.columns(2)
    with left:
        _map(maps, section, report, township, room)
    with right:
        _tables(section, report, room)


def _tables(section: Section, report: ReviewReport, room: Room) -> None:
    titles = {one.key: t(one.title_key) for one in section.tables}
    titles |= {one.key: t("meeting.rows", table=titles[one.key]) for one in section.tables if one.is_behind}
    ordered = sorted(section.tables, key=lambda one: one.is_behind)
    by_key = {one.key: one for one in ordered}
    chosen: str = st.selectbox(
        t("meeting.table"), list(by_key), format_func=titles.__getitem__, key=f"review_table_{section.key}"
    )
    table = by_key[chosen]
    if table.rows.empty:
        st.info(t("meeting.no_rows"))
        return
    shown, config = _told(table, report)
    height = min(room.tall(_TABLE_PX), _ROW_PX * (len(shown) + 1) + 3)
    st.dataframe(shown, column_config=config, hide_index=True, height=height, key=f"review_rows_{chosen}")


def _told(table: ReviewTable, report: ReviewReport) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a table as it is read, with what its columns are called and how they are computed."""
    told: dict[str, pd.Series[Any]] = {}
    config: dict[str, Any] = {}
    for one in table.columns:
        formula = None if one.formula_key is None else formula_of(one.formula_key, report.settings)
        values = table.rows[one.key]
        if one.kind in ("count", "decimal", "share"):
            factor = 100.0 if one.kind == "share" else 1.0
            told[one.key] = pd.to_numeric(values, errors="coerce").astype(float) * factor
            form = {"count": "%d", "decimal": "%.2f", "share": "%.1f%%"}[one.kind]
            config[one.key] = st.column_config.NumberColumn(column_title(one), help=formula, format=form)
        else:
            told[one.key] = pd.Series([cell_words(one, value) for value in values], index=values.index, dtype=object)
            config[one.key] = st.column_config.TextColumn(column_title(one), help=formula)
    return pd.DataFrame(told), config


def _map(maps: Sequence[ReviewMap], section: Section, report: ReviewReport, township: Township, room: Room) -> None:
    by_key = {one.key: one for one in maps}
    key: str = st.selectbox(
        t("meeting.map"),
        list(by_key),
        format_func=lambda name: t(by_key[name].title_key),
        key=f"review_map_{section.key}",
        disabled=len(maps) == 1,
    )
    one, height = by_key[key], room.tall(_MAP_PX) - 40
    ground = panels.map_ground(
        township, width_px=room.half_px * _CONTENT_SHARE, height_px=height, grids_on=_grids_on(report.month.last_on)
    )
    # The classes and colours of the picture in the pack: the meeting sees on the screen what it takes home.
    shown = grid_picture(one, report, codes=list(report.grids.index))
    legend = [("step", step.colour, step.label) for step in shown.steps]
    panels.legend(legend, title=shown.legend_title)
    steps = "".join(str(shown.step_of[code]) for code in report.grids.index)
    deck = _deck(steps, tuple(step.colour for step in shown.steps), ground)
    st.pydeck_chart(deck, height=height, key=f"review_deck_{key}")


def _grids_on(last_on: date) -> date | None:
    return None if last_on >= loaders.today() else last_on


@lru_cache(maxsize=_KEPT)
def _deck(steps: str, colours: tuple[str, ...], ground: MapGround) -> CachedDeck:
    return load_deck(ground, steps=steps, colours=colours, chosen=None)
