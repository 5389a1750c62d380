"""Pieces that office pages share: figures with their formula, the age of the data, legends, the base map."""

import html
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from gridmap.maps.deck import fit
from gridmap.maps.office import MapGround
from gridmap.maps.palette import LIGHT
from gridmap.reports.base_map import map_layer
from gridmap.reports.figures import Figure, formula_words
from gridmap.reports.ground import villages_report
from gridmap.reports.township import township_report
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, numbers
from gridmap.ui.theme import Markup
from gridmap.ui.versions import watch

_LAYERS = ("areas", "grids", "paths", "water")
_PADDING_PX = 10.0
_AGES = ((60, "good"), (600, "wait"))


def data_age(known_at: datetime | None) -> None:
    """Say until when the data go and when the database was last read, in words and with the shape of its state."""
    now, checked_at = datetime.now(UTC), watch().current().checked_at
    checked_s = (now - checked_at).total_seconds()
    state = next((state for limit, state in _AGES if checked_s <= limit), "alarm")
    known = t("controls.no_facts") if known_at is None else f"{known_at.astimezone(settings().zone):%Y-%m-%d %H:%M}"
    read = f"{checked_at.astimezone(settings().zone):%H:%M:%S}"
    st.html(
        Markup(
            f'<p class="age" data-state="{state}">'
            f"<span>{html.escape(t('controls.known_at', at=known))}</span> "
            f"<span>{html.escape(t('controls.checked_at', at=read))}</span></p>"
        )
    )


def known_on(day: date) -> None:
    """Say of which day a page tells, where that is all that there is to say about its age."""
    words = f"{t('controls.known_until')} {day}"
    st.html(Markup(f'<p class="age" data-state="good"><span>{html.escape(words)}</span></p>'))


def figures(shown: Sequence[tuple[str, Figure]]) -> None:
    """Draw figures side by side: words, value with its unit, and the formula on demand.

    Parameters
    ----------
    shown
        Key of the words in the catalogue, and the figure.
    """
    with st.container(key="figures"):
        for place, (key, one) in zip(st.columns(len(shown)), shown, strict=True):
            place.metric(t(key), _with_unit(one), help=_formula(one))


def _with_unit(figure: Figure) -> str:
    text = numbers.figure(figure)
    if figure.value is None or figure.unit == "unit.share":
        return text
    return f"{text} {t(figure.unit)}"


def _formula(figure: Figure) -> str:
    """Return the formula, with numerator and denominator where there are."""
    text = formula_words(figure.formula_key)
    if figure.denominator is None or figure.numerator is None:
        return text
    made_of = t(
        "controls.made_of", numerator=numbers.number(figure.numerator), denominator=numbers.number(figure.denominator)
    )
    return f"{text}\n\n{made_of}"


def map_ground(
    township: Township, *, width_px: float, height_px: float, grids_on: date | None = None, scale: float = 1.0
) -> MapGround:
    """Return the base map of the office pages: the township's layers, the villages' names, the view of all of it.

    `grids_on` is the day whose grids are drawn; None: today. `scale`: how much larger than on a desk words are.
    """
    layers = [loaders.load(map_layer, layer=name) for name in _LAYERS if name != "grids" or grids_on is None]
    urls = [(one.name, one.url) for one in layers if one.n_features]
    if grids_on is not None:
        past = loaders.load(map_layer, layer="grids", on=grids_on)
        urls += [(past.name, f"{past.url}?on={grids_on}")] if past.n_features else []
    names = loaders.load(township_report).names
    return MapGround(
        urls=tuple(urls),
        names=tuple((name.name, name.longitude, name.latitude) for name in names if name.kind == "village"),
        view=fit(township.bounds, width_px=width_px, height_px=height_px, padding_px=_PADDING_PX),
        scale=scale,
    )


def village_names() -> dict[str, str]:
    """Return the villages' names by their code."""
    return loaders.load(villages_report)


def percent_column(label: str, *, formula: str | None = None, most: float = 1.0) -> Any:
    """Return the column of a share as a bar with its per cent; the frame holds per cent (`as_percent`)."""
    return st.column_config.ProgressColumn(
        label, help=formula, format="%.1f%%", min_value=0.0, max_value=100 * max(1.0, most)
    )


def as_percent(shares: pd.Series) -> pd.Series:
    """Return shares as per cent, one decimal."""
    return (shares.astype(float) * 100).round(1)


def legend(items: Sequence[tuple[str, str, str]], *, title: str) -> None:
    """Draw a legend.

    Parameters
    ----------
    items
        Shape (`step`, `step hatched`, `dot`, or a checkpoint's state), colour, words.
    title
        What the map shows, with its unit.
    """
    keys = "".join(
        f'<span class="key"><i class="{html.escape(shape)}" style="--colour:{html.escape(colour)}"></i>'
        f"{html.escape(words)}</span>"
        for shape, colour, words in items
    )
    st.html(Markup(f'<div class="legend"><b>{html.escape(title)}</b>{keys}</div>'))


def checkpoint_keys(states: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the legend entries of checkpoint states."""
    return [(f"mark {state}", LIGHT.strong, t(f"coverage.state_{state}")) for state in states]
