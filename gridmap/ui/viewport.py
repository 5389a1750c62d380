"""The wall's head, run by the browser: clock, age of the data, and the size of the screen told to the server.

The age counts on in the browser, so a wall whose server is gone turns amber and red by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_STYLES_DIR = Path(__file__).parent / "styles"
_DESIGN_WIDTH_PX, _DESIGN_HEIGHT_PX, _DESIGN_MAP_WIDTH_PX, _DESIGN_MAP_HEIGHT_PX = 1920, 1080, 936, 952
_STACKED_BELOW_PX = 900
_ROOT_FONT_PX, _STACKED_FONT_PX, _STACKED_COLUMNS = 16, 14, 60
_LEGEND_PX, _STACKED_LEGEND_PX = 64, 92
_SMALLEST_MARKS = 0.5
_LEAST_PX, _MOST_PX = 120, 16_000
_COOKIE = "gridmap_screen"
_HEAD = st.components.v2.component(
    "gridmap.wall_head",
    html='<header class="head"></header>',
    js=(_STYLES_DIR / "head.js").read_text("utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Viewport:
    """The screen as the browser measured it, in CSS pixels.

    Parameters
    ----------
    width_px, height_px
        The window.
    map_width_px, map_height_px
        The box of the map.
    """

    width_px: int = _DESIGN_WIDTH_PX
    height_px: int = _DESIGN_HEIGHT_PX
    map_width_px: int = _DESIGN_MAP_WIDTH_PX
    map_height_px: int = _DESIGN_MAP_HEIGHT_PX

    @property
    def is_stacked(self) -> bool:
        """Return whether the panels stand in one column (`styles/wall.css` decides by the same rule)."""
        return self.width_px < _STACKED_BELOW_PX or self.width_px <= self.height_px

    @property
    def scale(self) -> float:
        """Return pixels on this screen for one pixel of the 1920 x 1080 design."""
        if self.is_stacked:
            return round(max(_STACKED_FONT_PX, self.width_px / _STACKED_COLUMNS) / _ROOT_FONT_PX, 3)
        return round(min(self.width_px / _DESIGN_WIDTH_PX, self.height_px / _DESIGN_HEIGHT_PX), 3)

    @property
    def map_scale(self) -> float:
        """Return the scale of what is drawn on the map: no larger than a small map bears."""
        fitting = max(self.map_width_px / _DESIGN_MAP_WIDTH_PX, _SMALLEST_MARKS)
        return round(min(self.scale, fitting), 3) if self.is_stacked else self.scale

    @property
    def legend_px(self) -> float:
        """Return the height that the legend takes from the map."""
        return (_STACKED_LEGEND_PX if self.is_stacked else _LEGEND_PX) * self.scale


def bounded(told: object, otherwise: int) -> int:
    """Return a length that makes sense, whatever the browser sends."""
    if isinstance(told, str) and told.isascii() and told.isdigit():
        told = int(told[:6])
    if isinstance(told, bool) or not isinstance(told, int | float) or told != told:  # noqa: PLR0124  NaN
        return otherwise
    return int(min(max(told, _LEAST_PX), _MOST_PX))


def _measured(told: Sequence[object]) -> Viewport:
    usual = Viewport()
    width, height, map_width, map_height = (*told, *[None] * 4)[:4]
    return Viewport(
        width_px=bounded(width, usual.width_px),
        height_px=bounded(height, usual.height_px),
        map_width_px=bounded(map_width, usual.map_width_px),
        map_height_px=bounded(map_height, usual.map_height_px),
    )


def head(data: Mapping[str, Any]) -> Viewport:
    """Draw the wall's head and return the screen it stands on.

    What the browser told in this session counts, else what it told before (a cookie, so that a wall that starts again
    is right at once), else 1920 x 1080.

    Parameters
    ----------
    data
        What `styles/head.js` draws, as text only.
    """
    known = _measured(str(st.context.cookies.get(_COOKIE, "")).split("."))
    assumed = [known.width_px, known.height_px, known.map_width_px, known.map_height_px]
    state = _HEAD(key="wall_head", data={**data, "screen": assumed}, on_screen_change=_nothing)
    told = state.get("screen")
    return _measured(told) if isinstance(told, list) else known


def _nothing() -> None:
    """Do nothing: the rerun that follows a new size is what draws it."""
