"""`gridmap heat`: a density surface of points, from file to file, without a database."""

import math
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from gridmap.analysis.density import density_of_places
from gridmap.analysis.geometry import coordinates_of
from gridmap.cli.output import answer_json, progress, say
from gridmap.cli.points import in_metres, read_points, read_rows
from gridmap.errors import InputError
from gridmap.exports.rasters import require_raster_name, write_raster
from gridmap.texts import t

_MOST_CELLS = 25_000_000
# So far around the outermost points the surface has fallen to nothing.
_MARGIN_OF_KERNEL = 4.0
# Narrower kernels are drawn by the cell, not by their shape (docs/kpi.md, "dispute density").
_FEWEST_CELLS = 2

Bounds = tuple[float, float, float, float]


def heat(  # noqa: PLR0917  Typer takes the options by name
    points: Annotated[Path, typer.Argument(help="Incidents: points, or a CSV with x and y.")],
    cell_m: Annotated[float, typer.Option(help="Width of a cell, metres.")],
    bandwidth_m: Annotated[float, typer.Option(help="Standard deviation of the kernel, metres.")],
    out: Annotated[Path, typer.Option(help="File to write: .png (with .pgw, .prj), .tif, .asc or .csv.")],
    bounds: Annotated[
        str | None, typer.Option(help="west,south,east,north in metres; default: around the points.")
    ] = None,
    area: Annotated[Path | None, typer.Option(help="A layer whose extent is the bounds.")] = None,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4547, where a file does not say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Smooth points into a surface whose sum is their number."""
    require_raster_name(out)
    if not 0 < cell_m < math.inf or not 0 < bandwidth_m < math.inf:
        raise InputError(t("hotspots.bad_lengths", cell=cell_m, bandwidth=bandwidth_m))
    if bounds is not None and area is not None:
        raise InputError(t("hotspots.bounds_twice"))
    layer, ground = in_metres(
        read_points(points, crs=crs), None if area is None else read_rows(area, crs=crs), file=points.name
    )
    if bandwidth_m < _FEWEST_CELLS * cell_m:
        progress(t("hotspots.narrow", cells=_FEWEST_CELLS))
    xy = coordinates_of(layer)
    if bounds is not None:
        extent = _parsed(bounds)
    elif ground is not None:
        extent = tuple(ground.total_bounds.tolist())
    else:
        extent = _around(xy, margin_m=_MARGIN_OF_KERNEL * bandwidth_m, file=points.name)
    _require_size(extent, cell_m)
    began = time.perf_counter()
    surface = density_of_places(xy, bounds=extent, cell_m=cell_m, bandwidth_m=bandwidth_m, crs=layer.crs)
    seconds = time.perf_counter() - began
    written = write_raster(surface, out)
    rows, columns = surface.values.shape
    row, column = divmod(int(surface.values.argmax()), columns)
    answer = {
        "n_points": surface.n_points,
        "n_outside": surface.n_outside,
        "cell_m": cell_m,
        "bandwidth_m": bandwidth_m,
        "columns": columns,
        "rows": rows,
        "bounds": list(surface.bounds),
        "sum": float(surface.values.sum()),
        "maximum": float(surface.values.max()),
        "maximum_per_km2": float(surface.per_km2.max()),
        "maximum_at": [surface.west + cell_m * (column + 0.5), surface.north - cell_m * (row + 0.5)]
        if surface.n_points
        else None,
        "files": [file.name for file in written],
        "seconds": round(seconds, 4),
    }
    if as_json:
        answer_json(answer)
        return
    if answer["maximum_at"] is None:
        say(t("hotspots.blank", columns=columns, rows=rows))
    else:
        x, y = answer["maximum_at"]
        spoken = {"maximum": f"{answer['maximum_per_km2']:.1f}", "x": f"{x:.0f}", "y": f"{y:.0f}"}
        say(t("hotspots.surface", **{**answer, **spoken}))
    if surface.n_outside:
        say(t("hotspots.outside_picture", n=surface.n_outside))
    say(t("plan.written", file=", ".join(str(file) for file in written)))


def _parsed(bounds: str) -> Bounds:
    try:
        west, south, east, north = (float(part) for part in bounds.split(","))
    except ValueError as error:
        raise InputError(t("hotspots.bad_bounds", bounds=bounds[:100])) from error
    if not (np.isfinite([west, south, east, north]).all() and east > west and north > south):
        raise InputError(t("hotspots.bad_bounds", bounds=bounds[:100]))
    return west, south, east, north


def _around(xy: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", *, margin_m: float, file: str) -> Bounds:
    known = xy[np.isfinite(xy).all(axis=1)]
    if not len(known):
        raise InputError(t("hotspots.nowhere", file=file))
    (west, south), (east, north) = known.min(axis=0) - margin_m, known.max(axis=0) + margin_m
    return float(west), float(south), float(east), float(north)


def _require_size(bounds: Bounds, cell_m: float) -> None:
    west, south, east, north = bounds
    if not (np.isfinite(bounds).all() and east > west and north > south):
        raise InputError(t("hotspots.bad_bounds", bounds=", ".join(f"{one:g}" for one in bounds)))
    columns, rows = math.ceil((east - west) / cell_m), math.ceil((north - south) / cell_m)
    if columns * rows > _MOST_CELLS:
        raise InputError(t("hotspots.too_fine", columns=columns, rows=rows, most=_MOST_CELLS))
