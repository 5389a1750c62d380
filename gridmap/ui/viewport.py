"""The wall's head, run by the browser: clock, age of the data, and the size of the screen told to the server.

The age counts on in the browser, so a wall whose server is gone turns amber and red by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_STYLES_DIR = Path(__file__).parent / "styles"
_DESIGN_WIDTH_PX, _DESIGN_HEIGHT_PX = 1920, 1080
_STACKED_BELOW_PX = 900
_STACKED_SCALE = 1.0
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
    map_width_px: int = 976
    map_height_px: int = 952

    @property
    def scale(self) -> float:
        """Return pixels on this screen for one pixel of the 1920 x 1080 design."""
        if self.width_px < _STACKED_BELOW_PX:
            return _STACKED_SCALE
        return round(min(self.width_px / _DESIGN_WIDTH_PX, self.height_px / _DESIGN_HEIGHT_PX), 3)


def _measured(value: Any) -> Viewport:
    """Return what the browser told, bounded: whatever it sends, nothing breaks."""
    if not isinstance(value, Mapping):
        return Viewport()
    usual = Viewport()

    def bounded(name: str, otherwise: int) -> int:
        told = value.get(name)
        return min(max(int(told), 200), 16_000) if isinstance(told, int | float) else otherwise

    return Viewport(
        width_px=bounded("width", usual.width_px),
        height_px=bounded("height", usual.height_px),
        map_width_px=bounded("mapWidth", usual.map_width_px),
        map_height_px=bounded("mapHeight", usual.map_height_px),
    )


def head(data: Mapping[str, Any]) -> Viewport:
    """Draw the wall's head and return the screen it stands on (1920 x 1080 until the browser has told).

    Parameters
    ----------
    data
        What `styles/head.js` draws, as text only.
    """
    state = _HEAD(key="wall_head", data=dict(data), on_viewport_change=_nothing)
    return _measured(state.get("viewport"))


def _nothing() -> None:
    """Do nothing: the rerun that follows a new size is what draws it."""
