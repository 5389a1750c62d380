"""The filters of the office pages: one line, the same words and the same keys everywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gridmap.frames import DUTIES, INCIDENT_KINDS
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders

PERIODS = ("last_30_days", "this_month", "last_month", "last_90_days", "last_12_months")
_TITLE_WIDTH, _FILTER_WIDTH, _AGE_WIDTH = 2.6, 1.9, 3.0
_ALL = ""
_DAYS = {"last_30_days": 30, "last_90_days": 90, "last_12_months": 365}


@dataclass(frozen=True)
class Period:
    """A span of days, both inside."""

    first_on: date
    last_on: date


def span_of(name: str, *, today: date) -> Period:
    """Return the days that a period's name means.

    Raises
    ------
    KeyError
        If there is no such period.

    Examples
    --------
    >>> span_of("last_month", today=date(2026, 3, 15))
    Period(first_on=datetime.date(2026, 2, 1), last_on=datetime.date(2026, 2, 28))
    """
    first_of_month = today.replace(day=1)
    if name == "this_month":
        return Period(first_of_month, today)
    if name == "last_month":
        last = first_of_month - timedelta(days=1)
        return Period(last.replace(day=1), last)
    return Period(today - timedelta(days=_DAYS[name] - 1), today)


def line(title: str, n_filters: int) -> tuple[list[DeltaGenerator], DeltaGenerator]:
    """Draw a page's title and return the places right of it: one a filter, and one for the age of the data."""
    with st.container(key="filters"):
        places = st.columns([_TITLE_WIDTH, *[_FILTER_WIDTH] * n_filters, _AGE_WIDTH], vertical_alignment="bottom")
    places[0].title(title, anchor=False)
    return places[1:-1], places[-1]


def period(*, initially: str = "last_30_days") -> Period:
    """Let a person choose the span of days."""
    chosen = st.selectbox(
        t("controls.period"),
        PERIODS,
        index=PERIODS.index(initially),
        format_func=lambda name: t(f"controls.{name}"),
        key="period",
    )
    return span_of(chosen, today=loaders.today())


def _one_or_all(label: str, options: Sequence[str], *, words: Callable[[str], str], key: str) -> str | None:
    """Let a person choose one of the options or none, which stands for all and is the empty text inside."""
    chosen: str = st.selectbox(label, options, format_func=words, key=key)
    return chosen or None


def village(township: Township, villages: dict[str, str]) -> str | None:
    """Let a person choose a village; None for the whole township."""
    names = {_ALL: township.name, **villages}
    return _one_or_all(t("controls.village"), list(names), words=names.__getitem__, key="village")


def kind() -> str | None:
    """Let a person choose the kind of incidents; None for all."""
    options = [*INCIDENT_KINDS, _ALL]
    return _one_or_all(t("controls.kind"), options, words=lambda name: t(f"controls.kind_{name or 'all'}"), key="kind")


def category(names: Sequence[str]) -> str | None:
    """Let a person choose a category; None for all."""
    return _one_or_all(
        t("controls.category"),
        [_ALL, *names],
        words=lambda name: name or t("controls.all_categories"),
        key="category",
    )


def duty() -> str | None:
    """Let a person choose the duty of checkpoints; None for all."""
    options = [_ALL, *DUTIES]
    return _one_or_all(t("controls.duty"), options, words=lambda name: t(f"controls.duty_{name or 'all'}"), key="duty")


def measure(names: Sequence[str]) -> str:
    """Let a person choose what colours the map."""
    chosen: str = st.selectbox(
        t("controls.measure"), names, format_func=lambda name: t(f"workload.{name}"), key="measure"
    )
    return chosen
