"""What the review page shows first: the month and its packs, what must be known to read it, figures with what they were made of."""

import html
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from gridmap.reports.figures import depends_on
from gridmap.reports.review.frozen import FrozenReview, frozen_review, packs_report
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import Past, ReviewFigure, ReviewReport, Section
from gridmap.reports.review.words import figure_words, formula_of, note_words
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import known_on, loaders, numbers, panels
from gridmap.ui.roles import handles_matters
from gridmap.ui.theme import Markup

_MONTHS_BACK = 24
_NOW = 0


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


@loaders.renewed_daily
@depends_on(*vars(review_report)["topics"])
def _past_month_report(connection: Connection, *, township_code: str, month: str, now: datetime) -> ReviewReport:
    return _month_report(connection, township_code=township_code, month=month, now=now)


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
    # Who looks back sees no pack, and no signature, that was not there on that day.
    packs = packs[(packs["month"] == chosen_month) & (packs["frozen_at"] <= known_on.instant())]
    words = {int(str(pack_id)): _pack_words(row) for pack_id, row in packs.iterrows()}
    words[_NOW] = t("meeting.as_known_now" if known_on.day() is None else "meeting.as_known_then")
    chosen: int = st.selectbox(
        t("meeting.version"),
        list(words),
        format_func=words.__getitem__,
        key=f"review_version_{chosen_month}_{len(words) - 1}",
    )
    if chosen == _NOW:
        is_over = chosen_month < f"{loaders.today():%Y-%m}"
        now = loaders.load(_past_month_report if is_over else _month_report, month=chosen_month)
        return Shown(whole=now, report=_as_may_be_seen(now), pack=None)
    pack = loaders.load(frozen_review, pack_id=chosen)
    if known_on.day() is not None:
        signed = pack.signatures
        pack = replace(pack, signatures=signed[signed["signed_at"] <= known_on.instant()])
    return Shown(whole=pack.report, report=_as_may_be_seen(pack.report), pack=pack)


def _as_may_be_seen(report: ReviewReport) -> ReviewReport:
    """Return the whole report to those who handle matters; to others what may hang on a board."""
    return report if handles_matters() else public_report(report)


def _pack_words(row: "pd.Series[Any]") -> str:
    return t("meeting.pack", at=f"{row['known_at'].tz_convert(settings().zone):%m-%d %H:%M}", digest=row["digest"][:4])


def age(shown: Shown) -> None:
    """Say until when the data go; of a pack, that it is frozen."""
    if shown.pack is None:
        panels.data_age(shown.report.newest_at)
    else:
        said = t("meeting.frozen_at", at=_local(shown.pack.frozen_at), digest=shown.pack.digest[:16])
        st.html(Markup(f'<p class="age" data-state="good"><span>{html.escape(said)}</span></p>'))


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(settings().zone):%Y-%m-%d %H:%M}"


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
    st.html(Markup(f'{title_markup(t(section.title_key))}<div class="review-cards">{cards}</div>{listed}'))


def title_markup(said: str) -> str:
    """Return the title of a point of the agenda."""
    return f'<h2 class="review-title">{html.escape(said)}</h2>'


def _card(one: ReviewFigure, report: ReviewReport) -> str:
    lines = []
    if one.numerator is not None and one.denominator is not None:
        lines.append(html.escape(f"{numbers.number(one.numerator)} ÷ {numbers.number(one.denominator)}"))
    lines += [
        _past_markup(past, one.unit, month.month, name)
        for name, past, month in (
            ("previous", one.previous, report.previous),
            ("last_year", one.last_year, report.last_year),
        )
        if past is not None
    ]
    told = "".join(f"<span>{line}</span>" for line in lines)
    formula = html.escape(formula_of(one.formula_key, report.settings))
    rows = report.tables.get(one.rows_key or "")
    behind = f"<p>{html.escape(t('meeting.rows_in', table=t(rows.title_key)))}</p>" if rows is not None else ""
    state = ' data-state="unknown"' if one.value is None else ""
    return (
        f'<div class="review-card"{state}><h3>{html.escape(t(one.title_key))}</h3>'
        f"<b>{html.escape(_spaced(figure_words(one.value, one.unit)))}</b>{told}"
        f"<details><summary>{html.escape(t('meeting.formula'))}</summary><p>{formula}</p>{behind}</details></div>"
    )


def _past_markup(past: Past, unit: str, which: str, name: str) -> str:
    said = html.escape(t(f"meeting.{name}", month=which, value=_spaced(figure_words(past.value, unit))))
    if past.adjusted is None or past.adjusted == past.value:
        return said
    return f"{said}<em>{html.escape(t('meeting.adjusted', value=_spaced(f'{past.adjusted:,.1f}')))}</em>"


def _spaced(said: str) -> str:
    """Return a number as every page of the dashboard writes it; on paper thousands have a comma."""
    return said.replace(",", numbers.THIN_SPACE)
