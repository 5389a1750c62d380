"""Layers as files that GIS programs open."""

from pathlib import Path

import geopandas as gpd

from gridmap.errors import InputError
from gridmap.exports.tables import harmless
from gridmap.texts import t

_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}


def require_layer_name(file: Path) -> None:
    """Refuse a file name that no layer can be written to, before long work is done for it.

    Raises
    ------
    InputError
        If the ending is none of GeoPackage, GeoJSON, Shapefile and CSV, or the folder is not there.
    """
    if file.suffix.lower() not in {*_DRIVERS, ".csv"}:
        raise InputError(t("plan.bad_output", file=file.name))
    if not file.absolute().parent.is_dir():
        raise InputError(t("plan.no_folder", folder=file.parent))


def write_layer(layer: gpd.GeoDataFrame, file: Path, *, name: str | None = None, adds: bool = False) -> None:
    """Write a layer with all its columns; a CSV holds points as x and y, and polygons as text (WKT).

    Parameters
    ----------
    layer
        What is written, without its index.
    file
        Its ending says the format.
    name
        Of the layer in a GeoPackage; None: the file's.
    adds
        Whether the GeoPackage keeps the layers it has.

    Raises
    ------
    InputError
        If the name does not fit (`require_layer_name`) or the file cannot be written.
    """
    require_layer_name(file)
    try:
        if file.suffix.lower() == ".csv":
            _write_csv(layer, file)
        else:
            options = {"layer": name} if name else {}
            driver = _DRIVERS[file.suffix.lower()]
            layer.to_file(file, driver=driver, index=False, mode="a" if adds else "w", **options)
    except OSError as error:
        raise InputError(t("plan.not_written", file=file.name, reason=error.strerror or error)) from error


def _write_csv(layer: gpd.GeoDataFrame, file: Path) -> None:
    table = layer.drop(columns=layer.geometry.name)
    if (layer.geom_type == "Point").all():
        table = table.assign(x=layer.geometry.x, y=layer.geometry.y)
    else:
        table = table.assign(wkt=layer.geometry.to_wkt())
    table = table.map(lambda value: harmless(value) if isinstance(value, str) else value)
    table = table.rename(columns=lambda name: harmless(str(name)))
    table.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\r\n")
