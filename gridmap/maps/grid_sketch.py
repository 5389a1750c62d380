"""The map excerpt of one grid for print: shapes as a vector picture, names beside it as data, never inside the picture."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from gridmap.maps.palette import LIGHT

_ROOM_SHARE = 0.12
_DECIMALS = 1
_TICKS_M = (50, 100, 200, 250, 500, 1000, 2000, 5000)
_BAR_SHARE = 0.25
# Line widths in thousandths of the picture's width.
_PATHS = {
    "road": ("#8795a3", 4.2, ""),
    "lane": ("#b3bec8", 2.4, ""),
    "track": ("#c3ccd4", 1.8, "7 4"),
    "footpath": ("#c3ccd4", 1.4, "4 4"),
}
# Widths of a letter and height of a line, as shares of the picture's width.
_LETTER_SHARES = {"group": 0.0225, "service": 0.0185}
_LETTER_MARGIN, _LINE_SHARE = 0.012, 0.032
# Where the scale bar and the arrow to the north stand, as shares from the top left.
_BAR_TOP, _BAR_MARGIN = 0.84, 0.06
_NORTH = shapely.box(0.92, 0, 1, 0.14)
_WITHIN, _AROUND, _NEIGHBOUR = "#e3f1ea", "#f4f6f8", "#cfd8df"


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name on the sketch: `kind` is `group` or `service`; where it stands, as shares of width and height from the top left."""

    kind: str
    text: str
    x_share: float
    y_share: float


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A map excerpt.

    Parameters
    ----------
    svg
        The picture; shapes only.
    names
        What is written on it.
    bar_m, bar_share
        The scale bar: metres, and its length as a share of the width.
    """

    svg: str
    names: tuple[Name, ...]
    bar_m: int
    bar_share: float


def grid_sketch(
    grid_code: str,
    *,
    grids: gpd.GeoDataFrame,
    groups: gpd.GeoDataFrame,
    paths: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    service_points: gpd.GeoDataFrame,
    aspect: float,
) -> Sketch:
    """Return the excerpt of one grid with its surroundings.

    Parameters
    ----------
    grid_code
        Which of `grids`.
    grids
        Polygons of all grids, index their code. Metric CRS.
    groups
        Village groups with `name`; those within the grid are named.
    paths, water
        Base map with `kind`.
    service_points
        Points with `name`; those within the view are named.
    aspect
        Width over height of the picture; above 0.

    Raises
    ------
    KeyError
        If there is no such grid.
    ValueError
        If `aspect` is not above 0.
    """
    if not aspect > 0:
        raise ValueError(f"`aspect` must be above 0, got {aspect}.")
    shape = grids.geometry[grid_code]
    view = _view(shape, aspect)
    draw = _Drawing(view)
    draw.areas(grids.geometry[grids.index != grid_code], fill=_AROUND, line=_NEIGHBOUR, width=1.6)
    draw.areas([shape], fill=_WITHIN, line="none", width=0)
    is_area = water.geom_type.isin(["Polygon", "MultiPolygon"])
    draw.areas(water.geometry[is_area], fill="#bcdcf3", line="none", width=0)
    draw.lines(water.geometry[~is_area], colour="#bcdcf3", width=5)
    for kind, (colour, width, dashes) in reversed(_PATHS.items()):
        draw.lines(paths.geometry[paths["kind"] == kind], colour=colour, width=width, dashes=dashes)
    draw.areas([shape], fill="none", line=LIGHT.good, width=5)
    points = service_points[service_points.geometry.within(shapely.box(*view))]
    draw.dots(points.geometry, colour=LIGHT.alarm, radius=7)
    inside = groups[groups.geometry.representative_point().within(shape)]
    width_m = view[2] - view[0]
    bar_m = max((tick for tick in _TICKS_M if tick <= width_m * _BAR_SHARE), default=_TICKS_M[0])
    names = _apart(
        [draw.name("service", name, at) for name, at in zip(points["name"], points.geometry, strict=True)],
        [draw.name("group", name, at) for name, at in zip(inside["name"], _middles(inside, shape), strict=True)],
        aspect=aspect,
        taken=(shapely.box(0, _BAR_TOP, bar_m / width_m + _BAR_MARGIN, 1), _NORTH),
    )
    return Sketch(svg=draw.svg(), names=names, bar_m=bar_m, bar_share=bar_m / width_m)


def _apart(
    services: Iterable[Name], groups: Iterable[Name], *, aspect: float, taken: Iterable[BaseGeometry]
) -> tuple[Name, ...]:
    """Return the names so that none stands on another: a service point's below its dot, a group's as near as there is room.

    The name of a service point that finds no room is left out; its dot stays.
    """
    placed: list[Name] = []
    boxes = list(taken)

    def put(name: Name, shifts: Iterable[float]) -> bool:
        wide, high = len(name.text) * _LETTER_SHARES[name.kind] + _LETTER_MARGIN, _LINE_SHARE * aspect
        for shift in shifts:
            y = name.y_share + shift * high
            box = shapely.box(name.x_share - wide / 2, y - high / 2, name.x_share + wide / 2, y + high / 2)
            if shapely.box(0, 0, 1, 1).contains(box) and not any(box.intersects(other) for other in boxes):
                placed.append(replace(name, y_share=round(y, 4)))
                boxes.append(box)
                return True
        return False

    for name in services:
        put(name, (0.75, -0.75))
    crowded = [name for name in groups if not put(name, (0, -1, 1, -2, 2))]
    return (*placed, *crowded)


def _middles(groups: gpd.GeoDataFrame, shape: BaseGeometry) -> Iterable[shapely.Point]:
    return [one.intersection(shape).representative_point() for one in groups.geometry]


def _view(shape: BaseGeometry, aspect: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north around a shape: room on all sides, and of the asked aspect."""
    west, south, east, north = shape.bounds
    wide, high = (east - west) * (1 + 2 * _ROOM_SHARE), (north - south) * (1 + 2 * _ROOM_SHARE)
    wide, high = max(wide, high * aspect), max(high, wide / aspect)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


