"""Vector files as raw tables: attributes decoded, geometries made, nothing judged yet."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray

from gridmap.errors import InputError
from gridmap.ingest.encoding import decode_text, decode_values
from gridmap.ingest.files import Source, find_part
from gridmap.ingest.limits import Limits
from gridmap.ingest.sandbox import VectorTable, read_vectors
from gridmap.ingest.tables import RawTable
from gridmap.texts import t

_NAMED_CRS = re.compile(r'"crs"\s*:\s*\{[^}]*?"name"\s*:\s*"([^"]*)"')


def read_features(source: Source, *, limits: Limits, keeps_heights: bool = False) -> list[RawTable]:
    """Read every layer of a vector file; features are numbered from 1 in file order, heights dropped unless wanted.

    Raises
    ------
    InputError
        If the file cannot be read within the limits, or holds no features.
    """
    if source.ending == ".geojson":
        encoding, layers = _read_geojson(source, limits=limits)
    else:
        encoding, layers = "utf-8", read_vectors(source.path, limits=limits, shown_name=source.name)
    cpg = find_part(source.path, ".cpg") if source.ending == ".shp" else None
    cpg_text = cpg.read_text("ascii", errors="replace") if cpg else None
    is_only = len(layers) == 1
    tables = [
        _raw_table(layer, source=source, encoding=encoding, cpg=cpg_text, is_only=is_only, keeps_heights=keeps_heights)
        for layer in layers
        if layer.attributes.num_rows or (layer.wkb is not None and len(layer.wkb))
    ]
    if not tables:
        raise InputError(t("ingest.error_no_rows", file=source.name))
    return tables


def _read_geojson(source: Source, *, limits: Limits) -> tuple[str, list[VectorTable]]:
    """Hand GDAL a UTF-8 copy: GeoJSON in GBK exists, although the standard forbids it."""
    text, encoding = decode_text(source.path.read_bytes(), file=source.name)
    with TemporaryDirectory(prefix="gridmap-text-") as folder:
        copy = Path(folder) / "input.geojson"
        copy.write_text(text, "utf-8")
        layers = read_vectors(copy, limits=limits, shown_name=source.name)
    unknown = _unknown_crs(text)
    return encoding, layers if unknown is None else [replace(layer, crs=unknown) for layer in layers]


def _unknown_crs(text: str) -> str | None:
    """Return the CRS that a GeoJSON names and nobody knows; GDAL takes such a file for WGS 84 without a word."""
    outside_features = text.split('"features"', 1)[0] + text[text.rfind("]") :]
    named = _NAMED_CRS.search(outside_features)
    if named is None:
        return None
    try:
        pyproj.CRS.from_user_input(named[1])
    except pyproj.exceptions.CRSError:
        return named[1]
    return None


def _raw_table(
    layer: VectorTable, *, source: Source, encoding: str, cpg: str | None, is_only: bool, keeps_heights: bool
) -> RawTable:
    n_rows = layer.attributes.num_rows if layer.wkb is None else len(layer.wkb)
    changes: tuple[tuple[int, str], ...] = ()
    if source.ending == ".shp":
        headers, columns, encoding, changes = _decode_dbf(layer.attributes, cpg=cpg, file=source.name)
    else:
        headers = [str(name) for name in layer.attributes.column_names]
        columns = [_python_cells(column) for column in layer.attributes.columns]
    return RawTable(
        file=source.name,
        name=None if is_only else layer.name,
        headers=tuple(headers),
        cells=pd.DataFrame(dict(enumerate(columns)), index=range(n_rows), dtype=object),
        row_numbers=np.arange(1, n_rows + 1, dtype=np.int64),
        geometries=None if layer.wkb is None else _geometries(layer.wkb, keeps_heights=keeps_heights),
        crs=layer.crs,
        encoding=encoding,
        changes=changes,
    )


def _decode_dbf(
    table: pa.Table, *, cpg: str | None, file: str
) -> tuple[list[str], list[list[Any]], str, tuple[tuple[int, str], ...]]:
    """Undo the byte-for-byte reading of a DBF: headers and all texts share one encoding."""
    raw_headers: list[bytes | None] = [name.encode("latin-1") for name in table.column_names]
    columns = [_python_cells(column) for column in table.columns]
    texts = [
        (number, row)
        for number, column in enumerate(columns)
        for row, cell in enumerate(column)
        if isinstance(cell, str)
    ]
    raw = raw_headers + [columns[number][row].encode("latin-1") for number, row in texts]
    decoded, encoding, cut = decode_values(raw, cpg=cpg, file=file)
    n_headers = len(raw_headers)
    for (number, row), text in zip(texts, decoded[n_headers:], strict=True):
        columns[number][row] = (text or "").strip() or None
    headers = [text or "" for text in decoded[:n_headers]]
    changes = []
    for position in cut:
        if position >= n_headers:
            number, row = texts[position - n_headers]
            changes.append(
                (row + 1, t("ingest.change_cut_character", column=headers[number], value=columns[number][row]))
            )
    return headers, columns, encoding, tuple(changes)


def _python_cells(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_binary(column.type) or pa.types.is_nested(column.type):
        return [None] * len(column)
    cells = column.to_pylist()
    return [_plain(cell) for cell in cells] if not pa.types.is_floating(column.type) else _floats(cells)


def _plain(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell if cell.strip() else None
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime()
    return cell if isinstance(cell, int | float | bool | dt.date | dt.datetime) or cell is None else str(cell)


def _floats(cells: list[Any]) -> list[Any]:
    return [None if cell is None or cell != cell else cell for cell in cells]  # noqa: PLR0124  NaN


def _geometries(wkb: pa.ChunkedArray, *, keeps_heights: bool) -> NDArray[np.object_]:
    """Make geometries; what is not even well-formed becomes None."""
    raw = np.array(wkb.to_pylist(), dtype=object)
    with np.errstate(invalid="ignore"):  # NaN coordinates are refused later, row by row
        geometries: NDArray[np.object_] = shapely.from_wkb(raw, on_invalid="ignore")
        return geometries if keeps_heights else shapely.force_2d(geometries)
