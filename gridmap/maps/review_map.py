"""Maps of the grids as pictures, for paper and projector: classes, numbers, villages, scale bar, north arrow, legend."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from PIL import Image

from gridmap.maps.faces import chinese_faces
from gridmap.maps.palette import LIGHT

INCHES, DPI = (8.0, 5.4), 150
_FRAME = (0.015, 0.02, 0.745, 0.865)
_MARGIN = 0.02
_WORRY = ("#e4efe9", "#f2ecd2", "#f2d49b", "#e7a468", "#cc5d33")
_CLASSES = {"bad": "#d9744a", "plain": "#e9eff3", "good": "#9cc3d8", "none": "#ffffff"}
_HATCH = "////"
_GRID_EDGE, _VILLAGE_EDGE, _HALO = "#7d8f9d", "#22384a", "#ffffff"
_SIMPLE_M, _TRIED = 4.0, 17
_LONG = 1 / 3


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a legend.

    Parameters
    ----------
    label
        What it means.
    colour
        `#rrggbb`.
    is_hatched
        Cannot be told: hatched as well, so that it is no colour alone.
    mark
        A shape before the numbers of its grids, for what matters most.
    """

    label: str
    colour: str
    is_hatched: bool = False
    mark: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class GridPicture:
    """What one map shows.

    Parameters
    ----------
    title, subtitle, note
        Above the map; of what and when; under the legend.
    legend_title
        Above the legend: the unit.
    steps
        Of the legend, from the top.
    step_of
        By `grid_code`: the position of its step.
    labels
        By `grid_code`: what is written on it; may be empty.
    """

    title: str
    subtitle: str
    legend_title: str
    steps: Sequence[Step]
    step_of: Mapping[str, int]
    labels: Mapping[str, str]
    note: str = ""


def worry_colours(n: int) -> tuple[str, ...]:
    """Return colours from nothing to worry about to the worst, darker and warmer; at most 5.

    Raises
    ------
    ValueError
        If more than 5 are asked for.
    """
    if not 1 <= n <= len(_WORRY):
        raise ValueError(f"`n` must be 1 to {len(_WORRY)}, got {n}.")
    places = np.linspace(0, len(_WORRY) - 1, n).round().astype(int)
    return tuple(_WORRY[at] for at in places)


def class_step(label: str, meaning: str) -> Step:
    """Return the step of a class: `bad`, `plain`, `good`, or `none` where nothing can be told."""
    marks = {"bad": "▲ ", "good": "○ "}
    return Step(label=label, colour=_CLASSES[meaning], is_hatched=meaning == "none", mark=marks.get(meaning, ""))


