"""The files of `gridmap coverage`: paths, places and water, all in the metres of the points."""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from gridmap.analysis.network.build import BRIDGE_KINDS, build_network
from gridmap.analysis.network.network import Network
from gridmap.crs import require_one_metric_crs
from gridmap.errors import InputError
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.ingest.osm import ENDING, read_osm_paths
from gridmap.settings import settings
from gridmap.texts import t

_NAMES = ("household_code", "checkpoint_code", "code", "id", "name", "户编号", "巡查点编号", "编号", "名称")
_FLAGS, _KINDS = ("is_bridge", "bridge", "桥"), ("kind", "highway", "fclass", "type", "类型")
_YES = frozenset({"1", "1.0", "true", "yes", "y", "是", "t"})
_KMH = 3.6


def read_places(
    file: Path, *, crs: str | None, target: pyproj.CRS | None = None, columns: Sequence[str] = ()
) -> gpd.GeoDataFrame:
    """Read points in metres, named by a column where one is unique, else by their number.

    Parameters
    ----------
    file
        The file.
    crs
        The coordinate system, where the file does not say.
    target
        What they are projected to; None: they stay.
    columns
        Columns that must be there.

    Raises
    ------
    InputError
        If the file cannot be read, holds no rows or other shapes, is in degrees, or lacks a column.
    """
    if file.suffix.lower() == ENDING:
        raise InputError(t("reach.osm_points", file=file.name))
    layer = read_any_layer(file, limits=_limits(), unnamed_crs=crs)
    if layer.empty:
        raise InputError(t("ingest.error_no_rows", file=file.name))
    require_one_metric_crs(**{file.name: layer})
    for column in columns:
        if column not in layer:
            known = ", ".join(f"`{header}`" for header in layer.columns if header != "geometry")
            raise InputError(t("reach.no_column", file=file.name, column=column, columns=known))
    kinds = shapely.get_type_id(layer.geometry.to_numpy())
    single = kinds == shapely.GeometryType.MULTIPOINT
    single &= shapely.get_num_geometries(layer.geometry.to_numpy()) == 1
    if single.any():
        shapes = layer.geometry.to_numpy().copy()
        shapes[single] = shapely.get_geometry(shapes[single], 0)
        layer = layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs=layer.crs))
    strange = ~np.isin(kinds, (-1, shapely.GeometryType.POINT)) & ~single & ~layer.geometry.is_empty.to_numpy()
    if strange.any():
        raise InputError(t("reach.not_points", file=file.name, kind=layer.geom_type[strange].iloc[0]))
    name = next(
        (name for name in _NAMES if name in layer and layer[name].notna().all() and layer[name].is_unique), None
    )
    if name is not None:
        layer.index = layer[name].to_numpy()
    return layer if target is None else layer.to_crs(target)


def read_paths_network(
    file: Path,
    *,
    target: pyproj.CRS,
    unnamed_crs: str | None,
    snap_m: float,
    speed_m_s: float,
    speed_of: Sequence[str],
) -> tuple[Network, gpd.GeoDataFrame]:
    """Read lines and make a network of them; also return what was odd about them.

    Parameters
    ----------
    file
        A layer of lines, also in degrees, or OpenStreetMap XML.
    target
        The metric CRS that they are projected to.
    unnamed_crs
        Their coordinate system, where the file does not say.
    snap_m, speed_m_s
        See `analysis.network.build.build_network`; the speed of kinds that `speed_of` does not name.
    speed_of
        `KIND=KMH`, each.

    Raises
    ------
    InputError
        If the file cannot be read, holds other shapes, no usable path, or not the kinds that are named.
    """
    if file.suffix.lower() == ENDING:
        paths = read_osm_paths(file, limits=_limits())
    else:
        paths = read_any_layer(file, limits=_limits(), unnamed_crs=unnamed_crs, may_be_degrees=True, keeps_heights=True)
    is_line = shapely.get_dimensions(paths.geometry.to_numpy()) <= 1
    is_line &= ~np.isin(paths.geom_type, ("Point", "MultiPoint", "GeometryCollection"))
    if not is_line.all():
        raise InputError(t("reach.not_lines", file=file.name, kind=paths.geom_type[~is_line].iloc[0]))
    paths = _understood(paths).to_crs(target)
    paths.geometry = paths.geometry.where(np.isfinite(paths.geometry.bounds).all(axis=1), None)
    kinds = set(paths["kind"])
    speeds = dict.fromkeys(kinds, speed_m_s) | _speeds(file, speed_of, kinds)
    network, problems = build_network(paths, snap_m=snap_m, speed_m_s=speeds)
    if not network.n_edges:
        counts = problems["kind"].value_counts()
        faults = ", ".join(f"{t(f'reach.problem_{kind}')} {n}" for kind, n in counts.items())
        raise InputError(t("reach.no_paths", file=file.name, faults=faults))
    return network, problems


def read_walls(file: Path, *, target: pyproj.CRS, unnamed_crs: str | None) -> gpd.GeoSeries:
    """Read what no way to a path crosses; rows that say they are bridges are left out.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    rows = read_any_layer(file, limits=_limits(), unnamed_crs=unnamed_crs, may_be_degrees=True)
    rows = _understood(rows[rows.geometry.notna() & ~rows.geometry.is_empty]).to_crs(target)
    walls: gpd.GeoSeries = rows.geometry[~rows["is_bridge"] & ~rows["kind"].isin(BRIDGE_KINDS)]
    return walls


def _understood(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give rows `kind` (text, "" where none) and `is_bridge`, from the headers that people use for them."""
    headers = {str(column).strip().lower(): column for column in reversed(rows.columns.drop("geometry"))}
    kind = next((headers[name] for name in _KINDS if name in headers), None)
    flag = next((headers[name] for name in _FLAGS if name in headers), None)
    kinds = "" if kind is None else rows[kind].fillna("").astype(str).str.strip()
    is_bridge = False if flag is None else rows[flag].astype(str).str.strip().str.lower().isin(_YES)
    return rows.assign(kind=kinds, is_bridge=is_bridge)


def _speeds(file: Path, speed_of: Sequence[str], kinds: set[str]) -> dict[str, float]:
    speeds = {}
    for said in speed_of:
        kind, _, kmh = said.partition("=")
        try:
            speed = float(kmh)
        except ValueError:
            speed = np.nan
        if not (np.isfinite(speed) and speed >= 0):
            raise InputError(t("reach.bad_speed_of", value=said))
        if kind not in kinds:
            known = ", ".join(f"`{one}`" for one in sorted(kinds))
            raise InputError(t("reach.unused_speed", kind=kind, file=file.name, kinds=known))
        speeds[kind] = speed / _KMH
    return speeds


def _limits() -> Limits:
    return Limits(max_bytes=settings().max_file_mb * 2**20)
