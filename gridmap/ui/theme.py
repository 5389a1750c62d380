"""Styles: read once, one string a kind of page."""

from functools import cache
from pathlib import Path

import streamlit as st

from gridmap.maps.palette import DARK, LIGHT, Palette

_STYLES_DIR = Path(__file__).parent / "styles"


class Markup(str):  # noqa: SLOT000  Streamlit asks the class for `_repr_html_`
    """HTML that is ready: Streamlit sends it as it is, without looking for files or indentation."""

    def _repr_html_(self) -> str:
        return str(self)


def _tokens(palette: Palette) -> str:
    names = ("ground", "panel", "line", "strong", "normal", "quiet", "good", "wait", "alarm", "unknown")
    colours = [f"--{name}:{getattr(palette, name)}" for name in names]
    ramp = [f"--load-{step}:{colour}" for step, colour in enumerate(palette.load)]
    return ":root{" + ";".join([*colours, *ramp]) + "}"


@cache
def _style(name: str) -> Markup:
    palette = DARK if name == "wall" else LIGHT
    sheets = [(_STYLES_DIR / f"{part}.css").read_text("utf-8") for part in ("fonts", "all", name)]
    return Markup(f"<style>{sheets[0]}{_tokens(palette)}{''.join(sheets[1:])}</style>")


def use_office_style() -> None:
    """Dress the page as one of the light office pages."""
    st.html(_style("office"))


@cache
def _sheet(name: str) -> Markup:
    return Markup(f"<style>{(_STYLES_DIR / f'{name}.css').read_text('utf-8')}</style>")


def use_review_style(*, presenting: bool) -> None:
    """Add what the review has over an office page; presented, everything is larger and nothing else is on the screen."""
    st.html(_sheet("review"))
    if presenting:
        st.html(_sheet("presenting"))


def use_wall_style() -> None:
    """Dress the page as the dark wall: one screen, nothing of Streamlit's own."""
    st.html(_style("wall"))