class GridSheet:
    """One drawing of a township's land that shows one map after the other: the base is drawn once.

    Parameters
    ----------
    grids
        Polygons, index `grid_code`, sorted, in metres.
    villages
        Polygons with `name`, same CRS.
    water, paths
        The base map, same CRS; water has polygons and lines.
    words
        `north`, `km`, `m`.
    """

    def __init__(
        self,
        *,
        grids: gpd.GeoDataFrame,
        villages: gpd.GeoDataFrame,
        water: gpd.GeoDataFrame,
        paths: gpd.GeoDataFrame,
        words: Mapping[str, str],
    ) -> None:
        self._grids, self._words = grids, words
        with mpl.rc_context(picture_style()):
            self._figure = Figure(figsize=INCHES, dpi=DPI, facecolor="#ffffff")
            self._canvas = FigureCanvasAgg(self._figure)
            self._axes = self._figure.add_axes(_FRAME)
            self._window = _window(villages if len(villages) else grids)
            self._places = _label_places(grids.geometry)
            self._fills = self._draw_base(villages, water, paths)
        self._moving: list[Any] = []

    def picture(self, shown: GridPicture) -> bytes:
        """Return the map as PNG without anything that changes from run to run."""
        with mpl.rc_context(picture_style()):
            for artist in self._moving:
                artist.remove()
            self._moving = []
            codes = list(self._grids.index)
            steps = [shown.steps[shown.step_of[code]] for code in codes]
            self._fills.set_facecolor([step.colour for step in steps])
            hatched = [code for code, step in zip(codes, steps, strict=True) if step.is_hatched]
            if hatched:
                self._moving.append(_hatch(self._axes, self._grids.geometry.loc[hatched]))
            for code, step in zip(codes, steps, strict=True):
                self._write_label(code, f"{step.mark}{shown.labels.get(code, '')}")
            self._write_words(shown)
            return png_of(self._canvas)

    def _draw_base(
        self, villages: gpd.GeoDataFrame, water: gpd.GeoDataFrame, paths: gpd.GeoDataFrame
    ) -> PathCollection:
        axes = self._axes
        west, south, east, north = self._window
        axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
        axes.axis("off")
        fills = PathCollection(
            [_outline(shape) for shape in self._grids.geometry], edgecolors=_GRID_EDGE, linewidths=0.7, zorder=1
        )
        axes.add_collection(fills)
        _add_lines(axes, paths.geometry, colour="#8d9ba6", width=0.35, zorder=2, alpha=0.55)
        flat = water[water.geometry.geom_type.isin(["Polygon", "MultiPolygon"])].geometry
        ponds = PathCollection([_outline(shape) for shape in flat], facecolors=LIGHT.water, edgecolors="none", zorder=2)
        axes.add_collection(ponds)
        _add_lines(axes, water.geometry[~water.index.isin(flat.index)], colour=LIGHT.water, width=1.1, zorder=2)
        _add_lines(axes, villages.geometry.boundary, colour=_VILLAGE_EDGE, width=1.5, zorder=3)
        for (x, y), name in zip(
            _name_places(villages.geometry, self._places, east - west), villages["name"], strict=True
        ):
            axes.text(x, y, str(name), fontsize=12, weight="bold", color=_VILLAGE_EDGE, **_centred(zorder=6, halo=3))
        self._draw_scale()
        self._draw_north()
        return fills

    def _draw_scale(self) -> None:
        west, south, east, north = self._window
        width, high = east - west, (north - south)
        length = nice_length(width * _LONG)
        left, bottom, thick = west + width * 0.02, south + high * 0.02, high * 0.011
        for at in range(4):
            colour = _VILLAGE_EDGE if at % 2 == 0 else "#ffffff"
            box = Rectangle((left + at * length / 4, bottom), length / 4, thick, facecolor=colour, edgecolor=_VILLAGE_EDGE, linewidth=0.6, zorder=8)  # fmt: skip
            self._axes.add_patch(box)
        unit, told = ("km", length / 1000) if length >= 1000 else ("m", length)  # noqa: PLR2004  metres
        for share, label in ((0, "0"), (0.5, f"{told / 2:g}"), (1, f"{told:g} {self._words[unit]}")):
            self._axes.text(left + share * length, bottom + thick * 1.4, label, fontsize=9, color=_VILLAGE_EDGE, ha="center", va="bottom", zorder=8, path_effects=[withStroke(linewidth=2, foreground=_HALO)])  # fmt: skip

    def _draw_north(self) -> None:
        west, south, east, north = self._window
        x, y, size = west + (east - west) * 0.035, north - (north - south) * 0.09, (east - west) * 0.011
        for side, colour in ((-1, _VILLAGE_EDGE), (1, "#ffffff")):
            corners = [(x, y + size * 2.6), (x + side * size, y - size), (x, y - size * 0.2)]
            arrow = Polygon(corners, facecolor=colour, edgecolor=_VILLAGE_EDGE, linewidth=0.6, zorder=8)
            self._axes.add_patch(arrow)
        self._axes.text(x, y + size * 2.8, self._words["north"], fontsize=9.5, weight="bold", color=_VILLAGE_EDGE, ha="center", va="bottom", zorder=8)  # fmt: skip

    def _write_label(self, code: str, said: str) -> None:
        if said.strip():
            x, y = self._places[code]
            self._moving.append(
                self._axes.text(x, y, said.strip(), fontsize=9.5, color=LIGHT.strong, **_centred(zorder=7, halo=2.2))
            )

    def _write_words(self, shown: GridPicture) -> None:
        figure = self._figure
        left = _FRAME[0] + _FRAME[2] + 0.015
        write = [
            (0.02, 0.955, shown.title, 16, LIGHT.strong, "bold", "center"),
            (0.985, 0.955, shown.subtitle, 9.5, LIGHT.normal, "normal", "center"),
            (left, 0.87, shown.legend_title, 11, LIGHT.normal, "bold", "top"),
            (left, 0.03, wrapped(shown.note, 13), 8.5, LIGHT.normal, "normal", "bottom"),
        ]
        for x, y, said, size, colour, weight, vertical in write:
            side = "right" if x > 0.9 else "left"  # noqa: PLR2004  the corner
            self._moving.append(figure.text(x, y, said, fontsize=size, color=colour, weight=weight, va=vertical, ha=side))  # fmt: skip
        for at, step in enumerate(shown.steps):
            top = 0.81 - at * 0.058
            box = Rectangle((left, top - 0.018), 0.03, 0.036, facecolor=step.colour, edgecolor=_GRID_EDGE, linewidth=0.7, hatch=_HATCH if step.is_hatched else None, transform=figure.transFigure)  # fmt: skip
            figure.add_artist(box)
            self._moving.append(box)
            self._moving.append(figure.text(left + 0.04, top, f"{step.mark}{step.label}", fontsize=10.5, color=LIGHT.strong, va="center"))  # fmt: skip


def picture_style() -> Any:
    """Return the settings of matplotlib that every picture is drawn with; a name with dollar signs is no formula."""
    return {
        "font.family": [*chinese_faces(), "sans-serif"],
        "text.parse_math": False,
        "hatch.color": "#9aa9b5",
        "hatch.linewidth": 0.6,
    }


