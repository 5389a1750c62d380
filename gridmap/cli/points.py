"""Layers that commands read from files as they are, judged for what every command needs."""

from pathlib import Path
from typing import overload

import geopandas as gpd
import numpy as np
import pyproj

from gridmap.cli.output import progress
from gridmap.errors import CrsError, InputError
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.settings import settings
from gridmap.texts import t

_MOST_DEGREES = 360.0


def read_rows(file: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    """Read a layer that holds at least one row, in metres or in degrees.

    Parameters
    ----------
    file
        Any layer file, or a CSV with `x` and `y`.
    crs
        The coordinate system where the file does not say, or says degrees of what cannot be any: GeoJSON has no other name.

    Raises
    ------
    InputError
        If the file cannot be read or holds nothing.
    CrsError
        If there is no coordinate system, or `crs` is none.
    """
    limits = Limits(max_bytes=settings().max_file_mb * 2**20)
    named = None if crs is None else _parsed(crs, file=file.name)
    layer = read_any_layer(file, limits=limits, unnamed_crs=crs, may_be_degrees=True)
    if layer.empty:
        raise InputError(t("hotspots.no_rows", file=file.name))
    bounds = layer.total_bounds
    if layer.crs.is_geographic and (np.abs(bounds[np.isfinite(bounds)]) > _MOST_DEGREES).any():
        if named is None:
            raise CrsError(t("ingest.error_layer_without_crs", file=file.name))
        layer = layer.set_crs(named, allow_override=True)
    return layer


def _parsed(crs: str, *, file: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(t("ingest.error_crs_unknown", file=file, crs=crs[:100])) from error


@overload
def in_metres(layer: gpd.GeoDataFrame, other: None, *, file: str) -> tuple[gpd.GeoDataFrame, None]: ...
@overload
def in_metres(
    layer: gpd.GeoDataFrame, other: gpd.GeoDataFrame, *, file: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]: ...
def in_metres(
    layer: gpd.GeoDataFrame, other: gpd.GeoDataFrame | None, *, file: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Return two layers in one system of metres: that of the first, or of the other where the first is in degrees.

    Parameters
    ----------
    layer, other
        As read; the other may be None.
    file
        Name of the first one's file.

    Raises
    ------
    CrsError
        If neither is in metres.
    """
    if layer.crs.is_projected:
        return layer, None if other is None else other.to_crs(layer.crs)
    if other is None or not other.crs.is_projected:
        raise CrsError(t("ingest.error_layer_in_degrees", file=file, crs=layer.crs.name))
    progress(t("hotspots.brought_over", file=file, crs=other.crs.name))
    return layer.to_crs(other.crs), other


def read_points(file: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    """Read incidents: points, some of which may have no place; in metres or in degrees.

    Raises
    ------
    InputError
        If the file cannot be read, holds nothing, or shapes that are no points.
    CrsError
        If there is no coordinate system, or `crs` is none.
    """
    layer = read_rows(file, crs=crs)
    if not set(layer.geom_type.dropna()) <= {"Point"}:
        raise InputError(t("hotspots.no_points", file=file.name))
    return layer
