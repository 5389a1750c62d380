"""The agenda of the review page: one point at a time, turned with the keys of who presents, larger on a projector."""

from pathlib import Path

import streamlit as st

from gridmap.reports.review.shape import ReviewReport
from gridmap.texts import t
from gridmap.ui import theme
from gridmap.ui.room import Room

AGENDA, CONTENT = 1, 5
"""Widths of the agenda and of what is beside it, in parts."""
_AT, _PRESENTING = "review_at", "review_presenting"
# `styles/presenting.css` has the same rule.
_ROOT_PX, _LEAST_PX, _MOST_PX, _WIDTH_SHARE = 16, 18, 48, 0.011
_FIGURE_SPACE = "\u2007"
_KEYS = st.components.v2.component(
    "gridmap.agenda", js=(Path(__file__).parent / "styles" / "agenda.js").read_text("utf-8"), isolate_styles=False
)


def dress() -> None:
    """Add the review's own style, larger where it is presented."""
    theme.use_review_style(presenting=is_presenting())


def presenting() -> None:
    """Let a person make everything larger, for a projector."""
    st.toggle(t("meeting.presenting"), key=_PRESENTING, help=t("meeting.keys"))


def is_presenting() -> bool:
    """Return whether the page is on a projector."""
    return bool(st.session_state.get(_PRESENTING))


def scale(room: Room) -> float:
    """Return how much larger than on a desk everything is; on a projector it grows with the window."""
    if not is_presenting():
        return 1.0
    return min(max(room.width_px * _WIDTH_SHARE, _LEAST_PX), _MOST_PX) / _ROOT_PX


def agenda(report: ReviewReport, *, last: str) -> str:
    """Draw the agenda and return the point that is shown.

    Page Up and Page Down, as a presenter sends them, turn it; so do left, right, Home and End, unless somebody writes.
    """
    keys = [*(one.key for one in report.sections), last]
    titles = {one.key: t(one.title_key) for one in report.sections} | {last: t(f"meeting.{last}")}
    # Set at every run, it would undo a click that was made while the page was drawn.
    if st.session_state.get(_AT) not in keys:
        st.session_state[_AT] = keys[0]
    wide = len(str(len(keys)))
    chosen: str = st.radio(
        t("meeting.agenda"),
        keys,
        format_func=lambda key: f"{str(keys.index(key) + 1).rjust(wide, _FIGURE_SPACE)}　{titles[key]}",
        key=_AT,
        label_visibility="collapsed",
    )
    at = keys.index(chosen)
    with st.container(key="review_turn", horizontal=True):
        for name, step in (("back", -1), ("next", 1)):
            target = keys[min(max(at + step, 0), len(keys) - 1)]
            st.button(
                t(f"meeting.{name}"),
                key=f"review_{name}",
                disabled=target == chosen,
                on_click=_go,
                args=[target],
                type="primary" if step > 0 else "secondary",
            )
    _KEYS(key="review_keys", data={"point": chosen})
    return chosen


def _go(key: str) -> None:
    st.session_state[_AT] = key