class _Drawing:
    """Shapes of a view as SVG, a thousand units wide."""

    def __init__(self, view: tuple[float, float, float, float]) -> None:
        self._view = view
        self._unit = 1000 / (view[2] - view[0])
        self._high = (view[3] - view[1]) * self._unit
        self._parts: list[str] = []

    def svg(self) -> str:
        size = f"0 0 1000 {self._high:.1f}"
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}">{"".join(self._parts)}</svg>'

    def name(self, kind: str, text: str, at: shapely.Point) -> Name:
        x, y = self._at(at.x, at.y)
        return Name(kind=kind, text=text, x_share=round(x / 1000, 4), y_share=round(y / self._high, 4))

    def areas(self, shapes: Iterable[BaseGeometry], *, fill: str, line: str, width: float) -> None:
        for rings in self._clipped(shapes, room=20):
            data = "".join(f"{self._path(ring.coords[:-1])}Z" for ring in rings)
            self._parts.append(
                f'<path d="{data}" fill="{fill}" fill-rule="evenodd" stroke="{line}" stroke-width="{width}" stroke-linejoin="round"/>'
            )

    def _clipped(self, shapes: Iterable[BaseGeometry], *, room: float) -> Iterable[list[shapely.LinearRing]]:
        for piece in self._pieces(shapes, room=room):
            if piece.geom_type == "Polygon":
                yield [piece.exterior, *piece.interiors]

    def lines(self, shapes: Iterable[BaseGeometry], *, colour: str, width: float, dashes: str = "") -> None:
        data = "".join(
            self._path(piece.coords) for piece in self._pieces(shapes, room=20) if piece.geom_type == "LineString"
        )
        if data:
            dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
            self._parts.append(
                f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"'
                f' stroke-linejoin="round"{dashed}/>'
            )

    def dots(self, shapes: Iterable[shapely.Point], *, colour: str, radius: float) -> None:
        for point in shapes:
            x, y = self._at(point.x, point.y)
            self._parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#fff" stroke-width="2"/>'
            )

    def _pieces(self, shapes: Iterable[BaseGeometry], *, room: float) -> Iterable[BaseGeometry]:
        """Return the simple parts of shapes inside the view and a little beyond, so that no border of the view is drawn."""
        west, south, east, north = self._view
        more = room / self._unit
        for shape in shapes:
            cut = shapely.clip_by_rect(shape, west - more, south - more, east + more, north + more)
            cut = shapely.simplify(cut, 0.4 / self._unit)
            yield from (part for part in shapely.get_parts(cut) if not part.is_empty)

    def _path(self, coordinates: Iterable[tuple[float, ...]]) -> str:
        places = [self._at(x, y) for x, y, *_ in coordinates]
        return "M" + "L".join(f"{x:.{_DECIMALS}f} {y:.{_DECIMALS}f}" for x, y in places)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        west, _, _, north = self._view
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"`shapes` must have finite coordinates, got ({x}, {y}).")
        return (x - west) * self._unit, (north - y) * self._unit
