"""What the review needs of one township as GeoParquet, a file a layer, for a run over many townships."""

from dataclasses import fields
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.review.frames import Frames, Rules
from gridmap.errors import InputError
from gridmap.reports.review.read import read_review_frames
from gridmap.store.places import Township, read_areas
from gridmap.texts import t

TOWNSHIPS = "townships"
_LAYERS = tuple(one.name for one in fields(Frames) if one.name not in ("has_new_plan", "teams"))
_PLAIN = ("postings", "steps", "home_visits")


def write_township(
    connection: Connection,
    folder: Path,
    *,
    township_code: str,
    month: date,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
) -> list[Path]:
    """Write what the review of one township needs as GeoParquet, for a run over many.

    Returns
    -------
    list
        The files.

    Raises
    ------
    InputError
        If the township is not in the database, or the folder cannot be written to.
    """
    read = read_review_frames(
        connection, township_code=township_code, month=month, known_at=known_at, zone=zone, rules=rules
    )
    land = read_areas(connection, township_code=township_code, level="township").geometry
    return write_frames(read.frames, read.township, land.iloc[0], folder)


def write_frames(frames: Frames, township: Township, land: Any, folder: Path) -> list[Path]:
    """Write the frames of one township, in the stored coordinate system, into the folders of their layers.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    row = {
        "township_code": [township.code],
        "name": [township.name],
        "metric_epsg": [township.metric_epsg],
        "has_new_plan": [frames.has_new_plan],
    }
    layers: dict[str, pd.DataFrame] = {TOWNSHIPS: gpd.GeoDataFrame(row, geometry=[land], crs=frames.villages.crs)}
    layers |= {name: getattr(frames, name) for name in _LAYERS}
    written = []
    try:
        for name, rows in layers.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            file = folder / name / f"{township.code}.parquet"
            rows.to_parquet(file)
            written.append(file)
    except OSError as error:
        raise InputError(t("review.error_out", out=folder)) from error
    return written


def read_frames(folder: Path, township_code: str, *, has_new_plan: bool) -> Frames:
    """Return the frames of one township as they were written.

    Raises
    ------
    InputError
        If a layer of it is missing.
    """
    layers: dict[str, Any] = {}
    for name in _LAYERS:
        file = folder / name / f"{township_code}.parquet"
        if not file.exists():
            raise InputError(t("review.error_layer", township=township_code, layer=name))
        layers[name] = pd.read_parquet(file) if name in _PLAIN else gpd.read_parquet(file)
    return Frames(**layers, has_new_plan=has_new_plan, teams=pd.Series(dtype=object))
