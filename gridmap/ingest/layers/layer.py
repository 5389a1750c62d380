"""What every layer module answers: the parts it looks for and a pure function from raw tables to checked frames."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.crs import STORED_CRS
from gridmap.frames import FRAMES
from gridmap.ingest.columns import Part
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, Placed


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One part after reading: its frame (contract `FRAMES`), its books, where its places came from, sentences about it."""

    part: str
    frame: pd.DataFrame
    ledger: Ledger
    placed: Placed | None = None
    notes: tuple[str, ...] = ()


Read = Callable[[Mapping[str, Ledger], Given, dt.tzinfo], Sequence[Taken]]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of the command line.

    Parameters
    ----------
    name
        As on the command line.
    parts
        The tables it is made of; the first one must be there.
    read
        Ledgers by part name (only those found) → what was taken.
    """

    name: str
    parts: tuple[Part, ...]
    read: Read


def frame_of(part: str, columns: Mapping[str, pd.Series], ledger: Ledger, placed: Placed | None = None) -> pd.DataFrame:
    """Build the frame of the rows still open, with the column types of the contract.

    Parameters
    ----------
    part
        A key of `FRAMES`.
    columns
        Column → values of all rows.
    ledger
        Says which rows are open.
    placed
        Geometries of all rows, for frames that have them.
    """
    spec = FRAMES[part]
    rows = ledger.is_open
    typed = {
        column: _typed(columns[column].reset_index(drop=True)[rows].reset_index(drop=True), kind)
        for column, kind in spec.columns.items()
    }
    frame = pd.DataFrame(typed)
    if not spec.geometry or placed is None:
        return frame
    located: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(placed.geometries[rows], crs=STORED_CRS))
    return located


def empty_frame(part: str) -> pd.DataFrame:
    """Return a frame of a part without rows."""
    spec = FRAMES[part]
    frame = pd.DataFrame({column: _typed(pd.Series([], dtype=object), kind) for column, kind in spec.columns.items()})
    if not spec.geometry:
        return frame
    located: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([], crs=STORED_CRS))
    return located


def refuse_backwards(ledger: Ledger, start: pd.Series, end: pd.Series, *, target: str) -> None:
    """Refuse rows whose period does not end after its start; an open end is fine."""
    pairs = zip(start, end, strict=True)
    backwards = [one is not None and other is not None and other <= one for one, other in pairs]
    ledger.refuse(np.array(backwards, dtype=bool), "period_backwards", target=target, start=start)


def _typed(values: pd.Series, kind: str) -> pd.Series:
    match kind:
        case "int":
            return values.astype(float).astype(np.int64)
        case "int?":
            return pd.to_numeric(values).astype("Int64")
        case "float" | "float?":
            return pd.to_numeric(values).astype(float)
        case "bool":
            return values.astype(bool)
        case "instant" | "instant?":
            return values
        case _:
            return values.astype(object).where(values.notna(), None)
