"""What the review needs of one township as GeoParquet, a file a layer, for a run over many townships."""

from dataclasses import dataclass, fields
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.review.frames import Frames, Rules
from gridmap.analysis.review.month import row_parts
from gridmap.errors import InputError
from gridmap.reports.review.read import read_review_frames
from gridmap.reports.review.report import report_of, require_begun
from gridmap.reports.review.shape import ReviewReport
from gridmap.store.places import Township, read_areas
from gridmap.texts import t

TOWNSHIPS = "townships"
_LAYERS = tuple(one.name for one in fields(Frames) if one.name not in ("has_new_plan", "teams"))
BOOKED = "booked"
"""Figures that are read from the books of a township, not measured: ledgers, promises, imports, tasks."""
_BOOKED_SECTIONS, _QUARANTINED = ("ledgers", "promises", "actions"), "quality.quarantined"
_PLAIN = ("postings", "steps", "home_visits", BOOKED)


@dataclass(frozen=True, kw_only=True)
class TownshipAbout:
    """A township of a folder: of which month its data are, and at which instant they were known."""

    code: str
    name: str
    month: str
    known_at: datetime


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
        If the month had not begun, the township is not in the database, or the folder cannot be written to.
    """
    require_begun(month, known_at=known_at, zone=zone)
    read = read_review_frames(
        connection, township_code=township_code, month=month, known_at=known_at, zone=zone, rules=rules
    )
    land = read_areas(connection, township_code=township_code, level="township").geometry
    report = report_of(connection, read, month=month, known_at=known_at, zone=zone, rules=rules)
    return write_frames(
        read.frames, read.township, land.iloc[0], folder, month=month, known_at=known_at, booked=_booked(report)
    )


def _booked(report: ReviewReport) -> pd.Series:
    """Return the figures that `analysis.review.month.review_row` does not know, named as there."""
    quarantined = report.figures[_QUARANTINED]
    row = row_parts(_QUARANTINED, quarantined.value, quarantined.numerator, quarantined.denominator)
    for section in report.sections:
        for one in section.figures if section.key in _BOOKED_SECTIONS else ():
            row |= row_parts(one.key, one.value, one.numerator, one.denominator)
            if one.previous is not None:
                row[f"previous.{one.key}"] = one.previous.value
    return pd.Series(row, dtype=float)


def write_frames(
    frames: Frames,
    township: Township,
    land: Any,
    folder: Path,
    *,
    month: date,
    known_at: datetime,
    booked: pd.Series | None = None,
) -> list[Path]:
    """Write the frames of one township, in the stored coordinate system, into the folders of their layers.

    The row of the township says of which month they are and at which instant they were known: of another month they hold a part only.
    It is put in place last, so that a township that could not be written whole is none.

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
        "month": [f"{month:%Y-%m}"],
        "known_at": [known_at.isoformat()],
    }
    layers: dict[str, pd.DataFrame] = {name: getattr(frames, name) for name in _LAYERS}
    figures = pd.Series(dtype=float) if booked is None else booked
    layers[BOOKED] = figures.rename("value").rename_axis("key").reset_index()
    layers[TOWNSHIPS] = gpd.GeoDataFrame(row, geometry=[land], crs=frames.villages.crs)
    files = {name: folder / name / f"{township.code}.parquet" for name in layers}
    try:
        files[TOWNSHIPS].unlink(missing_ok=True)
        for name, rows in layers.items():
            files[name].parent.mkdir(parents=True, exist_ok=True)
            rows.to_parquet(files[name])
    except OSError as error:
        raise InputError(t("review.error_unwritable", out=folder)) from error
    return list(files.values())


def read_township(file: Path) -> TownshipAbout:
    """Return what the file of a township says of it.

    Raises
    ------
    InputError
        If it cannot be read, or is none.
    """
    try:
        row = gpd.read_parquet(file).iloc[0]
        return TownshipAbout(
            code=str(row["township_code"]),
            name=str(row["name"]),
            month=str(row["month"]),
            known_at=datetime.fromisoformat(row["known_at"]),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(t("review.error_layer_broken", township=file.stem, layer=TOWNSHIPS)) from error


def read_frames(folder: Path, township_code: str, *, has_new_plan: bool) -> Frames:
    """Return the frames of one township as they were written.

    Raises
    ------
    InputError
        If a layer of it is missing or cannot be read.
    """
    layers: dict[str, Any] = {name: _read_layer(folder, township_code, name) for name in _LAYERS}
    return Frames(**layers, has_new_plan=has_new_plan, teams=pd.Series(dtype=object))


def read_booked(folder: Path, township_code: str) -> pd.Series:
    """Return the figures of a township that are not measured, index their names.

    Raises
    ------
    InputError
        If the layer is missing or cannot be read.
    """
    return pd.Series(_read_layer(folder, township_code, BOOKED).set_index("key")["value"])


def _read_layer(folder: Path, township_code: str, name: str) -> pd.DataFrame:
    file = folder / name / f"{township_code}.parquet"
    if not file.exists():
        raise InputError(t("review.error_layer", township=township_code, layer=name))
    try:
        return pd.read_parquet(file) if name in _PLAIN else gpd.read_parquet(file)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(t("review.error_layer_broken", township=township_code, layer=name)) from error
