"""Files in the shapes a township has them in. The same content always gives the same bytes."""

import csv
import io
import json
import struct
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import xlsxwriter
from numpy.typing import NDArray
from pyproj import Transformer

from township.place import FloatArray, to_projected

METRIC_CRS = "EPSG:4547"
FILE_DATE = date(2026, 10, 31)

Row = tuple[Any, ...]


def to_degrees(local: FloatArray) -> FloatArray:
    """Longitude and latitude (CGCS2000) of local metres."""
    projected = to_projected(local)
    transformer = Transformer.from_crs(METRIC_CRS, "EPSG:4490", always_xy=True)
    return np.column_stack(transformer.transform(projected[:, 0], projected[:, 1]))


def write_shapefile(path: Path, fields: dict[str, int], rows: list[Row], shapes: NDArray[np.object_]) -> None:
    """Shapefile in EPSG:4547 whose table is GBK and says so nowhere, as older Chinese GIS write it."""
    projected = shapely.transform(shapes, lambda xy: np.round(to_projected(xy), 2))
    frame = gpd.GeoDataFrame({"id": range(len(rows))}, geometry=list(projected), crs=METRIC_CRS)
    frame.to_file(path, driver="ESRI Shapefile", encoding="GBK", engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".dbf").write_bytes(_dbf(fields, rows))


def _dbf(fields: dict[str, int], rows: list[Row]) -> bytes:
    """Build a dBASE III table of text fields with the given widths in bytes."""
    width = 1 + sum(fields.values())
    head = struct.pack(
        "<4BLHH20x", 3, FILE_DATE.year - 1900, FILE_DATE.month, FILE_DATE.day, len(rows), 33 + 32 * len(fields), width
    )
    out = [head]
    for name, size in fields.items():
        out.append(struct.pack("<11sc4xBB14x", name.encode("gbk"), b"C", size, 0))
    out.append(b"\r")
    for row in rows:
        out.append(b" ")
        for value, (name, size) in zip(row, fields.items(), strict=True):
            cell = str(value).encode("gbk")
            if len(cell) > size:
                raise ValueError(f"`{name}` is {size} bytes wide, got {value!r}.")
            out.append(cell.ljust(size))
    return b"".join([*out, b"\x1a"])


def write_geojson(path: Path, rows: list[dict[str, str]], shapes: NDArray[np.object_]) -> None:
    """RFC 7946: WGS 84 degrees with 7 decimals, one feature a line."""
    degrees = shapely.transform(shapes, lambda xy: np.round(to_degrees(xy), 7))
    degrees = np.array([shapely.orient_polygons(shape) for shape in degrees])
    features = [
        json.dumps(
            {"type": "Feature", "properties": row, "geometry": json.loads(shapely.to_geojson(shape))},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row, shape in zip(rows, degrees, strict=True)
    ]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def write_csv(path: Path, header: Row, rows: list[Row]) -> None:
    """CSV in GB18030 with the line ends of Windows, as Excel saves it on a Chinese desk."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("gb18030"))


def write_workbook(path: Path, sheets: dict[str, tuple[Row, list[Row]]]) -> None:
    """Workbook with a bold header row in each sheet; dates and times as Excel keeps them."""
    with xlsxwriter.Workbook(
        path, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    ) as book:
        book.set_properties({"created": datetime(2026, 10, 31, 18, 0), "author": "青石乡"})  # noqa: DTZ001 - Excel knows no zones
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        minute = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, (header, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, header, bold)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(number, column, value, minute)
                    elif isinstance(value, date):
                        sheet.write_datetime(number, column, value, day)
                    elif value is not None and value != "":
                        sheet.write(number, column, value)


def write_json(path: Path, value: Any, *, rows: list[dict[str, Any]]) -> None:
    """Compact JSON object `value` with `rows` as its `checkindata`, one row a line."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    head = json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:-1]
    path.write_text(head + ',"checkindata":[\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8", newline="\n")