def _centred(*, zorder: int, halo: float) -> dict[str, Any]:
    effect = [withStroke(linewidth=halo, foreground=_HALO)]
    return {"ha": "center", "va": "center", "linespacing": 1.05, "zorder": zorder, "path_effects": effect}


def png_of(canvas: FigureCanvasAgg) -> bytes:
    """Return what is drawn as PNG of at most 256 colours; nothing in it tells when or by which program."""
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
    out = io.BytesIO()
    drawn.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def nice_length(most: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, … that is not above `most`.

    Examples
    --------
    >>> nice_length(3000), nice_length(600), nice_length(0.3)
    (2000.0, 500.0, 0.2)

    Raises
    ------
    ValueError
        If `most` is not above 0.
    """
    if not most > 0:
        raise ValueError(f"`most` must be above 0, got {most}.")
    # The logarithm of a number just below a power of ten rounds up to it: one power lower is tried as well.
    high = math.floor(math.log10(most))
    return max(found for power in (high - 1, high) for step in (1, 2, 5) if (found := step * 10.0**power) <= most)


def wrapped(said: str, n: int) -> str:
    """Return text with a break after every `n` wide signs; a Latin sign counts half."""
    lines, line, width = [], "", 0.0
    for sign in said:
        width += 1 if ord(sign) > 0x2E7F else 0.55  # noqa: PLR2004  first CJK block
        if width > n and sign not in "，。；：、）％%":
            lines.append(line)
            line, width = "", 1.0
        line += sign
    return "\n".join([*lines, line])


def _window(shapes: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the frame: all shapes and a margin, in the proportions of the picture."""
    west, south, east, north = shapes.total_bounds
    wide, high = (east - west) * (1 + 2 * _MARGIN), (north - south) * (1 + 2 * _MARGIN)
    proportion = _FRAME[2] * INCHES[0] / (_FRAME[3] * INCHES[1])
    wide, high = max(wide, high * proportion), max(high, wide / proportion)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _outline(shape: shapely.Geometry) -> Outline:
    rings = [
        Outline(shapely.get_coordinates(ring))
        for part in shapely.get_parts(shapely.simplify(shape, _SIMPLE_M))
        for ring in shapely.get_rings(part)
    ]
    return Outline.make_compound_path(*rings)


def _add_lines(axes: Axes, shapes: gpd.GeoSeries, *, colour: str, width: float, zorder: int, alpha: float = 1) -> None:
    parts = shapely.get_parts(shapely.simplify(shapes.to_numpy(), _SIMPLE_M))
    lines = [shapely.get_coordinates(part) for part in parts]
    axes.add_collection(
        LineCollection(
            lines, colors=colour, linewidths=width, zorder=zorder, alpha=alpha, capstyle="round", joinstyle="round"
        )
    )


def _hatch(axes: Axes, shapes: gpd.GeoSeries) -> PathCollection:
    hatched = PathCollection([_outline(shape) for shape in shapes], facecolors="none", edgecolors=_GRID_EDGE, linewidths=0.7, hatch=_HATCH, zorder=1.5)  # fmt: skip
    axes.add_collection(hatched)
    return hatched


def _label_places(shapes: gpd.GeoSeries) -> dict[str, tuple[float, float]]:
    """Return where a label fits best in each grid: the middle of its largest inscribed circle."""
    places = {}
    for code, shape in shapes.items():
        largest = max(shapely.get_parts(shape), key=lambda part: float(part.area))
        circle = shapely.maximum_inscribed_circle(largest, tolerance=math.sqrt(largest.area) / 50)
        x, y = shapely.get_coordinates(circle)[0]
        places[str(code)] = (float(x), float(y))
    return places


def _name_places(
    shapes: gpd.GeoSeries, taken: Mapping[str, tuple[float, float]], width: float
) -> list[tuple[float, float]]:
    """Return where each village's name stands: inside it, as far as may be from the labels of grids and other names."""
    others = np.array([*taken.values()], dtype=float).reshape(-1, 2)
    places = []
    for shape in shapes:
        tried = _candidates(shape)
        # Text is wide and low: a distance to the side counts less than one up or down.
        gaps = np.hypot((tried[:, None, 0] - others[None, :, 0]) * 0.45, tried[:, None, 1] - others[None, :, 1])
        nearest = gaps.min(axis=1, initial=width)
        inside = shapely.distance(shapely.points(tried), shapely.boundary(shape))
        x, y = tried[np.argmax(np.minimum(nearest, inside * 1.2))]
        places.append((float(x), float(y)))
        others = np.vstack([others, [(x, y)]])
    return places


def _candidates(shape: shapely.Geometry) -> npt.NDArray[np.float64]:
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.linspace(west, east, _TRIED), np.linspace(south, north, _TRIED))
    shapely.prepare(shape)
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel())
    found = np.column_stack([x.ravel(), y.ravel()])[inside]
    inner: npt.NDArray[np.float64] = shapely.get_coordinates(shapely.point_on_surface(shape))
    return found if len(found) else inner
