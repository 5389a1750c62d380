"""The room that an office page has: maps and tables grow with the window, from a small laptop up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gridmap.ui.viewport import bounded

_LAPTOP_WIDTH_PX, _LAPTOP_HEIGHT_PX = 1366, 768
_MOST_EXTRA_PX, _STEP_PX = 900, 20
# `styles/office.css`: widest content, its margins, the gap between two columns, and where columns stack.
_CONTENT_PX, _MARGINS_PX, _GAP_PX, _STACKED_BELOW_PX = 1760, 56, 16, 640
_COOKIE = "gridmap_window"
_WINDOW = st.components.v2.component(
    "gridmap.window", js=(Path(__file__).parent / "styles" / "window.js").read_text("utf-8"), isolate_styles=False
)


@dataclass(frozen=True)
class Room:
    """A window as the browser measured it, in CSS pixels; a small laptop's until it has."""

    width_px: int = _LAPTOP_WIDTH_PX
    height_px: int = _LAPTOP_HEIGHT_PX

    def tall(self, laptop_px: int) -> int:
        """Return how high something may be that is `laptop_px` high on a small laptop.

        Examples
        --------
        >>> Room(1366, 768).tall(430), Room(1920, 1080).tall(430), Room(390, 844).tall(430)
        (430, 730, 430)
        """
        extra = min(max(self.height_px - _LAPTOP_HEIGHT_PX, 0), _MOST_EXTRA_PX)
        return laptop_px if self.is_stacked else laptop_px + extra // _STEP_PX * _STEP_PX

    @property
    def is_stacked(self) -> bool:
        """Return whether columns stand below each other."""
        return self.width_px < _STACKED_BELOW_PX

    @property
    def half_px(self) -> int:
        """Return the width of one of two columns."""
        content = min(self.width_px, _CONTENT_PX) - _MARGINS_PX
        return content if self.is_stacked else (content - _GAP_PX) // 2


def _measured(told: Sequence[object]) -> Room:
    usual = Room()
    width, height = (*told, None, None)[:2]
    return Room(bounded(width, usual.width_px), bounded(height, usual.height_px))


def page_room() -> Room:
    """Return the room of this page, as this browser told it now or at its last visit."""
    known = _measured(str(st.context.cookies.get(_COOKIE, "")).split("."))
    with st.container(key="window"):
        data = {"window": [known.width_px, known.height_px]}
        state = _WINDOW(key="window_size", data=data, on_window_change=_nothing)
    told = state.get("window")
    return _measured(told) if isinstance(told, list) else known


def _nothing() -> None:
    """Do nothing: the rerun that follows a new size is what draws it."""
