"""How every read runs: bound SQL in, a frame in the stored coordinate system out."""

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from gridmap.crs import STORED_CRS


def read_table(connection: Connection, sql: str, /, *, index: str | None = None, **values: Any) -> pd.DataFrame:
    """Return the rows of a query.

    Parameters
    ----------
    connection
        Where to ask.
    sql
        One SELECT with `:name` parameters.
    index
        Column that becomes the index.
    values
        The parameters.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses the query.
    """
    result = connection.execute(text(sql), values)
    # pandas asks each row for attributes that a row of SQLAlchemy looks up as columns: plain tuples are read in half the time.
    rows = pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
    return rows.set_index(index) if index else rows


def read_layer(connection: Connection, sql: str, /, *, index: str | None = None, **values: Any) -> gpd.GeoDataFrame:
    """Return the rows of a query whose column `geom` is WKB (`ST_AsBinary(geom) AS geom`), as `geometry`.

    The frame has the stored coordinate system, also when it is empty.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses the query.
    """
    rows = read_table(connection, sql, index=index, **values)
    shapes = shapely.from_wkb([None if raw is None else bytes(raw) for raw in rows.pop("geom")])
    return gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries(shapes, index=rows.index, crs=STORED_CRS))


def with_instants(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Give instants one dtype (UTC), also in a frame without rows."""
    for column in columns:
        rows[column] = pd.to_datetime(rows[column], utc=True)
    return rows
