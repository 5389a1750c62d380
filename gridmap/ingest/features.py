"""Any layer with all its columns, for jobs from file to file: only the shapes and the coordinate system are judged."""

import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj

from gridmap.errors import CrsError, InputError
from gridmap.ingest.files import TABLE_ENDINGS, VECTOR_ENDINGS, Source, open_files
from gridmap.ingest.limits import Limits
from gridmap.ingest.tables import RawTable, read_csv
from gridmap.ingest.vectors import read_features
from gridmap.texts import t

_EAST, _NORTH = ("x", "east", "easting", "横坐标"), ("y", "north", "northing", "纵坐标")
_GEOMETRY = "geometry"


def read_any_layer(
    file: Path,
    *,
    limits: Limits,
    crs: str | None = None,
    unnamed_crs: str | None = None,
    may_be_degrees: bool = False,
    keeps_heights: bool = False,
    plain_metres: bool = False,
) -> gpd.GeoDataFrame:
    """Read one layer of a vector file, or a CSV with `x` and `y`, as it is.

    Parameters
    ----------
    file
        GeoPackage, GeoJSON, Shapefile (also zipped), KML, or CSV.
    limits
        Sizes that are allowed.
    crs
        The coordinate system where the file does not say, or says it wrongly.
    unnamed_crs
        The coordinate system only where the file does not say.
    may_be_degrees
        Whether longitude and latitude are taken; the caller projects them.
    keeps_heights
        Whether vertices keep their third coordinate.
    plain_metres
        Whether a table without one is taken as it is, its `x` and `y` as metres: then the layer has no CRS.

    Returns
    -------
    GeoDataFrame
        Index 1, 2, … in file order; every column under its header, numbers as numbers; shapes may be null.

    Raises
    ------
    InputError
        If the file cannot be read within the limits, holds no rows, several layers, or no shapes.
    CrsError
        If neither file nor caller name a coordinate system, or it is one that is not taken.
    """
    with tempfile.TemporaryDirectory(prefix="gridmap-layer-") as folder:
        sources, facts = open_files([file], limits=limits, work=Path(folder))
        tables = [table for source in sources for table in _tables(source, limits=limits, keeps_heights=keeps_heights)]
    if len(tables) != 1:
        names = ", ".join(f"`{table.name or table.file}`" for table in tables)
        raise InputError(t("ingest.error_several_layers", file=facts.name, layers=names))
    table = tables[0]
    columns = {
        header: pd.Series(table.cells[at].tolist(), index=table.cells.index).infer_objects()
        for at, header in enumerate(table.headers)
        if header and header != _GEOMETRY
    }
    frame = pd.DataFrame(columns, index=table.cells.index)
    shapes = _points(frame, file=facts.name) if table.geometries is None else gpd.GeoSeries(table.geometries)
    shapes.index = frame.index
    named = crs or table.crs or unnamed_crs
    is_plain = plain_metres and table.geometries is None and named is None
    known = None if is_plain else _known(named, file=facts.name, may_be_degrees=may_be_degrees)
    layer = gpd.GeoDataFrame(frame, geometry=shapes, crs=known)
    layer.index = pd.RangeIndex(1, len(layer) + 1)
    return layer


def _tables(source: Source, *, limits: Limits, keeps_heights: bool) -> list[RawTable]:
    if source.ending in TABLE_ENDINGS:
        return [read_csv(source.path, name=source.name, parts=[], mapping=None, limits=limits)]
    if source.ending == ".json":
        source = Source(path=source.path, name=source.name, ending=".geojson")
    if source.ending not in VECTOR_ENDINGS:
        raise InputError(t("ingest.error_no_layer_file", file=source.name))
    return read_features(source, limits=limits, keeps_heights=keeps_heights)


def _points(frame: pd.DataFrame, *, file: str) -> gpd.GeoSeries:
    found = [
        next((header for header in frame if str(header).strip().lower() in names), None) for names in (_EAST, _NORTH)
    ]
    if None in found:
        raise InputError(t("ingest.error_layer_without_shapes", file=file))
    east, north = (pd.to_numeric(frame[header], errors="coerce") for header in found)
    return gpd.GeoSeries(gpd.points_from_xy(east, north))


def _known(crs: str | None, *, file: str, may_be_degrees: bool) -> pyproj.CRS:
    if crs is None:
        raise CrsError(t("ingest.error_layer_without_crs", file=file))
    try:
        parsed = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(t("ingest.error_crs_unknown", file=file, crs=crs[:100])) from error
    if not (parsed.is_projected or (may_be_degrees and parsed.is_geographic)):
        raise CrsError(t("ingest.error_layer_in_degrees", file=file, crs=parsed.name))
    return parsed
