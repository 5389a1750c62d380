"""A plan to be taken away: GeoPackage, workbook, and a page to print for each grid."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import matplotlib as mpl
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from gridmap.exports.layers import write_layer
from gridmap.exports.tables import Column, Sheet, workbook
from gridmap.maps.palette import LIGHT
from gridmap.maps.review_map import picture_style
from gridmap.texts import t

_A4_INCHES = (8.27, 11.69)
_MARGIN, _CORNERS = 0.12, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanBook:
    """What is taken away of a plan.

    Parameters
    ----------
    title
        Township, plan, day.
    grids
        Index `grid_code`: `name`, `village_name`, `n_households`, `n_units`, `state` (words), polygons in metres.
    units
        Index `unit_code`: `grid_code`, `n_households`, polygons in metres.
    homes
        Points in metres.
    water
        The base map, in metres.
    """

    title: str
    grids: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    homes: gpd.GeoSeries
    water: gpd.GeoSeries


def geopackage(book: PlanBook) -> bytes:
    """Return units and grids as the layers of one GeoPackage."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "plan.gpkg"
        write_layer(book.units.reset_index(names="unit_code"), file, name="units")
        write_layer(book.grids.reset_index(names="grid_code"), file, name="grids", adds=True)
        return file.read_bytes()


def plan_workbook(book: PlanBook, about: Mapping[str, str]) -> bytes:
    """Return the grids as an Excel workbook."""
    columns = [
        Column(name="grid_code", header=t("planning.grid_code"), kind="text", formula=""),
        Column(name="name", header=t("planning.grid"), kind="text", formula=""),
        Column(name="village_name", header=t("planning.village"), kind="text", formula=""),
        Column(name="n_households", header=t("planning.n_households"), kind="count", formula=t("planning.now_help")),
        Column(name="n_units", header=t("planning.n_units"), kind="count", formula=""),
        Column(name="state", header=t("planning.state"), kind="text", formula=""),
    ]
    rows = book.grids.drop(columns="geometry").reset_index(names="grid_code")
    return workbook(
        [Sheet(name=t("shell.planning"), rows=rows, columns=columns)], about_sheet=t("controls.about"), about=about
    )


def grid_pages(book: PlanBook) -> bytes:
    """Return a PDF with one A4 page a grid: its land, its neighbours, its homes, its number of households."""
    out = io.BytesIO()
    with mpl.rc_context({**picture_style(), "pdf.fonttype": 42}), PdfPages(out) as pages:
        for code in book.grids.index:
            pages.savefig(_page(book, str(code)))
    return out.getvalue()


def _page(book: PlanBook, code: str) -> Figure:
    grid = book.grids.loc[code]
    figure = Figure(figsize=_A4_INCHES)
    figure.text(0.08, 0.955, str(grid["name"]), fontsize=24, weight="bold", color=LIGHT.strong, va="top")
    figure.text(0.08, 0.91, f"{grid['village_name']} · {code}", fontsize=12, color=LIGHT.quiet, va="top")
    figure.text(
        0.92,
        0.955,
        f"{grid['n_households']} {t('unit.households')}",
        fontsize=24,
        weight="bold",
        color=LIGHT.strong,
        va="top",
        ha="right",
    )
    figure.text(0.92, 0.91, str(grid["state"]), fontsize=12, color=LIGHT.quiet, va="top", ha="right")
    figure.text(0.08, 0.035, book.title, fontsize=9, color=LIGHT.quiet)
    axes = figure.add_axes((0.08, 0.07, 0.84, 0.81))
    _draw(axes, book, code, grid.geometry)
    return figure


def _draw(axes: Axes, book: PlanBook, code: str, land: shapely.Geometry) -> None:
    west, south, east, north = land.bounds
    reach = max(east - west, (north - south) * 0.84 / 0.81 / _A4_INCHES[1] * _A4_INCHES[0]) * (0.5 + _MARGIN)
    high = reach * 0.81 * _A4_INCHES[1] / (0.84 * _A4_INCHES[0])
    x, y = (west + east) / 2, (south + north) / 2
    frame = shapely.box(x - reach, y - high, x + reach, y + high)
    others = book.grids.drop(index=code)
    near = others[others.intersects(frame)]
    _fill(axes, near.geometry, face="#eef2f5", edge="#9fb0bd", width=0.8)
    _fill(axes, gpd.GeoSeries([land]), face=LIGHT.load[0], edge="none", width=0)
    _fill(axes, book.water[book.water.intersects(frame)], face=LIGHT.water, edge=LIGHT.water, width=0.6)
    _fill(axes, book.units[book.units["grid_code"] == code].geometry, face="none", edge="#ffffff", width=0.8)
    _fill(axes, gpd.GeoSeries([land]), face="none", edge=LIGHT.strong, width=2.2)
    inside = book.homes[book.homes.intersects(land)]
    axes.scatter(inside.x, inside.y, s=9, color=LIGHT.strong, linewidths=0, zorder=5)
    for other, name in near["name"].items():
        place = shapely.point_on_surface(shapely.intersection(near.geometry[other], frame))
        if not place.is_empty:
            axes.text(place.x, place.y, str(name), fontsize=9, color=LIGHT.quiet, ha="center", clip_on=True)
    axes.set(xlim=(x - reach, x + reach), ylim=(y - high, y + high), aspect="equal", xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color(LIGHT.line)
    bar = 10 ** int(len(str(int(reach))) - 1)
    axes.plot([x - reach * 0.92, x - reach * 0.92 + bar], [y - high * 0.95] * _CORNERS, color=LIGHT.strong, linewidth=2)
    axes.text(x - reach * 0.92, y - high * 0.94, f"{bar} m", fontsize=9, color=LIGHT.strong, va="bottom")


def _fill(axes: Axes, shapes: gpd.GeoSeries, *, face: str, edge: str, width: float) -> None:
    polygons = [part for part in shapely.get_parts(shapes.to_numpy()) if part.geom_type == "Polygon"]
    patches = [PathPatch(Outline.make_compound_path(*_outlines(polygon))) for polygon in polygons]
    axes.add_collection(PatchCollection(patches, facecolor=face, edgecolor=edge, linewidth=width))


def _outlines(polygon: shapely.Polygon) -> list[Outline]:
    return [Outline(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon)]
