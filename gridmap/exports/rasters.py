"""Density surfaces as files: a picture that lies in its place, and grids of numbers that GIS programs open."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, TiffImagePlugin

from gridmap.analysis.density import Density
from gridmap.errors import InputError
from gridmap.maps.heat import HEAT_RAMP
from gridmap.maps.palette import rgba
from gridmap.texts import t

RASTER_ENDINGS = (".png", ".tif", ".tiff", ".asc", ".csv")
# Tags and keys of GeoTIFF 1.1 (OGC 19-008r4).
_PIXEL_SCALE, _TIE_POINT, _GEO_KEYS = 33550, 33922, 34735
_DOUBLE, _SHORT = 12, 3
_MODEL_TYPE, _RASTER_TYPE, _PROJECTED, _METRES = 1024, 1025, 3072, 3076
_STEPS = 255
_STRONGEST = 224


def require_raster_name(file: Path) -> None:
    """Refuse a file name that no surface can be written to, before long work is done for it.

    Raises
    ------
    InputError
        If the ending is none of PNG, GeoTIFF, ASCII grid and CSV, or the folder is not there.
    """
    if file.suffix.lower() not in RASTER_ENDINGS:
        raise InputError(t("hotspots.bad_raster", file=file.name))
    if not file.absolute().parent.is_dir():
        raise InputError(t("plan.no_folder", folder=file.parent))


def write_raster(density: Density, file: Path) -> list[Path]:
    """Write a density surface; its ending says how.

    Parameters
    ----------
    density
        The surface.
    file
        `.png`: a picture, with its world file (`.pgw`) and coordinate system (`.prj`); `.tif`: GeoTIFF of incidents per cell;
        `.asc`: ASCII grid of them, with `.prj`; `.csv`: `x`, `y` of the middle of each cell, `n_incidents`, `per_km2`.

    Returns
    -------
    list of Path
        Every file written.

    Raises
    ------
    InputError
        If the name does not fit, the coordinate system has no number for a GeoTIFF, or a file cannot be written.
    """
    require_raster_name(file)
    writers = {".png": _write_picture, ".asc": _write_ascii, ".csv": _write_csv}
    try:
        return writers.get(file.suffix.lower(), _write_tiff)(density, file)
    except OSError as error:
        raise InputError(t("plan.not_written", file=file.name, reason=error.strerror or error)) from error


def picture(values: npt.NDArray[np.float64]) -> Image.Image:
    """Return a surface as a picture of one pixel a cell: one ramp, and clear where nothing is.

    Parameters
    ----------
    values
        Rows from north to south, not negative; the largest gets the strongest colour.
    """
    highest = values.max(initial=0.0)
    steps = np.rint(values * (_STEPS / highest)).astype(np.uint8) if highest > 0 else np.zeros(values.shape, np.uint8)
    ramp = np.array([rgba(colour, 1.0)[:3] for colour in HEAT_RAMP], dtype=float)
    share = np.arange(_STEPS + 1) / _STEPS
    colours = [np.interp(share, np.linspace(0, 1, len(ramp)), ramp[:, channel]) for channel in range(3)]
    image = Image.fromarray(steps, "P")
    image.putpalette(np.rint(np.column_stack(colours)).astype(np.uint8).tobytes())
    # A palette with clearness of its own: a byte a pixel instead of four.
    image.info["transparency"] = np.rint(np.minimum(share * 3, 1) * _STRONGEST).astype(np.uint8).tobytes()
    return image


def _cells(density: Density) -> npt.NDArray[np.float64]:
    return density.values  # noqa: PD011  an array already


def _write_picture(density: Density, file: Path) -> list[Path]:
    picture(_cells(density)).save(file, "PNG", optimize=True)
    half = density.cell_m / 2
    lines = (density.cell_m, 0.0, 0.0, -density.cell_m, density.west + half, density.north - half)
    world = file.with_suffix(".pgw")
    world.write_text("".join(f"{number:.10f}\n" for number in lines), "ascii")
    return [file, world, _write_crs(density, file)]


def _write_crs(density: Density, file: Path) -> Path:
    beside = file.with_suffix(".prj")
    beside.write_text(density.crs.to_wkt("WKT1_ESRI"), "utf-8")
    return beside


def _write_tiff(density: Density, file: Path) -> list[Path]:
    epsg = density.crs.to_epsg()
    if epsg is None:
        raise InputError(t("hotspots.no_epsg", crs=density.crs.name))
    keys = [(_MODEL_TYPE, 1), (_RASTER_TYPE, 1), (_PROJECTED, epsg), (_METRES, 9001)]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    facts: dict[int, tuple[int, object]] = {
        _PIXEL_SCALE: (_DOUBLE, (density.cell_m, density.cell_m, 0.0)),
        _TIE_POINT: (_DOUBLE, (0.0, 0.0, 0.0, density.west, density.north, 0.0)),
        _GEO_KEYS: (_SHORT, (1, 1, 0, len(keys), *(number for key, value in keys for number in (key, 0, 1, value)))),
    }
    for tag, (kind, value) in facts.items():
        tags.tagtype[tag] = kind
        tags[tag] = value
    Image.fromarray(_cells(density).astype(np.float32)).save(file, "TIFF", tiffinfo=tags)
    return [file]


def _write_ascii(density: Density, file: Path) -> list[Path]:
    rows, columns = _cells(density).shape
    _, south, _, _ = density.bounds
    head = (
        f"ncols {columns}\nnrows {rows}\nxllcorner {density.west:.6f}\nyllcorner {south:.6f}\n"
        f"cellsize {density.cell_m:.6f}\nNODATA_value -9999\n"
    )
    with file.open("w", encoding="ascii") as opened:
        opened.write(head)
        np.savetxt(opened, _cells(density), fmt="%.9g")
    return [file, _write_crs(density, file)]


def _write_csv(density: Density, file: Path) -> list[Path]:
    rows, columns = _cells(density).shape
    x = density.west + density.cell_m * (np.arange(columns) + 0.5)
    y = density.north - density.cell_m * (np.arange(rows) + 0.5)
    table = pd.DataFrame(
        {
            "x": np.tile(x, rows),
            "y": np.repeat(y, columns),
            "n_incidents": _cells(density).ravel(),
            "per_km2": density.per_km2.ravel(),
        }
    )
    table.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return [file]
