"""Layers that commands read from files as they are, judged for what every command needs."""

from pathlib import Path

import geopandas as gpd

from gridmap.errors import InputError
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.settings import settings
from gridmap.texts import t


def read_rows(file: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    """Read a layer that holds at least one row.

    Raises
    ------
    InputError
        If the file cannot be read or holds nothing.
    CrsError
        If there is no coordinate system in metres.
    """
    layer = read_any_layer(file, limits=Limits(max_bytes=settings().max_file_mb * 2**20), crs=crs)
    if layer.empty:
        raise InputError(t("hotspots.no_rows", file=file.name))
    return layer


def read_points(file: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    """Read incidents: points, some of which may have no place.

    Raises
    ------
    InputError
        If the file cannot be read, holds nothing, or shapes that are no points.
    CrsError
        If there is no coordinate system in metres.
    """
    layer = read_rows(file, crs=crs)
    if not set(layer.geom_type.dropna()) <= {"Point"}:
        raise InputError(t("hotspots.no_points", file=file.name))
    return layer
