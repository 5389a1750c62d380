"""The township's own layers as GeoJSON for the browser: fetched once per change, named by their content."""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.analysis.counting import count_points
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township
from gridmap.store.places import read_areas, read_grids, read_households, read_labels, read_paths, read_water

_DEGREE_DECIMALS = 6
_GRID_COLUMNS = ("name", "village_code", "n_households", "cap_share", "position", "geometry")


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """One layer, ready to be sent.

    Parameters
    ----------
    township_code
        Whose layer it is.
    name
        A key of `LAYERS`.
    digest
        Short hash of the content: the same digest is the same content, also after a restore.
    body
        GeoJSON, gzipped; WGS 84 and CGCS2000 agree within what a screen can show.
    n_features
        Number of shapes.
    """

    township_code: str
    name: str
    digest: str
    body: bytes
    n_features: int

    def raw(self) -> bytes:
        """Return the GeoJSON as it is without compression."""
        return gzip.decompress(self.body)

    @property
    def url(self) -> str:
        """Return the address under which the browser fetches exactly this content."""
        return f"/map/{self.township_code}/{self.name}-{self.digest}.json"


Read = Callable[[Connection, str, date], gpd.GeoDataFrame]


def _areas(connection: Connection, township_code: str, on: date) -> gpd.GeoDataFrame:
    levels = [
        read_areas(connection, township_code=township_code, level=level, on=on).assign(level=level)
        for level in ("township", "village")
    ]
    return gpd.GeoDataFrame(pd.concat(levels))[["name", "level", "geometry"]]


def _groups(connection: Connection, township_code: str, on: date) -> gpd.GeoDataFrame:
    return read_areas(connection, township_code=township_code, level="group", on=on)[["name", "geometry"]]


def _grids(connection: Connection, township_code: str, on: date) -> gpd.GeoDataFrame:
    grids = read_grids(connection, township_code=township_code, on=on)
    if grids.empty:
        return grids.assign(n_households=0, cap_share=0.0, position=0)[list(_GRID_COLUMNS)]
    metric = find_township(connection, township_code=township_code).metric_epsg
    homes = read_households(connection, township_code=township_code).to_crs(metric)
    grids["n_households"] = count_points(homes, grids.to_crs(metric))["n_points"]
    # Without homes the load is unknown, not 0.
    grids["cap_share"] = (grids["n_households"] / grids["household_cap"]).round(4) if len(homes) else None
    # A page colours grids by a text with one sign a grid; this is a grid's place in it.
    grids["position"] = range(len(grids))
    return grids[list(_GRID_COLUMNS)]


def _paths(connection: Connection, township_code: str, _on: date) -> gpd.GeoDataFrame:
    return read_paths(connection, township_code=township_code)[["kind", "is_bridge", "geometry"]]


def _water(connection: Connection, township_code: str, _on: date) -> gpd.GeoDataFrame:
    return read_water(connection, township_code=township_code)[["kind", "name", "geometry"]]


def _labels(connection: Connection, township_code: str, _on: date) -> gpd.GeoDataFrame:
    return read_labels(connection, township_code=township_code)[["kind", "name", "rank", "geometry"]]


LAYERS: Mapping[str, Read] = {
    "areas": _areas,
    "groups": _groups,
    "grids": _grids,
    "paths": _paths,
    "water": _water,
    "labels": _labels,
}


@depends_on("places", "households", "base_map")
def map_layer(connection: Connection, *, township_code: str, layer: str, on: date) -> MapLayer:
    """Return one layer of the base map, each shape with its code as `code`.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    layer
        A key of `LAYERS`.
    on
        Day whose plan in force gives the grids.

    Raises
    ------
    KeyError
        If there is no such layer.
    """
    shapes = LAYERS[layer](connection, township_code, on)
    raw = json.dumps(_feature_collection(shapes), ensure_ascii=False, separators=(",", ":")).encode()
    return MapLayer(
        township_code=township_code,
        name=layer,
        digest=hashlib.sha256(raw).hexdigest()[:16],
        body=gzip.compress(raw, mtime=0),
        n_features=len(shapes),
    )


def _feature_collection(shapes: gpd.GeoDataFrame) -> dict[str, Any]:
    rounded = shapely.transform(shapes.geometry.to_numpy(), _rounded)
    properties = shapes.drop(columns="geometry").reset_index(names="code").astype(object)
    properties = properties.where(properties.notna(), None)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": values, "geometry": shapely.geometry.mapping(shape)}
            for values, shape in zip(properties.to_dict("records"), rounded, strict=True)
        ],
    }


def _rounded(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.round(coordinates, _DEGREE_DECIMALS)
