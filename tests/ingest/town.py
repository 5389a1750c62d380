"""A township of four square kilometres for import tests, and builders of the files that it sends.

Two villages side by side (石桥村 west, 社区 east), each 1 km x 2 km, of two groups (一组 south, 二组 north).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely

from gridmap.ingest.context import TownshipContext
from gridmap.ingest.reading import Reading, read_layer

TOWNSHIP = "439901999"
WEST, EAST = TOWNSHIP + "201", TOWNSHIP + "202"
GRID = WEST + "001"
METRIC, STORED = 4547, 4490
EAST_M, NORTH_M = 480_000.0, 3_090_000.0
ZONE = ZoneInfo("Asia/Shanghai")


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle by metres from the south-west corner."""
    return shapely.box(EAST_M + west, NORTH_M + south, EAST_M + east, NORTH_M + north)


AREAS = (
    (TOWNSHIP, "township", "township", None, "青石乡", box(0, 0, 2000, 2000)),
    (WEST, "village", "village", TOWNSHIP, "石桥村", box(0, 0, 1000, 2000)),
    (EAST, "village", "community", TOWNSHIP, "青石社区", box(1000, 0, 2000, 2000)),
    (WEST + "01", "group", "group", WEST, "一组", box(0, 0, 1000, 1000)),
    (WEST + "02", "group", "group", WEST, "二组", box(0, 1000, 1000, 2000)),
    (EAST + "01", "group", "group", EAST, "第一村民小组", box(1000, 0, 2000, 1000)),
    (EAST + "02", "group", "group", EAST, "望江组", box(1000, 1000, 2000, 2000)),
)
LEVEL_WORDS = {"township": "乡", "community": "社区", "village": "村", "group": "组"}


def to_stored(shapes: Sequence[shapely.Geometry]) -> gpd.GeoSeries:
    """Metric shapes in EPSG:4490."""
    return gpd.GeoSeries(list(shapes), crs=METRIC).to_crs(STORED)


def degrees(east: Sequence[float], north: Sequence[float]) -> np.ndarray:
    """CGCS2000 degrees of places by metres from the south-west corner, one row a place."""
    points = shapely.points(EAST_M + np.asarray(east, dtype=float), NORTH_M + np.asarray(north, dtype=float))
    return shapely.get_coordinates(to_stored(points).to_numpy())


def areas_frame() -> gpd.GeoDataFrame:
    """The checked frame of the areas."""
    columns = ["area_code", "level", "kind", "parent_code", "name"]
    frame = pd.DataFrame([row[:5] for row in AREAS], columns=columns, dtype=object)
    return gpd.GeoDataFrame(frame, geometry=to_stored([row[5] for row in AREAS]).to_numpy(), crs=STORED)


def context(**more: Any) -> TownshipContext:
    """What is known of the township, with more on request."""
    return TownshipContext(township_code=TOWNSHIP, areas=areas_frame(), **more)


def read(layer: str, *files: Path, **options: Any) -> Reading:
    """Read a layer of the township; the books must balance whatever happens."""
    options.setdefault("context", None if layer == "areas" else context())
    reading = read_layer(layer, files, zone=ZONE, **options)
    assert reading.n_taken + reading.n_quarantined == reading.n_read
    assert reading.n_taken == sum(len(frame) for frame in reading.frames.values())
    return reading


def reasons(reading: Reading) -> dict[int, str]:
    """Row number → reason of the refused rows."""
    return dict(zip(reading.quarantined["row_number"], reading.quarantined["reason_code"], strict=True))


def workbook(file: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, merge: str | None = None) -> Path:
    """Write a workbook of sheets of rows; `merge` merges a range of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if merge:
        book.worksheets[0].merge_cells(merge)
    book.save(file)
    return file


def areas_file(file: Path, *, changes: Mapping[str, Any] | None = None, crs: int | None = METRIC) -> Path:
    """Write the areas; `changes` maps a code to another polygon or, for a new code, a whole row."""
    rows = {row[0]: list(row) for row in AREAS}
    for code, change in (changes or {}).items():
        if isinstance(change, shapely.Geometry):
            rows[code][5] = change
        else:
            rows[code] = list(change)
    frame = gpd.GeoDataFrame(
        {
            "代码": [row[0] for row in rows.values()],
            "名称": [row[4] for row in rows.values()],
            "级别": [LEVEL_WORDS[row[2]] for row in rows.values()],
            "上级代码": [row[3] for row in rows.values()],
        },
        geometry=[row[5] for row in rows.values()],
        crs=crs,
    )
    write_vector(frame, file)
    return file


def write_vector(frame: gpd.GeoDataFrame, file: Path) -> Path:
    """Write a vector file; a shapefile as Chinese GIS write it: GBK without a .cpg."""
    if file.suffix == ".shp":
        frame.to_file(file, encoding="gbk")
        file.with_suffix(".cpg").unlink()
    elif file.suffix == ".kml":
        frame.to_file(file, driver="KML")
    else:
        frame.to_file(file)
    return file


HOUSEHOLD_HEADERS = (
    "户编号",
    "村",
    "村民小组",
    "横坐标Y",
    "纵坐标X",
    "人口数",
    "独居老人",
    "留守儿童",
    "残疾人",
    "低保",
    "更新日期",
)


def household(number: int, **changes: Any) -> list[Any]:
    """A sound row of the household list, in the first group of the west village."""
    row = {
        "户编号": f"QS-01-{number:04d}",
        "村": "石桥村",
        "村民小组": "一组",
        "横坐标Y": 38_000_000 + EAST_M + 100 + 7 * number % 800,
        "纵坐标X": NORTH_M + 100 + 13 * number % 800,
        "人口数": 3,
        "独居老人": 0,
        "留守儿童": None,
        "残疾人": 0,
        "低保": 1,
        "更新日期": "2026-03-05",
    }
    return [(row | changes)[header] for header in HOUSEHOLD_HEADERS]


def households_file(file: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """Write `households.xlsx` with these rows below the usual header."""
    return workbook(file, {"住户": [HOUSEHOLD_HEADERS, *rows]})


def wecom_file(file: Path, items: Sequence[Mapping[str, Any]], **envelope: Any) -> Path:
    """Write a WeCom answer."""
    content = {"errcode": 0, "errmsg": "ok", "checkindata": list(items)} | envelope
    file.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return file
