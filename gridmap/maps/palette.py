"""Colours with one meaning everywhere, on the dark wall and on light pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rgb = tuple[int, int, int]
Shade = Literal["dark", "light"]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The tokens of one ground.

    Parameters
    ----------
    ground, panel, line
        Surfaces and the lines between them.
    strong, normal, quiet
        Text by weight of its meaning.
    good, wait, alarm, unknown
        States; never colour alone, a shape goes with each.
    load
        Sequential ramp of households against the cap, lowest first; the last two are near the cap and over it.
    water, path
        The base map.
    """

    ground: str
    panel: str
    line: str
    strong: str
    normal: str
    quiet: str
    good: str
    wait: str
    alarm: str
    unknown: str
    load: tuple[str, ...]
    water: str
    path: str


DARK = Palette(
    ground="#08111c",
    panel="#0d1a28",
    line="#17293b",
    strong="#ffffff",
    normal="#b8cbd9",
    quiet="#8fa9bd",
    good="#7fd1ae",
    wait="#f2c14e",
    alarm="#f27d52",
    unknown="#64809a",
    load=("#16324a", "#1b4a66", "#20657f", "#2a8290", "#55a08f", "#8a6a2f", "#b4532a"),
    water="#3f8fd0",
    path="#9db4c6",
)
LIGHT = Palette(
    ground="#f6f8fa",
    panel="#ffffff",
    line="#dde4ea",
    strong="#14212e",
    normal="#3c4f60",
    quiet="#6b7f90",
    good="#1f8a63",
    wait="#b07d0a",
    alarm="#c7461f",
    unknown="#64809a",
    load=("#e3eef5", "#c9dfeb", "#a9cddc", "#87bac6", "#7fbfa8", "#e3c070", "#dd8a63"),
    water="#8fc0e8",
    path="#a9b7c3",
)
USUAL = "#2a7f9e"
"""The colour of a grid that carries what was expected, on light ground."""
PALETTES: Mapping[Shade, Palette] = {"dark": DARK, "light": LIGHT}

UNKNOWN_STEP = -1
NEAR_CAP_STEP, OVER_CAP_STEP = 5, 6
_RAMP_FROM_SHARE = 0.5


def rgb(colour: str) -> Rgb:
    """Return the three bytes of `#rrggbb`.

    Examples
    --------
    >>> rgb("#08111c")
    (8, 17, 28)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgba(colour: str, alpha: float) -> list[int]:
    """Return red, green, blue and alpha as deck.gl wants them; `alpha` from 0 to 1."""
    return [*rgb(colour), round(255 * alpha)]


def ramp_bounds(near_cap_share: float) -> tuple[float, ...]:
    """Return the upper bounds of the five steps below near the cap: half the cap, then evenly up to near the cap.

    Examples
    --------
    >>> ramp_bounds(0.9)
    (0.5, 0.6, 0.7, 0.8, 0.9)
    """
    width = (near_cap_share - _RAMP_FROM_SHARE) / (NEAR_CAP_STEP - 1)
    return tuple(round(_RAMP_FROM_SHARE + width * step, 4) for step in range(NEAR_CAP_STEP))


def load_step(cap_share: float | None, *, near_cap_share: float) -> int:
    """Return the step of the load ramp: 0 to 4 below `near_cap_share`, 5 up to the cap, 6 over it, -1 unknown.

    Parameters
    ----------
    cap_share
        Households of a grid as a share of the cap; None or NaN: unknown.
    near_cap_share
        Share of the cap from which a grid counts as near it.

    Examples
    --------
    >>> [load_step(share, near_cap_share=0.9) for share in (0.2, 0.75, 0.9, 1.0, 1.01, None)]
    [0, 3, 5, 5, 6, -1]
    """
    if cap_share is None or cap_share != cap_share:  # noqa: PLR0124  NaN
        return UNKNOWN_STEP
    if cap_share > 1:
        return OVER_CAP_STEP
    if cap_share >= near_cap_share:
        return NEAR_CAP_STEP
    return sum(cap_share >= bound for bound in ramp_bounds(near_cap_share)[:-1])


def load_colour(step: int, *, shade: Shade) -> str:
    """Return the colour of a step of the load ramp."""
    palette = PALETTES[shade]
    return palette.unknown if step == UNKNOWN_STEP else palette.load[step]
