"""The wall's map: the township's own layers, its grids by load, its checkpoints by state, today's incidents."""

from collections.abc import Mapping, Sequence
from typing import Any

from gridmap.maps.deck import CachedDeck, View, by_property, deck, layer
from gridmap.maps.palette import DARK, NEAR_CAP_STEP, OVER_CAP_STEP, ramp_bounds, rgba

MARK_STATES = ("visited", "waiting", "unknown", "incident")
_MARK_CELL_PX = 128
_MARKS_URL = "/assets/gridmap/marks-dark.svg"
_MARK_SIZES_PX = {"visited": 12, "waiting": 15, "unknown": 15, "incident": 24}
_FILL_ALPHA = 0.72
_GRID_LINE, _VILLAGE_LINE, _TOWNSHIP_LINE = "#08111c", "#a9c9dc", "#c6dcea"
# Opaque, since the joints of a see-through line show; widest first.
_GLOW = {26: "#0c1b2a", 18: "#102538", 11: "#173650", 6: "#22506f"}


def load_accessor(*, near_cap_share: float, alpha: float) -> str:
    """Return the accessor that colours a grid by its property `cap_share`: the ramp, near the cap, over it, unknown."""
    ramp = DARK.load
    steps = [
        f"properties.cap_share < {bound} ? {rgba(colour, alpha)}"
        for bound, colour in zip(ramp_bounds(near_cap_share), ramp, strict=False)
    ]
    cases = [
        f"properties.cap_share == null ? {rgba(DARK.unknown, alpha / 2)}",
        f"properties.cap_share > 1 ? {rgba(ramp[OVER_CAP_STEP], alpha)}",
        *steps,
        str(rgba(ramp[NEAR_CAP_STEP], alpha)),
    ]
    return f"@@={' : '.join(cases)}"


def wall_deck(
    urls: Mapping[str, str],
    marks: Sequence[tuple[str, float, float]],
    *,
    lanes: Sequence[Sequence[tuple[float, float]]],
    view: View,
    scale: float,
    near_cap_share: float,
) -> CachedDeck:
    """Return the wall's deck; its view stands still.

    Parameters
    ----------
    urls
        Address of the layers `areas`, `grids`, `water` and `paths`; one that is missing is not drawn.
    marks
        State (one of `MARK_STATES`), longitude and latitude of each point.
    lanes
        Longitude and latitude along lanes that nobody passed for long.
    view
        What fits the map's box.
    scale
        Screen pixels for one pixel of the 1920 x 1080 design.
    near_cap_share
        Share of the cap from which a grid is near it.
    """
    layers = [
        *_ground(urls, scale=scale, near_cap_share=near_cap_share),
        *_lines(urls, scale=scale),
        *_borders(urls, scale=scale),
        _lanes(lanes, scale=scale),
        *_marks(marks, scale=scale),
    ]
    return deck(layers, view=view, is_fixed=True)


def _lanes(lanes: Sequence[Sequence[tuple[float, float]]], *, scale: float) -> dict[str, Any]:
    rows = [{"way": [[round(x, 6), round(y, 6)] for x, y in lane]} for lane in lanes]
    return layer(
        "PathLayer",
        "lanes",
        rows,
        getPath="@@=way",
        getColor=rgba(DARK.wait, 1),
        getWidth=3.6 * scale,
        widthUnits="pixels",
        capRounded=True,
        jointRounded=True,
    )


def _outline(url: str, identity: str, colour: str, *, alpha: float, level: str, width_px: float) -> dict[str, Any]:
    return layer(
        "GeoJsonLayer",
        identity,
        url,
        filled=False,
        stroked=True,
        getLineColor=f'@@=properties.level == "{level}" ? {rgba(colour, alpha)} : [0, 0, 0, 0]',
        getLineWidth=width_px,
        lineWidthUnits="pixels",
        lineJointRounded=True,
        lineCapRounded=True,
    )


def _ground(urls: Mapping[str, str], *, scale: float, near_cap_share: float) -> list[dict[str, Any]]:
    layers = []
    if "areas" in urls:
        layers += [
            _outline(urls["areas"], f"glow_{width_px}", colour, alpha=1, level="township", width_px=width_px * scale)
            for width_px, colour in _GLOW.items()
        ]
    if "grids" in urls:
        layers.append(
            layer(
                "GeoJsonLayer",
                "grids",
                urls["grids"],
                filled=True,
                stroked=True,
                getFillColor=load_accessor(near_cap_share=near_cap_share, alpha=_FILL_ALPHA),
                getLineColor=rgba(_GRID_LINE, 0.9),
                getLineWidth=1.4 * scale,
                lineWidthUnits="pixels",
                lineJointRounded=True,
            )
        )
    return layers


def _lines(urls: Mapping[str, str], *, scale: float) -> list[dict[str, Any]]:
    layers = []
    if "water" in urls:
        layers.append(
            layer(
                "GeoJsonLayer",
                "water",
                urls["water"],
                filled=True,
                stroked=True,
                getFillColor=rgba(DARK.water, 0.95),
                getLineColor=rgba(DARK.water, 0.95),
                getLineWidth=by_property("kind", {"river": 5.5 * scale, "canal": 1.6 * scale}, 0.6 * scale),
                lineWidthUnits="pixels",
                lineCapRounded=True,
                lineJointRounded=True,
            )
        )
    if "paths" in urls:
        alphas = {"road": 0.8, "lane": 0.5, "track": 0.3}
        widths = {"road": 2.4, "lane": 1.2, "track": 1.0}
        layers.append(
            layer(
                "GeoJsonLayer",
                "paths",
                urls["paths"],
                stroked=True,
                getLineColor=by_property(
                    "kind", {kind: rgba(DARK.path, alpha) for kind, alpha in alphas.items()}, rgba(DARK.path, 0.22)
                ),
                getLineWidth=by_property("kind", {kind: width * scale for kind, width in widths.items()}, 0.8 * scale),
                lineWidthUnits="pixels",
                lineCapRounded=True,
                lineJointRounded=True,
            )
        )
    return layers


def _borders(urls: Mapping[str, str], *, scale: float) -> list[dict[str, Any]]:
    if "areas" not in urls:
        return []
    return [
        _outline(urls["areas"], "villages", _VILLAGE_LINE, alpha=0.85, level="village", width_px=1.8 * scale),
        _outline(urls["areas"], "township", _TOWNSHIP_LINE, alpha=1, level="township", width_px=2.6 * scale),
    ]


def _marks(marks: Sequence[tuple[str, float, float]], *, scale: float) -> list[dict[str, Any]]:
    cells = {
        state: {"x": at * _MARK_CELL_PX, "y": 0, "width": _MARK_CELL_PX, "height": _MARK_CELL_PX}
        for at, state in enumerate(MARK_STATES)
    }
    rows = [
        {
            "state": state,
            "at": [round(longitude, 6), round(latitude, 6)],
            "size": round(_MARK_SIZES_PX[state] * scale, 1),
        }
        for state, longitude, latitude in sorted(marks, key=lambda mark: MARK_STATES.index(mark[0]))
    ]
    return [
        layer(
            "IconLayer",
            "marks",
            rows,
            iconAtlas=_MARKS_URL,
            iconMapping=cells,
            getIcon="@@=state",
            getPosition="@@=at",
            getSize="@@=size",
            sizeUnits="pixels",
        )
    ]
