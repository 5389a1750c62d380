"""A review in words: titles, formulas, notes and cells in the language of the session."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gridmap.reports.review.shape import NOWHERE, TOTAL, ReviewColumn, ReviewNote, ReviewReport
from gridmap.texts import t

_SHARE = "unit.share"
CHANCES = ("p", "q")
"""Columns of probabilities: nothing is certain, so none is ever said to be 0."""
_LEAST_CHANCE = 0.001


def column_title(column: ReviewColumn) -> str:
    """Return what a person reads above a column, in one line."""
    said = t(column.title_key)
    return said if column.title is None else f"{column.title} · {said}"


def cell_words(column: ReviewColumn, value: Any) -> str:
    """Return a cell as a person reads it; what cannot be told is `—`."""
    if value is None:
        return "—"
    if value == TOTAL:
        return t("review.total")
    if value == NOWHERE:
        return t("review.nowhere")
    if column.kind == "word":
        return t(f"{column.words}{value}")
    if column.key in CHANCES:
        return f"{value:.3f}" if value >= _LEAST_CHANCE else f"<{_LEAST_CHANCE}"
    return number_words(value, column.kind) if column.kind in ("count", "decimal", "share") else str(value)


def number_words(value: float, kind: str) -> str:
    """Return a number as a person reads it; a small probability keeps its size."""
    if kind == "share":
        return f"{value:.1%}"
    if kind == "count":
        return f"{value:,.0f}"
    return f"{value:,.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:.1g}"  # noqa: PLR2004  two decimals


def figure_words(value: float | None, unit: str) -> str:
    """Return the value of a figure with its unit; unknown in words."""
    if value is None:
        return t("review.unknown")
    if unit == _SHARE:
        return number_words(value, "share")
    said = number_words(value, "count" if float(value).is_integer() else "decimal")
    return said if unit == "unit.none" else f"{said} {t(unit)}"


def formula_of(key: str, settings: Mapping[str, Any]) -> str:
    """Return how a figure or column is computed, in words, with the settings that the report rests on."""
    return t(key, **{name: f"{value:g}" for name, value in settings.items() if isinstance(value, int | float)})


def note_words(note: ReviewNote) -> str:
    """Return the sentence of a note."""
    return t(note.text_key, **note.values)


def known_words(report: ReviewReport) -> str:
    """Return until when a report knows, by the township's clock."""
    return f"{report.known_at.astimezone(ZoneInfo(str(report.settings['zone']))):%Y-%m-%d %H:%M}"
