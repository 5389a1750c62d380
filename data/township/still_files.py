"""The files of what lies still: areas, grids, households, paths, water."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import shapely

from township import writers
from township.households import NEEDS
from township.place import LAST_DAY, TOWNSHIP_CODE, TOWNSHIP_NAME, VILLAGES, FloatArray, stream, to_projected
from township.town import Town

ZONE_PREFIX_M = 38_000_000
ROAD_NAMES = {"公路": "青石公路", "村道": "", "机耕路": "", "小路": ""}
HOUSEHOLD_HEADER = (
    "户编号", "村", "村民小组", "横坐标Y", "纵坐标X", "人口数", *NEEDS, "更新日期",
)  # fmt: skip


def write_areas(folder: Path, town: Town) -> None:
    """`areas.shp`: township, villages and groups in one table."""
    rows: list[writers.Row] = [(TOWNSHIP_CODE, TOWNSHIP_NAME, "乡", "")]
    shapes = [town.outline()]
    for number, village in enumerate(VILLAGES):
        rows.append((village.code, village.name, village.kind, TOWNSHIP_CODE))
        shapes.append(town.village_shape(number))
    for k in sorted(range(len(town.groups)), key=lambda k: town.group_codes[k]):
        rows.append((town.group_codes[k], town.group_names[k], "组", VILLAGES[town.village_of[k]].code))
        shapes.append(town.groups[k])
    fields = {"代码": 14, "名称": 40, "级别": 10, "上级代码": 12}
    writers.write_shapefile(folder / "areas.shp", fields, rows, np.array(shapes))


def write_grids(folder: Path, town: Town) -> None:
    """`grids.shp`: the grids as somebody drew them."""
    rows = [(grid.code, grid.name, grid.village_code, grid.reason, grid.approved_by) for grid in town.grids]
    fields = {"网格代码": 15, "网格名称": 40, "村代码": 12, "超限原因": 100, "批准人": 20}
    writers.write_shapefile(folder / "grids.shp", fields, rows, np.array(town.drawn_grids))


def write_paths(folder: Path, town: Town) -> None:
    """`paths.geojson`: the edges of the path network."""
    rows = [
        {
            "编号": f"L{k:04d}",
            "名称": edge.name or ROAD_NAMES[edge.kind],
            "类型": edge.kind,
            "桥": "是" if edge.is_bridge else "否",
        }
        for k, edge in enumerate(town.edges, start=1)
    ]
    writers.write_geojson(folder / "paths.geojson", rows, np.array([edge.line for edge in town.edges]))


def write_water(folder: Path, town: Town) -> None:
    """`water.geojson`: river, reservoir, ponds, canals and brooks."""
    rows = [{"编号": f"W{k:03d}", "名称": item.name, "类型": item.kind} for k, item in enumerate(town.waters, start=1)]
    shapes = np.array([shapely.set_precision(item.geometry, 0.01) for item in town.waters])
    writers.write_geojson(folder / "water.geojson", rows, shapes)


def household_numbers(town: Town) -> list[str]:
    """户编号 of every home: numbered through each village in the order of its groups."""
    homes = town.homes
    serial = dict.fromkeys(range(len(VILLAGES)), 0)
    numbers = [""] * len(homes.xy)
    for k in np.lexsort((np.arange(len(homes.xy)), np.array(town.group_codes)[homes.group])):
        village = int(town.village_of[homes.group[k]])
        serial[village] += 1
        numbers[int(k)] = _number(village, serial[village])
    return numbers


def _number(village: int, serial: int) -> str:
    return f"QS-{village + 1:02d}-{serial:04d}"


def write_households(folder: Path, town: Town) -> None:
    """`households.xlsx`: one row a home, and the rows that are wrong in the ways such rows are."""
    rng = stream(20)
    homes = town.homes
    order = np.lexsort((np.arange(len(homes.xy)), np.array(town.group_codes)[homes.group]))
    serial = dict.fromkeys(range(len(VILLAGES)), 0)
    rows: list[list[object]] = []
    for k in order:
        village = int(town.village_of[homes.group[k]])
        serial[village] += 1
        row = _row(town, village, int(homes.group[k]), serial[village], homes.xy[k])
        row += [
            int(homes.residents[k]),
            *[int(n) for n in homes.needs[k]],
            LAST_DAY - timedelta(days=int(rng.gamma(2.0, 45)) % 330),
        ]
        rows.append(row)
    rows = _with_bad_rows(rows, serial, town)
    writers.write_workbook(folder / "households.xlsx", {"住户": (HOUSEHOLD_HEADER, [tuple(row) for row in rows])})


def _row(town: Town, village: int, group: int, serial: int, local: FloatArray) -> list[object]:
    east, north = to_projected(local)
    number = _number(village, serial)
    place = [round(float(east) + ZONE_PREFIX_M, 2), round(float(north), 2)]
    return [number, VILLAGES[village].name, town.group_names[group], *place]


def _with_bad_rows(rows: list[list[object]], serial: dict[int, int], town: Town) -> list[list[object]]:
    """Two rows to be mended in place, ten wrong ones of their own, spread over the sheet."""
    rng = stream(21)
    counts = np.bincount(town.homes.grid, minlength=len(town.grids))
    roomy = np.flatnonzero(counts[town.homes.grid] <= 90)
    rows[417][10] = "2026年3月5日"
    rows[1203][5] = "４"
    extra: list[list[object]] = []
    for k in rng.choice(roomy, 10, replace=False):
        village = int(town.village_of[town.homes.group[k]])
        serial[village] += 1
        row = _row(town, village, int(town.homes.group[k]), serial[village], town.homes.xy[k] + 2.5)
        extra.append([*row, 3, 0, 0, 0, 0, date(2026, 9, 15)])
    for row in extra[:2]:
        row[3] = row[4] = None
    for row in extra[2:4]:
        row[3], row[4] = row[4], row[3]
    extra[4][5], extra[5][5], extra[6][5] = "约100", -3, 900
    extra[7][3] = float(str(extra[7][3])) + 31_500.0
    extra[8][0] = rows[88][0]
    extra[9][2] = "望江组"
    for k, row in enumerate(extra):
        rows.insert(150 + 283 * k, row)
    return rows
