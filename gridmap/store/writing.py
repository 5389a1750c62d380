"""Write frames: COPY into a staging table, then one INSERT … ON CONFLICT; never a replace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg import Cursor, sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from gridmap.crs import STORED_EPSG
from gridmap.errors import CrsError

_NOT_COMPARED = ("import_id", "recorded_at")
_DIFFERING = sql.SQL(
    "SELECT count(*) FROM {staging} AS staged JOIN {table} AS known ON {match}"
    " WHERE ({known}) IS DISTINCT FROM ({staged})"
)
_INSERT = sql.SQL(
    "WITH written AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging}"
    " ON CONFLICT ({key}) DO NOTHING RETURNING 1) SELECT count(*), 0 FROM written"
)
# `xmax` is 0 in a row that this statement inserted.
_UPSERT = sql.SQL(
    "WITH differing AS (SELECT staged.* FROM {staging} AS staged LEFT JOIN {table} AS known ON {match}"
    " WHERE known.{first_key} IS NULL OR ({known}) IS DISTINCT FROM ({staged})),"
    " written AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM differing"
    " ON CONFLICT ({key}) DO UPDATE SET {changes} RETURNING (xmax = 0) AS is_new)"
    " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What one write did.

    Parameters
    ----------
    n_new
        Rows that were not there.
    n_updated
        Rows that were there with other values (only where rows may change).
    n_differing
        Rows of an append-only table whose key was there with other values; they were left as first recorded.
    """

    n_new: int
    n_updated: int
    n_differing: int


def write_rows(
    connection: Connection, table: str, rows: pd.DataFrame, *, key: Sequence[str], append_only: bool = False
) -> Written:
    """Insert rows; a row whose key is known is updated where it differs, or, in an append-only table, left alone.

    Parameters
    ----------
    connection
        In a transaction; the caller commits.
    table
        Name of the table; the frame's columns are its columns.
    rows
        One row each; a GeoDataFrame in EPSG:4490 writes its geometry to `geom`.
    key
        Columns of a unique constraint of the table.
    append_only
        Whether known rows stay as they were recorded first.

    Raises
    ------
    CrsError
        If geometries are not in EPSG:4490.
    sqlalchemy.exc.DBAPIError
        If a constraint of the table refuses a row.
    """
    if rows.empty:
        return Written(n_new=0, n_updated=0, n_differing=0)
    columns = _columns(rows)
    compared = [name for name in columns if name not in key and name not in _NOT_COMPARED]
    names: dict[str, sql.Composable] = {
        "table": sql.Identifier(table),
        "staging": sql.Identifier(f"staging_{table}"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "key": sql.SQL(", ").join(map(sql.Identifier, key)),
        "first_key": sql.Identifier(key[0]),
        "match": sql.SQL(" AND ").join(_same(name, may_be_null=None in columns[name]) for name in key),
        "known": sql.SQL(", ").join(sql.Identifier("known", name) for name in compared),
        "staged": sql.SQL(", ").join(sql.Identifier("staged", name) for name in compared),
        "changes": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in key
        ),
    }
    with _driver_cursor(connection) as cursor:
        cursor.execute(sql.SQL("CREATE TEMP TABLE {staging} (LIKE {table} INCLUDING DEFAULTS)").format(**names))
        with cursor.copy(sql.SQL("COPY {staging} ({columns}) FROM STDIN").format(**names)) as copy:
            for record in zip(*columns.values(), strict=True):
                copy.write_row(record)
        (n_differing,) = _row(cursor, _DIFFERING.format(**names)) if compared else (0,)
        updating = compared and not append_only
        insert = (_UPSERT if updating else _INSERT).format(**names)
        n_new, n_updated = _row(cursor, insert)
        cursor.execute(sql.SQL("DROP TABLE {staging}").format(**names))
    return Written(n_new=n_new, n_updated=n_updated, n_differing=n_differing if append_only else 0)


def _same(column: str, *, may_be_null: bool) -> sql.Composed:
    """Return the condition that a key column agrees; only where nulls stand the slow comparison that sees them."""
    operator = sql.SQL("IS NOT DISTINCT FROM" if may_be_null else "=")
    return sql.SQL("{} {} {}").format(sql.Identifier("staged", column), operator, sql.Identifier("known", column))


def _driver_cursor(connection: Connection) -> Cursor[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("`connection` has been closed.")
    cursor: Cursor[tuple[Any, ...]] = driver.cursor()
    return cursor


def _row(cursor: Cursor[tuple[Any, ...]], query: sql.Composed) -> tuple[Any, ...]:
    row = cursor.execute(query).fetchone()
    if row is None:
        raise RuntimeError("The database answered a count with no row.")
    return row


def _columns(rows: pd.DataFrame) -> dict[str, list[object]]:
    """Return the values of each column as COPY takes them: plain Python, None for null, geometry as EWKB."""
    columns: dict[str, list[object]] = {}
    for name in rows.columns:
        values = rows[name]
        if isinstance(values, gpd.GeoSeries):
            columns["geom"] = _ewkb(values)
        else:
            columns[str(name)] = [_plain(value) for value in values.astype(object)]
    return columns


def _ewkb(shapes: gpd.GeoSeries) -> list[object]:
    if shapes.crs is None or shapes.crs.to_epsg() != STORED_EPSG:
        raise CrsError(f"`rows` must be in EPSG:{STORED_EPSG}, got `{shapes.crs}`. Reproject before writing.")
    return list(shapely.to_wkb(shapely.set_srid(shapes.to_numpy(), STORED_EPSG), hex=True, include_srid=True))


def _plain(value: object) -> object:
    if isinstance(value, dict | list):
        return Jsonb(value)
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value
